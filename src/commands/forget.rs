//! `forget`: a student's ClassIn account is not believed any more, and found anew by the next run.

use serde::Serialize;

use super::output;
use crate::app::{App, AppError};
use crate::cli::Cli;
use crate::exit::Exit;
use rosterd_core::roster::{StudentId, shell_word};

#[derive(Serialize)]
struct Forgotten {
    student_id: String,
    uid: i64,
    /// Whether the next run asks ClassIn for the account by the student's phone or e-mail.
    asks_again: bool,
}

pub(super) async fn run(app: &App, cli: &Cli, student: &str) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let student = StudentId::entered(student);
    let Some(uid) = app.state.forget_account(&student, app.clock.now_ms()).await? else {
        output::print_error(&format!(
            "no ClassIn account of student {student} is remembered: rosterd explain {} tells what is",
            shell_word(student.as_str())
        ));
        return Ok(Exit::Failed);
    };
    let asks_again = app.settings.classin.register;
    let forgotten = Forgotten { student_id: student.to_string(), uid: uid.0, asks_again };
    output::show(cli, &forgotten, text);
    Ok(Exit::Done)
}

fn text(forgotten: &Forgotten) -> String {
    let Forgotten { student_id, uid, asks_again } = forgotten;
    let then = if *asks_again {
        "The next run asks ClassIn for the account of the student's phone or e-mail, unless classin_uid on the roster names one."
    } else {
        "rosterd does not ask ClassIn for accounts (classin.register = false): enter classin_uid on the roster."
    };
    format!(
        "The ClassIn account of student {student_id} (uid {uid}) is forgotten. {then} Places that the student has stay until \
         the new account has them."
    )
}
