//! The program `rosterd-sandbox`: it says where it serves, serves there, and ends when it is told to.

#![expect(clippy::unwrap_used, reason = "clippy.toml relaxes it in test functions only")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

fn started(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_rosterd-sandbox"))
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_program_serves_where_it_says_and_ends_with_0_when_told_to_stop() {
    let mut child = started(&["--field", "21=login", "--set", "index_base=1"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split_once("http://").unwrap().1.split(' ').next().unwrap().to_owned();
    let switches = get(&address, "/_sandbox/switches");
    assert!(switches.starts_with("HTTP/1.1 200") && switches.contains("index_base"), "{switches}");
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_unknown_switch_is_wrong_usage_and_lists_what_there_is() {
    let output = started(&["--set", "no_such_switch=1"]).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("no_such_switch") && said.contains("index_base"), "{said}");
}
