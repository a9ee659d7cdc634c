//! The whole program beside scripts that do the same: a first sync, then runs with nothing to do.
//!
//! `cargo bench --bench sync -- 10000 100000 --latency 50` gives, for each number of students, the requests beside the
//! least possible, wall and processor seconds, and the peak resident memory. The first sync goes against the sandbox. The
//! quiet runs go against a server that has rendered every page before and then only copies it, and so do the scripts
//! `serial.py` (`requests`) and `in_flight.py` (`aiohttp`, eight requests in flight): what is measured is the client.
//! `PYTHON` names the interpreter; a script whose library is not there is left out. Of three runs the one with the least
//! processor time counts.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rosterd::{Commit, Completeness, RosterWriter};
use rosterd_import::{CellValue, GroupRow, RosterRows, StudentRow};
use rosterd_sandbox::{CandidateView, Sandbox, SandboxSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Error = Box<dyn std::error::Error>;

/// Candidates on a page.
const PAGE: usize = 100;

/// How often each quiet run is measured.
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let latency = arguments.iter().position(|argument| argument == "--latency");
    let latency_ms = latency.and_then(|at| arguments.get(at + 1)).and_then(|ms| ms.parse().ok()).unwrap_or(0);
    let is_size = |at: &usize| latency.is_none_or(|latency| *at != latency + 1);
    let sizes = (0..arguments.len()).filter(is_size).filter_map(|at| arguments.get(at)?.parse().ok());
    let mut sizes: Vec<u32> = sizes.collect();
    if sizes.is_empty() {
        sizes = vec![10_000, 100_000];
    }
    println!("latency {latency_ms} ms");
    println!(
        "{:>9} {:<14} {:>9} {:>9} {:>8} {:>8} {:>8}",
        "students", "run", "requests", "least", "wall s", "cpu s", "peak MB"
    );
    for students in sizes {
        measure(students, Duration::from_millis(latency_ms)).await?;
    }
    Ok(())
}

async fn measure(students: u32, latency: Duration) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let roster = folder.path().join("roster.db");
    let sandbox = Sandbox::new(SandboxSettings {
        login_field: "login".to_owned(),
        switches: vec![("qps_limit".to_owned(), "0".to_owned())],
        ..SandboxSettings::default()
    })?;
    let serving = sandbox.serve("127.0.0.1:0".parse()?).await?;
    let base_url = serving.base_url();
    fill(&roster, students, sandbox.create_group("everybody")).await?;
    configure(folder.path(), &base_url)?;
    sandbox.clear_journal();
    let figures = run(rosterd(folder.path())).await?;
    let requests = u64::try_from(sandbox.journal().len())?;
    let pages = u64::from(students.div_ceil(100).max(1));
    // A first sync asks for the fields once and lists the empty account once.
    print(students, "first sync", requests, u64::from(students.div_ceil(100)) + 2, &figures);

    let rendered = rendered(&sandbox.candidates());
    // The state belongs to an account at this very address.
    let address: SocketAddr = base_url.trim_start_matches("http://").parse()?;
    serving.stop().await;
    drop(sandbox);
    let server = PageServer::start(address, rendered, latency).await?;
    let script = |name: &str| {
        let mut command = vec![python(), format!("benches/{name}").into()];
        command.extend([roster.clone(), base_url.clone().into()]);
        command
    };
    for (name, command) in [
        ("no change", rosterd(folder.path())),
        ("serial.py", script("serial.py")),
        ("in_flight.py", script("in_flight.py")),
    ] {
        let mut best: Option<Figures> = None;
        for _ in 0..ROUNDS {
            server.requests.store(0, Ordering::Relaxed);
            match run(command.clone()).await {
                Ok(figures) if best.as_ref().is_none_or(|best| figures.cpu < best.cpu) => {
                    best = Some(figures)
                }
                Ok(_) => {}
                Err(error) if name == "no change" => return Err(error),
                Err(error) => {
                    println!("{students:>9} {name:<14} left out: {error}");
                    break;
                }
            }
        }
        if let Some(figures) = best {
            print(students, name, server.requests.load(Ordering::Relaxed), pages, &figures);
        }
    }
    server.task.abort();
    Ok(())
}

fn print(students: u32, run: &str, requests: u64, least: u64, figures: &Figures) {
    let Figures { wall, cpu, peak_mb } = figures;
    println!("{students:>9} {run:<14} {requests:>9} {least:>9} {wall:>8.2} {cpu:>8.3} {peak_mb:>8.1}");
}

/// Answers `getstulist` with pages that were rendered before, and counts the requests.
struct PageServer {
    requests: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl PageServer {
    async fn start(address: SocketAddr, pages: Vec<Vec<u8>>, latency: Duration) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await?;
        let (pages, requests) = (Arc::new(pages), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (pages, counted) = (Arc::clone(&pages), Arc::clone(&counted));
                tokio::spawn(async move {
                    // A client that has what it wants closes.
                    let _closed = answer_all(connection, &pages, &counted, latency).await;
                });
            }
        });
        Ok(Self { requests, task })
    }
}

async fn answer_all(
    mut connection: TcpStream,
    pages: &[Vec<u8>],
    requests: &AtomicU64,
    latency: Duration,
) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut received = Vec::new();
    loop {
        let Some((length, start)) = request(&received) else {
            if connection.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
            continue;
        };
        received.drain(..length);
        requests.fetch_add(1, Ordering::Relaxed);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let page = pages.get(start / PAGE).or(pages.last()).map(Vec::as_slice).unwrap_or_default();
        connection.write_all(page).await?;
    }
}

/// The length of a whole request, and which candidate it asks for first.
fn request(received: &[u8]) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(received).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let form = body.get(..length?)?;
    let start = form.split('&').find_map(|pair| pair.strip_prefix("start=")?.parse().ok()).unwrap_or(0);
    Some((head.len() + 4 + form.len(), start))
}

/// Whole answers, head and body; the last one is that without rows.
fn rendered(candidates: &[CandidateView]) -> Vec<Vec<u8>> {
    let pages = candidates.chunks(PAGE).chain([[].as_slice()]);
    let rendered = pages.map(|page| {
        let rows: Vec<serde_json::Value> = page.iter().map(row).collect();
        let body = serde_json::json!({ "data": rows, "status": "ok", "total": candidates.len() }).to_string();
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
            .into_bytes()
    });
    rendered.collect()
}

fn row(candidate: &CandidateView) -> serde_json::Value {
    let label = |field: i64| match field {
        1 => "name",
        2 => "gender",
        4 => "phone",
        10 => "password",
        _ => "login",
    };
    let fields: Vec<serde_json::Value> = candidate
        .fields
        .iter()
        .map(|(field, value)| serde_json::json!({ "sFid": field, "label": label(*field), "value": value }))
        .collect();
    serde_json::json!({ "loginValue": candidate.login_value, "fields": fields })
}

async fn fill(path: &Path, students: u32, gid: i64) -> Result<(), Error> {
    let mut rows = RosterRows::default();
    rows.groups.push(GroupRow {
        group_code: "all".to_owned(),
        title: CellValue::Value("everybody".to_owned()),
        gid: CellValue::Value(gid),
    });
    for number in 0..students {
        let id = format!("S{number:08}");
        rows.group_members.push((id.clone(), "all".to_owned()));
        rows.students.push(StudentRow {
            student_id: id,
            name: CellValue::Value(format!("Somebody Number {number}")),
            gender: CellValue::Value(if number % 2 == 0 { "f" } else { "m" }.to_owned()),
            phone: CellValue::Value(format!("00999-{number:08}")),
            password: CellValue::Value(format!("pass-{number}")),
            further: BTreeMap::from([("login".to_owned(), format!("login{number}"))]),
            ..StudentRow::default()
        });
    }
    let writer = RosterWriter::open_or_create(path).await?;
    let _difference = writer.apply(&rows, Completeness::Partial, Commit::Yes).await?;
    writer.close().await;
    Ok(())
}

fn configure(folder: &Path, base_url: &str) -> Result<(), Error> {
    let text = format!(
        "[sync]\nmode = \"sync\"\n[exam]\nbase_url = \"{base_url}\"\nlogin_field = \"login\"\n\
         requests_per_second = 0\nmax_in_flight = 8\n[exam.fields]\nname = 1\ngender = 2\nphone = 4\n\
         login = \"login\"\npassword = 10\n[http]\nlisten = \"\"\n"
    );
    std::fs::write(folder.join("rosterd.toml"), text)?;
    Ok(())
}

struct Figures {
    wall: f64,
    cpu: f64,
    peak_mb: f64,
}

fn python() -> PathBuf {
    std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()).into()
}

fn rosterd(folder: &Path) -> Vec<PathBuf> {
    let mut command: Vec<PathBuf> = vec![env!("CARGO_BIN_EXE_rosterd").into(), "--config".into()];
    command.push(folder.join("rosterd.toml"));
    command.extend(["--sync-now", "--output", "json", "--log-level", "error"].map(PathBuf::from));
    command
}

/// Runs a command to its end; the kernel's figures come from `measure.py`.
async fn run(command: Vec<PathBuf>) -> Result<Figures, Error> {
    let mut measured = Command::new(python());
    measured.arg("benches/measure.py").args(&command).env("ROSTERD__EXAM__CODE", "xxx");
    measured.stdout(Stdio::null()).stderr(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || measured.output()).await??;
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().last().unwrap_or_default();
    if !ended.status.success() {
        let why = said.lines().rev().nth(1).unwrap_or(last);
        return Err(format!("{} ({why})", ended.status).into());
    }
    let figures: Vec<f64> = last.split(' ').filter_map(|figure| figure.parse().ok()).collect();
    match figures.as_slice() {
        [user, system, peak_kb, wall] => {
            Ok(Figures { wall: *wall, cpu: user + system, peak_mb: peak_kb / 1024.0 })
        }
        _ => Err("measure.py told nothing".into()),
    }
}
