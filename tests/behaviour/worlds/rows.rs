//! Rosters with rows that cannot be used, and rosters that cannot be read.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("rows-unreadable", unreadable),
    ("rows-without-login", without_login),
    ("rows-dangling", dangling),
    ("rows-without-group", without_group),
    ("rows-with-unknown-gid", unknown_gid),
    ("own-queries", own_queries),
    ("roster-unreadable", roster_unreadable),
];

fn unreadable(world: &mut World) {
    world.sync();
    world.roster(
        "INSERT INTO students (student_id, name, login) VALUES ('', 'Nobody', 'nobody'), ('s8', '', 'hal'); \
         UPDATE students SET classin_uid = 'seven' WHERE student_id = 's1'; \
         UPDATE students SET active = 'perhaps' WHERE student_id = 's2'; \
         UPDATE groups SET gid = 'x' WHERE group_code = 'g2'; \
         INSERT INTO group_members VALUES ('s3', 'g2'), ('s8', 'g1')",
    );
    world.rosterd("check --offline");
    world.rosterd("plan");
    world.in_step();
    world.look();
    world.rosterd("explain s2");
}

fn without_login(world: &mut World) {
    world.roster("UPDATE students SET login = NULL WHERE student_id = 's1'");
    world.roster("UPDATE students SET login = 'cid' WHERE student_id = 's4'");
    world.rosterd("plan");
    world.in_step();
    world.look();
    world.roster("UPDATE students SET login = 'dot' WHERE student_id = 's4'");
    world.in_step();
    world.look();
}

fn dangling(world: &mut World) {
    world.roster(
        "INSERT INTO group_members VALUES ('nobody', 'g1'), ('s1', 'nowhere'); \
         INSERT INTO class_members VALUES ('nobody', 'c1'), ('s1', 'nowhere'), ('s2', 'nowhere')",
    );
    world.rosterd("plan");
    world.in_step();
    world.look();
}

fn without_group(world: &mut World) {
    world.roster("DELETE FROM group_members WHERE student_id = 's1'");
    world.in_step();
    world.roster("DELETE FROM group_members WHERE student_id = 's2'");
    world.in_step();
    world.look();
}

fn unknown_gid(world: &mut World) {
    world.roster(
        "UPDATE groups SET gid = 99 WHERE group_code = 'g2'; \
         UPDATE group_members SET group_code = 'g2' WHERE student_id IN ('s1', 's2')",
    );
    world.in_step();
    world.look();
}

fn own_queries(world: &mut World) {
    world.setting(
        "ROSTER__QUERIES__STUDENTS",
        "SELECT *, login AS email2 FROM students WHERE student_id <> 's6'",
    );
    world.in_step();
    world.setting("ROSTER__QUERIES__STUDENTS", "SELECT student_id FROM students");
    world.sync();
    world.setting("ROSTER__QUERIES__STUDENTS", "SELEKT");
    world.sync();
    world.rosterd("check --offline");
}

fn roster_unreadable(world: &mut World) {
    world.roster("ALTER TABLE students DROP COLUMN login");
    world.sync();
    world.roster("DROP TABLE class_members");
    world.sync();
    world.rosterd("check --offline");
    world.file("roster.db", &"no database ".repeat(100));
    world.sync();
    world.rosterd("check --output json");
    std::fs::remove_file(world.path("roster.db")).unwrap();
    world.sync();
    world.rosterd("plan");
    world.rosterd("status");
}
