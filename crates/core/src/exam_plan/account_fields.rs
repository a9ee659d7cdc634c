//! The fields of an account by number and label, and whether the labels in a listing still fit them.

use std::collections::{BTreeMap, BTreeSet};

use crate::roster::{FieldId, normalise};

/// Labels that are kept of one listing at most; an account has far fewer.
const MOST_LABELS: usize = 1000;

/// The fields of an account, as `getFields` names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFields(BTreeMap<FieldId, String>);

impl AccountFields {
    /// Fields by number, each with its label.
    pub fn new(fields: impl IntoIterator<Item = (FieldId, String)>) -> Self {
        Self(fields.into_iter().map(|(id, label)| (id, normalise(&label).into_owned())).collect())
    }

    /// The fields with this label: several where the account uses it for several.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Vec<FieldId> {
        let label = normalise(label);
        self.0.iter().filter(|(_, known)| **known == label).map(|(id, _)| *id).collect()
    }

    /// The label of a field, where the account has it.
    #[must_use]
    pub fn label(&self, id: FieldId) -> Option<&str> {
        self.0.get(&id).map(String::as_str)
    }

    /// All fields in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (FieldId, &str)> {
        self.0.iter().map(|(id, label)| (*id, label.as_str()))
    }
}

/// The labels beside the values of a listing. Rows show the fields that they have values of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedLabels(BTreeSet<(FieldId, String)>);

impl ListedLabels {
    /// Labels as they stand in rows; empty ones say nothing.
    pub fn extend(&mut self, labels: impl IntoIterator<Item = (FieldId, String)>) {
        for (id, label) in labels {
            let label = normalise(&label).into_owned();
            if !label.is_empty() && self.0.len() < MOST_LABELS {
                self.0.insert((id, label));
            }
        }
    }

    /// Labels that concern a field meant by label, and that the account's fields word otherwise: the label of such a
    /// field, or such a label at another field.
    #[must_use]
    pub fn otherwise_than(&self, fields: &AccountFields, labels_meant: &BTreeSet<String>) -> Self {
        let meant: BTreeSet<String> =
            labels_meant.iter().map(|label| normalise(label).into_owned()).collect();
        let is_meant = |label: Option<&str>| label.is_some_and(|label| meant.contains(label));
        let is_otherwise = |(id, label): &&(FieldId, String)| {
            let known = fields.label(*id);
            known != Some(label.as_str()) && (is_meant(known) || is_meant(Some(label)))
        };
        Self(self.0.iter().filter(is_otherwise).cloned().collect())
    }

    /// Whether all of these were shown before.
    #[must_use]
    pub fn is_part_of(&self, before: &Self) -> bool {
        self.0.is_subset(&before.0)
    }

    /// As they are stored.
    pub fn iter(&self) -> impl Iterator<Item = (FieldId, &str)> {
        self.0.iter().map(|(id, label)| (*id, label.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Labels = &'static [(i64, &'static str)];

    const ACCOUNT: Labels = &[(1, "name"), (11, "Class"), (12, "Email")];

    fn fields(pairs: &[(i64, &str)]) -> AccountFields {
        AccountFields::new(pairs.iter().map(|(id, label)| (FieldId(*id), (*label).to_owned())))
    }

    fn listed(pairs: &[(i64, &str)]) -> ListedLabels {
        let mut labels = ListedLabels::default();
        labels.extend(pairs.iter().map(|(id, label)| (FieldId(*id), (*label).to_owned())));
        labels
    }

    #[test]
    fn only_what_concerns_a_field_meant_by_label_and_is_worded_otherwise_is_asked_about() {
        let table: [(&str, Labels, Labels); 10] = [
            ("just so", ACCOUNT, &[]),
            ("rows without labels", &[(1, ""), (11, " ")], &[]),
            ("in other forms of the same letters", &[(11, " Class ")], &[]),
            ("exchanged", &[(11, "Email"), (12, "Class")], &[(11, "Email"), (12, "Class")]),
            ("made anew under the same label", &[(1, "name"), (13, "Class")], &[(13, "Class")]),
            ("a second one with the label", &[(11, "Class"), (13, "Class")], &[(13, "Class")]),
            ("renamed", &[(11, "Form")], &[(11, "Form")]),
            (
                "in another language",
                &[(1, "\u{59d3}\u{540d}"), (11, "\u{73ed}\u{7ea7}")],
                &[(11, "\u{73ed}\u{7ea7}")],
            ),
            ("another field renamed", &[(12, "E-mail")], &[]),
            ("another field made anew", &[(14, "Room")], &[]),
        ];
        let meant = BTreeSet::from([" Class".to_owned()]);
        for (name, shown, otherwise) in table {
            assert_eq!(listed(shown).otherwise_than(&fields(ACCOUNT), &meant), listed(otherwise), "{name}");
        }
        let by_number = BTreeSet::new();
        assert_eq!(listed(&[(11, "Email")]).otherwise_than(&fields(ACCOUNT), &by_number), listed(&[]));
    }

    #[test]
    fn what_was_shown_before_is_no_news() {
        let before = listed(&[(11, "\u{73ed}\u{7ea7}"), (12, "x")]);
        assert!(listed(&[(11, "\u{73ed}\u{7ea7}")]).is_part_of(&before));
        assert!(listed(&[]).is_part_of(&before));
        assert!(!listed(&[(12, "\u{73ed}\u{7ea7}")]).is_part_of(&before));
    }

    #[test]
    fn a_label_may_be_used_twice() {
        let account = fields(&[(11, "Class"), (13, " Class"), (12, "class")]);
        assert_eq!(account.labelled("Class "), [FieldId(11), FieldId(13)]);
        assert_eq!(account.labelled("Form"), []);
    }
}
