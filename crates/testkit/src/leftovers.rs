//! What a run that ended well must not leave behind: a call that was announced and never settled, a failure that
//! waits to be tried again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// In milliseconds: so long an add without an answer is not sent again.
const RESTS_MS: i64 = 15 * 60 * 1000;

/// How the last run ended, and what the test said of it.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    ended_well: AtomicBool,
    are_declared: AtomicBool,
}

impl Leftovers {
    pub(crate) fn declare(&self) {
        self.are_declared.store(true, Ordering::Relaxed);
    }

    /// A run begins, or ended in a way of which nothing is to be expected.
    pub(crate) fn expect_nothing(&self) {
        self.ended_well.store(false, Ordering::Relaxed);
    }

    pub(crate) fn run_ended_well(&self) {
        self.ended_well.store(true, Ordering::Relaxed);
    }

    /// Looks as soon as a run has ended well.
    ///
    /// # Panics
    /// When it left something behind that the test did not declare.
    pub(crate) async fn check(&self, state: &Path, now_ms: i64) {
        if self.is_to_be_checked() {
            assert_none(&look(state, now_ms).await);
        }
    }

    /// The same for a school that is given up, whose last run may have been the program's own.
    ///
    /// # Panics
    /// As [`Leftovers::check`], unless the test has failed already.
    pub(crate) fn check_at_the_end(&self, state: &Path, now_ms: i64) {
        if std::thread::panicking() || !self.is_to_be_checked() || !state.exists() {
            return;
        }
        // A thread of its own has a runtime of its own: this one cannot wait while it drops something.
        let look = || in_a_runtime(look(state, now_ms));
        let found = std::thread::scope(|scope| scope.spawn(look).join()).unwrap();
        assert_none(&found);
    }

    fn is_to_be_checked(&self) -> bool {
        self.ended_well.load(Ordering::Relaxed) && !self.are_declared.load(Ordering::Relaxed)
    }
}

fn in_a_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn assert_none(found: &[String]) {
    assert!(
        found.is_empty(),
        "the run ended well and left this behind; a test that means it says leaves_work_behind():\n{}",
        found.join("\n")
    );
}

/// Everything that is not settled. Where a person has been told of just that operation, it waits for them, and who finds
/// no room in a class waits for that: it is attention. So is an add without an answer as long as it rests, but who has left the
/// roster meanwhile is told of nowhere: it is only remembered that their candidate may yet be there.
async fn look(state: &Path, now_ms: i64) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(state).read_only(true);
    let mut connection = options.connect().await.unwrap();
    let rows: Vec<String> = sqlx::query_scalar(
        "WITH told AS (SELECT service, kind, student_id FROM failures WHERE state IN ('held', 'dead', 'ignored') \
         OR (state = 'waiting' AND is_standing = 1)) \
         SELECT 'intent: ' || service || ' ' || kind || ' of ' || student_id || ' ' || class_key FROM intents \
         WHERE (service, kind, student_id) NOT IN told \
         AND NOT (service = 'exam' AND kind = 'add' AND sent_at_ms > ?) \
         UNION ALL \
         SELECT 'failure: ' || service || ' ' || kind || ' of ' || student_id || ', ' || code FROM failures \
         WHERE state = 'waiting' AND is_standing = 0 AND (service, kind, student_id) NOT IN told \
         AND NOT (service = 'classin' AND code IN ('130', '157')) \
         UNION ALL \
         SELECT 'group: ' || title || ' was asked for' FROM group_creations WHERE state = 'asked' \
         ORDER BY 1",
    )
    .bind(now_ms.saturating_sub(RESTS_MS))
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    rows
}
