//! Commands by themselves: their help, wrong usage, wrong configuration, and a school before its first run.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("help", help),
    ("usage-wrong", usage_wrong),
    ("configuration-wrong", configuration_wrong),
    ("before-the-first-run", before_the_first_run),
    ("exports", exports),
];

fn help(world: &mut World) {
    world.bare("--help");
    world.bare("-h");
    world.bare("--version");
    for command in [
        "plan",
        "check",
        "status",
        "runs",
        "failures",
        "failures list",
        "failures retry",
        "failures ignore",
        "approve",
        "explain",
        "claim",
        "relink",
        "results",
        "results list",
        "results export",
        "import",
        "import csv",
        "import clever",
        "import oneroster",
        "export",
        "backup",
        "restore",
        "sandbox",
    ] {
        world.bare(&format!("{command} --help"));
    }
}

fn usage_wrong(world: &mut World) {
    for line in [
        "frobnicate",
        "--sync-now plan",
        "--dry-run",
        "--output xml",
        "--log-level loud plan",
        "runs one",
        "failures retry",
        "failures retry 1 --all",
        "approve",
        "explain",
        "claim s1",
        "relink s1",
        "export people",
        "import csv",
        "import spreadsheet",
        "results list --since someday",
        "sandbox --set nothing",
        "sandbox --listen nowhere",
        "sandbox --set no.such.switch=1",
        "sandbox --login-field 99",
    ] {
        world.bare(line);
    }
}

fn configuration_wrong(world: &mut World) {
    world.configuration("[sync]\nmode = \"delete-all\"\n[exam]\npage_size = 0\ntypo = 1\n");
    for line in [
        "--sync-now",
        "plan",
        "status",
        "check --offline",
        "check --output json",
        "runs",
        "export roster",
        "",
    ] {
        world.rosterd(line);
    }
    world.configuration("[sync\n");
    world.rosterd("check --offline");
    world.configuration("");
    world.setting("SCHEDULE__CRON", "every day");
    world.setting("GUARD__MAX_DELETE", "many");
    world.setting("RETRY__MAX_DELAY", "1");
    world.setting("EXAM__BASE_URL", "http://example.org");
    world.rosterd("check --offline");
    world.bare("check --offline --config missing.toml");
    world.bare("--sync-now --config missing.toml --log-format json");
}

fn before_the_first_run(world: &mut World) {
    for line in [
        "status",
        "status --check",
        "status --output json",
        "runs",
        "runs 1",
        "runs --output json",
        "failures",
        "failures list --output json",
        "failures retry 1",
        "failures ignore --all",
        "approve abcdefghijkmnpqr",
        "explain s1",
        "explain nobody",
        "claim s1 c1",
        "relink s1 s9",
        "export links",
        "export failures",
        "export roster",
    ] {
        world.rosterd(line);
    }
}

fn exports(world: &mut World) {
    world.roster("UPDATE students SET name = '=1+1' WHERE student_id = 's1'");
    world.sandbox("refuse_item", "addStudents:0");
    world.sync();
    for what in ["roster", "links", "failures"] {
        world.rosterd(&format!("export {what}"));
        world.rosterd(&format!("export {what} --raw"));
        world.rosterd(&format!("export {what} --output json"));
    }
    world.rosterd("export roster --to out.csv");
    world.rosterd("export roster --to nowhere/out.csv");
}
