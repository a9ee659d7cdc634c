//! What a person let go ahead.

use std::collections::{HashMap, HashSet};

use super::fingerprint::Fingerprint;
use super::group_creation::GroupCreation;
use super::hold_word::NamedHold;
use super::kind::OperationKind;
use super::operation::Operation;
use crate::roster::StudentId;

/// Operations that a person let go ahead, by what they want.
///
/// An approval of what a limit holds says nothing about a hold about single people. Such a hold is approved with what it
/// named; that approval covers the limits too.
#[derive(Clone, Debug, Default)]
pub struct Approved {
    operations: HashMap<(StudentId, OperationKind, Fingerprint), HashSet<NamedHold>>,
    groups: HashSet<Fingerprint>,
}

impl Approved {
    /// Adds one operation that a limit held.
    pub fn insert(&mut self, student: StudentId, kind: OperationKind, desired_hash: Fingerprint) {
        self.operations.entry((student, kind, desired_hash)).or_default();
    }

    /// Adds one operation that was held about single people, with what the hold named.
    pub fn insert_named(
        &mut self,
        student: StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
        named: NamedHold,
    ) {
        self.operations.entry((student, kind, desired_hash)).or_default().insert(named);
    }

    /// Adds one approved creation of a group.
    pub fn insert_group(&mut self, desired_hash: Fingerprint) {
        self.groups.insert(desired_hash);
    }

    /// What was approved under one hash is wanted under another one now. Says whether it was approved.
    pub fn carry(
        &mut self,
        student: &StudentId,
        kind: OperationKind,
        before: Fingerprint,
        now: Fingerprint,
    ) -> bool {
        let Some(named) = self.operations.get(&(student.clone(), kind, before)).cloned() else {
            return false;
        };
        self.operations.entry((student.clone(), kind, now)).or_default().extend(named);
        true
    }

    /// Whether this very operation was approved: no limit holds it.
    #[must_use]
    pub fn contains(&self, operation: &Operation) -> bool {
        self.contains_key(&operation.student, operation.kind(), operation.desired_hash)
    }

    /// Whether the operation of this student that wants this was approved.
    #[must_use]
    pub fn contains_key(&self, student: &StudentId, kind: OperationKind, desired_hash: Fingerprint) -> bool {
        self.operations.contains_key(&(student.clone(), kind, desired_hash))
    }

    /// Whether a person let this very operation go ahead although it is held for this reason.
    #[must_use]
    pub fn names(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
        hold: NamedHold,
    ) -> bool {
        let named = self.operations.get(&(student.clone(), kind, desired_hash));
        named.is_some_and(|named| named.contains(&hold))
    }

    /// Whether a person let anything of this student go ahead although it is held for this reason.
    #[must_use]
    pub fn names_student(&self, student: &StudentId, hold: NamedHold) -> bool {
        let of_student = self.operations.iter().filter(|((one, ..), _)| one == student);
        of_student.into_iter().any(|(_, named)| named.contains(&hold))
    }

    /// Whom a person let go ahead in any way although they are held for a reason about single people, and for which.
    #[must_use]
    pub fn named(&self) -> HashSet<(&StudentId, NamedHold)> {
        let operations = self.operations.iter();
        operations.flat_map(|((student, ..), named)| named.iter().map(move |hold| (student, *hold))).collect()
    }

    /// Whether the creation of this very group was approved.
    #[must_use]
    pub fn contains_group(&self, creation: &GroupCreation) -> bool {
        self.groups.contains(&creation.desired_hash)
    }
}
