//! Every write to ClassIn × every way of losing its answer: what comes of it is settled by ClassIn's own "already so".

use std::collections::BTreeSet;

use rosterd::Exit;

use super::accounts::phone;
use super::{ADD, ADD_TO_COURSE, JOIN, NAME, REGISTER, REGISTER_SEVERAL, REMOVE, REMOVE_FROM_COURSE, settle};
use rosterd_testkit::{DAY, School};

const WRITES: [&str; 8] =
    [ADD, REMOVE, ADD_TO_COURSE, REMOVE_FROM_COURSE, REGISTER, REGISTER_SEVERAL, JOIN, NAME];

/// Each with the fault's argument: never arrived, applied and lost, half applied, cut, too late, server errors, pages.
const WAYS: [(&str, &str); 10] = [
    ("drop_request", ""),
    ("lose_answer", ""),
    ("apply_part", "1"),
    ("cut_body", ""),
    ("delay", "900"),
    ("http_5xx", "502"),
    ("http_5xx", "503"),
    ("html_200", ""),
    ("not_json", ""),
    ("reset", "applied"),
];

/// What has to be so in the end.
struct Wanted {
    class: BTreeSet<i64>,
    course: BTreeSet<i64>,
    name: Option<(i64, &'static str)>,
}

struct Scene {
    school: School,
    class: rosterd_testkit::ClassIds,
    course: i64,
}

impl Scene {
    async fn new() -> Self {
        let mut school = School::of_classin().await;
        school.setting("CLASSIN__REGISTER", "true");
        school.setting("CLASSIN__TIMEOUT", "400ms");
        let class = school.class("c1").await;
        let course = school.sandbox.create_course("whole");
        school.sql(&format!("INSERT INTO classes VALUES ('k1', 'Whole', {course}, NULL)")).await;
        for at in 0..4 {
            let id = format!("s{at}");
            school.student(&id).await;
            school.join(&id, "c1").await;
            school.join(&id, "k1").await;
        }
        // The second run sees the names for the first time.
        school.run_as(Exit::Done).await;
        school.run_as(Exit::Done).await;
        school.sandbox.clear_journal();
        Self { school, class, course }
    }

    /// Makes the roster want what only this call can do.
    async fn want(&self, write: &str) {
        let school = &self.school;
        match write {
            ADD | ADD_TO_COURSE => {
                let code = if write == ADD { "c1" } else { "k1" };
                for id in ["n1", "n2", "n3"] {
                    school.student(id).await;
                    school.join(id, code).await;
                }
            }
            REMOVE => {
                school
                    .sql("DELETE FROM class_members WHERE class_code = 'c1' AND student_id IN ('s0', 's1')")
                    .await
            }
            REMOVE_FROM_COURSE => {
                school
                    .sql("DELETE FROM class_members WHERE class_code = 'k1' AND student_id IN ('s0', 's1')")
                    .await;
            }
            REGISTER | JOIN => {
                if write == JOIN {
                    school.set("classin.joined_on_existing", "ignored");
                    school.sandbox.create_outside_account("somebody", &phone(0));
                }
                school.applicant("a0", &phone(0)).await;
                school.join("a0", "c1").await;
            }
            REGISTER_SEVERAL => {
                for at in 0..3 {
                    school.applicant(&format!("a{at}"), &phone(at)).await;
                    school.join(&format!("a{at}"), "c1").await;
                }
            }
            _ => school.sql("UPDATE students SET name = 'Another' WHERE student_id = 's0'").await,
        }
    }

    /// Read off the roster and the sandbox, by hand.
    async fn wanted(&self) -> Wanted {
        let school = &self.school;
        let rows = school.roster_members().await;
        let of = |code: &str| {
            let uid = |(_, uid, phone): &(String, Option<i64>, Option<String>)| {
                uid.or_else(|| school.sandbox.account(phone.as_deref()?)).expect("an account")
            };
            rows.iter().filter(|(member_of, _)| member_of == code).map(|(_, row)| uid(row)).collect()
        };
        Wanted { class: of("c1"), course: of("k1"), name: None }
    }
}

#[tokio::test]
async fn every_write_whose_answer_is_lost_in_any_way_is_settled_and_done_once() {
    let mut cases = 0;
    for write in WRITES {
        for (fault, argument) in WAYS {
            let case = format!("{write} × {fault} {argument}");
            let scene = Scene::new().await;
            scene.want(write).await;
            let argument = if argument.is_empty() { String::new() } else { format!(":{argument}") };
            scene.school.set(fault, &format!("{write}{argument}"));
            let before = scene.school.sandbox.accounts().len();
            settle(&scene.school).await;
            assert!(scene.school.calls("classin").contains(&write.to_owned()), "{case}: never called");
            let mut wanted = scene.wanted().await;
            wanted.name = (write == NAME).then(|| (wanted.class.first().copied().unwrap(), "Another"));
            let school = &scene.school;
            assert_eq!(school.members(scene.class), wanted.class, "{case}");
            assert_eq!(school.sandbox.course_members(scene.course), wanted.course, "{case}");
            if let Some((uid, name)) = wanted.name {
                assert_eq!(school.sandbox.school_name(uid).as_deref(), Some(name), "{case}");
            }
            let registered = match write {
                REGISTER => 1,
                REGISTER_SEVERAL => 3,
                _ => 0,
            };
            assert_eq!(
                school.sandbox.accounts().len(),
                before + registered,
                "{case}: somebody is there twice"
            );
            assert!(school.failures().await.is_empty(), "{case}");
            assert_eq!(school.number("SELECT count(*) FROM intents").await, 0, "{case}");
            school.sandbox.clear_journal();
            school.later(DAY);
            school.run_as(Exit::Done).await;
            assert!(school.classin_calls().is_empty(), "{case}: {:?}", school.classin_calls());
            cases += 1;
        }
    }
    assert_eq!(cases, 80);
}
