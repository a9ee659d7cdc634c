//! Students who wait for classes that take no changes any more: one row for each class, as its ids are the cause for all
//! of them. Who waits is remembered, so that a further student is news, and nobody else is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::plan::ClassinPlan;
use super::standing::of_class;
use crate::run::Context;
use crate::store::{Standing, StoreError};
use rosterd_core::classin_plan::{
    ClassNames, Code, EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason, class_key,
};
use rosterd_core::exam_plan::{Digest, Fingerprint};
use rosterd_core::failure::FailureCode;
use rosterd_core::roster::{ClassCode, ClassId, ClassTarget, CourseId, StudentId};

/// The fact that holds who waits for classes that take no changes any more: a line for each class, its ids, how often somebody joined those who waited, and a
/// fingerprint of each student.
const WAITERS: &str = "classin.waiters";

/// The same of classes whose ids ClassIn does not take.
const REFUSED: &str = "classin.refused";

/// Who waits for one class.
struct Waiting {
    code: Code,
    /// The class as failures name it.
    class: String,
    students: BTreeSet<u64>,
}

/// Who waits for classes that take no changes any more.
#[derive(Default)]
pub(super) struct WaitingForClosed(BTreeMap<ClassTarget, Waiting>);

impl WaitingForClosed {
    pub(super) fn add(&mut self, operation: &EnrolmentOperation, code: Code) {
        let begin = || Waiting { code, class: class_key(operation), students: BTreeSet::new() };
        let waiting = self.0.entry(operation.target).or_insert_with(begin);
        waiting.students.insert(fingerprint(&operation.student));
    }

    /// Of a class or a course that turned out to be deleted: everybody who is remembered there, or in any class of it, and is
    /// not `leaving` that place. `codes` are the school's.
    pub(super) async fn add_members(
        &mut self,
        context: &Context,
        (deleted, code): (ClassTarget, Code),
        codes: &HashMap<ClassTarget, ClassCode>,
        leaving: &HashSet<(ClassTarget, &StudentId)>,
    ) -> Result<(), StoreError> {
        let remembered = context.state.enrolments_of_course(deleted.course).await?;
        let is_here = |target: ClassTarget| deleted.class.is_none() || target == deleted;
        for (record, _) in remembered.iter().filter(|(record, _)| is_here(record.target)) {
            if leaving.contains(&(record.target, &record.student)) {
                continue;
            }
            // Nobody is wanted where no row names the class.
            let Some(class) = codes.get(&record.target).map(ToString::to_string) else { continue };
            let begin = || Waiting { code, class, students: BTreeSet::new() };
            let waiting = self.0.entry(record.target).or_insert_with(begin);
            waiting.students.insert(fingerprint(&record.student));
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(plan: &ClassinPlan) -> Self {
        let mut waiting = Self::default();
        for operation in plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol) {
            if let EnrolmentState::Skipped(Reason::Closed(code)) = operation.state {
                waiting.add(operation, code);
            }
        }
        waiting
    }

    /// One row for each class. It is another matter as often as somebody joined those who waited.
    pub(super) fn rows(
        self,
        waiters: &Waiters,
        names: &ClassNames,
    ) -> impl Iterator<Item = (ClassTarget, Standing)> {
        self.0.into_iter().map(move |(target, Waiting { code, class, students })| {
            let noun = target.noun();
            let next = if target.class.is_some() { "lesson" } else { "course" };
            let message = format!(
                "{noun} {class}{} ({target}) takes no changes any more (code {code}), and {} of its students {} not in it: \
                 enter the ids of the {next} that follows it, or take them off the {noun}",
                names.title_of(target),
                students.len(),
                if students.len() == 1 { "is" } else { "are" }
            );
            let row = of_class(EnrolmentKind::Enrol, class, (FailureCode::Classin(code), message), target);
            let joined = waiters.0.get(&target).map_or(0, |known| known.joined);
            let desired_hash = match joined {
                0 => row.desired_hash,
                joined => {
                    let mut digest = Digest::open("waiters");
                    digest.text(&row.desired_hash.0.to_string()).text(&joined.to_string());
                    digest.finish()
                }
            };
            (target, Standing { desired_hash, ..row })
        })
    }
}

/// Who is known to wait, by class.
#[derive(Default)]
pub(super) struct Waiters(BTreeMap<ClassTarget, Known>);

#[derive(Clone, Default)]
struct Known {
    /// In how many runs somebody joined those who waited.
    joined: u64,
    students: BTreeSet<u64>,
}

impl Waiters {
    pub(super) async fn read(context: &Context) -> Result<Self, StoreError> {
        Self::read_fact(context, WAITERS).await
    }

    /// Who waits for classes whose ids ClassIn does not take.
    pub(super) async fn of_refused(context: &Context) -> Result<Self, StoreError> {
        Self::read_fact(context, REFUSED).await
    }

    async fn read_fact(context: &Context, fact: &str) -> Result<Self, StoreError> {
        let stored = context.state.fact(fact).await?.unwrap_or_default();
        Ok(Self(stored.lines().filter_map(line).collect()))
    }

    /// Whether this student was there when the class was last asked.
    pub(super) fn knows(&self, target: ClassTarget, student: &StudentId) -> bool {
        self.0.get(&target).is_some_and(|known| known.students.contains(&fingerprint(student)))
    }

    /// These wait there, and nobody else does.
    pub(super) fn set<'a>(&mut self, target: ClassTarget, students: impl Iterator<Item = &'a StudentId>) {
        self.0.insert(target, Known { joined: 0, students: students.map(fingerprint).collect() });
    }

    /// What is known once these wait, and nobody else does. Of a class that is not known yet, all that wait are.
    pub(super) fn followed_by(&self, waiting: &WaitingForClosed) -> Self {
        let follow = |(target, Waiting { students, .. }): (&ClassTarget, &Waiting)| {
            let known = self.0.get(target);
            let is_joined = known.is_some_and(|known| !students.is_subset(&known.students));
            let joined = known.map_or(0, |known| known.joined).saturating_add(u64::from(is_joined));
            (*target, Known { joined, students: students.clone() })
        };
        Self(waiting.0.iter().map(follow).collect())
    }

    /// The same, and whoever waits for other classes still does.
    pub(super) fn joined_by(&self, waiting: &WaitingForClosed) -> Self {
        let mut waiters = self.0.clone();
        waiters.extend(self.followed_by(waiting).0);
        Self(waiters)
    }

    pub(super) async fn remember(&self, context: &Context) -> Result<(), StoreError> {
        self.remember_as(context, WAITERS).await
    }

    /// The same of classes whose ids ClassIn does not take.
    pub(super) async fn remember_refused(&self, context: &Context) -> Result<(), StoreError> {
        self.remember_as(context, REFUSED).await
    }

    async fn remember_as(&self, context: &Context, fact: &str) -> Result<(), StoreError> {
        let lines: Vec<String> = self.0.iter().map(|(target, known)| written(*target, known)).collect();
        let text = (!lines.is_empty()).then(|| lines.join("\n"));
        if context.state.fact(fact).await? == text {
            return Ok(());
        }
        context.state.remember(fact, text.as_deref()).await
    }
}

fn fingerprint(student: &StudentId) -> u64 {
    let mut digest = Digest::open("waiter");
    digest.text(student.as_str());
    let Fingerprint(fingerprint) = digest.finish();
    fingerprint
}

fn written(target: ClassTarget, known: &Known) -> String {
    let class = target.class.map_or_else(|| "-".to_owned(), |class| class.to_string());
    let students = known.students.iter().map(|student| format!(" {student:x}"));
    format!("{} {class} {}{}", target.course, known.joined, students.collect::<String>())
}

fn line(line: &str) -> Option<(ClassTarget, Known)> {
    let mut words = line.split_whitespace();
    let course = CourseId(words.next()?.parse().ok()?);
    let class = match words.next()? {
        "-" => None,
        class => Some(ClassId(class.parse().ok()?)),
    };
    let joined = words.next()?.parse().ok()?;
    let students = words.filter_map(|word| u64::from_str_radix(word, 16).ok()).collect();
    Some((ClassTarget { course, class }, Known { joined, students }))
}
