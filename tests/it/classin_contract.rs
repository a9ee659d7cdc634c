//! The ClassIn client against a fake that records the bytes it gets and answers documented bodies.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use md5::Digest as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use rosterd::Clock;
use rosterd::Endpoint;
use rosterd::Transport;
use rosterd::{
    AddItem, ClassinConnection, ClassinDisposition, ClassinError, ClassinProbe, ClassinWriter, ClockReading,
    PasswordSource, StopCause,
};
use rosterd_core::classin_plan::{
    AccountVerdict, Call, CallAnswer, Code, Contact, ItemVerdict, Membership, Registration, SchoolName,
    Scope, Sent, Token, judge, judge_name, judge_registrations, judge_school_student,
};
use rosterd_core::roster::{ClassId, ClassTarget, ClassinUid, CourseId, HomeCountry, StudentId};
use rosterd_sandbox::{Sandbox, SandboxSettings, Serving};
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

    fn client(&self) -> ClassinWriter {
        client(self.address, "topsecret")
    }

    fn probe(&self) -> ClassinProbe {
        ClassinProbe::new(connection(self.address, "topsecret"))
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

fn client(address: SocketAddr, secret: &str) -> ClassinWriter {
    ClassinWriter::new(connection(address, secret))
        .with_passwords(PasswordSource::new(|| Some(SecretString::from("123456"))))
}

fn connection(address: SocketAddr, secret: &str) -> ClassinConnection {
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
    ClassinConnection::new(transport, "2339736", SecretString::from(secret))
}

fn contact(phone: &str, email: &str) -> Contact {
    Contact::read(phone, email, HomeCountry::parse("CN").unwrap()).contact.unwrap()
}

fn account(contact: Contact, name: &str, token: &str) -> Registration {
    Registration {
        contact,
        name: SchoolName::cut(name),
        students: vec![StudentId::new("S7")],
        token: Token::parse(token).unwrap(),
    }
}

/// The contract's own account, without a name.
fn the_account() -> Registration {
    account(contact("13800000000", ""), "", "s1")
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
    let body = include_str!("../fixtures/classin/addClassStudentMultiple.form");
    assert_eq!(fake.request(), recorded("addClassStudentMultiple", body));
}

#[tokio::test]
async fn removing_from_a_class_sends_the_bytes_of_the_contract() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    let uids = [ClassinUid(1_001_001), ClassinUid(1_001_002)];
    fake.client().remove_from_class(CLASS, &uids).await.unwrap();
    let body = include_str!("../fixtures/classin/delClassStudentMultiple.form");
    assert_eq!(fake.request(), recorded("delClassStudentMultiple", body));
}

#[tokio::test]
async fn a_class_without_a_class_id_is_the_whole_course() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    fake.client().add_to_class(COURSE, &two_students()[..1]).await.unwrap();
    let body = include_str!("../fixtures/classin/addCourseStudentMultiple.form");
    assert_eq!(fake.request(), recorded("addCourseStudentMultiple", body));

    let fake = Fake::answering(answered(ALL_WELL)).await;
    fake.client().remove_from_class(COURSE, &[ClassinUid(1_001_001)]).await.unwrap();
    let body = include_str!("../fixtures/classin/delCourseStudentMultiple.form");
    assert_eq!(fake.request(), recorded("delCourseStudentMultiple", body));
}

#[tokio::test]
async fn asking_for_one_account_sends_the_bytes_of_the_contract() {
    let fake = Fake::answering(answered(include_str!("../fixtures/classin/register.json"))).await;
    let asked = account(contact("+86 138 0000 0000", ""), "小丫", "s1");
    let answer = fake.client().register(&asked).await.unwrap();
    assert_eq!(fake.request(), recorded("register", include_str!("../fixtures/classin/register.form")));
    let judged = judge_registrations(Call::Register, &[asked.token], &answer);
    let uid = ClassinUid(1_001_930);
    assert_eq!(
        judged.items[0].verdict,
        AccountVerdict::Known { uid, code: Code(1), membership: Membership::Sure }
    );
}

#[tokio::test]
async fn asking_for_several_accounts_sends_the_bytes_of_the_contract() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    fake.client().register_multiple(&[the_account()]).await.unwrap();
    let body = include_str!("../fixtures/classin/registerMultiple.form");
    assert_eq!(fake.request(), recorded("registerMultiple", body));
}

#[tokio::test]
async fn an_account_by_email_and_one_abroad_are_asked_for_in_their_own_fields() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    let asked = [
        account(contact("", "A+b@Example.org"), "\"n\" \\", "s1"),
        account(contact("+1 800-643-7676", ""), "", "s2"),
    ];
    fake.client().register_multiple(&asked).await.unwrap();
    let body = fake.request().body;
    let sent = body.split_once("&userJson=").unwrap().1;
    let expected = "%5B%7B%22email%22%3A%22a%2Bb%40example.org%22%2C%22md5pass%22%3A%22\
         e10adc3949ba59abbe56e057f20f883e%22%2C%22nickname%22%3A%22%5C%22n%5C%22+%5C%5C%22%2C%22\
         addToSchoolMember%22%3A1%2C%22customColumn%22%3A%22s1%22%7D%2C%7B%22telephone%22%3A%22\
         001-8006437676%22%2C%22md5pass%22%3A%22e10adc3949ba59abbe56e057f20f883e%22%2C%22\
         addToSchoolMember%22%3A1%2C%22customColumn%22%3A%22s2%22%7D%5D";
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn joining_the_school_and_writing_a_name_send_the_bytes_of_the_contract() {
    let name = SchoolName::cut("小丫").unwrap();
    let fake = Fake::answering(answered(ALL_WELL)).await;
    fake.client().add_school_student(&contact("13800000000", ""), &name).await.unwrap();
    let body = include_str!("../fixtures/classin/addSchoolStudent.form");
    assert_eq!(fake.request(), recorded("addSchoolStudent", body));

    let fake = Fake::answering(answered(ALL_WELL)).await;
    fake.client().edit_school_student(ClassinUid(1_001_001), &name).await.unwrap();
    let key = "SID=2339736&safeKey=ebb4181fcf497713b31666e61b297995&timeStamp=1493726450";
    let body = format!("{key}&studentUid=1001001&studentName=%E5%B0%8F%E4%B8%AB");
    assert_eq!(fake.request(), recorded("editSchoolStudent", &body));
}

#[tokio::test]
async fn a_first_password_is_random_each_time_and_nothing_about_the_student() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    let client = fake.client().with_passwords(PasswordSource::system());
    for _ in 0..2 {
        client
            .register_multiple(&[the_account(), account(contact("13900000000", ""), "n", "s2")])
            .await
            .unwrap();
    }
    let bodies: Vec<String> = fake.requests.lock().unwrap().iter().map(|one| one.body.clone()).collect();
    let digests: std::collections::BTreeSet<&str> = bodies
        .iter()
        .flat_map(|body| body.split("md5pass%22%3A%22").skip(1))
        .map(|rest| &rest[..32])
        .collect();
    assert_eq!(digests.len(), 4, "{digests:?}");
    assert!(
        digests.iter().all(|digest| digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
    );
    assert!(bodies.iter().all(|body| !body.contains("password")));
}

#[tokio::test]
async fn without_random_numbers_no_account_is_asked_for() {
    let fake = Fake::answering(answered(ALL_WELL)).await;
    let client = fake.client().with_passwords(PasswordSource::new(|| None));
    let error = client.register(&the_account()).await.unwrap_err();
    assert_eq!(
        (error.disposition(), error.is_lost()),
        (ClassinDisposition::Stop(StopCause::Temporary), false)
    );
    assert!(fake.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn no_call_is_ever_repeated_by_the_client() {
    for answer in [status(503), status(429), answered("{"), status(413)] {
        let status = answer.status;
        let fake = Fake::answering(answer).await;
        fake.client().add_to_class(CLASS, &two_students()).await.unwrap_err();
        fake.client().remove_from_class(CLASS, &[ClassinUid(1)]).await.unwrap_err();
        fake.client().register(&the_account()).await.unwrap_err();
        fake.client().register_multiple(&[the_account()]).await.unwrap_err();
        assert_eq!(fake.requests.lock().unwrap().len(), 4, "{status}");
    }
}

// What comes back

/// What is proven of one account by an answer to a call for several.
async fn of_several(asked: &[Registration], body: &str) -> Vec<AccountVerdict> {
    let fake = Fake::answering(answered(body)).await;
    let answer = fake.client().register_multiple(asked).await.unwrap();
    let tokens: Vec<Token> = asked.iter().map(|one| one.token.clone()).collect();
    let judged = judge_registrations(Call::RegisterMultiple, &tokens, &answer);
    judged.items.into_iter().map(|item| item.verdict).collect()
}

#[tokio::test]
async fn an_item_about_another_phone_is_nobodys_uid_whatever_its_token() {
    let asked = [the_account()];
    let known =
        |uid| AccountVerdict::Known { uid: ClassinUid(uid), code: Code(1), membership: Membership::Sure };
    for (told, expected) in [
        (r#""telephone":"13900000000","#, AccountVerdict::Not(ItemVerdict::Unknown)),
        (r#""telephone":13900000000,"#, AccountVerdict::Not(ItemVerdict::Unknown)),
        (r#""telephone":"13800000000","#, known(7)),
        (r#""telephone":13800000000,"#, known(7)),
        (r#""telephone":"0086-13800000000","#, known(7)),
        (r#""telephone":"","#, known(7)),
        ("", known(7)),
    ] {
        let body = format!(
            r#"{{"data":[{{"data":7,{told}"customColumn":"s1","errno":1}}],"error_info":{{"errno":1}}}}"#
        );
        assert_eq!(of_several(&asked, &body).await, [expected], "{told}");
    }
}

#[tokio::test]
async fn the_vendors_sample_about_an_account_not_asked_for_is_not_believed_among_several() {
    let asked =
        [account(contact("18516900101", ""), "", "s1"), account(contact("18516900102", ""), "", "s2")];
    let verdicts = of_several(&asked, include_str!("../fixtures/classin/registerMultiple.json")).await;
    assert!(!verdicts.iter().any(|verdict| matches!(verdict, AccountVerdict::Known { .. })), "{verdicts:?}");
}

#[tokio::test]
async fn a_uid_is_a_positive_whole_number_in_whatever_form() {
    let asked = the_account();
    for (data, uid) in [
        ("1001930", Some(1_001_930)),
        (r#""1001930""#, Some(1_001_930)),
        ("9223372036854775807", Some(i64::MAX)),
        ("0", None),
        ("-7", None),
        ("1.5", None),
        ("9223372036854775808", None),
        ("[]", None),
        ("[7]", None),
        ("null", None),
        (r#""""#, None),
        (r#"{"uid":7}"#, None),
        ("true", None),
    ] {
        let fake =
            Fake::answering(answered(format!(r#"{{"data":{data},"error_info":{{"errno":135}}}}"#))).await;
        let answer = fake.client().register(&asked).await.unwrap();
        let judged = judge_registrations(Call::Register, std::slice::from_ref(&asked.token), &answer);
        let expected = match uid.map(ClassinUid) {
            Some(uid) => AccountVerdict::Known { uid, code: Code(135), membership: Membership::ToAskFor },
            None => AccountVerdict::Not(ItemVerdict::Repeat { code: Code(135) }),
        };
        assert_eq!(judged.items[0].verdict, expected, "{data}");
    }
}

#[tokio::test]
async fn the_relation_id_of_a_joining_is_never_a_uid() {
    let fake = Fake::answering(answered(r#"{"data":7000001,"error_info":{"errno":1}}"#)).await;
    let name = SchoolName::cut("n").unwrap();
    let answer = fake.client().add_school_student(&contact("13800000000", ""), &name).await.unwrap();
    assert_eq!(answer.uid, None);
    assert_eq!(judge_school_student(&answer).verdict, ItemVerdict::Done { code: Code(1) });
    let answer = fake.client().edit_school_student(ClassinUid(7), &name).await.unwrap();
    assert_eq!(answer.uid, None);
    let answer = fake.client().add_to_class(CLASS, &two_students()[..1]).await.unwrap();
    assert_eq!(answer.uid, None);
}

#[tokio::test]
async fn the_vendors_sample_answer_is_read() {
    let body = include_str!("../fixtures/classin/delClassStudentMultiple.json");
    let fake = Fake::answering(answered(body)).await;
    let uids = [ClassinUid(1_001_001), ClassinUid(1_001_002)];
    let answer = fake.client().remove_from_class(CLASS, &uids).await.unwrap();
    let judged = judge(Call::removing_from(CLASS), Sent::Positions(2), &answer);
    assert!(judged.verdicts().eq([ItemVerdict::Done { code: Code(1) }; 2]));
    assert_eq!(judged.items[0].text.as_deref(), Some("程序正常执行"));
}

#[tokio::test]
async fn an_answer_that_repeats_one_token_proves_nothing() {
    let body = include_str!("../fixtures/classin/addClassStudentMultiple.json");
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
    assert!(
        judged
            .verdicts()
            .eq([ItemVerdict::Already { code: Code(166) }, ItemVerdict::Student { code: Code(329) }])
    );
    assert!(judged.order_differs);
}

#[tokio::test]
async fn a_condemned_class_is_an_answer_and_no_error_whatever_data_holds() {
    for data in ["", r#""data":[],"#, r#""data":null,"#, r#""data":"","#, r#""data":{},"#, r#""data":7,"#] {
        let body = format!(r#"{{{data}"error_info":{{"errno":145,"error":"课节已结束"}}}}"#);
        let fake = Fake::answering(answered(body)).await;
        let answer = fake.client().remove_from_class(CLASS, &[ClassinUid(1)]).await.unwrap();
        let judged = judge(Call::removing_from(CLASS), Sent::Positions(1), &answer);
        let ended = ItemVerdict::Closed { scope: Scope::Class, for_good: true, code: Code(145) };
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
    let retry = |seconds: Option<u64>| ClassinDisposition::Retry { after: seconds.map(Duration::from_secs) };
    let stop = ClassinDisposition::Stop;
    let html = "<html><body>502</body></html>";
    let table = [
        ("403", status(403), stop(StopCause::Settings), false),
        ("404", status(404), stop(StopCause::Settings), false),
        ("302", status(302), stop(StopCause::Settings), false),
        ("400", status(400), stop(StopCause::Settings), false),
        ("413", status(413), ClassinDisposition::SmallerBatch, false),
        ("408", status(408), retry(None), true),
        ("429", Answer { headers: vec![("retry-after", "7")], ..status(429) }, retry(Some(7)), true),
        ("500", status(500), retry(None), true),
        ("503", Answer { status: 503, ..answered(html) }, retry(None), true),
        ("201", status(201), ClassinDisposition::RetryThenStop, true),
        ("901", status(901), stop(StopCause::Temporary), false),
        ("html", answered(html), stop(StopCause::Temporary), true),
        ("errno 901", answered(r#"{"error_info":{"errno":901}}"#), stop(StopCause::Temporary), false),
        ("errno 102", answered(r#"{"error_info":{"errno":"102"}}"#), stop(StopCause::Credentials), false),
        ("cut", answered(r#"{"error_info":{"#), ClassinDisposition::RetryThenStop, true),
        ("empty", answered(""), ClassinDisposition::RetryThenStop, true),
        ("array", answered("[]"), ClassinDisposition::RetryThenStop, true),
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
    assert_eq!((error.disposition(), error.is_lost()), (ClassinDisposition::RetryThenStop, false));
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
        assert_eq!(
            (error.disposition(), error.is_lost()),
            (ClassinDisposition::Retry { after: None }, true),
            "{said:?}"
        );
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
    assert_eq!(judged.verdicts().next(), Some(ItemVerdict::Done { code: Code(1) }));
    assert!(judged.stop.is_some());
}

#[tokio::test]
async fn what_is_said_of_an_account_is_masked_before_anybody_sees_it() {
    let body = r#"{"data":[{"customColumn":"s1","errno":134,"error":"李雷 13800000000"},
        {"customColumn":"s2","errno":461,"error":"a.b@example.org"}],"error_info":{"errno":1}}"#;
    let fake = Fake::answering(answered(body)).await;
    let asked = [
        account(contact("13800000000", ""), "李雷", "s1"),
        account(contact("", "a.b@example.org"), "韩梅梅", "s2"),
    ];
    let answer = fake.client().register_multiple(&asked).await.unwrap();
    let shown = format!("{answer:?} {asked:?}");
    for value in ["13800000000", "李雷", "example.org", "韩梅梅"] {
        assert!(!shown.contains(value), "{value}: {shown}");
    }
}

// The probe

#[tokio::test]
async fn the_probe_is_a_removal_that_can_hit_nobody() {
    let fake = Fake::answering(answered(r#"{"error_info":{"errno":144}}"#)).await;
    fake.probe().prove().await.unwrap();
    let key = "SID=2339736&safeKey=ebb4181fcf497713b31666e61b297995&timeStamp=1493726450";
    let body = format!("{key}&courseId=1&classId=1&identity=1&studentUidJson=%5B%221%22%5D");
    assert_eq!(fake.request(), recorded("delClassStudentMultiple", &body));
}

#[tokio::test]
async fn any_code_but_102_and_901_proves_the_secret() {
    for code in [1, 100, 142, 143, 144, 145, 155, 167, 400, 4711] {
        let body = format!(r#"{{"error_info":{{"errno":{code}}}}}"#);
        let clock: ClockReading = Fake::answering(answered(body)).await.probe().prove().await.unwrap();
        assert_eq!(clock.here.0, THEN_S, "{code}");
    }
    for body in [r#"{"error_info":{"errno":102}}"#, r#"{"data":[{"errno":102}],"error_info":{"errno":1}}"#] {
        let error = Fake::answering(answered(body)).await.probe().prove().await.unwrap_err();
        assert!(matches!(error, ClassinError::NoPermission { .. }), "{body}: {error}");
    }
    for body in [r#"{"error_info":{"errno":901}}"#, r#"{"data":[{"errno":901}],"error_info":{"errno":1}}"#] {
        let error = Fake::answering(answered(body)).await.probe().prove().await.unwrap_err();
        assert!(matches!(error, ClassinError::Maintenance { page: false }), "{body}: {error}");
    }
}

#[tokio::test]
async fn an_answer_without_a_code_proves_no_secret() {
    for answer in [answered("{}"), answered("<html>"), status(404), status(500)] {
        let error = Fake::answering(answer).await.probe().prove().await.unwrap_err();
        assert!(!matches!(error, ClassinError::NoPermission { .. }), "{error}");
    }
}

// Against the sandbox

/// A school that is being served, without the rule of the same parameters.
async fn school(timeout: Duration) -> (Sandbox, Serving, ClassinWriter) {
    let switches = vec![("duplicate_window_s".to_owned(), "0".to_owned())];
    let sandbox = Sandbox::new(SandboxSettings { switches, ..SandboxSettings::default() }).unwrap();
    let serving = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let endpoint = Endpoint {
        base_url: serving.base_url(),
        requests_per_second: 0.0,
        max_in_flight: 2,
        timeout,
        ca_file: None,
    };
    let transport = Transport::new(&endpoint, Clock::system()).unwrap();
    let client =
        ClassinWriter::new(ClassinConnection::new(transport, "2339736", SecretString::from("topsecret")));
    (sandbox, serving, client)
}

const PATIENT: Duration = Duration::from_secs(10);

fn proven(call: Call, asked: &[Registration], answer: &CallAnswer) -> Vec<AccountVerdict> {
    let tokens: Vec<Token> = asked.iter().map(|one| one.token.clone()).collect();
    judge_registrations(call, &tokens, answer).items.into_iter().map(|item| item.verdict).collect()
}

fn uids(verdicts: &[AccountVerdict]) -> Vec<(i64, i64, Membership)> {
    let uid = |verdict: &AccountVerdict| {
        let AccountVerdict::Known { uid, code, membership } = verdict else { panic!("{verdict:?}") };
        (uid.0, code.0, *membership)
    };
    verdicts.iter().map(uid).collect()
}

#[tokio::test]
async fn who_is_registered_gets_a_uid_membership_and_a_password_that_is_nobodys_number() {
    let (sandbox, _serving, client) = school(PATIENT).await;
    let asked = [
        account(contact("13800000000", ""), "李雷", "s1"),
        account(contact("+1 800-643-7676", ""), "", "s2"),
        account(contact("", "Mei@example.org"), &"韩".repeat(30), "s3"),
    ];
    let answer = client.register_multiple(&asked).await.unwrap();
    let known = uids(&proven(Call::RegisterMultiple, &asked, &answer));
    assert!(known.iter().all(|(_, code, membership)| (*code, *membership) == (1, Membership::Sure)));
    for ((uid, _, _), one) in known.iter().zip(&asked) {
        assert_eq!(sandbox.account(one.contact.expose()), Some(*uid));
        assert!(sandbox.is_school_student(*uid));
    }
    assert_eq!(sandbox.school_name(known[2].0), Some("韩".repeat(24)));
    let passwords: Vec<String> = sandbox.accounts().into_iter().map(|account| account.password_md5).collect();
    for guess in ["13800000000", "800000", "123456", "李雷", "mei@example.org", "8006437676"] {
        let digest = base16ct::lower::encode_string(&md5::Md5::digest(guess.as_bytes()));
        assert!(!passwords.contains(&digest), "{guess}");
    }
}

#[tokio::test]
async fn who_has_an_account_already_keeps_it_and_joins_the_school() {
    let (sandbox, _serving, client) = school(PATIENT).await;
    let phone = sandbox.create_outside_account("nick", "13800000000");
    let mail = sandbox.create_outside_account("nick", "mei@example.org");
    let asked = [
        account(contact("13800000000", ""), "李雷", "s1"),
        account(contact("", "mei@example.org"), "韩", "s2"),
    ];
    for (existing, codes) in [("135_461", [135, 461]), ("135_both", [135, 135]), ("1", [1, 1])] {
        sandbox.set("existing_code", existing).unwrap();
        let several = client.register_multiple(&asked).await.unwrap();
        let known = uids(&proven(Call::RegisterMultiple, &asked, &several));
        assert_eq!(
            known.iter().map(|one| (one.0, one.1)).collect::<Vec<_>>(),
            [(phone, codes[0]), (mail, codes[1])],
            "{existing:?}"
        );
        for (one, code) in asked.iter().zip(codes) {
            let answer = client.register(one).await.unwrap();
            assert_eq!(
                uids(&proven(Call::Register, std::slice::from_ref(one), &answer))[0].1,
                code,
                "{existing:?}"
            );
        }
    }
    sandbox.leave_school(phone);
    let name = SchoolName::cut("李雷").unwrap();
    let member = [ItemVerdict::Done { code: Code(1) }, ItemVerdict::Already { code: Code(133) }];
    for verdict in member {
        let answer = client.add_school_student(&asked[0].contact, &name).await.unwrap();
        assert_eq!(judge_school_student(&answer).verdict, verdict, "{verdict:?}");
    }
    assert!(sandbox.is_school_student(phone));
}

#[tokio::test]
async fn uids_are_told_apart_in_whatever_order_and_spelling_they_come() {
    let (sandbox, _serving, client) = school(PATIENT).await;
    let asked: Vec<Registration> =
        (0..10).map(|n| account(contact(&format!("1380000000{n}"), ""), "n", &format!("s{n}"))).collect();
    client.register_multiple(&asked).await.unwrap();
    let expected: Vec<i64> = asked.iter().map(|one| sandbox.account(one.contact.expose()).unwrap()).collect();
    for (switch, value) in [
        ("item_order", "reversed"),
        ("item_order", "shuffled"),
        ("uid_type", "string"),
        ("errno_type", "string"),
        ("custom_column_echo", "as_sent"),
        ("bom", "on"),
        ("error_text", "misleading"),
        ("top_level", "first_failure"),
    ] {
        sandbox.set(switch, value).unwrap();
        let answer = client.register_multiple(&asked).await.unwrap();
        let known = uids(&proven(Call::RegisterMultiple, &asked, &answer));
        assert_eq!(known.iter().map(|one| one.0).collect::<Vec<_>>(), expected, "{switch} {value}");
    }
    sandbox.set("custom_column_echo", "missing").unwrap();
    let answer = client.register_multiple(&asked).await.unwrap();
    assert_eq!(
        proven(Call::RegisterMultiple, &asked, &answer),
        [AccountVerdict::Not(ItemVerdict::SendSingly); 10]
    );
    sandbox.set("custom_column_echo", "string").unwrap();
    for fault in ["token_repeated", "token_foreign", "item_missing", "item_extra"] {
        sandbox.set(fault, "registerMultiple").unwrap();
        let answer = client.register_multiple(&asked).await.unwrap();
        for (verdict, uid) in proven(Call::RegisterMultiple, &asked, &answer).iter().zip(&expected) {
            if let AccountVerdict::Known { uid: told, .. } = verdict {
                assert_eq!(told.0, *uid, "{fault}");
            }
        }
    }
}

#[tokio::test]
async fn a_repeat_after_a_lost_answer_brings_the_uid() {
    let (sandbox, _serving, client) = school(PATIENT).await;
    let asked = the_account();
    for fault in ["lose_answer", "cut_body", "not_json"] {
        sandbox.set(fault, "register").unwrap();
        assert!(client.register(&asked).await.unwrap_err().is_lost(), "{fault}");
        let answer = client.register(&asked).await.unwrap();
        let known = uids(&proven(Call::Register, std::slice::from_ref(&asked), &answer));
        assert_eq!(
            known,
            [(sandbox.account("13800000000").unwrap(), 135, Membership::ToAskFor)],
            "{fault:?}"
        );
    }
    assert_eq!(sandbox.accounts().len(), 1);
    sandbox.set("refuse_call", "register:820").unwrap();
    sandbox.set("uid_in_820", "no").unwrap();
    let answer = client.register(&asked).await.unwrap();
    let told = proven(Call::Register, std::slice::from_ref(&asked), &answer);
    assert!(matches!(
        told[0],
        AccountVerdict::Known { code: Code(820), .. }
            | AccountVerdict::Not(ItemVerdict::Repeat { code: Code(820) })
    ));
}

#[tokio::test]
async fn the_rule_of_the_same_parameters_and_two_calls_at_once_are_told_to_wait() {
    let (sandbox, _serving, client) = school(PATIENT).await;
    sandbox.set("duplicate_window_s", "60").unwrap();
    sandbox.create_outside_account("n", "13800000000");
    let name = SchoolName::cut("n").unwrap();
    let mut verdicts = vec![];
    for _ in 0..2 {
        let answer = client.add_school_student(&contact("13800000000", ""), &name).await.unwrap();
        verdicts.push(judge_school_student(&answer).verdict);
    }
    assert_eq!(
        verdicts,
        [ItemVerdict::Done { code: Code(1) }, ItemVerdict::Repeat { code: Code(101_003_002) }]
    );

    sandbox.set("delay", "register@1:600").unwrap();
    let asked = account(contact("13900000000", ""), "n", "s1");
    let second = async {
        while sandbox.account("13900000000").is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        client.register(&asked).await
    };
    let (first, second) = tokio::join!(client.register(&asked), second);
    let told = |answer: CallAnswer| proven(Call::Register, std::slice::from_ref(&asked), &answer)[0];
    assert!(matches!(told(first.unwrap()), AccountVerdict::Known { code: Code(1), .. }));
    assert_eq!(told(second.unwrap()), AccountVerdict::Not(ItemVerdict::Retry { code: Code(131) }));
}

#[tokio::test]
async fn a_name_is_written_as_the_service_keeps_it() {
    let (sandbox, _serving, client) = school(PATIENT).await;
    let uid = sandbox.create_account("old", Some("13800000000"));
    let name = SchoolName::cut(&"小".repeat(40)).unwrap();
    let answer = client.edit_school_student(ClassinUid(uid), &name).await.unwrap();
    assert_eq!(judge_name(&answer).verdict, ItemVerdict::Done { code: Code(1) });
    assert_eq!(sandbox.school_name(uid).as_deref(), Some(name.expose()));
    sandbox.leave_school(uid);
    let answer = client.edit_school_student(ClassinUid(uid), &name).await.unwrap();
    assert_eq!(judge_name(&answer).verdict, ItemVerdict::Repair { code: Code(228) });
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_lost_whatever_was_asked() {
    let (sandbox, _serving, client) = school(Duration::from_millis(300)).await;
    let course = sandbox.create_course("c");
    let uid = sandbox.create_account("n", None);
    let target = ClassTarget { course: CourseId(course), class: None };
    for fault in ["delay", "slow_body"] {
        let argument = if fault == "delay" { "60000" } else { "1" };
        for endpoint in ["register", "addCourseStudentMultiple"] {
            sandbox.set(fault, &format!("{endpoint}:{argument}")).unwrap();
        }
        let asked = account(contact("13800000000", ""), "n", "s1");
        let error = client.register(&asked).await.unwrap_err();
        assert!(error.is_lost() && matches!(error, ClassinError::Interrupted(_)), "{fault}: {error}");
        let error = client.add_to_class(target, &[add_item(uid, "s1")]).await.unwrap_err();
        assert!(error.is_lost() && matches!(error, ClassinError::Interrupted(_)), "{fault}: {error}");
    }
    assert!(sandbox.account("13800000000").is_some() && sandbox.course_members(course).contains(&uid));
}

#[tokio::test]
async fn a_rate_limit_and_a_maintenance_of_any_form_are_told_apart() {
    let (sandbox, _serving, client) = school(PATIENT).await;
    let asked = the_account();
    sandbox.set("classin.qps_limit", "1").unwrap();
    client.register(&asked).await.unwrap();
    assert!(matches!(client.register(&asked).await.unwrap_err(), ClassinError::Busy { status: 429, .. }));
    sandbox.set("classin.over_limit", "101003001").unwrap();
    let answer = client.register(&asked).await.unwrap();
    let told = proven(Call::Register, std::slice::from_ref(&asked), &answer);
    assert_eq!(told, [AccountVerdict::Not(ItemVerdict::Retry { code: Code(101_003_001) })]);
    sandbox.set("classin.over_limit", "drop").unwrap();
    assert!(matches!(client.register(&asked).await.unwrap_err(), ClassinError::Interrupted(_)));
    sandbox.set("classin.qps_limit", "0").unwrap();
    for (form, lost) in [("errno_901", false), ("http_901", false), ("html_200", true), ("http_503", true)] {
        sandbox.set("maintenance", form).unwrap();
        let error = client.register(&asked).await.unwrap_err();
        assert_eq!(error.is_lost(), lost, "{form}: {error}");
        let closed = matches!(error, ClassinError::Maintenance { .. });
        assert!(closed || form == "http_503", "{form}: {error}");
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
