//! Both ways of passing the roster come to the same, whatever stands in it; and whatever a text cannot tell is read row
//! by row.

mod world;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::RandomState;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

use self::world::{Ids, Known, Linked, Listed, Schema, World, converged, world};
use super::{Compared, DueGroups, Passed, Terms, by_row, by_text};
use crate::store::{Odd, PackSizes, RosterDatabase, RosterRow, StateStore, UnpackedLinks};
use rosterd_core::exam_plan::{
    Diff, GroupBook, Listing, MappedField, Mapping, MemoryKey, Observed, ObservedBuilder, RunHasher,
    SharedLogins,
};
use rosterd_core::roster::{FieldId, IdLikeness, RunId, Sid, StudentId};

const COLUMNS: [(&str, i64); 5] = [("name", 1), ("phone", 4), ("email", 5), ("login", 6), ("password", 10)];
const LOGIN_AT: usize = 3;
const MAIL: FieldId = FieldId(5);
const PASSWORD: FieldId = FieldId(10);

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn execute(path: &Path, statements: String) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Our own database, for one world after another.
struct Bench {
    folder: TempDir,
    state: StateStore,
    key: MemoryKey,
}

/// What both ways came to.
struct Both {
    by_text: Passed,
    by_row: Diff,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = StateStore::open(&folder.path().join("state.db")).await.unwrap();
        Self { folder, state, key: MemoryKey::new([3; 32]) }
    }

    /// Passes a roster in both ways; `None` where it cannot be read at all.
    async fn both(&self, world: &World) -> Option<Both> {
        let path: PathBuf = self.folder.path().join("roster.db");
        let _absent = std::fs::remove_file(&path);
        execute(&path, world.statements()).await;
        let columns = COLUMNS.map(|(column, _)| column.to_owned());
        let state = self.folder.path().join("state.db");
        let database = RosterDatabase::open(&path, &world.queries(), &columns, &state).await.unwrap();
        let rows = read(&database).await?;
        execute(&state, self.links(world, &rows)).await;
        let observed = listing(world, &rows);
        let mapped = |(column, id): (&str, i64)| MappedField { column: column.to_owned(), id: FieldId(id) };
        let mapping = Mapping::new(COLUMNS.map(mapped).to_vec(), FieldId(6)).unwrap();
        let mut due = DueGroups::default();
        let mut asked_about = HashSet::new();
        match world.known {
            Known::Nothing => {}
            Known::FirstGone => drop(due.gone.insert(Sid(1))),
            Known::FirstUnlisted => drop(due.unlisted.insert(Sid(1))),
            Known::FirstLookedUp => drop(due.groups.insert(Sid(1), BTreeSet::new())),
            Known::FirstAskedAbout => {
                asked_about.insert(IdLikeness::of(&StudentId::new(world.id(0).to_lowercase())));
            }
        }
        let mut snapshot = database.snapshot().await.unwrap();
        let (groups, _) = snapshot.groups().await.unwrap();
        let groups = GroupBook::new(groups, None);
        let terms = Terms {
            state: &self.state,
            reading: Compared { mapping: &mapping, observed: &observed, key: &self.key },
            groups: &groups,
            due: &due,
            asked_about: &asked_about,
            last_complete: RunId(0),
            least: 0,
        };
        let by_text = match database.snapshot_as_it_stands().await.unwrap() {
            Some(mut stands) => {
                let mut passed = by_text::pass(&terms, &mut stands).await;
                if let Ok(Passed::Whole(before, _, unpacked)) = &passed {
                    self.state
                        .pack_links_by(unpacked, PackSizes { pack: 2, least: 1, altogether: 1 })
                        .await
                        .unwrap();
                    let packed = by_text::pass(&terms, &mut stands).await;
                    let Ok(Passed::Whole(after, _, left)) = &packed else { panic!("odd once it is packed") };
                    assert_eq!((after, left.links()), (before, 0));
                    passed = packed;
                }
                stands.close().await.unwrap();
                passed
            }
            None => Ok(Passed::Odd(Odd::Id)),
        };
        let by_row = by_row::pass(&terms, &mut snapshot, SharedLogins::default()).await;
        // A link that cannot be read ends both.
        let Ok(by_text) = by_text else {
            assert!(by_row.is_err(), "only by text it cannot be read");
            return None;
        };
        let by_text = match by_text {
            // Made again with what was found, as a run does.
            Passed::Shared(found) => {
                let (diff, certificate) = by_row::pass(&terms, &mut snapshot, found).await.unwrap();
                Passed::Whole(Box::new(diff), certificate, UnpackedLinks::default())
            }
            passed @ (Passed::Whole(..) | Passed::Odd(_)) => passed,
        };
        snapshot.close().await.unwrap();
        database.close().await;
        match by_row {
            Ok((by_row, _)) => Some(Both { by_text, by_row }),
            Err(_) => {
                assert!(!matches!(by_text, Passed::Whole(..)), "only row by row it cannot be read");
                None
            }
        }
    }

    /// The statements that make the links.
    fn links(&self, world: &World, rows: &BTreeMap<String, RosterRow>) -> String {
        let mut sql = "DELETE FROM links;".to_owned();
        for (at, person) in world.people.iter().enumerate().filter(|(_, it)| it.linked != Linked::Not) {
            let id = world.id(at);
            let values = rows.get(&id).map(|row| row.student.values.clone());
            let values = values.unwrap_or_else(|| vec!["x".to_owned(); COLUMNS.len()]);
            let is = |linked| person.linked == linked;
            let login = if is(Linked::OtherLogin) { format!("old{at}") } else { values[LOGIN_AT].clone() };
            let password = if is(Linked::OtherPassword) { "another" } else { &values[4] };
            let mail = if is(Linked::OtherMail) { "another" } else { &values[2] };
            let mut confirmed = String::new();
            for (field, value) in [(MAIL, mail), (PASSWORD, password)] {
                let fingerprint = self.key.value(field, value).0.to_le_bytes();
                for byte in field.0.to_le_bytes().into_iter().chain(fingerprint) {
                    confirmed.push_str(&format!("{byte:02x}"));
                }
            }
            if is(Linked::NothingConfirmed) {
                confirmed.clear();
            }
            let gids: Vec<&str> = person
                .groups
                .iter()
                .filter_map(|code| match *code {
                    "A" => Some("1"),
                    "B" => Some("2"),
                    _ => None,
                })
                .collect();
            let as_wanted = format!("'[{}]'", gids.join(","));
            let gids = [
                (Linked::OtherGroups, "'[2,77]'"),
                (Linked::GroupsUnknown, "NULL"),
                (Linked::SpoiltGroups, "'[1,'"),
            ];
            let gids =
                gids.iter().find(|(linked, _)| is(*linked)).map_or(as_wanted.as_str(), |(_, gids)| gids);
            let gone = if is(Linked::Gone) { "5" } else { "NULL" };
            let rewritten = if is(Linked::Rewritten) { "[4]" } else { "[]" };
            let twice = if is(Linked::SentTwice) { "{\"4\":0}" } else { "{}" };
            sql.push_str(&format!(
                "INSERT INTO links (student_id, sid, login_value, origin, confirmed, written_run, gids, groups_due_at_ms, \
                 gone_since_ms, linked_at_ms, rewritten, sent_twice) VALUES ('{id}', {}, '{login}', 'added', \
                 x'{confirmed}', 0, {gids}, 0, {gone}, 0, '{rewritten}', '{twice}');",
                at + 1
            ));
        }
        sql
    }
}

/// Everybody on the roster, as a reading row by row has them.
async fn read(database: &RosterDatabase) -> Option<BTreeMap<String, RosterRow>> {
    let mut snapshot = database.snapshot().await.unwrap();
    let mut students = snapshot.students().await.unwrap();
    let mut rows = BTreeMap::new();
    while let Some(row) = students.next().await.ok()? {
        rows.insert(row.student.id.as_str().to_owned(), row);
    }
    drop(students);
    snapshot.close().await.unwrap();
    Some(rows)
}

fn listing(world: &World, rows: &BTreeMap<String, RosterRow>) -> Observed {
    let ids = COLUMNS.map(|(_, id)| FieldId(id)).to_vec();
    let mut builder = ObservedBuilder::new(RunHasher::new(RandomState::new()), ids, 0);
    for (at, person) in world.people.iter().enumerate().filter(|(_, it)| it.listed != Listed::Not) {
        let Some(row) = rows.get(&world.id(at)) else { continue };
        let fields: Vec<(FieldId, String)> = COLUMNS
            .iter()
            .zip(&row.student.values)
            .filter(|((column, _), _)| *column != "password" && !(world.hides_mail && *column == "email"))
            .map(|((column, id), value)| {
                let other = (*column == "phone" && person.listed == Listed::OtherPhone)
                    || (*column == "name" && person.listed == Listed::OtherName);
                (FieldId(*id), if other { "another".to_owned() } else { value.clone() })
            })
            .collect();
        let login = &row.student.values[LOGIN_AT];
        builder.row(login, &fields);
        if person.listed == Listed::Twice {
            builder.row(&format!(" {login} "), &fields);
        }
    }
    builder.row("nobody's", &[]);
    match builder.close() {
        Listing::Complete(observed, _) | Listing::Doubtful(observed, _) => observed,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn by_text_and_row_by_row_every_roster_comes_to_the_same() {
    let runtime = runtime();
    let bench = runtime.block_on(Bench::new());
    let (whole, odd) = (AtomicU32::new(0), AtomicU32::new(0));
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(160) });
    let outcome = runner.run(&world(), |world| {
        let Some(Both { by_text, by_row }) = runtime.block_on(bench.both(&world)) else { return Ok(()) };
        match by_text {
            Passed::Whole(by_text, ..) => {
                whole.fetch_add(1, Ordering::Relaxed);
                prop_assert_eq!(*by_text, by_row);
            }
            Passed::Shared(_) | Passed::Odd(_) => {
                odd.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    });
    outcome.unwrap();
    let (whole, odd) = (whole.into_inner(), odd.into_inner());
    assert!(whole > 60 && odd > 3, "{whole} by text, {odd} row by row");
}

#[test]
fn a_roster_in_which_everybody_is_as_wanted_leaves_nothing_to_pair() {
    let runtime = runtime();
    let bench = runtime.block_on(Bench::new());
    for schema in [Schema::Ours, Schema::OwnQueries] {
        for spoilt in [
            "",
            // What a text tells as well as a row does.
            "UPDATE students SET phone = 13800000001 WHERE student_id = 'S01'",
            "UPDATE students SET phone = 'a' || char(0) || 'b' WHERE student_id = 'S01'",
            "UPDATE students SET phone = '3.50' WHERE student_id = 'S01'",
            "UPDATE students SET active = 'yes' WHERE student_id = 'S01'",
            "DELETE FROM group_members WHERE student_id = 'S01' AND group_code = 'B'; UPDATE groups SET gid = 1 WHERE group_code = 'B'",
        ] {
            let both = runtime.block_on(bench.both(&converged(schema, spoilt))).unwrap();
            let Passed::Whole(diff, ..) = both.by_text else { panic!("{schema:?} {spoilt}: odd") };
            assert_eq!(*diff, both.by_row, "{schema:?} {spoilt}");
            assert_eq!((diff.rows, diff.students, diff.managed, diff.linked), (4, 4, 4, 4));
            if spoilt.is_empty() {
                assert!(diff.differences.is_empty(), "{schema:?}");
            }
        }
    }
}

#[test]
fn what_a_text_cannot_tell_is_read_row_by_row() {
    let runtime = runtime();
    let bench = runtime.block_on(Bench::new());
    let both_schemas = [Schema::Ours, Schema::OwnQueries];
    let table: [(&str, &[Schema], &'static str, Odd); 19] = [
        (
            "a separator in a value",
            &both_schemas,
            "UPDATE students SET phone = 'a' || char(31) || 'b' WHERE student_id = 'S01'",
            Odd::Value,
        ),
        (
            "a separator in the last value",
            &both_schemas,
            "UPDATE students SET password = char(31) WHERE student_id = 'S03'",
            Odd::Value,
        ),
        (
            "a separator in a code",
            &both_schemas,
            "UPDATE group_members SET group_code = 'B' || char(31) WHERE student_id = 'S01' AND group_code = 'B'",
            Odd::Value,
        ),
        (
            "binary data",
            &both_schemas,
            "UPDATE students SET phone = x'31' WHERE student_id = 'S01'",
            Odd::Value,
        ),
        (
            "a floating-point number",
            &[Schema::OwnQueries],
            "UPDATE students SET phone = 13800000001.0 WHERE student_id = 'S01'",
            Odd::Spoilt,
        ),
        (
            "a binary id",
            &both_schemas,
            "UPDATE students SET student_id = CAST(student_id AS BLOB) WHERE student_id = 'S03'",
            Odd::Value,
        ),
        (
            "a floating-point id",
            &[Schema::OwnQueries],
            "INSERT INTO students (student_id, name, login) VALUES (7.5, 'x', 'x')",
            Odd::Value,
        ),
        (
            "bytes that are no text",
            &both_schemas,
            "UPDATE students SET phone = CAST(x'61ff' AS TEXT) WHERE student_id = 'S01'",
            Odd::Unreadable,
        ),
        (
            "the sign for such bytes",
            &both_schemas,
            "UPDATE students SET phone = 'a\u{fffd}' WHERE student_id = 'S01'",
            Odd::Unreadable,
        ),
        (
            "a blank around an id",
            &both_schemas,
            "UPDATE students SET student_id = ' S01' WHERE student_id = 'S01'",
            Odd::Id,
        ),
        (
            "an invisible sign in an id",
            &both_schemas,
            "UPDATE students SET student_id = 'S01\u{200b}' WHERE student_id = 'S01'",
            Odd::Id,
        ),
        (
            "an id like a spoilt number",
            &both_schemas,
            "UPDATE students SET student_id = '7.0' WHERE student_id = 'S01'",
            Odd::Id,
        ),
        (
            "an empty id",
            &both_schemas,
            "INSERT INTO students (student_id, name, login) VALUES ('', 'x', 'x')",
            Odd::Id,
        ),
        (
            "a blank around a code",
            &both_schemas,
            "UPDATE group_members SET group_code = 'B ' WHERE student_id = 'S01' AND group_code = 'B'",
            Odd::Id,
        ),
        (
            "a blank around the code of a group",
            &both_schemas,
            "UPDATE groups SET group_code = ' C'  WHERE group_code = 'C'",
            Odd::Id,
        ),
        (
            "a row without an id",
            &both_schemas,
            "INSERT INTO students (student_id, name, login) VALUES (NULL, 'x', 'x')",
            Odd::Rows,
        ),
        (
            "a member who is not there",
            &both_schemas,
            "INSERT INTO group_members VALUES ('S99', 'A')",
            Odd::Rows,
        ),
        (
            "a membership without a group",
            &both_schemas,
            "INSERT INTO group_members VALUES ('S01', NULL)",
            Odd::Rows,
        ),
        (
            "a student who comes twice",
            &[Schema::OwnQueries],
            "INSERT INTO students SELECT * FROM students WHERE student_id = 'S01'",
            Odd::Rows,
        ),
    ];
    for (name, schemas, spoilt, odd) in table {
        for schema in schemas {
            let both = runtime.block_on(bench.both(&converged(*schema, spoilt)));
            let by_text = both.map(|both| both.by_text);
            let found = match by_text {
                Some(Passed::Odd(found)) => Some(found),
                Some(Passed::Whole(..) | Passed::Shared(_)) | None => None,
            };
            assert_eq!(found, Some(odd), "{schema:?}: {name}");
        }
    }
}

#[test]
fn a_member_joined_by_another_spelling_is_read_row_by_row() {
    let runtime = runtime();
    let bench = runtime.block_on(Bench::new());
    let world = converged(
        Schema::OwnQueries,
        "DROP TABLE group_members; CREATE TABLE group_members (student_id COLLATE NOCASE, group_code); \
         INSERT INTO group_members VALUES ('s00', 'A'), ('S01', 'A'), ('S02', 'A'), ('S03', 'A')",
    );
    let both = runtime.block_on(bench.both(&world)).unwrap();
    assert!(matches!(both.by_text, Passed::Odd(Odd::Id)));
}

#[test]
fn numbers_of_other_lengths_come_in_another_order_and_are_read_row_by_row() {
    let runtime = runtime();
    let bench = runtime.block_on(Bench::new());
    let mut world = converged(Schema::OwnQueries, "");
    world.people.extend(world.people.clone());
    for (ids, is_odd) in [(Ids::Number, false), (Ids::ShortNumber, true)] {
        world.ids = ids;
        let both = runtime.block_on(bench.both(&world)).unwrap();
        assert_eq!(matches!(both.by_text, Passed::Odd(Odd::Order)), is_odd, "{ids:?}");
    }
}
