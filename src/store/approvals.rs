//! What a person let go ahead, and what it is good for.

use std::collections::{BTreeSet, HashSet};

use rosterd_core::exam_plan::{Approved, Fingerprint, HoldReason, HoldWord, NamedHold, OperationKind};
use rosterd_core::failure::{OperationKey, RecordedKind, Service};
use rosterd_core::roster::StudentId;
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written, counted};
use super::keys::{fingerprint, keys, read_key, stored};
use super::{StateStore, StoreError, held_masses};

/// One operation that an approval of a digest may cover: it was held under that digest, and is held still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvable {
    pub key: OperationKey,
    pub desired_hash: Fingerprint,
    pub of_leaver: bool,
    /// For a hold about single people: what has to be named.
    pub word: Option<HoldWord>,
    /// What such a hold named.
    pub about: Fingerprint,
    /// The word of the reason.
    pub reason: String,
    /// When a run or a plan last found it held.
    pub held_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct ApprovalRow {
    kind: String,
    student_id: String,
    class_code: String,
    want: i64,
    word: String,
    about: i64,
}

#[derive(sqlx::FromRow)]
struct ApprovableRow {
    service: String,
    kind: String,
    student_id: String,
    class_code: String,
    want: i64,
    of_leaver: bool,
    about: i64,
    is_named: bool,
    reason: String,
    held_at_ms: i64,
}

impl TryFrom<ApprovableRow> for Approvable {
    type Error = StoreError;

    fn try_from(row: ApprovableRow) -> Result<Self, StoreError> {
        let place = ("held_operations", &row.reason as &dyn std::fmt::Display);
        let key = read_key(place, (&row.service, &row.kind), row.student_id, row.class_code)?;
        let word = if row.is_named { HoldWord::parse(&row.reason) } else { None };
        let desired_hash = fingerprint(row.want);
        let (of_leaver, about, held_at_ms) = (row.of_leaver, fingerprint(row.about), row.held_at_ms);
        Ok(Self { key, desired_hash, of_leaver, word, about, reason: row.reason, held_at_ms })
    }
}

impl StateStore {
    /// What was held under this digest and is held still, by the newest run or plan: what came later waits for its own
    /// approval, and what has ended or is no longer wanted needs none.
    pub async fn approvable(&self, digest: &str) -> Result<Vec<Approvable>, StoreError> {
        let rows: Vec<ApprovableRow> = sqlx::query_as(
            "SELECT DISTINCT o.service, o.kind, o.student_id, o.class_code, o.want, o.of_leaver, o.about, \
             n.is_named, n.reason, n.held_at_ms \
             FROM hold_digests AS d \
             JOIN holds AS h ON h.hold_digest = d.hold_digest \
             JOIN held_operations AS o ON o.hold_digest = d.hold_digest \
             JOIN held_operations AS s ON s.service = o.service AND s.kind = o.kind \
             AND s.student_id = o.student_id AND s.class_code = o.class_code AND s.want = o.want \
             AND s.about = o.about \
             JOIN holds AS n ON n.hold_digest = s.hold_digest AND n.is_standing = 1 \
             AND n.is_named = h.is_named AND (n.is_named = 0 OR n.reason = h.reason) \
             WHERE d.digest = ? \
             ORDER BY o.service DESC, o.kind, o.student_id, o.class_code, o.want",
        )
        .bind(digest)
        .fetch_all(&self.reader)
        .await
        .doing("reading what is held")?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Lets these go ahead, each until a moment. Who approves what was silenced has changed their mind.
    pub async fn grant(&self, granted: &[(Approvable, i64)], now_ms: i64) -> Result<(), StoreError> {
        let doing = "approving what is held";
        let mut transaction = self.begin().await?;
        for (Approvable { key, desired_hash, of_leaver, word, about, .. }, until_ms) in granted {
            sqlx::query(
                "INSERT INTO approvals (service, kind, student_id, class_code, want, word, about, of_leaver, \
                 given_at_ms, until_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT DO UPDATE SET given_at_ms = excluded.given_at_ms, until_ms = excluded.until_ms",
            )
            .bind(key.service().as_str())
            .bind(key.kind.as_str())
            .bind(key.student.as_str())
            .bind(&key.class_key)
            .bind(stored(*desired_hash))
            .bind(word.map_or("", HoldWord::as_str))
            .bind(stored(*about))
            .bind(of_leaver)
            .bind(now_ms)
            .bind(until_ms)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
            held_masses::decide(&mut transaction, key, stored(*desired_hash)).await?;
            if word.is_some() {
                wake(&mut transaction, key).await?;
            }
        }
        transaction.commit().await.doing(doing)
    }

    /// Lets what a limit holds under this digest go ahead until a moment, as if it had been said long ago. Says how many
    /// operations that are.
    pub async fn approve(&self, digest: &str, until_ms: i64) -> Result<u64, StoreError> {
        let held = self.approvable(digest).await?.into_iter().filter(|one| one.word.is_none());
        let granted: Vec<(Approvable, i64)> = held.map(|one| (one, until_ms)).collect();
        self.grant(&granted, 0).await?;
        Ok(counted(i64::try_from(granted.len()).unwrap_or(i64::MAX)))
    }

    /// Approvals of exam-side operations that are valid now.
    pub async fn approved(&self, now_ms: i64) -> Result<Approved, StoreError> {
        let mut approved = Approved::default();
        for (key, desired_hash, named) in self.approvals(Service::Exam, now_ms).await? {
            match (key.kind, named) {
                (RecordedKind::Exam(OperationKind::CreateGroup), _) => approved.insert_group(desired_hash),
                (RecordedKind::Exam(kind), None) => approved.insert(key.student, kind, desired_hash),
                (RecordedKind::Exam(kind), Some(hold)) => {
                    approved.insert_named(key.student, kind, desired_hash, hold);
                }
                (RecordedKind::Classin(_) | RecordedKind::RosterRow, _) => {}
            }
        }
        Ok(approved)
    }

    /// What may go ahead now on ClassIn because a person approved it: what it wants and, of a hold about single people,
    /// what that named.
    pub async fn approved_in_classin(
        &self,
        now_ms: i64,
    ) -> Result<Vec<(OperationKey, Fingerprint, Option<NamedHold>)>, StoreError> {
        self.approvals(Service::Classin, now_ms).await
    }

    /// What a person let go ahead and has not ended yet, of either service; of a hold about single people with its word.
    pub async fn approved_now(
        &self,
        now_ms: i64,
    ) -> Result<HashSet<(OperationKey, Option<HoldWord>)>, StoreError> {
        let mut approved = HashSet::new();
        for service in [Service::Exam, Service::Classin] {
            let of_service = self.approvals(service, now_ms).await?.into_iter();
            approved.extend(of_service.map(|(key, _, named)| (key, named.map(|named| named.word))));
        }
        Ok(approved)
    }

    async fn approvals(
        &self,
        service: Service,
        now_ms: i64,
    ) -> Result<Vec<(OperationKey, Fingerprint, Option<NamedHold>)>, StoreError> {
        let rows: Vec<ApprovalRow> = sqlx::query_as(
            "SELECT kind, student_id, class_code, want, word, about FROM approvals \
             WHERE service = ? AND until_ms > ? ORDER BY kind, student_id, class_code, want, word, about",
        )
        .bind(service.as_str())
        .bind(now_ms)
        .fetch_all(&self.reader)
        .await
        .doing("reading approvals")?;
        let approval = |row: ApprovalRow| {
            let ApprovalRow { kind, student_id, class_code, want, word, about } = row;
            let place = ("approvals", &kind as &dyn std::fmt::Display);
            let key = read_key(place, (service.as_str(), &kind), student_id, class_code)?;
            let named = HoldWord::parse(&word).map(|word| NamedHold { word, about: fingerprint(about) });
            Ok((key, fingerprint(want), named))
        };
        rows.into_iter().map(approval).collect()
    }

    /// An approved operation that has ended needs a new approval next time.
    pub async fn use_up_approvals(&self, ended: &[OperationKey]) -> Result<(), StoreError> {
        if ended.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        use_up(&mut transaction, ended).await?;
        transaction.commit().await.doing("using up approvals")
    }

    /// Takes back the approvals of what the newest complete plan of a service no longer wants. Of a leaver of the exam
    /// side, who may still have to wait, it is the return that ends an approval; of whom the plan leaves open what is
    /// wanted, no approval ends.
    pub async fn end_unwanted_approvals(
        &self,
        service: Service,
        wanted: &HashSet<(OperationKey, Fingerprint)>,
        left_open: &HashSet<&StudentId>,
    ) -> Result<(), StoreError> {
        let doing = "ending approvals";
        let rows: Vec<(i64, String, String, String, i64, bool, bool)> = sqlx::query_as(
            "SELECT a.given_at_ms, a.kind, a.student_id, a.class_code, a.want, a.of_leaver, \
             l.student_id IS NOT NULL FROM approvals AS a \
             LEFT JOIN links AS l ON l.student_id = a.student_id AND l.gone_since_ms IS NOT NULL \
             WHERE a.service = ? ORDER BY a.kind, a.student_id, a.class_code",
        )
        .bind(service.as_str())
        .fetch_all(&self.reader)
        .await
        .doing(doing)?;
        let mut unwanted = BTreeSet::new();
        for (at_ms, kind, student, class, want, of_leaver, is_gone) in rows {
            let key = read_key(("approvals", &at_ms), (service.as_str(), &kind), student, class)?;
            let is_wanted = wanted.contains(&(key.clone(), fingerprint(want)));
            let stands = if of_leaver { is_gone } else { is_wanted || left_open.contains(&key.student) };
            if !stands {
                unwanted.insert((kind, key.student.as_str().to_owned(), key.class_key, want));
            }
        }
        if unwanted.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "DELETE FROM approvals WHERE service = ? AND (kind, student_id, class_code, want) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))",
        )
        .bind(service.as_str())
        .bind(serde_json::json!(unwanted).to_string())
        .execute(self.writer()?)
        .await
        .done(doing)
    }

    /// Students of whom a person let something go ahead because they have left.
    pub async fn approved_leavers(&self) -> Result<HashSet<StudentId>, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT student_id FROM approvals WHERE of_leaver = 1 ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading approvals of leavers")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }

    /// Takes back what a person let go ahead because these students had left, and that they were held together: they are back.
    pub async fn forget_leave_of(&self, students: &HashSet<StudentId>) -> Result<(), StoreError> {
        if students.is_empty() {
            return Ok(());
        }
        let doing = "ending what was said of students who are back";
        let students: BTreeSet<&str> = students.iter().map(StudentId::as_str).collect();
        let students = serde_json::json!(students).to_string();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM approvals WHERE of_leaver = 1 AND student_id IN (SELECT value FROM json_each(?))",
        )
        .bind(&students)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        held_masses::forget_returned(&mut transaction, &students).await?;
        transaction.commit().await.doing(doing)
    }

    /// What is wanted is known by another hash now, as of a group that has its gid since: its approval stays one.
    pub async fn carry_approvals(
        &self,
        renamed: &[(OperationKey, Fingerprint, Fingerprint)],
    ) -> Result<(), StoreError> {
        let rows: Vec<(&str, &str, &str, i64, i64)> = renamed
            .iter()
            .map(|(key, before, now)| {
                let (kind, student) = (key.kind.as_str(), key.student.as_str());
                (key.service().as_str(), kind, student, stored(*before), stored(*now))
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE OR REPLACE approvals SET want = it.value ->> 4 FROM json_each(?) AS it \
             WHERE approvals.service = it.value ->> 0 AND approvals.kind = it.value ->> 1 \
             AND approvals.student_id = it.value ->> 2 AND approvals.class_code = '' \
             AND approvals.want = it.value ->> 3",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(self.writer()?)
        .await
        .done("carrying approvals over")
    }

    /// Since when a student has been gone whose places in ClassIn wait for the grace, as far as a run has seen it.
    pub async fn gone_from_classes_since(&self, student: &StudentId) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar("SELECT max(gone_since_ms) FROM enrolments WHERE student_id = ?")
            .bind(student.as_str())
            .fetch_one(&self.reader)
            .await
            .doing("reading since when a student is gone from classes")
    }

    /// Since when each of these students has been gone, as far as a run has seen it.
    pub async fn gone_since(&self, student: &StudentId) -> Result<Option<i64>, StoreError> {
        let since: Option<Option<i64>> =
            sqlx::query_scalar("SELECT gone_since_ms FROM links WHERE student_id = ?")
                .bind(student.as_str())
                .fetch_optional(&self.reader)
                .await
                .doing("reading since when a student is gone")?;
        Ok(since.flatten())
    }
}

/// What a person silenced about single people is held again, so that their approval counts. A leaver's is theirs whatever
/// the kind. Whose silence says that somebody has left goes together with any approval.
async fn wake(transaction: &mut Transaction<'_, Sqlite>, key: &OperationKey) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE failures SET state = 'held' WHERE is_standing = 1 AND state = 'ignored' AND service = ?1 \
         AND student_id = ?2 AND class_code = ?3 AND (kind = ?4 OR of_leaver = 1) \
         AND code IN (SELECT value FROM json_each(?5)) AND NOT (code = ?6 AND about IS ?7)",
    )
    .bind(key.service().as_str())
    .bind(key.student.as_str())
    .bind(&key.class_key)
    .bind(key.kind.as_str())
    .bind(serde_json::json!(HoldWord::ALL.map(HoldWord::as_str)).to_string())
    .bind(HoldReason::StillNamed.named().map(|named| named.word.as_str()))
    .bind(HoldReason::StillNamed.named().map(|named| stored(named.about)))
    .execute(&mut **transaction)
    .await
    .done("waking what was silenced")
}

/// Takes back the approvals of what has ended, inside the caller's transaction.
pub(super) async fn use_up(
    transaction: &mut Transaction<'_, Sqlite>,
    ended: &[OperationKey],
) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM approvals WHERE (service, kind, student_id, class_code) IN \
         (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))",
    )
    .bind(keys(ended))
    .execute(&mut **transaction)
    .await
    .done("using up approvals")
}
