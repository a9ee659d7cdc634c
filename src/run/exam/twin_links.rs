//! Two links whose ids became one: the one whose login value the roster wants stays the student's.

use super::{ExamSyncError, Reading};
use crate::run::Context;
use crate::store::SettledTwin;
use rosterd_core::roster::{LoginValue, StudentId, normalise_key};

/// Asks the roster about each two, until it has told which of them stays. The other is a leaver's, and held.
pub(super) async fn settle(context: &Context, reading: &Reading) -> Result<(), ExamSyncError> {
    let twins = context.state.unsettled_twins().await?;
    if twins.is_empty() {
        return Ok(());
    }
    let mut snapshot = context.roster.snapshot().await?;
    let mut settled = Vec::new();
    for twin in twins {
        let student = StudentId::new(normalise_key(twin.as_str()).into_owned());
        let Some(other) = context.state.link_of(&twin).await? else {
            settled.push(SettledTwin::Stays { twin });
            continue;
        };
        let wanted = snapshot.value_of(&student, reading.mapping.login_column()).await?;
        let Some(wanted) = wanted.as_deref().and_then(LoginValue::parse) else { continue };
        let own = context.state.link_of(&student).await?;
        if own.is_some_and(|own| own.login == wanted) {
            settled.push(SettledTwin::Stays { twin });
        } else if other.login == wanted {
            settled.push(SettledTwin::Exchanged { student, twin });
        }
    }
    snapshot.close().await?;
    Ok(context.state.settle_twins(&settled).await?)
}
