//! What the program does in every world it is likely to meet: standard output, standard error, exit code, and the
//! calls that reach the two services, held against a snapshot.
//!
//! Only the built program is used, so the tests stay as they are while the code behind them moves. `ROSTERD_BLESS=1`
//! makes what happens now the snapshot; `ROSTERD_WORLD=part-of-a-name` takes only some worlds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, and says where"
)]

mod normal;
mod service;
mod snapshot;
mod world;
mod worlds;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use world::World;
use worlds::WORLDS;

/// Worlds made at once: most of the time a world waits for a delay of the program's.
const AT_ONCE: usize = 12;

#[test]
fn every_world_behaves_as_its_snapshot_says() {
    let wanted = snapshot::variable("ROSTERD_WORLD");
    let chosen: Vec<_> = WORLDS.iter().filter(|(name, _)| name.contains(&wanted)).collect();
    let next = AtomicUsize::new(0);
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((name, scenario)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut world = World::new();
                    scenario(&mut world);
                    if let Some(difference) = snapshot::compare(name, &world.record()) {
                        differences.lock().unwrap().push(difference);
                    }
                }
            });
        }
    });
    let differences = differences.into_inner().unwrap();
    assert!(differences.is_empty(), "{} worlds differ:\n\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn every_snapshot_belongs_to_a_world() {
    let names: BTreeSet<&str> = WORLDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), WORLDS.len(), "two worlds have one name");
    let stale = snapshot::stale(&names);
    assert!(stale.is_empty(), "{stale:#?}");
}
