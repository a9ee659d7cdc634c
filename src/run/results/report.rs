//! What a pull of results did, in figures. Never with anybody's name.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::remote::exam::ResultsPage;
use crate::remote::http::Calls;
use crate::run::report::{RunOutcome, moment};
use crate::run::severity::Severity;
use crate::store::{Met, ResultCounts};

/// Results by whose candidate they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Whose {
    pub managed: u64,
    /// Of candidates that were a student's and are gone.
    pub deleted: u64,
    /// Of candidates that are nobody's we know.
    pub unmanaged: u64,
}

impl From<ResultCounts> for Whose {
    fn from(counts: ResultCounts) -> Self {
        let ResultCounts { managed, deleted, unmanaged } = counts;
        Self { managed, deleted, unmanaged }
    }
}

/// One pull.
#[derive(Clone, Debug, Serialize)]
#[must_use]
pub struct ResultsReport {
    /// `converged`: nothing was new; `applied`: something was; `incomplete`: it is not sure that nothing is missing;
    /// `failed`: it broke off.
    pub outcome: RunOutcome,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// When it finished, RFC 3339.
    pub finished_at: String,
    /// Whether it went through the service's whole list.
    pub full: bool,
    /// Whether it went on where an earlier one was cut off.
    pub resumed: bool,
    /// Pages that were taken in.
    pub pages: u64,
    /// Results that were not there before.
    pub new: u64,
    /// Results whose values changed.
    pub changed: u64,
    /// How many results the service counted last; absent where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<u64>,
    /// How many we have.
    pub stored: u64,
    /// Of these, how many the service no longer lists, as far as known.
    pub no_longer_listed: u64,
    /// Ours by whose candidate they are.
    pub whose: Whose,
    /// Values that should be numbers and are not; they are left out.
    pub unreadable: u64,
    /// Rows of the service's list that cannot be read, those that earlier pulls have told of included; they are skipped.
    pub unreadable_rows: u64,
    /// Rows of the service's list that show an attempt of another row, those that earlier pulls have told of included.
    pub doubled_rows: u64,
    pub calls: BTreeMap<String, u64>,
    /// Requests by endpoint and how they were answered.
    pub answers: BTreeMap<String, BTreeMap<String, u64>>,
    pub errors: Vec<String>,
    pub exit_code: u8,
    /// How badly it ended: the exit code follows from it.
    #[serde(skip)]
    pub severity: Severity,
    /// Rows that cannot be read and were named.
    #[serde(skip)]
    named: usize,
    /// Rows that come twice and that no pull has met before.
    #[serde(skip)]
    twins: usize,
    /// Whether the service counts more results than it lists, otherwise than before.
    #[serde(skip)]
    is_short: bool,
    /// The first error that kept it from being sure that nothing is missing.
    #[serde(skip)]
    failed: Option<String>,
}

/// So many rows that cannot be read are named by their place.
const MOST_NAMED: usize = 3;

impl ResultsReport {
    /// A pull that has done nothing yet.
    pub(super) fn begin(now_ms: i64) -> Self {
        Self {
            outcome: RunOutcome::Converged,
            started_at: moment(now_ms),
            finished_at: String::new(),
            full: false,
            resumed: false,
            pages: 0,
            new: 0,
            changed: 0,
            listed: None,
            stored: 0,
            no_longer_listed: 0,
            whose: Whose::default(),
            unreadable: 0,
            unreadable_rows: 0,
            doubled_rows: 0,
            calls: BTreeMap::new(),
            answers: BTreeMap::new(),
            errors: Vec::new(),
            exit_code: 0,
            severity: Severity::Done,
            named: 0,
            twins: 0,
            is_short: false,
            failed: None,
        }
    }

    /// Counts a page that was taken in.
    pub(super) fn count(&mut self, page: &ResultsPage, met: &[Met]) {
        self.pages += 1;
        self.listed = Some(page.total);
        self.unreadable = self.unreadable.saturating_add(page.unreadable);
        let readable = page.rows.iter().zip(met).filter(|(row, _)| row.attempt().is_some());
        for (_, met) in readable {
            match met {
                Met::New => self.new += 1,
                Met::Changed => self.changed += 1,
                Met::Known { .. } | Met::Forgotten => {}
            }
        }
    }

    /// Notes a row that no pull has met before. The first few are named by their place.
    pub(super) fn note_unreadable(&mut self, position: u64, what: &str) {
        self.severity = self.severity.max(Severity::Incomplete);
        if self.named < MOST_NAMED {
            self.named += 1;
            self.errors.push(format!(
                "exam: the result at position {position} of queryresults cannot be read ({what}): it is skipped; ask the \
                 service about it"
            ));
        } else if self.named == MOST_NAMED {
            self.named += 1;
            self.errors
                .push("exam: more results cannot be read and are skipped: see unreadable_rows".to_owned());
        }
    }

    /// Notes a row that comes twice and that no pull has met before. The first few are named by their place.
    pub(super) fn note_twin(&mut self, position: u64, what: &str) {
        self.severity = self.severity.max(Severity::Incomplete);
        self.twins += 1;
        if self.twins <= MOST_NAMED {
            self.errors.push(format!(
                "exam: the result at position {position} of queryresults {what}; the next pull reads all results once more; \
                 ask the service about it"
            ));
        } else if self.twins == MOST_NAMED + 1 {
            self.errors.push("exam: more results come twice: see doubled_rows".to_owned());
        }
    }

    /// Notes how many results the service counts beyond those that it lists, where no pull has met that before.
    pub(super) fn note_unlisted(&mut self, unlisted: u64) {
        self.severity = self.severity.max(Severity::Incomplete);
        if std::mem::replace(&mut self.is_short, true) {
            return;
        }
        self.errors.push(format!(
            "exam: the service counts {unlisted} more results than it lists: those that it lists are taken; the next pull reads all \
             results once more; ask the service about the others"
        ));
    }

    /// Whether something came that no pull has met before, and that may be otherwise the next time.
    pub(super) fn wants_another_reading(&self) -> bool {
        self.twins > 0 || self.is_short
    }

    /// Notes an error, and how badly the pull ends because of it.
    pub(super) fn fail(&mut self, severity: Severity, error: String) {
        self.failed.get_or_insert_with(|| error.clone());
        self.errors.push(error);
        self.severity = self.severity.max(severity);
    }

    /// How badly and why it failed, where it did not bring what there is.
    pub(super) fn failure(&self) -> Option<(Severity, String)> {
        self.failed.clone().map(|why| (self.severity, why))
    }

    /// Takes in the requests that were made.
    pub(super) fn take_calls(&mut self, calls: &Calls) {
        for ((endpoint, answer), count) in calls {
            *self.calls.entry((*endpoint).to_owned()).or_default() += count;
            *self.answers.entry((*endpoint).to_owned()).or_default().entry(answer.clone()).or_default() +=
                count;
        }
    }

    /// Draws how it ended.
    pub(super) fn close(&mut self, now_ms: i64, exit_code: fn(Severity) -> u8) {
        self.finished_at = moment(now_ms);
        self.exit_code = exit_code(self.severity);
        self.outcome = RunOutcome::of(self.severity, self.new + self.changed > 0);
    }
}
