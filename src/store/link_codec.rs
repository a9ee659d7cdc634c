//! How fields, groups and fingerprints of a link are packed into columns.

use std::collections::{BTreeMap, BTreeSet};

use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::roster::FieldId;

/// Fingerprints as rows of 16 bytes: the field's number, then the fingerprint.
pub(super) fn pack(confirmed: &BTreeMap<FieldId, Fingerprint>) -> Vec<u8> {
    confirmed
        .iter()
        .flat_map(|(field, fingerprint)| [field.0.to_le_bytes(), fingerprint.0.to_le_bytes()])
        .flatten()
        .collect()
}

pub(super) fn unpack(bytes: &[u8]) -> Option<BTreeMap<FieldId, Fingerprint>> {
    let chunks = bytes.chunks_exact(16);
    if !chunks.remainder().is_empty() {
        return None;
    }
    chunks
        .map(|chunk| {
            let (field, fingerprint) = chunk.split_at_checked(8)?;
            let field = i64::from_le_bytes(field.try_into().ok()?);
            Some((FieldId(field), Fingerprint(u64::from_le_bytes(fingerprint.try_into().ok()?))))
        })
        .collect()
}

/// Counts by field, as a JSON object.
pub(super) fn counts(json: &str) -> Option<BTreeMap<FieldId, u32>> {
    if json == "{}" {
        return Some(BTreeMap::new());
    }
    let counts: BTreeMap<i64, u32> = serde_json::from_str(json).ok()?;
    Some(counts.into_iter().map(|(field, count)| (FieldId(field), count)).collect())
}

/// One number for each of these fields, as a JSON object.
pub(super) fn each(fields: impl IntoIterator<Item = FieldId>, number: Option<i64>) -> String {
    let pairs: BTreeMap<String, Option<i64>> =
        fields.into_iter().map(|field| (field.0.to_string(), number)).collect();
    serde_json::json!(pairs).to_string()
}

/// Bytes as text, for a statement that takes its rows as JSON.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn numbers<T: Ord>(json: &str, wrap: fn(i64) -> T) -> Option<BTreeSet<T>> {
    if json == "[]" {
        return Some(BTreeSet::new());
    }
    let numbers: Vec<i64> = serde_json::from_str(json).ok()?;
    Some(numbers.into_iter().map(wrap).collect())
}

pub(super) fn json(numbers: impl IntoIterator<Item = i64>) -> String {
    let parts: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("[{}]", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_survive_packing() {
        let confirmed = BTreeMap::from([(FieldId(1), Fingerprint(u64::MAX)), (FieldId(10), Fingerprint(7))]);
        assert_eq!(unpack(&pack(&confirmed)), Some(confirmed));
        assert_eq!(unpack(&[1, 2, 3]), None);
    }
}
