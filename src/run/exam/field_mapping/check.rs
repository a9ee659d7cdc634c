//! What `check` says of the mapping: each mapped field, the login field, and how many students match.

use super::{FieldMemory, account_fields, login, resolve};
use crate::remote::exam::ClockDifference;
use crate::run::exam::{ExamSide, ExamSyncError, listing};
use crate::store::{RosterDatabase, StateStore};
use rosterd_core::counted::{counted, counted_len};
use rosterd_core::exam_plan::{Mapping, Observed};
use rosterd_core::roster::LoginValue;

/// What the account says of the mapping.
#[derive(Debug)]
pub struct ExamCheck {
    /// In sentences.
    pub detail: String,
    /// By how many seconds our clock is ahead of the service's, where it says what time it is there.
    pub ahead_seconds: Option<i64>,
    /// Candidates of the account, those included that are not ours.
    pub candidates: u64,
    /// Whether so few students match a candidate that login values are probably written in another way.
    pub is_mismatch: bool,
    /// What a person is told of the login field where it could not be proven.
    pub warning: Option<String>,
}

/// So many students and candidates must be there before few matches say anything: fewer may just be new.
const ENOUGH_TO_COMPARE: u64 = 10;

/// Reads the account's fields and some pages of its listing, and says whether the mapping fits them and, with a
/// roster, how many students match. Writes nothing.
///
/// # Errors
/// When the account cannot be reached, or the mapping does not fit it.
pub async fn check_exam_fields(
    side: &ExamSide,
    state: &StateStore,
    roster: Option<&RosterDatabase>,
) -> Result<ExamCheck, ExamSyncError> {
    let (fields, clock) = side.reader.fields_and_clock().await?;
    // A second apart is how long the answer was under way.
    let clock = if matches!(clock, ClockDifference(Some(-1..=1))) { ClockDifference(Some(0)) } else { clock };
    let count = fields.len();
    let account = account_fields(fields);
    let resolved = resolve(side, &account)?;
    let sample = listing::sample(side, &resolved).await?;
    let memory = FieldMemory { state, keeps: false, is_anothers: false };
    let (login, warning) = login::login_field(&resolved, memory, &sample.observed).await?;
    let mapping = super::with_login(&resolved, login)?;
    let mut detail = format!(
        "credentials accepted, {}, {} of them mapped; the login field is {}; {clock}",
        counted_len(count, "field"),
        resolved.mapped.len(),
        resolved.name(login)
    );
    let mut is_mismatch = false;
    if let Some(roster) = roster {
        let (matched, students) = matched(roster, &mapping, &sample.observed).await?;
        let (read, total) = (sample.observed.len(), sample.total);
        let fewer = students.min(u64::try_from(read).unwrap_or(u64::MAX));
        is_mismatch = fewer >= ENOUGH_TO_COMPARE && matched.saturating_mul(2) < fewer;
        let of = if u64::try_from(read).is_ok_and(|read| read < total) {
            format!("{} read (of {total})", counted_len(read, "candidate"))
        } else {
            counted_len(read, "candidate")
        };
        detail.push_str(&format!(
            "\n{matched} of {} {} one of {of} by login value",
            counted(students, "student"),
            if matched == 1 { "matches" } else { "match" }
        ));
    }
    if let Some(warning) = &warning {
        detail.push_str(&format!("\nwarning: {warning}"));
    }
    let ClockDifference(ahead_seconds) = clock;
    Ok(ExamCheck { detail, ahead_seconds, candidates: sample.total, is_mismatch, warning })
}

/// How many active students have the login value of a listed candidate, and how many there are.
async fn matched(
    roster: &RosterDatabase,
    mapping: &Mapping,
    observed: &Observed,
) -> Result<(u64, u64), ExamSyncError> {
    let mut snapshot = roster.snapshot().await?;
    let mut students = snapshot.students().await?;
    let (mut matched, mut active) = (0, 0);
    while let Some(row) = students.next().await? {
        if !row.student.active {
            continue;
        }
        active += 1;
        let login = row.student.values.get(mapping.login_at()).and_then(|value| LoginValue::parse(value));
        matched += u64::from(login.is_some_and(|login| observed.find(&login).is_some()));
    }
    drop(students);
    snapshot.close().await?;
    Ok((matched, active))
}
