//! An operation as failures, intents and approvals name it.

use super::account::{AccountKind, AccountOperation};
use super::enrolment::EnrolmentOperation;
use crate::failure::{ClassinKind, OperationKey};

/// What is wanted of one student, and the hash of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The operation's name in tables.
    pub key: OperationKey,
    /// Fingerprint of what is wanted.
    pub desired_hash: u64,
}

impl From<AccountKind> for ClassinKind {
    fn from(kind: AccountKind) -> Self {
        match kind {
            AccountKind::Register => Self::Register,
            AccountKind::Rename => Self::Rename,
        }
    }
}

impl From<&EnrolmentOperation> for Subject {
    fn from(operation: &EnrolmentOperation) -> Self {
        let (kind, student) = (operation.kind.into(), operation.student.clone());
        let key = OperationKey::in_class(kind, student, class_key(operation));
        Self { key, desired_hash: operation.desired_hash }
    }
}

impl From<&AccountOperation> for Subject {
    fn from(operation: &AccountOperation) -> Self {
        let key = OperationKey::of(ClassinKind::from(operation.kind), operation.student.clone());
        Self { key, desired_hash: operation.desired_hash }
    }
}

/// The class as failures and approvals name it: by the school's code, or by ClassIn's ids where it has none.
#[must_use]
pub fn class_key(operation: &EnrolmentOperation) -> String {
    match &operation.class_code {
        Some(code) => code.as_str().to_owned(),
        None => operation.target.to_string(),
    }
}
