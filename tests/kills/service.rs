//! Both services in a process of their own, and how to ask it what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The calls that change something on the exam side; on ClassIn every call does.
const EXAM_WRITES: &[&str] = &["addStudents", "changeStuinfo", "delStu", "movestugroup", "addcategory"];

/// A sandbox that is killed when this is dropped, also by a failed assertion.
pub struct Service {
    child: Child,
    stderr: BufReader<ChildStderr>,
    host: String,
}

#[derive(Debug, Deserialize)]
pub struct Candidate {
    pub sid: i64,
    pub login_value: String,
    pub fields: BTreeMap<i64, String>,
    pub gids: BTreeSet<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Course {
    pub students: BTreeSet<i64>,
    pub classes: BTreeMap<i64, BTreeSet<i64>>,
}

#[derive(Debug, Deserialize)]
pub struct Call {
    pub service: String,
    pub endpoint: String,
}

impl Call {
    pub fn is_write(&self) -> bool {
        self.service == "classin" || EXAM_WRITES.contains(&self.endpoint.as_str())
    }
}

/// The program with these variables and no others.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    command.env_clear().stdin(Stdio::null());
    command.env("ROSTERD__EXAM__CODE", "xxx").env("ROSTERD__CLASSIN__SECRET", "topsecret");
    command
}

impl Service {
    /// Starts it; it makes what the roster names without ids, and writes the ids into the roster.
    pub fn start(roster: &Path, switches: &[(&str, &str)]) -> Self {
        let mut command = program();
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--login-field", "email", "--provision"]);
        command.arg(roster);
        for (name, value) in switches {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut service = Self { child, stderr, host: String::new() };
        while service.host.is_empty() {
            let mut line = String::new();
            assert!(service.stderr.read_line(&mut line).unwrap() > 0, "the sandbox ended before it served");
            if let Some((_, rest)) = line.trim_end().split_once("http://") {
                service.host = rest.split(' ').next().unwrap_or(rest).to_owned();
            }
        }
        service
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.host)
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let host = &self.host;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
        body.to_owned()
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        serde_json::from_str(&self.ask("GET", path)).unwrap()
    }

    pub fn candidates(&self) -> Vec<Candidate> {
        self.get("/_sandbox/exam")
    }

    pub fn courses(&self) -> BTreeMap<i64, Course> {
        self.get("/_sandbox/classin")
    }

    pub fn journal(&self) -> Vec<Call> {
        self.get("/_sandbox/journal")
    }

    pub fn clear_journal(&self) {
        let _empty = self.ask("DELETE", "/_sandbox/journal");
    }

    pub fn clear_faults(&self) {
        let _empty = self.ask("POST", "/_sandbox/clear-faults");
    }

    pub fn set(&self, name: &str, value: &str) {
        let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let _empty = self.ask("POST", &format!("/_sandbox/set?name={name}&value={value}"));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
