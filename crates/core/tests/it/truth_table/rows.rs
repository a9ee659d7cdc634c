//! One test a row of the table in `src/plan/mod.rs`, and who may do what in which mode.

use rosterd_core::exam_plan::{Change, OpenAdd, OperationState, Origin, PlanDocument, ValueDisplay};
use rosterd_core::failure::FailureState;
use rosterd_core::roster::{Adopt, Mode};

use crate::support::*;

#[test]
fn a_converged_pair_plans_nothing_and_asks_nothing() {
    let world = converged([student("s1"), student("s2").in_groups(["g1", "g2"]).password("secret")]);
    let plan = world.plan();
    assert!(plan.is_empty() && plan.notes.is_empty());
    assert_eq!(world.needs(), rosterd_core::exam_plan::LookupRequests::default());
}

#[test]
fn a_student_without_a_candidate_is_added_to_one_group_and_moved_into_the_others() {
    let mut world = converged([student("s1")]);
    world.set(student("s2").in_groups(["g3", "g2", "g5"]));
    assert_eq!(world.lines(), ["add s2 in 2", "move s2 +3 +5"]);
}

#[test]
fn an_add_sends_the_login_value_and_leaves_empty_values_out() {
    let mut world = converged([student("s1")]);
    world.set(student("s2").login("two").phone("").password("pw"));
    let plan = world.plan();
    let Change::Add(addition) = &plan.operations[0].change else { panic!("an add") };
    let fields: Vec<i64> = addition.values.iter().map(|(field, _)| field.0).collect();
    assert_eq!(fields, [NAME, LOGIN, PASSWORD]);
    assert_eq!(addition.login, login("two"));
}

#[test]
fn a_value_that_differs_is_modified_alone() {
    let mut world = converged([student("s1")]);
    world.set(student("s1").phone("1"));
    assert_eq!(world.lines(), ["modify s1 phone"]);
}

#[test]
fn a_changed_login_value_is_a_modify_of_the_same_sid_and_never_a_delete_and_an_add() {
    let mut world = converged([student("s1")]);
    world.set(student("s1").login("new"));
    assert_eq!(world.lines(), ["modify s1 login"]);
    let Change::Modify(modification) = world.plan().operations[0].change.clone() else { panic!("a modify") };
    assert_eq!(modification.sid.0, world.sid("s1"));
}

#[test]
fn a_student_who_changed_group_is_moved_and_not_added_again() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").in_groups(["g2"]).name("other"));
    assert_eq!(world.lines(), ["modify s1 name", "move s1 to 2"]);
}

#[test]
fn a_listed_candidate_without_a_link_is_adopted_and_brought_in_line() {
    let mut world = converged([student("s1")]);
    world.enter(candidate("s2").in_groups([3]));
    world.enter(candidate("s3").in_groups([3]));
    world.set(student("s2").in_groups(["g2"]));
    assert_eq!(world.lines(), ["adopt s2", "modify s2 phone", "move s2 to 2"]);
}

#[test]
fn a_listed_candidate_of_somebody_else_is_not_taken_over() {
    let mut world = converged([student("s1")]);
    world.leave("s1").set(student("s2").login("s1"));
    let waits = ["add s2 skipped: login of leaver s1", "delete s1 held: same person"];
    assert_eq!(world.lines(), waits);
}

#[test]
fn a_candidate_renamed_by_hand_onto_a_newcomers_login_value_stays_its_students() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "s3".to_owned();
    world.set(student("s3"));
    assert_eq!(world.lines(), ["modify s1 login", "add s3 skipped: in use by s1"]);
}

#[test]
fn a_candidate_behind_a_converged_link_is_not_adopted_under_another_login_value() {
    let mut world = converged([student("s1"), student("s2")]);
    let twin = world.of("s1").clone();
    world.of("s1").login = "s3".to_owned();
    world.enter(twin);
    world.set(student("s3"));
    assert_eq!(world.lines(), ["add s3 skipped: in use by s1"]);
}

#[test]
fn a_candidate_deleted_by_hand_is_added_again() {
    let mut world = converged([student("s1"), student("s2")]);
    world.vanish("s1");
    assert_eq!(world.lines(), ["add s1 in 1 again"]);
}

#[test]
fn the_link_of_a_vanished_candidate_stays_until_its_student_is_entered_again() {
    let mut world = converged([student("s1"), student("s2")]);
    world.vanish("s1");
    assert!(world.plan().notes.is_empty(), "or the guard could not count it in the next run");
}

#[test]
fn a_vanished_candidate_is_replaced_by_the_one_listed_under_the_new_login_value() {
    let mut world = converged([student("s1"), student("s2")]);
    world.vanish("s1");
    world.enter(candidate("new").field(PHONE, "552"));
    world.set(student("s1").login("new").name("name of new"));
    assert_eq!(world.lines(), ["adopt s1"]);
}

#[test]
fn a_linked_candidate_renamed_on_the_exam_side_is_followed_and_renamed_back() {
    let mut world = converged([student("s1")]);
    world.of("s1").login = "other".to_owned();
    assert_eq!(world.lines(), ["modify s1 login"]);
    world.run(100);
    assert_eq!(world.of("s1").login, "s1");
    assert!(world.plan().is_empty());
}

#[test]
fn a_link_follows_to_the_wanted_login_value_without_any_write() {
    let mut world = converged([student("s1")]);
    world.of("s1").login = "new".to_owned();
    world.tells_login = false;
    world.set(student("s1").login("new"));
    assert!(world.plan().is_empty());
    world.run(100);
    assert_eq!(world.link("s1").login, login("new"));
}

#[test]
fn a_candidate_that_exists_and_is_listed_nowhere_makes_the_listing_doubtful() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.unlisted.insert(world.sid("s1"));
    world.leave_for_good("s2").set(student("s4")).set(student("s3").phone("1"));
    assert_eq!(
        world.lines(),
        [
            "modify s1 skipped: doubtful",
            "modify s3 phone",
            "add s4 in 1 skipped: doubtful",
            "delete s2 skipped: doubtful"
        ]
    );
}

#[test]
fn a_missing_candidate_of_whom_the_look_up_says_nothing_is_left_alone() {
    let mut world = converged([student("s1"), student("s2")]);
    world.silent.insert(world.sid("s1"));
    world.vanish("s1");
    assert_eq!(world.lines(), ["modify s1 skipped: not found out"]);
    assert!(world.plan().doubt.is_none());
}

#[test]
fn an_unmanaged_candidate_is_counted_and_nothing_else() {
    let mut world = converged([student("s1")]);
    world.enter(candidate("stranger"));
    assert!(world.plan().is_empty());
    assert_eq!(world.plan().totals.unmanaged, 1);
}

#[test]
fn an_unusable_row_is_reported_and_never_a_delete() {
    let mut world = converged([student("s1"), student("s2")]);
    let link = world.link("s1");
    (link.gone_since_ms, link.gone_runs) = (Some(0), 9);
    for row in [student("s1").unusable(), student("s1").unusable().inactive(), student("s1").login(" ")] {
        world.set(row.clone());
        assert!(world.lines()[0].starts_with("modify s1 cannot: "), "{row:?}: {:?}", world.lines());
        assert_eq!(world.lines().len(), 1, "{row:?}");
    }
}

#[test]
fn an_unusable_row_whose_candidate_was_deleted_by_hand_is_looked_up_and_says_both() {
    for row in [student("s1").unusable(), student("s1").login(" ")] {
        let mut world = converged([student("s1"), student("s2")]);
        let sid = world.sid("s1");
        world.set(row.clone());
        assert!(world.needs().sids.is_empty(), "{row:?}: a candidate that is listed is not asked about");
        world.vanish("s1");
        assert_eq!(world.needs().sids.into_iter().map(|sid| sid.0).collect::<Vec<_>>(), [sid], "{row:?}");
        let plan = world.plan();
        let [operation] = plan.operations.as_slice() else { panic!("{row:?}: {:?}", world.lines()) };
        let OperationState::Cannot(reason) = &operation.state else { panic!("{row:?}: {operation:?}") };
        let said = reason.to_string();
        assert!(said.contains(&format!("sid {sid}")) && said.contains("added anew"), "{row:?}: {said}");
        assert!(world.lines()[0].starts_with("modify s1 cannot: "), "{row:?}: {:?}", world.lines());
        assert!(plan.notes.is_empty(), "{row:?}: the link stays");
        world.set(student("s1"));
        assert!(world.lines()[0].starts_with("add s1"), "{row:?}: {:?}", world.lines());
    }
}

#[test]
fn who_comes_back_with_an_unusable_row_starts_a_new_grace_when_leaving_again() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").set(student("s1").unusable());
    world.run(100);
    world.leave("s1");
    assert!(world.plan().is_empty());
}

#[test]
fn students_who_share_a_login_value_are_reported_and_keep_what_they_have() {
    let mut world = converged([student("s1"), student("s2"), student("s9")]);
    for (student_id, value) in [("s2", "s1"), ("s3", "s1"), ("s4", "free"), ("s5", "free")] {
        world.set(student(student_id).login(value));
    }
    let all = ["modify s1", "modify s2", "add s3", "add s4", "add s5"];
    assert_eq!(world.lines(), all.map(|what| format!("{what} cannot: shared-login-value")));
}

#[test]
fn an_inactive_student_shares_no_login_value_with_anybody() {
    let mut world = converged([student("s1")]);
    world.set(student("s2").login("s1").inactive());
    assert!(world.plan().is_empty());
}

#[test]
fn a_doubtful_listing_allows_neither_adds_nor_deletes_nor_new_login_values() {
    let mut world = converged([student("s1"), student("s2"), student("s3"), student("s4")]);
    world.enter(candidate("s6").field(PHONE, "552"));
    world.total_is_wrong = true;
    world.leave_for_good("s1").set(student("s2").login("x")).set(student("s3").phone("1"));
    world.set(student("s5")).set(student("s6"));
    assert_eq!(
        world.lines(),
        [
            "adopt s6",
            "modify s2 skipped: doubtful",
            "modify s3 phone",
            "add s5 in 1 skipped: doubtful",
            "delete s1 skipped: doubtful"
        ]
    );
}

#[test]
fn a_doubtful_listing_counts_nobody_as_gone_and_looks_nobody_up_who_is_missing() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.total_is_wrong = true;
    world.unlisted.insert(world.sid("s1"));
    world.leave("s2");
    assert!(world.plan().notes.is_empty());
    assert!(world.needs().sids.is_empty());
    assert_eq!(world.lines(), ["modify s1 skipped: doubtful"]);
}

fn everything() -> World {
    let mut world = converged([student("s1"), student("s2"), student("s3"), student("s6")]);
    world.enter(candidate("s5").field(PHONE, "552"));
    world.set(student("s1").phone("1")).set(student("s2").in_groups(["g2"]));
    world.set(student("s4").in_groups(["g1", "g2"])).set(student("s5")).leave_for_good("s3");
    world
}

#[test]
fn each_mode_allows_what_the_one_before_allows_and_more() {
    let all = ["adopt s5", "modify s1 phone", "add s4 in 1", "move s2 to 2", "move s4 +2", "delete s3"];
    let allowed = |mode, count: usize| {
        let mut world = everything();
        world.policy.mode = mode;
        let planned: Vec<String> =
            world.lines().into_iter().filter(|line| !line.contains("skipped: mode")).collect();
        assert_eq!(planned.len(), count, "{mode:?}: {planned:?}");
        assert!(planned.iter().all(|line| all.contains(&line.as_str())), "{mode:?}: {planned:?}");
        assert_eq!(world.lines().len(), all.len());
    };
    allowed(Mode::Observe, 0);
    allowed(Mode::CreateOnly, 3);
    allowed(Mode::Upsert, 5);
    allowed(Mode::Sync, 6);
}

#[test]
fn a_mode_that_spares_leavers_looks_none_up() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").policy.mode = Mode::Upsert;
    assert!(world.needs().sids.is_empty());
    assert_eq!(world.lines(), ["delete s1 skipped: mode"]);
}

#[test]
fn where_adoption_is_off_the_candidate_is_reported_and_not_looked_up() {
    let mut world = converged([student("s1")]);
    world.policy.adopt = Adopt::Never;
    world.enter(candidate("s2"));
    world.set(student("s2"));
    assert_eq!(world.lines(), ["adopt s2 cannot: adoption-off"]);
    assert!(world.needs().logins.is_empty());
}

#[test]
fn our_own_lost_add_is_taken_over_even_where_adoption_is_off() {
    let mut world = converged([student("s1")]);
    world.policy.adopt = Adopt::Never;
    world.enter(candidate("s2").field(PHONE, "552"));
    world.set(student("s2")).our_lost_adds.insert(id("s2"));
    let plan = world.plan();
    assert_eq!(lines(&plan), ["adopt s2"]);
    let Change::Adopt(adoption) = &plan.operations[0].change else { panic!("an adoption") };
    assert_eq!(adoption.origin, Origin::Added);
}

#[test]
fn whose_lost_add_nobody_can_settle_is_not_entered_again() {
    let mut world = converged([student("s1")]);
    world.set(student("s2")).open_adds.insert(id("s2"), OpenAdd::Untold);
    assert_eq!(world.lines(), ["add s2 in 1 skipped: not found out"]);
}

#[test]
fn whose_lost_add_is_not_shown_yet_is_entered_again_from_a_moment_on_and_not_before() {
    let mut world = converged([student("s1")]);
    let now_ms = world.now_ms;
    let mut lines = |again_at_ms: i64| {
        world.set(student("s2")).open_adds.insert(id("s2"), OpenAdd::NotShown { again_at_ms });
        world.lines()
    };
    let waiting = lines(now_ms + 1);
    assert!(waiting.len() == 1 && waiting[0].contains("skipped: addnotshown"), "{waiting:?}");
    assert_eq!(lines(now_ms), ["add s2 in 1"]);
}

#[test]
fn an_adoption_whose_look_up_brought_nothing_waits() {
    let mut world = converged([student("s1")]);
    let sid = world.enter(candidate("s2"));
    world.silent.insert(sid);
    world.set(student("s2"));
    assert_eq!(world.lines(), ["adopt s2 skipped: not found out"]);
}

#[test]
fn a_failure_waits_until_it_is_due_or_its_row_changes() {
    let mut world = converged([student("s1")]);
    let now = world.now_ms;
    world.set(student("s1").phone("1")).fail(FailureState::Waiting, now + 1);
    assert_eq!(world.lines(), ["modify s1 phone skipped: not due"]);
    world.now_ms = now + 1;
    assert_eq!(world.lines(), ["modify s1 phone"]);
    world.set(student("s1").phone("2")).now_ms = now;
    assert_eq!(world.lines(), ["modify s1 phone"]);
}

#[test]
fn a_dead_letter_and_an_ignored_failure_wait_for_a_person_or_a_changed_row() {
    for (state, word) in [(FailureState::Dead, "deadletter"), (FailureState::Ignored, "ignored")] {
        let mut world = converged([student("s1")]);
        world.set(student("s2")).fail(state, 0);
        assert_eq!(world.lines(), [format!("add s2 in 1 skipped: {word}")], "{state:?}");
        world.set(student("s2").phone("9"));
        assert_eq!(world.lines(), ["add s2 in 1"], "{state:?}");
    }
}

#[test]
fn what_follows_an_add_or_an_adoption_waits_with_it() {
    let mut world = converged([student("s1")]);
    world.set(student("s2")).fail(FailureState::Dead, 0).set(student("s2"));
    world.enter(candidate("s3"));
    world.set(student("s3").in_groups(["g2"])).policy.mode = Mode::Observe;
    let planned = world.plan().operations.iter().filter(|operation| operation.is_planned()).count();
    assert_eq!(planned, 0);
    world.roster.remove("s3");
    world.policy.mode = Mode::Sync;
    world.set(student("s2").in_groups(["g1", "g2"]));
    assert_eq!(world.lines(), ["add s2 in 1 skipped: deadletter", "move s2 +2 skipped: deadletter"]);
}

#[test]
fn an_ignored_report_stays_silent_until_its_reason_changes() {
    let mut world = converged([student("s1")]);
    world.set(student("s2").in_groups([])).fail(FailureState::Ignored, 0);
    assert_eq!(world.lines(), ["add s2 skipped: ignored"]);
    world.set(student("s2").in_groups(["h1"]));
    assert_eq!(world.lines(), ["add s2 cannot: group-without-gid"]);
}

#[test]
fn operations_stand_in_the_order_of_application_deletes_last() {
    assert_eq!(
        everything().lines(),
        ["adopt s5", "modify s1 phone", "add s4 in 1", "move s2 to 2", "move s4 +2", "delete s3"]
    );
}

#[test]
fn the_digest_is_the_same_whenever_the_plan_is_made_and_differs_when_a_want_differs() {
    let mut world = everything();
    let digest = world.plan().digest();
    world.listed_backwards = true;
    world.now_ms += HOUR;
    assert_eq!(world.plan().digest(), digest);
    world.set(student("s1").phone("2"));
    assert_ne!(world.plan().digest(), digest);
    assert!(digest.chars().all(char::is_alphanumeric));
}

#[test]
fn a_plan_masks_values_unless_they_are_asked_for() {
    let mut world = converged([student("s1")]);
    world.set(student("s1").phone("777").login("new-login").password("pw-9"));
    let plan = world.plan();
    let shown = |values| format!("{:?}", PlanDocument::new(&plan, values));
    assert_eq!(
        PlanDocument::new(&plan, ValueDisplay::Masked).operations[0].detail,
        "login (login value), phone, password"
    );
    let masked = shown(ValueDisplay::Masked);
    assert!(!["777", "new-login", "pw-9"].iter().any(|value| masked.contains(value)), "{masked}");
    let revealed = shown(ValueDisplay::Revealed);
    assert!(revealed.contains("login s1 → new-login"), "{revealed}");
}
