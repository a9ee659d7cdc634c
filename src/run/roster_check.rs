//! What a person should know of the roster before a run: how many students it has, and every row that cannot be used.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::unusable_rows::unusable;
use crate::store::{RosterDatabase, RosterError};
use rosterd_core::roster::{LoginValue, RosterProblem, StudentId};

/// The roster as `check` sees it.
#[derive(Debug, Default)]
pub struct RosterCheck {
    pub active: u64,
    /// Rows that cannot be used as they are.
    pub problems: Vec<RosterProblem>,
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
    let (_, mut problems) = snapshot.groups().await?;
    problems.extend(snapshot.classes().await?.1);
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
    Ok(RosterCheck { active, problems })
}
