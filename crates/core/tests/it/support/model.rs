//! The exam side as a model of its own: plans are applied to it call by call, and what came of them is remembered.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rosterd_core::exam_plan::{
    AfterSecondWrite, Call, Change, Fingerprint, GroupAction, GuardedPlan, Link, LinkNote, Modification,
    OpenAdd, Operation, OperationKind, Origin, RecentWrites,
};
use rosterd_core::roster::{FieldId, LoginValue, Sid, StudentId};

use super::{Candidate, HOUR, LOGIN, NAME, PASSWORD, PHONE, World, Written, gids, id, login};

/// The program dies in this batch of its run, the first being 0; of the batch's items, the exam side does those
/// whose bit is set, and we come to know of none.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    pub batch: usize,
    pub arrived: u32,
}

impl World {
    /// Plans, applies the plan and remembers what came of it, as a run does; an hour passes.
    ///
    /// Says what must never be: a login value twice, a candidate without a group.
    pub fn run(&mut self, batch_size: usize) -> (GuardedPlan, Vec<String>) {
        let plan = self.plan();
        self.write_down(&plan);
        let violations = self.apply(&plan, batch_size);
        self.now_ms += HOUR;
        (plan, violations)
    }

    /// Notes what the guard has to look back on: people whom nobody approved.
    fn write_down(&mut self, plan: &GuardedPlan) {
        let going = plan.operations.iter().filter(|operation| operation.is_planned());
        for operation in going.filter(|operation| !self.guard.approved.contains(operation)) {
            let student = &operation.student;
            let counted = operation.counted_writes().into_iter();
            let counted = counted.map(|write| Written::Counted(write, student.clone()));
            let left = operation.groups_left.iter().map(|gid| Written::Left(*gid, student.clone()));
            self.written.extend(counted.chain(left).map(|written| (self.now_ms, written)));
        }
    }

    /// The guard looks back on the last 24 hours.
    pub fn look_back(&mut self) -> &mut Self {
        self.guard.recent = RecentWrites::default();
        for (_, written) in self.written.iter().filter(|(at, _)| self.now_ms - at < 24 * HOUR) {
            match written.clone() {
                Written::Counted(write, student) => self.guard.recent.record(write, student),
                Written::Left(gid, student) => self.guard.recent.record_left(gid, student),
            }
        }
        self
    }

    /// As [`World::run`], of a program that may be killed and settles first what an earlier run left open.
    pub fn live(&mut self, batch_size: usize, kill: Option<Kill>) -> (GuardedPlan, Vec<String>) {
        self.settle_lost_adds();
        let plan = self.plan();
        let violations = self.apply_until(&plan, batch_size, kill);
        if plan.doubt.is_none() && kill.is_none() {
            let is_open = |student: &String| {
                plan.operations.iter().any(|operation| {
                    operation.student.as_str() == student
                        && matches!(operation.kind(), OperationKind::Adopt | OperationKind::Add)
                        && !operation.is_planned()
                        && !matches!(operation.change, Change::Add(_))
                })
            };
            let Self { sent_adds, open_adds, .. } = self;
            sent_adds.retain(|student, _| is_open(student) || open_adds.contains_key(&id(student)));
        }
        self.now_ms += HOUR;
        (plan, violations)
    }

    /// Whoever was entered by a call that was cut off is linked; of whom nothing is found out is kept in mind.
    fn settle_lost_adds(&mut self) {
        self.open_adds.clear();
        for (student, sent) in self.sent_adds.clone() {
            let mut listed = self.candidates.iter().filter(|(sid, _)| !self.unlisted.contains(sid));
            let Some((sid, found)) = listed.find(|(_, candidate)| candidate.login == sent) else { continue };
            let (sid, groups) = (*sid, gids(&found.groups));
            // Their own link may be the one to a candidate that was gone when the add was sent.
            let is_anothers = |link: &&Link| link.login.as_str() == sent && link.student.as_str() != student;
            if self.links.values().any(|link| is_anothers(&link) || link.sid.0 == sid) {
                continue;
            }
            if self.silent.contains(&sid) {
                self.open_adds.insert(id(&student), OpenAdd::Untold);
                continue;
            }
            let link = new_link(id(&student), Sid(sid), &login(&sent), (Origin::Added, self.now_ms));
            let fields = [NAME, PHONE, PASSWORD].map(FieldId);
            let confirmed = fields.into_iter().map(|field| (field, Fingerprint::IN_DOUBT)).collect();
            self.links.insert(student.clone(), Link { confirmed, groups: Some(groups), ..link });
            self.sent_adds.remove(&student);
        }
        self.our_lost_adds = self.sent_adds.keys().map(|student| id(student)).collect();
    }

    pub fn apply(&mut self, plan: &GuardedPlan, batch_size: usize) -> Vec<String> {
        self.apply_until(plan, batch_size, None)
    }

    fn apply_until(&mut self, plan: &GuardedPlan, batch_size: usize, kill: Option<Kill>) -> Vec<String> {
        let mut violations = Vec::new();
        if plan.doubt.is_none() {
            self.links.values_mut().for_each(|link| link.unverified.clear());
        }
        for note in &plan.notes {
            self.remember(note);
        }
        for operation in plan.operations.iter().filter(|operation| operation.is_planned()) {
            if let Change::Adopt(adoption) = &operation.change {
                let link = new_link(
                    operation.student.clone(),
                    adoption.sid,
                    &adoption.login,
                    (adoption.origin, self.now_ms),
                );
                let (confirmed, groups) = (adoption.confirmed.clone(), adoption.groups.clone());
                self.links.insert(operation.student.to_string(), Link { confirmed, groups, ..link });
            }
        }
        let strangers = self.strangers(plan);
        for (number, batch) in plan.waves(batch_size).into_iter().flatten().enumerate() {
            let fatal = kill.filter(|kill| kill.batch == number);
            for (place, at) in batch.operations.into_iter().enumerate() {
                let operation = &plan.operations[at];
                if let Some(sid) = addressed(operation).filter(|sid| strangers.contains(sid)) {
                    // The look-up before the call finds somebody else; who is in doubt is looked up before the next pass.
                    self.verified.insert(sid.0);
                    continue;
                }
                match fatal {
                    None => self.call(&batch.call, operation),
                    Some(kill) => {
                        self.call_unanswered(&batch.call, operation, kill.arrived >> place & 1 == 1)
                    }
                }
                violations.extend(self.violations());
            }
            if fatal.is_some() {
                break;
            }
        }
        violations
    }

    /// Candidates that show another login value than the one they are known by.
    fn strangers(&self, plan: &GuardedPlan) -> HashSet<Sid> {
        let is_stranger = |(sid, login): &(&Sid, &LoginValue)| {
            self.candidates.get(&sid.0).is_some_and(|candidate| candidate.login != login.as_str())
        };
        plan.known_as.iter().filter(is_stranger).map(|(sid, _)| *sid).collect()
    }

    /// A call that was announced and sent; whether the exam side did it or not, we do not come to know.
    fn call_unanswered(&mut self, call: &Call, operation: &Operation, arrived: bool) {
        if let Change::Add(addition) = &operation.change {
            self.sent_adds.insert(operation.student.to_string(), addition.login.to_string());
        }
        if let (Call::Change, Change::Modify(modification)) = (call, &operation.change)
            && let Some(link) = self.links.get_mut(operation.student.as_str())
        {
            let in_doubt = modification.values.iter().map(|value| (value.id, Fingerprint::IN_DOUBT));
            link.confirmed.extend(in_doubt);
        }
        if arrived {
            let remembered = (self.links.clone(), self.verified.clone());
            self.call(call, operation);
            (self.links, self.verified) = remembered;
        }
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
                link.renamed_by_hand = false;
            }
            LinkNote::Follow(_, login) => link.login = login.clone(),
            LinkNote::RenamedByHand(_) => link.renamed_by_hand = true,
            LinkNote::Suspected(_, values) => {
                link.suspected.extend(values);
                link.sent_twice.retain(|field, _| !values.contains_key(field));
            }
            LinkNote::SeenAgain(_, fields) => link.sent_twice.extend(fields.iter().map(|field| (*field, 1))),
            LinkNote::Cleared(_, fields) => clear(link, fields),
            LinkNote::Rewritten(_, fields) => {
                link.sent_twice.retain(|field, _| !fields.contains(field));
                link.rewritten.extend(fields);
            }
            LinkNote::Confirm(_, values) => link.confirmed.extend(values.clone()),
            LinkNote::Groups(_, groups) => link.groups = Some(groups.clone()),
            LinkNote::Close(_) | LinkNote::Lost(_) => {}
        }
    }

    fn call(&mut self, call: &Call, operation: &Operation) {
        let student = operation.student.to_string();
        match (call, &operation.change) {
            (Call::GiveWay, _) => {
                let temporary = format!("temporary value of {} at {}", self.sid(&student), self.now_ms);
                self.of(&student).login = temporary;
            }
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
        self.tell_second_writes(student, modification, &fields);
        let candidate = self.candidates.get_mut(&modification.sid.0).expect("the candidate of a modify");
        candidate.fields = fields;
        if let Some(login) = &modification.login {
            candidate.login = login.to.to_string();
            self.link(student).login = login.to.clone();
        }
    }

    /// A second write is looked up right after the call.
    fn tell_second_writes(
        &mut self,
        student: &str,
        modification: &Modification,
        fields: &BTreeMap<i64, String>,
    ) {
        let key = self.key();
        for (field, write) in &modification.second_writes {
            let link = self.link(student);
            link.sent_twice.insert(*field, 0);
            let Some(sent) = modification.values.iter().find(|value| value.id == *field) else { continue };
            let shown = fields.get(&field.0).filter(|_| write.is_looked_up);
            match AfterSecondWrite::of(
                key.value(*field, &sent.value),
                shown.map(|shown| key.value(*field, shown)),
            ) {
                AfterSecondWrite::Kept => clear(link, &BTreeSet::from([*field])),
                AfterSecondWrite::Rewritten(shown) => {
                    link.sent_twice.remove(field);
                    link.suspected.insert(*field, shown);
                    link.rewritten.insert(*field);
                }
                AfterSecondWrite::Untold => {}
            }
        }
    }

    fn add(&mut self, operation: &Operation) {
        let Change::Add(addition) = &operation.change else { panic!("an add") };
        let gid = addition.group.gid().expect("a group that is there");
        let mut fields = BTreeMap::new();
        for (field, value) in addition.values.iter().filter(|(field, _)| field.0 != LOGIN) {
            self.write(&mut fields, field.0, value);
        }
        let login = addition.login.to_string();
        let sid = self.enter(Candidate { login, fields, groups: BTreeSet::from([gid.0]) });
        self.entered_by_us.insert(sid);
        let confirmed = self.fingerprints(&self.roster[operation.student.as_str()].clone());
        let unverified = confirmed.keys().copied().collect();
        let groups = Some(BTreeSet::from([gid]));
        let link =
            new_link(operation.student.clone(), Sid(sid), &addition.login, (Origin::Added, self.now_ms));
        self.links.insert(operation.student.to_string(), Link { confirmed, unverified, groups, ..link });
    }
}

fn clear(link: &mut Link, fields: &BTreeSet<FieldId>) {
    link.suspected.retain(|field, _| !fields.contains(field));
    link.sent_twice.retain(|field, _| !fields.contains(field));
    link.rewritten.retain(|field| !fields.contains(field));
}

/// The candidate that a call for this operation names; absent before an add has brought its sid.
pub fn addressed(operation: &Operation) -> Option<Sid> {
    match &operation.change {
        Change::Modify(modification) => Some(modification.sid),
        Change::Move(group_move) => group_move.sid(),
        Change::Delete(deletion) => Some(deletion.sid()),
        Change::Adopt(_) | Change::Add(_) | Change::Impossible(_) => None,
    }
}

fn new_link(student: StudentId, sid: Sid, login: &LoginValue, (origin, linked_at_ms): (Origin, i64)) -> Link {
    Link {
        student,
        sid,
        login: login.clone(),
        origin,
        confirmed: BTreeMap::new(),
        unverified: BTreeSet::new(),
        suspected: BTreeMap::new(),
        sent_twice: BTreeMap::new(),
        rewritten: BTreeSet::new(),
        groups: None,
        gone_since_ms: None,
        gone_runs: 0,
        linked_at_ms,
        renamed_by_hand: false,
    }
}
