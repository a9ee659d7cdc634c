//! Candidates that exist, asked for along with those of whom no answer says anything.
//!
//! A service may leave out of its answers whoever it does not know. An answer that shows somebody who exists, and not
//! those who were asked for in the same call, says that they are gone. An answer without anybody may as well come from
//! an endpoint that is out of order.

use std::collections::{BTreeSet, HashSet};

use super::lookup::{self, Question};
use super::session::ExamSession;
use crate::remote::exam::{ExamError, ListedCandidate, LookupAnswer};
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::Observed;
use rosterd_core::roster::{LoginValue, Sid};

/// So many are asked for along: one of them may have been deleted since.
const WITNESSES: usize = 3;

/// Links that are looked through for those whose login values are listed.
const CHOICE: u32 = 10;

/// A candidate that exists, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Witness {
    pub(super) sid: Sid,
    /// As the service writes it.
    pub(super) login: LoginValue,
}

/// What a look-up asks by.
pub(super) trait AskedKey: Clone + PartialEq {
    /// What asks for this candidate.
    fn of(witness: &Witness) -> Self;

    /// As the service repeats it of whom it does not know.
    fn text(&self) -> String;
}

impl AskedKey for Sid {
    fn of(witness: &Witness) -> Self {
        witness.sid
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl AskedKey for LoginValue {
    fn of(witness: &Witness) -> Self {
        witness.login.clone()
    }

    fn text(&self) -> String {
        self.as_str().to_owned()
    }
}

/// Linked candidates that are listed, of those that a look-up has shown last.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn linked(state: &StateStore, observed: &Observed) -> Result<Vec<Witness>, StoreError> {
    let seen = state.candidates_seen_last(CHOICE).await?.into_iter();
    let is_listed = |login: &LoginValue| observed.find(login).is_some() && !observed.is_ambiguous(login);
    let listed = seen.filter(|(_, login)| is_listed(login));
    let witness = |(sid, login)| Witness { sid, login: observed.raw_login(&login) };
    Ok(listed.take(WITNESSES).map(witness).collect())
}

/// The first listed candidates, where it is not known yet whom the links mean.
///
/// # Errors
/// When a look-up cannot be had.
pub(super) async fn listed(
    session: &ExamSession<'_>,
    rows: &[ListedCandidate],
) -> Result<Vec<Witness>, ExamError> {
    let logins = rows.iter().filter_map(|row| LoginValue::parse(&row.login_value)).take(WITNESSES);
    let logins: Vec<LoginValue> = logins.collect();
    let found = lookup::sids_by_login(session, &logins).await?;
    let only = |sids: BTreeSet<Sid>| sids.first().copied().filter(|_| sids.len() == 1);
    Ok(found.into_iter().filter_map(|(login, sids)| Some(Witness { sid: only(sids)?, login })).collect())
}

/// Which of those who stayed silent are gone. They are asked for once more with witnesses: where the answer shows one of
/// these and nobody else, the others do not exist.
///
/// # Errors
/// When a look-up cannot be had.
pub(super) async fn gone_beside<T: AskedKey>(
    session: &ExamSession<'_>,
    silent: &[T],
    size: usize,
    question: Question<T>,
) -> Result<Vec<T>, ExamError> {
    let known: HashSet<Sid> = session.witnesses.iter().map(|witness| witness.sid).collect();
    let beside = session.witnesses.iter().map(T::of).filter(|key| !silent.contains(key));
    let beside: Vec<T> = beside.take(size.saturating_sub(1)).collect();
    let mut gone = Vec::new();
    if beside.is_empty() {
        return Ok(gone);
    }
    for chunk in silent.chunks(size.saturating_sub(beside.len()).max(1)) {
        // Last, so that whoever stands before them was looked for.
        let asked = [chunk, &beside].concat();
        match session.side.reader.lookup(question(&asked)).await {
            Ok(answer) => {
                let shows_them_alone = answer.rows.iter().all(|row| known.contains(&row.sid));
                if shows_them_alone && !answer.rows.is_empty() {
                    gone.extend_from_slice(chunk);
                }
            }
            // Of a question that is refused as a whole nothing is found out.
            Err(ExamError::Refused { .. } | ExamError::TooLarge { .. } | ExamError::ServiceFailed { .. }) => {
            }
            Err(error) => return Err(error),
        }
    }
    Ok(gone)
}

/// The answer to a question whose own answer names no list at all: a service that leaves out empty lists, and whom it does
/// not know, has nothing else to say. Beside somebody who exists it has; where it shows these alone, the others do not exist.
/// `None` where it does not show them.
pub(super) async fn answer_beside<T: AskedKey>(
    session: &ExamSession<'_>,
    asked: &[T],
    size: usize,
    question: Question<T>,
) -> Option<LookupAnswer> {
    let others = session.witnesses.iter().filter(|witness| !asked.contains(&T::of(witness)));
    let others: Vec<&Witness> = others.take(size.saturating_sub(asked.len())).collect();
    let beside: Vec<T> = others.iter().map(|witness| T::of(witness)).collect();
    if beside.is_empty() {
        return None;
    }
    let mut answer = session.side.reader.lookup(question(&[asked, &beside].concat())).await.ok()?;
    let (shown, rows): (Vec<_>, Vec<_>) =
        answer.rows.into_iter().partition(|row| others.iter().any(|witness| witness.sid == row.sid));
    answer.rows = rows;
    if answer.rows.is_empty() {
        answer.unresolved.extend(asked.iter().map(AskedKey::text));
    }
    (!shown.is_empty()).then_some(answer)
}
