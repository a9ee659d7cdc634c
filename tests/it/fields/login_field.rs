//! The login field is believed only where the listed candidates do not disprove it.

use rosterd::{FieldRef, LoginField, StateStore, check_exam_fields};
use rosterd_testkit::*;

/// An account with `listed` candidates of its own, in which field 11 is the login field, and students whose phones are
/// those candidates' phones.
async fn world(listed: usize, login_field: LoginField) -> ExamSchool {
    let people = (0..listed).map(|at| student(&format!("n{at}")).phone(&format!("1380000{at:04}")));
    let mut world = ExamSchool::with(people).await;
    for at in 0..listed {
        let (login, phone) = (format!("mail{at}@x.org"), format!("1380000{at:04}"));
        let fields = [(LOGIN, login.as_str()), (NAME, "Somebody"), (PHONE, phone.as_str())];
        world.sandbox.insert_candidate(&fields, &[world.gid("g1")]);
    }
    world.settings.exam.login_field = login_field;
    world
}

fn named(field: i64) -> LoginField {
    LoginField::Named(FieldRef::Id(field))
}

async fn checked(world: &ExamSchool) -> Result<String, String> {
    let side = world.exam_side();
    let checked = check_exam_fields(&side, &world.state, Some(&world.database)).await;
    checked.map(|checked| checked.detail).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_login_field_that_the_listing_disproves_stops_before_anything_is_sent() {
    for field in [PHONE, NAME] {
        let world = world(10, named(field)).await;
        let report = world.run().await;
        assert_eq!((report.exit_code, report.writes()), (78, 0), "{field}: {report:?}");
        let said = report.exam.errors.join("\n");
        assert!(said.contains("field 11 (\"number\")") && said.contains("exam.login_field"), "{said}");
        assert_eq!(world.plan_report().await.exit_code, 78);
        let checked = checked(&world).await.unwrap_err();
        assert!(checked.contains("field 11 (\"number\")"), "{checked}");
    }
}

#[tokio::test]
async fn nine_listed_candidates_do_not_disprove_a_login_field() {
    let world = world(9, named(PHONE)).await;
    assert_ne!(world.plan_report().await.exit_code, 78);
}

#[tokio::test]
async fn one_odd_candidate_in_twenty_does_not_hide_the_login_field() {
    for login_field in [LoginField::Auto, named(PHONE)] {
        let world = world(19, login_field.clone()).await;
        world.set("order", "sid_desc");
        world.sandbox.insert_candidate(&[(LOGIN, "twentieth"), (NAME, "Odd")], &[world.gid("g1")]);
        let exit_code = world.plan_report().await.exit_code;
        assert_eq!(exit_code == 78, login_field == named(PHONE), "{login_field:?}");
    }
}

#[tokio::test]
async fn a_field_found_out_once_is_kept_and_two_such_fields_need_a_word() {
    let world = world(12, LoginField::Auto).await;
    assert_eq!(world.plan_report().await.exit_code, 4, "a plan finds it out for itself");
    assert_eq!(world.run().await.exit_code, 4, "found out; where nobody matches, the adds wait");
    for candidate in world.sandbox.candidates() {
        let login = candidate.login_value.clone();
        world.sandbox.edit_candidate(candidate.sid, &[(PHONE, login.as_str())]);
    }
    assert_eq!(world.plan_report().await.exit_code, 4, "kept");
    let fresh = StateStore::open(&world.path("another.db")).await.unwrap();
    let checked = check_exam_fields(&world.exam_side(), &fresh, None).await.unwrap_err().to_string();
    assert!(checked.contains("field 4") && checked.contains("field 11"), "{checked}");
    fresh.close().await;
}

#[tokio::test]
async fn check_says_how_many_students_match_and_which_fields_are_not_there() {
    let mut world = world(12, named(LOGIN)).await;
    world.edit("n0", |it| it.login("mail3@x.org")).await;
    let said = checked(&world).await.unwrap();
    assert!(said.contains("1 of 12 students matches one of 12 candidates"), "{said}");
    assert_eq!(world.journal(), ["getFields", "getstulist"]);
    for mapping in &mut world.settings.exam.fields {
        match mapping.column.as_str() {
            "gender" => mapping.field = FieldRef::Id(22),
            "phone" => mapping.field = FieldRef::Label("Telephone".to_owned()),
            _ => {}
        }
    }
    let said = checked(&world).await.unwrap_err();
    assert!(said.contains("exam.fields.gender") && said.contains("22"), "{said}");
    assert!(said.contains("exam.fields.phone") && said.contains("Telephone"), "{said}");
}

#[tokio::test]
async fn check_reads_twenty_pages_at_most() {
    let mut world = world(30, named(LOGIN)).await;
    world.settings.exam.page_size = 1;
    let said = checked(&world).await.unwrap();
    assert!(said.contains("20 candidates read (of 30)"), "{said}");
    assert_eq!(world.journal().iter().filter(|call| *call == "getstulist").count(), 20);
}
