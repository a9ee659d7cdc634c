//! Settings as an admin meets them: every shipped file loads, and every mistake is explained.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rosterd::{ConfigSource, FieldMapping, FieldRef, LoginField, Origin, Problem, Settings};
use rosterd_core::roster::{Adopt, Leavers, Limit, Mode};
use secrecy::ExposeSecret;

fn shipped(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config")).join(name)
}

fn variables(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A configuration file in a folder of its own, which lives as long as this does.
struct Written {
    folder: tempfile::TempDir,
}

impl Written {
    fn new(toml: &str) -> Self {
        let written = Self { folder: tempfile::tempdir().unwrap() };
        written.put("config.toml", toml);
        written
    }

    fn put(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn source(&self) -> ConfigSource {
        ConfigSource::File(self.folder.path().join("config.toml"))
    }

    fn load(&self, environment: &[(&str, &str)]) -> Result<Settings, Vec<Problem>> {
        Settings::load(&self.source(), variables(environment).into_iter()).map_err(|error| error.problems)
    }
}

fn load(toml: &str) -> Settings {
    Written::new(toml).load(&[]).unwrap()
}

fn problems(toml: &str) -> Vec<Problem> {
    Written::new(toml).load(&[]).unwrap_err()
}

fn built_in(environment: &[(&str, &str)]) -> Result<Settings, Vec<Problem>> {
    let environment = variables(environment).into_iter();
    Settings::load(&ConfigSource::BuiltIn, environment).map_err(|error| error.problems)
}

fn column(column: &str, field: FieldRef) -> FieldMapping {
    FieldMapping { column: column.to_owned(), field }
}

#[test]
fn the_built_in_defaults_are_the_documented_ones() {
    let settings = built_in(&[]).unwrap();
    assert_eq!(settings.mode, Mode::Observe);
    assert_eq!(settings.roster.database, Path::new("roster.db"));
    assert_eq!(settings.schedule.expression, "0 */15 * * * *");
    assert_eq!(settings.exam.endpoint.base_url, "https://api.onlineexammaker.com");
    assert_eq!(settings.exam.endpoint.requests_per_second, 8.0);
    assert_eq!(settings.exam.login_field, LoginField::Auto);
    assert_eq!(settings.exam.delete_grace, Duration::from_secs(72 * 3600));
    assert_eq!(settings.exam.shared, None, "nobody has written it");
    assert_eq!(settings.exam.adopt, Adopt::Auto);
    assert_eq!(
        settings.exam.fields,
        [
            column("gender", FieldRef::Id(2)),
            column("name", FieldRef::Id(1)),
            column("password", FieldRef::Id(10)),
            column("phone", FieldRef::Id(4)),
        ]
    );
    assert!(!settings.classin.enabled);
    assert_eq!(settings.guard.max_delete, Limit::Auto);
    assert_eq!(settings.guard.max_modify, Limit::Percent(30.0));
    assert_eq!(settings.http.listen, Some("127.0.0.1:8480".parse().unwrap()));
    assert!(settings.results.cron.is_none());
    assert!(settings.demo.is_none());
}

#[test]
fn every_shipped_file_loads() {
    let files = std::fs::read_dir(shipped("")).unwrap();
    let files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let loaded = Settings::load(&ConfigSource::File(file.clone()), std::iter::empty());
        assert!(loaded.is_ok(), "{}:\n{}", file.display(), loaded.unwrap_err());
    }
}

#[test]
fn no_shipped_file_holds_a_secret() {
    for file in std::fs::read_dir(shipped("")).unwrap() {
        let settings = Settings::load(&ConfigSource::File(file.unwrap().path()), std::iter::empty()).unwrap();
        assert!(settings.exam.code.is_none() && settings.classin.secret.is_none());
    }
}

#[test]
fn the_demo_file_rehearses_everything_against_the_embedded_sandbox() {
    let settings = Settings::load(&ConfigSource::File(shipped("demo.toml")), std::iter::empty()).unwrap();
    let demo = settings.demo.unwrap();
    assert_eq!((demo.students, demo.seed), (1000, 2027));
    assert_eq!(demo.sandbox_state, shipped("../target/demo/sandbox.json"));
    assert_eq!(settings.roster.database, shipped("../target/demo/roster.db"));
    assert_eq!(settings.state.database, shipped("../target/demo/state.db"));
    assert_eq!(settings.mode, Mode::Sync);
    assert_eq!(settings.exam.endpoint.base_url, "http://127.0.0.1:0");
    assert_eq!(settings.classin.endpoint.base_url, "http://127.0.0.1:0");
    assert_eq!(settings.exam.login_field, LoginField::Named(FieldRef::Label("login".to_owned())));
    assert_eq!(settings.classin.sid.as_deref(), Some("2339736"));
    assert!(settings.classin.enabled && settings.http.listen.is_none());
}

#[test]
fn the_file_wins_over_the_defaults_and_the_environment_over_the_file() {
    let written = Written::new("[exam]\npage_size = 50\nbatch_size = 40\n");
    let settings = written.load(&[("ROSTERD__EXAM__BATCH_SIZE", "30")]).unwrap();
    assert_eq!((settings.exam.page_size, settings.exam.batch_size), (50, 30));
    assert_eq!(settings.exam.endpoint.max_in_flight, 4);
}

#[test]
fn every_kind_of_value_can_come_from_the_environment() {
    let settings = built_in(&[
        ("ROSTERD__SYNC__MODE", "create-only"),
        ("ROSTERD__EXAM__ENABLED", "false"),
        ("ROSTERD__EXAM__REQUESTS_PER_SECOND", "2.5"),
        ("ROSTERD__EXAM__VERIFY_GROUPS", "1h 30m"),
        ("ROSTERD__EXAM__LEAVERS", "4711"),
        ("ROSTERD__EXAM__LOGIN_FIELD", "21"),
        ("ROSTERD__CLASSIN__SID", "0012345"),
        ("ROSTERD__GUARD__MAX_DELETE", "8%"),
        ("ROSTERD__GUARD__MAX_MODIFY", "12"),
        ("ROSTERD__HTTP__LISTEN", "off"),
        ("ROSTERD__ROSTER__QUERIES__STUDENTS", "SELECT 1"),
        ("ROSTERD__SCHEDULE__BLACKOUT", r#"[{ from = "2027-07-01", to = 2027-08-15 }]"#),
    ])
    .unwrap();
    assert_eq!(settings.mode, Mode::CreateOnly);
    assert!(!settings.exam.enabled);
    assert_eq!(settings.exam.endpoint.requests_per_second, 2.5);
    assert_eq!(settings.exam.verify_groups, Duration::from_secs(5400));
    assert_eq!(settings.exam.leavers, Leavers::MoveTo(4711));
    assert_eq!(settings.exam.login_field, LoginField::Named(FieldRef::Id(21)));
    assert_eq!(settings.classin.sid.as_deref(), Some("0012345"));
    assert_eq!(settings.guard.max_delete, Limit::Percent(8.0));
    assert_eq!(settings.guard.max_modify, Limit::Count(12));
    assert!(settings.http.listen.is_none());
    assert_eq!(settings.roster.queries.students.as_deref(), Some("SELECT 1"));
    assert_eq!(settings.schedule.blackout.len(), 1);
}

#[test]
fn a_secret_of_digits_stays_text() {
    for secret in ["0012345", "12e3", "TRUE", " with blanks ", "a,b=c$d"] {
        let settings = built_in(&[("ROSTERD__EXAM__CODE", secret)]).unwrap();
        assert_eq!(settings.exam.code.unwrap().expose_secret(), secret, "{secret:?}");
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let settings = built_in(&[("ROSTERD__EXAM__CODE", ""), ("ROSTERD__EXAM__PAGE_SIZE", "")]).unwrap();
    assert!(settings.exam.code.is_none());
    assert_eq!(settings.exam.page_size, 100);
}

#[test]
fn variables_of_other_programs_and_of_the_command_line_are_left_alone() {
    assert!(
        built_in(&[("ROSTERD_CONFIG", "x"), ("ROSTERD_PORT", "tcp://1"), ("EXAM__PAGE_SIZE", "0")]).is_ok()
    );
}

#[test]
fn variables_that_differ_in_case_alone_are_refused_by_their_names() {
    let found =
        built_in(&[("ROSTERD__EXAM__CODE", "recognisable-a"), ("ROSTERD__Exam__Code", "recognisable-b")]);
    let found: String = found.unwrap_err().iter().map(ToString::to_string).collect();
    assert!(found.contains("ROSTERD__EXAM__CODE") && found.contains("ROSTERD__Exam__Code"), "{found}");
    assert!(found.contains("remove one of them") && !found.contains("recognisable"), "{found}");
    assert!(
        built_in(&[("rosterd__exam__code", "a")]).unwrap().exam.code.is_some(),
        "one alone counts in any case"
    );
}

#[test]
fn a_given_fields_table_replaces_the_default_one() {
    let settings = load("[exam.fields]\nlogin = \"21\"\nname = \"Full name\"\n");
    let expected =
        [column("login", FieldRef::Id(21)), column("name", FieldRef::Label("Full name".to_owned()))];
    assert_eq!(settings.exam.fields, expected);
}

#[test]
fn a_fields_table_from_the_environment_replaces_the_one_of_the_file() {
    let written = Written::new("[exam.fields]\nname = 1\nphone = 4\n");
    let settings = written.load(&[("ROSTERD__EXAM__FIELDS__LOGIN", "21")]).unwrap();
    assert_eq!(settings.exam.fields, [column("login", FieldRef::Id(21))]);
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let written = Written::new("[roster]\ndatabase = \"data/roster.db\"\n");
    let settings = written.load(&[]).unwrap();
    assert_eq!(settings.roster.database, written.folder.path().join("data/roster.db"));
    assert_eq!(settings.state.database, written.folder.path().join("state.db"), "the default's too");
}

#[test]
fn relative_paths_of_the_environment_start_at_the_current_folder() {
    let settings = Written::new("").load(&[("ROSTERD__STATE__DATABASE", "data/state.db")]).unwrap();
    assert_eq!(settings.state.database, Path::new("data/state.db"));
}

#[test]
fn absolute_paths_stay_as_they_are() {
    assert_eq!(load("[state]\ndatabase = \"/var/s.db\"\n").state.database, Path::new("/var/s.db"));
}

#[test]
fn secrets_are_read_from_the_files_that_the_settings_name() {
    let written =
        Written::new("[exam]\ncode_file = \"code\"\n[classin]\nenabled = true\nsecret_file = \"secret\"\n");
    written.put("code", " s3cret \n");
    written.put("secret", "0012345\r\n");
    let settings = written.load(&[]).unwrap();
    assert_eq!(settings.exam.code.unwrap().expose_secret(), "s3cret", "blanks around it are no part of it");
    assert_eq!(settings.classin.secret.unwrap().expose_secret(), "0012345");
}

#[test]
fn a_blank_secret_is_refused_where_its_service_is_on_and_means_none_where_it_is_off() {
    for (section, key) in [("exam", "code_file"), ("classin", "secret_file")] {
        for (is_on, blank) in [(true, "\n"), (false, "\n"), (true, ""), (false, "")] {
            let other = if section == "exam" { "classin" } else { "exam" };
            let text = format!(
                "[{section}]\nenabled = {is_on}\n{key} = \"secret\"\n[{other}]\nenabled = {}\n",
                !is_on
            );
            let written = Written::new(&text);
            written.put("secret", blank);
            let loaded = written.load(&[]);
            assert_eq!(loaded.is_ok(), !is_on, "{text}");
            if let Err(problems) = loaded {
                let said: String = problems.iter().map(ToString::to_string).collect();
                assert!(said.contains(key) && said.contains("the file is empty"), "{said}");
            }
        }
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_by_name_and_waited_for_by_nobody() {
    for (text, key) in [
        ("[exam]\ncode_file = \"pipe\"\n", "exam.code_file"),
        ("[exam]\nca_file = \"pipe\"\n", "exam.ca_file"),
        ("[exam]\ncode_file = \"/dev/zero\"\n", "exam.code_file"),
        ("[classin]\nsecret_file = \".\"\n", "classin.secret_file"),
        ("[http]\ntoken_file = \"pipe\"\n", "http.token_file"),
    ] {
        let written = Written::new(text);
        let pipe = written.folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let refused = written.load(&[]).unwrap_err();
        let refused: String = refused.iter().map(ToString::to_string).collect();
        assert!(refused.contains(key) && refused.contains("name a regular file"), "{refused}");
    }
}

#[test]
fn a_secret_of_a_later_layer_wins_however_it_is_given() {
    let written = Written::new("[exam]\ncode_file = \"code\"\n[classin]\nsecret = \"file\"\n");
    written.put("code", "file\n");
    let folder = written.folder.path().to_str().unwrap();
    let settings = written
        .load(&[
            ("ROSTERD__EXAM__CODE", "environment"),
            ("ROSTERD__CLASSIN__SECRET_FILE", &format!("{folder}/code")),
        ])
        .unwrap();
    assert_eq!(settings.exam.code.unwrap().expose_secret(), "environment");
    assert_eq!(settings.classin.secret.unwrap().expose_secret(), "file");
}

#[test]
fn missing_credentials_do_not_stop_loading_but_are_named() {
    let keys = |toml: &str| -> Vec<String> {
        load(toml).missing_credentials().into_iter().map(|problem| problem.key).collect()
    };
    assert_eq!(keys(""), ["exam.code"]);
    assert_eq!(keys("[classin]\nenabled = true\n"), ["exam.code", "classin.secret", "classin.sid"]);
    assert_eq!(keys("[exam]\nenabled = false\n"), ["exam.enabled"]);
    assert_eq!(keys("[exam]\ncode = \"x\"\n"), [""; 0]);
}

#[test]
fn plain_http_is_accepted_for_this_machine_only() {
    for url in ["http://127.0.0.1:8481", "http://127.8.9.1", "http://[::1]:80/", "http://localhost:1/"] {
        assert!(Written::new(&format!("[exam]\nbase_url = \"{url}\"\n")).load(&[]).is_ok(), "{url}");
    }
    for url in ["http://example.org", "http://10.0.0.1", "http://localhost.example.org", "http://[::2]"] {
        let found = problems(&format!("[exam]\nbase_url = \"{url}\"\n"));
        assert!(found[0].message.contains("write https"), "{url}: {found:?}");
    }
}

#[test]
fn a_trailing_slash_is_removed_from_an_address() {
    let settings = load("[exam]\nbase_url = \"https://api.example.org:8443/\"\n");
    assert_eq!(settings.exam.endpoint.base_url, "https://api.example.org:8443");
}

#[test]
fn limits_and_leavers_have_several_spellings() {
    let limit = |written: &str| load(&format!("[guard]\nmax_delete = {written}\n")).guard.max_delete;
    assert_eq!(limit("\"auto\""), Limit::Auto);
    assert_eq!(limit("12"), Limit::Count(12));
    assert_eq!(limit("\"12\""), Limit::Count(12));
    assert_eq!(limit("\"8%\""), Limit::Percent(8.0));
    assert_eq!(limit("\"0.5 %\""), Limit::Percent(0.5));
    let leavers = |written: &str| load(&format!("[exam]\nleavers = {written}\n")).exam.leavers;
    assert_eq!(leavers("\"delete\""), Leavers::Delete);
    assert_eq!(leavers("\"keep\""), Leavers::Keep);
    assert_eq!(leavers("17"), Leavers::MoveTo(17));
    assert_eq!(leavers("\"17\""), Leavers::MoveTo(17));
}

#[test]
fn schedules_have_five_or_six_fields() {
    let cron = |written: &str| load(&format!("[schedule]\ncron = \"{written}\"\n")).schedule;
    assert_eq!(cron("*/15 * * * *").expression, "*/15 * * * *");
    assert_eq!(cron("30 0 2 * * MON-FRI").expression, "30 0 2 * * MON-FRI");
    cron("0 0 29 2 *");
}

#[test]
fn a_schedule_obeys_day_of_month_or_day_of_week_as_unix_does() {
    let cron = load("[schedule]\ncron = \"0 0 0 13 * FRI\"\n").schedule.cron;
    let thursday_the_13th = jiff::civil::date(2027, 5, 13).at(0, 0, 0, 0).in_tz("UTC").unwrap();
    let a_friday = jiff::civil::date(2027, 5, 14).at(0, 0, 0, 0).in_tz("UTC").unwrap();
    assert!(cron.is_time_matching(&thursday_the_13th).unwrap());
    assert!(cron.is_time_matching(&a_friday).unwrap());
}

#[test]
fn every_limit_holds_at_just_under_and_just_over() {
    for (section, key, low, high) in [
        ("exam", "page_size", 1, 100),
        ("exam", "batch_size", 1, 100),
        ("exam", "max_in_flight", 1, 64),
        ("classin", "batch_size", 1, 30),
        ("classin", "max_in_flight", 1, 64),
        ("classin", "verify_calls", 0, 100_000),
        ("retry", "max_attempts", 1, 1000),
    ] {
        let loads = |number: i64| Written::new(&format!("[{section}]\n{key} = {number}\n")).load(&[]).is_ok();
        assert_eq!(
            [low - 1, low, high, high + 1].map(loads),
            [false, true, true, false],
            "{section}.{key} is from {low} to {high}"
        );
    }
}

/// What an admin may write, the key that is named, and words of the explanation.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("[exam]\npage_sise = 5", "exam.page_sise", "did you mean `exam.page_size`?"),
    ("page_size = 5", "page_size", "did you mean `exam.page_size`?"),
    ("[exma]\nx = 1", "exma", "did you mean `exam`?"),
    ("[roster.querys]\nstudents = \"\"", "roster.querys", "did you mean `roster.queries`?"),
    ("[roster.queries]\nstudents = \"SELECT *, ?1 AS z FROM s\"", "roster.queries.students", "parameter ?1"),
    ("[roster.queries]\ngroups = \"SELECT 'a?', :year FROM g\"", "roster.queries.groups", "parameter :year"),
    ("[roster.queries]\nclasses = \"/* ? */ SELECT @x\"", "roster.queries.classes", "parameter @x"),
    ("[roster.queries]\ngroups = \"SELECT 1 -- ?\\n WHERE $y\"", "roster.queries.groups", "parameter $y"),
    ("[exam]\nsid = 1", "exam.sid", "did you mean `classin.sid`?"),
    ("telephone = 5", "telephone", "config/default.toml lists them all"),
    ("exam = 5", "exam", "this is a section"),
    ("[exam]\npage_size = 200", "exam.page_size", "from 1 to 100, not 200"),
    ("[exam]\npage_size = \"many\"", "exam.page_size", "not \"many\""),
    ("[exam.page_size]\nx = 1", "exam.page_size", "not a table"),
    ("[exam]\npage_size = [1]", "exam.page_size", "not a list"),
    ("[exam]\nbatch_size = 0", "exam.batch_size", "from 1 to 100"),
    ("[classin]\nbatch_size = 31", "classin.batch_size", "from 1 to 30"),
    ("[exam]\nmax_in_flight = 65", "exam.max_in_flight", "from 1 to 64"),
    ("[exam]\nrequests_per_second = -1", "exam.requests_per_second", "above 0"),
    ("[exam]\nrequests_per_second = nan", "exam.requests_per_second", "above 0"),
    ("[exam]\nrequests_per_second = inf", "exam.requests_per_second", "above 0"),
    ("[exam]\ntimeout = 30", "exam.timeout", "30 has no unit"),
    ("[exam]\ntimeout = \"30\"", "exam.timeout", "such as \"30s\""),
    ("[exam]\ntimeout = \"0s\"", "exam.timeout", "fails every call"),
    ("[exam]\ndelete_grace = \"-5m\"", "exam.delete_grace", "negative"),
    ("[exam]\ndelete_grace = \"3 days\"", "exam.delete_grace", "\"24h\""),
    ("[exam]\ndelete_grace = \"999999999999h\"", "exam.delete_grace", ""),
    ("[exam]\ndelete_grace = \"99999h\"", "exam.delete_grace", "ten years"),
    ("[exam]\nenabled = \"perhaps\"", "exam.enabled", "true or false"),
    ("[exam]\nshared = \"perhaps\"", "exam.shared", "true or false"),
    ("[exam]\nbase_url = \"api.example.org\"", "exam.base_url", "no web address"),
    ("[exam]\nbase_url = \"ftp://example.org\"", "exam.base_url", "https"),
    ("[exam]\nbase_url = \"https://example.org/api\"", "exam.base_url", "without a path"),
    ("[exam]\nbase_url = \"https://example.org?x=1\"", "exam.base_url", "without a path or a query"),
    ("[exam]\nbase_url = \"https://me:pw@example.org\"", "exam.base_url", "user name"),
    ("[exam]\nlogin_field = \"\"", "exam.login_field", "\"auto\""),
    ("[exam]\nlogin_field = -4", "exam.login_field", "sfid"),
    ("[exam]\nleavers = \"archive\"", "exam.leavers", "\"delete\", \"keep\" or the gid"),
    ("[exam]\nleavers = -1", "exam.leavers", "the gid"),
    ("[exam]\nadopt = \"always\"", "exam.adopt", "\"auto\", \"never\""),
    ("[exam]\nfields = 5", "exam.fields", "a table"),
    ("[exam.fields]", "exam.fields", "no column is mapped"),
    ("[exam.fields]\nname = true", "exam.fields", "column \"name\""),
    ("[exam.fields]\nname = 1\nphone = \"1\"", "exam.fields", "\"name\" and \"phone\" go to the same field"),
    ("[exam]\ncode_file = \"absent\"", "exam.code_file", "cannot be read"),
    ("[exam]\nca_file = \"absent.pem\"", "exam.ca_file", "cannot be read"),
    ("[exam]\ncode = \"\"", "exam.code", "empty"),
    ("[exam]\ncode = \"a\"\ncode_file = \"b\"", "exam.code", "exam.code_file is given too"),
    ("[classin]\nsecret_file = \"absent\"", "classin.secret_file", "cannot be read"),
    ("[classin]\nhome_country = \"China\"", "classin.home_country", "two letters of a country (ISO 3166)"),
    ("[classin]\nhome_country = \"XX\"", "classin.home_country", "not \"XX\""),
    ("[classin]\nhome_country = 86", "classin.home_country", "such as \"CN\""),
    ("[classin]\nverify_calls = -1", "classin.verify_calls", "from 0 to 100000"),
    ("[classin]\nverify_call = 1", "classin.verify_call", "did you mean `classin.verify_calls`?"),
    ("[classin]\nremovals = \"all\"", "classin.removals", "\"none\", \"added\", \"presumed\""),
    ("[sync]\nmode = \"full\"", "sync.mode", "\"observe\", \"create-only\", \"upsert\", \"sync\""),
    ("[schedule]\ncron = \"0 0 31 2 *\"", "schedule.cron", "never comes round"),
    ("[schedule]\ncron = \"every day\"", "schedule.cron", "six fields, seconds first"),
    ("[schedule]\ncron = \"* * * *\"", "schedule.cron", "six fields, seconds first"),
    ("[schedule]\ncron = \"0 0 0 1 1 * 2030\"", "schedule.cron", "six fields, seconds first"),
    ("[schedule]\ntime_zone = \"Asia/Shangai\"", "schedule.time_zone", "did you mean \"Asia/Shanghai\"?"),
    ("[schedule]\ntime_zone = \"Middle Earth\"", "schedule.time_zone", "\"Middle Earth\""),
    ("[schedule]\nmissed = \"all\"", "schedule.missed", "\"run-once\", \"skip\""),
    ("[schedule]\nblackout = \"July\"", "schedule.blackout", "a list such as"),
    ("[schedule]\nblackout = [{ from = \"2027-07-01\" }]", "schedule.blackout", "lacks its `to`"),
    ("[schedule]\nblackout = [{ from = \"1 July\", to = \"2027-07-02\" }]", "schedule.blackout", "no day"),
    (
        "[schedule]\nblackout = [{ from = 2027-07-02, to = 2027-07-01 }]",
        "schedule.blackout",
        "before it begins",
    ),
    ("[schedule]\nblackout = [{ from = 2027-07-02, til = 2027-07-01 }]", "schedule.blackout", "no \"til\""),
    ("[guard]\nmax_delete = \"108%\"", "guard.max_delete", "\"100%\""),
    ("[guard]\nmax_delete = -1", "guard.max_delete", "\"auto\""),
    ("[guard]\nmax_modify = \"some\"", "guard.max_modify", "not \"some\""),
    ("[guard]\nmin_roster = -1", "guard.min_roster", "whole number"),
    ("[retry]\nmax_attempts = 0", "retry.max_attempts", "from 1"),
    (
        "[retry]\nfirst_delay = \"2h\"\nmax_delay = \"1h\"",
        "retry.max_delay",
        "shorter than retry.first_delay",
    ),
    ("[results]\ncron = \"0 0 30 2 *\"", "results.cron", "never comes round"),
    ("[http]\nlisten = \"8480\"", "http.listen", "IP and port"),
    ("[http]\nlisten = \"localhost:8480\"", "http.listen", "IP and port"),
    ("[http]\ntoken_file = \"not there\"", "http.token_file", "cannot be read"),
    ("[http]\ntoken_file = 5", "http.token_file", "text in quotes"),
    ("[roster]\ndatabase = \"\"", "roster.database", "empty"),
    ("[roster]\ndatabase = 5", "roster.database", "text in quotes"),
    ("[notify]\nwecom_url = \"qyapi.weixin.qq.com\"", "notify.wecom_url", "copy it whole"),
    ("[notify]\nslack_url = \"http://hooks.slack.com/x\"", "notify.slack_url", "https"),
    ("[notify]\nteams_url = \"https://me:pw@example.org/\"", "notify.teams_url", "user name"),
    ("[notify]\ndingtalk_url_file = \"absent\"", "notify.dingtalk_url_file", "cannot be read"),
    ("[notify]\nfeishu_secret = \"s\"", "notify.feishu_secret", "give notify.feishu_url too"),
    ("[notify]\nwechat_url_file = \"x\"", "notify.wechat_url_file", "did you mean `notify.wecom_url_file`?"),
    ("[notify]\nleast = \"all\"", "notify.least", "\"failing\", \"held\", \"waiting\""),
    ("[notify]\ntitle = \"\"", "notify.title", "empty"),
    ("[notify]\ndigest_at = \"8 h\"", "notify.digest_at", "write hour and minute such as"),
    ("[notify]\ndigest_at = \"24:00\"", "notify.digest_at", "write hour and minute such as"),
    ("[notify]\ndigest_to = [\"fax\"]", "notify.digest_to", "is none of"),
    ("[notify]\ndigest_to = [\"mail\"]", "notify.digest_to", "mail is not configured"),
    ("[notify]\ndigest_empty = \"perhaps\"", "notify.digest_empty", "write true or false"),
    ("[notify.mail]\ndigest_to = [\"nobody\"]", "notify.mail.digest_to", "no address of mail"),
    ("[notify]\ntimeout = \"0s\"", "notify.timeout", "a deadline of no time"),
    ("[notify.mail]\nfrom = \"r@example.org\"", "notify.mail.server", "name the mail server"),
    ("[notify.mail]\nserver = \"smtp.example.org\"", "notify.mail.to", "who is told"),
    ("[notify.mail]\nserver = \"smtp://example.org\"", "notify.mail.server", "without scheme and port"),
    ("[notify.mail]\nserver = \"example.org:25\"", "notify.mail.server", "without scheme and port"),
    ("[notify.mail]\nto = [\"nobody\"]", "notify.mail.to", "no address of mail"),
    ("[notify.mail]\nto = []", "notify.mail.to", "write a list"),
    ("[notify.mail]\nfrom = \"school\"", "notify.mail.from", "no address of mail"),
    ("[notify.mail]\ntls = \"ssl\"", "notify.mail.tls", "\"starttls\", \"tls\", \"none\""),
    ("[notify.mail]\nserver = \"a.example\"\ntls = \"none\"", "notify.mail.tls", "this machine alone"),
    ("[notify.mail]\nserver = \"a.example\"\nuser = \"u\"", "notify.mail.password", "is missing"),
    ("[notify.mail]\nserver = \"a.example\"\npassword = \"p\"", "notify.mail.user", "without a user"),
    ("[demo]", "demo.seed", "missing"),
    ("[demo]\nstudents = 0\nseed = 1\nsandbox_state = \"s\"", "demo.students", "from 1"),
    ("exam = {", "", "this is not TOML"),
    ("[exam]\npage_size = 1\npage_size = 2", "", "duplicate"),
];

#[test]
fn every_mistake_is_explained_under_its_key() {
    for (toml, key, words) in MISTAKES {
        let found = problems(toml);
        let explained = found.iter().any(|problem| {
            problem.key == *key
                && problem.message.contains(words)
                && matches!(problem.origin, Origin::File(_) | Origin::Unset)
        });
        assert!(explained, "{toml}\n-> {found:#?}");
    }
}

#[test]
fn a_mistake_names_the_file_or_the_variable_it_stands_in() {
    let written = Written::new("[exam]\npage_size = 0\n");
    let found =
        written.load(&[("ROSTERD__EXAM__BATCH_SIZE", "0"), ("ROSTERD__EXAM__TIMEOT", "5s")]).unwrap_err();
    let named: Vec<(&str, String)> =
        found.iter().map(|problem| (problem.key.as_str(), problem.origin.to_string())).collect();
    let file = written.folder.path().join("config.toml").display().to_string();
    assert_eq!(
        named,
        [
            ("exam.batch_size", "environment variable ROSTERD__EXAM__BATCH_SIZE".to_owned()),
            ("exam.code", "not set".to_owned()),
            ("exam.page_size", file),
            ("exam.timeot", "environment variable ROSTERD__EXAM__TIMEOT".to_owned()),
        ]
    );
    assert!(found[3].message.contains("did you mean `ROSTERD__EXAM__TIMEOUT`?"));
}

#[test]
fn all_problems_are_reported_at_once_one_a_line() {
    let written =
        Written::new("[exam]\npage_size = 0\nleavers = \"x\"\nnonsense = 1\n[retry]\nmax_delay = \"x\"\n");
    let environment = variables(&[("ROSTERD__SYNC__MODE", "all"), ("ROSTERD__NONSENSE", "1")]);
    let error = Settings::load(&written.source(), environment.into_iter()).unwrap_err();
    let keys: Vec<&str> = error.problems.iter().map(|problem| problem.key.as_str()).collect();
    let expected = [
        "exam.code",
        "exam.leavers",
        "exam.nonsense",
        "exam.page_size",
        "nonsense",
        "retry.max_delay",
        "sync.mode",
    ];
    assert_eq!(keys, expected);
    assert_eq!(error.to_string().lines().count(), expected.len());
    assert_eq!(rosterd::AppError::from(error).exit().code(), 78);
}

#[test]
fn problems_of_the_environment_are_reported_beside_a_broken_file() {
    let found = Written::new("[exam").load(&[("ROSTERD__SYNC__MODE", "all")]).unwrap_err();
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_missing_file_is_a_problem_only_if_it_was_asked_for() {
    let source = ConfigSource::File(PathBuf::from("/nowhere/config.toml"));
    let error = Settings::load(&source, std::iter::empty()).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/config.toml: this configuration file cannot be read"));
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    assert_eq!(load("\u{feff}[sync]\nmode = \"sync\"\n").mode, Mode::Sync);
}

#[test]
fn the_debug_text_of_settings_reveals_no_secret() {
    let settings = built_in(&[
        ("ROSTERD__EXAM__CODE", "recognisable-code"),
        ("ROSTERD__CLASSIN__SECRET", "recognisable-secret"),
    ])
    .unwrap();
    let text = format!("{settings:#?}");
    assert!(!text.contains("recognisable"), "{text}");
    assert_eq!(text.matches("REDACTED").count(), 2);
}

#[test]
fn no_problem_repeats_a_secret() {
    for toml in [
        "[exam]\ncode = recognisable\n",
        "[exam]\ncode = \"recognisable\n",
        "[exam]\ncode = \"recognisable\" \"recognisable\"\n",
        "[exam]\ncode = [\"recognisable\"]\n",
        "[exam]\ncode = { recognisable = \"recognisable\" }\n",
        "[exam]\ncode = \"recognisable\"\ncode_file = \"recognisable\"\n",
        "[exam]\ncode_file = \"recognisable\"\n",
        "[exam]\ncodes = \"recognisable\"\n",
        "[exam]\ncode = 'recognisable\n\n'recognisable'\n",
        "[exam]\ncode = \"\"\"\nrecognisable\nrecognisable\n",
        "[classin]\nsecret = \"recognisable\\q\"\n",
        "[exam]\nbase_url = \"http://me:recognisable@example.org\"\n",
    ] {
        let found = problems(toml);
        assert!(!format!("{found:?}").contains("recognisable"), "{toml}\n-> {found:#?}");
    }
}

#[test]
fn a_mistake_names_its_line_of_the_file() {
    let written = Written::new(
        "[exam]\n\npage_size = 0\nnonsense = 1\n[schedule]\ncron = \"x\"\n[exam.fields]\nname = \"\"\n",
    );
    let found = written.load(&[]).unwrap_err();
    let lines: Vec<(&str, Option<usize>)> =
        found.iter().map(|problem| (problem.key.as_str(), problem.line)).collect();
    for expected in [
        ("exam.page_size", Some(3)),
        ("exam.nonsense", Some(4)),
        ("schedule.cron", Some(6)),
        ("exam.code", None),
    ] {
        assert!(lines.contains(&expected), "{expected:?} {lines:?}");
    }
    assert!(found.iter().any(|problem| problem.to_string().ends_with("config.toml, line 3)")), "{found:?}");
}

#[test]
fn a_profile_of_imports_says_how_files_are_read() {
    let settings = load(
        "[import.weekly]\nmap = { student_id = \"Nr\", name = \"First+Last\" }\nsheets = [\"7A\"]\nsheet_is = \"group\"\n\
         encoding = \"gbk\"\ndelimiter = \"tab\"\nbulk = true\n[import.other]\n\
         [import.bundle]\nkind = \"oneroster\"\nstudent_id = \"identifier\"\ngroups = [\"orgs\", \"grades\"]\n\
         roles = [\"student\", \"learner\"]\ndisabled = \"left\"\nkeep_ended = true\nmap = { phone = \"sms\" }\n",
    );
    let bundle = &settings.import["bundle"];
    assert_eq!(bundle.map, [("phone".to_owned(), "sms".to_owned())]);
    let said = format!("{:?}", bundle.bundle);
    for part in ["Some(Identifier)", "{Orgs, Grades}", "\"learner\"", "left: Some(true)", "ended: Some(true)"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let weekly = &settings.import["weekly"];
    assert_eq!(weekly.map[0], ("name".to_owned(), "First+Last".to_owned()));
    assert_eq!((weekly.sheets.len(), weekly.delimiter, weekly.bulk), (1, Some(b'\t'), true));
    assert_eq!(weekly.encoding.map(|encoding| encoding.name()), Some("gb18030"));
    assert!(!settings.import["other"].bulk);
    for (toml, part) in [
        ("[import.weekly]\nmapp = 1\n", "weekly: mapp is none of kind, map"),
        ("[import.weekly]\nencoding = \"klingon\"\n", "encoding: write"),
        ("[import]\nbulk = true\n", "bulk is no profile"),
        ("[import.weekly]\nmap = \"Nr\"\n", "map: write a table"),
        ("[import.weekly]\nstudent_id = \"identifier\"\n", "student_id is for kind = \"oneroster\" alone"),
        (
            "[import.weekly]\nkind = \"oneroster\"\nstudent_id = \"email\"\n",
            "student_id: write \"sourced-id\"",
        ),
        ("[import.weekly]\nkind = \"oneroster\"\ngroups = [\"homes\"]\n", "groups: write a list"),
    ] {
        let found = problems(toml);
        assert!(found.iter().any(|problem| problem.message.contains(part)), "{toml}: {found:?}");
    }
}
