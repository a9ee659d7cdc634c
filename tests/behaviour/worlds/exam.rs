//! The exam side when nothing goes wrong.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("first-sync", first_sync),
    ("quiet-second-run", quiet_second_run),
    ("everything-changed", everything_changed),
    ("adoption", adoption),
    ("adoption-never", adoption_never),
    ("logins-renamed", logins_renamed),
    ("logins-swapped", logins_swapped),
    ("group-moves", group_moves),
    ("several-groups", several_groups),
    ("groups-without-gid", groups_without_gid),
    ("groups-created", groups_created),
    ("groups-created-answer-lost", groups_created_answer_lost),
    ("candidates-deleted-by-hand", candidates_deleted_by_hand),
    ("candidates-edited-by-hand", candidates_edited_by_hand),
    ("groups-verified-every-run", groups_verified_every_run),
    ("login-found-by-itself", login_found_by_itself),
    ("small-batches-and-pages", small_batches_and_pages),
    ("password-of-the-roster", password_of_the_roster),
    ("account-full", account_full),
];

fn first_sync(world: &mut World) {
    for line in
        ["check --offline", "check", "plan", "plan --detailed-exitcode", "plan --output json", "status"]
    {
        world.rosterd(line);
    }
    world.rosterd("--sync-now --dry-run");
    world.rosterd("--sync-now --output json");
    world.look();
    world.rosterd("runs 5 --output json");
    world.rosterd("status --check");
    world.rosterd("explain s1");
    world.rosterd("explain s1 --reveal");
}

fn quiet_second_run(world: &mut World) {
    world.sync();
    world.rosterd("--sync-now --output json");
    world.sync();
    world.look();
    for line in
        ["plan --detailed-exitcode", "plan --output json", "status --output json", "runs --output json"]
    {
        world.rosterd(line);
    }
    for line in ["runs 2", "failures --output json", "explain s5 --output json"] {
        world.rosterd(line);
    }
}

fn everything_changed(world: &mut World) {
    world.setting("GUARD__MAX_MODIFY", "100%");
    world.sync();
    world.roster(
        "UPDATE students SET name = name || ' II', phone = '139' || substr(phone, 4), login = login || '.2'; \
         UPDATE group_members SET group_code = 'g2'; UPDATE class_members SET class_code = 'c2'",
    );
    for line in ["plan", "plan --reveal", "plan --output json"] {
        world.rosterd(line);
    }
    world.in_step();
    world.look();
    world.rosterd("approve {digest}");
    world.in_step();
}

const SOME_OF_OURS: &str = "
INSERT INTO students (student_id, name, phone, login) VALUES ('o1', 'Ann Able', '13800000001', 'ann'),
    ('o2', 'Robert Baker', '1', 'bob'), ('o3', 'A Stranger', '2', 'stranger');
INSERT INTO group_members SELECT student_id, 'g2' FROM students";

fn adoption(world: &mut World) {
    world.other_office(SOME_OF_OURS);
    world.rosterd("plan --unmanaged");
    world.rosterd("plan --unmanaged --reveal --output json");
    world.in_step();
    world.look();
    world.rosterd("export links");
    world.rosterd("explain s2");
}

fn adoption_never(world: &mut World) {
    world.setting("EXAM__ADOPT", "never");
    world.other_office(SOME_OF_OURS);
    world.in_step();
    world.look();
    world.rosterd("explain s2");
}

fn logins_renamed(world: &mut World) {
    world.sync();
    world.roster("UPDATE students SET login = 'anna' WHERE student_id = 's1'");
    world.rosterd("plan");
    world.in_step();
    world.roster("UPDATE students SET login = 'stranger' WHERE student_id = 's2'");
    world.other_office(SOME_OF_OURS);
    world.in_step();
    world.look();
}

fn logins_swapped(world: &mut World) {
    world.sync();
    world.roster(
        "UPDATE students SET login = CASE login WHEN 'ann' THEN 'bob' ELSE 'ann' END WHERE student_id < 's3'",
    );
    world.rosterd("plan");
    world.in_step();
    world.sync();
    world.look();
}

fn group_moves(world: &mut World) {
    world.sync();
    world.roster("UPDATE group_members SET group_code = 'g2' WHERE student_id IN ('s1', 's2')");
    world.rosterd("plan");
    world.in_step();
    world.sync();
    world.look();
}

fn several_groups(world: &mut World) {
    world.roster("INSERT INTO group_members SELECT student_id, 'g2' FROM students WHERE student_id < 's4'");
    world.in_step();
    world.roster("DELETE FROM group_members WHERE student_id = 's1' AND group_code = 'g1'");
    world.in_step();
    world.look();
}

const NEW_GROUP: &str = "INSERT INTO groups (group_code, title) VALUES ('g3', 'Year 3'); \
     INSERT INTO students (student_id, name, login) VALUES ('s7', 'Gus Green', 'gus'), ('s8', 'Hal Hill', 'hal'); \
     INSERT INTO group_members VALUES ('s7', 'g3'), ('s8', 'g3'), ('s6', 'g3')";

fn groups_without_gid(world: &mut World) {
    world.sync();
    world.roster(NEW_GROUP);
    world.rosterd("plan");
    world.in_step();
    world.look();
    world.roster(
        "UPDATE groups SET gid = (SELECT gid FROM groups WHERE group_code = 'g2') WHERE group_code = 'g3'",
    );
    world.in_step();
    world.look();
}

fn groups_created(world: &mut World) {
    world.setting("EXAM__CREATE_GROUPS", "true");
    world.roster(NEW_GROUP);
    world.rosterd("plan");
    world.rosterd("plan --output json");
    world.in_step();
    world.look();
    world.rosterd("export roster");
}

fn groups_created_answer_lost(world: &mut World) {
    world.setting("EXAM__CREATE_GROUPS", "true");
    world.roster(NEW_GROUP);
    world.sandbox("lose_answer", "addcategory");
    world.in_step();
    world.look();
    world.rosterd("failures retry --all");
    world.sync();
    world.look();
}

fn candidates_deleted_by_hand(world: &mut World) {
    world.sync();
    world.sandbox("foreign_edit", "getstulist:delete/2");
    world.rosterd("plan");
    world.in_step();
    world.look();
}

fn candidates_edited_by_hand(world: &mut World) {
    world.sync();
    world.sandbox("foreign_edit", "getstulist:rename/2");
    world.rosterd("plan");
    world.in_step();
    world.sandbox("foreign_edit", "getstulist:move/3");
    world.in_step();
    world.look();
}

fn groups_verified_every_run(world: &mut World) {
    world.setting("EXAM__VERIFY_GROUPS", "0s");
    world.in_step();
    world.sandbox("foreign_edit", "getstulist:move/3");
    world.in_step();
    world.look();
}

fn login_found_by_itself(world: &mut World) {
    world.setting("EXAM__LOGIN_FIELD", "auto");
    world.sync();
    world.rosterd("check");
    world.other_office(SOME_OF_OURS);
    world.rosterd("check");
    world.in_step();
    world.look();
}

fn small_batches_and_pages(world: &mut World) {
    for (key, value) in [("EXAM__BATCH_SIZE", "2"), ("EXAM__PAGE_SIZE", "2"), ("GUARD__MAX_MODIFY", "100%")] {
        world.setting(key, value);
    }
    world.setting("CLASSIN__BATCH_SIZE", "2");
    world.in_step();
    world.roster("UPDATE students SET name = name || ' II'");
    world.in_step();
    world.look();
}

fn password_of_the_roster(world: &mut World) {
    world.roster("UPDATE students SET password = 'first-' || login");
    world.in_step();
    world.roster("UPDATE students SET password = 'second' WHERE student_id = 's1'");
    world.rosterd("plan --reveal");
    world.in_step();
    world.sandbox("exam.echo_password", "masked");
    world.roster("UPDATE students SET password = 'third' WHERE student_id = 's2'");
    world.in_step();
    world.look();
}

fn account_full(world: &mut World) {
    world.sandbox("exam.candidate_cap", "4");
    world.in_step();
    world.look();
    world.sandbox("exam.candidate_cap", "0");
    world.rosterd("failures retry --all");
    world.in_step();
    world.look();
}
