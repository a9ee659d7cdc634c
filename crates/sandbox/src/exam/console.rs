//! The exam side by hand: edits in its dashboard, and the setup and views for tests.
//!
//! ClassIn's part is `classin/console.rs`. Nothing here is a call of the service, and nothing appears in the journal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Attempt, Candidate, ExamWorld, NAME};
use crate::Sandbox;

/// The number of candidates made between two moments in which calls can be answered.
const BULK: usize = 10_000;

/// One candidate as the dashboard shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// The candidate's id.
    pub sid: i64,
    /// The login field's value; empty where there is none.
    pub login_value: String,
    /// Values by sfid; fields without a value are left out.
    pub fields: BTreeMap<i64, String>,
    /// Groups.
    pub gids: BTreeSet<i64>,
}

/// The exam side.
impl Sandbox {
    /// Creates a group under the root and answers its gid. Titles need not be unique.
    pub fn create_group(&self, title: &str) -> i64 {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.create_group(title, 0)
    }

    /// Creates a group under another and answers its gid.
    pub fn create_group_under(&self, parent: i64, title: &str) -> i64 {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.create_group(title, parent)
    }

    /// The titles of all groups by gid.
    #[must_use]
    pub fn groups(&self) -> BTreeMap<i64, String> {
        self.world().exam.groups.iter().map(|(gid, group)| (*gid, group.title.clone())).collect()
    }

    /// All candidates, by ascending sid.
    #[must_use]
    pub fn candidates(&self) -> Vec<CandidateView> {
        let world = self.world();
        let mut views: Vec<_> = world.exam.order().iter().filter_map(|sid| view(&world.exam, *sid)).collect();
        views.sort_by_key(|view| view.sid);
        views
    }

    /// The number of candidates.
    #[must_use]
    pub fn candidate_count(&self) -> usize {
        self.world().exam.len()
    }

    /// The first candidate with this login value.
    #[must_use]
    pub fn candidate(&self, login_value: &str) -> Option<CandidateView> {
        let world = self.world();
        world.exam.with_login(login_value).first().and_then(|sid| view(&world.exam, *sid))
    }

    /// Adds a candidate and answers its sid. Nothing is checked.
    pub fn insert_candidate(&self, fields: &[(i64, &str)], gids: &[i64]) -> i64 {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.insert(made(fields.iter().map(|(sfid, value)| (*sfid, *value)), gids))
    }

    /// Adds a candidate under a sid that nobody has, as another account, or one that was restored, would have it.
    /// Nothing is checked. Answers whether the sid was free.
    pub fn insert_candidate_as(&self, sid: i64, fields: &[(i64, &str)], gids: &[i64]) -> bool {
        let mut world = self.world();
        world.before_exam_change();
        if world.exam.candidate(sid).is_some() {
            return false;
        }
        world.exam.insert_as(sid, made(fields.iter().map(|(sfid, value)| (*sfid, *value)), gids));
        true
    }

    /// Adds `n` candidates; `make` is given 0 to n - 1. Nothing is checked.
    pub fn insert_candidates(&self, n: usize, mut make: impl FnMut(usize) -> (Vec<(i64, String)>, Vec<i64>)) {
        let mut next = 0;
        while next < n {
            let end = n.min(next + BULK);
            // Made before the lock is taken: `make` may ask the sandbox itself.
            let candidates: Vec<Candidate> = (next..end)
                .map(|number| {
                    let (fields, gids) = make(number);
                    made(fields.iter().map(|(sfid, value)| (*sfid, value.as_str())), &gids)
                })
                .collect();
            let mut world = self.world();
            world.before_exam_change();
            for candidate in candidates {
                world.exam.insert(candidate);
            }
            next = end;
        }
    }

    /// Sets fields of a candidate; an empty value takes the field away.
    pub fn edit_candidate(&self, sid: i64, fields: &[(i64, &str)]) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.edit(sid, |candidate| {
            for (sfid, value) in fields {
                candidate.set(*sfid, value);
            }
        });
    }

    /// Puts a candidate into exactly these groups.
    pub fn set_candidate_groups(&self, sid: i64, gids: &[i64]) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.edit(sid, |candidate| candidate.set_groups(gids.iter().copied()));
    }

    /// Deletes a candidate; the attempts stay.
    pub fn remove_candidate(&self, sid: i64) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.remove(&[sid]);
    }

    /// Lists a candidate before all others, also one that was left out of the listing.
    pub fn list_first(&self, sid: i64) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.move_to_front(sid);
    }

    /// Leaves a candidate out of the listing, and out of its total, until [`Sandbox::list_first`].
    pub fn unlist_candidate(&self, sid: i64) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.unlist(sid);
    }

    /// The sfid of a field.
    #[must_use]
    pub fn field_id(&self, label: &str) -> Option<i64> {
        self.world().exam.field_id(label)
    }

    /// The field people log in with, as a configuration names it: its label, and its sfid.
    #[must_use]
    pub fn login_field(&self) -> (String, i64) {
        let world = self.world();
        let sfid = world.exam.login_field;
        (world.exam.fields.get(&sfid).cloned().unwrap_or_default(), sfid)
    }

    /// Adds a field, or gives it another label.
    pub fn label_field(&self, sfid: i64, label: &str) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.set_field(sfid, label.to_owned());
    }

    /// Takes a field away, with everybody's value in it. The login field stays.
    pub fn remove_field(&self, sfid: i64) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.remove_field(sfid);
    }

    /// Adds an attempt of a candidate at exam `eid`, handed in half a minute after `start` (Unix seconds) or, with
    /// status 0, still running. Attempts are kept in the order they were added, the newest last.
    pub fn insert_attempt(&self, sid: i64, eid: i64, start: i64, score: i64, status: i64) {
        let mut world = self.world();
        world.before_exam_change();
        let login_value = world.exam.login_value(sid).to_owned();
        let name = world.exam.candidate(sid).map_or("", |candidate| candidate.value(NAME)).to_owned();
        let end = if status == 0 { 0 } else { start + 30 };
        world.exam.attempts.push(Attempt {
            eid,
            sid,
            login_value,
            name,
            score,
            passed: 0,
            status,
            start,
            end,
        });
    }
}

fn made<'v>(fields: impl Iterator<Item = (i64, &'v str)>, gids: &[i64]) -> Candidate {
    let mut candidate = Candidate { fields: Vec::new(), gids: Vec::new() };
    for (sfid, value) in fields {
        candidate.set(sfid, value);
    }
    candidate.set_groups(gids.iter().copied());
    candidate
}

fn view(exam: &ExamWorld, sid: i64) -> Option<CandidateView> {
    let candidate = exam.candidate(sid)?;
    Some(CandidateView {
        sid,
        login_value: candidate.value(exam.login_field).to_owned(),
        fields: candidate.fields.iter().map(|(sfid, value)| (*sfid, value.to_string())).collect(),
        gids: candidate.gids.iter().copied().collect(),
    })
}
