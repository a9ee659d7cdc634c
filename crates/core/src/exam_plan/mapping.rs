//! The mapping of roster columns to exam fields, resolved against the account's own fields.

use crate::roster::FieldId;

/// The password field's number in every account. Contract: docs/contracts/onlineexammaker.md, 3.1.
pub const PASSWORD_FIELD: FieldId = FieldId(10);

/// One mapped field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedField {
    /// The roster's column.
    pub column: String,
    /// The exam side's field.
    pub id: FieldId,
}

impl MappedField {
    /// Passwords follow rules of their own: people change them, and an empty one is never sent.
    #[must_use]
    pub fn is_password(&self) -> bool {
        self.id == PASSWORD_FIELD
    }
}

/// The mapped fields, and which of them holds the login value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    fields: Vec<MappedField>,
    login_at: usize,
}

impl Mapping {
    /// Puts the fields and the login field together; `None` when the login field is not among them.
    #[must_use]
    pub fn new(fields: Vec<MappedField>, login: FieldId) -> Option<Self> {
        let login_at = fields.iter().position(|field| field.id == login)?;
        Some(Self { fields, login_at })
    }

    /// All mapped fields, in the order in which [`crate::roster::Student::values`] has its values.
    #[must_use]
    pub fn fields(&self) -> &[MappedField] {
        &self.fields
    }

    /// The login field's number.
    #[must_use]
    pub fn login_field(&self) -> FieldId {
        self.fields.get(self.login_at).map_or(FieldId(0), |field| field.id)
    }

    /// The login field's roster column.
    #[must_use]
    pub fn login_column(&self) -> &str {
        self.fields.get(self.login_at).map_or("", |field| field.column.as_str())
    }

    /// The position of the login value among a student's values.
    #[must_use]
    pub fn login_at(&self) -> usize {
        self.login_at
    }

    /// The fields that are compared as values, with their positions: all but the login field.
    pub fn compared(&self) -> impl Iterator<Item = (usize, &MappedField)> {
        self.fields.iter().enumerate().filter(move |(at, _)| *at != self.login_at)
    }
}
