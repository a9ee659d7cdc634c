//! What the guard holds, and what becomes of it.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("held-changes", changes),
    ("held-and-failed", held_and_failed),
    ("held-and-changed-again", changed_again),
    ("held-and-withdrawn", withdrawn),
];

fn changes(world: &mut World) {
    world.setting("GUARD__MAX_MODIFY", "2");
    world.sync();
    world.roster("UPDATE students SET name = name || ' II'");
    world.rosterd("plan");
    world.rosterd("plan --detailed-exitcode --output json");
    world.in_step();
    world.look();
    world.sync();
    world.rosterd("approve {digest} --output json");
    world.rosterd("plan");
    world.in_step();
    world.look();
}

fn held_and_failed(world: &mut World) {
    world.setting("GUARD__MAX_MODIFY", "2");
    world.sync();
    world.roster("UPDATE students SET name = name || ' II' WHERE student_id < 's5'");
    world.newcomer("s7", "Gus Green", "13800000007");
    world.sandbox("refuse_item", "addStudents@*");
    world.in_step();
    world.look();
}

fn changed_again(world: &mut World) {
    world.setting("GUARD__MAX_MODIFY", "2");
    world.sync();
    world.roster("UPDATE students SET name = name || ' II' WHERE student_id < 's4'");
    world.sync();
    world.rosterd("approve {digest}");
    world.roster("UPDATE students SET name = name || ' III' WHERE student_id IN ('s1', 's6', 's5')");
    world.in_step();
    world.look();
}

fn withdrawn(world: &mut World) {
    world.setting("GUARD__MAX_MODIFY", "2");
    world.sync();
    world.roster("UPDATE students SET name = name || ' II'");
    world.sync();
    world.roster("UPDATE students SET name = substr(name, 1, length(name) - 3)");
    world.in_step();
    world.look();
}
