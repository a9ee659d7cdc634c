//! `account`: which accounts of the services the state belongs to, and giving it to those that are configured.

use serde::Serialize;

use super::{output, sync};
use crate::app::{App, AppError, classin_side, exam_side};
use crate::cli::{AccountAction, Cli, ConfirmedService};
use crate::exit::Exit;
use crate::run::{
    ConfirmedClassinAccount, ConfirmedExamAccount, EmptyAccount, SchoolChange, classin_records_in_doubt,
    configured_accounts, confirm_classin_account, confirm_exam_account, in_one_line, moment,
};
use crate::settings::Problem;
use rosterd_core::account::ServiceAccount;
use rosterd_core::failure::Service;

/// Both services, as far as they are enabled.
#[derive(Serialize)]
struct Accounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    exam: Option<AccountLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classin: Option<AccountLine>,
}

#[derive(Serialize)]
struct AccountLine {
    /// The host of the account that the state belongs to; absent while it belongs to none.
    host: Option<String>,
    since: Option<String>,
    configured_host: String,
    /// Whether the configuration leads to that account; absent while the state belongs to none.
    matches: Option<bool>,
    /// Linked candidates; for ClassIn, enrolments and accounts on record.
    records: u64,
}

pub(super) async fn run(app: &App, cli: &Cli, action: Option<&AccountAction>) -> Result<Exit, AppError> {
    let exit = match action {
        None => show(app, cli).await?,
        Some(AccountAction::Confirm { service, empty, same_school, other_school }) => {
            let empty = if *empty { EmptyAccount::Accepted } else { EmptyAccount::Refused };
            let change = match (*same_school, *other_school) {
                (true, _) => Some(SchoolChange::SameSchool),
                (false, true) => Some(SchoolChange::AnotherSchool),
                (false, false) => None,
            };
            confirm(app, cli, Said { service: *service, empty, change }).await?
        }
    };
    app.state.close().await;
    Ok(exit)
}

async fn show(app: &App, cli: &Cli) -> Result<Exit, AppError> {
    let key = app.state.planner_key().await?;
    let (exam, classin) = (exam_side(&app.settings, &app.clock)?, classin_side(&app.settings, &app.clock)?);
    let configured = configured_accounts(exam.as_ref(), classin.as_ref(), &key);
    let accounts = Accounts {
        exam: line(app, configured.exam, app.state.count_links().await?).await?,
        classin: line(app, configured.classin, app.state.count_classin_records().await?).await?,
    };
    output::show(cli, &accounts, |accounts| {
        let exam = accounts.exam.as_ref().map(|line| text("exam side", line, "candidates are linked"));
        let classin = accounts.classin.as_ref();
        let classin = classin.map(|line| text("ClassIn", line, "enrolments and accounts are on record"));
        exam.into_iter().chain(classin).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

async fn line(
    app: &App,
    configured: Option<ServiceAccount>,
    records: u64,
) -> Result<Option<AccountLine>, AppError> {
    let Some(configured) = configured else { return Ok(None) };
    let remembered = app.state.remembered_account(configured.service).await?;
    let matches = remembered.as_ref().map(|it| it.fingerprint == configured.fingerprint);
    let since = remembered.as_ref().map(|it| moment(it.since_ms));
    let host = remembered.map(|it| it.host);
    Ok(Some(AccountLine { host, since, configured_host: configured.host, matches, records }))
}

fn text(service: &str, line: &AccountLine, records: &str) -> String {
    let AccountLine { host, since, configured_host, matches, records: count } = line;
    let belongs = match (host, since) {
        (Some(host), Some(since)) => format!("the state belongs to the account at {host} since {since}"),
        _ => "the state belongs to no account yet".to_owned(),
    };
    let fits = match matches {
        Some(true) => "the configuration leads there".to_owned(),
        Some(false) => format!("the configuration leads to another address or name, at {configured_host}"),
        None => format!("the configuration leads to the one at {configured_host}"),
    };
    format!("{service}: {belongs}; {count} {records}; {fits}")
}

/// What a confirmation did, service by service.
#[derive(Default, Serialize)]
struct Confirmed {
    #[serde(skip_serializing_if = "Option::is_none")]
    exam: Option<ConfirmedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classin: Option<ConfirmedLine>,
    errors: Vec<String>,
}

#[derive(Serialize)]
struct ConfirmedLine {
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_before: Option<String>,
    kept: u64,
    given_up: u64,
    /// Students who have left, among those given up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    leavers_given_up: Vec<String>,
    /// Whether groups, failures and unanswered calls of the account before were forgotten with the links.
    forgotten: bool,
}

impl From<ConfirmedExamAccount> for ConfirmedLine {
    fn from(done: ConfirmedExamAccount) -> Self {
        let ConfirmedExamAccount { host, host_before, kept, given_up, leavers_given_up, is_another } = done;
        let leavers_given_up = leavers_given_up.iter().map(ToString::to_string).collect();
        Self { host, host_before, kept, given_up, leavers_given_up, forgotten: is_another }
    }
}

impl From<ConfirmedClassinAccount> for ConfirmedLine {
    fn from(done: ConfirmedClassinAccount) -> Self {
        let ConfirmedClassinAccount { host, host_before, kept, given_up, is_another } = done;
        Self { host, host_before, kept, given_up, leavers_given_up: Vec::new(), forgotten: is_another }
    }
}

/// What a person says with `account confirm`.
struct Said {
    service: Option<ConfirmedService>,
    empty: EmptyAccount,
    change: Option<SchoolChange>,
}

/// Asks every service first, then takes the accounts of all of them or of none.
async fn confirm(app: &App, cli: &Cli, said: Said) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let Said { service, empty, change } = said;
    let exam = exam_side(&app.settings, &app.clock)?.filter(|_| service != Some(ConfirmedService::Classin));
    let classin =
        classin_side(&app.settings, &app.clock)?.filter(|_| service != Some(ConfirmedService::Exam));
    if let Some(why) = nothing_to_confirm(app, exam.is_some(), classin.is_some()) {
        return Err(AppError::Credentials(why));
    }
    if let Some(side) = classin.as_ref().filter(|_| change.is_none()) {
        let records = classin_records_in_doubt(side, &app.state).await?;
        if records > 0 {
            return Ok(output::refuse(cli, Exit::Usage, &word_wanted(records)));
        }
    }
    let (mut done, mut takings) = (Confirmed::default(), Vec::new());
    let (stop, now_ms) = (sync::stop_on_signals(None), app.clock.now_ms());
    if let Some(side) = &exam {
        match confirm_exam_account(side, &app.state, empty, &stop, now_ms).await {
            Ok((confirmed, taking)) => {
                done.exam = Some(confirmed.into());
                takings.push(taking);
            }
            Err(error) => {
                let left =
                    if classin.is_some() { "; what is on record of ClassIn stays as it is" } else { "" };
                done.errors.push(format!("{}: {}{left}", Service::Exam.as_str(), in_one_line(&error)));
                output::show(cli, &done, confirmed_text);
                output::print_error(&done.errors.join("\n"));
                return Ok(Exit::Done.worst(error.severity().into()));
            }
        }
    }
    if let Some(side) = &classin {
        let change = change.unwrap_or(SchoolChange::SameSchool);
        let (confirmed, taking) = confirm_classin_account(side, &app.state, change).await?;
        done.classin = Some(confirmed.into());
        takings.push(taking);
    }
    app.state.take_accounts(&takings, now_ms).await?;
    output::show(cli, &done, confirmed_text);
    Ok(Exit::Done)
}

/// Why the configuration leads to no account that could be confirmed.
fn nothing_to_confirm(app: &App, exam: bool, classin: bool) -> Option<String> {
    let missing = app.settings.missing_credentials();
    let of_service = |problem: &&Problem| {
        (exam && problem.key.starts_with("exam.")) || (classin && problem.key.starts_with("classin."))
    };
    let lines: Vec<String> = missing.iter().filter(of_service).map(ToString::to_string).collect();
    if !exam && !classin {
        return Some(
            "this service is switched off in the configuration (exam.enabled, classin.enabled)".to_owned(),
        );
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// ClassIn cannot be read: what its records are worth is for a person to say.
fn word_wanted(records: u64) -> String {
    format!(
        "classin: {records} enrolments and accounts are on record, and ClassIn cannot be read, so you must say which it \
         is: rosterd account confirm classin --same-school (only address or SID changed: the records stay) or rosterd \
         account confirm classin --other-school (another school: they are given up). Nothing was changed"
    )
}

fn confirmed_text(done: &Confirmed) -> String {
    let exam = done.exam.as_ref().map(|line| {
        let all = "groups, open failures and unanswered calls of the account before were forgotten too";
        confirmed_line(
            "exam side",
            line,
            "links were proved and stay",
            "were given up and are adopted anew",
            all,
        )
    });
    let classin = done.classin.as_ref().map(|line| {
        let all = "open failures and unanswered calls of the school before were forgotten too";
        confirmed_line(
            "ClassIn",
            line,
            "records stay",
            "were given up: each add finds out what is there",
            all,
        )
    });
    exam.into_iter().chain(classin).collect::<Vec<_>>().join("\n")
}

fn confirmed_line(service: &str, line: &ConfirmedLine, stay: &str, given_up: &str, all: &str) -> String {
    let before = match &line.host_before {
        Some(before) if *before != line.host => format!(", no longer to the one at {before}"),
        Some(_) | None => String::new(),
    };
    let forgotten = if line.forgotten { format!("; {all}") } else { String::new() };
    let leavers = match line.leavers_given_up.as_slice() {
        [] => String::new(),
        named => format!(
            "; students who have left are among them, and nobody looks after their candidates: {}",
            named.join(", ")
        ),
    };
    format!(
        "{service}: the state belongs to the account at {}{before}; {} {stay}, {} {given_up}{leavers}{forgotten}",
        line.host, line.kept, line.given_up
    )
}
