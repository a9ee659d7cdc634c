//! The exam side's faults, one kind a world: a call that is hit, what is recorded, and how the next runs settle it.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("add-item-refused", |world| entering(world, "refuse_item", "addStudents:1,3")),
    ("add-call-refused", |world| entering(world, "refuse_call", "addStudents@1x9")),
    ("add-answer-lost", |world| entering(world, "lose_answer", "addStudents")),
    ("add-request-dropped", |world| entering(world, "drop_request", "addStudents")),
    ("add-applied-in-part", |world| entering(world, "apply_part", "addStudents:2/500")),
    ("add-answer-cut", |world| entering(world, "cut_body", "addStudents")),
    ("add-reset-applied", |world| entering(world, "reset", "addStudents:applied")),
    ("add-reset-unapplied", |world| entering(world, "reset", "addStudents:unapplied")),
    ("add-too-many-requests", |world| entering(world, "http_429", "addStudents:1")),
    ("add-server-error", |world| entering(world, "http_5xx", "addStudents")),
    ("add-login-page", |world| entering(world, "html_200", "addStudents:applied")),
    ("add-maintenance", |world| entering(world, "exam.maintenance", "addStudents")),
    ("add-redirected", |world| entering(world, "redirect", "addStudents")),
    ("add-not-json", |world| entering(world, "not_json", "addStudents")),
    ("add-empty-body", |world| entering(world, "empty_body", "addStudents")),
    ("add-wrong-types", |world| entering(world, "exam.wrong_type", "addStudents")),
    ("add-item-in-both-lists", |world| entering(world, "item_in_both_lists", "addStudents:1")),
    ("add-item-in-neither-list", |world| entering(world, "item_in_neither_list", "addStudents:1")),
    ("add-index-out-of-range", |world| entering(world, "index_out_of_range", "addStudents:1")),
    ("add-index-twice", |world| entering(world, "index_twice", "addStudents")),
    ("change-item-refused", |world| changing(world, "refuse_item", "changeStuinfo:1")),
    ("change-answer-lost", |world| changing(world, "lose_answer", "changeStuinfo")),
    ("move-answer-lost", |world| changing(world, "lose_answer", "movestugroup")),
    ("move-item-refused", |world| changing(world, "refuse_item", "movestugroup:0")),
    ("delete-answer-lost", |world| changing(world, "lose_answer", "delStu")),
    ("delete-item-refused", |world| changing(world, "refuse_item", "delStu:0")),
    ("list-deleted-between-pages", |world| listing(world, &[("list_changes", "getstulist@2:delete")])),
    ("list-inserted-between-pages", |world| listing(world, &[("list_changes", "getstulist@2:insert")])),
    ("list-always-changing", |world| listing(world, &[("list_changes", "getstulist@*:reorder")])),
    ("list-page-short", |world| listing(world, &[("short_page", "getstulist@*:1")])),
    ("list-row-twice", |world| listing(world, &[("duplicate_row", "getstulist@*")])),
    ("list-total-drifts", |world| listing(world, &[("total_drifts", "getstulist@*")])),
    ("list-nobody", |world| listing(world, &[("nobody", "getstulist@*")])),
    ("list-cut", |world| listing(world, &[("cut_body", "getstulist@2")])),
    ("list-login-page", |world| listing(world, &[("html_200", "getstulist@*")])),
    ("list-refused", |world| listing(world, &[("refuse_call", "getstulist@*")])),
    ("look-up-fails", |world| listing(world, &[("http_5xx", "getstudentsinfo@*")])),
    ("fields-fail", |world| entering(world, "not_json", "getFields@*")),
    ("dead-letters", dead_letters),
    ("failures-ignored", failures_ignored),
];

/// A first run that is hit while it adds.
fn entering(world: &mut World, fault: &str, value: &str) {
    world.setting("CLASSIN__ENABLED", "false");
    world.sandbox(fault, value);
    world.in_step();
    world.look();
    world.clear_faults();
    world.a_quarter_of_an_hour_later();
    world.rosterd("failures retry --all");
    world.in_step();
    world.rosterd("failures");
}

/// A later run with changes, moves and deletes that is hit.
fn changing(world: &mut World, fault: &str, value: &str) {
    world.setting("CLASSIN__ENABLED", "false");
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.sync();
    world.leave(&["s5", "s6"]);
    world.sync();
    world.roster(
        "UPDATE students SET phone = phone || '1' WHERE student_id IN ('s1', 's2'); \
         UPDATE group_members SET group_code = 'g2' WHERE student_id IN ('s3', 's4')",
    );
    world.sandbox(fault, value);
    world.in_step();
    world.look();
    world.clear_faults();
    world.rosterd("failures retry --all");
    world.in_step();
    world.rosterd("failures");
}

/// A later run whose reading is hit; pages hold two candidates.
fn listing(world: &mut World, faults: &[(&str, &str)]) {
    world.setting("CLASSIN__ENABLED", "false");
    world.setting("EXAM__PAGE_SIZE", "2");
    world.setting("EXAM__VERIFY_GROUPS", "0s");
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.sync();
    world.leave(&["s6"]);
    world.sync();
    world.roster("UPDATE students SET phone = phone || '1' WHERE student_id = 's1'");
    world.newcomer("s7", "Gus Green", "13800000007");
    for (fault, value) in faults {
        world.sandbox(fault, value);
    }
    world.in_step();
    world.look();
    world.clear_faults();
    world.in_step();
}

fn dead_letters(world: &mut World) {
    world.setting("RETRY__MAX_ATTEMPTS", "2");
    world.sandbox("refuse_item", "addStudents@*:0");
    world.sync();
    world.rosterd("failures retry --all");
    world.in_step();
    world.look();
    world.sync();
    world.rosterd("explain s1");
    world.rosterd("failures list --output json");
    world.clear_faults();
    world.sync();
    world.roster("UPDATE students SET name = 'Ann Abel' WHERE student_id = 's1'");
    world.in_step();
    world.look();
}

fn failures_ignored(world: &mut World) {
    world.sandbox("refuse_item", "addStudents@*:0");
    world.sandbox("refuse_item", "addClassStudentMultiple@*:0/886");
    world.sync();
    for line in ["failures", "failures ignore 1", "failures", "failures ignore 99", "failures retry"] {
        world.rosterd(line);
    }
    world.clear_faults();
    world.in_step();
    world.look();
    world.rosterd("failures ignore --all --output json");
    world.in_step();
    world.rosterd("explain s1");
    world.rosterd("export failures");
    world.roster("UPDATE students SET name = 'Ann Abel' WHERE student_id = 's1'");
    world.in_step();
    world.look();
}
