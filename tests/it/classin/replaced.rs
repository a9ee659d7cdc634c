//! An account that another one replaces: what is left of the old one ends by itself, and so does a mistyped cell once it is
//! mended.

use rosterd::Exit;
use rosterd_sandbox::Role;
use rosterd_testkit::{DAY, HOUR, School};

use super::{REMOVE, REMOVE_FROM_COURSE, in_step, set_of};

async fn cell(school: &School, id: &str, uid: Option<i64>) {
    let uid = uid.map_or("NULL".to_owned(), |uid| uid.to_string());
    school.sql(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = '{id}'")).await;
}

// An old account that ClassIn does not know any more.

#[tokio::test]
async fn a_replaced_account_that_does_not_exist_is_gone_wherever_its_student_went() {
    for goes in [
        "to another course",
        "to another class of the course",
        "out of the class",
        "off the roster",
        "out of the course",
    ] {
        let (school, class, uids) = in_step(4).await;
        let other = school.class("c2").await;
        let beside =
            rosterd_testkit::ClassIds { class: school.sandbox.create_class(class.course, "b"), ..class };
        school.name_class("c3", beside).await;
        let whole = school.sandbox.create_course("whole");
        school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {whole}, NULL)")).await;
        if goes == "out of the course" {
            school.join("s000", "whole").await;
        }
        school.run_as(Exit::Done).await;
        let fresh = school.sandbox.create_account("again", None);
        school.set("refuse_item", &format!("{REMOVE}:0/400"));
        cell(&school, "s000", Some(fresh)).await;
        match goes {
            "to another course" => {
                school.leave("s000", "c1").await;
                school.join("s000", "c2").await;
            }
            "to another class of the course" => {
                school.leave("s000", "c1").await;
                school.join("s000", "c3").await;
            }
            "out of the class" => school.leave("s000", "c1").await,
            "out of the course" => {
                school.set("refuse_item", &format!("{REMOVE_FROM_COURSE}:0/400"));
                school.leave("s000", "whole").await;
            }
            _ => {
                // The cell was corrected before the student left.
                school.run_as(Exit::Done).await;
                school.sandbox.clear_faults();
                let third = school.sandbox.create_account("third", None);
                cell(&school, "s000", Some(third)).await;
                school.set("refuse_item", &format!("{REMOVE}:0/400"));
                school.drop_student("s000").await;
            }
        }
        let _first = school.run().await;
        for _ in 0..4 {
            school.later(DAY);
            let _report = school.run().await;
        }
        let rows = school.failures().await;
        let is_of_cell = |message: &str| message.contains("classin_uid");
        if goes == "off the roster" {
            // Nothing tells of another account: it is the roster's own.
            continue;
        }
        assert!(rows.iter().all(|row| !is_of_cell(&row.message)), "{goes}: {rows:?}");
        assert!(rows.is_empty(), "{goes}: {rows:?}");
        assert!(
            !school.evidence(class).await.contains_key(&uids[0]) || goes == "out of the course",
            "{goes}"
        );
        let _ = (other, beside);
    }
}

#[tokio::test]
async fn an_account_of_the_roster_that_does_not_exist_is_told_when_its_student_leaves_the_class() {
    let (school, _, _) = in_step(4).await;
    school.leave("s000", "c1").await;
    school.set("refuse_item", &format!("{REMOVE}:0/400"));
    school.run_as(Exit::Incomplete).await;
    let rows = school.failures().await;
    assert!(rows.len() == 1 && rows[0].code == "400", "{rows:?}");
}

// A typed uid that ClassIn refuses.

#[derive(Clone, Copy, Debug, PartialEq)]
enum Refused {
    Unknown,
    Outside,
    Teacher,
    Cancelled,
}

impl Refused {
    async fn make(self, school: &School, class: rosterd_testkit::ClassIds) -> i64 {
        let sandbox = &school.sandbox;
        match self {
            Self::Unknown => 99,
            Self::Outside => sandbox.create_outside_account("Stranger", "13900000001"),
            Self::Teacher => {
                let uid = sandbox.create_account("Somebody", None);
                sandbox.set_role(class.course, Some(class.class), uid, Role::Teacher);
                uid
            }
            Self::Cancelled => {
                let uid = sandbox.create_account("Somebody", None);
                sandbox.cancel_account(uid);
                uid
            }
        }
    }
}

#[tokio::test]
async fn a_refused_uid_ends_by_itself_when_its_cell_is_mended_in_any_way() {
    let kinds = [Refused::Unknown, Refused::Outside, Refused::Teacher, Refused::Cancelled];
    for refused in kinds {
        for lost in [false, true] {
            // Every way of one kind, and the commonest of the others.
            let all = ["back", "right", "emptied", "leaves", "dropped"];
            let ways = if refused == Refused::Outside { &all[..] } else { &all[..1] };
            for mend in ways.iter().copied() {
                let (school, class, uids) = in_step(4).await;
                let slip = refused.make(&school, class).await;
                cell(&school, "s000", Some(slip)).await;
                if lost {
                    school.set("lose_answer", "addClassStudentMultiple@*");
                }
                let _first = school.run().await;
                school.sandbox.clear_faults();
                for _ in 0..3 {
                    school.later(DAY);
                    let _report = school.run().await;
                }
                assert!(school.members(class).contains(&uids[0]), "{refused:?} {mend}");
                let mut right = uids.clone();
                match mend {
                    "back" => cell(&school, "s000", Some(uids[0])).await,
                    "emptied" => cell(&school, "s000", None).await,
                    "right" => {
                        right[0] = school.sandbox.create_account("Right", None);
                        cell(&school, "s000", Some(right[0])).await;
                    }
                    "leaves" => {
                        school.leave("s000", "c1").await;
                        right.remove(0);
                    }
                    _ => {
                        school.drop_student("s000").await;
                        right.remove(0);
                    }
                }
                let _mended = school.run().await;
                for _ in 0..5 {
                    school.later(DAY + HOUR);
                    let _report = school.run().await;
                }
                let rows = school.failures().await;
                let what = format!("{refused:?} lost={lost} {mend}");
                assert_eq!(school.members(class), set_of(&right), "{what}: {rows:?}");
                let without_account = mend == "emptied";
                let rest: Vec<_> =
                    rows.iter().filter(|row| !without_account || row.code != "no-account").collect();
                assert!(rest.is_empty(), "{what}: {rest:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_account_that_went_with_its_student_is_gone_from_the_class_and_nobody_is_told() {
    for code in [400, 886] {
        let (school, class, uids) = in_step(4).await;
        school.set("refuse_item", &format!("{REMOVE}@*:0/{code}"));
        school.drop_student("s000").await;
        school.run_as(Exit::Done).await;
        school.later(4 * DAY);
        school.run_as(Exit::Done).await;
        assert!(school.failures().await.is_empty(), "{code}: {:?}", school.failures().await);
        assert!(!school.evidence(class).await.contains_key(&uids[0]), "{code}");
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "{code}");
    }
}

#[tokio::test]
async fn what_failed_in_a_service_that_is_switched_off_ends_and_what_was_silenced_stays() {
    let mut school = School::of_both().await;
    school.leaves_work_behind();
    let class = school.class("c1").await;
    let _uids = school.fill("c1", 3).await;
    let _gid = school.group_of_all().await;
    school.run_as(Exit::Done).await;
    for (id, role) in [("t1", Role::CoTeacher), ("t2", Role::Teacher)] {
        let uid = school.student(id).await;
        school.sandbox.set_role(class.course, Some(class.class), uid, role);
        school.join(id, "c1").await;
    }
    school
        .sql("INSERT INTO group_members SELECT student_id, 'g1' FROM students WHERE student_id LIKE 't_'")
        .await;
    let _refused = school.run().await;
    let rows = school.failures().await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    let state = school.state().await;
    let ignored = rosterd_core::failure::FailureState::Ignored;
    state.change_failures(Some(&[rows[0].id]), ignored, school.clock.now_ms()).await.unwrap();
    state.close().await;
    school.setting("CLASSIN__ENABLED", "false");
    let report = school.run_to(Exit::Done).await;
    assert!(report.attention.is_empty(), "{:?}", report.attention);
    let left = school.failures().await;
    assert!(left.len() == 1 && left[0].id == rows[0].id, "{left:?}");
    school.setting("CLASSIN__ENABLED", "true");
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.failures().await.len(), 2, "found anew, and what was silenced is silent");
}
