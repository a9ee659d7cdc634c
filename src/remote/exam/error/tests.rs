//! The contract's table of errors (docs/contracts/onlineexammaker.md, 5), one test a variant.

use super::*;
use crate::remote::http::{Cause, Interruption};

const WRITE: ExamCall = ExamCall::AddStudents;
const READ: ExamCall = ExamCall::GetStudentList;
const DOWN: ExamDisposition = ExamDisposition::StopService(Stop::Temporary);
const MISCONFIGURED: ExamDisposition = ExamDisposition::StopService(Stop::Configuration);
const NO_ACCESS: ExamDisposition = ExamDisposition::StopService(Stop::Credentials);

fn host() -> String {
    "exam.test".to_owned()
}

fn judged(error: &ExamError) -> (ExamDisposition, bool) {
    (error.disposition(), error.may_have_been_applied())
}

#[test]
fn what_cannot_be_sent_is_a_matter_of_configuration() {
    let source = TransportError::Setup { host: host(), what: "ca_file x: no such file".to_owned() };
    for call in [READ, WRITE] {
        let error = ExamError::from_transport(call, source.clone());
        assert_eq!(judged(&error), (MISCONFIGURED, false));
        assert_eq!(error.code().as_str(), "setup");
    }
}

#[test]
fn a_write_that_was_not_sent_is_sent_again_and_a_read_was_already() {
    let source = || TransportError::Unreachable { host: host(), cause: Cause::new("refused") };
    assert_eq!(judged(&ExamError::from_transport(WRITE, source())), (ExamDisposition::RetryNow, false));
    assert_eq!(judged(&ExamError::from_transport(READ, source())), (DOWN, false));
}

#[test]
fn a_lost_answer_to_a_write_is_unknown() {
    for why in [Interruption::Timeout, Interruption::Cut, Interruption::TooLarge] {
        let source = || TransportError::Interrupted { host: host(), why, cause: Cause::new("x") };
        assert_eq!(judged(&ExamError::from_transport(WRITE, source())), (ExamDisposition::RetryLater, true));
        assert_eq!(judged(&ExamError::from_transport(READ, source())), (DOWN, false));
    }
}

#[test]
fn an_unreadable_answer_to_a_write_is_unknown() {
    let error = |call| ExamError::Unreadable { call, what: "it is HTML".to_owned() };
    assert_eq!(judged(&error(WRITE)), (ExamDisposition::RetryLater, true));
    assert_eq!(judged(&error(READ)), (ExamDisposition::RetryLater, false));
}

#[test]
fn a_refused_batch_is_halved_and_may_have_been_applied_in_part() {
    let message = Some("no".to_owned());
    let error = |call, items| ExamError::Refused { call, items, status: 200, message: message.clone() };
    assert_eq!(judged(&error(WRITE, 2)), (ExamDisposition::HalveBatch, true));
    assert_eq!(judged(&error(WRITE, 1)), (ExamDisposition::RetryLater, false));
    assert_eq!(judged(&error(ExamCall::GetStudentsInfo, 2)), (ExamDisposition::HalveBatch, false));
    assert_eq!(judged(&error(READ, 1)), (ExamDisposition::RetryLater, false));
    assert_eq!(error(WRITE, 2).message(), Some("no"));
    assert!(!error(WRITE, 2).to_string().contains("no,"));
}

#[test]
fn refused_fields_name_the_four_causes_and_the_clock() {
    let error =
        |ahead| ExamError::FieldsRefused { status: 200, clock: ClockDifference(ahead), message: None };
    assert_eq!(judged(&error(None)), (NO_ACCESS, false));
    let text = error(Some(-7)).to_string();
    for part in ["code", "clock", "plan", "API", "7 s behind"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(error(Some(7)).to_string().ends_with("our clock is 7 s ahead of the service's"));
    assert!(error(Some(0)).to_string().ends_with("our clock agrees with the service's"));
}

#[test]
fn a_redirect_is_a_matter_of_configuration() {
    let error = ExamError::Redirected { call: WRITE, status: 302 };
    assert_eq!(judged(&error), (MISCONFIGURED, false));
}

#[test]
fn a_missing_authorisation_stops_the_service() {
    let error = ExamError::Unauthorized { call: WRITE, status: 401, clock: ClockDifference(None) };
    assert_eq!(judged(&error), (NO_ACCESS, false));
}

#[test]
fn an_address_that_is_not_there_is_a_matter_of_configuration() {
    assert_eq!(judged(&ExamError::WrongAddress { call: READ, status: 404 }), (MISCONFIGURED, false));
}

#[test]
fn a_batch_that_is_too_large_is_halved() {
    let error = |items| ExamError::TooLarge { call: WRITE, items };
    assert_eq!(judged(&error(100)), (ExamDisposition::HalveBatch, false));
    assert_eq!(judged(&error(1)), (ExamDisposition::RetryLater, false));
}

#[test]
fn a_write_the_service_gave_up_waiting_for_is_read_back_and_sent_again() {
    assert_eq!(judged(&ExamError::TimedOut { call: WRITE }), (ExamDisposition::RetryNow, true));
    assert_eq!(judged(&ExamError::TimedOut { call: READ }), (DOWN, false));
}

#[test]
fn a_write_that_came_too_soon_is_unknown_and_waits_as_long_as_asked() {
    let error = |call| ExamError::RateLimited { call, retry_after: Some(Duration::from_secs(9)) };
    assert_eq!(judged(&error(WRITE)), (ExamDisposition::RetryLater, true));
    assert_eq!(judged(&error(READ)), (ExamDisposition::RetryLater, false));
    assert_eq!(error(READ).retry_after(), Some(Duration::from_secs(9)));
}

#[test]
fn a_write_that_failed_at_the_service_is_unknown() {
    let error = |call| ExamError::ServiceFailed { call, status: 503, retry_after: None };
    assert_eq!(judged(&error(WRITE)), (ExamDisposition::RetryLater, true));
    assert_eq!(judged(&error(READ)), (DOWN, false));
}

#[test]
fn an_unexpected_status_is_a_failure_and_an_unexpected_success_is_unknown() {
    let error = |status| ExamError::Unexpected { call: WRITE, status };
    assert_eq!(judged(&error(418)), (ExamDisposition::RetryLater, false));
    assert_eq!(judged(&error(204)), (ExamDisposition::RetryLater, true));
    assert_eq!(
        judged(&ExamError::Unexpected { call: READ, status: 204 }),
        (ExamDisposition::RetryLater, false)
    );
}
