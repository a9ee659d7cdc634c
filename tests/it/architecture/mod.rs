//! The invariants of the code, checked by reading it: who may know whom, what pure code must not touch, what is
//! found in one place only. Each test is one rule; a rule that is broken names file, line and word.
//!
//! Comments and the contents of test modules never count; strings count only where a rule is about strings.

mod circles;
mod documents;
mod licences;
mod once;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use circles::Imports;
use source::{CRATES, Source, folder_of_children, lines_with, sources, words_in};

/// What the manifest of the core must not have, in any section but that of the tests.
const NOT_FOR_THE_CORE: [&str; 8] =
    ["tokio", "sqlx", "reqwest", "config", "tracing", "axum", "fastrand", "getrandom"];

/// What pure code has nothing to do with.
const IMPURE_WORDS: &[&str] = &[
    "async",
    "await",
    "std::env",
    "std::fs",
    "std::net",
    "Timestamp::now",
    "Zoned::now",
    "SystemTime::now",
    "Instant::now",
];

/// Names as the two services spell them.
const WIRE_NAMES: &[&str] = &[
    "loginValue",
    "loginValues",
    "mvStuInfo",
    "sFid",
    "sLabel",
    "parentGid",
    "studentJson",
    "studentUidJson",
    "studentUid",
    "customColumn",
    "addToSchoolMember",
    "isRegister",
    "safeKey",
    "timeStamp",
];

/// A file longer than this holds a second idea.
const MOST_LINES: usize = 500;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Modules right below the crate's root that a file names, by `crate::` or by climbing up with `super::`.
fn names_of_modules(source: &Source) -> BTreeSet<String> {
    let root = "super::".repeat(source.depth());
    let mut found = BTreeSet::new();
    for start in ["crate::", "rosterd::", root.as_str()] {
        if start.is_empty() {
            continue;
        }
        for (at, _) in source.bare.match_indices(start) {
            if source.bare[..at].ends_with("super::") || source.bare[..at].ends_with('$') {
                continue;
            }
            found.extend(first_names(&source.bare[at + start.len()..]));
        }
    }
    found
}

/// The first name of a path, or of each path of a group in braces.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut names, mut start) = (0_usize, Vec::new(), 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}

fn named_modules(sources: &[Source], of: &str, forbidden: &[&str]) -> Vec<String> {
    let inside = sources.iter().filter(|source| source.is_below(of));
    inside
        .flat_map(|source| {
            let names = names_of_modules(source);
            let bad = forbidden.iter().filter(move |name| names.contains(**name));
            bad.map(|name| format!("src/{} names {name}", source.path)).collect::<Vec<_>>()
        })
        .collect()
}

#[track_caller]
fn assert_none(offences: &[String]) {
    assert!(offences.is_empty(), "{} found:\n{}", offences.len(), offences.join("\n"));
}

// The rules. Each takes the sources, so that the last tests can plant a violation.

fn impure_words(sources: &[Source]) -> Vec<String> {
    let pure = sources.iter().filter(|source| source.top() == "core");
    pure.flat_map(|source| words_in(source, &source.bare, IMPURE_WORDS)).collect()
}

/// Names of packages in the sections of a manifest that the program is built from.
fn dependencies(manifest: &str) -> Vec<String> {
    let manifest = fs::read_to_string(project(manifest)).unwrap();
    dependencies_in(&manifest)
}

fn dependencies_in(manifest: &str) -> Vec<String> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
        } else if section == "dependencies"
            || section == "build-dependencies"
            || section.ends_with(".dependencies")
        {
            let name = line.split(['=', '.']).next().unwrap().trim();
            if !name.is_empty() && !name.starts_with('#') {
                found.push(name.to_owned());
            }
        }
    }
    found
}

fn words_outside(sources: &[Source], words: &[&str], allowed: impl Fn(&Source) -> bool) -> Vec<String> {
    let others = sources.iter().filter(|source| !allowed(source));
    others.flat_map(|source| words_in(source, &source.bare, words)).collect()
}

fn sql_outside_the_store(sources: &[Source]) -> Vec<String> {
    words_outside(sources, &["sqlx"], |source| source.top() == "store")
}

fn environment_outside_settings(sources: &[Source]) -> Vec<String> {
    let words = ["env::var", "env::vars", "env::var_os", "env::vars_os", "env::set_var", "option_env!"];
    words_outside(sources, &words, |source| source.top() == "settings")
}

fn clocks_beside_the_clock(sources: &[Source]) -> Vec<String> {
    // The sandbox stands for two other companies' machines: it has a clock of its own, in one place too.
    let clocks = ["clock.rs", "sandbox/moment.rs"];
    let words = ["Timestamp::now", "Zoned::now", "SystemTime::now"];
    words_outside(sources, &words, |source| clocks.contains(&source.path.as_str()))
}

/// Its zones drift and its jobs overlap: it may say "now", and what is due is decided elsewhere.
fn schedulers_beside_the_timer(sources: &[Source]) -> Vec<String> {
    let words = ["tokio_cron_scheduler", "chrono"];
    words_outside(sources, &words, |source| source.path == "daemon/timer.rs")
}

fn prints_outside_commands(sources: &[Source]) -> Vec<String> {
    let words = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];
    words_outside(sources, &words, |source| {
        matches!(source.top(), "main" | "commands") || source.path == "sandbox/main.rs"
    })
}

fn wire_names_elsewhere(sources: &[Source]) -> Vec<String> {
    let is_home = |source: &&Source| {
        source.top() == "sandbox" || source.is_below("remote/exam") || source.is_below("remote/classin")
    };
    let outside = sources.iter().filter(|source| !is_home(source));
    outside.flat_map(|source| words_in(source, &source.code, WIRE_NAMES)).collect()
}

/// The two services' folders say `crate::remote::…` of one another; all else is a module of the root.
fn adapters_that_know_too_much(sources: &[Source]) -> Vec<String> {
    let shell = ["store", "run", "daemon", "web", "app", "commands"];
    let mut found = named_modules(sources, "remote", &shell);
    let other = [
        ("remote/exam", ["remote::classin", "super::classin"]),
        ("remote/classin", ["remote::exam", "super::exam"]),
    ];
    for (folder, words) in other {
        let inside = sources.iter().filter(|source| source.is_below(folder));
        found.extend(inside.flat_map(|source| words_in(source, &source.bare, &words)));
    }
    found.extend(named_modules(sources, "store", &["remote", "run", "daemon", "web", "app", "commands"]));
    found
}

/// Why a service is stopped and how bad that is are types; which code the program ends with is for the commands.
fn exits_below_the_commands(sources: &[Source]) -> Vec<String> {
    let border = ["lib", "program", "exit", "app", "commands", "cli", "daemon", "web"];
    let is_above = |source: &Source| border.contains(&source.top()) || source.path == "sandbox/main.rs";
    words_outside(sources, &["crate::exit", "Exit"], is_above)
}

/// What a file takes from the modules that it lies in does not count: a folder's own words stand in its `mod.rs`.
fn import_circles(sources: &[Source]) -> Vec<String> {
    Imports::of(sources).circles().into_iter().map(|circle| circle.join(" and ")).collect()
}

fn unfinished_work(sources: &[Source]) -> Vec<String> {
    let words = ["TODO", "FIXME", "XXX", "todo!", "unimplemented!"];
    sources.iter().flat_map(|source| words_in(source, &source.raw, &words)).collect()
}

fn files_without_a_header(sources: &[Source]) -> Vec<String> {
    let bad = sources.iter().filter(|source| !source.raw.starts_with("//! "));
    bad.map(|source| format!("src/{}", source.path)).collect()
}

fn files_too_long(sources: &[Source]) -> Vec<String> {
    let long = sources.iter().map(|source| (source.raw.lines().count(), source));
    long.filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, source)| format!("src/{}: {lines} lines", source.path))
        .collect()
}

fn files_out_of_reach(sources: &[Source]) -> Vec<String> {
    let roots = CRATES.iter().flat_map(|(_, name)| ["lib.rs", "main.rs"].map(|root| format!("{name}{root}")));
    let mut reached: BTreeSet<String> =
        roots.filter(|root| sources.iter().any(|source| source.path == *root)).collect();
    let mut waiting: Vec<String> = reached.iter().cloned().collect();
    while let Some(path) = waiting.pop() {
        let Some(source) = sources.iter().find(|source| source.path == path) else { continue };
        for (name, _) in &source.modules {
            let base = format!("{}{name}", folder_of_children(&path));
            for child in [format!("{base}.rs"), format!("{base}/mod.rs")] {
                if sources.iter().any(|source| source.path == child) && reached.insert(child.clone()) {
                    waiting.push(child);
                }
            }
        }
    }
    let lost = sources.iter().filter(|source| !reached.contains(&source.path));
    lost.map(|source| format!("src/{}", source.path)).collect()
}

/// Names that do not begin with a higher number than the one before. A number may be left out: what is numbered when
/// it is begun need not be finished in that order.
fn misnumbered_migrations(names: &[String]) -> Vec<String> {
    let mut last = 0;
    let mut bad = Vec::new();
    for name in names {
        let number = name.get(..4).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
        let is_whole =
            name.get(4..5) == Some("_") && name.ends_with(".sql") && name.len() > "0001_.sql".len();
        if number <= last || !is_whole {
            bad.push(format!("{name}: a number above {last:04} was expected here"));
        }
        last = number.max(last);
    }
    bad
}

#[test]
fn roster_plan_and_mirror_only_take_values_and_return_values() {
    assert_none(&impure_words(&sources()));
}

#[test]
fn roster_plan_and_mirror_know_neither_services_nor_databases() {
    let named = dependencies("crates/core/Cargo.toml");
    assert!(!named.is_empty(), "the core's manifest was not read");
    let bad =
        named.iter().filter(|name| NOT_FOR_THE_CORE.contains(&name.as_str()) || name.starts_with("rosterd"));
    assert_none(&bad.cloned().collect::<Vec<_>>());
}

#[test]
fn sql_is_found_in_the_store_only() {
    assert_none(&sql_outside_the_store(&sources()));
}

#[test]
fn environment_variables_are_read_by_the_settings_only() {
    assert_none(&environment_outside_settings(&sources()));
}

#[test]
fn the_time_is_asked_for_in_one_place_only() {
    assert_none(&clocks_beside_the_clock(&sources()));
}

#[test]
fn the_scheduler_library_is_used_by_the_timer_only() {
    assert_none(&schedulers_beside_the_timer(&sources()));
}

#[test]
fn only_main_and_the_commands_print() {
    assert_none(&prints_outside_commands(&sources()));
}

#[test]
fn the_services_own_names_stay_with_their_adapters() {
    assert_none(&wire_names_elsewhere(&sources()));
}

#[test]
fn the_sandbox_shares_no_code_with_what_it_tests() {
    let named = dependencies("crates/sandbox/Cargo.toml");
    assert!(!named.is_empty(), "the sandbox's manifest was not read");
    assert_none(&named.into_iter().filter(|name| name.starts_with("rosterd")).collect::<Vec<_>>());
}

#[test]
fn adapters_know_neither_one_another_nor_who_uses_them() {
    assert_none(&adapters_that_know_too_much(&sources()));
}

#[test]
fn process_exit_codes_appear_at_the_command_border_only() {
    assert_none(&exits_below_the_commands(&sources()));
}

#[test]
fn no_files_of_different_folders_import_one_another_in_a_circle() {
    assert_none(&import_circles(&sources()));
}

#[test]
fn nothing_is_left_for_later() {
    assert_none(&unfinished_work(&sources()));
}

#[test]
fn every_file_says_first_what_it_is() {
    assert_none(&files_without_a_header(&sources()));
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    assert_none(&files_too_long(&sources()));
}

#[test]
fn every_file_belongs_to_the_crate() {
    assert_none(&files_out_of_reach(&sources()));
}

#[test]
fn migrations_of_each_database_are_numbered_in_their_order() {
    let mut histories: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    walk(&project("migrations"), &mut |path, _| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        histories.entry(path.parent().unwrap().to_owned()).or_default().push(name);
    });
    assert!(!histories.is_empty(), "there is no migration");
    for names in histories.values_mut() {
        names.sort();
        assert_none(&misnumbered_migrations(names));
    }
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // Written in two parts, so that this file does not find itself.
    let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/home/", "runner")];
    let mut found = Vec::new();
    for top in ["src", "crates", "tests", "benches", "deploy", "config", "docs", "migrations", ".ci"] {
        walk(&project(top), &mut |path, text| {
            let bad = paths.iter().filter(|word| !lines_with(text, word).is_empty());
            found.extend(bad.map(|word| format!("{}: {word}", path.display())));
        });
    }
    assert_none(&found);
}

/// Every text file below a folder; a folder that is not there has none.
fn walk(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            walk(&path, look);
        } else if let Ok(text) = fs::read_to_string(&path) {
            look(&path, &text);
        }
    }
}

#[test]
fn the_checker_finds_what_is_planted_and_only_that() {
    type Rule = fn(&[Source]) -> Vec<String>;
    let table: &[(&str, Rule, &str, &str, usize)] = &[
        ("async in pure code", impure_words, "core/exam_plan/mod.rs", "async fn f() {}", 1),
        (
            "a comment is no code",
            impure_words,
            "core/exam_plan/mod.rs",
            "// async\n/* await /* std::fs */ */ fn f() {}",
            0,
        ),
        ("a string is no code", impure_words, "core/exam_plan/mod.rs", "const A: &str = \"async\";", 0),
        (
            "a raw string is no code",
            impure_words,
            "core/exam_plan/mod.rs",
            "const A: &str = r#\"\" async\"#;",
            0,
        ),
        (
            "code after a string with quotes",
            impure_words,
            "core/exam_plan/mod.rs",
            "f(\"a\\\"b\", '\"'); std::env::x()",
            1,
        ),
        (
            "a lifetime opens no string",
            impure_words,
            "core/exam_plan/mod.rs",
            "fn f<'a>(x: &'a str) { std::env::x() }",
            1,
        ),
        ("part of a word", impure_words, "core/exam_plan/mod.rs", "let asynchronous = await_of(x);", 0),
        (
            "a test module",
            impure_words,
            "core/exam_plan/mod.rs",
            "#[cfg(test)]\nmod tests { fn f() { std::env::x(); } }",
            0,
        ),
        (
            "after it",
            impure_words,
            "core/exam_plan/mod.rs",
            "#[cfg(test)]\nmod tests { fn f() {} }\nuse std::env::x;",
            1,
        ),
        ("a file of tests", impure_words, "core/exam_plan/tests.rs", "use std::env::x;", 0),
        ("the shell may", impure_words, "run/mod.rs", "use std::env::x;", 0),
        ("SQL", sql_outside_the_store, "run/mod.rs", "sqlx::query(\"x\")", 1),
        ("SQL at home", sql_outside_the_store, "store/runs.rs", "sqlx::query(\"x\")", 0),
        ("environment", environment_outside_settings, "remote/http/mod.rs", "std::env::var(\"X\")", 1),
        (
            "build environment",
            environment_outside_settings,
            "remote/http/mod.rs",
            "env!(\"CARGO_PKG_VERSION\")",
            0,
        ),
        ("time", clocks_beside_the_clock, "remote/http/mod.rs", "let now = Timestamp::now();", 1),
        ("time at home", clocks_beside_the_clock, "clock.rs", "let now = Timestamp::now();", 0),
        ("print", prints_outside_commands, "store/mod.rs", "println!(\"x\")", 1),
        ("other macros", prints_outside_commands, "store/mod.rs", "my_println!(\"x\")", 0),
        (
            "wire name in a string",
            wire_names_elsewhere,
            "core/exam_plan/mod.rs",
            "const A: &str = \"loginValue\";",
            1,
        ),
        (
            "wire name in a comment",
            wire_names_elsewhere,
            "core/exam_plan/mod.rs",
            "//! loginValue\nfn f() {}",
            0,
        ),
        (
            "wire name at home",
            wire_names_elsewhere,
            "remote/exam/wire/row.rs",
            "const A: &str = \"loginValue\";",
            0,
        ),
        (
            "exam names classin",
            adapters_that_know_too_much,
            "remote/exam/mod.rs",
            "use crate::remote::classin::X;",
            1,
        ),
        ("store names http", adapters_that_know_too_much, "store/mod.rs", "use super::remote::http::X;", 1),
        (
            "exam names http",
            adapters_that_know_too_much,
            "remote/exam/mod.rs",
            "use crate::remote::http::X;",
            0,
        ),
        ("exit code in a run", exits_below_the_commands, "run/mod.rs", "fn f() -> Exit { Exit::Done }", 2),
        ("exit code of a command", exits_below_the_commands, "commands/sync.rs", "Exit::Done", 0),
        ("later", unfinished_work, "web/mod.rs", "// TODO: more", 1),
        ("no header", files_without_a_header, "web/mod.rs", "use std::fmt;", 1),
        ("header", files_without_a_header, "web/mod.rs", "//! What it is.", 0),
        ("lost file", files_out_of_reach, "web/lost.rs", "//! Lost.", 1),
    ];
    for (row, rule, path, text, expected) in table {
        let found = rule(&[Source::new(path, text)]);
        assert_eq!(found.len(), *expected, "{row}: {found:?}");
    }
}

#[test]
fn the_checker_reads_the_sections_of_a_manifest() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# tokio\nserde.workspace = true\nsqlx = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nnix = \"1\"\n[dev-dependencies]\nproptest.workspace = true";
    assert_eq!(dependencies_in(manifest), ["serde", "sqlx", "nix"]);
}

#[test]
fn the_checker_follows_declared_modules() {
    let sources = [
        Source::new("lib.rs", "//! x\npub mod web;\n#[cfg(test)]\nmod proofs;"),
        Source::new("web/mod.rs", "//! x\nmod page;"),
        Source::new("web/page.rs", "//! x"),
        Source::new("proofs.rs", "//! x"),
        Source::new("web/old.rs", "//! mod old;"),
    ];
    assert_eq!(files_out_of_reach(&sources), ["src/web/old.rs"]);
}

#[test]
fn the_checker_counts_lines_and_numbers() {
    let long = Source::new("web/mod.rs", &"//! x\n".repeat(MOST_LINES + 1));
    let exact = Source::new("web/page.rs", &"//! x\n".repeat(MOST_LINES));
    assert_eq!(files_too_long(&[long, exact]), ["src/web/mod.rs: 501 lines"]);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(misnumbered_migrations(&names(&["0001_a.sql", "0002_b.sql"])), [""; 0]);
    assert_eq!(misnumbered_migrations(&names(&["0001_a.sql", "0003_b.sql"])), [""; 0]);
    assert_eq!(misnumbered_migrations(&names(&["0002_a.sql", "0001_b.sql"])).len(), 1);
    assert_eq!(misnumbered_migrations(&names(&["01_a.sql", "0002_.sql", "3_b.sql"])).len(), 3);
    assert_eq!(misnumbered_migrations(&names(&["0001_a.sql", "0001_b.sql"])).len(), 1);
}

#[test]
fn the_checker_finds_circles_through_what_is_passed_on() {
    let circles = |here: &str, there: &str| {
        import_circles(&[
            Source::new("lib.rs", "//! x\npub mod one;\npub mod two;"),
            Source::new("one/mod.rs", "//! x\nmod part;\npub use part::Part;\npub struct Word;"),
            Source::new("one/part.rs", here),
            Source::new("two/mod.rs", "//! x\nmod piece;\npub use piece::{Piece, Other as Third};"),
            Source::new("two/piece.rs", there),
        ])
    };
    let uses_two = "use crate::two::Piece;\npub struct Part(Piece);";
    let found = ["one/part.rs and two/piece.rs"];
    assert_eq!(circles(uses_two, "use crate::one::Part;\npub struct Piece; pub struct Other;"), found, "use");
    assert_eq!(circles(uses_two, "pub struct Piece; fn f() { crate::one::Part::new(); }"), found, "path");
    assert_eq!(
        circles(uses_two, "use super::super::one::{Word, Part as P};\npub struct Piece;"),
        found,
        "super"
    );
    assert_eq!(circles(uses_two, "use crate::one::Word;\npub struct Piece;"), [""; 0], "another file");
    assert_eq!(circles("use super::Word;\npub struct Part;", "pub struct Piece;"), [""; 0], "its own folder");
    assert_eq!(circles(uses_two, "//! [`Part`](crate::one::Part)\npub struct Piece;"), [""; 0], "a link");
}
