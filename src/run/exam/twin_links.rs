//! Two links whose ids became one: the one whose login value the roster wants stays the student's.

use super::{ExamSyncError, Reading};
use crate::run::Context;
use rosterd_core::roster::{LoginValue, StudentId, normalise_key};

/// Asks the roster about each two, once. The link that does not stay is a leaver's, and held.
pub(super) async fn settle(context: &Context, reading: &Reading) -> Result<(), ExamSyncError> {
    let twins = context.state.unsettled_twins().await?;
    if twins.is_empty() {
        return Ok(());
    }
    let mut snapshot = context.roster.snapshot().await?;
    let mut exchanged = Vec::new();
    for twin in twins {
        let student = StudentId::new(normalise_key(twin.as_str()).into_owned());
        let details = snapshot.details(&student).await?;
        let values = details.into_iter().flat_map(|details| details.values);
        let wanted = values.filter(|(column, _)| column == reading.mapping.login_column());
        let Some(wanted) = wanted.map(|(_, value)| value).next() else { continue };
        let Some(wanted) = LoginValue::parse(&wanted) else { continue };
        let links = (context.state.link_of(&student).await?, context.state.link_of(&twin).await?);
        let (Some(own), Some(other)) = links else { continue };
        if other.login == wanted && own.login != wanted {
            exchanged.push((student, twin));
        }
    }
    snapshot.close().await?;
    Ok(context.state.settle_twins(&exchanged).await?)
}
