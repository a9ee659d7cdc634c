//! How keys of operations and fingerprints stand in our tables.

use std::fmt;

use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{OperationKey, RecordedKind, Service};
use rosterd_core::roster::StudentId;

use super::StoreError;

pub(super) fn stored(fingerprint: Fingerprint) -> i64 {
    i64::from_le_bytes(fingerprint.0.to_le_bytes())
}

pub(super) fn fingerprint(stored: i64) -> Fingerprint {
    Fingerprint(u64::from_le_bytes(stored.to_le_bytes()))
}

/// Keys for `json_each`: one statement for any number of them.
pub(super) fn keys(operations: &[OperationKey]) -> String {
    let rows: Vec<[&str; 4]> = operations
        .iter()
        .map(|key| [key.service().as_str(), key.kind.as_str(), key.student.as_str(), &key.class_key])
        .collect();
    serde_json::json!(rows).to_string()
}

/// Reads a stored key; `table` and `row` say where it stands, should it be unreadable.
pub(super) fn read_key(
    (table, row): (&'static str, &dyn fmt::Display),
    (service, kind): (&str, &str),
    student: String,
    class_key: String,
) -> Result<OperationKey, StoreError> {
    let known = Service::parse(service).and_then(|service| RecordedKind::parse(service, kind));
    let what = "has an unknown kind of operation";
    let kind = known.ok_or_else(|| StoreError::Row { table, key: row.to_string(), what })?;
    Ok(OperationKey { kind, student: StudentId::new(student), class_key })
}
