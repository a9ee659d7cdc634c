//! Fields that are meant by label: an account whose labels change is noticed before anything goes into the wrong field.

use rosterd::FieldRef;
use rosterd_testkit::*;

const ANEW: i64 = 20;

/// Three students in step, with gender and phone mapped by label.
async fn by_label(switches: &[(&str, &str)]) -> ExamSchool {
    let mut world = ExamSchool::switched(students(3), switches).await;
    for (column, label) in [("gender", "gender"), ("phone", "phone")] {
        mean(&mut world, column, FieldRef::Label(label.to_owned()));
    }
    assert_eq!(world.run().await.applied(), "3 add");
    let second = world.run().await;
    assert_eq!((second.planned().as_str(), second.exit_code), ("", 0));
    world.state.remember("exam.change_mode", Some("partial")).await.unwrap();
    is_quiet(&world, "at first").await;
    world
}

fn mean(world: &mut ExamSchool, column: &str, field: FieldRef) {
    let mapping = world.settings.exam.fields.iter_mut().find(|mapping| mapping.column == column);
    mapping.unwrap().field = field;
}

/// Nothing is left to do, and only pages are asked for.
async fn is_quiet(world: &ExamSchool, what: &str) {
    let quiet = world.run().await;
    assert_eq!((quiet.planned().as_str(), quiet.exit_code), ("", 0), "{what}: {quiet:?}");
    assert_eq!((quiet.calls("getFields"), quiet.calls("getstulist")), (0, 1), "{what}");
}

fn exchange(world: &ExamSchool) {
    world.sandbox.label_field(GENDER, "phone");
    world.sandbox.label_field(PHONE, "gender");
}

#[tokio::test]
async fn labels_that_were_exchanged_are_noticed_and_each_value_goes_where_its_label_is() {
    for switches in [&[][..], &[("list_labels", "other")]] {
        let mut world = by_label(switches).await;
        exchange(&world);
        world.put(student("s003")).await;
        let report = world.run().await;
        assert_eq!((report.applied().as_str(), report.exit_code), ("1 add, 3 modify", 0), "{report:?}");
        assert_eq!(report.calls("getFields"), 1, "{switches:?}");
        assert!(report.exam.notes.iter().any(|note| note.contains("exam.fields.phone")), "{report:?}");
        for login in ["s000", "s003"] {
            let candidate = world.candidate(login);
            assert_eq!(candidate.fields[&GENDER], format!("phone-{login}"), "{switches:?}");
            assert_eq!(candidate.fields[&PHONE], "f", "{switches:?}");
        }
        is_quiet(&world, "exchanged").await;
    }
}

#[tokio::test]
async fn a_listing_that_words_labels_otherwise_is_asked_about_once() {
    let mut world = ExamSchool::switched(students(2), &[("list_labels", "other")]).await;
    mean(&mut world, "phone", FieldRef::Label("phone".to_owned()));
    let calls = [1, 1, 0, 0];
    for (run, calls) in calls.into_iter().enumerate() {
        let report = world.run().await;
        assert_eq!((report.calls("getFields"), report.exit_code), (calls, 0), "run {run}");
    }
    world.set("list_labels", "same");
    is_quiet(&world, "the same wording").await;
    world.set("list_labels", "other");
    is_quiet(&world, "remembered").await;
}

#[tokio::test]
async fn a_field_made_anew_under_its_label_is_noticed_where_a_row_shows_it() {
    let world = by_label(&[]).await;
    world.sandbox.remove_field(PHONE);
    world.sandbox.label_field(ANEW, "phone");
    world.sandbox.edit_candidate(world.sid("s001").await, &[(ANEW, "by hand")]);
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.exit_code), ("3 modify", 0), "{report:?}");
    assert_eq!(world.candidate("s001").fields[&ANEW], "phone-s001");
    is_quiet(&world, "made anew").await;
}

#[tokio::test]
async fn a_field_made_anew_is_found_out_by_a_refused_write_that_nobody_is_blamed_for() {
    for kind in ["add", "modify"] {
        let mut world = by_label(&[]).await;
        world.sandbox.remove_field(PHONE);
        world.sandbox.label_field(ANEW, "phone");
        is_quiet(&world, "no row shows it").await;
        match kind {
            "add" => world.put(student("s003")).await,
            _ => world.edit("s001", |it| it.phone("another")).await,
        }
        let report = world.run().await;
        assert_eq!((report.exit_code, report.failed().as_str()), (75, ""), "{kind}: {report:?}");
        let said = report.exam.errors.join("\n");
        assert!(said.contains("exam.fields.phone") && said.contains("20"), "{said}");
        assert!(world.failures().await.is_empty(), "{kind}");
        let next = world.run().await;
        assert_eq!((next.exit_code, next.failed().as_str()), (0, ""), "{kind}: {next:?}");
        assert_eq!(next.calls("getFields"), 0, "{kind}");
        assert_eq!(world.candidate("s000").fields[&ANEW], "phone-s000", "{kind}");
        is_quiet(&world, kind).await;
    }
}

#[tokio::test]
async fn a_numbered_field_that_is_gone_is_named_and_nobody_is_blamed_for_it() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.sandbox.remove_field(PHONE);
    world.edit("s001", |it| it.phone("another")).await;
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!((report.exit_code, report.failed().as_str()), (78, ""), "{report:?}");
        assert!(report.exam.errors.join("\n").contains("exam.fields.phone"), "{report:?}");
        assert!(world.failures().await.is_empty());
    }
}

#[tokio::test]
async fn a_number_that_no_field_has_ends_a_run_before_anything_is_sent() {
    let mut world = ExamSchool::with(students(3)).await;
    mean(&mut world, "gender", FieldRef::Id(22));
    for _ in 0..2 {
        world.sandbox.clear_journal();
        let report = world.run().await;
        assert_eq!((report.exit_code, world.journal()), (78, vec!["getFields".to_owned()]), "{report:?}");
        let said = report.exam.errors.join("\n");
        for word in ["exam.fields.gender", "no field with the number 22", "\"gender\" (2)"] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
    world.sandbox.label_field(22, "gender too");
    assert_eq!(world.run().await.applied(), "3 add");
    is_quiet(&world, "asked for once").await;
    mean(&mut world, "phone", FieldRef::Id(23));
    let report = world.run().await;
    assert_eq!((report.exit_code, report.writes(), report.calls("getFields")), (78, 0, 1), "{report:?}");
}

#[tokio::test]
async fn a_refusal_that_no_field_explains_is_the_students_own() {
    let mut world = by_label(&[("clear_value", "fail")]).await;
    world.edit("s001", |it| it.phone("")).await;
    let report = world.run().await;
    assert_eq!((report.exit_code, report.failed().as_str()), (3, "1 modify"), "{report:?}");
    assert_eq!((report.calls("getFields"), world.failures().await.len()), (1, 1));
}

#[tokio::test]
async fn two_fields_with_the_label_that_is_meant_are_refused_with_both_numbers() {
    let mut world = by_label(&[]).await;
    world.sandbox.label_field(ANEW, "phone");
    is_quiet(&world, "no row shows the second one").await;
    world.sandbox.edit_candidate(world.sid("s001").await, &[(ANEW, "by hand")]);
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!((report.exit_code, report.writes()), (78, 0), "{report:?}");
        let said = report.exam.errors.join("\n");
        assert!(said.contains("exam.fields.phone") && said.contains("4 and 20"), "{said}");
    }
    let checked = rosterd::check_exam_fields(&world.exam_side(), &world.state, None).await;
    assert!(checked.unwrap_err().to_string().contains("4 and 20"));
    mean(&mut world, "phone", FieldRef::Id(PHONE));
    is_quiet(&world, "named by number").await;
}

#[tokio::test]
async fn a_label_that_is_gone_is_refused_with_its_key_and_the_labels_there_are() {
    let world = by_label(&[]).await;
    world.sandbox.label_field(PHONE, "mobile");
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!((report.exit_code, report.writes()), (78, 0), "{report:?}");
        let said = report.exam.errors.join("\n");
        for word in ["exam.fields.phone", "\"phone\"", "\"mobile\" (4)", "\"gender\" (2)"] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
    world.sandbox.label_field(PHONE, "phone");
    is_quiet(&world, "the label is back").await;
}
