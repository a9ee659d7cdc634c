//! The exam side's client against a fake that records every byte and answers what it is told to.
//!
//! Expected requests are those of the contract (docs/contracts/onlineexammaker.md, 2.4) as compact JSON; answers are
//! the documented ones, see `fixtures/exam/README.md`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use md5::{Digest, Md5};
use rosterd::Clock;
use rosterd::Endpoint;
use rosterd::{Calls, RetryPacing, Transport};
use rosterd::{
    CandidateChange, ExamConnection, ExamDisposition, ExamError, ExamField, ExamReader, ExamWriter,
    LookupKey, NewCandidate, Stop,
};
use rosterd_core::exam_plan::{AddVerdict, GroupAction, Verdict, judge_add, judge_by_sid};
use rosterd_core::roster::{FieldId, Gid, LoginValue, Sid};
use secrecy::SecretString;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

const CODE: &str = "c0de5ecre7";
/// 2021-12-06 05:35:35 UTC, the moment of the vendor's samples.
const SAMPLE_TIME: i64 = 1_638_768_935;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/exam/", $name))
    };
}

/// One request as it arrived.
struct Recorded {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: String,
}

impl Recorded {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The seconds in parameter `time`, which are always last.
    fn time(&self) -> &str {
        let parameters = if self.body.is_empty() { &self.target } else { &self.body };
        parameters.rsplit_once("time=").unwrap().1
    }

    fn is_signed(&self) -> bool {
        let token = base16ct::lower::encode_string(&Md5::digest(format!("{}{CODE}", self.time())));
        self.header("authorization") == token
    }
}

/// What the fake answers to one request.
#[derive(Clone)]
struct Answer {
    status: u16,
    body: String,
    headers: Vec<(&'static str, String)>,
}

impl Answer {
    fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), headers: vec![] }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Clone, Default)]
struct Script {
    recorded: Arc<Mutex<Vec<Recorded>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

/// A server that gives its answers in order, the last one again and again.
struct Fake {
    script: Script,
    base_url: String,
}

impl Fake {
    async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script =
            Script { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Script::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(serve).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { script, base_url }
    }

    fn client(&self) -> Client {
        self.client_with(Clock::system())
    }

    fn client_with(&self, clock: Clock) -> Client {
        client(&self.base_url, clock)
    }

    fn requests(&self) -> usize {
        self.script.recorded.lock().unwrap().len()
    }

    fn only_request(&self) -> Recorded {
        let mut recorded = self.script.recorded.lock().unwrap();
        assert_eq!(recorded.len(), 1);
        recorded.remove(0)
    }
}

async fn serve(
    State(script): State<Script>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    script.recorded.lock().unwrap().push(Recorded { method, target: uri.to_string(), headers, body });
    let answer = {
        let mut answers = script.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    };
    let Answer { status, body, headers } = answer.unwrap();
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    }
    response
}

/// Reader and writer over one connection, as a run has them.
struct Client {
    reader: ExamReader,
    writer: ExamWriter,
}

fn client(base_url: &str, clock: Clock) -> Client {
    record_log();
    let endpoint = Endpoint {
        base_url: base_url.to_owned(),
        requests_per_second: 0.0,
        max_in_flight: 4,
        timeout: Duration::from_secs(10),
        ca_file: None,
    };
    let pauses = RetryPacing {
        first_delay: Duration::from_millis(1),
        longest_delay: Duration::from_millis(4),
        longest_retry_after: Duration::from_millis(500),
        ..RetryPacing::default()
    };
    let transport = Transport::with_retry_pacing(&endpoint, clock, pauses).unwrap();
    let connection = ExamConnection { transport, code: SecretString::from(CODE.to_owned()) };
    Client { reader: ExamReader::new(connection.clone()), writer: ExamWriter::new(connection) }
}

/// An address that nobody listens on.
async fn nobodys_address() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn clock_at(unix_seconds: i64) -> Clock {
    let clock = Clock::system();
    clock.shift_ms(unix_seconds * 1000 - clock.now_ms());
    clock
}

fn ok(body: &str) -> [Answer; 1] {
    [Answer::new(200, body)]
}

fn new_candidate(gid: i64, values: &[(i64, &str)]) -> NewCandidate {
    NewCandidate { gid: Gid(gid), values: owned(values) }
}

fn change(sid: i64, values: &[(i64, &str)]) -> CandidateChange {
    CandidateChange { sid: Sid(sid), values: owned(values) }
}

fn owned(values: &[(i64, &str)]) -> Vec<(FieldId, String)> {
    values.iter().map(|(id, value)| (FieldId(*id), (*value).to_owned())).collect()
}

fn two_candidates() -> [NewCandidate; 2] {
    [
        new_candidate(2993, &[(4, "2993"), (1, "stufor2993")]),
        new_candidate(2994, &[(10, "2994"), (1, "stufor2994")]),
    ]
}

/// A POST of this path whose form is exactly this one, with the `time` that was sent in place of `TIME`.
fn assert_posted(request: &Recorded, path: &str, form: &str) {
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", path));
    assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(request.body, form.replace("TIME", request.time()));
    assert!(request.is_signed());
}

// ── Requests, byte for byte ─────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn get_fields_is_a_get_with_code_and_time_in_its_query() {
    let fake = Fake::answering(ok(fixture!("get_fields.json"))).await;
    let fields = fake.client_with(clock_at(SAMPLE_TIME)).reader.fields().await.unwrap();
    let request = fake.only_request();
    assert_eq!(request.method, Method::GET);
    let expected = format!("/api/v1/student/getFields?code={CODE}&time={}", request.time());
    assert_eq!(request.target, expected);
    assert!((SAMPLE_TIME..SAMPLE_TIME + 60).contains(&request.time().parse().unwrap()));
    assert!(request.is_signed());
    let field = |id, label: &str| ExamField { id: FieldId(id), label: label.to_owned() };
    assert_eq!(fields, [field(1, "name"), field(2, "gender"), field(4, "phone"), field(10, "password")]);
}

#[tokio::test]
async fn a_request_says_who_we_are_and_takes_gzip() {
    let fake = Fake::answering(ok(fixture!("get_fields.json"))).await;
    fake.client().reader.fields().await.unwrap();
    let request = fake.only_request();
    assert_eq!(request.header("user-agent"), concat!("rosterd/", env!("CARGO_PKG_VERSION")));
    assert_eq!((request.header("accept-encoding"), request.header("referer")), ("gzip", ""));
}

#[tokio::test]
async fn a_page_is_asked_for_by_limit_and_start() {
    let fake = Fake::answering(ok(fixture!("get_stu_list.json"))).await;
    let page = fake.client().reader.page(0, 3).await.unwrap();
    let form = format!("code={CODE}&limit=3&start=0&time=TIME");
    assert_posted(&fake.only_request(), "/api/v1/student/getstulist", &form);
    assert_eq!(page.total, 12);
    let logins: Vec<_> = page.rows.iter().map(|row| row.login_value.as_str()).collect();
    assert_eq!(logins, ["newstufor2993", "newstufor2994", "newstufor29942"]);
    assert_eq!(page.rows[1].fields, owned(&[(1, "newstufor2994"), (10, "2994")]));
}

#[tokio::test]
async fn results_are_asked_for_by_limit_and_start_in_the_query_of_a_get() {
    let body = r#"{"data":[{"viewResult":"https://api.onlineexammaker.com/transgetresult?tid=xxx\u0026token=xxx","score":"2","passed":"0","status":"1","startTime":"1639647217","endTime":"1639647236","sid":"170597","loginValue":"n11","name":"n11","eid":"107264"}],"status":"ok","total":1877}"#;
    let fake = Fake::answering(ok(body)).await;
    let page = fake.client().reader.results(0, 2).await.unwrap();
    let request = fake.only_request();
    assert_eq!(request.method, Method::GET);
    let expected =
        format!("/api/v1/student/queryresults?code={CODE}&limit=2&start=0&time={}", request.time());
    assert_eq!(request.target, expected);
    assert!(request.is_signed());
    assert_eq!((page.total, page.rows.len(), page.unreadable), (1877, 1, 0));
    assert_eq!(page.rows[0].attempt().unwrap().tid.as_deref(), Some("xxx"));
}

#[tokio::test]
async fn a_group_is_created_by_its_parent_and_title_in_one_attempt() {
    // Contract: docs/contracts/onlineexammaker.md, 2.4 and 3.9.
    let fake = Fake::answering(ok(r#"{"gid":2995,"status":"ok"}"#)).await;
    let form = format!("code={CODE}&parentGid=0&time=TIME&title=%E6%96%B0%E5%BB%BA%E7%BB%84");
    assert_eq!(fake.client().writer.create_group(Gid(0), "新建组").await.unwrap(), Gid(2995));
    let request = fake.only_request();
    let time: String = request.body.split("time=").nth(1).unwrap().chars().take(10).collect();
    assert_eq!(request.body, form.replace("TIME", &time));
    for (status, body, maybe) in [
        (200, r#"{"status":"ok"}"#, true),
        (200, "<html>login</html>", true),
        (500, "", true),
        (200, r#"{"status":"error","error":"the title cannot be empty"}"#, false),
        (403, "", false),
    ] {
        let fake = Fake::answering([Answer::new(status, body)]).await;
        let error = fake.client().writer.create_group(Gid(0), "x").await.unwrap_err();
        assert_eq!((error.may_have_been_applied(), fake.requests()), (maybe, 1), "{status} {body}");
    }
}

#[tokio::test]
async fn a_look_up_by_sid_sends_numbers() {
    let fake = Fake::answering(ok(fixture!("get_students_info.json"))).await;
    let answer = fake.client().reader.lookup(LookupKey::Sids(&[Sid(170_605), Sid(170_606)])).await.unwrap();
    let form = format!("code={CODE}&sids=%5B170605%2C170606%5D&time=TIME");
    assert_posted(&fake.only_request(), "/api/v1/student/getstudentsinfo", &form);
    assert_eq!(answer.rows[1].sid, Sid(170_606));
    assert_eq!(answer.rows[1].groups, Some(BTreeSet::from([Gid(2993)])));
    assert_eq!(answer.rows[1].fields, owned(&[(1, "newstufor2994")]));
    assert!(answer.unresolved.is_empty());
}

#[tokio::test]
async fn a_look_up_by_login_value_sends_texts() {
    let fake = Fake::answering(ok(r#"{"data":null,"fail":["Hery"],"status":"ok"}"#)).await;
    let keys = [LoginValue::new("James B"), LoginValue::new("张三")];
    let answer = fake.client().reader.lookup(LookupKey::LoginValues(&keys)).await.unwrap();
    let form = format!("code={CODE}&loginValues=%5B%22James+B%22%2C%22%E5%BC%A0%E4%B8%89%22%5D&time=TIME");
    assert_posted(&fake.only_request(), "/api/v1/student/getstudentsinfo", &form);
    assert_eq!(answer.unresolved, BTreeSet::from(["Hery".to_owned()]));
}

#[tokio::test]
async fn an_add_sends_its_gid_as_a_text_and_field_ids_as_numbers() {
    let fake = Fake::answering(ok(fixture!("add_students.json"))).await;
    let answer = fake.client().writer.add(&two_candidates()).await.unwrap();
    let info = "%5B%7B%22gid%22%3A%222993%22%2C%22fields%22%3A%5B%7B%22sfid%22%3A4%2C%22value%22%3A%222993%22%7D%2C\
                %7B%22sfid%22%3A1%2C%22value%22%3A%22stufor2993%22%7D%5D%7D%2C%7B%22gid%22%3A%222994%22%2C\
                %22fields%22%3A%5B%7B%22sfid%22%3A10%2C%22value%22%3A%222994%22%7D%2C%7B%22sfid%22%3A1%2C\
                %22value%22%3A%22stufor2994%22%7D%5D%7D%5D";
    let form = format!("code={CODE}&info={info}&time=TIME");
    assert_posted(&fake.only_request(), "/api/v1/student/addStudents", &form);
    let verdicts = judge_add(2, &answer);
    assert_eq!(verdicts, [AddVerdict::Applied(Sid(170_603)), AddVerdict::Applied(Sid(170_604))]);
}

#[tokio::test]
async fn a_change_identifies_by_sid_and_leaves_the_login_value_empty() {
    let fake = Fake::answering(ok(fixture!("change_stuinfo.json"))).await;
    let batch = [change(170_603, &[(1, "a&b \"c\"")]), change(170_604, &[(10, "")])];
    let answer = fake.client().writer.change(&batch).await.unwrap();
    let info = "%5B%7B%22sid%22%3A170603%2C%22loginValue%22%3A%22%22%2C%22fields%22%3A%5B%7B%22sfid%22%3A1%2C\
                %22value%22%3A%22a%26b+%5C%22c%5C%22%22%7D%5D%7D%2C%7B%22sid%22%3A170604%2C%22loginValue%22%3A%22%22%2C\
                %22fields%22%3A%5B%7B%22sfid%22%3A10%2C%22value%22%3A%22%22%7D%5D%7D%5D";
    let form = format!("code={CODE}&info={info}&time=TIME");
    assert_posted(&fake.only_request(), "/api/v1/student/changeStuinfo", &form);
    let verdicts = judge_by_sid(&[Sid(170_603), Sid(170_604), Sid(170_605)], &answer);
    assert_eq!(verdicts, [Verdict::Applied, Verdict::Applied, Verdict::Unsettled]);
}

#[tokio::test]
async fn a_delete_sends_sids() {
    let fake = Fake::answering(ok(fixture!("del_stu.json"))).await;
    let answer = fake.client().writer.delete(&[Sid(170_603), Sid(170_604)]).await.unwrap();
    let form = format!("code={CODE}&sids=%5B170603%2C170604%5D&time=TIME");
    assert_posted(&fake.only_request(), "/api/v1/student/delStu", &form);
    assert_eq!(answer.changed, [Sid(170_603), Sid(170_604)]);
}

#[tokio::test]
async fn a_move_names_its_people_under_sid_and_its_groups_as_numbers() {
    let actions = [
        (GroupAction::MoveTo, "moveto"),
        (GroupAction::AddTo, "addto"),
        (GroupAction::DeleteFrom, "delfrom"),
    ];
    for (action, word) in actions {
        let fake = Fake::answering(ok(fixture!("move_stu_group.json"))).await;
        let sids = [Sid(170_606), Sid(170_607)];
        let answer = fake.client().writer.move_groups(action, &[Gid(2993)], &sids).await.unwrap();
        let form = format!(
            "code={CODE}&mvStuInfo=%7B%22gids%22%3A%5B2993%5D%2C%22loginValues%22%3A%5B%5D%2C\
             %22sid%22%3A%5B170606%2C170607%5D%2C%22action%22%3A%22{word}%22%7D&time=TIME"
        );
        assert_posted(&fake.only_request(), "/api/v1/student/movestugroup", &form);
        assert_eq!(judge_by_sid(&sids, &answer), [Verdict::Applied, Verdict::Applied]);
    }
}

#[tokio::test]
async fn a_batch_of_nobody_is_not_sent() {
    let fake = Fake::answering(ok("")).await;
    let client = fake.client();
    assert!(client.writer.add(&[]).await.unwrap().status_ok);
    assert!(client.writer.change(&[]).await.unwrap().status_ok);
    assert!(client.writer.delete(&[]).await.unwrap().status_ok);
    assert!(client.writer.move_groups(GroupAction::AddTo, &[Gid(1)], &[]).await.unwrap().status_ok);
    assert!(client.reader.lookup(LookupKey::Sids(&[])).await.unwrap().rows.is_empty());
    assert_eq!(fake.requests(), 0);
}

#[tokio::test]
async fn every_attempt_reads_the_clock_anew() {
    let answers = [Answer::new(503, ""), Answer::new(200, fixture!("get_fields.json"))];
    let fake = Fake::answering(answers).await;
    let clock = clock_at(SAMPLE_TIME);
    let client = fake.client_with(clock.clone());
    client.reader.fields().await.unwrap();
    clock.shift_ms(3_600_000);
    client.reader.fields().await.unwrap();
    let recorded = fake.script.recorded.lock().unwrap();
    assert_eq!(recorded.len(), 3);
    assert!(recorded.iter().all(Recorded::is_signed));
    let seconds = |index: usize| recorded[index].time().parse::<i64>().unwrap();
    assert!(seconds(2) - seconds(0) >= 3600);
}

// ── Errors, by docs/contracts/onlineexammaker.md, 5 ──────────────────────────────────────────────────────────────

/// What a read and a batch of two become under one answer, as (disposition, may have been applied).
async fn outcomes(answer: Answer) -> [(ExamDisposition, bool); 2] {
    let fake = Fake::answering([answer]).await;
    let client = fake.client();
    let read = client.reader.page(0, 100).await.err().unwrap();
    let write = client.writer.add(&two_candidates()).await.unwrap_err();
    [&read, &write].map(|error| (error.disposition(), error.may_have_been_applied()))
}

#[tokio::test]
async fn each_answer_has_the_consequence_that_the_contract_gives_it() {
    const LATER: ExamDisposition = ExamDisposition::RetryLater;
    const HALVE: ExamDisposition = ExamDisposition::HalveBatch;
    const DOWN: ExamDisposition = ExamDisposition::StopService(Stop::Temporary);
    const SETTINGS: ExamDisposition = ExamDisposition::StopService(Stop::Configuration);
    const ACCESS: ExamDisposition = ExamDisposition::StopService(Stop::Credentials);
    let html = fixture!("login_page.html");
    let rows = [
        (200, fixture!("legacy_error.json"), (LATER, false), (HALVE, true)),
        (200, "[]", (LATER, false), (LATER, true)),
        (200, "ok", (LATER, false), (LATER, true)),
        (200, html, (LATER, false), (LATER, true)),
        (200, "", (LATER, false), (LATER, true)),
        (200, "{}", (LATER, false), (LATER, true)),
        (301, "", (SETTINGS, false), (SETTINGS, false)),
        (302, html, (SETTINGS, false), (SETTINGS, false)),
        (307, "", (SETTINGS, false), (SETTINGS, false)),
        (400, "", (LATER, false), (HALVE, true)),
        (409, "", (LATER, false), (HALVE, true)),
        (422, "", (LATER, false), (HALVE, true)),
        (401, "", (ACCESS, false), (ACCESS, false)),
        (403, html, (ACCESS, false), (ACCESS, false)),
        (404, html, (SETTINGS, false), (SETTINGS, false)),
        (405, "", (SETTINGS, false), (SETTINGS, false)),
        (415, "", (SETTINGS, false), (SETTINGS, false)),
        (413, "", (LATER, false), (HALVE, false)),
        (408, "", (DOWN, false), (ExamDisposition::RetryNow, true)),
        (500, fixture!("add_students.json"), (DOWN, false), (LATER, true)),
        (503, html, (DOWN, false), (LATER, true)),
        (204, "", (LATER, false), (LATER, true)),
        (418, "", (LATER, false), (LATER, false)),
    ];
    for (status, body, read, write) in rows {
        assert_eq!(outcomes(Answer::new(status, body)).await, [read, write], "{status} {body}");
    }
    let too_soon = Answer::new(429, "").with("retry-after", "1");
    assert_eq!(outcomes(too_soon).await, [(LATER, false), (LATER, true)]);
}

#[tokio::test]
async fn a_service_that_is_not_there_was_not_written_to() {
    let client = client(&nobodys_address().await, Clock::system());
    let read = client.reader.fields().await.unwrap_err();
    assert_eq!(read.disposition(), ExamDisposition::StopService(Stop::Temporary));
    let write = client.writer.delete(&[Sid(1)]).await.unwrap_err();
    assert!(matches!(write, ExamError::Unreachable { .. }) && !write.may_have_been_applied());
    let counted = |endpoint, times| ((endpoint, "unreachable".to_owned()), times);
    assert_eq!(
        client.reader.transport().take_calls(),
        Calls::from([counted("getFields", 4), counted("delStu", 1)])
    );
}

#[tokio::test]
async fn a_write_is_never_sent_twice() {
    for status in [408, 429, 500, 503] {
        let fake = Fake::answering([Answer::new(status, "")]).await;
        let client = fake.client();
        assert!(client.writer.delete(&[Sid(1)]).await.is_err(), "{status:?}");
        assert_eq!(fake.requests(), 1, "{status}");
    }
}

#[tokio::test]
async fn refused_fields_name_four_causes_and_the_difference_of_the_clocks() {
    let answer =
        Answer::new(200, fixture!("legacy_error.json")).with("date", "Mon, 06 Dec 2021 05:35:35 GMT");
    let fake = Fake::answering([answer]).await;
    let error = fake.client_with(clock_at(SAMPLE_TIME + 86_400)).reader.fields().await.unwrap_err();
    assert_eq!(error.disposition(), ExamDisposition::StopService(Stop::Credentials));
    assert_eq!(error.message(), Some("the title cannot be empty"));
    let text = error.to_string();
    for part in ["code is wrong", "clock is", "plan has ended", "API is switched off", " 864", " s ahead"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn a_refused_look_up_of_several_is_halved_and_of_one_is_not() {
    let fake = Fake::answering([Answer::new(400, "too many")]).await;
    let client = fake.client();
    let refused = |error: ExamError| (error.disposition(), error.message().map(ToOwned::to_owned));
    let many = client.reader.lookup(LookupKey::Sids(&[Sid(1), Sid(2)])).await.err().unwrap();
    assert_eq!(refused(many), (ExamDisposition::HalveBatch, Some("too many".to_owned())));
    let one = client.reader.lookup(LookupKey::Sids(&[Sid(1)])).await.err().unwrap();
    assert_eq!(refused(one), (ExamDisposition::RetryLater, Some("too many".to_owned())));
}

#[tokio::test]
async fn lists_count_even_where_status_is_not_ok() {
    let body = r#"{"error":"170603 stufor2993 taken","fail":[1],"status":"error","success":[{"index":0,"sid":"170604"}]}"#;
    let fake = Fake::answering(ok(body)).await;
    let answer = fake.client().writer.add(&two_candidates()).await.unwrap();
    assert_eq!(judge_add(2, &answer), [AddVerdict::Applied(Sid(170_604)), AddVerdict::Unsettled]);
    assert_eq!(answer.message.as_deref(), Some("… … taken"));
}

// ── What must not leave ─────────────────────────────────────────────────────────────────────────────────────────

const PERSONAL: [&str; 4] = ["Zhang Personal", "13800138000", "pa55word!", "loginpersonal"];

fn everything_said(error: &ExamError) -> String {
    let mut said = format!("{error} {error:?} {:?} {}", error.message(), error.code());
    let mut next = error.source();
    while let Some(source) = next {
        said.push_str(&format!(" {source} {source:?}"));
        next = source.source();
    }
    said
}

fn assert_nothing_leaks(said: &str) {
    for secret in PERSONAL.into_iter().chain([CODE, "://", "code=", "authorization"]) {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    let is_digest = |word: &str| word.len() == 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    assert!(!said.split(|c: char| !c.is_ascii_alphanumeric()).any(is_digest), "a token in {said}");
}

async fn all_errors(client: &Client) -> Vec<ExamError> {
    let values = personal_values();
    let login_values = [LoginValue::new(PERSONAL[3])];
    let errors = [
        client.reader.fields().await.err(),
        client.reader.page(0, 100).await.err(),
        client.reader.lookup(LookupKey::LoginValues(&login_values)).await.err(),
        client.writer.add(&[new_candidate(1, &values), new_candidate(1, &values)]).await.err(),
        client.writer.change(&[change(1, &values)]).await.err(),
        client.writer.delete(&[Sid(1)]).await.err(),
        client.writer.move_groups(GroupAction::AddTo, &[Gid(1)], &[Sid(1)]).await.err(),
    ];
    errors.into_iter().map(Option::unwrap).collect()
}

fn personal_values() -> [(i64, &'static str); 4] {
    [(1, PERSONAL[0]), (4, PERSONAL[1]), (10, PERSONAL[2]), (7, PERSONAL[3])]
}

#[tokio::test]
async fn no_error_holds_a_secret_or_a_value_of_an_answer() {
    let refused = format!(r#"{{"status":"error","error":"code {CODE} is wrong","data":"{}"}}"#, PERSONAL[0]);
    let odd = format!(r#"{{"status":"ok","total":"{0}","data":["{0}"],"success":["{0}"]}}"#, PERSONAL[0]);
    let broken = format!(r#"{{"{0}":{{"{0}":"{0}"#, PERSONAL[0]);
    let page = format!("<html>{}</html>", PERSONAL.join(" "));
    for status in [200, 302, 400, 401, 404, 408, 413, 418, 422, 500] {
        for body in [&refused, &odd, &broken, &page] {
            let fake = Fake::answering([Answer::new(status, body)]).await;
            for error in all_errors(&fake.client()).await {
                assert_nothing_leaks(&everything_said(&error));
            }
        }
    }
    for error in all_errors(&client(&nobodys_address().await, Clock::system())).await {
        assert_nothing_leaks(&everything_said(&error));
    }
}

#[tokio::test]
async fn a_services_own_text_is_kept_without_anything_that_was_sent() {
    let echo = format!("{} IS TAKEN BY {} ({CODE})", PERSONAL.join("/"), PERSONAL[3].to_uppercase());
    let refused = format!(r#"{{"status":"error","error":"{echo}"}}"#);
    for (status, body) in [(200, &refused), (400, &refused), (422, &echo)] {
        let fake = Fake::answering([Answer::new(status, body)]).await;
        let client = fake.client();
        let values = personal_values();
        for error in [
            client.writer.add(&[new_candidate(1, &values)]).await.unwrap_err(),
            client.writer.change(&[change(1, &values)]).await.unwrap_err(),
        ] {
            assert_eq!(error.message(), Some("…/…/…/… IS TAKEN BY … (…)"), "{status}");
            assert_nothing_leaks(&everything_said(&error));
        }
    }
}

thread_local! {
    /// What this test's thread logged; a test's client and fake run on one thread.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// Whether this test reads its log.
    static IS_RECORDED: Cell<bool> = const { Cell::new(false) };
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Records the log of this test. The subscriber is one for the process and there before the first request, because a
/// place that logs asks only once, for all threads, whether anybody listens; tests beside this one are left out.
fn record_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let only_ours = dynamic_filter_fn(|_, _| IS_RECORDED.get());
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Log);
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(only_ours));
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    IS_RECORDED.set(true);
}

#[tokio::test]
async fn the_log_names_peer_endpoint_status_and_attempt_and_nothing_else() {
    let fake = Fake::answering([Answer::new(503, ""), Answer::new(200, fixture!("legacy_error.json"))]).await;
    all_errors(&fake.client()).await;
    let written = String::from_utf8(LOG.take()).unwrap();
    let ours: Vec<_> = written.lines().filter(|line| line.contains("rosterd::remote::http")).collect();
    assert_eq!(ours.len(), 8, "{written}");
    for part in ["endpoint=\"getFields\"", "attempt=1", "peer=127.0.0.1:", "status=503", "duration_ms="] {
        assert!(ours[0].contains(part), "{part}: {}", ours[0]);
    }
    assert!(ours[1].contains("attempt=2") && ours[1].contains("status=200"), "{}", ours[1]);
    assert_nothing_leaks(&ours.join("\n"));
    assert_nothing_leaks(&written.replace("://", ""));
}
