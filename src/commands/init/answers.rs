//! The answers, as settings to try them with and as the text of a configuration file.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use crate::settings::{ConfigSource, Settings, SettingsError};

/// The folder of the secrets that were typed, beside the configuration.
const CREDENTIALS: &str = "credentials";

/// A secret, by where it is kept from now on.
#[derive(Clone, Debug)]
pub(super) enum Secret {
    /// It was typed, and is written into a file of its own.
    Typed(SecretString),
    /// It stays in the file that was named.
    InFile(PathBuf),
    /// It stays in the environment.
    InEnvironment(SecretString),
}

#[derive(Clone, Debug)]
pub(super) struct ExamAnswers {
    pub(super) address: String,
    pub(super) code: Secret,
    /// Number and label.
    pub(super) login_field: (i64, String),
    /// Column and field, the login value's among them.
    pub(super) fields: Vec<(String, String)>,
    pub(super) create_groups: bool,
}

#[derive(Clone, Debug)]
pub(super) struct ClassinAnswers {
    pub(super) address: String,
    pub(super) sid: String,
    pub(super) secret: Secret,
}

/// What was answered so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// The roster, as the configuration names it.
    pub(super) roster: PathBuf,
    pub(super) exam: Option<ExamAnswers>,
    pub(super) classin: Option<ClassinAnswers>,
    pub(super) time_zone: Option<String>,
}

/// Variables that set the same as the file will; paths are those of the current folder.
struct Variables(Vec<(String, String)>);

impl Variables {
    fn set(&mut self, key: &str, value: &str) {
        let name = format!("ROSTERD__{}", key.replace('.', "__").to_uppercase());
        self.0.push((name, value.to_owned()));
    }

    fn secret(&mut self, key: &str, secret: &Secret) {
        match secret {
            Secret::Typed(secret) | Secret::InEnvironment(secret) => self.set(key, secret.expose_secret()),
            Secret::InFile(path) => self.set(&format!("{key}_file"), &path.to_string_lossy()),
        }
    }
}

impl Answers {
    /// The settings as far as they are answered, validated as those of a file are.
    pub(super) fn settings(&self, roster: &Path, state: &Path) -> Result<Settings, SettingsError> {
        let mut variables = Variables(Vec::new());
        variables.set("roster.database", &roster.to_string_lossy());
        variables.set("state.database", &state.to_string_lossy());
        if let Some(zone) = &self.time_zone {
            variables.set("schedule.time_zone", zone);
        }
        match &self.exam {
            None => variables.set("exam.enabled", "false"),
            Some(ExamAnswers { address, code, login_field, fields, create_groups }) => {
                variables.set("exam.base_url", address);
                variables.secret("exam.code", code);
                variables.set("exam.create_groups", &create_groups.to_string());
                // The account is tried before anything is said of its fields.
                if !fields.is_empty() {
                    variables.set("exam.login_field", &login_field.0.to_string());
                }
                for (column, field) in fields {
                    variables.set(&format!("exam.fields.{column}"), field);
                }
            }
        }
        if let Some(ClassinAnswers { address, sid, secret }) = &self.classin {
            variables.set("classin.enabled", "true");
            variables.set("classin.base_url", address);
            variables.set("classin.sid", sid);
            variables.secret("classin.secret", secret);
        }
        Settings::load(&ConfigSource::BuiltIn, variables.0.into_iter())
    }

    /// The secrets that get a file of their own, each with its path beside the configuration.
    pub(super) fn typed(&self) -> Vec<(PathBuf, &SecretString)> {
        let secrets = [
            (self.exam.as_ref().map(|exam| &exam.code), "exam-code"),
            (self.classin.as_ref().map(|classin| &classin.secret), "classin-secret"),
        ];
        secrets
            .into_iter()
            .filter_map(|(secret, name)| match secret {
                Some(Secret::Typed(secret)) => Some((Path::new(CREDENTIALS).join(name), secret)),
                Some(Secret::InFile(_) | Secret::InEnvironment(_)) | None => None,
            })
            .collect()
    }

    /// The configuration file.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "# Written by `rosterd init`. `rosterd man 5` explains these keys and all others.\n\n\
             [roster]\ndatabase = {}\n\n[state]\ndatabase = \"state.db\"\n\n\
             [sync]\nmode = \"observe\"    # changes nothing; then \"create-only\", \"upsert\", \"sync\"\n",
            quoted(&self.roster.to_string_lossy())
        );
        if let Some(zone) = &self.time_zone {
            text.push_str(&format!("\n[schedule]\ntime_zone = {}\n", quoted(zone)));
        }
        match &self.exam {
            None => text.push_str("\n[exam]\nenabled = false\n"),
            Some(exam) => text.push_str(&exam.text()),
        }
        if let Some(ClassinAnswers { address, sid, secret }) = &self.classin {
            text.push_str(&format!(
                "\n[classin]\nenabled = true\nbase_url = {}\nsid = {}\n{}",
                quoted(address),
                quoted(sid),
                secret.line("secret", "classin-secret", "ROSTERD__CLASSIN__SECRET")
            ));
        }
        text
    }
}

impl ExamAnswers {
    fn text(&self) -> String {
        let Self { address, code, login_field: (number, label), fields, create_groups } = self;
        let label: String = label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut text = format!(
            "\n[exam]\nbase_url = {}\n{}login_field = {number}    # {label}\n",
            quoted(address),
            code.line("code", "exam-code", "ROSTERD__EXAM__CODE")
        );
        if *create_groups {
            text.push_str("create_groups = true    # groups without a gid are created\n");
        }
        text.push_str("\n[exam.fields]    # column of the roster = field there\n");
        for (column, field) in fields {
            let field = if is_number(field) { field.clone() } else { quoted(field) };
            text.push_str(&format!("{} = {field}\n", key(column)));
        }
        text
    }
}

impl Secret {
    /// How the configuration finds it.
    fn line(&self, key: &str, file: &str, variable: &str) -> String {
        match self {
            Self::Typed(_) => format!("{key}_file = \"{CREDENTIALS}/{file}\"\n"),
            Self::InFile(path) => format!("{key}_file = {}\n", quoted(&path.to_string_lossy())),
            Self::InEnvironment(_) => format!("# {key}: in the environment, as {variable}\n"),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit())
}

/// A key of a table, quoted where it has to be.
fn key(text: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    if !text.is_empty() && text.chars().all(is_bare) { text.to_owned() } else { quoted(text) }
}

/// A text as TOML writes it.
pub(in crate::commands) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        Answers {
            roster: "the \"roster\" \\ of\tours.db".into(),
            exam: Some(ExamAnswers {
                address: "http://127.0.0.1:8481".to_owned(),
                code: Secret::Typed("xxx".to_owned().into()),
                login_field: (11, "e-mail\n# \"of\" them".to_owned()),
                fields: vec![
                    ("name".to_owned(), "1".to_owned()),
                    ("email".to_owned(), "e-mail \"of\" them".to_owned()),
                    ("班 级".to_owned(), "12".to_owned()),
                ],
                create_groups: true,
            }),
            classin: Some(ClassinAnswers {
                address: "http://127.0.0.1:8481".to_owned(),
                sid: "2339736".to_owned(),
                secret: Secret::Typed("top\"secret".to_owned().into()),
            }),
            time_zone: Some("Asia/Shanghai".to_owned()),
        }
    }

    #[test]
    fn what_was_tried_is_what_the_file_says() {
        let answers = answers();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("credentials")).unwrap();
        for (name, secret) in answers.typed() {
            std::fs::write(folder.path().join(name), secret.expose_secret()).unwrap();
        }
        std::fs::write(path("rosterd.toml"), answers.text()).unwrap();
        let written = Settings::load(&ConfigSource::File(path("rosterd.toml")), std::iter::empty()).unwrap();
        let tried = answers
            .settings(&folder.path().join(&answers.roster), &path("state.db"))
            .unwrap_or_else(|error| panic!("{error}"));
        let shown = |settings: &Settings| {
            let settings = Settings { secret_files: Vec::new(), ..settings.clone() };
            format!("{settings:#?}")
        };
        assert_eq!(shown(&written), shown(&tried));
        let secret =
            |settings: &Settings| settings.classin.secret.clone().unwrap().expose_secret().to_owned();
        assert_eq!(secret(&written), "top\"secret");
    }

    #[test]
    fn no_secret_stands_in_the_file_and_one_that_has_a_place_stays_there() {
        let mut answers = answers();
        assert!(!answers.text().contains("xxx") && !answers.text().contains("top"), "{}", answers.text());
        assert_eq!(answers.typed().len(), 2);
        let exam = answers.exam.as_mut().unwrap();
        exam.code = Secret::InFile("/run/secrets/code".into());
        answers.classin.as_mut().unwrap().secret = Secret::InEnvironment("topsecret".to_owned().into());
        let text = answers.text();
        assert!(text.contains("code_file = \"/run/secrets/code\""), "{text}");
        assert!(text.contains("ROSTERD__CLASSIN__SECRET") && !text.contains("topsecret"), "{text}");
        assert!(answers.typed().is_empty());
    }

    #[test]
    fn without_an_exam_account_that_side_is_switched_off() {
        let answers = Answers { exam: None, ..answers() };
        assert!(answers.text().contains("[exam]\nenabled = false"), "{}", answers.text());
        assert!(!answers.settings(Path::new("r.db"), Path::new("s.db")).unwrap().exam.enabled);
    }
}
