//! Changes to links, from readings and from applied operations.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::link_codec::{hex, json, numbers, pack, unpack};
use super::{StoreError, former_candidates, rewritten_fields};
use rosterd_core::exam_plan::{Fingerprint, Link, LinkNote};
use rosterd_core::roster::{FieldId, Gid, LoginValue, RunId, StudentId};

/// Links that one statement makes.
const LINKS_AT_ONCE: usize = 500;

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The link as it is to be remembered.
    pub link: Link,
    /// When its groups are to be looked up again, in milliseconds since 1970 UTC.
    pub groups_due_at_ms: i64,
}

/// A change to links that an applied operation brings.
#[derive(Clone, Debug)]
pub enum LinkWrite {
    /// A candidate was added or adopted.
    Make(Box<NewLink>),
    /// Values were written and confirmed.
    Values {
        student: StudentId,
        /// The login value, where that changed.
        login: Option<LoginValue>,
        confirmed: BTreeMap<FieldId, Fingerprint>,
        /// Those that were suspected of being rewritten, and were sent for the second time.
        sent_twice: BTreeSet<FieldId>,
    },
    /// A look-up right after a second write has told what the service makes of values.
    SecondWrites {
        student: StudentId,
        /// The form of the login value that it keeps.
        login: Option<LoginValue>,
        rewritten: BTreeMap<FieldId, Fingerprint>,
        kept: BTreeSet<FieldId>,
    },
    /// The candidate is in these groups now.
    Groups {
        student: StudentId,
        groups: BTreeSet<Gid>,
        /// When they are to be looked up again.
        due_at_ms: i64,
    },
    /// The candidate has joined and left groups.
    Regroup { student: StudentId, join: BTreeSet<Gid>, leave: BTreeSet<Gid> },
    /// The candidate's existence is in doubt: look it up at the next occasion.
    CheckSoon(StudentId),
    /// The candidate is gone.
    Forget(StudentId),
}

/// Records the result of reading for one link, inside the caller's transaction.
pub(super) async fn apply_note(
    transaction: &mut Transaction<'_, Sqlite>,
    note: &LinkNote,
    now_ms: i64,
) -> Result<(), StoreError> {
    let statement = match note {
        LinkNote::Gone(student) => sqlx::query(
            "UPDATE links SET gone_since_ms = min(coalesce(gone_since_ms, ?1), ?1), gone_runs = gone_runs + 1 \
             WHERE student_id = ?2",
        )
        .bind(now_ms)
        .bind(student.as_str().to_owned()),
        LinkNote::Returned(student) => {
            end_decisions(transaction, student, now_ms).await?;
            sqlx::query(
                "UPDATE links SET gone_since_ms = NULL, gone_runs = 0, renamed_at_ms = NULL \
                 WHERE student_id = ?",
            )
            .bind(student.as_str().to_owned())
        }
        LinkNote::Follow(student, login) => {
            sqlx::query(
                "UPDATE links SET login_value = ?1, \
                 gave_way_from = CASE WHEN ?1 NOT GLOB 'moving-' || sid || '-[0-9]*' THEN NULL \
                 WHEN login_value GLOB 'moving-' || sid || '-[0-9]*' THEN gave_way_from ELSE login_value END \
                 WHERE student_id = ?2",
            )
            .bind(login.as_str().to_owned())
            .bind(student.as_str().to_owned())
        }
        LinkNote::RenamedByHand(student) => {
            sqlx::query("UPDATE links SET renamed_at_ms = coalesce(renamed_at_ms, ?) WHERE student_id = ?")
                .bind(now_ms)
                .bind(student.as_str().to_owned())
        }
        LinkNote::Suspected(student, shown) => {
            return rewritten_fields::suspect(transaction, student, shown).await;
        }
        LinkNote::SeenAgain(student, fields) => {
            return rewritten_fields::wait_for_listings(transaction, student, fields, 1).await;
        }
        LinkNote::Cleared(student, fields) => {
            return rewritten_fields::clear(transaction, student, fields).await;
        }
        LinkNote::Close(student) | LinkNote::Lost(student) => {
            former_candidates::keep(transaction, student, now_ms).await?;
            sqlx::query("DELETE FROM links WHERE student_id = ?").bind(student.as_str().to_owned())
        }
        LinkNote::Rewritten(student, fields) => {
            return rewritten_fields::compare_no_more(transaction, student, fields, now_ms).await;
        }
        LinkNote::Confirm(student, confirmed) => {
            return confirm(transaction, student, None, confirmed, None).await;
        }
        LinkNote::Groups(student, groups) => sqlx::query("UPDATE links SET gids = ? WHERE student_id = ?")
            .bind(json(groups.iter().map(|gid| gid.0)))
            .bind(student.as_str().to_owned()),
    };
    statement.execute(&mut **transaction).await.done("remembering what was read")
}

/// A student is back: what was held of them as a leaver, and silenced, is over.
async fn end_decisions(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE failures SET state = 'superseded', closed_at_ms = ? WHERE service = 'exam' AND student_id = ? \
         AND is_standing = 1 AND of_leaver = 1 AND state IN ('waiting', 'dead', 'ignored', 'held')",
    )
    .bind(now_ms)
    .bind(student.as_str())
    .execute(&mut **transaction)
    .await
    .done("ending what a leaver was held for")
}

/// Merges confirmed fingerprints into a link; with `written`, also notes that a listing has yet to show them.
async fn confirm(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    login: Option<&LoginValue>,
    confirmed: &BTreeMap<FieldId, Fingerprint>,
    written: Option<RunId>,
) -> Result<(), StoreError> {
    let doing = "remembering confirmed values";
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT confirmed FROM links WHERE student_id = ?")
        .bind(student.as_str())
        .fetch_optional(&mut **transaction)
        .await
        .doing(doing)?;
    let Some(kept) = kept else { return Ok(()) };
    let mut merged = unpack(&kept).unwrap_or_default();
    merged.extend(confirmed.iter().map(|(field, fingerprint)| (*field, *fingerprint)));
    sqlx::query(
        "UPDATE links SET confirmed = ?1, login_value = coalesce(?2, login_value), \
         gave_way_from = CASE WHEN ?2 IS NULL THEN gave_way_from \
         WHEN ?2 NOT GLOB 'moving-' || sid || '-[0-9]*' THEN NULL \
         WHEN login_value GLOB 'moving-' || sid || '-[0-9]*' THEN gave_way_from ELSE login_value END, \
         unverified = coalesce(?3, unverified), written_run = coalesce(?4, written_run) WHERE student_id = ?5",
    )
    .bind(pack(&merged))
    .bind(login.map(LoginValue::as_str))
    .bind(written.map(|_| json(confirmed.keys().map(|field| field.0))))
    .bind(written.map(|run| run.0))
    .bind(student.as_str())
    .execute(&mut **transaction)
    .await
    .done(doing)
}

/// Marks fields that are being written: until the answer comes their values are unknown.
pub(super) async fn doubt(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    fields: &BTreeSet<FieldId>,
) -> Result<(), StoreError> {
    let doubted = fields.iter().map(|field| (*field, Fingerprint::IN_DOUBT)).collect();
    confirm(transaction, student, None, &doubted, None).await
}

/// Records the result of an applied operation, inside the caller's transaction.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    write: &LinkWrite,
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let statement = match write {
        LinkWrite::Make(new) => return make(transaction, &[new.as_ref()], run, now_ms).await,
        LinkWrite::Values { student, login, confirmed, sent_twice } => {
            confirm(transaction, student, login.as_ref(), confirmed, Some(run)).await?;
            return rewritten_fields::wait_for_listings(transaction, student, sent_twice, 0).await;
        }
        LinkWrite::SecondWrites { student, login, rewritten, kept } => {
            let fields = rewritten.keys().copied().collect();
            rewritten_fields::clear(transaction, student, kept).await?;
            rewritten_fields::suspect(transaction, student, rewritten).await?;
            rewritten_fields::compare_no_more(transaction, student, &fields, now_ms).await?;
            let Some(login) = login else { return Ok(()) };
            sqlx::query("UPDATE links SET login_value = ? WHERE student_id = ?")
                .bind(login.as_str().to_owned())
                .bind(student.as_str().to_owned())
        }
        LinkWrite::Groups { student, groups, due_at_ms } => {
            sqlx::query("UPDATE links SET gids = ?, groups_due_at_ms = ? WHERE student_id = ?")
                .bind(json(groups.iter().map(|gid| gid.0)))
                .bind(*due_at_ms)
                .bind(student.as_str().to_owned())
        }
        LinkWrite::Regroup { student, join, leave } => {
            return regroup(transaction, student, join, leave).await;
        }
        LinkWrite::CheckSoon(student) => {
            sqlx::query("UPDATE links SET groups_due_at_ms = 0 WHERE student_id = ?")
                .bind(student.as_str().to_owned())
        }
        LinkWrite::Forget(student) => {
            former_candidates::keep(transaction, student, now_ms).await?;
            sqlx::query("DELETE FROM links WHERE student_id = ?").bind(student.as_str().to_owned())
        }
    };
    statement.execute(&mut **transaction).await.done("updating a link")
}

async fn regroup(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    join: &BTreeSet<Gid>,
    leave: &BTreeSet<Gid>,
) -> Result<(), StoreError> {
    let doing = "remembering groups";
    let kept: Option<Option<String>> = sqlx::query_scalar("SELECT gids FROM links WHERE student_id = ?")
        .bind(student.as_str())
        .fetch_optional(&mut **transaction)
        .await
        .doing(doing)?;
    // Groups that were never looked up stay unknown.
    let Some(mut groups) = kept.flatten().and_then(|kept| numbers(&kept, Gid)) else { return Ok(()) };
    groups.retain(|gid| !leave.contains(gid));
    groups.extend(join);
    sqlx::query("UPDATE links SET gids = ? WHERE student_id = ?")
        .bind(json(groups.iter().map(|gid| gid.0)))
        .bind(student.as_str())
        .execute(&mut **transaction)
        .await
        .done(doing)
}

/// Makes links, many with one statement: one by one a first sync spends most of its time here.
pub(super) async fn make(
    transaction: &mut Transaction<'_, Sqlite>,
    links: &[&NewLink],
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    for lot in links.chunks(LINKS_AT_ONCE) {
        let rows: Vec<serde_json::Value> = lot.iter().map(|new| row(new)).collect();
        sqlx::query(
            "INSERT INTO links (student_id, sid, login_value, origin, confirmed, unverified, suspected, \
             rewritten, written_run, gids, groups_due_at_ms, gone_since_ms, gone_runs, linked_at_ms) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4), value ->> 5, \
             unhex(value ->> 6), value ->> 7, ?2, value ->> 8, value ->> 9, value ->> 10, value ->> 11, ?3 \
             FROM json_each(?1) WHERE true \
             ON CONFLICT (student_id) DO UPDATE SET sid = excluded.sid, login_value = excluded.login_value, \
             origin = excluded.origin, confirmed = excluded.confirmed, unverified = excluded.unverified, \
             suspected = excluded.suspected, sent_twice = '{}', rewritten = excluded.rewritten, rewritten_since = '{}', \
             written_run = excluded.written_run, gids = excluded.gids, \
             gave_way_from = NULL, groups_due_at_ms = excluded.groups_due_at_ms, gone_since_ms = excluded.gone_since_ms, \
             gone_runs = excluded.gone_runs, renamed_at_ms = NULL, linked_at_ms = excluded.linked_at_ms",
        )
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(run.0)
        .bind(now_ms)
        .execute(&mut **transaction)
        .await
        .done("making links")?;
    }
    Ok(())
}

/// A link as the statement takes it.
fn row(new: &NewLink) -> serde_json::Value {
    let NewLink { link, groups_due_at_ms } = new;
    serde_json::json!([
        link.student.as_str(),
        link.sid.0,
        link.login.as_str(),
        link.origin.as_str(),
        hex(&pack(&link.confirmed)),
        json(link.unverified.iter().map(|field| field.0)),
        hex(&pack(&link.suspected)),
        json(link.rewritten.iter().map(|field| field.0)),
        link.groups.as_ref().map(|groups| json(groups.iter().map(|gid| gid.0))),
        groups_due_at_ms,
        link.gone_since_ms,
        link.gone_runs,
    ])
}
