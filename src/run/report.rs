//! What a run did, in figures that must add up.

use rosterd_core::roster::RosterProblem;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::remote::http::{Calls, Transport};
use crate::run::attention::Attentions;
use crate::run::roster_files::RosterFile;
use crate::run::severity::Severity;
use crate::store::StandingHold;
use rosterd_core::exam_plan::{Hold, RELINK_SUGGESTED, with_digest};
use rosterd_core::failure::Service;
use rosterd_core::outcome::{Outcome, Unsent};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// Nothing was to be done.
    Converged,
    /// Everything that was to be done was done.
    Applied,
    /// Nothing was done, and the mode leaves changes undone that the plan names.
    Observed,
    /// Something is left for another run.
    Incomplete,
    /// Something waits for approval.
    Held,
    /// The run could not do its work.
    Failed,
    /// A signal ended it in its midst; the next one goes on.
    Interrupted,
    /// Only a plan: it found something to do, and did nothing.
    Planned,
}

impl RunOutcome {
    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Applied => "applied",
            Self::Observed => "observed",
            Self::Incomplete => "incomplete",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Planned => "planned",
        }
    }

    /// What a severity says about the run, `changed` being whether anything was applied.
    #[must_use]
    pub fn of(severity: Severity, changed: bool) -> Self {
        match severity {
            Severity::Done if changed => Self::Applied,
            Severity::Done => Self::Converged,
            Severity::Incomplete => Self::Incomplete,
            Severity::Held => Self::Held,
            Severity::Failed
            | Severity::Temporary
            | Severity::Credentials
            | Severity::Address
            | Severity::Configuration => Self::Failed,
            Severity::Terminated => Self::Interrupted,
        }
    }
}

/// Counts by operation kind.
pub type Counts = BTreeMap<&'static str, u64>;

/// One service's part of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ServiceReport {
    /// Whether the service is synchronised at all.
    pub enabled: bool,
    /// Operations that the plan had.
    pub planned: Counts,
    /// Of these, how many were done.
    pub applied: Counts,
    /// How many failed and are recorded for retry.
    pub failed: Counts,
    /// How many wait for approval.
    pub held: Counts,
    /// How many nobody can say about yet.
    pub unknown: Counts,
    /// How many were not tried.
    pub skipped: Counts,
    /// Of these, how many the mode does not allow.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_by_mode: u64,
    /// Candidates listed; for ClassIn, enrolments remembered.
    pub observed: u64,
    /// Listed candidates that are not ours.
    pub unmanaged: u64,
    /// Active students on the roster, as far as this stage read it.
    pub students: u64,
    /// Candidates that are ours.
    pub managed: u64,
    /// Leavers whose grace has not run out.
    pub leavers_waiting: u64,
    /// Leavers whose candidates stay, for whatever reason.
    #[serde(skip_serializing_if = "is_zero")]
    pub leavers_kept: u64,
    /// Classes that name no course and are not mirrored.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_mirrored: u64,
    /// The fewest requests that the plan could do with; for ClassIn only.
    #[serde(skip_serializing_if = "is_zero")]
    pub least_calls: u64,
    /// Enrolments that the nightly check found as remembered.
    #[serde(skip_serializing_if = "is_zero")]
    pub verified: u64,
    /// Enrolments that the nightly check had to make again, because somebody had undone them.
    #[serde(skip_serializing_if = "is_zero")]
    pub restored: u64,
    pub calls: BTreeMap<String, u64>,
    /// Requests by endpoint and how they were answered.
    pub answers: BTreeMap<String, BTreeMap<String, u64>>,
    /// Rows of the roster that cannot be used.
    pub problems: Vec<String>,
    /// The same rows, to be remembered; absent where the roster was not read.
    #[serde(skip)]
    pub roster_rows: Option<Vec<RosterProblem>>,
    /// Why the roster could not be read, where it could not.
    #[serde(skip)]
    pub roster_unread: Option<String>,
    /// Why operations are held.
    pub holds: Vec<String>,
    /// Candidates entered again after somebody deleted them, and the like.
    pub notes: Vec<String>,
    /// Open failures of this and earlier runs by who can do something about them, those that a person silenced
    /// left out: `school office`, `it`, `service`, `quota`.
    pub failures_by_who: BTreeMap<&'static str, u64>,
    pub errors: Vec<String>,
    /// What waits for a person, another row or a time, by kind.
    #[serde(skip)]
    pub attention: Attentions,
    /// The plan's digest.
    #[serde(skip)]
    pub digest: String,
    /// What is held, to be remembered under the run's digest.
    #[serde(skip)]
    pub held_for: Vec<Hold>,
    /// How many operations are held about single people just as they were before: no news.
    #[serde(skip)]
    pub held_as_before: u64,
    /// How badly it ended.
    #[serde(skip)]
    pub severity: Severity,
    /// Whether the reading was complete.
    pub complete: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ServiceReport {
    /// For a service that is synchronised.
    #[must_use]
    pub fn enabled() -> Self {
        Self { enabled: true, ..Self::default() }
    }

    /// Counts one operation of the plan and what became of it.
    pub fn count<G>(&mut self, kind: &'static str, outcome: &Outcome<G>) {
        *self.planned.entry(kind).or_default() += 1;
        self.left_by_mode += u64::from(matches!(outcome, Outcome::Unsent(Unsent::LeftByMode)));
        let counts = match outcome {
            Outcome::Applied(_) => &mut self.applied,
            Outcome::Failed(_) => &mut self.failed,
            Outcome::Held => &mut self.held,
            Outcome::Unknown(_) => &mut self.unknown,
            Outcome::Unsent(_) => &mut self.skipped,
        };
        *counts.entry(kind).or_default() += 1;
    }

    /// One that was counted as failed is tried once more in the same run, and counted by that.
    pub fn take_back_failed(&mut self, kind: &'static str) {
        for counts in [&mut self.planned, &mut self.failed] {
            if let Some(count) = counts.get_mut(kind) {
                *count = count.saturating_sub(1);
            }
            counts.retain(|_, count| *count > 0);
        }
    }

    /// Notes an error, and how badly the run ends because of it.
    pub fn fail(&mut self, severity: Severity, error: impl Into<String>) {
        let error = error.into();
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
        self.worsen(severity);
    }

    /// Credentials that are refused after they were accepted, and an address where the service has answered before, are
    /// right: the service says something else by it, and the next run tells.
    pub(super) fn doubt_credentials(&mut self, service: Service, transport: &Transport) {
        let what = match (self.severity, transport.was_accepted()) {
            (Severity::Credentials, true) => "the same credentials were accepted",
            (Severity::Address, true) => "the service answered at the same address",
            _ => return,
        };
        self.severity = Severity::Temporary;
        self.errors.push(format!("{service}: {what} earlier in this run; the next run tries again"));
    }

    /// Notes how the service failed where that stopped nothing: what it leaves stands among the failures.
    pub(super) fn note_trouble(&mut self, message: String) {
        self.notes.push(message);
        self.worsen(Severity::Incomplete);
    }

    /// Notes that a part of it ended so.
    pub fn worsen(&mut self, severity: Severity) {
        self.severity = self.severity.max(severity);
    }

    /// Takes in the requests that were made.
    pub fn take_calls(&mut self, calls: &Calls) {
        for ((endpoint, answer), count) in calls {
            *self.calls.entry((*endpoint).to_owned()).or_default() += count;
            *self.answers.entry((*endpoint).to_owned()).or_default().entry(answer.clone()).or_default() +=
                count;
        }
    }

    /// How many operations were counted under one heading.
    #[must_use]
    pub fn sum(counts: &Counts) -> u64 {
        counts.values().sum()
    }

    /// The first kind whose figures do not add up.
    #[must_use]
    pub fn imbalance(&self) -> Option<&'static str> {
        let of = |counts: &Counts, kind: &str| counts.get(kind).copied().unwrap_or(0);
        let ended = [&self.applied, &self.failed, &self.held, &self.unknown, &self.skipped];
        let sum = |kind: &str| ended.iter().map(|counts| of(counts, kind)).sum::<u64>();
        let kinds = ended.iter().flat_map(|counts| counts.keys()).chain(self.planned.keys());
        kinds.copied().find(|kind| of(&self.planned, kind) != sum(kind))
    }

    /// Whether it read its side completely and was not stopped: only causes of a whole run stand among the errors. What
    /// failed, waits or is held does not make it bad. A service that is not synchronised is always good.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.enabled || (self.complete && self.errors.is_empty())
    }

    /// Draws from the figures how badly it ended.
    pub fn close(&mut self) {
        if let Some(kind) = self.imbalance() {
            self.fail(Severity::Failed, format!("the figures for {kind} do not add up"));
        }
        if Self::sum(&self.held) > self.held_as_before {
            self.worsen(Severity::Held);
        }
        if Self::sum(&self.failed) + Self::sum(&self.unknown) > 0 {
            self.worsen(Severity::Incomplete);
        }
    }
}

/// One run, whole.
#[derive(Clone, Debug, Serialize)]
#[must_use]
pub struct RunReport {
    pub run_id: i64,
    pub trigger: String,
    pub mode: String,
    pub outcome: RunOutcome,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// When it finished, RFC 3339.
    pub finished_at: String,
    /// The plan's digest, over both services.
    pub digest: String,
    /// The digest of what is held, over both services: the same from run to run while the same is held.
    pub held_digest: Option<String>,
    /// How to let happen what is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approve: Option<String>,
    /// What is held, each reason once.
    pub holds: Vec<HoldLine>,
    /// What waits for a person, another row or a time, by kind.
    pub attention: Attentions,
    pub exam: ServiceReport,
    pub classin: ServiceReport,
    /// What became of the files of watched folders since the last run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<RosterFile>,
    /// What went wrong, of both.
    pub errors: Vec<String>,
    pub exit_code: u8,
    /// How badly it ended: the exit code follows from it.
    #[serde(skip)]
    pub severity: Severity,
    /// Whether it read both sides completely and no service was stopped.
    #[serde(skip)]
    pub is_good: bool,
}

/// One reason for which something is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldLine {
    pub service: Service,
    /// A sentence.
    pub reason: String,
    /// The same in a word for programs.
    pub reason_code: String,
    /// How many there are of what is limited.
    pub count: Option<i64>,
    pub limit: Option<i64>,
    /// How many operations are held for it.
    pub operations: i64,
    /// Since when, RFC 3339.
    pub since: String,
    /// The digest of this hold alone.
    pub digest: String,
    /// How to let it happen.
    pub approve: String,
    /// Until when it may happen, because somebody approved all of it since it was held, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_until: Option<String>,
    /// How many of the operations may happen so, where somebody approved any of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_operations: Option<i64>,
}

impl HoldLine {
    /// One that a run or a plan has just found, held since a moment.
    pub(crate) fn found(hold: &Hold, since_ms: i64) -> Self {
        let number = |figure: Option<u64>| figure.and_then(|figure| i64::try_from(figure).ok());
        Self::from(StandingHold {
            service: hold.service,
            reason: hold.reason.to_owned(),
            word: hold.word,
            message: hold.message.clone(),
            count: number(hold.count),
            limit: number(hold.limit),
            operations: i64::try_from(hold.operations.len()).unwrap_or(i64::MAX),
            since_ms,
            digest: hold.digest(),
            approved_until_ms: None,
            approved_operations: 0,
        })
    }
}

impl From<StandingHold> for HoldLine {
    fn from(hold: StandingHold) -> Self {
        let StandingHold {
            service,
            reason,
            word,
            message,
            count,
            limit,
            operations,
            since_ms,
            digest,
            approved_until_ms,
            approved_operations,
        } = hold;
        let named = word.map(|word| format!(" --reason {word}")).unwrap_or_default();
        // Who is on the roster under another id is carried over and not approved.
        let first = message.contains(RELINK_SUGGESTED).then(|| RELINK_SUGGESTED.to_owned());
        Self {
            service,
            reason: with_digest(&message, &digest),
            reason_code: reason,
            count,
            limit,
            operations,
            since: moment(since_ms),
            approve: first.unwrap_or_else(|| format!("rosterd approve {digest}{named}")),
            digest,
            approved_until: approved_until_ms.map(moment),
            approved_operations: (approved_operations > 0).then_some(approved_operations),
        }
    }
}

/// When a run started and ended, in RFC 3339 and to the second.
#[must_use]
pub fn moment(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| format!("{at:.0}"))
}

impl RunReport {
    /// How many operations were applied on either side.
    #[must_use]
    pub fn changes(&self) -> u64 {
        ServiceReport::sum(&self.exam.applied) + ServiceReport::sum(&self.classin.applied)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rosterd_core::failure::FailureCode;
    use rosterd_core::outcome::FailureCause;

    use super::*;

    fn cause() -> Arc<FailureCause> {
        Arc::new(FailureCause::new(FailureCode::Refused, "refused"))
    }

    #[test]
    fn figures_that_do_not_add_up_make_a_failed_run() {
        let mut report = ServiceReport::enabled();
        report.count("add", &Outcome::Applied(()));
        report.planned.insert("add", 2);
        report.close();
        assert_eq!(report.severity, Severity::Failed);
    }

    #[test]
    fn whatever_was_counted_adds_up() {
        let mut report = ServiceReport::enabled();
        let outcomes = [
            Outcome::Applied(()),
            Outcome::Failed(cause()),
            Outcome::Held,
            Outcome::Unknown(cause()),
            Outcome::Unsent(Unsent::LeftForLater),
        ];
        for outcome in &outcomes {
            report.count("move", outcome);
        }
        assert_eq!(report.imbalance(), None);
        assert_eq!(report.planned.get("move"), Some(&5));
    }

    #[test]
    fn what_is_held_as_before_does_not_make_a_run_held() {
        for (held, as_before, severity) in [(1, 1, Severity::Done), (2, 1, Severity::Held)] {
            let mut report = ServiceReport::enabled();
            (0..held).for_each(|_| report.count("delete", &Outcome::<()>::Held));
            report.held_as_before = as_before;
            report.close();
            assert_eq!(report.severity, severity, "{held} held, {as_before} as before");
        }
    }

    #[test]
    fn held_wins_over_incomplete() {
        let mut report = ServiceReport::enabled();
        report.count("add", &Outcome::<()>::Failed(cause()));
        report.count("delete", &Outcome::<()>::Held);
        report.close();
        assert_eq!(report.severity, Severity::Held);
    }
}
