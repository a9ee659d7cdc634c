//! Rosters with links and listings, made up at random or all as wanted.

use proptest::prelude::*;

use crate::settings::RosterQueries;

const OUR_TABLES: &str = include_str!("../../../../../migrations/roster/0001_create_roster.sql");

/// How the ids are kept, and through what the roster is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    Ours,
    /// A school's own tables without declared types, read through its own queries.
    OwnQueries,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Ids {
    /// `S01`
    Text,
    /// 1001
    Number,
    /// Of one digit and of two: they come in another order as text.
    ShortNumber,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Linked {
    Not,
    AsWanted,
    OtherLogin,
    OtherPassword,
    NothingConfirmed,
    OtherMail,
    OtherGroups,
    GroupsUnknown,
    SpoiltGroups,
    Gone,
    Rewritten,
    SentTwice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    Not,
    AsWanted,
    OtherPhone,
    OtherName,
    Twice,
}

#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Whether there is a row on the roster.
    pub(super) on_roster: bool,
    pub(super) active: &'static str,
    pub(super) name: &'static str,
    pub(super) phone: &'static str,
    pub(super) mail: &'static str,
    pub(super) password: &'static str,
    /// Which of a few login values; absent for one of their own.
    pub(super) login: Option<u8>,
    pub(super) groups: Vec<&'static str>,
    pub(super) linked: Linked,
    pub(super) listed: Listed,
}

/// What was found out before the pass.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    Nothing,
    FirstGone,
    FirstUnlisted,
    FirstLookedUp,
    FirstAskedAbout,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) schema: Schema,
    pub(super) ids: Ids,
    pub(super) people: Vec<Person>,
    pub(super) hides_mail: bool,
    pub(super) known: Known,
    /// One more statement on the roster.
    pub(super) spoilt: &'static str,
}

fn person() -> impl Strategy<Value = Person> {
    let mostly = |usual: &'static str, others: &'static [&'static str]| prop_oneof![8 => Just(usual), 2 => proptest::sample::select(others)];
    let linked = proptest::sample::select(vec![
        Linked::Not,
        Linked::OtherLogin,
        Linked::OtherPassword,
        Linked::NothingConfirmed,
        Linked::OtherMail,
        Linked::OtherGroups,
        Linked::GroupsUnknown,
        Linked::SpoiltGroups,
        Linked::Gone,
        Linked::Rewritten,
        Linked::SentTwice,
    ]);
    let listed =
        proptest::sample::select(vec![Listed::Not, Listed::OtherPhone, Listed::OtherName, Listed::Twice]);
    let values = (
        prop::bool::weighted(0.93),
        mostly("1", &["0", "NULL", "'yes'", "'maybe'", "7", "x'31'"]),
        mostly("'Li Lei'", &["''", "' Han Meimei '", "'Jose\u{301}'", "'3.5'", "' '"]),
        mostly(
            "'13800000001'",
            &["NULL", "' 138 '", "13800000002", "'13800000003.0'", "'a\u{1d}b'", "'a'||char(0)||'b'"],
        ),
        mostly("NULL", &["'a@b.example'", "''", "'x.0'"]),
        mostly("'secret'", &["NULL", "''", "12345", "'p w'"]),
    );
    let ties = (
        prop_oneof![12 => Just(None), 1 => (0_u8..3).prop_map(Some)],
        proptest::sample::subsequence(vec!["A", "B", "C", "Z"], 0..=2),
        prop_oneof![8 => Just(Linked::AsWanted), 2 => linked],
        prop_oneof![8 => Just(Listed::AsWanted), 2 => listed],
    );
    (values, ties).prop_map(|((on_roster, active, name, phone, mail, password), ties)| {
        let (login, groups, linked, listed) = ties;
        let groups = if groups.is_empty() { vec!["A"] } else { groups };
        Person { on_roster, active, name, phone, mail, password, login, groups, linked, listed }
    })
}

pub(super) fn world() -> impl Strategy<Value = World> {
    (
        proptest::sample::select(vec![Schema::Ours, Schema::OwnQueries]),
        proptest::sample::select(vec![Ids::Text, Ids::Text, Ids::Number, Ids::ShortNumber]),
        proptest::collection::vec(person(), 0..14),
        any::<bool>(),
        proptest::sample::select(vec![
            Known::Nothing,
            Known::Nothing,
            Known::FirstGone,
            Known::FirstUnlisted,
            Known::FirstLookedUp,
            Known::FirstAskedAbout,
        ]),
    )
        .prop_map(|(schema, ids, people, hides_mail, known)| World {
            schema,
            ids,
            people,
            hides_mail,
            known,
            spoilt: "",
        })
}

impl World {
    pub(super) fn id(&self, at: usize) -> String {
        match self.ids {
            Ids::Text => format!("S{at:02}"),
            Ids::Number => format!("{}", 1001 + at),
            Ids::ShortNumber => format!("{}", 5 + at),
        }
    }

    /// The id as SQL.
    fn id_value(&self, at: usize) -> String {
        match self.ids {
            Ids::Text => format!("'{}'", self.id(at)),
            Ids::Number | Ids::ShortNumber => self.id(at),
        }
    }

    pub(super) fn statements(&self) -> String {
        let mut sql = match self.schema {
            Schema::Ours => {
                format!("{OUR_TABLES};ALTER TABLE students ADD COLUMN login TEXT;")
            }
            Schema::OwnQueries => {
                "CREATE TABLE students (student_id, name, phone, email, password, login, active);\
                 CREATE TABLE groups (group_code, title, gid);\
                 CREATE TABLE group_members (student_id, group_code);\
                 CREATE TABLE classes (class_code, title, course_id, class_id);\
                 CREATE TABLE class_members (student_id, class_code);"
                    .to_owned()
            }
        };
        sql.push_str("INSERT INTO groups (group_code, title, gid) VALUES ('A', 'a', 1), ('B', 'b', 2), ('C', 'c', NULL);");
        // Later ones first: the order of rows is not that of ids.
        for (at, person) in self.people.iter().enumerate().rev().filter(|(_, person)| person.on_roster) {
            let Person { active, name, phone, mail, password, login, groups, .. } = person;
            let login = login.map_or_else(|| format!("own{at}"), |shared| format!("shared{shared}"));
            let active = if self.schema == Schema::Ours && *active == "NULL" { "1" } else { active };
            let id = self.id_value(at);
            sql.push_str(&format!(
                "INSERT INTO students (student_id, name, phone, email, password, login, active) \
                 VALUES ({id}, {name}, {phone}, {mail}, {password}, '{login}', {active});"
            ));
            for code in groups {
                sql.push_str(&format!("INSERT INTO group_members VALUES ({id}, '{code}');"));
            }
        }
        sql + self.spoilt
    }

    pub(super) fn queries(&self) -> RosterQueries {
        match self.schema {
            Schema::Ours => RosterQueries::default(),
            Schema::OwnQueries => RosterQueries {
                students: Some(
                    "SELECT s.*, NULL AS classin_uid FROM students AS s -- all of them".to_owned(),
                ),
                group_members: Some("SELECT student_id, group_code FROM group_members;".to_owned()),
                ..RosterQueries::default()
            },
        }
    }
}

pub(super) fn converged(schema: Schema, spoilt: &'static str) -> World {
    let person = Person {
        on_roster: true,
        active: "1",
        name: "'Li Lei'",
        phone: "'13800000001'",
        mail: "NULL",
        password: "'secret'",
        login: None,
        groups: vec!["A", "B"],
        linked: Linked::AsWanted,
        listed: Listed::AsWanted,
    };
    World { schema, ids: Ids::Text, people: vec![person; 4], hides_mail: true, known: Known::Nothing, spoilt }
}
