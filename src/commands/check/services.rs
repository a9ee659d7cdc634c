//! The two services: credentials, fields, clocks, and whose account it is. Nothing is written there.

use super::finding::{Finding, Findings, Group};
use crate::app::{App, AppError, classin_probe, classin_side, exam_side};
use crate::exit::Exit;
use crate::remote::classin::{ClassinDisposition, ClassinError, StopCause};
use crate::run::{
    ExamCheck, check_classin_account, check_exam_account, check_exam_fields, configured_accounts,
    in_one_line, moment,
};
use rosterd_core::failure::{FailureOwner, Service};

const CLOCK: &str = "clock";

/// Clocks that are further apart are told.
const TOLD_APART_S: u64 = 30;

/// How far apart clocks may be before the exam side's deletes wait, and until ClassIn refuses every call.
// Contract: docs/contracts/classin.md, 1.2, "time window": 20 minutes.
const REFUSED_APART_S: u64 = 20 * 60;

/// The account behind address and code, its fields and its clock; says how many candidates it lists.
pub(super) async fn exam(app: &App, findings: &mut Findings) -> Result<Option<u64>, AppError> {
    const WHAT: &str = "exam side";
    let Some(side) = exam_side(&app.settings, &app.clock)? else { return Ok(None) };
    let roster = app.roster().await.ok();
    let checked = check_exam_fields(&side, &app.state, roster.as_ref()).await;
    if let Some(roster) = roster {
        roster.close().await;
    }
    match checked {
        Ok(ExamCheck { detail, ahead_seconds, candidates, is_mismatch, warning }) => {
            let told = "credentials accepted, the mapped fields are there";
            let finding = match (is_mismatch, &warning) {
                (true, _) => {
                    let detail = format!(
                        "{detail}\nso few matches mean that login values are written in another way there, or that it is another \
                         account: compare a few by hand before the first run"
                    );
                    let finding = Finding::warn(Group::Exam, WHAT, detail).mended_by(FailureOwner::It, []);
                    finding.told_as(format!("{told}; few login values match"))
                }
                (false, Some(_)) => Finding::warn(Group::Exam, WHAT, detail)
                    .mended_by(FailureOwner::It, [])
                    .told_as(format!("{told}; the login field could not be proven")),
                (false, None) => Finding::good(Group::Exam, WHAT, detail).told_as(told),
            };
            findings.add(finding);
            clock(Group::Exam, "the exam side", ahead_seconds, findings);
            Ok(Some(candidates))
        }
        Err(error) => {
            findings.add(Finding::bad(Group::Exam, WHAT, error.severity().into(), in_one_line(&error)));
            not_compared(Group::Exam, findings);
            Ok(None)
        }
    }
}

/// ClassIn's credentials and clock.
pub(super) async fn classin(app: &App, findings: &mut Findings) -> Result<(), AppError> {
    const WHAT: &str = "ClassIn";
    let Some(probe) = classin_probe(&app.settings, &app.clock)? else { return Ok(()) };
    match probe.prove().await {
        Ok(reading) => {
            let ahead = reading.ahead_seconds();
            let detail = match ahead {
                // A second apart is how long the answer was under way.
                Some(-1..=1) => "credentials accepted, our clock agrees with theirs".to_owned(),
                Some(seconds) => format!("credentials accepted, our clock is {seconds} s ahead of theirs"),
                None => "credentials accepted".to_owned(),
            };
            let detail = format!(
                "{detail}; ClassIn has no call that reads, so its classes and members are not looked at"
            );
            findings.add(Finding::good(Group::Classin, WHAT, detail).told_as("credentials accepted"));
            clock(Group::Classin, "ClassIn", ahead, findings);
        }
        Err(error) => {
            findings.add(Finding::bad(Group::Classin, WHAT, classin_exit(&error), in_one_line(&error)));
            not_compared(Group::Classin, findings);
        }
    }
    Ok(())
}

/// What a check of ClassIn's credentials that failed means for whoever asked for it.
pub(in crate::commands) fn classin_exit(error: &ClassinError) -> Exit {
    match error.disposition() {
        ClassinDisposition::Stop(StopCause::Credentials) => Exit::Credentials,
        ClassinDisposition::Stop(StopCause::Settings) => Exit::Configuration,
        ClassinDisposition::Stop(StopCause::Temporary)
        | ClassinDisposition::Retry { .. }
        | ClassinDisposition::RetryThenStop
        | ClassinDisposition::SmallerBatch => Exit::Temporary,
    }
}

/// This machine's clock beside a service's.
fn clock(group: Group, service: &str, ahead_seconds: Option<i64>, findings: &mut Findings) {
    let apart = ahead_seconds.map_or(0, i64::unsigned_abs);
    if apart < TOLD_APART_S {
        return;
    }
    let side = if ahead_seconds > Some(0) { "ahead of" } else { "behind" };
    let mut detail =
        format!("this machine's clock is {apart} s {side} that of {service}: set it by the network");
    if group == Group::Classin {
        detail.push_str(&format!("; from {REFUSED_APART_S} s on ClassIn refuses every call"));
    } else {
        detail.push_str("; from 600 s on nobody is deleted, and the service may refuse every call");
    }
    let finding = Finding::warn(group, CLOCK, detail).told_as_it_is();
    findings.add(finding.mended_by(FailureOwner::It, ["timedatectl set-ntp true".to_owned()]));
}

fn not_compared(group: Group, findings: &mut Findings) {
    let detail = "not compared with the service's: the look at it broke off";
    findings.add(Finding::warn(group, CLOCK, detail).told_as_it_is());
}

/// Which account the state belongs to. Another address or code is proved by look-ups, so not offline.
pub(super) async fn exam_account(app: &App, offline: bool, findings: &mut Findings) -> Result<(), AppError> {
    const WHAT: &str = "exam account";
    let Some(side) = exam_side(&app.settings, &app.clock)? else { return Ok(()) };
    if offline {
        let account = configured_accounts(Some(&side), None, &app.state.planner_key().await?).exam;
        let remembered = app.state.remembered_account(Service::Exam).await?;
        let detail = match (remembered, account) {
            (Some(remembered), Some(account)) if remembered.fingerprint == account.fingerprint => {
                let since = moment(remembered.since_ms);
                format!("the state belongs to the account at {} since {since}", remembered.host)
            }
            _ => "not told offline: look-ups prove whether the state belongs to this account".to_owned(),
        };
        findings.add(Finding::good(Group::Exam, WHAT, detail));
        return Ok(());
    }
    findings.add(match check_exam_account(&side, &app.state).await {
        Ok(detail) => Finding::good(Group::Exam, WHAT, detail).told_as("the state belongs to it"),
        Err(error) => Finding::bad(Group::Exam, WHAT, error.severity().into(), in_one_line(&error)),
    });
    Ok(())
}

pub(super) async fn classin_account(app: &App, findings: &mut Findings) -> Result<(), AppError> {
    const WHAT: &str = "ClassIn school";
    let Some(side) = classin_side(&app.settings, &app.clock)? else { return Ok(()) };
    findings.add(match check_classin_account(&side, &app.state).await {
        Ok(detail) => Finding::good(Group::Classin, WHAT, detail).told_as("the state belongs to it"),
        Err((severity, sentence)) => Finding::bad(Group::Classin, WHAT, severity.into(), sentence),
    });
    Ok(())
}
