//! Why a mapping cannot be used with an account.

use rosterd_core::roster::FieldId;

/// Why the mapping cannot be used with this account.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Fields that the account does not have, each with its key.
    #[error("{}", problems.join("; "))]
    Unknown { problems: Vec<String> },
    /// The login field is not mapped.
    #[error(
        "exam.login_field: field {field} holds the login value, but no column in exam.fields is mapped to it"
    )]
    NotMapped { field: FieldId },
    /// Nothing, or too much, is known about the login field.
    #[error("exam.login_field = \"auto\": {cause}; set exam.login_field to the field's label or number")]
    Undetected { cause: String },
    /// The listed candidates show that another field holds the login value.
    #[error(
        "exam.login_field: {configured} is not the login field: {found} equals the login value of {equal} of {rows} listed \
         candidates; set exam.login_field to that one, and map a column to it in exam.fields. Nothing was sent"
    )]
    Disproved { configured: String, found: String, equal: u64, rows: u64 },
}
