//! addStudents, changeStuinfo, delStu, movestugroup, addcategory: rules and switches.

use serde_json::json;

use crate::client::{Served, change, numbers};

#[tokio::test]
async fn indices_start_where_the_switch_says_and_fail_may_differ() {
    let served = Served::with(&[]).await;
    let gid = served.sandbox.create_group("g");
    served.sandbox.insert_candidate(&[(1, "taken")], &[gid]);
    for (index_base, fail_base, success, fail) in
        [("1", "same", [1, 3], 2), ("0", "same", [0, 2], 1), ("0", "1", [0, 2], 2), ("1", "0", [1, 3], 1)]
    {
        served.set("index_base", index_base);
        served.set("fail_base", fail_base);
        let names = [format!("a{index_base}{fail_base}"), format!("b{index_base}{fail_base}")];
        let answer = served.add(gid, &[&names[0], "taken", &names[1]]).await;
        let indices: Vec<i64> =
            answer["success"].as_array().unwrap().iter().map(|it| it["index"].as_i64().unwrap()).collect();
        assert_eq!(indices, success, "{index_base} {fail_base}");
        assert_eq!(numbers(&answer["fail"]), [fail]);
    }
}

#[tokio::test]
async fn an_entry_of_fail_has_the_style_and_type_that_are_set() {
    let served = Served::with(&[]).await;
    let gid = served.sandbox.create_group("g");
    let sid = served.sandbox.insert_candidate(&[(1, "taken")], &[gid]);
    let other = served.sandbox.insert_candidate(&[(1, "other")], &[gid]);
    for (style, kind, expected) in [
        ("index", "number", json!(1)),
        ("index", "string", json!("1")),
        ("sid", "number", json!(other)),
        ("login_value", "number", json!("other")),
        ("object", "number", json!({"index": 1, "reason": "the login value exists"})),
    ] {
        served.set("fail_style", style);
        served.set("fail_type", kind);
        let answer = served.exam("changeStuinfo", &[("info", &change(other, 1, "taken"))]).await;
        assert_eq!(answer, json!({"fail": [expected], "status": "ok", "success": []}), "{style} {kind}");
    }
    served.set("status_on_partial", "error");
    let answer = served.exam("changeStuinfo", &[("info", &change(other, 1, "taken"))]).await;
    assert_eq!(answer["status"], "error");
    assert_eq!(served.sandbox.candidate("taken").unwrap().sid, sid);
}

#[tokio::test]
async fn empty_lists_are_brackets_null_or_absent() {
    let served = Served::with(&[]).await;
    let gid = served.sandbox.create_group("g");
    for (style, expected) in [("[]", Some(json!([]))), ("null", Some(json!(null))), ("absent", None)] {
        served.set("empty_list", style);
        let answer = served.add(gid, &[style]).await;
        assert_eq!(answer.get("fail"), expected.as_ref(), "{style}");
    }
}

#[tokio::test]
async fn sids_and_gids_are_numbers_or_strings_as_set() {
    let served = Served::with(&[("sid_type", "string"), ("gid_type", "string")]).await;
    let gid = served.sandbox.create_group("g");
    let added = served.add(gid, &["a"]).await;
    assert!(added["success"][0]["sid"].is_string());
    let sid = served.sandbox.candidate("a").unwrap().sid;
    let info = served.exam("getstudentsinfo", &[("sids", &format!("[{sid}]"))]).await;
    assert!(info["data"][0]["sid"].is_string() && info["data"][0]["group"][0]["gid"].is_string());
    served.set("sid_type", "number");
    let deleted = served.exam("delStu", &[("sids", &format!("[\"{sid}\"]"))]).await;
    assert_eq!(deleted["success"], json!([sid]));
}

#[tokio::test]
async fn success_may_come_in_another_order() {
    let served = Served::with(&[("success_order", "reversed")]).await;
    let gid = served.sandbox.create_group("g");
    let answer = served.add(gid, &["a", "b", "c"]).await;
    let order: Vec<&serde_json::Value> =
        answer["success"].as_array().unwrap().iter().map(|it| &it["index"]).collect();
    assert_eq!(order, [3, 2, 1]);
}

#[tokio::test]
async fn adding_a_login_value_that_exists_fails_updates_or_makes_a_twin() {
    for (mode, count, failed) in [("fail", 1, true), ("update", 1, false), ("accept", 2, false)] {
        let served = Served::with(&[("dup_on_add", mode)]).await;
        let gid = served.sandbox.create_group("g");
        served.sandbox.insert_candidate(&[(1, "a"), (4, "1")], &[gid]);
        let info =
            format!(r#"[{{"gid":{gid},"fields":[{{"sfid":1,"value":"a"}},{{"sFid":"4","value":2}}]}}]"#);
        let answer = served.exam("addStudents", &[("info", &info)]).await;
        assert_eq!(!answer["fail"].as_array().unwrap().is_empty(), failed, "{mode}");
        assert_eq!(served.sandbox.candidates().len(), count, "{mode}");
        let phone = &served.sandbox.candidate("a").unwrap().fields[&4];
        assert_eq!(phone, if mode == "update" { "2" } else { "1" }, "{mode}");
    }
}

#[tokio::test]
async fn login_values_are_compared_as_set() {
    for (how, twin, exists) in [
        ("exact", "A", false),
        ("exact", " a", false),
        ("case_insensitive", "A", true),
        ("trimmed", " a ", true),
        ("trimmed", "A", false),
    ] {
        let served = Served::with(&[("login_compare", how)]).await;
        let gid = served.sandbox.create_group("g");
        served.sandbox.insert_candidate(&[(1, "a")], &[gid]);
        served.add(gid, &[twin]).await;
        assert_eq!(served.sandbox.candidates().len() == 1, exists, "{how} {twin:?}");
    }
}

#[tokio::test]
async fn an_item_without_group_field_or_login_value_fails_alone() {
    let served = Served::with(&[]).await;
    let gid = served.sandbox.create_group("g");
    let info = format!(
        r#"[{{"gid":"{gid}","fields":[{{"sfid":1,"value":"good"}}]}},
            {{"gid":"9","fields":[{{"sfid":1,"value":"no group"}}]}},
            {{"gid":"{gid}","fields":[{{"sfid":4,"value":"no login"}}]}},
            {{"gid":"{gid}","fields":[{{"sfid":99,"value":"no field"}},{{"sfid":1,"value":"x"}}]}},
            {{"fields":[{{"sfid":1,"value":"no gid"}}]}},
            {{"gid":"{gid}","fields":[{{"sfid":1,"value":"good"}}]}}]"#
    );
    let answer = served.exam("addStudents", &[("info", &info)]).await;
    assert_eq!(numbers(&answer["fail"]), [2, 3, 4, 5, 6]);
    assert_eq!(served.logins(), ["good"]);
    served.set("missing_login_value", "accept");
    let answer = served.exam("addStudents", &[("info", &info)]).await;
    assert_eq!(numbers(&answer["fail"]), [1, 2, 4, 5, 6]);
    assert_eq!(served.logins(), ["good", ""]);
}

#[tokio::test]
async fn unknown_groups_refuse_the_call_or_are_accepted_as_set() {
    let served = Served::with(&[("unknown_gid", "refuse_call")]).await;
    let gid = served.sandbox.create_group("g");
    let mixed = format!(
        r#"[{{"gid":{gid},"fields":[{{"sfid":1,"value":"a"}}]}},{{"gid":9,"fields":[{{"sfid":1,"value":"b"}}]}}]"#
    );
    assert_eq!(served.exam("addStudents", &[("info", &mixed)]).await["status"], "error");
    assert!(served.logins().is_empty());
    served.set("unknown_gid", "accept");
    served.exam("addStudents", &[("info", &mixed)]).await;
    assert_eq!(served.logins(), ["a", "b"]);
}

#[tokio::test]
async fn several_groups_may_come_with_commas() {
    for (mode, groups) in [("comma", Some(2)), ("first", Some(1)), ("refuse", None)] {
        let served = Served::with(&[("multi_gid_on_add", mode)]).await;
        let (one, two) = (served.sandbox.create_group("1"), served.sandbox.create_group("2"));
        let info = format!(r#"[{{"gid":"{one},{two}","fields":[{{"sfid":1,"value":"a"}}]}}]"#);
        served.exam("addStudents", &[("info", &info)]).await;
        assert_eq!(served.sandbox.candidate("a").map(|it| it.gids.len()), groups, "{mode}");
    }
}

#[tokio::test]
async fn the_account_holds_no_more_candidates_than_its_cap() {
    let served = Served::with(&[("candidate_cap", "2")]).await;
    let gid = served.sandbox.create_group("g");
    let answer = served.add(gid, &["a", "b", "c"]).await;
    assert_eq!(numbers(&answer["fail"]), [3]);
    served.sandbox.remove_candidate(served.sandbox.candidate("a").unwrap().sid);
    served.set("cap_style", "refuse_call");
    assert_eq!(served.add(gid, &["d", "e"]).await["status"], "error");
    assert_eq!(served.logins(), ["b"]);
}

#[tokio::test]
async fn a_call_above_the_largest_batch_is_refused_whole() {
    let served = Served::with(&[("max_batch", "2")]).await;
    let gid = served.sandbox.create_group("g");
    assert_eq!(served.add(gid, &["a", "b", "c"]).await["status"], "error");
    assert_eq!(served.exam("delStu", &[("sids", "[1,2,3]")]).await["status"], "error");
    assert_eq!(served.exam("getstudentsinfo", &[("sids", "[1,2,3]")]).await["status"], "error");
    assert_eq!(served.add(gid, &["a", "b"]).await["status"], "ok");
}

#[tokio::test]
async fn a_change_keeps_or_overwrites_the_fields_it_does_not_name() {
    for (mode, kept) in [("partial", true), ("overwrite", false)] {
        let served = Served::with(&[("change_mode", mode)]).await;
        let sid = served.sandbox.insert_candidate(&[(1, "a"), (4, "1"), (10, "pw")], &[1]);
        let answer = served.exam("changeStuinfo", &[("info", &change(sid, 4, "2"))]).await;
        assert_eq!(answer["success"], json!([sid.to_string()]), "{mode:?}");
        let fields = served.sandbox.candidate("a").unwrap().fields;
        assert_eq!(fields[&4], "2", "{mode:?}");
        assert_eq!(fields.contains_key(&10), kept, "{mode}");
    }
}

#[tokio::test]
async fn an_empty_value_clears_is_ignored_or_fails() {
    for (mode, phone, ok) in
        [("clears", None, true), ("ignored", Some("1"), true), ("fail", Some("1"), false)]
    {
        let served = Served::with(&[("clear_value", mode)]).await;
        let sid = served.sandbox.insert_candidate(&[(1, "a"), (4, "1")], &[1]);
        let answer = served.exam("changeStuinfo", &[("info", &change(sid, 4, ""))]).await;
        assert_eq!(answer["fail"].as_array().unwrap().is_empty(), ok, "{mode}");
        assert_eq!(
            served.sandbox.candidate("a").unwrap().fields.get(&4).map(String::as_str),
            phone,
            "{mode}"
        );
    }
}

#[tokio::test]
async fn a_changed_login_value_keeps_the_sid_and_the_old_value_stops_resolving() {
    let served = Served::with(&[]).await;
    let sid = served.sandbox.insert_candidate(&[(1, "old")], &[1]);
    served.sandbox.insert_candidate(&[(1, "taken")], &[1]);
    served.exam("changeStuinfo", &[("info", &change(sid, 1, "new"))]).await;
    assert_eq!(served.sandbox.candidate("new").unwrap().sid, sid);
    assert!(served.sandbox.candidate("old").is_none());
    let by_login = r#"[{"loginValue":"new","fields":[{"sfid":4,"value":"7"}]}]"#;
    assert_eq!(
        served.exam("changeStuinfo", &[("info", by_login)]).await["success"],
        json!([sid.to_string()])
    );
    served.exam("changeStuinfo", &[("info", &change(sid, 1, "taken"))]).await;
    assert_eq!(served.sandbox.candidate("new").unwrap().sid, sid);
    served.set("dup_on_rename", "accept");
    served.exam("changeStuinfo", &[("info", &change(sid, 1, "taken"))]).await;
    assert_eq!(served.logins(), ["taken", "taken"]);
}

#[tokio::test]
async fn unknown_sids_stand_where_the_switch_says() {
    let served = Served::with(&[]).await;
    for (mode, success, fail) in [
        ("fail", json!([]), json!([1])),
        ("success", json!(["5"]), json!([])),
        ("ignored", json!([]), json!([])),
    ] {
        served.set("unknown_sid", mode);
        let answer = served.exam("delStu", &[("sids", "[5]")]).await;
        assert_eq!((&answer["success"], &answer["fail"]), (&success, &fail), "{mode}");
    }
}

#[tokio::test]
async fn sids_and_login_values_together_follow_the_switch() {
    for (mode, left) in [("sids_win", vec!["b"]), ("login_values_win", vec!["a"]), ("refuse", vec!["a", "b"])]
    {
        let served = Served::with(&[("both_ids", mode)]).await;
        let sid = served.sandbox.insert_candidate(&[(1, "a")], &[1]);
        served.sandbox.insert_candidate(&[(1, "b")], &[1]);
        let sids = format!("[{sid}]");
        served.exam("delStu", &[("sids", &sids), ("loginValues", r#"["b"]"#)]).await;
        assert_eq!(served.logins(), left, "{mode}");
    }
}

#[tokio::test]
async fn a_deleted_sid_is_never_given_again() {
    let served = Served::with(&[]).await;
    let gid = served.sandbox.create_group("g");
    let first = served.add(gid, &["a"]).await["success"][0]["sid"].as_i64().unwrap();
    served.exam("delStu", &[("loginValues", r#"["a"]"#)]).await;
    let second = served.add(gid, &["a"]).await["success"][0]["sid"].as_i64().unwrap();
    assert!(second > first);
}

async fn regroup(served: &Served, sid: i64, action: &str, gids: &str) -> serde_json::Value {
    let order = format!(r#"{{"gids":{gids},"loginValues":[],"sid":[{sid}],"action":"{action}"}}"#);
    served.exam("movestugroup", &[("mvStuInfo", &order)]).await
}

#[tokio::test]
async fn addto_adds_moveto_replaces_and_delfrom_leaves_at_least_one_group() {
    let served = Served::with(&[]).await;
    let [one, two, three] = ["1", "2", "3"].map(|title| served.sandbox.create_group(title));
    let sid = served.sandbox.insert_candidate(&[(1, "a")], &[one]);
    let held = || served.sandbox.candidate("a").unwrap().gids.into_iter().collect::<Vec<_>>();
    regroup(&served, sid, "addto", &format!("[{two},{three}]")).await;
    assert_eq!(held(), [one, two, three]);
    regroup(&served, sid, "delfrom", &format!("[{one},{three}]")).await;
    assert_eq!(held(), [two]);
    let refused = regroup(&served, sid, "delfrom", &format!("[{two}]")).await;
    assert_eq!((&refused["success"], &refused["fail"]), (&json!([]), &json!([1])));
    assert_eq!(held(), [two]);
    regroup(&served, sid, "moveto", &format!("[{one},{three}]")).await;
    assert_eq!(held(), [one, three]);
    assert_eq!(regroup(&served, sid, "addto", "[99]").await["fail"], json!([1]));
    assert_eq!(regroup(&served, sid, "nonsense", &format!("[{one}]")).await["status"], "error");
    served.set("unknown_gid", "refuse_call");
    assert_eq!(regroup(&served, sid, "addto", "[99]").await["status"], "error");
    assert_eq!(held(), [one, three]);
}

#[tokio::test]
async fn a_second_group_of_one_title_is_made_returned_or_refused() {
    for (mode, gid, status) in [("create", json!(1002), "ok"), ("return_existing", json!(1001), "ok")] {
        let served = Served::with(&[("addcategory_twin", mode)]).await;
        let pairs = [("parentGid", "0"), ("title", "新建组")];
        assert_eq!(
            served.exam("addcategory", &pairs).await,
            json!({"gid": 1001, "status": "ok"}),
            "{mode:?}"
        );
        let twin = served.exam("addcategory", &pairs).await;
        assert_eq!((&twin["gid"], twin["status"].as_str()), (&gid, Some(status)), "{mode}");
    }
    let served = Served::with(&[("addcategory_twin", "error")]).await;
    served.exam("addcategory", &[("parentGid", "0"), ("title", "a")]).await;
    assert_eq!(served.exam("addcategory", &[("parentGid", "0"), ("title", "a")]).await["status"], "error");
    let empty = served.exam("addcategory", &[("parentGid", "0"), ("title", "")]).await;
    assert_eq!(empty, json!({"error": "the title cannot be empty", "status": "error"}));
}
