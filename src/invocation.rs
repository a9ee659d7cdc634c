//! How this process was called: a command that one of its messages names must mean the same installation when pasted.
//!
//! What is stored and what the planner says names commands without a configuration, because the same state may be looked
//! at in another way later. They are completed here, where they are written out, and nowhere else.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use rosterd_core::roster::shell_word;

/// ` --config FILE`, quoted for a shell; absent while no file was named.
static CONFIG: OnceLock<String> = OnceLock::new();

const PROGRAM: &str = "rosterd ";

/// The commands that messages name.
const COMMANDS: [&str; 19] = [
    "--sync-now",
    "plan",
    "check",
    "status",
    "runs",
    "failures",
    "approve",
    "explain",
    "claim",
    "forget",
    "relink",
    "account",
    "results",
    "notify",
    "import",
    "export",
    "sandbox",
    "backup",
    "restore",
];

/// How a text is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// As it is.
    Plain,
    /// As JSON, within its strings.
    Json,
}

/// From now on commands name this configuration file.
pub fn remember(config: &Path) {
    let _already_known = CONFIG.set(format!("--config {} ", shell_word(&config.to_string_lossy())));
}

/// The text with the configuration file in every command that it names.
#[must_use]
pub fn complete(text: &str, written: Written) -> Cow<'_, str> {
    match CONFIG.get() {
        Some(config) => completed(text, config, written),
        None => Cow::Borrowed(text),
    }
}

fn completed<'a>(text: &'a str, config: &str, written: Written) -> Cow<'a, str> {
    if !text.contains(PROGRAM) {
        return Cow::Borrowed(text);
    }
    let config = match written {
        Written::Plain => Cow::Borrowed(config),
        Written::Json => Cow::Owned(config.replace('\\', "\\\\").replace('"', "\\\"")),
    };
    let mut complete = String::with_capacity(text.len() + config.len());
    let mut rest = text;
    while let Some(at) = rest.find(PROGRAM) {
        let (before, from) = rest.split_at(at);
        let (program, after) = from.split_at(PROGRAM.len());
        complete.push_str(before);
        complete.push_str(program);
        let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || "-_/.".contains(c));
        if is_word && begins_with_a_command(after) {
            complete.push_str(&config);
        }
        rest = after;
    }
    complete.push_str(rest);
    Cow::Owned(complete)
}

/// Whether what follows the program's name is one of its commands.
pub fn begins_with_a_command(text: &str) -> bool {
    COMMANDS.iter().any(|command| {
        let rest = text.strip_prefix(command);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "-_'".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_a_message_names_carries_the_configuration_and_prose_does_not() {
        let table = [
            ("see rosterd failures", "see rosterd --config c.toml failures"),
            ("`rosterd approve abc --student s1`", "`rosterd --config c.toml approve abc --student s1`"),
            (
                "rosterd plan, then rosterd --sync-now",
                "rosterd --config c.toml plan, then rosterd --config c.toml --sync-now",
            ),
            ("another rosterd is running", "another rosterd is running"),
            (
                "rosterd backup b.db, rosterd restore b.db",
                "rosterd --config c.toml backup b.db, rosterd --config c.toml restore b.db",
            ),
            ("rosterd plans to", "rosterd plans to"),
            ("/usr/bin/rosterd status", "/usr/bin/rosterd status"),
            ("rosterd: wrong usage", "rosterd: wrong usage"),
        ];
        for (text, expected) in table {
            assert_eq!(completed(text, "--config c.toml ", Written::Plain), expected);
        }
    }

    #[test]
    fn json_stays_json_whatever_the_file_is_called() {
        let text = serde_json::json!({ "approve": "rosterd approve abc" }).to_string();
        let completed = completed(&text, r#"--config 'a "b\c' "#, Written::Json);
        let read: serde_json::Value = serde_json::from_str(&completed).unwrap();
        assert_eq!(read["approve"], r#"rosterd --config 'a "b\c' approve abc"#);
    }
}
