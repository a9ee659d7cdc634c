//! The command line of `init`: each question is also an option.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// `init`
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// Ask nothing: an answer that is missing ends with 64 and names its option
    #[arg(long)]
    pub(crate) non_interactive: bool,
    /// Write the configuration although something failed when it was tried
    #[arg(long)]
    pub(crate) even_if_failing: bool,
    /// The address of the exam service, or of a sandbox
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) exam_address: Option<String>,
    /// The file that holds the exam account's verification code [env: ROSTERD__EXAM__CODE holds the code itself]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) exam_code_file: Option<PathBuf>,
    /// The school has no exam account: only ClassIn is kept in step
    #[arg(long, conflicts_with_all = ["exam_address", "exam_code_file", "login_field", "login_column", "field", "create_groups"])]
    pub(crate) without_exam: bool,
    /// The roster: a database, or a list of students (.csv, .xlsx, .ods) that is imported into roster.db
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) roster: Option<PathBuf>,
    /// A column of that list, as for `import csv`, such as student_id=Number
    #[arg(long, value_name = "OURS=THEIRS", value_parser = pair)]
    pub(crate) map: Vec<(String, String)>,
    /// The field that people log in with, by label or number
    #[arg(long, value_name = "FIELD")]
    pub(crate) login_field: Option<String>,
    /// The column of the roster that holds what they log in with
    #[arg(long, value_name = "COLUMN")]
    pub(crate) login_column: Option<String>,
    /// A column of the roster and the field that is kept in step with it; may be repeated
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = pair)]
    pub(crate) field: Vec<(String, String)>,
    /// Whether runs create groups that have no gid
    #[arg(long, value_enum, value_name = "ANSWER")]
    pub(crate) create_groups: Option<Answer>,
    /// Whether classes are kept in step in ClassIn
    #[arg(long, value_enum, value_name = "ANSWER")]
    pub(crate) classin: Option<Answer>,
    /// The address of ClassIn, or of a sandbox
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) classin_address: Option<String>,
    /// The school's id in ClassIn (SID)
    #[arg(long, value_name = "SID")]
    pub(crate) classin_sid: Option<String>,
    /// The file that holds the school's secret in ClassIn [env: ROSTERD__CLASSIN__SECRET holds the secret itself]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) classin_secret_file: Option<PathBuf>,
    /// The time zone of the schedule, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// It is wanted
    Yes,
    /// It is not
    No,
}

impl Answer {
    /// Whether it is yes.
    pub(crate) fn is_yes(self) -> bool {
        self == Self::Yes
    }
}

/// `name=1`
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = super::pair(text).ok_or("write it like name=value")?;
    Ok((key.to_owned(), value.to_owned()))
}
