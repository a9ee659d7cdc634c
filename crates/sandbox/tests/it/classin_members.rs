//! Members of classes and courses: samples, codes, the decision table's cases, switches.

use rosterd_sandbox::{ClassKind, ClassOrigin, CourseStatus, Role};
use serde_json::{Value, json};

use crate::client::{Served, md5_hex, now};

const DONE: &str = "程序正常执行";

struct School {
    served: Served,
    course: i64,
    class: i64,
    uids: Vec<i64>,
}

async fn school(students: usize, switches: &[(&str, &str)]) -> School {
    let served = Served::with(switches).await;
    let course = served.sandbox.create_course("course");
    let class = served.sandbox.create_class(course, "class");
    let uids = (0..students).map(|_| served.sandbox.create_account("n", None)).collect();
    School { served, course, class, uids }
}

impl School {
    async fn members(&self, action: &str, name: &str, json: &str) -> Value {
        let (course, class) = (self.course.to_string(), self.class.to_string());
        let pairs = [("courseId", course.as_str()), ("classId", &class), ("identity", "1"), (name, json)];
        self.served.classin(action, &pairs).await
    }

    async fn add(&self, uids: &[i64]) -> Value {
        self.members("addClassStudentMultiple", "studentJson", &student_json(uids)).await
    }

    async fn remove(&self, uids: &[i64]) -> Value {
        self.members("delClassStudentMultiple", "studentUidJson", &format!("{uids:?}")).await
    }

    async fn add_to_course(&self, uids: &[i64]) -> Value {
        self.members("addCourseStudentMultiple", "studentJson", &student_json(uids)).await
    }

    async fn remove_from_course(&self, uids: &[i64]) -> Value {
        self.members("delCourseStudentMultiple", "studentUidJson", &format!("{uids:?}")).await
    }

    fn inside(&self) -> Vec<i64> {
        self.served.sandbox.class_members(self.course, self.class).into_iter().collect()
    }
}

fn student_json(uids: &[i64]) -> String {
    let items: Vec<String> =
        uids.iter().map(|uid| format!(r#"{{"uid":"{uid}","customColumn":"t{uid}"}}"#)).collect();
    format!("[{}]", items.join(","))
}

fn codes(answer: &Value) -> Vec<i64> {
    answer["data"].as_array().unwrap().iter().map(|item| item["errno"].as_i64().unwrap()).collect()
}

fn top(answer: &Value) -> i64 {
    answer["error_info"]["errno"].as_i64().unwrap()
}

#[tokio::test]
async fn the_samples_answer_as_documented() {
    let served = Served::sample().await;
    let done = json!({"errno": 1, "error": DONE});
    let signed = "SID=2339736&safeKey=ebb4181fcf497713b31666e61b297995&timeStamp=1493726450";
    let with_token = json!({"customColumn": "123", "errno": 1, "error": DONE});
    for (action, rest, data) in [
        (
            "addClassStudentMultiple",
            "courseId=523689&classId=1419691&identity=1&studentJson=[{\"uid\":\"1001001\",\"customColumn\":123},{\"uid\":\"1001002\",\"customColumn\":123}]",
            Some(json!([with_token, with_token])),
        ),
        (
            "delClassStudentMultiple",
            "courseId=542163&classId=1474563&identity=1&studentUidJson=[\"1001001\"]",
            Some(json!([done])),
        ),
        ("register", "telephone=18516900101&password=123456&addToSchoolMember=1", Some(json!(1_001_930))),
        (
            "addCourseStudentMultiple",
            "courseId=490583&identity=1&studentJson=[{\"uid\":\"1001001\",\"customColumn\":123}]",
            Some(json!([with_token])),
        ),
        (
            "delCourseStudentMultiple",
            "courseId=490583&identity=1&studentUidJson=[\"1001001\"]",
            Some(json!([done])),
        ),
        (
            "addCourseClassStudent",
            "courseId=490583&studentUid=1001001&classJson=[1395045,1395044,1395043]",
            Some(json!([done, done, done])),
        ),
        ("addCourseStudent", "courseId=490583&identity=1&studentUid=1001002", None),
        ("delCourseStudent", "courseId=490583&identity=1&studentUid=1001002", None),
    ] {
        let path = format!("/partner/api/course.api.php?action={action}");
        let answer = served.send(served.post(&path, &format!("{signed}&{rest}"))).await.unwrap().json();
        let mut expected = json!({"error_info": done});
        if let Some(data) = data {
            expected["data"] = data;
        }
        assert_eq!(answer, expected, "{action}");
    }
}

#[tokio::test]
async fn the_bytes_of_the_python_client_are_understood() {
    let served = Served::sample().await;
    let body = "SID=2339736&timeStamp=1795281986&safeKey=45ded87ac0c610f63b609121c99eb815&courseId=523689&classId=1419691&identity=1&studentJson=%5B%7B%22uid%22%3A+1001001%2C+%22name%22%3A+%22%5Cu5c0f%5Cu4e2b%22%2C+%22customColumn%22%3A+%22s1%22%7D%2C+%7B%22uid%22%3A+%221001002%22%2C+%22customColumn%22%3A+%22s2%22%7D%5D";
    let path = "/partner/api/course.api.php?action=addClassStudentMultiple";
    let answer = served.send(served.post(path, body)).await.unwrap().json();
    assert_eq!(answer["data"][1], json!({"customColumn": "s2", "errno": 1, "error": DONE}));
}

#[tokio::test]
async fn a_key_of_time_then_secret_upper_case_or_a_stale_stamp_is_102() {
    let served = Served::sample().await;
    let key = md5_hex("topsecret1493726450");
    let path = "/partner/api/course.api.php?action=delClassStudentMultiple";
    let rest = "courseId=1&classId=1&identity=1&studentUidJson=%5B1%5D";
    for (sid, key, stamp, code) in [
        ("2339736", "78c0b5f1a7a9a2fe2349366b9f8080b9", "1493726450", 102),
        ("2339736", &key.to_uppercase(), "1493726450", 102),
        ("2339736", &key, "1493726451", 102),
        ("2339737", &key, "1493726450", 102),
        ("2339736", &key, "", 102),
        ("2339736", &key, "1493726450", 144),
    ] {
        let body = format!("SID={sid}&safeKey={key}&timeStamp={stamp}&{rest}");
        let answer = served.send(served.post(path, &body)).await.unwrap().json();
        assert_eq!(top(&answer), code, "{sid} {key} {stamp}");
    }
    let wrong_case = format!("sid=2339736&safeKey={key}&timestamp=1493726450&{rest}");
    assert_eq!(top(&served.send(served.post(path, &wrong_case)).await.unwrap().json()), 102);
}

#[tokio::test]
async fn the_window_is_twenty_minutes_on_the_sides_that_are_set() {
    let served = Served::with(&[]).await;
    for (sides, offset, code) in [
        ("both", 0, 144),
        ("both", -1150, 144),
        ("both", 1150, 144),
        ("both", -1300, 102),
        ("both", 1300, 102),
        ("past_only", 60, 102),
    ] {
        served.set("clock_sides", sides);
        let stamp = now() + offset;
        let key = md5_hex(&format!("topsecret{stamp}"));
        let body = format!(
            "SID=2339736&safeKey={key}&timeStamp={stamp}&courseId=1&classId=1&identity=1&studentUidJson=[1]"
        );
        let path = "/partner/api/course.api.php?action=delClassStudentMultiple";
        let answer = served.send(served.post(path, &body)).await.unwrap().json();
        assert_eq!(top(&answer), code, "{sides} {offset}");
    }
}

#[tokio::test]
async fn a_get_is_100_an_unknown_or_retired_action_102_and_another_path_is_not_found() {
    let school = school(1, &[]).await;
    let served = &school.served;
    let url = served.url("/partner/api/course.api.php?action=register");
    assert_eq!(top(&served.send(served.http.get(url)).await.unwrap().json()), 100);
    assert_eq!(top(&served.classin("getCourseStudent", &[]).await), 102);
    served.sandbox.retire_action("addClassStudentMultiple");
    assert_eq!(top(&school.add(&school.uids).await), 102);
    served.sandbox.set_permission(false);
    assert_eq!(top(&school.remove(&school.uids).await), 102);
    let other = served.send(served.post("/partner/api/other.php", "")).await.unwrap();
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn adding_twice_is_166_and_removing_twice_167() {
    let school = school(2, &[]).await;
    assert_eq!(codes(&school.add(&school.uids).await), [1, 1]);
    assert_eq!(codes(&school.add(&school.uids).await), [166, 166]);
    assert_eq!(school.inside(), school.uids);
    assert_eq!(codes(&school.remove(&school.uids).await), [1, 1]);
    assert_eq!(codes(&school.remove(&school.uids).await), [167, 167]);
    assert!(school.inside().is_empty());
}

#[tokio::test]
async fn each_person_gets_the_code_of_their_own_state_in_the_order_of_the_request() {
    let school = school(9, &[]).await;
    let [fine, out, cancelled, teacher, co_teacher, of_course, head, auditor, student] = school.uids[..]
    else {
        panic!("nine")
    };
    let sandbox = &school.served.sandbox;
    sandbox.leave_school(out);
    sandbox.cancel_account(cancelled);
    sandbox.set_role(school.course, Some(school.class), teacher, Role::Teacher);
    sandbox.set_role(school.course, Some(school.class), co_teacher, Role::CoTeacher);
    sandbox.set_role(school.course, None, of_course, Role::Teacher);
    sandbox.set_role(school.course, None, head, Role::HeadTeacher);
    sandbox.set_role(school.course, None, auditor, Role::Auditor);
    sandbox.set_role(school.course, None, student, Role::CourseStudent);
    let answer =
        school.add(&[5, out, cancelled, teacher, co_teacher, of_course, head, auditor, student, fine]).await;
    assert_eq!(top(&answer), 1);
    assert_eq!(codes(&answer), [400, 228, 886, 129, 329, 332, 333, 164, 166, 1]);
    assert_eq!(answer["data"][0]["customColumn"], "t5");
    assert_eq!(school.inside(), [fine]);
    let course =
        school.add_to_course(&[5, out, cancelled, teacher, of_course, head, auditor, student, fine]).await;
    assert_eq!(codes(&course), [400, 228, 886, 129, 332, 333, 164, 163, 1]);
}

#[tokio::test]
async fn a_class_that_is_over_deleted_open_or_made_elsewhere_condemns_the_call() {
    let school = school(1, &[]).await;
    let sandbox = &school.served.sandbox;
    let other = sandbox.create_course("other");
    type Prepare<'a> = Box<dyn Fn(i64) + 'a>;
    let cases: [(i64, Prepare<'_>); 6] = [
        (145, Box::new(|class| sandbox.end_class(school.course, class))),
        (212, Box::new(|class| sandbox.delete_class(school.course, class))),
        (466, Box::new(|class| sandbox.set_class_origin(school.course, class, ClassOrigin::Client))),
        (369, Box::new(|class| sandbox.set_class_kind(school.course, class, ClassKind::Open))),
        (1, Box::new(|class| sandbox.set_class_origin(school.course, class, ClassOrigin::V2))),
        (1, Box::new(|_| {})),
    ];
    for (code, prepare) in cases {
        let class = sandbox.create_class(school.course, "c");
        prepare(class);
        for (action, name) in
            [("addClassStudentMultiple", "studentJson"), ("delClassStudentMultiple", "studentUidJson")]
        {
            let list =
                if name == "studentJson" { student_json(&school.uids) } else { format!("{:?}", school.uids) };
            let (course, class) = (school.course.to_string(), class.to_string());
            let pairs =
                [("courseId", course.as_str()), ("classId", &class), ("identity", "1"), (name, &list)];
            assert_eq!(top(&school.served.classin(action, &pairs).await), code, "{action}");
        }
    }
    for (course, class, code) in [(1, school.class, 144), (school.course, 1, 143), (other, school.class, 142)]
    {
        let (course, class) = (course.to_string(), class.to_string());
        let list = student_json(&school.uids);
        let pairs =
            [("courseId", course.as_str()), ("classId", &class), ("identity", "1"), ("studentJson", &list)];
        assert_eq!(top(&school.served.classin("addClassStudentMultiple", &pairs).await), code, "{course:?}");
    }
}

#[tokio::test]
async fn when_a_class_is_over_and_who_may_edit_it_is_as_set() {
    let school = school(1, &[]).await;
    let sandbox = &school.served.sandbox;
    sandbox.set_class_end(school.course, school.class, now() - 60);
    for (from, code) in [("end", 145), ("end_plus_20min", 1)] {
        school.served.set("ended_from", from);
        assert_eq!(top(&school.add(&school.uids).await), code, "{from}");
    }
    for (origin, switch, open, closed) in [
        (ClassOrigin::Client, "client_made", "allowed", "466"),
        (ClassOrigin::V2, "v2_made", "allowed", "466"),
    ] {
        sandbox.set_class_origin(school.course, school.class, origin);
        school.served.set(switch, open);
        assert_eq!(top(&school.add(&school.uids).await), 1, "{origin:?}");
        school.served.set(switch, closed);
        assert_eq!(top(&school.add(&school.uids).await), 466, "{origin:?}");
    }
}

#[tokio::test]
async fn a_course_that_is_unknown_deleted_or_expired_condemns_the_call() {
    let school = school(1, &[]).await;
    let sandbox = &school.served.sandbox;
    for (status, class_level, add, remove) in [
        (CourseStatus::Deleted, 144, 149, 147),
        (CourseStatus::Expired, 145, 153, 153),
        (CourseStatus::Running, 1, 1, 1),
    ] {
        sandbox.set_course_status(school.course, status);
        assert_eq!(top(&school.add(&school.uids).await), class_level, "{status:?}");
        assert_eq!(top(&school.add_to_course(&school.uids).await), add, "{status:?}");
        assert_eq!(top(&school.remove_from_course(&school.uids).await), remove, "{status:?}");
    }
    let list = student_json(&school.uids);
    let pairs = [("courseId", "5"), ("identity", "1"), ("studentJson", list.as_str())];
    assert_eq!(top(&school.served.classin("addCourseStudentMultiple", &pairs).await), 147);
}

#[tokio::test]
async fn a_condemning_code_stands_at_the_top_at_the_items_or_at_both() {
    let school = school(2, &[]).await;
    school.served.sandbox.end_class(school.course, school.class);
    for (level, expected_top, items) in
        [("top", 145, None), ("items", 1, Some([145; 2])), ("both", 145, Some([145; 2]))]
    {
        school.served.set("class_error_level", level);
        let answer = school.add(&school.uids).await;
        assert_eq!(top(&answer), expected_top, "{level}");
        assert_eq!(answer.get("data").map(|_| codes(&answer)), items.map(Vec::from), "{level}");
    }
}

#[tokio::test]
async fn arrays_identity_and_parameters_are_checked_in_that_order_of_codes() {
    let school = school(1, &[]).await;
    let list = student_json(&school.uids);
    let (course, class) = (school.course.to_string(), school.class.to_string());
    let call =
        async |pairs: &[(&str, &str)]| top(&school.served.classin("addClassStudentMultiple", pairs).await);
    let ids = [("courseId", course.as_str()), ("classId", class.as_str())];
    for json in ["", "[]", "{}", "['1']", "x"] {
        assert_eq!(call(&[ids[0], ids[1], ("identity", "1"), ("studentJson", json)]).await, 155, "{json}");
    }
    assert_eq!(call(&[ids[0], ("identity", "1"), ("studentJson", &list)]).await, 100);
    assert_eq!(call(&[ids[0], ids[1], ("identity", "2"), ("studentJson", &list)]).await, 159);
    assert_eq!(call(&[ids[0], ids[1], ("studentJson", &list)]).await, 1);
    school.served.set("identity_missing", "100");
    assert_eq!(call(&[ids[0], ids[1], ("studentJson", &list)]).await, 100);
    school.served.set("batch_cap", "1");
    let two = student_json(&[1, 2]);
    assert_eq!(call(&[ids[0], ids[1], ("identity", "1"), ("studentJson", &two)]).await, 100);
}

#[tokio::test]
async fn an_item_without_uid_and_a_uid_named_twice_have_codes_of_their_own() {
    let school = school(1, &[]).await;
    let uid = school.uids[0];
    let json = format!(r#"[{{"account":"x"}},{{"uid":{uid}}},{{"uid":"{uid}"}}]"#);
    let answer = school.members("addClassStudentMultiple", "studentJson", &json).await;
    assert_eq!(codes(&answer), [100, 1, 166]);
    assert!(answer["data"][0].get("customColumn").is_none(), "an empty token is not echoed");
    assert_eq!(codes(&school.add_to_course(&[uid, uid]).await), [1, 133]);
    school.served.set("uid_missing_in_item", "400");
    for (mode, second) in [("second_133", 133), ("both_one", 1), ("second_already", 166)] {
        school.served.set("duplicate_in_array", mode);
        let answer = school.members("addClassStudentMultiple", "studentJson", &json).await;
        assert_eq!(codes(&answer), [400, 166, second], "{mode}");
    }
}

#[tokio::test]
async fn a_full_class_takes_the_first_or_nobody() {
    let school = school(3, &[("class_capacity", "2"), ("course_capacity", "2")]).await;
    assert_eq!(codes(&school.add(&school.uids).await), [1, 1, 157]);
    assert_eq!(codes(&school.add_to_course(&school.uids).await), [1, 1, 130]);
    school.remove(&school.uids).await;
    school.remove_from_course(&school.uids).await;
    school.served.set("full_level", "top");
    assert_eq!(top(&school.add(&school.uids).await), 157);
    assert_eq!(top(&school.add_to_course(&school.uids).await), 130);
    assert!(school.inside().is_empty());
    school.served.sandbox.set_class_capacity(school.course, school.class, 3);
    assert_eq!(codes(&school.add(&school.uids).await), [1, 1, 1]);
}

#[tokio::test]
async fn auditors_have_twenty_places_of_their_own() {
    let school = school(21, &[]).await;
    let (course, list) = (school.course.to_string(), student_json(&school.uids));
    let pairs = [("courseId", course.as_str()), ("identity", "2"), ("studentJson", &list)];
    let answer = codes(&school.served.classin("addCourseStudentMultiple", &pairs).await);
    assert_eq!(answer[..20], [1; 20]);
    assert_eq!(answer[20], 130);
    school.served.set("auditor_cap", "21");
    let answer = codes(&school.served.classin("addCourseStudentMultiple", &pairs).await);
    assert_eq!((answer[0], answer[20]), (164, 1));
    let one = school.uids[0].to_string();
    let pairs = [("courseId", course.as_str()), ("identity", "2"), ("studentUid", &one)];
    assert_eq!(top(&school.served.classin("delCourseStudent", &pairs).await), 1);
    assert_eq!(top(&school.served.classin("delCourseStudent", &pairs).await), 162);
}

#[tokio::test]
async fn a_course_student_taken_out_of_a_class_is_transferred_out_and_comes_back() {
    for (mode, back) in [("restores", 1), ("166", 166), ("400", 400)] {
        let school = school(1, &[("transferred_out_at_class_add", mode)]).await;
        school.add_to_course(&school.uids).await;
        assert_eq!(codes(&school.add(&school.uids).await), [166], "{mode:?}");
        assert_eq!(codes(&school.remove(&school.uids).await), [1], "{mode:?}");
        assert_eq!(codes(&school.remove(&school.uids).await), [167], "{mode:?}");
        assert_eq!(codes(&school.add(&school.uids).await), [back], "{mode}");
    }
    let school = school(1, &[("course_student_at_class_add", "1")]).await;
    school.add_to_course(&school.uids).await;
    assert_eq!(codes(&school.add(&school.uids).await), [1]);
}

#[tokio::test]
async fn the_top_code_follows_the_items_as_set() {
    let school = school(2, &[]).await;
    school.add(&school.uids[..1]).await;
    for (mode, both, single) in [("one", 1, 1), ("first_failure", 166, 166), ("single_mirrors_item", 1, 166)]
    {
        school.served.set("top_level", mode);
        let answer = school.add(&school.uids).await;
        assert_eq!((top(&answer), codes(&answer)[0]), (both, 166), "{mode}");
        assert_eq!(top(&school.add(&school.uids[..1]).await), single, "{mode}");
        school.remove(&school.uids[1..]).await;
    }
}

#[tokio::test]
async fn tokens_errnos_texts_order_and_mark_are_written_as_set() {
    let school = school(2, &[]).await;
    let long = "x".repeat(60);
    let json =
        format!(r#"[{{"uid":{},"customColumn":7}},{{"uid":1,"customColumn":"{long}"}}]"#, school.uids[0]);
    let add = async || school.members("addClassStudentMultiple", "studentJson", &json).await;
    let answer = add().await;
    assert_eq!(answer["data"][0]["customColumn"], "7");
    assert_eq!(answer["data"][1]["customColumn"].as_str().unwrap().len(), 50);
    school.served.set("custom_column_echo", "as_sent");
    assert_eq!(add().await["data"][0]["customColumn"], 7);
    school.served.set("custom_column_echo", "missing");
    assert!(add().await["data"][0].get("customColumn").is_none());
    school.served.set("item_order", "reversed");
    assert_eq!(codes(&add().await), [400, 166]);
    school.served.set("errno_type", "string_for_class");
    assert_eq!(add().await["data"][0]["errno"], "400");
    assert!(school.add_to_course(&school.uids).await["error_info"]["errno"].is_i64());
    school.served.set("error_text", "misleading");
    assert!(add().await["data"][0]["error"].as_str().unwrap().contains("166"));
    school.served.set("error_text", "empty");
    assert_eq!(add().await["data"][0]["error"], "");
    school.served.set("bom", "on");
    let marked = school.served.try_classin("register", &[]).await.unwrap();
    assert!(
        marked.text.starts_with('\u{feff}') || marked.text.starts_with('{'),
        "reqwest may strip the mark"
    );
}

#[tokio::test]
async fn a_refused_call_has_the_data_that_is_set() {
    let served = Served::with(&[]).await;
    for (mode, data) in
        [("absent", None), ("[]", Some(json!([]))), ("null", Some(json!(null))), ("\"\"", Some(json!("")))]
    {
        served.set("data_on_failure", mode);
        let answer = served.classin("addClassStudentMultiple", &[]).await;
        assert_eq!(answer.get("data"), data.as_ref(), "{mode}");
        assert_eq!(top(&answer), 100);
    }
}

#[tokio::test]
async fn maintenance_limits_and_foreign_hosts_answer_before_anything_else() {
    let school = school(1, &[]).await;
    let served = &school.served;
    for (mode, status) in [("errno_901", 200), ("http_901", 901), ("html_200", 200), ("http_503", 503)] {
        served.set("maintenance", mode);
        let answer = served.try_classin("addClassStudentMultiple", &[]).await.unwrap();
        assert_eq!(answer.status, status, "{mode}");
        assert_eq!(answer.text.contains("901"), mode == "errno_901", "{mode}");
    }
    served.set("maintenance", "off");
    served.set("plain_http", "403");
    assert_eq!(served.try_classin("register", &[]).await.unwrap().status, 403);
    served.set("plain_http", "allowed");
    served.set("foreign_host", "404");
    let foreign = served.post("/partner/api/course.api.php?action=register", "").header("Host", "www.eeo.cn");
    assert_eq!(served.send(foreign).await.unwrap().status, 404);
    served.set("classin.qps_limit", "1");
    served.try_classin("register", &[]).await.unwrap();
    assert_eq!(served.try_classin("register", &[]).await.unwrap().status, 429);
    served.set("classin.over_limit", "101003001");
    assert_eq!(top(&served.classin("register", &[]).await), 101_003_001);
}

#[tokio::test]
async fn two_additions_to_one_course_at_once_are_464_unless_serialised() {
    let school = school(2, &[("classin.latency_ms", "800")]).await;
    let (first, second) = (&school.uids[..1], &school.uids[1..]);
    let (one, two) = tokio::join!(school.add_to_course(first), school.add_to_course(second));
    let mut tops = [top(&one), top(&two)];
    tops.sort_unstable();
    assert_eq!(tops, [1, 464]);
    school.served.set("concurrent_course_add", "serialised");
    let (one, two) = tokio::join!(school.add_to_course(first), school.add_to_course(second));
    assert_eq!([top(&one), top(&two)], [1, 1]);
    assert_eq!(school.served.sandbox.peak_in_flight(), 2);
}

#[tokio::test]
async fn multipart_any_field_order_and_a_repeated_action_are_accepted() {
    let school = school(1, &[]).await;
    let stamp = now();
    let key = md5_hex(&format!("topsecret{stamp}"));
    let fields = [
        ("action", "addClassStudentMultiple".to_owned()),
        ("studentJson", student_json(&school.uids)),
        ("identity", "1".to_owned()),
        ("classId", school.class.to_string()),
        ("courseId", school.course.to_string()),
        ("safeKey", key),
        ("timeStamp", stamp.to_string()),
        ("SID", "2339736".to_owned()),
    ];
    let parts: String = fields
        .iter()
        .map(|(name, value)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    let url = school.served.url("/partner/api/course.api.php?action=addClassStudentMultiple");
    let request = school.served.http.post(url).header("Content-Type", "multipart/form-data; boundary=b");
    let answer = school.served.send(request.body(format!("{parts}--b--\r\n"))).await.unwrap().json();
    assert_eq!(codes(&answer), [1]);
}
