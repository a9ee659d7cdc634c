//! Pure decisions: what is wanted and what was seen in, an ordered list of operations out.
//!
//! The truth table. One row, one test (`tests/it/truth_table`):
//!
//! | on the roster | candidate | link | operation |
//! |---|---|---|---|
//! | yes | not listed | no | Add (and Move into further groups) |
//! | yes | listed, as wanted | yes | none |
//! | yes | listed, values differ | yes | Modify, names the fields |
//! | yes | listed, other login value wanted | yes | Modify of the same sid, never Delete and Add |
//! | yes | listed, other groups | yes | Move (and Modify, if values differ too) |
//! | yes | listed | no | Adopt, then as if linked |
//! | yes | listed, somebody else's | no | none: waits until the login value is free |
//! | yes | gone by its sid | yes | Add, linked anew |
//! | yes | gone by its sid, another one under its login value | yes | Adopt that one, linked anew |
//! | yes | found by its sid under another listed login value | yes | the link follows, then Modify |
//! | yes | the same, and the record is another student's | yes | Modify, held: the two may have changed hands |
//! | yes | listed, and nothing but the id is what it was, the name least of all | yes | Modify, held: another person may have the id |
//! | yes | listed as wanted, and another's sid shows the login value | yes | Modify, held for the same reason |
//! | yes | the same, and nothing of the record is the student's | yes | none: withheld |
//! | any | found by its sid, listed nowhere | yes | none: the listing is doubtful |
//! | no | listed | yes | Delete, once the student has been gone long enough |
//! | no | listed, perhaps somebody who is on the roster | yes | Delete, held |
//! | no | found by its sid under a login value that is somebody else's | yes | Delete, held, and done by no approval |
//! | no | listed, also in a group that never stood on the roster | yes | Delete, held; in a shared account a Move out of our groups, nothing else |
//! | no | gone by its sid | yes | none: the link is closed |
//! | no | gone by its sid, another one under its login value that nobody wants | yes | none: withheld |
//! | no | listed | no | none, counted as unmanaged |
//! | unusable row | any | any | none, reported; never a Delete |
//! | unusable row | gone by its sid | yes | none, reported together with that; the link stays |
//!
//! Nothing in this folder waits, reads or asks what time it is. Time, keys and policy are arguments.

mod account_fields;
mod answer;
mod approved;
pub mod audit;
mod batch;
mod cannot_reason;
mod certificate;
mod compare;
mod decide;
mod desired_hash;
mod detach;
mod diff;
mod excess;
mod fingerprint;
mod first_contact;
mod flaw_text;
mod full_account;
mod group_change;
mod group_creation;
mod groups;
mod guard;
mod held_mass;
mod hold;
mod hold_word;
mod identity;
mod judge;
mod kept;
mod kind;
mod link;
mod listed_page;
mod listed_values;
mod login_evidence;
mod lookup;
mod mapping;
mod observed;
mod open_add;
mod open_failures;
mod operation;
mod person_doubt;
mod person_doubts;
mod policy;
mod readings;
mod reason;
mod recalled;
mod recent_writes;
mod refusals;
mod render;
mod renumbered;
mod repeated_logins;
mod row_text;
mod rows_of_nobody;
mod second_write;
mod sent;
mod service_form;
mod shape;
mod shown;
mod skip_reason;
mod standing_answers;
mod temporary_login;
mod written_otherwise;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub use account_fields::{AccountFields, ListedLabels};
pub use answer::{GroupAction, WriteAnswer};
pub use approved::Approved;
pub use batch::{Batch, Call, Wave};
pub use certificate::{Certificate, RosterCertificate, RosterFlaw, RosterTally};
pub use compare::{Agreement, Comparison, FieldDifference};
pub use decide::{PlanInput, UNLISTED_RUNS};
pub use desired_hash::desired_withheld;
pub use detach::Detached;
pub use diff::{
    Absence, AskedNewcomer, Diff, DiffBuilder, Difference, KnownValues, Leaver, LinkedStudent, Newcomer,
    Owners, Pair, PairsInDoubt, PriorKnowledge, RememberedPairs, SharedLogins, Unusable, Wanted,
    values_of_candidate, values_of_row,
};
pub use fingerprint::{Digest, Fingerprint, MemoryKey, RunHasher};
pub use first_contact::{FirstContact, RecentContacts};
pub use full_account::says_account_is_full;
pub use group_change::{GroupChange, TargetGroup};
pub use group_creation::{
    CreatedGroups, CreationOutcome, FoundGroup, GroupCreation, GroupDecisions, GroupEvidence, GroupOrigin,
    GroupsInput, KnownGroup, MissingGroups, OwnMemory,
};
pub use groups::{GroupBook, LeaverStanding, StoodGroup, WantedGroups};
pub(crate) use guard::named_together;
pub use guard::{Guard, GuardedPlan, allowance, is_mass, largest_stretch, masses};
pub use held_mass::{HeldMass, HeldMasses, MassLimit};
pub use hold::{HeldOperation, Hold, IGNORE, held_digest, with_digest, with_failure};
pub(crate) use hold::{NAMED, with_student};
pub use hold_word::{HoldWord, NamedHold};
pub use identity::{Disappearance, Identity, TOO_NEW_TO_BE_GONE_MS};
pub use judge::{AddVerdict, Verdict, judge_add, judge_by_sid, told_refused, told_refused_by_sid};
pub use kept::{FormerGroup, KeptLeavers};
pub use kind::OperationKind;
pub use link::{Link, LinkNote, Origin};
pub use listed_page::{ListedPage, PageHasher};
pub use login_evidence::{LoginEvidence, LoginFieldVerdict};
pub use lookup::{LoginFact, LookupRequests, LookupResults, LookupTerms, SidFact};
pub use mapping::{MappedField, Mapping, PASSWORD_FIELD};
pub use observed::{Flaw, Listing, ListingCertificate, Observed, ObservedBuilder, Row};
pub use open_add::OpenAdd;
pub use open_failures::{OpenFailures, SilencedHold};
pub use operation::{
    Addition, Adoption, Change, Deletion, FieldChange, GroupMove, LoginChange, Modification, Operation,
    OperationState,
};
pub use person_doubt::PersonDoubt;
pub use policy::{Policy, Trust};
pub use readings::{ReadingVerdict, Readings};
pub use reason::{CannotReason, Excess, HoldReason, RELINK_SUGGESTED, STILL_NAMED, SkipReason};
pub use recalled::Recalled;
pub use recent_writes::{CountedWrite, LOOK_BACK_MS, RecentWrites};
pub use refusals::{REFUSED_ITEMS, Refusals, RefusedBatch};
pub use render::{FieldLine, OperationLine, OperationSubject, PlanDocument, ValueDisplay};
pub use renumbered::{Portraits, Renumbered, RenumberedStudents};
pub use repeated_logins::RepeatPattern;
pub use row_text::{BETWEEN_CODES, LinkText, StudentText};
pub use second_write::{AfterSecondWrite, SecondWrite};
pub use sent::SentValues;
pub use service_form::{is_service_form, service_forms};
pub use shown::is_masked;
pub use standing_answers::{ANSWERS_STAND_AFTER, Answers, StandingAnswers, StandingQuestions, at_rest};
pub use temporary_login::{is_temporary_login, temporary_login};

use crate::roster::{Gid, LoginValue, Sid, StudentId};

/// Figures that a plan was made under.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanTotals {
    /// Active students on the roster.
    pub students: u64,
    /// Candidates that are ours.
    pub managed: u64,
    /// Linked students who are on the roster: what the guard's percentages are of.
    pub linked: u64,
    /// Candidates that are not.
    pub unmanaged: u64,
    /// Leavers within their grace.
    pub leavers_waiting: u64,
    /// Since when the first of them is off the roster, in milliseconds since 1970 UTC.
    pub leavers_waiting_since_ms: Option<i64>,
    /// Since when the first of those has been gone whom the mode leaves alone, in milliseconds since 1970 UTC.
    pub leavers_of_mode_since_ms: Option<i64>,
    /// Leavers whose candidates stay.
    pub kept: KeptLeavers,
    /// Groups that stood on the roster once and still have students in them who are on it.
    pub former_groups: Vec<FormerGroup>,
    /// Groups that stood on the roster once and do no more: they may lose their last member.
    pub closed_groups: BTreeSet<Gid>,
    /// The number of managed candidates in each group, as remembered.
    pub group_sizes: BTreeMap<Gid, u64>,
    /// Groups of the roster.
    pub groups: u64,
    /// Linked candidates whose sid showed another login value than the one that is known of it.
    pub another_login: u64,
    /// Those among them that a look-up of this run showed so.
    pub another_login_now: u64,
}

/// What is to be done to a leaver's candidate, as far as it is known before its groups are looked up.
#[derive(Clone, Debug)]
pub struct DesiredDismissal {
    /// The student.
    pub student: StudentId,
    /// A delete, or a move.
    pub kind: OperationKind,
    /// What that wants.
    pub desired_hash: Fingerprint,
    /// The roster's groups that the candidate was in.
    pub groups: BTreeSet<Gid>,
}

/// A leaver who is still to be dismissed.
#[derive(Clone, Debug)]
pub struct MissingLeaver {
    /// How.
    pub dismissal: DesiredDismissal,
    /// When a run first saw them gone, in milliseconds since 1970 UTC.
    pub since_ms: i64,
    /// Whether their grace has not ended: the plan has no operation for them.
    pub waits: bool,
}

impl MissingLeaver {
    /// The student.
    #[must_use]
    pub fn student(&self) -> &StudentId {
        &self.dismissal.student
    }
}

/// The ordered operations that would remove the drift.
#[must_use]
#[derive(Debug)]
pub struct Plan {
    /// Groups to create before anything else, by code.
    pub creations: Vec<GroupCreation>,
    /// Sorted by kind in the order of application, then by student.
    pub operations: Vec<Operation>,
    /// Changes to links that follow from reading alone, by student.
    pub notes: Vec<LinkNote>,
    /// Leavers whose candidates are gone, each with a note that closes the link.
    pub given_up: Vec<DesiredDismissal>,
    /// Leavers, each with a student without a candidate of whom a person is asked whether the two are one.
    pub asked: BTreeMap<Pair, AskedNewcomer>,
    /// Those of whom a person was asked, and who are plainly two by now.
    pub answered: BTreeSet<Pair>,
    /// The login values that the roster wants of students whose candidates have others.
    pub wanted_logins: BTreeMap<StudentId, Fingerprint>,
    /// Leavers of a mass, each with the student without a candidate who has their values.
    pub paired: Vec<(StudentId, StudentId)>,
    /// Leavers who are still to be dismissed, where the mode and the settings ask for that.
    pub missing: Vec<MissingLeaver>,
    /// How students and candidates without a link match.
    pub contact: FirstContact,
    /// The values of leavers and newcomers.
    pub portraits: Portraits,
    /// Whether the listing shows that the account empties what a change does not name.
    pub empties_unnamed: bool,
    /// The figures it was made under.
    pub totals: PlanTotals,
    /// The reason why the listing is doubtful, if it is.
    pub doubt: Option<Flaw>,
    /// Under which login value each candidate is known that the plan changes: no write goes to a sid that does not show
    /// it.
    pub known_as: HashMap<Sid, LoginValue>,
}

impl Plan {
    pub(crate) fn new(
        operations: Vec<Operation>,
        mut notes: Vec<LinkNote>,
        totals: PlanTotals,
        doubt: Option<Flaw>,
    ) -> Self {
        notes.sort_by(|one, two| one.student().cmp(two.student()));
        let mut plan = Self {
            creations: Vec::new(),
            operations,
            notes,
            given_up: Vec::new(),
            asked: BTreeMap::new(),
            answered: BTreeSet::new(),
            wanted_logins: BTreeMap::new(),
            paired: Vec::new(),
            missing: Vec::new(),
            contact: FirstContact::default(),
            portraits: Portraits::default(),
            empties_unnamed: false,
            totals,
            doubt,
            known_as: HashMap::new(),
        };
        plan.sort();
        plan
    }

    /// Puts the operations in their order.
    pub(crate) fn sort(&mut self) {
        self.operations.sort_by(|one, two| {
            (one.kind(), &one.student, one.desired_hash).cmp(&(two.kind(), &two.student, two.desired_hash))
        });
    }

    /// The same plan, which first creates these groups where the mode allows it and the listing is complete.
    pub fn creating(self, mut creations: Vec<GroupCreation>, policy: &Policy) -> Self {
        for creation in creations.iter_mut().filter(|creation| creation.is_planned()) {
            if !policy.allows(OperationKind::CreateGroup, false) {
                creation.state = OperationState::Skipped(SkipReason::Mode(policy.mode));
            } else if self.doubt.is_some() {
                creation.state = OperationState::Skipped(SkipReason::DoubtfulListing);
            }
        }
        Self { creations, ..self }
    }

    /// A short name of the plan's content: equal plans have equal digests, whenever they are made.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Digest::open("plan");
        for operation in &self.operations {
            let desired_hash = i64::from_le_bytes(operation.desired_hash.0.to_le_bytes());
            digest.text(operation.kind().as_str()).text(operation.student.as_str()).number(desired_hash);
        }
        for creation in &self.creations {
            let desired_hash = i64::from_le_bytes(creation.desired_hash.0.to_le_bytes());
            digest
                .text(OperationKind::CreateGroup.as_str())
                .text(creation.code.as_str())
                .number(desired_hash);
        }
        digest.finish_text()
    }

    /// Students of whom it leaves open what is wanted: data or a reading stand in the way of knowing. What a person decided
    /// about them is neither wanted nor unwanted by this plan.
    #[must_use]
    pub fn left_open(&self) -> HashSet<&StudentId> {
        let is_open = |operation: &&Operation| match &operation.state {
            OperationState::Skipped(reason) => *reason == SkipReason::Ignored || reason.code().is_some(),
            OperationState::Planned | OperationState::Held(_) | OperationState::Cannot(_) => false,
        };
        self.operations.iter().filter(is_open).map(|operation| &operation.student).collect()
    }

    /// Whether it enters anybody into an account with so many candidates of others that it may be the wrong one.
    #[must_use]
    pub fn may_meet_strangers(&self) -> bool {
        let enters = |operation: &Operation| matches!(operation.change, Change::Add(_));
        self.contact.candidates >= first_contact::LEAST && self.operations.iter().any(enters)
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.creations.is_empty() && self.operations.is_empty()
    }
}
