//! What look-ups of earlier runs said about people of whom nothing has changed since.
//!
//! Who is held or withheld stands as they stood: they are asked about again only when their row, their link, what the
//! listing shows of them or what a person approved has changed. Nothing is written on the strength of such an answer: a plan
//! that would do so is made anew, from what the service says now ([`Recalled::bears_on`](super::recalled::Recalled::bears_on)).

mod circumstances;
mod recalled;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub use self::recalled::at_rest;

use self::circumstances::{circumstances, number, take_difference};
use super::compare::Comparison;
use super::diff::{Diff, Difference, LinkedStudent};
use super::fingerprint::Fingerprint;
use super::hold_word::NamedHold;
use super::identity::TOO_NEW_TO_BE_GONE_MS;
use super::link::Link;
use super::lookup::{LoginFact, LookupRequests, LookupResults, LookupTerms, SidFact};
use crate::roster::{FieldId, LoginValue, Sid, StudentId};

/// After so many runs in a row with the same answers, they stand. One alone may be a mistake that passes.
pub const ANSWERS_STAND_AFTER: u32 = 2;

/// Answers about so many students are remembered at most: a whole school that is taken over is no standing case.
const MOST_REMEMBERED: usize = 50_000;

/// What look-ups said about one student's candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// By sid.
    pub by_sid: BTreeMap<Sid, SidFact>,
    /// By login value.
    pub by_login: BTreeMap<LoginValue, LoginFact>,
    /// The values that the look-up by sid showed, as keyed fingerprints, where they were kept.
    pub shown: BTreeMap<Sid, BTreeMap<FieldId, Fingerprint>>,
}

/// The same, with what they were given under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingAnswers {
    /// A keyed hash of row, link, listing and approvals.
    pub circumstances: Fingerprint,
    /// In how many runs in a row they were the same, as far as that matters.
    pub runs: u32,
    /// When the service was asked last, in milliseconds since 1970 UTC.
    pub asked_at_ms: i64,
    /// What it said.
    pub answers: Answers,
}

/// One student of whom the plan has questions.
struct Asked {
    requests: LookupRequests,
    /// The sids and login values that concern the student, asked about or not.
    sids: BTreeSet<Sid>,
    logins: BTreeSet<LoginValue>,
    /// Row, link, listing and approvals, without what answers add to it.
    circumstances: Fingerprint,
    linked_at_ms: Option<i64>,
}

/// The students of whom the plan has questions, whose answers may stand.
#[derive(Default)]
pub struct StandingQuestions(BTreeMap<StudentId, Asked>);

impl StandingQuestions {
    /// The questions of this diff. None where they are too many to be standing ones.
    #[must_use]
    pub fn of(diff: &Diff, terms: &LookupTerms<'_>, comparison: &Comparison<'_>) -> Self {
        let requests = LookupRequests::by_difference(diff, terms);
        if requests.len() > MOST_REMEMBERED {
            return Self::default();
        }
        let doubted = diff.doubted();
        let mut named: HashMap<&StudentId, BTreeSet<NamedHold>> = HashMap::new();
        for (student, hold) in terms.approved.named() {
            named.entry(student).or_default().insert(hold);
        }
        let mut asked = BTreeMap::new();
        for (at, requests) in requests {
            let Some(difference) = diff.differences.get(at) else { continue };
            let (sids, logins) = keys(difference);
            // A value that came back changed is settled by the next runs.
            if sids.is_disjoint(&doubted) {
                let circumstances = circumstances(difference, named.get(difference.student()), comparison);
                let linked_at_ms = link_of(difference).map(|link| link.linked_at_ms);
                let question = Asked { requests, sids, logins, circumstances, linked_at_ms };
                asked.insert(difference.student().clone(), question);
            }
        }
        Self(asked)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The remembered answers that are believed: what they were given under is as it was, they are younger than `max_age_ms`,
    /// and nobody who has to be asked about has to do with them. Whom `live` has an answer of is asked about.
    #[must_use]
    pub fn recall(
        &self,
        known: &HashMap<StudentId, StandingAnswers>,
        (diff, comparison): (&Diff, &Comparison<'_>),
        live: &HashMap<Sid, SidFact>,
        (now_ms, max_age_ms): (i64, i64),
    ) -> HashMap<StudentId, Answers> {
        if known.is_empty() {
            return HashMap::new();
        }
        let stands = |student: &StudentId, asked: &Asked, difference: &Difference| {
            let standing = known.get(student)?;
            let age_ms = now_ms.saturating_sub(standing.asked_at_ms);
            let is_young = (0..max_age_ms).contains(&age_ms);
            let is_live = asked.sids.iter().any(|sid| live.contains_key(sid));
            let is_same =
                standing.circumstances == asked.with_answers(difference, comparison, &standing.answers);
            let stands = standing.runs >= ANSWERS_STAND_AFTER && is_young && !is_live && is_same;
            stands.then(|| standing.answers.clone())
        };
        let differences = diff.differences.iter();
        let mut recalled: HashMap<StudentId, Answers> = differences
            .filter_map(|difference| {
                let student = difference.student();
                Some((student.clone(), stands(student, self.0.get(student)?, difference)?))
            })
            .collect();
        // Whose sid or login value is asked for anyway is asked about altogether.
        loop {
            let asked = self.0.iter().filter(|(student, _)| !recalled.contains_key(*student));
            let (mut sids, mut logins) = (HashSet::<&Sid>::new(), HashSet::<&LoginValue>::new());
            for (_, asked) in asked {
                sids.extend(&asked.sids);
                logins.extend(&asked.logins);
            }
            let before = recalled.len();
            recalled.retain(|student, answers| {
                let (own_sids, own_logins) =
                    self.0.get(student).map_or_else(Default::default, |asked| answers.concern(asked));
                !own_sids.iter().any(|sid| sids.contains(sid))
                    && !own_logins.iter().any(|it| logins.contains(it))
            });
            if recalled.len() == before {
                return recalled;
            }
        }
    }

    /// Who may be remembered after this run's look-ups, and with what: everybody of whom everything was told. What is
    /// known already counts on.
    #[must_use]
    pub fn answered(
        self,
        known: &HashMap<StudentId, StandingAnswers>,
        (diff, comparison): (&Diff, &Comparison<'_>),
        lookups: &LookupResults,
        now_ms: i64,
    ) -> BTreeMap<StudentId, StandingAnswers> {
        let Self(mut asked) = self;
        asked.retain(|student, _| !lookups.recalled.students().contains(student));
        let mut answered = BTreeMap::new();
        for difference in &diff.differences {
            let student = difference.student();
            let Some(asked) = asked.remove(student) else { continue };
            let Some(answers) = asked.answers(lookups, now_ms) else { continue };
            let circumstances = asked.with_answers(difference, comparison, &answers);
            let before = known.get(student);
            let is_same = |before: &&StandingAnswers| {
                before.circumstances == circumstances && before.answers == answers
            };
            let runs = before.filter(is_same).map_or(1, |before| ANSWERS_STAND_AFTER.min(before.runs + 1));
            answered.insert(
                student.clone(),
                StandingAnswers { circumstances, runs, asked_at_ms: now_ms, answers },
            );
        }
        answered
    }
}

impl Asked {
    /// What the look-ups said, where they told everything that was asked.
    fn answers(&self, lookups: &LookupResults, now_ms: i64) -> Option<Answers> {
        let mut answers = Answers::default();
        for sid in &self.sids {
            let fact = match lookups.by_sid.get(sid) {
                Some(SidFact::Found { groups: None, .. }) => return None,
                // Reads may lag behind.
                Some(SidFact::Gone) if self.is_new(now_ms) => return None,
                None if self.requests.sids.contains(sid) => return None,
                Some(fact) => fact,
                None => continue,
            };
            answers.by_sid.insert(*sid, fact.clone());
            let shown = lookups.shown.get(sid);
            answers.shown.extend(shown.map(|shown| (*sid, shown.clone())));
        }
        for login in &self.logins {
            let fact = match lookups.by_login.get(login) {
                Some(LoginFact::Found { groups: None, .. }) => return None,
                None if self.requests.logins.contains(login) => return None,
                Some(fact) => fact,
                None => continue,
            };
            answers.by_login.insert(login.clone(), fact.clone());
        }
        Some(answers)
    }

    fn is_new(&self, now_ms: i64) -> bool {
        self.linked_at_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) < TOO_NEW_TO_BE_GONE_MS)
    }

    /// With what the listing shows of the login value that a look-up brought.
    fn with_answers(
        &self,
        difference: &Difference,
        comparison: &Comparison<'_>,
        answers: &Answers,
    ) -> Fingerprint {
        let mut digest = comparison.key.digest("circumstances with answers");
        digest.number(number(self.circumstances));
        for (sid, fact) in &answers.by_sid {
            let SidFact::Found { login: Some(shown), .. } = fact else { continue };
            let row = comparison.observed.find(shown);
            digest.number(sid.0).number(i64::from(row.is_some()));
            if let (Difference::Linked(linked), Some(row)) = (difference, row) {
                let LinkedStudent { wanted, link, .. } = linked.as_ref();
                let difference = comparison.fields(row, &wanted.values.0, Some(link));
                take_difference(&mut digest, Some(&difference), comparison.mapping);
            }
        }
        digest.finish()
    }
}

impl Answers {
    /// The sids and login values that a student and these answers about them have to do with.
    fn concern(&self, asked: &Asked) -> (BTreeSet<Sid>, BTreeSet<LoginValue>) {
        let (mut sids, mut logins) = (asked.sids.clone(), asked.logins.clone());
        sids.extend(self.by_sid.keys().copied());
        logins.extend(self.by_login.keys().cloned());
        logins.extend(self.by_sid.values().filter_map(|fact| match fact {
            SidFact::Found { login, .. } => login.clone(),
            SidFact::Gone => None,
        }));
        sids.extend(self.by_login.values().filter_map(|fact| match fact {
            LoginFact::Found { sid, .. } => Some(*sid),
            LoginFact::Absent => None,
        }));
        (sids, logins)
    }
}

/// The sids and login values of a difference.
fn keys(difference: &Difference) -> (BTreeSet<Sid>, BTreeSet<LoginValue>) {
    let link = link_of(difference);
    let wanted = match difference {
        Difference::Newcomer(newcomer) => Some(&newcomer.wanted.login),
        Difference::Linked(linked) => Some(&linked.wanted.login),
        Difference::Unusable(unusable) => unusable.login.as_ref(),
        Difference::Leaver(_) => None,
    };
    let replaced = match difference {
        Difference::Newcomer(newcomer) => newcomer.replaces,
        Difference::Linked(_) | Difference::Leaver(_) | Difference::Unusable(_) => None,
    };
    let logins = wanted.into_iter().chain(link.map(|link| &link.login)).cloned().collect();
    (link.map(|link| link.sid).into_iter().chain(replaced).collect(), logins)
}

fn link_of(difference: &Difference) -> Option<&Link> {
    match difference {
        Difference::Linked(linked) => Some(&linked.link),
        Difference::Leaver(leaver) => Some(&leaver.link),
        Difference::Unusable(unusable) => unusable.link.as_deref(),
        Difference::Newcomer(_) => None,
    }
}
