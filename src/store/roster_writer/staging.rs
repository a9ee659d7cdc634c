//! Rows of an import, put aside in `SQLite`'s temporary database before anything is decided: on disk, seen by
//! this connection alone, gone with it. So memory stays flat however many rows there are.

use std::collections::BTreeSet;

use sqlx::pool::PoolConnection;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::RosterWriteError;
use rosterd_import::{CellValue, ClassRow, GroupRow, Item, LocatedRow, Person, RosterTable, StudentRow};

/// The number of rows in one INSERT; more bring no more speed.
const ROWS_PER_INSERT: usize = 500;
/// Values of one statement, below `SQLite`'s limit of 32,766.
const VALUES_PER_INSERT: usize = 30_000;

/// Every temporary table of an import.
const TABLES: [&str; 38] = [
    "folded_groups",
    "folded_classes",
    "known_phones",
    "odd",
    "respelt",
    "staged_students",
    "staged_groups",
    "staged_classes",
    "staged_group_members",
    "staged_class_members",
    "staged_others",
    "staged_roles",
    "staged_gone",
    "staged_only",
    "staged_columns",
    "staged_doubts",
    "staged_short",
    "doubled_students_key",
    "doubled_students_ref",
    "doubled_groups_key",
    "doubled_classes_key",
    "doubled_owners",
    "code_parts",
    "code_judged",
    "known_students",
    "known_groups",
    "known_classes",
    "known_refs",
    "known_short",
    "compared_students",
    "compared_groups",
    "compared_classes",
    "wanted_group_members",
    "wanted_class_members",
    "present_group_members",
    "present_class_members",
    "removed_group_members",
    "removed_class_members",
];
/// Columns before the values in tables with a key of one column.
const KEYED_HEAD: &str = "n INTEGER PRIMARY KEY, file INTEGER NOT NULL, line INTEGER NOT NULL, good INTEGER NOT NULL, key TEXT NOT NULL";
const MEMBERS: &str =
    "(n INTEGER PRIMARY KEY, file INTEGER NOT NULL, line INTEGER NOT NULL, good INTEGER NOT NULL,
     ref TEXT NOT NULL, key TEXT, code TEXT NOT NULL, departs INTEGER NOT NULL)";

/// One table with a key of one column, and the rows staged for it. The values are in typeless columns `v0`,
/// `v1` and so on: NULL where the files say nothing, an empty text where they clear.
#[derive(Debug)]
pub(super) struct KeyedTable {
    pub(super) table: RosterTable,
    /// The names of the columns, by the number of their value.
    pub(super) columns: Vec<String>,
    /// Columns that some row says something about.
    pub(super) given: BTreeSet<usize>,
}

impl KeyedTable {
    fn new(table: RosterTable) -> Self {
        let own = table.columns().get(1..).unwrap_or_default();
        Self { table, columns: own.iter().map(|&name| name.to_owned()).collect(), given: BTreeSet::new() }
    }

    /// The name of the key's column.
    pub(super) fn key(&self) -> &'static str {
        self.table.columns().first().copied().unwrap_or_default()
    }

    /// Columns that are compared, with the numbers of their values: those that some row gives, and what every
    /// student has.
    pub(super) fn compared(&self) -> Vec<(usize, &str)> {
        let always = |name: &str| self.table == RosterTable::Students && matches!(name, "name" | "active");
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(at, name)| self.given.contains(at) || always(name))
            .map(|(at, name)| (at, name.as_str()))
            .collect()
    }
}

/// An import under way.
#[derive(Debug)]
pub struct Staging {
    pub(super) connection: PoolConnection<Sqlite>,
    /// The database has no tables yet.
    pub(super) is_empty: bool,
    /// The roster before the import is kept, in a database that is attached.
    pub(super) keeps: bool,
    pub(super) students: KeyedTable,
    pub(super) groups: KeyedTable,
    pub(super) classes: KeyedTable,
    /// A group or class in a student's own row replaces all that the student had.
    pub(super) replaces_all: bool,
    /// An id may go from one known person to another.
    pub(super) reassigns: bool,
    /// A preview shows values.
    pub(super) reveals: bool,
}

impl Staging {
    pub(super) async fn new(
        mut connection: PoolConnection<Sqlite>,
        is_empty: bool,
    ) -> Result<Self, RosterWriteError> {
        let tables = [RosterTable::Students, RosterTable::Groups, RosterTable::Classes].map(KeyedTable::new);
        for statement in statements(&tables) {
            run(&mut connection, statement).await?;
        }
        let [students, groups, classes] = tables;
        Ok(Self {
            connection,
            is_empty,
            keeps: false,
            students,
            groups,
            classes,
            replaces_all: false,
            reassigns: false,
            reveals: false,
        })
    }

    /// Whether a group or class in a student's own row replaces all that the student had, or only a single one.
    pub fn replace_groups(&mut self, all: bool) {
        self.replaces_all = all;
    }

    /// Whether an id may go from one person whom the roster knows to another.
    pub fn reassign_ids(&mut self, may: bool) {
        self.reassigns = may;
    }

    /// Whether a preview shows the values of the rows that it names: they are personal data.
    pub fn reveal(&mut self, values: bool) {
        self.reveals = values;
    }

    /// Puts rows aside. A student whom a row names is there unless the row says otherwise.
    ///
    /// # Errors
    /// Failures of the database, such as a full disk.
    pub async fn put(&mut self, lot: Vec<LocatedRow>) -> Result<(), RosterWriteError> {
        let mut sorted = Sorted::default();
        for placed in lot {
            sorted.take(placed);
        }
        let Sorted {
            students,
            groups,
            classes,
            group_members,
            class_members,
            others,
            roles,
            gone,
            only,
            columns,
            doubts,
        } = sorted;
        let names = students.iter().flat_map(|row| row.names.iter().map(|(name, _)| name));
        let new: BTreeSet<&String> = names.filter(|name| !self.students.columns.contains(*name)).collect();
        for name in new {
            let number = self.students.columns.len();
            run(&mut self.connection, format!("ALTER TABLE temp.staged_students ADD COLUMN v{number}"))
                .await?;
            self.students.columns.push(name.clone());
        }
        let connection = &mut *self.connection;
        put_keyed(connection, &mut self.students, "ref, departs, needs_role", &students).await?;
        put_keyed(connection, &mut self.groups, "made_up", &groups).await?;
        put_keyed(connection, &mut self.classes, "made_up", &classes).await?;
        put_members(connection, "staged_group_members", &group_members).await?;
        put_members(connection, "staged_class_members", &class_members).await?;
        put_texts(connection, "staged_others (ref)", &others).await?;
        put_texts(connection, "staged_roles (ref)", &roles).await?;
        put_texts(connection, "staged_gone (owner, code)", &gone).await?;
        put_texts(connection, "staged_only (ref, prefix)", &only).await?;
        put_texts(connection, "staged_columns (members, ref, code, own)", &columns).await?;
        put_texts(connection, "staged_doubts (ref, message)", &doubts).await
    }
}

/// Tables of an earlier import on this connection go, and those of this one come.
fn statements(tables: &[KeyedTable]) -> Vec<String> {
    let mut statements =
        vec!["PRAGMA temp_store = FILE".to_owned(), "PRAGMA temp.cache_size = -8192".to_owned()];
    for name in TABLES {
        statements.push(format!("DROP TABLE IF EXISTS temp.{name}"));
    }
    for KeyedTable { table, columns, .. } in tables {
        let values: Vec<String> = (0..columns.len()).map(|at| format!(", v{at}")).collect();
        let extra = match table {
            RosterTable::Students => {
                ", ref TEXT NOT NULL, departs INTEGER NOT NULL, needs_role INTEGER NOT NULL"
            }
            RosterTable::Groups
            | RosterTable::Classes
            | RosterTable::GroupMembers
            | RosterTable::ClassMembers => ", made_up INTEGER NOT NULL",
        };
        statements.push(format!("CREATE TEMP TABLE staged_{table} ({KEYED_HEAD}{extra}{})", values.concat()));
    }
    for name in ["group_members", "class_members"] {
        statements.push(format!("CREATE TEMP TABLE staged_{name} {MEMBERS}"));
    }
    statements.extend(
        [
            "CREATE TEMP TABLE staged_others (ref TEXT PRIMARY KEY) WITHOUT ROWID",
            "CREATE TEMP TABLE staged_roles (ref TEXT PRIMARY KEY) WITHOUT ROWID",
            "CREATE TEMP TABLE staged_gone (owner TEXT, code TEXT, PRIMARY KEY (owner, code)) WITHOUT ROWID",
            "CREATE TEMP TABLE staged_only (ref TEXT, prefix TEXT, PRIMARY KEY (ref, prefix)) WITHOUT ROWID",
            "CREATE TEMP TABLE staged_columns (members TEXT, ref TEXT, code TEXT, own TEXT NOT NULL,
             PRIMARY KEY (members, ref, code)) WITHOUT ROWID",
            "CREATE TEMP TABLE staged_doubts (ref TEXT PRIMARY KEY, message TEXT NOT NULL) WITHOUT ROWID",
        ]
        .map(str::to_owned),
    );
    statements
}

/// Runs a statement of ours; texts of files never come into one.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    statement: String,
) -> Result<u64, RosterWriteError> {
    let mut query = QueryBuilder::<Sqlite>::new(statement);
    Ok(query.build().persistent(false).execute(connection).await?.rows_affected())
}

/// A value: NULL, a text or a number.
#[derive(Debug)]
enum Value {
    Nothing,
    Text(String),
    Number(i64),
}

impl From<CellValue<String>> for Value {
    fn from(given: CellValue<String>) -> Self {
        match given {
            CellValue::Nothing => Self::Nothing,
            CellValue::Empty => Self::Text(String::new()),
            CellValue::Value(text) => Self::Text(text),
        }
    }
}

impl From<CellValue<i64>> for Value {
    fn from(given: CellValue<i64>) -> Self {
        match given {
            CellValue::Nothing => Self::Nothing,
            CellValue::Empty => Self::Text(String::new()),
            CellValue::Value(number) => Self::Number(number),
        }
    }
}

struct KeyedRow {
    file: usize,
    line: u64,
    good: bool,
    key: String,
    /// Columns of the table that is put into, after the key.
    extra: Vec<Value>,
    /// By the table's own columns.
    values: Vec<Value>,
    /// Further columns by name.
    names: Vec<(String, String)>,
}

struct MemberRow {
    file: usize,
    line: u64,
    good: bool,
    student: String,
    code: String,
    departs: bool,
}

#[derive(Default)]
struct Sorted {
    students: Vec<KeyedRow>,
    groups: Vec<KeyedRow>,
    classes: Vec<KeyedRow>,
    group_members: Vec<MemberRow>,
    class_members: Vec<MemberRow>,
    others: Vec<Vec<String>>,
    roles: Vec<Vec<String>>,
    gone: Vec<Vec<String>>,
    only: Vec<Vec<String>>,
    columns: Vec<Vec<String>>,
    doubts: Vec<Vec<String>>,
}

impl Sorted {
    fn take(&mut self, LocatedRow { file, line, good, item }: LocatedRow) {
        let keyed = |key, extra, values, names| KeyedRow { file, line, good, key, extra, values, names };
        match item {
            Item::Student(person) => {
                let Person { row, reference, departs, needs_role } = *person;
                let extra = vec![Value::Text(reference), flag(departs), flag(needs_role)];
                let key = row.student_id.clone();
                let (values, names) = student_values(row);
                self.students.push(keyed(key, extra, values, names));
            }
            Item::Group { row: GroupRow { group_code, title, gid }, made_up } => {
                let values = vec![title.into(), gid.into()];
                self.groups.push(keyed(group_code, vec![flag(made_up)], values, Vec::new()));
            }
            Item::Class { row: ClassRow { class_code, title, course_id, class_id }, made_up } => {
                let values = vec![title.into(), course_id.into(), class_id.into()];
                self.classes.push(keyed(class_code, vec![flag(made_up)], values, Vec::new()));
            }
            Item::Member { table, student, code, departs } => {
                let row = MemberRow { file, line, good, student, code, departs };
                if table == RosterTable::ClassMembers {
                    self.class_members.push(row);
                } else {
                    self.group_members.push(row);
                }
            }
            Item::OtherPerson(reference) => self.others.push(vec![reference]),
            Item::StudentRole(reference) => self.roles.push(vec![reference]),
            Item::Gone(owner, code) => self.gone.push(vec![owner.name().to_owned(), code]),
            Item::OnlyThese { student, prefix } => self.only.push(vec![student, prefix.to_owned()]),
            Item::OwnColumn { table, student, code, column } => {
                self.columns.push(vec![table.name().to_owned(), student, code, column]);
            }
            Item::DoubtfulId { student, message } => self.doubts.push(vec![student, message]),
        }
    }
}

fn flag(yes: bool) -> Value {
    Value::Number(i64::from(yes))
}

/// The values in the order of the table's own columns, and further ones by name.
fn student_values(row: StudentRow) -> (Vec<Value>, Vec<(String, String)>) {
    let StudentRow { student_id: _, name, gender, phone, email, password, classin_uid, active, further } =
        row;
    let active = match active {
        CellValue::Value(active) => flag(active),
        // Who is named is there.
        CellValue::Nothing | CellValue::Empty => flag(true),
    };
    let values = vec![
        name.into(),
        gender.into(),
        phone.into(),
        email.into(),
        password.into(),
        classin_uid.into(),
        active,
    ];
    (values, further.into_iter().collect())
}

async fn put_keyed(
    connection: &mut SqliteConnection,
    table: &mut KeyedTable,
    extra: &str,
    rows: &[KeyedRow],
) -> Result<(), RosterWriteError> {
    let width = table.columns.len();
    let rows_at_once = (VALUES_PER_INSERT / (width + 8)).clamp(1, ROWS_PER_INSERT);
    for rows in rows.chunks(rows_at_once) {
        let mut statement = QueryBuilder::<Sqlite>::new(format!(
            "INSERT INTO temp.staged_{} (file, line, good, key, {extra}",
            table.table
        ));
        for at in 0..width {
            statement.push(format_args!(", v{at}"));
        }
        statement.push(") ").push_values(rows, |mut values, row| {
            values.push_bind(i64::try_from(row.file).unwrap_or_default());
            values.push_bind(i64::try_from(row.line).unwrap_or_default());
            values.push_bind(i64::from(row.good)).push_bind(&row.key);
            let mut further: Vec<Option<&str>> = vec![None; width.saturating_sub(row.values.len())];
            for (name, value) in &row.names {
                let at = table.columns.iter().position(|column| column == name);
                let slot = at.and_then(|at| further.get_mut(at.checked_sub(row.values.len())?));
                if let Some(slot) = slot {
                    *slot = Some(value);
                }
            }
            for value in row.extra.iter().chain(&row.values) {
                match value {
                    Value::Nothing => values.push("NULL"),
                    Value::Text(text) => values.push_bind(text),
                    Value::Number(number) => values.push_bind(*number),
                };
            }
            for value in &further {
                values.push_bind(*value);
            }
            let own = row.values.iter().enumerate().filter(|(_, value)| !matches!(value, Value::Nothing));
            table.given.extend(own.map(|(at, _)| at));
            let given = further.iter().enumerate().filter(|(_, value)| value.is_some());
            table.given.extend(given.map(|(at, _)| at + row.values.len()));
        });
        statement.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn put_members(
    connection: &mut SqliteConnection,
    table: &str,
    rows: &[MemberRow],
) -> Result<(), RosterWriteError> {
    for rows in rows.chunks(ROWS_PER_INSERT) {
        let mut statement = QueryBuilder::<Sqlite>::new(format!(
            "INSERT INTO temp.{table} (file, line, good, ref, key, code, departs) "
        ));
        statement.push_values(rows, |mut values, row| {
            values.push_bind(i64::try_from(row.file).unwrap_or_default());
            values.push_bind(i64::try_from(row.line).unwrap_or_default());
            values.push_bind(i64::from(row.good)).push_bind(&row.student).push_bind(&row.student);
            values.push_bind(&row.code).push_bind(i64::from(row.departs));
        });
        statement.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn put_texts(
    connection: &mut SqliteConnection,
    table: &str,
    rows: &[Vec<String>],
) -> Result<(), RosterWriteError> {
    for rows in rows.chunks(ROWS_PER_INSERT) {
        let mut statement = QueryBuilder::<Sqlite>::new(format!("INSERT OR IGNORE INTO temp.{table} "));
        statement.push_values(rows, |mut values, row| {
            for text in row {
                values.push_bind(text);
            }
        });
        statement.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}
