//! Exam results: pulled, shown, exported.

use super::Scenario;
use crate::world::World;

pub(super) const WORLDS: &[(&str, Scenario)] = &[
    ("results-pulled", pulled),
    ("results-disturbed", disturbed),
    ("results-of-leavers", of_leavers),
    ("results-nowhere", nowhere),
];

const TWO_EXAMS: &str = r#"[
{"eid":101,"sid":1,"start":1700000000,"end":1700000030,"score":59,"passed":0,"status":1},
{"eid":101,"sid":2,"start":1700000100,"end":1700000130,"score":88,"passed":1,"status":2},
{"eid":102,"sid":1,"start":1700086400,"end":1700086430,"score":75,"passed":1,"status":1},
{"eid":102,"sid":9,"start":1700086500,"end":0,"score":0,"passed":0,"status":0}]"#;

fn pulled(world: &mut World) {
    world.sync();
    world.results(&TWO_EXAMS.replace('\n', ""));
    for line in ["results", "results --output json", "results list", "results list --reveal --output json"] {
        world.rosterd(line);
    }
    for line in
        ["results list --exam 101", "results list --student s1 --limit 1", "results list --since 2023-11-15"]
    {
        world.rosterd(line);
    }
    world.sandbox("results_arrive", "queryresults:2");
    world.rosterd("results");
    world.sandbox("results_change", "queryresults:score/0");
    world.rosterd("results");
    world.sandbox("results_change", "queryresults:settle");
    world.rosterd("results --full");
    world.sandbox("results_change", "queryresults:delete/5");
    world.rosterd("results --full --output json");
    for line in ["results export csv", "results export json --reveal", "results list --until yesterday"] {
        world.rosterd(line);
    }
    world.look();
}

fn disturbed(world: &mut World) {
    world.sync();
    world.results(&TWO_EXAMS.replace('\n', ""));
    for (fault, value) in [
        ("cut_body", "queryresults"),
        ("http_5xx", "queryresults@*:503"),
        ("not_json", "queryresults@*"),
        ("refuse_call", "queryresults@*"),
        ("http_429", "queryresults:1"),
    ] {
        world.sandbox(fault, value);
        world.rosterd("results");
        world.clear_faults();
    }
    world.setting("EXAM__CODE", "wrong");
    world.rosterd("results");
}

fn of_leavers(world: &mut World) {
    world.setting("EXAM__DELETE_GRACE", "0s");
    world.sync();
    world.results(&TWO_EXAMS.replace('\n', ""));
    world.rosterd("results");
    world.leave(&["s1"]);
    world.sync();
    world.sync();
    world.rosterd("results --full");
    world.rosterd("results list");
    world.rosterd("explain s1");
}

fn nowhere(world: &mut World) {
    world.rosterd("results list");
    world.rosterd("results export csv");
    world.rosterd("results");
    world.rosterd("results list --output json");
}
