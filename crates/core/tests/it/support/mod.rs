//! A small world to plan in: a roster, the exam side as a model of its own, and what is remembered.
//!
//! Start [`converged`], change one thing, read the plan. Shares no code with the sandbox.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "each test file uses its own part of these helpers; clippy.toml relaxes the rest in test functions only"
)]

mod model;
mod people;
mod show;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::RandomState;

pub use model::{Kill, addressed};
pub use people::{Candidate, Person, candidate, student};
pub use show::lines;

use rosterd_core::exam_plan::audit::{Audit, Departure, Violation, audit};
use rosterd_core::exam_plan::{
    Approved, Certificate, Comparison, CountedWrite, Diff, DiffBuilder, Fingerprint, GroupBook,
    GroupDecisions, GroupsInput, Guard, GuardedPlan, HeldMasses, HeldOperation, Link, Listing, LoginFact,
    LookupRequests, LookupResults, LookupTerms, MappedField, Mapping, MemoryKey, ObservedBuilder, OpenAdd,
    OpenFailures, OperationState, Origin, Plan, PlanInput, Policy, RecentWrites, RosterCertificate,
    RosterFlaw, RosterTally, RunHasher, SharedLogins, SidFact, SilencedHold, StoodGroup, Trust, Wave,
};
use rosterd_core::failure::{FailureState, OpenFailure, RecordedHash, RecordedKind};
use rosterd_core::roster::{Adopt, Leavers, Limit, Mode};
use rosterd_core::roster::{FieldId, Gid, Group, GroupCode, LoginValue, Sid, StudentId};

/// So small that most plans of the tests need several calls.
const AUDITED_BATCH: usize = 3;

pub const HOUR: i64 = 3_600_000;
pub const LOGIN: i64 = 5;
pub const NAME: i64 = 1;
pub const PHONE: i64 = 4;
pub const PASSWORD: i64 = 10;
const COLUMNS: [(&str, i64); 4] =
    [("login", LOGIN), ("name", NAME), ("phone", PHONE), ("password", PASSWORD)];

/// Both sides and the memory between them.
#[derive(Clone)]
pub struct World {
    pub roster: BTreeMap<String, Person>,
    pub group_table: BTreeMap<String, Option<i64>>,
    /// Whether plans create the groups that have no gid.
    pub creates_groups: bool,
    pub candidates: BTreeMap<i64, Candidate>,
    pub links: BTreeMap<String, Link>,
    pub policy: Policy,
    pub guard: Guard,
    pub holds: OpenFailures,
    pub our_lost_adds: HashSet<StudentId>,
    pub open_adds: HashMap<StudentId, OpenAdd>,
    pub now_ms: i64,
    /// Fields that the listing leaves out.
    pub hidden: BTreeSet<i64>,
    /// Fields of which the service keeps only the first character and stars.
    pub masking: BTreeSet<i64>,
    /// Candidates that a listing which adds up leaves out all the same.
    pub unlisted: BTreeSet<i64>,
    /// Candidates that earlier runs found by sid and not in the listing.
    pub known_unlisted: BTreeSet<i64>,
    /// Whether the listing's total is off by one.
    pub total_is_wrong: bool,
    /// Look-ups of these sids get no answer.
    pub silent: BTreeSet<i64>,
    /// Look-ups do not tell the groups of these sids.
    pub groupless: BTreeSet<i64>,
    /// Look-ups of these login values get no answer.
    pub silent_logins: BTreeSet<String>,
    /// Whether our clock and the service's are too far apart.
    pub clocks_differ: bool,
    /// Whether a look-up by sid answers the login field.
    pub tells_login: bool,
    /// Whether look-ups show values other than the login value.
    pub tells_values: bool,
    /// Sids whose groups, or whose absence, were looked up before the pass.
    pub verified: BTreeSet<i64>,
    /// In what order the exam side lists.
    pub listed_backwards: bool,
    /// Whether the planner is handed its cases from the last to the first.
    pub cases_backwards: bool,
    /// Candidates that were deleted after their students had left.
    pub former: BTreeMap<String, i64>,
    /// Adds that were sent and never answered, with the login value that was sent.
    pub sent_adds: BTreeMap<String, String>,
    /// Candidates that plans of ours entered.
    pub entered_by_us: BTreeSet<i64>,
    /// Who was written for without an approval, and when.
    pub written: Vec<(i64, Written)>,
    /// Since when the roster has had rows without a readable id.
    pub unreadable_since_ms: Option<i64>,
    /// Students without a row whom member rows still name.
    pub still_named: BTreeSet<String>,
    /// Gids that stood on the roster at some time.
    pub stood: Vec<StoodGroup>,
    next_sid: i64,
    key: [u8; 32],
}

/// What the guard has to look back on.
#[derive(Clone, Debug)]
pub enum Written {
    Counted(CountedWrite, StudentId),
    Left(Gid, StudentId),
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for person in self.roster.values() {
            let Person { id, login, groups, active, problem, .. } = person;
            writeln!(f, "{id}: {login} in {groups:?}, active: {active}, problem: {}", problem.is_some())?;
        }
        for (sid, Candidate { login, groups, .. }) in &self.candidates {
            writeln!(f, "{sid}: {login} in {groups:?}")?;
        }
        for Link { student, sid, login, groups, gone_since_ms, .. } in self.links.values() {
            writeln!(f, "{student} = {sid}: {login} in {groups:?}, gone since {gone_since_ms:?}")?;
        }
        writeln!(f, "adds sent and not answered: {:?}", self.sent_adds)?;
        write!(f, "{:?}, verified {:?}, hidden {:?}", self.policy, self.verified, self.hidden)
    }
}

/// A world in which every one of these students has a candidate that is just as wanted.
pub fn converged<const N: usize>(students: [Person; N]) -> World {
    World::empty().with_converged(students)
}

/// `count` converged students `p000`, `p001`, … in group `g1`.
pub fn crowd(count: usize) -> World {
    World::empty().with_converged((0..count).map(|at| student(&format!("p{at:03}"))))
}

pub fn id(student: &str) -> StudentId {
    StudentId::new(student)
}

pub fn login(value: &str) -> LoginValue {
    LoginValue::parse(value).expect("a login value")
}

impl World {
    pub fn empty() -> Self {
        let mut group_table: BTreeMap<String, Option<i64>> =
            (1..=9).map(|gid| (format!("g{gid}"), Some(gid))).collect();
        group_table.insert("h1".to_owned(), None);
        Self {
            roster: BTreeMap::new(),
            group_table,
            creates_groups: false,
            candidates: BTreeMap::new(),
            links: BTreeMap::new(),
            policy: Policy {
                mode: Mode::Sync,
                leavers: Leavers::Delete,
                adopt: Adopt::Auto,
                delete_grace_ms: 72 * HOUR,
                shared: false,
                keeps_unnamed: true,
            },
            guard: Guard {
                max_delete: Limit::Percent(100.0),
                max_modify: Limit::Percent(100.0),
                max_move: Limit::Percent(100.0),
                max_group: Limit::Percent(100.0),
                recent: RecentWrites::default(),
                held_before: HeldMasses::default(),
                approved: Approved::default(),
            },
            holds: OpenFailures::default(),
            our_lost_adds: HashSet::new(),
            open_adds: HashMap::new(),
            now_ms: 1_000 * HOUR,
            hidden: BTreeSet::new(),
            masking: BTreeSet::new(),
            unlisted: BTreeSet::new(),
            known_unlisted: BTreeSet::new(),
            total_is_wrong: false,
            silent: BTreeSet::new(),
            groupless: BTreeSet::new(),
            silent_logins: BTreeSet::new(),
            clocks_differ: false,
            tells_login: true,
            tells_values: true,
            verified: BTreeSet::new(),
            listed_backwards: false,
            cases_backwards: false,
            former: BTreeMap::new(),
            sent_adds: BTreeMap::new(),
            entered_by_us: BTreeSet::new(),
            written: Vec::new(),
            unreadable_since_ms: None,
            still_named: BTreeSet::new(),
            stood: Vec::new(),
            next_sid: 1000,
            key: [7; 32],
        }
    }

    pub fn with_converged(mut self, students: impl IntoIterator<Item = Person>) -> Self {
        for person in students {
            let groups: BTreeSet<i64> =
                person.groups.iter().filter_map(|code| self.group_table[code]).collect();
            let fields = self.fields_of(&person);
            let sid = self.enter(Candidate { login: person.login.clone(), fields, groups: groups.clone() });
            let link = Link {
                student: id(&person.id),
                sid: Sid(sid),
                login: login(&person.login),
                origin: Origin::Added,
                confirmed: self.fingerprints(&person),
                unverified: BTreeSet::new(),
                suspected: BTreeMap::new(),
                sent_twice: BTreeMap::new(),
                rewritten: BTreeSet::new(),
                groups: Some(groups.into_iter().map(Gid).collect()),
                gone_since_ms: None,
                gone_runs: 0,
                linked_at_ms: 0,
                renamed_by_hand: false,
            };
            self.links.insert(person.id.clone(), link);
            self.roster.insert(person.id.clone(), person);
        }
        self
    }

    /// The student's row is this one now.
    pub fn set(&mut self, person: Person) -> &mut Self {
        self.roster.insert(person.id.clone(), person);
        self
    }

    /// The student is off the roster; grace has run out and an earlier run saw it.
    pub fn leave_for_good(&mut self, student: &str) -> &mut Self {
        self.leave(student);
        let (since, link) = (self.now_ms - 73 * HOUR, self.link(student));
        link.gone_since_ms = Some(since);
        link.gone_runs = 1;
        self
    }

    pub fn leave(&mut self, student: &str) -> &mut Self {
        self.roster.remove(student).expect("on the roster");
        self
    }

    pub fn link(&mut self, student: &str) -> &mut Link {
        self.links.get_mut(student).expect("a link")
    }

    pub fn sid(&self, student: &str) -> i64 {
        self.links[student].sid.0
    }

    /// The candidate of a linked student.
    pub fn of(&mut self, student: &str) -> &mut Candidate {
        let sid = self.sid(student);
        self.candidates.get_mut(&sid).expect("a candidate")
    }

    /// Somebody enters a candidate by hand.
    pub fn enter(&mut self, candidate: Candidate) -> i64 {
        self.next_sid += 1;
        self.candidates.insert(self.next_sid, candidate);
        self.next_sid
    }

    /// Somebody deletes a student's candidate by hand.
    pub fn vanish(&mut self, student: &str) -> &mut Self {
        let sid = self.sid(student);
        self.candidates.remove(&sid);
        self
    }

    pub fn key(&self) -> MemoryKey {
        MemoryKey::new(self.key)
    }

    fn fields_of(&self, person: &Person) -> BTreeMap<i64, String> {
        let mut fields = BTreeMap::new();
        for ((_, field), value) in COLUMNS.iter().zip(person.values()) {
            self.write(&mut fields, *field, &value);
        }
        fields.remove(&LOGIN);
        fields
    }

    fn write(&self, fields: &mut BTreeMap<i64, String>, field: i64, value: &str) {
        let kept = match value.chars().next() {
            Some(first) if self.masking.contains(&field) => format!("{first}***"),
            _ => value.to_owned(),
        };
        if kept.is_empty() {
            fields.remove(&field)
        } else {
            fields.insert(field, kept)
        };
    }

    fn fingerprints(&self, person: &Person) -> BTreeMap<FieldId, Fingerprint> {
        COLUMNS
            .iter()
            .zip(person.values())
            .filter(|((_, field), value)| *field != LOGIN && !(*field == PASSWORD && value.is_empty()))
            .map(|((_, field), value)| (FieldId(*field), self.key().value(FieldId(*field), &value)))
            .collect()
    }

    fn mapping(&self) -> Mapping {
        let field = |(column, id): (&str, i64)| MappedField { column: column.to_owned(), id: FieldId(id) };
        Mapping::new(COLUMNS.map(field).to_vec(), FieldId(LOGIN)).expect("the login field is mapped")
    }

    pub fn book(&self) -> GroupBook {
        let groups = self.group_table.iter().map(|(code, gid)| Group {
            code: GroupCode::new(code.as_str()),
            title: code.clone(),
            gid: gid.map(Gid),
            flaw: None,
        });
        let extra = match self.policy.leavers {
            Leavers::MoveTo(gid) => Some(Gid(gid)),
            Leavers::Delete | Leavers::Keep => None,
        };
        let new = self.new_groups().planned_codes();
        GroupBook::new(groups, extra).creating(new).remembering(self.stood.clone(), self.policy.shared)
    }

    fn new_groups(&self) -> GroupDecisions {
        let missing = self.group_table.iter().filter(|(_, gid)| gid.is_none() && self.creates_groups);
        GroupsInput {
            wanted: &missing.map(|(code, _)| (code.clone(), vec![GroupCode::new(code.as_str())])).collect(),
            seen: &BTreeMap::new(),
            named: &HashMap::new(),
            earlier: &HashMap::new(),
            adopt: self.policy.adopt,
            parent: Gid(0),
            key: &self.key(),
            now_ms: self.now_ms,
        }
        .decide()
    }

    fn listing(&self, mapping: &Mapping) -> Listing {
        let mapped = mapping.fields().iter().map(|field| field.id).collect();
        let written = self.links.values().flat_map(|link| {
            link.unverified.iter().chain(&link.rewritten).chain(link.sent_twice.keys()).copied()
        });
        let mut builder = ObservedBuilder::new(RunHasher::new(RandomState::new()), mapped, 0)
            .recognising(&self.key(), written.collect());
        let listed: Vec<&Candidate> = self
            .candidates
            .iter()
            .filter(|(sid, _)| !self.unlisted.contains(sid))
            .map(|(_, candidate)| candidate)
            .collect();
        builder.total(u64::try_from(listed.len()).unwrap() + u64::from(self.total_is_wrong));
        let mut row = |candidate: &Candidate| {
            let mut fields = vec![(FieldId(LOGIN), candidate.login.clone())];
            let shown = candidate.fields.iter().filter(|(field, _)| !self.hidden.contains(field));
            fields.extend(shown.map(|(field, value)| (FieldId(*field), value.clone())));
            builder.row(&candidate.login, &fields);
        };
        if self.listed_backwards {
            listed.into_iter().rev().for_each(&mut row);
        } else {
            listed.into_iter().for_each(&mut row);
        }
        builder.close()
    }

    fn diff(&self, comparison: &Comparison<'_>, book: &GroupBook) -> Diff {
        let sids = self.verified.iter().map(|sid| (Sid(*sid), self.candidates.get(sid)));
        let gone: HashSet<Sid> =
            sids.clone().filter(|(_, found)| found.is_none()).map(|(sid, _)| sid).collect();
        let groups: HashMap<Sid, BTreeSet<Gid>> =
            sids.filter_map(|(sid, found)| Some((sid, gids(&found?.groups)))).collect();
        let logins: HashMap<Sid, LoginValue> = self
            .verified
            .iter()
            .filter_map(|sid| Some((Sid(*sid), LoginValue::parse(&self.candidates.get(sid)?.login)?)))
            .collect();
        let of_another = HashSet::new();
        let unlisted = self.known_unlisted();
        let mut shared = SharedLogins::default();
        loop {
            let (mapping, observed, key) = (comparison.mapping, comparison.observed, comparison.key);
            let mut builder = DiffBuilder::new(mapping, observed, key, book, &shared)
                .knowing_gone(&gone)
                .knowing_unlisted(&unlisted)
                .knowing_groups(&groups)
                .knowing_logins(&logins, &of_another);
            let ids: BTreeSet<&String> = self.roster.keys().chain(self.links.keys()).collect();
            for id in ids {
                let person = self.roster.get(id);
                let problem = person.and_then(|person| person.problem.clone());
                builder.pair(person.map(Person::row), self.links.get(id).cloned(), problem);
            }
            match builder.finish() {
                Ok(mut diff) => {
                    diff.mark_named(&self.still_named.iter().map(|student| id(student)).collect());
                    return Diff { unreadable_since_ms: self.unreadable_since_ms, ..diff };
                }
                Err(more) => shared.extend(more),
            }
        }
    }

    fn known_unlisted(&self) -> HashSet<Sid> {
        self.known_unlisted.iter().copied().map(Sid).collect()
    }

    /// Answers what a plan needs to know, as the exam side would.
    fn look_up(&self, facts: &mut LookupResults, needs: &LookupRequests) {
        for sid in needs.sids.iter().filter(|sid| !self.silent.contains(&sid.0)) {
            let fact = match self.candidates.get(&sid.0) {
                None => SidFact::Gone,
                Some(found) => SidFact::Found {
                    login: self.tells_login.then(|| login(&found.login)),
                    groups: self.groups_told(sid.0, found),
                },
            };
            facts.by_sid.insert(*sid, fact);
            if let Some(found) = self.candidates.get(&sid.0) {
                let key = self.key();
                let shown = found.fields.iter().filter(|_| self.tells_values);
                let shown = shown.map(|(id, value)| (FieldId(*id), key.value(FieldId(*id), value))).collect();
                facts.shown.insert(*sid, shown);
            }
        }
        for asked in needs.logins.iter().filter(|asked| !self.silent_logins.contains(asked.as_str())) {
            let found = self.candidates.iter().find(|(_, candidate)| candidate.login == asked.as_str());
            let fact = match found {
                None => LoginFact::Absent,
                Some((sid, _)) if self.silent.contains(sid) => continue,
                Some((sid, candidate)) => {
                    let owner = self.links.values().find(|link| link.sid.0 == *sid);
                    if let Some(owner) = owner {
                        facts.sid_owners.insert(Sid(*sid), owner.student.clone());
                    }
                    LoginFact::Found { sid: Sid(*sid), groups: self.groups_told(*sid, candidate) }
                }
            };
            facts.by_login.insert(asked.clone(), fact);
        }
        for asked in &needs.owners {
            if let Some(owner) = self.links.values().find(|link| link.login == *asked) {
                facts.owners.insert(asked.clone(), owner.student.clone());
            }
        }
    }

    fn groups_told(&self, sid: i64, candidate: &Candidate) -> Option<BTreeSet<Gid>> {
        (!self.groupless.contains(&sid)).then(|| gids(&candidate.groups))
    }

    /// With what was looked up before the pass, and the look-ups that those by sid ask for.
    fn confirmed(&self, diff: &Diff, mut facts: LookupResults) -> LookupResults {
        let sids = self.verified.iter().map(|sid| Sid(*sid)).collect();
        self.look_up(&mut facts, &LookupRequests { sids, ..LookupRequests::default() });
        let requests = diff.to_confirm(&facts);
        self.look_up(&mut facts, &requests);
        facts
    }

    /// What planning would look up before any answer has come.
    pub fn needs(&self) -> LookupRequests {
        self.passed(|input| self.requests(&input))
    }

    fn requests(&self, input: &PlanInput<'_>) -> LookupRequests {
        let terms = LookupTerms {
            groups: input.groups,
            policy: &input.policy,
            trust: input.trust,
            our_lost_adds: &self.our_lost_adds,
            approved: input.approved,
            open_failures: input.open_failures,
            now_ms: self.now_ms,
        };
        LookupRequests::under(&input.diff, &terms)
    }

    /// How many people the pass of the roster by the listing keeps something of.
    pub fn cases(&self) -> usize {
        self.passed(|input| input.diff.differences.len())
    }

    /// Candidates of whom a value came back changed, by sid.
    pub fn doubted(&self) -> Vec<i64> {
        self.passed(|input| input.diff.doubted().into_iter().map(|sid| sid.0).collect())
    }

    /// Students who have no candidate of their own yet, once links to candidates that are gone are taken off.
    pub fn newcomers(&self) -> BTreeSet<String> {
        self.passed(|mut input| {
            let facts = self.confirmed(&input.diff, LookupResults::default());
            let _closed = input.diff.detach_gone(&facts, self.now_ms);
            input.diff.newcomers().into_iter().map(ToString::to_string).collect()
        })
    }

    /// What debug output shows of whom the pass keeps.
    pub fn shown_cases(&self) -> String {
        self.passed(|input| format!("{:?}", input.diff))
    }

    /// What is wrong with a reading of the roster that says this of itself.
    pub fn roster_flaw(&self, tally: RosterTally) -> Option<RosterFlaw> {
        self.passed(|input| RosterCertificate::of(&input.diff, tally).err())
    }

    /// The plan before the guard has seen it.
    pub fn unguarded(&self) -> Plan {
        self.passed(|mut input| {
            let needs = self.requests(&input);
            let mut facts = LookupResults {
                our_lost_adds: self.our_lost_adds.clone(),
                open_adds: self.open_adds.clone(),
                unlisted: self.known_unlisted(),
                previous_sids: self.former.iter().map(|(student, sid)| (id(student), Sid(*sid))).collect(),
                ..LookupResults::default()
            };
            self.look_up(&mut facts, &needs);
            let mut facts = self.confirmed(&input.diff, facts);
            let detached = input.diff.detach_gone(&facts, self.now_ms);
            self.look_up(&mut facts, &detached.requests);
            if self.cases_backwards {
                input.diff.differences.reverse();
            }
            PlanInput { lookups: &facts, ..input }.plan().creating(self.new_groups().creations, &self.policy)
        })
    }

    fn passed<T>(&self, read: impl FnOnce(PlanInput<'_>) -> T) -> T {
        let (mapping, key, book) = (self.mapping(), self.key(), self.book());
        let listing = self.listing(&mapping);
        let (observed, believed) = match &listing {
            Listing::Complete(observed, proof) => (observed, Ok(proof)),
            Listing::Doubtful(observed, flaw) => (observed, Err(flaw)),
        };
        let comparison = Comparison { mapping: &mapping, observed, key: &key };
        let diff = self.diff(&comparison, &book);
        let rows = u64::try_from(self.roster.len()).unwrap();
        let tally = RosterTally { counted: rows, read: rows, students: rows, least: 0 };
        let roster = RosterCertificate::of(&diff, tally).unwrap();
        let proof = believed.map(|listing| Certificate::of(listing, &roster));
        let trust = match &proof {
            Ok(proof) => Trust::Complete(proof),
            Err(flaw) => Trust::Doubtful(flaw),
        };
        read(PlanInput {
            diff,
            comparison: Comparison { mapping: &mapping, observed, key: &key },
            groups: &book,
            lookups: &LookupResults::default(),
            open_failures: &self.holds,
            approved: &self.guard.approved,
            policy: self.policy,
            trust,
            clocks_differ: self.clocks_differ,
            now_ms: self.now_ms,
        })
    }

    /// The plan, which passes the audit whatever the rule of a test is.
    pub fn plan(&self) -> GuardedPlan {
        let plan = self.guard.judge(self.unguarded());
        let violations = self.violations_of(&plan, &plan.waves(AUDITED_BATCH), AUDITED_BATCH);
        assert_eq!(violations, [], "{:#?}", lines(&plan));
        plan
    }

    /// What the audit finds wrong with a plan and its calls.
    pub fn violations_of(&self, plan: &Plan, waves: &[Wave], batch_size: usize) -> Vec<Violation> {
        let gone = self.links.values().filter_map(|link| {
            let since_ms = link.gone_since_ms?;
            Some((link.student.clone(), Departure { since_ms, runs: link.gone_runs }))
        });
        audit(&Audit {
            plan,
            waves,
            batch_size,
            departures: &gone.collect(),
            guard: Some(&self.guard),
            delete_grace_ms: self.policy.delete_grace_ms,
            now_ms: self.now_ms,
        })
    }

    /// The plan's operations, one word or two each.
    pub fn lines(&self) -> Vec<String> {
        lines(&self.plan())
    }

    /// Remembers the plan's only operation as a failure.
    pub fn fail(&mut self, state: FailureState, due_at_ms: i64) -> &mut Self {
        let plan = self.plan();
        let [operation] = plan.operations.as_slice() else { panic!("one operation: {:?}", lines(&plan)) };
        let hold = OpenFailure { state, due_at_ms, recorded: RecordedHash::alone(operation.desired_hash) };
        self.holds.insert(operation.student.clone(), operation.kind(), hold);
        self
    }

    /// A person silences every hold about single people that the plan has.
    pub fn ignore(&mut self) -> &mut Self {
        let plan = self.plan();
        for held in &plan.operations {
            let OperationState::Held(reason) = &held.state else { continue };
            let Some(named) = reason.named() else { continue };
            let (kind, desired_hash, of_leaver) = (held.kind(), held.desired_hash, held.of_leaver);
            let hold = SilencedHold { kind, desired_hash, named, of_leaver };
            self.holds.insert_silenced_hold(held.student.clone(), hold);
        }
        self
    }

    /// A person approves everything that the plan holds.
    pub fn approve(&mut self) -> &mut Self {
        self.approve_only(|_| true)
    }

    /// The state database remembers who is held as part of too much.
    pub fn remember_held(&mut self) -> &mut Self {
        for hold in self.plan().held() {
            let Some(mass) = hold.mass else { continue };
            for HeldOperation { key, desired_hash: _, of_leaver, named: _ } in hold.operations {
                match (of_leaver, key.kind) {
                    (true, _) => self.guard.held_before.insert_leaver(key.student, mass),
                    (false, RecordedKind::Exam(kind)) => {
                        self.guard.held_before.insert(key.student, kind, mass);
                    }
                    (false, RecordedKind::Classin(_) | RecordedKind::RosterRow) => {
                        unreachable!("of the exam side")
                    }
                }
            }
        }
        self
    }

    /// A person approves what is held of these students.
    pub fn approve_only(&mut self, concerns: impl Fn(&str) -> bool) -> &mut Self {
        let plan = self.plan();
        for hold in plan.held() {
            let Some(mass) = hold.mass else { continue };
            let students = hold.operations.iter().map(|held| &held.key.student);
            for student in students.filter(|student| concerns(student.as_str())) {
                self.guard.held_before.decide(student.clone(), mass.limit);
            }
        }
        for held in plan.operations.iter().filter(|held| concerns(held.student.as_str())) {
            let OperationState::Held(reason) = &held.state else { continue };
            let (student, kind, desired_hash) = (held.student.clone(), held.kind(), held.desired_hash);
            match reason.named() {
                Some(hold) => self.guard.approved.insert_named(student, kind, desired_hash, hold),
                None => self.guard.approved.insert(student, kind, desired_hash),
            }
        }
        self
    }
}

pub fn gids(numbers: &BTreeSet<i64>) -> BTreeSet<Gid> {
    numbers.iter().copied().map(Gid).collect()
}
