//! What the owners of accounts do, and who attends a class: over HTTP, as a test in another process would do it.

use rosterd_sandbox::{Sandbox, SandboxSettings};
use serde_json::Value;

use crate::client::{Served, encode};

struct School {
    served: Served,
    course: i64,
    class: i64,
}

async fn school() -> School {
    let served = Served::with(&[("duplicate_window_s", "0")]).await;
    let course = served.sandbox.create_course("course");
    let class = served.sandbox.create_class(course, "class");
    School { served, course, class }
}

impl School {
    async fn deed(&self, deed: &str, pairs: &[(&str, &str)]) -> String {
        let url = self.served.url(&format!("/_sandbox/classin/{deed}?{}", encode(pairs)));
        let answer = self.served.send(self.served.http.post(url)).await.unwrap();
        assert_eq!(answer.status, 200, "{deed} {pairs:?}: {}", answer.text);
        answer.text
    }

    /// Code and uid that `register` answers for a phone.
    async fn register(&self, phone: &str) -> (i64, Option<i64>) {
        let pairs = [("telephone", phone), ("password", "123456")];
        let answer = self.served.classin("register", &pairs).await;
        (answer["error_info"]["errno"].as_i64().unwrap(), answer["data"].as_i64())
    }

    async fn call(&self, action: &str, of_class: bool, uid: i64) -> i64 {
        let (course, class) = (self.course.to_string(), self.class.to_string());
        let students = format!(r#"[{{"uid":"{uid}","customColumn":"t"}}]"#);
        let uids = format!("[{uid}]");
        let mut pairs = vec![
            ("courseId", &*course),
            ("identity", "1"),
            ("studentJson", &*students),
            ("studentUidJson", &*uids),
        ];
        if of_class {
            pairs.push(("classId", &class));
        }
        let answer = self.served.classin(action, &pairs).await;
        answer["data"][0]["errno"].as_i64().unwrap()
    }

    async fn attendees(&self) -> Vec<i64> {
        let answer =
            self.served.send(self.served.http.get(self.served.url("/_sandbox/classin"))).await.unwrap();
        let courses: Value = serde_json::from_str(&answer.text).unwrap();
        let uids =
            courses[self.course.to_string()]["attendees"][self.class.to_string()].as_array().unwrap().clone();
        uids.iter().map(|uid| uid.as_i64().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_recycled_number_is_another_account_and_the_first_one_lives_on() {
    let school = school().await;
    let first = school.served.sandbox.create_account("Li Lei", Some("13800000000"));
    assert_eq!(school.register("13800000000").await, (135, Some(first)));
    let second = school.deed("recycle-contact", &[("contact", "13800000000"), ("name", "Han")]).await;
    let second: i64 = second.parse().unwrap();
    assert_ne!(first, second);
    assert_eq!(school.register("13800000000").await, (135, Some(second)));
    assert!(!school.served.sandbox.is_school_student(second), "a stranger to the school");
    assert_eq!(school.call("addClassStudentMultiple", true, first).await, 1);
}

#[tokio::test]
async fn an_owner_who_enters_another_number_keeps_the_uid_and_takes_the_number_from_who_had_it() {
    let school = school().await;
    let [one, other] =
        ["13800000000", "13900000000"].map(|phone| school.served.sandbox.create_account("n", Some(phone)));
    school.deed("change-contact", &[("uid", &one.to_string()), ("contact", "13900000000")]).await;
    assert_eq!(school.register("13900000000").await, (135, Some(one)));
    let (code, new) = school.register("13800000000").await;
    assert!(code == 1 && ![one, other].contains(&new.unwrap()), "the old number is free: {code}");
    school.deed("change-contact", &[("uid", &one.to_string()), ("contact", "")]).await;
    assert_eq!(school.served.sandbox.account("13900000000"), None);
}

#[tokio::test]
async fn a_cancelled_account_stays_dead_and_the_same_number_has_a_new_one() {
    let school = school().await;
    let old = school.served.sandbox.create_account("Li Lei", Some("13800000000"));
    let new: i64 = school.deed("replace-account", &[("uid", &old.to_string())]).await.parse().unwrap();
    assert_ne!(old, new);
    assert_eq!(school.call("addClassStudentMultiple", true, old).await, 886);
    assert_eq!(school.register("13800000000").await, (135, Some(new)));
    assert_eq!(
        school.call("addClassStudentMultiple", true, new).await,
        228,
        "the new one is no student of the school"
    );
    // A dead account takes no number.
    school.deed("change-contact", &[("uid", &old.to_string()), ("contact", "13700000000")]).await;
    assert_eq!(school.served.sandbox.account("13700000000"), None);
}

#[tokio::test]
async fn students_of_a_course_attend_its_classes_and_a_removal_from_one_transfers_them_out() {
    let school = school().await;
    let uid = school.served.sandbox.create_account("Li Lei", Some("13800000000"));
    assert_eq!(school.call("addCourseStudentMultiple", false, uid).await, 1);
    assert_eq!(school.attendees().await, [uid]);
    assert_eq!(school.call("addClassStudentMultiple", true, uid).await, 166, "in the class already");
    assert_eq!(school.call("delClassStudentMultiple", true, uid).await, 1);
    assert!(school.attendees().await.is_empty(), "transferred out");
    assert!(school.served.sandbox.course_members(school.course).contains(&uid), "of that lesson alone");
    assert_eq!(school.call("delCourseStudentMultiple", false, uid).await, 1);
    assert_eq!(school.call("addCourseStudentMultiple", false, uid).await, 1);
    assert_eq!(school.attendees().await, [uid], "nobody stays transferred out of a course they left");
}

#[tokio::test]
async fn a_place_in_a_class_goes_and_the_student_of_its_course_is_transferred_out_too() {
    let school = school().await;
    let uid = school.served.sandbox.create_account("Li Lei", Some("13800000000"));
    assert_eq!(school.call("addClassStudentMultiple", true, uid).await, 1);
    assert_eq!(school.call("addCourseStudentMultiple", false, uid).await, 1);
    assert_eq!(school.call("delClassStudentMultiple", true, uid).await, 1);
    assert!(school.attendees().await.is_empty());
    assert_eq!(school.call("delClassStudentMultiple", true, uid).await, 167);
}

#[tokio::test]
async fn the_students_of_a_course_take_room_in_its_classes_once_each() {
    let school = school().await;
    let [one, other] =
        ["13800000000", "13900000000"].map(|phone| school.served.sandbox.create_account("n", Some(phone)));
    assert_eq!(school.call("addClassStudentMultiple", true, one).await, 1);
    assert_eq!(school.call("addCourseStudentMultiple", false, one).await, 1);
    school.served.sandbox.set_class_capacity(school.course, school.class, 1);
    assert_eq!(school.call("addClassStudentMultiple", true, other).await, 157);
    school.served.sandbox.set_class_capacity(school.course, school.class, 2);
    assert_eq!(school.call("addClassStudentMultiple", true, other).await, 1, "counted once");
}

#[tokio::test]
async fn who_owns_what_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = Some(folder.path().join("state.json"));
    let settings = || SandboxSettings { state_file: file.clone(), ..SandboxSettings::default() };
    let sandbox = Sandbox::new(settings()).unwrap();
    let first = sandbox.create_account("Li Lei", Some("13800000000"));
    let second = sandbox.recycle_contact("13800000000", "Han");
    let third = sandbox.replace_account(second).unwrap();
    sandbox.save().unwrap();
    let again = Sandbox::new(settings()).unwrap();
    assert_eq!(again.account("13800000000"), Some(third));
    assert_eq!(again.accounts().iter().map(|one| one.uid).collect::<Vec<_>>(), [first, second, third]);
}
