//! What waits for a person, another row or a time: counted by kind, with its owners and the age of the oldest.

use std::collections::BTreeMap;

use rosterd_core::classin_plan::Code;
use rosterd_core::failure::{FailureCode, FailureOwner, FailureState};

use super::error::{Doing, counted};
use super::failures::{key, state};
use super::roster_rows::owner_of_row;
use super::{StateStore, StoreError};

/// Why something waits. What is due again by itself does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitingKind {
    /// Tried and given up.
    DeadLetters,
    /// Held about single people.
    HeldPeople,
    /// Withheld until data or a reading is mended.
    Withheld,
    /// Withheld until another student's candidate is gone or renamed.
    Waits,
    /// Without room in a class.
    FullClasses,
    /// Classes that take no changes any more, or are probably over.
    EndedClasses,
    /// In a class where they are no longer wanted, and not taken out.
    StillInClass,
    /// Rows of the roster that cannot be used.
    BadRows,
    /// Failed by the service's doing for long: it is tried again by itself, and nobody knows whether that helps.
    Lasting,
    /// Groups into which the service puts nobody: each is tried again by itself, and only another gid helps.
    RefusedGroups,
    /// Without room in the exam account: a larger one helps, and whoever leaves.
    FullAccount,
}

impl WaitingKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::DeadLetters,
        Self::HeldPeople,
        Self::Withheld,
        Self::Waits,
        Self::FullClasses,
        Self::EndedClasses,
        Self::StillInClass,
        Self::BadRows,
        Self::Lasting,
        Self::RefusedGroups,
        Self::FullAccount,
    ];
}

/// How many of a kind wait, for whom, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    pub by_owner: BTreeMap<FailureOwner, u64>,
    /// Since when the oldest waits.
    pub since_ms: Option<i64>,
}

impl Waiting {
    fn add(&mut self, owner: FailureOwner, count: i64, since_ms: i64) {
        *self.by_owner.entry(owner).or_default() += counted(count);
        self.since_ms = self.since_ms.into_iter().chain([since_ms]).min();
    }

    /// How many there are in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.by_owner.values().sum()
    }
}

/// Rows that differ in nothing that matters here.
#[derive(sqlx::FromRow)]
struct Group {
    failure_id: i64,
    service: String,
    kind: String,
    code: String,
    state: String,
    is_standing: bool,
    was_called: bool,
    was_tried: bool,
    is_lasting: bool,
    count: i64,
    since_ms: i64,
}

impl Group {
    fn kind(&self, state: FailureState) -> Option<WaitingKind> {
        match state {
            FailureState::Held => Some(WaitingKind::HeldPeople),
            FailureState::Dead if self.was_called => Some(WaitingKind::DeadLetters),
            FailureState::Dead => Some(WaitingKind::Withheld),
            FailureState::Waiting if !self.is_standing => {
                let code = FailureCode::parse(&self.code);
                let is_full = code.classin().is_some_and(Code::is_full);
                let is_of_group = (code == FailureCode::GroupRefused).then_some(WaitingKind::RefusedGroups);
                let is_of_account = (code == FailureCode::AccountFull).then_some(WaitingKind::FullAccount);
                let is_unproven = !self.was_tried && code == FailureCode::NotFoundOut;
                let lasts = || (self.is_lasting && self.was_called).then_some(WaitingKind::Lasting);
                let withheld = is_unproven.then_some(WaitingKind::Withheld);
                is_full
                    .then_some(WaitingKind::FullClasses)
                    .or(is_of_group)
                    .or(is_of_account)
                    .or(withheld)
                    .or_else(lasts)
            }
            FailureState::Waiting => {
                let code = FailureCode::parse(&self.code);
                let is_of_class = code == FailureCode::ProbablyOver || code.classin().is_some();
                Some(if code == FailureCode::LoginValueInUse {
                    WaitingKind::Waits
                } else if code == FailureCode::NotOurs {
                    WaitingKind::StillInClass
                } else if is_of_class {
                    WaitingKind::EndedClasses
                } else {
                    WaitingKind::Withheld
                })
            }
            FailureState::Ignored => None,
        }
    }
}

impl StateStore {
    /// What waits, as the failures and the rows of the roster stand; what a person silenced counts nowhere.
    /// What failed by the service's doing first before `lasting_ms` and fails still has failed for long.
    pub async fn waiting(&self, lasting_ms: i64) -> Result<BTreeMap<WaitingKind, Waiting>, StoreError> {
        let groups: Vec<Group> = sqlx::query_as(
            "SELECT min(failure_id) AS failure_id, service, kind, code, state, is_standing, call <> '' AS was_called, \
             attempts > 0 AS was_tried, \
             first_failed_at_ms < ?1 AS is_lasting, \
             count(DISTINCT iif(code = ?2, message, failure_id)) AS count, min(first_failed_at_ms) AS since_ms FROM open_failures WHERE state <> 'ignored' \
             GROUP BY service, kind, code, state, is_standing, was_called, was_tried, is_lasting \
             ORDER BY service, kind, code, state, is_standing, was_called, was_tried, is_lasting",
        )
        .bind(lasting_ms)
        // A wrong gid is one cause, however many students it keeps out.
        .bind(FailureCode::GroupRefused.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("counting what waits")?;
        let mut waiting: BTreeMap<WaitingKind, Waiting> = BTreeMap::new();
        for group in groups {
            let state = state(group.failure_id, &group.state)?;
            let Some(why) = group.kind(state) else { continue };
            let key = key(group.failure_id, &group.service, &group.kind, String::new(), String::new())?;
            let owner = FailureOwner::of(key.kind, &FailureCode::parse(&group.code), state);
            // What is not the service's doing uses up attempts and becomes a dead letter.
            if why != WaitingKind::Lasting || owner == FailureOwner::Service {
                waiting.entry(why).or_default().add(owner, group.count, group.since_ms);
            }
        }
        for (table, count, since_ms) in self.unusable_rows().await? {
            let owner = owner_of_row(&table, FailureState::Waiting);
            waiting.entry(WaitingKind::BadRows).or_default().add(owner, count, since_ms);
        }
        Ok(waiting)
    }
}
