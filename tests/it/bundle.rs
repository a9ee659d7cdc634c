//! `check --bundle`: what a support mail needs in one text, with nothing of a person and no secret in it.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rosterd_testkit::School;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

use crate::program::Programs as _;

const CODE: &str = "ExamCodeQQ77";
const SECRET: &str = "ClassinSecretZZ88";

/// Columns that hold words of ours, which are told. Marked all the same by the second look, when nothing is told of them.
const WORDS_OF_OURS: [&str; 18] = [
    "trigger",
    "mode",
    "outcome",
    "service",
    "kind",
    "state",
    "code",
    "reason",
    "call",
    "evidence",
    "origin",
    "table_name",
    "name",
    "target",
    "limit_word",
    "operation",
    "word",
    "contact_form",
];

/// Columns whose numbers are counts, moments or positions, which are told as such.
fn is_figure(column: &str) -> bool {
    let endings = [
        "_ms",
        "_run",
        "run_id",
        "attempts",
        "count",
        "_runs",
        "exit_code",
        "is_good",
        "is_standing",
        "is_named",
    ];
    endings.iter().any(|ending| column.ends_with(ending)) || column.starts_with("is_")
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

/// A school with something of everything: links, enrolments, failures, holds, runs.
async fn school() -> School {
    let school = School::with_credentials(CODE, SECRET).await;
    school.leaves_work_behind();
    school.class("c1").await;
    school.fill("c1", 12).await;
    school.group_of_all().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.set("refuse_item", "changeStuinfo:0,1");
    school.sql("UPDATE students SET name = name || 'x' WHERE student_id IN ('s000', 's001', 's002')").await;
    assert_eq!(school.program(&["--sync-now"]).code, 3);
    school.sql("UPDATE students SET name = name || 'y'").await;
    assert_eq!(school.program(&["--sync-now"]).code, 4);
    school
}

/// Writes a mark of its own into every column of every row as far as the schema lets it, and says what the marks are.
async fn mark(path: &Path, marks_words: bool) -> Vec<String> {
    let mut connection = open(path).await;
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT t.name, c.name, c.type FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations' ORDER BY t.name, c.cid",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut connection).await.unwrap();
    let mut marks = Vec::new();
    for (at, (table, column, kind)) in columns.iter().enumerate() {
        if !marks_words && (column == "report" || WORDS_OF_OURS.contains(&column.as_str())) {
            continue;
        }
        // Marks differ by the row as well, so that keys stay apart.
        let (mark, value) = match kind.as_str() {
            "INTEGER" | "REAL" if is_figure(column) => continue,
            "INTEGER" | "REAL" => (format!("7{at:03}0"), format!("7{at:03}0000 + ifnull(rowid_of, 0)")),
            "BLOB" => continue,
            _ => (format!("Mark{at:03}Z"), format!("'Mark{at:03}Z' || ifnull(rowid_of, 0)")),
        };
        // Tables without a rowid have one row alone marked.
        let by_row = value.replace("ifnull(rowid_of, 0)", "rowid");
        let alone = value.replace("ifnull(rowid_of, 0)", "1");
        let all = format!("UPDATE OR IGNORE \"{table}\" SET \"{column}\" = {by_row}");
        let one = format!("UPDATE OR IGNORE \"{table}\" SET \"{column}\" = {alone}");
        for statement in [all, one] {
            if let Ok(done) = sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await {
                if done.rows_affected() > 0 {
                    marks.push(mark);
                }
                break;
            }
        }
    }
    connection.close().await.unwrap();
    marks
}

fn bundle(school: &School, name: &str) -> String {
    let path = school.path(name);
    let ended = school.program(&["check", "--bundle", path.to_str().unwrap()]);
    assert!(ended.stdout.contains(path.to_str().unwrap()), "{ended:#?}");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::read_to_string(path).unwrap()
}

#[track_caller]
fn assert_none(text: &str, marks: &[String]) {
    for mark in marks {
        assert!(!text.contains(mark.as_str()), "{mark} stands in the bundle:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_tells_version_settings_looks_rows_runs_failures_and_holds() {
    let school = school().await;
    let text = bundle(&school, "bundle.txt");
    for told in [
        "== Program and machine ==\nrosterd: 0.",
        "sync.mode = sync",
        "exam.code: set",
        "classin.secret: set",
        "ok    roster: 12 active students, 0 rows unusable",
        "schema of the state: ",
        "links: 12",
        "enrolments: 12",
        "sync-now sync incomplete, ",
        "exit 4",
        "exam applied ",
        "exam refused waiting for ",
        "exam max-modify: 1",
        "== Situation ==\nheld, ",
    ] {
        assert!(text.contains(told), "{told}:\n{text}");
    }
    assert!(text.lines().all(|line| !line.contains("cannot be read")), "{text}");
    let secrets = [CODE, SECRET].map(str::to_owned);
    assert_none(&text, &secrets);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_of_any_column_of_roster_and_state_comes_into_a_bundle() {
    let mut school = school().await;
    for (name, value) in [
        ("NOTIFY__JSON_URL", "https://hooks.example.org/MarkHook"),
        ("NOTIFY__JSON_TOKEN", "MarkHookToken"),
        ("NOTIFY__TITLE", "MarkTitle"),
    ] {
        school.setting(name, value);
    }
    let given: Vec<String> = ["MarkHook", "MarkTitle", CODE, SECRET].map(str::to_owned).to_vec();
    let roster = mark(&school.path("roster.db"), true).await;
    let state = mark(&school.path("state.db"), false).await;
    assert!(roster.len() >= 12, "{roster:?}");
    assert!(state.len() >= 60, "{}: {state:?}", state.len());
    let text = bundle(&school, "bundle.txt");
    assert_none(&text, &roster);
    assert_none(&text, &state);
    assert_none(&text, &given);
    // Not because nothing could be told.
    for told in ["links: ", "exam refused waiting for ", "exam max-modify: ", "sync-now sync held, "] {
        assert!(text.contains(told), "{told}:\n{text}");
    }
    // Words of ours are told only where they are ours.
    let words = mark(&school.path("state.db"), true).await;
    assert!(words.len() > state.len(), "{} {}", words.len(), state.len());
    assert_none(&bundle(&school, "again.txt"), &[words, state, roster, given].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_is_written_over_nothing_and_through_no_link() {
    let school = school().await;
    let (kept, link, victim) = (school.path("kept.txt"), school.path("link.txt"), school.path("victim.txt"));
    std::fs::write(&kept, "kept").unwrap();
    symlink(&victim, &link).unwrap();
    for (path, why) in [
        (&kept, "is there already"),
        (&link, "is a link"),
        (&school.path("state.db"), "is there already"),
        (&school.path("none").join("b.txt"), "cannot be written"),
    ] {
        let ended = school.program(&["check", "--offline", "--bundle", path.to_str().unwrap()]);
        assert_eq!(ended.code, 1, "{ended:#?}");
        assert!(ended.stderr.contains(why), "{why}: {ended:#?}");
    }
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
    assert!(!victim.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_is_refused_gives_a_bundle_that_names_its_keys_alone() {
    let mut school = school().await;
    school.setting("SYNC__MODE", "MarkMode");
    let path = school.path("bundle.txt");
    let ended = school.program(&["check", "--bundle", path.to_str().unwrap(), "--output", "json"]);
    assert_eq!(ended.code, 78, "{ended:#?}");
    assert_eq!(ended.json()["bundle"], path.to_str().unwrap());
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("refused: sync.mode") && !text.contains("MarkMode"), "{text}");
}
