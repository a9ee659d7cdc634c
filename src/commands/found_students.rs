//! Whom somebody means who typed no id: students by name, login value or telephone number.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::app::{App, AppError};
use crate::run::password_columns;
use rosterd_core::roster::{LoginValue, StudentId, shell_word};

/// So many are listed.
const MOST: usize = 20;

/// Several students whom the same words fit.
#[derive(Serialize)]
pub(super) struct FoundStudents {
    found: Vec<FoundStudent>,
    /// Whether there may be more.
    more: bool,
}

#[derive(Serialize)]
struct FoundStudent {
    student_id: String,
    /// Only where values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// The ids of all whom these words fit, on the roster or in rosterd's memory.
pub(super) async fn ids(app: &App, typed: &str) -> Result<Vec<StudentId>, AppError> {
    let roster = app.roster().await?;
    let hidden = password_columns(&app.settings.exam, &app.state).await?;
    let mut snapshot = roster.snapshot().await?;
    let found = snapshot.found_by(typed, |column| hidden.hide(column), MOST + 1).await?;
    snapshot.close().await?;
    let linked = app.state.students_with_login(&LoginValue::new(typed.trim())).await?;
    let all: BTreeSet<StudentId> = found.into_iter().chain(linked).collect();
    Ok(all.into_iter().collect())
}

impl FoundStudents {
    /// With their names only where they are asked for.
    pub(super) async fn of(app: &App, ids: Vec<StudentId>, reveal: bool) -> Result<Self, AppError> {
        let more = ids.len() > MOST;
        let shown: BTreeSet<StudentId> = ids.into_iter().take(MOST).collect();
        let mut people = Vec::new();
        if reveal {
            let roster = app.roster().await?;
            let mut snapshot = roster.snapshot().await?;
            people = snapshot.people(&shown).await?;
            snapshot.close().await?;
        }
        let name = |id: &StudentId| people.iter().find(|one| one.student == *id).map(|one| one.name.clone());
        let found = |id: &StudentId| FoundStudent { student_id: id.to_string(), name: name(id) };
        Ok(Self { found: shown.iter().map(found).collect(), more })
    }

    pub(super) fn text(&self) -> String {
        let mut text = "Several students fit. Look at one of them:\n".to_owned();
        for FoundStudent { student_id, name } in &self.found {
            let name = name.as_ref().map(|name| format!("  # {name}")).unwrap_or_default();
            text.push_str(&format!("  rosterd explain {}{name}\n", shell_word(student_id)));
        }
        if self.more {
            text.push_str("and more: type more of the name, or the whole telephone number\n");
        }
        text
    }
}
