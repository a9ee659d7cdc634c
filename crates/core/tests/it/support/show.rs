//! Plans as short lines to compare with.

use rosterd_core::exam_plan::{Change, GroupChange, HoldReason, Operation, OperationState, Plan, SkipReason};

/// The operations of a plan, one word or two each, with what keeps them from going ahead.
pub fn lines(plan: &Plan) -> Vec<String> {
    plan.operations.iter().map(line).collect()
}

fn line(operation: &Operation) -> String {
    let what = match &operation.change {
        Change::Adopt(_) | Change::Delete(_) | Change::Impossible(_) => String::new(),
        Change::Add(addition) => {
            let again = if addition.replaces.is_some() { " again" } else { "" };
            format!(" in {}{again}", addition.group)
        }
        Change::Modify(modification) => {
            let login = modification.login.iter().map(|_| "login");
            let columns: Vec<&str> =
                login.chain(modification.values.iter().map(|value| value.column.as_str())).collect();
            format!(" {}", columns.join(" "))
        }
        Change::Move(group_move) => match group_move.change() {
            GroupChange::MoveTo(gid) => format!(" to {gid}"),
            GroupChange::Adjust { missing, surplus } => {
                let into = missing.iter().map(|gid| format!(" +{gid}"));
                into.chain(surplus.iter().map(|gid| format!(" -{gid}"))).collect()
            }
        },
    };
    format!("{} {}{what}{}", operation.kind(), operation.student, state(&operation.state))
}

fn state(state: &OperationState) -> String {
    match state {
        OperationState::Planned => String::new(),
        OperationState::Cannot(reason) => format!(" cannot: {}", reason.code().as_str()),
        OperationState::Held(reason) => format!(
            " held: {}",
            match reason {
                HoldReason::TooManyDeletes(_) => "deletes",
                HoldReason::TooManyModifies(_) => "modifies",
                HoldReason::TooManyLoginChanges(_) => "login changes",
                HoldReason::TooManyVanished(_) => "vanished",
                HoldReason::GroupToZero(_) => "group to zero",
                HoldReason::TooManyGroups { .. } => "new groups",
                HoldReason::TooManyMoves(_) => "moves",
                HoldReason::GroupShrinks(..) => "group shrinks",
                HoldReason::GroupReplaced { .. } => "group replaced",
                HoldReason::TooManyOverwrites(_) => "overwrites",
                HoldReason::TooManyMissing(_) => "missing",
                HoldReason::TooManyMissingPaired { .. } => "missing, paired",
                HoldReason::FirstContact(_) => "first contact",
                HoldReason::Renumbered(_) => "renumbered",
                HoldReason::NothingAgrees { .. } => "nothing agrees",
                HoldReason::LeftBefore { .. } => "left before",
                HoldReason::StillNamed => "still named",
                HoldReason::UnreadableIds => "unreadable ids",
                HoldReason::RowsOfNobody(_) => "rows of nobody",
                HoldReason::TwinOf(_) => "twin",
                HoldReason::SamePerson(_) => "same person",
                HoldReason::ForeignGroup(_) => "foreign group",
                HoldReason::StillHeld { .. } => "still held",
            }
        ),
        OperationState::Skipped(reason) => format!(
            " skipped: {}",
            match reason {
                SkipReason::Mode(_) => "mode".to_owned(),
                SkipReason::DoubtfulListing => "doubtful".to_owned(),
                SkipReason::NotDue { .. } => "not due".to_owned(),
                SkipReason::LoginInUse(owner) => format!("in use by {owner}"),
                SkipReason::LoginOfLeaver { leaver, .. } => format!("login of leaver {leaver}"),
                SkipReason::Depends(kind) => format!("after {kind}"),
                SkipReason::NotFoundOut => "not found out".to_owned(),
                SkipReason::AmbiguousLogin => "ambiguous".to_owned(),
                SkipReason::LoginAlike(other) => format!("alike {other:?}"),
                SkipReason::EnteredAnew { .. } => "entered anew".to_owned(),
                SkipReason::Unlisted(_) => "unlisted".to_owned(),
                SkipReason::GroupAsked(gid) => format!("gid {gid} is asked about"),
                other @ (SkipReason::DeadLetter
                | SkipReason::Ignored
                | SkipReason::ServiceStopped
                | SkipReason::AccountFull
                | SkipReason::ForeignCandidate(_)
                | SkipReason::Terminated
                | SkipReason::GroupsNotTold
                | SkipReason::TooNewToBeGone
                | SkipReason::AddNotShown { .. }
                | SkipReason::Contradicted
                | SkipReason::AnotherLogin
                | SkipReason::GroupRow(_)
                | SkipReason::ClocksDiffer) => format!("{other:?}").to_lowercase(),
            }
        ),
    }
}
