//! In which line of a configuration file a key is given, so that a message can name it.
//!
//! It reads only as much of TOML as it needs for that: a key that it does not find has no line, and none is guessed.

use std::collections::HashMap;

/// The line of each key, counted from 1.
pub(super) fn lines(text: &str) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    let mut section = String::new();
    let mut open_quotes: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        if let Some(quotes) = open_quotes {
            if line.contains(quotes) {
                open_quotes = None;
            }
            continue;
        }
        let line = line.trim_start();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = key(header.0);
            found.entry(section.clone()).or_insert(at + 1);
        } else if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            let name = key(name);
            let full = if section.is_empty() { name } else { format!("{section}.{name}") };
            found.entry(full).or_insert(at + 1);
            open_quotes = ["\"\"\"", "'''"].into_iter().find(|quotes| value.matches(quotes).count() == 1);
        }
    }
    found
}

/// A key as the layers spell it, dots without blanks and words without quotes.
fn key(written: &str) -> String {
    let words: Vec<&str> = written.split('.').map(|word| word.trim().trim_matches(['"', '\''])).collect();
    words.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_section_and_nowhere_else() {
        let text = "mode = 1\n# page_size = 3\n[exam]  # the exam side\npage_size = 50\n\n[exam.fields]\n\"name\" = 1\n\
                    [roster.queries]\nstudents = \"\"\"\nSELECT a = b\nFROM c\n\"\"\"\ngroups = 'x'\nhttp.listen = \"\"\n";
        let table = [
            ("mode", Some(1)),
            ("exam", Some(3)),
            ("exam.page_size", Some(4)),
            ("exam.fields.name", Some(7)),
            ("roster.queries.students", Some(9)),
            ("roster.queries.SELECT a", None),
            ("roster.queries.groups", Some(13)),
            ("roster.queries.http.listen", Some(14)),
            ("page_size", None),
        ];
        let lines = lines(text);
        for (key, line) in table {
            assert_eq!(lines.get(key).copied(), line, "{key}");
        }
    }
}
