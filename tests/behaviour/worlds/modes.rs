//! What each mode leaves undone.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("mode-observe", |world| in_mode(world, "observe")),
    ("mode-create-only", |world| in_mode(world, "create-only")),
    ("mode-upsert", |world| in_mode(world, "upsert")),
    ("mode-sync", |world| in_mode(world, "sync")),
    ("only-exam", only_exam),
    ("only-classin", only_classin),
];

/// A first run, then one with an addition, a change, a move and a leaver.
fn in_mode(world: &mut World, mode: &str) {
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.setting("SYNC__MODE", mode);
    world.in_step();
    world.setting("SYNC__MODE", "sync");
    world.sync();
    world.setting("SYNC__MODE", mode);
    world.newcomer("s7", "Gus Green", "13800000007");
    world.roster(
        "UPDATE students SET name = 'Ann Abel' WHERE student_id = 's1'; \
         UPDATE group_members SET group_code = 'g2' WHERE student_id = 's2'; \
         DELETE FROM class_members WHERE student_id = 's3'",
    );
    world.leave(&["s6"]);
    world.sync();
    world.rosterd("plan --detailed-exitcode");
    world.in_step();
    world.look();
}

fn only_exam(world: &mut World) {
    world.setting("CLASSIN__ENABLED", "false");
    world.rosterd("check");
    world.in_step();
    world.look();
}

fn only_classin(world: &mut World) {
    world.without_exam();
    world.rosterd("check");
    world.rosterd("plan");
    world.in_step();
    world.look();
    world.rosterd("results");
}
