//! Every trouble at least once: what makes an answer hard to believe, seen from the client's side of the wire.

use serde_json::{Value, json};

use crate::client::{Served, change, newcomers};

async fn with_candidates(count: usize, switches: &[(&str, &str)]) -> Served {
    let served = Served::with(switches).await;
    let gid = served.sandbox.create_group("g");
    served.sandbox.insert_candidates(count, |number| {
        (vec![(1, format!("Anna {number}")), (2, "f".to_owned())], vec![gid])
    });
    served
}

async fn listed(served: &Served) -> Vec<String> {
    let page = served.exam("getstulist", &[("limit", "100")]).await;
    let rows = page["data"].as_array().unwrap();
    assert_eq!(page["total"], rows.len());
    rows.iter().map(|row| row["loginValue"].as_str().unwrap().to_owned()).collect()
}

async fn looked_up(served: &Served, sids: &[i64]) -> Value {
    served.exam("getstudentsinfo", &[("sids", &json!(sids).to_string())]).await
}

#[tokio::test]
async fn groups_are_absent_null_or_empty_in_all_rows_an_answer_or_one_row() {
    let served = with_candidates(2, &[]).await;
    let groups = async || {
        let answer = looked_up(&served, &[170_601, 170_602]).await;
        [answer["data"][0].get("group").cloned(), answer["data"][1].get("group").cloned()]
    };
    let told = Some(json!([{"gid": 1001, "title": "g"}]));
    for (form, shown) in [("absent", None), ("null", Some(Value::Null)), ("[]", Some(json!([])))] {
        served.set("info_groups", form);
        assert_eq!(groups().await, [shown.clone(), shown], "{form}");
    }
    served.set("info_groups", "full");
    served.set("groups_missing", "getstudentsinfo:null");
    assert_eq!(groups().await, [Some(Value::Null), Some(Value::Null)]);
    assert_eq!(groups().await, [told.clone(), told.clone()], "one answer only");
    served.set("groups_missing", "getstudentsinfo@*:empty/170602");
    assert_eq!(groups().await, [told, Some(json!([]))]);
}

#[tokio::test]
async fn an_archived_candidate_is_known_by_its_sid_and_not_listed() {
    let served = with_candidates(3, &[("archived", "170602, 5")]).await;
    assert_eq!(listed(&served).await, ["Anna 0", "Anna 2"]);
    assert_eq!(looked_up(&served, &[170_602]).await["data"][0]["sid"], 170_602);
    served.set("archived", "none");
    assert_eq!(listed(&served).await.len(), 3);
    assert!(served.sandbox.set("archived", "170601,x").is_err());
}

#[tokio::test]
async fn a_listing_lags_behind_adds_modifies_and_deletes() {
    let served = with_candidates(2, &[("list_lag_s", "600")]).await;
    // What was there before stays visible: only changes from here on are looked at.
    served.set("list_lag_s", "0");
    served.set("list_lag_s", "600");
    served.add(1001, &["new"]).await;
    served.exam("changeStuinfo", &[("info", &change(170_601, 1, "renamed"))]).await;
    served.exam("delStu", &[("sids", "[170602]")]).await;
    assert_eq!(listed(&served).await, ["Anna 0", "Anna 1"]);
    for (kind, seen) in [
        ("add", vec!["renamed"]),
        ("modify", vec!["Anna 0", "new"]),
        ("delete", vec!["renamed", "Anna 1", "new"]),
        ("move", vec!["renamed", "new"]),
    ] {
        served.set("lag_after", kind);
        assert_eq!(listed(&served).await, seen, "{kind}");
    }
    assert_eq!(looked_up(&served, &[170_602]).await["fail"], json!([170_602]), "a look-up does not lag");
    assert_eq!(served.logins(), ["renamed", "new"]);
}

#[tokio::test]
async fn a_look_up_lags_behind_moves_until_the_time_is_over() {
    let served = with_candidates(1, &[]).await;
    let other = served.sandbox.create_group("other");
    served.set("info_lag_s", "1");
    let order = format!(r#"{{"sid":[170601],"gids":[{other}],"action":"moveto"}}"#);
    served.exam("movestugroup", &[("mvStuInfo", &order)]).await;
    let gid = async || looked_up(&served, &[170_601]).await["data"][0]["group"][0]["gid"].clone();
    assert_eq!(gid().await, 1001);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(gid().await, other);
}

#[tokio::test]
async fn a_lag_never_hides_a_write_from_the_account_itself() {
    let served = with_candidates(1, &[("list_lag_s", "600"), ("info_lag_s", "600")]).await;
    served.add(1001, &["a"]).await;
    assert_eq!(served.add(1001, &["a"]).await["fail"], json!([1]));
    served.set("stale_read", "*@*:600");
    served.add(1001, &["b"]).await;
    assert_eq!(served.logins(), ["Anna 0", "a", "b"]);
}

#[tokio::test]
async fn login_values_are_kept_otherwise_than_they_were_sent() {
    for (how, kept, renamed) in [
        ("lower_case", "anna 7b", "otto 8"),
        ("squeezed", "Anna7B", "Otto8"),
        ("digits", "7", "8"),
        ("as_sent", "Anna 7B", "Otto 8"),
    ] {
        let served = with_candidates(0, &[("login_writes", how)]).await;
        served.add(1001, &["Anna 7B"]).await;
        assert_eq!(served.logins(), [kept], "{how}");
        let repeated = served.add(1001, &["Anna 7B"]).await;
        assert_eq!(repeated["fail"], json!([1]), "{how}: the account compares what it keeps");
        served.exam("changeStuinfo", &[("info", &change(170_601, 1, "Otto 8"))]).await;
        assert_eq!(served.logins(), [renamed], "{how}");
    }
}

#[tokio::test]
async fn other_values_but_the_password_are_kept_otherwise_than_they_were_sent() {
    for (how, kept) in [("truncated", "Anna-M"), ("upper_case", "ANNA-MARIA"), ("as_sent", "Anna-Maria")] {
        let served = with_candidates(1, &[("value_writes", how)]).await;
        let item = json!([{"sid": 170_601, "fields": [
            {"sfid": 4, "value": "Anna-Maria"}, {"sfid": 10, "value": "secret-word"}
        ]}]);
        served.exam("changeStuinfo", &[("info", &item.to_string())]).await;
        let candidate = served.sandbox.candidates().remove(0);
        assert_eq!(
            (candidate.fields[&4].as_str(), candidate.fields[&10].as_str()),
            (kept, "secret-word"),
            "{how}"
        );
    }
}

#[tokio::test]
async fn fields_are_labelled_anew_and_taken_away() {
    let served = with_candidates(1, &[]).await;
    served.sandbox.label_field(4, "mobile");
    served.sandbox.label_field(20, "phone");
    served.sandbox.remove_field(2);
    let fields = served.exam("getFields", &[]).await;
    let labels: Vec<(i64, &str)> = fields["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["sfid"].as_i64().unwrap(), field["label"].as_str().unwrap()))
        .collect();
    assert!(labels.contains(&(4, "mobile")) && labels.contains(&(20, "phone")), "{labels:?}");
    assert!(labels.iter().all(|(sfid, _)| *sfid != 2), "{labels:?}");
    let item = json!([{"sid": 170_601, "fields": [{"sfid": 2, "value": "f"}]}]);
    let refused = served.exam("changeStuinfo", &[("info", &item.to_string())]).await;
    assert_eq!(refused["fail"].as_array().unwrap().len(), 1, "a field that is not there takes no value");
}

#[tokio::test]
async fn writes_of_one_kind_or_all_are_refused_with_status_200() {
    let served = with_candidates(1, &[("error_style", "4xx_text"), ("refused_writes", "delStu")]).await;
    let refused = served.try_exam("delStu", &[("sids", "[170601]")]).await.unwrap();
    assert_eq!((refused.status, refused.json()["status"].clone()), (200, json!("error")));
    assert_eq!(served.add(1001, &["a"]).await["status"], "ok");
    served.set("refused_writes", "all");
    assert_eq!(served.add(1001, &["b"]).await["status"], "error");
    assert_eq!(served.logins(), ["Anna 0", "a"]);
    assert_eq!(listed(&served).await.len(), 2, "reads go on");
}

#[tokio::test]
async fn the_total_is_absurd_grows_with_every_page_or_has_rows_for_ever() {
    let served = with_candidates(3, &[("list_total", "absurd")]).await;
    let page = async |start: &str| {
        let page = served.exam("getstulist", &[("start", start), ("limit", "100")]).await;
        (page["total"].as_i64().unwrap(), page["data"].as_array().unwrap().len())
    };
    assert_eq!(page("0").await, (1_000_000_000_000, 3));
    assert_eq!(page("100").await, (1_000_000_000_000, 0));
    served.set("list_total", "growing");
    assert_eq!((page("0").await, page("700").await), ((200, 3), (900, 0)));
    served.set("list_total", "endless");
    assert_eq!((page("0").await, page("700").await), ((1_000_000_000_000, 100), (1_000_000_000_000, 100)));
}

#[tokio::test]
async fn labels_in_the_listing_may_be_worded_otherwise() {
    let served = with_candidates(1, &[("list_labels", "other")]).await;
    let page = served.exam("getstulist", &[]).await;
    assert_eq!(page["data"][0]["fields"][0]["label"], "name (listed)");
    assert_eq!(served.exam("getFields", &[]).await["data"][0]["label"], "name");
    assert_eq!(looked_up(&served, &[170_601]).await["data"][0]["fields"][0]["label"], "name");
}

#[tokio::test]
async fn the_login_field_is_masked_in_look_ups_listings_or_both() {
    let served = with_candidates(1, &[]).await;
    for (place, in_look_up, in_listing) in [
        ("off", "Anna 0", "Anna 0"),
        ("look_ups", "A****0", "Anna 0"),
        ("listings", "Anna 0", "A****0"),
        ("both", "A****0", "A****0"),
    ] {
        served.set("mask_login", place);
        let shown = |answer: &Value| answer["data"][0]["fields"][0]["value"].as_str().unwrap().to_owned();
        assert_eq!(shown(&looked_up(&served, &[170_601]).await), in_look_up, "{place}");
        let page = served.exam("getstulist", &[]).await;
        assert_eq!((shown(&page).as_str(), &page["data"][0]["loginValue"]), (in_listing, &json!("Anna 0")));
    }
}

#[tokio::test]
async fn the_date_header_is_off_by_so_many_seconds() {
    let served = with_candidates(0, &[("date_offset_s", "-86400")]).await;
    let date = async || {
        let answer = served.try_exam("getFields", &[]).await.unwrap();
        let date = answer.headers["date"].to_str().unwrap().to_owned();
        jiff::fmt::rfc2822::parse(&date).unwrap().timestamp().as_second()
    };
    assert!((crate::client::now() - 86_400 - date().await).abs() < 60);
    served.set("date_offset_s", "900");
    assert!((crate::client::now() + 900 - date().await).abs() < 60);
}

#[tokio::test]
async fn another_account_stands_behind_the_address_and_ours_comes_back() {
    let served = with_candidates(3, &[]).await;
    let by_sid = async |sid: i64| {
        let answer = looked_up(&served, &[sid]).await;
        answer["data"][0]["fields"][0]["value"].as_str().map(str::to_owned)
    };
    for (which, count, first) in [
        ("renumbered", 3, None),
        ("permuted", 3, Some("Anna 2")),
        ("strangers", 6, Some("stranger-0")),
        ("empty", 0, None),
        ("own", 3, Some("Anna 0")),
    ] {
        served.set("account", which);
        assert_eq!(listed(&served).await.len(), count, "{which}");
        assert_eq!(by_sid(170_601).await.as_deref(), first, "{which}");
        let people = served.logins();
        assert_eq!(people.iter().any(|login| login == "Anna 1"), which != "empty", "{which}");
    }
    served.set("account", "strangers");
    served.exam("delStu", &[("sids", "[170601]")]).await;
    served.set("account", "own");
    assert_eq!(served.logins(), ["Anna 0", "Anna 1", "Anna 2"]);
}

#[tokio::test]
async fn a_poisonous_value_makes_its_whole_write_answer_500() {
    let served = with_candidates(1, &[("poison", "bad")]).await;
    let add = async |names: &[&str]| {
        served.try_exam("addStudents", &[("info", &newcomers(1001, names))]).await.unwrap().status
    };
    assert_eq!((add(&["a", "bad"]).await, add(&["a"]).await), (500, 200));
    assert_eq!(served.logins(), ["Anna 0", "a"]);
    served.set("exam.poison", "170601");
    let status =
        async |endpoint: &str| served.try_exam(endpoint, &[("sids", "[170601]")]).await.unwrap().status;
    assert_eq!((status("delStu").await, status("getstudentsinfo").await), (500, 200));
    let course = served.sandbox.create_course("c").to_string();
    let uid = served.sandbox.create_account("n", None).to_string();
    served.set("classin.poison", &uid);
    let json = format!(r#"[{{"uid":{uid}}}]"#);
    let pairs = [("courseId", course.as_str()), ("identity", "1"), ("studentJson", &json)];
    assert_eq!(served.try_classin("addCourseStudentMultiple", &pairs).await.unwrap().status, 500);
    for code in [100, 155] {
        served.set("classin.poison_code", &code.to_string());
        let answer = served.classin("addCourseStudentMultiple", &pairs).await;
        assert_eq!(answer["error_info"]["errno"].as_i64(), Some(code));
    }
    assert!(served.sandbox.course_members(course.parse().unwrap()).is_empty());
}
