//! Groups of the roster that have no gid: found on the exam side, or created there, once.
//!
//! No call lists groups. One that somebody is in is seen when a candidate in it is looked up; an empty one is never
//! seen. So before a group is created its own students are looked up: where they already are in a group of that
//! title, that one is theirs. And after an answer that was lost the group, if it is there, is empty: nothing can
//! prove what happened, so it is not asked for again, and a person decides (docs/contracts/onlineexammaker.md, 3.9
//! and 4.5).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::lookup::{self, LookupOutcome};
use super::session::ExamSession;
use super::{ExamSide, ExamSyncError, Reading};
use crate::remote::exam::{ExamDisposition, ExamError, ExamWriter};
use crate::remote::http::retry_limits::REFUSED_GROUPS_IN_A_ROW;
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::{Creation, GroupOrigin, KnownGroup, StoreError};
use rosterd_core::exam_plan::{Mapping, Observed};
use rosterd_core::failure::Retry;
use rosterd_core::roster::{Adopt, Mode};
use rosterd_core::roster::{
    Gid, Group, GroupCode, LoginValue, RosterProblem, RunId, Sid, StudentId, normalise,
};

/// What a run has at hand when it looks after groups.
#[derive(Clone, Copy)]
struct GroupContext<'a> {
    context: &'a Context,
    session: ExamSession<'a>,
    mapping: &'a Mapping,
    observed: &'a Observed,
    is_doubtful: bool,
    run: RunId,
    /// Absent where only a plan is shown.
    writer: Option<&'a ExamWriter>,
}

/// A title for which a group is wanted.
#[derive(Default)]
struct MissingGroup {
    codes: Vec<GroupCode>,
    members: Vec<(StudentId, Option<LoginValue>)>,
}

/// The roster's groups, with the gids that are known of those without one.
pub(super) async fn with_known_gids(context: &Context, groups: Vec<Group>) -> Result<Vec<Group>, StoreError> {
    if groups.iter().all(|group| group.gid.is_some()) {
        return Ok(groups);
    }
    let known = context.state.known_groups().await?;
    let gid = |group: &Group| match known.get(&group.code) {
        Some(KnownGroup { gid, origin: GroupOrigin::Created | GroupOrigin::Adopted }) => Some(*gid),
        Some(KnownGroup { origin: GroupOrigin::Roster, .. }) | None => None,
    };
    Ok(groups.into_iter().map(|group| Group { gid: group.gid.or_else(|| gid(&group)), ..group }).collect())
}

/// Finds or creates the groups that active students are in and that have no gid. What cannot be done is reported;
/// the students concerned are then treated as those of any group without a gid.
pub(super) async fn ensure_groups(
    context: &Context,
    side: &ExamSide,
    reading: &Reading,
    run: RunId,
    writer: Option<&ExamWriter>,
    report: &mut ServiceReport,
) -> Result<(), ExamSyncError> {
    if !side.settings.create_groups {
        return Ok(());
    }
    let (mapping, observed) = (&reading.mapping, &reading.observed);
    let (session, is_doubtful) = (super::session(context, side, reading), reading.believed.is_err());
    let group_context = GroupContext { context, session, mapping, observed, is_doubtful, run, writer };
    let mut snapshot = group_context.context.roster.snapshot().await?;
    let (groups, unusable) = snapshot.groups().await?;
    let known = group_context.context.state.known_groups().await?;
    remember_the_rosters_own(&group_context, &groups, &known).await?;
    let missing = missing(&groups, &unusable, &known, report);
    if missing.is_empty() {
        snapshot.close().await;
        return Ok(());
    }
    let mut wanted: BTreeMap<String, MissingGroup> = BTreeMap::new();
    let mut students = snapshot.students();
    while let Some(row) = students.next().await? {
        if !row.student.active {
            continue;
        }
        let login = row
            .student
            .values
            .get(group_context.mapping.login_at())
            .and_then(|value| LoginValue::parse(value));
        for title in row.student.groups.iter().filter_map(|code| missing.get(code)).collect::<BTreeSet<_>>() {
            let member = (row.student.id.clone(), login.clone());
            wanted.entry(title.clone()).or_default().members.push(member);
        }
    }
    drop(students);
    snapshot.close().await;
    for (code, title) in &missing {
        if let Some(wanted) = wanted.get_mut(title) {
            wanted.codes.push(code.clone());
        }
    }
    let gid = |group: &Group| group.gid.or_else(|| known.get(&group.code).map(|known| known.gid));
    let taken = groups.iter().filter_map(|group| Some((gid(group)?, normalise(&group.title).into_owned())));
    GroupCreator { context: group_context, taken: taken.collect(), refusals: 0, at_rest: false }
        .go_through(wanted, report)
        .await
}

/// A roster that loses its gids must not have all its groups made again.
async fn remember_the_rosters_own(
    group_context: &GroupContext<'_>,
    groups: &[Group],
    known: &HashMap<GroupCode, KnownGroup>,
) -> Result<(), StoreError> {
    if !group_context.may_write() {
        return Ok(());
    }
    let own = groups.iter().filter_map(|group| Some((group.code.clone(), group.gid?)));
    let news: Vec<(GroupCode, KnownGroup)> = own
        .filter(|(code, gid)| known.get(code).is_none_or(|known| known.gid != *gid))
        .map(|(code, gid)| (code, KnownGroup { gid, origin: GroupOrigin::Roster }))
        .collect();
    group_context.context.state.remember_known_groups(&news, group_context.context.clock.now_ms()).await
}

/// Groups without any gid, with their titles; those that are not for us to create are reported.
fn missing(
    groups: &[Group],
    unusable: &[RosterProblem],
    known: &HashMap<GroupCode, KnownGroup>,
    report: &mut ServiceReport,
) -> BTreeMap<GroupCode, String> {
    // A gid that is no number is a slip of the pen, not a missing one.
    let slips: HashSet<&str> = unusable.iter().map(|problem| problem.key.as_str()).collect();
    let mut missing = BTreeMap::new();
    for group in groups.iter().filter(|group| group.gid.is_none() && !slips.contains(group.code.as_str())) {
        let title = normalise(&group.title);
        match known.get(&group.code) {
            Some(KnownGroup { origin: GroupOrigin::Created | GroupOrigin::Adopted, .. }) => {}
            Some(KnownGroup { gid, origin: GroupOrigin::Roster }) => {
                let what = format!("had gid {gid} and has none now: it is not created again; enter its gid");
                report_problem(report, &group.code, what);
            }
            None if title.is_empty() => {
                report_problem(
                    report,
                    &group.code,
                    "has neither gid nor title: enter one of them".to_owned(),
                );
            }
            None => {
                missing.insert(group.code.clone(), title.into_owned());
            }
        }
    }
    missing
}

fn report_problem(report: &mut ServiceReport, code: &GroupCode, what: String) {
    let problem = RosterProblem { table: "groups", key: code.as_str().to_owned(), what };
    report.problems.push(problem.to_string());
}

impl GroupContext<'_> {
    /// A plan changes nothing, and observing neither.
    fn may_write(&self) -> bool {
        self.writer.is_some() && self.context.mode != Mode::Observe
    }

    fn parent(&self) -> Gid {
        Gid(self.session.side.settings.create_groups_under)
    }
}

/// Goes through the titles one by one.
struct GroupCreator<'a> {
    context: GroupContext<'a>,
    /// Gids that the roster names, with the titles it has for them.
    taken: HashMap<Gid, String>,
    refusals: u32,
    /// Whether no further group is asked for in this run.
    at_rest: bool,
}

impl GroupCreator<'_> {
    async fn go_through(
        mut self,
        wanted: BTreeMap<String, MissingGroup>,
        report: &mut ServiceReport,
    ) -> Result<(), ExamSyncError> {
        let creations = self.context.context.state.group_creations(self.context.parent()).await?;
        let is_done = |title: &str| matches!(creations.get(title), Some(Creation::Done(_)));
        let open = wanted.iter().filter(|(title, _)| !is_done(title)).map(|(_, wanted)| wanted);
        let held = self.groups_held(open).await?;
        let seen = self.context.session.side.reader.seen_groups();
        for (title, wanted) in wanted {
            let there: BTreeSet<Gid> = wanted
                .members
                .iter()
                .filter_map(|(student, _)| held.get(student))
                .flatten()
                .filter(|gid| seen.get(gid).is_some_and(|shown| normalise(shown) == title))
                .filter(|gid| !self.taken.contains_key(gid))
                .copied()
                .collect();
            let earlier = creations.get(&title).copied();
            self.settle_title(&title, &wanted.codes, earlier, &there, report).await?;
        }
        Ok(())
    }

    /// Which groups the candidates of these students are in. Who has none is not in the map.
    async fn groups_held<'w>(
        &self,
        wanted: impl Iterator<Item = &'w MissingGroup>,
    ) -> Result<HashMap<StudentId, BTreeSet<Gid>>, ExamSyncError> {
        let GroupContext { context, session, observed, .. } = &self.context;
        let (mut by_sid, mut by_login) = (HashMap::<Sid, StudentId>::new(), HashMap::new());
        for (student, login) in wanted.flat_map(|wanted| &wanted.members) {
            if let Some(link) = context.state.link_of(student).await? {
                by_sid.insert(link.sid, student.clone());
            } else if let Some(login) = login.clone().filter(|login| observed.find(login).is_some()) {
                by_login.insert(login, student.clone());
            }
        }
        let mut held = HashMap::new();
        let mut take = |student: Option<&StudentId>, outcome: LookupOutcome| {
            if let (Some(student), LookupOutcome::Row(row)) = (student, outcome) {
                held.insert(student.clone(), row.groups);
            }
        };
        for (sid, outcome) in lookup::rows_by_sid(session, by_sid.keys().copied().collect()).await? {
            take(by_sid.get(&sid), outcome);
        }
        for (login, outcome) in lookup::rows_by_login(session, by_login.keys().cloned().collect()).await? {
            take(by_login.get(&login), outcome);
        }
        Ok(held)
    }

    /// What is to become of one title.
    async fn settle_title(
        &mut self,
        title: &str,
        codes: &[GroupCode],
        earlier: Option<Creation>,
        there: &BTreeSet<Gid>,
        report: &mut ServiceReport,
    ) -> Result<(), ExamSyncError> {
        let now_ms = self.context.context.clock.now_ms();
        let (mut known, mut is_anothers) = (None, false);
        if let Some(Creation::Done(done)) = earlier {
            // Its group may have been given another title since, and this title to another group.
            is_anothers = self.taken.get(&done.gid).is_some_and(|taken| taken != title);
            known = Some(done).filter(|_| !is_anothers);
        }
        let may_adopt = self.context.session.side.settings.adopt == Adopt::Auto;
        let what = match (there.len(), there.first()) {
            _ if known.is_some() => None,
            _ if is_anothers => Some(
                "has no gid, and the group that was created under its title now has another title on the roster: enter \
                 its gid, or give it a title of its own"
                    .to_owned(),
            ),
            (1, Some(gid)) if may_adopt => {
                return self.adopt(title, codes, *gid, report).await;
            }
            (1, Some(gid)) => Some(format!(
                "has no gid, and its students are in a group of its title already: enter gid {gid} (exam.adopt is never)"
            )),
            (2.., _) => Some(
                "has no gid, and its students are in several groups of its title: enter the right gid"
                    .to_owned(),
            ),
            _ => self.obstacle(title, earlier, now_ms),
        };
        if let Some(known) = known.filter(|_| !self.context.may_write()) {
            let what = format!("has no gid: a run uses gid {}, which is there for its title", known.gid);
            codes.iter().for_each(|code| report_problem(report, code, what.clone()));
            Ok(())
        } else if let Some(known) = known {
            self.end(title, codes, Creation::Done(known), report).await
        } else if let Some(what) = what {
            codes.iter().for_each(|code| report_problem(report, code, what.clone()));
            Ok(())
        } else {
            self.create(title, codes, earlier, report).await
        }
    }

    /// Why a group is not created now, where it is not.
    fn obstacle(&self, title: &str, earlier: Option<Creation>, now_ms: i64) -> Option<String> {
        let twin = self.taken.iter().find(|(_, taken)| taken.as_str() == title).map(|(gid, _)| gid);
        match earlier {
            Some(Creation::Unknown) => Some(
                "has no gid: it was to be created and no answer came, so it may be there. Look for its title on the \
                 exam side, create it there if it is missing, and enter its gid"
                    .to_owned(),
            ),
            _ if twin.is_some() => Some(format!(
                "has no gid, and the roster has another group of this title (gid {}): enter a gid or another title",
                twin.map_or(0, |gid| gid.0)
            )),
            Some(Creation::Refused { attempts, due_at_ms }) if due_at_ms.is_none_or(|due| due > now_ms) => {
                let next = if due_at_ms.is_some() { "it is tried again later" } else { "enter its gid" };
                Some(format!("has no gid, and creating it was refused {attempts} times: {next}"))
            }
            _ if self.context.is_doubtful => {
                Some("has no gid and is not created while the listing is doubtful".to_owned())
            }
            _ if self.at_rest => Some("has no gid; it is created in another run".to_owned()),
            _ if !self.context.may_write() => Some(format!(
                "has no gid: a run that may add candidates creates the group (below gid {})",
                self.context.parent()
            )),
            Some(Creation::Refused { .. } | Creation::Done(_)) | None => None,
        }
    }

    async fn adopt(
        &self,
        title: &str,
        codes: &[GroupCode],
        gid: Gid,
        report: &mut ServiceReport,
    ) -> Result<(), ExamSyncError> {
        if !self.context.may_write() {
            let what =
                format!("has no gid: a run takes over gid {gid}, which has its title and its students");
            codes.iter().for_each(|code| report_problem(report, code, what.clone()));
            return Ok(());
        }
        let known = KnownGroup { gid, origin: GroupOrigin::Adopted };
        self.end(title, codes, Creation::Done(known), report).await
    }

    /// Intent before the call, outcome after it. The call is made once.
    async fn create(
        &mut self,
        title: &str,
        codes: &[GroupCode],
        earlier: Option<Creation>,
        report: &mut ServiceReport,
    ) -> Result<(), ExamSyncError> {
        let GroupContext { context, run, .. } = self.context;
        // Where only a plan is shown there is an obstacle before this.
        let Some(writer) = self.context.writer else { return Ok(()) };
        if context.stop.is_cancelled() {
            return Err(ExamSyncError::Stopped);
        }
        let parent = self.context.parent();
        context.state.intend_group(parent, title, run, context.clock.now_ms()).await?;
        let error = match writer.create_group(parent, title).await {
            Ok(gid) => {
                self.refusals = 0;
                let known = KnownGroup { gid, origin: GroupOrigin::Created };
                return self.end(title, codes, Creation::Done(known), report).await;
            }
            Err(error) => error,
        };
        let before = match earlier {
            Some(Creation::Refused { attempts, .. }) => attempts,
            Some(Creation::Unknown | Creation::Done(_)) | None => 0,
        };
        let ended = self.judge(&error, before);
        self.end(title, codes, ended, report).await?;
        let now_ms = context.clock.now_ms();
        if let Some(what) = self.obstacle(title, Some(ended), now_ms) {
            codes.iter().for_each(|code| report_problem(report, code, what.clone()));
        }
        match error.disposition() {
            ExamDisposition::StopService(_) => Err(error.into()),
            ExamDisposition::RetryNow | ExamDisposition::RetryLater | ExamDisposition::HalveBatch => Ok(()),
        }
    }

    fn judge(&mut self, error: &ExamError, before: u32) -> Creation {
        let now_ms = self.context.context.clock.now_ms();
        if error.may_have_been_applied() {
            // Every further one would leave a person one more thing to look for.
            self.at_rest = true;
            return Creation::Unknown;
        }
        if !matches!(error, ExamError::Refused { .. } | ExamError::TooLarge { .. }) {
            self.at_rest = true;
            return Creation::Refused { attempts: before, due_at_ms: Some(now_ms) };
        }
        self.refusals += 1;
        self.at_rest = self.refusals >= REFUSED_GROUPS_IN_A_ROW;
        let attempts = before.saturating_add(1);
        let due_at_ms = match self.context.context.retry.after(attempts, now_ms, fastrand::f64(), None) {
            Retry::At(due) => Some(due),
            Retry::Dead => None,
        };
        Creation::Refused { attempts, due_at_ms }
    }

    /// Writes down how it ended, and says where there is a group now.
    async fn end(
        &self,
        title: &str,
        codes: &[GroupCode],
        ended: Creation,
        report: &mut ServiceReport,
    ) -> Result<(), ExamSyncError> {
        let GroupContext { context, run, .. } = self.context;
        if let Creation::Done(KnownGroup { gid, origin }) = ended {
            let done = match origin {
                GroupOrigin::Created => "was created on the exam side",
                GroupOrigin::Adopted => "was found on the exam side",
                GroupOrigin::Roster => "is on the roster",
            };
            report.notes.extend(codes.iter().map(|code| format!("group {code} {done} (gid {gid})")));
        }
        let parent = self.context.parent();
        let now_ms = context.clock.now_ms();
        Ok(context.state.end_group(parent, title, ended, codes, run, now_ms).await?)
    }
}
