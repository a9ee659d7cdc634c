//! Snapshots as plain files: reading, comparing line by line, rewriting.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Lines shown around a difference.
const AROUND: usize = 3;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/snapshots")
}

fn path(world: &str) -> PathBuf {
    folder().join(format!("{world}.txt"))
}

/// What whoever calls the tests asks for; empty where nothing is asked.
#[expect(clippy::disallowed_methods, reason = "it is about the tests, not about the program")]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn is_blessing() -> bool {
    variable("ROSTERD_BLESS") == "1"
}

/// Compares what a world did with its snapshot, or makes it the snapshot. The difference, if there is one.
pub(crate) fn compare(world: &str, now: &str) -> Option<String> {
    let before = std::fs::read_to_string(path(world)).unwrap_or_default();
    if before == now {
        return None;
    }
    if is_blessing() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(path(world), now).unwrap();
        return None;
    }
    let weight = if without_log(&before) == without_log(now) { "only its log differs" } else { "it differs" };
    Some(format!("{world}: {weight} (- before, + now)\n{}", difference(&before, now)))
}

/// Files that belong to no world. Blessing removes them.
pub(crate) fn stale(worlds: &BTreeSet<&str>) -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let stale: Vec<PathBuf> = files
        .filter(|path| {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let is_text = path.extension().is_some_and(|extension| extension == "txt");
            !(is_text && worlds.contains(stem))
        })
        .collect();
    if is_blessing() {
        stale.iter().for_each(|path| std::fs::remove_file(path).unwrap());
        return Vec::new();
    }
    stale.iter().map(|path| path.display().to_string()).collect()
}

/// The snapshot without the parts headed `log:`.
fn without_log(text: &str) -> String {
    let mut in_log = false;
    let lines = text.lines().filter(|line| {
        if !line.starts_with("  ") {
            in_log = *line == "log:";
        }
        !in_log
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The lines that differ, with some around them.
fn difference(before: &str, now: &str) -> String {
    let (before, now): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let edits = edits(&before, &now);
    let near = |at: usize| {
        let (from, to) = (at.saturating_sub(AROUND), (at + AROUND + 1).min(edits.len()));
        edits[from..to].iter().any(|(sign, _)| *sign != ' ')
    };
    let mut text = String::new();
    let mut skipping = false;
    for (at, (sign, line)) in edits.iter().enumerate() {
        if near(at) || (*sign == ' ' && line.starts_with("$ ")) {
            writeln!(text, "    {sign} {line}").unwrap();
            skipping = false;
        } else if !skipping {
            text.push_str("    …\n");
            skipping = true;
        }
    }
    text
}

/// The longest common subsequence, as signs before lines.
fn edits<'a>(before: &[&'a str], now: &[&'a str]) -> Vec<(char, &'a str)> {
    let mut longest = vec![vec![0_u32; now.len() + 1]; before.len() + 1];
    for at in (0..before.len()).rev() {
        for to in (0..now.len()).rev() {
            longest[at][to] = if before[at] == now[to] {
                longest[at + 1][to + 1] + 1
            } else {
                longest[at + 1][to].max(longest[at][to + 1])
            };
        }
    }
    let (mut at, mut to, mut edits) = (0, 0, Vec::new());
    while at < before.len() || to < now.len() {
        if at < before.len() && to < now.len() && before[at] == now[to] {
            edits.push((' ', before[at]));
            (at, to) = (at + 1, to + 1);
        } else if to == now.len() || (at < before.len() && longest[at + 1][to] >= longest[at][to + 1]) {
            edits.push(('-', before[at]));
            at += 1;
        } else {
            edits.push(('+', now[to]));
            to += 1;
        }
    }
    edits
}
