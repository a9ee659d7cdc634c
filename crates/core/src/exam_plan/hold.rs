//! What is held and why: each reason once, under a digest that stays the same while the same is held.

use std::collections::BTreeSet;

use super::fingerprint::{Digest, Fingerprint};
use super::held_mass::HeldMass;
use super::hold_word::{HoldWord, NamedHold};
use crate::failure::{OperationKey, Service};
use crate::roster::{StudentId, shell_option};

/// One reason for which operations of a service are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose operations.
    pub service: Service,
    /// A word that never changes its meaning, such as `max-delete`.
    pub reason: &'static str,
    /// For a hold about single people: what an approval has to name.
    pub word: Option<HoldWord>,
    /// A sentence for a person.
    pub message: String,
    /// How many there are of what is limited.
    pub count: Option<u64>,
    /// The limit.
    pub limit: Option<u64>,
    /// For too many people at once: the figures by which each of them stays held.
    pub mass: Option<HeldMass>,
    /// What is held for it.
    pub operations: Vec<HeldOperation>,
}

/// Stands in a sentence for the digest of its hold, until that is known.
const DIGEST: &str = "DIGEST";

/// Stands in a sentence for the option that names whom an approval is about, until that is known.
pub(crate) const NAMED: &str = "--student STUDENT";

/// Stands in a sentence for the command that silences it, until the number of its failure is known.
pub const IGNORE: &str = "rosterd failures ignore ID";

/// One operation that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldOperation {
    /// As failures and approvals name it.
    pub key: OperationKey,
    /// What it wants: an approval covers nothing else.
    pub desired_hash: Fingerprint,
    /// Whether it takes something from a student who left.
    pub of_leaver: bool,
    /// For a hold about single people: what it named, which an approval covers and nothing else.
    pub named: Option<NamedHold>,
}

impl Hold {
    /// See [`with_digest`]. Where the sentence is about several students, the reason names them.
    #[must_use]
    pub fn naming_digest(&self, sentence: &str) -> String {
        let sentence = match (self.only_student(), self.word) {
            (Some(student), _) => with_student(sentence, student),
            (None, Some(word)) => sentence.replace(NAMED, &format!("--reason {word}")),
            (None, None) => sentence.to_owned(),
        };
        with_digest(&sentence, &self.digest())
    }

    /// The same of one of several matters that are held for this reason: it names whoever is held about just this, and nobody
    /// else.
    #[must_use]
    pub fn naming_those_about(&self, sentence: &str, about: Fingerprint) -> String {
        let concerned =
            self.operations.iter().filter(|one| one.named.is_some_and(|named| named.about == about));
        let students: BTreeSet<&StudentId> = concerned.map(|one| &one.key.student).collect();
        let options: Vec<String> =
            students.into_iter().map(|student| shell_option("--student", student.as_str())).collect();
        with_digest(&sentence.replace(NAMED, &options.join(" ")), &self.digest())
    }

    fn only_student(&self) -> Option<&StudentId> {
        let mut students = self.operations.iter().map(|operation| &operation.key.student);
        let first = students.next()?;
        students.all(|student| student == first).then_some(first)
    }

    /// Its short name, over its operations alone: the same from run to run while the same is held for the same
    /// reason, whatever else a plan brings.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Digest::open("hold");
        digest.text(self.service.as_str()).text(self.reason);
        let mut operations: Vec<&HeldOperation> = self.operations.iter().collect();
        operations.sort_by(|one, two| (&one.key, one.desired_hash).cmp(&(&two.key, two.desired_hash)));
        for HeldOperation { key, desired_hash, of_leaver: _, named } in operations {
            digest.text(key.kind.as_str()).text(key.student.as_str()).text(&key.class_key);
            digest.number(i64::from_le_bytes(desired_hash.0.to_le_bytes()));
            if let Some(NamedHold { word: _, about }) = named {
                digest.number(i64::from_le_bytes(about.0.to_le_bytes()));
            }
        }
        digest.finish_text()
    }
}

/// A sentence about something held, with the digest of its hold where the sentence says what to type.
#[must_use]
pub fn with_digest(sentence: &str, digest: &str) -> String {
    sentence.replace(DIGEST, digest)
}

/// A sentence about one student, with the option that names them where the sentence says what to type.
#[must_use]
pub(crate) fn with_student(sentence: &str, student: &StudentId) -> String {
    sentence.replace(NAMED, &shell_option("--student", student.as_str()))
}

/// A sentence with the command that silences it, where the sentence names that: by the number of its failure, or, where no
/// run has recorded one yet or it is about several, by where it is found.
#[must_use]
pub fn with_failure(sentence: &str, id: Option<i64>) -> String {
    match id {
        Some(id) => sentence.replace(IGNORE, &format!("rosterd failures ignore {id}")),
        None => sentence.replace(IGNORE, "the command that rosterd failures names"),
    }
}

/// The short name of everything that is held; `None` where nothing is.
#[must_use]
pub fn held_digest(holds: &[Hold]) -> Option<String> {
    let mut digests: Vec<String> = holds.iter().map(Hold::digest).collect();
    digests.sort_unstable();
    let (first, others) = digests.split_first()?;
    if others.is_empty() {
        return Some(first.clone());
    }
    let mut digest = Digest::open("held");
    digests.iter().for_each(|one| {
        digest.text(one);
    });
    Some(digest.finish_text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exam_plan::kind::OperationKind;
    use crate::roster::StudentId;

    fn operation(student: &str, hash: u64) -> HeldOperation {
        let key = OperationKey::of(OperationKind::Delete, StudentId::new(student));
        HeldOperation { key, desired_hash: Fingerprint(hash), of_leaver: true, named: None }
    }

    fn hold(reason: &'static str, operations: &[(&str, u64)]) -> Hold {
        Hold {
            service: Service::Exam,
            reason,
            word: None,
            message: format!("{} deletes, and 3 in the last 24 hours", operations.len()),
            count: None,
            limit: Some(20),
            mass: None,
            operations: operations.iter().map(|(student, hash)| operation(student, *hash)).collect(),
        }
    }

    #[test]
    fn a_digest_does_not_depend_on_order_sentence_or_figures() {
        let one = hold("max-delete", &[("a", 1), ("b", 2)]);
        let other = Hold {
            message: "another sentence".to_owned(),
            count: Some(7),
            limit: None,
            ..hold("max-delete", &[("b", 2), ("a", 1)])
        };
        assert_eq!(one.digest(), other.digest());
    }

    #[test]
    fn another_student_want_reason_or_service_is_another_digest() {
        let one = hold("max-delete", &[("a", 1), ("b", 2)]);
        let others = [
            hold("max-delete", &[("a", 1), ("c", 2)]),
            hold("max-delete", &[("a", 1), ("b", 3)]),
            hold("max-delete", &[("a", 1)]),
            hold("group-to-zero", &[("a", 1), ("b", 2)]),
            Hold { service: Service::Classin, ..one.clone() },
        ];
        for other in others {
            assert_ne!(one.digest(), other.digest(), "{other:?}");
        }
    }

    #[test]
    fn all_that_is_held_has_one_digest_whatever_the_order() {
        let (deletes, groups) = (hold("max-delete", &[("a", 1)]), hold("group-to-zero", &[("b", 2)]));
        assert_eq!(held_digest(&[]), None);
        assert_eq!(held_digest(std::slice::from_ref(&deletes)), Some(deletes.digest()));
        let both = held_digest(&[deletes.clone(), groups.clone()]);
        assert_eq!(both, held_digest(&[groups.clone(), deletes.clone()]));
        assert!(both != Some(deletes.digest()) && both != Some(groups.digest()));
    }
}
