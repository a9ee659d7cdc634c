//! Which columns of a roster hold passwords: they are shown to nobody and leave by no export.

use std::collections::BTreeSet;

use super::memory;
use crate::settings::{ExamSettings, FieldRef};
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{AccountFields, PASSWORD_FIELD};
use rosterd_core::roster::FieldId;

/// Parts of names that columns and fields of passwords have.
const PARTS: [&str; 25] = [
    "password",
    "passwd",
    "passcode",
    "passphrase",
    "pass_word",
    "passwort",
    "kennwort",
    "losungswort",
    "pwd",
    "mot de passe",
    "motdepasse",
    "mot_de_passe",
    "contraseña",
    "contrasena",
    "senha",
    "пароль",
    "wachtwoord",
    "hasło",
    "parola",
    "密码",
    "密碼",
    "口令",
    "パスワード",
    "비밀번호",
    "mật khẩu",
];

/// Whole names of that kind, too short to look for within others.
const WHOLE: [&str; 3] = ["pin", "pass", "pin_code"];

/// Columns that are ours: what they hold is known, whatever field they are mapped to by a label.
const OPEN: [&str; 7] = ["student_id", "name", "gender", "phone", "email", "classin_uid", "active"];

/// The columns of passwords, as far as mapping and names tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordColumns {
    /// Mapped to the password's field, in lower case.
    mapped: BTreeSet<String>,
    /// Mapped by a label of which nobody knows yet which field it is.
    unknown: BTreeSet<String>,
}

impl PasswordColumns {
    /// As far as the settings alone tell: a label that may mean the password's field hides its column.
    #[must_use]
    pub fn by_mapping(settings: &ExamSettings) -> Self {
        Self::found(settings, None)
    }

    fn found(settings: &ExamSettings, account: Option<&AccountFields>) -> Self {
        let mut found = Self::default();
        for mapping in &settings.fields {
            let column = mapping.column.to_lowercase();
            match &mapping.field {
                FieldRef::Id(id) if FieldId(*id) == PASSWORD_FIELD => drop(found.mapped.insert(column)),
                FieldRef::Id(_) => {}
                FieldRef::Label(label) if is_named_so(&label.to_lowercase()) => {
                    found.mapped.insert(column);
                }
                FieldRef::Label(label) => {
                    let fields = account.map(|account| account.labelled(label)).unwrap_or_default();
                    if fields.contains(&PASSWORD_FIELD) {
                        found.mapped.insert(column);
                    } else if fields.is_empty() && !OPEN.contains(&column.as_str()) {
                        found.unknown.insert(column);
                    }
                }
            }
        }
        found
    }

    /// Whether the column holds a password, or may hold one.
    #[must_use]
    pub fn hide(&self, column: &str) -> bool {
        let column = column.to_lowercase();
        is_named_so(&column) || self.mapped.contains(&column) || self.unknown.contains(&column)
    }

    /// The columns that are hidden because nobody knows yet which field their label means.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.unknown.iter().map(String::as_str)
    }
}

/// The columns of passwords under these settings. What a label means is known from the first run on.
///
/// # Errors
/// When our own database cannot be read.
pub async fn password_columns(
    settings: &ExamSettings,
    state: &StateStore,
) -> Result<PasswordColumns, StoreError> {
    let account = memory::account_fields(state).await?;
    Ok(PasswordColumns::found(settings, account.as_ref()))
}

fn is_named_so(name: &str) -> bool {
    PARTS.iter().any(|part| name.contains(part)) || WHOLE.contains(&name.trim())
}

#[cfg(test)]
mod tests {
    use super::is_named_so;

    #[test]
    fn names_of_passwords_are_known_in_many_languages_and_other_names_are_not_taken_for_them() {
        for name in [
            "password",
            "initial_password",
            "kennwort",
            "mot de passe",
            "contraseña",
            "пароль",
            "senha",
            "pin",
            "密码",
        ] {
            assert!(is_named_so(name), "{name}");
        }
        for name in
            ["name", "spin", "passport_no", "shipping", "compass", "phone", "email", "class", "pinyin"]
        {
            assert!(!is_named_so(name), "{name}");
        }
    }
}
