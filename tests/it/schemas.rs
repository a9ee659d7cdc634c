//! What is printed for programs is as `docs/schemas` says: each document of real runs, checked against its schema.

use std::path::Path;

use serde_json::{Value, json};

use crate::health::get;
use crate::program::{Programs as _, bare};
use rosterd_sandbox::ResultView;
use rosterd_testkit::{Ended, Running, School, ended};

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const MOMENT: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}";
const DIGEST: &str = "^[a-z0-9]+$";

fn fits(pattern: &str, text: &str) -> bool {
    match pattern {
        MOMENT => {
            let form: String =
                text.chars().take(19).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            form == "0000-00-00T00:00:00"
        }
        DIGEST => !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
        other => panic!("the checker knows no pattern {other}"),
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("there is no type {other}"),
    }
}

/// What a value has against a schema, each with its path. A keyword that is not known is an error of the schema.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                found.extend(faults(root, &root["$defs"][name], value, at));
            }
            "type" => {
                let kinds = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !kinds.iter().any(|kind| is_of(kind.as_str().unwrap(), value)) {
                    found.push(format!("{at}: {value} is no {rule}"));
                }
            }
            "enum" if !rule.as_array().unwrap().contains(value) => {
                found.push(format!("{at}: {value} is none of {rule}"));
            }
            "minimum" if value.as_f64().is_some_and(|number| number < rule.as_f64().unwrap()) => {
                found.push(format!("{at}: {value} is below {rule}"));
            }
            "pattern" if value.as_str().is_some_and(|text| !fits(rule.as_str().unwrap(), text)) => {
                found.push(format!("{at}: {value} does not fit {rule}"));
            }
            "enum" | "minimum" | "pattern" => {}
            "required" => {
                let Some(object) = value.as_object() else { continue };
                let missing = rule.as_array().unwrap().iter().map(|key| key.as_str().unwrap());
                let missing = missing.filter(|key| !object.contains_key(*key));
                found.extend(missing.map(|key| format!("{at}: {key} is missing")));
            }
            "properties" => {
                let Some(object) = value.as_object() else { continue };
                for (key, rule) in rule.as_object().unwrap() {
                    let Some(inner) = object.get(key) else { continue };
                    found.extend(faults(root, rule, inner, &format!("{at}.{key}")));
                }
                // Keys are only ever added, with their line in the schema.
                let known = rule.as_object().unwrap();
                let unknown = object.keys().filter(|key| !known.contains_key(*key));
                found.extend(unknown.map(|key| format!("{at}: {key} is not in the schema")));
            }
            "additionalProperties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    found.extend(faults(root, rule, inner, &format!("{at}.{key}")));
                }
            }
            "items" => {
                for (place, inner) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(faults(root, rule, inner, &format!("{at}[{place}]")));
                }
            }
            "anyOf" => {
                let ways = rule.as_array().unwrap();
                let ways: Vec<_> = ways.iter().map(|way| faults(root, way, value, at)).collect();
                if !ways.iter().any(Vec::is_empty) {
                    found.extend(ways.into_iter().flatten());
                }
            }
            other => panic!("the checker knows no keyword {other}"),
        }
    }
    found
}

#[track_caller]
fn fit(name: &str, document: &Value) {
    let schema = schema(name);
    let faults = faults(&schema, &schema, document, name);
    assert!(faults.is_empty(), "{}\n{document:#}", faults.join("\n"));
}

/// The one document of a command, which must fit.
#[track_caller]
fn fitting(school: &School, arguments: &[&str], name: &str) -> Value {
    let ended = school.program(&[arguments, &["--output", "json"]].concat());
    let document = ended.json();
    fit(name, &document);
    document
}

fn required(schema: &Value) -> Vec<&str> {
    schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect()
}

#[test]
fn every_key_that_is_promised_is_required() {
    let promised = |name: &str, keys: &[&str]| {
        let schema = schema(name);
        let schema = if schema["type"] == "array" { schema["$defs"]["failure"].clone() } else { schema };
        let required = required(&schema);
        let lost: Vec<&&str> = keys.iter().filter(|key| !required.contains(*key)).collect();
        assert!(lost.is_empty(), "{name}: {lost:?}");
    };
    promised(
        "run",
        &[
            "run_id",
            "trigger",
            "mode",
            "outcome",
            "started_at",
            "finished_at",
            "digest",
            "held_digest",
            "holds",
            "attention",
            "exam",
            "classin",
        ],
    );
    promised(
        "failures",
        &[
            "id",
            "service",
            "kind",
            "student_id",
            "class_code",
            "table",
            "key",
            "owner",
            "since",
            "state",
            "code",
            "message",
            "batch",
            "index",
            "attempts",
            "due_at",
        ],
    );
    promised("plan", &["digest", "held_digest", "operations", "counts"]);
    let part = &schema("run")["$defs"]["service"];
    for key in [
        "planned",
        "applied",
        "failed",
        "held",
        "unknown",
        "skipped",
        "observed",
        "unmanaged",
        "calls",
        "errors",
    ] {
        assert!(required(part).contains(&key), "{key}");
    }
    let operation = &schema("plan")["$defs"]["operation"];
    for key in
        ["kind", "group", "class", "fields", "state", "reason", "reason_code", "limit", "count", "since"]
    {
        assert!(required(operation).contains(&key), "{key}");
    }
}

#[test]
fn the_checker_finds_what_is_wrong_and_only_that() {
    let schema = json!({
        "type": "object", "required": ["a"], "$defs": {"n": {"type": ["integer", "null"], "minimum": 1}},
        "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"type": "array", "items": {"enum": ["x"]}},
                       "c": {"type": "object", "additionalProperties": {"type": "string", "pattern": DIGEST}}}
    });
    let count = |value: Value| faults(&schema, &schema, &value, "").len();
    for (value, expected) in [
        (json!({"a": 1, "b": ["x"], "c": {"k": "ab1"}}), 0),
        (json!({"a": null}), 0),
        (json!({}), 1),
        (json!({"a": 0}), 1),
        (json!({"a": "1"}), 1),
        (json!({"a": 1, "b": ["x", "y", 1]}), 2),
        (json!({"a": 1, "c": {"k": "A"}}), 1),
        (json!({"a": 1, "d": 1}), 1),
        (json!([]), 1),
    ] {
        assert_eq!(count(value.clone()), expected, "{value}");
    }
    let either = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
    assert!(faults(&either, &either, &json!(null), "").is_empty());
    assert_eq!(faults(&either, &either, &json!(1), "").len(), 2);
    assert!(fits(MOMENT, "2026-11-28T08:24:23Z") && !fits(MOMENT, "28.11.2026"));
}

/// A school in which everything has happened: adds, a held delete, a bad row, a class, results.
async fn busy() -> School {
    let mut school = School::of_both().await;
    school.leaves_work_behind();
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.group_of_all().await;
    school
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commands_print_for_programs_fits_its_schema() {
    let mut school = busy().await;
    fitting(&school, &["plan"], "plan");
    fitting(&school, &["status"], "status");
    fitting(&school, &["check"], "check");
    let run = fitting(&school, &["--sync-now"], "run");
    assert_eq!(run["outcome"], "applied");
    let several = fitting(&school, &["explain", "Name of", "--reveal"], "explain-list");
    assert!(several["found"].as_array().unwrap().len() > 1, "{several:#}");
    let result = |eid, sid| ResultView {
        eid,
        sid,
        start: 1_793_491_200,
        end: 1_793_491_260,
        score: 55,
        passed: 1,
        status: 1,
    };
    school
        .sandbox
        .insert_results([result(7, school.sandbox.candidate("login-s001").unwrap().sid), result(8, 999_999)]);
    fitting(&school, &["results"], "results");
    let list = fitting(&school, &["results", "list", "--reveal"], "results-list");
    assert_eq!(list.as_array().unwrap().len(), 2);
    school.setting("GUARD__MAX_DELETE", "0");
    school.setting("EXAM__DELETE_GRACE", "0s");
    school.drop_student("s000").await;
    school.sql("UPDATE students SET name = '' WHERE student_id = 's002'; UPDATE students SET phone = '1' WHERE student_id = 's001'").await;
    fitting(&school, &["plan", "--unmanaged", "--reveal"], "plan");
    fitting(&school, &["plan", "--student", "s001"], "plan");
    let held = fitting(&school, &["--sync-now"], "run");
    assert!(!held["holds"].as_array().unwrap().is_empty() && held["approve"].is_string(), "{held:#}");
    let failures = fitting(&school, &["failures"], "failures");
    assert!(!failures.as_array().unwrap().is_empty());
    let status = fitting(&school, &["status"], "status");
    assert!(!status["holds"].as_array().unwrap().is_empty(), "{status:#}");
    let runs = fitting(&school, &["runs"], "runs");
    assert!(runs.as_array().unwrap().len() > 2);
    fitting(&school, &["runs", &held["run_id"].to_string()], "run");
    for student in ["s000", "s001", "s002"] {
        fitting(&school, &["explain", student], "explain");
        fitting(&school, &["explain", student, "--reveal"], "explain");
    }
    for arguments in [&["runs", "99"][..], &["explain", "nobody"], &["approve", "nonsense"]] {
        fitting(&school, arguments, "error");
    }
    school.program_ended(4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_daemon_answers_to_programs_fits_its_schema() {
    let school = busy().await;
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let status = |line: &str| serde_json::from_str::<Value>(&get(line, "/api/v1/status").1).unwrap();
    fit("api-status", &status(&line));
    daemon.signal("USR1");
    let _line = daemon.hear("run finished");
    rosterd_testkit::eventually("the run is there", || !status(&line)["runs"].as_array().unwrap().is_empty())
        .await;
    fit("api-status", &status(&line));
    school.program_ended(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_no_state_fits_its_schema_too() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "Student ID,Name,Phone,Group\n1001,Ann Lee,13800000001,7A\n,Ben,2,7A\n").unwrap();
    let run = |arguments: &[&str]| -> Ended {
        let mut command = bare(&[arguments, &["--output", "json"]].concat());
        command.current_dir(folder.path());
        ended(command)
    };
    let bad = run(&["import", "csv", "list.csv", "--database", "roster.db"]);
    assert_eq!(bad.code, 1, "{bad:#?}");
    fit("import", &bad.json());
    let good = run(&["import", "csv", "list.csv", "--database", "roster.db", "--skip-bad-rows"]);
    assert_eq!(good.code, 0, "{good:#?}");
    fit("import", &good.json());
    fit(
        "import",
        &run(&["import", "csv", "list.csv", "--database", "roster.db", "--skip-bad-rows", "-n", "--reveal"])
            .json(),
    );
    let mut sandbox =
        bare(&["sandbox", "--listen", "127.0.0.1:0", "--login-field", "phone", "--output", "json"]);
    sandbox.current_dir(folder.path());
    let mut sandbox = Running::new(sandbox);
    let line = sandbox.hear("serving both services");
    let address = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    std::fs::write(folder.path().join("code"), "xxx\n").unwrap();
    let init = run(&[
        "init",
        "--non-interactive",
        "--exam-address",
        &address,
        "--exam-code-file",
        "code",
        "--roster",
        "roster.db",
        "--login-field",
        "phone",
        "--create-groups",
        "yes",
    ]);
    assert_eq!(init.code, 0, "{init:#?}");
    fit("init", &init.json());
    sandbox.signal("TERM");
    let ended = sandbox.end();
    fit("sandbox", &ended.json());
}
