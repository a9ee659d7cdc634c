//! From whole courses into lessons of them: nobody waits for ever, and nobody is left nowhere.

use std::collections::BTreeSet;

use rosterd::Exit;
use rosterd_testkit::{ClassIds, HOUR, School};

use super::set_of;

/// Two whole courses and a lesson of each, with five others in either lesson.
struct Courses {
    school: School,
    lessons: [ClassIds; 2],
}

impl Courses {
    async fn new() -> Self {
        let school = School::of_classin().await;
        let mut lessons = Vec::new();
        for at in 0..2 {
            let lesson = school.class(&format!("A{at}")).await;
            school
                .sql(&format!("INSERT INTO classes VALUES ('CO{at}', 'Course', {}, NULL)", lesson.course))
                .await;
            for other in 0..5 {
                for code in ["A", "CO"] {
                    let id = format!("o{code}{at}{other}");
                    school.student(&id).await;
                    school.join(&id, &format!("{code}{at}")).await;
                }
            }
            lessons.push(lesson);
        }
        Self { school, lessons: [lessons[0], lessons[1]] }
    }

    /// The classes of these students change, each from and to.
    async fn change(&self, rows: &[(&str, &str, &str)]) {
        for (id, from, to) in rows {
            self.school
                .sql(&format!(
                    "UPDATE class_members SET class_code = '{to}' WHERE student_id = '{id}' AND class_code = '{from}'"
                ))
                .await;
        }
    }

    /// Where this account is.
    fn places(&self, uid: i64) -> BTreeSet<String> {
        let mut places = BTreeSet::new();
        for (at, lesson) in self.lessons.iter().enumerate() {
            if self.school.sandbox.course_members(lesson.course).contains(&uid) {
                places.insert(format!("CO{at}"));
            } else if self.school.members(*lesson).contains(&uid) {
                places.insert(format!("A{at}"));
            }
        }
        places
    }
}

fn places(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn who_leaves_two_courses_for_a_lesson_of_each_is_in_both_after_one_run() {
    for (before, after) in [(["CO0", "CO1"], ["A0", "A1"]), (["CO0", "A1"], ["A0", "CO1"])] {
        let courses = Courses::new().await;
        let school = &courses.school;
        let uid = school.student("s1").await;
        for code in before {
            school.join("s1", code).await;
        }
        school.run_as(Exit::Done).await;
        assert_eq!(courses.places(uid), places(&before));
        let rows: Vec<(&str, &str, &str)> =
            before.iter().zip(after).map(|(from, to)| ("s1", *from, to)).collect();
        courses.change(&rows).await;
        school.run_as(Exit::Done).await;
        assert_eq!(courses.places(uid), places(&after), "{before:?}");
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty() && school.failures().await.is_empty(), "{before:?}");
    }
}

#[tokio::test]
async fn siblings_with_one_account_who_cross_over_between_two_courses_come_to_their_lessons() {
    let courses = Courses::new().await;
    let school = &courses.school;
    let uid = school.student("s1").await;
    school.student("s2").await;
    school.sql(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = 's2'")).await;
    school.join("s1", "CO0").await;
    school.join("s2", "CO1").await;
    school.run_as(Exit::Done).await;
    courses.change(&[("s1", "CO0", "A1"), ("s2", "CO1", "A0")]).await;
    school.run_as(Exit::Done).await;
    assert_eq!(courses.places(uid), places(&["A0", "A1"]));
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn a_whole_school_whose_courses_become_lessons_is_in_them_after_one_run() {
    let mut courses = Courses::new().await;
    courses.school.setting("GUARD__MAX_GROUP", "100%");
    courses.school.setting("GUARD__MAX_DELETE", "100%");
    let school = &courses.school;
    let mut uids = Vec::new();
    for at in 0..4 {
        let id = format!("s{at}");
        uids.push(school.student(&id).await);
        school.join(&id, "CO0").await;
        school.join(&id, "CO1").await;
    }
    school.run_as(Exit::Done).await;
    school
        .sql("UPDATE class_members SET class_code = 'A' || substr(class_code, 3) WHERE student_id LIKE 's_'")
        .await;
    school.run_as(Exit::Done).await;
    for uid in uids {
        assert_eq!(courses.places(uid), places(&["A0", "A1"]));
    }
}

/// What has become of a lesson that somebody is to be in instead of the whole course, before anybody knows.
#[derive(Clone, Copy, Debug)]
enum Lesson {
    Over,
    Deleted,
    Full,
    Refuses,
}

#[tokio::test]
async fn who_leaves_a_course_for_a_lesson_that_takes_nobody_is_put_back_and_stays() {
    for lesson in [Lesson::Over, Lesson::Deleted, Lesson::Full, Lesson::Refuses] {
        let courses = Courses::new().await;
        let school = &courses.school;
        let uid = school.student("s1").await;
        school.join("s1", "CO0").await;
        school.run_as(Exit::Done).await;
        let ClassIds { course, class } = courses.lessons[0];
        match lesson {
            Lesson::Over => school.sandbox.end_class(course, class),
            Lesson::Deleted => school.sandbox.delete_class(course, class),
            Lesson::Full => school.sandbox.set_class_capacity(course, class, 5),
            Lesson::Refuses => school.set("refuse_item", "addClassStudentMultiple@*:0/329"),
        }
        courses.change(&[("s1", "CO0", "A0")]).await;
        let report = school.run_to(Exit::Incomplete).await;
        assert!(courses.places(uid).contains("CO0"), "{lesson:?}: {report:#?}");
        let notes = format!("{:?}", report.classin.notes);
        assert!(
            notes.contains("1 student was put back into the whole course") && notes.contains("s1"),
            "{notes}"
        );
        for _ in 0..2 {
            school.sandbox.clear_journal();
            let _waits = school.run().await;
            let calls = school.classin_calls();
            let is_left = calls.iter().any(|call| call == super::REMOVE_FROM_COURSE);
            assert!(!is_left, "{lesson:?}: known by now, so nobody is taken out: {calls:?}");
            assert!(courses.places(uid).contains("CO0"), "{lesson:?}");
        }
        assert!(!school.failures().await.is_empty(), "{lesson:?}: somebody is told");
        // Back to the whole course, as it was.
        courses.change(&[("s1", "A0", "CO0")]).await;
        let _back = school.run().await;
        assert!(courses.places(uid).contains("CO0"), "{lesson:?}");
    }
}

#[tokio::test]
async fn who_found_a_full_lesson_comes_into_it_when_there_is_room() {
    let courses = Courses::new().await;
    let school = &courses.school;
    let uid = school.student("s1").await;
    school.join("s1", "CO0").await;
    school.run_as(Exit::Done).await;
    let ClassIds { course, class } = courses.lessons[0];
    school.sandbox.set_class_capacity(course, class, 5);
    courses.change(&[("s1", "CO0", "A0")]).await;
    let _full = school.run().await;
    assert_eq!(courses.places(uid), places(&["CO0"]));
    school.sandbox.set_class_capacity(course, class, 100);
    school.later(2 * HOUR);
    school.run_as(Exit::Done).await;
    assert_eq!(courses.places(uid), places(&["A0"]));
    assert!(school.failures().await.is_empty());
    assert_eq!(school.members(courses.lessons[0]).intersection(&set_of(&[uid])).count(), 1);
}

/// What becomes of the call that would put the student back.
#[derive(Clone, Copy, Debug)]
enum PutBack {
    Refused,
    Lost,
    Failed,
}

#[tokio::test]
async fn who_could_not_be_put_back_into_the_course_is_put_back_by_the_next_run_that_can() {
    for put_back in [PutBack::Refused, PutBack::Lost, PutBack::Failed] {
        let courses = Courses::new().await;
        let school = &courses.school;
        school.leaves_work_behind();
        let uid = school.student("s1").await;
        school.join("s1", "CO0").await;
        school.run_as(Exit::Done).await;
        let ClassIds { course, class } = courses.lessons[0];
        school.sandbox.end_class(course, class);
        courses.change(&[("s1", "CO0", "A0")]).await;
        let (fault, value) = match put_back {
            PutBack::Refused => ("refuse_item", "addCourseStudentMultiple@*:0/329"),
            PutBack::Lost => ("lose_answer", "addCourseStudentMultiple@*"),
            PutBack::Failed => ("http_5xx", "addCourseStudentMultiple@*:503"),
        };
        school.set(fault, value);
        let report = school.run_to(Exit::Incomplete).await;
        let told = format!("{:?}", report.classin.errors);
        assert!(told.contains("s1") && told.contains("next runs try again"), "{put_back:?}: {told}");
        let rows = school.failures().await;
        assert!(rows.iter().any(|row| row.class_code == "CO0"), "{put_back:?}: {rows:#?}");
        school.later(HOUR);
        let _still = school.run().await;
        school.sandbox.clear_faults();
        school.later(8 * HOUR);
        let (plan, _) = school.plan().await;
        assert_eq!(
            super::count(&plan, "planned", "remove"),
            0,
            "{put_back:?}: nobody is taken out of it again"
        );
        let _back = school.run().await;
        assert_eq!(courses.places(uid), places(&["CO0"]), "{put_back:?}");
        assert_eq!(
            school.word(&format!("SELECT evidence FROM enrolments WHERE uid = {uid} AND class_id = 0")).await,
            "added",
            "{put_back:?}: ours as before"
        );
        let rows = school.failures().await;
        assert!(rows.iter().all(|row| row.class_code != "CO0"), "{put_back:?}: {rows:#?}");
        let _stays = school.run().await;
        assert_eq!(courses.places(uid), places(&["CO0"]), "{put_back:?}: and stays");
    }
}

#[tokio::test]
async fn a_run_that_broke_off_between_the_course_and_the_lesson_leaves_nobody_nowhere() {
    let courses = Courses::new().await;
    let school = &courses.school;
    school.leaves_work_behind();
    let uid = school.student("s1").await;
    school.join("s1", "CO0").await;
    school.run_as(Exit::Done).await;
    let ClassIds { course, class } = courses.lessons[0];
    courses.change(&[("s1", "CO0", "A0")]).await;
    // ClassIn goes away for the rest of the run once the student is out of the course.
    school.set("http_5xx", "addClassStudentMultiple@*:503");
    let _broken_off = school.run().await;
    school.sandbox.clear_faults();
    school.sandbox.end_class(course, class);
    school.later(8 * HOUR);
    let _next = school.run().await;
    assert_eq!(courses.places(uid), places(&["CO0"]));
}

#[tokio::test]
async fn nobody_is_put_back_while_the_mode_only_observes() {
    let mut courses = Courses::new().await;
    let school = &courses.school;
    school.leaves_work_behind();
    let uid = school.student("s1").await;
    school.join("s1", "CO0").await;
    school.run_as(Exit::Done).await;
    courses.change(&[("s1", "CO0", "A0")]).await;
    school.set("http_5xx", "addClassStudentMultiple@*:503");
    let _broken_off = school.run().await;
    school.sandbox.clear_faults();
    school.later(8 * HOUR);
    courses.school.setting("SYNC__MODE", "observe");
    let report = courses.school.run().await;
    assert_eq!(report.classin.calls.values().sum::<u64>(), 0, "{report:#?}");
    // Nothing is forgotten by it.
    courses.school.setting("SYNC__MODE", "sync");
    let _on = courses.school.run().await;
    assert_eq!(courses.places(uid), places(&["A0"]));
}

#[tokio::test]
async fn nobody_is_put_back_who_is_wanted_in_no_lesson_any_more() {
    let courses = Courses::new().await;
    let school = &courses.school;
    school.leaves_work_behind();
    let uid = school.student("s1").await;
    school.join("s1", "CO0").await;
    school.run_as(Exit::Done).await;
    let ClassIds { course, class } = courses.lessons[0];
    school.sandbox.end_class(course, class);
    courses.change(&[("s1", "CO0", "A0")]).await;
    school.set("lose_answer", "addCourseStudentMultiple@*");
    let _lost = school.run().await;
    school.sandbox.clear_faults();
    school.leave("s1", "A0").await;
    school.later(8 * HOUR);
    let _next = school.run().await;
    assert_eq!(courses.places(uid), places(&[]));
    assert_eq!(school.number("SELECT count(*) FROM enrolments WHERE put_back <> 'no'").await, 0);
}
