//! From every earlier version, with rows in every table, to this one: what each row meant is kept, also where the
//! upgrade is killed in the midst of any of its steps. A new migration joins by itself; what it stores needs a row here.

use std::path::Path;

use rosterd::StateStore;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{ROWS, columns_of, made_by_version, migrate_to, raw, shipped};

/// By the number of the migration: a row in each table and of each kind that it made possible.
const ADDED: &[(&str, &str)] = &[
    (
        "0001",
        "INSERT INTO links (student_id, sid, login_value, origin, confirmed, written_run, gids, groups_due_at_ms,
             gone_since_ms, gone_runs, linked_at_ms)
             VALUES ('left', 2, 'login-left', 'adopted', x'', 1, '[4]', 0, 5, 2, 0);
         INSERT INTO enrolments (uid, course_id, class_id, student_id, evidence, changed_at_ms, run_id)
             VALUES (12, 2, 6, 'b', 'present', 50, 1), (13, 1, 5, 'c', 'unknown', 300, 1);",
    ),
    (
        "0005",
        "INSERT INTO failures (service, kind, student_id, class_code, state, call, code, message, attempts,
             first_failed_at_ms, last_failed_at_ms, due_at_ms, want, run_id, contact)
             VALUES ('classin', 'enrol', 'of a contact', 'c1', 'dead', 'x', '228', 'm', 2, 1, 2, 3, 4, 1, 77);",
    ),
    (
        "0007",
        "INSERT INTO counted_writes VALUES ('exam', 'modify', 'm', 'login-change', '', 7, 0, 1, 0),
             ('exam', 'move', 'm', 'left', '4', 7, 1, 1, 1);",
    ),
    (
        "0008",
        "INSERT INTO failures (service, kind, student_id, state, call, code, message, attempts, first_failed_at_ms,
             last_failed_at_ms, due_at_ms, want, run_id, is_standing)
             VALUES ('exam', 'delete', 'asked about', 'held', '', 'same-person', 'm', 0, 1, 2, 3, 4, 1, 1);
         INSERT INTO holds VALUES ('h', 'exam', 'max-delete', 0, 'm', 3, 2, 5, 6, 1);
         INSERT INTO hold_digests VALUES ('digest', 'h', 6);
         INSERT INTO held_operations VALUES ('h', 'exam', 'delete', 'e', '', 9, 1);
         INSERT INTO approvals VALUES ('exam', 'delete', 'asked about', '', 4, 'same-person', 1, 7, 8);",
    ),
    ("0009", "INSERT INTO service_accounts VALUES ('exam', -3, 'api.example.org', 5);"),
    (
        "0010",
        "INSERT INTO roster_rows (table_name, row_key, message, state, first_seen_ms)
             VALUES ('group_members', 'k', 'm', 'ignored', 5);",
    ),
    (
        "0012",
        "UPDATE links SET renamed_at_ms = 6 WHERE student_id = 'left';
         INSERT INTO roster_groups VALUES (40, 'g40', 'title', 5, 6, 0, 1);",
    ),
    (
        "0013",
        "INSERT INTO intents (service, kind, student_id, run_id, batch, want, login_value, sent_at_ms, sent)
             VALUES ('exam', 'add', 'n', 1, 3, -6, 'login-n', 9, x'0a0b');",
    ),
    (
        "0014",
        "INSERT INTO repeated_logins VALUES (-8, 2);
         INSERT INTO unlisted_candidates VALUES (7, 2, 5);",
    ),
    (
        "0020",
        "INSERT INTO results (account, eid, sid, started_at_ms, first_pass, first_seen_at_ms, changed_at_ms)
             VALUES (1, 1, 1, 5, 1, 6, 6);
         INSERT INTO result_owners VALUES (9, 'g', 1);",
    ),
    (
        "0017",
        "UPDATE accounts SET obtained_by = 'register', obtained_code = 135, obtained_at_ms = 5, refused = 886,
             found_anew = -4 WHERE student_id = 'z';
         UPDATE full_classes SET class_code = 'c3', waiting = 2;",
    ),
    (
        "0022",
        "INSERT INTO accepted_contacts VALUES ('z', -5, 6);
         UPDATE enrolments SET was_presumed = 1 WHERE student_id = 'c';",
    ),
    ("0051", "UPDATE held_masses SET size = 9;"),
    ("0052", "INSERT INTO asked_pairs VALUES ('m', 'n', 0, 7);"),
    ("0054", "UPDATE asked_pairs SET were_alike = 1, newcomer_row = x'0100000000000000ff00000000000000';"),
    ("0055", "INSERT INTO wanted_logins VALUES ('m', -7, 8);"),
    ("0058", "INSERT INTO packed_links VALUES ('a', 'b', 2, '5', 'texts');"),
    ("0044", "INSERT INTO held_masses VALUES ('exam', 'modify', 'm', '', 7, 0, 'max-group', 4, 80, 1, 9);"),
    ("0030", "INSERT INTO standing_answers VALUES ('n', -6, 2, 9, '[[7,[[4],\"a\",null]]]', '[[\"a\",[7,[4]]]]');"),
    (
        "0029",
        "INSERT INTO results (eid, sid, started_at_ms, untimed, tid, first_pass, first_seen_at_ms, changed_at_ms)
             VALUES (7, 8, 9, 'twin', 'twin', 1, 2, 3);
         INSERT INTO unreadable_results VALUES (-9, 4, 1);
         UPDATE result_passes SET failed_at = 99, failures = 1;",
    ),
    ("0028", "UPDATE result_owners SET gone_at_ms = 8;"),
    (
        "0042",
        "INSERT INTO told_incidents VALUES ('health', 'failing', 'outage exam', 5);
         INSERT INTO notifications VALUES (1, 'mail', '{}', 5, 2, 6, 'no answer');",
    ),
    (
        "0026",
        "UPDATE failures SET service_attempts = 3, is_service_fault = 1 WHERE student_id = 'of a contact';",
    ),
    (
        "0025",
        "INSERT INTO runs (trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code, is_good)
             VALUES ('schedule', 'observe', 5, 6, 'observed', 0, 1), ('signal', 'sync', 7, 8, 'interrupted', 143, 0);",
    ),
    ("0046", "INSERT INTO unreadable_results VALUES (-10, 4, 1, 1, 0, 17);"),
    ("0045", "UPDATE enrolments SET unwanted_since_ms = 9 WHERE student_id = 'b';"),
    ("0037", "INSERT INTO roster_class_ids VALUES ('c1', 1, 5);"),
    ("0047", "UPDATE roster_class_ids SET is_kept = 1;"),
    ("0061", "INSERT INTO class_names VALUES (1, 5, 'c1', 'Class 1');"),
    ("0060", "UPDATE enrolments SET put_back = 'owed' WHERE student_id = 'b';"),
    ("0048", "INSERT INTO student_changes VALUES ('m', 5, 'exam', 'modify', '', 7, 'name');"),
];

/// What the rows of a table mean elsewhere, or otherwise, from a migration on: a question before the upgrade, and the one
/// that is answered alike after it.
struct Moved {
    table: &'static str,
    /// The number of the migration.
    by: usize,
    /// Whether the rows are kept as they are, too.
    is_kept: bool,
    before: &'static str,
    after: &'static str,
}

const MOVED: &[Moved] = &[
    Moved {
        table: "enrolments",
        by: 2,
        is_kept: false,
        before: "SELECT json_array(uid, course_id, class_id, student_id, iif(course_id = 2, 'condemned', evidence), \
                 changed_at_ms) FROM enrolments ORDER BY 1",
        after: "SELECT json_array(uid, course_id, class_id, student_id, evidence, changed_at_ms) FROM enrolments \
                ORDER BY 1",
    },
    Moved {
        table: "enrolments",
        by: 2,
        is_kept: false,
        before: "SELECT json_array(student_id, uid) FROM enrolments WHERE evidence <> 'unknown' ORDER BY 1",
        after: "SELECT json_array(student_id, uid) FROM accounts ORDER BY 1",
    },
    Moved {
        table: "failures",
        by: 5,
        is_kept: true,
        before: "SELECT json_array(failure_id, service = 'classin' AND state <> 'resolved', NULL) FROM failures \
                 ORDER BY 1",
        after: "SELECT json_array(failure_id, contact_form <> 'apart', contact) FROM failures ORDER BY 1",
    },
    Moved {
        table: "departures",
        by: 7,
        is_kept: false,
        before: "SELECT json_array(service, student_id, at_ms, approved) FROM departures ORDER BY 1",
        after: "SELECT json_array(service, student_id, at_ms, approved) FROM counted_writes \
                WHERE kind IN ('dismissal', 'removal') AND is_settled ORDER BY 1",
    },
    Moved {
        table: "failures",
        by: 8,
        is_kept: true,
        before: "SELECT json_array(failure_id, 0) FROM failures ORDER BY 1",
        after: "SELECT json_array(failure_id, is_standing) FROM failures ORDER BY 1",
    },
    Moved {
        table: "held_operations",
        by: 8,
        is_kept: false,
        before: "SELECT json_array(service, kind, student_id, class_code, want, approved_until_ms) \
                 FROM held_operations WHERE approved_until_ms IS NOT NULL ORDER BY 1",
        after: "SELECT json_array(service, kind, student_id, class_code, want, until_ms) FROM approvals ORDER BY 1",
    },
    Moved {
        table: "facts",
        by: 12,
        is_kept: false,
        before: "SELECT json_array(name, hex(value)) FROM facts \
                 UNION SELECT json_array('exam.left_to_others', hex('unknown')) ORDER BY 1",
        after: "SELECT json_array(name, hex(value)) FROM facts ORDER BY 1",
    },
    Moved {
        table: "known_groups",
        by: 12,
        is_kept: true,
        before: "SELECT json_array(gid, group_code) FROM known_groups ORDER BY 1",
        after: "SELECT json_array(gid, group_code) FROM roster_groups ORDER BY 1",
    },
];

/// A database as this version left it, with rows in every table.
pub(super) async fn full(path: &Path, version: usize) {
    let rows = shipped().into_iter().enumerate().map(|(at, name)| {
        let more = ADDED.iter().filter(|(number, _)| name.starts_with(number)).map(|(_, rows)| *rows);
        ROWS.get(at).copied().into_iter().chain(more).collect()
    });
    let rows: Vec<String> = rows.collect();
    made_by_version(path, version, &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn ask(connection: &mut SqliteConnection, question: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(question.to_owned())).fetch_all(connection).await.unwrap()
}

/// Questions, each with the answer that it must have after the upgrade.
async fn promised(path: &Path, version: usize) -> Vec<(String, Vec<String>)> {
    let newest: usize = shipped()[version - 1][..4].parse().unwrap();
    let mut connection = raw(path).await;
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
                  AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let mut promised = Vec::new();
    for table in ask(&mut connection, tables).await {
        let columns = columns_of(&mut connection, &table).await;
        let columns: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let all = format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || ',' || "));
        let rows = ask(&mut connection, &all).await;
        assert!(!rows.is_empty(), "version {version}: no row of {table}, so nobody sees whether it is kept");
        let moved = MOVED.iter().filter(|moved| moved.table == table && newest < moved.by);
        if moved.clone().all(|moved| moved.is_kept) {
            promised.push((all, rows));
        }
        for Moved { before, after, .. } in moved {
            let rows = ask(&mut connection, before).await;
            assert!(!rows.is_empty(), "version {version}: {before}");
            promised.push(((*after).to_owned(), rows));
        }
    }
    connection.close().await.unwrap();
    promised
}

/// Opens the state with this version, and asks.
async fn assert_kept(path: &Path, promised: &[(String, Vec<String>)], what: &str) {
    StateStore::open(path).await.unwrap().close().await;
    let mut connection = raw(path).await;
    for (question, answer) in promised {
        assert_eq!(ask(&mut connection, question).await, *answer, "{what}: {question}");
    }
    let broken = ask(&mut connection, "SELECT \"table\" FROM pragma_foreign_key_check").await;
    assert_eq!(broken, Vec::<String>::new(), "{what}");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn from_every_version_every_row_keeps_its_meaning() {
    for version in 1..=shipped().len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        full(&path, version).await;
        let promised = promised(&path, version).await;
        assert_kept(&path, &promised, &format!("from version {version}")).await;
    }
}

/// The statements of a migration. One ends with the line that ends with a semicolon, a trigger with the line `END;`.
fn statements(script: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    for line in script.lines().filter(|line| !line.trim_start().starts_with("--")) {
        let statement = statements.last_mut().unwrap();
        statement.push_str(line);
        statement.push('\n');
        let is_trigger = statement.trim_start().starts_with("CREATE TRIGGER");
        if line.trim_end().ends_with(if is_trigger { "END;" } else { ";" }) {
            statements.push(String::new());
        }
    }
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

/// What is on the disk when a process is killed that has made so many statements of a migration and no commit.
async fn killed_within(path: &Path, statements: &[String]) {
    let mut connection = raw(path).await;
    // So little memory that uncommitted pages reach the disk.
    let begin = "PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; BEGIN IMMEDIATE;";
    sqlx::raw_sql(begin).execute(&mut connection).await.unwrap();
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection).await.unwrap();
    }
    let parts = ["", "-wal", "-shm"].map(|suffix| format!("{}{suffix}", path.display()));
    for part in &parts {
        std::fs::copy(part, format!("{part}.killed")).unwrap();
    }
    drop(connection.close().await);
    for part in &parts {
        std::fs::rename(format!("{part}.killed"), part).unwrap();
    }
}

#[tokio::test]
async fn from_every_version_an_upgrade_killed_in_any_migration_goes_on_and_keeps_every_row() {
    let names = shipped();
    let folder = tempfile::tempdir().unwrap();
    let (path, victim) = (folder.path().join("state.db"), folder.path().join("killed.db"));
    for version in 1..names.len() {
        let _absent = std::fs::remove_file(&path);
        full(&path, version).await;
        let promised = promised(&path, version).await;
        for (at, name) in names.iter().enumerate().skip(version) {
            migrate_to(&path, at).await;
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/state").join(name);
            let statements = statements(&std::fs::read_to_string(script).unwrap());
            // Each statement of the next migration; of those after it the moment before the commit, as nothing that
            // came before is left to do.
            let first = if at == version { 0 } else { statements.len() };
            for done in first..=statements.len() {
                for suffix in ["", "-wal", "-shm"] {
                    let _absent = std::fs::remove_file(format!("{}{suffix}", victim.display()));
                }
                std::fs::copy(&path, &victim).unwrap();
                killed_within(&victim, &statements[..done]).await;
                let what = format!("from version {version}, killed in {name} after {done} statements");
                let mut connection = raw(&victim).await;
                let applied = ask(&mut connection, "SELECT description FROM _sqlx_migrations").await;
                connection.close().await.unwrap();
                assert_eq!(applied.len(), at, "{what}: a half migration never was");
                assert_kept(&victim, &promised, &what).await;
            }
        }
    }
}
