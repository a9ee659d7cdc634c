//! One person or two: nobody who may still be on the roster is dismissed before a person says so.

use rosterd_core::exam_plan::{HoldReason, HoldWord, OperationKind, OperationState, PersonDoubt, StoodGroup};
use rosterd_core::roster::{Gid, GroupCode, Leavers, Mode};

use crate::support::*;

fn doubt(world: &World, kind: OperationKind) -> Option<PersonDoubt> {
    let plan = world.plan();
    let operation = plan.operations.iter().find(|operation| operation.kind() == kind)?;
    let OperationState::Held(HoldReason::SamePerson(doubt)) = &operation.state else { return None };
    Some(doubt.clone())
}

#[test]
fn a_leaver_whose_login_value_somebody_on_the_roster_wants_is_held() {
    let rows: [(&str, Person); 4] = [
        ("a newcomer", student("new").login("s1")),
        ("a student who is renamed", student("s2").login("s1")),
        ("a newcomer whose row cannot be used", student("new").login("s1").unusable()),
        ("a student whose row cannot be used", student("s2").login("s1").unusable()),
    ];
    for (name, person) in rows {
        let mut world = converged([student("s1"), student("s2")]);
        let (by, has_candidate) = (id(&person.id), person.id == "s2");
        world.leave_for_good("s1").set(person);
        let expected = PersonDoubt::LoginWanted { leaver: id("s1"), by, has_candidate };
        assert_eq!(doubt(&world, OperationKind::Delete), Some(expected), "{name}");
    }
}

#[test]
fn two_students_who_want_a_leavers_login_value_hold_it_too() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").set(student("a").login("s1")).set(student("b").login("s1"));
    let expected = PersonDoubt::LoginWanted { leaver: id("s1"), by: id("a"), has_candidate: false };
    assert_eq!(doubt(&world, OperationKind::Delete), Some(expected));
}

#[test]
fn a_leaver_whose_candidate_has_a_wanted_login_value_by_now_is_held() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "new".to_owned();
    world.leave_for_good("s1").set(student("new"));
    let expected = PersonDoubt::GivenTo { leaver: id("s1"), by: id("new"), has_candidate: false };
    assert_eq!(doubt(&world, OperationKind::Delete), Some(expected));
}

#[test]
fn a_leaver_and_a_newcomer_whose_ids_differ_in_spelling_alone_are_both_held() {
    let spelled = [
        ("S-1", "S1"),
        ("17", "#17"),
        ("0001", "1"),
        ("1", "0001"),
        ("s1", "S1"),
        ("s1", " s 1"),
        ("\u{e9}1", "e\u{301}1"),
    ];
    for (old, new) in spelled {
        let mut world = converged([student(old), student("other")]);
        world.leave_for_good(old).set(student(new).login("another login value"));
        let expected =
            |holds_newcomer| PersonDoubt::AlikeIds { leaver: id(old), newcomer: id(new), holds_newcomer };
        assert_eq!(doubt(&world, OperationKind::Delete), Some(expected(false)), "{old:?} and {new:?}");
        assert_eq!(doubt(&world, OperationKind::Add), Some(expected(true)), "{old:?} and {new:?}");
        world.approve();
        let lines = world.lines();
        assert!(!lines.iter().any(|line| line.contains("held")), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("delete")), "{lines:?}");
    }
}

#[test]
fn a_held_newcomer_takes_nobody_over_and_is_not_looked_up() {
    let mut world = converged([student("01"), student("other")]);
    world.enter(candidate("there").field(NAME, "name of 1"));
    world.leave_for_good("01").set(student("1").login("there"));
    assert_eq!(world.lines(), ["adopt 1 held: same person", "delete 01 held: same person"]);
    assert!(world.needs().logins.is_empty() && world.needs().sids.is_empty(), "{:?}", world.needs());
    world.approve();
    let lines = world.lines();
    assert_eq!(lines[0], "adopt 1", "{lines:?}");
}

#[test]
fn ids_that_only_resemble_each_other_hold_nobody() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").set(student("s10"));
    assert_eq!(world.lines(), ["add s10 in 1", "delete s1"]);
}

#[test]
fn a_leaver_renamed_by_hand_is_held_in_every_run_until_approved_or_back() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "a teacher's idea".to_owned();
    world.leave("s1");
    for _ in 0..3 {
        world.run(100);
        world.now_ms += 80 * HOUR;
        let expected = PersonDoubt::RenamedByHand { leaver: id("s1") };
        assert_eq!(doubt(&world, OperationKind::Delete), Some(expected));
    }
    let mut back = world.clone();
    back.set(student("s1"));
    back.run(100);
    assert!(!back.links["s1"].renamed_by_hand, "who is back is nobody else");
    world.approve();
    assert_eq!(world.lines(), ["delete s1"]);
}

#[test]
fn a_held_leaver_is_not_looked_up_again_while_nothing_changes() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").set(student("new").login("s1"));
    assert!(world.needs().sids.is_empty() && world.needs().logins.is_empty(), "{:?}", world.needs());
    world.approve();
    assert_eq!(world.needs().sids.len(), 1, "the approval is carried out on what is there now");
}

#[test]
fn an_approved_leaver_waits_for_the_grace_like_any_other() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave("s1").set(student("new").login("s1"));
    world.approve();
    assert_eq!(world.lines(), ["add new skipped: login of leaver s1"]);
    assert_eq!(world.plan().totals.leavers_waiting, 1);
}

#[test]
fn what_a_limit_approved_says_nothing_about_who_somebody_is() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").set(student("new").login("s1"));
    let plan = world.plan();
    let held = plan.operations.iter().find(|it| it.kind() == OperationKind::Delete).unwrap();
    world.guard.approved.insert(held.student.clone(), held.kind(), held.desired_hash);
    assert!(world.lines().contains(&"delete s1 held: same person".to_owned()));
}

#[test]
fn a_silenced_hold_keeps_the_leaver_and_counts_it() {
    for word in [HoldWord::SamePerson, HoldWord::ForeignGroup] {
        let mut world = converged([student("s1"), student("s2")]);
        world.leave_for_good("s1");
        if word == HoldWord::SamePerson {
            world.set(student("new").login("s1"));
        } else {
            world.of("s1").groups.insert(99);
        }
        world.ignore();
        assert!(world.lines().contains(&"delete s1 skipped: ignored".to_owned()), "{word}");
        assert_eq!(world.plan().totals.kept.stay, 1, "{word}");
    }
}

#[test]
fn two_rows_that_changed_hands_are_held_and_not_both_written_over() {
    let mut world = converged([student("s1"), student("s2").phone("2"), student("s3")]);
    let (one, two) = (world.roster["s1"].clone(), world.roster["s2"].clone());
    world.set(Person { id: "s1".to_owned(), ..two }).set(Person { id: "s2".to_owned(), ..one });
    let expected = PersonDoubt::Exchanged { student: id("s1"), other: id("s2") };
    assert_eq!(doubt(&world, OperationKind::Modify), Some(expected));
    assert!(world.lines().iter().all(|line| line.ends_with("held: same person")), "{:?}", world.lines());
    world.approve();
    assert!(world.lines().iter().all(|line| !line.contains("held")), "{:?}", world.lines());
}

#[test]
fn three_rows_that_went_round_are_held_too() {
    let mut world = converged(["s1", "s2", "s3", "s4"].map(student));
    let rows = ["s1", "s2", "s3"].map(|id| world.roster[id].clone());
    for (at, student) in ["s1", "s2", "s3"].into_iter().enumerate() {
        world.set(Person { id: student.to_owned(), ..rows[(at + 1) % 3].clone() });
    }
    assert_eq!(world.lines().len(), 3);
    assert!(world.lines().iter().all(|line| line.ends_with("held: same person")), "{:?}", world.lines());
}

#[test]
fn rows_that_changed_hands_are_held_also_where_one_of_them_differs_somewhere() {
    type Change = fn(Person) -> Person;
    let changes: [(&str, Change); 4] = [
        ("a new name", |it| it.name("new")),
        ("a new phone", |it| it.phone("1")),
        ("a new login value", |it| it.login("new")),
        ("a new login value and a new name", |it| it.login("new").name("new")),
    ];
    for circle in [&["s1", "s2"][..], &["s1", "s2", "s3"]] {
        for (what, change) in changes {
            let mut world = converged([
                student("s1").phone("11"),
                student("s2").phone("22"),
                student("s3"),
                student("s4"),
            ]);
            let rows: Vec<Person> = circle.iter().map(|id| world.roster[*id].clone()).collect();
            for (at, student) in circle.iter().enumerate() {
                let row = rows[(at + 1) % circle.len()].clone();
                let row = if at == 0 { change(row) } else { row };
                world.set(Person { id: (*student).to_owned(), ..row });
            }
            let lines = world.lines();
            assert_eq!(lines.len(), circle.len(), "{what}: {lines:?}");
            assert!(lines.iter().all(|line| line.ends_with("held: same person")), "{what}: {lines:?}");
        }
    }
}

#[test]
fn students_who_take_over_login_values_in_a_row_are_renamed() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.set(student("s1").login("s2").phone("1")).set(student("s2").login("s3"));
    world.set(student("s3").login("new").name("new"));
    assert!(world.lines().iter().all(|line| !line.contains("held")), "{:?}", world.lines());
}

#[test]
fn two_students_who_only_swap_login_values_are_renamed() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").login("s2")).set(student("s2").login("s1"));
    assert_eq!(world.lines(), ["modify s1 login", "modify s2 login"]);
}

#[test]
fn nobody_is_asked_about_leavers_in_a_mode_that_leaves_them_alone() {
    for mode in [Mode::Observe, Mode::CreateOnly, Mode::Upsert] {
        let mut world = converged([student("s1"), student("s2")]);
        world.policy.mode = mode;
        world.leave_for_good("s1").set(student("new").login("s1"));
        assert!(world.lines().iter().all(|line| !line.contains("held")), "{:?}", world.lines());
    }
}

fn stood(gid: i64, is_settled: bool) -> StoodGroup {
    StoodGroup {
        gid: Gid(gid),
        code: GroupCode::new(format!("c{gid}")),
        title: format!("class {gid}"),
        until_ms: 5,
        is_settled,
    }
}

#[test]
fn a_group_that_stood_on_the_roster_once_is_ours_to_take_a_leaver_out_of() {
    let rows = [(false, false, "delete s1"), (false, true, "delete s1"), (true, true, "delete s1")];
    for (shared, is_settled, line) in rows {
        let mut world = converged([student("s1"), student("s2")]);
        world.of("s1").groups = [50].into();
        world.stood = vec![stood(50, is_settled)];
        world.leave_for_good("s1").policy.shared = shared;
        assert_eq!(world.lines(), [line], "{shared:?} {is_settled:?}");
    }
}

#[test]
fn in_a_shared_account_a_gid_that_stood_there_for_a_moment_is_no_group_of_ours() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").groups = [50].into();
    world.stood = vec![stood(50, false)];
    world.leave_for_good("s1").policy.shared = true;
    assert!(world.plan().is_empty());
    assert_eq!(world.plan().totals.kept.groups, [(Gid(50), 1)].into());
}

#[test]
fn a_student_in_a_former_group_stays_there_and_is_counted() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    for who in ["s1", "s2", "s3"] {
        world.of(who).groups.insert(50);
        world.link(who).groups = Some(gids(&[1, 50].into()));
    }
    world.stood = vec![stood(50, true), stood(51, true)];
    world.leave("s3");
    let plan = world.plan();
    assert!(plan.is_empty(), "{:?}", lines(&plan));
    let former: Vec<String> = plan.totals.former_groups.iter().map(ToString::to_string).collect();
    assert_eq!(former, ["2 are still in gid 50, once class 50"]);
}

#[test]
fn leavers_who_are_kept_or_were_moved_are_counted() {
    for leavers in [Leavers::Keep, Leavers::MoveTo(77)] {
        let mut world = converged([student("s1"), student("s2")]);
        world.leave_for_good("s1").policy.leavers = leavers;
        world.run(100);
        let plan = world.plan();
        assert!(plan.is_empty());
        assert_eq!((plan.totals.kept.as_set, plan.totals.kept.stay), (1, 0), "{leavers:?}");
    }
}

#[test]
fn a_leaver_gone_since_a_moment_that_lies_ahead_counts_from_now() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1");
    let now = world.now_ms;
    world.link("s1").gone_since_ms = Some(now + 9000 * 24 * HOUR);
    assert!(world.plan().is_empty());
    world.policy.delete_grace_ms = 0;
    assert_eq!(world.lines(), ["delete s1"]);
}

#[test]
fn a_newcomer_who_wants_the_login_value_of_a_leaver_renamed_by_hand_waits_with_them() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "a teacher's idea".to_owned();
    world.leave_for_good("s1").set(student("new").login("s1"));
    for _ in 0..2 {
        let expected = PersonDoubt::LoginWanted { leaver: id("s1"), by: id("new"), has_candidate: false };
        assert_eq!(doubt(&world, OperationKind::Add), Some(expected.clone()));
        assert_eq!(doubt(&world, OperationKind::Delete), Some(expected));
        world.run(100);
    }
    assert_eq!(world.links["s1"].login.as_str(), "s1", "what ties the two together is kept");
}

#[test]
fn a_newcomer_waits_for_no_leaver_whose_candidate_is_gone() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").set(student("new").login("s1"));
    world.candidates.retain(|_, candidate| candidate.login != "s1");
    assert_eq!(world.lines(), ["add new in 1"]);
}
