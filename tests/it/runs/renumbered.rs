//! A school whose ids and login values changed on one day: it is not entered a second time.

use rosterd_core::roster::Limit;
use rosterd_testkit::*;

/// The row's id is another one, and its login value is written otherwise.
fn renumber(world: &mut ExamSchool) {
    let everybody = std::mem::take(&mut world.people);
    for (id, person) in everybody {
        let login = format!("+86{}", person.login.clone().unwrap());
        let new = Person { id: format!("2027-{id}"), ..person }.login(&login);
        world.people.insert(new.id.clone(), new);
    }
}

#[tokio::test]
async fn a_school_with_new_ids_and_phones_written_otherwise_is_not_entered_a_second_time() {
    let mut world = ExamSchool::in_step(students(30)).await;
    world.settings.guard.max_delete = Limit::Auto;
    let candidates = world.sandbox.candidate_count();
    renumber(&mut world);
    world.write_roster().await;
    for _ in 0..3 {
        let report = world.run().await;
        assert_eq!((report.writes(), report.exit_code), (0, 4), "{report:?}");
        assert_eq!(report.held(), "30 add, 30 delete", "{report:?}");
        let said = report.exam.holds.join("\n");
        assert!(said.contains("30 of 30 newcomers have the gender, name and phone"), "{said}");
        assert!(said.contains("rosterd relink --suggested"), "{said}");
        world.later(2 * DAY);
    }
    assert_eq!(world.sandbox.candidate_count(), candidates);
}
