//! A school in a folder of its own: a roster, a configuration, and the sandbox in the place of both services.
//! Runs can be made in this process, with a clock to set, or by the program itself. No rule is asserted here,
//! but the figures of every run are checked to add up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rosterd::Clock;
use rosterd::Exit;
use rosterd::{ClassinPatience, Context, Intended, Progress, RunReport, Writers};
use rosterd::{ConfigSource, Settings};
use rosterd::{FailureRow, StateStore};
use rosterd_sandbox::{Sandbox, Serving};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, SqlitePool};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::builder::SchoolBuilder;
use super::checked_run::{checked_plan, checked_run};
use super::leftovers::Leftovers;

/// What a run can need.
pub struct School {
    pub sandbox: Sandbox,
    pub serving: Serving,
    pub clock: Clock,
    pub stop: CancellationToken,
    /// How long runs in this process wait before they ask ClassIn again, and altogether for either service.
    pub patience: ClassinPatience,
    /// Variables over the configuration file.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) leftovers: Leftovers,
    pub(crate) roster: SqlitePool,
    pub folder: TempDir,
}

/// A class by ClassIn's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassIds {
    pub course: i64,
    pub class: i64,
}

impl School {
    /// A school as the test wants it.
    pub fn builder() -> SchoolBuilder {
        SchoolBuilder::default()
    }

    /// ClassIn only, mode `sync`; an empty roster.
    pub async fn of_classin() -> Self {
        Self::builder().setting("EXAM__ENABLED", "false").build().await
    }

    /// Both services, mode `sync`.
    pub async fn of_both() -> Self {
        Self::builder().build().await
    }

    /// Both services, with these credentials: the exam account's code and ClassIn's secret.
    pub async fn with_credentials(code: &str, secret: &str) -> Self {
        Self::builder().credentials(code, secret).build().await
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every variable that a run of this school gets.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let mut all = self.environment.clone();
        for (name, value) in [("ROSTERD__EXAM__CODE", "xxx"), ("ROSTERD__CLASSIN__SECRET", "topsecret")] {
            all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        all
    }

    pub fn settings(&self) -> Settings {
        Settings::load(&ConfigSource::File(self.config()), self.variables().into_iter()).unwrap()
    }

    /// A setting from now on, such as `CLASSIN__REMOVALS`.
    pub fn setting(&mut self, name: &str, value: &str) {
        self.environment.insert(format!("ROSTERD__{name}"), value.to_owned());
    }

    /// The setting is as the configuration file says again.
    pub fn usual(&mut self, name: &str) {
        self.environment.remove(&format!("ROSTERD__{name}"));
    }

    /// Changes the roster.
    pub async fn sql(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.roster).await.unwrap();
    }

    /// Reads one number of our own database.
    pub async fn number(&self, sql: &str) -> i64 {
        let options = SqliteConnectOptions::new().filename(self.path("state.db"));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let number = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&pool).await.unwrap();
        pool.close().await;
        number
    }

    pub fn set(&self, name: &str, value: &str) {
        self.sandbox.set(name, value).unwrap();
    }

    /// Lets time pass, for the school and for the exam side.
    pub fn later(&self, by_ms: i64) {
        self.clock.shift_ms(by_ms);
        let ahead_ms = self.clock.now_ms().saturating_sub(Clock::system().now_ms());
        self.set("exam.date_offset_s", &ahead_ms.div_euclid(1000).to_string());
    }

    /// A class on both sides.
    pub async fn class(&self, code: &str) -> ClassIds {
        let course = self.sandbox.create_course(code);
        let ids = ClassIds { course, class: self.sandbox.create_class(course, code) };
        self.name_class(code, ids).await;
        ids
    }

    /// A class on the roster.
    pub async fn name_class(&self, code: &str, ids: ClassIds) {
        let ClassIds { course, class } = ids;
        self.sql(&format!(
            "INSERT OR REPLACE INTO classes VALUES ('{code}', 'Class {code}', {course}, {class})"
        ))
        .await;
    }

    /// A student with an account; the uid.
    pub async fn student(&self, id: &str) -> i64 {
        let uid = self.sandbox.create_account(&format!("Name of {id}"), None);
        self.sql(&format!(
            "INSERT INTO students (student_id, name, login, classin_uid) VALUES ('{id}', 'Name of {id}', 'login-{id}', {uid})"
        ))
        .await;
        uid
    }

    /// A student with a phone number and without an account.
    pub async fn applicant(&self, id: &str, phone: &str) {
        self.sql(&format!(
            "INSERT INTO students (student_id, name, login, phone) VALUES ('{id}', 'Name of {id}', 'login-{id}', '{phone}')"
        ))
        .await;
    }

    pub async fn join(&self, id: &str, code: &str) {
        self.sql(&format!("INSERT INTO class_members VALUES ('{id}', '{code}')")).await;
    }

    pub async fn leave(&self, id: &str, code: &str) {
        self.sql(&format!("DELETE FROM class_members WHERE student_id = '{id}' AND class_code = '{code}'"))
            .await;
    }

    /// Off the roster, with all memberships.
    pub async fn drop_student(&self, id: &str) {
        self.sql(&format!(
            "DELETE FROM students WHERE student_id = '{id}'; DELETE FROM class_members WHERE student_id = '{id}'; \
             DELETE FROM group_members WHERE student_id = '{id}'"
        ))
        .await;
    }

    /// `n` students `s000`, `s001`, … in a class; their uids.
    pub async fn fill(&self, code: &str, n: usize) -> Vec<i64> {
        let mut uids = Vec::new();
        for at in 0..n {
            let id = format!("s{at:03}");
            uids.push(self.student(&id).await);
            self.join(&id, code).await;
        }
        uids
    }

    /// A group on both sides, with every student of the roster in it.
    pub async fn group_of_all(&self) -> i64 {
        let gid = self.sandbox.create_group("everyone");
        self.sql(&format!(
            "INSERT INTO groups VALUES ('g1', 'everyone', {gid}); \
             INSERT INTO group_members SELECT student_id, 'g1' FROM students"
        ))
        .await;
        gid
    }

    pub async fn state(&self) -> StateStore {
        StateStore::open(&self.path("state.db")).await.unwrap()
    }

    async fn contexts(&self, state: &StateStore) -> (Context, Writers) {
        let (clock, stop) = (self.clock.clone(), self.stop.clone());
        let settings = self.settings();
        let built = rosterd::run_context(&settings, state.clone(), clock, Progress::silent(), stop);
        let (mut context, writers) = built.await.unwrap();
        if let Some(side) = &mut context.classin {
            side.retry_delays = self.patience;
        }
        (context, writers)
    }

    /// One run.
    pub async fn run(&self) -> RunReport {
        let state = self.state().await;
        let (context, writers) = self.contexts(&state).await;
        let report = checked_run(&context, &writers, &self.path("state.db"), &self.leftovers).await;
        drop((context, writers));
        state.close().await;
        report
    }

    /// A run that must end like this.
    pub async fn run_to(&self, exit: Exit) -> RunReport {
        let report = self.run().await;
        assert_eq!(Exit::from(report.severity), exit, "{report:#?}");
        report
    }

    /// A run that must end like this, and of which nothing else is of interest.
    pub async fn run_as(&self, exit: Exit) {
        let _report = self.run_to(exit).await;
    }

    /// What a run would do.
    pub async fn plan(&self) -> (RunReport, Intended) {
        let state = self.state().await;
        let (context, _) = self.contexts(&state).await;
        let planned = checked_plan(&context, &self.path("state.db")).await;
        drop(context);
        state.close().await;
        planned
    }

    pub async fn failures(&self) -> Vec<FailureRow> {
        let state = self.state().await;
        let rows = state.open_failures().await.unwrap();
        state.close().await;
        rows
    }

    /// What we remember of a class: evidence by uid, those left out who are gone.
    pub async fn evidence(&self, ids: ClassIds) -> BTreeMap<i64, String> {
        let options = SqliteConnectOptions::new().filename(self.path("state.db"));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT uid, evidence FROM enrolments WHERE course_id = ? AND class_id = ? AND evidence <> 'gone'")
                .bind(ids.course)
                .bind(ids.class)
                .fetch_all(&pool)
                .await
                .unwrap();
        pool.close().await;
        rows.into_iter().collect()
    }

    /// The roster's members by class code: student, uid and phone.
    pub async fn roster_members(&self) -> Vec<(String, (String, Option<i64>, Option<String>))> {
        let rows: Vec<(String, String, Option<i64>, Option<String>)> = sqlx::query_as(
            "SELECT m.class_code, s.student_id, s.classin_uid, s.phone FROM class_members AS m \
             JOIN students AS s ON s.student_id = m.student_id ORDER BY 1, 2",
        )
        .fetch_all(&self.roster)
        .await
        .unwrap();
        rows.into_iter().map(|(code, id, uid, phone)| (code, (id, uid, phone))).collect()
    }

    /// Changes our own database behind its back.
    pub async fn write(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(self.path("state.db"));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
        pool.close().await;
    }

    /// One column of one row of our own database, as text.
    pub async fn word(&self, sql: &str) -> String {
        let options = SqliteConnectOptions::new().filename(self.path("state.db"));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let word = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&pool).await.unwrap();
        pool.close().await;
        word
    }

    pub fn members(&self, ids: ClassIds) -> BTreeSet<i64> {
        self.sandbox.class_members(ids.course, ids.class)
    }

    /// Calls to ClassIn since the journal was last cleared.
    pub fn classin_calls(&self) -> Vec<String> {
        self.calls("classin")
    }

    pub fn calls(&self, service: &str) -> Vec<String> {
        let journal = self.sandbox.journal().into_iter();
        journal.filter(|entry| entry.service == service).map(|entry| entry.endpoint).collect()
    }
}

/// What a test says of what is left.
impl School {
    /// From now on runs that end well may leave work behind: the test is about that.
    pub fn leaves_work_behind(&self) {
        self.leftovers.declare();
    }

    /// Notes how a run of the program itself ended.
    pub fn program_ended(&self, code: i32) {
        if code == 0 { self.leftovers.run_ended_well() } else { self.leftovers.expect_nothing() }
    }
}

impl Drop for School {
    fn drop(&mut self) {
        self.leftovers.check_at_the_end(&self.folder.path().join("state.db"), self.clock.now_ms());
    }
}
