//! Candidates that a service may have entered under a form of its own of the login value that it was sent: in lower case,
//! without blanks, as digits alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ExamSyncError;
use super::lookup::{self, LookupOutcome};
use super::session::ExamSession;
use crate::remote::exam::{CandidateInfo, ExamError};
use crate::run::Context;
use crate::store::LostAdd;
use rosterd_core::exam_plan::{MemoryKey, is_service_form, service_forms};
use rosterd_core::roster::{FieldId, LoginValue, Sid, StudentId};

/// What is found under the forms of one login value.
#[derive(Default)]
pub(super) struct FormRows {
    /// The candidates, each with the form that it was found by.
    pub(super) rows: BTreeMap<Sid, (LoginValue, CandidateInfo)>,
    /// Of some form nothing was found out.
    pub(super) is_untold: bool,
}

/// Looks for candidates under the forms of these login values that `is_asked` lets pass. Most login values have none.
///
/// # Errors
/// When a look-up cannot be had; the transport has tried it several times by then.
pub(super) async fn rows_by_form(
    session: &ExamSession<'_>,
    logins: impl Iterator<Item = &LoginValue>,
    is_asked: impl Fn(&LoginValue) -> bool,
) -> Result<HashMap<LoginValue, FormRows>, ExamError> {
    let forms: Vec<(&LoginValue, Vec<LoginValue>)> = logins
        .map(|login| (login, service_forms(login).into_iter().filter(&is_asked).collect::<Vec<_>>()))
        .filter(|(_, forms)| !forms.is_empty())
        .collect();
    if forms.is_empty() {
        return Ok(HashMap::new());
    }
    let asked: BTreeSet<LoginValue> = forms.iter().flat_map(|(_, forms)| forms).cloned().collect();
    let outcomes = lookup::rows_by_login(session, asked.into_iter().collect()).await?;
    let found = |forms: Vec<LoginValue>| {
        let mut found = FormRows::default();
        for form in forms {
            match outcomes.get(&form) {
                Some(LookupOutcome::Row(row)) => {
                    found.rows.entry(row.sid).or_insert_with(|| (form, row.clone()));
                }
                Some(LookupOutcome::Gone) => {}
                None => found.is_untold = true,
            }
        }
        found
    };
    Ok(forms.into_iter().map(|(login, forms)| (login.clone(), found(forms))).collect())
}

/// What became of a lost add of which nothing is to be seen under the login value that was sent.
pub(super) enum KeptAdd {
    /// Nobody is there under any form of it.
    Nowhere,
    /// The service did not say.
    Untold,
    /// Somebody is there who may be another one.
    Unclear,
    /// This is the candidate.
    As(Box<CandidateInfo>),
}

/// The same of all lost adds, by student.
#[derive(Default)]
pub(super) struct KeptAdds(HashMap<StudentId, KeptAdd>);

impl KeptAdds {
    /// Looks for those whom the service may have entered in a form of its own.
    ///
    /// # Errors
    /// When a look-up cannot be had, or our own database cannot be read.
    pub(super) async fn find(
        context: &Context,
        session: &ExamSession<'_>,
        lost: Vec<&LostAdd>,
        (key, rewritten): (&MemoryKey, &BTreeSet<FieldId>),
    ) -> Result<Self, ExamSyncError> {
        let mut found = rows_by_form(session, lost.iter().map(|lost| &lost.login), |_| true).await?;
        if found.is_empty() {
            return Ok(Self::default());
        }
        let sids = found.values().flat_map(|found| found.rows.keys().copied());
        let linked = context.state.sid_owners(sids.collect::<Vec<_>>()).await?;
        let mut claims: HashMap<Sid, usize> = HashMap::new();
        let mut fitting: HashMap<&StudentId, Vec<Sid>> = HashMap::new();
        for lost in &lost {
            let Some(found) = found.get(&lost.login) else { continue };
            let fits = |(sid, (_, row)): (&Sid, &(LoginValue, CandidateInfo))| {
                !linked.contains_key(sid) && !lost.sent.are_contradicted(key, &row.fields, rewritten)
            };
            let fits: Vec<Sid> = found.rows.iter().filter(|it| fits(*it)).map(|(sid, _)| *sid).collect();
            fits.iter().for_each(|sid| *claims.entry(*sid).or_default() += 1);
            fitting.insert(&lost.student, fits);
        }
        // Where an account keeps what it is sent, a candidate under another form is simply somebody else.
        let mut rewrites = rewritten.contains(&session.login_field) || !claims.is_empty();
        for (sid, (form, _)) in found.values().flat_map(|found| &found.rows) {
            // So it is not where a candidate of ours is found under another login value than its own.
            if let Some(owner) = linked.get(sid).filter(|_| !rewrites) {
                let link = context.state.link_of(owner).await?;
                rewrites = link.is_some_and(|link| link.login != *form && is_service_form(form, &link.login));
            }
        }
        let kept = lost.iter().filter_map(|lost| {
            let FormRows { mut rows, is_untold } = found.remove(&lost.login)?;
            let fits = fitting.get(&lost.student).map(Vec::as_slice).unwrap_or_default();
            let own = match fits {
                [sid] if claims.get(sid) == Some(&1) => rows.remove(sid),
                _ => None,
            };
            let kept = match own {
                Some((_, row)) => KeptAdd::As(Box::new(row)),
                None if !fits.is_empty() || (rewrites && !rows.is_empty()) => KeptAdd::Unclear,
                None if is_untold => KeptAdd::Untold,
                None => KeptAdd::Nowhere,
            };
            Some((lost.student.clone(), kept))
        });
        Ok(Self(kept.collect()))
    }

    /// What became of this student's add.
    pub(super) fn of(&mut self, student: &StudentId) -> KeptAdd {
        self.0.remove(student).unwrap_or(KeptAdd::Nowhere)
    }
}
