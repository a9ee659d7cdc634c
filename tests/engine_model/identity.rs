//! Law 10: no write goes to a candidate that this run has not seen to be that student's, and nobody on the roster is
//! deleted without an approval that names them. Judged by what the service was asked and what it answered.

use std::collections::{BTreeMap, BTreeSet};

use rosterd_sandbox::JournalEntry;

use crate::driver::Driver;

/// The writes that name a candidate by sid.
const WRITES: [&str; 3] = ["changeStuinfo", "movestugroup", "delStu"];

/// Login values that answers of one run showed, by sid.
type Shown = BTreeMap<i64, BTreeSet<String>>;

/// The sids that a call names.
pub fn sids(call: &JournalEntry) -> impl Iterator<Item = i64> {
    call.named.iter().filter_map(|named| named.strip_prefix("sid ")?.parse().ok())
}

impl Driver {
    /// Every login value that a student ever had: on the roster, or given by hand.
    pub fn remember_logins(&mut self) {
        for person in self.world.people.values() {
            self.logins.entry(person.id.clone()).or_default().extend(person.login.clone());
        }
    }

    /// Somebody gave this candidate another login value by hand. It may be linked before it shows anybody's tag.
    pub fn remember_login_by_hand(&mut self, sid: i64, login: &str) {
        let owner = owners(&self.tags()).remove(&sid).unwrap_or_else(|| format!("nobody's yet: {sid}"));
        self.logins.entry(owner).or_default().insert(login.to_owned());
    }

    /// Somebody else gave the candidates of students the login values that they have now.
    pub fn remember_logins_by_hand(&mut self) {
        let owners = owners(&self.tags());
        for candidate in self.world.sandbox.candidates() {
            if let Some(owner) = owners.get(&candidate.sid) {
                self.logins.entry(owner.clone()).or_default().insert(candidate.login_value);
            }
        }
    }

    /// `before` are the sids of students before the run.
    pub fn every_write_meets_its_student(&self, before: &BTreeMap<String, i64>) {
        let owners = owners(before);
        let mut shown = Shown::new();
        for call in self.world.sandbox.journal() {
            if WRITES.contains(&call.endpoint.as_str()) {
                for sid in sids(&call) {
                    let seen = shown.get(&sid).cloned().unwrap_or_default();
                    let owner = owners.get(&sid);
                    let is_theirs = seen.iter().any(|login| self.was_theirs(owner, sid, login));
                    let law = "no write goes to a sid that was not shown in this run to be that student's";
                    self.law(law, is_theirs, &(&call, sid, owner, &seen));
                }
            }
            if call.endpoint == "delStu" {
                self.nobody_on_the_roster_is_deleted(&call, &owners);
            }
            note_shown(&mut shown, &call);
        }
    }

    /// Whether a login value was once that of the student whose candidate this is. A candidate that shows nobody's tag
    /// yet may be anybody's who is or was on the roster.
    fn was_theirs(&self, owner: Option<&String>, sid: i64, login: &String) -> bool {
        // Somebody else edits the account meanwhile: a login value has been seen, whosever it is.
        if self.disturbed {
            return true;
        }
        // A candidate in a circle of renames, which gives way for a moment.
        if login.starts_with(&format!("moving-{sid}-")) {
            return true;
        }
        match owner {
            Some(owner) => self.logins.get(owner).is_some_and(|logins| logins.contains(login)),
            None => self.logins.values().any(|logins| logins.contains(login)),
        }
    }

    fn nobody_on_the_roster_is_deleted(&self, call: &JournalEntry, owners: &BTreeMap<i64, String>) {
        for owner in sids(call).filter_map(|sid| owners.get(&sid)) {
            let is_there = self.world.people.get(owner).is_some_and(|person| person.active);
            let allowed = !is_there || self.is_approved(owner);
            let law = "nobody on the roster is ever deleted without an approval that names them";
            self.law(law, allowed, &(owner, call));
        }
    }

    /// No candidate becomes another student's.
    pub fn candidates_stay_their_students(&self, before: &BTreeMap<String, i64>) {
        let (before, after) = (owners(before), owners(&self.tags()));
        for (sid, owner) in &before {
            let now = after.get(sid);
            self.law(
                "no candidate becomes another student's",
                now.is_none_or(|now| now == owner),
                &(sid, owner, now),
            );
        }
    }
}

fn owners(tags: &BTreeMap<String, i64>) -> BTreeMap<i64, String> {
    tags.iter().map(|(owner, sid)| (*sid, owner.clone())).collect()
}

fn note_shown(shown: &mut Shown, call: &JournalEntry) {
    // Where an answer does not tell the login value, the one that it was asked for alone brings its sid.
    let asked_alone = match call.named.as_slice() {
        [one] => one.strip_prefix("login ").map(str::to_owned),
        _ => None,
    };
    for candidate in &call.shown {
        let login = candidate.login_value.clone().or_else(|| asked_alone.clone());
        shown.entry(candidate.sid).or_default().extend(login);
    }
}
