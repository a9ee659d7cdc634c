//! Removals about which the roster contradicts itself: they are held until its rows are mended, or a person decides.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ClassinSyncError;
use super::history::PriorState;
use crate::run::Context;
use crate::run::rows_of_nobody::{ClassRowsSince, unreadable_since};
use crate::store::RosterSnapshot;
use rosterd_core::classin_plan::{
    CoursePlan, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence, HeldBack,
    Reason, Subject,
};
use rosterd_core::failure::OperationKey;
use rosterd_core::roster::{Class, ClassCode, ClassTarget, Enrolment, RosterProblem, Standing, StudentId};

/// What the roster says about those who are remembered in a class, and not wanted there.
pub(super) struct Contradictions {
    /// Where they stand; who has no row is absent.
    pub(super) standing: HashMap<StudentId, Standing>,
    /// Who has no row, while member rows still name them.
    still_named: HashSet<StudentId>,
    /// How many member rows of a class name nobody; under `None` those of no class that can be told.
    rows_of_nobody: BTreeMap<Option<ClassTarget>, u64>,
    /// Since when.
    pub(super) rows_since: ClassRowsSince,
    /// The classes that rows of `classes` name.
    named: HashSet<ClassTarget>,
    /// How many rows of `classes` do not tell which class they are of.
    unread_classes: u64,
    /// How many rows of `classes` have no ids at all.
    classes_without_ids: u64,
    /// Who has a member row of a class without ids.
    without_ids: HashSet<StudentId>,
    /// How many rows of `classes` have lost all the ids that they had.
    lost_classes: u64,
    /// Who has a member row of such a class.
    of_lost_classes: HashSet<StudentId>,
    /// Since when the roster has had rows without a readable id.
    pub(super) unreadable_since_ms: Option<i64>,
    /// Leavers of whom the exam side asks whether they are somebody else on the roster.
    pub(super) asked_about: HashSet<StudentId>,
}

const ASKED_ABOUT: &str = "the student may be on the roster under another id, as is asked on the exam side: \
     the removal follows the answer";

impl Contradictions {
    pub(super) async fn read(
        context: &Context,
        snapshot: &mut RosterSnapshot<'_>,
        leaving: &HashSet<StudentId>,
        (classes, problems, lost): (&[Class], &[RosterProblem], &[&ClassCode]),
    ) -> Result<Self, ClassinSyncError> {
        let unreadable_since_ms = unreadable_since::<ClassinSyncError>(context, snapshot).await?;
        let standing = if leaving.is_empty() {
            HashMap::new()
        } else {
            snapshot.standing_among(leaving, classes).await?
        };
        let missing: Vec<&StudentId> =
            leaving.iter().filter(|student| !standing.contains_key(student)).collect();
        let still_named = snapshot.named_by_members(&missing).await?;
        let staying: HashSet<&StudentId> = standing
            .iter()
            .filter(|(_, stands)| **stands == Standing::OnRoster)
            .map(|(one, _)| one)
            .collect();
        let rows = if staying.is_empty() { HashMap::new() } else { snapshot.class_rows_of_nobody().await? };
        let mut rows_of_nobody: BTreeMap<Option<ClassTarget>, u64> = BTreeMap::new();
        rows_of_nobody.insert(None, rows.get(&None).copied().unwrap_or(0));
        // Rows without a code are one line among the problems; what they say of themselves is not told.
        let without_code =
            problems.iter().filter(|one| one.table == "classes" && one.key.starts_with('(')).count();
        let mut unread_classes = u64::try_from(without_code).unwrap_or(u64::MAX);
        let mut without_ids = Vec::new();
        for class in classes {
            let count = rows.get(&Some(class.code.clone())).copied().unwrap_or(0);
            if class.target.is_none() && class.flaw.is_none() {
                without_ids.push(&class.code);
                continue;
            }
            // Which class it is, a flawed row does not tell.
            unread_classes = unread_classes.saturating_add(u64::from(class.target.is_none()));
            let counted = rows_of_nobody.entry(class.target).or_default();
            *counted = counted.saturating_add(count);
        }
        let mut rows_since = ClassRowsSince::remembered(context).await?;
        if !staying.is_empty() {
            // Where nobody is missing, nobody asks, and it stands as it stood.
            rows_since = rows_since.with(&rows_of_nobody, context.clock.now_ms());
        }
        let members = snapshot.members_among(&staying, &without_ids).await?;
        let of_lost_classes = snapshot.members_among(&staying, lost).await?;
        Ok(Self {
            still_named,
            rows_of_nobody,
            rows_since,
            named: classes.iter().filter_map(|class| class.target).collect(),
            unread_classes,
            classes_without_ids: u64::try_from(without_ids.len()).unwrap_or(u64::MAX),
            without_ids: members,
            lost_classes: u64::try_from(lost.len()).unwrap_or(u64::MAX),
            of_lost_classes,
            unreadable_since_ms,
            asked_about: HashSet::new(),
            standing,
        })
    }

    /// Holds the removals of whoever may be meant by a row that cannot be read, or is still named by one. Says which of
    /// them a person has decided about.
    pub(super) fn hold(
        &self,
        plan: &mut CoursePlan,
        (wanted, records, prior): (&[Enrolment], &[EnrolmentRecord], &PriorState),
        seen_gone: &HashMap<&StudentId, (i64, u32)>,
    ) -> Vec<OperationKey> {
        let mut decided = Vec::new();
        let removals = plan.operations.iter_mut();
        for removal in removals.filter(|one| one.kind == EnrolmentKind::Remove && one.is_planned()) {
            let has_left = seen_gone.contains_key(&removal.student);
            if has_left && self.asked_about.contains(&removal.student) {
                removal.state = EnrolmentState::Waiting(Reason::Follows(ASKED_ABOUT));
                continue;
            }
            let reason = match seen_gone.get(&removal.student) {
                Some((since_ms, _)) => self.may_be_on_roster(&removal.student, *since_ms),
                None => self.may_be_in_class(removal, wanted, records),
            };
            let subject = Subject::from(&*removal);
            let Some(reason) = reason else {
                if let Some(row) = prior.left_by(&subject) {
                    decided.push(row.clone());
                    removal.state = EnrolmentState::Waiting(Reason::HeldBack(HeldBack::Ignored));
                }
                continue;
            };
            let is_silenced = reason.named().is_some_and(|named| prior.is_silenced(subject.clone(), named));
            if is_silenced {
                decided.push(subject.key);
            }
            removal.state = match (&reason, is_silenced) {
                // Who says so says that the student has left.
                (Reason::StillNamed, true) => continue,
                (_, true) => EnrolmentState::Waiting(Reason::HeldBack(HeldBack::Ignored)),
                (_, false) => EnrolmentState::Held(reason),
            };
        }
        decided
    }

    fn may_be_on_roster(&self, student: &StudentId, gone_since_ms: i64) -> Option<Reason> {
        let is_missing = !self.standing.contains_key(student);
        if self.still_named.contains(student) {
            Some(Reason::StillNamed)
        } else if is_missing && self.unreadable_since_ms.is_some_and(|since_ms| gone_since_ms >= since_ms) {
            Some(Reason::UnreadableIds)
        } else {
            None
        }
    }

    /// Who went missing before the rows came to stand is not in one of them. Nor is it so with a removal that was sent before,
    /// or with one of an account that another one replaces.
    fn may_be_in_class(
        &self,
        removal: &EnrolmentOperation,
        wanted: &[Enrolment],
        records: &[EnrolmentRecord],
    ) -> Option<Reason> {
        let was_sent = removal.recorded.is_some_and(Evidence::is_being_removed);
        let is_wanted = || {
            let mut here = wanted.iter().filter(|member| member.target == removal.target);
            here.any(|member| member.student == removal.student)
        };
        if was_sent || is_wanted() {
            return None;
        }
        let mut here = records.iter().filter(|record| record.target == removal.target);
        let record = here.find(|record| Some(record.uid) == removal.uid);
        // Who is found missing in this run is missing from now on.
        let missing_since_ms = record.and_then(|record| record.unwanted_since_ms).unwrap_or(i64::MAX);
        let places = [Some(removal.target), None].into_iter();
        let places = places.filter(|class| self.rows_since.concern(*class, missing_since_ms));
        let rows = places.map(|class| self.rows_of_nobody.get(&class).copied().unwrap_or(0));
        let rows = rows.fold(0, u64::saturating_add);
        if rows > 0 {
            return Some(Reason::RowsOfNobody { rows });
        }
        // Into a class that was never mirrored a student just moves; where one has lost its ids, they would be nowhere.
        if self.of_lost_classes.contains(&removal.student) {
            return Some(Reason::ClassRows { rows: self.lost_classes });
        }
        let without_ids =
            if self.without_ids.contains(&removal.student) { self.classes_without_ids } else { 0 };
        let rows = self.unread_classes.saturating_add(without_ids);
        (rows > 0 && !self.named.contains(&removal.target)).then_some(Reason::ClassRows { rows })
    }
}
