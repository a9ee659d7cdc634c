//! Results by hand: what candidates do in exams and teachers do about it, and what a test sets up and looks at.
//!
//! Nothing here is a call of the service, and nothing here appears in the journal.

use serde::{Deserialize, Serialize};

use super::Sandbox;
use super::exam::{Attempt, ExamWorld, NAME};

/// One attempt at an exam as the dashboard shows it, without the candidate's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResultView {
    /// The exam.
    pub eid: i64,
    /// The candidate, which may be gone.
    pub sid: i64,
    /// When it began, in Unix seconds.
    pub start: i64,
    /// When it ended, in Unix seconds; 0 while in progress.
    pub end: i64,
    /// Points.
    pub score: i64,
    /// 0 or 1.
    pub passed: i64,
    /// 0 in progress, 1 submitted, 2 to 4 submitted otherwise.
    pub status: i64,
}

impl Sandbox {
    /// All results, newest first.
    #[must_use]
    pub fn results(&self) -> Vec<ResultView> {
        self.world().exam.attempts.iter().rev().map(view).collect()
    }

    /// The number of results.
    #[must_use]
    pub fn result_count(&self) -> usize {
        self.world().exam.attempts.len()
    }

    /// Adds results in this order, the newest last. Nothing is checked.
    pub fn insert_results(&self, results: impl IntoIterator<Item = ResultView>) {
        let results: Vec<ResultView> = results.into_iter().collect();
        let mut world = self.world();
        world.before_exam_change();
        for result in results {
            let attempt = made(&world.exam, &result);
            world.exam.attempts.push(attempt);
        }
    }

    /// Changes the result at this place of [`Sandbox::results`]: 0 is the newest.
    pub fn edit_result(&self, position: usize, change: impl FnOnce(&mut ResultView)) {
        let mut world = self.world();
        world.before_exam_change();
        let Some(at) = world.exam.attempts.len().checked_sub(position + 1) else { return };
        let Some(mut changed) = world.exam.attempts.get(at).map(view) else { return };
        change(&mut changed);
        let attempt = made(&world.exam, &changed);
        if let Some(slot) = world.exam.attempts.get_mut(at) {
            *slot = attempt;
        }
    }

    /// Deletes the result at this place of [`Sandbox::results`]: 0 is the newest.
    pub fn remove_result(&self, position: usize) {
        let mut world = self.world();
        world.before_exam_change();
        if let Some(at) = world.exam.attempts.len().checked_sub(position + 1) {
            world.exam.attempts.remove(at);
        }
    }
}

fn view(attempt: &Attempt) -> ResultView {
    let Attempt { eid, sid, login_value: _, name: _, score, passed, status, start, end } = attempt;
    ResultView {
        eid: *eid,
        sid: *sid,
        start: *start,
        end: *end,
        score: *score,
        passed: *passed,
        status: *status,
    }
}

fn made(exam: &ExamWorld, result: &ResultView) -> Attempt {
    let ResultView { eid, sid, start, end, score, passed, status } = *result;
    let kept = exam.attempts.iter().rev().find(|attempt| attempt.sid == sid);
    let (login_value, name) = match (exam.candidate(sid), kept) {
        (Some(candidate), _) => (exam.login_value(sid).to_owned(), candidate.value(NAME).to_owned()),
        (None, Some(kept)) => (kept.login_value.clone(), kept.name.clone()),
        (None, None) => (String::new(), String::new()),
    };
    Attempt { eid, sid, login_value, name, score, passed, status, start, end }
}
