//! What an import costs: time, and the most memory that the process ever took, for files of 20 and 200 MB.
//!
//! Goals: a file ten times as large takes no more memory, and less than 100 MB in all. Bad rows cost no more than good
//! ones, also where all have one id. Files and databases are made in a temporary folder and go with it. Linux only.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use rosterd::{ImportKind, ImportRequest, import};

/// Rows of the files that compare bad rows with good ones.
const ROWS: u32 = 24_000;
/// About 133 bytes a row.
const SIZES: [u32; 2] = [156_000, 1_560_000];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{:>9} {:>8} {:>12} {:>12} {:>9}", "students", "MB", "import s", "again s", "peak MB");
    for count in SIZES {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("students.csv");
        write_students(&file, count)?;
        let megabytes = std::fs::metadata(&file)?.len() / 1_000_000;
        let database = folder.path().join("roster.db");
        let request = ImportRequest::new(ImportKind::Csv, vec![file], database);
        let request = ImportRequest { bulk: true, ..request };
        let first = timed(&request).await?;
        let again = timed(&request).await?;
        let peak = peak_kibibytes()? / 1024;
        println!("{count:>9} {megabytes:>8} {first:>12.1} {again:>12.1} {peak:>9}");
    }
    println!("{:>9} {:>12} {:>12} {:>12}", "rows", "good s", "one id s", "overlong s");
    let mut taken = Vec::new();
    let overlong = "x".repeat(300);
    let ids: [&dyn Fn(u32) -> String; 3] =
        [&|n| format!("S{n}"), &|_| "S1".to_owned(), &|n| format!("{overlong}{n}")];
    for id in ids {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("students.csv");
        let rows: String = (0..ROWS).map(|n| format!("{},Student {n},C{}\n", id(n), n % 40)).collect();
        std::fs::write(&file, format!("student_id,name,group_code\n{rows}"))?;
        let request = ImportRequest::new(ImportKind::Csv, vec![file], folder.path().join("roster.db"));
        let started = Instant::now();
        // Bad rows are refused, which is what is timed.
        let _refused = import(&request).await;
        taken.push(started.elapsed().as_secs_f64());
    }
    let taken: Vec<String> = taken.iter().map(|seconds: &f64| format!("{seconds:>12.1}")).collect();
    println!("{ROWS:>9} {}", taken.join(" "));
    Ok(())
}

async fn timed(request: &ImportRequest) -> Result<f64, Box<dyn Error>> {
    let started = Instant::now();
    let report = import(request).await?;
    if !report.problems.is_empty() {
        return Err("the rows are good".into());
    }
    Ok(started.elapsed().as_secs_f64())
}

fn write_students(path: &Path, count: u32) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "student_id,name,gender,phone,email,password,login,campus")?;
    for n in 0..count {
        writeln!(
            file,
            "S{n:08},\"Student, number {n}\",female,+86138{n:08},student{n:08}@school.example.org,pw{n:08}x,login{n:08},North campus {}",
            n % 7
        )?;
    }
    file.flush()
}

fn peak_kibibytes() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak is told")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
