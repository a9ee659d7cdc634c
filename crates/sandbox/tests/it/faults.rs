//! Every fault at least once, seen from the client's side of the wire.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Answer, Served, numbers};

async fn add(served: &Served, names: &[&str]) -> Result<Answer, reqwest::Error> {
    served.try_exam("addStudents", &[("info", &crate::client::newcomers(1001, names))]).await
}

async fn exam(switches: &[(&str, &str)]) -> Served {
    let served = Served::with(switches).await;
    served.sandbox.create_group("g");
    served
}

async fn listed(served: &Served, count: usize) {
    served.sandbox.insert_candidates(count, |number| (vec![(1, format!("s{number}"))], vec![1001]));
}

fn logins(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|row| row["loginValue"].as_str().unwrap()).collect()
}

/// What a plain socket gets for one POST of addStudents.
async fn raw(served: &Served) -> std::io::Result<Vec<u8>> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let time = crate::client::now();
    let token = crate::client::md5_hex(&format!("{time}xxx"));
    let info = crate::client::newcomers(1001, &["raw"]);
    let time = time.to_string();
    let body = crate::client::encode(&[("code", "xxx"), ("time", &time), ("info", &info)]);
    let mut stream = tokio::net::TcpStream::connect(served.serving.address()).await?;
    let head = format!(
        "POST /api/v1/student/addStudents HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await?;
    Ok(received)
}

#[tokio::test]
async fn a_lost_answer_is_applied_and_the_connection_closes_without_a_byte() {
    let served = exam(&[("lose_answer", "addStudents")]).await;
    assert!(raw(&served).await.unwrap().is_empty());
    assert_eq!(served.logins(), ["raw"]);
    assert_eq!(served.last(), "lost");
    assert_eq!(served.sandbox.journal()[0].applied, 1);
    assert!(!add(&served, &["raw"]).await.unwrap().json()["fail"].as_array().unwrap().is_empty());
    assert_eq!(served.logins(), ["raw"], "the repeat does not apply it twice");
}

#[tokio::test]
async fn a_dropped_request_is_not_applied_and_the_connection_closes_without_a_byte() {
    let served = exam(&[("drop_request", "addStudents")]).await;
    assert!(raw(&served).await.unwrap().is_empty());
    assert!(served.logins().is_empty());
    assert_eq!(served.last(), "dropped");
}

#[tokio::test]
async fn a_reset_is_a_reset_and_applies_only_where_told() {
    let served = exam(&[("reset", "addStudents")]).await;
    let error = raw(&served).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(served.logins().is_empty());
    served.set("reset", "addStudents:applied");
    assert!(raw(&served).await.is_err());
    assert_eq!(served.logins(), ["raw"]);
}

#[tokio::test]
async fn refused_items_fail_and_the_others_are_applied() {
    let served = exam(&[("refuse_item", "addStudents:0,2")]).await;
    let answer = add(&served, &["a", "b", "c"]).await.unwrap().json();
    assert_eq!(numbers(&answer["fail"]), [1, 3]);
    assert_eq!(served.logins(), ["b"]);
}

#[tokio::test]
async fn a_refused_call_applies_nothing() {
    let served = exam(&[("refuse_call", "addStudents")]).await;
    assert_eq!(add(&served, &["a"]).await.unwrap().json()["status"], "error");
    assert!(served.logins().is_empty());
}

#[tokio::test]
async fn a_part_is_applied_before_a_500() {
    let served = exam(&[("apply_part", "addStudents:2")]).await;
    assert_eq!(add(&served, &["a", "b", "c"]).await.unwrap().status, 500);
    assert_eq!(served.logins(), ["a", "b"]);
}

#[tokio::test]
async fn a_cut_body_breaks_off_after_so_many_bytes() {
    let served = exam(&[("cut_body", "addStudents:20")]).await;
    let received = String::from_utf8(raw(&served).await.unwrap()).unwrap();
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), 20);
    assert!(head.to_lowercase().contains("content-length: "));
    assert_eq!(served.logins(), ["raw"]);
    served.set("cut_body", "getFields");
    assert!(served.try_exam("getFields", &[]).await.is_err());
}

#[tokio::test]
async fn a_delayed_answer_is_applied_at_once() {
    let served = exam(&[("delay", "addStudents:60000")]).await;
    tokio::select! {
        answer = add(&served, &["a"]) => panic!("{answer:?} came at once"),
        () = served.arrived() => {}
    }
    assert_eq!(served.logins(), ["a"]);
    served.set("delay", "getFields:300");
    let start = Instant::now();
    served.try_exam("getFields", &[]).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_slow_body_arrives_whole_but_late() {
    let served = exam(&[("slow_body", "getFields:400")]).await;
    let start = Instant::now();
    assert_eq!(served.exam("getFields", &[]).await["status"], "ok");
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn refusals_before_the_endpoint_apply_nothing() {
    for (fault, value, status, word) in [
        ("http_429", "addStudents:7", 429, "429"),
        ("http_429", "addStudents", 429, "429"),
        ("http_5xx", "addStudents:503", 503, "503"),
        ("http_5xx", "addStudents", 500, "500"),
        ("html_200", "addStudents", 200, "html"),
        ("maintenance", "*", 503, "maintenance"),
        ("redirect", "addStudents", 302, "redirect"),
    ] {
        let served = exam(&[(fault, value)]).await;
        let answer = add(&served, &["a"]).await.unwrap();
        assert_eq!(answer.status, status, "{fault}");
        assert_eq!(served.last(), word, "{fault:?}");
        assert!(served.logins().is_empty(), "{fault}");
        assert!(serde_json::from_str::<Value>(&answer.text).is_err(), "{fault:?}");
        let after = answer.headers.get("retry-after").map(|it| it.to_str().unwrap());
        assert_eq!(after, (value == "addStudents:7").then_some("7"), "{fault:?}");
        assert_eq!(answer.headers.contains_key("location"), fault == "redirect", "{fault:?}");
        assert_eq!(add(&served, &["a"]).await.unwrap().json()["status"], "ok", "{fault} is spent");
    }
}

#[tokio::test]
async fn garbled_answers_are_applied() {
    let served = exam(&[("not_json", "addStudents"), ("wrong_type", "addStudents@2")]).await;
    let garbled = add(&served, &["a"]).await.unwrap();
    assert!(serde_json::from_str::<Value>(&garbled.text).is_err());
    assert_eq!(add(&served, &["b"]).await.unwrap().json()["success"], json!({}));
    assert_eq!(served.logins(), ["a", "b"]);
}

#[tokio::test]
async fn the_lists_of_an_add_lie_as_told() {
    let served = exam(&[("index_base", "0")]).await;
    let index = |answer: &Value, at: usize| answer["success"][at]["index"].as_i64().unwrap();
    served.set("item_in_both_lists", "addStudents");
    let both = add(&served, &["a1", "a2"]).await.unwrap().json();
    assert_eq!((index(&both, 0), numbers(&both["fail"])), (0, vec![0]));
    served.set("item_in_neither_list", "addStudents:1");
    let neither = add(&served, &["b1", "b2"]).await.unwrap().json();
    assert_eq!((neither["success"].as_array().unwrap().len(), &neither["fail"]), (1, &json!([])));
    served.set("index_out_of_range", "addStudents:1");
    assert!(index(&add(&served, &["c1", "c2"]).await.unwrap().json(), 1) >= 1000);
    served.set("index_twice", "addStudents");
    let twice = add(&served, &["d1", "d2"]).await.unwrap().json();
    assert_eq!((index(&twice, 0), index(&twice, 1)), (0, 0));
    assert_eq!(served.logins().len(), 8, "all of them were applied");
}

#[tokio::test]
async fn the_listing_changes_between_pages() {
    for (change, second, total) in
        [("delete", vec!["s3", "s4"], 5), ("insert", vec!["s1", "s2"], 7), ("reorder", vec!["s3", "s4"], 6)]
    {
        let served = exam(&[("list_changes", &format!("getstulist@2:{change}"))]).await;
        listed(&served, 6).await;
        served.exam("getstulist", &[("start", "0"), ("limit", "2")]).await;
        let page = served.exam("getstulist", &[("start", "2"), ("limit", "2")]).await;
        assert_eq!((logins(&page), &page["total"]), (second, &json!(total)), "{change}");
    }
}

#[tokio::test]
async fn a_page_is_short_repeats_a_row_or_drifts() {
    let served = exam(&[("short_page", "getstulist"), ("duplicate_row", "getstulist@2")]).await;
    served.set("total_drifts", "getstulist@3:5");
    listed(&served, 3).await;
    let pages = [
        served.exam("getstulist", &[]).await,
        served.exam("getstulist", &[]).await,
        served.exam("getstulist", &[]).await,
    ];
    assert_eq!((logins(&pages[0]), &pages[0]["total"]), (vec!["s0", "s1"], &json!(3)));
    assert_eq!(logins(&pages[1]), ["s0", "s1", "s0"]);
    assert_eq!((logins(&pages[2]).len(), &pages[2]["total"]), (3, &json!(8)));
}

#[tokio::test]
async fn a_huge_body_is_as_huge_as_told_packed_or_not() {
    let served = exam(&[("huge_body", "getFields:3000000")]).await;
    let answer = served.try_exam("getFields", &[]).await.unwrap();
    assert!(answer.text.len() > 3_000_000);
    assert_eq!(answer.json()["status"], "ok");
    served.set("huge_body", "getFields:300000000/gzip");
    let bomb = served.try_exam("getFields", &[]).await;
    let size = bomb.map_or(0, |answer| answer.text.len());
    assert!(size < 4_000_000, "{size} bytes travel for 300 million");
    served.set("huge_body", "getFields:3000000/gzip");
    let unpacking = Served { http: reqwest::Client::builder().no_proxy().build().unwrap(), ..served };
    let mut unpacked = 0;
    let time = crate::client::now();
    let token = crate::client::md5_hex(&format!("{time}xxx"));
    let url = unpacking.url(&format!("/api/v1/student/getFields?code=xxx&time={time}"));
    let mut response = unpacking.http.get(url).header("Authorization", token).send().await.unwrap();
    while let Ok(Some(piece)) = response.chunk().await {
        assert!(piece.iter().all(|byte| *byte == b' '));
        unpacked += piece.len();
    }
    assert!(unpacked > 2_900_000, "{unpacked}");
}

#[tokio::test]
async fn a_stale_read_shows_what_was_before_the_write() {
    let served = exam(&[("stale_read", "getstudentsinfo:60")]).await;
    add(&served, &["a"]).await.unwrap();
    let ask = [("loginValues", r#"["a"]"#)];
    assert_eq!(served.exam("getstudentsinfo", &ask).await["fail"], json!(["a"]));
    assert_eq!(served.exam("getstudentsinfo", &ask).await["fail"], json!([]));
}

#[tokio::test]
async fn somebody_edits_candidates_between_two_calls() {
    let served = exam(&[]).await;
    listed(&served, 3).await;
    served.set("foreign_edit", "getFields:rename/170601");
    served.exam("getFields", &[]).await;
    assert_eq!(served.logins()[0], "s0 renamed");
    served.set("foreign_edit", "getFields:delete/170602");
    served.exam("getFields", &[]).await;
    assert_eq!(served.logins(), ["s0 renamed", "s2"]);
    served.set("foreign_edit", "getFields:move/170603");
    served.exam("getFields", &[]).await;
    assert!(!served.sandbox.candidate("s2").unwrap().gids.contains(&1001));
    served.set("foreign_edit", "getFields:add");
    served.exam("getFields", &[]).await;
    assert_eq!(served.logins().len(), 3);
}

#[tokio::test]
async fn faults_are_spent_cleared_taken_off_or_drawn_by_chance() {
    let served = exam(&[("http_5xx", "getFields@2x2"), ("html_200", "getstulist@*")]).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(served.try_exam("getFields", &[]).await.unwrap().status);
    }
    assert_eq!(statuses, [200, 500, 500, 200, 200]);
    served.set("html_200", "off");
    assert_eq!(served.exam("getstulist", &[]).await["status"], "ok");
    served.set("exam.http_5xx", "*@p0.5:502");
    let mut struck = 0;
    for _ in 0..60 {
        struck += usize::from(served.try_exam("getFields", &[]).await.unwrap().status == 502);
    }
    assert!((10..50).contains(&struck), "{struck}");
    served.sandbox.clear_faults();
    assert_eq!(served.try_exam("getFields", &[]).await.unwrap().status, 200);
}

struct School {
    served: Served,
    pairs: [(&'static str, String); 4],
    course: i64,
    class: i64,
    uids: Vec<i64>,
}

async fn school() -> School {
    let served = Served::with(&[]).await;
    let course = served.sandbox.create_course("c");
    let class = served.sandbox.create_class(course, "k");
    let uids: Vec<i64> = (0..3).map(|_| served.sandbox.create_account("n", None)).collect();
    let json: Vec<String> =
        uids.iter().map(|uid| format!(r#"{{"uid":"{uid}","customColumn":"t{uid}"}}"#)).collect();
    let pairs = [
        ("courseId", course.to_string()),
        ("classId", class.to_string()),
        ("identity", "1".to_owned()),
        ("studentJson", format!("[{}]", json.join(","))),
    ];
    School { served, pairs, course, class, uids }
}

impl School {
    async fn try_add(&self, fault: &str, value: &str) -> Result<Answer, reqwest::Error> {
        self.served.set(fault, &format!("addClassStudentMultiple{value}"));
        let pairs: Vec<(&str, &str)> =
            self.pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.served.try_classin("addClassStudentMultiple", &pairs).await
    }

    async fn add(&self, fault: &str, value: &str) -> Value {
        self.try_add(fault, value).await.unwrap().json()
    }

    fn inside(&self) -> usize {
        self.served.sandbox.class_members(self.course, self.class).len()
    }
}

fn codes(answer: &Value) -> Vec<i64> {
    answer["data"].as_array().unwrap().iter().map(|item| item["errno"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn classin_refuses_items_and_calls_with_any_code() {
    let school = school().await;
    assert_eq!(codes(&school.add("refuse_item", ":0,2/886").await), [886, 1, 886]);
    assert_eq!(school.inside(), 1);
    let refused = school.add("refuse_call", ":145").await;
    assert_eq!((&refused["error_info"]["errno"], refused.get("data")), (&json!(145), None));
    assert_eq!(codes(&school.add("refuse_item", ":1").await), [1, 158, 1]);
}

#[tokio::test]
async fn classin_loses_answers_after_applying_and_requests_before() {
    let school = school().await;
    assert!(school.try_add("drop_request", "").await.is_err());
    assert_eq!(school.inside(), 0);
    assert_eq!(school.try_add("apply_part", ":1").await.unwrap().status, 500);
    assert_eq!(school.inside(), 1);
    assert_eq!(school.add("apply_part", ":2/114").await["error_info"]["errno"], 114);
    assert_eq!(school.inside(), 2);
    assert!(school.try_add("lose_answer", "").await.is_err());
    assert_eq!(school.inside(), 3);
    assert!(school.try_add("reset", "").await.is_err());
    assert!(school.try_add("cut_body", ":9").await.is_err());
    assert_eq!(codes(&school.add("delay", ":10").await), [166; 3]);
}

#[tokio::test]
async fn classin_answers_items_that_do_not_fit_the_request() {
    let school = school().await;
    assert_eq!(codes(&school.add("item_missing", ":0").await).len(), 2);
    assert_eq!(codes(&school.add("item_extra", "").await).len(), 4);
    let repeated = school.add("token_repeated", "").await;
    assert_eq!(repeated["data"][1]["customColumn"], repeated["data"][0]["customColumn"]);
    assert_eq!(school.add("token_foreign", ":2").await["data"][2]["customColumn"], "never-sent");
    assert_eq!(school.add("wrong_type", "").await["data"], json!({}));
    for (fault, status) in [("http_429", 429), ("http_5xx", 500), ("html_200", 200), ("not_json", 200)] {
        let answer = school.try_add(fault, "").await.unwrap();
        assert_eq!(answer.status, status, "{fault:?}");
        assert!(serde_json::from_str::<Value>(&answer.text).is_err(), "{fault}");
    }
}

#[tokio::test]
async fn classes_end_are_deleted_and_accounts_cancelled_between_calls() {
    let school = school().await;
    assert_eq!(codes(&school.add("account_cancelled", "").await), [886, 1, 1]);
    school.served.set("foreign_edit", &format!("addClassStudentMultiple:remove/{}", school.uids[1]));
    assert_eq!(codes(&school.add("account_cancelled", &format!(":{}", school.uids[2])).await), [886, 1, 886]);
    school.served.set("foreign_edit", "addClassStudentMultiple:add/5");
    assert_eq!(school.add("class_ends_between_calls", "").await["error_info"]["errno"], 145);
    assert!(school.served.sandbox.class_members(school.course, school.class).contains(&5));
    assert_eq!(school.add("class_deleted_between_calls", "").await["error_info"]["errno"], 212);
}
