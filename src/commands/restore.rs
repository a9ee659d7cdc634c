//! `restore`: a copy of the state database in the place of the one that is there, and what that means.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::output;
use crate::app::AppError;
use crate::cli::Cli;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::files::{beside, resolved};
use crate::run::moment;
use crate::settings::Settings;
use crate::store::{KnownRun, restore_state};
use rosterd_core::counted::counted;
use rosterd_core::roster::shell_word;

#[derive(Serialize)]
struct PutBack {
    state: PathBuf,
    file: PathBuf,
    /// Where the state is that was replaced.
    kept_as: Option<PathBuf>,
    newest_run: Option<i64>,
    newest_run_started_at: Option<String>,
    newest_lost_run: Option<i64>,
    newest_lost_run_started_at: Option<String>,
    /// Runs since the copy was made; null where the replaced state could not be read.
    lost_runs: Option<i64>,
}

/// Puts the copy in place.
pub(super) async fn run(cli: &Cli, path: &Path) -> Result<Exit, AppError> {
    if !Settings::names_a_state(cli.config.as_deref()) {
        let why = format!(
            "no configuration is named, so the copy would be put where no daemon may look for it: name the configuration that \
             has state.database, as in rosterd --config FILE restore {}",
            shell_word(&path.display().to_string())
        );
        return Ok(output::refuse(cli, Exit::Configuration, &why));
    }
    let settings = Settings::load_from_environment(cli.config.as_deref())?;
    let state = &settings.state.database;
    let kept_as = free_name(&resolved(state), Clock::system().now());
    let restored = restore_state(path, state, &kept_as).await?;
    let id = |run: Option<KnownRun>| run.map(|run| run.id);
    let at = |run: Option<KnownRun>| run.map(|run| moment(run.started_at_ms));
    let put_back = PutBack {
        state: state.clone(),
        file: path.to_owned(),
        kept_as: restored.kept_as,
        newest_run: id(restored.newest_run),
        newest_run_started_at: at(restored.newest_run),
        newest_lost_run: id(restored.newest_lost_run),
        newest_lost_run_started_at: at(restored.newest_lost_run),
        lost_runs: restored.lost_runs,
    };
    output::show(cli, &put_back, text);
    Ok(Exit::Done)
}

/// The name under which the replaced state stays, with the moment in it.
fn free_name(state: &Path, now: Timestamp) -> PathBuf {
    beside(state, &now.to_zoned(TimeZone::UTC).strftime(".before-restore-%Y%m%dT%H%M%SZ").to_string())
}

fn text(put_back: &PutBack) -> String {
    let PutBack {
        state,
        file,
        kept_as,
        newest_run,
        newest_run_started_at,
        newest_lost_run,
        newest_lost_run_started_at,
        lost_runs,
    } = put_back;
    let run = |id: &Option<i64>, at: &Option<String>| match (id, at) {
        (Some(id), Some(at)) => format!("run {id} of {at}"),
        _ => "none".to_owned(),
    };
    let mut lines = vec![
        format!("{} is {} again.", state.display(), file.display()),
        format!("Its newest run: {}.", run(newest_run, newest_run_started_at)),
    ];
    if let Some(kept_as) = kept_as {
        lines.push(format!("The state that it replaced is kept as\n{}", kept_as.display()));
        match lost_runs {
            Some(lost) => lines.push(format!(
                "Its newest run: {}; {} since the copy.",
                run(newest_lost_run, newest_lost_run_started_at),
                counted(u64::try_from(*lost).unwrap_or_default(), "run")
            )),
            None => {
                lines.push("It could not be read, so the runs since the copy are not counted.".to_owned())
            }
        }
    }
    lines.push(String::new());
    lines.push(MEANING.to_owned());
    lines.join("\n")
}

/// What is lost between the copy and now, and what is not.
const MEANING: &str = "\
What happened since the copy was made:
- Changes of the roster are found anew. The next run compares roster and
  candidates and does what is missing; nobody is entered twice.
- Candidates added since are taken over again by their login values.
- Places in ClassIn given since count as found there: rosterd does not remove
  them any more, unless you take them for its own:
    rosterd claim --class CODE
- Failures, approvals, holds and runs of that time are forgotten, and so is
  what was ignored. The limits of the guard begin to count anew.
- A copy that belongs to another account is told by the next run, before
  anything is sent.
Next look, then start rosterd when the plan is right:
    rosterd check
    rosterd plan";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replaced_state_stays_beside_the_new_one_under_a_name_with_the_moment_in_it() {
        let now = "2027-01-02T03:04:05Z".parse().unwrap();
        let name = free_name(Path::new("/var/lib/rosterd/state.db"), now);
        assert_eq!(name, Path::new("/var/lib/rosterd/state.db.before-restore-20270102T030405Z"));
    }

    #[test]
    fn what_a_restore_says_fits_a_terminal() {
        assert!(MEANING.lines().all(|line| line.chars().count() <= 80));
    }
}
