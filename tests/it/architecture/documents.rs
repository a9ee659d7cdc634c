//! What the documents and the code say of one another: citations of the contracts lead to a section, and what the
//! glossary and the threat model name exists.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::PathBuf;

use super::{assert_none, project, walk};

/// Folders whose texts are read; those that are not there have none.
const FOLDERS: [&str; 6] = ["src", "crates", "tests", "benches", "fuzz", "docs"];

const CONTRACTS: &str = "docs/contracts/";

/// Every text of the project with its path, but for what is built.
fn texts() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for folder in FOLDERS {
        walk(&project(folder), &mut |path, text| texts.push((path.display().to_string(), text.to_owned())));
    }
    for file in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        texts.push((file.to_owned(), fs::read_to_string(project(file)).unwrap()));
    }
    texts.retain(|(path, _)| !path.contains("/target/") && !path.ends_with("documents.rs"));
    texts
}

/// A text in one line, without the signs that begin a comment: a citation may go over the end of a line.
fn joined(text: &str) -> String {
    let bare = text.lines().map(|line| line.trim().trim_start_matches(['/', '!', '#']).trim());
    bare.collect::<Vec<_>>().join(" ")
}

/// The citations of a text: file, and the sections named right behind it.
fn citations(text: &str) -> Vec<(String, Vec<String>)> {
    let text = joined(text);
    let behind = text.split(CONTRACTS).skip(1);
    behind
        .filter_map(|rest| {
            let (name, rest) = rest.split_once(".md")?;
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
            is_name.then(|| (format!("{name}.md"), rest.strip_prefix(", ").map_or_else(Vec::new, sections)))
        })
        .collect()
}

/// `4.3 (verdict rule), 5 and 6.1, as …` names three sections. A range names its ends.
fn sections(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = rest[..end].trim_end_matches('.');
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return found;
        }
        found.push(number.to_owned());
        rest = &rest[end..];
        if let Some((_, behind)) = rest.strip_prefix(" (").and_then(|inside| inside.split_once(')')) {
            rest = behind;
        }
        let next = [", ", " and ", " to ", " or "].iter().find_map(|between| rest.strip_prefix(between));
        match next {
            Some(next) => rest = next,
            None => return found,
        }
    }
}

/// What is numbered among the headings of a document.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    titles
        .filter_map(|line| line.trim_start_matches('#').split_whitespace().next().map(str::to_owned))
        .collect()
}

/// Spellings that lead nowhere: a contract without its folder, or a folder that is not in the project.
fn loose_citations(text: &str) -> Vec<String> {
    let text = joined(text);
    let mut found = Vec::new();
    for name in ["onlineexammaker", "classin"] {
        for (at, _) in text.match_indices(name) {
            let rest = &text[at + name.len()..];
            let is_file = rest.starts_with(".md");
            let is_numbered =
                name != "classin" && rest.strip_prefix(", ").is_some_and(|rest| !sections(rest).is_empty());
            if (is_file || is_numbered) && !text[..at].ends_with(CONTRACTS) {
                found.push(text[at..].chars().take(40).collect());
            }
        }
    }
    found
}

/// Words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names of all functions, and all words of Rust code outside comments.
fn names_in_code() -> (HashSet<String>, HashSet<String>) {
    let (mut functions, mut words) = (HashSet::new(), HashSet::new());
    for (_, text) in texts().iter().filter(|(path, _)| path.ends_with(".rs")) {
        let mut before = "";
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let all = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
        for word in all.filter(|word| !word.is_empty()) {
            if before == "fn" {
                functions.insert(word.to_owned());
            }
            if !words.contains(word) {
                words.insert(word.to_owned());
            }
            before = word;
        }
    }
    (functions, words)
}

#[test]
fn every_contract_citation_leads_to_a_section_of_the_contracts() {
    let mut sections_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    walk(&project(CONTRACTS), &mut |path, text| {
        sections_of.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), headings(text));
    });
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (path, text) in texts() {
        for (file, sections) in citations(&text) {
            count += 1;
            let Some(known) = sections_of.get(&file) else {
                wrong.push(format!("{path}: there is no {file}"));
                continue;
            };
            if sections.is_empty() && path.ends_with(".rs") {
                wrong.push(format!("{path}: {file} without a section"));
            }
            let lost = sections.iter().filter(|section| !known.contains(*section));
            wrong.extend(lost.map(|section| format!("{path}: {file} has no {section}")));
        }
        if path.ends_with(".rs") {
            wrong.extend(loose_citations(&text).iter().map(|citation| format!("{path}: {citation}")));
        }
    }
    assert_none(&wrong);
    assert!(count > 80, "only {count} citations were found");
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let text = fs::read_to_string(project("docs/threat-model.md")).unwrap();
    let (functions, _) = names_in_code();
    let is_test = |word: &&str| {
        word.matches('_').count() > 2
            && !word.contains(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
    };
    let named: Vec<&str> = quoted(&text).filter(is_test).collect();
    assert!(named.len() > 30, "only {} tests are named", named.len());
    let lost = named.iter().filter(|name| !functions.contains(**name));
    assert_none(&lost.map(|name| format!("docs/threat-model.md: {name}")).collect::<Vec<_>>());
}

#[test]
fn every_type_that_the_glossary_names_exists() {
    let text = fs::read_to_string(project("docs/glossary.md")).unwrap();
    let (_, words) = names_in_code();
    let column = text.lines().filter_map(|line| line.split('|').nth(3));
    let named: Vec<&str> = column.flat_map(quoted).collect();
    assert!(named.len() > 30, "only {} types are named", named.len());
    let lost = named.iter().filter(|name| !words.contains(**name));
    assert_none(&lost.map(|name| format!("docs/glossary.md: {name}")).collect::<Vec<_>>());
}

/// The folders that hold test programs.
fn test_folders() -> Vec<PathBuf> {
    let crates = fs::read_dir(project("crates")).unwrap().map(|entry| entry.unwrap().path().join("tests"));
    crates.chain([project("tests")]).collect()
}

fn is_test_program(name: &str) -> bool {
    test_folders().iter().any(|folder| {
        folder.join(format!("{name}.rs")).is_file() || folder.join(name).join("main.rs").is_file()
    })
}

/// Whether `failures::pages` is a file of a test program that is made of modules.
fn is_test_module(name: &str) -> bool {
    test_folders().iter().any(|folder| {
        let file = folder.join("it").join(name.replace("::", "/"));
        file.with_extension("rs").is_file() || file.join("mod.rs").is_file()
    })
}

#[test]
fn every_path_and_test_program_that_the_documents_name_exists() {
    let mut lost = Vec::new();
    for (path, text) in texts().iter().filter(|(path, _)| path.ends_with(".md")) {
        if path.contains("/tests/") {
            continue;
        }
        let words = text.split(|c: char| c.is_whitespace() || "`|()".contains(c));
        let paths = words.clone().filter(|word| {
            ["src/", "crates/", "tests/", "docs/", "deploy/", "config/"]
                .iter()
                .any(|top| word.starts_with(top))
        });
        let paths = paths.map(|word| word.trim_end_matches([',', '.', ';', ':']));
        lost.extend(paths.filter(|word| !project(word).exists()).map(|word| format!("{path}: {word}")));
        let modules =
            words.clone().filter(|word| word.ends_with("::")).map(|word| word.trim_end_matches(':'));
        lost.extend(modules.filter(|name| !is_test_module(name)).map(|name| format!("{path}: {name}::")));
        let before = words.clone().zip(words.skip(1));
        // Without a name behind it, the option is one of ours.
        let programs =
            before.filter(|(word, name)| *word == "--test" && !name.is_empty()).map(|(_, name)| name);
        lost.extend(
            programs.filter(|name| !is_test_program(name)).map(|name| format!("{path}: --test {name}")),
        );
    }
    assert_none(&lost);
}

#[test]
fn the_checker_reads_citations_as_they_are_written() {
    let text = "/// Contract: docs/contracts/classin.md,\n/// 4.3 (verdict rule), 5 and 6.1, as it says; also docs/contracts/x.md, 2 to 4.";
    let expected = [("classin.md", vec!["4.3", "5", "6.1"]), ("x.md", vec!["2", "4"])];
    let expected =
        expected.map(|(file, numbers)| (file.to_owned(), numbers.into_iter().map(str::to_owned).collect()));
    assert_eq!(citations(text), expected);
    assert_eq!(citations("docs/contracts/classin.md, 5, steps 2 to 7")[0].1, ["5"]);
    assert!(citations("docs/contracts/README.md and docs/contracts/").is_empty());
    assert_eq!(loose_citations("// Contract: onlineexammaker, 3.1. See classin.md, 5.").len(), 2);
    assert!(loose_citations("// docs/contracts/classin.md, 5; the classin, 3 of them").is_empty());
    assert!(headings("# A\n## 3 Endpoints\n### 3.6 x\n").contains("3.6"));
}
