//! Removals about which the roster contradicts itself: they are held until its rows are mended, or a person decides.

use std::collections::{HashMap, HashSet};

use super::ClassinSyncError;
use crate::store::RosterSnapshot;
use rosterd_core::classin_plan::{
    CoursePlan, EnrolmentKind, EnrolmentOperation, EnrolmentState, Evidence, Reason,
};
use rosterd_core::exam_plan::HoldReason;
use rosterd_core::roster::{Class, ClassTarget, Enrolment, Standing, StudentId};

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
    /// Since when the roster has had rows without a readable id.
    pub(super) unreadable_since_ms: Option<i64>,
}

impl Contradictions {
    pub(super) async fn read(
        snapshot: &mut RosterSnapshot<'_>,
        leaving: &HashSet<StudentId>,
        classes: &[Class],
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
        let some_stay = standing.values().any(|stands| *stands == Standing::OnRoster);
        let rows = if some_stay { snapshot.class_rows_of_nobody().await? } else { HashMap::new() };
        let mut rows_of_nobody: HashMap<ClassTarget, u64> = HashMap::new();
        let mut rows_of_no_class = rows.get(&None).copied().unwrap_or(0);
        for class in classes {
            let count = rows.get(&Some(class.code.clone())).copied().unwrap_or(0);
            match class.target {
                Some(target) => {
                    let counted = rows_of_nobody.entry(target).or_default();
                    *counted = counted.saturating_add(count);
                }
                // Which class it is, its own row does not tell.
                None if class.flaw.is_some() => rows_of_no_class = rows_of_no_class.saturating_add(count),
                None => {}
            }
        }
        Ok(Self { standing, still_named, rows_of_nobody, rows_of_no_class, unreadable_since_ms })
    }

    /// Holds the removals of whoever may be meant by a row that cannot be read, or is still named by one.
    pub(super) fn hold(
        &self,
        plan: &mut CoursePlan,
        wanted: &[Enrolment],
        seen_gone: &HashMap<&StudentId, (i64, u32)>,
    ) {
        let removals = plan.operations.iter_mut();
        for removal in removals.filter(|one| one.kind == EnrolmentKind::Remove && one.is_planned()) {
            let reason = match seen_gone.get(&removal.student) {
                Some((since_ms, _)) => self.may_be_on_roster(&removal.student, *since_ms),
                None => self.may_be_in_class(removal, wanted),
            };
            if let Some(reason) = reason {
                removal.state = EnrolmentState::Held(reason);
            }
        }
    }

    fn may_be_on_roster(&self, student: &StudentId, gone_since_ms: i64) -> Option<Reason> {
        let is_missing = !self.standing.contains_key(student);
        let reason = if self.still_named.contains(student) {
            HoldReason::StillNamed
        } else if is_missing && self.unreadable_since_ms.is_some_and(|since_ms| gone_since_ms >= since_ms) {
            HoldReason::UnreadableIds
        } else {
            return None;
        };
        Some(Reason::MayBeThere(reason.to_string()))
    }

    /// A student of the roster is removed at once, so whoever is to be removed went missing while those rows stood. It
    /// is otherwise with a removal that was sent before, and with one of an account that another one replaces.
    fn may_be_in_class(&self, removal: &EnrolmentOperation, wanted: &[Enrolment]) -> Option<Reason> {
        let rows = self.rows_of_nobody.get(&removal.target).copied().unwrap_or(0);
        let rows = rows.saturating_add(self.rows_of_no_class);
        let was_sent = removal.recorded == Some(Evidence::Removing);
        let is_wanted = || {
            let mut here = wanted.iter().filter(|member| member.target == removal.target);
            here.any(|member| member.student == removal.student)
        };
        (rows > 0 && !was_sent && !is_wanted()).then_some(Reason::RowsOfNobody { rows })
    }
}
