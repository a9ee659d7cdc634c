//! `relink`: a student's own id changed, and nobody else's record is carried over by a slip of the pen.

use std::collections::BTreeSet;

use crate::program::Programs as _;
use rosterd::Exit;
use rosterd_testkit::{DAY, School};

/// Students `s000`, `s001`, … on the exam side alone, in step.
async fn in_step(n: usize) -> School {
    let school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    school.fill("c1", n).await;
    school.sql("DELETE FROM class_members").await;
    school.group_of_all().await;
    school.run_as(Exit::Done).await;
    school
}

/// The roster writes another id for a student from now on.
async fn renamed(school: &School, old: &str, new: &str) {
    for table in ["students", "group_members"] {
        school.sql(&format!("UPDATE {table} SET student_id = '{new}' WHERE student_id = '{old}'")).await;
    }
}

async fn linked(school: &School, student: &str) -> i64 {
    school.number(&format!("SELECT count(*) FROM links WHERE student_id = '{student}'")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_id_takes_over_the_candidate_and_the_next_run_has_nothing_to_do() {
    let school = in_step(3).await;
    let sid = school.sandbox.candidate("login-s000").unwrap().sid;
    renamed(&school, "s000", "t000").await;
    let ended = school.program(&["relink", "s000", "t000", "--output", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let done = ended.json();
    assert_eq!((&done["sid"], &done["rows"]), (&sid.into(), &1.into()), "{done:#}");
    assert_eq!(done["login_value"], "l… (10 characters)", "{done:#}");
    assert!(done.get("wanted_login_value").is_none(), "{done:#}");
    let report = school.run_to(Exit::Done).await;
    assert!(report.exam.planned.is_empty(), "{report:#?}");
    assert_eq!(school.sandbox.candidate("login-s000").unwrap().sid, sid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relink_says_whose_login_value_changes() {
    let school = in_step(2).await;
    renamed(&school, "s000", "t000").await;
    school.sql("UPDATE students SET login = 'another one' WHERE student_id = 't000'").await;
    let ended = school.program(&["relink", "s000", "t000"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("login value l… (10 characters)"), "{ended:?}");
    assert!(ended.stdout.contains("wants login value a… (11 characters)"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistyped_id_changes_nothing_and_says_what_the_roster_has() {
    let school = in_step(4).await;
    school.student("new").await;
    school.sql("UPDATE students SET active = 0 WHERE student_id = 's002'").await;
    renamed(&school, "s003", "t003").await;
    school.student("left").await;
    school.sql("UPDATE students SET active = 0 WHERE student_id = 'left'").await;
    let table = [
        ("s000", "new", "student s000 is on the roster and active"),
        ("s002", "nobody", "the roster has no student nobody"),
        ("s002", "left", "student left is on the roster, but not active"),
        ("s003", "left", "student left is on the roster, but not active"),
        ("s003", "s001", "student s001 has a candidate already"),
        ("s003", "s003", "one id"),
        ("nobody", "new", "nothing is remembered of student nobody"),
    ];
    for (old, new, said) in table {
        let ended = school.program(&["relink", old, new]);
        assert!(ended.code == 1 && ended.stderr.contains(said), "{old} {new}: {ended:?}");
        assert_eq!(linked(&school, new).await, i64::from(["s001", "s003"].contains(&new)), "{old} {new}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn force_asks_the_roster_nothing_and_still_joins_no_two_candidates() {
    let school = in_step(3).await;
    assert_eq!(school.program(&["relink", "s000", "s001", "--force"]).code, 1);
    assert_eq!(school.program(&["relink", "s000", "x000", "--force"]).code, 0);
    assert_eq!((linked(&school, "s000").await, linked(&school, "x000").await), (0, 1));
    std::fs::remove_file(school.path("roster.db")).unwrap();
    assert_eq!(school.program(&["relink", "x000", "y000"]).code, 78);
    assert_eq!(school.program(&["relink", "x000", "y000", "--force"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_that_roster_and_links_suggest_are_shown_and_done_when_told_to() {
    let school = in_step(5).await;
    for (old, new) in [("s000", "S000"), ("s001", "s 001"), ("s002", "pupil-2")] {
        renamed(&school, old, new).await;
    }
    school.sql("UPDATE students SET login = 'changed too' WHERE student_id = 'S000'").await;
    school.sql("DELETE FROM students WHERE student_id = 's004'").await;
    school.student("newcomer").await;
    let shown = school.program(&["relink", "--suggested", "--output", "json"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let pairs = shown.json();
    let pair = |at: usize| {
        let pair = &pairs["pairs"][at];
        format!("{} {} {}", pair["from"], pair["to"], pair["reasons"]).replace('"', "")
    };
    assert_eq!(
        [pair(0), pair(1), pair(2)],
        ["s000 S000 [id]", "s001 s 001 [login-value,id]", "s002 pupil-2 [login-value]"]
    );
    assert_eq!((pairs["pairs"].as_array().unwrap().len(), &pairs["done"]), (3, &false.into()));
    assert_eq!(linked(&school, "S000").await, 0, "nothing is done unasked");
    let sids: Vec<i64> = school.sandbox.candidates().iter().map(|candidate| candidate.sid).collect();
    let done = school.program(&["relink", "--suggested", "--yes"]);
    assert!(done.code == 0 && done.stdout.contains("3 students carried over"), "{done:?}");
    let again = school.program(&["relink", "--suggested"]);
    assert!(again.stdout.contains("suggest no student"), "{again:?}");
    school.sql("INSERT INTO group_members VALUES ('newcomer', 'g1')").await;
    let report = school.run().await;
    assert_eq!(report.exam.applied.get("add"), Some(&1), "{report:#?}");
    let now: Vec<i64> = school.sandbox.candidates().iter().map(|candidate| candidate.sid).collect();
    assert!(sids.iter().all(|sid| now.contains(sid)), "nobody was entered anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_moved_on_by_one_are_carried_over_from_the_last_to_the_first() {
    let school = in_step(6).await;
    let sids = |school: &School| -> Vec<(String, i64)> {
        let candidates = school.sandbox.candidates().into_iter();
        candidates.map(|candidate| (candidate.login_value, candidate.sid)).collect()
    };
    let before = sids(&school);
    for (old, new) in [("s002", "t001"), ("s001", "s002"), ("s000", "s001")] {
        renamed(&school, old, new).await;
    }
    let report = school.run().await;
    assert!(report.exam.applied.is_empty(), "{report:#?}");
    let shown = school.program(&["relink", "--suggested", "--output", "json"]).json();
    let pairs: Vec<String> = shown["pairs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| format!("{} {}", pair["from"], pair["to"]).replace('"', ""))
        .collect();
    assert_eq!(pairs, ["s002 t001", "s001 s002", "s000 s001"], "{shown:#}");
    let done = school.program(&["relink", "--suggested", "--yes"]);
    assert!(done.code == 0 && done.stdout.contains("3 students carried over"), "{done:?}");
    let report = school.run_to(Exit::Done).await;
    assert!(report.exam.planned.is_empty(), "{report:#?}");
    assert_eq!(sids(&school), before);
    for (student, login) in [("s001", "login-s000"), ("s002", "login-s001"), ("t001", "login-s002")] {
        let sid = school.number(&format!("SELECT sid FROM links WHERE student_id = '{student}'")).await;
        assert_eq!(school.sandbox.candidate(login).unwrap().sid, sid, "{student}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suggestion_with_two_partners_is_left_to_a_person() {
    let school = in_step(2).await;
    school.sql("DELETE FROM students WHERE student_id = 's000'").await;
    school.student("S000").await;
    school.student("other").await;
    school
        .sql("UPDATE students SET login = CASE student_id WHEN 'other' THEN 'login-s000' ELSE login END")
        .await;
    school.later(DAY);
    let done = school.program(&["relink", "--suggested", "--yes"]);
    assert!(done.code == 0 && done.stdout.contains("unclear, not done: s000 -> S000"), "{done:?}");
    assert_eq!(linked(&school, "s000").await, 1);
}

/// Every id and every login value is another one from now on.
async fn numbered_anew(school: &School) {
    for table in ["students", "group_members"] {
        school.sql(&format!("UPDATE {table} SET student_id = '2027-' || student_id")).await;
    }
    school.sql("UPDATE students SET login = '+86' || login").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_school_that_was_numbered_anew_is_suggested_by_its_names_and_carried_over() {
    let school = in_step(12).await;
    let sids: BTreeSet<i64> = school.sandbox.candidates().iter().map(|candidate| candidate.sid).collect();
    numbered_anew(&school).await;
    school.student("a true newcomer").await;
    school.sql("INSERT INTO group_members VALUES ('a true newcomer', 'g1')").await;
    let report = school.run_to(Exit::Held).await;
    assert!(report.exam.applied.is_empty(), "{report:#?}");
    assert_eq!(report.approve.as_deref(), Some("rosterd relink --suggested"));
    let shown = school.program(&["relink", "--suggested"]);
    assert!(shown.stdout.contains("s003 -> 2027-s003: 2027-s003 has the name of s003"), "{shown:?}");
    let pairs = school.program(&["relink", "--suggested", "--output", "json"]).json();
    assert_eq!(pairs["pairs"].as_array().unwrap().len(), 12, "{pairs:#}");
    assert_eq!(pairs["pairs"][0]["reasons"], serde_json::json!(["values"]), "{pairs:#}");
    assert_eq!(school.program(&["relink", "--suggested", "--yes"]).code, 0);
    let report = school.run_to(Exit::Held).await;
    assert_eq!(report.exam.applied.get("add"), Some(&1), "{report:#?}");
    assert_eq!(report.exam.held.get("modify"), Some(&12), "a mapping mistake looks like that: {report:#?}");
    let now: BTreeSet<i64> = school.sandbox.candidates().iter().map(|candidate| candidate.sid).collect();
    assert!(now.is_superset(&sids) && now.len() == 13, "{now:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_suggested_by_values_alone_while_few_leave() {
    let school = in_step(40).await;
    for at in 0..4 {
        renamed(&school, &format!("s{at:03}"), &format!("t{at:03}")).await;
        school.sql(&format!("UPDATE students SET login = 'other-{at}' WHERE student_id = 't{at:03}'")).await;
    }
    let shown = school.program(&["relink", "--suggested"]);
    assert!(shown.stdout.contains("suggest no student"), "{shown:?}");
}

/// Id and login value of a student changed on one day: the student was entered anew beside the old candidate.
async fn entered_anew(grace: &str) -> School {
    let mut school = in_step(12).await;
    school.setting("EXAM__DELETE_GRACE", grace);
    renamed(&school, "s000", "t000").await;
    school.sql("UPDATE students SET login = 'login-t000' WHERE student_id = 't000'").await;
    let report = school.run().await;
    assert_eq!(report.exam.applied.get("add"), Some(&1), "{report:#?}");
    school
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relink_works_once_the_new_candidate_was_removed_by_hand() {
    for (with_a_run, force) in [(false, false), (true, false), (false, true)] {
        let school = entered_anew("72h").await;
        let old = school.sandbox.candidate("login-s000").unwrap().sid;
        let new = school.sandbox.candidate("login-t000").unwrap().sid;
        let refused = school.program(&["relink", "s000", "t000"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains(&format!("sid {new}")), "which one to remove: {refused:?}");
        assert_eq!(school.program(&["relink", "s000", "t000", "--force"]).code, 1, "both are there");
        school.sandbox.remove_candidate(new);
        if with_a_run {
            let _withheld = school.run().await;
        }
        let arguments: &[&str] =
            if force { &["relink", "s000", "t000", "--force"] } else { &["relink", "s000", "t000"] };
        let done = school.program(arguments);
        assert_eq!(done.code, 0, "{with_a_run}: {done:?}");
        school.later(DAY);
        let _report = school.run().await;
        let _report = school.run().await;
        assert_eq!(school.sandbox.candidate("login-t000").unwrap().sid, old, "the results are carried over");
        assert_eq!(school.sandbox.candidate_count(), 12);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relink_is_refused_while_the_look_up_cannot_tell_and_force_takes_the_word_of_a_person() {
    let school = entered_anew("72h").await;
    school.sandbox.remove_candidate(school.sandbox.candidate("login-t000").unwrap().sid);
    school.set("http_5xx", "getstudentsinfo@*");
    let refused = school.program(&["relink", "s000", "t000"]);
    assert!(refused.code != 0 && refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(linked(&school, "s000").await, 1);
    assert_eq!(school.program(&["relink", "s000", "t000", "--force"]).code, 0);
    assert_eq!((linked(&school, "s000").await, linked(&school, "t000").await), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relink_that_was_asked_for_and_refused_keeps_the_old_candidate_from_being_deleted() {
    let school = entered_anew("1h").await;
    let old = school.sandbox.candidate("login-s000").unwrap().sid;
    assert_eq!(school.program(&["relink", "s000", "t000"]).code, 1);
    for _ in 0..3 {
        school.later(2 * DAY);
        let report = school.run().await;
        assert_eq!(report.exam.applied.get("delete"), None, "{report:#?}");
    }
    assert_eq!(school.sandbox.candidate("login-s000").unwrap().sid, old);
    let failures = school.program(&["failures", "--output", "json"]).json();
    let row = failures.as_array().unwrap().iter().find(|row| row["student_id"] == "s000").unwrap();
    assert!(row["message"].as_str().unwrap().contains("relink s000 t000"), "{row:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_to_remove_the_record_of_a_student_whose_id_changed_too() {
    let school = in_step(4).await;
    let before = school.sandbox.candidates().into_iter().map(|it| it.sid);
    let before: BTreeSet<i64> = before.collect();
    // All ids of three students moved on by one, with their values: s003 is new.
    school.sql("DELETE FROM students WHERE student_id = 's003'").await;
    school.sql("DELETE FROM group_members WHERE student_id = 's003'").await;
    for number in (0..3).rev() {
        renamed(&school, &format!("s{number:03}"), &format!("s{:03}", number + 1)).await;
    }
    for (old, new) in [("s000", "s001"), ("s001", "s002")] {
        let refused = school.program(&["relink", old, new]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(!refused.stderr.contains("remove sid"), "{refused:?}");
        if old == "s000" {
            assert!(refused.stderr.contains(&format!("relink {new} NEW --force")), "{refused:?}");
            assert!(refused.stderr.contains(&format!("relink {old} {new} again")), "{refused:?}");
        }
    }
    let now: BTreeSet<i64> = school.sandbox.candidates().into_iter().map(|it| it.sid).collect();
    assert_eq!(now, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_carried_over_to_somebody_whose_add_has_no_answer_yet() {
    let school = in_step(3).await;
    let sid = school.sandbox.candidate("login-s000").unwrap().sid;
    renamed(&school, "s000", "t000").await;
    school.sql("UPDATE students SET login = 'another one' WHERE student_id = 't000'").await;
    school.set("exam.lose_answer", "addStudents");
    school.set("exam.http_5xx", "getstudentsinfo@*:503");
    let _lost = school.run().await;
    school.sandbox.clear_faults();
    assert!(school.sandbox.candidate("another one").is_some(), "the add was done");
    let refused = school.program(&["relink", "s000", "t000"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("the answer is not known yet"), "{refused:?}");
    let _found_out = school.run().await;
    let refused = school.program(&["relink", "s000", "t000"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("has a candidate already"), "{refused:?}");
    assert_eq!(linked(&school, "s000").await, 1);
    assert_eq!(school.sandbox.candidate("login-s000").unwrap().sid, sid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_of_a_mass_are_suggested_until_the_last_is_carried_over() {
    let school = in_step(40).await;
    for number in 0..12 {
        let (old, new) = (format!("s{number:03}"), format!("t{number:03}"));
        renamed(&school, &old, &new).await;
        school
            .sql(&format!(
                "UPDATE students SET login = 'another-{new}', name = 'Name of {old}' WHERE student_id = '{new}'"
            ))
            .await;
    }
    school.run_as(Exit::Held).await;
    for number in 0..12 {
        let suggested = school.program(&["relink", "--suggested", "--output", "json"]).json();
        let pairs = suggested["pairs"].as_array().unwrap();
        assert_eq!(pairs.len(), 12 - number, "{suggested:#}");
        let (old, new) = (format!("s{number:03}"), format!("t{number:03}"));
        assert_eq!((&pairs[0]["from"], &pairs[0]["to"]), (&old.as_str().into(), &new.as_str().into()));
        assert_eq!(school.program(&["relink", &old, &new]).code, 0);
        let report = school.run().await;
        assert_eq!(school.sandbox.candidate_count(), 40, "nobody is entered twice: {report:#?}");
    }
}
