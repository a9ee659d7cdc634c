//! The hash of the desired change when an operation failed, with the student's contact where the failure
//! depends on it.
//!
//! ClassIn refuses some students for their phone number or e-mail address, which is not part of an
//! enrolment's desired state. Another contact has to wake such a failure, so its fingerprint is recorded
//! beside the hash.
//!
//! # Rows of versions before 0.2
//!
//! They mixed the contact into the hash (`desired_hash ^ contact`) and did not say so. A row cannot be taken apart
//! by itself. It is therefore kept as it is, marked, and matched by the rule it was written under:
//!
//! - [`ContactPart::Mixed`] (code 228): it is about a desired hash when the stored one is `desired_hash ^ contact`
//!   with today's contact, 0 for none.
//! - [`ContactPart::PerhapsMixed`] (any other code): the same, or when the stored one is the desired hash itself.
//!
//! So a marked row holds back what it held back before the upgrade, and nothing else: no silenced row wakes, no dead
//! letter is tried. The first match proves how the row was written ([`RecordedHash::taken_apart`]); a run then stores
//! it in parts. A row that never matches is overwritten or closed like any other.

use crate::exam_plan::Fingerprint;

/// A failure's dependence on its student's contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactPart {
    /// The failure does not depend on it.
    None,
    /// The failure depends on this contact; [`ContactPart::ABSENT`] where the roster had none.
    Of(Fingerprint),
    /// The contact is mixed into the hash.
    Mixed,
    /// The contact may be mixed into the hash.
    PerhapsMixed,
}

impl ContactPart {
    /// The fingerprint of a missing contact. No contact has this fingerprint.
    pub const ABSENT: Fingerprint = Fingerprint(0);
}

/// The desired change of a failed operation, as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedHash {
    /// The hash as it is stored.
    pub hash: Fingerprint,
    /// The contact it depends on.
    pub contact: ContactPart,
}

impl RecordedHash {
    /// Of a failure that does not depend on a contact.
    #[must_use]
    pub fn alone(hash: Fingerprint) -> Self {
        Self { hash, contact: ContactPart::None }
    }

    /// Of a failure that depends on this contact, where there is one to depend on.
    #[must_use]
    pub fn with_contact(hash: Fingerprint, contact: Option<Fingerprint>) -> Self {
        Self { hash, contact: contact.map_or(ContactPart::None, ContactPart::Of) }
    }

    /// The desired hashes that it is about, with today's contact of the student.
    pub fn desired_hashes(self, contact_today: Fingerprint) -> impl Iterator<Item = Fingerprint> {
        let mixed = unmixed(self.hash, contact_today);
        let (itself, other) = match self.contact {
            ContactPart::None => (true, None),
            ContactPart::Of(contact) => (contact == contact_today, None),
            ContactPart::Mixed => (false, Some(mixed)),
            ContactPart::PerhapsMixed => (true, Some(mixed)),
        };
        itself.then_some(self.hash).into_iter().chain(other)
    }

    /// Whether another attempt at the same is counted to it.
    #[must_use]
    pub fn is_same_as(self, newer: Self) -> bool {
        let contact = |recorded: Self| match recorded.contact {
            ContactPart::Of(contact) => contact,
            ContactPart::None | ContactPart::Mixed | ContactPart::PerhapsMixed => ContactPart::ABSENT,
        };
        match self.contact {
            ContactPart::None | ContactPart::Of(_) => {
                (self.hash, contact(self)) == (newer.hash, contact(newer))
            }
            ContactPart::Mixed | ContactPart::PerhapsMixed => {
                self.hash == unmixed(newer.hash, contact(newer))
            }
        }
    }

    /// The parts of a row of an earlier version, once it is seen to be about this desired hash. `None` where it is
    /// not, and for a row that is stored in parts already.
    #[must_use]
    pub fn taken_apart(self, desired_hash: Fingerprint, contact_today: Fingerprint) -> Option<Self> {
        let was_mixed = self.hash == unmixed(desired_hash, contact_today);
        let with_contact = Self { hash: desired_hash, contact: ContactPart::Of(contact_today) };
        match self.contact {
            ContactPart::None | ContactPart::Of(_) => None,
            ContactPart::PerhapsMixed if self.hash == desired_hash => Some(Self::alone(desired_hash)),
            ContactPart::Mixed | ContactPart::PerhapsMixed => was_mixed.then_some(with_contact),
        }
    }
}

/// Mixes a contact into a hash, as earlier versions did; the same again takes it out.
fn unmixed(hash: Fingerprint, contact: Fingerprint) -> Fingerprint {
    Fingerprint(hash.0 ^ contact.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DESIRED: Fingerprint = Fingerprint(0x5a5a);
    const PHONE: Fingerprint = Fingerprint(0x0ff0);
    const OTHER: Fingerprint = Fingerprint(0x7777);

    /// Rows as written by versions before 0.2, and the desired hashes that they hold back.
    mod before {
        use super::*;

        pub(super) fn written(desired: Fingerprint, contact: Fingerprint) -> Fingerprint {
            Fingerprint(desired.0 ^ contact.0)
        }

        pub(super) fn holds_back(
            hash: Fingerprint,
            is_228: bool,
            desired: Fingerprint,
            today: Fingerprint,
        ) -> bool {
            let mixed = Fingerprint(hash.0 ^ today.0);
            desired == mixed || (!is_228 && desired == hash)
        }
    }

    fn holds_back(recorded: RecordedHash, desired: Fingerprint, today: Fingerprint) -> bool {
        recorded.desired_hashes(today).any(|hash| hash == desired)
    }

    #[test]
    fn a_failure_over_a_contact_holds_back_until_the_contact_is_another() {
        let table = [
            ("no contact matters", ContactPart::None, PHONE, true),
            ("the same contact", ContactPart::Of(PHONE), PHONE, true),
            ("another contact", ContactPart::Of(PHONE), OTHER, false),
            ("the contact is gone", ContactPart::Of(PHONE), ContactPart::ABSENT, false),
            ("still none", ContactPart::Of(ContactPart::ABSENT), ContactPart::ABSENT, true),
            ("a first contact", ContactPart::Of(ContactPart::ABSENT), PHONE, false),
        ];
        for (name, contact, today, expected) in table {
            let recorded = RecordedHash { hash: DESIRED, contact };
            assert_eq!(holds_back(recorded, DESIRED, today), expected, "{name}");
            assert!(!holds_back(recorded, OTHER, today), "{name}: something else is wanted");
        }
    }

    #[test]
    fn a_row_in_parts_is_not_taken_apart_again() {
        for contact in [ContactPart::None, ContactPart::Of(PHONE)] {
            assert_eq!(RecordedHash { hash: DESIRED, contact }.taken_apart(DESIRED, PHONE), None);
        }
    }

    #[test]
    fn a_row_of_an_earlier_version_that_is_about_something_else_stays_as_it_is() {
        for contact in [ContactPart::Mixed, ContactPart::PerhapsMixed] {
            let recorded = RecordedHash { hash: before::written(DESIRED, PHONE), contact };
            assert_eq!(recorded.taken_apart(OTHER, PHONE), None);
            assert_eq!(recorded.taken_apart(DESIRED, OTHER), None);
        }
    }

    fn fingerprint() -> impl Strategy<Value = Fingerprint> {
        (1_u64..u64::MAX).prop_map(Fingerprint)
    }

    fn contact() -> impl Strategy<Value = Fingerprint> {
        prop_oneof![Just(ContactPart::ABSENT), fingerprint()]
    }

    proptest! {
        /// The whole promise of the upgrade: marked or taken apart, a row holds back what it held back before.
        #[test]
        fn a_row_of_an_earlier_version_holds_back_what_it_did_before_and_after_it_was_taken_apart(
            desired in fingerprint(), written_with in contact(), today in contact(), later in contact(),
            is_228 in any::<bool>(),
        ) {
            let hash = before::written(desired, written_with);
            let contact = if is_228 { ContactPart::Mixed } else { ContactPart::PerhapsMixed };
            let marked = RecordedHash { hash, contact };
            let held = before::holds_back(hash, is_228, desired, today);
            prop_assert_eq!(holds_back(marked, desired, today), held);
            let parts = marked.taken_apart(desired, today);
            prop_assert_eq!(parts.is_some(), held, "the first match takes it apart, and nothing else does");
            if let Some(parts) = parts {
                prop_assert_eq!(holds_back(parts, desired, today), held);
                prop_assert_eq!(
                    holds_back(parts, desired, later), before::holds_back(hash, is_228, desired, later)
                );
            }
        }

        #[test]
        fn attempts_are_counted_on_as_before(
            desired in fingerprint(), before_with in contact(), now_with in contact(), is_228 in any::<bool>(),
        ) {
            let hash = before::written(desired, before_with);
            let contact = if is_228 { ContactPart::Mixed } else { ContactPart::PerhapsMixed };
            let newer = RecordedHash::with_contact(desired, Some(now_with));
            let counted = hash == before::written(desired, now_with);
            prop_assert_eq!(RecordedHash { hash, contact }.is_same_as(newer), counted);
            let parts = RecordedHash::with_contact(desired, Some(before_with));
            prop_assert_eq!(parts.is_same_as(newer), counted);
        }
    }
}
