//! The trace of one run in health, metrics and the status line: figures, never persons.

/// The end of one run, as the daemon and the health page need it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RunSummary {
    /// The run's number, where it got as far as having one.
    pub run_id: Option<i64>,
    /// `converged`, `applied`, `incomplete`, `held`, `interrupted`, `failed` or `busy`.
    pub outcome: &'static str,
    /// Whether it read both sides completely and no service was stopped.
    pub good: bool,
    /// The exit code that the same run has with `--sync-now`.
    pub exit: u8,
    /// When it ended, in milliseconds since 1970 UTC.
    pub finished_at_ms: i64,
    /// Why it was not good, in our own words.
    pub why: Option<String>,
    pub figures: Figures,
}

impl RunSummary {
    /// A run that ended without any figures of its own.
    pub fn failed(finished_at_ms: i64) -> Self {
        Self {
            run_id: None,
            outcome: "failed",
            good: false,
            exit: 1,
            finished_at_ms,
            why: None,
            figures: Figures::default(),
        }
    }
}

/// The counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Operations by what became of them.
    pub operations: Vec<OperationCount>,
    /// Calls by what was answered.
    pub calls: Vec<CallCount>,
}

/// The number of operations with one kind and outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationCount {
    /// `exam` or `classin`.
    pub service: &'static str,
    /// `adopt`, `add`, `modify`, `move`, `delete`, `register`, `enrol` or `remove`; `result` for a pull of results.
    pub kind: &'static str,
    /// `applied`, `failed`, `held`, `unknown` or `skipped`.
    pub outcome: &'static str,
    pub count: u64,
}

/// The number of calls with one endpoint and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCount {
    /// `exam` or `classin`.
    pub service: &'static str,
    /// The endpoint's name, without any parameter.
    pub endpoint: String,
    /// The answer's code, or a word such as `timeout`.
    pub outcome: String,
    pub count: u64,
}
