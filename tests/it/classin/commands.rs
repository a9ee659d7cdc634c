//! `explain`, `claim` and `status`, by the program itself.

use crate::program::Programs as _;
use rosterd::Exit;

use super::accounts::{apply, phone, registering, uid};
use super::{ADD, in_step};
use rosterd_testkit::{ClassIds, DAY, School};

#[tokio::test]
async fn a_presumed_enrolment_can_be_claimed_and_is_then_removed_like_any_other() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 2).await;
    school.set("lose_answer", ADD);
    school.run_as(Exit::Done).await;
    assert_eq!(school.evidence(class).await[&uids[0]], "presumed");
    let ended = school.program(&["claim", "s000", "c1", "--output", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["evidence"], "added");
    let again = school.program(&["claim", "s000", "c1"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.stdout.contains("nothing to claim"), "{again:?}");
    school.leave("s000", "c1").await;
    school.run_as(Exit::Done).await;
    assert!(!school.members(class).contains(&uids[0]));
}

#[tokio::test]
async fn a_claim_that_makes_no_sense_says_why_and_changes_nothing() {
    let (school, class, uids) = in_step(2).await;
    school.sql("INSERT INTO classes VALUES ('c9', 'No course', NULL, NULL)").await;
    let theirs = school.student("theirs").await;
    school.sandbox.insert_class_member(class.course, class.class, theirs);
    school.join("theirs", "c1").await;
    school.run_as(Exit::Done).await;
    let table = [
        ("s000", "c7", "no class c7"),
        ("s000", "c9", "no course_id"),
        ("nobody", "c1", "nothing is remembered of student nobody"),
        ("s000", "1/2", "nothing is remembered of student s000"),
    ];
    for (student, code, said) in table {
        let ended = school.program(&["claim", student, code]);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
    }
    let evidence = school.evidence(class).await;
    assert_eq!((evidence[&theirs].as_str(), evidence[&uids[0]].as_str()), ("present", "added"));
}

#[tokio::test]
async fn whom_somebody_else_added_is_named_until_a_person_claims_them_one_or_all_of_a_class() {
    let (school, class, _) = in_step(2).await;
    for id in ["t1", "t2", "t3"] {
        let uid = school.student(id).await;
        school.sandbox.insert_class_member(class.course, class.class, uid);
        school.join(id, "c1").await;
    }
    school.run_as(Exit::Done).await;
    for id in ["t1", "t2", "t3"] {
        school.leave(id, "c1").await;
    }
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.failures().await.len(), 3);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class).len(), 5, "nobody is taken out whom we did not put there");
    let ids = format!("{}/{}", class.course, class.class);
    assert_eq!(school.program(&["claim", "t1", &ids]).code, 0);
    school.run_as(Exit::Done).await;
    assert_eq!((school.members(class).len(), school.failures().await.len()), (4, 2));
    let ended = school.program(&["claim", "--class", "c1", "--output", "json"]);
    assert_eq!(ended.json()["claimed"], 2, "{ended:?}");
    school.run_as(Exit::Done).await;
    assert_eq!((school.members(class).len(), school.failures().await.len()), (2, 0));
}

#[tokio::test]
async fn a_forgotten_account_is_found_anew_and_the_place_stays_until_then() {
    let (school, class) = registering().await;
    apply(&school, 2).await;
    school.run_as(Exit::Done).await;
    let old = uid(&school, 0);
    let new = school.sandbox.recycle_contact(&phone(0), "Han");
    let ended = school.program(&["forget", "a00", "--output", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let json = ended.json();
    assert_eq!((json["uid"].as_i64(), json["asks_again"].as_bool()), (Some(old), Some(true)));
    assert!(school.members(class).contains(&old), "the command calls nobody");
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), [new, uid(&school, 1)].into());
    let ended = school.program(&["forget", "nobody"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("no ClassIn account of student nobody"), "{ended:?}");
}

#[tokio::test]
async fn forgetting_an_account_wakes_what_failed_for_it_and_says_where_nobody_is_asked() {
    let (mut school, class) = registering().await;
    apply(&school, 1).await;
    school.run_as(Exit::Done).await;
    let other = school.class("c2").await;
    school.join("a00", "c2").await;
    school.set("refuse_item", &format!("{ADD}:0/329"));
    school.run_as(Exit::Incomplete).await;
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.members(other).is_empty(), "a dead letter");
    school.setting("CLASSIN__REGISTER", "false");
    let ended = school.program(&["forget", "a00"]);
    assert!(ended.code == 0 && ended.stdout.contains("enter classin_uid"), "{ended:?}");
    school.setting("CLASSIN__REGISTER", "true");
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(other), school.members(class));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn explain_tells_everything_about_one_student_without_a_call_and_without_values() {
    let (school, class) = registering().await;
    apply(&school, 2).await;
    school.run_as(Exit::Done).await;
    let waiting = school.class("c2").await;
    school.join("a00", "c2").await;
    school.sandbox.clear_journal();
    let ended = school.program(&["explain", "a00", "--output", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = ended.json();
    assert_eq!(said["student_id"], "a00");
    assert_eq!(said["roster"]["classes"], serde_json::json!(["c1", "c2"]));
    assert_eq!(said["account"]["uid"], uid(&school, 0));
    assert_eq!(said["account"]["origin"], "registered");
    let enrolment = &said["enrolments"][0];
    assert_eq!((&enrolment["class_code"], &enrolment["evidence"]), (&"c1".into(), &"added".into()));
    assert_eq!((&enrolment["code"], &enrolment["class_id"]), (&1.into(), &class.class.into()));
    assert!(enrolment["confirmed_at"].is_string());
    let next = said["next"].to_string();
    assert!(next.contains("enrol in class c2 (planned)"), "{next}");
    assert!(!ended.stdout.contains(&phone(0)) && !ended.stdout.contains("Name of"), "{ended:?}");
    let text = school.program(&["explain", "a00"]);
    assert!(text.stdout.contains("enrolment: c1") && text.stdout.contains("next: classin"), "{text:?}");
    let revealed = school.program(&["explain", "a00", "--reveal"]);
    assert!(revealed.stdout.contains(&phone(0)) && revealed.stdout.contains("Name of a00"), "{revealed:?}");
    assert!(school.sandbox.journal().is_empty(), "somebody was called");
    assert!(school.members(waiting).is_empty());
}

#[tokio::test]
async fn explain_says_what_failed_and_what_a_person_can_do() {
    let (school, _) = registering().await;
    school.applicant("none", "").await;
    school.join("none", "c1").await;
    school.run_as(Exit::Incomplete).await;
    let ended = school.program(&["explain", "none"]);
    assert!(ended.stdout.contains("phone and email are empty"), "{ended:?}");
    assert!(ended.stdout.contains(" failures retry"), "{ended:?}");
    let unknown = school.program(&["explain", "somebody"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(unknown.stderr.contains("somebody"), "{unknown:?}");
}

#[tokio::test]
async fn status_says_how_much_is_confirmed_lately() {
    let (school, class, _) = in_step(4).await;
    let ended = school.program(&["status", "--output", "json"]);
    assert_eq!(ended.json()["evidence"]["confirmed_percent"], 100.0, "{ended:?}");
    let old = school.clock.now_ms() - 8 * DAY;
    let state = school.state().await;
    state.close().await;
    school
        .write(&format!(
            "UPDATE enrolments SET confirmed_at_ms = {old} WHERE class_id = {} AND student_id = 's000'",
            class.class
        ))
        .await;
    let ended = school.program(&["status"]);
    assert!(ended.stdout.contains("75.0 % of 4 enrolments confirmed within 7 days (4 added)"), "{ended:?}");
}

/// Whoever silences everything has not looked at those who would lose the place that they have.
#[tokio::test]
async fn who_ignores_everything_takes_nobody_out_of_a_class_and_is_told_the_command_for_each() {
    for how in ["mistyped uid", "full class", "unknown class"] {
        let (school, class, uids) = in_step(6).await;
        let other = ClassIds { class: school.sandbox.create_class(class.course, "c2"), ..class };
        school.name_class("c2", other).await;
        let _there = school.student("there").await;
        school.join("there", "c2").await;
        school.run_as(Exit::Done).await;
        school.sandbox.set_class_capacity(other.course, other.class, 1);
        match how {
            "mistyped uid" => {
                school.sql("UPDATE students SET classin_uid = 77 WHERE student_id = 's001'").await;
            }
            "full class" => {
                school.sql("UPDATE class_members SET class_code = 'c2' WHERE student_id = 's001'").await;
            }
            _ => {
                school
                    .sql(&format!("INSERT INTO classes VALUES ('c9', 'x', {}, 987654)", class.course))
                    .await;
                school.sql("UPDATE class_members SET class_code = 'c9' WHERE student_id = 's001'").await;
            }
        }
        // Of whom nothing depends on it: a newcomer who has no place yet.
        school.sql("INSERT INTO students (student_id, name, classin_uid) VALUES ('new', 'New', 78)").await;
        school.join("new", "c1").await;
        let _run = school.run().await;
        let said = school.program(&["failures", "ignore", "--all"]);
        assert_eq!(said.code, 0, "{how}: {said:?}");
        assert!(said.stdout.contains("1 silenced"), "{how}: {said:?}");
        let last = said.stdout.lines().last().unwrap().to_owned();
        assert!(last.starts_with("Not silenced: "), "{how}: {said:?}");
        for _ in 0..2 {
            school.later(DAY);
            let _run = school.run().await;
            assert!(school.members(class).contains(&uids[1]), "{how}");
        }
        let rows = school.failures().await;
        let row = rows.iter().find(|row| row.student_id != "new").unwrap();
        assert!(row.message.contains("to ignore this"), "{how}: {}", row.message);
        // The command that it names does what it says.
        let command = last.rsplit("rosterd ").next().unwrap().to_owned();
        assert!(command.ends_with(&format!("failures ignore {}", row.id)), "{how}: {command}");
        assert_eq!(school.program(&command.split(' ').collect::<Vec<_>>()).code, 0, "{how}");
        for _ in 0..2 {
            let _run = school.run().await;
        }
        assert!(!school.members(class).contains(&uids[1]), "{how}");
        let rows = school.failures().await;
        assert!(rows.iter().all(|row| !row.message.contains("to ignore this")), "{how}: {rows:?}");
    }
}
