//! The faults `foreign_edit` and `list_changes`: edits in the dashboard, applied before a call. The faults
//! `results_arrive` and `results_change` hand in and correct exams.

use super::account::{Candidate, ExamWorld};
use super::new_results;
use crate::faults::Fired;
use crate::world::World;

/// Lets the faults of this kind that strike the call happen before it.
pub(crate) fn edit_by_hand(world: &mut World, fired: &Fired) {
    new_results::let_happen(world, fired);
    let listed = fired.get("list_changes").map(str::to_owned);
    let edited = fired.get("foreign_edit").map(str::to_owned);
    if listed.is_none() && edited.is_none() {
        return;
    }
    world.before_exam_change();
    let state = &mut world.exam;
    if let Some(change) = listed {
        match change.as_str() {
            "insert" => {
                let sid = add(state);
                state.move_to_front(sid);
            }
            "reorder" => state.rotate(),
            change => {
                if let Some(first) = state.order().first().copied() {
                    state.remove(&[first]);
                }
                if change == "replace" {
                    add(state);
                }
            }
        }
    }
    if let Some(change) = edited {
        let (action, sid) = change.split_once('/').unwrap_or((&change, ""));
        let chosen = sid.parse().ok().or_else(|| world.chance.choice(state.order()).copied());
        if let Some(sid) = chosen {
            edit(state, action, sid);
        } else if action == "add" {
            add(state);
        }
    }
}

fn edit(state: &mut ExamWorld, action: &str, sid: i64) {
    match action {
        "add" => {
            add(state);
        }
        "move" => {
            let held = state.candidate(sid).map(|candidate| candidate.gids.clone()).unwrap_or_default();
            let other = state.groups.keys().find(|gid| !held.contains(gid)).copied();
            let gid = other.unwrap_or_else(|| state.create_group("by hand", 0));
            state.edit(sid, |candidate| candidate.set_groups([gid]));
        }
        "delete" | "remove" => {
            state.remove(&[sid]);
        }
        _ => {
            let login_field = state.login_field;
            let renamed = format!("{} renamed", state.login_value(sid));
            state.edit(sid, |candidate| candidate.set(login_field, &renamed));
        }
    }
}

fn add(state: &mut ExamWorld) -> i64 {
    let gid = state.groups.keys().next().copied();
    let gid = gid.unwrap_or_else(|| state.create_group("by hand", 0));
    let mut candidate = Candidate { fields: Vec::new(), gids: vec![gid] };
    candidate.set(super::NAME, "by hand");
    candidate.set(state.login_field, &format!("by hand {}", state.next_sid));
    state.insert(candidate)
}
