//! Whether the account's fields are still those that are remembered: asked where a listing or a refused write suggests
//! another answer, and nowhere else.

use super::{FieldMemory, ResolvedFields, account_fields, labels_meant, memory, resolve};
use crate::run::delivery::ServiceStop;
use crate::run::exam::{ExamSide, ExamSyncError, listing};
use crate::run::report::ServiceReport;
use crate::run::{Context, in_one_line};
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{ListedLabels, Listing, MappedField};
use rosterd_core::roster::LoginValue;

/// The fields and the listing, read by the fields as they are now: once more where labels in it show that mapped fields
/// are others.
///
/// # Errors
/// When the account cannot be read, or the mapping does not fit it.
pub(in crate::run::exam) async fn list(
    context: &Context,
    side: &ExamSide,
    memory: FieldMemory<'_>,
    names: &mut Vec<LoginValue>,
    report: &mut ServiceReport,
) -> Result<(ResolvedFields, Listing), ExamSyncError> {
    let fields = super::fields(side, memory).await?;
    let mut names = if side.keep_unmanaged { listing::Names::Kept(names) } else { listing::Names::Dropped };
    let reading = (&context.state, &context.progress);
    let listed = listing::read(reading, side, &fields, &mut names).await?;
    let Some(now) = fields_now(side, memory, &fields, &listed.labels).await? else {
        return Ok((fields, listed.listing));
    };
    let moved = moved(&fields.mapped, &now);
    if moved.is_empty() {
        return Ok((now, listed.listing));
    }
    moved.iter().for_each(|line| tracing::warn!("{line}"));
    report.notes.extend(moved);
    let again = listing::read(reading, side, &now, &mut names).await?;
    Ok((now, again.listing))
}

/// The fields as the account names them now, where a listing words a label that is meant otherwise than is remembered.
/// A wording that was asked about is remembered with the answer, so that it is asked about once.
///
/// # Errors
/// When the account cannot be reached, or the mapping does not fit it any more.
async fn fields_now(
    side: &ExamSide,
    memory: FieldMemory<'_>,
    known: &ResolvedFields,
    listed: &ListedLabels,
) -> Result<Option<ResolvedFields>, ExamSyncError> {
    let meant = labels_meant(side);
    let otherwise = listed.otherwise_than(&known.account, &meant);
    if otherwise.is_part_of(&memory.listed_labels().await?) {
        return Ok(None);
    }
    tracing::info!(
        "the listing words labels of mapped fields otherwise: the account's fields are asked for again"
    );
    let account = account_fields(side.reader.fields().await?);
    let resolved = resolve(side, &account)?;
    memory.remember_account_fields(&account).await?;
    memory.remember_listed_labels(&listed.otherwise_than(&account, &meant)).await?;
    Ok(Some(resolved))
}

/// Which columns go to other fields than before.
fn moved(before: &[MappedField], now: &ResolvedFields) -> Vec<String> {
    let changed = before.iter().zip(&now.mapped).filter(|(before, now)| before.id != now.id);
    let line = |(before, after): (&MappedField, &MappedField)| {
        let (column, was, is) = (&before.column, before.id, now.name(after.id));
        format!("exam.fields.{column} is {is} now, it was field {was}: fields were changed on the exam side")
    };
    changed.map(line).collect()
}

/// Asks for the account's fields after writes were refused: a mapped field that is not there any more, or is another
/// one now, explains it, and no further call is made. The next run resolves the mapping anew.
///
/// # Errors
/// When our own database cannot be used.
pub(in crate::run::exam) async fn after_refusal(
    side: &ExamSide,
    state: &StateStore,
    used: &[MappedField],
) -> Result<Option<ServiceStop>, StoreError> {
    if memory::account_fields(state).await?.is_none() {
        return Ok(None);
    }
    // Without an answer nothing is explained.
    let Ok(fields) = side.reader.fields().await else { return Ok(None) };
    let account = account_fields(fields);
    let resolved = resolve(side, &account);
    let changed = match &resolved {
        Err(error) => ServiceStop::ChangedFields { what: in_one_line(error), fits: false },
        Ok(now) if now.mapped != used => {
            ServiceStop::ChangedFields { what: moved(used, now).join("; "), fits: true }
        }
        Ok(_) => return Ok(None),
    };
    memory::remember_account_fields(state, &account).await?;
    Ok(Some(changed))
}
