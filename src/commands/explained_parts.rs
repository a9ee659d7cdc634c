//! What `explain` sets side by side, and what was changed for a student.

use std::collections::HashMap;

use serde::Serialize;

use super::wall_clock::WallClock;
use crate::run::moment;
use crate::store::{RosterDetails, StudentChange};
use rosterd_core::exam_plan::{KnownGroup, Link};
use rosterd_core::roster::{Group, GroupCode};

/// The groups of both sides.
#[derive(Serialize)]
pub(super) struct GroupsPart {
    wanted: Vec<WantedGroup>,
    /// The groups of the candidate, as they were known last.
    gids: Vec<i64>,
    /// Whether the candidate is in all that are wanted.
    is_in_all: bool,
}

/// A group of the roster.
#[derive(Clone, Serialize)]
pub(super) struct WantedGroup {
    group_code: String,
    gid: Option<i64>,
}

impl GroupsPart {
    pub(super) fn of(wanted: Vec<WantedGroup>, link: Option<&Link>) -> Option<Self> {
        let gids: Vec<i64> = link?.groups.as_ref()?.iter().map(|gid| gid.0).collect();
        let is_in_all = wanted.iter().all(|group| group.gid.is_some_and(|gid| gids.contains(&gid)));
        Some(Self { wanted, gids, is_in_all })
    }

    pub(super) fn text(&self) -> String {
        let wanted = self.wanted.iter().map(|WantedGroup { group_code, gid }| match gid {
            Some(gid) => format!("{group_code} (gid {gid})"),
            None => format!("{group_code} (no gid yet)"),
        });
        let gids: Vec<String> = self.gids.iter().map(ToString::to_string).collect();
        let verdict =
            if self.is_in_all { "is in all that are wanted" } else { "is not in all that are wanted" };
        format!(
            "groups: the roster wants {}; the candidate is in {}: {verdict}",
            list(wanted.collect()),
            list(gids)
        )
    }
}

/// Groups of which the roster names no gid have the one that rosterd created or found.
pub(super) fn take_in_created(groups: &mut [Group], known: &HashMap<GroupCode, KnownGroup>) {
    for group in groups.iter_mut().filter(|group| group.gid.is_none()) {
        group.gid = known.get(&group.code).map(|known| known.gid);
    }
}

pub(super) fn wanted_groups(details: &RosterDetails, groups: &[Group]) -> Vec<WantedGroup> {
    let gid = |code: &GroupCode| groups.iter().find(|group| group.code == *code)?.gid.map(|gid| gid.0);
    let wanted = |code: &GroupCode| WantedGroup { group_code: code.to_string(), gid: gid(code) };
    details.groups.iter().map(wanted).collect()
}

/// One change that a run made for the student: names of fields, never a value.
#[derive(Serialize)]
pub(super) struct ChangePart {
    at: String,
    run_id: i64,
    service: String,
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    class_code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    what: String,
}

impl From<StudentChange> for ChangePart {
    fn from(change: StudentChange) -> Self {
        let StudentChange { changed_at_ms, service, kind, class_key: class_code, run_id, detail: what } =
            change;
        Self { at: moment(changed_at_ms), run_id, service, kind, class_code, what }
    }
}

impl ChangePart {
    pub(super) fn text(&self, clock: &WallClock) -> String {
        let Self { at, run_id, service, kind, class_code, what } = self;
        let class = if class_code.is_empty() { String::new() } else { format!(" in {class_code}") };
        let what = if what.is_empty() { String::new() } else { format!(": {what}") };
        format!("changed {}, run {run_id}: {service} {kind}{class}{what}", clock.told(at))
    }
}

fn list(words: Vec<String>) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
