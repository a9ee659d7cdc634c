//! register, registerMultiple, addSchoolStudent, editSchoolStudent: codes, the uid they carry, switches.

use serde_json::{Value, json};

use crate::client::Served;

fn top(answer: &Value) -> i64 {
    answer["error_info"]["errno"].as_i64().unwrap()
}

async fn served(switches: &[(&str, &str)]) -> Served {
    let mut all = vec![("duplicate_window_s", "0")];
    all.extend(switches);
    Served::with(&all).await
}

async fn register(served: &Served, pairs: &[(&str, &str)]) -> Value {
    let mut all = vec![("password", "secret1")];
    all.extend(pairs);
    served.classin("register", &all).await
}

#[tokio::test]
async fn a_new_account_answers_its_uid_and_an_existing_one_answers_it_too() {
    for (mode, phone_code, email_code) in [("135_461", 135, 461), ("135_both", 135, 135), ("1", 1, 1)] {
        let served = served(&[("existing_code", mode)]).await;
        for (name, contact, code) in
            [("telephone", "13800000000", phone_code), ("email", "a@example.org", email_code)]
        {
            let new = register(&served, &[(name, contact)]).await;
            assert_eq!(top(&new), 1, "{mode:?}");
            let again = register(&served, &[(name, contact)]).await;
            assert_eq!((top(&again), &again["data"]), (code, &new["data"]), "{mode} {name}");
            assert!(new["data"].as_i64().unwrap() > 0, "{mode:?}");
        }
    }
}

#[tokio::test]
async fn a_bad_phone_password_or_nothing_at_all_is_refused() {
    let served = served(&[]).await;
    for (phone, code) in [
        ("13800000000", 1),
        ("001-8006437676", 1),
        ("0086-13800000001", 134),
        ("00861380000000", 134),
        ("1380000000", 134),
        ("01380000000", 134),
        ("001-0800643767", 134),
        ("+8613800000000", 134),
    ] {
        assert_eq!(top(&register(&served, &[("telephone", phone)]).await), code, "{phone}");
    }
    for (name, value, code) in [
        ("password", "12345", 137),
        ("password", "123456789012345678901", 137),
        ("md5pass", "E10ADC3949BA59ABBE56E057F20F883E", 100),
        ("md5pass", "e10adc3949ba59abbe56e057f20f883e", 1),
    ] {
        let pairs = [("telephone", "13900000000"), (name, value)];
        assert_eq!(top(&served.classin("register", &pairs).await), code, "{name} {value}");
    }
    assert_eq!(top(&register(&served, &[]).await), 100);
    assert_eq!(top(&served.classin("register", &[("telephone", "13700000000")]).await), 100);
}

#[tokio::test]
async fn joining_the_school_is_asked_for_and_may_be_ignored_for_existing_accounts() {
    for (mode, joins) in [("joins", true), ("ignored", false)] {
        let served = served(&[("joined_on_existing", mode)]).await;
        let new = register(&served, &[("telephone", "13800000000"), ("addToSchoolMember", "1")]).await;
        assert!(served.sandbox.is_school_student(new["data"].as_i64().unwrap()), "{mode:?}");
        let outside = register(&served, &[("telephone", "13800000001")]).await;
        let uid = outside["data"].as_i64().unwrap();
        assert!(!served.sandbox.is_school_student(uid), "{mode:?}");
        register(&served, &[("telephone", "13800000001"), ("addToSchoolMember", "1")]).await;
        assert_eq!(served.sandbox.is_school_student(uid), joins, "{mode}");
    }
}

#[tokio::test]
async fn the_same_parameters_within_the_window_are_101003002() {
    for (scope, second) in [("ignore_auth_fields", 101_003_002), ("all_fields", 101_003_002)] {
        let served = Served::with(&[("duplicate_scope", scope)]).await;
        let pairs = [("telephone", "13800000000"), ("password", "secret1")];
        // Signed at the same second most of the time; where not, all_fields sees other parameters.
        let first = crate::client::now();
        assert_eq!(top(&served.classin("register", &pairs).await), 1, "{scope:?}");
        let code = top(&served.classin("register", &pairs).await);
        if scope == "ignore_auth_fields" || first == crate::client::now() {
            assert_eq!(code, second, "{scope}");
        }
        let other = [("telephone", "13800000001"), ("password", "secret1")];
        assert_eq!(top(&served.classin("register", &other).await), 1, "{scope:?}");
        let school = [("studentAccount", "13800000001"), ("studentName", "n")];
        assert_eq!(top(&served.classin("addSchoolStudent", &school).await), 1, "{scope:?}");
    }
}

#[tokio::test]
async fn a_registration_that_could_not_join_is_820_with_or_without_the_uid() {
    let served = served(&[]).await;
    for (mode, phone, carries) in [("yes", "13800000000", true), ("no", "13800000001", false)] {
        served.set("uid_in_820", mode);
        served.set("refuse_call", "register:820");
        let answer = register(&served, &[("telephone", phone), ("addToSchoolMember", "1")]).await;
        assert_eq!((top(&answer), answer.get("data").is_some()), (820, carries), "{mode}");
        assert!(!served.sandbox.is_school_student(served.sandbox.account(phone).unwrap()), "{mode:?}");
    }
}

#[tokio::test]
async fn several_accounts_are_registered_at_once_and_identify_themselves() {
    let served = served(&[]).await;
    register(&served, &[("telephone", "13800000001")]).await;
    let json = r#"[{"telephone":13800000000,"password":123456,"customColumn":"s1","addToSchoolMember":1},
        {"telephone":"13800000001","password":"123456"},{"telephone":"1","password":"123456"},
        {"email":"a@example.org","password":"123","customColumn":4}]"#;
    let answer = served.classin("registerMultiple", &[("userJson", json)]).await;
    let items = answer["data"].as_array().unwrap();
    let codes: Vec<&Value> = items.iter().map(|item| &item["errno"]).collect();
    assert_eq!(codes, [1, 135, 134, 137]);
    let uid = served.sandbox.account("13800000000").unwrap();
    assert_eq!((&items[0]["data"], &items[0]["telephone"]), (&json!(uid), &json!("13800000000")));
    assert_eq!((&items[0]["customColumn"], &items[3]["customColumn"]), (&json!("s1"), &json!("4")));
    assert!(served.sandbox.is_school_student(uid));
    let eleven = format!("[{}]", [r#"{"telephone":"13800000000","password":"123456"}"#; 11].join(","));
    assert_eq!(top(&served.classin("registerMultiple", &[("userJson", &eleven)]).await), 450);
    assert_eq!(top(&served.classin("registerMultiple", &[("userJson", "")]).await), 155);
}

#[tokio::test]
async fn types_of_errno_and_uid_are_as_set() {
    let served = served(&[("register_errno_type", "string"), ("uid_type", "string")]).await;
    let answer = register(&served, &[("telephone", "13800000000")]).await;
    assert_eq!((&answer["error_info"]["errno"], answer["data"].is_string()), (&json!("1"), true));
    let other =
        served.classin("addSchoolStudent", &[("studentAccount", "13800000000"), ("studentName", "n")]).await;
    assert!(other["error_info"]["errno"].is_i64());
}

#[tokio::test]
async fn a_school_student_needs_a_living_account_and_a_name() {
    let served = served(&[]).await;
    let outside = register(&served, &[("telephone", "13800000000")]).await["data"].as_i64().unwrap();
    let own = register(&served, &[("telephone", "13800000001")]).await["data"].as_i64().unwrap();
    let gone = register(&served, &[("telephone", "13800000002")]).await["data"].as_i64().unwrap();
    served.sandbox.make_school_account(own);
    served.sandbox.cancel_account(gone);
    for (account, name, code) in [
        ("13800000000", "Jeck", 1),
        ("13800000000", "Jeck", 133),
        ("13800000001", "Jeck", 128),
        ("13800000002", "Jeck", 886),
        ("13800000003", "Jeck", 113),
        ("138", "Jeck", 134),
        ("13800000003", "", 100),
    ] {
        let answer =
            served.classin("addSchoolStudent", &[("studentAccount", account), ("studentName", name)]).await;
        assert_eq!(top(&answer), code, "{account} {name}");
        if code == 1 {
            let relation = answer["data"].as_i64().unwrap();
            assert_ne!(relation, outside, "the relation id is not a uid");
        }
    }
    served.set("relation_id", "off");
    served.sandbox.leave_school(outside);
    let pairs = [("studentAccount", "13800000000"), ("studentName", "n")];
    assert!(served.classin("addSchoolStudent", &pairs).await.get("data").is_none());
    let uid = outside.to_string();
    let rename = [("studentUid", uid.as_str()), ("studentName", "new")];
    assert_eq!(top(&served.classin("editSchoolStudent", &rename).await), 1);
    served.sandbox.leave_school(outside);
    assert_eq!(top(&served.classin("editSchoolStudent", &rename).await), 228);
}

#[tokio::test]
async fn who_cancelled_an_account_and_registers_again_has_a_new_uid() {
    let served = served(&[]).await;
    let old = register(&served, &[("telephone", "13800000000")]).await["data"].as_i64().unwrap();
    served.sandbox.cancel_account(old);
    let new = register(&served, &[("telephone", "13800000000")]).await;
    assert_eq!(top(&new), 1);
    assert_ne!(new["data"].as_i64().unwrap(), old);
}

#[tokio::test]
async fn one_account_registered_by_two_calls_at_once_is_131_unless_serialised() {
    let served = served(&[("classin.latency_ms", "800")]).await;
    let pairs = [("telephone", "13800000000")];
    let (one, two) = tokio::join!(register(&served, &pairs), register(&served, &pairs));
    let mut tops = [top(&one), top(&two)];
    tops.sort_unstable();
    assert_eq!(tops, [1, 131]);
    served.set("concurrent_register", "serialised");
    let (one, two) = tokio::join!(register(&served, &pairs), register(&served, &pairs));
    assert_eq!([top(&one), top(&two)], [135, 135]);
}
