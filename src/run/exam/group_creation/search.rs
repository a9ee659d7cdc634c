//! Looks for the titles of groups without a gid among the groups of their own students.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ExamSyncError;
use crate::run::Context;
use crate::run::exam::lookup::{self, LookupOutcome};
use crate::run::exam::session::ExamSession;
use crate::store::{RosterSnapshot, StoreError};
use rosterd_core::exam_plan::{Mapping, MissingGroups, Observed};
use rosterd_core::roster::{Gid, GroupCode, LoginValue, Sid, StudentId, normalise};

/// A title that active students are in.
#[derive(Default)]
pub(super) struct WantedTitle {
    /// The roster's groups of this title that they are in.
    pub(super) codes: BTreeSet<GroupCode>,
    /// The students, with their login values.
    members: Vec<(StudentId, Option<LoginValue>)>,
}

/// The titles without a gid that active students are in.
pub(super) async fn wanted_titles(
    snapshot: &mut RosterSnapshot<'_>,
    missing: &MissingGroups,
    mapping: &Mapping,
) -> Result<BTreeMap<String, WantedTitle>, ExamSyncError> {
    let mut wanted: BTreeMap<String, WantedTitle> = BTreeMap::new();
    if missing.titles.is_empty() {
        return Ok(wanted);
    }
    let mut students = snapshot.students().await?;
    while let Some(row) = students.next().await? {
        let student = row.student;
        if !student.active {
            continue;
        }
        let login = student.values.get(mapping.login_at()).and_then(|value| LoginValue::parse(value));
        let titles = student.groups.iter().filter_map(|code| Some((code, missing.titles.get(code)?)));
        for (code, title) in titles {
            let wanted = wanted.entry(title.clone()).or_default();
            wanted.codes.insert(code.clone());
            wanted.members.push((student.id.clone(), login.clone()));
        }
    }
    drop(students);
    Ok(wanted)
}

/// What is believed of the groups that students are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run::exam) enum Search {
    /// What this run is told.
    Asked,
    /// Of students of a group that waits, what is remembered, as long as it is verified. Nothing is created by that.
    Remembered,
}

/// The students to ask about, and whether others are not for what is remembered of them.
#[derive(Default)]
pub(super) struct Asked {
    by_sid: HashMap<Sid, StudentId>,
    by_login: HashMap<LoginValue, StudentId>,
    pub(super) rests_on_memory: bool,
}

/// Whom to ask about. A title that waits is searched for again where one of its students is remembered in a group
/// that the roster does not name, or in none.
pub(super) async fn asked_about<'w>(
    context: &Context,
    session: &ExamSession<'_>,
    observed: &Observed,
    wanted: impl Iterator<Item = (&'w WantedTitle, bool)>,
    named: &HashMap<Gid, String>,
) -> Result<Asked, StoreError> {
    let mut asked = Asked::default();
    for (wanted, waits) in wanted {
        for (student, login) in &wanted.members {
            if let Some(link) = context.state.link_of(student).await? {
                let is_known = |held: &BTreeSet<Gid>| held.iter().all(|gid| named.contains_key(gid));
                if waits && link.groups.as_ref().is_some_and(is_known) {
                    asked.rests_on_memory = true;
                } else {
                    asked.by_sid.insert(link.sid, student.clone());
                }
            } else if session.side.settings.shared != Some(true)
                && let Some(login) = login.clone().filter(|login| observed.find(login).is_some())
            {
                asked.by_login.insert(login, student.clone());
            }
        }
    }
    Ok(asked)
}

/// The groups that the candidates of these titles' students are in. Who has no candidate is not in the map. A candidate
/// that is another student's tells nothing, whatever its login value; in a shared account neither does one that is not
/// ours yet.
pub(super) async fn seen_groups(
    context: &Context,
    session: &ExamSession<'_>,
    asked: Asked,
) -> Result<HashMap<StudentId, BTreeSet<Gid>>, ExamSyncError> {
    let Asked { by_sid, by_login, rests_on_memory: _ } = asked;
    let mut seen = HashMap::new();
    let mut take = |student: Option<&StudentId>, found: LookupOutcome| {
        if let (Some(student), LookupOutcome::Row(row)) = (student, found) {
            seen.extend(row.groups.map(|groups| (student.clone(), groups)));
        }
    };
    for (sid, found) in lookup::rows_by_sid(session, by_sid.keys().copied().collect()).await? {
        take(by_sid.get(&sid), found);
    }
    let by_their_login = lookup::rows_by_login(session, by_login.keys().cloned().collect()).await?;
    let owners = context.state.sid_owners(by_their_login.values().filter_map(LookupOutcome::sid)).await?;
    for (login, found) in by_their_login {
        if found.sid().is_none_or(|sid| !owners.contains_key(&sid)) {
            take(by_login.get(&login), found);
        }
    }
    Ok(seen)
}

/// By title, the groups of that title that its own students are in. A gid that is named already is no find.
pub(super) fn by_title(
    wanted: &BTreeMap<String, WantedTitle>,
    seen: &HashMap<StudentId, BTreeSet<Gid>>,
    named: &HashMap<Gid, String>,
    shown_titles: &BTreeMap<Gid, String>,
) -> BTreeMap<String, BTreeSet<Gid>> {
    let of = |title: &String, wanted: &WantedTitle| -> BTreeSet<Gid> {
        let groups = wanted.members.iter().filter_map(|(student, _)| seen.get(student)).flatten().copied();
        let has_title =
            |gid: &Gid| shown_titles.get(gid).is_some_and(|shown| normalise(shown) == title.as_str());
        groups.filter(|gid| has_title(gid) && !named.contains_key(gid)).collect()
    };
    wanted.iter().map(|(title, group)| (title.clone(), of(title, group))).collect()
}
