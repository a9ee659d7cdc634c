//! Runs that do not come to their end: killed or told to stop while a call is under way, and services that fail for
//! good in mid-run.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("killed-while-adding", |world| killed(world, "addStudents")),
    ("killed-while-changing", |world| killed(world, "changeStuinfo")),
    ("killed-while-moving", |world| killed(world, "movestugroup")),
    ("killed-while-deleting", |world| killed(world, "delStu")),
    ("killed-while-enrolling", |world| killed(world, "addClassStudentMultiple")),
    ("killed-while-removing", |world| killed(world, "delClassStudentMultiple")),
    ("killed-while-creating-a-group", |world| killed(world, "addcategory")),
    ("killed-while-registering", |world| killed(world, "register")),
    ("told-to-stop-while-adding", |world| told_to_stop(world, "addStudents")),
    ("told-to-stop-while-enrolling", |world| told_to_stop(world, "addClassStudentMultiple")),
    ("exam-fails-in-mid-run", |world| failing(world, "http_5xx", "addStudents@2x99:503")),
    ("exam-answers-lost-in-mid-run", |world| failing(world, "lose_answer", "addStudents@2x99")),
    ("exam-refuses-in-mid-run", |world| failing(world, "refuse_call", "addStudents@2x99")),
    ("exam-asks-to-wait-in-mid-run", |world| failing(world, "http_429", "addStudents@2x5:1")),
    ("exam-unreadable-in-mid-run", |world| failing(world, "not_json", "addStudents@2x99")),
    ("exam-unknown-and-unreadable", unknown_and_unreadable),
    ("classin-fails-in-mid-run", |world| failing(world, "http_5xx", "addClassStudentMultiple@2x99:503")),
    ("classin-answers-lost-in-mid-run", |world| {
        failing(world, "lose_answer", "addClassStudentMultiple@2x99")
    }),
    ("classin-refuses-in-mid-run", |world| failing(world, "refuse_call", "addClassStudentMultiple@2x99:104")),
    ("classin-asks-to-wait-in-mid-run", |world| {
        failing(world, "http_429", "addClassStudentMultiple@2x99:3600")
    }),
    ("classin-too-often-in-mid-run", |world| {
        failing(world, "refuse_call", "addClassStudentMultiple@2x99:101003001");
    }),
    ("classin-closes-in-mid-run", |world| failing(world, "refuse_call", "addClassStudentMultiple@2x99:901")),
    ("classin-credentials-withdrawn", |world| {
        failing(world, "refuse_call", "addClassStudentMultiple@2x99:102")
    }),
];

/// Something of every kind is to be done: after a first run without them, students come, change, move and leave.
fn much_to_do(world: &mut World) {
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.setting("EXAM__CREATE_GROUPS", "true");
    world.setting("CLASSIN__REGISTER", "true");
    world.sync();
    world.leave(&["s6"]);
    world.sync();
    world.newcomer("s7", "Gus Green", "13800000007");
    world.roster(
        "UPDATE students SET phone = '13900000001' WHERE student_id = 's1'; \
         UPDATE group_members SET group_code = 'g2' WHERE student_id = 's2'; \
         INSERT INTO groups (group_code, title) VALUES ('g3', 'Year 3'); \
         INSERT INTO group_members VALUES ('s3', 'g3'); \
         DELETE FROM class_members WHERE student_id = 's4'; \
         INSERT INTO class_members VALUES ('s5', 'c1'), ('s7', 'c1')",
    );
}

/// The program is killed after the service has applied a call and before it answers.
fn killed(world: &mut World, endpoint: &str) {
    much_to_do(world);
    world.sandbox("delay", &format!("{endpoint}:60000"));
    world.killed_at(endpoint, &["--sync-now", "runs", "status --check"]);
    world.rosterd("plan");
    world.in_step();
    world.look();
}

/// The program gets a signal while a call is under way, and the answer comes a little later.
fn told_to_stop(world: &mut World, endpoint: &str) {
    for service in ["EXAM", "CLASSIN"] {
        world.setting(&format!("{service}__BATCH_SIZE"), "2");
    }
    world.sandbox("delay", &format!("{endpoint}:5000"));
    world.stopped_at(endpoint);
    world.rosterd("runs");
    world.in_step();
    world.look();
}

/// The first call of one student goes well, and what follows does not.
fn failing(world: &mut World, fault: &str, value: &str) {
    for service in ["EXAM", "CLASSIN"] {
        world.setting(&format!("{service}__BATCH_SIZE"), "1");
    }
    world.roster("UPDATE class_members SET class_code = 'c2' WHERE student_id = 's4'");
    world.sandbox(fault, value);
    world.in_step();
    world.look();
    world.clear_faults();
    world.a_quarter_of_an_hour_later();
    world.rosterd("failures retry --all");
    world.in_step();
}

/// What became of an addition cannot be found out in the same run, nor in the next.
fn unknown_and_unreadable(world: &mut World) {
    world.setting("CLASSIN__ENABLED", "false");
    world.sandbox("lose_answer", "addStudents");
    world.sandbox("http_5xx", "getstudentsinfo@*");
    world.in_step();
    world.look();
    world.clear_faults();
    world.in_step();
    world.look();
}
