//! Groups of the roster without a gid: found or created on the exam side, once, whatever becomes of the answer.

use std::time::Duration;

use rosterd_core::roster::{Adopt, Mode};
use rosterd_testkit::*;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

const TITLE: &str = "Group h1";

/// `s0` to `s2` in group `h1`, which has no gid; `other` in `g1`.
async fn world() -> ExamSchool {
    let people = ["s0", "s1", "s2"].map(|id| student(id).in_groups(["h1"]));
    let mut world = ExamSchool::with(people.into_iter().chain([student("other")])).await;
    world.settings.exam.create_groups = true;
    world
}

fn groups_called(world: &ExamSchool, title: &str) -> Vec<i64> {
    world.sandbox.groups().into_iter().filter(|(_, shown)| shown == title).map(|(gid, _)| gid).collect()
}

fn creations(world: &ExamSchool) -> usize {
    world.journal().iter().filter(|call| *call == "addcategory").count()
}

async fn roster(world: &ExamSchool, sql: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.folder.path().join("roster.db"));
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn problem(report: &rosterd::RunReport) -> String {
    report.exam.problems.join("\n")
}

#[tokio::test]
async fn a_group_without_a_gid_is_created_once_and_its_students_follow_in_the_same_run() {
    let mut world = world().await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("4 add, 1 create".to_owned(), 0), "{report:?}");
    let gids = groups_called(&world, TITLE);
    assert_eq!((gids.len(), creations(&world)), (1, 1));
    assert_eq!(world.candidate("s1").gids, gids.iter().copied().collect());
    assert!(report.exam.notes.iter().any(|note| note.contains("h1 was created")), "{:?}", report.exam.notes);
    world.sandbox.clear_journal();
    for _ in 0..2 {
        assert_eq!(world.run_later().await.outcome.as_str(), "converged");
    }
    assert_eq!(creations(&world), 0);
    world.groups.insert("h1".to_owned(), Some(gids[0]));
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn the_roster_is_never_written() {
    let world = world().await;
    let path = world.folder.path().join("roster.db");
    let before = std::fs::read(&path).unwrap();
    let _report = world.run().await;
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_created_group_is_ours_also_when_creating_is_switched_off_again() {
    let mut world = world().await;
    let _first = world.run().await;
    world.settings.exam.create_groups = false;
    world.edit("s0", |it| it.in_groups(["g2"])).await;
    assert_eq!(world.run_later().await.applied(), "1 move");
    assert_eq!(world.candidate("s0").gids, [world.gid("g2")].into(), "the created group was left");
}

#[tokio::test]
async fn a_plan_and_observing_create_nothing_and_say_which_groups_would_be() {
    let mut world = world().await;
    let lines =
        ["create h1 planned", "add other planned", "add s0 planned", "add s1 planned", "add s2 planned"];
    assert_eq!(world.planned().await, lines);
    assert_eq!((creations(&world), groups_called(&world, TITLE).len()), (0, 0));
    world.settings.mode = Mode::Observe;
    let report = world.run().await;
    assert!(problem(&report).contains("groups h1: has no gid: a run that may add"), "{}", problem(&report));
    assert_eq!(report.skipped(), "4 add, 1 create");
    assert_eq!((creations(&world), groups_called(&world, TITLE).len()), (0, 0));
    world.settings.mode = Mode::CreateOnly;
    assert_eq!(world.run_later().await.applied(), "4 add, 1 create");
}

#[tokio::test]
async fn without_the_setting_students_in_a_group_without_a_gid_wait_as_ever() {
    let mut world = world().await;
    world.settings.exam.create_groups = false;
    let report = world.run().await;
    assert_eq!((report.skipped(), creations(&world), report.exit_code), ("3 add".to_owned(), 0, 3));
}

#[tokio::test]
async fn the_group_is_created_below_the_configured_one() {
    let mut world = world().await;
    world.settings.exam.create_groups_under = 999_999;
    let report = world.run().await;
    assert!(problem(&report).contains("refused 1 times"), "{}", problem(&report));
    assert_eq!(report.applied(), "1 add", "the others go on");
    world.settings.exam.create_groups_under = world.gid("g1");
    assert_eq!(world.run_later().await.applied(), "3 add, 1 create");
}

#[tokio::test]
async fn no_way_of_losing_the_answer_makes_a_twin() {
    for fault in [
        "lose_answer=addcategory",
        "reset=addcategory:applied",
        "cut_body=addcategory",
        "cut_body=addcategory:0",
        "not_json=addcategory",
        "delay=addcategory:1000",
        "slow_body=addcategory:1",
        "huge_body=addcategory:67108864",
        "drop_request=addcategory",
        "reset=addcategory:unapplied",
        "html_200=addcategory",
        "http_5xx=addcategory:500",
        "maintenance=addcategory",
        "http_429=addcategory",
    ] {
        let mut world = world().await;
        world.settings.exam.endpoint.timeout = Duration::from_millis(300);
        let (name, value) = fault.split_once('=').unwrap();
        world.set(name, value);
        let report = world.run().await;
        assert_eq!((report.skipped(), report.exit_code), ("3 add".to_owned(), 3), "{fault}: {report:?}");
        assert!(problem(&report).contains("enter its gid"), "{fault}: {}", problem(&report));
        for _ in 0..3 {
            let report = world.run_later().await;
            assert_eq!(report.exit_code, 0, "{fault}: a person has been told");
            assert_eq!(report.attention["withheld"].count, 3, "{fault}: it is not forgotten either");
        }
        let there = groups_called(&world, TITLE);
        assert!(there.len() <= 1 && creations(&world) == 1, "{fault}: {there:?}");
        // A person looks, creates it where it is missing, and enters its gid.
        let gid = there.first().copied().unwrap_or_else(|| world.sandbox.create_group(TITLE));
        world.groups.insert("h1".to_owned(), Some(gid));
        world.write_roster().await;
        assert_eq!(world.run_later().await.applied(), "3 add", "{fault}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{fault}");
    }
}

#[tokio::test]
async fn a_run_that_is_cut_off_around_the_call_makes_no_twin() {
    let world = world().await;
    // A creation that may be done is left to a person.
    world.leaves_work_behind();
    world.set("delay", "addcategory:200");
    world.crash_when(|| creations(&world) > 0).await;
    for _ in 0..3 {
        let _report = world.run_later().await;
    }
    assert_eq!((groups_called(&world, TITLE).len(), creations(&world)), (1, 1));
}

#[tokio::test]
async fn a_creation_not_recorded_before_is_not_sent_and_one_not_recorded_after_not_again() {
    let world = world().await;
    // A creation that may be done is left to a person.
    world.leaves_work_behind();
    world.break_our_database("INSERT ON group_creations").await;
    assert_eq!(world.run().await.exit_code, 1);
    assert_eq!(creations(&world), 0);
    world.mend_our_database().await;
    world.break_our_database("INSERT ON known_groups WHEN NEW.origin = 'created'").await;
    assert_eq!(world.run_later().await.exit_code, 1);
    world.mend_our_database().await;
    for _ in 0..2 {
        let _report = world.run_later().await;
    }
    assert_eq!((groups_called(&world, TITLE).len(), creations(&world)), (1, 1));
}

#[tokio::test]
async fn after_a_lost_answer_the_group_is_adopted_once_a_student_of_it_is_seen_in_it() {
    let world = world().await;
    world.set("lose_answer", "addcategory");
    let _lost = world.run().await;
    let gid = groups_called(&world, TITLE)[0];
    world.sandbox.insert_candidate(&[(LOGIN, "s0"), (NAME, "by hand"), (GENDER, "f")], &[gid]);
    let report = world.run_later().await;
    assert!(report.exam.notes.iter().any(|note| note.contains("was found")), "{:?}", report.exam.notes);
    assert_eq!(creations(&world), 1);
    assert_eq!(world.candidate("s1").gids, [gid].into());
    assert_eq!(world.run_later().await.exit_code, 0);
}

#[tokio::test]
async fn a_refused_creation_is_tried_again_later_and_a_few_times_only() {
    let mut world = world().await;
    world.settings.retry.max_attempts = 3;
    world.set("refuse_call", "addcategory");
    assert!(problem(&world.run().await).contains("refused 1 times: it is tried again later"));
    assert_eq!(creations(&world), 1);
    let _too_soon = world.run().await;
    assert_eq!(creations(&world), 1);
    assert_eq!(world.run_later().await.applied(), "3 add, 1 create");
    assert_eq!(groups_called(&world, TITLE).len(), 1);

    let mut never = self::world().await;
    never.settings.retry.max_attempts = 3;
    never.set("refuse_call", "addcategory@*");
    for _ in 0..6 {
        let _report = never.run_later().await;
    }
    assert_eq!(creations(&never), 3);
}

#[tokio::test]
async fn a_group_that_its_students_are_in_already_is_adopted_and_not_created() {
    let mut world = world().await;
    let gid = world.sandbox.create_group(TITLE);
    world.sandbox.insert_candidate(&[(LOGIN, "s0"), (NAME, "there before"), (GENDER, "f")], &[gid]);
    world.settings.exam.adopt = Adopt::Never;
    let report = world.run().await;
    assert!(problem(&report).contains(&format!("enter gid {gid}")), "{}", problem(&report));
    world.settings.exam.adopt = Adopt::Auto;
    let _report = world.run_later().await;
    assert_eq!((creations(&world), groups_called(&world, TITLE)), (0, vec![gid]));
    assert_eq!(world.candidate("s2").gids, [gid].into());
}

#[tokio::test]
async fn a_group_of_that_title_with_only_others_in_it_is_somebody_elses() {
    let world = world().await;
    let theirs = world.sandbox.create_group(TITLE);
    world.sandbox.insert_candidate(&[(LOGIN, "stranger"), (NAME, "x")], &[theirs]);
    let _report = world.run().await;
    assert_eq!((creations(&world), groups_called(&world, TITLE).len()), (1, 2));
    assert!(!world.candidate("s0").gids.contains(&theirs));
}

#[tokio::test]
async fn several_groups_of_one_title_are_for_a_person_to_tell_apart() {
    let world = world().await;
    for id in ["s0", "s1"] {
        let gid = world.sandbox.create_group(TITLE);
        world.sandbox.insert_candidate(&[(LOGIN, id), (NAME, "x"), (GENDER, "f")], &[gid]);
    }
    let report = world.run().await;
    assert!(problem(&report).contains("several groups of its title"), "{}", problem(&report));
    assert_eq!(creations(&world), 0);
}

#[tokio::test]
async fn two_groups_of_the_roster_with_one_title_are_not_one_group_there() {
    let mut world = world().await;
    world.groups.insert("h2".to_owned(), None);
    world.put(student("s3").in_groups(["h2"])).await;
    roster(&world, "UPDATE groups SET title = 'One title' WHERE gid IS NULL").await;
    let report = world.run().await;
    let said = problem(&report);
    assert!(
        said.contains("h1: has no gid, and h2 has the same title: give each a title of its own"),
        "{said}"
    );
    assert!(said.contains("h2: has no gid, and h1 has the same title"), "{said}");
    assert_eq!((report.applied(), report.exit_code, creations(&world)), ("1 add".to_owned(), 3, 0));
    // With titles of their own they are two.
    world.write_roster().await;
    assert_eq!(world.run_later().await.applied(), "4 add, 2 create");
    assert_ne!(world.candidate("s3").gids, world.candidate("s0").gids);
}

#[tokio::test]
async fn a_title_that_another_group_of_the_roster_has_with_a_gid_makes_no_twin() {
    let world = world().await;
    roster(&world, "UPDATE groups SET title = 'Group g1' WHERE group_code = 'h1'").await;
    let report = world.run().await;
    assert!(problem(&report).contains("another group of this title"), "{}", problem(&report));
    assert_eq!(creations(&world), 0);
}

#[tokio::test]
async fn a_title_that_goes_on_to_another_cohort_brings_nobody_into_the_group_of_the_first() {
    let mut world = world().await;
    let _first = world.run().await;
    let gids = groups_called(&world, TITLE);
    world.groups.insert("h9".to_owned(), None);
    world.put(student("fresh").in_groups(["h9"])).await;
    roster(&world, "UPDATE groups SET title = 'Older' WHERE group_code = 'h1'").await;
    roster(&world, &format!("UPDATE groups SET title = '{TITLE}' WHERE group_code = 'h9'")).await;
    let report = world.run_later().await;
    assert!(problem(&report).contains("now has another title"), "{}", problem(&report));
    assert!(!world.logins().contains(&"fresh".to_owned()), "{report:?}");
    assert_eq!(groups_called(&world, TITLE), gids);
}

#[tokio::test]
async fn a_roster_that_loses_its_gids_has_no_group_made_again_and_nobody_moved() {
    let mut world = ExamSchool::in_step(students(6)).await;
    world.settings.exam.create_groups = true;
    assert_eq!(world.run().await.planned(), "");
    let before = world.sandbox.groups();
    for code in ["g1", "g2", "g3"] {
        world.groups.insert(code.to_owned(), None);
    }
    world.write_roster().await;
    // Their titles differ from those on the exam side, so nothing but memory tells.
    let report = world.run_later().await;
    assert!(problem(&report).contains("groups g1: had gid"), "{}", problem(&report));
    assert_eq!((report.writes(), creations(&world)), (0, 0));
    assert_eq!(world.sandbox.groups(), before);
}

#[tokio::test]
async fn groups_without_active_students_a_title_or_with_an_unreadable_gid_are_not_created() {
    let mut world = world().await;
    world.groups.insert("empty".to_owned(), None);
    world.groups.insert("h3".to_owned(), Some(-5));
    world.groups.insert("h4".to_owned(), None);
    world.put(student("s3").in_groups(["h3"])).await;
    world.put(student("s4").in_groups(["h4"])).await;
    world.put(student("s5").in_groups(["empty"]).inactive()).await;
    roster(&world, "UPDATE groups SET title = '  ' WHERE group_code = 'h4'").await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.skipped()), ("4 add, 1 create".to_owned(), "2 add".to_owned()));
    assert!(problem(&report).contains("h4: has neither gid nor title"), "{}", problem(&report));
    assert_eq!(creations(&world), 1);
}

#[tokio::test]
async fn nothing_is_created_while_the_listing_is_doubtful() {
    let world = world().await;
    for at in 0..150 {
        let gid = world.gid("g1");
        world.sandbox.insert_candidate(&[(LOGIN, &format!("x{at}")), (NAME, "x")], &[gid]);
    }
    world.set("total_drifts", "getstulist@*");
    let report = world.run().await;
    assert!(problem(&report).contains("doubtful"), "{}", problem(&report));
    assert_eq!((creations(&world), report.exit_code), (0, 3));
    world.sandbox.clear_faults();
    assert_eq!(world.run_later().await.applied(), "4 add, 1 create");
}

#[tokio::test]
async fn a_student_whose_further_group_is_created_is_moved_into_it() {
    let mut world = world().await;
    world.put(student("both").in_groups(["g1", "h1"])).await;
    let report = world.run().await;
    assert_eq!(report.applied(), "5 add, 1 create, 1 move");
    let gid = groups_called(&world, TITLE)[0];
    assert_eq!(world.candidate("both").gids, [world.gid("g1"), gid].into());
}

#[tokio::test]
async fn refused_credentials_while_creating_end_the_run_and_leave_it_to_be_tried_again() {
    let world = world().await;
    world.set("redirect", "addcategory");
    let report = world.run().await;
    assert_eq!(report.exit_code, 75, "the address has answered in this run: {report:?}");
    assert_eq!(world.run_later().await.applied(), "4 add, 1 create");
    assert_eq!(groups_called(&world, TITLE).len(), 1);
}

/// `n` students, each in a group of their own that has no gid.
async fn cohorts(n: usize) -> ExamSchool {
    let codes: Vec<String> = (0..n).map(|at| format!("n{at:02}")).collect();
    let people = codes.iter().map(|code| student(&format!("s-{code}")).in_groups([code.as_str()]));
    let mut world = ExamSchool::with(people.collect::<Vec<_>>()).await;
    world.settings.exam.create_groups = true;
    world.groups.extend(codes.into_iter().map(|code| (code, None)));
    world.write_roster().await;
    world
}

#[tokio::test]
async fn more_new_groups_than_the_limit_are_held_until_they_are_approved() {
    // With g1 to g3 and h1: 5 of 9 groups are allowed, 6 of 10 are not.
    let world = cohorts(5).await;
    assert_eq!(world.run().await.applied(), "5 add, 5 create");

    let world = cohorts(6).await;
    let report = world.run().await;
    assert_eq!((report.held(), report.skipped()), ("6 create".to_owned(), "6 add".to_owned()));
    assert_eq!((creations(&world), report.exit_code), (0, 4));
    assert!(report.exam.holds[0].contains("6 of the roster's 10 groups"), "{:?}", report.exam.holds);
    let approved = world.state.approve(&report.digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(approved, 6);
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("6 add, 6 create".to_owned(), 0));
    assert_eq!(creations(&world), 6);
}

#[tokio::test]
async fn a_signal_while_groups_are_created_makes_no_student_impossible() {
    let world = cohorts(3).await;
    world.set("delay", "addcategory:200");
    let told = async {
        while creations(&world) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.stop.cancel();
    };
    let (report, ()) = tokio::join!(world.run(), told);
    assert_eq!((report.exit_code, creations(&world)), (143, 1));
    assert_eq!(report.failed(), "");
    assert!(world.failures().await.is_empty(), "{:?}", world.failures().await);
}

#[tokio::test]
async fn an_approval_of_new_groups_covers_no_others() {
    let mut world = cohorts(6).await;
    let report = world.run().await;
    let _count = world.state.approve(&report.digest, world.clock.now_ms() + DAY).await.unwrap();
    for at in 10..40 {
        let code = format!("n{at}");
        world.groups.insert(code.clone(), None);
        let person = student(&format!("s-{code}")).in_groups([code.as_str()]);
        world.people.insert(person.id.clone(), person);
    }
    world.write_roster().await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), ("6 add, 6 create".to_owned(), "30 create".to_owned()));
}

#[tokio::test]
async fn a_run_cut_off_between_creation_and_add_converges() {
    let world = world().await;
    world.set("delay", "addStudents:300");
    world.crash_when(|| world.journal().iter().any(|call| call == "addStudents")).await;
    world.sandbox.clear_faults();
    for _ in 0..2 {
        let _report = world.run_later().await;
    }
    assert_eq!((groups_called(&world, TITLE).len(), creations(&world)), (1, 1));
    assert_eq!(world.candidate("s2").gids, groups_called(&world, TITLE).into_iter().collect());
    assert_eq!(world.run_later().await.outcome.as_str(), "converged");
}

#[tokio::test]
async fn a_linked_student_is_moved_into_the_group_that_the_run_creates() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.settings.exam.create_groups = true;
    world.edit("s000", |it| it.in_groups(["h1"])).await;
    world.edit("s001", |it| it.in_groups(["g1", "h1"])).await;
    let report = world.run_later().await;
    assert_eq!((report.applied(), report.exit_code), ("1 create, 2 move".to_owned(), 0), "{report:?}");
    let gid = groups_called(&world, TITLE)[0];
    assert_eq!(world.candidate("s000").gids, [gid].into());
    assert_eq!(world.candidate("s001").gids, [world.gid("g1"), gid].into());
    assert_eq!(world.run_later().await.outcome.as_str(), "converged");
}

#[tokio::test]
async fn no_candidate_loses_its_group_where_the_new_one_is_not_created() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.settings.exam.create_groups = true;
    world.set("refuse_call", "addcategory@*");
    world.edit("s000", |it| it.in_groups(["h1"])).await;
    world.edit("s001", |it| it.in_groups(["g1", "h1"])).await;
    let report = world.run_later().await;
    assert_eq!((report.failed(), report.skipped()), ("1 create".to_owned(), "2 move".to_owned()));
    let g1 = [world.gid("g1")].into();
    assert_eq!((world.candidate("s000").gids, world.candidate("s001").gids), (g1, [world.gid("g1")].into()));
}

/// The last member of `g2` is to go into `h1`, which has no gid yet: held, for `g2` would be empty.
async fn a_held_move_into_a_new_group() -> ExamSchool {
    let mut world = ExamSchool::in_step([student("s1").in_groups(["g2"]), student("s2")]).await;
    world.settings.exam.create_groups = true;
    world.edit("s1", |it| it.in_groups(["h1"])).await;
    let report = world.run().await;
    assert_eq!((report.held(), creations(&world)), ("1 move".to_owned(), 0), "{report:?}");
    world.state.approve(&report.held_digest.unwrap(), world.clock.now_ms() + DAY).await.unwrap();
    world
}

#[tokio::test]
async fn an_approved_move_into_a_group_that_is_created_goes_ahead_once() {
    let world = a_held_move_into_a_new_group().await;
    assert_eq!(world.run().await.applied(), "1 create, 1 move");
    let left = world.word("SELECT CAST(count(*) AS TEXT) FROM approvals").await;
    assert_eq!(left, "0", "the approval is used up");
}

#[tokio::test]
async fn a_created_group_that_goes_from_the_roster_after_one_run_was_ours_and_who_is_left_in_it_is_told() {
    let mut world = world().await;
    world.settings.exam.delete_grace = Duration::ZERO;
    let _created = world.run().await;
    let gid = groups_called(&world, TITLE)[0];
    // The next school year: other codes, other titles, and one pupil has left.
    world.groups.remove("h1");
    world.groups.insert("h2".to_owned(), None);
    for id in ["s0", "s1"] {
        world.edit(id, |it| it.in_groups(["h2"])).await;
    }
    world.remove("s2").await;
    let report = world.run_later().await;
    assert!(report.applied().contains("1 create"), "{report:#?}");
    let report = world.run_later().await;
    let former = &report.exam.attention["former-groups"];
    assert!(former.what.contains(&format!("2 are still in gid {gid}, once {TITLE}")), "{former:?}");
    assert_eq!(report.held(), "", "the leaver was in no group of others: {report:#?}");
    assert_eq!(world.logins().len(), 3, "{:?}", world.logins());
}
