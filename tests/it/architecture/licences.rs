//! What is built here may be built here: licences and bans of every package in the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use super::{assert_none, project};

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
    let banned = bans(&text);
    assert!(banned.len() >= 5, "the list of deny.toml was not found");
    assert_none(&banned_in(&banned, &dependants(&metadata())));
}

#[test]
fn the_checker_finds_what_is_banned_and_whom_it_is_allowed_to() {
    let text = r#"
    { crate = "openssl", reason = "a" },
    { crate = "chrono", wrappers = ["scheduler", "croner"], reason = "b" },
    "#;
    let wanted_by = |name: &str, by: &[&str]| {
        (name.to_owned(), by.iter().copied().map(str::to_owned).collect::<BTreeSet<_>>())
    };
    for (row, tree, offences) in [
        ("clean", vec![wanted_by("jiff", &["rosterd"])], 0),
        ("banned", vec![wanted_by("openssl", &["rosterd"])], 1),
        ("banned, and nobody needs it", vec![wanted_by("openssl", &[])], 1),
        ("inside its wrappers", vec![wanted_by("chrono", &["scheduler", "croner"])], 0),
        ("beside its wrappers", vec![wanted_by("chrono", &["scheduler", "rosterd"])], 1),
    ] {
        assert_eq!(banned_in(&bans(text), &tree).len(), offences, "{row}");
    }
}

/// Each banned crate with those that may bring it all the same.
fn bans(text: &str) -> Vec<(&str, Vec<&str>)> {
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix("{ crate = \""));
    rows.filter_map(|row| {
        let (name, rest) = row.split_once('"')?;
        let wrappers = rest.split_once("wrappers = [").and_then(|(_, rest)| rest.split_once(']'));
        let wrappers =
            wrappers.map_or_else(Vec::new, |(list, _)| list.split('"').skip(1).step_by(2).collect());
        Some((name, wrappers))
    })
    .collect()
}

fn banned_in(bans: &[(&str, Vec<&str>)], tree: &[(String, BTreeSet<String>)]) -> Vec<String> {
    let found = tree.iter().filter_map(|(name, dependants)| {
        let (_, wrappers) = bans.iter().find(|(banned, _)| banned == name)?;
        let by: Vec<_> = dependants.iter().filter(|by| !wrappers.contains(&by.as_str())).collect();
        (wrappers.is_empty() || !by.is_empty()).then(|| format!("{name}, wanted by {by:?}"))
    });
    found.collect()
}

/// Every package that is built here, and which packages depend on it.
fn dependants(metadata: &serde_json::Value) -> Vec<(String, BTreeSet<String>)> {
    let packages = metadata["packages"].as_array().unwrap().iter();
    let names: BTreeMap<&str, &str> = packages
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for node in nodes {
        let from = names[node["id"].as_str().unwrap()];
        let _known = found.entry(from).or_default();
        for to in node["deps"].as_array().unwrap() {
            let to = names[to["pkg"].as_str().unwrap()];
            let _new = found.entry(to).or_default().insert(from.to_owned());
        }
    }
    found.into_iter().map(|(name, by)| (name.to_owned(), by)).collect()
}

fn allowed_licences() -> Vec<String> {
    let text = fs::read_to_string(project("deny.toml")).unwrap();
    let list = text.split_once("\nallow = [").unwrap().1.split_once(']').unwrap().0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn metadata() -> serde_json::Value {
    let host = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" };
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform"])
        .arg(format!("{host}-unknown-linux-gnu"))
        .current_dir(project("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Name and licence of every package that is built here.
fn resolved_packages() -> Vec<(String, String)> {
    let metadata = metadata();
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
