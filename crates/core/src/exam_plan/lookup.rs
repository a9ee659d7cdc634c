//! Look-ups between diff and plan, for what the listing does not say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::approved::Approved;
use super::diff::{Diff, Difference, Leaver, LinkedStudent, Newcomer, Owners, PriorKnowledge, Unusable};
use super::fingerprint::Fingerprint;
use super::groups::{GroupBook, LeaverStanding};
use super::link::Link;
use super::open_add::OpenAdd;
use super::open_failures::OpenFailures;
use super::person_doubts::PersonDoubts;
use super::policy::{Policy, Trust};
use super::reason::HoldReason;
use super::recalled::Recalled;
use crate::roster::{Adopt, Mode};
use crate::roster::{FieldId, Gid, LoginValue, Sid, StudentId};

/// The answer to a look-up by sid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SidFact {
    /// The candidate exists.
    Found {
        /// Its login value, where the answer carried the login field.
        login: Option<LoginValue>,
        /// Its groups, ours and foreign ones, where the answer told them: nobody is in none.
        groups: Option<BTreeSet<Gid>>,
    },
    /// The service says that there is no such candidate.
    Gone,
}

/// The answer to a look-up by login value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginFact {
    /// The candidate exists.
    Found {
        /// Its id.
        sid: Sid,
        /// Its groups, ours and foreign ones, where the answer told them: nobody is in none.
        groups: Option<BTreeSet<Gid>>,
    },
    /// The service says that there is no such candidate.
    Absent,
}

/// The answers to [`LookupRequests`]. What is in neither map was not found out, which is never "absent".
#[derive(Clone, Debug, Default)]
pub struct LookupResults {
    /// Answers by sid.
    pub by_sid: HashMap<Sid, SidFact>,
    /// Answers by login value.
    pub by_login: HashMap<LoginValue, LoginFact>,
    /// The owners of contested login values.
    pub owners: Owners,
    /// The owners of the linked candidates in `by_login`: a candidate renamed by hand still belongs to its
    /// student, whatever login value the link remembers.
    pub sid_owners: HashMap<Sid, StudentId>,
    /// Keyed fingerprints of the values of leavers' candidates, and of those of which a field had come back changed from
    /// a confirmed write, as a look-up by sid shows them; a field that it does not show is absent.
    pub shown: HashMap<Sid, BTreeMap<FieldId, Fingerprint>>,
    /// Students whose candidate was deleted after they left, with the sid that keeps their results.
    pub previous_sids: HashMap<StudentId, Sid>,
    /// Candidates that the last two runs or more found by sid and nowhere in the listing.
    pub unlisted: HashSet<Sid>,
    /// Students with a delete of ours that was never answered.
    pub our_lost_deletes: HashSet<StudentId>,
    /// Students with an add of ours that was never answered.
    pub our_lost_adds: HashSet<StudentId>,
    /// How those adds stand that are still open: as long as they are, nobody is added again.
    pub open_adds: HashMap<StudentId, OpenAdd>,
    /// About whom answers of earlier runs stand among these.
    pub recalled: Recalled,
}

/// The look-ups that a plan needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookupRequests {
    /// Candidates to look up by sid.
    pub sids: BTreeSet<Sid>,
    /// Candidates to look up by login value.
    pub logins: BTreeSet<LoginValue>,
    /// Login values whose linked owners must be known.
    pub owners: BTreeSet<LoginValue>,
}

impl LookupRequests {
    /// The open questions of this diff that can change something in this run. Left out are leavers whom the
    /// mode or a doubtful listing spares, candidates that may not be adopted, whoever is held until a person
    /// decides, and, where the listing is doubtful anyway, students missing from it.
    #[must_use]
    pub fn under(diff: &Diff, terms: &LookupTerms<'_>) -> Self {
        Self::in_scope(diff, terms, |scope| {
            let mut requests = Self::default();
            diff.differences.iter().for_each(|difference| requests.ask(difference, scope));
            requests
        })
    }

    /// The same for each difference that needs a look-up, by its place in the diff.
    pub(super) fn by_difference(diff: &Diff, terms: &LookupTerms<'_>) -> Vec<(usize, Self)> {
        Self::in_scope(diff, terms, |scope| {
            let requests = diff.differences.iter().map(|difference| {
                let mut requests = Self::default();
                requests.ask(difference, scope);
                requests
            });
            let asks = |requests: &Self| !requests.sids.is_empty() || !requests.logins.is_empty();
            requests.enumerate().filter(|(_, requests)| asks(requests)).collect()
        })
    }

    fn in_scope<T>(diff: &Diff, terms: &LookupTerms<'_>, ask: impl FnOnce(&LookupScope<'_>) -> T) -> T {
        let LookupTerms { groups, policy, trust, our_lost_adds, approved, open_failures, now_ms } = *terms;
        let complete = !trust.is_doubtful();
        let doubts = PersonDoubts::of(&diff.differences, &diff.alike, &diff.called_one, &diff.in_doubt);
        let named = approved.named();
        let is_named = |student: &StudentId, reason: HoldReason| {
            reason.named().is_some_and(|hold| named.contains(&(student, hold)))
        };
        let leaver = |leaver: &Leaver| {
            let link = &leaver.link;
            let student = &link.student;
            let mut asked = doubts.of_leaver(link, None, leaver.listed).into_iter();
            let asks = asked.any(|doubt| !is_named(student, HoldReason::SamePerson(doubt)));
            let stays = link.groups.as_ref().is_some_and(|held| match groups.standing_of_leaver(held) {
                LeaverStanding::Ours => false,
                LeaverStanding::Moved => true,
                LeaverStanding::Foreign(_) if policy.shared => groups.ours_among(held).is_empty(),
                LeaverStanding::Foreign(gids) => !is_named(student, HoldReason::ForeignGroup(gids)),
            });
            let sync = complete && policy.mode == Mode::Sync;
            let is_kept = open_failures.keeps(link);
            sync && policy.leaver_is_due(link, now_ms) && !asks && !stays && !is_kept
        };
        let adoption = |newcomer: &Newcomer| {
            let student = &newcomer.wanted.id;
            let doubt = doubts.of_newcomer(student, &newcomer.wanted.login);
            let asks = doubt.is_some_and(|doubt| !is_named(student, HoldReason::SamePerson(doubt)));
            let waits = doubts.is_of_leaver(&newcomer.wanted.login);
            (policy.adopt == Adopt::Auto || our_lost_adds.contains(student)) && !asks && !waits
        };
        let stays = |linked: &LinkedStudent, held: &BTreeSet<Gid>| {
            let wanted = &linked.wanted.groups;
            let is_held = groups.rows_in_doubt(wanted, held) > 0 && groups.joins(wanted, held).is_none();
            is_held && !is_named(&linked.wanted.id, HoldReason::RowsOfNobody(0))
        };
        let renamed = |link: &Link| {
            let mut asked = doubts.of_leaver(link, None, false).into_iter();
            let asks = asked.any(|doubt| !is_named(&link.student, HoldReason::SamePerson(doubt)));
            link.renamed_by_hand && asks && doubts.is_wanted_by_a_newcomer(link)
        };
        let (leaver, adoption, stays, renamed) = (&leaver, &adoption, &stays, &renamed);
        let of_another = &|student: &StudentId| open_failures.is_of_another(student);
        ask(&LookupScope { groups, unlisted: complete, leaver, adoption, stays, renamed, of_another })
    }

    fn ask(&mut self, difference: &Difference, scope: &LookupScope<'_>) {
        match difference {
            Difference::Newcomer(newcomer) => self.newcomer(newcomer, scope),
            Difference::Linked(linked) => self.linked(linked, scope),
            Difference::Leaver(leaver) => self.leaver(leaver, scope),
            Difference::Unusable(unusable) => self.unusable(unusable, scope),
        }
    }

    /// Nothing is done about the row; whether its candidate is still there is said all the same.
    fn unusable(&mut self, unusable: &Unusable, scope: &LookupScope<'_>) {
        let missing = unusable.missing().filter(|_| scope.unlisted && unusable.prior != PriorKnowledge::Gone);
        self.sids.extend(missing.map(|link| link.sid));
    }

    fn newcomer(&mut self, newcomer: &Newcomer, scope: &LookupScope<'_>) {
        if newcomer.listed.is_none() || newcomer.wanted.is_ambiguous {
            return;
        }
        self.owners.insert(newcomer.wanted.login.clone());
        if (scope.adoption)(newcomer) {
            self.logins.insert(newcomer.wanted.login.clone());
        }
    }

    fn linked(&mut self, linked: &LinkedStudent, scope: &LookupScope<'_>) {
        let stays_unlisted = linked.prior == PriorKnowledge::Unlisted;
        if linked.wanted.is_ambiguous || (stays_unlisted && linked.target.is_none()) {
            return;
        }
        let known = linked.link.groups.as_ref();
        let contested = linked.prior == PriorKnowledge::Contested;
        let regrouped = linked.prior != PriorKnowledge::Groups
            && known.is_none_or(|held| {
                scope.groups.differ(&linked.wanted.groups, held) && !(scope.stays)(linked, held)
            });
        // A value that came back changed may be another candidate's, when two swapped login values there.
        let doubted = linked.own.as_ref().is_some_and(|own| !own.came_back.is_empty());
        // A login value is not given away before a look-up has shown where its owner's candidate is.
        let renamed = linked.is_renamed() && scope.unlisted;
        let missing = linked.own.is_none() && scope.unlisted;
        let of_another = linked.prior == PriorKnowledge::OfAnother || (scope.of_another)(&linked.wanted.id);
        let wanted = regrouped || doubted || renamed || missing || contested || of_another;
        if linked.prior != PriorKnowledge::Gone && wanted {
            self.sids.insert(linked.link.sid);
        }
        if contested {
            self.logins.insert(linked.link.login.clone());
        }
        if linked.target.is_some() {
            self.owners.insert(linked.wanted.login.clone());
            if missing {
                self.logins.insert(linked.wanted.login.clone());
            }
        }
    }

    fn leaver(&mut self, leaver: &Leaver, scope: &LookupScope<'_>) {
        if leaver.prior == PriorKnowledge::Unlisted {
            return;
        }
        let missing = !leaver.listed && scope.unlisted && !(scope.renamed)(&leaver.link);
        let contested = leaver.prior == PriorKnowledge::Contested;
        let due = leaver.prior != PriorKnowledge::Groups && (scope.leaver)(leaver);
        let of_another = (scope.of_another)(&leaver.link.student);
        if leaver.prior != PriorKnowledge::Gone && (missing || due || contested || of_another) {
            self.sids.insert(leaver.link.sid);
        }
        if contested {
            self.logins.insert(leaver.link.login.clone());
        }
    }
}

/// What decides which questions can change a plan.
#[derive(Clone, Copy)]
pub struct LookupTerms<'a> {
    /// The roster's groups.
    pub groups: &'a GroupBook,
    /// The admin's settings.
    pub policy: &'a Policy,
    /// Whether the listing can be believed.
    pub trust: Trust<'a>,
    /// Students with an add of ours that was never answered.
    pub our_lost_adds: &'a HashSet<StudentId>,
    /// What a person let go ahead.
    pub approved: &'a Approved,
    /// What a person silenced.
    pub open_failures: &'a OpenFailures,
    /// Now, in milliseconds since 1970 UTC.
    pub now_ms: i64,
}

/// The look-ups that can change the plan.
struct LookupScope<'a> {
    groups: &'a GroupBook,
    unlisted: bool,
    leaver: &'a dyn Fn(&Leaver) -> bool,
    adoption: &'a dyn Fn(&Newcomer) -> bool,
    /// Whether a linked student is held in the groups that they are in.
    stays: &'a dyn Fn(&LinkedStudent, &BTreeSet<Gid>) -> bool,
    /// Whether a leaver is known to have been renamed by hand, and is held for a newcomer.
    renamed: &'a dyn Fn(&Link) -> bool,
    /// Whether an earlier run saw another login value at a student's sid.
    of_another: &'a dyn Fn(&StudentId) -> bool,
}
