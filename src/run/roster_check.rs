//! What a person should know of the roster before a run: how many students it has, and every row that cannot be used.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::unusable_rows::unusable;
use crate::store::{RosterDatabase, RosterError};
use rosterd_core::roster::{Class, ClassCode, Group, GroupCode, LoginValue, RosterProblem, StudentId};

/// The roster as `check` sees it.
#[derive(Debug, Default)]
pub struct RosterCheck {
    pub active: u64,
    /// Rows that cannot be used as they are.
    pub problems: Vec<RosterProblem>,
    pub shape: RosterShape,
}

/// What a run makes of the roster, in figures and codes.
#[derive(Debug, Default)]
pub struct RosterShape {
    pub groups: u64,
    /// Their gids are still to be entered, or groups to be created.
    pub groups_without_gid: Vec<GroupCode>,
    pub classes: u64,
    /// They are not mirrored.
    pub classes_without_ids: Vec<ClassCode>,
    /// Classes that stand for a whole course.
    pub whole_courses: u64,
    /// Active students in more than one group.
    pub in_further_groups: u64,
    /// Wanted members of each class that is mirrored.
    pub class_sizes: Vec<u64>,
}

impl RosterShape {
    fn of(groups: &[Group], classes: &[Class]) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let whole = |class: &&Class| class.target.is_some_and(|target| target.class.is_none());
        Self {
            groups: count(groups.len()),
            groups_without_gid: groups
                .iter()
                .filter(|it| it.gid.is_none())
                .map(|it| it.code.clone())
                .collect(),
            classes: count(classes.len()),
            classes_without_ids: classes
                .iter()
                .filter(|it| it.target.is_none())
                .map(|it| it.code.clone())
                .collect(),
            whole_courses: count(classes.iter().filter(whole).count()),
            in_further_groups: 0,
            class_sizes: Vec::new(),
        }
    }
}

/// Reads the whole roster once. `login_at`: the place of the login value among the mapped columns and that column's name,
/// where they are known.
///
/// # Errors
/// When the roster cannot be read, or has fewer students than `least`.
pub async fn check_roster(
    roster: &RosterDatabase,
    login_at: Option<(usize, &str)>,
    least: u64,
) -> Result<RosterCheck, RosterError> {
    let active = roster.require_students(least).await?;
    let mut snapshot = roster.snapshot().await?;
    let repeated = snapshot.repeated_students().await?;
    let (groups, mut problems) = snapshot.groups().await?;
    let (classes, problems_of_classes) = snapshot.classes().await?;
    problems.extend(problems_of_classes);
    let mut shape = RosterShape::of(&groups, &classes);
    let mut wanted = snapshot.wanted_classes(&classes);
    while let Some(class) = wanted.next().await? {
        shape.class_sizes.push(u64::try_from(class.members.len()).unwrap_or(u64::MAX));
    }
    drop(wanted);
    problems.extend(snapshot.dangling_members().await?);
    problems.extend(snapshot.unreadable_uids().await?);
    let hasher = RandomState::new();
    let mut logins: HashMap<u64, StudentId> = HashMap::new();
    let mut students = snapshot.students().await?;
    while let Some(row) = students.next().await? {
        let id = row.student.id.clone();
        let mut found = |what: String| {
            problems.push(RosterProblem { table: "students", key: id.as_str().to_owned(), what });
        };
        if let Some(what) = unusable(&row, &repeated) {
            found(what);
            continue;
        }
        if !row.student.active {
            continue;
        }
        if row.student.groups.is_empty() {
            found("the student is in no group: add a row to group_members".to_owned());
        }
        shape.in_further_groups += u64::from(row.student.groups.len() > 1);
        let Some((place, column)) = login_at else { continue };
        let Some(login) = row.student.values.get(place).and_then(|value| LoginValue::parse(value)) else {
            found(format!("{column} is empty, and it holds the login value: enter one"));
            continue;
        };
        let hash = hasher.hash_one(login.as_str());
        if let Some(other) = logins.get(&hash) {
            found(format!(
                "{column} holds the login value, and student {other} has the same: make them differ"
            ));
        } else {
            logins.insert(hash, id);
        }
    }
    drop(students);
    snapshot.close().await?;
    Ok(RosterCheck { active, problems, shape })
}
