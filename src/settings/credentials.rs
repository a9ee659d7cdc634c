//! What a run cannot do without and a command that calls no service can: the services and their credentials.

use config::ValueKind;

use super::layers::LayeredSettings;
use super::parse;
use super::problem::{Origin, Problem};

/// What is there of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    pub(super) exam: bool,
    pub(super) exam_code: bool,
    pub(super) classin: bool,
    pub(super) classin_secret: bool,
    pub(super) classin_sid: bool,
}

impl Given {
    /// As the layers have it, whatever else is wrong with them.
    pub(super) fn of(layers: &LayeredSettings) -> Self {
        let is_on = |key: &str| layers.get(key).and_then(|value| parse::boolean(&value.kind).ok());
        let has = |key: &str| layers.get(key).is_some_and(|value| !matches!(value.kind, ValueKind::Nil));
        Self {
            exam: is_on("exam.enabled").unwrap_or(true),
            exam_code: has("exam.code") || has("exam.code_file"),
            classin: is_on("classin.enabled").unwrap_or(true),
            classin_secret: has("classin.secret") || has("classin.secret_file"),
            classin_sid: has("classin.sid"),
        }
    }

    /// What a run lacks.
    pub(super) fn missing(self) -> Vec<Problem> {
        let Self { exam, exam_code, classin, classin_secret, classin_sid } = self;
        let rules = [
            (
                !exam && !classin,
                "exam.enabled",
                "both services are switched off, so there is nothing to do: set exam.enabled = true, \
                 classin.enabled = true, or both",
            ),
            (
                exam && !exam_code,
                "exam.code",
                "the account's verification code is missing: set ROSTERD__EXAM__CODE, or name a file that holds it as \
                 exam.code_file",
            ),
            (
                classin && !classin_secret,
                "classin.secret",
                "the school's secret is missing: set ROSTERD__CLASSIN__SECRET, or name a file that holds it as \
                 classin.secret_file",
            ),
            (
                classin && !classin_sid,
                "classin.sid",
                "the school's id (SID) is missing: set it, it is no secret",
            ),
        ];
        let problem = |(_, key, message): (bool, &str, &str)| Problem {
            key: key.to_owned(),
            origin: Origin::Unset,
            message: message.to_owned(),
            line: None,
        };
        rules.into_iter().filter(|(is_missing, ..)| *is_missing).map(problem).collect()
    }
}
