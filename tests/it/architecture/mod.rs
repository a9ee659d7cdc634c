//! The invariants of the code, checked by reading it: who may know whom, what pure code must not touch, what is
//! found in one place only. Each test is one rule; a rule that is broken names file, line and word.
//!
//! Comments and the contents of test modules never count; strings count only where a rule is about strings.

mod documents;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the source of each crate is, and under which name its files stand here.
const CRATES: [(&str, &str); 4] = [
    ("src", ""),
    ("crates/core/src", "core/"),
    ("crates/import/src", "import/"),
    ("crates/sandbox/src", "sandbox/"),
];

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

/// One file of the source, in the three forms that rules look at.
struct Source {
    /// Below its crate's `src`, such as `run/mod.rs`; other crates' files begin with the crate, as in `core/lib.rs`.
    path: String,
    raw: String,
    /// Without comments and tests.
    code: String,
    /// Also without what stands in strings.
    bare: String,
    /// Modules declared without a body: name, and whether for tests only.
    modules: Vec<(String, bool)>,
}

impl Source {
    fn new(path: &str, raw: &str) -> Self {
        let (mut code, mut bare) = blanked(raw);
        let modules = declared_modules(&bare);
        let only_for_tests =
            path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs");
        if only_for_tests {
            (code, bare) = (Vec::new(), Vec::new());
        } else {
            blank_test_items(&mut code, &mut bare);
        }
        let (code, bare) = (code.into_iter().collect(), bare.into_iter().collect());
        Self { path: path.to_owned(), raw: raw.to_owned(), code, bare, modules }
    }

    /// The folder or file right below `src` that it belongs to.
    fn top(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// How many `super::` lead from here to the crate's root.
    fn depth(&self) -> usize {
        let folders = self.path.matches('/').count();
        if self.path.ends_with("mod.rs") { folders } else { folders + 1 }
    }

    fn is_below(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// The text with comments blanked, and the same with the contents of strings blanked too; places stay the same.
fn blanked(raw: &str) -> (Vec<char>, Vec<char>) {
    let text: Vec<char> = raw.chars().collect();
    let (mut code, mut bare) = (text.clone(), text.clone());
    let blank = |form: &mut Vec<char>, from: usize, to: usize| {
        for letter in &mut form[from..to] {
            if *letter != '\n' {
                *letter = ' ';
            }
        }
    };
    let mut at = 0;
    while at < text.len() {
        if let Some(end) = comment_end(&text, at) {
            blank(&mut code, at, end);
            blank(&mut bare, at, end);
            at = end;
        } else if let Some(end) = string_end(&text, at) {
            blank(&mut bare, at, end);
            at = end;
        } else {
            // A whole word at a time: the r of `for"x"` begins no raw string.
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            at += 1;
            while is_word(text[at - 1]) && at < text.len() && is_word(text[at]) {
                at += 1;
            }
        }
    }
    (code, bare)
}

fn comment_end(text: &[char], at: usize) -> Option<usize> {
    match text.get(at..at + 2)? {
        ['/', '/'] => Some((at..text.len()).find(|i| text[*i] == '\n').unwrap_or(text.len())),
        ['/', '*'] => {
            let (mut depth, mut i) = (1, at + 2);
            while depth > 0 && i < text.len() {
                match (text[i], text.get(i + 1)) {
                    ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
                    ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
            }
            Some(i)
        }
        _ => None,
    }
}

/// The end of the string or character that begins here, its prefix included.
fn string_end(text: &[char], at: usize) -> Option<usize> {
    let mut i = at;
    while i < text.len() && i < at + 2 && matches!(text[i], 'b' | 'c' | 'r') {
        i += 1;
    }
    let is_raw = i > at && text[i - 1] == 'r';
    let hashes = if is_raw { text[i..].iter().take_while(|c| **c == '#').count() } else { 0 };
    let quote = *text.get(i + hashes)?;
    if is_raw && quote == '"' {
        let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
        let body = i + hashes + 1;
        let end = text[body..].windows(close.len()).position(|window| window == close)?;
        return Some(body + end + close.len());
    }
    match quote {
        '"' if hashes == 0 => closing(text, i + 1, '"'),
        // A lifetime has no closing quote right behind its first letter.
        '\'' if text.get(i + 1) == Some(&'\\') || text.get(i + 2) == Some(&'\'') => {
            closing(text, i + 1, '\'')
        }
        _ => None,
    }
}

fn closing(text: &[char], from: usize, quote: char) -> Option<usize> {
    let mut i = from;
    while i < text.len() && text[i] != quote {
        i += if text[i] == '\\' { 2 } else { 1 };
    }
    Some((i + 1).min(text.len()))
}

/// Blanks every item under `#[cfg(test)]`.
fn blank_test_items(code: &mut [char], bare: &mut [char]) {
    let attribute: Vec<char> = "#[cfg(test)]".chars().collect();
    let mut at = 0;
    while let Some(found) = bare[at..].windows(attribute.len()).position(|window| window == attribute) {
        let start = at + found;
        let end = item_end(bare, start + attribute.len());
        for form in [&mut *code, &mut *bare] {
            for letter in form[start..end].iter_mut().filter(|letter| **letter != '\n') {
                *letter = ' ';
            }
        }
        at = end;
    }
}

/// An item ends at its `;`, or where the brace that it opened is closed.
fn item_end(bare: &[char], from: usize) -> usize {
    let mut depth = 0_usize;
    for (i, letter) in bare.iter().enumerate().skip(from) {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return i + 1,
            '}' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => return i + 1,
            _ => {}
        }
    }
    bare.len()
}

/// Every `mod name;`.
fn declared_modules(bare: &[char]) -> Vec<(String, bool)> {
    let text: String = bare.iter().collect();
    let statements: Vec<&str> = text.split_inclusive([';', '{', '}']).collect();
    let mut found = Vec::new();
    for statement in statements.iter().filter_map(|statement| statement.strip_suffix(';')) {
        let mut words = statement.split_whitespace().rev();
        if let (Some(name), Some("mod")) = (words.next(), words.next()) {
            found.push((name.to_owned(), statement.contains("cfg(test)")));
        }
    }
    found
}

/// All of `src`, without the modules that exist for tests only.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for (folder, name) in CRATES {
        read_folder(&project(folder), name, &mut found);
    }
    let test_only: Vec<String> = found
        .iter()
        .flat_map(|source| {
            let children = source.modules.iter().filter(|(_, for_tests)| *for_tests);
            children
                .map(|(name, _)| format!("{}{name}", folder_of_children(&source.path)))
                .collect::<Vec<_>>()
        })
        .collect();
    for source in &mut found {
        let is_below = |module: &String| {
            let rest = source.path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
        };
        if test_only.iter().any(is_below) {
            source.code.clear();
            source.bare.clear();
        }
    }
    assert!(found.len() > 10, "the source was not found");
    found
}

fn read_folder(folder: &Path, below: &str, found: &mut Vec<Source>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            read_folder(&path, &format!("{below}{name}/"), found);
        } else if name.ends_with(".rs") {
            found.push(Source::new(&format!("{below}{name}"), &fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Where the modules that a file declares are looked for, with a slash at the end.
fn folder_of_children(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').map_or(("", path), |(folder, file)| (folder, file));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder,
        _ => format!("{folder}{}/", file.trim_end_matches(".rs")),
    }
}

/// The lines on which a word stands as a whole.
fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut lines = Vec::new();
    for (at, _) in text.match_indices(word) {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let goes_on = before.is_some_and(is_word) || word.ends_with(is_word) && after.is_some_and(is_word);
        if !goes_on {
            lines.push(text[..at].matches('\n').count() + 1);
        }
    }
    lines
}

fn words_in(source: &Source, form: &str, words: &[&str]) -> Vec<String> {
    let found =
        words.iter().flat_map(|word| lines_with(form, word).into_iter().map(move |line| (line, word)));
    found.map(|(line, word)| format!("src/{}:{line}: {word}", source.path)).collect()
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

fn gaps_in_migrations(names: &[String]) -> Vec<String> {
    let expected = |index: usize| format!("{:04}_", index + 1);
    let bad = names.iter().enumerate().filter(|(index, name)| {
        !(name.starts_with(&expected(*index)) && name.ends_with(".sql") && name.len() > "0001_.sql".len())
    });
    bad.map(|(index, name)| format!("{name}: {}… was expected here", expected(index))).collect()
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
fn migrations_of_each_database_are_numbered_without_gaps() {
    let mut histories: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    walk(&project("migrations"), &mut |path, _| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        histories.entry(path.parent().unwrap().to_owned()).or_default().push(name);
    });
    assert!(!histories.is_empty(), "there is no migration");
    for names in histories.values_mut() {
        names.sort();
        assert_none(&gaps_in_migrations(names));
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
fn every_dependency_has_an_allowed_licence() {
    let allowed = allowed_licences();
    let packages = resolved_packages();
    assert!(packages.len() > 50, "only {} packages: is the tree complete?", packages.len());
    let bad = packages.iter().filter(|(_, licence)| !is_allowed(licence, &allowed));
    assert_none(&bad.map(|(name, licence)| format!("{name}: {licence}")).collect::<Vec<_>>());
}

#[test]
fn no_banned_dependency_is_in_the_tree() {
    let text = fs::read_to_string(project("deny.toml")).unwrap();
    let banned: Vec<&str> =
        text.split("{ crate = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(banned.len() >= 5, "the list of deny.toml was not found");
    let packages = resolved_packages();
    let bad = packages.iter().filter(|(name, _)| banned.contains(&name.as_str()));
    assert_none(&bad.map(|(name, _)| name.clone()).collect::<Vec<_>>());
}

fn allowed_licences() -> Vec<String> {
    let text = fs::read_to_string(project("deny.toml")).unwrap();
    let list = text.split_once("\nallow = [").unwrap().1.split_once(']').unwrap().0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Name and licence of every package that is built here.
fn resolved_packages() -> Vec<(String, String)> {
    let host = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" };
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform"])
        .arg(format!("{host}-unknown-linux-gnu"))
        .current_dir(project("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let resolved: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .filter(|package| resolved.contains(package["id"].as_str().unwrap()))
        .map(|package| {
            let text = |key: &str| package[key].as_str().unwrap_or("none").to_owned();
            (text("name"), text("license"))
        })
        .collect()
}

/// Whether an SPDX expression can be met with the licences that are allowed. `AND` binds closer than `OR`; the
/// old form with a slash means `OR`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    any_of(&mut words, allowed)
}

fn any_of(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut met = all_of(words, allowed);
    while words.last() == Some(&"OR") {
        words.pop();
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while words.last() == Some(&"AND") {
        words.pop();
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let Some(word) = words.pop() else { return false };
    if word == "(" {
        let met = any_of(words, allowed);
        words.pop();
        return met;
    }
    let mut licence = word.to_owned();
    if words.last() == Some(&"WITH") {
        words.pop();
        licence = format!("{licence} WITH {}", words.pop().unwrap_or_default());
    }
    allowed.contains(&licence)
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
    assert_eq!(gaps_in_migrations(&names(&["0001_a.sql", "0002_b.sql"])), [""; 0]);
    assert_eq!(gaps_in_migrations(&names(&["0001_a.sql", "0003_b.sql"])).len(), 1);
    assert_eq!(gaps_in_migrations(&names(&["0001_a.sql", "0001_b.sql"])).len(), 1);
}

#[test]
fn the_checker_reads_licence_expressions() {
    let allowed = ["MIT", "BSD-3-Clause", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("Apache-2.0/MIT", true),
        ("Apache-2.0 / MIT", true),
        ("MIT AND BSD-3-Clause", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", false),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", true),
        ("GPL-3.0 OR MIT AND GPL-2.0", false),
        ("Apache-2.0 WITH LLVM-exception OR Apache-2.0", true),
        ("none", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
