//! `relink`: a student's own id changed; link, account, enrolments and failures are carried over.

mod own_candidate;
mod roster_side;
mod suggested;

use serde::Serialize;

use super::output;
use super::plan::masked;
use crate::app::{App, AppError};
use crate::cli::{Cli, RelinkArgs};
use crate::exit::Exit;
use crate::store::StateStore;
use roster_side::RosterSide;
use rosterd_core::counted::counted;
use rosterd_core::exam_plan::{Link, LinkNote};
use rosterd_core::roster::{LoginValue, StudentId, shell_word};

/// What was carried over to whom. Login values are shown by first character and length.
#[derive(Serialize)]
struct Relinked {
    from: String,
    to: String,
    rows: u64,
    /// The candidate that is the new id's from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_value: Option<String>,
    /// The login value that the roster wants of the new id, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted_login_value: Option<String>,
}

pub(super) async fn run(app: &App, cli: &Cli, arguments: &RelinkArgs) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let exit = match (&arguments.old, &arguments.new) {
        (Some(old), Some(new)) => {
            let (from, to) = (StudentId::entered(old), StudentId::entered(new));
            one(app, cli, (&from, &to), arguments.force).await?
        }
        _ => suggested::run(app, cli, arguments.yes).await?,
    };
    app.state.close().await;
    Ok(exit)
}

/// One pair that a person named.
async fn one(app: &App, cli: &Cli, pair: (&StudentId, &StudentId), force: bool) -> Result<Exit, AppError> {
    let (from, to) = pair;
    if let Some(why) = impossible(&app.state, from, to).await? {
        return Ok(output::refuse(cli, Exit::Failed, &why));
    }
    // The roster is asked first: what it speaks against is no pair that anybody meant.
    let roster = match RosterSide::read(app, from, to).await {
        Ok(roster) => roster,
        Err(_) if force => RosterSide::unread(),
        Err(error) => return Err(error),
    };
    let own = app.state.link_of(to).await?;
    if let Some(why) = roster.objection(from, to).filter(|_| !force) {
        // Where the new id has a candidate of its own, more than the roster stands in the way.
        let way_out = if own.is_some() { "" } else { "; --force does it all the same" };
        let said = format!("{why}. Nothing was carried over{way_out}");
        return Ok(output::refuse(cli, Exit::Failed, &said));
    }
    if own.is_none() && !force && app.state.lost_adds().await?.contains(to) {
        let word = shell_word(from.as_str()).into_owned();
        return Ok(output::refuse(
            cli,
            Exit::Failed,
            &format!(
                "student {to} was sent to the exam side, and the answer is not known yet: they may have a candidate of their \
                 own. Nothing was carried over: let a run find out (rosterd --sync-now), decide what it holds of them (rosterd failures), then \
                 rosterd relink {word} {} again; --force does it all the same",
                shell_word(to.as_str())
            ),
        ));
    }
    if let Some(link) = own {
        let is_anothers = roster.is_unlike(app, &link).await?;
        if let Some(why) = own_candidate::objection(app, from, &link, (force, is_anothers)).await? {
            if !is_anothers {
                app.state.note_refused_relink(from, Some(to)).await?;
            }
            return Ok(output::refuse(cli, Exit::Failed, &why));
        }
        app.state.apply_notes(&[LinkNote::Close(to.clone())], app.clock.now_ms()).await?;
    }
    let relinked = carry_over(&app.state, from, to, roster.wanted_login.as_ref()).await?;
    output::show(cli, &relinked, text);
    Ok(Exit::Done)
}

/// Why the records cannot be carried over, whatever the roster says.
async fn impossible(
    state: &StateStore,
    from: &StudentId,
    to: &StudentId,
) -> Result<Option<String>, AppError> {
    if from == to {
        return Ok(Some(format!("{from} and {to} are one id")));
    }
    let is_known = state.link_of(from).await?.is_some()
        || state.account_of(from).await?.is_some()
        || !state.evidence_of_student(from, None).await?.is_empty();
    Ok((!is_known).then(|| format!("nothing is remembered of student {from}")))
}

async fn carry_over(
    state: &StateStore,
    from: &StudentId,
    to: &StudentId,
    wanted: Option<&LoginValue>,
) -> Result<Relinked, AppError> {
    let link: Option<Link> = state.link_of(from).await?;
    let rows = state.relink(from, to).await?;
    state.note_refused_relink(from, None).await?;
    let login = link.as_ref().map(|link| &link.login);
    let wanted = wanted.filter(|wanted| login.is_some_and(|login| login != *wanted));
    Ok(Relinked {
        from: from.to_string(),
        to: to.to_string(),
        rows,
        sid: link.as_ref().map(|link| link.sid.0),
        login_value: login.map(|login| masked(login.as_str())),
        wanted_login_value: wanted.map(|login| masked(login.as_str())),
    })
}

fn text(done: &Relinked) -> String {
    let Relinked { from, to, rows, sid, login_value, wanted_login_value } = done;
    let mut text = format!("Student {from} is now {to}: {} carried over.", counted(*rows, "row"));
    if let (Some(sid), Some(login)) = (sid, login_value) {
        text.push_str(&format!(
            " The candidate with sid {sid} and login value {login} is {to}'s from now on"
        ));
        text.push_str(&match wanted_login_value {
            Some(wanted) => format!("; the roster wants login value {wanted}, so the next run changes it."),
            None => ".".to_owned(),
        });
    }
    text
}
