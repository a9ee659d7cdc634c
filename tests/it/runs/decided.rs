//! What a person decided holds: who is to stay stays, and an approval covers what was shown and nothing else.

use std::time::Duration;

use rosterd_core::exam_plan::HoldWord;
use rosterd_core::failure::FailureState;
use rosterd_core::roster::Limit;

use rosterd_testkit::*;

async fn without_grace(count: usize) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(count)).await;
    world.settings.exam.delete_grace = Duration::ZERO;
    world
}

/// Puts a student's candidate into the group of another school too.
async fn share(world: &ExamSchool, student: &str) {
    let sid = world.sid(student).await;
    world.sandbox.set_candidate_groups(sid, &[world.gid("g1"), world.foreign]);
}

/// Takes it out of that group again.
async fn unshare(world: &ExamSchool, student: &str) {
    let sid = world.sid(student).await;
    world.sandbox.set_candidate_groups(sid, &[world.gid("g1")]);
}

/// A leaver who is also in a foreign group, and of whom a person said that they stay.
async fn with_a_kept_leaver() -> ExamSchool {
    let mut world = without_grace(8).await;
    share(&world, "s001").await;
    world.remove("s001").await;
    let _seen = world.run().await;
    assert_eq!(world.run_later().await.held(), "1 delete");
    ignore_all(&world).await;
    assert_eq!(kept(&world.run().await), (String::new(), 1, 0));
    world
}

async fn ignore_all(world: &ExamSchool) {
    let now_ms = world.clock.now_ms();
    world.state.change_failures(None, FailureState::Ignored, now_ms).await.unwrap();
}

async fn states(world: &ExamSchool) -> Vec<(String, String, FailureState)> {
    let rows = world.failures().await.into_iter();
    rows.map(|row| (row.student_id, row.code, row.state)).collect()
}

fn ignored(student: &str, code: &str) -> Vec<(String, String, FailureState)> {
    vec![(student.to_owned(), code.to_owned(), FailureState::Ignored)]
}

/// What was applied, how many leavers are kept, and how the run ended.
fn kept(report: &rosterd::RunReport) -> (String, u64, u8) {
    (report.applied(), report.exam.leavers_kept, report.exit_code)
}

/// Approves everything about single people that is held under the digest of this report, as `--reason` does.
async fn approve(world: &ExamSchool, report: &rosterd::RunReport) {
    let (now_ms, digest) = (world.clock.now_ms(), report.held_digest.as_deref().unwrap());
    let held = world.state.approvable(digest).await.unwrap().into_iter();
    let granted: Vec<_> = held.map(|one| (one, now_ms + 5 * DAY)).collect();
    assert!(!granted.is_empty(), "{report:?}");
    world.state.grant(&granted, now_ms).await.unwrap();
}

#[tokio::test]
async fn a_leaver_who_is_to_stay_stays_when_the_foreign_group_is_gone() {
    let world = with_a_kept_leaver().await;
    unshare(&world, "s001").await;
    for _ in 0..3 {
        world.later(2 * DAY);
        assert_eq!(kept(&world.run().await), (String::new(), 1, 0));
        assert_eq!(states(&world).await, ignored("s001", "foreign-group"));
    }
    let id = world.failures().await.remove(0).id;
    let now_ms = world.clock.now_ms();
    world.state.change_failures(Some(&[id]), FailureState::Waiting, now_ms).await.unwrap();
    let _looked_up = world.run_later().await;
    let _seen = world.run_later().await;
    assert!(!world.logins().contains(&"s001".to_owned()), "{:?}", world.logins());
    assert_eq!(states(&world).await, [], "a retry ends it, and nothing holds the leaver any more");
}

#[tokio::test]
async fn a_run_that_finds_nothing_out_or_has_another_clock_or_mode_forgets_nothing() {
    let mut world = with_a_kept_leaver().await;
    world.set("date_offset_s", "7200");
    assert_eq!(kept(&world.run().await), (String::new(), 1, 0));
    world.set("date_offset_s", "0");
    world.later(2 * DAY);
    world.set("exam.groups_missing", "getstudentsinfo@*");
    let _nothing_told = world.run().await;
    world.sandbox.clear_faults();
    world.settings.mode = rosterd_core::roster::Mode::Upsert;
    let _not_wanted = world.run().await;
    world.settings.mode = rosterd_core::roster::Mode::Sync;
    assert_eq!(states(&world).await, ignored("s001", "foreign-group"));
    assert_eq!(kept(&world.run().await), (String::new(), 1, 0));
}

#[tokio::test]
async fn who_was_to_stay_and_came_back_is_a_leaver_like_any_other_when_they_leave_again() {
    let mut world = with_a_kept_leaver().await;
    unshare(&world, "s001").await;
    world.put(student("s001")).await;
    let _back = world.run_later().await;
    assert_eq!(states(&world).await, []);
    world.remove("s001").await;
    let _seen = world.run().await;
    assert_eq!(world.run_later().await.applied(), "1 delete");
}

#[tokio::test]
async fn an_approval_ends_what_was_ignored() {
    let mut world = without_grace(8).await;
    share(&world, "s001").await;
    world.remove("s001").await;
    let _seen = world.run().await;
    let report = world.run_later().await;
    assert_eq!(report.held(), "1 delete");
    ignore_all(&world).await;
    approve(&world, &report).await;
    assert_eq!(world.run().await.applied(), "1 delete", "the last word counts");
    assert_eq!(states(&world).await, []);
}

#[tokio::test]
async fn an_ignored_take_over_stays_ignored_when_a_look_up_tells_nothing() {
    let mut world = ExamSchool::with(students(3)).await;
    world.settings.exam.shared = Some(true);
    world.leaves_work_behind();
    let stranger = [(LOGIN, "s000"), (NAME, "Somebody else"), (GENDER, "m"), (PHONE, "other")];
    world.sandbox.insert_candidate(&stranger, &[world.gid("g1")]);
    assert_eq!(world.run().await.held(), "1 adopt");
    ignore_all(&world).await;
    assert_eq!(world.run().await.exit_code, 0);
    world.set("exam.groups_missing", "getstudentsinfo@*");
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), (String::new(), 0), "{report:?}");
    assert_eq!(states(&world).await, ignored("s000", "adoption"));
    world.sandbox.clear_faults();
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), (String::new(), 0));
    assert_eq!(states(&world).await, ignored("s000", "adoption"));
}

#[tokio::test]
async fn an_approved_move_of_a_leaver_lets_no_delete_through() {
    let mut world = without_grace(8).await;
    world.settings.exam.shared = Some(true);
    share(&world, "s001").await;
    let _groups_seen = world.run_later().await;
    world.remove("s001").await;
    world.put(student("new").login("s001")).await;
    let report = world.run().await;
    assert_eq!(report.held(), "1 move", "{report:?}");
    approve(&world, &report).await;
    unshare(&world, "s001").await;
    world.later(HOUR);
    let report = world.run().await;
    assert_eq!(
        (report.calls("delStu"), report.calls("movestugroup"), report.held()),
        (0, 0, "1 delete".to_owned())
    );
    approve(&world, &report).await;
    assert_eq!(world.run().await.applied(), "1 delete", "now it was shown");
}

#[tokio::test]
async fn an_approval_about_one_student_says_nothing_about_another_who_comes_later() {
    let mut world = without_grace(8).await;
    world.remove("s001").await;
    world.put(student("sibling").login("s001")).await;
    let report = world.run().await;
    assert_eq!(report.held(), "1 delete");
    approve(&world, &report).await;
    world.put(student("S001").login("a new phone")).await;
    world.later(HOUR);
    let report = world.run().await;
    assert_eq!((report.calls("delStu"), report.held()), (0, "1 add, 1 delete".to_owned()), "{report:?}");
    assert_eq!(report.exit_code, 4, "another doubt is news");
    let said = report.exam.holds.join("\n") + &format!("{:?}", world.failures().await);
    assert!(said.contains("relink s001 S001"), "{said}");
    let named: Vec<HoldWord> = world
        .state
        .approvable(report.held_digest.as_deref().unwrap())
        .await
        .unwrap()
        .into_iter()
        .filter_map(|one| one.word)
        .collect();
    assert_eq!(named, [HoldWord::SamePerson; 2]);
}

#[tokio::test]
async fn each_doubt_about_a_take_over_is_approved_once_and_then_it_goes_ahead() {
    let mut world = without_grace(8).await;
    world.remove("s001").await;
    let stranger = [(LOGIN, "there"), (NAME, "Somebody else"), (GENDER, "m"), (PHONE, "other")];
    world.sandbox.insert_candidate(&stranger, &[world.gid("g1")]);
    world.put(student("S001").login("there")).await;
    let report = world.run().await;
    assert_eq!(report.held(), "1 adopt, 1 delete");
    approve(&world, &report).await;
    let report = world.run().await;
    assert_eq!(report.held(), "1 adopt", "nothing agrees: {report:?}");
    approve(&world, &report).await;
    let report = world.run().await;
    assert_eq!((report.held(), report.applied().contains("1 adopt")), (String::new(), true), "{report:?}");
    world.leaves_work_behind();
}

#[tokio::test]
async fn a_look_up_that_tells_nothing_ends_no_approval() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.guard.max_move = Limit::Count(2);
    world.settings.guard.max_group = Limit::Percent(100.0);
    for number in 0..6 {
        world.edit(&format!("s{number:03}"), |it| it.in_groups(["g2"])).await;
    }
    let report = world.run().await;
    assert_eq!(report.held(), "6 move");
    let approved =
        world.state.approve(report.held_digest.as_deref().unwrap(), world.clock.now_ms() + DAY).await;
    assert_eq!(approved.unwrap(), 6);
    world.set("exam.groups_missing", "getstudentsinfo@*");
    let report = world.run().await;
    assert_eq!((report.applied(), report.skipped()), (String::new(), "6 move".to_owned()), "{report:?}");
    world.sandbox.clear_faults();
    assert_eq!(world.run().await.applied(), "6 move", "they are wanted still");
}

/// A newcomer with whose login value a candidate is listed of which nothing else agrees, and a person said to leave it.
async fn with_an_ignored_take_over() -> ExamSchool {
    let mut world = without_grace(8).await;
    let fields = [(LOGIN, "new"), (NAME, "Somebody"), (PHONE, "none"), (GENDER, "m")];
    world.sandbox.insert_candidate(&fields, &[world.gid("g1")]);
    world.put(student("new")).await;
    assert_eq!(world.run().await.held(), "1 adopt");
    ignore_all(&world).await;
    let report = world.run().await;
    assert_eq!((report.held(), report.writes()), (String::new(), 0), "{report:#?}");
    world
}

#[tokio::test]
async fn a_take_over_that_was_ignored_is_asked_about_again_when_the_row_changes() {
    type Edit = fn(Person) -> Person;
    let changes: [(&str, Edit); 3] = [
        ("name", |it| it.named("Somebody")),
        ("phone", |it| it.phone("none")),
        ("both", |it| it.named("Somebody").phone("none")),
    ];
    for (what, change) in changes {
        let mut world = with_an_ignored_take_over().await;
        world.edit("new", change).await;
        for exit_code in [4, 0, 0] {
            let report = world.run().await;
            assert_eq!((report.held(), report.writes()), ("1 adopt".to_owned(), 0), "{what}: {report:#?}");
            assert_eq!(report.exit_code, exit_code, "{what}: {report:#?}");
            world.later(HOUR);
        }
        assert!(world.link("new").await.is_none(), "{what}");
        // Who says so once more is not asked again; who approves it lets it go.
        ignore_all(&world).await;
        for _ in 0..2 {
            let report = world.run().await;
            assert_eq!((report.held(), report.writes()), (String::new(), 0), "{what}: {report:#?}");
        }
        let id = world.failures().await.remove(0).id;
        let now_ms = world.clock.now_ms();
        world.state.change_failures(Some(&[id]), FailureState::Waiting, now_ms).await.unwrap();
        let _asked = world.run().await;
        let report = world.run().await;
        assert!(report.writes() == 0, "{what}: who takes back an ignore is asked: {report:#?}");
    }
}

#[tokio::test]
async fn a_take_over_that_is_asked_about_again_goes_ahead_when_it_is_approved() {
    let mut world = with_an_ignored_take_over().await;
    world.edit("new", |it| it.named("Somebody")).await;
    let report = world.run().await;
    assert_eq!(report.held(), "1 adopt", "{report:#?}");
    approve(&world, &report).await;
    let report = world.run().await;
    assert!(report.applied().contains("1 adopt"), "{report:#?}");
    assert_eq!(world.run().await.outcome.as_str(), "converged");
}

#[tokio::test]
async fn who_gets_the_login_value_of_another_candidate_after_an_ignore_is_asked_about_again() {
    let mut world = with_an_ignored_take_over().await;
    world.sandbox.insert_candidate(&[(LOGIN, "third"), (NAME, "Name of new")], &[world.gid("g1")]);
    world.edit("new", |it| it.login("third")).await;
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!((report.held(), report.writes()), ("1 adopt".to_owned(), 0), "{report:#?}");
    }
    // A login value that nobody has is entered as any.
    world.edit("new", |it| it.login("fourth")).await;
    assert_eq!(world.run().await.applied(), "1 add");
}
