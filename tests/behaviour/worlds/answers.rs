//! How the services may write the same answer: what their documents leave open, one switch of the sandbox after another.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] =
    &[("answers-to-adding", adding), ("answers-to-changing", changing), ("answers-to-enrolling", enrolling)];

/// Switch, value, and the value it has otherwise.
type Variant = (&'static str, &'static str, &'static str);

const OF_EXAM: &[Variant] = &[
    ("exam.index_base", "0", "1"),
    ("exam.fail_base", "0", "same"),
    ("exam.fail_style", "sid", "index"),
    ("exam.fail_style", "login_value", "index"),
    ("exam.fail_style", "object", "index"),
    ("exam.fail_type", "string", "number"),
    ("exam.sid_type", "string", "sample"),
    ("exam.empty_list", "null", "[]"),
    ("exam.empty_list", "absent", "[]"),
    ("exam.success_order", "reversed", "request"),
    ("exam.status_on_partial", "error", "ok"),
    ("exam.error_style", "4xx_text", "200_json"),
    ("exam.error_style", "5xx_text", "200_json"),
];

const OF_CLASSIN: &[Variant] = &[
    ("classin.top_level", "first_failure", "one"),
    ("classin.top_level", "single_mirrors_item", "one"),
    ("classin.class_error_level", "items", "top"),
    ("classin.class_error_level", "both", "top"),
    ("classin.errno_type", "string", "number"),
    ("classin.data_on_failure", "null", "absent"),
    ("classin.error_text", "misleading", "plain"),
    ("classin.item_order", "reversed", "request"),
    ("classin.custom_column_echo", "as_sent", "string"),
    ("classin.custom_column_echo", "missing", "string"),
    ("classin.bom", "on", "off"),
];

/// Three newcomers for each, of whom one is refused; they leave after it.
fn adding(world: &mut World) {
    world.setting("CLASSIN__ENABLED", "false");
    world.sync();
    for (at, (switch, value, otherwise)) in OF_EXAM.iter().enumerate() {
        world.sandbox(switch, value);
        for id in ["x", "y", "z"] {
            world.newcomer(&format!("{id}{at}"), "Newcomer", "");
        }
        world.sandbox("refuse_item", "addStudents:1");
        world.sync();
        world.rosterd("failures");
        world.roster(&format!("DELETE FROM students WHERE student_id = 'y{at}'; DELETE FROM group_members WHERE student_id = 'y{at}'"));
        world.clear_faults();
        world.sandbox(switch, otherwise);
    }
    world.sync();
    world.look();
}

/// Three names for each, of which one is refused.
fn changing(world: &mut World) {
    world.setting("CLASSIN__ENABLED", "false");
    world.setting("GUARD__MAX_MODIFY", "100%");
    world.sync();
    for (at, (switch, value, otherwise)) in OF_EXAM.iter().enumerate() {
        world.sandbox(switch, value);
        world.roster(&format!("UPDATE students SET name = 'Name {at}' WHERE student_id < 's4'"));
        world.sandbox("refuse_item", "changeStuinfo@*:1");
        world.sync();
        world.rosterd("failures");
        world.clear_faults();
        world.sandbox(switch, otherwise);
        world.rosterd("failures retry --all");
        world.rosterd("--sync-now --quiet");
    }
    world.look();
}

/// Three newcomers for each, of whom one has been cancelled and one is refused for a while; they leave after it.
fn enrolling(world: &mut World) {
    world.without_exam();
    world.sync();
    for (at, (switch, value, otherwise)) in OF_CLASSIN.iter().enumerate() {
        world.sandbox(switch, value);
        let ids = ["x", "y", "z"].map(|id| format!("{id}{at}"));
        for id in &ids {
            let uid = world.account("create-account", &format!("name={id}"));
            world.roster(&format!(
                "INSERT INTO students (student_id, name, login, classin_uid) VALUES ('{id}', '{id}', '{id}', {uid}); \
                 INSERT INTO class_members VALUES ('{id}', 'c1')"
            ));
        }
        let uid = world.uid(&ids[1]);
        let _done = world.account("cancel-account", &format!("uid={uid}"));
        world.sandbox("refuse_item", "addClassStudentMultiple:2/158");
        world.sync();
        world.rosterd("failures");
        world.leave(&ids.each_ref().map(String::as_str));
        world.clear_faults();
        world.rosterd("--sync-now --quiet");
        world.sandbox(switch, otherwise);
    }
    let _done = world.deed("end-class", "c1", "");
    for (switch, value) in [("top", "items"), ("items", "both"), ("both", "top")] {
        world.sandbox("classin.class_error_level", switch);
        world.roster(&format!(
            "INSERT INTO class_members VALUES ('s5', 'c1'); UPDATE classes SET title = '{value}'"
        ));
        world.sync();
        world.rosterd("failures");
        world.roster("DELETE FROM class_members WHERE student_id = 's5'");
        world.sync();
    }
    world.look();
}
