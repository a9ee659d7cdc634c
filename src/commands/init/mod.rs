//! `init`: asks for what a first configuration needs, tries each answer at once, and writes it. No call changes anything at a
//! service, and nothing is written before all is answered.

mod answers;
mod asking;
mod dialogue;
mod place;
mod proposals;
mod trials;

use std::path::{Path, PathBuf};

use serde::Serialize;

use self::dialogue::Dialogue;
use self::place::Place;
use self::trials::Trouble;
use super::{output, sync};
use crate::app::AppError;
use crate::cli::Cli;
use crate::cli::init::InitArgs;
use crate::exit::Exit;
use crate::invocation;

#[cfg(feature = "sandbox")]
pub(super) use self::answers::quoted;

/// The configuration that is written where none is named.
const CONFIGURATION: &str = "rosterd.toml";

/// Why nothing was written.
enum InitError {
    /// Nobody can be asked, and the option is missing.
    Missing {
        option: &'static str,
    },
    /// Standard input ended before the answer came.
    Ended {
        option: &'static str,
    },
    /// A signal ended the dialogue.
    Stopped,
    /// An answer does not do, and nobody can give another one.
    Refused(Trouble),
    Other(anyhow::Error),
}

impl InitError {
    fn into_refusal(self) -> (Exit, String) {
        const NOTHING: &str = "nothing was written";
        match self {
            Self::Missing { option } => (Exit::Usage, format!("{option} is missing: {NOTHING}")),
            Self::Ended { option } => {
                (Exit::Usage, format!("the answers end before the one that {option} gives too: {NOTHING}"))
            }
            Self::Stopped => (Exit::Terminated, format!("ended by a signal: {NOTHING}")),
            Self::Refused(Trouble { exit, what }) => {
                (exit, format!("{what}\n{NOTHING}; --even-if-failing writes the configuration all the same"))
            }
            Self::Other(error) => (Exit::Usage, format!("{error:#}: {NOTHING}")),
        }
    }
}

impl From<anyhow::Error> for InitError {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Something that was tried.
#[derive(Clone, Serialize)]
struct Finding {
    ok: bool,
    what: &'static str,
    detail: String,
}

/// What was written, and what the trials said.
#[derive(Serialize)]
struct InitReport {
    configuration: PathBuf,
    written: Vec<PathBuf>,
    findings: Vec<Finding>,
    /// The command that shows the first plan.
    next: String,
    /// Whether somebody has seen the findings already.
    #[serde(skip)]
    is_told: bool,
}

pub(super) async fn run(cli: &Cli, arguments: &InitArgs) -> Result<Exit, AppError> {
    let stop = sync::stop_on_signals(None);
    let config = cli.config.clone().unwrap_or_else(|| PathBuf::from(CONFIGURATION));
    invocation::remember(&config);
    let asked = async {
        let place = Place::new(&config)?;
        Dialogue::new(arguments, place).hold().await
    };
    let answered = tokio::select! {
        biased;
        () = stop.cancelled() => Err(InitError::Stopped),
        answered = asked => answered,
    };
    match answered.and_then(|answered| write(&config, answered)) {
        Ok(report) => {
            output::show(cli, &report, text);
            Ok(Exit::Done)
        }
        Err(error) => {
            let (exit, what) = error.into_refusal();
            Ok(output::refuse(cli, exit, &what))
        }
    }
}

/// The one moment at which anything is written.
fn write(config: &Path, dialogue: Dialogue<'_>) -> Result<InitReport, InitError> {
    let is_told = dialogue.is_told();
    let Dialogue { place, answers, findings, .. } = dialogue;
    let written = place.fill(&answers)?;
    let next = "rosterd plan".to_owned();
    Ok(InitReport { configuration: config.to_owned(), written, findings, next, is_told })
}

fn text(report: &InitReport) -> String {
    let InitReport { configuration: _, written, findings, next, is_told } = report;
    let mut text = String::new();
    for Finding { ok, what, detail } in findings.iter().filter(|finding| !finding.ok || !is_told) {
        let word = if *ok { "ok  " } else { "FAIL" };
        text.push_str(&format!("{word}  {what}: {}\n", detail.trim_end().replace('\n', "\n      ")));
    }
    let written: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    text.push_str(&format!(
        "Written: {}\n\nNext, all without a change anywhere:\n  {next}     what a run would do\n  rosterd check    \
         configuration, roster and services once more\nThe mode is \"observe\": a run changes nothing until sync.mode says more.\n",
        written.join(", ")
    ));
    text
}
