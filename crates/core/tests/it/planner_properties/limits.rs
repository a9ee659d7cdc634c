//! The delete limit over a sequence of runs: whatever leaves the roster, however it is sliced.

use proptest::prelude::*;
use rosterd_core::roster::{Leavers, Limit};

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
