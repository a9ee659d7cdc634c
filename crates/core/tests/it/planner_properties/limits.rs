//! The delete limit over a sequence of runs: whatever leaves the roster, however it is sliced.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rosterd_core::exam_plan::CountedWrite;
use rosterd_core::roster::{Leavers, Limit, StudentId};

use super::config;
use crate::support::*;

const DAY: i64 = 24 * HOUR;

/// What happens between two runs.
#[derive(Clone, Debug)]
struct Slice {
    leave: usize,
    enter: usize,
    hours: i64,
    is_approved: bool,
}

fn slice() -> impl Strategy<Value = Slice> {
    (0_usize..12, 0_usize..4, 0_i64..14, prop::bool::weighted(0.15))
        .prop_map(|(leave, enter, hours, is_approved)| Slice { leave, enter, hours, is_approved })
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        Just(Limit::Auto),
        (0_u64..15).prop_map(Limit::Count),
        (0_u32..40).prop_map(|percent| Limit::Percent(f64::from(percent)))
    ]
}

/// Whether so many of `total` are no more than the limit allows; a share is rounded up to a whole candidate.
fn is_within(limit: Limit, count: u64, total: u64) -> bool {
    let within_share = |percent: f64| count <= 5 || ((count - 1) as f64) * 100.0 < percent * (total as f64);
    match limit {
        Limit::Count(most) => count <= most,
        Limit::Percent(percent) => within_share(percent),
        Limit::Auto if total <= 100 => within_share(20.0),
        Limit::Auto if total <= 1000 => within_share(10.0),
        Limit::Auto => within_share(5.0),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_more_go_in_any_24_hours_than_the_limit_allows_unless_a_person_approved_them(
        people in 1_usize..140,
        limit in limit(),
        moves in any::<bool>(),
        slices in prop::collection::vec(slice(), 1..10),
    ) {
        let mut world = crowd(people);
        world.guard.max_delete = limit;
        world.policy.delete_grace_ms = 0;
        if moves {
            world.policy.leavers = Leavers::MoveTo(77);
        }
        // The guard keeps a group's last member, which is another promise.
        world = world.with_converged([student("stays")]);
        let mut dismissed: Vec<(i64, u64)> = Vec::new();
        let mut entered = 0;
        for Slice { leave, enter, hours, is_approved } in slices {
            let leaving: Vec<String> =
                world.roster.keys().filter(|student| *student != "stays").take(leave).cloned().collect();
            leaving.iter().for_each(|student| { world.leave(student); });
            for _ in 0..enter {
                entered += 1;
                world.set(student(&format!("z{entered}")));
            }
            world.now_ms += hours * HOUR;
            let now = world.now_ms;
            dismissed.retain(|(at, _)| now - at < DAY);
            let recent: u64 = dismissed.iter().map(|(_, count)| count).sum();
            world.look_back();
            if is_approved {
                world.approve();
            }
            let linked = world.links.keys().filter(|student| world.roster.contains_key(*student)).count();
            let linked = u64::try_from(linked).unwrap();
            let plan = world.plan();
            let unapproved = plan
                .operations
                .iter()
                .filter(|one| one.is_planned() && one.of_leaver && !world.guard.approved.contains(one))
                .count();
            let unapproved = u64::try_from(unapproved).unwrap();
            if unapproved > 0 {
                prop_assert!(
                    is_within(limit, unapproved + recent, linked + unapproved + recent),
                    "{} and {} before, and {} stay, under {:?}", unapproved, recent, linked, limit
                );
                dismissed.push((now, unapproved));
            }
            world.run(100);
        }
    }
}

/// What somebody changes of one student between two runs.
#[derive(Clone, Copy, Debug)]
enum Edit {
    Phone,
    Rename,
    Regroup,
    Vanish,
}

fn edits() -> impl Strategy<Value = Vec<(usize, Edit)>> {
    let edit = prop::sample::select(vec![Edit::Phone, Edit::Rename, Edit::Regroup, Edit::Vanish]);
    let many = (edit.clone(), 0_usize..40, 1_usize..20);
    prop_oneof![
        prop::collection::vec((0_usize..40, edit), 0..8),
        many.prop_map(|(edit, first, count)| (first..first + count).map(|who| (who, edit)).collect()),
    ]
}

fn apply(world: &mut World, who: usize, edit: Edit, number: usize) {
    let student = format!("p{who:03}");
    if edit_is_idle(world, &student) {
        return;
    }
    match edit {
        Edit::Phone => world.roster.get_mut(&student).unwrap().phone = format!("5{number}"),
        Edit::Rename => world.roster.get_mut(&student).unwrap().login = format!("login{number}"),
        Edit::Regroup => {
            world.roster.get_mut(&student).unwrap().groups = [format!("g{}", 1 + number % 3)].into();
        }
        Edit::Vanish => {
            world.vanish(&student);
        }
    }
}

fn edit_is_idle(world: &World, student: &str) -> bool {
    !world.roster.contains_key(student) || !world.links.contains_key(student)
}

/// How many people of a kind were written for in the 24 hours up to now without an approval.
fn written_for(world: &World, write: CountedWrite) -> u64 {
    let of_last_day = world.written.iter().filter(|(at, _)| world.now_ms - at < DAY);
    let people: BTreeSet<&StudentId> = of_last_day
        .filter_map(|(_, written)| match written {
            Written::Counted(counted, student) if *counted == write => Some(student),
            Written::Counted(..) | Written::Left(..) => None,
        })
        .collect();
    u64::try_from(people.len()).unwrap()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn however_an_export_is_sliced_no_more_people_are_changed_in_a_day_than_the_limits_allow(
        people in 8_usize..40,
        limit in limit(),
        slices in prop::collection::vec((edits(), 0_i64..14), 1..10),
    ) {
        let mut world = crowd(people);
        (world.guard.max_delete, world.guard.max_modify) = (limit, limit);
        (world.guard.max_move, world.guard.max_group) = (limit, limit);
        let total = u64::try_from(people).unwrap();
        let mut number = 0;
        for (edits, hours) in slices {
            for (who, edit) in edits {
                number += 1;
                apply(&mut world, who, edit, number);
            }
            world.now_ms += hours * HOUR;
            world.look_back();
            let (now, _) = (world.now_ms, world.run(5));
            world.now_ms = now;
            for (write, limit) in [
                (CountedWrite::Modify, limit),
                (CountedWrite::LoginChange, Limit::Percent(5.0)),
                (CountedWrite::Move, limit),
                (CountedWrite::Vanished, limit),
            ] {
                let count = written_for(&world, write);
                prop_assert!(is_within(limit, count, total), "{:?}: {} of {} under {:?}", write, count, total, limit);
            }
        }
    }

    #[test]
    fn what_is_held_does_not_depend_on_the_order_of_the_input(
        people in 8_usize..40,
        limit in limit(),
        edits in prop::collection::vec((0_usize..40, prop::sample::select(vec![Edit::Phone, Edit::Rename, Edit::Regroup, Edit::Vanish])), 0..40),
        leavers in 0_usize..10,
    ) {
        let mut world = crowd(people);
        (world.guard.max_delete, world.guard.max_modify) = (limit, limit);
        (world.guard.max_move, world.guard.max_group) = (limit, limit);
        for (number, (who, edit)) in edits.into_iter().enumerate() {
            apply(&mut world, who, edit, number);
        }
        (0..leavers.min(people)).for_each(|at| { world.leave(&format!("p{at:03}")); });
        let held = world.lines();
        (world.cases_backwards, world.listed_backwards) = (true, true);
        prop_assert_eq!(held, world.lines());
    }
}
