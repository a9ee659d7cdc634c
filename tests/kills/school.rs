//! A school in a folder of its own: the roster, the configuration, both services in another process, and the
//! program, run to its end or killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use rosterd::RosterWriter;
use serde_json::{Value, json};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tempfile::TempDir;

use crate::people::{ANCHORS, Class, People, Pupil, TROUBLED_GROUP, Trouble};
use crate::service::{Service, program};
use crate::state::{Attempts, Remembered};
use rosterd_testkit::chance::{happens, one_of};

/// No run of a school this small takes so long.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    FirstSync,
    LaterSync,
    Plan,
}

/// How long each kind of run was last seen to take, so that most kills find it at work.
#[derive(Debug, Default)]
pub struct Timing(BTreeMap<(Victim, bool), Duration>);

impl Timing {
    fn span(&self, victim: Victim, disturbed: bool) -> Duration {
        self.0.get(&(victim, disturbed)).copied().unwrap_or(Duration::from_millis(400))
    }

    /// A run that was still at work may take longer than thought, one that had ended takes just so long.
    fn learn(&mut self, victim: Victim, disturbed: bool, took: Option<Duration>) {
        let span = self.span(victim, disturbed);
        let span = took.map_or(span.mul_f64(1.04), |took| took.mul_f64(0.7) + span.mul_f64(0.3));
        self.0.insert((victim, disturbed), span.min(Duration::from_secs(4)));
    }
}

pub struct School {
    folder: Option<TempDir>,
    pub service: Service,
    roster: SqlitePool,
    pub people: People,
    /// Whether some run ever came to its end.
    pub has_synced: bool,
    /// Sids by student, when both sides were last seen in step.
    pub sids: BTreeMap<String, i64>,
    /// What the ledger said at the last look.
    attempts: Attempts,
    /// What happened, for whoever looks for a cause.
    pub log: Vec<String>,
}

/// What a run to its end brought.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub report: Value,
}

impl Ended {
    /// Whether something is held.
    pub fn holds_anybody(&self) -> bool {
        self.report["holds"].as_array().is_some_and(|holds| !holds.is_empty())
    }
}

impl School {
    /// A school whose first sync has not begun.
    pub async fn found(chance: &mut Rng) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roster.db");
        RosterWriter::open_or_create(&path).await.unwrap().close().await;
        let options = SqliteConnectOptions::new().filename(&path);
        let roster = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let mut people = made_up(chance);
        // Everybody who may ever come has an account, and every group and class its ids.
        write(&roster, &people, true).await;
        let window = if happens(chance, 15) { "1" } else { "0" };
        let switches = [
            ("exam.qps_limit", "0"),
            ("exam.latency_ms", "3"),
            ("classin.latency_ms", "3"),
            ("classin.duplicate_window_s", window),
            ("exam.index_base", one_of(chance, &["0", "1"])),
            ("exam.echo_password", one_of(chance, &["on", "on", "off", "masked"])),
            ("exam.info_fields", one_of(chance, &["full", "full", "name_only", "without_login"])),
            ("exam.success_order", one_of(chance, &["request", "shuffled"])),
            ("exam.dup_on_add", one_of(chance, &["fail", "fail", "accept", "update"])),
        ];
        let service = Service::start(&path, &switches);
        take_ids(&roster, &mut people).await;
        std::fs::write(folder.path().join("config.toml"), configuration(&service, chance)).unwrap();
        let mut school = Self {
            folder: Some(folder),
            service,
            roster,
            people,
            has_synced: false,
            sids: BTreeMap::new(),
            attempts: Attempts::new(),
            log: vec![format!("{switches:?}")],
        };
        school.people.trouble(chance, true);
        school.write().await;
        school
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("a folder until the end").path()
    }

    /// Makes the roster say what the test knows.
    pub async fn write(&self) {
        write(&self.roster, &self.people, false).await;
    }

    pub async fn edit(&mut self, chance: &mut Rng) {
        let done = self.people.edit(chance);
        if self.has_synced && happens(chance, 20) {
            self.people.trouble(chance, false);
        }
        self.write().await;
        self.log.push(done.join(", "));
    }

    /// These faults and no others.
    pub fn faults(&mut self, faults: &[(&str, &str)]) {
        self.service.clear_faults();
        for (name, value) in faults {
            self.service.set(name, value);
        }
        if !faults.is_empty() {
            self.log.push(format!("faults {faults:?}"));
        }
    }

    /// Starts a run and kills it at a random instant. False where it had ended before.
    pub fn kill(&mut self, chance: &mut Rng, timing: &mut Timing, victim: Victim, disturbed: bool) -> bool {
        let span = timing.span(victim, disturbed).mul_f64(chance.f64());
        let begun = Instant::now();
        let mut child = self.start(victim == Victim::Plan, Stdio::null());
        while begun.elapsed() < span {
            if let Some(status) = child.try_wait().unwrap() {
                timing.learn(victim, disturbed, Some(begun.elapsed()));
                self.log.push(format!("{victim:?} ended by itself: {status}"));
                self.has_synced |= victim != Victim::Plan;
                return false;
            }
            std::thread::sleep(Duration::from_millis(1).min(span.saturating_sub(begun.elapsed())));
        }
        child.kill().unwrap();
        let killed = child.wait().unwrap().signal() == Some(9);
        timing.learn(victim, disturbed, (!killed).then_some(span));
        self.log.push(format!("{victim:?} killed after {span:?}: {killed}"));
        killed
    }

    fn start(&self, is_plan: bool, stdout: Stdio) -> Child {
        let stderr = File::create(self.folder().join("stderr")).unwrap();
        let mut command = program();
        command.args(["--config".as_ref(), self.folder().join("config.toml").as_os_str()]);
        command.args(if is_plan { ["plan"] } else { ["--sync-now"] });
        command.args(["--output", "json", "--log-level", "info"]);
        command.stdout(stdout).stderr(stderr).spawn().unwrap()
    }

    /// A run that nobody disturbs.
    pub fn run(&mut self) -> Ended {
        let path = self.folder().join("stdout");
        let mut child = self.start(false, File::create(&path).unwrap().into());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > LONGEST_RUN {
                let _gone = child.kill();
                panic!("a run did not end: {:#?}", self.log);
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        self.has_synced = true;
        let report = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or(Value::Null);
        let code = status.code().expect("a run that nobody killed has an exit code");
        self.log.push(format!("run: {code} {} {}", report["exam"]["planned"], report["classin"]["planned"]));
        Ended { code, report }
    }

    /// Approves what a run held.
    pub fn approve(&mut self, digest: &str, held: &Ended) {
        let holds = held.report["holds"].as_array().cloned().unwrap_or_default();
        let is_named = |hold: &Value| hold["reason_code"] == "same-person";
        let words: [&[&str]; 2] = [&[], &["--reason", "same-person"]];
        let asked = [holds.iter().any(|hold| !is_named(hold)), holds.iter().any(is_named)];
        for (word, _) in words.into_iter().zip(asked).filter(|(_, asked)| *asked) {
            let mut command = program();
            command
                .arg("--config")
                .arg(self.folder().join("config.toml"))
                .args(["approve", digest])
                .args(word);
            assert!(command.stdout(Stdio::null()).status().unwrap().success());
        }
        self.log.push("approved".to_owned());
    }

    /// Our own database is whole, and has forgotten no failure. Says how many calls it knows to be on their way.
    pub async fn looks_sound(&mut self) -> i64 {
        let remembered = Remembered::read(self.folder()).await;
        assert_eq!(remembered.faults, Vec::<String>::new(), "{:#?}", self.log);
        for (service, student) in self.people.troubled() {
            let of_student = |attempts: &Attempts| -> i64 {
                let own =
                    attempts.iter().filter(|((of, _, whose, _), _)| (of, whose) == (&service, &student));
                own.map(|(_, attempts)| *attempts).max().unwrap_or(0)
            };
            let (was, is) = (of_student(&self.attempts), of_student(&remembered.failures));
            assert!(is >= was, "{service} {student}: {is} attempts, {was} before; {:#?}", self.log);
        }
        self.attempts = remembered.failures;
        remembered.open_calls
    }
}

impl Drop for School {
    /// What a failed assertion was about stays to be looked at.
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take().filter(|_| std::thread::panicking()) {
            println!("left in {}: roster.db, state.db, config.toml, stdout, stderr", folder.keep().display());
        }
    }
}

fn configuration(service: &Service, chance: &mut Rng) -> String {
    let address = service.address();
    let (batch, page, attempts) =
        (one_of(chance, &[5, 9, 100]), one_of(chance, &[10, 23, 100]), one_of(chance, &[3, 1000]));
    format!(
        "[roster]\ndatabase = \"roster.db\"\n[state]\ndatabase = \"state.db\"\n[sync]\nmode = \"sync\"\n\
         [exam]\nbase_url = \"{address}\"\nlogin_field = \"email\"\nrequests_per_second = 0\n\
         page_size = {page}\nbatch_size = {batch}\ndelete_grace = \"0s\"\ntimeout = \"5s\"\n\
         [exam.fields]\nname = 1\ngender = 2\nphone = 4\nemail = \"email\"\npassword = 10\n\
         [classin]\nenabled = true\nbase_url = \"{address}\"\nsid = \"2339736\"\nrequests_per_second = 0\n\
         batch_size = 6\ntimeout = \"5s\"\nremovals = \"presumed\"\n\
         [guard]\nmax_delete = \"100%\"\nmax_modify = \"100%\"\nmax_move = \"100%\"\nmax_group = \"100%\"\n\
         [retry]\nfirst_delay = \"1ms\"\nmax_delay = \"2ms\"\nmax_attempts = {attempts}\n[http]\nlisten = \"\"\n"
    )
}

fn made_up(chance: &mut Rng) -> People {
    let (students, newcomers, groups, classes) = (chance.usize(20..70), 15, 5, 4);
    let pupils = (0..students + newcomers)
        .map(|number| {
            let here = number < students;
            let mut pupil = Pupil {
                id: format!("s{number:03}"),
                name: format!("Name of {number}"),
                gender: Some("f".to_owned()),
                phone: Some(format!("0099-{number:06}")),
                email: format!("s{number}@school.example"),
                password: format!("secret-{number}"),
                uid: 0,
                groups: [].into(),
                classes: [].into(),
                listed: here,
                active: here,
                trouble: None,
                before: None,
                stayed: false,
            };
            if number < ANCHORS {
                pupil.groups = (1..groups).collect();
                pupil.classes = (0..classes).collect();
            } else if here {
                pupil.groups = (0..chance.usize(1..4)).map(|_| chance.usize(1..groups)).collect();
                pupil.classes = (0..chance.usize(0..4)).map(|_| chance.usize(0..classes)).collect();
            }
            pupil
        })
        .collect();
    let classes = vec![Class { course: 0, class: 0 }; classes];
    People { pupils, groups: vec![0; groups], classes, renamed: 0 }
}

/// The ids that the sandbox gave. The last class stands for its whole course.
async fn take_ids(roster: &SqlitePool, people: &mut People) {
    let uids = "SELECT classin_uid FROM students ORDER BY student_id";
    let uids: Vec<i64> = sqlx::query_scalar(uids).fetch_all(roster).await.unwrap();
    for (pupil, uid) in people.pupils.iter_mut().zip(uids) {
        pupil.uid = uid;
    }
    let gids = "SELECT gid FROM groups ORDER BY group_code";
    people.groups = sqlx::query_scalar(gids).fetch_all(roster).await.unwrap();
    let ids = "SELECT course_id, class_id FROM classes ORDER BY class_code";
    let ids: Vec<(i64, i64)> = sqlx::query_as(ids).fetch_all(roster).await.unwrap();
    people.classes = ids.into_iter().map(|(course, class)| Class { course, class }).collect();
    if let Some(last) = people.classes.last_mut() {
        last.class = 0;
    }
}

/// A gid and uids that nobody has.
const NOWHERE: i64 = 99_000_000;

async fn write(roster: &SqlitePool, people: &People, everybody: bool) {
    let given = |id: i64| (id != 0).then_some(id);
    let rows = |pupil: &&Pupil| everybody || pupil.listed;
    let students: Vec<Value> = people
        .pupils
        .iter()
        .filter(rows)
        .map(|pupil| {
            let email = (pupil.trouble != Some(Trouble::Login)).then_some(&pupil.email);
            let uid = if pupil.trouble == Some(Trouble::Uid) {
                Some(NOWHERE + pupil.uid)
            } else {
                given(pupil.uid)
            };
            let Pupil { id, name, gender, phone, password, active, .. } = pupil;
            json!([id, name, gender, phone, email, password, uid, i64::from(everybody || *active)])
        })
        .collect();
    let members = |of: fn(&Pupil) -> &std::collections::BTreeSet<usize>, letter: char| -> Vec<Value> {
        let own = |pupil: &Pupil| {
            let id = pupil.id.clone();
            of(pupil).iter().map(move |at| json!([id, format!("{letter}{at}")])).collect::<Vec<_>>()
        };
        people.pupils.iter().filter(rows).flat_map(own).collect()
    };
    let is_troubled = people.students().any(|pupil| pupil.trouble == Some(Trouble::Group));
    let groups: Vec<Value> = people
        .groups
        .iter()
        .enumerate()
        .map(|(at, gid)| {
            let gid = if at == TROUBLED_GROUP && is_troubled { Some(NOWHERE) } else { given(*gid) };
            json!([format!("g{at}"), format!("Group {at}"), gid])
        })
        .collect();
    let classes: Vec<Value> = people
        .classes
        .iter()
        .enumerate()
        .map(|(at, ids)| {
            json!([format!("c{at}"), format!("Class {at}"), given(ids.course), given(ids.class)])
        })
        .collect();
    // Accounts are made for those who are in a class.
    let in_classes = if everybody {
        people.pupils.iter().map(|pupil| json!([pupil.id, "c0"])).collect()
    } else {
        members(|pupil| &pupil.classes, 'c')
    };
    let tables = [
        ("students (student_id, name, gender, phone, email, password, classin_uid, active)", 8, students),
        ("groups (group_code, title, gid)", 3, groups),
        ("group_members (student_id, group_code)", 2, members(|pupil| &pupil.groups, 'g')),
        ("classes (class_code, title, course_id, class_id)", 4, classes),
        ("class_members (student_id, class_code)", 2, in_classes),
    ];
    let mut transaction = roster.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for (table, columns, rows) in tables {
        let name = table.split(' ').next().unwrap();
        let values: Vec<String> = (0..columns).map(|at| format!("value ->> {at}")).collect();
        let fill = format!("INSERT INTO {table} SELECT {} FROM json_each(?)", values.join(", "));
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {name}")))
            .execute(&mut *transaction)
            .await
            .unwrap();
        let rows = Value::from(rows).to_string();
        sqlx::query(sqlx::AssertSqlSafe(fill)).bind(rows).execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}
