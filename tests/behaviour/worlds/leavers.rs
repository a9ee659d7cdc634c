//! Students who leave.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("leavers-in-grace", in_grace),
    ("leavers-due", due),
    ("leavers-come-back", come_back),
    ("leavers-held-by-limit", held_by_limit),
    ("leavers-kept", |world| leavers(world, "keep")),
    ("leavers-moved", leavers_moved),
    ("leavers-inactive", inactive),
    ("roster-empty", empty_roster),
    ("roster-empty-believed", empty_roster_believed),
    ("student-id-changed", student_id_changed),
];

fn in_grace(world: &mut World) {
    world.sync();
    world.leave(&["s6", "s1"]);
    world.rosterd("plan");
    world.in_step();
    world.sync();
    world.look();
    world.rosterd("explain s1");
    world.rosterd("export links");
}

fn due(world: &mut World) {
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.sync();
    world.leave(&["s6", "s1"]);
    world.sync();
    world.rosterd("plan");
    world.in_step();
    world.look();
    world.rosterd("explain s6");
}

fn come_back(world: &mut World) {
    world.sync();
    world.roster("UPDATE students SET active = 0 WHERE student_id IN ('s1', 's2')");
    world.sync();
    world.roster("UPDATE students SET active = 1");
    world.in_step();
    world.look();
}

fn held_by_limit(world: &mut World) {
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.setting("GUARD__MAX_DELETE", "1");
    world.sync();
    world.leave(&["s4", "s5", "s6"]);
    world.sync();
    world.rosterd("plan");
    world.rosterd("plan --output json");
    world.in_step();
    world.look();
    world.rosterd("approve nosuchdigest");
    world.sync();
    world.rosterd("approve {digest}");
    world.in_step();
    world.look();
}

fn leavers(world: &mut World, what: &str) {
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.setting("EXAM__LEAVERS", what);
    world.sync();
    world.leave(&["s6"]);
    world.sync();
    world.rosterd("plan");
    world.in_step();
    world.look();
}

fn leavers_moved(world: &mut World) {
    let gid = world.value("SELECT CAST(gid AS TEXT) FROM groups WHERE group_code = 'g2'");
    leavers(world, &gid);
}

fn inactive(world: &mut World) {
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.roster("UPDATE students SET active = 0 WHERE student_id = 's1'");
    world.in_step();
    world.roster("UPDATE students SET active = 0 WHERE student_id = 's2'");
    world.sync();
    world.in_step();
    world.look();
}

fn empty_roster(world: &mut World) {
    world.sync();
    world.roster("DELETE FROM students");
    for line in ["check --offline", "plan", "--sync-now", "--sync-now --output json"] {
        world.rosterd(line);
    }
    world.look();
}

fn empty_roster_believed(world: &mut World) {
    world.setting("GUARD__MIN_ROSTER", "0");
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.sync();
    world.roster("DELETE FROM students");
    world.sync();
    world.in_step();
    world.look();
    world.sync();
    world.rosterd("approve {digest}");
    world.in_step();
}

fn student_id_changed(world: &mut World) {
    world.sync();
    world.roster(
        "UPDATE students SET student_id = 't1' WHERE student_id = 's1'; \
         UPDATE group_members SET student_id = 't1' WHERE student_id = 's1'; \
         UPDATE class_members SET student_id = 't1' WHERE student_id = 's1'",
    );
    world.rosterd("plan");
    world.rosterd("relink s1 t1");
    world.rosterd("relink s1 t1");
    world.rosterd("relink nobody t1");
    world.rosterd("relink s2 s3");
    world.in_step();
    world.look();
    world.rosterd("export links --output json");
}
