//! Files as schools have them, read through the public doors of the crate: ordinary ones go in without any option, and
//! what a spreadsheet program spoiled is found.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml relaxes these in test functions only; a helper that cannot go on fails, and says where"
)]

mod bundles;
mod cut_off;
mod exports;
mod foreign_rows;
mod hostile;
mod libreoffice;
mod marks;
mod offices;
mod sheets;
mod spoiled;
mod workbook;
mod workbooks;

use std::path::PathBuf;
use std::sync::Arc;

use rosterd_import::csv_files::{self, CsvOptions};
use rosterd_import::{CellValue, ColumnMap, Item, Reading, RosterTable, RowSink};
use tempfile::TempDir;

/// A folder with files.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    }
}

/// What was read: the good rows in words, and the findings.
struct Read {
    /// `id name gender phone email`, with `-` for what is not there.
    students: Vec<String>,
    /// `id in code`, or `id out of code`; classes with that word before.
    members: Vec<String>,
    reading: Reading,
}

impl Read {
    /// Line, column and code of each problem.
    fn problems(&self) -> Vec<(u64, usize, &'static str)> {
        let reading = &self.reading;
        let problems = reading.file_problems.iter().chain(&reading.row_problems);
        problems.map(|problem| (problem.line, problem.column, problem.code)).collect()
    }

    fn messages(&self) -> String {
        let reading = &self.reading;
        let problems = reading.file_problems.iter().chain(&reading.row_problems).map(ToString::to_string);
        problems.chain(reading.notices.iter().map(ToString::to_string)).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn is_good(&self) -> &Self {
        assert_eq!(self.problems(), [], "{}", self.messages());
        self
    }
}

fn read(paths: Vec<PathBuf>, options: CsvOptions) -> Read {
    come_of(move |sink| csv_files::read(sink, &paths, &options))
}

/// What comes of a reader.
fn come_of(read: impl FnOnce(&mut RowSink) + Send + 'static) -> Read {
    let (outlet, mut lots) = tokio::sync::mpsc::channel(8);
    let reader = std::thread::spawn(move || {
        let mut sink = RowSink::new(outlet, Arc::default());
        read(&mut sink);
        sink.finish()
    });
    let (mut students, mut members) = (Vec::new(), Vec::new());
    while let Some(lot) = lots.blocking_recv() {
        for row in lot.into_iter().filter(|row| row.good) {
            match row.item {
                Item::Student(person) => {
                    let row = person.row;
                    let values = [row.name, row.gender, row.phone, row.email].map(|value| match value {
                        CellValue::Value(text) => text,
                        CellValue::Empty | CellValue::Nothing => "-".to_owned(),
                    });
                    students.push(format!("{} {}", row.student_id, values.join(" ")));
                }
                Item::Member { table, student, code, departs } => {
                    let letter = if table == RosterTable::ClassMembers { "class " } else { "" };
                    let how = if departs { "out of" } else { "in" };
                    members.push(format!("{student} {how} {letter}{code}"));
                }
                Item::OtherPerson(_)
                | Item::StudentRole(_)
                | Item::Group { .. }
                | Item::Class { .. }
                | Item::Gone(..)
                | Item::OnlyThese { .. }
                | Item::OwnColumn { .. }
                | Item::DoubtfulId { .. } => {}
            }
        }
    }
    Read { students, members, reading: reader.join().unwrap() }
}

/// Reads one file without any option.
fn read_one(name: &str, contents: impl AsRef<[u8]>) -> Read {
    let desk = Desk::new();
    read(vec![desk.put(name, contents)], CsvOptions::default())
}

fn mapped(pairs: &[(&str, &str)]) -> CsvOptions {
    let pairs = pairs.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned()));
    CsvOptions { map: ColumnMap::new(pairs.collect()), ..CsvOptions::default() }
}
