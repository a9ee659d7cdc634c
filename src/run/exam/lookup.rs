//! Looking up what the listing does not say: sids and groups.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::ExamSyncError;
use super::session::ExamSession;
use super::witnesses::{self, AskedKey};
use crate::remote::exam::{CandidateInfo, ExamError, LookupAnswer, LookupKey};
use crate::remote::http::retry_limits::LOOKUP_PORTIONS;
use crate::run::Context;
use rosterd_core::exam_plan::{
    Answers, Diff, Fingerprint, LoginFact, LookupRequests, LookupResults, MemoryKey, SidFact,
};
use rosterd_core::roster::{FieldId, Gid, LoginValue, Sid, StudentId, normalise, normalise_key};

/// Candidates a look-up asks for at most. Contract: docs/contracts/onlineexammaker.md, 3.6, "Most per call": 100 is
/// assumed.
const LOOKUP_SIZE: usize = 100;

/// So many candidates at most are asked for once more, each alone.
const MOST_ASKED_AGAIN: usize = 10;

/// Signs that stand in the place of others. Contract: docs/contracts/onlineexammaker.md, 4.3: whether values can come
/// masked is not known.
const MASKING_SIGNS: [char; 4] = ['*', '＊', '•', '●'];

/// What the look-ups that were due anyway brought.
#[derive(Default)]
pub(super) struct DueGroups {
    pub(super) groups: HashMap<Sid, BTreeSet<Gid>>,
    pub(super) gone: HashSet<Sid>,
    /// Candidates that earlier runs found by sid and not in the listing.
    pub(super) unlisted: HashSet<Sid>,
    pub(super) results: HashMap<Sid, SidFact>,
    /// The login values that they show.
    pub(super) logins: HashMap<Sid, LoginValue>,
    /// Students at whose sid an earlier run saw another record.
    pub(super) of_another: HashSet<StudentId>,
}

/// What became of one question. Who stands in no answer at all is in no map: unknown is never "gone".
pub(super) enum LookupOutcome {
    /// This is the candidate.
    Row(CandidateInfo),
    /// The service says that there is none.
    Gone,
}

impl LookupOutcome {
    /// The candidate, where there is one.
    pub(super) fn row(&self) -> Option<&CandidateInfo> {
        match self {
            Self::Row(row) => Some(row),
            Self::Gone => None,
        }
    }

    /// The candidate's sid, where there is one.
    pub(super) fn sid(&self) -> Option<Sid> {
        match self {
            Self::Row(row) => Some(row.sid),
            Self::Gone => None,
        }
    }
}

/// Looks up the groups of candidates whose turn it is.
pub(super) async fn due_groups(
    context: &Context,
    session: &ExamSession<'_>,
) -> Result<DueGroups, ExamSyncError> {
    let sids = context.state.groups_due(context.clock.now_ms(), LOOKUP_SIZE).await?;
    let lookups = look_up_sids(session, sids).await?;
    let mut due = DueGroups::default();
    for (sid, fact) in &lookups {
        match fact {
            SidFact::Found { login, groups } => {
                due.logins.extend(login.clone().map(|login| (*sid, login)));
                due.groups.extend(groups.clone().map(|groups| (*sid, groups)));
            }
            SidFact::Gone => {
                due.gone.insert(*sid);
            }
        }
    }
    due.results = lookups;
    due.unlisted = context.state.unlisted_candidates().await?;
    due.of_another = context.state.students_of_another_record().await?.into_iter().collect();
    Ok(due)
}

/// Looks up everything that a plan needs.
pub(super) async fn look_up(
    context: &Context,
    session: &ExamSession<'_>,
    requests: LookupRequests,
    (due, recalled): (&DueGroups, HashMap<StudentId, Answers>),
    our_lost_adds: HashSet<StudentId>,
    diff: &mut Diff,
    key: &MemoryKey,
) -> Result<LookupResults, ExamSyncError> {
    let our_lost_deletes = context.state.lost_deletes().await?.into_iter().collect();
    let (by_sid, unlisted) = (due.results.clone(), due.unlisted.clone());
    let mut lookups =
        LookupResults { by_sid, unlisted, our_lost_adds, our_lost_deletes, ..LookupResults::default() };
    lookups.recall(recalled);
    let (doubted, of_leavers) = (diff.doubted(), diff.of_leavers());
    let open = requests.sids.iter().copied();
    let open = open.filter(|sid| !lookups.by_sid.contains_key(sid) || doubted.contains(sid)).collect();
    for (sid, outcome) in rows_by_sid(session, open).await? {
        if let LookupOutcome::Row(row) = &outcome
            && (doubted.contains(&sid) || of_leavers.contains(&sid))
        {
            lookups.shown.insert(sid, shown(row, key));
        }
        lookups.by_sid.insert(sid, sid_fact(outcome, session.login_field));
    }
    let confirming = diff.to_confirm(&lookups);
    let logins = requests.logins.union(&confirming.logins).cloned().collect();
    ask_logins(session, logins, &mut lookups).await?;
    ask_again_alone(session, diff, &mut lookups).await?;
    let detached = diff.detach_gone(&lookups, context.clock.now_ms());
    ask_logins(session, detached.requests.logins, &mut lookups).await?;
    let owners: BTreeSet<LoginValue> =
        [requests.owners, confirming.owners, detached.requests.owners].into_iter().flatten().collect();
    lookups.owners = context.state.owners(&owners).await?;
    let found = lookups.by_login.values().filter_map(|fact| match fact {
        LoginFact::Found { sid, .. } => Some(*sid),
        LoginFact::Absent => None,
    });
    lookups.sid_owners = context.state.sid_owners(found).await?;
    lookups.previous_sids = context.state.former_candidates(&diff.newcomers()).await?;
    Ok(lookups)
}

/// Looks up by login value who was not yet.
async fn ask_logins(
    session: &ExamSession<'_>,
    logins: BTreeSet<LoginValue>,
    lookups: &mut LookupResults,
) -> Result<(), ExamError> {
    let open = logins.into_iter().filter(|login| !lookups.by_login.contains_key(login)).collect();
    let found = rows_by_login(session, open).await?;
    lookups.by_login.extend(found.into_iter().map(|(login, outcome)| (login, login_fact(outcome))));
    Ok(())
}

/// A few candidates that are listed and that look-ups call gone are asked for once more, each alone. Where they are
/// many, it is rather the endpoint than they.
async fn ask_again_alone(
    session: &ExamSession<'_>,
    diff: &Diff,
    lookups: &mut LookupResults,
) -> Result<(), ExamError> {
    let mut contradictions = diff.contradictions(lookups);
    contradictions.retain(|sid| !lookups.recalled.has(*sid));
    if contradictions.len() > MOST_ASKED_AGAIN {
        return Ok(());
    }
    for sid in contradictions {
        for (sid, outcome) in rows_by_sid(session, vec![sid]).await? {
            lookups.by_sid.insert(sid, sid_fact(outcome, session.login_field));
        }
    }
    Ok(())
}

async fn look_up_sids(session: &ExamSession<'_>, sids: Vec<Sid>) -> Result<HashMap<Sid, SidFact>, ExamError> {
    let outcome = rows_by_sid(session, sids).await?;
    Ok(outcome.into_iter().map(|(sid, outcome)| (sid, sid_fact(outcome, session.login_field))).collect())
}

/// The values that a look-up shows, as keyed fingerprints.
fn shown(row: &CandidateInfo, key: &MemoryKey) -> BTreeMap<FieldId, Fingerprint> {
    row.fields.iter().map(|(field, value)| (*field, key.value(*field, &normalise(value)))).collect()
}

fn sid_fact(outcome: LookupOutcome, login_field: FieldId) -> SidFact {
    match outcome {
        LookupOutcome::Row(row) => SidFact::Found { login: login_of(&row, login_field), groups: row.groups },
        LookupOutcome::Gone => SidFact::Gone,
    }
}

fn login_fact(outcome: LookupOutcome) -> LoginFact {
    match outcome {
        LookupOutcome::Row(row) => LoginFact::Found { sid: row.sid, groups: row.groups },
        LookupOutcome::Gone => LoginFact::Absent,
    }
}

/// The login value that a look-up shows, where it shows any. A masked one says nothing.
pub(super) fn login_of(row: &CandidateInfo, login_field: FieldId) -> Option<LoginValue> {
    let (_, value) = row.fields.iter().find(|(field, _)| *field == login_field)?;
    let is_masking = |sign: char| MASKING_SIGNS.contains(&sign);
    let signs: Vec<char> = value.chars().collect();
    let is_masked = signs.windows(2).any(|two| two.iter().all(|sign| is_masking(*sign)));
    LoginValue::parse(value).filter(|_| !is_masked)
}

/// Looks candidates up by sid.
///
/// # Errors
/// When a look-up cannot be had; the transport has tried it several times by then.
pub(super) async fn rows_by_sid(
    session: &ExamSession<'_>,
    sids: Vec<Sid>,
) -> Result<HashMap<Sid, LookupOutcome>, ExamError> {
    let mut found = HashMap::new();
    let mut open = sids;
    let mut silent = Vec::new();
    // In a larger question, neither found nor refused is unknown, never gone: ask for each alone.
    for size in [question_size(session), 1] {
        let answers = ask_all(session, &open, size, |sids| LookupKey::Sids(sids)).await?;
        open = Vec::new();
        for (chunk, answer) in answers {
            let alone = chunk.len() == 1;
            let nobody = answer.rows.is_empty();
            let mut rows: HashMap<Sid, CandidateInfo> =
                answer.rows.into_iter().map(|row| (row.sid, row)).collect();
            for sid in chunk {
                if let Some(row) = rows.remove(&sid) {
                    found.insert(sid, LookupOutcome::Row(row));
                } else if answer.unresolved.contains(&sid.to_string()) {
                    found.insert(sid, LookupOutcome::Gone);
                } else if !alone {
                    open.push(sid);
                } else if nobody {
                    silent.push(sid);
                }
            }
        }
    }
    let silent = take_in_silent(&mut found, silent);
    let size = question_size(session);
    let gone = witnesses::gone_beside(session, &silent, size, |sids| LookupKey::Sids(sids)).await?;
    found.extend(gone.into_iter().map(|sid| (sid, LookupOutcome::Gone)));
    Ok(found)
}

/// Looks candidates up by login value. The answer does not repeat the login value, so rows are matched by
/// the login field's entry; where that is missing, each is asked for alone. Never by position. The service is asked by
/// the text that it lists, which need not be in normal form.
///
/// # Errors
/// When a look-up cannot be had; the transport has tried it several times by then.
pub(super) async fn rows_by_login(
    session: &ExamSession<'_>,
    logins: Vec<LoginValue>,
) -> Result<HashMap<LoginValue, LookupOutcome>, ExamError> {
    rows_by_login_in(session, logins, &[question_size(session), 1]).await
}

/// The same, where look-ups are known not to show login values: each is asked for alone.
///
/// # Errors
/// As [`rows_by_login`].
pub(super) async fn rows_by_login_alone(
    session: &ExamSession<'_>,
    logins: Vec<LoginValue>,
) -> Result<HashMap<LoginValue, LookupOutcome>, ExamError> {
    rows_by_login_in(session, logins, &[1]).await
}

/// The same, in questions of these sizes: what one leaves open, the next asks.
async fn rows_by_login_in(
    session: &ExamSession<'_>,
    logins: Vec<LoginValue>,
    sizes: &[usize],
) -> Result<HashMap<LoginValue, LookupOutcome>, ExamError> {
    let login_field = session.login_field;
    let mut found = HashMap::new();
    let mut open = logins;
    let mut silent = Vec::new();
    for size in sizes.iter().copied() {
        let asked = session.raw_logins(&open);
        let answers = ask_all(session, &asked, size, |logins| LookupKey::LoginValues(logins)).await?;
        open = Vec::new();
        for (chunk, answer) in answers {
            let chunk: Vec<LoginValue> =
                chunk.iter().filter_map(|raw| LoginValue::parse(raw.as_str())).collect();
            let refused: HashSet<String> =
                answer.unresolved.iter().map(|value| normalise_key(value).into_owned()).collect();
            if let [only] = chunk.as_slice() {
                if answer.rows.is_empty() && !refused.contains(only.as_str()) {
                    silent.push(only.clone());
                } else {
                    found.extend(alone(only, answer, login_field).map(|outcome| (only.clone(), outcome)));
                }
                continue;
            }
            let mut rows: HashMap<LoginValue, Vec<CandidateInfo>> = HashMap::new();
            for row in answer.rows {
                if let Some(login) = login_of(&row, login_field) {
                    rows.entry(login).or_default().push(row);
                }
            }
            for login in chunk {
                match (rows.remove(&login).as_deref_mut(), refused.contains(login.as_str())) {
                    (Some([row]), _) => {
                        found.insert(login, LookupOutcome::Row(row.clone()));
                    }
                    (None, true) => {
                        found.insert(login, LookupOutcome::Gone);
                    }
                    _ => open.push(login),
                }
            }
        }
    }
    let silent = session.raw_logins(&take_in_silent(&mut found, silent));
    let question: Question<LoginValue> = |logins| LookupKey::LoginValues(logins);
    let size = question_size(session);
    let gone = witnesses::gone_beside(session, &silent, size, question).await?;
    let gone = gone.iter().filter_map(|raw| LoginValue::parse(raw.as_str()));
    found.extend(gone.map(|login| (login, LookupOutcome::Gone)));
    Ok(found)
}

/// Who was asked for alone and was neither shown nor refused is gone where the same look-ups show others. Where they
/// show nobody at all, the endpoint may be dead: they are left, to be asked for beside somebody who exists.
fn take_in_silent<K: Eq + Hash>(found: &mut HashMap<K, LookupOutcome>, silent: Vec<K>) -> Vec<K> {
    if found.values().any(|outcome| matches!(outcome, LookupOutcome::Row(_))) {
        found.extend(silent.into_iter().map(|key| (key, LookupOutcome::Gone)));
        return Vec::new();
    }
    silent
}

/// Which of these login values belong to candidates in `wanted`, where look-ups do not show login values: a
/// question that brings one of them is asked again in halves. Takes out of `wanted` whoever was found.
///
/// # Errors
/// When a look-up cannot be had; the transport has tried it several times by then.
pub(super) async fn logins_of(
    session: &ExamSession<'_>,
    logins: Vec<LoginValue>,
    wanted: &mut BTreeSet<Sid>,
) -> Result<Vec<(Sid, LoginValue)>, ExamError> {
    let mut found = Vec::new();
    let raw = session.raw_logins(&logins);
    let mut open: Vec<Vec<LoginValue>> = raw.chunks(question_size(session)).map(<[_]>::to_vec).collect();
    while let Some(chunk) = open.pop()
        && !wanted.is_empty()
    {
        for (mut chunk, answer) in ask(session, chunk, |logins| LookupKey::LoginValues(logins)).await? {
            let Some(row) = answer.rows.iter().find(|row| wanted.contains(&row.sid)) else { continue };
            if let [only] = chunk.as_slice() {
                wanted.remove(&row.sid);
                found.extend(LoginValue::parse(only.as_str()).map(|login| (row.sid, login)));
            } else {
                let rest = chunk.split_off(chunk.len() / 2);
                open.push(rest);
                open.push(chunk);
            }
        }
    }
    Ok(found)
}

/// The candidates that each of these login values brings, asked for alone: the answer need not show what was asked. Of
/// whom nothing was found out stands in no row.
///
/// # Errors
/// When a look-up cannot be had; the transport has tried it several times by then.
pub(super) async fn sids_by_login(
    session: &ExamSession<'_>,
    logins: &[LoginValue],
) -> Result<Vec<(LoginValue, BTreeSet<Sid>)>, ExamError> {
    let answers = ask_all(session, logins, 1, |logins| LookupKey::LoginValues(logins)).await?;
    let sids = |answer: LookupAnswer| answer.rows.into_iter().map(|row| row.sid).collect();
    let answers = answers.into_iter().map(|(asked, answer)| (asked, sids(answer)));
    Ok(answers.filter_map(|(asked, sids)| Some((asked.into_iter().next()?, sids))).collect())
}

/// A question for one needs no matching: one row is the answer, a refusal says that there is none. But a row
/// that shows another login value is somebody else's: some services compare without regard to case.
fn alone(login: &LoginValue, answer: LookupAnswer, login_field: FieldId) -> Option<LookupOutcome> {
    let shows_another = |row: &CandidateInfo| login_of(row, login_field).is_some_and(|shown| shown != *login);
    let mut rows = answer.rows.into_iter().filter(|row| !shows_another(row));
    match (rows.next(), rows.next()) {
        (None, _) => Some(LookupOutcome::Gone),
        (Some(row), None) => Some(LookupOutcome::Row(row)),
        (Some(_), Some(_)) => None,
    }
}

/// An admin whose service takes fewer items a call says so with `exam.batch_size`.
fn question_size(session: &ExamSession<'_>) -> usize {
    session.side.settings.batch_size.clamp(1, LOOKUP_SIZE)
}

pub(super) type Question<T> = for<'k> fn(&'k [T]) -> LookupKey<'k>;

/// Asks for all keys, so many at once.
async fn ask_all<T: AskedKey>(
    session: &ExamSession<'_>,
    keys: &[T],
    size: usize,
    question: Question<T>,
) -> Result<Vec<(Vec<T>, LookupAnswer)>, ExamError> {
    let chunks: Vec<Vec<T>> = keys.chunks(size).map(<[T]>::to_vec).collect();
    let answers: Vec<Vec<(Vec<T>, LookupAnswer)>> =
        stream::iter(chunks.into_iter().map(|chunk| ask(session, chunk, question)))
            .buffer_unordered(session.side.settings.endpoint.max_in_flight.max(1))
            .try_collect()
            .await?;
    Ok(answers.into_iter().flatten().collect())
}

/// A question that is refused as a whole is asked again in halves, until the culprit stands alone; of that
/// one nothing is found out.
async fn ask<T: AskedKey>(
    session: &ExamSession<'_>,
    keys: Vec<T>,
    question: Question<T>,
) -> Result<Vec<(Vec<T>, LookupAnswer)>, ExamError> {
    let reader = &session.side.reader;
    let mut answered = Vec::new();
    let mut open = vec![keys];
    let mut is_first_refusal = true;
    while let Some(mut chunk) = open.pop() {
        match reader.lookup(question(&chunk)).await {
            Ok(answer) => answered.push((chunk, answer)),
            Err(ExamError::Refused { .. } | ExamError::TooLarge { .. }) => {
                if std::mem::take(&mut is_first_refusal) {
                    // It may be ourselves who are refused, not the question.
                    reader.fields().await?;
                }
                if chunk.len() > 1 {
                    let rest = chunk.split_off(chunk.len() / 2);
                    open.push(rest);
                    open.push(chunk);
                }
            }
            // Some services fail over what they should refuse: too many at once, or one that they trip over.
            Err(ExamError::ServiceFailed { status: 500, .. }) if chunk.len() > 1 => {
                open.extend(chunk.chunks(chunk.len().div_ceil(LOOKUP_PORTIONS)).map(<[T]>::to_vec));
            }
            Err(error @ ExamError::Unreadable { .. }) => {
                let size = question_size(session);
                let answer = witnesses::answer_beside(session, &chunk, size, question).await;
                answered.push((chunk, answer.ok_or(error)?));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(answered)
}
