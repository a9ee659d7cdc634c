//! A watched folder: its files are imported by themselves, each once, whole, in order; what cannot be is refused aloud.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::Programs as _;
use rosterd::{Arrival, history_of};
use rosterd_testkit::{Ended, School};
use serde_json::Value;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// A school whose office puts files into a folder.
struct Office {
    school: School,
}

impl Office {
    async fn new() -> Self {
        Self::with("settle = \"0s\"\n").await
    }

    async fn with(keys: &str) -> Self {
        let mut school = School::of_both().await;
        school.setting("CLASSIN__ENABLED", "false");
        school.setting("SYNC__MODE", "observe");
        school.setting("GUARD__MIN_ROSTER", "0");
        let mut text = fs::read_to_string(school.config()).unwrap();
        text.push_str(&format!("\n[import.weekly]\nwatch = \"inbox\"\n{keys}"));
        fs::write(school.config(), text).unwrap();
        let office = Self { school };
        fs::create_dir(office.inbox()).unwrap();
        office
    }

    fn inbox(&self) -> PathBuf {
        self.school.path("inbox")
    }

    /// As an office does it: under another name first.
    fn put(&self, name: &str, text: &str) -> PathBuf {
        let part = self.inbox().join(format!("{name}.part"));
        fs::write(&part, text).unwrap();
        let path = self.inbox().join(name);
        fs::rename(&part, &path).unwrap();
        path
    }

    fn sync(&self) -> Ended {
        self.school.program(&["--sync-now", "--output", "json"])
    }

    async fn names(&self) -> String {
        let options = SqliteConnectOptions::new().filename(self.school.path("roster.db"));
        let mut roster = options.connect().await.unwrap();
        let query = "SELECT COALESCE(GROUP_CONCAT(name, '|'), '') FROM (SELECT name FROM students ORDER BY student_id)";
        sqlx::query_scalar(query).fetch_one(&mut roster).await.unwrap()
    }

    async fn imports(&self) -> i64 {
        let options = SqliteConnectOptions::new().filename(history_of(&self.school.path("roster.db")));
        let mut history = options.connect().await.unwrap();
        sqlx::query_scalar("SELECT COUNT(*) FROM imports").fetch_one(&mut history).await.unwrap()
    }

    fn attention(&self) -> Value {
        self.school.program(&["status", "--output", "json"]).json()["attention"].clone()
    }
}

/// Names in a folder without the moment before them, reports apart.
fn kept(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter(|name| !name.ends_with(".report.txt"))
        .map(|name| name.split_once('-').map_or(name.clone(), |(_, own)| own.to_owned()))
        .collect();
    names.sort();
    names
}

fn report(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let found = entries.filter(|path| path.to_string_lossy().ends_with(".report.txt")).max().unwrap();
    fs::read_to_string(found).unwrap()
}

fn imports_of(ended: &Ended) -> Vec<(String, String)> {
    let report = ended.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let imports = report["imports"].as_array().cloned().unwrap_or_default();
    imports.iter().map(|file| (text(&file["file"]), text(&file["outcome"]))).collect()
}

fn said(file: &str, outcome: &str) -> (String, String) {
    (file.to_owned(), outcome.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_a_watched_folder_is_imported_before_the_run_and_kept_with_its_report() {
    let office = Office::new().await;
    let path = office.put("list.csv", "student_id,name\nS1,One\nS2,Two\n");
    let ended = office.sync();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(imports_of(&ended), [said("list.csv", "imported")]);
    assert!(ended.stderr.contains("list.csv: imported: students: 2 added"), "{}", ended.stderr);
    assert_eq!(office.names().await, "One|Two");
    assert!(!path.exists());
    let imported = office.inbox().join("imported");
    assert_eq!(kept(&imported), ["list.csv"]);
    assert!(report(&imported).contains("2 added"));
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&imported).unwrap());
    assert_eq!(mode & 0o777, 0o700, "what is kept is for the service alone");
    assert_eq!(kept(&office.inbox().join(".taking")), Vec::<String>::new());
    // The next run has nothing to take, and the same list again changes nothing.
    assert_eq!(imports_of(&office.sync()), []);
    office.put("list.csv", "student_id,name\nS1,One\nS2,Two\n");
    assert_eq!(imports_of(&office.sync()), [said("list.csv", "unchanged")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_put_there_once_more_is_imported_once_more() {
    let office = Office::new().await;
    for name in ["One", "Other", "One"] {
        office.put("list.csv", &format!("student_id,name\nS1,{name}\n"));
        assert_eq!(imports_of(&office.sync()), [said("list.csv", "imported")], "{name}");
        assert_eq!(office.names().await, name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_imported_is_refused_aloud_and_stays_attention_until_somebody_removes_it() {
    let office = Office::new().await;
    office.put("list.csv", "student_id,name\nS1,One\n,Wang Xiaoming\n");
    let ended = office.sync();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert_eq!(imports_of(&ended), [said("list.csv", "refused")]);
    let errors = ended.json()["errors"].to_string();
    assert!(errors.contains("list.csv: refused: 1 bad row, the first at list.csv, line 3"), "{errors}");
    assert!(!ended.stdout.contains("Xiaoming") && !ended.stderr.contains("Xiaoming"));
    assert_eq!(office.names().await, "");
    let refused = office.inbox().join("refused");
    assert_eq!(kept(&refused), ["list.csv"]);
    let report = report(&refused);
    assert!(report.starts_with("refused: 1 bad row") && report.contains("missing-id"), "{report}");
    let waiting = ended.json()["attention"]["refused-files"].clone();
    assert_eq!(
        (waiting["count"].as_u64(), waiting["owner"].as_str()),
        (Some(1), Some("office")),
        "{waiting}"
    );
    // It counts in the run that finds it, and is attention afterwards, of runs too.
    let ended = office.sync();
    assert_eq!(ended.code, 0);
    assert_eq!(ended.json()["attention"]["refused-files"]["count"].as_u64(), Some(1), "{ended:?}");
    let attention = office.attention();
    let what = attention["refused-files"]["what"].as_str().unwrap();
    assert!(what.contains("1 roster file was refused") && what.contains("1 bad row"), "{what}");
    assert_eq!(attention["refused-files"]["owner"], "office");
    assert_eq!(office.school.program(&["status", "--check", "--attention"]).code, 3);
    for entry in fs::read_dir(&refused).unwrap().flatten() {
        fs::remove_file(entry.path()).unwrap();
    }
    assert_eq!(office.attention(), Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_in_the_report_of_a_refused_file_names_the_configuration_and_where_the_file_lies() {
    let office = Office::new().await;
    office.put("junk.csv", "colour,shape\nred,round\n");
    let _refused = office.sync();
    let refused = office.inbox().join("refused");
    let said = report(&refused);
    let typed = said.split("rosterd ").nth(1).unwrap_or_default();
    assert!(typed.starts_with("--config "), "{said}");
    let path = typed.split("import csv ").nth(1).unwrap().split(" --map").next().unwrap();
    assert!(Path::new(path.trim_matches('\'')).is_file(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_that_would_go_is_refused_with_figures_and_the_roster_stays() {
    let office = Office::with("settle = \"0s\"\nbulk = true\n").await;
    let line = |id: usize| format!("S{id},Name{id}\n");
    let all: String = (0..40).map(line).collect();
    office.put("list.csv", &format!("student_id,name\n{all}"));
    assert_eq!(imports_of(&office.sync()), [said("list.csv", "imported")]);
    office.put("list.csv", "student_id,name\nS1,Name1\n");
    let ended = office.sync();
    assert_eq!(imports_of(&ended), [said("list.csv", "refused")]);
    assert!(ended.stderr.contains("39 of 40 students would be marked as having left"), "{}", ended.stderr);
    assert!(report(&office.inbox().join("refused")).contains("--allow-shrink"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_changed_a_moment_ago_waits_and_so_do_those_after_it() {
    let office = Office::with("settle = \"1h\"\n").await;
    let path = office.put("list.csv", "student_id,name\nS1,One\n");
    let ended = office.sync();
    assert_eq!((ended.code, imports_of(&ended)), (0, vec![said("list.csv", "waiting")]));
    assert!(ended.stderr.contains("not imported yet: it was changed a moment ago"), "{}", ended.stderr);
    assert!(path.exists() && office.names().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_imported_in_the_order_in_which_they_were_written() {
    let office = Office::new().await;
    for (file, name, seconds) in [("a.csv", "Newer", 2000), ("b.csv", "Older", 1000)] {
        let path = office.put(file, &format!("student_id,name\nS1,{name}\n"));
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        fs::File::options().append(true).open(path).unwrap().set_modified(at).unwrap();
    }
    assert_eq!(imports_of(&office.sync()), [said("b.csv", "imported"), said("a.csv", "imported")]);
    assert_eq!(office.names().await, "Newer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_named_after_tables_are_one_import() {
    let office = Office::new().await;
    office.put("group_members.csv", "student_id,group_code\nS1,G1\n");
    office.put("groups.csv", "group_code,title\nG1,Year 7\n");
    office.put("students.csv", "student_id,name\nS1,One\n");
    let ended = office.sync();
    let outcomes: Vec<String> = imports_of(&ended).into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, ["imported"; 3], "{ended:?}");
    assert_eq!(office.imports().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_folders_and_what_nothing_reads_stay_where_they_are_and_are_named() {
    let office = Office::new().await;
    let elsewhere = office.school.path("elsewhere.csv");
    fs::write(&elsewhere, "student_id,name\nS9,Nine\n").unwrap();
    std::os::unix::fs::symlink(&elsewhere, office.inbox().join("link.csv")).unwrap();
    fs::write(office.inbox().join("notes.pdf"), "x").unwrap();
    fs::write(office.inbox().join("empty.csv"), "").unwrap();
    fs::write(office.inbox().join("half.csv.part"), "student_id,na").unwrap();
    office.put("list.csv", "student_id,name\nS1,One\n");
    assert_eq!(imports_of(&office.sync()), [said("list.csv", "imported")]);
    assert_eq!(office.names().await, "One");
    let attention = office.attention();
    let what = attention["watched-folders"]["what"].as_str().unwrap();
    for named in ["empty.csv is empty", "link.csv is a link", "notes.pdf is left alone"] {
        assert!(what.contains(named), "{what}");
    }
    assert!(!what.contains("half.csv"), "{what}");
    assert!(elsewhere.exists() && office.inbox().join("half.csv.part").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_folder_that_is_not_there_is_named_and_the_run_goes_on() {
    let office = Office::new().await;
    fs::remove_dir(office.inbox()).unwrap();
    let ended = office.sync();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("is not there: create it"), "{}", ended.stderr);
    assert!(!office.inbox().exists());
    let what = office.attention()["watched-folders"]["what"].to_string();
    assert!(what.contains("is not there: create it, or mend watch"), "{what}");
    let check = office.school.program(&["check", "--offline"]);
    assert!(check.stdout.contains("is not there: create it"), "{check:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_import_was_killed_before_it_was_kept_is_not_imported_again() {
    let office = Office::new().await;
    // As a kill right after the import leaves it: taken, imported with its mark, a copy beside it.
    let taking = office.inbox().join(".taking");
    fs::create_dir(&taking).unwrap();
    let taken = taking.join("20270104T081500.000000Z-list.csv.taken");
    fs::write(&taken, "student_id,name\nS1,One\n").unwrap();
    let copy = taking.join("list.csv");
    fs::copy(&taken, &copy).unwrap();
    let marks = vec![Arrival::of(&taken).unwrap().mark()];
    let database = office.school.path("roster.db");
    let request = super::ImportRequest::new(super::ImportKind::Csv, vec![copy], database);
    drop(super::import(&super::ImportRequest { marks, ..request }).await.unwrap());
    // Somebody has mended the roster by hand since.
    office.school.sql("UPDATE students SET name = 'Mended'").await;
    let ended = office.sync();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!((office.names().await.as_str(), office.imports().await), ("Mended", 1));
    let imported = office.inbox().join("imported");
    assert_eq!(kept(&imported), ["list.csv"]);
    assert!(report(&imported).contains("stopped before it could write the report"));
    assert_eq!(kept(&taking), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_only_taken_when_the_program_was_killed_is_imported_first() {
    let office = Office::new().await;
    let taking = office.inbox().join(".taking");
    fs::create_dir(&taking).unwrap();
    fs::write(taking.join("20270104T081500.000000Z-a.csv.taken"), "student_id,name\nS1,First\n").unwrap();
    fs::write(taking.join("a.csv"), "student_id,na").unwrap();
    office.put("b.csv", "student_id,name\nS1,Second\n");
    assert_eq!(imports_of(&office.sync()), [said("a.csv", "imported"), said("b.csv", "imported")]);
    assert_eq!(office.names().await, "Second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_kept_when_the_program_was_killed_is_only_finished() {
    let office = Office::new().await;
    office.put("a.csv", "student_id,name\nS1,First\n");
    let _ended = office.sync();
    let taking = office.inbox().join(".taking");
    let imported = office.inbox().join("imported");
    let entries = fs::read_dir(&imported).unwrap().flatten().map(|entry| entry.path());
    let place = entries.filter(|path| path.extension().is_some_and(|ending| ending == "csv")).max().unwrap();
    let name = place.file_name().unwrap().to_str().unwrap();
    fs::copy(&place, taking.join(format!("{name}.taken"))).unwrap();
    assert_eq!(imports_of(&office.sync()), []);
    assert_eq!((kept(&taking), kept(&imported)), (vec![], vec!["a.csv".to_owned()]));
    assert_eq!(office.imports().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_that_cannot_be_written_keeps_the_file_waiting_and_in_its_place() {
    let office = Office::new().await;
    office.put("a.csv", "student_id,name\nS1,First\n");
    let history = history_of(&office.school.path("roster.db"));
    fs::write(
        &history,
        "this is no database at all, and longer than a header of one would be: a hundred bytes and more",
    )
    .unwrap();
    let ended = office.sync();
    assert_eq!(imports_of(&ended), [said("a.csv", "waiting")]);
    assert!(ended.stderr.contains("mend its rights, or remove it"), "{}", ended.stderr);
    office.put("b.csv", "student_id,name\nS1,Second\n");
    fs::remove_file(&history).unwrap();
    assert_eq!(imports_of(&office.sync()), [said("a.csv", "imported"), said("b.csv", "imported")]);
    assert_eq!(office.names().await, "Second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_takes_files_by_itself_and_tells_them_in_its_log() {
    let mut office = Office::new().await;
    office.school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    let mut daemon = office.school.start(&[]);
    let _line = daemon.hear("the daemon is ready");
    office.put("list.csv", "student_id,name\nS1,One\n");
    let line = daemon.hear("list.csv: imported");
    assert!(line.contains("students: 1 added"), "{line}");
    assert_eq!(office.names().await, "One");
    office.put("bad.csv", "student_id,name\n,Nobody\n");
    let line = daemon.hear("bad.csv: refused");
    assert!(line.contains("ERROR") && !line.contains("Nobody"), "{line}");
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_folder_holds_nothing_of_ours_and_belongs_to_one_profile() {
    for (keys, named) in [
        ("[import.weekly]\nwatch = \".\"\n", "give the files to import one of their own"),
        ("[import.a]\nwatch = \"in\"\n[import.b]\nwatch = \"in/below\"\n", "a watches this folder too"),
        ("[import.a]\nsettle = \"1m\"\n", "give watch too"),
        ("[import.a]\nkeep = \"720h\"\n", "keep: it is for a watched folder: give watch too"),
        ("[import.a]\nwatch = \"in\"\nkind = \"clever\"\nbulk = true\n", "for kind = \\\"csv\\\" alone"),
    ] {
        let school = School::of_both().await;
        let text = fs::read_to_string(school.config()).unwrap();
        fs::write(school.config(), format!("{text}\n{keys}")).unwrap();
        let ended = school.program(&["check", "--config-only"]);
        assert_eq!(ended.code, 78, "{keys}: {ended:?}");
        let said = named.replace("\\\"", "\"");
        assert!(format!("{}{}", ended.flowing(), ended.stderr).contains(&said), "{keys}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_older_than_its_greatest_age_is_attention_until_it_is_written_or_imported_again() {
    let mut office = Office::new().await;
    let roster = office.school.path("roster.db");
    let written = fs::metadata(&roster).unwrap().modified().unwrap();
    let day_before = written - std::time::Duration::from_secs(26 * 3600);
    fs::File::options().append(true).open(&roster).unwrap().set_modified(day_before).unwrap();
    assert_eq!(office.attention(), Value::Null, "without the key any age is taken");
    office.school.setting("ROSTER__MAX_AGE", "24h");
    let attention = office.attention();
    assert_eq!(
        (&attention["old-roster"]["count"], &attention["old-roster"]["owner"]),
        (&1.into(), &"it".into())
    );
    let what = attention["old-roster"]["what"].as_str().unwrap();
    assert!(what.contains("26 h ago, and roster.max_age is 24 h"), "{what}");
    office.put("list.csv", "student_id,name\nS1,One\n");
    let _ended = office.sync();
    assert!(office.attention().get("old-roster").is_none());
    // A list that changes nothing says that the roster is of today too.
    fs::File::options().append(true).open(&roster).unwrap().set_modified(day_before).unwrap();
    fs::File::options().append(true).open(history_of(&roster)).unwrap().set_modified(day_before).unwrap();
    assert!(office.attention().get("old-roster").is_some());
    office.put("list.csv", "student_id,name\nS1,One\n");
    assert_eq!(imports_of(&office.sync()), [said("list.csv", "unchanged")]);
    assert!(office.attention().get("old-roster").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_files_go_with_their_reports_when_their_time_is_over() {
    for (keys, week_old_stays) in [("", true), ("keep = \"100h\"\n", false)] {
        let office = Office::with(&format!("settle = \"0s\"\n{keys}")).await;
        office.put("list.csv", "student_id,name\nS1,One\n");
        let _ended = office.sync();
        let week_old = (rosterd::Clock::system().now() - jiff::SignedDuration::from_hours(168))
            .strftime("%Y%m%dT%H%M%S.000000Z");
        for folder in ["imported", "refused"] {
            for name in [
                "20200131T081500.000000Z-old.csv".to_owned(),
                format!("{week_old}-week.csv"),
                "notes.csv".to_owned(),
            ] {
                let path = office.inbox().join(folder).join(&name);
                fs::write(&path, "student_id,name\n").unwrap();
                fs::write(path.with_file_name(format!("{name}.report.txt")), "a report\n").unwrap();
            }
        }
        let ended = office.sync();
        assert!(ended.stderr.contains("were kept long enough and removed"), "{}", ended.stderr);
        let week = if week_old_stays { vec!["week.csv".to_owned()] } else { vec![] };
        let stay =
            |first: &[&str]| [first.iter().map(|name| (*name).to_owned()).collect(), week.clone()].concat();
        assert_eq!(kept(&office.inbox().join("imported")), stay(&["list.csv", "notes.csv"]), "{keys}");
        assert_eq!(kept(&office.inbox().join("refused")), stay(&["notes.csv"]), "{keys}");
        let reports = fs::read_dir(office.inbox().join("refused")).unwrap().flatten();
        let reports =
            reports.filter(|entry| entry.file_name().to_string_lossy().ends_with(".report.txt")).count();
        assert_eq!(reports, if week_old_stays { 2 } else { 1 }, "a report goes with its file");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_ends_with_3_for_a_refused_file_names_it_and_sends_nobody_to_an_empty_list() {
    let office = Office::new().await;
    let _in_step = office.sync();
    office.put("bad.csv", "student_id,name\n,Nobody\n");
    let ended = office.school.program(&["--sync-now"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stdout.contains("weekly: bad.csv refused: 1 bad row"), "{}", ended.stdout);
    assert!(ended.stdout.contains("a roster file was refused: its report says why"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("rosterd failures"), "{}", ended.stdout);
}
