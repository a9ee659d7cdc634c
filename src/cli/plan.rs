//! The arguments of `plan`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

/// What an operation does, in the words of a plan.
const KINDS: [&str; 10] =
    ["create", "adopt", "add", "modify", "move", "delete", "register", "enrol", "rename", "remove"];

/// `plan`
#[derive(Clone, Debug, Default, Args)]
pub struct PlanArgs {
    /// Show values, not only field names: they are personal data
    #[arg(long)]
    pub reveal: bool,
    /// Also list the candidates that are not ours
    #[arg(long)]
    pub unmanaged: bool,
    /// Only what is planned for this student; may be given several times, as may the next three
    #[arg(long = "student", value_name = "ID")]
    pub students: Vec<String>,
    /// Only what concerns this group of the roster
    #[arg(long = "group", value_name = "CODE")]
    pub groups: Vec<String>,
    /// Only what concerns this class of the roster
    #[arg(long = "class", value_name = "CODE")]
    pub classes: Vec<String>,
    /// Only operations of this kind
    #[arg(long = "kind", value_name = "WORD", value_parser = PossibleValuesParser::new(KINDS))]
    pub kinds: Vec<String>,
    /// Show all operations as text, not only the first ten of each kind
    #[arg(long)]
    pub all: bool,
    /// Also write the plan into this file, to print or to hand on: one page of HTML without scripts; names only with --reveal
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write over the file of --html that is there; never over a file of rosterd's own or a database
    #[arg(long, requires = "html")]
    pub replace: bool,
    /// Exit with 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}
