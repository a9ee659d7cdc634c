//! What stands in one place only: the numbers of ClassIn's codes, the fate of an item, the breaker.

use std::fs;

use super::source::{Source, sources, words_in};
use super::{assert_none, project};

/// Where a number of the table would be a code. Elsewhere the same figure may be anything.
const ABOUT_CLASSIN: [&str; 5] =
    ["core/classin_plan", "core/failure", "remote/classin", "run/classin", "run/delivery"];

const TABLE: &str = "core/classin_plan/codes";

/// The codes as the rows of the table name them, without those of one or two digits and 100, which are figures too.
fn codes() -> Vec<String> {
    let table = fs::read_to_string(project("crates/core/src/classin_plan/codes/table.rs")).unwrap();
    let (_, rows) = table.split_once("TABLE: ").unwrap();
    let words = rows.split(|c: char| !c.is_alphanumeric() && c != '_');
    let is_code = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.len() > 2;
    let mut codes: Vec<String> =
        words.filter(is_code).filter(|word| *word != "100").map(str::to_owned).collect();
    codes.extend(
        codes.iter().filter(|code| code.contains('_')).map(|code| code.replace('_', "")).collect::<Vec<_>>(),
    );
    codes
}

/// Strings count: a code is stored as text.
fn codes_beside_the_table(sources: &[Source]) -> Vec<String> {
    let codes = codes();
    let words: Vec<&str> = codes.iter().map(String::as_str).collect();
    let about = sources.iter().filter(|source| {
        ABOUT_CLASSIN.iter().any(|folder| source.is_below(folder)) && !source.is_below(TABLE)
    });
    about.flat_map(|source| words_in(source, &source.code, &words)).collect()
}

/// Where a type of that name is defined.
fn definitions(sources: &[Source], kind: &str, name: &str) -> Vec<String> {
    let defines = |source: &&Source| {
        let words: Vec<&str> = source.bare.split_whitespace().collect();
        let is_name = |word: &str| word.split(|c: char| !c.is_alphanumeric()).next() == Some(name);
        words.windows(2).any(|pair| pair[0] == kind && is_name(pair[1]))
    };
    sources.iter().filter(defines).map(|source| source.path.clone()).collect()
}

#[test]
fn no_number_of_a_classin_code_stands_outside_the_decision_table() {
    assert!(codes().len() > 50, "the table was not read");
    assert_none(&codes_beside_the_table(&sources()));
}

#[test]
fn the_fate_of_an_item_is_one_type_and_the_breaker_another() {
    let sources = sources();
    assert_eq!(definitions(&sources, "enum", "Outcome"), ["core/outcome.rs"]);
    assert_eq!(definitions(&sources, "struct", "Breaker"), ["remote/http/breaker.rs"]);
}

#[test]
fn the_checker_finds_codes_and_second_definitions() {
    let found = |path: &str, text: &str| codes_beside_the_table(&[Source::new(path, text)]).len();
    for (row, path, text, expected) in [
        ("number", "run/classin/apply.rs", "//! x\nfn f(code: i64) -> bool { code == 228 }", 1),
        ("text", "core/failure/code.rs", "//! x\nconst A: &str = \"157\";", 1),
        ("long number", "remote/classin/error.rs", "//! x\nconst A: i64 = 101003002;", 1),
        ("comment", "run/classin/apply.rs", "//! 228\nfn f() {}", 0),
        ("part of a number", "run/classin/apply.rs", "//! x\nconst A: i64 = 2280;", 0),
        ("in the table", "core/classin_plan/codes/code.rs", "//! x\nconst A: Code = Code(228);", 0),
        ("another figure", "settings/mod.rs", "//! x\nconst A: u32 = 228;", 0),
    ] {
        assert_eq!(found(path, text), expected, "{row}");
    }
    let twice =
        [Source::new("a.rs", "pub enum Outcome<G> { A(G) }"), Source::new("b.rs", "enum Outcome { A }")];
    assert_eq!(definitions(&twice, "enum", "Outcome"), ["a.rs", "b.rs"]);
    assert!(definitions(&twice, "enum", "Outcom").is_empty());
}
