//! The command line of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// `export`
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// What to write
    #[arg(value_enum)]
    pub(crate) what: Exported,
    /// The file to write, a workbook where its name ends in .xlsx, else CSV [default: standard output]; one that is there
    /// is refused, unless it is an earlier list of the same kind
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) to: Option<PathBuf>,
    /// Write over the file that is there, for an export each night; never over a file of rosterd's own or a database
    #[arg(long, requires = "to")]
    pub(crate) replace: bool,
    /// Begin with a byte order mark: Excel reads other alphabets only then
    #[arg(long)]
    pub(crate) bom: bool,
    /// Write cells that a spreadsheet would take for formulas as they are, for programs
    #[arg(long)]
    pub(crate) raw: bool,
}

impl Exported {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Roster => "roster",
            Self::Links => "links",
            Self::Failures => "failures",
        }
    }
}

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exported {
    /// The students, with their groups and classes, without passwords
    Roster,
    /// Who is which candidate of the exam side
    Links,
    /// What failed and is open
    Failures,
}
