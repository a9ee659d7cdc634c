//! The exam side as a model of its own: plans are applied to it call by call, and what came of them is remembered.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rosterd::plan::{Call, Change, GroupAction, GuardedPlan, Link, LinkNote, Operation, Origin};
use rosterd::roster::{LoginValue, Sid};

use super::{Candidate, HOUR, LOGIN, World, gids};

impl World {
    /// Plans, applies the plan and remembers what came of it, as a run does; an hour passes.
    ///
    /// Says what must never be: a login value twice, a candidate without a group.
    pub fn run(&mut self, batch_size: usize) -> (GuardedPlan, Vec<String>) {
        let plan = self.plan();
        let violations = self.apply(&plan, batch_size);
        self.now_ms += HOUR;
        (plan, violations)
    }

    pub fn apply(&mut self, plan: &GuardedPlan, batch_size: usize) -> Vec<String> {
        let mut violations = Vec::new();
        if plan.doubt.is_none() {
            self.links.values_mut().for_each(|link| link.unverified.clear());
        }
        for note in &plan.notes {
            self.remember(note);
        }
        for operation in plan.operations.iter().filter(|operation| operation.is_planned()) {
            if let Change::Adopt(adoption) = &operation.change {
                let link = new_link(operation, adoption.sid, &adoption.login, adoption.origin);
                let (confirmed, groups) = (adoption.confirmed.clone(), Some(adoption.groups.clone()));
                self.links.insert(operation.student.to_string(), Link { confirmed, groups, ..link });
            }
        }
        for batch in plan.stages(batch_size).into_iter().flatten() {
            for at in batch.operations {
                self.call(&batch.call, &plan.operations[at]);
                violations.extend(self.violations());
            }
        }
        violations
    }

    fn violations(&self) -> Vec<String> {
        let mut logins = HashSet::new();
        let mut found = Vec::new();
        for (sid, candidate) in &self.candidates {
            if !logins.insert(&candidate.login) {
                found.push(format!("{} is there twice", candidate.login));
            }
            if candidate.groups.is_empty() {
                found.push(format!("{sid} is in no group"));
            }
        }
        found
    }

    fn remember(&mut self, note: &LinkNote) {
        let now = self.now_ms;
        let student = note.student().to_string();
        if matches!(note, LinkNote::Close(_) | LinkNote::Lost(_)) {
            self.links.remove(&student);
            return;
        }
        let link = self.link(&student);
        match note {
            LinkNote::Gone(_) => {
                link.gone_since_ms.get_or_insert(now);
                link.gone_runs += 1;
            }
            LinkNote::Returned(_) => {
                link.gone_since_ms = None;
                link.gone_runs = 0;
            }
            LinkNote::Follow(_, login) => link.login = login.clone(),
            LinkNote::Rewritten(_, fields) => link.rewritten.extend(fields),
            LinkNote::Confirm(_, values) => link.confirmed.extend(values.clone()),
            LinkNote::Groups(_, groups) => link.groups = Some(groups.clone()),
            LinkNote::Close(_) | LinkNote::Lost(_) => {}
        }
    }

    fn call(&mut self, call: &Call, operation: &Operation) {
        let student = operation.student.to_string();
        match (call, &operation.change) {
            (Call::GiveWay, _) => self.of(&student).login = format!("temporary value of {student}"),
            (Call::Change, Change::Modify(_)) => self.change(&student, &operation.change),
            (Call::Add, Change::Add(_)) => self.add(operation),
            (Call::Group(action, groups), Change::Move(_)) => {
                let groups: BTreeSet<i64> = groups.iter().map(|gid| gid.0).collect();
                let held = &mut self.of(&student).groups;
                match action {
                    GroupAction::MoveTo => *held = groups,
                    GroupAction::AddTo => held.extend(groups),
                    GroupAction::DeleteFrom => held.retain(|gid| !groups.contains(gid)),
                }
                let held = gids(held);
                self.link(&student).groups = Some(held);
            }
            (Call::Delete, Change::Delete(deletion)) => {
                self.candidates.remove(&deletion.sid().0);
                self.links.remove(&student);
            }
            (call, _) => panic!("{call:?} with {}", operation.kind()),
        }
    }

    fn change(&mut self, student: &str, change: &Change) {
        let Change::Modify(modification) = change else { panic!("a modify") };
        if !self.candidates.contains_key(&modification.sid.0) {
            // The service refuses; who is in doubt is looked up before the next pass.
            self.verified.insert(modification.sid.0);
            return;
        }
        let mut fields = self.candidates[&modification.sid.0].fields.clone();
        let key = self.key();
        for value in &modification.values {
            self.write(&mut fields, value.id.0, &value.value);
            let link = self.link(student);
            link.confirmed.insert(value.id, key.value(value.id, &value.value));
            link.unverified.insert(value.id);
        }
        let candidate = self.candidates.get_mut(&modification.sid.0).expect("the candidate of a modify");
        candidate.fields = fields;
        if let Some(login) = &modification.login {
            candidate.login = login.to.to_string();
            self.link(student).login = login.to.clone();
        }
    }

    fn add(&mut self, operation: &Operation) {
        let Change::Add(addition) = &operation.change else { panic!("an add") };
        let mut fields = BTreeMap::new();
        for (field, value) in addition.values.iter().filter(|(field, _)| field.0 != LOGIN) {
            self.write(&mut fields, field.0, value);
        }
        let login = addition.login.to_string();
        let sid = self.enter(Candidate { login, fields, groups: BTreeSet::from([addition.gid.0]) });
        let confirmed = self.fingerprints(&self.roster[operation.student.as_str()].clone());
        let unverified = confirmed.keys().copied().collect();
        let groups = Some(BTreeSet::from([addition.gid]));
        let link = new_link(operation, Sid(sid), &addition.login, Origin::Added);
        self.links.insert(operation.student.to_string(), Link { confirmed, unverified, groups, ..link });
    }
}

fn new_link(operation: &Operation, sid: Sid, login: &LoginValue, origin: Origin) -> Link {
    Link {
        student: operation.student.clone(),
        sid,
        login: login.clone(),
        origin,
        confirmed: BTreeMap::new(),
        unverified: BTreeSet::new(),
        rewritten: BTreeSet::new(),
        groups: None,
        gone_since_ms: None,
        gone_runs: 0,
    }
}
