//! ClassIn's faults, one kind a world.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("enrol-item-refused", |world| enrolling(world, "refuse_item", "addClassStudentMultiple:0,2/886")),
    ("enrol-call-refused", |world| enrolling(world, "refuse_call", "addClassStudentMultiple:104")),
    ("enrol-answer-lost", |world| enrolling(world, "lose_answer", "addClassStudentMultiple")),
    ("enrol-request-dropped", |world| enrolling(world, "drop_request", "addClassStudentMultiple")),
    ("enrol-applied-in-part", |world| enrolling(world, "apply_part", "addClassStudentMultiple:2/114")),
    ("enrol-answer-cut", |world| enrolling(world, "cut_body", "addClassStudentMultiple")),
    ("enrol-reset", |world| enrolling(world, "reset", "addClassStudentMultiple:applied")),
    ("enrol-too-many-requests", |world| enrolling(world, "http_429", "addClassStudentMultiple:1")),
    ("enrol-server-error", |world| enrolling(world, "http_5xx", "addClassStudentMultiple")),
    ("enrol-not-json", |world| enrolling(world, "not_json", "addClassStudentMultiple")),
    ("enrol-wrong-types", |world| enrolling(world, "wrong_type", "addClassStudentMultiple")),
    ("enrol-item-missing", |world| enrolling(world, "item_missing", "addClassStudentMultiple:1")),
    ("enrol-item-extra", |world| enrolling(world, "item_extra", "addClassStudentMultiple")),
    ("enrol-token-repeated", |world| enrolling(world, "token_repeated", "addClassStudentMultiple")),
    ("enrol-token-foreign", |world| enrolling(world, "token_foreign", "addClassStudentMultiple")),
    ("enrol-class-ends", |world| enrolling(world, "class_ends_between_calls", "addClassStudentMultiple")),
    ("enrol-class-deleted", |world| {
        enrolling(world, "class_deleted_between_calls", "addClassStudentMultiple")
    }),
    ("remove-answer-lost", |world| removing(world, "lose_answer", "delClassStudentMultiple")),
    ("remove-item-refused", |world| removing(world, "refuse_item", "delClassStudentMultiple:0/171")),
];

fn enrolling(world: &mut World, fault: &str, value: &str) {
    world.without_exam();
    world.sandbox(fault, value);
    world.in_step();
    world.look();
    world.clear_faults();
    world.rosterd("failures retry --all");
    world.in_step();
    world.rosterd("failures");
}

fn removing(world: &mut World, fault: &str, value: &str) {
    world.without_exam();
    world.sync();
    world.roster("DELETE FROM class_members WHERE student_id < 's3'");
    world.sandbox(fault, value);
    world.in_step();
    world.look();
    world.clear_faults();
    world.rosterd("failures retry --all");
    world.in_step();
    world.rosterd("failures");
}
