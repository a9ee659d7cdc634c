//! Links packed for runs that change nothing: one row of the database tells many.
//!
//! Triggers of the schema take a pack away with the first change to one of its links, whoever makes it. So what is packed can
//! be read in the place of its links, and what is not is read from them.

use futures_util::future::BoxFuture;
use rosterd_core::roster::FieldId;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::error::Doing;
use super::link_text::{LINK_TEXT, MOST_FIELDS};
use super::roster::Odd;
use super::row_blocks::{Place, RowSender, send_rows};
use super::{StateStore, StoreError};

/// Stands behind each link's text in a pack.
const AFTER_EACH: char = '\u{1d}';

/// How many links are packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackSizes {
    /// So many links make a pack: one change takes no more of them out.
    pub(crate) pack: i64,
    /// Fewer links between two packs are left where they are.
    pub(crate) least: i64,
    /// Fewer links altogether are read as they are.
    pub(crate) altogether: u64,
}

const USUAL: PackSizes = PackSizes { pack: 1000, least: 100, altogether: 1000 };

const DOING: &str = "packing links";

/// What was read of links that are in no pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnpackedLinks {
    /// The fields that the reading asked for.
    fields: Vec<FieldId>,
    /// How many these links were.
    links: u64,
}

/// A stretch of ids with a pack for all of it, and whether links stand between it and the one before.
#[derive(sqlx::FromRow)]
struct Pack {
    first_id: String,
    last_id: String,
    is_after_others: bool,
}

/// The ids strictly between two others. Without an upper one all that follow: SQLite sorts every text before a BLOB.
struct Between<'a> {
    lower: &'a str,
    upper: Option<&'a str>,
}

#[cfg(test)]
impl UnpackedLinks {
    pub(crate) fn links(&self) -> u64 {
        self.links
    }
}

impl Between<'_> {
    fn places(&self, fields: &[FieldId]) -> Vec<Place> {
        let field = |at: usize| fields.get(at).map(|field| field.0.to_le_bytes().to_vec());
        let upper =
            self.upper.map_or_else(|| Place::Bytes(Some(Vec::new())), |id| Place::Text(id.to_owned()));
        let fields = (0..MOST_FIELDS).map(|at| Place::Bytes(field(at)));
        fields.chain([Place::Text(self.lower.to_owned()), upper]).collect()
    }
}

impl StateStore {
    /// Sends all links in ascending order of student id, with what was confirmed of these fields.
    ///
    /// # Errors
    /// [`Odd::Failed`]; [`Odd::Value`] for more fields than a statement has places for.
    pub fn send_links<'a>(
        &'a self,
        fields: &'a [FieldId],
        sender: RowSender,
    ) -> BoxFuture<'a, Result<UnpackedLinks, Odd>> {
        // Made here and not where it is waited for: a run is a deep one.
        Box::pin(self.send_all(fields, sender))
    }

    async fn send_all(&self, fields: &[FieldId], sender: RowSender) -> Result<UnpackedLinks, Odd> {
        if fields.len() > MOST_FIELDS {
            return Err(Odd::Value);
        }
        let mut transaction = self.reader.begin_with("BEGIN").await.map_err(|_| Odd::Failed)?;
        let named = named(fields);
        let packs = packs(&mut transaction, &named).await.map_err(|_| Odd::Failed)?;
        let (mut links, mut lower) = (0, String::new());
        for Pack { first_id, last_id, is_after_others } in packs {
            if is_after_others {
                let between = Between { lower: &lower, upper: Some(&first_id) };
                links += send_between(&mut transaction, fields, &between, &sender).await?;
            }
            let texts: String = sqlx::query_scalar("SELECT texts FROM packed_links WHERE first_id = ?")
                .bind(first_id)
                .fetch_one(&mut *transaction)
                .await
                .map_err(|_| Odd::Failed)?;
            sender.send(texts.split_terminator(AFTER_EACH)).await;
            lower = last_id;
        }
        let between = Between { lower: &lower, upper: None };
        links += send_between(&mut transaction, fields, &between, &sender).await?;
        Ok(UnpackedLinks { fields: fields.to_vec(), links })
    }

    /// Packs what a run has read that changed nothing, for the next one. A few are left as they are.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn pack_links<'a>(&'a self, unpacked: &'a UnpackedLinks) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.pack_links_by(unpacked, USUAL))
    }

    pub(crate) async fn pack_links_by(
        &self,
        unpacked: &UnpackedLinks,
        sizes: PackSizes,
    ) -> Result<(), StoreError> {
        let UnpackedLinks { fields, links } = unpacked;
        if *links < sizes.altogether {
            return Ok(());
        }
        let named = named(fields);
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM packed_links WHERE fields <> ?")
            .bind(&named)
            .execute(&mut *transaction)
            .await
            .doing(DOING)?;
        // A text with the sign in it would be two.
        let is_splittable: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT 1 FROM links WHERE instr(student_id || login_value, ?) > 0)",
        )
        .bind(AFTER_EACH.to_string())
        .fetch_one(&mut *transaction)
        .await
        .doing(DOING)?;
        if is_splittable {
            let mut lower = String::new();
            for Pack { first_id, last_id, is_after_others } in
                packs(&mut transaction, &named).await.doing(DOING)?
            {
                if is_after_others {
                    let between = Between { lower: &lower, upper: Some(&first_id) };
                    pack_between(&mut transaction, fields, &between, sizes).await?;
                }
                lower = last_id;
            }
            let between = Between { lower: &lower, upper: None };
            pack_between(&mut transaction, fields, &between, sizes).await?;
        }
        transaction.commit().await.doing(DOING)
    }
}

/// Fields as a pack names them.
fn named(fields: &[FieldId]) -> String {
    fields.iter().map(|field| field.0.to_string()).collect::<Vec<_>>().join(",")
}

/// All packs for these fields, in ascending order of ids.
async fn packs(connection: &mut SqliteConnection, fields: &str) -> Result<Vec<Pack>, sqlx::Error> {
    sqlx::query_as(
        "SELECT first_id, last_id, EXISTS (SELECT 1 FROM links WHERE student_id > before AND student_id < first_id) \
         AS is_after_others FROM (SELECT first_id, last_id, lag(last_id, 1, '') OVER (ORDER BY first_id) AS before \
         FROM packed_links WHERE fields = ?) ORDER BY first_id",
    )
    .bind(fields)
    .fetch_all(connection)
    .await
}

/// Sends the links between two ids, and says how many they are.
async fn send_between(
    connection: &mut SqliteConnection,
    fields: &[FieldId],
    between: &Between<'_>,
    sender: &RowSender,
) -> Result<u64, Odd> {
    let sql = format!(
        "SELECT {LINK_TEXT} AS row_text FROM links WHERE student_id > ?5 AND student_id < ?6 ORDER BY student_id"
    );
    send_rows(connection, &sql, between.places(fields), sender).await.map_err(|_| Odd::Failed)
}

/// Packs the links between two ids, where these are enough.
async fn pack_between(
    connection: &mut SqliteConnection,
    fields: &[FieldId],
    between: &Between<'_>,
    sizes: PackSizes,
) -> Result<(), StoreError> {
    let named = named(fields);
    let mut lower = between.lower.to_owned();
    loop {
        let sql = format!(
            "SELECT max(student_id), count(*), min(student_id), group_concat(row_text, '' ORDER BY student_id) \
             FROM (SELECT student_id, {LINK_TEXT} || char(29) AS row_text FROM links \
             WHERE student_id > ?5 AND student_id < ?6 ORDER BY student_id LIMIT ?7)"
        );
        let places = Between { lower: &lower, upper: between.upper }.places(fields);
        let query = sqlx::query_as(AssertSqlSafe(sql));
        let query = places.into_iter().fold(query, |query, place| match place {
            Place::Bytes(bytes) => query.bind(bytes),
            Place::Text(text) => query.bind(text),
        });
        let (last, links, first, texts): (Option<String>, i64, Option<String>, Option<String>) =
            query.bind(sizes.pack).fetch_one(&mut *connection).await.doing(DOING)?;
        let (Some(first), Some(last), Some(texts)) = (first, last, texts) else { return Ok(()) };
        if links < sizes.least {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO packed_links (first_id, last_id, links, fields, texts) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(first)
        .bind(&last)
        .bind(links)
        .bind(&named)
        .bind(texts)
        .execute(&mut *connection)
        .await
        .doing(DOING)?;
        lower = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::row_channel;

    const FIELDS: [FieldId; 2] = [FieldId(5), FieldId(10)];

    const SMALL: PackSizes = PackSizes { pack: 7, least: 2, altogether: 1 };

    const CHANGES: [&str; 14] = [
        "UPDATE links SET login_value = 'other' WHERE student_id = 's20'",
        "UPDATE links SET gids = '[7]' WHERE student_id = 's00'",
        "UPDATE links SET gids = NULL WHERE student_id = 's49'",
        "UPDATE links SET gone_since_ms = 5 WHERE student_id = 's21'",
        "UPDATE links SET gone_since_ms = NULL WHERE gone_since_ms IS NOT NULL",
        "UPDATE links SET sid = 1000 WHERE student_id = 's30'",
        "UPDATE links SET confirmed = x'0500000000000000aaaaaaaaaaaaaaaa' WHERE student_id > 's40'",
        "UPDATE links SET suspected = x'00' WHERE student_id = 's06'",
        "UPDATE links SET rewritten = '[5]' WHERE student_id = 's07'",
        "UPDATE links SET sent_twice = '{\"5\":1}' WHERE student_id = 's13'",
        "UPDATE links SET student_id = 's05a' WHERE student_id = 's33'",
        "DELETE FROM links WHERE student_id IN ('s14', 's15')",
        "DELETE FROM links WHERE student_id < 's10'",
        "INSERT INTO links (student_id, sid, login_value, origin, confirmed, written_run, gids, groups_due_at_ms, \
         linked_at_ms) VALUES ('s141', 2001, 'l', 'added', x'', 1, '[4]', 0, 0), ('a', 2002, 'm', 'added', x'', 1, '[4]', 0, 0), \
         ('z', 2003, 'n', 'added', x'', 1, '[4]', 0, 0)",
    ];

    async fn execute(state: &StateStore, sql: &str) {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(state.writer().unwrap()).await.unwrap();
    }

    async fn read(state: &StateStore) -> (Vec<String>, UnpackedLinks) {
        let (sender, mut reader) = row_channel();
        let rows = async {
            let mut rows = Vec::new();
            while let Some(row) = reader.row().await.unwrap() {
                rows.push(row.to_owned());
                reader.step();
            }
            rows
        };
        let (sent, rows) = tokio::join!(state.send_links(&FIELDS, sender), rows);
        (rows, sent.unwrap())
    }

    async fn state_with_fifty(folder: &std::path::Path) -> StateStore {
        let state = StateStore::open(&folder.join("state.db")).await.unwrap();
        execute(
            &state,
            "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 49)
             INSERT INTO links (student_id, sid, login_value, origin, confirmed, written_run, gids, groups_due_at_ms, linked_at_ms)
             SELECT format('s%02d', n), n + 1, 'login' || n, 'added', x'0a00000000000000bbbbbbbbbbbbbbbb', 1, '[4]', 0, 0 FROM n",
        )
        .await;
        state
    }

    #[tokio::test]
    async fn whatever_changes_about_a_link_is_read_as_if_nothing_were_packed() {
        let folder = tempfile::tempdir().unwrap();
        let state = state_with_fifty(folder.path()).await;
        let mut unpacked = read(&state).await.1;
        assert_eq!(unpacked.links, 50);
        for change in CHANGES {
            state.pack_links_by(&unpacked, SMALL).await.unwrap();
            let (_, of_none) = read(&state).await;
            assert!(of_none.links < 4, "{change}: {of_none:?}");
            execute(&state, change).await;
            let (rows, left) = read(&state).await;
            let packs: i64 = sqlx::query_scalar("SELECT count(*) FROM packed_links")
                .fetch_one(&state.reader)
                .await
                .unwrap();
            assert!(packs > 0 || left.links > 40, "{change}: {packs} packs are left");
            execute(&state, "DELETE FROM packed_links").await;
            let (as_they_are, all) = read(&state).await;
            assert_eq!(rows, as_they_are, "{change}");
            unpacked = all;
        }
    }

    #[tokio::test]
    async fn what_is_packed_for_other_fields_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let state = state_with_fifty(folder.path()).await;
        let of_others = UnpackedLinks { fields: vec![FieldId(10)], links: 50 };
        state.pack_links_by(&of_others, SMALL).await.unwrap();
        let (rows, unpacked) = read(&state).await;
        assert_eq!(unpacked.links, 50);
        state.pack_links_by(&unpacked, SMALL).await.unwrap();
        assert_eq!(read(&state).await.0, rows);
        let of_fields: Vec<String> = sqlx::query_scalar("SELECT DISTINCT fields FROM packed_links")
            .fetch_all(&state.reader)
            .await
            .unwrap();
        assert_eq!(of_fields, ["5,10"]);
    }

    #[tokio::test]
    async fn a_value_with_the_sign_between_texts_is_never_packed() {
        let folder = tempfile::tempdir().unwrap();
        let state = state_with_fifty(folder.path()).await;
        execute(&state, "UPDATE links SET login_value = 'a' || char(29) || 'b' WHERE student_id = 's20'")
            .await;
        let (rows, unpacked) = read(&state).await;
        state.pack_links_by(&unpacked, SMALL).await.unwrap();
        assert_eq!(read(&state).await, (rows, unpacked));
    }

    #[tokio::test]
    async fn a_few_links_are_left_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let state = state_with_fifty(folder.path()).await;
        let (_, unpacked) = read(&state).await;
        state.pack_links(&unpacked).await.unwrap();
        assert_eq!(read(&state).await.1.links, 50);
    }
}
