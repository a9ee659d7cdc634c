//! A candidate that is found after the answer to an add was lost is ours only where nothing that it shows says otherwise.

use rosterd_core::exam_plan::Origin;
use rosterd_testkit::*;

/// One student in step and one whose add was lost on its way; then a candidate with that login value is there.
async fn world(switches: &[(&str, &str)], fields: &[(i64, &str)]) -> ExamSchool {
    let mut world = ExamSchool::switched(students(1), switches).await;
    assert_eq!(world.run().await.applied(), "1 add");
    world.put(student("s007")).await;
    world.set("drop_request", "addStudents");
    let lost = world.run().await;
    assert_eq!((lost.applied().as_str(), world.logins().len()), ("", 1), "{lost:?}");
    let fields: Vec<(i64, &str)> = [(LOGIN, "s007")].into_iter().chain(fields.iter().copied()).collect();
    world.sandbox.insert_candidate(&fields, &[world.gid("g1")]);
    world
}

#[tokio::test]
async fn a_candidate_that_contradicts_what_was_sent_is_met_like_any_other() {
    let stranger = [(NAME, "Somebody else"), (GENDER, "m"), (PHONE, "another")];
    let world = world(&[], &stranger).await;
    let report = world.run_later().await;
    assert_eq!((report.held().as_str(), report.applied().as_str()), ("1 adopt", ""), "{report:?}");
    assert!(world.link("s007").await.is_none());
    assert_eq!(world.candidate("s007").fields[&NAME], "Somebody else");
    world.leaves_work_behind();
}

#[tokio::test]
async fn a_candidate_that_contradicts_in_one_value_is_taken_over_with_its_password() {
    let fields = [(NAME, "Name of s007"), (PHONE, "another"), (PASSWORD, "their own")];
    let world = world(&[], &fields).await;
    assert_eq!(world.run_later().await.applied(), "1 adopt, 1 modify");
    assert_eq!(world.link("s007").await.unwrap().origin, Origin::Adopted);
    assert_eq!(world.candidate("s007").fields[&PASSWORD], "their own");
}

#[tokio::test]
async fn what_is_masked_absent_or_in_another_form_contradicts_nothing() {
    let shown: [&[(i64, &str)]; 3] =
        [&[(NAME, "NAME OF S007"), (PHONE, "phone-s007")], &[], &[(NAME, "******"), (PHONE, "pho***007")]];
    for fields in shown {
        let world = world(&[], fields).await;
        let _settled = world.run_later().await;
        assert_eq!(world.link("s007").await.unwrap().origin, Origin::Added, "{fields:?}");
        assert_eq!(world.logins(), ["s000", "s007"], "{fields:?}");
        world.leaves_work_behind();
    }
}
