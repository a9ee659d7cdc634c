//! Both services in a process of their own, driven over the pages that the sandbox has for tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde::Deserialize;

/// Nothing in a world depends on how fast it is made.
const SWITCHES: [&str; 4] =
    ["exam.qps_limit=0", "exam.clock_window_s=0", "classin.clock_window_s=0", "classin.duplicate_window_s=0"];

/// The program with the sandbox's credentials and no other variable.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    command.env_clear().stdin(Stdio::null());
    command.env("ROSTERD__EXAM__CODE", "xxx").env("ROSTERD__CLASSIN__SECRET", "topsecret");
    command
}

/// A sandbox that ends with this value.
pub(crate) struct Service {
    child: Child,
    _stderr: BufReader<ChildStderr>,
    host: String,
}

/// One line of the sandbox's journal.
#[derive(Deserialize)]
struct Entry {
    service: String,
    endpoint: String,
    items: usize,
    start: Option<i64>,
    answered: String,
    applied: usize,
}

impl Service {
    /// Starts it. It makes what the roster names without ids and writes the ids into the roster.
    pub(crate) fn start(roster: &Path) -> Self {
        let mut command = program();
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--login-field", "login", "--provision"]);
        command.arg(roster).current_dir(roster.parent().unwrap());
        for switch in SWITCHES {
            command.args(["--set", switch]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut heard = String::new();
        let host = loop {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).unwrap();
            assert!(read > 0, "the sandbox ended before it served: {heard}");
            if let Some((_, rest)) = line.trim_end().split_once("http://") {
                break rest.split(' ').next().unwrap_or(rest).to_owned();
            }
            heard.push_str(&line);
        };
        Self { child, _stderr: stderr, host }
    }

    /// Address and port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// One request to its pages; what it answers must be a success.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        write!(
            stream,
            "{method} /_sandbox/{path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.host,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
        body.to_owned()
    }

    /// Whether this endpoint was called since the last look.
    pub(crate) fn has_heard(&self, endpoint: &str) -> bool {
        let entries: Vec<Entry> = serde_json::from_str(&self.ask("GET", "journal", "")).unwrap();
        entries.iter().any(|entry| entry.endpoint == endpoint)
    }

    /// The calls since the last look, one a line, in the order in which they came.
    pub(crate) fn calls(&self) -> Vec<String> {
        let entries: Vec<Entry> = serde_json::from_str(&self.ask("GET", "journal", "")).unwrap();
        let _empty = self.ask("DELETE", "journal", "");
        entries.into_iter().map(|entry| line(&entry)).collect()
    }
}

fn line(entry: &Entry) -> String {
    let Entry { service, endpoint, items, start, answered, applied } = entry;
    let from = start.map(|start| format!(" from {start}")).unwrap_or_default();
    format!("{service} {endpoint}{from}: {items} asked, {applied} done, {answered}")
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
