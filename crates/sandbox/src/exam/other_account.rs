//! Another account behind the same address, made from the one that is there.

use super::account::{Candidate, ExamWorld};

/// The account as the switch `account` wants it; the original is not touched.
pub(crate) fn other_account(original: &ExamWorld, which: &str) -> ExamWorld {
    let mut other = original.clone();
    other.attempts.clear();
    let people = take_all(&mut other);
    let sids: Vec<i64> = people.iter().map(|(sid, _)| *sid).collect();
    match which {
        "renumbered" => enter(&mut other, people),
        "permuted" => {
            let shifted = sids.iter().cycle().skip(1);
            for (sid, (_, candidate)) in shifted.zip(people) {
                other.insert_as(*sid, candidate);
            }
        }
        "strangers" => {
            for (number, (sid, candidate)) in people.iter().enumerate() {
                other.insert_as(*sid, stranger(&other, number, candidate));
            }
            enter(&mut other, people);
        }
        _ => {}
    }
    other
}

/// Takes everybody out, by ascending sid.
fn take_all(account: &mut ExamWorld) -> Vec<(i64, Candidate)> {
    let sids = account.sids();
    let people: Vec<_> =
        sids.iter().filter_map(|sid| account.candidate(*sid).map(|it| (*sid, it.clone()))).collect();
    account.remove(&sids);
    people
}

/// Enters people under sids that were never given.
fn enter(account: &mut ExamWorld, people: Vec<(i64, Candidate)>) {
    for (_, candidate) in people {
        account.insert(candidate);
    }
}

fn stranger(account: &ExamWorld, number: usize, in_place_of: &Candidate) -> Candidate {
    let mut stranger = Candidate { fields: Vec::new(), gids: in_place_of.gids.clone() };
    stranger.set(super::NAME, &format!("stranger {number}"));
    stranger.set(account.login_field, &format!("stranger-{number}"));
    stranger
}
