//! Which operations of a plan are asked for: by student, group, class and kind.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::PlanArgs;
use crate::store::RosterDatabase;
use rosterd_core::exam_plan::{OperationLine, OperationSubject};
use rosterd_core::roster::{ClassCode, Gid, GroupCode, StudentId};

/// The codes of the roster's groups, by gid.
pub(super) struct GroupCodes(BTreeMap<Gid, Vec<String>>);

impl GroupCodes {
    /// As the roster has them now. One that cannot be read has been told by the plan; then gids are shown.
    pub(super) async fn of(roster: &RosterDatabase) -> Self {
        let mut codes: BTreeMap<Gid, Vec<String>> = BTreeMap::new();
        let Ok(mut snapshot) = roster.snapshot().await else { return Self(codes) };
        if let Ok((groups, _)) = snapshot.groups().await {
            for group in groups {
                if let Some(gid) = group.gid {
                    codes.entry(gid).or_default().push(group.code.as_str().to_owned());
                }
            }
        }
        let is_whole = snapshot.close().await.is_ok();
        Self(if is_whole { codes } else { BTreeMap::new() })
    }

    /// Names groups by their codes where the plan has gids.
    pub(super) fn name_groups(&self, operations: &mut [OperationLine]) {
        for operation in operations {
            let gid = operation.group.as_deref().and_then(|group| group.parse::<i64>().ok()).map(Gid);
            let is_gid = gid.filter(|gid| operation.gids.contains(gid));
            if let Some(code) = is_gid.and_then(|gid| self.0.get(&gid)).and_then(|codes| codes.first()) {
                operation.group = Some(code.clone());
            }
        }
    }

    /// The groups or the class of an operation, as a summary names them.
    pub(super) fn places(&self, operation: &OperationLine) -> Vec<String> {
        if let Some(class) = &operation.class {
            return vec![class.clone()];
        }
        if let Some(group) = &operation.group {
            return vec![group.clone()];
        }
        let name = |gid: &Gid| {
            let code = self.0.get(gid).and_then(|codes| codes.first());
            code.map_or_else(|| format!("gid {gid}"), Clone::clone)
        };
        operation.gids.iter().map(name).collect()
    }

    fn gids_of(&self, code: &str) -> impl Iterator<Item = Gid> {
        let is_named = move |codes: &Vec<String>| codes.iter().any(|own| own == code);
        self.0.iter().filter(move |(_, codes)| is_named(codes)).map(|(gid, _)| *gid)
    }
}

/// What is asked for. An operation must be of one of each sort that is named.
pub(super) struct Selection<'a> {
    students: BTreeSet<String>,
    groups: BTreeSet<String>,
    gids: BTreeSet<Gid>,
    classes: BTreeSet<String>,
    kinds: &'a [String],
}

impl<'a> Selection<'a> {
    pub(super) fn of(arguments: &'a PlanArgs, codes: &GroupCodes) -> Self {
        let PlanArgs { students, groups, classes, kinds, .. } = arguments;
        let groups: BTreeSet<String> =
            groups.iter().map(|code| GroupCode::entered(code).as_str().to_owned()).collect();
        Self {
            students: students.iter().map(|id| StudentId::entered(id).as_str().to_owned()).collect(),
            gids: groups.iter().flat_map(|code| codes.gids_of(code)).collect(),
            groups,
            classes: classes.iter().map(|code| ClassCode::entered(code).as_str().to_owned()).collect(),
            kinds,
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        let Self { students, groups, gids: _, classes, kinds } = self;
        students.is_empty() && groups.is_empty() && classes.is_empty() && kinds.is_empty()
    }

    pub(super) fn has(&self, operation: &OperationLine) -> bool {
        let Self { students, groups, gids, classes, kinds } = self;
        let is_of_student = match &operation.subject {
            OperationSubject::StudentId(id) => students.contains(id),
            OperationSubject::GroupCode(_) => false,
        };
        let is_of_group = match &operation.subject {
            OperationSubject::GroupCode(code) => groups.contains(code),
            OperationSubject::StudentId(_) => {
                operation.group.as_ref().is_some_and(|group| groups.contains(group))
                    || !operation.gids.is_disjoint(gids)
            }
        };
        let is_of_class = operation.class.as_ref().is_some_and(|class| classes.contains(class));
        (students.is_empty() || is_of_student)
            && (groups.is_empty() || is_of_group)
            && (classes.is_empty() || is_of_class)
            && (kinds.is_empty() || kinds.iter().any(|kind| kind == operation.kind))
    }
}
