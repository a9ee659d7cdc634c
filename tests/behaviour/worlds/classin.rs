//! ClassIn: accounts, classes, removals, names, evidence.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("uid-missing", uid_missing),
    ("uid-registered", uid_registered),
    ("uid-registered-answer-lost", uid_registered_answer_lost),
    ("uid-unknown", uid_unknown),
    ("student-of-the-school-no-more", student_of_the_school_no_more),
    ("class-full", class_full),
    ("class-ended", class_ended),
    ("class-deleted", class_deleted),
    ("class-without-course", class_without_course),
    ("whole-course", whole_course),
    ("removals-none", |world| removals(world, "none")),
    ("removals-added", |world| removals(world, "added")),
    ("removals-presumed", |world| removals(world, "presumed")),
    ("claimed", claimed),
    ("names-changed", names_changed),
    ("evidence-checked", evidence_checked),
    ("uid-changed", uid_changed),
    ("account-cancelled", account_cancelled),
    ("teacher-in-class", teacher_in_class),
];

/// Two newcomers without an account, of whom one has a telephone number.
fn newcomers(world: &mut World) {
    world.newcomer("s7", "Gus Green", "13800000007");
    world.newcomer("s8", "Hal Hill", "");
    world.roster("INSERT INTO class_members VALUES ('s7', 'c1'), ('s8', 'c1')");
}

fn uid_missing(world: &mut World) {
    newcomers(world);
    world.rosterd("plan");
    world.in_step();
    world.look();
    world.rosterd("explain s7");
}

fn uid_registered(world: &mut World) {
    world.setting("CLASSIN__REGISTER", "true");
    newcomers(world);
    world.newcomer("s9", "Ivy Irwin", "13800000009");
    world.roster("INSERT INTO class_members VALUES ('s9', 'c1')");
    let _uid = world.account("create-account", "name=Ivy Irwin&contact=0086-13800000009");
    world.rosterd("plan");
    world.in_step();
    world.look();
    world.rosterd("explain s7");
}

fn uid_registered_answer_lost(world: &mut World) {
    world.setting("CLASSIN__REGISTER", "true");
    newcomers(world);
    world.sandbox("lose_answer", "registerMultiple");
    world.sandbox("lose_answer", "register");
    world.in_step();
    world.look();
    world.rosterd("failures retry --all");
    world.in_step();
}

fn uid_unknown(world: &mut World) {
    world.roster("UPDATE students SET classin_uid = 7 WHERE student_id = 's1'");
    world.in_step();
    world.look();
}

fn student_of_the_school_no_more(world: &mut World) {
    world.sync();
    let uid = world.uid("s1");
    let _done = world.account("leave-school", &format!("uid={uid}"));
    world.roster("INSERT INTO class_members VALUES ('s1', 'c2'), ('s2', 'c2')");
    world.in_step();
    world.look();
}

fn class_full(world: &mut World) {
    let _done = world.deed("capacity", "c1", "&students=2");
    world.in_step();
    world.look();
    let _done = world.deed("capacity", "c1", "&students=0");
    world.rosterd("failures retry --all");
    world.in_step();
    world.look();
}

fn class_ended(world: &mut World) {
    world.sync();
    let _done = world.deed("end-class", "c1", "");
    world.roster(
        "INSERT INTO class_members VALUES ('s5', 'c1'); DELETE FROM class_members WHERE student_id = 's1'",
    );
    world.in_step();
    world.look();
    world.rosterd("status --output json");
}

fn class_deleted(world: &mut World) {
    world.sync();
    let _done = world.deed("delete-class", "c1", "");
    world.roster("INSERT INTO class_members VALUES ('s5', 'c1'), ('s6', 'c2')");
    world.in_step();
    world.look();
}

fn class_without_course(world: &mut World) {
    world.roster("UPDATE classes SET course_id = NULL, class_id = NULL WHERE class_code = 'c1'");
    world.in_step();
    world.look();
}

fn whole_course(world: &mut World) {
    world.roster("UPDATE classes SET class_id = NULL WHERE class_code = 'c1'");
    world.in_step();
    world.roster("DELETE FROM class_members WHERE student_id = 's1'");
    world.rosterd("plan");
    world.in_step();
    world.look();
}

/// One whom we added, one who was in before us, and one whose adding went unanswered leave their class.
fn removals(world: &mut World, whom: &str) {
    world.setting("CLASSIN__REMOVALS", whom);
    world.roster("UPDATE class_members SET class_code = 'c2' WHERE student_id = 's3'");
    let uid = world.uid("s2");
    let _done = world.deed("add-member", "c1", &format!("&uid={uid}"));
    world.sandbox("lose_answer", "addClassStudentMultiple@2");
    world.sync();
    world.rosterd("status");
    world.roster("DELETE FROM class_members WHERE student_id IN ('s1', 's2', 's3')");
    world.rosterd("plan");
    world.in_step();
    world.look();
    world.rosterd("explain s2");
    world.sync();
    world.rosterd("approve {digest}");
    world.in_step();
}

fn claimed(world: &mut World) {
    let uid = world.uid("s2");
    let _done = world.deed("add-member", "c1", &format!("&uid={uid}"));
    world.sync();
    for line in ["claim s2 c1", "claim s2 nowhere", "claim nobody c1", "claim s5 c1"] {
        world.rosterd(line);
    }
    world.roster("DELETE FROM class_members WHERE student_id = 's2'");
    world.in_step();
    world.look();
}

fn names_changed(world: &mut World) {
    world.setting("CLASSIN__REGISTER", "true");
    newcomers(world);
    world.sync();
    world.roster("UPDATE students SET name = name || ' II' WHERE student_id IN ('s1', 's7')");
    world.rosterd("plan");
    world.in_step();
    world.sandbox("refuse_call", "editSchoolStudent:114");
    world.roster("UPDATE students SET name = name || 'I' WHERE student_id IN ('s1', 's7')");
    world.in_step();
    world.look();
}

fn evidence_checked(world: &mut World) {
    world.setting("CLASSIN__VERIFY_CALLS", "2");
    world.sync();
    let uid = world.uid("s1");
    let _done = world.deed("remove-member", "c1", &format!("&uid={uid}"));
    world.in_step();
    world.sync();
    world.look();
    world.rosterd("status --output json");
}

fn uid_changed(world: &mut World) {
    world.sync();
    let uid = world.account("create-account", "name=Ann Again");
    world.roster(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = 's1'"));
    world.rosterd("plan");
    world.in_step();
    world.look();
}

fn account_cancelled(world: &mut World) {
    let uid = world.uid("s1");
    let _done = world.account("cancel-account", &format!("uid={uid}"));
    world.in_step();
    world.look();
    world.rosterd("explain s1");
}

fn teacher_in_class(world: &mut World) {
    let (one, two) = (world.uid("s1"), world.uid("s2"));
    let _done = world.deed("role", "c1", &format!("&uid={one}&role=teacher"));
    let _done = world.deed("role", "c1", &format!("&uid={two}&role=auditor"));
    world.in_step();
    world.look();
}
