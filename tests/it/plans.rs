//! `plan` as it is read: in short first, what is asked for, and every field for programs.

use crate::program::Programs as _;
use rosterd::LoginField;
use rosterd_core::roster::Limit;
use rosterd_testkit::{DAY, ExamSchool, LOGIN, NAME, School, students};
use serde_json::Value;

/// Students of one group and one class, none of them on either side.
async fn newcomers(n: usize) -> School {
    let school = School::of_both().await;
    school.class("c1").await;
    school.fill("c1", n).await;
    school.group_of_all().await;
    school
}

fn count(text: &str, part: &str) -> usize {
    text.lines().filter(|line| line.contains(part)).count()
}

fn operations(school: &School, arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> =
        ["plan", "--output", "json"].into_iter().chain(arguments.iter().copied()).collect();
    let ended = school.program(&arguments);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.json()["operations"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_plan_says_in_short_what_it_holds_and_shows_the_first_ten_of_each_kind() {
    let school = newcomers(25).await;
    let text = school.program(&["plan"]).stdout;
    assert!(text.starts_with("In short (mode sync): 50 operations\n"), "{text}");
    assert!(text.contains("  add: 25 planned (in g1 25)\n"), "{text}");
    assert!(text.contains("  enrol: 25 planned (in c1 25)\n"), "{text}");
    assert_eq!((count(&text, "add to group"), count(&text, "enrol in class")), (10, 10), "{text}");
    for kind in ["add", "enrol"] {
        let more = text.lines().find(|line| line.starts_with(&format!("… and 15 more of {kind}: "))).unwrap();
        assert!(
            more.contains(" --config ") && more.ends_with(&format!("plan --kind {kind} --all")),
            "{more}"
        );
    }
    let all = school.program(&["plan", "--all"]).stdout;
    assert_eq!((count(&all, "add to group"), count(&all, "more of")), (25, 0), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_plan_is_shown_whole_and_without_a_summary() {
    let school = newcomers(5).await;
    let text = school.program(&["plan"]).stdout;
    assert_eq!((count(&text, "add to group"), count(&text, "In short")), (5, 0), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_shows_only_what_is_asked_for_and_keeps_its_digest() {
    let school = newcomers(3).await;
    school.class("c2").await;
    school.join("s001", "c2").await;
    let whole = school.program(&["plan", "--output", "json"]).json();
    let table = [
        (&["--student", "s001"][..], 3),
        (&["--student", " s001 ", "--student", "s002"], 5),
        (&["--class", "c2"], 1),
        (&["--group", "g1"], 3),
        (&["--kind", "enrol"], 4),
        (&["--kind", "enrol", "--student", "s001"], 2),
        (&["--group", "g1", "--class", "c1"], 0),
        (&["--student", "nobody"], 0),
    ];
    for (arguments, expected) in table {
        assert_eq!(operations(&school, arguments).len(), expected, "{arguments:?}");
    }
    let part = school.program(&["plan", "--output", "json", "--kind", "add"]).json();
    assert_eq!((&part["digest"], &part["counts"]), (&whole["digest"], &whole["counts"]));
    let nothing = school.program(&["plan", "--student", "nobody"]).stdout;
    assert!(nothing.contains("Nothing in the plan is of what was asked for."), "{nothing}");
    assert_eq!(school.program(&["plan", "--kind", "addition"]).code, 64);
    assert_eq!(
        school.program(&["plan", "--student", "nobody", "--detailed-exitcode"]).code,
        2,
        "of the whole plan"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_names_group_class_and_fields_and_values_only_when_asked() {
    let school = newcomers(2).await;
    let found = operations(&school, &["--student", "s000"]);
    let of = |found: &[Value], kind: &str| found.iter().find(|one| one["kind"] == kind).unwrap().clone();
    assert_eq!(of(&found, "add")["group"], "g1", "{found:#?}");
    assert_eq!(of(&found, "enrol")["class"], "c1", "{found:#?}");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.sql("UPDATE students SET name = 'Another' WHERE student_id = 's000'").await;
    let masked = of(&operations(&school, &[]), "modify");
    assert_eq!(masked["fields"][0]["name"], "name", "{masked:#}");
    assert!(masked["fields"][0]["new"].is_null() && masked["fields"][0]["old"].is_null(), "{masked:#}");
    let shown = of(&operations(&school, &["--reveal"]), "modify");
    assert_eq!(shown["fields"][0]["new"], "Another", "{shown:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_without_student_or_class_says_null_and_no_empty_text() {
    let school = newcomers(2).await;
    school.sql("INSERT INTO group_members VALUES ('nobody', 'g1')").await;
    assert_eq!(school.program(&["--sync-now"]).code, 3);
    let rows = school.program(&["failures", "--output", "json"]).json();
    let row = rows.as_array().unwrap().iter().find(|row| row["service"] == "roster").unwrap().clone();
    assert!(row["student_id"].is_null() && row["class_code"].is_null(), "{row:#}");
}

/// The page that `plan --html` writes with these arguments, where the plan ends with this code.
fn page(school: &School, code: i32, arguments: &[&str]) -> String {
    let file = school.path("plan.html");
    let to = file.to_string_lossy().into_owned();
    let arguments: Vec<&str> =
        ["plan", "--html", &to, "--replace"].into_iter().chain(arguments.iter().copied()).collect();
    let ended = school.program(&arguments);
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.stdout.ends_with(&format!("Written to {to}.\n")), "{ended:?}");
    std::fs::read_to_string(&file).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_to_hand_on_is_one_page_with_every_operation_and_names_only_when_asked() {
    let school = newcomers(25).await;
    school.sql("UPDATE students SET name = 'Ann <b>& Bob' WHERE student_id = 's003'").await;
    let masked = page(&school, 0, &[]);
    assert_eq!(count(&masked, "<td>s0"), 50, "{masked}");
    assert!(
        masked.contains("Students entered on the exam side</a></td><td class=\"number\">25</td>"),
        "{masked}"
    );
    assert!(masked.contains("in mode sync"), "{masked}");
    assert!(!masked.contains("Ann") && !masked.contains("<th>Name</th>"), "{masked}");
    let shown = page(&school, 0, &["--reveal"]);
    assert!(shown.contains("<td>Ann &#60;b&#62;&#38; Bob</td>"), "{shown}");
    assert!(shown.contains("This page names people"), "{shown}");
    for never in ["<script", "http://", "https://", "src=", "<link"] {
        assert!(!shown.contains(never), "{never}: {shown}");
    }
    let part = page(&school, 0, &["--kind", "enrol", "--student", "s003"]);
    assert_eq!(count(&part, "<td>s0"), 1, "{part}");
    assert!(part.contains("only the part of the plan that was asked for"), "{part}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_to_hand_on_names_leavers_what_is_held_and_the_command() {
    let school = newcomers(25).await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.sql("UPDATE students SET active = 0, name = 'Gone Girl' WHERE student_id < 's020'").await;
    let shown = page(&school, 4, &["--reveal"]);
    assert!(shown.contains("Held until somebody decides"), "{shown}");
    assert!(shown.contains(" approve ") && shown.contains(" --config "), "{shown}");
    assert_eq!(count(&shown, "<td>Gone Girl</td>"), 40, "leavers have a row still: {shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_cannot_be_written_is_said_before_anybody_is_asked() {
    let school = newcomers(2).await;
    let folder = school.path("").to_string_lossy().into_owned();
    let ended = school.program(&["plan", "--html", &folder]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("is no regular file"), "{ended:?}");
    assert!(school.classin_calls().is_empty() && school.calls("exam").is_empty());
}

/// Every row of our own database but run history and what an approval would cover.
async fn remembered(world: &ExamSchool) -> Vec<String> {
    let theirs = "'_sqlx_migrations', 'runs', 'holds', 'held_operations', 'hold_digests', 'held_masses', 'sqlite_sequence'";
    let tables = world
        .word(&format!(
            "SELECT group_concat(name) FROM sqlite_master WHERE type = 'table' AND name NOT IN ({theirs})"
        ))
        .await;
    let mut rows = Vec::new();
    for table in tables.split(',') {
        let columns = format!(
            "SELECT group_concat('quote(\"' || name || '\")', '||'',''||') FROM pragma_table_info('{table}')"
        );
        let columns = world.word(&columns).await;
        let sql = format!(
            "SELECT coalesce(group_concat(one, char(10)), '') FROM (SELECT {columns} AS one FROM {table} ORDER BY 1)"
        );
        rows.push(format!("{table}: {}", world.word(&sql).await));
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_leaves_every_row_of_the_state_as_it_is_but_its_own_run_and_what_is_held() {
    let fresh = |login_field| async move {
        let mut world = ExamSchool::with(students(12)).await;
        world.settings.exam.login_field = login_field;
        for at in 0..12 {
            let login = format!("x{at}");
            world.sandbox.insert_candidate(&[(LOGIN, &login), (NAME, "Somebody")], &[world.gid("g1")]);
        }
        world
    };
    let unread = fresh(LoginField::Auto).await;
    // What was learnt belongs to another account than the one that is planned for now.
    let mut moved = fresh(LoginField::Auto).await;
    moved.settings.mode = rosterd_core::roster::Mode::Observe;
    let _learnt = moved.run().await;
    let serving = moved.sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    moved.settings.exam.endpoint.base_url = serving.base_url();
    // Of leavers there is an approval, and they are back on the roster that is planned with.
    let mut back = ExamSchool::in_step(students(12)).await;
    back.settings.guard.max_delete = Limit::Count(2);
    let everybody = back.people.clone();
    for at in 0..4 {
        back.remove(&format!("s{at:03}")).await;
    }
    let _seen = back.run().await;
    back.later(4 * DAY);
    let digest = back.run().await.held_digest.unwrap();
    assert_eq!(back.state.approve(&digest, back.clock.now_ms() + DAY).await.unwrap(), 4);
    back.people = everybody;
    back.write_roster().await;
    for (what, world) in [("a fresh state", unread), ("another account", moved), ("who is back", back)] {
        // The key that digests are made with is made for the first of them.
        let _key = world.state.planner_key().await.unwrap();
        let before = remembered(&world).await;
        let report = world.plan_report().await;
        assert!(report.errors.is_empty(), "{what}: {report:#?}");
        assert_eq!(remembered(&world).await, before, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_without_an_answer_says_what_it_could_not_see_and_shows_only_what_does_not_depend_on_it() {
    for fault in [
        ("http_5xx", "getstulist@*:503"),
        ("not_json", "getstulist@*"),
        ("http_5xx", "getstudentsinfo@*:503"),
    ] {
        let school = newcomers(5).await;
        assert_eq!(school.program(&["--sync-now"]).code, 0);
        let healthy = school.program(&["plan"]).stdout;
        assert!(
            healthy.contains("5 students, 5 managed candidates") && !healthy.contains("could not be seen")
        );
        school.leave("s000", "c1").await;
        // A candidate that is listed under another login value is looked up by its sid.
        let candidate = school.sandbox.candidates().remove(0);
        let mut fields = candidate.fields.iter();
        let login = fields.find(|(_, value)| **value == candidate.login_value).map(|(id, _)| *id).unwrap();
        school.sandbox.edit_candidate(candidate.sid, &[(login, "another")]);
        school.set(fault.0, fault.1);
        let ended = school.program(&["plan"]);
        assert_eq!(ended.code, 75, "{fault:?}: {ended:?}");
        let text = &ended.stdout;
        assert!(text.contains("The exam side could not be seen"), "{fault:?}: {text}");
        assert!(text.contains("- s000  remove from class c1"), "ClassIn does not depend on it: {text}");
        for invented in ["0 students", "0 managed", "add", "delete"] {
            assert!(!text.contains(&format!(" {invented}")), "{fault:?} {invented}: {text}");
        }
        let json = school.program(&["plan", "--output", "json"]).json();
        assert_eq!(json["unseen"], serde_json::json!(["exam"]), "{fault:?}");
        assert_eq!(school.program(&["--sync-now"]).code, 75, "{fault:?}: as the run");
        school.sandbox.clear_faults();
        assert!(school.program(&["plan", "--output", "json"]).json()["unseen"].is_null());
    }
}
