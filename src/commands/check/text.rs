//! The findings as a terminal shows them: by group, within eighty columns, and commands in one piece.

use super::finding::{Finding, Findings};
use crate::invocation;

const WIDTH: usize = 80;

/// Under the sentence that it goes on with.
const INDENT: &str = "      ";

/// Words that begin something to type, where a sentence names it.
const TYPED: [&str; 9] =
    ["chmod", "chown", "sqlite3", "systemctl", "mv", "rm", "umount", "timedatectl", "openssl"];

pub(super) fn text(findings: &Findings) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut before = None;
    for finding in &findings.findings {
        if before != Some(finding.group) {
            if before.is_some() {
                lines.push(String::new());
            }
            lines.push(finding.group.heading().to_owned());
            before = Some(finding.group);
        }
        lines.extend(lines_of(finding, &finding.detail));
    }
    if let Some(bundle) = &findings.bundle {
        lines.push(String::new());
        lines.push("What a support mail needs is in this file; read it before you send it:".to_owned());
        lines.push(format!("    {}", bundle.display()));
    }
    lines.join("\n")
}

/// The lines of one finding that says this.
pub(super) fn lines_of(finding: &Finding, detail: &str) -> Vec<String> {
    let head = format!("{}  {}: ", finding.verdict(), finding.what);
    let mut lines = Vec::new();
    for (at, paragraph) in detail.trim_end().split('\n').enumerate() {
        let begin = if at == 0 { head.as_str() } else { INDENT };
        lines.extend(wrapped(begin, paragraph));
    }
    let who = match finding.owner {
        Some("office") => "the school office",
        Some("it") => "IT",
        Some("quota") => "who pays for the account",
        Some(_) | None => "the service",
    };
    match finding.commands.as_slice() {
        [] if finding.owner.is_some() => lines.push(format!("{INDENT}For {who}.")),
        [] => {}
        commands => {
            lines.push(format!("{INDENT}For {who}, to type:"));
            lines.extend(commands.iter().map(|command| format!("{INDENT}    {command}")));
        }
    }
    lines
}

/// A paragraph in lines, the first of which begins so.
fn wrapped(begin: &str, paragraph: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = begin.to_owned();
    let mut is_fresh = true;
    for piece in pieces(paragraph) {
        // What is typed grows by the configuration file when it is written out.
        let written = invocation::complete(&piece, invocation::Written::Plain).chars().count();
        if !is_fresh && line.chars().count() + 1 + written > WIDTH {
            lines.push(std::mem::replace(&mut line, INDENT.to_owned()));
            is_fresh = true;
        }
        if !is_fresh {
            line.push(' ');
        }
        line.push_str(&piece);
        is_fresh = false;
    }
    lines.push(line);
    lines
}

/// The words of a paragraph; what is to be typed stays in one piece, up to the next mark of the sentence.
fn pieces(paragraph: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut typed: Option<String> = None;
    let words: Vec<&str> = paragraph.split(' ').collect();
    for (at, word) in words.iter().enumerate() {
        let ends = word.ends_with([',', ';', ':', ')', '.', '`']);
        match typed.take() {
            Some(so_far) => {
                let grown = format!("{so_far} {word}");
                if ends { pieces.push(grown) } else { typed = Some(grown) }
            }
            None if !ends && begins_a_command(word, words.get(at + 1).copied()) => {
                typed = Some((*word).to_owned());
            }
            None => pieces.push((*word).to_owned()),
        }
    }
    pieces.extend(typed);
    pieces
}

fn begins_a_command(word: &str, next: Option<&str>) -> bool {
    let word = word.trim_start_matches(['(', '`']);
    let is_argument = |next: &str| next.starts_with(|c: char| c.is_ascii_digit() || "/-'~.".contains(c));
    match word {
        "rosterd" => next.is_some_and(invocation::begins_with_a_command),
        "chmod" | "chown" => next.is_some_and(|next| is_argument(next) || next.contains('+')),
        "systemctl" => true,
        word if TYPED.contains(&word) => next.is_some_and(is_argument),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Group;
    use super::*;
    use rosterd_core::failure::FailureOwner;

    fn said(finding: &Finding) -> Vec<String> {
        lines_of(finding, &finding.detail)
    }

    #[test]
    fn sentences_are_broken_at_eighty_columns_and_commands_are_not() {
        let long =
            format!("{} then rosterd check --offline; and more words", "many words ".repeat(7).trim_end());
        let lines = said(&Finding::warn(Group::Files, "state database", long.clone()));
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("rosterd check --offline;")), "{lines:#?}");
        assert_eq!(lines.join("\n").replace("\n      ", " "), format!("warn  state database: {long}"));
        let typed = format!("x: chown 0:0 /{}", "a".repeat(90));
        let lines = said(&Finding::good(Group::Files, "files", typed.clone()));
        assert_eq!(lines.join("\n"), format!("ok    files: x:\n      {}", typed.trim_start_matches("x: ")));
    }

    #[test]
    fn who_mends_it_and_what_they_type_stand_under_it() {
        let finding = Finding::warn(Group::State, "state database", "everybody may read it")
            .mended_by(FailureOwner::It, ["chmod 600 /var/lib/rosterd/state.db".to_owned()]);
        assert_eq!(
            said(&finding),
            [
                "warn  state database: everybody may read it",
                "      For IT, to type:",
                "          chmod 600 /var/lib/rosterd/state.db",
            ]
        );
        let finding = Finding::warn(Group::Roster, "groups", "2 without gid")
            .mended_by(FailureOwner::SchoolOffice, Vec::new());
        assert_eq!(said(&finding).last().unwrap(), "      For the school office.");
    }

    #[test]
    fn groups_have_headings_in_one_order_whatever_was_looked_at_first() {
        let mut findings = Findings::default();
        findings.add(Finding::good(Group::Exam, "exam side", "b"));
        findings.add(Finding::good(Group::Configuration, "configuration", "a"));
        findings.add(Finding::good(Group::Exam, "exam account", "c"));
        assert_eq!(
            text(&findings),
            "Configuration\nok    configuration: a\n\nExam side\nok    exam side: b\nok    exam account: c"
        );
    }
}
