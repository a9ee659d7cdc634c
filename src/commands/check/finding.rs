//! What `check` found, one look a line: what it is, who mends it, what to type.

use std::path::PathBuf;

use serde::Serialize;

use crate::exit::Exit;
use rosterd_core::failure::FailureOwner;

/// What a look is about; the text is ordered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Group {
    Configuration,
    Files,
    State,
    Roster,
    Exam,
    Classin,
    Schedule,
}

impl Group {
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::Files => "Files and disk",
            Self::State => "State",
            Self::Roster => "Roster",
            Self::Exam => "Exam side",
            Self::Classin => "ClassIn",
            Self::Schedule => "Schedule and calls",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) ok: bool,
    /// Nothing that stops a start or a run, and all the same to be looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) warning: bool,
    pub(super) detail: String,
    pub(super) group: Group,
    /// Who mends it, in the word of failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<&'static str>,
    /// What they type, where that mends it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) commands: Vec<String>,
    /// The same for strangers: nothing of a person, of a group or of an account is in it. Absent where nothing was said so.
    #[serde(skip)]
    of_nobody: Option<String>,
    /// What it means for the exit code.
    #[serde(skip)]
    exit: Exit,
}

impl Finding {
    fn of(group: Group, what: &'static str, exit: Exit, detail: impl Into<String>) -> Self {
        let (ok, detail) = (exit == Exit::Done, detail.into());
        let (warning, owner, of_nobody, commands) = (false, None, None, Vec::new());
        Self { what, ok, warning, detail, group, owner, commands, of_nobody, exit }
    }

    pub(super) fn good(group: Group, what: &'static str, detail: impl Into<String>) -> Self {
        Self::of(group, what, Exit::Done, detail)
    }

    pub(super) fn warn(group: Group, what: &'static str, detail: impl Into<String>) -> Self {
        Self { warning: true, ..Self::of(group, what, Exit::Done, detail) }
    }

    pub(super) fn bad(group: Group, what: &'static str, exit: Exit, detail: impl Into<String>) -> Self {
        Self::of(group, what, exit, detail)
    }

    /// Who mends it, and what they type.
    pub(super) fn mended_by(
        mut self,
        owner: FailureOwner,
        commands: impl IntoIterator<Item = String>,
    ) -> Self {
        self.owner = Some(owner.word());
        self.commands.extend(commands);
        self
    }

    /// Its sentence names nobody and nothing of theirs.
    pub(super) fn told_as_it_is(self) -> Self {
        let told = self.detail.clone();
        self.told_as(told)
    }

    /// What may be told to strangers in place of its sentence.
    pub(super) fn told_as(mut self, told: impl Into<String>) -> Self {
        self.of_nobody = Some(told.into());
        self
    }

    /// What strangers are told.
    pub(super) fn told(&self) -> String {
        match &self.of_nobody {
            Some(told) => told.clone(),
            None if self.ok => "its sentence is left out: it may name people".to_owned(),
            None => {
                format!("exit code {}; its sentence is left out: it may name people", self.exit.code())
            }
        }
    }

    /// The same without what is typed, which holds paths.
    pub(super) fn of_strangers(&self) -> Self {
        Self { commands: Vec::new(), ..self.clone() }
    }

    pub(super) fn verdict(&self) -> &'static str {
        match (self.ok, self.warning) {
            (false, _) => "FAIL",
            (true, true) => "warn",
            (true, false) => "ok  ",
        }
    }
}

/// Everything that was found.
#[derive(Serialize)]
pub(super) struct Findings {
    pub(super) ok: bool,
    pub(super) findings: Vec<Finding>,
    /// Where the text for a support mail is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bundle: Option<PathBuf>,
    #[serde(skip)]
    exit: Exit,
}

impl Default for Findings {
    fn default() -> Self {
        Self { ok: true, findings: Vec::new(), bundle: None, exit: Exit::Done }
    }
}

impl Findings {
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.exit = self.exit.worst(finding.exit);
        self.ok = self.exit == Exit::Done;
        // After those of its group: looks come in the order in which they need one another.
        let at = self.findings.partition_point(|other| other.group <= finding.group);
        self.findings.insert(at, finding);
    }
}
