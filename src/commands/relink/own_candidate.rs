//! A new id that has a candidate of its own: nothing is carried over to it while that candidate is there.

use tokio_util::sync::CancellationToken;

use crate::app::{App, AppError, exam_side};
use crate::run::{CandidatePresence, candidate_presence, in_one_line};
use rosterd_core::exam_plan::Link;
use rosterd_core::roster::{StudentId, shell_word};

/// Why nothing can be carried over to the student of this link; `None` where their candidate is gone. `force` takes the
/// word of a person for it where the exam side does not tell. `is_anothers` says that their candidate shows somebody else.
pub(super) async fn objection(
    app: &App,
    from: &StudentId,
    own: &Link,
    (force, is_anothers): (bool, bool),
) -> Result<Option<String>, AppError> {
    let presence = match exam_side(&app.settings, &app.clock)? {
        Some(side) => candidate_presence(&side, &app.state, own, &CancellationToken::new()).await,
        None => Ok(CandidatePresence::Untold),
    };
    let (to, sid) = (&own.student, own.sid);
    let cause = match presence {
        Ok(CandidatePresence::Gone) => return Ok(None),
        Ok(CandidatePresence::There(there)) if is_anothers => {
            let (old_word, new_word) = (shell_word(from.as_str()), shell_word(to.as_str()));
            return Ok(Some(format!(
                "student {to} has a candidate already (sid {there}), which shows other values than the roster has of {to}: it may be \
                 the record of a student whose own id changed too, so remove it nowhere. First rosterd relink {new_word} NEW --force, \
                 where NEW is that student's id now; then rosterd relink {old_word} {new_word} again"
            )));
        }
        Ok(CandidatePresence::There(there)) => {
            let old = app.state.link_of(from).await?;
            let kept = old.map(|old| format!(" (sid {})", old.sid)).unwrap_or_default();
            let (old_word, new_word) = (shell_word(from.as_str()), shell_word(to.as_str()));
            return Ok(Some(format!(
                "student {to} has a candidate already (sid {there}): both ids were synchronised as two people. If they are one \
                 person, remove sid {there} on the exam side and keep that of {from}{kept}, whose results go on; then \
                 rosterd relink {old_word} {new_word} again. Until then no run deletes the candidate of {from} unless an \
                 approval names them"
            )));
        }
        Ok(CandidatePresence::Untold) => "the exam side does not tell".to_owned(),
        Err(error) => in_one_line(&error),
    };
    Ok((!force).then(|| {
        format!(
            "student {to} has a candidate already (sid {sid}), and whether it is still there could not be found out ({cause}). \
             Nothing was carried over: run it again later, or with --force if you have removed sid {sid} on the exam side"
        )
    }))
}
