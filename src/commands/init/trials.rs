//! Each answer, tried: what the services and the roster say to it. Nothing is written anywhere.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::answers::Answers;
use super::place::Place;
use crate::app::{AppError, classin_probe, exam_side};
use crate::clock::Clock;
use crate::commands::check::classin_exit;
use crate::commands::import::{ImportError, ImportKind, ImportRequest, import};
use crate::exit::Exit;
use crate::run::{
    AccountLook, ColumnFit, ExamSide, RosterCheck, check_roster, fit_columns, groups_of_some, in_one_line,
    look_at_account,
};
use crate::settings::{RosterQueries, Settings};
use crate::store::{RosterDatabase, student_columns};
use rosterd_core::counted::counted;
use rosterd_core::roster::{Class, Group};
use rosterd_import::ColumnMap;

/// Why an answer does not do.
#[derive(Clone)]
pub(super) struct Trouble {
    pub(super) exit: Exit,
    pub(super) what: String,
}

impl Trouble {
    pub(super) fn configuration(what: impl Into<String>) -> Self {
        Self { exit: Exit::Configuration, what: what.into() }
    }
}

impl<E: Into<AppError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        let error = error.into();
        Self { exit: error.exit(), what: in_one_line(&error) }
    }
}

/// Columns of students that are no values.
const NO_VALUES: [&str; 3] = ["student_id", "active", "classin_uid"];

/// A roster that can be read.
pub(super) struct RosterLook {
    /// Where it is now: its place, or the draft of one that is imported.
    pub(super) path: PathBuf,
    pub(super) active: u64,
    /// Its columns of values.
    pub(super) fits: Vec<ColumnFit>,
    pub(super) groups: Vec<Group>,
    pub(super) classes: Vec<Class>,
}

impl RosterLook {
    pub(super) fn has(&self, column: &str) -> bool {
        self.fits.iter().any(|fit| fit.column == column)
    }

    pub(super) fn fit(&self, column: &str) -> Option<&ColumnFit> {
        self.fits.iter().find(|fit| fit.column == column)
    }

    pub(super) fn without_gid(&self) -> u64 {
        count(self.groups.iter().filter(|group| group.gid.is_none()).count())
    }

    pub(super) fn with_course(&self) -> u64 {
        count(self.classes.iter().filter(|class| class.target.is_some()).count())
    }
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The exam side under these settings.
fn side(settings: &Settings) -> Result<ExamSide, Trouble> {
    let side = exam_side(settings, &Clock::system())?;
    side.ok_or_else(|| Trouble::configuration("the exam side is switched off"))
}

/// The account behind address and code.
pub(super) async fn account(answers: &Answers, place: &Place) -> Result<AccountLook, Trouble> {
    let settings = answers.settings(&answers.roster, &place.state())?;
    let look = look_at_account(&side(&settings)?).await;
    look.map_err(|error| Trouble { exit: error.severity().into(), what: in_one_line(&error) })
}

/// The file of a roster: a database as it is, a list imported into a draft.
pub(super) async fn roster(
    path: &Path,
    map: &[(String, String)],
    place: &mut Place,
    account: Option<&AccountLook>,
) -> Result<(RosterLook, Option<String>), Trouble> {
    if !path.is_file() {
        return Err(Trouble::configuration(format!(
            "{} is no file: name a database or a list; a bundle or a folder goes in first, with `rosterd import oneroster PATH \
             --database roster.db`",
            path.display()
        )));
    }
    if is_database(path) {
        return Ok((look(path, place, account).await?, None));
    }
    let draft = place.draft()?;
    let map = ColumnMap::new(map.to_vec());
    let request =
        ImportRequest { map, ..ImportRequest::new(ImportKind::Csv, vec![path.to_owned()], draft.clone()) };
    let report = import(&request).await.map_err(refused_list)?;
    Ok((look(&draft, place, account).await?, Some(report.to_string())))
}

fn refused_list(error: ImportError) -> Trouble {
    let exit = if error.is_configuration() {
        Exit::Configuration
    } else if error.is_temporary() {
        Exit::Temporary
    } else {
        Exit::Failed
    };
    let lines = in_one_line(&error);
    Trouble {
        exit,
        what: format!("{lines}\n--map says which column is which, as `rosterd import csv --help` explains"),
    }
}

fn is_database(path: &Path) -> bool {
    let mut begin = [0; 16];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && &begin == b"SQLite format 3\0"
}

/// Reads a roster database beside the account.
async fn look(path: &Path, place: &Place, account: Option<&AccountLook>) -> Result<RosterLook, Trouble> {
    let mut columns = student_columns(path, &place.state()).await?;
    columns.retain(|column| !NO_VALUES.contains(&column.as_str()));
    let roster = RosterDatabase::open(path, &RosterQueries::default(), &columns, &place.state()).await?;
    let read = read(&roster, path, &columns, account).await;
    roster.close().await;
    read
}

async fn read(
    roster: &RosterDatabase,
    path: &Path,
    columns: &[String],
    account: Option<&AccountLook>,
) -> Result<RosterLook, Trouble> {
    let (active, fits) = fit_columns(roster, columns, account).await?;
    if active == 0 {
        return Err(Trouble::configuration(format!("{} has no active student", path.display())));
    }
    let mut snapshot = roster.snapshot().await?;
    let (groups, _) = snapshot.groups().await?;
    let (classes, _) = snapshot.classes().await?;
    snapshot.close().await?;
    Ok(RosterLook { path: path.to_owned(), active, fits, groups, classes })
}

/// What cannot be used of the roster, with the columns that are mapped now.
pub(super) async fn rows(
    settings: &Settings,
    login_column: Option<&str>,
    place: &Place,
) -> Result<RosterCheck, Trouble> {
    let columns: Vec<String> = settings.exam.fields.iter().map(|mapping| mapping.column.clone()).collect();
    let login_at = login_column
        .and_then(|column| columns.iter().position(|it| it == column).map(|place| (place, column)));
    let path = &settings.roster.database;
    let roster = RosterDatabase::open(path, &settings.roster.queries, &columns, &place.state()).await?;
    let check = check_roster(&roster, login_at, settings.guard.min_roster).await;
    roster.close().await;
    Ok(check?)
}

/// The groups that some matched students are in there, in words; absent where nobody was looked up.
pub(super) async fn groups(
    settings: &Settings,
    account: &AccountLook,
    fit: &ColumnFit,
    groups: &[Group],
) -> Result<Option<String>, Trouble> {
    if fit.matched == 0 {
        return Ok(None);
    }
    let seen = groups_of_some(&side(settings)?, account, fit).await;
    let seen = seen.map_err(|error| Trouble { exit: error.severity().into(), what: in_one_line(&error) })?;
    let ours = |gid| groups.iter().find(|group| group.gid == Some(gid));
    let named: Vec<String> = seen
        .iter()
        .map(|(gid, title)| {
            let title = title.as_deref().map_or_else(String::new, |title| format!(" {title:?}"));
            let ours =
                ours(*gid).map_or("not on the roster".to_owned(), |group| format!("{} here", group.code));
            format!("{gid}{title} ({ours})")
        })
        .collect();
    Ok(Some(format!("matched students are in these groups there: {}", named.join(", "))))
}

/// ClassIn's credentials.
pub(super) async fn classin(answers: &Answers, place: &Place) -> Result<String, Trouble> {
    let settings = answers.settings(&answers.roster, &place.state())?;
    let Some(probe) = classin_probe(&settings, &Clock::system())? else {
        return Err(Trouble::configuration("ClassIn is switched off"));
    };
    match probe.prove().await {
        Ok(clock) => Ok(match clock.ahead_seconds() {
            Some(seconds) if seconds != 0 => {
                format!("credentials accepted, our clock is {seconds} s ahead of theirs")
            }
            _ => "credentials accepted".to_owned(),
        }),
        Err(error) => Err(Trouble { exit: classin_exit(&error), what: in_one_line(&error) }),
    }
}

/// "198 of your 220 students match one of 240 candidates by phone"
pub(super) fn matches(fit: &ColumnFit, active: u64, account: &AccountLook) -> String {
    let read = count(account.read());
    let of = if read < account.total {
        format!("the first {read} of {}", counted(account.total, "candidate"))
    } else {
        counted(account.total, "candidate")
    };
    format!("{} of your {} match one of {of} by {}", fit.matched, counted(active, "student"), fit.column)
}
