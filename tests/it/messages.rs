//! What the program says: commands that work as they are pasted, one form for programs, and no word that is untrue.

use std::path::Path;

use crate::program::{BINARY, Programs as _, bare};
use rosterd_testkit::{Ended, Running, School, ended, jsonl};

async fn small() -> School {
    let school = School::of_both().await;
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.group_of_all().await;
    school
}

fn json(ended: &Ended) -> serde_json::Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:#?}"))
}

/// The command after this one in a text, as a shell takes it: up to the end of the line.
fn pasted<'a>(text: &'a str, command: &str) -> &'a str {
    let from = text.find(command).unwrap_or_else(|| panic!("no {command} in {text}"));
    text[from..].lines().next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_a_message_names_works_as_it_is_pasted() {
    let mut school = small().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("GUARD__MAX_DELETE", "0");
    school.leave("s000", "c1").await;
    let folder = school.path("");
    let named = folder.join("my school's.toml");
    std::fs::rename(school.config(), &named).unwrap();
    let command = |arguments: &[&str]| {
        let mut command = bare(&[&["--config", named.to_str().unwrap()][..], arguments].concat());
        command.envs(school.variables());
        ended(command)
    };
    let run = command(&["--sync-now"]);
    assert_eq!(run.code, 4, "{run:#?}");
    let line = pasted(&run.stdout, "rosterd --config ");
    let mut shell = std::process::Command::new("/bin/sh");
    let bin = Path::new(BINARY).parent().unwrap();
    shell.env_clear().envs(school.variables()).env("PATH", bin).current_dir("/").args(["-c", line]);
    let approved = ended(shell);
    assert_eq!(approved.code, 0, "{line}: {approved:#?}");
    assert!(
        json(&command(&["status", "--output", "json"]))["holds"][0]["approve"]
            .as_str()
            .unwrap()
            .contains("--config")
    );
    assert_eq!(command(&["--sync-now"]).code, 0);
    school.program_ended(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_fails_says_so_in_json_too() {
    let school = small().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let table: [(&[&str], i32); 9] = [
        (&["runs", "99"], 1),
        (&["explain", "nobody"], 1),
        (&["approve", "nonsense"], 1),
        (&["forget", "nobody"], 1),
        (&["claim", "s000", "nowhere"], 1),
        (&["relink", "nobody", "somebody"], 1),
        (&["import", "csv", "/nowhere/students.csv"], 1),
        (&["export", "links", "--to", "/nowhere/links.csv"], 1),
        (&["--config", "/nowhere.toml", "status"], 78),
    ];
    for (arguments, code) in table {
        let formats = ["--output", "json", "--log-format", "json"];
        let arguments = [arguments, &formats[..]].concat();
        let ended = match arguments.first() {
            Some(&"--config") => ended(bare(&arguments)),
            _ => school.program(&arguments),
        };
        assert_ne!(ended.code, 0, "{arguments:?} {ended:#?}");
        let said = json(&ended);
        assert_eq!(said["exit_code"], ended.code, "{arguments:?} {said}");
        if code == 78 {
            assert_eq!(ended.code, code, "{ended:#?}");
        }
        let error = said["error"].as_str().unwrap();
        let said = jsonl(&ended.stderr).into_iter().filter(|line| line["message"] == error).count();
        assert_eq!(said, 1, "{arguments:?} {ended:#?}");
    }
}

#[test]
fn wrong_usage_has_the_form_that_the_log_has() {
    for (arguments, variable) in [
        (&["--log-format", "json", "frobnicate"][..], None),
        (&["frobnicate"], Some(("ROSTERD_LOG_FORMAT", "json"))),
        (&["--log-format", "json", "status"], Some(("ROSTERD_LOG", "inof"))),
    ] {
        let mut command = bare(arguments);
        command.envs(variable);
        let ended = ended(command);
        assert_eq!(ended.code, 64, "{ended:#?}");
        assert_eq!(jsonl(&ended.stderr).len(), 1, "{ended:#?}");
    }
}

#[test]
fn wrong_usage_is_a_document_too_where_json_is_wanted() {
    for arguments in [
        &["frobnicate", "--output", "json"][..],
        &["--output=json", "failures", "retry"],
        &["man", "nonsense", "--output", "json"],
    ] {
        let ended = ended(bare(arguments));
        assert_eq!((ended.code, json(&ended)["exit_code"].as_i64()), (64, Some(64)), "{ended:#?}");
        assert!(!json(&ended)["error"].as_str().unwrap().is_empty());
    }
    assert!(ended(bare(&["frobnicate"])).stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_variable_counts_as_none() {
    let school = small().await;
    let mut command = school.command(&["check", "--offline"]);
    command.envs([("ROSTERD_CONFIG", ""), ("ROSTERD_LOG", ""), ("ROSTERD_LOG_FORMAT", "")]);
    assert_eq!(ended(command).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_color_leaves_every_text_without_colours() {
    let school = small().await;
    let forced = |arguments: &[&str]| {
        let mut command = school.command(arguments);
        command.env("CLICOLOR_FORCE", "1");
        ended(command).stdout
    };
    assert!(forced(&["--sync-now"]).contains('\u{1b}'));
    assert!(!forced(&["--sync-now", "--no-color"]).contains('\u{1b}'));
    assert!(!forced(&["runs", "1", "--no-color"]).contains('\u{1b}'));
    school.program_ended(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_says_by_its_exit_code_whether_there_are_changes_as_a_plan_does() {
    let school = small().await;
    let dry = &["--sync-now", "-n", "--detailed-exitcode"];
    assert_eq!(school.program(dry).code, school.program(&["plan", "--detailed-exitcode"]).code);
    assert_eq!(school.program(dry).code, 2);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.program(dry).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_both_services_off_there_is_nothing_to_do_and_that_is_a_wrong_configuration() {
    let mut school = small().await;
    school.setting("EXAM__ENABLED", "false");
    school.setting("CLASSIN__ENABLED", "false");
    for arguments in
        [&["check", "--offline"][..], &["check", "--config-only"], &["plan"], &["--sync-now"], &[]]
    {
        let ended = school.program(arguments);
        assert_eq!(ended.code, 78, "{arguments:?} {ended:#?}");
        let said = format!("{}{}", ended.flowing(), ended.stderr);
        assert!(said.contains("exam.enabled = true") && said.contains("classin.enabled = true"), "{said}");
    }
    assert_eq!(school.program(&["export", "roster"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_secrets_are_reported_with_all_the_rest() {
    let mut school = small().await;
    school.setting("SYNC__MODE", "full");
    school.setting("EXAM__CODE", "");
    school.setting("CLASSIN__SECRET", "");
    let said = school.program(&["check", "--config-only"]).flowing();
    for key in ["sync.mode", "exam.code", "classin.secret"] {
        assert!(said.contains(key), "{key}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_read_nothing_does_not_say_that_all_is_in_step() {
    let mut school = small().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("GUARD__MIN_ROSTER", "100");
    let ended = school.program(&["--sync-now"]);
    assert_eq!(ended.code, 1, "{ended:#?}");
    assert_eq!(ended.stdout.matches("not read").count(), 2, "{ended:#?}");
    assert!(!ended.stdout.contains("in step") && !ended.stdout.contains("0 students"), "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_a_plan_names_its_kind_once_and_counts_one_as_one() {
    let school = School::of_both().await;
    school.class("c1").await;
    school.fill("c1", 1).await;
    school.group_of_all().await;
    let plan = school.program(&["plan"]).stdout;
    for doubled in ["add: add", "enrol: enrol", "create: create", "1 students"] {
        assert!(!plan.contains(doubled), "{plan}");
    }
    assert!(plan.contains("+ s000  add") && plan.contains("1 student, "), "{plan}");
    let run = school.program(&["--sync-now"]).stdout;
    assert!(run.contains("1 student, ") && run.contains("2 changes made"), "{run}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_names_the_rows_of_the_roster_that_cannot_be_used() {
    let school = small().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school
        .sql(
            "UPDATE students SET name = '' WHERE student_id = 's000'; \
             UPDATE students SET login = (SELECT login FROM students WHERE student_id = 's001') WHERE student_id = 's002'; \
             INSERT INTO group_members VALUES ('ghost', 'g1')",
        )
        .await;
    let ended = school.program(&["check", "--offline"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    for said in ["3 active students, and 3 rows", "students s000", "student s001 has the same", "ghost"] {
        assert!(ended.flowing().contains(said), "{said}: {}", ended.stdout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forget_says_which_account_the_next_run_takes() {
    let school = small().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let said = school.program(&["forget", "s000"]).stdout;
    assert!(
        said.contains("classin_uid on the roster names") && !said.contains("enter classin_uid"),
        "{said}"
    );
}

/// The lines between the fences of this language in a section of the README.
fn recipe(section: &str, language: &str) -> String {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let from = readme.find(section).unwrap();
    let fence = format!("```{language}\n");
    let from = from + readme[from..].find(&fence).unwrap() + fence.len();
    let text = &readme[from..from + readme[from..].find("```").unwrap()];
    text.lines().map(|line| format!("{}\n", line.trim_start())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rehearsal_of_the_readme_works_as_it_is_typed() {
    let school = small().await;
    school.sql("UPDATE groups SET gid = NULL; UPDATE classes SET course_id = NULL, class_id = NULL").await;
    school.sql("UPDATE students SET phone = '1390000' || substr(student_id, 2), classin_uid = NULL").await;
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let typed = pasted(&readme, "rosterd sandbox --listen").split('`').next().unwrap();
    let folder = school.path("");
    std::fs::copy(school.path("roster.db"), school.path("copy-of-roster.db")).unwrap();
    let typed: Vec<&str> = typed.split_whitespace().skip(1).collect();
    let typed: Vec<&str> =
        typed.into_iter().map(|word| if word == "127.0.0.1:8481" { "127.0.0.1:0" } else { word }).collect();
    let mut sandbox = bare(&typed);
    sandbox.current_dir(&folder);
    let mut sandbox = Running::new(sandbox);
    let line = sandbox.hear("serving both services");
    for said in ["login_field = \"phone\"", "exam code xxx", "SID 2339736", "secret topsecret"] {
        assert!(line.contains(said), "{said}: {line}");
    }
    let address =
        line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches('/');
    let configuration = recipe("**Rehearse:**", "toml").replace("http://127.0.0.1:8481", address);
    std::fs::write(folder.join("rehearsal.toml"), configuration).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = bare(&[&["--config", "rehearsal.toml"][..], arguments].concat());
        command
            .current_dir(&folder)
            .envs([("ROSTERD__EXAM__CODE", "xxx"), ("ROSTERD__CLASSIN__SECRET", "topsecret")]);
        ended(command)
    };
    for arguments in [&["check"][..], &["--sync-now"], &["--sync-now"], &["status", "--check"]] {
        let ended = run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?} {ended:#?}");
    }
    sandbox.signal("TERM");
    assert_eq!(sandbox.end().code, 0);
}
