//! Which field holds the login value: named and not disproved by the listing, or found out from it.

use super::{FieldMemory, ResolveError, ResolvedFields};
use crate::run::exam::ExamSyncError;
use rosterd_core::exam_plan::{LoginFieldVerdict, Observed};
use rosterd_core::roster::FieldId;

/// The login field, with what a person is told about it where it could not be proven.
pub(super) async fn login_field(
    fields: &ResolvedFields,
    memory: FieldMemory<'_>,
    observed: &Observed,
) -> Result<(FieldId, Option<String>), ExamSyncError> {
    let Some(configured) = fields.login else { return Ok((detect(fields, memory, observed).await?, None)) };
    match observed.login_evidence().verdict(configured) {
        LoginFieldVerdict::Plausible => Ok((configured, None)),
        LoginFieldVerdict::Unproven { equal, rows } => {
            let warning = format!(
                "exam.login_field: {} equals the login value of {equal} of {rows} listed candidates, and no other field of \
                 nearly all: values may be hidden or masked there, so make sure that it is the login field",
                fields.name(configured)
            );
            Ok((configured, Some(warning)))
        }
        LoginFieldVerdict::Disproved { by, equal, rows } => {
            let (configured, found) = (fields.name(configured), fields.name(by));
            Err(ResolveError::Disproved { configured, found, equal, rows }.into())
        }
    }
}

/// The one field that equals the login value in nearly all listed rows; a field found once is kept, so that a
/// coincidence later on does not stop the runs.
async fn detect(
    fields: &ResolvedFields,
    memory: FieldMemory<'_>,
    observed: &Observed,
) -> Result<FieldId, ExamSyncError> {
    let found = observed.login_evidence().matching();
    if let [only] = found.as_slice() {
        return Ok(*only);
    }
    if let Some(field) = memory.login_field().await?
        && (observed.is_empty() || found.contains(&field))
    {
        return Ok(field);
    }
    let cause = if observed.is_empty() {
        "the account lists no candidates to tell it by".to_owned()
    } else if found.is_empty() {
        "no field equals the login value in nearly every listed row".to_owned()
    } else {
        let names: Vec<String> = found.iter().map(|field| fields.name(*field)).collect();
        format!("{} all equal the login value in nearly every listed row", names.join(", "))
    };
    Err(ResolveError::Undetected { cause }.into())
}
