//! The sample world of docs/contracts/onlineexammaker.md, 8.4: the vendor's eight samples, run in order, answer as
//! documented.

use super::account::{Attempt, Candidate, ExamWorld, Group, NAME, PASSWORD};

const EXAM: i64 = 107_264;
const DELETED: i64 = 170_597;
const ATTEMPTS: i64 = 1877;

/// Makes an empty account the sample account.
pub(crate) fn fill(state: &mut ExamWorld) {
    for gid in [2993, 2994] {
        state.groups.insert(gid, Group { title: gid.to_string(), parent: 0 });
    }
    state.next_gid = 2995;
    state.next_sid = 170_603;
    let mut insert = |sid: i64, gid: i64, fields: &[(i64, &str)]| {
        let mut candidate = Candidate { fields: Vec::new(), gids: vec![gid] };
        for (sfid, value) in fields {
            candidate.set(*sfid, value);
        }
        state.insert_as(sid, candidate);
    };
    insert(170_605, 2993, &[(NAME, "newstufor2993"), (4, "2993")]);
    insert(170_606, 2994, &[(NAME, "newstufor2994"), (PASSWORD, "2994")]);
    insert(170_607, 2994, &[(NAME, "newstufor29942"), (PASSWORD, "2994")]);
    for sid in 170_608..170_617 {
        insert(sid, 2994, &[(NAME, &format!("sample{sid}"))]);
    }
    state.attempts = attempts();
}

/// Oldest first; the two newest are the sample's rows.
fn attempts() -> Vec<Attempt> {
    let attempt = |sid: i64, login: &str, score: i64, start: i64, end: i64| Attempt {
        eid: EXAM,
        sid,
        login_value: login.to_owned(),
        name: login.to_owned(),
        score,
        passed: 0,
        status: 1,
        start,
        end,
    };
    let oldest = 1_639_647_122 - 60 * (ATTEMPTS - 2);
    let mut attempts: Vec<Attempt> = (0..ATTEMPTS - 2)
        .map(|number| {
            let start = oldest + 60 * number;
            attempt(170_608 + number % 9, "", number % 5, start, start + 30)
        })
        .collect();
    attempts.push(attempt(DELETED, "n11", 1, 1_639_647_122, 1_639_647_132));
    attempts.push(attempt(DELETED, "n11", 2, 1_639_647_217, 1_639_647_236));
    attempts
}
