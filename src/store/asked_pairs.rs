//! Who may be one person: of whom a person was asked, who went missing with many others, and which login values were wanted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::error::{Doing, Written};
use super::keys::{fingerprint, stored};
use super::link_codec::{hex, pack, unpack};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::{AskedNewcomer, Fingerprint, Pair, RememberedPairs};
use rosterd_core::roster::StudentId;

const DOING: &str = "remembering who was asked about";

/// One pair, as it is stored.
#[derive(sqlx::FromRow)]
struct PairRow {
    leaver_id: String,
    newcomer_id: String,
    were_alike: bool,
    newcomer_row: Vec<u8>,
}

impl StateStore {
    /// The pairs that a person was asked about, one by one, and whose leaver has not been carried over, dismissed or seen
    /// again; and the login values that were wanted of students whose candidates had others.
    pub async fn remembered_pairs(&self) -> Result<RememberedPairs, StoreError> {
        let wanted: Vec<(String, i64)> =
            sqlx::query_as("SELECT student_id, login FROM wanted_logins ORDER BY student_id")
                .fetch_all(&self.reader)
                .await
                .doing("reading which login values were wanted")?;
        let wanted: HashMap<StudentId, Fingerprint> = wanted
            .into_iter()
            .map(|(student, login)| (StudentId::new(student), fingerprint(login)))
            .collect();
        let pairs = self.open_pairs(false).await?.into_iter();
        let read = |PairRow { leaver_id, newcomer_id, were_alike, newcomer_row }: PairRow| {
            let row = unpack(&newcomer_row).ok_or_else(|| StoreError::Row {
                table: "asked_pairs",
                key: leaver_id.clone(),
                what: "has a row that cannot be read",
            })?;
            let pair = (StudentId::new(leaver_id), StudentId::new(newcomer_id));
            Ok((pair, AskedNewcomer { were_alike, row, is_by_values: false }))
        };
        Ok(RememberedPairs { asked: pairs.map(read).collect::<Result<_, StoreError>>()?, wanted })
    }

    /// The same pairs with those who went missing together.
    pub async fn pairs_found_before(&self) -> Result<Vec<Pair>, StoreError> {
        let pairs = self.open_pairs(true).await?.into_iter();
        Ok(pairs.map(|pair| (StudentId::new(pair.leaver_id), StudentId::new(pair.newcomer_id))).collect())
    }

    async fn open_pairs(&self, of_mass_too: bool) -> Result<Vec<PairRow>, StoreError> {
        sqlx::query_as(
            "SELECT leaver_id, newcomer_id, were_alike, newcomer_row FROM asked_pairs JOIN links ON student_id = leaver_id \
             WHERE gone_since_ms IS NOT NULL AND of_mass <= ? ORDER BY leaver_id, asked_at_ms, newcomer_id",
        )
        .bind(of_mass_too)
        .fetch_all(&self.reader)
        .await
        .doing("reading who was asked about")
    }

    /// Remembers pairs that a person is asked about, and pairs of a mass, and forgets those whose leaver is none any more, and
    /// those that are answered.
    pub async fn remember_asked_pairs(
        &self,
        (asked, answered): (&BTreeMap<Pair, AskedNewcomer>, &BTreeSet<Pair>),
        of_mass: &[Pair],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let stored: i64 = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM asked_pairs)")
            .fetch_one(&self.reader)
            .await
            .doing(DOING)?;
        if stored == 0 && asked.is_empty() && of_mass.is_empty() {
            return Ok(());
        }
        let one_by_one = asked.iter().map(|((leaver, newcomer), AskedNewcomer { were_alike, row, .. })| {
            serde_json::json!([leaver.as_str(), newcomer.as_str(), false, were_alike, hex(&pack(row))])
        });
        let together = of_mass.iter().map(|(leaver, newcomer)| {
            serde_json::json!([leaver.as_str(), newcomer.as_str(), true, false, ""])
        });
        let rows: serde_json::Value = together.chain(one_by_one).collect();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM asked_pairs WHERE leaver_id NOT IN (SELECT student_id FROM links WHERE gone_since_ms IS NOT NULL)",
        )
        .execute(&mut *transaction)
        .await
        .doing(DOING)?;
        let answered: Vec<[&str; 2]> =
            answered.iter().map(|(one, other)| [one.as_str(), other.as_str()]).collect();
        sqlx::query(
            "DELETE FROM asked_pairs WHERE (leaver_id, newcomer_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        )
        .bind(serde_json::json!(answered).to_string())
        .execute(&mut *transaction)
        .await
        .doing(DOING)?;
        sqlx::query(
            "INSERT INTO asked_pairs (leaver_id, newcomer_id, of_mass, were_alike, newcomer_row, asked_at_ms) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4), ? FROM json_each(?) WHERE true \
             ON CONFLICT DO UPDATE SET of_mass = min(of_mass, excluded.of_mass), \
             were_alike = max(were_alike, excluded.were_alike), \
             newcomer_row = iif(excluded.newcomer_row = x'', newcomer_row, excluded.newcomer_row)",
        )
        .bind(now_ms)
        .bind(rows.to_string())
        .execute(&mut *transaction)
        .await
        .done(DOING)?;
        transaction.commit().await.doing(DOING)
    }

    /// Remembers the login values that are wanted of students whose candidates have others. Those of leavers stay.
    pub async fn remember_wanted_logins(
        &self,
        wanted: &BTreeMap<StudentId, Fingerprint>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "remembering which login values are wanted";
        let is_any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM wanted_logins)")
            .fetch_one(&self.reader)
            .await
            .doing(doing)?;
        if !is_any && wanted.is_empty() {
            return Ok(());
        }
        let rows: serde_json::Value = wanted
            .iter()
            .map(|(student, login)| serde_json::json!([student.as_str(), stored(*login)]))
            .collect();
        let rows = rows.to_string();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM wanted_logins WHERE student_id NOT IN (SELECT value ->> 0 FROM json_each(?)) \
             AND student_id NOT IN (SELECT student_id FROM links WHERE gone_since_ms IS NOT NULL)",
        )
        .bind(&rows)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        sqlx::query(
            "INSERT INTO wanted_logins (student_id, login, noted_at_ms) \
             SELECT value ->> 0, value ->> 1, ? FROM json_each(?) WHERE true \
             ON CONFLICT DO UPDATE SET login = excluded.login, noted_at_ms = excluded.noted_at_ms \
             WHERE login <> excluded.login",
        )
        .bind(now_ms)
        .bind(&rows)
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        transaction.commit().await.doing(doing)
    }
}
