//! What stands for the thing an operation wants: the same want has the same hash in every run.

use std::collections::BTreeSet;

use super::fingerprint::{Digest, Fingerprint, MemoryKey};
use super::group_change::TargetGroup;
use super::kind::OperationKind;
use super::reason::{CannotReason, SkipReason};
use crate::roster::{FieldId, LoginValue, StudentId};

/// Begins the hash of one operation.
pub(super) fn desired_digest(key: &MemoryKey, student: &StudentId, kind: OperationKind) -> Digest {
    let mut digest = key.digest("want");
    digest.text(kind.as_str()).text(student.as_str());
    digest
}

/// Of an add with these values.
pub(super) fn desired_add(
    key: &MemoryKey,
    student: &StudentId,
    group: &TargetGroup,
    values: &[(FieldId, String)],
) -> Fingerprint {
    let mut digest = desired_digest(key, student, OperationKind::Add);
    take_in(&mut digest, group);
    for (field, value) in values {
        digest.number(field.0).text(value);
    }
    digest.finish()
}

/// Of a take-over of the candidate with this login value. It is the same before a look-up has brought the sid, so that
/// each doubt about it is approved for the same operation.
pub(super) fn desired_adoption(key: &MemoryKey, student: &StudentId, login: &LoginValue) -> Fingerprint {
    desired_digest(key, student, OperationKind::Adopt).text(login.as_str()).finish()
}

/// Of a student's move into all of these groups.
pub(super) fn desired_move(
    key: &MemoryKey,
    student: &StudentId,
    wanted: &BTreeSet<TargetGroup>,
) -> Fingerprint {
    let mut digest = desired_digest(key, student, OperationKind::Move);
    wanted.iter().for_each(|group| take_in(&mut digest, group));
    digest.finish()
}

/// Of what is impossible until somebody mends something.
pub(super) fn desired_impossible(
    key: &MemoryKey,
    student: &StudentId,
    kind: OperationKind,
    reason: &CannotReason,
) -> Fingerprint {
    let mut digest = desired_digest(key, student, kind);
    digest.text(&reason.code().as_str());
    // Also where the row was told before: that is news.
    if let CannotReason::AndGone { .. } = reason {
        digest.text("gone");
    }
    digest.finish()
}

/// Of what is withheld from a student: another thing for each reason, and the same whatever is wanted of them.
#[must_use]
pub fn desired_withheld(
    key: &MemoryKey,
    student: &StudentId,
    kind: OperationKind,
    reason: &SkipReason,
) -> Fingerprint {
    withheld(desired_digest(key, student, kind), reason)
}

/// The same, from what is known of it beside the reason.
pub(super) fn withheld(mut digest: Digest, reason: &SkipReason) -> Fingerprint {
    if let Some(code) = reason.code() {
        digest.text(&code.as_str()).text(&reason.to_string());
    }
    digest.finish()
}

fn take_in(digest: &mut Digest, group: &TargetGroup) {
    match group {
        TargetGroup::Existing(gid) => digest.number(gid.0),
        TargetGroup::New(code) => digest.text(code.as_str()),
    };
}
