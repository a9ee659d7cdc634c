//! Removals about which the roster contradicts itself: they are held until its rows are mended, or a person decides.

use std::collections::{HashMap, HashSet};

use super::ClassinSyncError;
use super::history::PriorState;
use crate::store::RosterSnapshot;
use rosterd_core::classin_plan::{
    CoursePlan, EnrolmentKind, EnrolmentOperation, EnrolmentState, Evidence, HeldBack, Reason, Subject,
};
use rosterd_core::failure::OperationKey;
use rosterd_core::roster::{Class, ClassTarget, Enrolment, RosterProblem, Standing, StudentId};

/// What the roster says about those who are remembered in a class, and not wanted there.
pub(super) struct Contradictions {
    /// Where they stand; who has no row is absent.
    pub(super) standing: HashMap<StudentId, Standing>,
    /// Who has no row, while member rows still name them.
    still_named: HashSet<StudentId>,
    /// How many member rows of a class name nobody.
    rows_of_nobody: HashMap<ClassTarget, u64>,
    /// How many member rows name nobody, and no class that can be told.
    rows_of_no_class: u64,
    /// The classes that rows of `classes` name.
    named: HashSet<ClassTarget>,
    /// How many rows of `classes` do not tell which class they are of.
    unread_classes: u64,
    /// How many rows of `classes` have no ids at all.
    classes_without_ids: u64,
    /// Who has a member row of a class without ids.
    without_ids: HashSet<StudentId>,
    /// Since when the roster has had rows without a readable id.
    pub(super) unreadable_since_ms: Option<i64>,
    /// Leavers of whom the exam side asks whether they are somebody else on the roster.
    pub(super) asked_about: HashSet<StudentId>,
}

const ASKED_ABOUT: &str = "the student may be on the roster under another id, as is asked on the exam side: \
     the removal follows the answer";

impl Contradictions {
    pub(super) async fn read(
        snapshot: &mut RosterSnapshot<'_>,
        leaving: &HashSet<StudentId>,
        (classes, problems): (&[Class], &[RosterProblem]),
        unreadable_since_ms: Option<i64>,
    ) -> Result<Self, ClassinSyncError> {
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
        let mut rows_of_nobody: HashMap<ClassTarget, u64> = HashMap::new();
        let mut rows_of_no_class = rows.get(&None).copied().unwrap_or(0);
        // Rows without a code are one line among the problems; what they say of themselves is not told.
        let without_code =
            problems.iter().filter(|one| one.table == "classes" && one.key.starts_with('(')).count();
        let mut unread_classes = u64::try_from(without_code).unwrap_or(u64::MAX);
        let mut without_ids = Vec::new();
        for class in classes {
            let count = rows.get(&Some(class.code.clone())).copied().unwrap_or(0);
            match class.target {
                Some(target) => {
                    let counted = rows_of_nobody.entry(target).or_default();
                    *counted = counted.saturating_add(count);
                }
                // Which class it is, its own row does not tell.
                None if class.flaw.is_some() => {
                    rows_of_no_class = rows_of_no_class.saturating_add(count);
                    unread_classes = unread_classes.saturating_add(1);
                }
                None => without_ids.push(&class.code),
            }
        }
        let members = snapshot.members_among(&staying, &without_ids).await?;
        Ok(Self {
            still_named,
            rows_of_nobody,
            rows_of_no_class,
            named: classes.iter().filter_map(|class| class.target).collect(),
            unread_classes,
            classes_without_ids: u64::try_from(without_ids.len()).unwrap_or(u64::MAX),
            without_ids: members,
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
        (wanted, prior): (&[Enrolment], &PriorState),
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
                None => self.may_be_in_class(removal, wanted),
            };
            let Some(reason) = reason else { continue };
            let subject = Subject::from(&*removal);
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

    /// A student of the roster is removed at once, so whoever is to be removed went missing while those rows stood. It
    /// is otherwise with a removal that was sent before, and with one of an account that another one replaces.
    fn may_be_in_class(&self, removal: &EnrolmentOperation, wanted: &[Enrolment]) -> Option<Reason> {
        let was_sent = removal.recorded.is_some_and(Evidence::is_being_removed);
        let is_wanted = || {
            let mut here = wanted.iter().filter(|member| member.target == removal.target);
            here.any(|member| member.student == removal.student)
        };
        if was_sent || is_wanted() {
            return None;
        }
        let rows = self.rows_of_nobody.get(&removal.target).copied().unwrap_or(0);
        let rows = rows.saturating_add(self.rows_of_no_class);
        if rows > 0 {
            return Some(Reason::RowsOfNobody { rows });
        }
        let without_ids =
            if self.without_ids.contains(&removal.student) { self.classes_without_ids } else { 0 };
        let rows = self.unread_classes.saturating_add(without_ids);
        (rows > 0 && !self.named.contains(&removal.target)).then_some(Reason::ClassRows { rows })
    }
}
