//! What is proposed as an answer, and what is wrong with one: without a call.

use super::trials::{self, RosterLook, Trouble};
use crate::run::AccountLook;
use rosterd_core::counted::counted;

/// Columns that are usually kept in step, with their fields: as `exam.fields` has them where nobody says more.
const USUAL_FIELDS: [(&str, i64); 4] = [("name", 1), ("gender", 2), ("phone", 4), ("password", 10)];

/// The field that is meant, by number or label.
pub(super) fn field_of(answer: &str, account: Option<&AccountLook>) -> Result<(i64, String), Trouble> {
    let number: Option<i64> = answer.parse().ok();
    let Some(account) = account else {
        let label = answer.to_owned();
        let what = "without the account only a field's number says which one is meant";
        return number.map(|number| (number, label)).ok_or_else(|| Trouble::configuration(what));
    };
    let meant = |(known, label): &&(i64, String)| number.map_or(label == answer, |number| *known == number);
    let Some(field) = account.fields.iter().find(meant) else {
        return Err(Trouble::configuration(format!(
            "the account has no field {answer:?}: name one of the above"
        )));
    };
    let others = &account.login_fields;
    if account.read() > 0 && !others.is_empty() && !others.contains(&field.0) {
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        return Err(Trouble::configuration(format!(
            "people do not log in with field {} {:?}: their login value stands in field {}",
            field.0,
            field.1,
            others.join(" and ")
        )));
    }
    Ok(field.clone())
}

/// The column that matches most candidates; else the one that is called like the field, or usually is.
pub(super) fn proposed_column(roster: &RosterLook, field: &(i64, String)) -> Option<String> {
    let best = roster.fits.iter().filter(|fit| fit.matched > 0).max_by_key(|fit| fit.matched);
    let usual = USUAL_FIELDS.iter().find(|(_, number)| *number == field.0).map(|(column, _)| *column);
    let label = field.1.to_lowercase();
    let named = [Some(label.as_str()), usual].into_iter().flatten().find(|column| roster.has(column));
    best.map(|fit| fit.column.clone()).or_else(|| named.map(str::to_owned))
}

/// How the column fits, or why it does not.
pub(super) fn fitting(
    column: &str,
    account: Option<&AccountLook>,
    roster: Option<&RosterLook>,
) -> Result<String, Trouble> {
    let Some(roster) = roster else { return Ok(column.to_owned()) };
    let Some(fit) = roster.fit(column) else {
        let known: Vec<&str> = roster.fits.iter().map(|fit| fit.column.as_str()).collect();
        let known = known.join(", ");
        return Err(Trouble::configuration(format!("the roster has no column {column}: it has {known}")));
    };
    if fit.filled == 0 {
        let what = format!("column {column} is empty for every student, so nobody could log in");
        return Err(Trouble::configuration(what));
    }
    let filled = format!("{} of {} have a value there", fit.filled, counted(roster.active, "student"));
    match account {
        Some(account) if account.read() > 0 => {
            let matches = trials::matches(fit, roster.active, account);
            if fit.matched == 0 && account.read() >= 10 {
                return Err(Trouble::configuration(format!(
                    "{matches}: is it another account, or are the values written otherwise there?"
                )));
            }
            Ok(format!("{column}: {matches}; {filled}"))
        }
        Some(_) => Ok(format!("{column}: {filled}; the account lists no candidates yet")),
        None => Ok(format!("{column}: {filled}")),
    }
}

/// The columns that both sides have, and that anybody has a value in.
pub(super) fn proposed_fields(
    login: &str,
    number: i64,
    account: Option<&AccountLook>,
    roster: Option<&RosterLook>,
) -> Vec<(String, String)> {
    let is_there = |column: &str| roster.is_none_or(|it| it.fit(column).is_some_and(|fit| fit.filled > 0));
    let is_known = |field: i64| account.is_none_or(|it| it.fields.iter().any(|(known, _)| *known == field));
    let usual = USUAL_FIELDS.iter().filter(|(column, field)| is_there(column) && is_known(*field));
    let usual = usual.map(|(column, field)| ((*column).to_owned(), field.to_string())).collect();
    with_login(usual, login, number)
}

/// One line for each column and field, the login value's among them.
pub(super) fn with_login(
    mut fields: Vec<(String, String)>,
    login: &str,
    number: i64,
) -> Vec<(String, String)> {
    let number = number.to_string();
    fields.retain(|(column, field)| column != login && *field != number);
    fields.push((login.to_owned(), number));
    fields
}
