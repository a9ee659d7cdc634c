//! One school in a folder of its own, both services beside it, and the record of everything that was done.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::normal::Normal;
use crate::service::{Service, program};

/// How often it is looked whether a call has come.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The roster's tables as they are specified, and a column of the school's own for the login value.
const TABLES: &str = "
CREATE TABLE students (student_id TEXT PRIMARY KEY, name TEXT NOT NULL, gender TEXT, phone TEXT, email TEXT,
    password TEXT, classin_uid INTEGER, active INTEGER NOT NULL DEFAULT 1, login TEXT);
CREATE TABLE groups (group_code TEXT PRIMARY KEY, title TEXT NOT NULL, gid INTEGER);
CREATE TABLE group_members (student_id TEXT, group_code TEXT, PRIMARY KEY (student_id, group_code));
CREATE TABLE classes (class_code TEXT PRIMARY KEY, title TEXT NOT NULL, course_id INTEGER, class_id INTEGER);
CREATE TABLE class_members (student_id TEXT, class_code TEXT, PRIMARY KEY (student_id, class_code));
";

/// Six students, all in group g1, the first four in class c1; group g2 and class c2 are empty.
const PEOPLE: &str = "
INSERT INTO students (student_id, name, phone, login) VALUES
    ('s1', 'Ann Able', '13800000001', 'ann'), ('s2', 'Bob Baker', '13800000002', 'bob'),
    ('s3', 'Cid Carter', '13800000003', 'cid'), ('s4', 'Dot Dyer', '13800000004', 'dot'),
    ('s5', 'Eve Elder', '13800000005', 'eve'), ('s6', 'Fay Fuller', '13800000006', 'fay');
INSERT INTO groups (group_code, title) VALUES ('g1', 'Year 1'), ('g2', 'Year 2');
INSERT INTO classes (class_code, title) VALUES ('c1', 'Maths'), ('c2', 'Physics');
INSERT INTO group_members SELECT student_id, 'g1' FROM students;
INSERT INTO class_members SELECT student_id, 'c1' FROM students WHERE student_id < 's5';
";

pub(crate) struct World {
    folder: TempDir,
    service: Service,
    environment: BTreeMap<String, String>,
    normal: Normal,
    record: String,
    /// Standard output of the last command, as it was.
    heard: String,
}

impl World {
    /// A school whose roster is filled and that was never synced. Mode `sync`; one call at a time.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let roster = folder.path().join("roster.db");
        execute(&roster, &format!("{TABLES}{PEOPLE}"));
        let service = Service::start(&roster);
        let mut normal = Normal::default();
        normal.hide(folder.path().to_str().unwrap(), "<folder>");
        normal.hide(service.host(), "<sandbox>");
        let world = Self {
            folder,
            service,
            environment: BTreeMap::new(),
            normal,
            record: String::new(),
            heard: String::new(),
        };
        world.write_configuration("config.toml", "roster.db", "state.db");
        world
    }

    fn write_configuration(&self, name: &str, roster: &str, state: &str) {
        let address = format!("http://{}", self.service.host());
        let text = format!(
            "[roster]\ndatabase = \"{roster}\"\n[state]\ndatabase = \"{state}\"\n[sync]\nmode = \"sync\"\n\
             [exam]\nbase_url = \"{address}\"\nlogin_field = \"login\"\nrequests_per_second = 0\nmax_in_flight = 1\n\
             [exam.fields]\nname = 1\nphone = 4\nlogin = \"login\"\npassword = 10\n\
             [classin]\nenabled = true\nbase_url = \"{address}\"\nsid = \"2339736\"\nrequests_per_second = 0\n\
             max_in_flight = 1\n[retry]\nfirst_delay = \"1h\"\n[http]\nlisten = \"\"\n"
        );
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The record of everything that was done.
    pub(crate) fn record(self) -> String {
        self.record
    }

    fn note(&mut self, text: &str) {
        let text = self.normal.text(text);
        writeln!(self.record, "# {text}").unwrap();
    }

    /// From now on `text` is shown as `shown`.
    pub(crate) fn hide(&mut self, text: &str, shown: &str) {
        self.normal.hide(text, shown);
    }

    /// A setting from now on, such as `SYNC__MODE`.
    pub(crate) fn setting(&mut self, key: &str, value: &str) {
        self.note(&format!("setting {key}={value}"));
        self.environment.insert(format!("ROSTERD__{key}"), value.to_owned());
    }

    /// Replaces the configuration file.
    pub(crate) fn configuration(&mut self, text: &str) {
        self.note(&format!("config.toml: {}", text.trim_end().replace('\n', " | ")));
        std::fs::write(self.path("config.toml"), text).unwrap();
    }

    /// Writes a file of the school's.
    pub(crate) fn file(&mut self, name: &str, text: &str) {
        self.note(&format!("file {name}: {}", text.trim_end().replace('\n', " | ")));
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Changes the roster.
    pub(crate) fn roster(&mut self, sql: &str) {
        self.note(&format!("roster: {sql}"));
        execute(&self.path("roster.db"), sql);
    }

    /// So much time passes, for whatever waits for one: an add without an answer is not sent again before that.
    pub(crate) fn a_quarter_of_an_hour_later(&mut self) {
        self.note("a quarter of an hour passes");
        execute(
            &self.path("state.db"),
            "UPDATE intents SET sent_at_ms = sent_at_ms - 900000; \
             UPDATE failures SET due_at_ms = due_at_ms - 900000",
        );
    }

    /// Takes students off the roster.
    pub(crate) fn leave(&mut self, students: &[&str]) {
        let list = students.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        let tables = ["students", "group_members", "class_members"];
        let each = tables.map(|table| format!("DELETE FROM {table} WHERE student_id IN ({list})"));
        self.roster(&each.join("; "));
    }

    /// Adds a student without a ClassIn account to g1.
    pub(crate) fn newcomer(&mut self, id: &str, name: &str, phone: &str) {
        self.roster(&format!(
            "INSERT INTO students (student_id, name, phone, login) VALUES ('{id}', '{name}', '{phone}', 'in-{id}'); \
             INSERT INTO group_members VALUES ('{id}', 'g1')"
        ));
    }

    /// Reads one value of the roster as text.
    pub(crate) fn value(&self, sql: &str) -> String {
        query(&self.path("roster.db"), sql)
    }

    /// Sets a switch of the sandbox, or arms a fault.
    pub(crate) fn sandbox(&mut self, name: &str, value: &str) {
        self.note(&format!("sandbox: {name}={value}"));
        let _ok = self.service.ask("POST", &format!("set?name={name}&value={}", encoded(value)), "");
    }

    pub(crate) fn clear_faults(&mut self) {
        self.note("sandbox: no faults");
        let _ok = self.service.ask("POST", "clear-faults", "");
    }

    /// What a person does in ClassIn's console, such as `end-class`, in a class of the roster.
    pub(crate) fn deed(&mut self, deed: &str, class_code: &str, more: &str) -> String {
        self.note(&format!("ClassIn's console: {deed} {class_code} {more}"));
        let ids = self.value(&format!(
            "SELECT 'course=' || course_id || '&class=' || class_id FROM classes WHERE class_code = '{class_code}'"
        ));
        self.service.ask("POST", &format!("classin/{deed}?{ids}{more}"), "")
    }

    /// What a person does about an account in ClassIn's console; answers the id of what was made.
    pub(crate) fn account(&mut self, deed: &str, words: &str) -> String {
        self.note(&format!("ClassIn's console: {deed} {words}"));
        self.service.ask("POST", &format!("classin/{deed}?{}", words.replace(' ', "%20")), "")
    }

    /// A student's uid at ClassIn.
    pub(crate) fn uid(&self, student: &str) -> String {
        self.value(&format!("SELECT CAST(classin_uid AS TEXT) FROM students WHERE student_id = '{student}'"))
    }

    /// Adds results by hand, as a JSON array.
    pub(crate) fn results(&mut self, json: &str) {
        self.note(&format!("sandbox: results {json}"));
        let _ok = self.service.ask("POST", "results", json);
    }

    /// Another office of the school works at the same exam account with a roster and a state of its own: what it
    /// enters is not ours. `people` is SQL over an empty roster that has our groups.
    pub(crate) fn other_office(&mut self, people: &str) {
        self.note(&format!("another office enters: {people}"));
        let other = self.path("other.db");
        if !other.exists() {
            execute(&other, TABLES);
            let ours = self.path("roster.db");
            execute(
                &other,
                &format!("ATTACH '{}' AS ours; INSERT INTO groups SELECT * FROM ours.groups", ours.display()),
            );
            self.write_configuration("other.toml", "other.db", "other-state.db");
        }
        execute(&other, people);
        let mut command = program();
        command.current_dir(self.folder.path()).env("ROSTERD__CLASSIN__ENABLED", "false");
        command.env("ROSTERD__EXAM__DELETE_GRACE", "0s").env("ROSTERD__GUARD__MAX_MODIFY", "100%");
        let output = command.args(["--config", "other.toml", "--sync-now"]).output().unwrap();
        let code = output.status.code().unwrap();
        // What it would take over of ours may be held; what it enters anew is there.
        assert!([0, 4].contains(&code), "{}", String::from_utf8_lossy(&output.stdout));
        let _forgotten = self.service.calls();
    }

    /// Only ClassIn is kept in step.
    pub(crate) fn without_exam(&mut self) {
        self.setting("EXAM__ENABLED", "false");
        self.normal.show_digests();
    }

    /// Runs the program with these arguments, which a blank parts, and records what came of it. `{digest}` stands
    /// for the digest that the last command named for approval.
    pub(crate) fn rosterd(&mut self, line: &str) {
        self.run(line, true);
    }

    /// The same without a configuration file.
    pub(crate) fn bare(&mut self, line: &str) {
        self.run(line, false);
    }

    fn run(&mut self, line: &str, configured: bool) {
        let line = line.replace("{digest}", &self.digest());
        let mut command = self.command(&line, configured);
        let output = command.output().unwrap();
        self.keep(line.trim_end(), &output);
    }

    fn command(&self, line: &str, configured: bool) -> Command {
        let mut command = program();
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        if configured {
            command.args(["--config", "config.toml"]).envs(&self.environment);
        }
        command
    }

    /// A run that is killed while the service takes its time over a call, which it has applied. Meanwhile `others`
    /// are called.
    pub(crate) fn killed_at(&mut self, endpoint: &str, others: &[&str]) {
        self.note(&format!("a run is at work, and at {endpoint} now"));
        let mut child = self.at_work(endpoint);
        let calls = self.service.calls();
        self.part("calls", &calls.join("\n"));
        self.record.push('\n');
        for other in others {
            self.rosterd(other);
        }
        self.note("the run is killed");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// A run that is told to stop while the service takes its time over a call.
    pub(crate) fn stopped_at(&mut self, endpoint: &str) {
        self.note(&format!("a run is told to stop at {endpoint}"));
        let child = self.at_work(endpoint);
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let output = child.wait_with_output().unwrap();
        self.keep("--sync-now", &output);
    }

    /// A run whose first call of this endpoint has reached the service.
    fn at_work(&self, endpoint: &str) -> Child {
        let mut command = self.command("--sync-now", true);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !self.service.has_heard(endpoint) {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "the run ended before {endpoint}: {ended:?}");
            std::thread::sleep(LOOK_EVERY);
        }
        child
    }

    fn keep(&mut self, line: &str, output: &Output) {
        self.heard = String::from_utf8(output.stdout.clone()).unwrap();
        let stderr = String::from_utf8(output.stderr.clone()).unwrap();
        let line = self.normal.text(line);
        let code = output.status.code().expect("an exit code");
        writeln!(self.record, "$ rosterd {line}\nexit {code}").unwrap();
        let stdout = self.normal.text(&self.heard);
        let stderr = self.normal.stderr(&stderr);
        self.part("stdout", &stdout);
        self.part("stderr", &stderr.messages);
        self.part("log", &stderr.log);
        let calls = self.service.calls();
        self.part("calls", &calls.join("\n"));
        self.record.push('\n');
    }

    fn part(&mut self, title: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        writeln!(self.record, "{title}:").unwrap();
        for line in text.lines() {
            writeln!(self.record, "  {line}").unwrap();
        }
        if title == "stdout" && !text.ends_with('\n') {
            writeln!(self.record, "  <no newline at the end>").unwrap();
        }
    }

    /// The digest behind `rosterd approve`.
    fn digest(&self) -> String {
        let named = self.heard.split_once(" approve ").map(|(_, rest)| rest);
        let ends = |letter: char| !letter.is_ascii_alphanumeric();
        named.and_then(|rest| rest.split(ends).next()).unwrap_or("none").to_owned()
    }

    /// One run, and what the commands that only show say of it.
    pub(crate) fn sync(&mut self) {
        self.rosterd("--sync-now");
    }

    /// What waits, how it stands, and what the next run would do.
    pub(crate) fn look(&mut self) {
        for line in ["failures", "status", "runs", "plan"] {
            self.rosterd(line);
        }
    }

    /// What is shown is not of interest, only that both sides are in step afterwards.
    pub(crate) fn in_step(&mut self) {
        self.sync();
        self.rosterd("--sync-now --output json");
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        encoded
    })
}

/// One thread, for one statement.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn execute(path: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    at_once(async {
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

fn query(path: &Path, sql: &str) -> String {
    let options = SqliteConnectOptions::new().filename(path);
    at_once(async {
        let mut connection = options.connect().await.unwrap();
        let value =
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        value
    })
}
