//! The ClassIn client against a fake that records the bytes it gets and answers documented bodies.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use rosterd::classin::{AddItem, ClassinClient, ClassinError, ClockReading, Disposition, StopCause};
use rosterd::clock::Clock;
use rosterd::http::Transport;
use rosterd::mirror::{Call, ItemVerdict, Scope, Sent, Token, judge};
use rosterd::roster::{ClassId, ClassTarget, ClassinUid, CourseId};
use rosterd::settings::Endpoint;
use secrecy::SecretString;

/// The moment of the contract's exact bytes.
const THEN_S: i64 = 1_493_726_450;
const CLASS: ClassTarget = ClassTarget { course: CourseId(523_689), class: Some(ClassId(1_419_691)) };
const COURSE: ClassTarget = ClassTarget { course: CourseId(523_689), class: None };
const ALL_WELL: &str =
    r#"{"data":[{"errno":1,"error":"程序正常执行"}],"error_info":{"errno":1,"error":"程序正常执行"}}"#;

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Recorded {
    method: Method,
    uri: String,
    content_type: String,
    body: String,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

fn answered(body: impl Into<Vec<u8>>) -> Answer {
    Answer { status: 200, headers: vec![], body: body.into() }
}

fn status(status: u16) -> Answer {
    Answer { status, ..answered("{}") }
}

/// A server that answers everything alike.
struct Fake {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Recorded>>>,
}

type Shared = (Answer, Arc<Mutex<Vec<Recorded>>>);

impl Fake {
    async fn answering(answer: Answer) -> Self {
        let requests = Arc::new(Mutex::new(vec![]));
        let app = Router::new().fallback(record).with_state((answer, Arc::clone(&requests)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, requests }
    }

    fn client(&self) -> ClassinClient {
        client(self.address, "topsecret")
    }

    /// The only request that came.
    fn request(&self) -> Recorded {
        let requests = self.requests.lock().unwrap();
        assert_eq!(requests.len(), 1);
        requests[0].clone()
    }
}

async fn record(
    State((answer, requests)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let content_type = headers.get("content-type").map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    requests.lock().unwrap().push(Recorded { method, uri: uri.to_string(), content_type, body });
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn client(address: SocketAddr, secret: &str) -> ClassinClient {
    let endpoint = Endpoint {
        base_url: format!("http://{address}"),
        requests_per_second: 0.0,
        max_in_flight: 2,
        timeout: Duration::from_secs(5),
        ca_file: None,
    };
    let clock = Clock::system();
    // A little after the full second, so that the second does not turn during the test.
    clock.shift_ms(THEN_S * 1000 + 100 - clock.now_ms());
    let transport = Transport::new(&endpoint, clock).unwrap();
    ClassinClient::new(transport, "2339736", SecretString::from(secret))
}

fn add_item(uid: i64, token: &str) -> AddItem {
    AddItem { uid: ClassinUid(uid), token: Token::parse(token).unwrap() }
}

fn two_students() -> Vec<AddItem> {
    vec![add_item(1_001_001, "s1"), add_item(1_001_002, "s2")]
}

fn recorded(action: &str, body: &str) -> Recorded {
    Recorded {
        method: Method::POST,
        uri: format!("/partner/api/course.api.php?action={action}"),
        content_type: "application/x-www-form-urlencoded".to_owned(),
        body: body.to_owned(),
    }
}

/// What an add ends in when ClassIn answers so.
async fn add_error(answer: Answer) -> ClassinError {
    let fake = Fake::answering(answer).await;
    fake.client().add_to_class(CLASS, &two_students()).await.unwrap_err()
}

// What is sent

#[tokio::test]
async fn adding_to_a_class_sends_the_bytes_of_the_contract() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    fake.client().add_to_class(CLASS, &two_students()).await.unwrap();
    let body = include_str!("fixtures/classin/addClassStudentMultiple.form");
    assert_eq!(fake.request(), recorded("addClassStudentMultiple", body));
}

#[tokio::test]
async fn removing_from_a_class_sends_the_bytes_of_the_contract() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    let uids = [ClassinUid(1_001_001), ClassinUid(1_001_002)];
    fake.client().remove_from_class(CLASS, &uids).await.unwrap();
    let body = include_str!("fixtures/classin/delClassStudentMultiple.form");
    assert_eq!(fake.request(), recorded("delClassStudentMultiple", body));
}

#[tokio::test]
async fn a_class_without_a_class_id_is_the_whole_course() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    fake.client().add_to_class(COURSE, &two_students()[..1]).await.unwrap();
    let body = include_str!("fixtures/classin/addCourseStudentMultiple.form");
    assert_eq!(fake.request(), recorded("addCourseStudentMultiple", body));

    let fake = Fake::answering(answered(ALL_WELL)).await;
    fake.client().remove_from_class(COURSE, &[ClassinUid(1_001_001)]).await.unwrap();
    let body = include_str!("fixtures/classin/delCourseStudentMultiple.form");
    assert_eq!(fake.request(), recorded("delCourseStudentMultiple", body));
}

#[tokio::test]
async fn no_call_is_ever_repeated_by_the_client() {
    for answer in [status(503), status(429), answered("{"), status(413)] {
        let fake = Fake::answering(answer).await;
        fake.client().add_to_class(CLASS, &two_students()).await.unwrap_err();
        fake.client().remove_from_class(CLASS, &[ClassinUid(1)]).await.unwrap_err();
        assert_eq!(fake.requests.lock().unwrap().len(), 2);
    }
}

// What comes back

#[tokio::test]
async fn the_vendors_sample_answer_is_read() {
    let body = include_str!("fixtures/classin/delClassStudentMultiple.json");
    let fake = Fake::answering(answered(body)).await;
    let uids = [ClassinUid(1_001_001), ClassinUid(1_001_002)];
    let answer = fake.client().remove_from_class(CLASS, &uids).await.unwrap();
    let judged = judge(Call::removing_from(CLASS), Sent::Positions(2), &answer);
    assert!(judged.verdicts().eq([ItemVerdict::Done { code: 1 }; 2]));
    assert_eq!(judged.items[0].text.as_deref(), Some("程序正常执行"));
}

#[tokio::test]
async fn an_answer_that_repeats_one_token_proves_nothing() {
    let body = include_str!("fixtures/classin/addClassStudentMultiple.json");
    let fake = Fake::answering(answered(body)).await;
    let students = two_students();
    let answer = fake.client().add_to_class(CLASS, &students).await.unwrap();
    let tokens: Vec<Token> = students.into_iter().map(|item| item.token).collect();
    let judged = judge(Call::adding_to(CLASS), Sent::Tokens(&tokens), &answer);
    assert!(judged.verdicts().eq([ItemVerdict::Unknown; 2]));
}

#[tokio::test]
async fn mixed_answers_are_told_apart_student_by_student() {
    let body = r#"{"data":[{"customColumn":"s2","errno":"329","error":"…"},{"customColumn":"s1","errno":166}],
        "error_info":{"errno":"1","error":""}}"#;
    let fake = Fake::answering(answered(body)).await;
    let students = two_students();
    let answer = fake.client().add_to_class(CLASS, &students).await.unwrap();
    let tokens: Vec<Token> = students.into_iter().map(|item| item.token).collect();
    let judged = judge(Call::adding_to(CLASS), Sent::Tokens(&tokens), &answer);
    assert!(judged.verdicts().eq([ItemVerdict::Already { code: 166 }, ItemVerdict::Student { code: 329 }]));
    assert!(judged.order_differs);
}

#[tokio::test]
async fn a_condemned_class_is_an_answer_and_no_error_whatever_data_holds() {
    for data in ["", r#""data":[],"#, r#""data":null,"#, r#""data":"","#, r#""data":{},"#, r#""data":7,"#] {
        let body = format!(r#"{{{data}"error_info":{{"errno":145,"error":"课节已结束"}}}}"#);
        let fake = Fake::answering(answered(body)).await;
        let answer = fake.client().remove_from_class(CLASS, &[ClassinUid(1)]).await.unwrap();
        let judged = judge(Call::removing_from(CLASS), Sent::Positions(1), &answer);
        let ended = ItemVerdict::Condemned { scope: Scope::Class, for_good: true, code: 145 };
        assert!(judged.verdicts().eq([ended]), "{data}");
    }
}

#[tokio::test]
async fn the_services_own_text_is_masked_before_anybody_sees_it() {
    let body = r#"{"data":[{"customColumn":"s1","errno":329,"error":"user 1001001 (13800000000)"},
        {"customColumn":"s2","errno":1}],"error_info":{"errno":1,"error":"school 2339736"}}"#;
    let fake = Fake::answering(answered(body)).await;
    let answer = fake.client().add_to_class(CLASS, &two_students()).await.unwrap();
    let shown = format!("{answer:?}");
    for value in ["1001001", "13800000000", "2339736"] {
        assert!(!shown.contains(value), "{shown}");
    }
}

// What goes wrong

#[tokio::test]
async fn each_transport_level_failure_has_its_disposition() {
    let retry = |seconds: Option<u64>| Disposition::Retry { after: seconds.map(Duration::from_secs) };
    let stop = Disposition::Stop;
    let html = "<html><body>502</body></html>";
    let table = [
        ("403", status(403), stop(StopCause::Settings), false),
        ("404", status(404), stop(StopCause::Settings), false),
        ("302", status(302), stop(StopCause::Settings), false),
        ("400", status(400), stop(StopCause::Settings), false),
        ("413", status(413), Disposition::SmallerBatch, false),
        ("408", status(408), retry(None), true),
        ("429", Answer { headers: vec![("retry-after", "7")], ..status(429) }, retry(Some(7)), true),
        ("500", status(500), retry(None), true),
        ("503", Answer { status: 503, ..answered(html) }, retry(None), true),
        ("201", status(201), Disposition::RetryThenStop, true),
        ("901", status(901), stop(StopCause::Temporary), false),
        ("html", answered(html), stop(StopCause::Temporary), true),
        ("errno 901", answered(r#"{"error_info":{"errno":901}}"#), stop(StopCause::Temporary), false),
        ("errno 102", answered(r#"{"error_info":{"errno":"102"}}"#), stop(StopCause::Credentials), false),
        ("cut", answered(r#"{"error_info":{"#), Disposition::RetryThenStop, true),
        ("empty", answered(""), Disposition::RetryThenStop, true),
        ("array", answered("[]"), Disposition::RetryThenStop, true),
    ];
    for (name, answer, disposition, is_lost) in table {
        let error = add_error(answer).await;
        assert_eq!((error.disposition(), error.is_lost()), (disposition, is_lost), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_was_certainly_not_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(address, "topsecret").add_to_class(CLASS, &two_students()).await.unwrap_err();
    assert!(matches!(error, ClassinError::Unreachable(_)), "{error}");
    assert_eq!((error.disposition(), error.is_lost()), (Disposition::RetryThenStop, false));
}

/// Takes one request, says this much of an answer, and hangs up.
async fn hangs_up_after(said: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut taken = [0; 4096];
        let _ = stream.read(&mut taken).await.unwrap();
        stream.write_all(said).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    address
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_is_a_lost_answer() {
    for said in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"error_info\":"] {
        let address = hangs_up_after(said).await;
        let error =
            client(address, "topsecret").remove_from_class(CLASS, &[ClassinUid(1)]).await.unwrap_err();
        assert!(matches!(error, ClassinError::Interrupted(_)), "{error}");
        assert_eq!((error.disposition(), error.is_lost()), (Disposition::Retry { after: None }, true));
    }
}

#[tokio::test]
async fn a_refusal_shows_by_how_much_the_clocks_differ() {
    let date = ("date", "Tue, 02 May 2017 11:20:00 GMT");
    let refused = answered(r#"{"error_info":{"errno":102,"error":"no permission"}}"#);
    let error = add_error(Answer { headers: vec![date], ..refused }).await;
    let ClassinError::NoPermission { clock } = &error else { panic!("{error}") };
    assert_eq!(clock.ahead_seconds(), Some(THEN_S - 1_493_724_000));
    let text = error.to_string();
    for part in ["SID", "mistyped", "retired", "2017-05-02T12:00:50Z", "2450 s ahead"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn a_refusal_beside_items_that_succeeded_is_left_to_be_judged() {
    let body = r#"{"data":[{"errno":1},{"errno":102}],"error_info":{"errno":102}}"#;
    let fake = Fake::answering(answered(body)).await;
    let answer = fake.client().remove_from_class(CLASS, &[ClassinUid(1), ClassinUid(2)]).await.unwrap();
    let judged = judge(Call::removing_from(CLASS), Sent::Positions(2), &answer);
    assert_eq!(judged.verdicts().next(), Some(ItemVerdict::Done { code: 1 }));
    assert!(judged.stop.is_some());
}

// The probe

#[tokio::test]
async fn the_probe_is_a_removal_that_can_hit_nobody() {
    let fake = Fake::answering(answered(r#"{"error_info":{"errno":144}}"#)).await;
    fake.client().probe_secret().await.unwrap();
    let key = "SID=2339736&safeKey=ebb4181fcf497713b31666e61b297995&timeStamp=1493726450";
    let body = format!("{key}&courseId=1&classId=1&identity=1&studentUidJson=%5B%221%22%5D");
    assert_eq!(fake.request(), recorded("delClassStudentMultiple", &body));
}

#[tokio::test]
async fn any_code_but_102_and_901_proves_the_secret() {
    for code in [1, 100, 142, 143, 144, 145, 155, 167, 400, 4711] {
        let body = format!(r#"{{"error_info":{{"errno":{code}}}}}"#);
        let clock: ClockReading =
            Fake::answering(answered(body)).await.client().probe_secret().await.unwrap();
        assert_eq!(clock.here.0, THEN_S, "{code}");
    }
    for body in [r#"{"error_info":{"errno":102}}"#, r#"{"data":[{"errno":102}],"error_info":{"errno":1}}"#] {
        let error = Fake::answering(answered(body)).await.client().probe_secret().await.unwrap_err();
        assert!(matches!(error, ClassinError::NoPermission { .. }), "{body}: {error}");
    }
    for body in [r#"{"error_info":{"errno":901}}"#, r#"{"data":[{"errno":901}],"error_info":{"errno":1}}"#] {
        let error = Fake::answering(answered(body)).await.client().probe_secret().await.unwrap_err();
        assert!(matches!(error, ClassinError::Maintenance { page: false }), "{body}: {error}");
    }
}

#[tokio::test]
async fn an_answer_without_a_code_proves_no_secret() {
    for answer in [answered("{}"), answered("<html>"), status(404), status(500)] {
        let error = Fake::answering(answer).await.client().probe_secret().await.unwrap_err();
        assert!(!matches!(error, ClassinError::NoPermission { .. }), "{error}");
    }
}

// Secrets

fn chain(error: &dyn Error) -> String {
    let mut text = format!("{error} {error:?}");
    if let Some(source) = error.source() {
        text.push_str(&chain(source));
    }
    text
}

#[tokio::test]
async fn neither_secret_nor_signature_nor_student_shows_in_any_error_or_debug_output() {
    let secret = "S3CRET-of-the-school";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let mut addresses = vec![closed, hangs_up_after(b"").await];
    for answer in [status(403), status(404), status(500), status(302), answered("<html>"), answered("S3CRET")]
    {
        addresses.push(Fake::answering(answer).await.address);
    }
    addresses
        .push(Fake::answering(answered(r#"{"error_info":{"errno":102,"error":"1001001"}}"#)).await.address);
    for address in addresses {
        let client = client(address, secret);
        let students = two_students();
        let error = client.add_to_class(CLASS, &students).await.unwrap_err();
        let shown = format!("{} {client:?} {students:?}", chain(&error));
        for hidden in ["S3CRET", "safeKey", "studentJson", "1001001", "1001002"] {
            assert!(!shown.contains(hidden), "{hidden}: {shown}");
        }
    }
}
