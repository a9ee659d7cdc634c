//! The tables of a roster and a row of each. No reading, no database.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

/// One table of the roster database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterTable {
    /// People.
    Students,
    /// Exam-side groups.
    Groups,
    /// Memberships of groups.
    GroupMembers,
    /// `ClassIn` classes.
    Classes,
    /// Memberships of classes.
    ClassMembers,
}

impl RosterTable {
    /// All tables, owners before their members.
    pub const ALL: [Self; 5] =
        [Self::Students, Self::Groups, Self::GroupMembers, Self::Classes, Self::ClassMembers];

    /// The table's name in the database and the stem of its file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Students => "students",
            Self::Groups => "groups",
            Self::GroupMembers => "group_members",
            Self::Classes => "classes",
            Self::ClassMembers => "class_members",
        }
    }

    /// The table's own columns; the first is the key, and of member tables the first two are.
    #[must_use]
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Students => {
                &["student_id", "name", "gender", "phone", "email", "password", "classin_uid", "active"]
            }
            Self::Groups => &["group_code", "title", "gid"],
            Self::GroupMembers => &["student_id", "group_code"],
            Self::Classes => &["class_code", "title", "course_id", "class_id"],
            Self::ClassMembers => &["student_id", "class_code"],
        }
    }
}

impl fmt::Display for RosterTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file's statement about one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CellValue<T> {
    /// Nothing: the database keeps what it has.
    #[default]
    Nothing,
    /// That there is none: the database's value is cleared.
    Empty,
    /// This value.
    Value(T),
}

impl<T> CellValue<T> {
    /// The same statement about a borrowed value.
    #[must_use]
    pub fn as_ref(&self) -> CellValue<&T> {
        match self {
            Self::Nothing => CellValue::Nothing,
            Self::Empty => CellValue::Empty,
            Self::Value(value) => CellValue::Value(value),
        }
    }

    /// True unless nothing was said.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

impl CellValue<String> {
    /// A text that was given: empty text clears.
    #[must_use]
    pub fn text(value: String) -> Self {
        if value.is_empty() { Self::Empty } else { Self::Value(value) }
    }
}

/// One student as files give it. Values are personal: there is no output of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StudentRow {
    /// The school's own id.
    pub student_id: String,
    /// Full name; never [`CellValue::Empty`] when it comes from a reader.
    pub name: CellValue<String>,
    /// Gender as the school writes it.
    pub gender: CellValue<String>,
    /// Telephone number.
    pub phone: CellValue<String>,
    /// Mail address.
    pub email: CellValue<String>,
    /// Initial password, kept to the letter.
    pub password: CellValue<String>,
    /// The `ClassIn` account.
    pub classin_uid: CellValue<i64>,
    /// Whether the student is there. Left out, a new student is, and one on a whole roster is.
    pub active: CellValue<bool>,
    /// Further columns by name; an empty value clears, an absent column is left as it is.
    pub further: BTreeMap<String, String>,
}

impl fmt::Debug for StudentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StudentRow({}, masked)", self.student_id)
    }
}

/// One group as files give it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupRow {
    /// The school's code.
    pub group_code: String,
    /// Its everyday name.
    pub title: CellValue<String>,
    /// The exam side's id.
    pub gid: CellValue<i64>,
}

/// One class as files give it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassRow {
    /// The school's code.
    pub class_code: String,
    /// Its everyday name.
    pub title: CellValue<String>,
    /// The `ClassIn` course.
    pub course_id: CellValue<i64>,
    /// The `ClassIn` class within the course.
    pub class_id: CellValue<i64>,
}

/// Everything that files say about a roster.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RosterRows {
    /// People, each id once.
    pub students: Vec<StudentRow>,
    /// Groups, each code once.
    pub groups: Vec<GroupRow>,
    /// Student id and group code, each pair once.
    pub group_members: Vec<(String, String)>,
    /// Classes, each code once.
    pub classes: Vec<ClassRow>,
    /// Student id and class code, each pair once.
    pub class_members: Vec<(String, String)>,
    /// Tables that had a file with good rows only. Absence counts only in these, and only when the rows are
    /// applied as the whole truth.
    pub complete: BTreeSet<RosterTable>,
}

impl fmt::Debug for RosterRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { students, groups, group_members, classes, class_members, complete } = self;
        f.debug_struct("RosterRows")
            .field("students", &students.len())
            .field("groups", &groups.len())
            .field("group_members", &group_members.len())
            .field("classes", &classes.len())
            .field("class_members", &class_members.len())
            .field("complete", complete)
            .finish()
    }
}

impl RosterRows {
    /// The rows as a reader hands them over.
    pub fn lots(&self) -> impl Iterator<Item = Vec<LocatedRow>> + '_ {
        const ROWS_IN_A_LOT: usize = 500;
        let students = self.students.iter().map(|row| {
            let (row, reference) = (row.clone(), row.student_id.clone());
            Item::Student(Box::new(Person { row, reference, departs: false, needs_role: false }))
        });
        let groups = self.groups.iter().map(|row| Item::Group { row: row.clone(), made_up: false });
        let classes = self.classes.iter().map(|row| Item::Class { row: row.clone(), made_up: false });
        let member = |table, (student, code): &(String, String)| Item::Member {
            table,
            student: student.clone(),
            code: code.clone(),
            departs: false,
        };
        let group_members =
            self.group_members.iter().map(move |pair| member(RosterTable::GroupMembers, pair));
        let class_members =
            self.class_members.iter().map(move |pair| member(RosterTable::ClassMembers, pair));
        let items = students.chain(groups).chain(classes).chain(group_members).chain(class_members);
        let mut row = items.map(|item| LocatedRow { file: 0, line: 0, good: true, item });
        std::iter::from_fn(move || {
            let lot: Vec<LocatedRow> = row.by_ref().take(ROWS_IN_A_LOT).collect();
            (!lot.is_empty()).then_some(lot)
        })
    }
}

/// One thing that a row of a file says. A row may say several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A person, student or not yet known to be one.
    Student(Box<Person>),
    /// A person who is no student; rows that name this person are left out and are not bad.
    OtherPerson(String),
    /// That a person is a student, where another file says so.
    StudentRole(String),
    /// A group.
    Group {
        /// The row.
        row: GroupRow,
        /// The title is made up from something else: it counts for a new group only.
        made_up: bool,
    },
    /// A class.
    Class {
        /// The row.
        row: ClassRow,
        /// The title is made up from something else: it counts for a new class only.
        made_up: bool,
    },
    /// A group or class that is over: rows that name it are left out, and its members go.
    Gone(RosterTable, String),
    /// The student's groups with this prefix are exactly those that the files name.
    OnlyThese {
        /// The student, as the files refer to people.
        student: String,
        /// The prefix of the codes.
        prefix: &'static str,
    },
    /// That an id of our own export looks like what a spreadsheet made of another one: it stands unless the roster lacks it.
    DoubtfulId {
        /// The id.
        student: String,
        /// What it looks like, as a sentence without a full stop.
        message: String,
    },
    /// The student's group or class stands in a column of the student's own row: it is the only one of that column.
    OwnColumn {
        /// The table of the memberships.
        table: RosterTable,
        /// The student, as the files refer to people.
        student: String,
        /// The group's or class's code.
        code: String,
        /// The column, by its heading: `group_code` for the one that any known word for a class heads.
        column: String,
    },
    /// A membership of a group or class.
    Member {
        /// The table of the two.
        table: RosterTable,
        /// The student, as the files refer to people.
        student: String,
        /// The group's or class's code.
        code: String,
        /// The membership is over.
        departs: bool,
    },
}

/// A person as files give it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The student's row.
    pub row: StudentRow,
    /// The key by which other files refer to this person.
    pub reference: String,
    /// The file says that the student has left. A leaver is never entered anew.
    pub departs: bool,
    /// A student only if another file says so.
    pub needs_role: bool,
}

/// An item with the place it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedRow {
    /// The number of the file among those of the import.
    pub file: usize,
    /// Line within it, from 1.
    pub line: u64,
    /// False when the row is bad: only its key matters then.
    pub good: bool,
    /// Its content.
    pub item: Item,
}
