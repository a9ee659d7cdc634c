//! Exams go on between two calls: results arrive, are handed in, marked again, or deleted.

use super::account::{Attempt, ExamWorld, NAME};
use crate::faults::Fired;
use crate::world::World;

/// The length of an attempt in seconds.
const TAKES_S: i64 = 30;
/// The first exam, while there are no attempts.
const FIRST_EXAM: i64 = 107_264;

/// Lets the faults about results that strike the call happen before it.
pub(super) fn let_happen(world: &mut World, fired: &Fired) {
    let arriving = fired.number("results_arrive", 1);
    let change = fired.get("results_change").map(str::to_owned);
    if arriving.is_none() && change.is_none() {
        return;
    }
    world.before_exam_change();
    for _ in 0..arriving.unwrap_or(0) {
        let sid = world.chance.choice(world.exam.order()).copied();
        let score = world.chance.i64(0..=100);
        hand_in(&mut world.exam, sid, score);
    }
    if let Some(change) = change {
        let (what, position) = change.split_once('/').unwrap_or((&change, ""));
        let position = position.parse().unwrap_or(0);
        happen(&mut world.exam, what, position);
    }
}

fn hand_in(state: &mut ExamWorld, sid: Option<i64>, score: i64) {
    let newest = state.attempts.last();
    let eid = newest.map_or(FIRST_EXAM, |attempt| attempt.eid);
    let start = newest.map_or(1_639_647_122, |attempt| attempt.start + 1);
    let Some(sid) = sid.or(newest.map(|attempt| attempt.sid)) else { return };
    let login_value = state.login_value(sid).to_owned();
    let name = state.candidate(sid).map_or("", |candidate| candidate.value(NAME)).to_owned();
    let passed = i64::from(score >= 60);
    let end = start + TAKES_S;
    state.attempts.push(Attempt { eid, sid, login_value, name, score, passed, status: 1, start, end });
}

fn happen(state: &mut ExamWorld, what: &str, position: usize) {
    let Some(at) = state.attempts.len().checked_sub(position + 1) else { return };
    match what {
        "settle" => {
            if let Some(attempt) = state.attempts.iter_mut().rev().find(|attempt| attempt.status == 0) {
                attempt.status = 1;
                attempt.end = attempt.start + TAKES_S;
            }
        }
        "delete" => {
            state.attempts.remove(at);
        }
        _ => {
            if let Some(attempt) = state.attempts.get_mut(at) {
                attempt.score += 1;
            }
        }
    }
}
