//! `config/default.toml`: the lowest layer, the manual, and so the list of all keys.

use std::sync::LazyLock;

/// The file as it was when the program was built.
pub(crate) const MANUAL: &str = include_str!("../../config/default.toml");

/// The one table with names of the admin's own. It is one value: a layer that has it replaces it.
pub(super) const FIELDS: &str = "exam.fields";

/// The profiles of imports, with names of the admin's own. They are one value, too.
pub(super) const IMPORT: &str = "import";

/// Keys that the manual does not show as lines of their own: secrets belong into the environment or into files, and
/// the rehearsal has a file of its own.
const NOT_IN_THE_MANUAL: [&str; 17] = [
    "exam.code",
    "classin.secret",
    "notify.wecom_url",
    "notify.dingtalk_url",
    "notify.dingtalk_secret",
    "notify.feishu_url",
    "notify.feishu_secret",
    "notify.slack_url",
    "notify.teams_url",
    "notify.json_url",
    "notify.json_token",
    "notify.ping_url",
    "notify.mail.password",
    "demo.students",
    "demo.seed",
    "demo.sandbox_state",
    IMPORT,
];

static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut keys = keys_of(MANUAL);
    keys.extend(NOT_IN_THE_MANUAL.map(str::to_owned));
    keys
});

/// Every key there is. What is not among them is refused.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(String::as_str)
}

/// Those that the manual shows.
#[cfg(test)]
pub(crate) fn keys_of_the_manual() -> Vec<String> {
    keys_of(MANUAL)
}

/// The keys of a text in TOML, those included that stand in a comment as an example: `# cron = "…"`.
fn keys_of(text: &str) -> Vec<String> {
    let mut section = "";
    let mut keys = Vec::new();
    for line in text.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            if section == FIELDS {
                keys.push(FIELDS.to_owned());
            }
        } else if let Some((name, _)) = line.split_once(" = ")
            && section != FIELDS
            && !section.starts_with("import.")
            && name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_')
        {
            keys.push(format!("{section}.{name}"));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_their_sections_and_from_examples() {
        let text = "# A text = no key.\n[exam]\ncode_file = 1\n# ca_file = \"x\"\n# [roster.queries]\n# groups = 1\n\
                    [exam.fields]\nname = 1\n[state]\ndatabase = 1";
        let keys = ["exam.code_file", "exam.ca_file", "roster.queries.groups", FIELDS, "state.database"];
        assert_eq!(keys_of(text), keys);
    }

    #[test]
    fn no_key_is_there_twice() {
        let mut seen: Vec<&str> = keys().collect();
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((all, seen.contains(&FIELDS)), (seen.len(), true));
        assert!(all > 50, "{all} keys: was the manual read?");
    }
}
