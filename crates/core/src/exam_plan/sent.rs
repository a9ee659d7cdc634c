//! What a lost add sent, in keyed fingerprints: whether a candidate that is found afterwards can be the one it entered.

use std::collections::{BTreeMap, BTreeSet};

use super::fingerprint::{Fingerprint, MemoryKey};
use super::mapping::PASSWORD_FIELD;
use super::shown::is_masked;
use crate::roster::FieldId;

/// The values of an add, as keyed fingerprints of their loose form. Neither the login value, by which a candidate is
/// found, nor the password, which a person may have changed since, is among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentValues(BTreeMap<FieldId, Fingerprint>);

impl SentValues {
    /// The values that an add sends.
    #[must_use]
    pub fn of(key: &MemoryKey, login_field: FieldId, values: &[(FieldId, String)]) -> Self {
        let told = values.iter().filter(|(field, _)| *field != login_field && *field != PASSWORD_FIELD);
        Self(told.map(|(field, value)| (*field, key.value(*field, &loose(value)))).collect())
    }

    /// As they are stored.
    #[must_use]
    pub fn fingerprints(&self) -> &BTreeMap<FieldId, Fingerprint> {
        &self.0
    }

    /// As they were stored; empty for an add of an earlier version.
    #[must_use]
    pub fn stored(fingerprints: BTreeMap<FieldId, Fingerprint>) -> Self {
        Self(fingerprints)
    }

    /// Whether a field that a look-up shows in clear is another than was sent. What is masked, hidden, absent or
    /// rewritten by the service says nothing.
    #[must_use]
    pub fn are_contradicted(
        &self,
        key: &MemoryKey,
        shown: &[(FieldId, String)],
        rewritten: &BTreeSet<FieldId>,
    ) -> bool {
        let in_clear =
            shown.iter().filter(|(field, value)| !value.trim().is_empty() && !rewritten.contains(field));
        in_clear.filter(|(_, value)| !is_masked(value)).any(|(field, value)| {
            self.0.get(field).is_some_and(|sent| *sent != key.value(*field, &loose(value)))
        })
    }
}

/// Letters and digits alone, in lower case: services put values into their own form.
fn loose(value: &str) -> String {
    value.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: FieldId = FieldId(1);
    const PHONE: FieldId = FieldId(4);
    const LOGIN: FieldId = FieldId(6);

    /// What a look-up shows.
    type Shown = &'static [(FieldId, &'static str)];

    #[test]
    fn only_another_value_in_clear_contradicts_what_was_sent() {
        let key = MemoryKey::new([3; 32]);
        let values = |pairs: &[(FieldId, &str)]| -> Vec<(FieldId, String)> {
            pairs.iter().map(|(field, value)| (*field, (*value).to_owned())).collect()
        };
        let sent = values(&[(NAME, "Anna B."), (PHONE, "138 0001"), (LOGIN, "anna"), (PASSWORD_FIELD, "pw")]);
        let sent = SentValues::of(&key, LOGIN, &sent);
        let table: [(&str, Shown, bool); 8] = [
            ("as sent", &[(NAME, "Anna B."), (PHONE, "138 0001")], false),
            ("nothing shown", &[(LOGIN, "anna")], false),
            ("masked", &[(NAME, "******"), (PHONE, "138****")], false),
            ("empty", &[(NAME, " ")], false),
            ("in the service's form", &[(NAME, "anna b"), (PHONE, "1380001")], false),
            ("another password", &[(PASSWORD_FIELD, "their own")], false),
            ("another name", &[(NAME, "Berta"), (PHONE, "138 0001")], true),
            ("another phone", &[(PHONE, "139 0001")], true),
        ];
        for (name, shown, contradicts) in table {
            let shown = values(shown);
            assert_eq!(sent.are_contradicted(&key, &shown, &BTreeSet::new()), contradicts, "{name}");
        }
        let rewritten = BTreeSet::from([NAME]);
        assert!(!sent.are_contradicted(&key, &values(&[(NAME, "Berta")]), &rewritten));
        assert!(!SentValues::default().are_contradicted(&key, &values(&[(NAME, "Berta")]), &BTreeSet::new()));
    }
}
