//! Every code of ClassIn that the contract lists, at each place where it can stand.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("codes-of-registering-1", |world| registering(world, FIRST)),
    ("codes-of-registering-2", |world| registering(world, SECOND)),
    ("codes-of-enrolling-items-1", |world| enrolling(world, FIRST, "refuse_item", "0/")),
    ("codes-of-enrolling-items-2", |world| enrolling(world, SECOND, "refuse_item", "0/")),
    ("codes-of-enrolling-calls-1", |world| enrolling(world, FIRST, "refuse_call", "")),
    ("codes-of-enrolling-calls-2", |world| enrolling(world, SECOND, "refuse_call", "")),
    ("codes-of-removing-items", removing),
];

const FIRST: &[i64] = &[
    100, 102, 104, 106, 113, 114, 125, 128, 129, 130, 131, 133, 134, 135, 137, 142, 143, 144, 145, 147, 149,
    153, 155,
];

/// The last one is in no list.
const SECOND: &[i64] = &[
    157,
    158,
    159,
    162,
    163,
    164,
    166,
    167,
    171,
    212,
    228,
    288,
    329,
    332,
    369,
    400,
    450,
    460,
    461,
    464,
    466,
    820,
    841,
    886,
    901,
    101_003_001,
    424_242,
];

const OF_REMOVALS: &[i64] =
    &[100, 104, 114, 130, 142, 143, 144, 145, 149, 162, 163, 166, 167, 171, 228, 369, 400, 466, 886, 424_242];

/// A newcomer for each code, who leaves after it.
fn registering(world: &mut World, codes: &[i64]) {
    world.without_exam();
    world.setting("CLASSIN__REGISTER", "true");
    for code in codes {
        world.clear_faults();
        world.newcomer("n", "Newcomer", &format!("138{:08}", code % 100_000_000));
        world.roster("INSERT INTO class_members VALUES ('n', 'c1')");
        world.sandbox("refuse_call", &format!("register@*:{code}"));
        world.sync();
        world.rosterd("failures");
        world.leave(&["n"]);
    }
    world.look();
}

/// Two newcomers with an account for each code, who leave after it.
fn enrolling(world: &mut World, codes: &[i64], fault: &str, positions: &str) {
    world.without_exam();
    world.sync();
    for code in codes {
        world.clear_faults();
        for id in ["n1", "n2"] {
            let id = format!("{id}-{code}");
            let uid = world.account("create-account", &format!("name={id}"));
            world.roster(&format!(
                "INSERT INTO students (student_id, name, login, classin_uid) VALUES ('{id}', '{id}', '{id}', {uid}); \
                 INSERT INTO class_members VALUES ('{id}', 'c1')"
            ));
        }
        world.sandbox(fault, &format!("addClassStudentMultiple@*:{positions}{code}"));
        world.sync();
        world.rosterd("failures");
        world.leave(&[&format!("n1-{code}"), &format!("n2-{code}")]);
    }
    world.clear_faults();
    world.look();
}

/// One student comes and goes for each code; another one stays.
fn removing(world: &mut World) {
    world.without_exam();
    world.roster("INSERT INTO class_members VALUES ('s6', 'c2')");
    for code in OF_REMOVALS {
        world.clear_faults();
        world.roster("INSERT INTO class_members VALUES ('s1', 'c2')");
        world.rosterd("--sync-now --quiet");
        world.sandbox("refuse_item", &format!("delClassStudentMultiple@*:0/{code}"));
        world.roster("DELETE FROM class_members WHERE student_id = 's1' AND class_code = 'c2'");
        world.sync();
        world.rosterd("failures");
    }
    world.look();
}
