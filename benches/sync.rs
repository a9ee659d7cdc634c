//! The whole program against a sandbox: a first sync, then a run with nothing to do.
//!
//! `cargo bench --bench sync -- 10000 100000` gives, for each number of students, the requests beside the
//! least possible, wall and processor seconds, and the peak resident memory of the program (the sandbox is
//! in this process, the program in another). Linux only.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rosterd::{Commit, Completeness, RosterWriter};
use rosterd_import::{CellValue, GroupRow, RosterRows, StudentRow};
use rosterd_sandbox::{Sandbox, SandboxSettings};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let sizes: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000] } else { sizes };
    println!(
        "{:>9} {:<10} {:>9} {:>9} {:>8} {:>8} {:>10}",
        "students", "run", "requests", "least", "wall s", "cpu s", "peak kB"
    );
    for students in sizes {
        measure(students).await?;
    }
    Ok(())
}

async fn measure(students: u32) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let sandbox = Sandbox::new(SandboxSettings {
        login_field: "login".to_owned(),
        switches: vec![("qps_limit".to_owned(), "0".to_owned())],
        ..SandboxSettings::default()
    })?;
    let serving = sandbox.serve("127.0.0.1:0".parse()?).await?;
    let gid = sandbox.create_group("everybody");
    fill(&folder.path().join("roster.db"), students, gid).await?;
    configure(folder.path(), &serving.base_url())?;
    let pages = u64::from(students.div_ceil(100).max(1));
    let batches = u64::from(students.div_ceil(100));
    // A first sync asks for the fields once and lists the empty account once.
    for (run, least) in [("first", batches + 2), ("quiet", pages), ("quiet", pages)] {
        sandbox.clear_journal();
        let figures = run_once(folder.path())?;
        let requests = sandbox.journal().len();
        let Figures { wall, cpu, peak_kb } = figures;
        println!(
            "{students:>9} {run:<10} {requests:>9} {least:>9} {:>8.2} {:>8.2} {peak_kb:>10}",
            wall.as_secs_f64(),
            cpu.as_secs_f64()
        );
    }
    serving.stop().await;
    Ok(())
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
    wall: Duration,
    cpu: Duration,
    peak_kb: u64,
}

fn run_once(folder: &Path) -> Result<Figures, Error> {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rosterd"))
        .arg("--config")
        .arg(folder.join("rosterd.toml"))
        .args(["--sync-now", "--output", "json", "--log-level", "error"])
        .env("ROSTERD__EXAM__CODE", "xxx")
        .stdout(Stdio::null())
        .spawn()?;
    let (mut cpu, mut peak_kb) = (Duration::ZERO, 0);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if let Some((now_cpu, now_peak)) = usage(&child) {
            cpu = cpu.max(now_cpu);
            peak_kb = peak_kb.max(now_peak);
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    if !status.success() {
        return Err(format!("the program ended with {status}").into());
    }
    Ok(Figures { wall: started.elapsed(), cpu, peak_kb })
}

/// Processor time and peak memory so far, as the kernel counts them.
fn usage(child: &Child) -> Option<(Duration, u64)> {
    let folder = format!("/proc/{}", child.id());
    let stat = std::fs::read_to_string(format!("{folder}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let status = std::fs::read_to_string(format!("{folder}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak_kb = peak.split_whitespace().next()?.parse().ok()?;
    // The kernel counts in hundredths of a second.
    Some((Duration::from_millis(ticks * 10), peak_kb))
}
