//! Cases and facts in, plan out: the truth table as code.

mod adoption;
mod alike_logins;
mod by_values;
mod came_back;
mod changed_hands;
mod counted;
mod exchange;
mod group;
mod leaver;
mod location;
mod open_add;
mod pairs;
mod rename;
mod silenced;
mod student;
mod unlisted;
mod used_again;
mod whose;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(super) use self::rename::block_dependent_renames;
pub use self::unlisted::UNLISTED_RUNS;

use self::alike_logins::AlikeLogins;
use self::changed_hands::accusers;
use self::exchange::exchanged;
use self::location::{CandidateLocation, gone};
use self::pairs::{askable_pairs, wanted_logins};
use self::rename::CurrentOwners;
use self::used_again::used_again;
use self::whose::{Whose, whose_are};
use super::approved::Approved;
use super::compare::Comparison;
use super::desired_hash::{desired_digest, desired_impossible, withheld};
use super::diff::{AskedNewcomer, Diff, Difference, Pair, PriorKnowledge, Unusable};
use super::fingerprint::{Digest, Fingerprint};
use super::groups::{GroupBook, shrink};
use super::identity::{Disappearance, Identity};
use super::kept::{FormerGroup, KeptLeavers};
use super::kind::OperationKind;
use super::link::{Link, LinkNote};
use super::lookup::LookupResults;
use super::observed::Flaw;
use super::open_failures::OpenFailures;
use super::operation::{Change, Operation, OperationState};
use super::person_doubt::PersonDoubt;
use super::person_doubts::PersonDoubts;
use super::policy::{Policy, Trust};
use super::reason::{CannotReason, HoldReason, SkipReason};
use super::renumbered::Portraits;
use super::{DesiredDismissal, MissingLeaver, Plan, PlanTotals};
use crate::roster::{Gid, LoginValue, Sid, StudentId};

/// Everything a plan is made from.
pub struct PlanInput<'a> {
    /// The differences found by the pass over roster, listing and links.
    pub diff: Diff,
    /// The listing, the mapping and the memory key.
    pub comparison: Comparison<'a>,
    /// The roster's groups.
    pub groups: &'a GroupBook,
    /// The answers to the look-ups.
    pub lookups: &'a LookupResults,
    /// Failures of earlier runs that are still open.
    pub open_failures: &'a OpenFailures,
    /// What a person let go ahead.
    pub approved: &'a Approved,
    /// The admin's settings.
    pub policy: Policy,
    /// Whether the listing can be believed.
    pub trust: Trust<'a>,
    /// Whether our clock and the service's are too far apart to say how long somebody has been gone.
    pub clocks_differ: bool,
    /// Now, in milliseconds since 1970 UTC.
    pub now_ms: i64,
}

impl PlanInput<'_> {
    /// Makes the plan. Pure: the same input gives the same plan, regardless of the order of the differences.
    pub fn plan(mut self) -> Plan {
        let differences = std::mem::take(&mut self.diff.differences);
        let incomplete = Flaw::Incomplete { unlisted: self.unlisted_among(&differences) };
        if !self.trust.is_doubtful() && self.disproves_listing(&incomplete) {
            let input = PlanInput { trust: Trust::Doubtful(&incomplete), ..self };
            return Decider::new(&input, &differences).decide(differences);
        }
        Decider::new(&self, &differences).decide(differences)
    }
}

/// Makes a plan case by case. The rows of the truth table are in the modules beside this one; here is
/// what they share.
struct Decider<'a> {
    input: &'a PlanInput<'a>,
    current: CurrentOwners,
    operations: Vec<Operation>,
    notes: Vec<LinkNote>,
    given_up: Vec<DesiredDismissal>,
    asked: BTreeMap<Pair, AskedNewcomer>,
    /// The pairs that may be asked about.
    askable: BTreeMap<Pair, AskedNewcomer>,
    missing: Vec<MissingLeaver>,
    leavers_waiting: u64,
    leavers_waiting_since_ms: Option<i64>,
    leavers_of_mode_since_ms: Option<i64>,
    kept: KeptLeavers,
    doubts: PersonDoubts,
    alike_logins: AlikeLogins,
    /// Leavers whose candidates no longer exist.
    gone: HashSet<StudentId>,
    /// Students whose row seems to have become another's, with whose candidate shows its values.
    exchanged: BTreeMap<StudentId, StudentId>,
    /// Students whose ids seem to have been given to other people.
    used_again: HashSet<StudentId>,
    /// Whose the records are of candidates that show another login value than their links remember.
    whose: HashMap<StudentId, Whose>,
    /// Students whose login value another one's candidate shows, with that other one.
    accusers: BTreeMap<StudentId, StudentId>,
    group_sizes: BTreeMap<Gid, u64>,
    known_as: HashMap<Sid, LoginValue>,
    another_login: u64,
    another_login_now: u64,
    /// Whether the listing shows that the account empties what a change does not name.
    empties_unnamed: bool,
}

impl<'a> Decider<'a> {
    fn new(input: &'a PlanInput<'a>, differences: &[Difference]) -> Self {
        let whose = whose_are(input, differences);
        let diff = &input.diff;
        let doubts = PersonDoubts::of(differences, &diff.alike, &diff.called_one, &diff.in_doubt);
        Self {
            input,
            current: CurrentOwners::new(input, differences),
            operations: Vec::new(),
            notes: Vec::new(),
            given_up: Vec::new(),
            asked: BTreeMap::new(),
            gone: gone(input, differences, &doubts),
            askable: askable_pairs(input, differences, &doubts),
            missing: Vec::new(),
            leavers_waiting: 0,
            leavers_waiting_since_ms: None,
            leavers_of_mode_since_ms: None,
            kept: KeptLeavers::default(),
            doubts,
            alike_logins: AlikeLogins::of(input, differences),
            exchanged: exchanged(input, differences),
            used_again: used_again(input, differences),
            accusers: accusers(&whose),
            whose,
            group_sizes: input.diff.group_sizes.clone(),
            known_as: HashMap::new(),
            another_login: 0,
            another_login_now: 0,
            empties_unnamed: empties_unnamed(&input.comparison, differences),
        }
    }

    fn decide(mut self, differences: Vec<Difference>) -> Plan {
        let former_groups = self.former_groups(&differences);
        let Comparison { mapping, key, .. } = &self.input.comparison;
        let portraits = Portraits::of(&differences, mapping, key, self.input.now_ms);
        let mut wanted_logins = wanted_logins(self.input, &differences);
        // Another person's login value is not what ties the student to a newcomer.
        wanted_logins.retain(|student, _| !self.used_again.contains(student));
        let known = match self.accusers.is_empty() {
            true => HashSet::new(),
            false => differences.iter().map(|difference| difference.student().clone()).collect(),
        };
        for difference in differences {
            let location = self.input.location(&difference);
            self.note_identity(&difference, &location);
            let groups = groups_of(&difference);
            let before = self.operations.len();
            match difference {
                Difference::Newcomer(newcomer) => self.newcomer(newcomer),
                Difference::Linked(linked) => self.linked(*linked, location),
                Difference::Leaver(leaver) => self.leaver(&leaver, location),
                Difference::Unusable(unusable) => {
                    let is_gone = location == CandidateLocation::Gone;
                    self.unusable(unusable, is_gone);
                }
            }
            self.hold_exchanged(before);
            for operation in self.operations.iter_mut().skip(before) {
                let concerned = groups.union(&operation.groups_left).copied();
                operation.groups = concerned.filter(|gid| self.input.groups.is_on_roster(*gid)).collect();
            }
        }
        self.hold_silent_partners(&known);
        block_dependent_renames(&mut self.operations);
        let diff = &self.input.diff;
        let totals = PlanTotals {
            students: diff.students,
            managed: diff.managed,
            linked: diff.linked,
            unmanaged: diff.unmanaged,
            leavers_waiting: self.leavers_waiting,
            leavers_waiting_since_ms: self.leavers_waiting_since_ms,
            leavers_of_mode_since_ms: self.leavers_of_mode_since_ms,
            kept: self.kept,
            former_groups,
            closed_groups: self.input.groups.former().map(|group| group.gid).collect(),
            group_sizes: self.group_sizes,
            groups: self.input.groups.count(),
            another_login: self.another_login,
            another_login_now: self.another_login_now,
        };
        let doubt = match self.input.trust {
            Trust::Complete(_) => None,
            Trust::Doubtful(flaw) => Some(flaw.clone()),
        };
        let plan = Plan::new(self.operations, self.notes, totals, doubt);
        let contact = diff.contact.clone();
        let Self { given_up, asked, missing, known_as, empties_unnamed, .. } = self;
        let answered = diff.in_doubt.answered.clone();
        let plan = Plan { given_up, asked, answered, missing, known_as, contact, ..plan };
        Plan { portraits, wanted_logins, empties_unnamed, ..plan }
    }

    /// The link has the login value from now on that its candidate shows. The one that we took it over by stays what we
    /// confirmed, where that is not on record: only that proves later whose candidate it is.
    fn note_follow(&mut self, link: &Link, login: &LoginValue) {
        let Comparison { mapping, key, .. } = &self.input.comparison;
        let field = mapping.login_field();
        if !link.confirmed.contains_key(&field) {
            let ours = BTreeMap::from([(field, key.value(field, link.login.as_str()))]);
            self.notes.push(LinkNote::Confirm(link.student.clone(), ours));
        }
        self.notes.push(LinkNote::Follow(link.student.clone(), login.clone()));
    }

    /// The candidate may have been deleted by hand meanwhile: the row that cannot be used keeps the student out.
    fn unusable(&mut self, unusable: Unusable, is_gone: bool) {
        let Unusable { student, link, listed: _, prior: _, returned, login: _, reason } = unusable;
        let reason = match &link {
            Some(link) if is_gone => CannotReason::AndGone { reason: Box::new(reason), sid: link.sid },
            Some(_) | None => reason,
        };
        if returned {
            self.notes.push(LinkNote::Returned(student.clone()));
        }
        let kind = if link.is_some() { OperationKind::Modify } else { OperationKind::Add };
        self.mark_impossible(student, kind, reason);
    }

    fn desired_digest(&self, student: &StudentId, kind: OperationKind) -> Digest {
        desired_digest(self.input.comparison.key, student, kind)
    }

    /// Adds an operation of a student in the state that mode, listing and earlier failures leave it.
    fn push(&mut self, student: StudentId, change: Change, desired_hash: Fingerprint) -> OperationState {
        self.add_operation(student, change, desired_hash, BTreeSet::new(), false)
    }

    fn add_operation(
        &mut self,
        student: StudentId,
        change: Change,
        desired_hash: Fingerprint,
        groups_left: BTreeSet<Gid>,
        of_leaver: bool,
    ) -> OperationState {
        let state = self.state(&student, &change, desired_hash, of_leaver);
        // A group whose row went with its people is judged like any other: that is how an export loses a class.
        let groups = self.input.groups;
        let is_judged = |gid: &Gid| groups.is_on_roster(*gid) || groups.is_former(*gid);
        let groups_left = groups_left.into_iter().filter(is_judged).collect();
        let groups = BTreeSet::new();
        let operation =
            Operation { student, change, state: state.clone(), desired_hash, of_leaver, groups_left, groups };
        self.operations.push(operation);
        state
    }

    fn state(
        &self,
        student: &StudentId,
        change: &Change,
        desired_hash: Fingerprint,
        of_leaver: bool,
    ) -> OperationState {
        let kind = change.kind();
        if !self.input.policy.allows(kind, of_leaver) {
            return OperationState::Skipped(SkipReason::Mode(self.input.policy.mode));
        }
        // As with an add, a new login value may belong to a candidate missing from the listing.
        let needs_everybody = matches!(kind, OperationKind::Add | OperationKind::Delete)
            || of_leaver
            || change.login().is_some();
        if needs_everybody && self.input.trust.is_doubtful() {
            return OperationState::Skipped(SkipReason::DoubtfulListing);
        }
        if of_leaver && self.input.clocks_differ {
            return OperationState::Skipped(SkipReason::ClocksDiffer);
        }
        match self.input.open_failures.skip(student, kind, desired_hash, self.input.now_ms) {
            Some(reason) => OperationState::Skipped(reason),
            None => OperationState::Planned,
        }
    }

    /// Whether a person let anything of this student go ahead although it is held for this reason.
    fn is_named(&self, student: &StudentId, reason: &HoldReason) -> bool {
        reason.named().is_some_and(|hold| self.input.approved.names_student(student, hold))
    }

    /// Asks a person about the operations from this one on, where they may go ahead otherwise.
    fn hold_from(&mut self, first: usize, reason: &HoldReason) {
        for operation in self.operations.iter_mut().skip(first).filter(|operation| operation.is_planned()) {
            let (student, kind, hash) = (&operation.student, operation.change.kind(), operation.desired_hash);
            operation.state = self.input.held_about_people(student, kind, hash, reason.clone());
        }
    }

    /// As [`Decider::hold_from`], for the first of them alone: the others follow it.
    fn hold_first_from(&mut self, first: usize, reason: &HoldReason) {
        let followers = self.operations.split_off(self.operations.len().min(first + 1));
        self.hold_from(first, reason);
        self.operations.extend(followers);
    }

    /// Two records that may have changed hands are not both written over, nor is that of somebody whose id another person has.
    fn hold_exchanged(&mut self, first: usize) {
        let Some(student) = self.operations.get(first).map(|operation| operation.student.clone()) else {
            return;
        };
        if let Some(other) = self.exchanged.get(&student).cloned() {
            let reason = HoldReason::SamePerson(PersonDoubt::Exchanged { student, other });
            let is_new = self.operations.get(first).is_some_and(|it| it.kind() == OperationKind::Add);
            if is_new { self.hold_first_from(first, &reason) } else { self.hold_from(first, &reason) }
        } else if self.used_again.contains(&student) {
            self.hold_from(first, &HoldReason::SamePerson(PersonDoubt::UsedAgain { student }));
        }
    }

    /// Students on the roster who are in groups that stood there once.
    fn former_groups(&self, differences: &[Difference]) -> Vec<FormerGroup> {
        let mut sizes = self.group_sizes.clone();
        for difference in differences {
            if let Difference::Leaver(leaver) = difference {
                shrink(&mut sizes, leaver.link.groups.as_ref());
            }
        }
        let counted = self.input.groups.left_behind().map(|group| FormerGroup {
            gid: group.gid,
            title: group.title.clone(),
            until_ms: Some(group.until_ms),
            students: sizes.get(&group.gid).copied().unwrap_or(0),
        });
        counted.filter(|group| group.students > 0).collect()
    }

    /// Records a wanted operation that is impossible until the cause in `reason` is fixed.
    fn mark_impossible(&mut self, student: StudentId, kind: OperationKind, reason: CannotReason) {
        let desired_hash = desired_impossible(self.input.comparison.key, &student, kind, &reason);
        let state = if self.input.open_failures.is_ignored(&student, kind, desired_hash) {
            OperationState::Skipped(SkipReason::Ignored)
        } else {
            OperationState::Cannot(reason)
        };
        self.push_without_change(student, kind, desired_hash, state, false);
    }

    /// Wanted, but not in this run.
    fn skip(&mut self, student: StudentId, kind: OperationKind, reason: SkipReason) {
        let digest = self.desired_digest(&student, kind);
        self.push_skipped(student, kind, digest, reason, false);
    }

    /// As [`Decider::skip`], for what concerns a leaver.
    fn skip_leaver(&mut self, student: StudentId, kind: OperationKind, reason: SkipReason) {
        let mut digest = self.desired_digest(&student, kind);
        digest.text("leaver");
        self.push_skipped(student, kind, digest, reason, true);
    }

    /// What is withheld is another thing for each reason: who silenced one is told of the next.
    fn push_skipped(
        &mut self,
        student: StudentId,
        kind: OperationKind,
        digest: Digest,
        reason: SkipReason,
        of_leaver: bool,
    ) {
        let desired_hash = withheld(digest, &reason);
        let state = self.input.withheld(&student, kind, desired_hash, reason);
        self.push_without_change(student, kind, desired_hash, state, of_leaver);
    }

    fn push_without_change(
        &mut self,
        student: StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
        state: OperationState,
        of_leaver: bool,
    ) {
        let state = if self.input.policy.allows(kind, of_leaver) {
            state
        } else {
            OperationState::Skipped(SkipReason::Mode(self.input.policy.mode))
        };
        let change = Change::Impossible(kind);
        let (groups_left, groups) = (BTreeSet::new(), BTreeSet::new());
        self.operations.push(Operation {
            student,
            change,
            state,
            desired_hash,
            of_leaver,
            groups_left,
            groups,
        });
    }

    /// The reason for leaving a candidate alone that is not listed.
    fn unlisted_reason(&self, sid: Sid) -> SkipReason {
        if self.input.trust.is_doubtful() { SkipReason::DoubtfulListing } else { SkipReason::Unlisted(sid) }
    }

    /// The reason why nothing is done to a sid that was not shown to be its student's.
    fn not_proven(&self, sid: Sid, login: &LoginValue) -> SkipReason {
        match self.input.lookups.identity(sid, login) {
            Identity::Another => SkipReason::AnotherLogin,
            Identity::Proven | Identity::Untold => self.not_found_out(),
        }
    }

    /// The reason why nothing is done about a linked candidate of which it is not known where it is.
    fn location_unknown(&self, link: &Link, prior: PriorKnowledge, listed: bool) -> SkipReason {
        match self.input.lookups.absence(link, prior, listed, self.input.now_ms) {
            Some(Disappearance::TooNew) => SkipReason::TooNewToBeGone,
            Some(Disappearance::Contradicted) => SkipReason::Contradicted,
            Some(Disappearance::Gone | Disappearance::Untold) | None => self.not_found_out(),
        }
    }

    /// The reason for a look-up without result: with a doubtful listing it may not even have been made.
    fn not_found_out(&self) -> SkipReason {
        if self.input.trust.is_doubtful() { SkipReason::DoubtfulListing } else { SkipReason::NotFoundOut }
    }
}

/// Whether a candidate that was changed since the last listing has lost all that the change did not name.
fn empties_unnamed(comparison: &Comparison<'_>, differences: &[Difference]) -> bool {
    differences.iter().any(|difference| match difference {
        Difference::Linked(linked) => {
            linked.own.is_some() && {
                let row = comparison.observed.find(&linked.link.login);
                row.is_some_and(|row| comparison.is_emptied(row, &linked.wanted.values.0, &linked.link))
            }
        }
        Difference::Newcomer(_) | Difference::Leaver(_) | Difference::Unusable(_) => false,
    })
}

/// The groups shown to a person for a difference.
fn groups_of(difference: &Difference) -> BTreeSet<Gid> {
    let held = |link: &Link| link.groups.clone().unwrap_or_default();
    match difference {
        Difference::Newcomer(newcomer) => newcomer.wanted.groups.gids.clone(),
        Difference::Linked(linked) if linked.wanted.groups.gids.is_empty() => held(&linked.link),
        Difference::Linked(linked) => linked.wanted.groups.gids.clone(),
        Difference::Leaver(leaver) => held(&leaver.link),
        Difference::Unusable(_) => BTreeSet::new(),
    }
}
