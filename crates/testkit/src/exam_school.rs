//! One school with its exam account, and the runs that keep them in step.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use rosterd::{
    Context, ExamRetryDelays, ExamSide, Intended, Progress, RunReport, Trigger, Writers, reconcile,
};
use rosterd::{
    Endpoint, ExamSettings, FieldMapping, FieldRef, GuardSettings, LoginField, RetrySettings, Settings,
};
use rosterd::{ExamConnection, ExamReader, ExamWriter};
use rosterd::{FailureRow, RosterDatabase, StateStore};
use rosterd::{RetryPacing, Transport};
use rosterd_core::exam_plan::Link;
use rosterd_core::exam_plan::{GuardedPlan, PlanDocument, ValueDisplay};
use rosterd_core::failure::RetryPolicy;
use rosterd_core::roster::StudentId;
use rosterd_core::roster::{Adopt, Leavers, Limit};
use rosterd_sandbox::CandidateView;
use secrecy::SecretString;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::checked_run::{checked_plan, checked_run};
use super::figures::Figures as _;
use super::roster;
use super::{DAY, GENDER, HOUR, LOGIN, NAME, PASSWORD, PHONE, Person, School};

/// A school whose exam account is to be kept in step with people that the test knows. Fields are there to be changed
/// between two runs.
pub struct ExamSchool {
    /// Where it stands, and the services.
    pub school: School,
    pub settings: Settings,
    pub people: BTreeMap<String, Person>,
    /// `g1` to `g3` with gids, `h1` without.
    pub groups: BTreeMap<String, Option<i64>>,
    /// A group on the exam side that the roster does not name.
    pub foreign: i64,
    pub database: RosterDatabase,
    pub state: StateStore,
}

impl Deref for ExamSchool {
    type Target = School;

    fn deref(&self) -> &School {
        &self.school
    }
}

impl DerefMut for ExamSchool {
    fn deref_mut(&mut self) -> &mut School {
        &mut self.school
    }
}

impl ExamSchool {
    /// These students on the roster, an empty account with the roster's groups, mode `sync`.
    pub async fn with(people: impl IntoIterator<Item = Person>) -> Self {
        Self::switched(people, &[]).await
    }

    /// The same, with switches of the sandbox.
    pub async fn switched(people: impl IntoIterator<Item = Person>, switches: &[(&str, &str)]) -> Self {
        let builder = School::builder()
            .setting("CLASSIN__ENABLED", "false")
            .configuration(&CONFIGURATION.replace("LOGIN_FIELD", &format!("\"{LOGIN}\"")));
        let school = builder.login_field(LOGIN, "number").switches(switches).build().await;
        let groups: BTreeMap<String, Option<i64>> = ["g1", "g2", "g3"]
            .map(|code| (code.to_owned(), Some(school.sandbox.create_group(code))))
            .into_iter()
            .chain([("h1".to_owned(), None)])
            .collect();
        let foreign = school.sandbox.create_group("another school");
        let settings = settings(&school);
        let database = rosterd::roster(&settings).await.unwrap();
        let state = StateStore::open(&settings.state.database).await.unwrap();
        let people = people.into_iter().map(|person| (person.id.clone(), person)).collect();
        let school = Self { school, settings, people, groups, foreign, database, state };
        school.write_roster().await;
        school
    }

    /// The same, after a first sync that put everything in line, and a second run that saw it so.
    pub async fn in_step(people: impl IntoIterator<Item = Person>) -> Self {
        let world = Self::with(people).await;
        let report = world.run().await;
        assert_eq!(report.exit_code, 0, "{report:?}");
        assert_eq!(world.run().await.planned(), "");
        // As if it had modified somebody before: the first change of an account is made with special care.
        world.state.remember("exam.change_mode", Some("partial")).await.unwrap();
        // As if it had been so for a while: who was linked just now cannot be gone.
        world.later(HOUR);
        world
    }

    pub fn gid(&self, code: &str) -> i64 {
        self.groups[code].unwrap()
    }

    /// Puts a student on the roster, or changes the one with this id.
    pub async fn put(&mut self, person: Person) {
        self.people.insert(person.id.clone(), person);
        self.write_roster().await;
    }

    /// Changes one student's row.
    pub async fn edit(&mut self, id: &str, change: impl FnOnce(Person) -> Person) {
        let person = self.people[id].clone();
        self.put(change(person)).await;
    }

    /// Takes a student off the roster.
    pub async fn remove(&mut self, id: &str) {
        self.people.remove(id).unwrap();
        self.write_roster().await;
    }

    pub async fn write_roster(&self) {
        roster::write(&self.school.roster, &self.people, &self.groups).await;
    }

    fn contexts(&self) -> (Context, Writers) {
        let pacing = RetryPacing {
            attempts: 4,
            first_delay: Duration::from_millis(1),
            longest_delay: Duration::from_millis(2),
            longest_retry_after: Duration::from_secs(2),
            longest_altogether: self.patience.longest_altogether,
        };
        let transport =
            Transport::with_retry_pacing(&self.settings.exam.endpoint, self.clock.clone(), pacing).unwrap();
        let connection = ExamConnection { transport, code: self.settings.exam.code.clone().unwrap() };
        let writers = Writers { exam: Some(ExamWriter::new(connection.clone())), classin: None };
        let side = ExamSide {
            reader: ExamReader::new(connection),
            settings: self.settings.exam.clone(),
            account_host: None,
            guard: self.settings.guard,
            keep_unmanaged: true,
            retry_delays: ExamRetryDelays {
                between_readings: Duration::ZERO,
                before_sending_again: Duration::ZERO,
                longest_altogether: self.patience.longest_altogether,
            },
        };
        let context = Context {
            state: self.state.clone(),
            roster: self.database.clone(),
            exam: Some(side),
            classin: None,
            mode: self.settings.mode,
            min_roster: self.settings.guard.min_roster,
            keep: self.settings.state.keep,
            retry: retry_policy(self.settings.retry),
            clock: self.clock.clone(),
            progress: Progress::default(),
            stop: self.stop.clone(),
            exit_code: rosterd::exit_code,
            roster_files: Vec::new(),
            folders: Vec::new(),
        };
        (context, writers)
    }

    /// Reader and writer as a run would have them.
    pub fn exam_client(&self) -> (ExamReader, ExamWriter) {
        let (context, writers) = self.contexts();
        (context.exam.unwrap().reader, writers.exam.unwrap())
    }

    /// The exam side as a run would have it.
    pub fn exam_side(&self) -> ExamSide {
        self.contexts().0.exam.unwrap()
    }

    async fn intended(&self) -> (RunReport, Intended) {
        checked_plan(&self.contexts().0, &self.settings.state.database).await
    }

    /// One run. Its figures add up.
    pub async fn run(&self) -> RunReport {
        let (context, writers) = self.contexts();
        checked_run(&context, &writers, &self.settings.state.database, &self.leftovers).await
    }

    /// A run with everything that was ever put off made due: failures and group look-ups.
    pub async fn run_later(&self) -> RunReport {
        self.later(DAY);
        self.run().await
    }

    /// A run that is cut off in its midst, wherever it is after this time.
    pub async fn crash_after(&self, delay: Duration) {
        self.crash_on(tokio::time::sleep(delay)).await;
    }

    /// A run that is cut off as soon as `when` holds.
    pub async fn crash_when(&self, when: impl Fn() -> bool) {
        let reached = async {
            while !when() {
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
        };
        self.crash_on(reached).await;
    }

    /// Cuts a run off as soon as `reached` ends. What it had sent by then is done before this returns: else the
    /// next step would see the account change by itself.
    async fn crash_on(&self, reached: impl Future<Output = ()>) {
        let (context, writers) = self.contexts();
        self.leftovers.expect_nothing();
        {
            let run = reconcile(&context, &writers, Trigger::SyncNow);
            tokio::select! { biased; () = reached => {}, _ = run => {} }
        }
        drop((context, writers));
        assert!(self.serving.drained().await, "a run that was cut off keeps a connection open");
    }

    /// What a run would do.
    pub async fn plan(&self) -> GuardedPlan {
        self.intended().await.1.exam.expect("a plan").plan
    }

    /// What a run would do, with the report that goes with it.
    pub async fn plan_report(&self) -> RunReport {
        self.intended().await.0
    }

    /// `add s1`, `modify s2 (planned)`: the plan's operations.
    pub async fn planned(&self) -> Vec<String> {
        let plan = self.plan().await;
        PlanDocument::new(&plan, ValueDisplay::Masked)
            .operations
            .iter()
            .map(|line| format!("{} {} {}", line.kind, line.subject.as_str(), line.state))
            .collect()
    }

    /// From now on our own database refuses this: `INSERT ON links WHEN …`.
    pub async fn break_our_database(&self, refused: &str) {
        let sql =
            format!("CREATE TRIGGER broken BEFORE {refused} BEGIN SELECT RAISE(ABORT, 'disk full'); END");
        self.our_database(&sql).await;
    }

    /// Our own database is gone, and a fresh one takes its place.
    pub async fn lose_our_database(&mut self) {
        let path = self.settings.state.database.clone();
        self.state.close().await;
        std::fs::remove_file(&path).unwrap();
        self.state = StateStore::open(&path).await.unwrap();
    }

    pub async fn mend_our_database(&self) {
        self.our_database("DROP TRIGGER broken").await;
    }

    /// Changes our own database behind our back.
    pub async fn our_database(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("state.db"));
        let mut connection = options.connect().await.unwrap();
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    pub async fn link(&self, student: &str) -> Option<Link> {
        self.state.link_of(&StudentId::new(student)).await.unwrap()
    }

    pub async fn sid(&self, student: &str) -> i64 {
        self.link(student).await.expect("a link").sid.0
    }

    pub async fn failures(&self) -> Vec<FailureRow> {
        self.state.open_failures().await.unwrap()
    }

    /// The candidate with this login value.
    pub fn candidate(&self, login: &str) -> CandidateView {
        self.sandbox.candidate(login).unwrap_or_else(|| panic!("no candidate {login}"))
    }

    /// Login values of all candidates, ascending.
    pub fn logins(&self) -> Vec<String> {
        let mut logins: Vec<String> =
            self.sandbox.candidates().into_iter().map(|candidate| candidate.login_value).collect();
        logins.sort();
        logins
    }

    /// Endpoints in the order in which they were called since the journal was last cleared.
    pub fn journal(&self) -> Vec<String> {
        self.sandbox.journal().into_iter().map(|entry| entry.endpoint).collect()
    }

    /// How the exam side differs from the roster: empty when it is exactly in line. `known` are login values of
    /// candidates that the roster has nothing to do with.
    pub fn differences(&self, known: &[&str]) -> Vec<String> {
        self.differences_but(known, &[])
    }

    /// As [`ExamSchool::differences`], without looking at some fields.
    pub fn differences_but(&self, known: &[&str], unseen: &[i64]) -> Vec<String> {
        let mut found = Vec::new();
        let mut by_login: BTreeMap<String, CandidateView> = BTreeMap::new();
        for candidate in self.sandbox.candidates() {
            let login = candidate.login_value.clone();
            if by_login.insert(login.clone(), candidate).is_some() {
                found.push(format!("{login} is there twice"));
            }
        }
        for person in self.people.values().filter(|person| person.active) {
            let Some(login) = &person.login else { continue };
            let Some(candidate) = by_login.remove(login) else {
                found.push(format!("{login} is missing"));
                continue;
            };
            let wanted: BTreeMap<i64, String> =
                person.values().into_iter().filter(|(field, _)| !unseen.contains(field)).collect();
            let seen: BTreeMap<i64, String> =
                candidate.fields.into_iter().filter(|(field, _)| !unseen.contains(field)).collect();
            if wanted != seen {
                found.push(format!("{login}: {seen:?} instead of {wanted:?}"));
            }
            let gids: BTreeSet<i64> = person.groups.iter().filter_map(|code| self.groups[code]).collect();
            let ours: BTreeSet<i64> = candidate.gids.into_iter().filter(|gid| *gid != self.foreign).collect();
            if gids != ours {
                found.push(format!("{login}: in {ours:?} instead of {gids:?}"));
            }
        }
        let strangers = by_login.keys().filter(|login| !known.contains(&login.as_str()));
        found.extend(strangers.map(|login| format!("{login} is not on the roster")));
        found
    }
}

/// For the program, what [`exam_settings`] are for runs.
const CONFIGURATION: &str = r#"[roster]
database = "roster.db"
[state]
database = "state.db"
[sync]
mode = "sync"
[exam]
base_url = "ADDRESS"
login_field = LOGIN_FIELD
requests_per_second = 0
[exam.fields]
name = 1
gender = 2
phone = 4
login = LOGIN_FIELD
password = 10
[classin]
base_url = "ADDRESS"
sid = "2339736"
[http]
listen = ""
"#;

fn settings(school: &School) -> Settings {
    let mut settings = school.settings();
    settings.exam = exam_settings(&school.serving.base_url());
    settings.guard = GuardSettings {
        max_delete: Limit::Percent(100.0),
        max_modify: Limit::Percent(100.0),
        max_move: Limit::Percent(100.0),
        max_group: Limit::Percent(100.0),
        min_roster: 1,
    };
    settings.retry = RetrySettings {
        max_attempts: 8,
        first_delay: Duration::from_secs(60),
        max_delay: Duration::from_secs(6 * 3600),
    };
    settings
}

fn retry_policy(settings: RetrySettings) -> RetryPolicy {
    let RetrySettings { max_attempts, first_delay, max_delay } = settings;
    RetryPolicy { max_attempts, first_delay, max_delay }
}

/// Under these settings no run waits for anything, and the guard holds nothing.
fn exam_settings(base_url: &str) -> ExamSettings {
    let field = |column: &str, id| FieldMapping { column: column.to_owned(), field: FieldRef::Id(id) };
    ExamSettings {
        enabled: true,
        endpoint: Endpoint {
            base_url: base_url.to_owned(),
            requests_per_second: 0.0,
            max_in_flight: 4,
            timeout: Duration::from_secs(10),
            ca_file: None,
        },
        code: Some(SecretString::from("xxx")),
        login_field: LoginField::Named(FieldRef::Id(LOGIN)),
        page_size: 100,
        batch_size: 100,
        verify_groups: Duration::from_secs(24 * 3600),
        leavers: Leavers::Delete,
        adopt: Adopt::Auto,
        create_groups: false,
        create_groups_under: 0,
        delete_grace: Duration::from_secs(72 * 3600),
        shared: None,
        fields: vec![
            field("gender", GENDER),
            field("login", LOGIN),
            field("name", NAME),
            field("password", PASSWORD),
            field("phone", PHONE),
        ],
    }
}
