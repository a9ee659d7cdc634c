//! The source as rules look at it: its text, without comments and tests, and without what stands in strings.

use std::fs;
use std::path::Path;

use super::project;

/// Where the source of each crate is, and under which name its files stand here.
pub(super) const CRATES: [(&str, &str); 4] = [
    ("src", ""),
    ("crates/core/src", "core/"),
    ("crates/import/src", "import/"),
    ("crates/sandbox/src", "sandbox/"),
];

/// One file of the source, in the three forms that rules look at.
pub(super) struct Source {
    /// Below its crate's `src`, such as `run/mod.rs`; other crates' files begin with the crate, as in `core/lib.rs`.
    pub(super) path: String,
    pub(super) raw: String,
    /// Without comments and tests.
    pub(super) code: String,
    /// Also without what stands in strings.
    pub(super) bare: String,
    /// Modules declared without a body: name, and whether for tests only.
    pub(super) modules: Vec<(String, bool)>,
}

impl Source {
    pub(super) fn new(path: &str, raw: &str) -> Self {
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
    pub(super) fn top(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// How many `super::` lead from here to the crate's root.
    pub(super) fn depth(&self) -> usize {
        let folders = self.path.matches('/').count();
        if self.path.ends_with("mod.rs") { folders } else { folders + 1 }
    }

    pub(super) fn is_below(&self, folder: &str) -> bool {
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
pub(super) fn sources() -> Vec<Source> {
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
pub(super) fn folder_of_children(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').map_or(("", path), |(folder, file)| (folder, file));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder,
        _ => format!("{folder}{}/", file.trim_end_matches(".rs")),
    }
}

/// The lines on which a word stands as a whole.
pub(super) fn lines_with(text: &str, word: &str) -> Vec<usize> {
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

pub(super) fn words_in(source: &Source, form: &str, words: &[&str]) -> Vec<String> {
    let found =
        words.iter().flat_map(|word| lines_with(form, word).into_iter().map(move |line| (line, word)));
    found.map(|(line, word)| format!("src/{}:{line}: {word}", source.path)).collect()
}
