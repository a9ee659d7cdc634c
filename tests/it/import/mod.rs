//! Imports from files into real roster databases, and the demo roster.

mod doubled;
mod doubtful_rows;
mod files;
mod history;
mod hostile;
mod kinds;
mod oneroster;
mod preview;
mod round_trip;
mod spoiled_files;
mod undo;
mod watched;
mod watched_rights;
mod whole;

#[path = "../../../crates/import/tests/it/workbook.rs"]
mod workbook;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rosterd::generate;
use rosterd::{Commit, Completeness, RosterWriteError, RosterWriter};
use rosterd::{ImportError, ImportKind, ImportReport, ImportRequest, import};
use rosterd_import::{CellValue, ColumnMap, RosterTable};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use tempfile::TempDir;

/// A folder with files and a roster database beside them.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.path("roster.db")
    }

    fn put(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    fn csv(&self, names: &[&str]) -> ImportRequest {
        self.request(ImportKind::Csv, names.iter().map(|name| self.path(name)).collect())
    }

    fn clever(&self, folder: &Path) -> ImportRequest {
        self.request(ImportKind::Clever, vec![folder.to_owned()])
    }

    fn request(&self, kind: ImportKind, paths: Vec<PathBuf>) -> ImportRequest {
        ImportRequest::new(kind, paths, self.database())
    }

    /// Writes the files and imports them as they are.
    async fn import(&self, files: &[(&str, &str)]) -> Result<ImportReport, ImportError> {
        import(&self.put_all(files)).await
    }

    /// Imports files that are known to be good.
    async fn fill(&self, files: &[(&str, &str)]) {
        drop(self.import(files).await.unwrap());
    }

    fn put_all(&self, files: &[(&str, &str)]) -> ImportRequest {
        for (name, contents) in files {
            self.put(name, contents);
        }
        self.csv(&files.iter().map(|(name, _)| *name).collect::<Vec<_>>())
    }

    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.database()).create_if_missing(true);
        options.connect().await.unwrap()
    }

    async fn run(&self, statements: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.unwrap();
    }

    /// Rows of one text column.
    async fn column(&self, query: &str) -> Vec<String> {
        let mut connection = self.connect().await;
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await.unwrap()
    }

    async fn one(&self, query: &str) -> String {
        self.column(query).await.join("|")
    }
}

fn bulk(request: ImportRequest) -> ImportRequest {
    ImportRequest { bulk: true, ..request }
}

fn skipping(request: ImportRequest) -> ImportRequest {
    ImportRequest { skip_bad_rows: true, ..request }
}

fn dry(request: ImportRequest) -> ImportRequest {
    ImportRequest { dry_run: true, ..request }
}

/// File, line, column and code of each problem that stopped an import.
fn problems(result: Result<ImportReport, ImportError>) -> Vec<(String, u64, usize, &'static str)> {
    let problems = match result {
        Err(ImportError::BadRows(report)) => report.problems,
        Err(ImportError::Files(problems)) => problems,
        other => panic!("expected problems, found {other:?}"),
    };
    problems.into_iter().map(|problem| (problem.file, problem.line, problem.column, problem.code)).collect()
}

fn at(file: &str, line: u64, column: usize, code: &'static str) -> (String, u64, usize, &'static str) {
    (file.to_owned(), line, column, code)
}

/// Packs the files of a folder, below a folder of the archive.
fn zip_folder(folder: &str, below: &str, archive: &Path) {
    let mut writer = zip::ZipWriter::new(std::fs::File::create(archive).unwrap());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut writer, &std::fs::read(&path).unwrap()).unwrap();
    }
    writer.start_file("__MACOSX/._users.csv", zip::write::SimpleFileOptions::default()).unwrap();
    writer.finish().unwrap();
}

const STUDENTS: &str = "student_id,name,gender,phone\nS1,Li Lei,male,1\nS2,Han Meimei,female,2\n";
const GROUPS: &str = "group_code,title,gid\nG1,Year 7,11\nG2,Year 8,\n";
const GROUP_MEMBERS: &str = "student_id,group_code\nS1,G1\nS2,G2\n";
const CLASSES: &str = "class_code,title\nC1,Algebra\n";
const CLASS_MEMBERS: &str = "class_code,student_id\nC1,S1\n";
const EVERYTHING: [(&str, &str); 5] = [
    ("students.csv", STUDENTS),
    ("groups.csv", GROUPS),
    ("group_members.csv", GROUP_MEMBERS),
    ("classes.csv", CLASSES),
    ("class_members.csv", CLASS_MEMBERS),
];

const CLEVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/clever-small");

#[tokio::test]
async fn files_in_our_columns_fill_a_new_roster_that_only_its_owner_can_read() {
    let desk = Desk::new();
    let report = desk.import(&EVERYTHING).await.unwrap();
    let added: Vec<usize> = report.difference.tables().iter().map(|(_, table)| table.added).collect();
    assert_eq!(added, [2, 2, 2, 1, 1]);
    assert!(report.changed);
    assert_eq!(desk.one("SELECT name || phone FROM students WHERE active = 1").await, "Li Lei1|Han Meimei2");
    assert_eq!(desk.one("SELECT group_code || COALESCE(gid, '-') FROM groups").await, "G111|G2-");
    assert_eq!(desk.one("SELECT student_id || class_code FROM class_members").await, "S1C1");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(desk.database()).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_folder_is_searched_for_files_named_after_tables() {
    let desk = Desk::new();
    desk.put("export/Students.TSV", STUDENTS.replace(',', "\t"));
    desk.put("export/groups.csv", GROUPS);
    desk.put("export/readme.txt", "nothing");
    let report = import(&desk.csv(&["export"])).await.unwrap();
    assert_eq!(report.files, ["Students.TSV", "groups.csv"]);
    assert_eq!((report.difference.students.added, report.difference.groups.added), (2, 2));
}

#[tokio::test]
async fn importing_the_same_files_again_changes_not_a_byte() {
    let desk = Desk::new();
    desk.fill(&EVERYTHING).await;
    let before = std::fs::read(desk.database()).unwrap();
    let mut watcher = desk.connect().await;
    let version: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut watcher).await.unwrap();
    let report = import(&bulk(desk.put_all(&EVERYTHING))).await.unwrap();
    assert!(report.difference.is_empty() && !report.changed);
    assert_eq!(report.difference.students.unchanged, 2);
    assert!(report.to_string().ends_with("nothing was changed\n"));
    let after: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut watcher).await.unwrap();
    assert_eq!(after, version);
    assert_eq!(std::fs::read(desk.database()).unwrap(), before);
}

#[tokio::test]
async fn a_column_that_a_file_lacks_is_left_as_it_is_and_an_empty_value_clears() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS)]).await;
    let report = desk.import(&[("students.csv", "phone,student_id\n,S1\n2,S2\n")]).await.unwrap();
    let table = &report.difference.students;
    assert_eq!((table.changed, table.unchanged), (1, 1));
    assert_eq!(table.rows[0].columns, ["phone"]);
    assert_eq!(
        desk.one("SELECT name || gender || COALESCE(phone, '-') FROM students ORDER BY student_id").await,
        "Li Leimale-|Han Meimeifemale2"
    );
}

#[tokio::test]
async fn what_spreadsheets_export_is_read_alike() {
    let text = "name,student_id,note\nZoë \"Z\" 王,007,\"a\nb\"\nAda,S2,c\n";
    let quoted = text.replace("Zoë \"Z\" 王", "\"Zoë \"\"Z\"\" 王\"");
    let utf16 = |text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    for (name, bytes) in [
        ("plain", quoted.clone().into_bytes()),
        (
            "semicolons, CRLF and a mark",
            format!("\u{feff}{}", quoted.replace(',', ";").replace('\n', "\r\n")).into(),
        ),
        ("bare CR", quoted.replace('\n', "\r").into()),
        ("Unicode text", utf16(&quoted.replace(',', "\t").replace('\n', "\r\n"))),
        (
            "a tail of empty cells",
            quoted
                .replace("note\n", "note,,\n")
                .replace("c\n", "c,,\n,,,,\n")
                .replace("b\"\n", "b\",,\n")
                .into(),
        ),
    ] {
        let desk = Desk::new();
        desk.put("students.csv", bytes);
        drop(import(&desk.csv(&["students.csv"])).await.unwrap_or_else(|error| panic!("{name}: {error}")));
        let rows = desk.one("SELECT student_id || name || note FROM students ORDER BY student_id").await;
        assert_eq!(rows, "007Zoë \"Z\" 王a\nb|S2Adac", "{name}");
    }
}

#[tokio::test]
async fn a_file_in_another_encoding_is_refused_as_a_whole() {
    let desk = Desk::new();
    desk.put("students.csv", b"student_id,name\rS1,Ada\rS2,Zo\xeb\r");
    let result = import(&skipping(desk.csv(&["students.csv"]))).await;
    assert!(result.as_ref().unwrap_err().is_configuration());
    assert_eq!(problems(result), [at("students.csv", 3, 1, "encoding")]);
    assert!(!desk.database().exists());
}

#[tokio::test]
async fn every_bad_row_is_reported_at_once_and_nothing_changes() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS)]).await;
    let before = std::fs::read(desk.database()).unwrap();
    let result = desk
        .import(&[
            (
                "students.csv",
                "student_id,name,classin_uid,active\r\rS3,New,x,maybe\r,Nobody,1,1\rS4,,1,1\rS5,Short\rS6,Good,6,1\r",
            ),
            ("groups.csv", "group_code,title,gid\nG1,Year 7,0\n"),
            ("classes.csv", "title,class_code,class_id,course_id\nAlgebra,C1,5,\n"),
        ])
        .await;
    let text = result.as_ref().unwrap_err().to_string();
    assert!(!result.as_ref().unwrap_err().is_configuration());
    assert_eq!(
        problems(result),
        [
            at("classes.csv", 2, 4, "missing-course"),
            at("groups.csv", 2, 3, "bad-number"),
            at("students.csv", 3, 3, "bad-number"),
            at("students.csv", 3, 4, "bad-flag"),
            at("students.csv", 4, 1, "missing-id"),
            at("students.csv", 5, 2, "missing-name"),
            at("students.csv", 6, 1, "field-count"),
        ]
    );
    assert!(!text.contains("maybe") && !text.contains("Nobody") && !text.contains("Short"), "{text}");
    assert_eq!(std::fs::read(desk.database()).unwrap(), before);
}

#[tokio::test]
async fn an_open_quote_cannot_swallow_students_unnoticed() {
    let desk = Desk::new();
    let result = desk.import(&[("students.csv", "student_id,name\nS1,\"Ada\nS2,Zoë\nS3,Li Lei\n")]).await;
    assert_eq!(problems(result), [at("students.csv", 2, 1, "open-quote")]);
}

#[tokio::test]
async fn skipping_bad_rows_imports_the_others_and_takes_nobody_as_missing() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS)]).await;
    let request = desk.put_all(&[("students.csv", "student_id,name\nS3,New\n,Li Lei\n")]);
    let report = import(&skipping(bulk(request))).await.unwrap();
    assert_eq!((report.difference.students.added, report.difference.students.left), (1, 0));
    assert_eq!(report.incomplete, [RosterTable::Students]);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(desk.one("SELECT student_id FROM students WHERE active = 1").await, "S1|S2|S3");
}

#[tokio::test]
async fn files_that_are_part_of_the_truth_mark_nobody_as_having_left() {
    let desk = Desk::new();
    desk.fill(&EVERYTHING).await;
    let files =
        [("students.csv", "student_id\nS1\n"), ("group_members.csv", "student_id,group_code\nS1,G2\n")];
    let report = desk.import(&files).await.unwrap();
    assert_eq!((report.difference.students.left, report.difference.group_members.left), (0, 0));
    assert_eq!(
        desk.one("SELECT student_id || group_code FROM group_members ORDER BY 1").await,
        "S1G1|S1G2|S2G2"
    );
}

#[tokio::test]
async fn a_bulk_import_marks_leavers_and_removes_memberships_of_the_given_files_only() {
    let desk = Desk::new();
    desk.fill(&EVERYTHING).await;
    let files =
        [("students.csv", "student_id\nS2\n"), ("group_members.csv", "student_id,group_code\nS2,G1\n")];
    let report = import(&bulk(desk.put_all(&files))).await.unwrap();
    assert_eq!(report.difference.students.left, 1);
    assert_eq!((report.difference.group_members.added, report.difference.group_members.left), (1, 2));
    assert_eq!(desk.one("SELECT student_id || active FROM students ORDER BY student_id").await, "S10|S21");
    assert_eq!(desk.one("SELECT student_id || group_code FROM group_members").await, "S2G1");
    assert_eq!(desk.one("SELECT student_id FROM class_members").await, "S1");

    let report = import(&bulk(desk.put_all(&[("students.csv", STUDENTS)]))).await.unwrap();
    assert_eq!(
        report.difference.students.rows[0].columns,
        ["active"],
        "a student who returns is active again"
    );
}

#[tokio::test]
async fn a_bulk_import_without_active_students_is_refused() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS)]).await;
    for text in ["student_id,name\n", "student_id,active\nS1,0\nS2,no\n"] {
        let result = import(&bulk(desk.put_all(&[("students.csv", text)]))).await;
        assert!(matches!(result, Err(ImportError::NoStudents)), "{text}");
    }
    assert_eq!(desk.one("SELECT student_id FROM students WHERE active = 1").await, "S1|S2");
}

#[tokio::test]
async fn further_columns_of_students_are_kept_under_their_names() {
    let desk = Desk::new();
    let text = "student_id,NAME,order,学号,Login\nS1,Ada,1,007,ada\n";
    let report = desk.import(&[("students.csv", text)]).await.unwrap();
    assert_eq!(report.difference.added_columns, ["Login", "order", "学号"]);
    assert_eq!(desk.one("SELECT name || \"order\" || 学号 || login FROM students").await, "Ada1007ada");
    let report = desk.import(&[("students.csv", "student_id,login\nS1,\n")]).await.unwrap();
    assert!(report.difference.added_columns.is_empty());
    assert_eq!(desk.one("SELECT COALESCE(login, '-') FROM students").await, "-");
}

#[tokio::test]
async fn headers_that_cannot_be_understood_are_refused_all_at_once() {
    let desk = Desk::new();
    let long = "x".repeat(65);
    let students = format!("name,a;b,1st,rowid,{long},Name,\"x\"\"; DROP TABLE students; --\"\n");
    let result = desk
        .import(&[
            ("students.csv", &students),
            ("groups.csv", "group_code,title,colour\n"),
            ("class_members.csv", "student_id,class\n"),
            ("classes.csv", "\n"),
        ])
        .await;
    assert!(result.as_ref().unwrap_err().is_configuration());
    let mut found = problems(result);
    found.sort();
    assert_eq!(
        found,
        [
            at("class_members.csv", 1, 1, "missing-column"),
            at("class_members.csv", 1, 2, "unknown-column"),
            at("classes.csv", 1, 1, "empty-file"),
            at("groups.csv", 1, 3, "unknown-column"),
            at("students.csv", 1, 1, "missing-column"),
            at("students.csv", 1, 2, "bad-column"),
            at("students.csv", 1, 3, "bad-column"),
            at("students.csv", 1, 4, "bad-column"),
            at("students.csv", 1, 5, "bad-column"),
            at("students.csv", 1, 6, "duplicate-column"),
            at("students.csv", 1, 7, "bad-column"),
        ]
    );
}

#[tokio::test]
async fn paths_that_lead_to_no_table_are_refused() {
    let desk = Desk::new();
    desk.put("pupils.csv", "who,what\nAda,B\n");
    desk.put("a/students.csv", STUDENTS);
    desk.put("b/students.csv", STUDENTS);
    std::fs::create_dir(desk.path("empty")).unwrap();
    let request = desk.csv(&["pupils.csv", "a", "b", "empty", "groups.csv"]);
    let result = import(&request).await;
    assert!(result.as_ref().unwrap_err().is_configuration());
    let mut codes: Vec<&str> = problems(result).into_iter().map(|problem| problem.3).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["duplicate-file", "no-files", "not-readable", "unknown-file"]);
    assert!(import(&desk.csv(&[])).await.unwrap_err().is_configuration());
}

#[tokio::test]
async fn of_two_rows_with_one_id_neither_is_taken_and_both_lines_are_named() {
    let desk = Desk::new();
    let request = desk.put_all(&[("students.csv", "student_id,name\nS1,Ada\nS2,Bo\n\n S1 ,Eve\n")]);
    let Err(ImportError::BadRows(report)) = import(&request).await else {
        panic!("duplicates were accepted")
    };
    assert_eq!(
        report.problems[0].to_string(),
        "students.csv:5:1: duplicate-id: S1 stands in lines 2 and 5, with another name: leave the row that is right"
    );
    drop(import(&skipping(request)).await.unwrap());
    assert_eq!(desk.one("SELECT student_id FROM students").await, "S2");
}

#[tokio::test]
async fn a_member_row_must_name_a_student_and_a_group_of_the_files_or_the_database() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS), ("groups.csv", GROUPS)]).await;
    let files = [
        ("students.csv", "student_id,name\nS3,New\n"),
        ("group_members.csv", "group_code,student_id\nG1,S1\nG1,S3\nG1,S9\nG9,S1\nG1,S1\n"),
    ];
    let request = desk.put_all(&files);
    assert_eq!(
        problems(import(&request).await),
        [at("group_members.csv", 4, 2, "unknown-student"), at("group_members.csv", 5, 1, "unknown-code")]
    );
    drop(import(&skipping(request)).await.unwrap());
    assert_eq!(desk.one("SELECT student_id || group_code FROM group_members ORDER BY 1").await, "S1G1|S3G1");
}

#[tokio::test]
async fn ids_that_lost_their_leading_zeros_are_refused() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", "student_id,name\n00123,Ada\n45,Bo\n")]).await;
    let result = desk.import(&[("students.csv", "student_id,name\n123,Ada\n45,Bo\n046,Cy\n")]).await;
    assert_eq!(problems(result), [at("students.csv", 2, 1, "lost-zeros")]);
}

#[tokio::test]
async fn ids_of_the_services_are_set_on_rows_that_exist_and_new_rows_need_a_name() {
    let desk = Desk::new();
    desk.fill(&EVERYTHING).await;
    let ids = [
        ("groups.csv", "group_code,gid\nG1,21\nG2,22\n"),
        ("classes.csv", "class_code,course_id,class_id\nC1,31,\n"),
        ("students.csv", "student_id,classin_uid\nS1,9007199254740993\n"),
    ];
    desk.fill(&ids).await;
    assert_eq!(desk.one("SELECT title || gid FROM groups").await, "Year 721|Year 822");
    assert_eq!(
        desk.one("SELECT title || course_id || COALESCE(class_id, '-') FROM classes").await,
        "Algebra31-"
    );
    assert_eq!(
        desk.one("SELECT name || classin_uid FROM students WHERE student_id = 'S1'").await,
        "Li Lei9007199254740993"
    );
    let new = [
        ("groups.csv", "gid,group_code\n23,G3\n"),
        ("classes.csv", "class_code,course_id\nC2,32\n"),
        ("students.csv", "student_id,classin_uid\nS3,3\n"),
    ];
    assert_eq!(
        problems(desk.import(&new).await),
        [
            at("classes.csv", 2, 1, "missing-title"),
            at("groups.csv", 2, 1, "missing-title"),
            at("students.csv", 2, 1, "missing-name"),
        ]
    );
}

#[tokio::test]
async fn a_dry_run_shows_the_difference_and_changes_nothing() {
    let desk = Desk::new();
    let report = import(&dry(desk.put_all(&EVERYTHING))).await.unwrap();
    assert_eq!((report.difference.students.added, report.changed), (2, false));
    assert!(!desk.database().exists());

    desk.fill(&EVERYTHING).await;
    let before = std::fs::read(desk.database()).unwrap();
    let text = "student_id,name,phone,login\nS1,Lei Li,1,lei\nS3,Ada,3,ada\n";
    let report = import(&dry(bulk(desk.put_all(&[("students.csv", text)])))).await.unwrap();
    insta::assert_snapshot!(report.to_string(), @r"
    import csv: students.csv
    students      1 added, 1 changed, 0 unchanged, 1 left
      - S2
      ~ S1 (name, login)
      + S3
    groups        0 added, 0 changed, 0 unchanged, 0 left
    group_members 0 added, 0 changed, 0 unchanged, 0 removed
    classes       0 added, 0 changed, 0 unchanged, 0 left
    class_members 0 added, 0 changed, 0 unchanged, 0 removed
    new columns of students: login
    dry run: nothing was changed
    ");
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.contains("\"left\":1") && !json.contains("Lei Li"), "{json}");
    assert_eq!(std::fs::read(desk.database()).unwrap(), before);
}

#[tokio::test]
async fn a_roster_that_a_school_made_itself_is_filled_and_stays_its_own() {
    let desk = Desk::new();
    desk.run(
        "CREATE TABLE Students (student_id INTEGER PRIMARY KEY, name TEXT NOT NULL, phone INTEGER, active INTEGER);
         CREATE TABLE groups (group_code TEXT PRIMARY KEY, title TEXT);
         CREATE TABLE group_members (student_id INTEGER, group_code TEXT);
         CREATE TABLE classes (class_code TEXT, title TEXT, course_id INTEGER, class_id INTEGER);
         CREATE TABLE class_members (student_id INTEGER, class_code TEXT);
         ALTER TABLE groups ADD COLUMN gid INTEGER;
         INSERT INTO students VALUES (1, 'Ada', 555, 1), (2, 'Bo', 556, 1);",
    )
    .await;
    let files = [("students.csv", "student_id,name,phone,gender\n1,Ada,555,f\n3,Cy,557,m\n")];
    let report = import(&bulk(desk.put_all(&files))).await.unwrap();
    let table = &report.difference.students;
    assert_eq!((table.added, table.changed, table.left), (1, 1, 1));
    assert_eq!(report.difference.added_columns, ["gender"]);
    assert_eq!(desk.one("SELECT name || active FROM students ORDER BY student_id").await, "Ada1|Bo0|Cy1");
    assert_eq!(desk.one("SELECT name FROM sqlite_schema WHERE name LIKE '%sqlx%'").await, "");
    assert!(import(&bulk(desk.put_all(&files))).await.unwrap().difference.is_empty());
}

#[tokio::test]
async fn a_database_that_is_no_roster_is_left_alone() {
    let desk = Desk::new();
    desk.run(
        "CREATE TABLE runs (run_id INTEGER PRIMARY KEY); CREATE TABLE _sqlx_migrations (version INTEGER)",
    )
    .await;
    let error = desk.import(&EVERYTHING).await.unwrap_err();
    assert!(error.is_configuration());
    assert!(matches!(error, ImportError::Database(RosterWriteError::NotARoster { .. })));
    assert_eq!(
        desk.one("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").await,
        "_sqlx_migrations|runs"
    );

    desk.put(
        "roster.db",
        "student_id,name\nthis is no database at all, and long enough to be one\n".repeat(50),
    );
    assert!(desk.import(&EVERYTHING).await.unwrap_err().is_configuration());
}

#[tokio::test]
async fn a_database_in_use_is_a_reason_to_come_back_later() {
    let desk = Desk::new();
    let mut other = desk.connect().await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let impatient = SqliteConnectOptions::new().filename(desk.database()).busy_timeout(Duration::ZERO);
    let mut second = impatient.connect().await.unwrap();
    let refused = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut second).await.unwrap_err();
    let error = ImportError::from(RosterWriteError::from(refused));
    assert!(error.is_temporary() && !error.is_configuration(), "{error:?}");
}

#[tokio::test]
async fn a_clever_bundle_fills_students_groups_and_classes() {
    let desk = Desk::new();
    let report = import(&desk.clever(Path::new(CLEVER))).await.unwrap();
    assert!(report.whole);
    assert_eq!(
        desk.one("SELECT student_id || name || gender || COALESCE(email, '-') FROM students").await,
        "0071Zoë J Müllerfemalezoe.m@example.org|0072Seán O\"Brien, Jr.malesean@example.org|0073Ada Okaforfemale-"
    );
    assert_eq!(
        desk.one("SELECT Username || Student_number || State_id || Grade || School_id FROM students LIMIT 1")
            .await,
        "zoem101071900071902M800"
    );
    let titles = "581English, Grade 9 - 101|709Homeroom 4";
    assert_eq!(desk.one("SELECT class_code || title FROM classes").await, titles);
    assert_eq!(desk.one("SELECT group_code || title FROM groups").await, titles);
    assert_eq!(
        desk.one("SELECT student_id || class_code FROM class_members").await,
        "0071581|0072581|0073709"
    );
    assert_eq!(
        desk.one("SELECT student_id || group_code FROM group_members").await,
        "0071581|0072581|0073709"
    );
    let skipped: Vec<(&str, usize)> =
        report.skipped_columns.iter().map(|skipped| (skipped.reason, skipped.columns.len())).collect();
    let passwords = "passwords, unless --map password=Password";
    assert_eq!(skipped, [("contacts of guardians", 4), ("demographics", 5), (passwords, 1)]);
    let columns = desk.one("SELECT name FROM pragma_table_info('students')").await;
    assert!(
        !columns.contains("Contact") && !columns.contains("Race") && !columns.contains("Dob"),
        "{columns}"
    );
    assert!(report.to_string().contains("skipped columns of students.csv (demographics): Dob, Race"));
}

#[tokio::test]
async fn a_clever_bundle_brings_passwords_only_when_they_are_asked_for_by_name() {
    let desk = Desk::new();
    let mut request = desk.clever(Path::new(CLEVER));
    drop(import(&request).await.unwrap());
    assert_eq!(desk.one("SELECT COUNT(*) || COUNT(password) FROM students").await, "30");
    request.map = ColumnMap::new(vec![("password".to_owned(), "Password".to_owned())]);
    drop(import(&request).await.unwrap());
    assert_eq!(desk.one("SELECT password FROM students LIMIT 1").await, "eel7Thohd");
    request.map = ColumnMap::new(vec![("name".to_owned(), "Username".to_owned())]);
    assert_eq!(problems(import(&request).await), [at("clever-small", 1, 1, "unknown-column")]);
}

#[tokio::test]
async fn a_student_of_a_clever_bundle_has_a_row_for_each_contact() {
    // Clever's help page "Student Contacts": one row for each contact of a student.
    let desk = Desk::new();
    let head = "School_id,Student_id,First_name,Last_name,Contact_type,Contact_name,Contact_phone";
    let rows =
        ["1,71,Ada,Okafor,Primary,Bola Okafor,1", "1,72,Bo,Li,,,", "1,71,Ada,Okafor,Emergency,Uche Okafor,2"];
    desk.put("bundle/students.csv", format!("{head}\n{}\n", rows.join("\n")));
    desk.put("bundle/sections.csv", "School_id,Section_id,Name\n1,9,Algebra\n");
    desk.put("bundle/enrollments.csv", "School_id,Section_id,Student_id\n1,9,71\n1,9,72\n");
    drop(import(&desk.clever(&desk.path("bundle"))).await.unwrap());
    assert_eq!(desk.one("SELECT student_id || name FROM students ORDER BY 1").await, "71Ada Okafor|72Bo Li");
    let other = rows.join("\n").replace("1,71,Ada,Okafor,Emergency", "1,71,Ida,Okafor,Emergency");
    desk.put("bundle/students.csv", format!("{head}\n{other}\n"));
    let found = problems(import(&desk.clever(&desk.path("bundle"))).await);
    assert!(found.iter().any(|(_, _, _, code)| *code == "duplicate-id"), "{found:?}");
}

/// A copy of the small bundle with one file put through a change.
fn clever_with(desk: &Desk, file: &str, change: impl Fn(String) -> String) -> PathBuf {
    for name in ["students.csv", "sections.csv", "enrollments.csv"] {
        let text = std::fs::read_to_string(Path::new(CLEVER).join(name)).unwrap();
        desk.put(&format!("bundle/{name}"), if name == file { change(text) } else { text });
    }
    desk.path("bundle")
}

#[tokio::test]
async fn a_clever_bundle_is_the_whole_truth_but_keeps_what_the_services_gave() {
    let desk = Desk::new();
    drop(import(&desk.clever(Path::new(CLEVER))).await.unwrap());
    desk.run(
        "UPDATE groups SET gid = 7; UPDATE classes SET course_id = 8, class_id = 9;
         UPDATE students SET classin_uid = 10, phone = '11'",
    )
    .await;
    let rest = |text: String| text.split('\r').take(3).collect::<Vec<_>>().join("\r");
    clever_with(&desk, "students.csv", rest);
    let enrolments = std::fs::read_to_string(desk.path("bundle/enrollments.csv")).unwrap();
    desk.put(
        "bundle/enrollments.csv",
        enrolments.replace("0072,581", "0072,709").replace("13K123,0073,709\n", ""),
    );

    let report = import(&desk.clever(&desk.path("bundle"))).await.unwrap();
    assert_eq!((report.difference.students.left, report.difference.students.changed), (1, 0));
    assert_eq!(desk.one("SELECT student_id || active FROM students").await, "00711|00721|00730");
    assert_eq!(
        desk.one("SELECT student_id || class_code FROM class_members ORDER BY 1").await,
        "0071581|0072709"
    );
    assert_eq!(desk.one("SELECT group_code || gid FROM groups").await, "5817|7097");
    assert_eq!(desk.one("SELECT course_id || class_id FROM classes").await, "89|89");
    assert_eq!(desk.one("SELECT classin_uid || phone FROM students").await, "1011|1011|1011");
    assert!(import(&desk.clever(&desk.path("bundle"))).await.unwrap().difference.is_empty());
}

#[tokio::test]
async fn problems_of_a_bundle_with_bare_cr_carry_the_right_lines() {
    let desk = Desk::new();
    let folder = clever_with(&desk, "students.csv", |text| {
        text.replace("Seán", "").replace("\"O\"\"Brien, Jr.\"", " ").replace(",0073,", ",,")
    });
    assert_eq!(
        problems(import(&desk.clever(&folder)).await),
        [
            at("enrollments.csv", 3, 2, "unknown-student"),
            at("enrollments.csv", 4, 2, "unknown-student"),
            at("students.csv", 3, 7, "missing-name"),
            at("students.csv", 4, 2, "missing-id"),
        ]
    );
    assert!(!desk.database().exists());
}

#[tokio::test]
async fn a_bundle_without_students_or_with_other_headers_is_refused() {
    let desk = Desk::new();
    let folder = clever_with(&desk, "students.csv", |text| text.split('\r').take(1).collect());
    desk.put("bundle/enrollments.csv", "School_id,Student_id,Section_id\r");
    assert!(matches!(import(&desk.clever(&folder)).await, Err(ImportError::NoStudents)));

    let folder = clever_with(&desk, "sections.csv", |text| text.replace("Section_id", "section_id"));
    let result = import(&desk.clever(&folder)).await;
    assert!(result.as_ref().unwrap_err().is_configuration());
    assert_eq!(problems(result), [at("sections.csv", 1, 1, "missing-column")]);

    std::fs::remove_file(desk.path("bundle/enrollments.csv")).unwrap();
    clever_with(&desk, "none", |text| text);
    std::fs::remove_file(desk.path("bundle/enrollments.csv")).unwrap();
    assert_eq!(problems(import(&desk.clever(&folder)).await), [at("enrollments.csv", 1, 1, "missing-file")]);
    let nowhere = desk.path("nowhere");
    assert_eq!(problems(import(&desk.clever(&nowhere)).await), [at("nowhere", 1, 1, "not-a-folder")]);
}

#[tokio::test]
async fn clevers_own_sandbox_bundle_loads_in_full() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/clever-sandbox");
    if folder.exists() {
        let desk = Desk::new();
        let report = import(&desk.clever(&folder)).await.unwrap();
        let added: Vec<usize> = report.difference.tables().iter().map(|(_, table)| table.added).collect();
        assert_eq!(added, [1_004, 379, 8_971, 379, 8_971]);
        assert!(report.problems.is_empty());
        assert!(import(&desk.clever(&folder)).await.unwrap().difference.is_empty());
    }
}

#[tokio::test]
async fn what_the_services_gave_is_written_where_it_is_missing() {
    let desk = Desk::new();
    desk.fill(&EVERYTHING).await;
    desk.run("UPDATE students SET active = 0 WHERE student_id = 'S2'").await;
    let writer = RosterWriter::open_or_create(&desk.database()).await.unwrap();
    assert_eq!(writer.groups_without_gid().await.unwrap(), [("G2".to_owned(), "Year 8".to_owned())]);
    assert_eq!(writer.classes_without_ids().await.unwrap(), [("C1".to_owned(), "Algebra".to_owned())]);
    let students = writer.students_without_uid().await.unwrap();
    assert!(students == [("S1".to_owned(), "Li Lei".to_owned(), "1".to_owned())]);

    writer.set_gid("G2", 12).await.unwrap();
    writer.set_class_ids("C1", 31, 41).await.unwrap();
    writer.set_uids(&[("S1".to_owned(), 51)]).await.unwrap();
    assert!(writer.groups_without_gid().await.unwrap().is_empty());
    assert!(writer.classes_without_ids().await.unwrap().is_empty());
    assert!(writer.students_without_uid().await.unwrap().is_empty());
    let counts = writer.counts().await.unwrap();
    assert_eq!((counts.students, counts.active_students, counts.class_members), (2, 1, 1));

    let half = writer.set_uids(&[("S1".to_owned(), 52), ("S9".to_owned(), 53)]).await;
    assert!(matches!(half, Err(RosterWriteError::UnknownKey { .. })));
    assert!(writer.set_gid("G9", 1).await.is_err());
    assert_eq!(
        desk.one("SELECT CAST(classin_uid AS TEXT) FROM students WHERE student_id = 'S1'").await,
        "51"
    );
}

#[tokio::test]
async fn a_demo_roster_fills_a_database_and_can_be_told_apart_by_its_seed_only() {
    let desk = Desk::new();
    let rows = generate(1_000, 7);
    assert!(rows == generate(1_000, 7) && rows != generate(1_000, 8));
    let writer = RosterWriter::open_or_create(&desk.database()).await.unwrap();
    let difference = writer.apply(&rows, Completeness::Whole, Commit::Yes).await.unwrap();
    assert_eq!(
        (difference.students.added, difference.groups.added, difference.classes.added),
        (1_000, 24, 40)
    );
    assert!(writer.apply(&rows, Completeness::Whole, Commit::Yes).await.unwrap().is_empty());
    assert_eq!(writer.groups_without_gid().await.unwrap().len(), 24);
    assert_eq!(writer.students_without_uid().await.unwrap().len(), 1_000);
    assert!(rows.students.iter().all(|student| student.classin_uid == CellValue::Nothing));
}
