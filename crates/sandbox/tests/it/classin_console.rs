//! The school by hand, in the process and over HTTP; rate limit, slow answers, what several calls at once meet.

use std::time::{Duration, Instant};

use rosterd_sandbox::AccountView;
use serde_json::{Value, json};

use crate::client::{Served, encode, md5_hex};

fn top(answer: &Value) -> i64 {
    answer["error_info"]["errno"].as_i64().unwrap()
}

struct School {
    served: Served,
    course: i64,
    class: i64,
    uid: i64,
}

async fn school() -> School {
    let served = Served::with(&[("duplicate_window_s", "0")]).await;
    let course = served.sandbox.create_course("course");
    let class = served.sandbox.create_class(course, "class");
    let uid = served.sandbox.create_account("Li Lei", Some("13800000000"));
    School { served, course, class, uid }
}

impl School {
    /// A deed over HTTP: status and text.
    async fn deed(&self, deed: &str, pairs: &[(&str, &str)]) -> (u16, String) {
        let url = self.served.url(&format!("/_sandbox/classin/{deed}?{}", encode(pairs)));
        let answer = self.served.send(self.served.http.post(url)).await.unwrap();
        (answer.status, answer.text)
    }

    /// A deed about the class; it must be done.
    async fn at_class(&self, deed: &str, pairs: &[(&str, &str)]) {
        let (course, class) = (self.course.to_string(), self.class.to_string());
        let mut all = vec![("course", course.as_str()), ("class", class.as_str())];
        all.extend(pairs);
        assert_eq!(self.deed(deed, &all).await, (200, String::new()), "{deed} {pairs:?}");
    }

    /// The code of adding the account to the class.
    async fn add(&self) -> i64 {
        let answer = self.served.classin("addClassStudentMultiple", &self.pairs()).await;
        if top(&answer) == 1 { answer["data"][0]["errno"].as_i64().unwrap() } else { top(&answer) }
    }

    fn pairs(&self) -> [(&'static str, &'static str); 4] {
        let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        [
            ("courseId", leak(self.course.to_string())),
            ("classId", leak(self.class.to_string())),
            ("identity", "1"),
            ("studentJson", leak(format!(r#"[{{"uid":"{}","customColumn":"t"}}]"#, self.uid))),
        ]
    }

    async fn accounts(&self) -> Vec<AccountView> {
        let url = self.served.url("/_sandbox/classin/accounts");
        let answer = self.served.send(self.served.http.get(url)).await.unwrap();
        serde_json::from_str(&answer.text).unwrap()
    }
}

#[tokio::test]
async fn what_a_person_does_in_the_console_is_done_over_http_too() {
    let school = school().await;
    let uid = school.uid.to_string();
    for (role, code) in [("teacher", 129), ("co-teacher", 329), ("head-teacher", 333), ("auditor", 164)] {
        school.at_class("role", &[("uid", &uid), ("role", role)]).await;
        assert_eq!(school.add().await, code, "{role}");
        school.at_class("role", &[("uid", &uid), ("role", "none")]).await;
    }
    school.at_class("add-member", &[("uid", &uid)]).await;
    assert_eq!(school.add().await, 166);
    school.at_class("remove-member", &[("uid", &uid)]).await;
    let other = school.deed("create-account", &[("name", "n")]).await.1;
    school.at_class("add-member", &[("uid", &other)]).await;
    school.at_class("capacity", &[("students", "1")]).await;
    assert_eq!(school.add().await, 157);
    school.at_class("capacity", &[("students", "2")]).await;
    assert_eq!(school.add().await, 1);
    school.at_class("end-class", &[]).await;
    assert_eq!(school.add().await, 145);
    school.at_class("delete-class", &[]).await;
    assert_eq!(school.add().await, 212);
}

#[tokio::test]
async fn courses_classes_and_accounts_are_made_and_looked_at_over_http() {
    let school = school().await;
    let course = school.deed("create-course", &[("title", "c")]).await.1;
    let class = school.deed("create-class", &[("course", &course), ("title", "k")]).await.1;
    let uid = school.deed("create-account", &[("name", "Han Meimei"), ("contact", "13900000000")]).await.1;
    let uid: i64 = uid.parse().unwrap();
    assert_eq!(school.served.sandbox.account("13900000000"), Some(uid));
    assert!(
        school.served.sandbox.courses()[&course.parse().unwrap()]
            .classes
            .contains_key(&class.parse().unwrap())
    );
    let account = school.accounts().await.into_iter().find(|account| account.uid == uid).unwrap();
    assert_eq!((account.school_name.as_deref(), account.is_student), (Some("Han Meimei"), true));
    assert_eq!(school.deed("leave-school", &[("uid", &uid.to_string())]).await.0, 200);
    assert_eq!(school.deed("cancel-account", &[("uid", &uid.to_string())]).await.0, 200);
    let account = school.accounts().await.into_iter().find(|account| account.uid == uid).unwrap();
    assert_eq!((account.school_name, account.is_student, account.cancelled), (None, false, true));
    assert_eq!(school.served.sandbox.account("13900000000"), None);
}

#[tokio::test]
async fn a_deed_that_cannot_be_done_says_why_and_changes_nothing() {
    let school = school().await;
    let (course, class) = (school.course.to_string(), school.class.to_string());
    for (deed, pairs, part) in [
        ("no-deed", vec![], "there is no deed no-deed"),
        ("cancel-account", vec![("uid", "5")], "there is no account 5"),
        ("cancel-account", vec![("uid", "x")], "uid is no number"),
        ("cancel-account", vec![], "uid is missing"),
        ("cancel-account", vec![("uid", "5"), ("class", "1")], "class is not asked for"),
        ("end-class", vec![("course", "5"), ("class", "1")], "there is no course 5"),
        ("end-class", vec![("course", &course), ("class", "1")], "has no class 1"),
        ("end-class", vec![("course", &course)], "class is missing"),
        ("capacity", vec![("course", &course), ("students", "-1")], "students is no capacity"),
        ("capacity", vec![("course", &course), ("class", &class)], "students is missing"),
        ("role", vec![("course", &course), ("uid", "1001001"), ("role", "king")], "there is no role king"),
        ("create-class", vec![("course", "5"), ("title", "k")], "there is no course 5"),
    ] {
        let (status, text) = school.deed(deed, &pairs).await;
        assert!(status == 400 && text.contains(part), "{deed} {pairs:?}: {status} {text}");
    }
    assert_eq!(school.add().await, 1);
}

#[tokio::test]
async fn the_name_in_the_schools_list_is_that_of_joining_until_it_is_edited() {
    let school = school().await;
    let served = &school.served;
    let name = |uid| served.sandbox.school_name(uid);
    assert_eq!(name(school.uid).as_deref(), Some("Li Lei"));
    let outside = served.sandbox.create_outside_account("own nickname", "13900000000");
    assert_eq!(name(outside), None);
    let again = r#"[{"telephone":"13900000000","password":"123456","nickname":"given","addToSchoolMember":1},
        {"telephone":"13700000000","password":"123456","nickname":"given","addToSchoolMember":1}]"#;
    served.classin("registerMultiple", &[("userJson", again)]).await;
    assert_eq!(name(outside).as_deref(), Some("own nickname"), "a nickname counts at the first registration");
    let new = served.sandbox.account("13700000000").unwrap();
    assert_eq!(name(new).as_deref(), Some("given"));
    let long = "王".repeat(25);
    let uid = new.to_string();
    let pairs = [("studentUid", uid.as_str()), ("studentName", long.as_str())];
    assert_eq!(top(&served.classin("editSchoolStudent", &pairs).await), 1);
    assert_eq!(name(new), Some("王".repeat(24)));
    let account = school.accounts().await.into_iter().find(|account| account.uid == new).unwrap();
    assert_eq!((account.nickname.as_str(), account.password_md5), ("given", md5_hex("123456")));
}

#[tokio::test]
async fn codes_that_say_that_something_was_done_are_done_also_at_the_top_of_several() {
    let school = school().await;
    let served = &school.served;
    served.set("refuse_call", "registerMultiple:820");
    let asked = r#"[{"telephone":"13700000000","password":"123456","addToSchoolMember":1}]"#;
    let answer = served.classin("registerMultiple", &[("userJson", asked)]).await;
    assert_eq!((top(&answer), answer.get("data")), (820, None));
    let uid = served.sandbox.account("13700000000").unwrap();
    assert!(!served.sandbox.is_school_student(uid));
    served.set("refuse_call", "addCourseStudentMultiple:841");
    let answer = served.classin("addCourseStudentMultiple", &school.pairs()).await;
    assert_eq!((top(&answer), answer.get("data")), (841, None));
    assert!(served.sandbox.course_members(school.course).contains(&school.uid));
}

#[tokio::test]
async fn calls_above_the_limit_are_refused_as_set_and_change_nothing() {
    let school = school().await;
    let served = &school.served;
    served.set("classin.qps_limit", "1");
    assert_eq!(school.add().await, 1);
    served.sandbox.remove_class_member(school.course, school.class, school.uid);
    let pairs = school.pairs();
    let limited = || served.try_classin("addClassStudentMultiple", &pairs);
    let answer = limited().await.unwrap();
    assert_eq!((answer.status, answer.headers.get("retry-after")), (429, None));
    served.set("classin.over_limit", "101003001");
    assert_eq!(top(&limited().await.unwrap().json()), 101_003_001);
    served.set("classin.over_limit", "drop");
    assert!(limited().await.is_err());
    assert!(served.sandbox.class_members(school.course, school.class).is_empty());
    let answered: Vec<String> = served.sandbox.journal().into_iter().map(|entry| entry.answered).collect();
    assert_eq!(answered, ["ok", "429", "101003001", "dropped"]);
    served.set("classin.qps_limit", "0");
    assert_eq!(school.add().await, 1);
}

#[tokio::test]
async fn a_slow_answer_of_classin_is_applied_at_once_and_arrives_whole() {
    let school = school().await;
    let served = &school.served;
    served.set("slow_body", "addClassStudentMultiple:400");
    let begun = Instant::now();
    assert_eq!(school.add().await, 1);
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    served.set("delay", "delClassStudentMultiple:60000");
    let uids = format!("[{}]", school.uid);
    let mut pairs = school.pairs();
    pairs[3] = ("studentUidJson", &uids);
    let waits = served.try_classin("delClassStudentMultiple", &pairs);
    let applied = async {
        while !served.sandbox.class_members(school.course, school.class).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        answer = waits => panic!("{answer:?}"),
        () = applied => {}
    }
}

#[tokio::test]
async fn somebody_edits_the_members_of_a_whole_course_between_two_calls() {
    let school = school().await;
    let served = &school.served;
    let [course, _, identity, students] = school.pairs();
    let pairs = [course, identity, students];
    served.set("foreign_edit", &format!("addCourseStudentMultiple:add/{}", school.uid));
    let answer = served.classin("addCourseStudentMultiple", &pairs).await;
    assert_eq!(answer["data"][0]["errno"], json!(163));
    served.set("foreign_edit", "addCourseStudentMultiple:remove");
    let answer = served.classin("addCourseStudentMultiple", &pairs).await;
    assert_eq!(answer["data"][0]["errno"], json!(1));
    served.set("account_cancelled", "addSchoolStudent");
    let pairs = [("studentAccount", "13800000000"), ("studentName", "n")];
    assert_eq!(top(&served.classin("addSchoolStudent", &pairs).await), 886);
}

#[tokio::test]
async fn the_same_parameters_count_whatever_became_of_the_first_call() {
    let school = school().await;
    let served = &school.served;
    served.set("duplicate_window_s", "60");
    served.set("lose_answer", "register");
    let pairs = [("telephone", "13700000000"), ("password", "secret1")];
    assert!(served.try_classin("register", &pairs).await.is_err());
    assert!(served.sandbox.account("13700000000").is_some());
    assert_eq!(top(&served.classin("register", &pairs).await), 101_003_002);
    // Another password makes other parameters of it.
    let pairs = [("telephone", "13700000000"), ("password", "secret2")];
    assert_eq!(top(&served.classin("register", &pairs).await), 135);
    // A call that never arrived does not count.
    served.set("drop_request", "addSchoolStudent");
    let pairs = [("studentAccount", "13700000000"), ("studentName", "n")];
    assert!(served.try_classin("addSchoolStudent", &pairs).await.is_err());
    assert_eq!(top(&served.classin("addSchoolStudent", &pairs).await), 1);
    assert_eq!(top(&served.classin("addSchoolStudent", &pairs).await), 101_003_002);
    // Classes know no such rule.
    assert_eq!((school.add().await, school.add().await), (1, 166));
}
