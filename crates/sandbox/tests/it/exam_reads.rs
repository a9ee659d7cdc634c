//! getstulist, getstudentsinfo, getFields, queryresults: rules and switches.

use serde_json::{Value, json};

use crate::client::Served;

async fn with_candidates(count: usize, switches: &[(&str, &str)]) -> Served {
    let served = Served::with(switches).await;
    let gid = served.sandbox.create_group("g");
    served.sandbox.insert_candidates(count, |number| {
        // Descending names: the order of login values is not that of sids.
        (vec![(1, format!("s{:04}", 9999 - number)), (10, "pw".to_owned())], vec![gid])
    });
    served
}

async fn page(served: &Served, start: i64, limit: i64) -> Value {
    served.exam("getstulist", &[("start", &start.to_string()), ("limit", &limit.to_string())]).await
}

fn logins(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().unwrap();
    rows.iter().map(|row| row["loginValue"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_by_offset_give_every_candidate_once_and_total_counts_all() {
    let served = with_candidates(230, &[]).await;
    let mut seen = Vec::new();
    for start in [0, 100, 200] {
        let page = page(&served, start, 100).await;
        assert_eq!(page["total"], 230, "{start:?}");
        seen.extend(logins(&page));
    }
    let expected: Vec<String> = (0..230).map(|number| format!("s{:04}", 9999 - number)).collect();
    assert_eq!(seen, expected);
    let journal = served.sandbox.journal();
    let asked: Vec<_> = journal.iter().map(|entry| (entry.start, entry.items, entry.applied)).collect();
    assert_eq!(asked, [(Some(0), 100, 100), (Some(100), 100, 100), (Some(200), 100, 30)]);
}

#[tokio::test]
async fn a_limit_above_a_hundred_is_refused_or_cut_and_a_missing_one_is_thirty() {
    let served = with_candidates(150, &[]).await;
    assert_eq!(page(&served, 0, 101).await["status"], "error");
    assert_eq!(logins(&page(&served, 0, 100).await).len(), 100);
    served.set("limit_over_100", "clamp");
    assert_eq!(logins(&page(&served, 0, 101).await).len(), 100);
    assert_eq!(logins(&served.exam("getstulist", &[]).await).len(), 30);
    served.set("limit_missing", "7");
    assert_eq!(logins(&served.exam("getstulist", &[]).await).len(), 7);
    assert_eq!(served.exam("getstulist", &[("start", "x")]).await["status"], "error");
}

#[tokio::test]
async fn start_may_count_pages_instead_of_rows() {
    let served = with_candidates(30, &[]).await;
    for (semantics, start, first) in [("offset", 10, "s9989"), ("page0", 1, "s9989"), ("page1", 2, "s9989")] {
        served.set("start_semantics", semantics);
        assert_eq!(logins(&page(&served, start, 10).await)[0], first, "{semantics}");
    }
}

#[tokio::test]
async fn a_page_behind_the_last_row_is_empty_null_or_an_error() {
    let served = with_candidates(5, &[]).await;
    assert_eq!(page(&served, 5, 10).await, json!({"data": [], "status": "ok", "total": 5}));
    served.set("start_beyond_total", "null");
    assert_eq!(page(&served, 5, 10).await, json!({"data": null, "status": "ok", "total": 5}));
    served.set("start_beyond_total", "error");
    assert_eq!(page(&served, 5, 10).await["status"], "error");
    assert_eq!(logins(&page(&served, 4, 10).await).len(), 1);
}

#[tokio::test]
async fn the_listing_has_the_order_that_is_set() {
    let served = with_candidates(40, &[]).await;
    let ascending = logins(&page(&served, 0, 100).await);
    served.set("order", "sid_desc");
    let descending = logins(&page(&served, 0, 100).await);
    assert!(ascending.iter().rev().eq(descending.iter()));
    served.set("order", "login_value");
    assert!(logins(&page(&served, 0, 100).await).is_sorted());
    served.set("order", "unstable");
    let first = logins(&page(&served, 0, 100).await);
    assert_ne!(first, logins(&page(&served, 0, 100).await));
}

#[tokio::test]
async fn passwords_are_shown_hidden_or_masked() {
    let served = with_candidates(1, &[]).await;
    for (mode, shown) in [("on", Some("pw")), ("off", None), ("masked", Some("******"))] {
        served.set("echo_password", mode);
        for answer in
            [page(&served, 0, 1).await, served.exam("getstudentsinfo", &[("sids", "[170601]")]).await]
        {
            let fields = answer["data"][0]["fields"].as_array().unwrap();
            let password = fields.iter().find(|field| field["sFid"] == 10);
            assert_eq!(password.map(|field| field["value"].as_str().unwrap()), shown, "{mode}");
        }
    }
}

#[tokio::test]
async fn fields_without_a_value_are_left_out_empty_or_null() {
    let served = with_candidates(1, &[]).await;
    for (mode, shown) in [("omit", None), ("empty_string", Some(json!(""))), ("null", Some(json!(null)))] {
        served.set("empty_field", mode);
        let answer = page(&served, 0, 1).await;
        let fields = answer["data"][0]["fields"].as_array().unwrap().clone();
        let phone = fields.iter().find(|field| field["sFid"] == 4).map(|field| field["value"].clone());
        assert_eq!(phone, shown, "{mode}");
    }
}

#[tokio::test]
async fn field_ids_are_spelled_as_set() {
    let served = with_candidates(1, &[]).await;
    for (mode, in_fields, in_rows) in
        [("sample", "sfid", "sFid"), ("sfid", "sfid", "sfid"), ("sFid", "sFid", "sFid")]
    {
        served.set("field_key", mode);
        assert!(served.exam("getFields", &[]).await["data"][0].get(in_fields).is_some(), "{mode}");
        assert!(page(&served, 0, 1).await["data"][0]["fields"][0].get(in_rows).is_some(), "{mode}");
    }
}

#[tokio::test]
async fn candidates_are_found_by_sid_or_login_value_and_the_others_stand_in_fail() {
    let served = with_candidates(3, &[]).await;
    let by_sid = served.exam("getstudentsinfo", &[("sids", r#"[170602,5,"170601"]"#)]).await;
    let sids: Vec<_> = by_sid["data"].as_array().unwrap().iter().map(|row| row["sid"].clone()).collect();
    assert_eq!(sids, [170_602, 170_601]);
    assert_eq!(by_sid["fail"], json!([5]));
    assert_eq!(by_sid["data"][0]["group"], json!([{"gid": 1001, "title": "g"}]));
    assert!(by_sid["data"][0].get("loginValue").is_none());
    let by_login = served.exam("getstudentsinfo", &[("loginValues", r#"["s9999","nobody"]"#)]).await;
    assert_eq!(by_login["fail"], json!(["nobody"]));
    served.set("info_fail_type", "string");
    assert_eq!(served.exam("getstudentsinfo", &[("sids", "[5]")]).await["fail"], json!(["5"]));
    assert_eq!(served.exam("getstudentsinfo", &[]).await["status"], "error");
    served.set("info_order", "sid_asc");
    let ordered = served.exam("getstudentsinfo", &[("sids", "[170603,170601]")]).await;
    assert_eq!(ordered["data"][0]["sid"], 170_601);
}

#[tokio::test]
async fn getstudentsinfo_returns_the_fields_that_are_set() {
    let served = with_candidates(1, &[]).await;
    served.sandbox.edit_candidate(170_601, &[(4, "7")]);
    for (mode, expected) in [
        ("full", vec![1, 4, 10]),
        ("name_only", vec![1]),
        ("login_only", vec![1]),
        ("without_login", vec![4, 10]),
    ] {
        served.set("info_fields", mode);
        let answer = served.exam("getstudentsinfo", &[("sids", "[170601]")]).await;
        let fields = answer["data"][0]["fields"].as_array().unwrap();
        let sfids: Vec<i64> = fields.iter().map(|field| field["sFid"].as_i64().unwrap()).collect();
        assert_eq!(sfids, expected, "{mode}");
    }
}

#[tokio::test]
async fn results_are_attempts_newest_first_and_can_be_asked_for_one_candidate() {
    let served = with_candidates(2, &[]).await;
    for number in 0..5 {
        served.sandbox.insert_attempt(170_601 + number % 2, 7, 1000 + number, number, 1);
    }
    served.sandbox.remove_candidate(170_602);
    let all = served.exam("queryresults", &[("start", "0"), ("limit", "100")]).await;
    assert_eq!(all["total"], 5);
    assert_eq!(all["data"][0]["startTime"], "1004");
    let one = [("start", "0"), ("limit", "100"), ("loginValues", "s9999"), ("eid", "7")];
    assert_eq!(served.exam("queryresults", &one).await["total"], 3);
    let gone = [("loginValues", "s9998"), ("eid", "7")];
    assert_eq!(served.exam("queryresults", &gone).await["total"], 2, "a deleted candidate's attempts stay");
    served.set("results_filter", "strict");
    assert_eq!(served.exam("queryresults", &one[..3]).await["status"], "error");
    served.set("results_order", "oldest_first");
    served.set("results_types", "numbers");
    let all = served.exam("queryresults", &[]).await;
    assert_eq!(all["data"][0]["startTime"], 1000);
    assert_eq!(all["data"][0]["sid"], 170_601);
}

#[tokio::test]
async fn results_arrive_and_change_between_pages_where_faults_say_so() {
    let served = with_candidates(2, &[]).await;
    for number in 0..5 {
        served.sandbox.insert_attempt(170_601, 7, 1000 + number, number, i64::from(number != 2));
    }
    served.set("results_arrive", "queryresults@2x2:3");
    served.set("results_change", "queryresults@3:settle");
    served.set("results_change", "queryresults@4:delete/0");
    let mut totals = Vec::new();
    let mut running = Vec::new();
    for _ in 0..5 {
        let page = served.exam("queryresults", &[("start", "0"), ("limit", "100")]).await;
        totals.push(page["total"].as_i64().unwrap());
        let rows = page["data"].as_array().unwrap();
        assert_eq!(i64::try_from(rows.len()).unwrap(), page["total"]);
        running.push(rows.iter().filter(|row| row["status"] == "0").count());
    }
    assert_eq!((totals, running), (vec![5, 8, 11, 10, 10], vec![1, 1, 0, 0, 0]));
    served.set("short_page", "queryresults@1:2");
    served.set("duplicate_row", "queryresults@2");
    served.set("total_drifts", "queryresults@3:4");
    let all = [("start", "0"), ("limit", "100")];
    assert_eq!(served.exam("queryresults", &all).await["data"].as_array().unwrap().len(), 8);
    let doubled = served.exam("queryresults", &all).await;
    assert_eq!(doubled["data"][0]["startTime"], doubled["data"][9]["startTime"]);
    assert_eq!(served.exam("queryresults", &all).await["total"], 14);
}

#[tokio::test]
async fn results_are_added_and_looked_at_through_the_pages_for_tests() {
    let served = with_candidates(1, &[]).await;
    let result =
        json!({"eid": 7, "sid": 170_601, "start": 5, "end": 0, "score": 3, "passed": 0, "status": 0});
    let url = served.url("/_sandbox/results");
    let request =
        served.http.post(&url).header("Content-Type", "application/json").body(json!([result]).to_string());
    assert_eq!(served.send(request).await.unwrap().status, 204);
    assert_eq!(served.send(served.http.get(&url)).await.unwrap().json(), json!([result]));
    let groups = served.send(served.http.get(served.url("/_sandbox/groups"))).await.unwrap().json();
    assert_eq!(groups, json!({"1001": "g"}));
}

#[tokio::test]
async fn the_token_of_a_result_link_changes_at_every_call_unless_fixed() {
    let served = with_candidates(1, &[]).await;
    served.sandbox.insert_attempt(170_601, 7, 1000, 1, 1);
    let link = async || served.exam("queryresults", &[]).await["data"][0]["viewResult"].clone();
    assert_ne!(link().await, link().await);
    served.set("results_token", "fixed");
    assert_eq!(link().await, link().await);
}

#[tokio::test]
async fn answers_are_packed_only_where_the_switch_and_the_client_agree() {
    let served = with_candidates(100, &[("gzip", "on")]).await;
    let plain = served.try_exam("getstulist", &[("limit", "100")]).await.unwrap();
    assert!(!plain.headers.contains_key("content-encoding"));
    let unpacking = reqwest::Client::builder().no_proxy().build().unwrap();
    let time = crate::client::now().to_string();
    let ask = async |http: &reqwest::Client| {
        let request = http
            .post(served.url("/api/v1/student/getstulist"))
            .header("Authorization", crate::client::md5_hex(&format!("{time}xxx")))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(format!("code=xxx&time={time}&limit=100"));
        let request =
            if std::ptr::eq(http, &unpacking) { request } else { request.header("Accept-Encoding", "gzip") };
        request.send().await.unwrap()
    };
    assert_eq!(ask(&served.http).await.headers()["content-encoding"], "gzip");
    assert_eq!(ask(&unpacking).await.text().await.unwrap(), plain.text);
    served.set("gzip", "off");
    assert!(!ask(&served.http).await.headers().contains_key("content-encoding"));
}
