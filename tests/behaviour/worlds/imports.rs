//! Files that fill the roster.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("import-csv", csv),
    ("import-csv-bad", csv_bad),
    ("import-csv-mapped", csv_mapped),
    ("import-csv-bulk", csv_bulk),
    ("import-clever", clever),
    ("import-oneroster", oneroster),
];

const STUDENTS: &str = "student_id,name,phone\ns1,Ann Abel,13800000001\ns7,Gus Green,13800000007\n";

fn csv(world: &mut World) {
    world.sync();
    world.file("students.csv", STUDENTS);
    world.file("group_members.csv", "student_id,group_code\ns7,g1\n");
    for line in ["--dry-run", "", "--output json", ""] {
        world.rosterd(&format!("import csv students.csv group_members.csv {line}"));
    }
    world.roster("UPDATE students SET login = 'gus' WHERE student_id = 's7'");
    world.in_step();
    world.look();
}

fn csv_bad(world: &mut World) {
    world.file("students.csv", "student_id,name\ns1,Ann Abel\n,Nobody\ns8,\ns1,Twice\n");
    for line in ["", "--skip-bad-rows --dry-run", "--output json", "--skip-bad-rows"] {
        world.rosterd(&format!("import csv students.csv {line}"));
    }
    world.file("group_members.csv", "student_id,group_code\nnobody,g1\n");
    world.file("notes.csv", "a,b\n1,2\n");
    world.file("broken.xlsx", "no workbook");
    for name in ["group_members.csv", "notes.csv", "broken.xlsx", "missing.csv", "."] {
        world.rosterd(&format!("import csv {name}"));
    }
    world.rosterd("import csv students.csv --database nowhere/roster.db");
}

fn csv_mapped(world: &mut World) {
    world.file("people.txt", "Nr;Name;Group\nm1;Mia Moss;Year 7\nm2;Max Marsh;Year 7\n");
    world.rosterd(
        "import csv people.txt --map student_id=Nr --map name=Name --map group_code=Group --dry-run",
    );
    world.rosterd("import csv people.txt --map student_id=Nr --map name=Name --map group_code=Group");
    world.rosterd("import csv people.txt --map student_id=Number --map name=Name");
    world.rosterd("export roster");
}

fn csv_bulk(world: &mut World) {
    world.sync();
    world.file("students.csv", "student_id,name\ns1,Ann Able\ns2,Bob Baker\n");
    for line in ["--bulk --dry-run", "--bulk", "--bulk --allow-shrink"] {
        world.setting("GUARD__MAX_DELETE", "2");
        world.rosterd(&format!("import csv students.csv {line}"));
    }
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.sync();
    world.in_step();
}

fn clever(world: &mut World) {
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/clever-small");
    world.hide(bundle, "<clever-small>");
    world.rosterd(&format!("import clever {bundle} --dry-run --output json"));
    world.rosterd(&format!("import clever {bundle}"));
    world.rosterd(&format!("import clever {bundle}"));
    world.rosterd(&format!("import clever {bundle} --allow-shrink"));
    world.rosterd(&format!("import clever {bundle}"));
    world.rosterd("import clever .");
    world.rosterd("export roster --output json");
}

/// A copy of a bundle that tells no moment of its own: then its files do.
fn of_september(world: &World, bundle: &str) -> String {
    let copy = world.path("bundle");
    std::fs::create_dir_all(&copy).unwrap();
    let september: std::time::SystemTime = "2026-09-30T00:00:00Z".parse::<jiff::Timestamp>().unwrap().into();
    for entry in std::fs::read_dir(bundle).unwrap() {
        let from = entry.unwrap().path();
        let to = copy.join(from.file_name().unwrap());
        std::fs::copy(&from, &to).unwrap();
        std::fs::File::options().append(true).open(&to).unwrap().set_modified(september).unwrap();
    }
    copy.display().to_string()
}

fn oneroster(world: &mut World) {
    let bundle =
        of_september(world, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/oneroster-1.1"));
    let delta = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/oneroster-1.2");
    world.hide(&bundle, "<oneroster-1.1>");
    world.hide(delta, "<oneroster-1.2>");
    world.roster("DELETE FROM students; DELETE FROM group_members; DELETE FROM class_members; DELETE FROM groups; DELETE FROM classes");
    for line in [
        "--dry-run",
        "",
        "--groups grades,orgs --dry-run --output json",
        "--disabled left --role student --dry-run",
    ] {
        world.rosterd(&format!("import oneroster {bundle} {line}"));
    }
    world.rosterd(&format!("import oneroster {delta} --dry-run"));
    world.rosterd(&format!("import oneroster {delta}"));
    world.rosterd("import oneroster .");
    world.rosterd("export roster");
}
