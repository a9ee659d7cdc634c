//! Pages for people and for tests in another process: what is there, what happened, how to change it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::classin::{AccountView, CourseView};
use super::super::fault_table::FAULTS;
use super::super::journal::JournalEntry;
use super::super::results_console::ResultView;
use super::Served;
use crate::exam::CandidateView;

const EXPLANATION: &str = "\
rosterd sandbox: OnlineExamMaker and ClassIn, simulated on this machine.

  exam service      /api/v1/student/...            (base_url of [exam]: this address)
  ClassIn           /partner/api/course.api.php    (base_url of [classin]: this address)

  GET    /_sandbox/switches                 every switch and fault, with its value and what it does
  POST   /_sandbox/set?name=NAME&value=...  set a switch, or arm a fault: ENDPOINT[@CALL][:ARG]
  POST   /_sandbox/clear-faults             take all faults off
  GET    /_sandbox/journal                  every call so far (no names, phones or passwords)
  DELETE /_sandbox/journal                  forget them
  POST   /_sandbox/sample-world             throw everything away and become the contracts' sample world
  GET    /_sandbox/exam                     all candidates
  GET    /_sandbox/groups                   the titles of all groups of the exam side, by gid
  GET    /_sandbox/results                  all results, newest first
  POST   /_sandbox/results                  add results: a JSON array as GET answers it, the newest last
  GET    /_sandbox/classin                  the members of every course and class
  GET    /_sandbox/classin/accounts         all accounts, with the names in the school's list
  POST   /_sandbox/classin/DEED?...         what a person does in ClassIn's console or client:
           create-course ?title   create-class ?course&title   create-account ?name[&contact]   (answer the id)
           cancel-account ?uid    leave-school ?uid
           change-contact ?uid&contact                another phone or e-mail: the uid stays
           recycle-contact ?contact&name              it goes to somebody else (answers the new uid)
           replace-account ?uid                       cancelled, and registered anew (answers the new uid)
           end-class, delete-class ?course&class
           capacity ?course[&class]&students          0 = any number
           add-member, remove-member ?course[&class]&uid
           role ?course[&class]&uid&role              teacher, co-teacher, head-teacher, auditor, course-student,
                                                      transferred-out, none

  Examples
    set?name=exam.index_base&value=0              answer the indexes of addStudents from 0
    set?name=lose_answer&value=addStudents        apply the next addStudents, then close without a byte
    set?name=http_429&value=getstulist@2x3:1      refuse the second to fourth listing, Retry-After 1
    set?name=results_arrive&value=queryresults@*:4  four results arrive before every page
    set?name=delay&value=*@p0.1:500               delay a tenth of all answers by half a second
    set?name=refuse_item&value=addClassStudentMultiple:0,4/886
";

/// `GET /`.
pub(super) async fn explanation() -> &'static str {
    EXPLANATION
}

/// `GET /_sandbox/journal`.
pub(super) async fn journal(State(served): State<Served>) -> Json<Vec<JournalEntry>> {
    Json(served.sandbox.journal())
}

/// `DELETE /_sandbox/journal`.
pub(super) async fn clear_journal(State(served): State<Served>) -> StatusCode {
    served.sandbox.clear_journal();
    StatusCode::NO_CONTENT
}

/// `GET /_sandbox/exam`.
pub(super) async fn exam(State(served): State<Served>) -> Json<Vec<CandidateView>> {
    Json(served.sandbox.candidates())
}

/// `GET /_sandbox/groups`.
pub(super) async fn groups(State(served): State<Served>) -> Json<BTreeMap<i64, String>> {
    Json(served.sandbox.groups())
}

/// `GET /_sandbox/results`.
pub(super) async fn results(State(served): State<Served>) -> Json<Vec<ResultView>> {
    Json(served.sandbox.results())
}

/// `POST /_sandbox/results`.
pub(super) async fn add_results(
    State(served): State<Served>,
    Json(results): Json<Vec<ResultView>>,
) -> StatusCode {
    served.sandbox.insert_results(results);
    StatusCode::NO_CONTENT
}

/// `GET /_sandbox/classin`.
pub(super) async fn classin(State(served): State<Served>) -> Json<BTreeMap<i64, CourseView>> {
    Json(served.sandbox.courses())
}

/// `GET /_sandbox/classin/accounts`.
pub(super) async fn accounts(State(served): State<Served>) -> Json<Vec<AccountView>> {
    Json(served.sandbox.accounts())
}

#[derive(Deserialize)]
pub(super) struct Setting {
    name: String,
    value: String,
}

/// `POST /_sandbox/set`.
pub(super) async fn set(
    State(served): State<Served>,
    Query(setting): Query<Setting>,
) -> (StatusCode, String) {
    match served.sandbox.set(&setting.name, &setting.value) {
        Ok(()) => (StatusCode::OK, String::new()),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

/// `POST /_sandbox/sample-world`.
pub(super) async fn sample_world(State(served): State<Served>) -> (StatusCode, &'static str) {
    if served.sandbox.become_sample_world() {
        (StatusCode::OK, "")
    } else {
        (StatusCode::CONFLICT, "this sandbox keeps a state file, which would be lost\n")
    }
}

/// `POST /_sandbox/clear-faults`.
pub(super) async fn clear_faults(State(served): State<Served>) -> StatusCode {
    served.sandbox.clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Serialize)]
pub(super) struct Overview {
    switches: Vec<SwitchView>,
    faults: Vec<FaultView>,
    armed: Vec<String>,
}

#[derive(Serialize)]
struct SwitchView {
    name: String,
    value: String,
    default: &'static str,
    allowed: String,
    about: &'static str,
}

#[derive(Serialize)]
struct FaultView {
    name: &'static str,
    service: &'static str,
    argument: String,
    about: &'static str,
}

/// `GET /_sandbox/switches`.
pub(super) async fn switches(State(served): State<Served>) -> Json<Overview> {
    let world = served.sandbox.world();
    let switches = world
        .switches
        .all()
        .map(|(spec, value)| SwitchView {
            name: spec.full_name(),
            value: value.to_owned(),
            default: spec.default,
            allowed: spec.allowed(),
            about: spec.about,
        })
        .collect();
    let faults = FAULTS
        .iter()
        .map(|spec| FaultView {
            name: spec.name,
            service: spec.only.map_or("both", |service| service.name()),
            argument: spec.allowed(),
            about: spec.about,
        })
        .collect();
    Json(Overview { switches, faults, armed: world.faults.describe() })
}
