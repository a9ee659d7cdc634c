//! The memory of ClassIn accounts and their students. Names and contacts are kept only as keyed fingerprints.

use std::collections::{BTreeSet, HashMap};

use futures_util::stream::{Stream, StreamExt};
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written, counted};
use super::keys::{fingerprint, stored};
use super::{StateStore, StoreError};
use rosterd_core::classin_plan::{Account, AccountChange, AccountOrigin, Code, Obtained};
use rosterd_core::roster::{ClassinUid, RunId, StudentId};

const DOING: &str = "reading accounts";

#[derive(sqlx::FromRow)]
struct AccountRow {
    student_id: String,
    uid: i64,
    origin: String,
    school_student: bool,
    contact: Option<i64>,
    school_name: Option<i64>,
    obtained_by: Option<String>,
    obtained_code: Option<i64>,
    obtained_at_ms: Option<i64>,
    refused: Option<i64>,
    found_anew: Option<i64>,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let Some(origin) = AccountOrigin::parse(&row.origin) else {
            let what = "has an unknown origin";
            return Err(StoreError::Row { table: "accounts", key: row.student_id, what });
        };
        Ok(Self {
            student: StudentId::new(row.student_id),
            uid: ClassinUid(row.uid),
            origin,
            is_school_student: row.school_student,
            contact: row.contact.map(fingerprint),
            school_name: row.school_name.map(fingerprint),
            obtained: match (row.obtained_by, row.obtained_code, row.obtained_at_ms) {
                (Some(call), Some(code), Some(at_ms)) => Some(Obtained { call, code: Code(code), at_ms }),
                _ => None,
            },
            refused: row.refused.map(Code),
            found_anew: row.found_anew.map(fingerprint),
        })
    }
}

impl StateStore {
    /// The accounts of these students, as far as they are remembered.
    pub async fn accounts_among<'a>(
        &self,
        students: impl IntoIterator<Item = &'a StudentId>,
    ) -> Result<HashMap<StudentId, Account>, StoreError> {
        let asked: Vec<&str> = students.into_iter().map(StudentId::as_str).collect();
        if asked.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<AccountRow> = sqlx::query_as(
            "SELECT student_id, uid, origin, school_student, contact, school_name, obtained_by, obtained_code, \
             obtained_at_ms, refused, found_anew FROM accounts WHERE student_id IN (SELECT value FROM json_each(?)) ORDER BY student_id",
        )
        .bind(serde_json::json!(asked).to_string())
        .fetch_all(&self.reader)
        .await
        .doing(DOING)?;
        let pair = |row| Account::try_from(row).map(|account| (account.student.clone(), account));
        rows.into_iter().map(pair).collect()
    }

    /// One student's account.
    pub async fn account_of(&self, student: &StudentId) -> Result<Option<Account>, StoreError> {
        Ok(self.accounts_among([student]).await?.remove(student))
    }

    /// All students recorded under this account, in ascending order.
    pub async fn owners_of_account(&self, uid: ClassinUid) -> Result<Vec<StudentId>, StoreError> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT student_id FROM accounts WHERE uid = ? ORDER BY student_id")
                .bind(uid.0)
                .fetch_all(&self.reader)
                .await
                .doing(DOING)?;
        Ok(rows.into_iter().map(StudentId::new).collect())
    }

    /// All students recorded under one of these accounts, with it, in ascending order.
    pub async fn owners_of_accounts(
        &self,
        uids: &BTreeSet<ClassinUid>,
    ) -> Result<Vec<(StudentId, ClassinUid)>, StoreError> {
        let uids: Vec<i64> = uids.iter().map(|uid| uid.0).collect();
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT student_id, uid FROM accounts WHERE uid IN (SELECT value FROM json_each(?)) ORDER BY student_id",
        )
        .bind(serde_json::json!(uids).to_string())
        .fetch_all(&self.reader)
        .await
        .doing(DOING)?;
        Ok(rows.into_iter().map(|(student, uid)| (StudentId::new(student), ClassinUid(uid))).collect())
    }

    /// Who is recorded with one of these accounts in a class or course that takes changes, wanted there or not.
    pub async fn recorded_with(
        &self,
        uids: &BTreeSet<ClassinUid>,
    ) -> Result<Vec<(StudentId, ClassinUid)>, StoreError> {
        let uids: Vec<i64> = uids.iter().map(|uid| uid.0).collect();
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT DISTINCT student_id, uid FROM enrolments WHERE uid IN (SELECT value FROM json_each(?)) \
             AND evidence NOT IN ('gone', 'condemned') ORDER BY student_id, uid",
        )
        .bind(serde_json::json!(uids).to_string())
        .fetch_all(&self.reader)
        .await
        .doing(DOING)?;
        Ok(rows.into_iter().map(|(student, uid)| (StudentId::new(student), ClassinUid(uid))).collect())
    }

    /// All accounts in ascending order of student id.
    pub fn accounts(&self) -> impl Stream<Item = Result<Account, StoreError>> + Send + '_ {
        sqlx::query_as(
            "SELECT student_id, uid, origin, school_student, contact, school_name, obtained_by, obtained_code, \
             obtained_at_ms, refused, found_anew FROM accounts ORDER BY student_id",
        )
        .fetch(&self.reader)
        .map(|row: Result<AccountRow, _>| row.doing(DOING)?.try_into())
    }

    /// The number of recorded accounts.
    pub async fn count_accounts(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM accounts")
            .fetch_one(&self.reader)
            .await
            .doing("counting accounts")?;
        Ok(counted(count))
    }

    /// Forgets the account of this student, so that it is found anew, and lets what failed for them on ClassIn be tried
    /// again. Says which account that was.
    pub async fn forget_account(
        &self,
        student: &StudentId,
        now_ms: i64,
    ) -> Result<Option<ClassinUid>, StoreError> {
        let doing = "forgetting an account";
        let mut transaction = self.begin().await?;
        let uid: Option<i64> = sqlx::query_scalar("DELETE FROM accounts WHERE student_id = ? RETURNING uid")
            .bind(student.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .doing(doing)?;
        if uid.is_some() {
            sqlx::query(
                "UPDATE failures SET state = 'waiting', attempts = 0, due_at_ms = ? WHERE service = 'classin' \
                 AND student_id = ? AND is_standing = 0 AND state IN ('waiting', 'dead')",
            )
            .bind(now_ms)
            .bind(student.as_str())
            .execute(&mut *transaction)
            .await
            .done(doing)?;
        }
        sqlx::query("DELETE FROM accepted_contacts WHERE student_id = ?")
            .bind(student.as_str())
            .execute(&mut *transaction)
            .await
            .done(doing)?;
        transaction.commit().await.doing(doing)?;
        Ok(uid.map(ClassinUid))
    }

    /// Records what was learnt about accounts, in one transaction.
    pub async fn record_accounts(
        &self,
        changes: &[AccountChange],
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        write(&mut transaction, changes, run, now_ms).await?;
        transaction.commit().await.doing("recording accounts")
    }
}

/// Writes changes inside the caller's transaction.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    changes: &[AccountChange],
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    for change in changes {
        statement(change, run, now_ms).execute(&mut **transaction).await.doing("recording accounts")?;
    }
    Ok(())
}

type Statement<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn statement(change: &AccountChange, run: RunId, now_ms: i64) -> Statement<'_> {
    match change {
        AccountChange::Obtained(account) => obtained(account, run, now_ms),
        AccountChange::Joined { student } => sqlx::query(
            "UPDATE accounts SET school_student = 1, changed_at_ms = ?, run_id = ? WHERE student_id = ?",
        )
        .bind(now_ms)
        .bind(run.0)
        .bind(student.as_str()),
        // Facts about another account of the same student do not apply to this one.
        AccountChange::Accepted { student, uid } => sqlx::query(
            "INSERT INTO accounts (student_id, uid, origin, school_student, changed_at_ms, run_id) \
             VALUES (?, ?, 'roster', 1, ?, ?) \
             ON CONFLICT (student_id) DO UPDATE SET school_student = 1, uid = excluded.uid, \
             origin = CASE WHEN uid = excluded.uid THEN origin ELSE 'roster' END, \
             contact = CASE WHEN uid = excluded.uid THEN contact END, \
             school_name = CASE WHEN uid = excluded.uid THEN school_name END, \
             obtained_by = CASE WHEN uid = excluded.uid THEN obtained_by END, \
             obtained_code = CASE WHEN uid = excluded.uid THEN obtained_code END, \
             obtained_at_ms = CASE WHEN uid = excluded.uid THEN obtained_at_ms END, \
             refused = NULL, found_anew = NULL, \
             changed_at_ms = excluded.changed_at_ms, run_id = excluded.run_id \
             WHERE school_student = 0 OR uid <> excluded.uid OR refused IS NOT NULL OR found_anew IS NOT NULL",
        )
        .bind(student.as_str())
        .bind(uid.0)
        .bind(now_ms)
        .bind(run.0),
        AccountChange::Refused { student, uid, code } => sqlx::query(
            "UPDATE accounts SET refused = ?, changed_at_ms = ?, run_id = ? \
             WHERE student_id = ? AND uid = ? AND origin <> 'roster'",
        )
        .bind(code.0)
        .bind(now_ms)
        .bind(run.0)
        .bind(student.as_str())
        .bind(uid.0),
        AccountChange::Named { student, name } => {
            sqlx::query("UPDATE accounts SET school_name = ? WHERE student_id = ?")
                .bind(stored(*name))
                .bind(student.as_str())
        }
    }
}

fn obtained(account: &Account, run: RunId, now_ms: i64) -> Statement<'_> {
    let by = account.obtained.as_ref();
    sqlx::query(
        "INSERT INTO accounts (student_id, uid, origin, school_student, contact, school_name, obtained_by, \
         obtained_code, obtained_at_ms, refused, found_anew, changed_at_ms, run_id) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (student_id) DO UPDATE SET uid = excluded.uid, origin = excluded.origin, \
         school_student = excluded.school_student, contact = excluded.contact, \
         school_name = excluded.school_name, obtained_by = excluded.obtained_by, \
         obtained_code = excluded.obtained_code, obtained_at_ms = excluded.obtained_at_ms, \
         refused = excluded.refused, found_anew = excluded.found_anew, \
         changed_at_ms = excluded.changed_at_ms, run_id = excluded.run_id",
    )
    .bind(account.student.as_str())
    .bind(account.uid.0)
    .bind(account.origin.as_str())
    .bind(account.is_school_student)
    .bind(account.contact.map(stored))
    .bind(account.school_name.map(stored))
    .bind(by.map(|by| by.call.as_str()))
    .bind(by.map(|by| by.code.0))
    .bind(by.map(|by| by.at_ms))
    .bind(account.refused.map(|code| code.0))
    .bind(account.found_anew.map(stored))
    .bind(now_ms)
    .bind(run.0)
}
