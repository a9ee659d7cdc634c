//! The roster as schools really have it: other schemas, wrong types, other programs that write meanwhile.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rosterd::Exit;
use rosterd::RosterQueries;
use rosterd::{RosterDatabase, RosterError, RosterRow};
use rosterd_core::roster::StudentId;
use rosterd_testkit::School;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

const OUR_TABLES: &str = include_str!("../../migrations/roster/0001_create_roster.sql");

/// A roster made by these statements.
struct Made {
    _folder: TempDir,
    path: PathBuf,
}

async fn made(statements: &str) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roster.db");
    let mut connection = writer(&path).await;
    run(&mut connection, statements).await;
    connection.close().await.unwrap();
    Made { _folder: folder, path }
}

async fn writer(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.busy_timeout(Duration::ZERO).connect().await.unwrap()
}

async fn run(connection: &mut SqliteConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await.unwrap();
}

impl Made {
    /// Where our own database would be.
    fn state(&self) -> PathBuf {
        self.path.with_file_name("state.db")
    }

    async fn open(&self) -> RosterDatabase {
        self.open_with(&RosterQueries::default()).await.unwrap()
    }

    async fn open_with(&self, queries: &RosterQueries) -> Result<RosterDatabase, RosterError> {
        RosterDatabase::open(&self.path, queries, &["name".to_owned(), "phone".to_owned()], &self.state())
            .await
    }
}

async fn rows(database: &RosterDatabase) -> Vec<RosterRow> {
    let mut snapshot = database.snapshot().await.unwrap();
    let mut students = snapshot.students().await.unwrap();
    let mut rows = Vec::new();
    while let Some(row) = students.next().await.unwrap() {
        rows.push(row);
    }
    drop(students);
    snapshot.close().await.unwrap();
    rows
}

fn ids(rows: &[RosterRow]) -> Vec<&str> {
    rows.iter().map(|row| row.student.id.as_str()).collect()
}

fn groups(row: &RosterRow) -> Vec<&str> {
    row.student.groups.iter().map(|code| code.as_str()).collect()
}

/// A school's own tables, with numbers as ids, in no order.
const OWN: &str = "CREATE TABLE pupil (no INTEGER, surname TEXT, tel TEXT, left_on TEXT, uid INTEGER); \
     INSERT INTO pupil VALUES (10, 'Ten', '1', NULL, 110), (9, 'Nine', '2', NULL, NULL), (100, 'Hundred', NULL, '2026', 1100); \
     CREATE TABLE form (key INTEGER, label TEXT, remote INTEGER); INSERT INTO form VALUES (2, 'Two', 22), (1, 'One', 11); \
     CREATE TABLE in_form (pupil INTEGER, form INTEGER); INSERT INTO in_form VALUES (10, 2), (10, 1), (9, 1), (77, 1), (9, 5); \
     CREATE TABLE lesson (key INTEGER, label TEXT, course INTEGER, class INTEGER); INSERT INTO lesson VALUES (5, 'L', 500, 501); \
     CREATE TABLE in_lesson (pupil INTEGER, lesson INTEGER); INSERT INTO in_lesson VALUES (10, 5), (9, 5), (100, 5);";

fn own_queries(number: &str) -> RosterQueries {
    let query = |text: &str| Some(text.replace("NUMBER", number));
    RosterQueries {
        students: query(
            "SELECT NUMBER(no) AS student_id, surname AS name, tel AS phone, uid AS classin_uid, \
             left_on IS NULL AS active FROM pupil -- those of this year",
        ),
        groups: query("SELECT NUMBER(key) AS group_code, label AS title, remote AS gid FROM form"),
        group_members: query("SELECT NUMBER(pupil) AS student_id, form AS group_code FROM in_form"),
        classes: query(
            "SELECT key AS class_code, label AS title, course AS course_id, class AS class_id FROM lesson",
        ),
        class_members: query("SELECT pupil AS student_id, NUMBER(lesson) AS class_code FROM in_lesson;"),
    }
}

#[tokio::test]
async fn a_schools_own_schema_with_numbers_as_ids_is_read_as_text_in_the_order_of_bytes() {
    // As a column, as an expression without a type, and as text.
    for number in ["", "abs", "CAST(0 AS TEXT) || "] {
        let number = if number.ends_with("|| ") { "printf('%d', NUMBER" } else { number };
        let queries = if number.contains("printf") { text_queries() } else { own_queries(number) };
        let made = made(OWN).await;
        let database = made.open_with(&queries).await.unwrap();
        let rows = rows(&database).await;
        assert_eq!(ids(&rows), ["10", "100", "9"], "{number}");
        assert_eq!(groups(&rows[0]), ["1", "2"], "{number}");
        assert_eq!(rows[0].student.values, ["Ten", "1"], "{number:?}");
        assert!(!rows[1].student.active, "{number}");
        let mut snapshot = database.snapshot().await.unwrap();
        let (classes, _) = snapshot.classes().await.unwrap();
        let wanted = {
            let mut classes = snapshot.wanted_classes(&classes);
            classes.next().await.unwrap().unwrap()
        };
        let members: Vec<&str> = wanted.members.iter().map(|member| member.student.as_str()).collect();
        assert_eq!(members, ["10", "9"], "{number}");
        let asked = ["9", "10", "100", "77"].map(StudentId::new).into_iter().collect();
        let active = snapshot.active_among(&asked).await.unwrap();
        assert_eq!(active, ["9", "10"].map(StudentId::new).into_iter().collect(), "{number}");
        let dangling: Vec<String> = snapshot
            .dangling_members()
            .await
            .unwrap()
            .iter()
            .map(|problem| format!("{} {}", problem.table, problem.key))
            .collect();
        assert_eq!(dangling, ["group_members (77, 1)"], "{number}");
        snapshot.close().await.unwrap();
    }
}

fn text_queries() -> RosterQueries {
    let mut queries = own_queries("");
    queries.students = Some(
        "SELECT printf('%d', no) AS student_id, surname AS name, tel AS phone, uid AS classin_uid, \
         left_on IS NULL AS active FROM pupil"
            .to_owned(),
    );
    queries
}

#[tokio::test]
async fn a_student_id_that_a_query_returns_twice_is_named() {
    let made = made(&format!("{OWN} INSERT INTO pupil VALUES (9, 'Nine again', NULL, NULL, NULL)")).await;
    let database = made.open_with(&own_queries("")).await.unwrap();
    let mut snapshot = database.snapshot().await.unwrap();
    assert_eq!(snapshot.repeated_students().await.unwrap(), [StudentId::new("9")].into_iter().collect());
    snapshot.close().await.unwrap();
    assert_eq!(ids(&rows(&database).await), ["10", "100", "9"]);
}

#[tokio::test]
async fn tables_made_by_hand_are_read_in_the_order_of_bytes_whatever_their_types() {
    let table = [
        ("student_id INTEGER PRIMARY KEY", "(9), (10), (100)", vec!["10", "100", "9"]),
        ("student_id PRIMARY KEY", "(9), ('10'), (100)", vec!["10", "100", "9"]),
        ("student_id TEXT COLLATE NOCASE PRIMARY KEY", "('a'), ('B'), ('c')", vec!["B", "a", "c"]),
        ("student_id VARCHAR(9)", "('b'), ('a')", vec!["a", "b"]),
    ];
    for (declared, values, expected) in table {
        let tables = OUR_TABLES.replace("student_id TEXT PRIMARY KEY", declared);
        assert_ne!(tables, OUR_TABLES, "{declared:?}");
        let made = made(&format!(
            "{tables} CREATE TABLE ids (id); INSERT INTO ids VALUES {values}; \
             INSERT INTO students (student_id, name) SELECT id, 'n' FROM ids; \
             INSERT INTO groups VALUES ('g1', 'G', 7); INSERT INTO group_members SELECT id, 'g1' FROM ids"
        ))
        .await;
        let database = made.open().await;
        let rows = rows(&database).await;
        assert_eq!(ids(&rows), expected, "{declared}");
        assert!(rows.iter().all(|row| groups(row) == ["g1"]), "{declared}");
        let mut snapshot = database.snapshot().await.unwrap();
        let asked = expected.iter().map(|id| StudentId::new(*id)).collect();
        assert_eq!(snapshot.active_among(&asked).await.unwrap().len(), expected.len(), "{declared}");
        assert!(snapshot.dangling_members().await.unwrap().is_empty(), "{declared}");
        snapshot.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_table_without_a_key_may_repeat_a_student_and_that_is_found() {
    let tables = OUR_TABLES.replace("student_id TEXT PRIMARY KEY", "student_id TEXT");
    let made =
        made(&format!("{tables} INSERT INTO students (student_id, name) VALUES ('a', 'x'), ('a', 'y')"))
            .await;
    let database = made.open().await;
    let mut snapshot = database.snapshot().await.unwrap();
    assert_eq!(snapshot.repeated_students().await.unwrap(), [StudentId::new("a")].into_iter().collect());
    snapshot.close().await.unwrap();
}

#[tokio::test]
async fn views_stand_for_tables() {
    let made = made(&format!(
        "{OWN} CREATE VIEW students AS SELECT no AS student_id, surname AS name, tel AS phone, uid AS classin_uid, \
         left_on IS NULL AS active FROM pupil; \
         CREATE VIEW groups AS SELECT key AS group_code, label AS title, remote AS gid FROM form; \
         CREATE VIEW group_members AS SELECT pupil AS student_id, form AS group_code FROM in_form; \
         CREATE VIEW classes AS SELECT key AS class_code, label AS title, course AS course_id, class AS class_id FROM lesson; \
         CREATE VIEW class_members AS SELECT pupil AS student_id, lesson AS class_code FROM in_lesson"
    ))
    .await;
    let rows = rows(&made.open().await).await;
    assert_eq!(ids(&rows), ["10", "100", "9"]);
    assert_eq!(groups(&rows[0]), ["1", "2"]);
}

#[tokio::test]
async fn a_zero_or_a_word_for_it_says_that_somebody_has_left() {
    let made = made(
        "CREATE TABLE p (student_id TEXT, name TEXT, phone TEXT, classin_uid, active); \
         INSERT INTO p VALUES ('a', 'n', '', NULL, 0), ('b', 'n', '', NULL, 1), ('c', 'n', '', NULL, NULL), \
         ('d', 'n', '', NULL, '0'), ('e', 'n', '', NULL, 'yes'), ('f', 'n', '', NULL, 0.0), ('g', 'n', '', NULL, ' 1'), \
         ('h', 'n', '', NULL, 'No'), ('i', 'n', '', NULL, 'FALSE '), ('j', 'n', '', NULL, 'left'), ('k', 'n', '', NULL, '离校'), \
         ('l', 'n', '', NULL, '在读'), ('m', 'n', '', NULL, ''), ('n', 'n', '', NULL, 'Inactive'), ('o', 'n', '', NULL, 1.0); \
         CREATE TABLE groups (group_code, title, gid); CREATE TABLE group_members (student_id, group_code); \
         CREATE TABLE classes (class_code, title, course_id, class_id); CREATE TABLE class_members (student_id, class_code)",
    )
    .await;
    let queries = RosterQueries { students: Some("SELECT * FROM p".to_owned()), ..RosterQueries::default() };
    let database = made.open_with(&queries).await.unwrap();
    let active: Vec<String> = rows(&database)
        .await
        .iter()
        .filter(|row| row.student.active)
        .map(|row| row.student.id.to_string())
        .collect();
    assert_eq!(active, ["b", "c", "e", "g", "l", "m", "o"]);
    assert!(rows(&database).await.iter().all(|row| row.unusable.is_none()));
    assert_eq!(database.require_students(7).await.unwrap(), 7);
    assert!(matches!(database.require_students(8).await, Err(RosterError::TooFew { students: 7, .. })));
}

#[tokio::test]
async fn any_other_word_in_active_makes_the_row_a_bad_one_and_nobody_a_leaver() {
    for word in ["'N'", "'f'", "'0,0'", "2", "-1", "'maybe'", "x'30'", "0.5", "'０'"] {
        let made = made(&format!(
            "{} INSERT INTO students (student_id, name, active) VALUES ('a', 'n', {word}), ('b', 'n', 1)",
            OUR_TABLES.replace("active INTEGER NOT NULL DEFAULT 1", "active")
        ))
        .await;
        let rows = rows(&made.open().await).await;
        assert!(rows[0].student.active, "{word}");
        assert!(rows[0].unusable.as_deref().unwrap().contains("students.active"), "{word}");
        assert_eq!(rows[1].unusable, None, "{word}");
    }
}

#[tokio::test]
async fn a_blank_name_makes_the_row_of_somebody_who_is_there_a_bad_one() {
    let made = made(&format!(
        "{OUR_TABLES} INSERT INTO students (student_id, name, active) VALUES ('a', '', 1), ('b', ' \u{3000}', 1), \
         ('c', '\u{200b}', 1), ('d', '', 0), ('e', 'n', 1)"
    ))
    .await;
    for columns in [vec!["name".to_owned()], vec!["phone".to_owned()]] {
        let queries = RosterQueries::default();
        let database = RosterDatabase::open(&made.path, &queries, &columns, &made.state()).await.unwrap();
        let rows = rows(&database).await;
        let bad: Vec<&str> =
            rows.iter().filter(|row| row.unusable.is_some()).map(|row| row.student.id.as_str()).collect();
        assert_eq!(bad, ["a", "b", "c"], "{columns:?}");
    }
}

/// Ids as people and spreadsheets leave them, each with what it is.
const IDS: [(&str, &str); 9] = [
    ("'S1 '", "S1"),
    ("' S1'", "S1"),
    ("'S1' || char(10)", "S1"),
    ("char(13, 10) || 'S1'", "S1"),
    ("'S' || char(8203) || '1'", "S1"),
    ("char(8206) || 'S1' || char(173)", "S1"),
    ("char(65279) || 'S1'", "S1"),
    ("'S1' || char(0)", "S1"),
    ("'e' || char(769)", "\u{e9}"),
];

#[tokio::test]
async fn ids_are_in_normal_form_before_they_are_joined() {
    for (written, expected) in IDS {
        for (in_students, in_members) in [(true, false), (false, true), (true, true)] {
            let plain = format!("'{expected}'");
            let (own, member) =
                (if in_students { written } else { &plain }, if in_members { written } else { &plain });
            let made = made(&format!(
                "{OUR_TABLES} INSERT INTO students (student_id, name, classin_uid) VALUES ({own}, 'n', 7), ('T2', 'n', 8); \
                 INSERT INTO groups VALUES ({own}, 'G', 71); INSERT INTO group_members VALUES ({member}, {member}); \
                 INSERT INTO classes VALUES ({own}, 'C', 500, 501); INSERT INTO class_members VALUES ({member}, {member})"
            ))
            .await;
            let database = made.open().await;
            for _ in 0..2 {
                let rows = rows(&database).await;
                let row = rows.iter().find(|row| row.student.id.as_str() == expected).unwrap();
                assert_eq!((groups(row), row.unusable.as_deref()), (vec![expected], None), "{written}");
                let mut snapshot = database.snapshot().await.unwrap();
                let (groups, problems) = snapshot.groups().await.unwrap();
                assert_eq!((groups[0].code.as_str(), problems.len()), (expected, 0), "{written}");
                assert!(snapshot.dangling_members().await.unwrap().is_empty(), "{written}");
                let (classes, _) = snapshot.classes().await.unwrap();
                let mut wanted = snapshot.wanted_classes(&classes);
                assert_eq!(wanted.next().await.unwrap().unwrap().members.len(), 1, "{written}");
                drop(wanted);
                let asked = [StudentId::new(expected)].into_iter().collect();
                assert_eq!(snapshot.active_among(&asked).await.unwrap().len(), 1, "{written}");
                assert!(snapshot.details(&StudentId::new(expected)).await.unwrap().is_some(), "{written}");
                snapshot.close().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn ids_of_a_schools_own_queries_are_put_into_normal_form_too() {
    let made = made(&format!("{OWN} UPDATE pupil SET no = '9 ' || char(8203) WHERE no = 9")).await;
    let database = made.open_with(&own_queries("")).await.unwrap();
    let rows = rows(&database).await;
    assert_eq!(ids(&rows), ["10", "100", "9"]);
    assert_eq!(groups(&rows[2]), ["1", "5"]);
}

#[tokio::test]
async fn numbers_that_a_spreadsheet_kept_as_floating_point_ones_are_whole_ids() {
    for own in ["CAST(no AS REAL)", "no || '.0'", "CAST(no || '.0' AS BLOB)"] {
        let queries = own_queries("");
        let queries = RosterQueries {
            students: queries.students.map(|query| query.replacen("(no)", &format!("({own})"), 1)),
            group_members: queries.group_members.map(|query| query.replace("(pupil)", "(pupil + 0.0)")),
            ..queries
        };
        let made = made(OWN).await;
        let rows = rows(&made.open_with(&queries).await.unwrap()).await;
        assert_eq!(ids(&rows), ["10", "100", "9"], "{own}");
        assert_eq!(groups(&rows[0]), ["1", "2"], "{own}");
        assert_eq!(rows[0].unusable.is_some(), own.contains("BLOB"), "{own}");
    }
}

#[tokio::test]
async fn a_code_with_a_point_stays_what_it_is_where_codes_are_no_numbers() {
    let made = made(&format!(
        "{OUR_TABLES} INSERT INTO groups VALUES ('7.0', 'G', 1), ('7.1', 'G', 2), ('x ', 'G', 3)"
    ))
    .await;
    let database = made.open().await;
    let mut snapshot = database.snapshot().await.unwrap();
    let (groups, _) = snapshot.groups().await.unwrap();
    assert_eq!(groups.iter().map(|group| group.code.as_str()).collect::<Vec<_>>(), ["7.0", "7.1", "x"]);
    snapshot.close().await.unwrap();
}

#[tokio::test]
async fn rows_whose_ids_become_one_are_bad_rows_all_of_them() {
    let made = made(&format!(
        "{OUR_TABLES} INSERT INTO students (student_id, name) VALUES ('a', 'x'), ('a ', 'y'), ('b', 'z'); \
         INSERT INTO groups VALUES ('g', 'G', 1), ('g' || char(8203), 'G', 1), ('h', 'H', 2); \
         INSERT INTO classes VALUES ('c', 'C', 500, 1), (' c', 'C', 500, 2), ('d', 'D', 500, 3)"
    ))
    .await;
    let database = made.open().await;
    let mut snapshot = database.snapshot().await.unwrap();
    assert_eq!(snapshot.repeated_students().await.unwrap(), [StudentId::new("a")].into_iter().collect());
    let (groups, problems) = snapshot.groups().await.unwrap();
    let gids: Vec<Option<i64>> = groups.iter().map(|group| group.gid.map(|gid| gid.0)).collect();
    assert_eq!((gids, problems.len()), (vec![None, Some(2)], 1), "{problems:?}");
    let (classes, problems) = snapshot.classes().await.unwrap();
    let mirrored: Vec<bool> = classes.iter().map(|class| class.target.is_some()).collect();
    assert_eq!((mirrored, problems.len()), (vec![false, true], 1), "{problems:?}");
    snapshot.close().await.unwrap();
}

#[tokio::test]
async fn an_id_that_runs_over_a_line_end_cannot_be_told() {
    let made = made(&format!(
        "{OUR_TABLES} INSERT INTO students (student_id, name) VALUES ('a' || char(10) || '- b', 'x'), (NULL, 'y'), \
         ('', 'z'), (x'ff', 'w'), ('c', 'n')"
    ))
    .await;
    let database = made.open().await;
    assert_eq!(ids(&rows(&database).await), ["c"]);
    let mut snapshot = database.snapshot().await.unwrap();
    assert_eq!(snapshot.count_unreadable_ids().await.unwrap(), 4);
    snapshot.close().await.unwrap();
}

#[tokio::test]
async fn an_id_with_any_control_character_in_it_cannot_be_told() {
    let spoilt: Vec<String> = (1..32)
        .chain([127, 128, 159, 8232])
        .map(|sign| format!("('a' || char({sign}) || 'Anna', 'x')"))
        .collect();
    let made = made(&format!(
        "{OUR_TABLES} INSERT INTO students (student_id, name) VALUES ('c', 'n'), {}",
        spoilt.join(", ")
    ))
    .await;
    let database = made.open().await;
    assert_eq!(ids(&rows(&database).await), ["c"]);
    let mut snapshot = database.snapshot().await.unwrap();
    assert_eq!(snapshot.count_unreadable_ids().await.unwrap(), u64::try_from(spoilt.len()).unwrap());
    snapshot.close().await.unwrap();
}

#[tokio::test]
async fn bytes_that_are_no_text_are_no_id_and_no_code_in_any_table() {
    let spoilt: Vec<String> = (0x80..=0xff)
        .flat_map(|byte: u8| {
            [
                format!("{byte:02X}"),
                format!("62{byte:02X}"),
                format!("{byte:02X}62"),
                format!("62{byte:02X}62"),
            ]
        })
        .map(|bytes| format!("CAST(x'{bytes}' AS TEXT)"))
        .collect();
    let rows_of = |row: &str| -> String {
        spoilt.iter().map(|id| row.replace("ID", id)).collect::<Vec<_>>().join(", ")
    };
    let made = made(&format!(
        "{OUR_TABLES} INSERT INTO students (student_id, name) VALUES ('a', 'x'), ('c', 'z'), {}; \
         INSERT INTO groups VALUES ('g', 'G', 1), {}; \
         INSERT INTO group_members VALUES ('a', 'g'), ('c', 'g'), {}, {}; \
         INSERT INTO classes VALUES ('k', 'K', 500, 1), {}; \
         INSERT INTO class_members VALUES ('a', 'k'), {}, {}",
        rows_of("(ID, 'y')"),
        rows_of("(ID, 'H', 2)"),
        rows_of("(ID, 'g')"),
        rows_of("('c', ID)"),
        rows_of("(ID, 'L', 500, 2)"),
        rows_of("(ID, 'k')"),
        rows_of("('c', ID)"),
    ))
    .await;
    let database = made.open().await;
    assert!(database.snapshot_as_it_stands().await.unwrap().is_none());
    let read = rows(&database).await;
    assert_eq!(ids(&read), ["a", "c"]);
    assert_eq!(groups(&read[0]), ["g"]);
    let mut snapshot = database.snapshot().await.unwrap();
    let count = u64::try_from(spoilt.len()).unwrap();
    assert_eq!(snapshot.count_unreadable_ids().await.unwrap(), count);
    let dangling: Vec<String> =
        snapshot.dangling_members().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(dangling.len(), 2, "{dangling:?}");
    assert!(dangling.iter().all(|line| line.contains("1024 rows name")), "{dangling:?}");
    let (listed, _) = snapshot.groups().await.unwrap();
    let named: Vec<&str> =
        listed.iter().map(|group| group.code.as_str()).filter(|code| !code.is_empty()).collect();
    assert_eq!(named, ["g"]);
    snapshot.close().await.unwrap();
}

#[tokio::test]
async fn one_id_stored_as_binary_data_is_a_bad_row_and_stops_nobody_else() {
    let made = made(&format!(
        "{OUR_TABLES} INSERT INTO students (student_id, name) VALUES (CAST('b' AS BLOB), 'x'), ('a', 'y'), ('c', 'z'); \
         INSERT INTO groups VALUES ('g', 'G', 1); INSERT INTO group_members VALUES ('a', 'g'), ('b', 'g'), ('c', 'g')"
    ))
    .await;
    let rows = rows(&made.open().await).await;
    assert_eq!(ids(&rows), ["a", "b", "c"]);
    assert!(rows.iter().all(|row| groups(row) == ["g"]));
    let bad: Vec<bool> = rows.iter().map(|row| row.unusable.is_some()).collect();
    assert_eq!(bad, [false, true, false]);
    assert!(rows[1].unusable.as_deref().unwrap().contains("BLOB"));
}

#[tokio::test]
async fn a_value_of_the_wrong_type_concerns_its_own_row_only() {
    let made = made(&format!(
        "{OUR_TABLES} INSERT INTO students (student_id, name, phone) VALUES \
         ('a', x'ff00fe', '1'), ('b', 'fine', 12345), (NULL, 'nobody', ''), (x'ff', 'blob', ''); \
         INSERT INTO groups VALUES ('g1', 'G', ' 71 '), ('g2', 'G', 'many'), ('g3', 'G', -4), ('g4', 'G', ''), (NULL, 'G', 1); \
         INSERT INTO classes VALUES ('c1', 'C', '500', '501'), ('c2', 'C', 'x', 1), ('c3', 'C', NULL, 9), ('c4', 'C', 500, 1.5); \
         INSERT INTO class_members SELECT 'b', class_code FROM classes"
    ))
    .await;
    let database = made.open().await;
    let rows = rows(&database).await;
    let by_id = |id: &str| rows.iter().find(|row| row.student.id.as_str() == id).unwrap();
    assert!(by_id("a").unusable.as_deref().unwrap().contains("not readable text"));
    assert_eq!((by_id("b").unusable.as_deref(), by_id("b").student.values[1].as_str()), (None, "12345"));
    assert_eq!(ids(&rows), ["a", "b"]);
    let mut snapshot = database.snapshot().await.unwrap();
    assert_eq!(snapshot.count_unreadable_ids().await.unwrap(), 2);
    let (groups, problems) = snapshot.groups().await.unwrap();
    let gids: Vec<Option<i64>> = groups.iter().map(|group| group.gid.map(|gid| gid.0)).collect();
    assert_eq!(gids, [None, Some(71), None, None, None], "the row without a code stands there too");
    let named: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(named.len(), 3, "{named:?}");
    assert!(named.iter().any(|problem| problem.starts_with("groups g2: ")), "{named:?}");
    let (classes, problems) = snapshot.classes().await.unwrap();
    assert_eq!(classes.iter().filter(|class| class.target.is_some()).count(), 1);
    assert_eq!(problems.len(), 3, "{problems:?}");
    let mut wanted = snapshot.wanted_classes(&classes);
    assert_eq!(wanted.next().await.unwrap().unwrap().members.len(), 1);
    assert!(wanted.next().await.unwrap().is_none());
    drop(wanted);
    snapshot.close().await.unwrap();
}

#[tokio::test]
async fn everything_read_through_one_snapshot_is_of_one_moment() {
    for journal in [SqliteJournalMode::Wal, SqliteJournalMode::Delete] {
        let made =
            made(&format!("{OUR_TABLES} INSERT INTO students (student_id, name) VALUES ('a', 'x')")).await;
        let options = SqliteConnectOptions::new().filename(&made.path).journal_mode(journal);
        let mut writer = options.busy_timeout(Duration::ZERO).connect().await.unwrap();
        let database = made.open().await;
        let mut snapshot = database.snapshot().await.unwrap();
        assert_eq!(snapshot.count_active().await.unwrap(), 1, "{journal:?}");
        let written = sqlx::query("INSERT INTO students (student_id, name) VALUES ('b', 'x')")
            .execute(&mut writer)
            .await;
        // With a rollback journal the writer has to wait for the reader; with a WAL it need not.
        assert_eq!(written.is_ok(), journal == SqliteJournalMode::Wal, "{journal:?}");
        assert_eq!(snapshot.count_active().await.unwrap(), 1, "the reading is of one moment");
        snapshot.close().await.unwrap();
        if written.is_err() {
            run(&mut writer, "INSERT INTO students (student_id, name) VALUES ('b', 'x')").await;
        }
        assert_eq!(database.require_students(1).await.unwrap(), 2, "{journal:?}");
    }
}

#[tokio::test]
async fn a_reading_that_is_given_up_lets_go_of_the_roster() {
    let made = made(&format!("{OUR_TABLES} INSERT INTO students (student_id, name) VALUES ('a', 'x')")).await;
    let database = made.open().await;
    for _ in 0..4 {
        let mut snapshot = database.snapshot().await.unwrap();
        snapshot.count_active().await.unwrap();
        drop(snapshot);
    }
    assert_eq!(database.require_students(1).await.unwrap(), 1);
    let mut writer = writer(&made.path).await;
    let begun = Instant::now();
    while sqlx::query("UPDATE students SET name = 'y'").execute(&mut writer).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the roster stays locked");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_schools_own_program_can_write_while_a_run_waits_for_the_services() {
    let school = School::of_both().await;
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.group_of_all().await;
    school.set("exam.latency_ms", "150");
    school.set("classin.latency_ms", "150");
    let path = school.path("roster.db");
    let sandbox = school.sandbox.clone();
    let writing = tokio::spawn(async move {
        let mut writer = writer(&path).await;
        let mut refused = 0;
        for endpoint in ["getstulist", "addStudents", "addClassStudentMultiple"] {
            // The journal has the call as soon as it arrives; its answer takes longer than this write.
            while !sandbox.journal().iter().any(|entry| entry.endpoint == endpoint) {
                tokio::task::yield_now().await;
            }
            let written = sqlx::query("UPDATE classes SET title = title || '.'").execute(&mut writer).await;
            refused += usize::from(written.is_err());
        }
        refused
    });
    school.run_as(Exit::Done).await;
    assert_eq!(writing.await.unwrap(), 0, "the roster was locked while a call was under way");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (no_roster, state) = (folder.path().join("no.db"), folder.path().join("state.db"));
    let nothing = RosterDatabase::open(&no_roster, &RosterQueries::default(), &[], &state).await;
    assert!(matches!(nothing, Err(RosterError::Missing { .. })));
    for table in ["students", "groups", "group_members", "classes", "class_members"] {
        let made = made(&format!("{OUR_TABLES} DROP TABLE {table}")).await;
        let error = made.open_with(&RosterQueries::default()).await.unwrap_err();
        assert!(matches!(error, RosterError::Schema { .. }), "{error}");
        assert!(error.to_string().contains(&format!("no table {table}")), "{error}");
    }
    let made = made(OUR_TABLES).await;
    for column in ["nickname", "no such \"one\""] {
        let columns = [column.to_owned()];
        let error = RosterDatabase::open(&made.path, &RosterQueries::default(), &columns, &made.state())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(&format!("students has no column {column}")), "{error}");
    }
    let queries = RosterQueries { groups: Some("SELEKT 1".to_owned()), ..RosterQueries::default() };
    let error = made.open_with(&queries).await.unwrap_err();
    assert!(error.to_string().contains("roster.queries"), "{error}");
}

#[tokio::test]
async fn a_roster_is_never_written() {
    let made = made(&format!("{OUR_TABLES} INSERT INTO students (student_id, name) VALUES ('a', 'x')")).await;
    let sneaky = "SELECT * FROM students) AS t LIMIT 0; DELETE FROM students; SELECT * FROM (SELECT 1";
    let queries = RosterQueries { students: Some(sneaky.to_owned()), ..RosterQueries::default() };
    assert!(made.open_with(&queries).await.is_err());
    let before = std::fs::read(&made.path).unwrap();
    rows(&made.open().await).await;
    assert_eq!(std::fs::read(&made.path).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_roster_is_a_wrong_path_until_one_has_been_read_there_and_the_next_runs_business_from_then_on()
 {
    use crate::program::Programs as _;
    let school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    let _uid = school.student("s1").await;
    let _gid = school.group_of_all().await;
    let (here, whole) = (school.path("roster.db"), school.path("whole.db"));
    std::fs::rename(&here, &whole).unwrap();
    // A file that was just opened, and a database in which nothing has been made yet.
    let empty = made("CREATE TABLE t (x); DROP TABLE t").await;
    let emptied = [Vec::new(), std::fs::read(&empty.path).unwrap()];
    assert!(emptied[1].len() >= 512, "{}", emptied[1].len());
    for bytes in &emptied {
        std::fs::write(&here, bytes).unwrap();
        let ended = school.program(&["--sync-now"]);
        assert_eq!(ended.code, 78, "nobody has ever read it: {ended:?}");
        assert!(ended.stderr.contains("holds no table at all"), "{ended:?}");
    }
    std::fs::copy(&whole, &here).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    for bytes in &emptied {
        std::fs::write(&here, bytes).unwrap();
        let ended = school.program(&["--sync-now"]);
        assert_eq!(ended.code, 75, "a run has read it: {ended:?}");
        assert!(ended.stderr.contains("an earlier run has read it there"), "{ended:?}");
        assert_eq!(school.sandbox.candidate_count(), 1);
    }
    std::fs::copy(&whole, &here).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}
