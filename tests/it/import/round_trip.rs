//! What `export roster` writes, `import csv` takes without a change: any roster, as CSV and as a workbook.

use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use rosterd_core::roster::{normalise, normalise_key, without_zero_fraction};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Row, SqliteConnection};

/// Further columns that a school's table has, one of them named like a heading that is known.
const FURTHER: [&str; 4] = ["note", "home-town (now)", "年级", "Klasse"];

/// One student of a roster, as texts.
#[derive(Clone, Debug)]
struct Pupil {
    id: String,
    values: Vec<Option<String>>,
    is_active: bool,
    uid: Option<i64>,
    groups: Vec<usize>,
    classes: Vec<usize>,
}

/// Letters that somebody's name, note or code may have.
fn text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "=1+1",
        "=\"00123\"",
        "='x",
        "'",
        "''-Bea",
        "'-Bea",
        "-Bea",
        "+86 (138) 00",
        "@x",
        "＝1",
        "'t Hooft",
        "007",
        "0",
        "1.0",
        "00.10",
        "2026-03-02",
        "31.12.2009",
        "12/31/2009",
        "1,234",
        "\"",
        "\"quoted\"",
        "a;b",
        "a,b",
        "a\tb",
        "one\ntwo",
        "one\r\ntwo",
        "A  B",
        "O’Neill",
        "王小明",
        "Ünal",
        "Đặng",
        "𠮷田",
        "👩‍🎓",
        "null",
        "NULL",
        "true",
        "-5",
        "1e5",
        "sep=;",
        "Total",
        "合计",
        "_x000D_",
        "_x0041_",
        "<b>&amp;",
        "ﬁ",
        "Ａ１",
        "高一１班",
        "#1",
        "N/A",
        "班级",
    ])
    .prop_map(str::to_owned);
    prop_oneof![3 => odd, 2 => "[a-zA-Z0-9 .,;'\"=+@#_-]{1,12}", 1 => "\\PC{1,8}"]
}

fn pupil() -> impl Strategy<Value = Pupil> {
    // Ids that look like what a spreadsheet makes of others, and are not.
    let odd = [
        "1,000",
        "20,260,001",
        "TRUE",
        "wahr",
        "1.38E+10",
        "1.00E+05",
        "2026/3/2",
        "3-Mar",
        "7:02:00",
        "#N/A",
        "=x",
    ];
    let id = prop_oneof![
        3 => prop_oneof!["[A-Z]{0,2}[0-9]{1,8}", "[a-z0-9._@-]{1,10}", "学[0-9]{3}"],
        1 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
    ];
    // `1.0` is the student 1.
    let id = id.prop_filter("in normal form", |id| without_zero_fraction(&normalise_key(id)) == id);
    let phone =
        prop_oneof!["\\+86[0-9]{11}", "0[0-9]{6,10}", "1[0-9]{10}", "\\+1 \\([0-9]{3}\\) [0-9]{3}-[0-9]{4}"];
    let phone = prop::option::of(phone);
    let values = prop::collection::vec(prop::option::of(text()), 3 + FURTHER.len());
    let members = || prop::collection::vec(0_usize..3, 0..3);
    (id, text(), phone, values, any::<bool>(), prop::option::of(1_i64..1_000_000), members(), members())
        .prop_map(|(id, name, phone, mut values, is_active, uid, groups, classes)| {
            values[0] = Some(name);
            values[2] = phone;
            Pupil { id, values, is_active, uid, groups, classes }
        })
}

/// A value in the form in which an import keeps it.
fn kept(text: &str) -> String {
    // A letter that was lost is refused wherever it is.
    normalise(text).replace('\u{fffd}', "?")
}

async fn connect(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("roster.db")).create_if_missing(true);
    options.connect().await.unwrap()
}

async fn fill(folder: &Path, pupils: &[Pupil]) {
    let mut database = connect(folder).await;
    let further: String = FURTHER.iter().map(|name| format!(", \"{name}\" TEXT")).collect();
    let schema = format!(
        "CREATE TABLE students(student_id TEXT PRIMARY KEY, name TEXT NOT NULL, gender TEXT, phone TEXT, email TEXT,
             classin_uid INTEGER, active INTEGER{further});
         CREATE TABLE groups(group_code TEXT PRIMARY KEY, title TEXT NOT NULL, gid INTEGER);
         CREATE TABLE group_members(student_id TEXT, group_code TEXT, PRIMARY KEY(student_id, group_code));
         CREATE TABLE classes(class_code TEXT PRIMARY KEY, title TEXT NOT NULL, course_id INTEGER, class_id INTEGER);
         CREATE TABLE class_members(student_id TEXT, class_code TEXT, PRIMARY KEY(student_id, class_code));
         INSERT INTO groups VALUES ('G;1', 'One', NULL), ('=G2', 'Two', 12), ('高一1班', 'Three', 13);
         INSERT INTO classes VALUES ('C1', 'Algebra', NULL, NULL), ('C 2', 'Biology', 490001, 1300001), ('00C3', 'C', 490002, NULL);"
    );
    sqlx::raw_sql(AssertSqlSafe(schema)).execute(&mut database).await.unwrap();
    for pupil in pupils {
        let mut values = pupil.values.iter().map(|value| value.as_deref().map(kept));
        let insert = "INSERT OR IGNORE INTO students VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let mut query = sqlx::query(insert).bind(&pupil.id);
        query = query.bind(
            values.next().flatten().filter(|name| !name.is_empty()).unwrap_or_else(|| "Ann".to_owned()),
        );
        query = query
            .bind(values.next().flatten())
            .bind(values.next().flatten())
            .bind(pupil.is_active.then_some("a@example.org"));
        query = query.bind(pupil.uid).bind(if pupil.is_active { None } else { Some(0) });
        for value in values {
            query = query.bind(value);
        }
        query.execute(&mut database).await.unwrap();
        for (table, codes, all) in [
            ("group_members", &pupil.groups, ["G;1", "=G2", "高一1班"]),
            ("class_members", &pupil.classes, ["C1", "C 2", "00C3"]),
        ] {
            for code in codes {
                let insert = format!("INSERT OR IGNORE INTO {table} VALUES (?, ?)");
                let query = sqlx::query(AssertSqlSafe(insert)).bind(&pupil.id).bind(all[*code]);
                query.execute(&mut database).await.unwrap();
            }
        }
    }
}

/// Every row of the roster, in order.
async fn contents(folder: &Path) -> Vec<String> {
    let mut database = connect(folder).await;
    let mut lines = Vec::new();
    for table in ["students", "groups", "group_members", "classes", "class_members"] {
        let select = format!("SELECT * FROM {table} ORDER BY 1, 2");
        for row in sqlx::query(AssertSqlSafe(select)).fetch_all(&mut database).await.unwrap() {
            let cells = (0..row.len()).map(|at| row.try_get_unchecked::<Option<String>, _>(at).unwrap());
            lines.push(format!("{table} {:?}", cells.collect::<Vec<_>>()));
        }
    }
    lines
}

fn rosterd(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    command.current_dir(folder).args(["--config", "rosterd.toml"]).args(arguments).output().unwrap()
}

/// Exports and imports a roster; says what went wrong.
fn round_trip(pupils: &[Pupil], file: &str, bulk: bool) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let config = "[roster]\ndatabase = \"roster.db\"\n[state]\ndatabase = \"state.db\"\n";
    std::fs::write(path.join("rosterd.toml"), config).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fill(path, pupils));
    let before = runtime.block_on(contents(path));
    let exported = rosterd(path, &["export", "roster", "--to", file]);
    let mut arguments = vec!["import", "csv", file, "--output", "json"];
    if bulk && pupils.iter().any(|pupil| pupil.is_active) {
        arguments.push("--bulk");
    }
    let imported = rosterd(path, &arguments);
    let (said, problems) =
        (String::from_utf8_lossy(&imported.stdout), String::from_utf8_lossy(&imported.stderr));
    if !(exported.status.success() && imported.status.success()) {
        return Err(format!("{exported:?}\n{said}\n{problems}"));
    }
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    let after = runtime.block_on(contents(path));
    let changed: Vec<_> = before.iter().zip(&after).filter(|(was, is)| was != is).collect();
    if report["changed"] != false || before != after {
        return Err(format!("{changed:#?}\n{said}"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_roster_that_is_exported_is_imported_without_a_change(
        mut pupils in prop::collection::vec(pupil(), 1..12),
        is_workbook in any::<bool>(),
        bulk in any::<bool>(),
    ) {
        pupils.sort_by(|one, other| one.id.cmp(&other.id));
        pupils.dedup_by(|one, other| one.id == other.id);
        let file = if is_workbook { "roster.xlsx" } else { "roster.csv" };
        round_trip(&pupils, file, bulk).map_err(TestCaseError::fail)?;
    }
}
