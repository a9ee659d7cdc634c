//! The number of calls: not one more than the plan says are needed, and that is not one more than can be.

use std::collections::BTreeMap;
use std::fmt::Write;

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_core::roster::Limit;
use rosterd_testkit::{
    DAY, ExamSchool, Figures as _, GENDER, LOGIN, NAME, PHONE, Person, School, student, students,
};

const STUDENTS: usize = 2_000;
const CLASSES: usize = 300;
const EACH: usize = 5;
/// So many students have no account yet.
const UNKNOWN: usize = 105;

/// The classes of one student: one of all in turn, and others that some classes have more of.
fn classes_of(student: usize) -> Vec<usize> {
    let mut classes = vec![student % CLASSES];
    let mut at = student * 7;
    while classes.len() < EACH {
        let class = (at * at + 13 * student) % CLASSES;
        if !classes.contains(&class) {
            classes.push(class);
        }
        at += 61;
    }
    classes
}

#[tokio::test]
async fn ten_thousand_enrolments_in_three_hundred_classes_need_the_fewest_calls() {
    let mut school = School::of_classin().await;
    school.setting("CLASSIN__REGISTER", "true");
    school.setting("CLASSIN__MAX_IN_FLIGHT", "8");
    let mut sql = String::from("BEGIN;");
    for class in 0..CLASSES {
        // Several classes in one course: its calls follow one another.
        let course = if class % 3 == 0 { school.sandbox.create_course("c") } else { 490_001 };
        let id = school.sandbox.create_class(course, "class");
        let _infallible = write!(sql, "INSERT INTO classes VALUES ('c{class:03}', 'C', {course}, {id});");
    }
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for student in 0..STUDENTS {
        let (uid, phone) = if student < UNKNOWN {
            ("NULL".to_owned(), format!("138{student:08}"))
        } else {
            (school.sandbox.create_account("n", None).to_string(), String::new())
        };
        let _infallible = write!(
            sql,
            "INSERT INTO students (student_id, name, phone, classin_uid) VALUES ('s{student:04}', 'N', '{phone}', {uid});"
        );
        for class in classes_of(student) {
            *sizes.entry(class).or_default() += 1;
            let _infallible =
                write!(sql, "INSERT INTO class_members VALUES ('s{student:04}', 'c{class:03}');");
        }
    }
    sql.push_str("COMMIT;");
    school.sql(&sql).await;
    assert_eq!(sizes.values().sum::<usize>(), 10_000);
    assert_eq!(sizes.len(), CLASSES);
    let floor: usize = UNKNOWN.div_ceil(10) + sizes.values().map(|size| size.div_ceil(30)).sum::<usize>();
    let (planned, _) = school.plan().await;
    assert_eq!(planned.classin.least_calls, u64::try_from(floor).unwrap());
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.classin.applied["enrol"], 10_000);
    assert_eq!(report.classin.least_calls, planned.classin.least_calls);
    assert_eq!(school.sandbox.journal().len(), floor);
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.sandbox.journal().is_empty());
}

/// Who is wanted in a whole course and who in which of its classes, by code.
fn course_and_classes(student: usize, is_next_term: bool) -> Vec<String> {
    let course = student % 3;
    let mut codes = vec![format!("w{course}-{}", student % 4)];
    if student.is_multiple_of(2) != is_next_term {
        codes.push(format!("w{course}"));
    }
    codes
}

#[tokio::test]
async fn course_rows_and_class_rows_together_need_the_fewest_calls() {
    let mut school = School::of_classin().await;
    school.setting("GUARD__MAX_DELETE", "100%");
    school.setting("GUARD__MAX_GROUP", "100%");
    let mut sql = String::from("BEGIN;");
    for course in 0..3 {
        let id = school.sandbox.create_course("c");
        let _infallible = write!(sql, "INSERT INTO classes VALUES ('w{course}', 'W', {id}, NULL);");
        for class in 0..4 {
            let class_id = school.sandbox.create_class(id, "l");
            let _infallible =
                write!(sql, "INSERT INTO classes VALUES ('w{course}-{class}', 'L', {id}, {class_id});");
        }
    }
    for student in 0..400 {
        let uid = school.sandbox.create_account("n", None);
        let _infallible = write!(
            sql,
            "INSERT INTO students (student_id, name, classin_uid) VALUES ('s{student:03}', 'N', {uid});"
        );
        for code in course_and_classes(student, false) {
            let _infallible = write!(sql, "INSERT INTO class_members VALUES ('s{student:03}', '{code}');");
        }
    }
    sql.push_str("COMMIT;");
    school.sql(&sql).await;
    let calls_for = |wanted: &dyn Fn(usize) -> Vec<String>| {
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        (0..400).flat_map(wanted).for_each(|code| *sizes.entry(code).or_default() += 1);
        sizes.values().map(|size| size.div_ceil(30)).sum::<usize>()
    };
    let floor = calls_for(&|student| course_and_classes(student, false));
    let report = school.run_to(Exit::Done).await;
    assert_eq!((school.sandbox.journal().len(), report.classin.least_calls), (floor, floor as u64));
    school.sandbox.clear_journal();
    // Who was in the whole course leaves it and stays in the class, and the others enter the course: out of the course,
    // into the course, and once more into the classes that rested on the course.
    let mut sql = String::from("BEGIN; DELETE FROM class_members WHERE length(class_code) = 2;");
    for student in (0..400).filter(|student| student % 2 == 1) {
        let _infallible =
            write!(sql, "INSERT INTO class_members VALUES ('s{student:03}', 'w{}');", student % 3);
    }
    sql.push_str("COMMIT;");
    school.sql(&sql).await;
    let leaving = |student: usize| student.is_multiple_of(2);
    let floor = calls_for(&|student| {
        let (course, class) = (student % 3, student % 4);
        if leaving(student) {
            vec![format!("out of w{course}"), format!("w{course}-{class}")]
        } else {
            vec![format!("into w{course}")]
        }
    });
    let report = school.run_to(Exit::Done).await;
    assert_eq!((school.sandbox.journal().len(), report.classin.least_calls), (floor, floor as u64));
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.sandbox.journal().is_empty());
}

/// One of each case that stands as it stood: strangers without a login value and with one that falls together with a
/// student's or a newcomer's, twins, a candidate of ours that the account keeps out of its listing, one of a leaver
/// likewise; a hold about a leaver in another school's group, a leaver who is kept there because a person said so, a
/// newcomer who waits for a leaver's login value, a student without a group, and a dead letter.
async fn with_standing_cases() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(230)).await;
    world.settings.exam.verify_groups = std::time::Duration::from_secs(365 * 24 * 3600);
    for login in ["", "s003 ", "wanted", "wanted\u{3000}", "twin", "twin"] {
        world.sandbox.insert_candidate(&[(NAME, "Stranger"), (LOGIN, login)], &[world.foreign]);
    }
    for archived in ["s010", "s011"] {
        world.sandbox.unlist_candidate(world.sid(archived).await);
    }
    world.put(student("wanted")).await;
    world.remove("s011").await;
    for shared in ["s020", "s021"] {
        let sid = world.sid(shared).await;
        world.sandbox.set_candidate_groups(sid, &[world.gid("g1"), world.foreign]);
        world.state.bring_group_checks_forward(world.clock.now_ms(), 0).await.unwrap();
        world.remove(shared).await;
    }
    world.remove("s022").await;
    world.put(student("late").login("s022")).await;
    world.put(student("groupless").in_groups([])).await;
    world.settings.retry.max_attempts = 1;
    world.put(student("refused")).await;
    world.set("refuse_item", "addStudents@*:0");
    world
}

#[tokio::test]
async fn what_stands_as_it_stood_costs_no_call() {
    let world = with_standing_cases().await;
    for _ in 1..=3 {
        let _settling = world.run().await;
    }
    world.later(4 * rosterd_testkit::DAY);
    let _first_due = world.run().await;
    let held = |rows: &[rosterd::FailureRow], student: &str| {
        rows.iter().find(|row| row.student_id == student && row.state == FailureState::Held).map(|row| row.id)
    };
    let rows = world.failures().await;
    let kept = held(&rows, "s021").expect("a hold");
    let now_ms = world.clock.now_ms();
    world.state.change_failures(Some(&[kept]), FailureState::Ignored, now_ms).await.unwrap();
    let report = world.run().await;
    let kinds: Vec<&str> = report.attention.keys().copied().collect();
    assert_eq!(kinds, ["dead-letters", "held-people", "kept-leavers", "waits", "withheld"], "{report:#?}");
    assert!(held(&rows, "s020").is_some() && report.exam.leavers_kept == 1);
    world.sandbox.clear_journal();
    let listed = world.sandbox.candidate_count() - 2;
    for run in 1..=10 {
        let quiet = world.run().await;
        assert_eq!((quiet.exit_code, quiet.planned().is_empty()), (0, false), "run {run}: {quiet:#?}");
        let calls: Vec<String> = world.journal();
        assert_eq!(calls, vec!["getstulist"; listed.div_ceil(100) * run], "run {run}");
    }
}

/// Five students, two of whom are to be in a further group that has no gid and is to be created.
async fn with_a_group_to_create() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.settings.exam.verify_groups = std::time::Duration::from_secs(365 * 24 * 3600);
    world.settings.exam.create_groups = true;
    world.groups.insert("c7".to_owned(), None);
    for id in ["s001", "s002"] {
        world.edit(id, |it| it.in_groups(["g1", "c7"])).await;
    }
    world
}

#[tokio::test]
async fn a_group_whose_creation_waits_costs_no_call() {
    for (fault, call) in [("lose_answer", "addcategory"), ("refuse_call", "addcategory@*")] {
        let mut world = with_a_group_to_create().await;
        world.settings.retry.max_attempts = 1;
        world.set(fault, call);
        for _ in 1..=3 {
            let _settling = world.run_later().await;
        }
        world.sandbox.clear_journal();
        for run in 1..=10 {
            let quiet = world.run().await;
            assert_eq!(world.journal(), vec!["getstulist"; run], "{fault}, run {run}: {quiet:#?}");
            world.later(DAY / 4);
        }
        // Who was taken into a group of that title by hand is found when their groups are looked up.
        world.sandbox.clear_faults();
        let gid = world.sandbox.create_group("Group c7");
        let sid = world.sid("s001").await;
        world.sandbox.set_candidate_groups(sid, &[world.gid("g1"), gid]);
        world.state.bring_group_checks_forward(world.clock.now_ms(), 0).await.unwrap();
        for _ in 1..=3 {
            let _found = world.run_later().await;
        }
        assert!(world.candidate("s002").gids.contains(&gid), "{fault}: {:?}", world.candidate("s002"));
    }
}

#[tokio::test]
async fn a_group_whose_creation_is_held_costs_no_call_and_is_searched_for_before_it_is_created() {
    let mut world = with_a_group_to_create().await;
    for number in 0..8 {
        let code = format!("d{number}");
        world.groups.insert(code.clone(), None);
        world
            .edit("s003", |mut it| {
                it.groups.insert(code.clone());
                it
            })
            .await;
    }
    for _ in 1..=3 {
        assert!(world.run().await.held().contains("create"));
    }
    world.sandbox.clear_journal();
    for run in 1..=10 {
        let quiet = world.run().await;
        assert_eq!(world.journal(), vec!["getstulist"; run], "run {run}: {quiet:#?}");
    }
    let report = world.run().await;
    let approved = world.state.approve(&report.digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(approved, 9);
    world.sandbox.clear_journal();
    let _created = world.run().await;
    let journal = world.journal();
    let asked = journal.iter().position(|call| call == "getstudentsinfo").unwrap();
    assert!(asked < journal.iter().position(|call| call == "addcategory").unwrap(), "{journal:?}");
    assert!(world.candidate("s001").gids.len() > 1);
}

/// Two candidates have each other's fields from now on.
fn exchange(world: &ExamSchool, one: &str, other: &str) {
    let (one, other) = (world.candidate(one), world.candidate(other));
    for candidate in [&one, &other] {
        world.sandbox.remove_candidate(candidate.sid);
    }
    for (place, record) in [(&one, &other), (&other, &one)] {
        let fields: Vec<(i64, &str)> = record.fields.iter().map(|(id, it)| (*id, it.as_str())).collect();
        let gids: Vec<i64> = place.gids.iter().copied().collect();
        assert!(world.sandbox.insert_candidate_as(place.sid, &fields, &gids));
    }
}

/// One of each case in which it is asked whose a candidate is: take-overs where nothing agrees and where the candidate is in
/// another school's group alone, records that changed hands, of students and with a leaver, a candidate that is somebody
/// else's by now, a leaver renamed by hand, one that another student wants the login value of, a move that a limit holds,
/// and a change of a login value that was given up.
async fn with_doubts_about_people(switches: &[(&str, &str)]) -> ExamSchool {
    let mut world = ExamSchool::switched(students(230), switches).await;
    let _first = world.run().await;
    world.later(DAY);
    world.settings.exam.shared = Some(true);
    world.settings.exam.verify_groups = std::time::Duration::from_secs(3 * 24 * 3600);
    world.settings.guard.max_move = Limit::Count(1);
    world.settings.retry.max_attempts = 1;
    let other = [(NAME, "Somebody"), (GENDER, "m"), (PHONE, "none")];
    for (login, group) in [("taken", world.gid("g1")), ("theirs", world.foreign)] {
        world.sandbox.insert_candidate(&[&other[..], &[(LOGIN, login)]].concat(), &[group]);
        world.put(student(login)).await;
    }
    exchange(&world, "s030", "s031");
    exchange(&world, "s032", "s033");
    world.remove("s033").await;
    let replaced = world.sid("s040").await;
    world.sandbox.remove_candidate(replaced);
    let fields = [&other[..], &[(LOGIN, "nobody")]].concat();
    assert!(world.sandbox.insert_candidate_as(replaced, &fields, &[world.gid("g1")]));
    let renamed = world.sid("s041").await;
    world.sandbox.remove_candidate(renamed);
    let fields = [&other[..], &[(LOGIN, "renamed")]].concat();
    assert!(world.sandbox.insert_candidate_as(renamed, &fields, &[world.gid("g1")]));
    world.remove("s041").await;
    world.remove("s042").await;
    world.edit("s043", |it| it.login("s042")).await;
    for id in ["s050", "s051"] {
        world.edit(id, |it| it.in_groups(["g2"])).await;
    }
    world.edit("s060", |it| it.login("another")).await;
    world.set("refuse_item", "changeStuinfo@*:0");
    world
}

#[tokio::test]
async fn doubts_about_people_that_stand_as_they_stood_cost_no_call() {
    for shown in ["full", "login_only", "name_only"] {
        let world = with_doubts_about_people(&[("info_fields", shown)]).await;
        for _ in 1..=3 {
            let _settling = world.run().await;
        }
        world.later(4 * DAY);
        for _ in 1..=3 {
            let _settling = world.run().await;
        }
        world.sandbox.clear_journal();
        let listed = world.sandbox.candidate_count();
        for run in 1..=10 {
            let quiet = world.run().await;
            assert!(quiet.exit_code == 4 && quiet.applied().is_empty(), "{shown}, run {run}: {quiet:#?}");
            let calls: Vec<String> = world.journal();
            assert_eq!(
                calls,
                vec!["getstulist"; listed.div_ceil(100) * run],
                "{shown}, run {run}: {quiet:#?}"
            );
        }
    }
}

/// One of each case in which somebody waits for a person's word about ids, login values and gids: a leaver who is asked about
/// beside a newcomer with an alike id, with an alike login value, with the same values, and one whose newcomer is gone again; two
/// whose rows were exchanged; a group that got another gid, with a newcomer and a single move into it; a whole login value that
/// was wanted before its student got another id; a take-over that a person said to leave, of a row that changed since.
async fn with_questions_about_ids() -> ExamSchool {
    let numbered = |person: Person| match person.id.as_str() {
        "s010" => Person { id: "000010".to_owned(), ..person },
        "s011" => person.login("anna@x.cn"),
        "s080" | "s081" | "s082" | "s083" | "s084" | "s085" | "s086" | "s087" => person.in_groups(["g2"]),
        _ => person,
    };
    let mut world = ExamSchool::in_step(students(230).into_iter().map(numbered)).await;
    world.settings.exam.verify_groups = std::time::Duration::from_secs(365 * 24 * 3600);
    world.settings.guard.max_group = Limit::Percent(50.0);
    world.settings.retry.max_attempts = 1;
    let other = [(NAME, "Somebody"), (GENDER, "m"), (PHONE, "none"), (LOGIN, "taken")];
    world.sandbox.insert_candidate(&other, &[world.gid("g1")]);
    world.put(student("taken")).await;
    world.edit("s015", |it| it.login("wanted")).await;
    world.set("refuse_item", "changeStuinfo@*:0");
    let _first = world.run().await;
    let now_ms = world.clock.now_ms();
    world.state.change_failures(None, FailureState::Ignored, now_ms).await.unwrap();
    let _ignored = world.run().await;
    world.edit("taken", |it| it.named("Somebody")).await;
    for (old, new, login) in [
        ("000010", "10", "another"),
        ("s011", "r011", "Anna@X.cn"),
        ("s012", "r012", "a third"),
        ("s013", "r013", "s013"),
        ("s015", "r015", "wanted"),
    ] {
        let person = world.people[old].clone();
        world.remove(old).await;
        world.put(Person { id: new.to_owned(), ..person }.login(login)).await;
    }
    let _asked = world.run().await;
    world.remove("r013").await;
    let (one, two) = (world.people["s020"].clone(), world.people["s021"].clone());
    world.put(Person { id: "s020".to_owned(), ..two }).await;
    world.put(Person { id: "s021".to_owned(), ..one }).await;
    let made_anew = world.sandbox.create_group("another school's");
    world.groups.insert("g2".to_owned(), Some(made_anew));
    world.put(student("entered").in_groups(["g2"])).await;
    world.edit("s030", |it| it.in_groups(["g2"])).await;
    world
}

#[tokio::test]
async fn questions_about_ids_and_gids_that_stand_as_they_stood_cost_no_call() {
    let world = with_questions_about_ids().await;
    for _ in 1..=3 {
        let _settling = world.run().await;
    }
    world.later(4 * DAY);
    for _ in 1..=3 {
        let _settling = world.run().await;
    }
    let report = world.run().await;
    assert_eq!(report.held(), "4 add, 1 adopt, 5 delete, 2 modify, 8 move", "{report:#?}");
    world.sandbox.clear_journal();
    let listed = world.sandbox.candidate_count();
    for run in 1..=10 {
        let quiet = world.run().await;
        assert!(quiet.exit_code == 4 && quiet.applied().is_empty(), "run {run}: {quiet:#?}");
        assert_eq!(world.journal(), vec!["getstulist"; listed.div_ceil(100) * run], "run {run}: {quiet:#?}");
    }
}

fn calls_of(journal: &[String], call: &str) -> usize {
    journal.iter().filter(|one| *one == call).count()
}

#[tokio::test]
async fn a_first_sync_lists_once_and_enters_a_hundred_a_call() {
    let world = ExamSchool::with(students(250)).await;
    assert_eq!(world.run().await.applied(), "250 add");
    let journal = world.journal();
    let calls = ["getFields", "getstulist", "addStudents", "getstudentsinfo"];
    assert_eq!(calls.map(|call| calls_of(&journal, call)), [1, 1, 3, 0], "{journal:?}");
    assert_eq!(journal.len(), 5, "{journal:?}");
}

#[tokio::test]
async fn five_hundred_changes_need_a_look_up_a_batch_and_the_first_of_an_account_is_tried_alone_once() {
    let mut world = ExamSchool::with(students(500)).await;
    let _first = world.run().await;
    // 501 candidates are looked up where the first one is read back.
    for (name, changes, look_ups) in [("One", 6, 6), ("Two", 5, 5)] {
        for number in 0..500 {
            world.people.entry(format!("s{number:03}")).and_modify(|it| *it = it.clone().named(name));
        }
        world.write_roster().await;
        world.sandbox.clear_journal();
        assert_eq!(world.run().await.applied(), "500 modify");
        let journal = world.journal();
        let calls = ["getstulist", "changeStuinfo", "getstudentsinfo"];
        assert_eq!(calls.map(|call| calls_of(&journal, call)), [5, changes, look_ups], "{name}: {journal:?}");
        assert_eq!(journal.len(), 5 + changes + look_ups, "{name}: {journal:?}");
    }
}

#[tokio::test]
async fn a_change_of_term_looks_up_and_writes_each_batch_once() {
    let people = students(200).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 100 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    world.settings.exam.delete_grace = std::time::Duration::ZERO;
    for number in 0..100 {
        world.people.remove(&format!("s{number:03}"));
    }
    world.write_roster().await;
    let _noticed = world.run().await;
    // A hundred have left, a hundred move up, a hundred are new.
    for number in 0..100 {
        world
            .people
            .entry(format!("s{:03}", number + 100))
            .and_modify(|it| *it = it.clone().in_groups(["g2"]));
    }
    for person in students(300).into_iter().skip(200) {
        world.people.insert(person.id.clone(), person);
    }
    world.write_roster().await;
    world.sandbox.clear_journal();
    let report = world.run().await;
    assert_eq!(report.applied(), "100 add, 100 delete, 100 move", "{report:#?}");
    let journal = world.journal();
    let calls = ["getstulist", "getstudentsinfo", "addStudents", "movestugroup"];
    assert_eq!(calls.map(|call| calls_of(&journal, call)), [2, 2, 1, 1], "{journal:?}");
    // Leavers go one a call? No: a hundred go in one.
    assert_eq!(calls_of(&journal, "delStu"), 1, "{journal:?}");
    assert_eq!(journal.len(), 7, "{journal:?}");
}
