//! The vendor's samples, byte for byte as docs/contracts/onlineexammaker.md, 2.4, gives them, and the documented
//! answers.

use serde_json::{Value, json};

use crate::client::{Served, md5_hex, now};

const TOKEN: &str = "30679e08a3a265205c2af53f1a503d76";

/// Path, body (`None` is a GET).
const SAMPLES: [(&str, Option<&str>); 8] = [
    ("getFields?code=xxx&time=1638768935", None),
    (
        "addStudents",
        Some(
            "code=xxx&info=%0A%5B%0A%7B%0A%22gid%22%3A+%222993%22%2C%0A%22fields%22%3A+%5B%0A%7B%0A%22sfid%22%3A+4%2C%0A%22value%22%3A+%222993%22%0A%7D%2C%0A%7B%0A%22sfid%22%3A+1%2C%0A%22value%22%3A+%22stufor2993%22%0A%7D%0A%5D%0A%7D%2C%0A%7B%0A%22gid%22%3A+%222994%22%2C%0A%22fields%22%3A+%5B%0A%7B%0A%22sfid%22%3A+10%2C%0A%22value%22%3A+%222994%22%0A%7D%2C%0A%7B%0A%22sfid%22%3A+1%2C%0A%22value%22%3A+%22stufor2994%22%0A%7D%0A%5D%0A%7D%0A%5D%0A&time=1638768935",
        ),
    ),
    (
        "changeStuinfo",
        Some(
            "code=xxx&info=%0A%5B%0A%7B%0A%22sid%22%3A170603%2C%0A%22loginValue%22%3A+%22%22%2C%0A%22fields%22%3A+%5B%0A%7B%0A%22sfid%22%3A+1%2C%0A%22value%22%3A+%22stufor2993change%22%0A%7D%2C%0A%7B%0A%22sfid%22%3A+4%2C%0A%22value%22%3A+%2218320320xxx%22%0A%7D%0A%5D%0A%7D%2C%0A%7B%0A%22sid%22%3A170604%2C%0A%22loginValue%22%3A+%22%22%2C%0A%22fields%22%3A+%5B%0A%7B%0A%22sfid%22%3A+1%2C%0A%22value%22%3A+%22stufor2994change%22%0A%7D%2C%0A%7B%0A%22sfid%22%3A+10%2C%0A%22value%22%3A+%2229944%22%0A%7D%0A%5D%0A%7D%0A%5D%0A&time=1638768935",
        ),
    ),
    ("delStu", Some("code=xxx&sids=%5B170603%2C170604%5D&time=1638768935")),
    (
        "movestugroup",
        Some(
            "code=xxx&mvStuInfo=%0A%7B%0A%22gids%22%3A+%5B2993%5D%2C%0A%22loginValues%22%3A%5B%5D%2C%0A%22sid%22%3A%5B170606%2C170607%5D%2C%0A%22action%22%3A+%22moveto%22%0A%7D%0A&time=1638768935",
        ),
    ),
    ("getstudentsinfo", Some("code=xxx&sids=%5B170605%2C170606%5D&time=1638768935")),
    ("getstulist", Some("code=xxx&limit=3&start=0&time=1638768935")),
    ("queryresults?code=xxx&limit=2&start=0&time=1638768935", None),
];

async fn send(served: &Served, sample: (&str, Option<&str>), token: &str) -> String {
    let path = format!("/api/v1/student/{}", sample.0);
    let request = match sample.1 {
        Some(body) => served.post(&path, body),
        None => served.http.get(served.url(&path)),
    };
    let answer = served.send(request.header("Authorization", token)).await.unwrap();
    assert_eq!(answer.status, 200, "{path}");
    answer.text
}

#[tokio::test]
async fn the_vendors_eight_samples_in_order_answer_as_documented() {
    let served = Served::sample().await;
    let documented = [
        r#"{"data":[{"sfid":1,"label":"name"},{"sfid":2,"label":"gender"},{"sfid":4,"label":"phone"},{"sfid":10,"label":"password"}],"status":"ok"}"#,
        r#"{"fail":[],"status":"ok","success":[{"sid":170603,"index":1},{"sid":170604,"index":2}]}"#,
        r#"{"fail":[],"status":"ok","success":["170603","170604"]}"#,
        r#"{"fail":[],"status":"ok","success":["170603","170604"]}"#,
        r#"{"fail":[],"status":"ok","success":["170606","170607"]}"#,
        r#"{"data":[{"sid":170605,"fields":[{"sFid":1,"label":"name","value":"newstufor2993"}],"group":[{"gid":2993,"title":"2993"}]},{"sid":170606,"fields":[{"sFid":1,"label":"name","value":"newstufor2994"}],"group":[{"gid":2993,"title":"2993"}]}],"fail":[],"status":"ok"}"#,
        r#"{"data":[{"loginValue":"newstufor2993","fields":[{"sFid":1,"label":"name","value":"newstufor2993"},{"sFid":4,"label":"phone","value":"2993"}]},{"loginValue":"newstufor2994","fields":[{"sFid":1,"label":"name","value":"newstufor2994"},{"sFid":10,"label":"password","value":"2994"}]},{"loginValue":"newstufor29942","fields":[{"sFid":1,"label":"name","value":"newstufor29942"},{"sFid":10,"label":"password","value":"2994"}]}],"status":"ok","total":12}"#,
    ];
    for (sample, expected) in SAMPLES.into_iter().zip(documented) {
        assert_eq!(send(&served, sample, TOKEN).await, expected, "{}", sample.0);
    }
    let results = send(&served, SAMPLES[7], TOKEN).await;
    assert!(results.contains(r"\u0026token="), "& is written as \\u0026: {results}");
    let mut results: Value = serde_json::from_str(&results).unwrap();
    for row in results["data"].as_array_mut().unwrap() {
        let link = row.as_object_mut().unwrap().remove("viewResult").unwrap();
        assert!(link.as_str().unwrap().starts_with("https://api.onlineexammaker.com/transgetresult?tid="));
    }
    let row = |score: &str, start: &str, end: &str| {
        json!({"score": score, "passed": "0", "status": "1", "startTime": start, "endTime": end,
               "sid": "170597", "loginValue": "n11", "name": "n11", "eid": "107264"})
    };
    let rows = [row("2", "1639647217", "1639647236"), row("1", "1639647122", "1639647132")];
    assert_eq!(results, json!({"data": rows, "status": "ok", "total": 1877}));
}

#[tokio::test]
async fn the_token_is_time_then_code() {
    let served = Served::sample().await;
    for (time, token) in [
        ("1638768935", TOKEN),
        ("1639647217", "c282c34fe13cfd64637f667e6256dc28"),
        ("1795280827", "5c62100972422fa2a9c229a9af2217b7"),
        ("1795280831", "367740a6b92eec4d0915de234cd46d32"),
    ] {
        let path = format!("getFields?code=xxx&time={time}");
        assert!(send(&served, (&path, None), token).await.contains(r#""status":"ok""#), "{time}");
    }
}

#[tokio::test]
async fn a_token_of_code_then_time_upper_case_or_another_second_is_refused() {
    let served = Served::sample().await;
    let upper = TOKEN.to_uppercase();
    let bearer = format!("Bearer {TOKEN}");
    for token in ["11cf305a5843c7a36f8b81ce585cabf7", &upper, &bearer, "c282c34fe13cfd64637f667e6256dc28", ""]
    {
        let body = send(&served, SAMPLES[0], token).await;
        assert_eq!(body, r#"{"error":"token is wrong","status":"error"}"#, "{token}");
        assert_eq!(served.last(), "unauthorized", "{token:?}");
    }
    let other_code = send(&served, ("getFields?code=yyy&time=1638768935", None), TOKEN).await;
    assert!(other_code.contains("error"), "{other_code}");
}

#[tokio::test]
async fn a_time_outside_the_window_is_refused() {
    let served = Served::with(&[]).await;
    for (offset, fine) in [(0, true), (-590, true), (590, true), (-700, false), (700, false)] {
        let time = (now() + offset).to_string();
        let path = format!("getFields?code=xxx&time={time}");
        let body = send(&served, (&path, None), &md5_hex(&format!("{time}xxx"))).await;
        assert_eq!(body.contains(r#""status":"ok""#), fine, "{offset}: {body}");
    }
    served.set("exam.clock_window_s", "0");
    assert!(send(&served, SAMPLES[0], TOKEN).await.contains(r#""status":"ok""#));
}

#[tokio::test]
async fn code_and_time_of_a_post_may_stand_in_the_url_unless_only_the_body_counts() {
    let served = Served::sample().await;
    let sample = ("getstulist?code=xxx&time=1638768935", Some("start=0&limit=3"));
    assert!(send(&served, sample, TOKEN).await.contains(r#""total":12"#));
    served.set("code_time_place", "body");
    assert!(send(&served, sample, TOKEN).await.contains("code is missing"));
    assert!(send(&served, SAMPLES[6], TOKEN).await.contains(r#""total":12"#));
}

#[tokio::test]
async fn each_endpoint_has_one_method_and_other_paths_are_not_found() {
    let served = Served::sample().await;
    for (method, path, status) in [
        ("POST", "/api/v1/student/getFields", 405),
        ("GET", "/api/v1/student/addStudents", 405),
        ("GET", "/api/v1/student/nothing", 404),
        ("GET", "/index.php?option=com_exams&task=api.getStudentFields&format=raw", 404),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = served.send(served.http.request(method, served.url(path))).await.unwrap();
        assert_eq!(answer.status, status, "{path}");
    }
}

#[tokio::test]
async fn refusals_come_in_the_style_that_is_set() {
    let served = Served::with(&[]).await;
    let cases = [
        ("error_style", "200_json", 200, true),
        ("error_style", "4xx_json", 400, true),
        ("error_style", "4xx_text", 400, false),
        ("error_style", "5xx_text", 500, false),
    ];
    for (switch, style, status, is_json) in cases {
        served.set(switch, style);
        let answer = served.try_exam("addStudents", &[("info", "{}")]).await.unwrap();
        assert_eq!(answer.status, status, "{style}");
        assert_eq!(serde_json::from_str::<Value>(&answer.text).is_ok(), is_json, "{style}");
    }
    served.set("error_style", "200_json");
    for (style, status) in [("as_error_style", 200), ("401_json", 401), ("403_html", 403), ("4xx_text", 400)]
    {
        served.set("auth_error_style", style);
        let request = served.http.get(served.url("/api/v1/student/getFields?code=no&time=1"));
        let answer = served.send(request).await.unwrap();
        assert_eq!(answer.status, status, "{style}");
        assert_eq!(served.last(), "unauthorized", "{style:?}");
    }
}

#[tokio::test]
async fn an_expired_plan_refuses_every_call() {
    let served = Served::with(&[("plan", "expired")]).await;
    for endpoint in ["getFields", "getstulist", "queryresults", "addStudents"] {
        assert_eq!(served.exam(endpoint, &[]).await["status"], "error", "{endpoint}");
    }
}

#[tokio::test]
async fn more_than_ten_calls_a_second_over_all_endpoints_are_too_many() {
    let served = Served::with(&[("exam.qps_limit", "10")]).await;
    let calls = (0..12).map(|number| {
        let endpoint = if number % 2 == 0 { "getFields" } else { "getstulist" };
        served.try_exam(endpoint, &[])
    });
    let mut statuses: Vec<u16> = futures_util::future::join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses[..10], [200; 10]);
    assert_eq!(statuses[10..], [429; 2]);
}

#[tokio::test]
async fn what_comes_above_the_limit_is_as_set() {
    let served = Served::with(&[("exam.qps_limit", "1")]).await;
    let refused = async |style: &str| {
        served.set("exam.over_limit", style);
        // At the same moment: at most one of them is within the limit.
        let (one, two) = tokio::join!(served.try_exam("getFields", &[]), served.try_exam("getFields", &[]));
        let fine = |answer: &Result<crate::client::Answer, _>| {
            answer.as_ref().is_ok_and(|it| it.text.contains(r#""status":"ok""#))
        };
        if fine(&one) { two } else { one }
    };
    assert!(!refused("429").await.unwrap().headers.contains_key("retry-after"));
    assert_eq!(refused("429_retry_after").await.unwrap().headers["retry-after"], "1");
    assert_eq!(refused("error_body").await.unwrap().json()["status"], "error");
    assert!(refused("drop").await.is_err());
}
