//! Rows of the roster and records of the exam side, each as ordinary as can be until a test says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use rosterd_core::exam_plan::CannotReason;
use rosterd_core::roster::{GroupCode, Student, StudentId};

use super::NAME;

/// A row of the roster.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub login: String,
    pub name: String,
    pub phone: String,
    pub password: String,
    pub groups: BTreeSet<String>,
    pub active: bool,
    pub problem: Option<CannotReason>,
}

/// A student in group `g1` whose login value is the id.
pub fn student(id: &str) -> Person {
    Person {
        id: id.to_owned(),
        login: id.to_owned(),
        name: format!("name of {id}"),
        phone: format!("55{}", id.len()),
        password: String::new(),
        groups: BTreeSet::from(["g1".to_owned()]),
        active: true,
        problem: None,
    }
}

impl Person {
    pub fn login(self, login: &str) -> Self {
        Self { login: login.to_owned(), ..self }
    }
    pub fn name(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }
    pub fn phone(self, phone: &str) -> Self {
        Self { phone: phone.to_owned(), ..self }
    }
    pub fn password(self, password: &str) -> Self {
        Self { password: password.to_owned(), ..self }
    }
    /// Only in these groups; `g1` to `g9` have gids 1 to 9, `h1` has none.
    pub fn in_groups<const N: usize>(self, codes: [&str; N]) -> Self {
        Self { groups: codes.map(str::to_owned).into(), ..self }
    }
    pub fn inactive(self) -> Self {
        Self { active: false, ..self }
    }
    pub fn unusable(self) -> Self {
        Self { problem: Some(CannotReason::UnusableRow("it is odd".to_owned())), ..self }
    }
    pub(super) fn values(&self) -> Vec<String> {
        [&self.login, &self.name, &self.phone, &self.password].map(Clone::clone).to_vec()
    }
    pub(super) fn row(&self) -> Student {
        Student {
            id: StudentId::new(self.id.as_str()),
            active: self.active,
            values: self.values(),
            groups: self.groups.iter().map(|code| GroupCode::new(code.as_str())).collect(),
        }
    }
}

/// A record on the exam side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub login: String,
    pub fields: BTreeMap<i64, String>,
    pub groups: BTreeSet<i64>,
}

/// A candidate in group 1 that nobody manages.
pub fn candidate(login: &str) -> Candidate {
    Candidate {
        login: login.to_owned(),
        fields: BTreeMap::from([(NAME, format!("name of {login}"))]),
        groups: BTreeSet::from([1]),
    }
}

impl Candidate {
    pub fn field(mut self, field: i64, value: &str) -> Self {
        self.fields.insert(field, value.to_owned());
        self
    }
    pub fn in_groups<const N: usize>(self, gids: [i64; N]) -> Self {
        Self { groups: gids.into(), ..self }
    }
}
