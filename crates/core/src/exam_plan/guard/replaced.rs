//! Groups to which the roster gives another gid: while a person is asked whether that is right, nobody is put there.

use std::collections::BTreeSet;

use super::Guard;
use super::groups::groups_joined;
use crate::exam_plan::Plan;
use crate::exam_plan::operation::{Change, Operation, OperationState};
use crate::exam_plan::reason::SkipReason;
use crate::roster::Gid;

impl Guard {
    /// Who enters such a group, or is moved there alone, waits with those who were in it.
    pub(super) fn skip_into_questioned(&self, plan: &mut Plan) {
        let questioned: BTreeSet<Gid> = plan.questioned_groups().into_iter().map(|(_, now)| now).collect();
        if questioned.is_empty() {
            return;
        }
        for operation in plan.operations.iter_mut().filter(|operation| self.judges(operation)) {
            let gid = groups_joined(operation).into_iter().find(|gid| questioned.contains(gid));
            if let Some(gid) = gid {
                operation.state = OperationState::Skipped(SkipReason::GroupAsked(gid));
            }
        }
    }
}

impl Plan {
    /// The gids that groups had, each with the one that the roster gives it now, where a limit holds those who would follow.
    #[must_use]
    pub fn questioned_groups(&self) -> BTreeSet<(Gid, Gid)> {
        let is_held = |operation: &&Operation| matches!(&operation.state, OperationState::Held(reason) if reason.is_limit());
        let replaced =
            self.operations.iter().filter(is_held).filter_map(|operation| match &operation.change {
                Change::Move(group_move) => Some(group_move.replaced()),
                Change::Adopt(_)
                | Change::Add(_)
                | Change::Modify(_)
                | Change::Delete(_)
                | Change::Impossible(_) => None,
            });
        replaced.flatten().map(|(was, now)| (*was, *now)).collect()
    }
}
