//! Which account of each service the state belongs to, and what is given up when it is to belong to another one.

use std::collections::BTreeMap;

use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written, counted};
use super::keys::{fingerprint, stored};
use super::link_codec::{json, numbers, unpack};
use super::{StateStore, StoreError};
use rosterd_core::account::ServiceAccount;
use rosterd_core::exam_plan::{Fingerprint, MemoryKey};
use rosterd_core::failure::Service;
use rosterd_core::roster::{FieldId, LoginValue, Sid, StudentId};

/// An account as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedAccount {
    pub fingerprint: Fingerprint,
    pub host: String,
    /// Since when the state belongs to it, in milliseconds since 1970 UTC.
    pub since_ms: i64,
}

/// A link as far as it can be proved: this candidate had this login value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvableLink {
    pub student: StudentId,
    pub sid: Sid,
    pub login: LoginValue,
    /// The values last confirmed, as fingerprints.
    pub confirmed: BTreeMap<FieldId, Fingerprint>,
    /// The forms in which the service keeps values that it rewrites.
    pub rewritten: BTreeMap<FieldId, Fingerprint>,
    /// Whether the student was gone from the roster when a run last read it.
    pub has_left: bool,
}

type ProvableRow = (String, i64, String, Vec<u8>, Vec<u8>, String, bool);

/// What becomes of everything else that was learnt in the account before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherRecords {
    /// It is the same account.
    Keep,
    /// It is another one: groups, fields, open failures and unanswered calls of the one before mean nothing there.
    Forget,
}

/// What account of a service the state is to belong to from now on.
#[derive(Clone, Debug)]
pub struct AccountTaking {
    pub account: ServiceAccount,
    /// Links to these candidates are forgotten, and whose results are kept under their sids.
    pub given_up: Vec<Sid>,
    pub others: OtherRecords,
}

/// The fact that a run has met too many candidates that are not those that the links mean.
pub const STRANGERS_FACT: &str = "exam.strangers";

const FORGET_EXAM: [&str; 13] = [
    "DELETE FROM former_candidates",
    "DELETE FROM known_groups",
    "DELETE FROM roster_groups",
    "DELETE FROM asked_pairs",
    "DELETE FROM wanted_logins",
    "DELETE FROM group_creations",
    "DELETE FROM repeated_logins",
    "DELETE FROM unlisted_candidates",
    "DELETE FROM standing_answers",
    "DELETE FROM facts WHERE name IN ('exam.fields', 'exam.listed_labels', 'exam.login_field', 'exam.change_mode', 'exam.emptied_fields')",
    "DELETE FROM intents WHERE service = 'exam'",
    "DELETE FROM result_passes WHERE finished_at_ms IS NULL",
    "UPDATE result_passes SET is_certain = 0, surplus = NULL WHERE pass_id = (SELECT max(pass_id) FROM result_passes)",
];

/// The results of the account before stay those of the students whose they are, under the next free number: whose they
/// are is noted while the links still tell.
const KEEP_RESULTS_APART: [&str; 4] = [
    "INSERT INTO result_owners (sid, student_id) SELECT sid, student_id FROM links \
     WHERE sid IN (SELECT sid FROM results WHERE account = 0) \
     ON CONFLICT (sid, account) DO UPDATE SET student_id = excluded.student_id, gone_at_ms = NULL",
    "UPDATE OR REPLACE result_owners SET account = (SELECT max(account) + 1 FROM results) \
     WHERE account = 0 AND sid IN (SELECT sid FROM results WHERE account = 0)",
    "UPDATE results SET account = (SELECT max(account) + 1 FROM results) WHERE account = 0",
    "DELETE FROM result_owners WHERE account = 0",
];

const FORGET_CLASSIN: [&str; 8] = [
    "DELETE FROM enrolments",
    "DELETE FROM accounts",
    "DELETE FROM accepted_contacts",
    "DELETE FROM condemned_classes",
    "DELETE FROM full_classes",
    "DELETE FROM roster_class_ids",
    "DELETE FROM class_names",
    "DELETE FROM intents WHERE service = 'classin'",
];

impl ProvableLink {
    /// Whether the login value is one that we took the candidate over by or wrote ourselves. One that only followed what a
    /// listing showed proves nothing: in another account it was followed too.
    pub fn has_login_of_ours(&self, login_field: FieldId, key: &MemoryKey) -> bool {
        let login = key.value(login_field, self.login.as_str());
        let confirmed = self.confirmed.get(&login_field).is_none_or(|confirmed| *confirmed == login);
        confirmed || self.rewritten.get(&login_field).is_some_and(|form| form.is_like(login))
    }
}

fn links(rows: Vec<ProvableRow>) -> Vec<ProvableLink> {
    let link = |(student, sid, login, confirmed, suspected, rewritten, has_left): ProvableRow| {
        let fields = numbers(&rewritten, FieldId).unwrap_or_default();
        let mut rewritten = unpack(&suspected).unwrap_or_default();
        rewritten.retain(|field, _| fields.contains(field));
        ProvableLink {
            student: StudentId::new(student),
            sid: Sid(sid),
            login: LoginValue::new(login),
            confirmed: unpack(&confirmed).unwrap_or_default(),
            rewritten,
            has_left,
        }
    };
    rows.into_iter().map(link).collect()
}

impl StateStore {
    /// The account of a service that the state belongs to, where it belongs to one.
    pub async fn remembered_account(
        &self,
        service: Service,
    ) -> Result<Option<RememberedAccount>, StoreError> {
        let row: Option<(i64, String, i64)> =
            sqlx::query_as("SELECT fingerprint, host, since_ms FROM service_accounts WHERE service = ?")
                .bind(service.as_str())
                .fetch_optional(&self.reader)
                .await
                .doing("reading which account the state belongs to")?;
        Ok(row.map(|(stored, host, since_ms)| RememberedAccount {
            fingerprint: fingerprint(stored),
            host,
            since_ms,
        }))
    }

    /// Notes that the account that the state belongs to has this address and name by now.
    pub async fn take_account(&self, account: &ServiceAccount, now_ms: i64) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        take(&mut transaction, account, OtherRecords::Keep, now_ms).await?;
        transaction.commit().await.doing(TAKING)
    }

    /// The state belongs to these accounts from now on: to all of them or, where that fails, to none. In another exam
    /// account a sid is somebody else's.
    pub async fn take_accounts(&self, takings: &[AccountTaking], now_ms: i64) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for AccountTaking { account, given_up, others } in takings {
            if account.service == Service::Exam {
                if *others == OtherRecords::Forget {
                    for statement in KEEP_RESULTS_APART {
                        sqlx::query(statement).execute(&mut *transaction).await.doing(TAKING)?;
                    }
                }
                give_up(&mut transaction, given_up).await?;
            }
            let statements: &[&'static str] = match account.service {
                Service::Exam => &FORGET_EXAM,
                Service::Classin => &FORGET_CLASSIN,
                Service::Roster => &[],
            };
            if *others == OtherRecords::Forget {
                forget(&mut transaction, account.service, statements, now_ms).await?;
            }
            take(&mut transaction, account, *others, now_ms).await?;
        }
        transaction.commit().await.doing(TAKING)
    }

    /// The links at these places, counted from 0 in the order of the sids.
    pub async fn links_at(&self, places: &[u64]) -> Result<Vec<ProvableLink>, StoreError> {
        let rows: Vec<ProvableRow> = sqlx::query_as(
            "SELECT student_id, sid, login_value, confirmed, suspected, rewritten, gone_since_ms IS NOT NULL FROM \
             (SELECT *, row_number() OVER (ORDER BY sid) - 1 AS place FROM links) \
             WHERE place IN (SELECT value FROM json_each(?)) ORDER BY sid",
        )
        .bind(serde_json::json!(places).to_string())
        .fetch_all(&self.reader)
        .await
        .doing("reading links to look up")?;
        Ok(links(rows))
    }

    /// At most `count` links with a higher sid than `after`, in ascending order.
    pub async fn links_after(&self, after: Option<Sid>, count: u32) -> Result<Vec<ProvableLink>, StoreError> {
        let rows: Vec<ProvableRow> = sqlx::query_as(
            "SELECT student_id, sid, login_value, confirmed, suspected, rewritten, gone_since_ms IS NOT NULL FROM links \
             WHERE ?1 IS NULL OR sid > ?1 ORDER BY sid LIMIT ?2",
        )
        .bind(after.map(|sid| sid.0))
        .bind(count)
        .fetch_all(&self.reader)
        .await
        .doing("reading links to look up")?;
        Ok(links(rows))
    }

    /// How many ClassIn enrolments, accounts and unanswered calls are on record.
    pub async fn count_classin_records(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM enrolments) + (SELECT count(*) FROM accounts) \
             + (SELECT count(*) FROM intents WHERE service = 'classin')",
        )
        .fetch_one(&self.reader)
        .await
        .doing("counting what is remembered of ClassIn")?;
        Ok(counted(count))
    }
}

const TAKING: &str = "taking an account for the state's own";

async fn give_up(transaction: &mut Transaction<'_, Sqlite>, given_up: &[Sid]) -> Result<(), StoreError> {
    let sids = json(given_up.iter().map(|sid| sid.0));
    for statement in [
        // A person has decided about those whose candidates were gone.
        "DELETE FROM held_masses WHERE service = 'exam' AND reason = 'vanished' AND student_id IN \
         (SELECT student_id FROM links WHERE sid IN (SELECT value FROM json_each(?)))",
        "DELETE FROM intents WHERE service = 'exam' AND student_id IN \
         (SELECT student_id FROM links WHERE sid IN (SELECT value FROM json_each(?)))",
        "DELETE FROM links WHERE sid IN (SELECT value FROM json_each(?))",
        "DELETE FROM result_owners WHERE account = 0 AND sid IN (SELECT value FROM json_each(?))",
    ] {
        sqlx::query(statement).bind(&sids).execute(&mut **transaction).await.doing(TAKING)?;
    }
    Ok(())
}

/// A new address or code of the same account leaves the moment as it is.
async fn take(
    transaction: &mut Transaction<'_, Sqlite>,
    account: &ServiceAccount,
    others: OtherRecords,
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO service_accounts (service, fingerprint, host, since_ms) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (service) DO UPDATE SET fingerprint = excluded.fingerprint, host = excluded.host, \
         since_ms = CASE WHEN ?5 THEN excluded.since_ms ELSE since_ms END",
    )
    .bind(account.service.as_str())
    .bind(stored(account.fingerprint))
    .bind(&account.host)
    .bind(now_ms)
    .bind(others == OtherRecords::Forget)
    .execute(&mut **transaction)
    .await
    .done(TAKING)?;
    if account.service == Service::Exam {
        sqlx::query("DELETE FROM facts WHERE name = ?")
            .bind(STRANGERS_FACT)
            .execute(&mut **transaction)
            .await
            .done(TAKING)?;
    }
    Ok(())
}

async fn forget(
    transaction: &mut Transaction<'_, Sqlite>,
    service: Service,
    statements: &[&'static str],
    now_ms: i64,
) -> Result<(), StoreError> {
    for statement in statements {
        sqlx::query(*statement).execute(&mut **transaction).await.doing(TAKING)?;
    }
    sqlx::query(
        "UPDATE failures SET state = 'superseded', closed_at_ms = ? \
         WHERE service = ? AND state NOT IN ('resolved', 'superseded')",
    )
    .bind(now_ms)
    .bind(service.as_str())
    .execute(&mut **transaction)
    .await
    .done(TAKING)
}
