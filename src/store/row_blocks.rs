//! The rows of one statement as text, handed over in blocks.
//!
//! A row that sqlx hands over costs a set of copied values and a change of threads, about ten times what SQLite needs for
//! it. So a statement that reads a whole table makes one text of each row, and SQLite compares that text under a collation
//! of ours, which only keeps it: see "Rows in blocks" in ARCHITECTURE.md.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{AssertSqlSafe, SqliteConnection};
use tokio::sync::mpsc;

/// Stands between the values of a row. A value that holds it makes one part too many.
pub(super) const BETWEEN_VALUES: char = '\u{1f}';

/// What SQLite's own text of unreadable bytes becomes on its way here.
const UNREADABLE: char = '\u{fffd}';

/// A block is handed over once it has so many bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// So many blocks wait for their reader at most.
const WAITING_BLOCKS: usize = 2;

/// Rows one after another, and where each ends.
#[derive(Default)]
struct Block {
    text: String,
    ends: Vec<usize>,
}

/// Where a statement's rows go.
pub struct RowSender(mpsc::Sender<Block>);

/// The rows of a statement that runs meanwhile, one at a time.
///
/// Dropping it lets the statement run to its end without waiting for anybody.
pub struct RowReader {
    blocks: mpsc::Receiver<Block>,
    block: Block,
    /// The row that is looked at, and where it begins.
    at: usize,
    from: usize,
}

/// A way for rows from a statement to whoever reads them.
pub fn row_channel() -> (RowSender, RowReader) {
    let (sender, blocks) = mpsc::channel(WAITING_BLOCKS);
    (RowSender(sender), RowReader { blocks, block: Block::default(), at: 0, from: 0 })
}

impl RowReader {
    /// The row that is looked at; `None` after the last. A row with bytes that are no text is an error.
    ///
    /// # Errors
    /// [`UnreadableText`]: the bytes are lost on the way, so that two different values would look alike.
    pub async fn row(&mut self) -> Result<Option<&str>, UnreadableText> {
        while self.at >= self.block.ends.len() {
            let Some(block) = self.blocks.recv().await else { return Ok(None) };
            if block.text.contains(UNREADABLE) {
                return Err(UnreadableText);
            }
            (self.block, self.at, self.from) = (block, 0, 0);
        }
        let to = self.block.ends.get(self.at).copied().unwrap_or(self.from);
        Ok(self.block.text.get(self.from..to))
    }

    /// Goes on to the next row.
    pub fn step(&mut self) {
        if let Some(end) = self.block.ends.get(self.at) {
            (self.from, self.at) = (*end, self.at + 1);
        }
    }
}

/// A row holds bytes that are no text, or the sign that stands for such.
#[derive(Debug)]
pub struct UnreadableText;

/// What the collation fills.
struct Filling {
    rows: u64,
    /// Gone once nobody reads any more, or the statement is done.
    sender: Option<mpsc::Sender<Block>>,
    block: Block,
}

impl Filling {
    fn keep(&mut self, row: &str) {
        self.rows += 1;
        let Some(sender) = &self.sender else { return };
        self.block.text.push_str(row);
        self.block.ends.push(self.block.text.len());
        if self.block.text.len() >= BLOCK_BYTES {
            let next = Block {
                text: String::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 8),
                ends: Vec::with_capacity(self.block.ends.len() + self.block.ends.len() / 8),
            };
            // This is SQLite's own thread: it waits until there is room.
            if sender.blocking_send(std::mem::replace(&mut self.block, next)).is_err() {
                self.sender = None;
            }
        }
    }
}

/// What is bound to a parameter of a statement.
pub(super) enum Place {
    Bytes(Option<Vec<u8>>),
    Text(String),
}

impl RowSender {
    /// Sends rows that are there already, as one block.
    pub(super) async fn send<'r>(&self, rows: impl Iterator<Item = &'r str>) {
        let mut block = Block::default();
        for row in rows {
            block.text.push_str(row);
            block.ends.push(block.text.len());
        }
        // Nobody may be reading any more.
        let _read = self.0.send(block).await;
    }
}

/// Runs a statement, sends its rows, and says how many they were. `rows` selects one text a row, named `row_text` and never
/// empty, in its order; `places` are bound to its parameters.
///
/// # Errors
/// When the statement fails: the rows that came until then are not all.
pub(super) async fn send_rows(
    connection: &mut SqliteConnection,
    rows: &str,
    places: Vec<Place>,
    RowSender(sender): &RowSender,
) -> Result<u64, sqlx::Error> {
    let filling = Filling { rows: 0, sender: Some(sender.clone()), block: Block::default() };
    let filling = Arc::new(Mutex::new(filling));
    let shared = Arc::clone(&filling);
    // Made anew for each statement: two that ran over one connection would otherwise share it.
    connection.lock_handle().await?.create_collation("rosterd_rows", move |one, other| {
        let row = if one.is_empty() { other } else { one };
        shared.lock().unwrap_or_else(PoisonError::into_inner).keep(row);
        Ordering::Less
    })?;
    // The LIMIT keeps SQLite from moving the condition into the subquery, where it would run before the order is made.
    let sql =
        format!("SELECT count(*) FROM ({rows} LIMIT -1) AS r WHERE r.row_text = '' COLLATE rosterd_rows");
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    let query = places.into_iter().fold(query, |query, place| match place {
        Place::Bytes(bytes) => query.bind(bytes),
        Place::Text(text) => query.bind(text),
    });
    let ended = query.execute(&mut *connection).await;
    let (rest, sent) = {
        let mut filling = filling.lock().unwrap_or_else(PoisonError::into_inner);
        filling.sender = None;
        (std::mem::take(&mut filling.block), filling.rows)
    };
    ended?;
    // Nobody may be reading any more.
    let _read = sender.send(rest).await;
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    async fn sent(
        connection: &mut SqliteConnection,
        rows: &str,
        sender: RowSender,
    ) -> Result<u64, sqlx::Error> {
        send_rows(connection, rows, vec![], &sender).await
    }

    async fn connection() -> SqliteConnection {
        SqliteConnection::connect("sqlite::memory:").await.unwrap()
    }

    /// Numbers from 1 on, each behind a filler.
    fn numbers(count: u32) -> String {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT concat_ws(char(31), i, 'some text that fills a block sooner') AS row_text FROM n ORDER BY i"
        )
    }

    async fn read_all(mut reader: RowReader) -> Result<Vec<String>, UnreadableText> {
        let mut rows = Vec::new();
        while let Some(row) = reader.row().await? {
            rows.push(row.to_owned());
            reader.step();
        }
        Ok(rows)
    }

    #[tokio::test]
    async fn every_row_comes_once_and_in_order_over_many_blocks() {
        let mut connection = connection().await;
        for count in [1, 2, 1_000, 20_000] {
            let (sender, reader) = row_channel();
            let sql = numbers(count);
            let (sent, rows) = tokio::join!(sent(&mut connection, &sql, sender), read_all(reader));
            sent.unwrap();
            let rows = rows.unwrap();
            let first = |row: &String| row.split(BETWEEN_VALUES).next().unwrap().parse::<u32>().unwrap();
            assert!(rows.iter().map(first).eq(1..=count), "{count}");
        }
    }

    #[tokio::test]
    async fn a_statement_without_rows_ends() {
        let mut connection = connection().await;
        let (sender, reader) = row_channel();
        let sql = "SELECT 'x' AS row_text WHERE 0";
        let (sent, rows) = tokio::join!(sent(&mut connection, sql, sender), read_all(reader));
        sent.unwrap();
        assert_eq!(rows.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_reader_that_gives_up_leaves_the_statement_waiting_for_nobody() {
        let mut connection = connection().await;
        let (sender, mut reader) = row_channel();
        let give_up = async move {
            let _first = reader.row().await;
        };
        let sql = numbers(50_000);
        let (sent, ()) = tokio::join!(sent(&mut connection, &sql, sender), give_up);
        sent.unwrap();
    }

    #[tokio::test]
    async fn a_statement_that_fails_says_so_and_ends_its_rows() {
        let mut connection = connection().await;
        let (sender, reader) = row_channel();
        let sql = "SELECT abs(-9223372036854775807 - i) AS row_text FROM (SELECT 0 AS i UNION ALL SELECT 1)";
        let (sent, _rows) = tokio::join!(sent(&mut connection, sql, sender), read_all(reader));
        assert!(sent.is_err());
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_an_error_and_no_value() {
        let mut connection = connection().await;
        for value in ["CAST(x'61FF62' AS TEXT)", "'a\u{fffd}b'"] {
            let (sender, reader) = row_channel();
            let sql = format!("SELECT concat_ws(char(31), 1, {value}) AS row_text");
            let (sent, rows) = tokio::join!(sent(&mut connection, &sql, sender), read_all(reader));
            sent.unwrap();
            assert!(rows.is_err(), "{value}");
        }
    }

    #[tokio::test]
    async fn a_nul_cuts_nothing_off() {
        let mut connection = connection().await;
        let (sender, reader) = row_channel();
        let sql = "SELECT concat_ws(char(31), 'a', CAST(x'62006300' AS TEXT), 'd') AS row_text";
        let (sent, rows) = tokio::join!(sent(&mut connection, sql, sender), read_all(reader));
        sent.unwrap();
        assert_eq!(rows.unwrap(), ["a\u{1f}b\0c\0\u{1f}d"]);
    }
}
