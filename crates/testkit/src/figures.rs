//! Figures of a run, short enough to stand in an assertion.

use rosterd::{Counts, RunReport, ServiceReport};

/// Reads figures of the exam side.
pub trait Figures {
    /// `2 add, 1 move`: what was applied.
    fn applied(&self) -> String;
    /// What failed.
    fn failed(&self) -> String;
    /// What is held.
    fn held(&self) -> String;
    /// What nobody knows.
    fn unknown(&self) -> String;
    /// What was not tried.
    fn skipped(&self) -> String;
    /// What the plan had.
    fn planned(&self) -> String;
    /// How often an endpoint was called.
    fn calls(&self, endpoint: &str) -> u64;
    /// How often an endpoint was called that writes.
    fn writes(&self) -> u64;
    /// Panics where planned is not applied + failed + held + unknown + skipped, kind by kind.
    fn balances(&self);
}

/// The command that a report has for what is held.
pub fn approval(report: &RunReport) -> String {
    format!("rosterd approve {}", report.held_digest.as_deref().unwrap_or("nothing"))
}

fn shown(counts: &Counts) -> String {
    let shown: Vec<String> = counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    shown.join(", ")
}

impl Figures for RunReport {
    fn applied(&self) -> String {
        shown(&self.exam.applied)
    }
    fn failed(&self) -> String {
        shown(&self.exam.failed)
    }
    fn held(&self) -> String {
        shown(&self.exam.held)
    }
    fn unknown(&self) -> String {
        shown(&self.exam.unknown)
    }
    fn skipped(&self) -> String {
        shown(&self.exam.skipped)
    }
    fn planned(&self) -> String {
        shown(&self.exam.planned)
    }
    fn calls(&self, endpoint: &str) -> u64 {
        self.exam.calls.get(endpoint).copied().unwrap_or(0)
    }
    fn writes(&self) -> u64 {
        ["addcategory", "addStudents", "changeStuinfo", "delStu", "movestugroup"]
            .iter()
            .map(|call| self.calls(call))
            .sum()
    }
    fn balances(&self) {
        let exam = &self.exam;
        let of = |counts: &Counts, kind: &str| counts.get(kind).copied().unwrap_or(0);
        for kind in ["create", "adopt", "add", "modify", "move", "delete"] {
            let ended = [&exam.applied, &exam.failed, &exam.held, &exam.unknown, &exam.skipped];
            let sum: u64 = ended.iter().map(|counts| of(counts, kind)).sum();
            assert_eq!(of(&exam.planned, kind), sum, "{kind} of {exam:?}");
        }
        assert_eq!(ServiceReport::imbalance(exam), None);
    }
}
