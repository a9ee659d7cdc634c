//! Every statement on our own schema is prepared against the migrated schema: a typo in a table, a column or the
//! syntax fails here, whichever run would have come to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use super::StateStore;

const VERBS: [&str; 6] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "VACUUM "];

/// Which files may hold statements on tables that are named at run time: on the roster, or on every table with ids; or
/// one around a statement that is found where it stands.
const ON_THE_ROSTER: [&str; 3] = ["export.rs", "ids_in_normal_form.rs", "row_blocks.rs"];

/// The texts between quotes of a source file, outside its tests, with the escapes that we use resolved.
fn literals(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |text, line| text + line + "\n");
    let mut found = Vec::new();
    let mut rest = code.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' => skip_character(&mut rest),
            '"' => found.push(literal(&mut rest)),
            _ => {}
        }
    }
    found
}

/// A character literal, should one hold a quote; a lifetime has no closing quote and stays as it is.
fn skip_character(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if rest.peek() == Some(&'"') {
        rest.next();
    }
}

fn literal(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(character) = rest.next() {
        match character {
            '"' => return text,
            '\\' => match rest.next() {
                Some('\n') => while rest.next_if(|c| c.is_whitespace()).is_some() {},
                Some(escaped) => text.push(escaped),
                None => return text,
            },
            _ => text.push(character),
        }
    }
    text
}

/// The constants of a file that others of its texts splice in, by name.
fn constants(source: &str) -> BTreeMap<String, String> {
    let named = source.match_indices("const ").filter_map(|(at, _)| {
        let (name, rest) = source[at + "const ".len()..].split_once(": &str =")?;
        let opening = rest.find('"')?;
        Some((name.to_owned(), literal(&mut rest[opening + 1..].chars().peekable())))
    });
    named.collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")
}

/// The statements on our own schema, each with its file.
fn statements() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "rs") || name == "statements.rs" {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let constants = constants(&source);
        for mut text in literals(&source) {
            if !VERBS.iter().any(|verb| text.starts_with(verb)) {
                continue;
            }
            for (constant, value) in &constants {
                text = text.replace(&format!("{{{constant}}}"), value);
            }
            // An empty JSON object is no splice.
            if text.replace("'{}'", "").contains('{') {
                assert!(ON_THE_ROSTER.contains(&name.as_str()), "{name}: {text}");
            } else {
                found.push((name.clone(), text));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_statement_on_our_own_schema_can_be_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateStore::open(&folder.path().join("state.db")).await.unwrap();
    let mut connection = state.writer().unwrap().acquire().await.unwrap();
    let statements = statements();
    let mut wrong = Vec::new();
    for (file, statement) in &statements {
        if let Err(error) = connection.prepare(AssertSqlSafe(statement.clone()).into_sql_str()).await {
            wrong.push(format!("{file}: {error}: {statement}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_statement_escapes_the_search() {
    let statements = statements();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Ok(source) = std::fs::read_to_string(&path) else { continue };
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        // The texts of the last two name tables and columns that they find, or go around another one; other tests run them.
        if ["statements.rs", "export.rs", "ids_in_normal_form.rs", "row_blocks.rs"].contains(&name.as_str()) {
            continue;
        }
        let calls = code.matches("sqlx::query").count();
        // A text made by `format!` or chosen by a `match` is a statement of its own, so there may be more.
        let found = statements.iter().filter(|(file, _)| *file == name).count();
        assert!(found + code.matches("Query<").count() >= calls, "{name}: {found} statements, {calls} calls");
    }
    assert!(statements.len() > 100, "{}", statements.len());
}

/// The commit of a statement that stands alone comes after its last row: who fetches the first one never hears that the
/// disk was full, and goes on with a number that no row has.
#[test]
fn a_statement_that_writes_and_returns_rows_is_committed_by_a_transaction_of_ours() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(source) = std::fs::read_to_string(&path) else { continue };
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, _) in code.match_indices(" RETURNING ").filter(|_| !path.ends_with("statements.rs")) {
            let statement = code[at..].split(".await").next().unwrap_or_default();
            assert!(!statement.contains("self."), "{}: {statement}", path.display());
        }
    }
}

#[test]
fn pools_are_opened_in_one_place() {
    fn look(folder: &Path, found: &mut Vec<PathBuf>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => look(&path, found),
                false if std::fs::read_to_string(&path).unwrap().contains(concat!("Pool", "Options")) => {
                    found.push(path)
                }
                false => {}
            }
        }
    }
    let mut found = Vec::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let names: Vec<_> = found.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(names, ["pool.rs"], "{found:?}");
}

#[tokio::test]
async fn a_statement_with_a_typo_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateStore::open(&folder.path().join("state.db")).await.unwrap();
    let mut connection = state.writer().unwrap().acquire().await.unwrap();
    for statement in ["SELECT sidd FROM links", "SELECT sid FROM link", "SELEC sid FROM links"] {
        assert!(
            connection.prepare(AssertSqlSafe(statement.to_owned()).into_sql_str()).await.is_err(),
            "{statement}"
        );
    }
}
