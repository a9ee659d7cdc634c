//! `forget`: a student's ClassIn account is not believed any more, and found anew by the next run.

use serde::Serialize;

use super::output;
use crate::app::{App, AppError};
use crate::cli::Cli;
use crate::exit::Exit;
use rosterd_core::roster::{StudentId, shell_words};

#[derive(Serialize)]
struct Forgotten {
    student_id: String,
    uid: i64,
    /// Whether the next run asks ClassIn for the account by the student's phone or e-mail.
    asks_again: bool,
    /// The `classin_uid` that stands on the roster, which the next run takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    classin_uid: Option<i64>,
}

pub(super) async fn run(app: &App, cli: &Cli, student: &str) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let student = StudentId::entered(student);
    let Some(uid) = app.state.forget_account(&student, app.clock.now_ms()).await? else {
        let why = format!(
            "no ClassIn account of student {student} is remembered: rosterd explain {} tells what is",
            shell_words(&[student.as_str()])
        );
        return Ok(output::refuse(cli, Exit::Failed, &why));
    };
    let asks_again = app.settings.classin.register;
    let classin_uid = uid_on_roster(app, &student).await;
    let forgotten = Forgotten { student_id: student.to_string(), uid: uid.0, asks_again, classin_uid };
    output::show(cli, &forgotten, text);
    Ok(Exit::Done)
}

/// The `classin_uid` of the student's row, as far as the roster can be read just now.
async fn uid_on_roster(app: &App, student: &StudentId) -> Option<i64> {
    let roster = app.roster().await.ok()?;
    let details = match roster.snapshot().await {
        Ok(mut snapshot) => snapshot.details(student).await,
        Err(error) => Err(error),
    };
    roster.close().await;
    let details = details.ok()??;
    let uid = details.values.into_iter().find(|(column, _)| column == "classin_uid")?.1;
    uid.parse().ok()
}

fn text(forgotten: &Forgotten) -> String {
    let Forgotten { student_id, uid, asks_again, classin_uid } = forgotten;
    let then = match (classin_uid, asks_again) {
        (Some(named), _) if named == uid => {
            "The next run takes it again, because classin_uid on the roster names it: if it is the wrong one, mend that.".to_owned()
        }
        (Some(named), _) => format!("The next run takes the one that classin_uid on the roster names ({named})."),
        (None, true) => {
            "The next run asks ClassIn for the account of the student's phone or e-mail.".to_owned()
        }
        (None, false) => {
            "rosterd does not ask ClassIn for accounts (classin.register = false): enter classin_uid on the roster.".to_owned()
        }
    };
    format!(
        "The ClassIn account of student {student_id} (uid {uid}) is forgotten. {then} Places that the student has stay until \
         the new account has them."
    )
}
