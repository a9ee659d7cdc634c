//! What the roster wants in every class, beside what we remember of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{ClassinSide, StageError};
use crate::mirror::{
    ClassPlan, ClassView, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Presence, Reason, plan_class,
};
use crate::plan::FailureState;
use crate::reconcile::Context;
use crate::roster::{Class, ClassCode, ClassTarget, ClassinUid, Enrolment, RosterProblem, StudentId};
use crate::store::{EnrolmentChange, RosterSnapshot};

/// Everything that ClassIn's part of a run is to do.
pub(super) struct Gathered {
    /// Classes in ascending order of ids; within one, enrolments before removals.
    pub(super) operations: Vec<EnrolmentOperation>,
    /// Bookkeeping that needs no call.
    pub(super) changes: Vec<EnrolmentChange>,
    /// Wants that a person silenced.
    pub(super) ignored: HashSet<u64>,
    /// Classes that name no course.
    pub(super) not_mirrored: u64,
    /// Students whose removals wait for their grace.
    pub(super) leavers_waiting: u64,
    /// Rows that cannot be used.
    pub(super) problems: Vec<RosterProblem>,
}

/// What is said of a want that a person silenced.
const IGNORED: &str = "ignored until its row changes";

/// What held operations back in earlier runs, and what is condemned.
struct Memory {
    holds: BTreeMap<u64, String>,
    condemned: HashMap<ClassTarget, i64>,
}

impl Memory {
    /// A condemned course condemns its classes.
    fn condemned(&self, target: ClassTarget) -> Option<i64> {
        let course = ClassTarget { class: None, ..target };
        self.condemned.get(&target).or_else(|| self.condemned.get(&course)).copied()
    }
}

/// Reads everything in one transaction: the classes once to learn who is no longer wanted where, and once more
/// to plan, knowing who of them is still on the roster. Nobody is thus taken for somebody who left a class and
/// stayed, because two readings were of two moments.
pub(super) async fn gather(context: &Context, side: &ClassinSide) -> Result<Gathered, StageError> {
    let now_ms = context.clock.now_ms();
    let mut ignored = HashSet::new();
    let memory = memory(context, now_ms, &mut ignored).await?;
    let mut snapshot = context.roster.snapshot().await?;
    snapshot.require_students(context.min_roster).await?;
    let (classes, mut problems) = snapshot.classes().await?;
    if context.exam.is_none() {
        // The exam side's part of the report names them all.
        let dangling = snapshot.dangling_members().await?;
        problems.extend(dangling.into_iter().filter(|problem| problem.table == "class_members"));
    }
    let not_mirrored = classes.iter().filter(|class| class.target.is_none()).count();
    let mut gathering = Gathering {
        context,
        side,
        memory,
        codes: codes(&classes),
        present: present(context, &mut snapshot).await?,
        waiting: HashSet::new(),
        gathered: Gathered {
            operations: Vec::new(),
            changes: Vec::new(),
            ignored,
            not_mirrored: u64::try_from(not_mirrored).unwrap_or(u64::MAX),
            leavers_waiting: 0,
            problems,
        },
    };
    let mut unwanted = remembered_classes(context).await?;
    let mut wanted = snapshot.wanted_classes();
    while let Some(class) = wanted.next().await? {
        unwanted.remove(&class.target);
        gathering.one_class(class.target, &class.members).await?;
    }
    drop(wanted);
    snapshot.close().await;
    for target in unwanted {
        gathering.one_class(target, &[]).await?;
    }
    let mut gathered = gathering.gathered;
    gathered.leavers_waiting = u64::try_from(gathering.waiting.len()).unwrap_or(u64::MAX);
    Ok(gathered)
}

async fn remembered_classes(context: &Context) -> Result<BTreeSet<ClassTarget>, StageError> {
    Ok(context.state.remembered_classes().await?.into_iter().collect())
}

/// The first code by which the roster names each class.
fn codes(classes: &[Class]) -> HashMap<ClassTarget, ClassCode> {
    let mut codes = HashMap::new();
    for class in classes {
        if let Some(target) = class.target {
            codes.entry(target).or_insert_with(|| class.code.clone());
        }
    }
    codes
}

/// Which of the students who are remembered in a class, and not wanted there, are on the roster.
async fn present(
    context: &Context,
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<HashSet<StudentId>, StageError> {
    let mut leaving = HashSet::new();
    let mut unwanted = remembered_classes(context).await?;
    let mut wanted = snapshot.wanted_classes();
    while let Some(class) = wanted.next().await? {
        unwanted.remove(&class.target);
        let remembered = context.state.enrolments_of(class.target).await?;
        leaving.extend(not_wanted(&remembered, &uids(&class.members)));
    }
    drop(wanted);
    for target in unwanted {
        let remembered = context.state.enrolments_of(target).await?;
        leaving.extend(not_wanted(&remembered, &HashSet::new()));
    }
    Ok(if leaving.is_empty() { HashSet::new() } else { snapshot.active_among(&leaving).await? })
}

fn uids(wanted: &[Enrolment]) -> HashSet<ClassinUid> {
    wanted.iter().filter_map(|enrolment| enrolment.uid).collect()
}

fn not_wanted(remembered: &[(EnrolmentRecord, u32)], wanted: &HashSet<ClassinUid>) -> HashSet<StudentId> {
    remembered
        .iter()
        .filter(|(record, _)| !wanted.contains(&record.uid))
        .map(|(record, _)| record.student.clone())
        .collect()
}

async fn memory(context: &Context, now_ms: i64, ignored: &mut HashSet<u64>) -> Result<Memory, StageError> {
    let mut holds = BTreeMap::new();
    for (_, _, _, hold) in context.state.classin_holds().await? {
        let why = match hold.state {
            FailureState::Waiting if hold.due_at_ms <= now_ms => continue,
            FailureState::Waiting => "failed before, not due yet",
            FailureState::Dead => "failed for good: see rosterd failures",
            FailureState::Ignored => {
                ignored.insert(hold.want.0);
                IGNORED
            }
        };
        holds.insert(hold.want.0, why.to_owned());
    }
    let condemned = context
        .state
        .condemned_classes()
        .await?
        .into_iter()
        .map(|condemned| (condemned.target, condemned.code))
        .collect();
    Ok(Memory { holds, condemned })
}

/// What is put together class by class.
struct Gathering<'a> {
    context: &'a Context,
    side: &'a ClassinSide,
    memory: Memory,
    codes: HashMap<ClassTarget, ClassCode>,
    /// Who is on the roster, of those who are not wanted where they are remembered.
    present: HashSet<StudentId>,
    /// Leavers whose grace has not run out.
    waiting: HashSet<StudentId>,
    gathered: Gathered,
}

impl Gathering<'_> {
    async fn one_class(&mut self, target: ClassTarget, wanted: &[Enrolment]) -> Result<(), StageError> {
        let remembered = self.context.state.enrolments_of(target).await?;
        let now_ms = self.context.clock.now_ms();
        let wanted_uids = uids(wanted);
        let leaving = not_wanted(&remembered, &wanted_uids);
        let seen_gone: HashMap<&StudentId, (i64, u32)> = remembered
            .iter()
            .filter(|(record, _)| {
                leaving.contains(&record.student) && !self.present.contains(&record.student)
            })
            .map(|(record, runs)| {
                (&record.student, (record.gone_since_ms.unwrap_or(now_ms), runs.saturating_add(1)))
            })
            .collect();
        for (record, _) in &remembered {
            note_presence(record, &wanted_uids, &seen_gone, &mut self.gathered.changes);
        }
        let presence = |student: &StudentId| match seen_gone.get(student) {
            Some((since_ms, runs)) => Presence::Gone { since_ms: *since_ms, runs: *runs },
            None => Presence::OnRoster,
        };
        let view = ClassView {
            target,
            class_code: self.codes.get(&target),
            mode: self.context.mode,
            condemned: self.memory.condemned(target),
            removals: self.side.settings.removals,
            now_ms,
            delete_grace_ms: self.side.delete_grace_ms,
            presence: &presence,
            holds: &self.memory.holds,
        };
        let records: Vec<EnrolmentRecord> = remembered.iter().map(|(record, _)| record.clone()).collect();
        let plan = plan_class(wanted, &records, &view);
        self.take(plan, target, &records);
        Ok(())
    }

    fn take(&mut self, plan: ClassPlan, target: ClassTarget, records: &[EnrolmentRecord]) {
        let ClassPlan { operations, settled: _, kept: _, to_forget, handovers } = plan;
        for mut operation in operations {
            if matches!(operation.state, EnrolmentState::Waiting(Reason::Grace { .. })) {
                self.waiting.insert(operation.student);
                continue;
            }
            let impossible = matches!(operation.state, EnrolmentState::Cannot(_));
            if impossible && self.gathered.ignored.contains(&operation.want) {
                operation.state = EnrolmentState::Waiting(Reason::Other(IGNORED.to_owned()));
            }
            self.gathered.operations.push(operation);
        }
        let forgotten = to_forget.into_iter().map(|uid| EnrolmentChange::Forget { uid, target });
        self.gathered.changes.extend(forgotten);
        for handover in handovers {
            if let Some(record) = records.iter().find(|record| record.uid == handover.uid) {
                let record = EnrolmentRecord { student: handover.student, ..record.clone() };
                self.gathered.changes.push(EnrolmentChange::Know { record, code: None });
            }
        }
    }
}

fn note_presence(
    record: &EnrolmentRecord,
    wanted: &HashSet<ClassinUid>,
    seen_gone: &HashMap<&StudentId, (i64, u32)>,
    changes: &mut Vec<EnrolmentChange>,
) {
    let (uid, target) = (record.uid, record.target);
    if wanted.contains(&uid) || !seen_gone.contains_key(&record.student) {
        if record.gone_since_ms.is_some() {
            changes.push(EnrolmentChange::Returned { uid, target });
        }
    } else {
        changes.push(EnrolmentChange::Gone { uid, target });
    }
}
