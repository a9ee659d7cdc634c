//! The laws of whom writes meet and of departures can fail: each is shown a run that broke it, as far as the driver knows.

use std::collections::BTreeMap;

use rosterd_core::roster::Limit;

use crate::driver::Driver;
use rosterd_testkit::*;

/// Everybody is entered.
async fn in_step() -> Driver {
    let mut driver = Driver::new(1).await;
    driver.world.settings.guard.max_delete = Limit::Percent(100.0);
    let report = driver.run().await;
    assert_eq!(report.exit_code, 0, "{report:?}");
    driver
}

/// A run without the laws, and what they are told of the time before it.
async fn run(driver: &Driver) -> (BTreeMap<String, i64>, i64) {
    let (before, began_ms) = (driver.tags(), driver.world.clock.now_ms());
    driver.world.sandbox.clear_journal();
    let report = driver.world.run().await;
    assert!(report.writes() > 0, "{report:?}");
    (before, began_ms)
}

/// Two students are deleted long after they left; they, too.
async fn with_two_deleted() -> (Driver, BTreeMap<String, i64>, i64, Vec<Person>) {
    let mut driver = in_step().await;
    let ids: Vec<String> = driver.world.people.keys().take(2).cloned().collect();
    let left: Vec<Person> = ids.iter().filter_map(|id| driver.world.people.remove(id)).collect();
    driver.world.write_roster().await;
    driver.note_who_left();
    let seen = driver.run().await;
    assert_eq!(seen.planned(), "", "they wait");
    driver.world.later(4 * DAY);
    let (before, began_ms) = run(&driver).await;
    assert_eq!(before.len() - driver.tags().len(), 2);
    (driver, before, began_ms, left)
}

#[tokio::test]
#[should_panic(expected = "no write goes to a sid that was not shown in this run to be that student's")]
async fn a_write_to_a_candidate_under_a_strange_login_value_breaks_a_law() {
    let mut driver = in_step().await;
    let id = driver.world.people.keys().next().cloned().unwrap();
    driver.world.edit(&id, |person| person.phone("another")).await;
    let (before, _) = run(&driver).await;
    driver.logins.insert(id, ["of somebody else".to_owned()].into());
    driver.every_write_meets_its_student(&before);
}

#[tokio::test]
#[should_panic(expected = "nobody on the roster is ever deleted without an approval that names them")]
async fn the_delete_of_somebody_on_the_roster_breaks_a_law() {
    let (mut driver, before, _, left) = with_two_deleted().await;
    driver.world.people.extend(left.into_iter().map(|person| (person.id.clone(), person)));
    driver.every_write_meets_its_student(&before);
}

#[tokio::test]
#[should_panic(expected = "over any 24 h no more than the limit leaves without an approval")]
async fn more_departures_than_the_limit_break_a_law() {
    let (mut driver, before, began_ms, _) = with_two_deleted().await;
    driver.world.settings.guard.max_delete = Limit::Count(1);
    driver.no_more_leave_in_a_day_than_the_limit(&before, began_ms);
}
