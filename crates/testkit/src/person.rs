//! Students as tests write them.

use std::collections::BTreeSet;

/// The exam fields of the tests' account: the login field is a custom one.
pub const NAME: i64 = 1;
pub const GENDER: i64 = 2;
pub const PHONE: i64 = 4;
pub const PASSWORD: i64 = 10;
pub const LOGIN: i64 = 11;

/// A row of `students` with its memberships.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub login: Option<String>,
    pub name: String,
    pub gender: Option<String>,
    pub phone: Option<String>,
    pub password: Option<String>,
    pub groups: BTreeSet<String>,
    pub active: bool,
}

/// A student in group `g1` whose login value is the id.
pub fn student(id: &str) -> Person {
    Person {
        id: id.to_owned(),
        login: Some(id.to_owned()),
        name: format!("Name of {id}"),
        gender: Some("f".to_owned()),
        phone: Some(format!("phone-{id}")),
        password: Some(format!("secret-{id}")),
        groups: BTreeSet::from(["g1".to_owned()]),
        active: true,
    }
}

impl Person {
    pub fn login(self, login: &str) -> Self {
        Self { login: (!login.is_empty()).then(|| login.to_owned()), ..self }
    }
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }
    pub fn phone(self, phone: &str) -> Self {
        Self { phone: (!phone.is_empty()).then(|| phone.to_owned()), ..self }
    }
    pub fn password(self, password: &str) -> Self {
        Self { password: (!password.is_empty()).then(|| password.to_owned()), ..self }
    }
    /// Only in these groups.
    pub fn in_groups<const N: usize>(self, codes: [&str; N]) -> Self {
        Self { groups: codes.map(str::to_owned).into(), ..self }
    }
    pub fn inactive(self) -> Self {
        Self { active: false, ..self }
    }

    /// What the exam side is to hold of this student, empty values left out.
    pub fn values(&self) -> Vec<(i64, String)> {
        let name = Some(self.name.clone());
        let values = [
            (NAME, &name),
            (GENDER, &self.gender),
            (PHONE, &self.phone),
            (PASSWORD, &self.password),
            (LOGIN, &self.login),
        ];
        values.into_iter().filter_map(|(field, value)| Some((field, value.clone()?))).collect()
    }
}
