//! Services that cannot be used at all.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("exam-credentials-wrong", |world| credentials(world, "EXAM__CODE")),
    ("classin-credentials-wrong", |world| credentials(world, "CLASSIN__SECRET")),
    ("credentials-missing", credentials_missing),
    ("exam-down", |world| down(world, &["EXAM"])),
    ("classin-down", |world| down(world, &["CLASSIN"])),
    ("both-down", |world| down(world, &["EXAM", "CLASSIN"])),
    ("exam-plan-expired", exam_plan_expired),
    ("classin-maintenance", classin_maintenance),
    ("exam-too-many-requests", |world| always(world, "http_429", "*@*", "exam")),
    ("exam-server-errors", |world| always(world, "http_5xx", "*@*:503", "exam")),
    ("classin-server-errors", |world| always(world, "http_5xx", "*@*:502", "classin")),
    ("classin-login-page", |world| always(world, "html_200", "*@*", "classin")),
];

fn credentials(world: &mut World, key: &str) {
    world.setting(key, "wrong");
    for line in ["check", "check --output json", "plan"] {
        world.rosterd(line);
    }
    world.in_step();
    world.look();
}

fn credentials_missing(world: &mut World) {
    world.setting("EXAM__CODE", "");
    world.setting("CLASSIN__SECRET", "");
    for line in ["check --offline", "plan", "--sync-now", "results", "status"] {
        world.rosterd(line);
    }
}

/// Port 1 is nobody's.
fn down(world: &mut World, sections: &[&str]) {
    for section in sections {
        world.setting(&format!("{section}__BASE_URL"), "http://127.0.0.1:1");
    }
    world.rosterd("check");
    world.rosterd("plan");
    world.in_step();
    world.look();
}

fn exam_plan_expired(world: &mut World) {
    world.sync();
    world.sandbox("exam.plan", "expired");
    world.roster("UPDATE students SET name = 'Ann Abel' WHERE student_id = 's1'");
    world.rosterd("check");
    world.in_step();
    world.look();
}

fn classin_maintenance(world: &mut World) {
    for form in ["errno_901", "http_901", "html_200", "http_503"] {
        world.sandbox("classin.maintenance", form);
        world.sync();
    }
    world.sandbox("classin.maintenance", "off");
    world.in_step();
    world.look();
}

/// A run while every call of a service ends like this, and one afterwards.
fn always(world: &mut World, fault: &str, value: &str, service: &str) {
    world.sandbox(&format!("{service}.{fault}"), value);
    world.in_step();
    world.look();
    world.clear_faults();
    world.rosterd("failures retry --all");
    world.in_step();
}
