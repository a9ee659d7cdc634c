//! What a first configuration is written by: the account's fields, its candidates, and which column of a roster has their
//! login values. Reads only, and remembers nothing.

use std::collections::BTreeMap;

use super::field_mapping::ResolvedFields;
use super::{ExamSide, ExamSyncError, listing};
use crate::remote::exam::LookupKey;
use crate::store::{RosterDatabase, RosterError};
use rosterd_core::exam_plan::Observed;
use rosterd_core::roster::{Gid, LoginValue};

/// The most candidates of one look-up.
const MOST_LOOKED_UP: usize = 100;

/// An account as its first pages show it.
pub struct AccountLook {
    /// The account's fields: number and label.
    pub fields: Vec<(i64, String)>,
    /// Candidates of the whole account.
    pub total: u64,
    /// The fields that equal the login value in nearly all candidates that were read.
    pub login_fields: Vec<i64>,
    /// How our clock stands to the service's.
    pub clock: String,
    observed: Observed,
}

impl AccountLook {
    /// Candidates that were read.
    #[must_use]
    pub fn read(&self) -> usize {
        self.observed.len()
    }
}

/// One column of the roster beside the account.
#[derive(Clone, Debug, Default)]
pub struct ColumnFit {
    pub column: String,
    /// Active students who have a value there.
    pub filled: u64,
    /// Those whose value is the login value of a listed candidate.
    pub matched: u64,
    /// Some of these login values.
    some: Vec<LoginValue>,
}

/// Reads fields and first pages of an account.
///
/// # Errors
/// When it cannot be reached, or refuses.
pub async fn look_at_account(side: &ExamSide) -> Result<AccountLook, ExamSyncError> {
    let (fields, clock) = side.reader.fields_and_clock().await?;
    let sample = listing::sample(side, &ResolvedFields::none()).await?;
    let login_fields = sample.observed.login_evidence().matching().into_iter().map(|field| field.0).collect();
    Ok(AccountLook {
        fields: fields.into_iter().map(|field| (field.id.0, field.label)).collect(),
        total: sample.total,
        login_fields,
        clock: clock.to_string(),
        observed: sample.observed,
    })
}

/// Reads the roster beside the account: `columns` are those that it was opened with. Says how many active students there are
/// and how each column fits.
///
/// # Errors
/// When the roster cannot be read.
pub async fn fit_columns(
    roster: &RosterDatabase,
    columns: &[String],
    account: Option<&AccountLook>,
) -> Result<(u64, Vec<ColumnFit>), RosterError> {
    let named = |column: &String| ColumnFit { column: column.clone(), ..ColumnFit::default() };
    let mut fits: Vec<ColumnFit> = columns.iter().map(named).collect();
    let mut active = 0;
    let mut snapshot = roster.snapshot().await?;
    let mut students = snapshot.students().await?;
    while let Some(row) = students.next().await? {
        if !row.student.active {
            continue;
        }
        active += 1;
        for (fit, value) in fits.iter_mut().zip(&row.student.values) {
            fit.filled += u64::from(!value.is_empty());
            let login = LoginValue::parse(value);
            let listed = login.filter(|login| account.is_some_and(|it| it.observed.find(login).is_some()));
            let Some(login) = listed else { continue };
            fit.matched += 1;
            if fit.some.len() < MOST_LOOKED_UP {
                fit.some.push(login);
            }
        }
    }
    drop(students);
    snapshot.close().await?;
    Ok((active, fits))
}

/// The groups that some of a column's students are in on the exam side, with what each is called there, where that is told.
///
/// # Errors
/// When the account cannot be asked.
pub async fn groups_of_some(
    side: &ExamSide,
    account: &AccountLook,
    fit: &ColumnFit,
) -> Result<BTreeMap<Gid, Option<String>>, ExamSyncError> {
    let raw: Vec<LoginValue> = fit.some.iter().map(|login| account.observed.raw_login(login)).collect();
    let answer = side.reader.lookup(LookupKey::LoginValues(&raw)).await?;
    let gids = answer.rows.iter().filter_map(|row| row.groups.as_ref()).flatten();
    Ok(gids.map(|gid| (*gid, answer.group_titles.get(gid).cloned())).collect())
}
