//! `relink`: a student's own id changed, and nobody else's record is carried over by a slip of the pen.

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
