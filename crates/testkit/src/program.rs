//! The program itself, started beside a school.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::School;

/// How the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Standard output, which must be one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Standard output without the line breaks within its sentences, as `check` makes them for a terminal.
    pub fn flowing(&self) -> String {
        self.stdout.replace("\n      ", " ")
    }
}

/// Every line of a text, each of which must be JSON.
pub fn jsonl(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
        .collect()
}

/// The program, running.
pub struct Running {
    child: Child,
    stderr: Option<BufReader<std::process::ChildStderr>>,
    heard: String,
}

impl School {
    /// The program with this school's configuration and variables, and no others of its own.
    pub fn command_of(&self, binary: &str, arguments: &[&str]) -> Command {
        let mut command = bare(binary, arguments);
        command.args(["--config".as_ref(), self.config().as_os_str()]);
        command.envs(self.variables());
        command
    }
}

/// The program at this path, without any configuration of a school.
pub fn bare(binary: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

pub fn ended(mut command: Command) -> Ended {
    // A program that was just copied is busy as long as a process that another test has begun meanwhile holds the file open.
    let begun = Instant::now();
    let output = loop {
        match command.output() {
            Err(error)
                if error.kind() == ErrorKind::ExecutableFileBusy
                    && begun.elapsed() < Duration::from_secs(20) =>
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            output => break output.unwrap(),
        }
    };
    Ended {
        code: output.status.code().expect("an exit code"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Running {
    pub fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().map(BufReader::new);
        Self { child, stderr, heard: String::new() }
    }

    /// Reads standard error up to a line with this text, and answers the line.
    pub fn hear(&mut self, text: &str) -> String {
        let stderr = self.stderr.as_mut().unwrap();
        loop {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).unwrap();
            assert!(read > 0, "no line says {text:?}:\n{}", self.heard);
            self.heard.push_str(&line);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), id.as_str()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.stderr.take().unwrap().read_to_string(&mut self.heard).unwrap();
        let code = self.child.wait().unwrap().code().expect("an exit code");
        Ended { code, stdout, stderr: std::mem::take(&mut self.heard) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Asks until something holds; a state that does not come about in a minute never will.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
