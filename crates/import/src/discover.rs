//! Assigns files and folders to tables, by their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{RosterTable, RowSink, shown_name};

/// File endings that a folder is searched for.
const ENDINGS: [&str; 6] = ["csv", "tsv", "txt", "xlsx", "xls", "ods"];

/// A file, with the table after which it is named.
pub(super) struct NamedFile {
    pub(super) table: Option<RosterTable>,
    pub(super) path: PathBuf,
}

/// The files in the order of their tables; those with names of their own come last.
pub(super) fn files_by_table(sink: &mut RowSink, paths: &[PathBuf]) -> Vec<NamedFile> {
    let mut files: BTreeMap<RosterTable, PathBuf> = BTreeMap::new();
    let mut unnamed = Vec::new();
    for path in paths {
        for NamedFile { table, path } in named_files(sink, path) {
            match table {
                None => unnamed.push(NamedFile { table, path }),
                Some(table) => {
                    if files.insert(table, path.clone()).is_some() {
                        let message = format!("there are two files for the table {table}");
                        sink.reading.refuse_file(&shown_name(&path), 1, 1, "duplicate-file", message);
                    }
                }
            }
        }
    }
    let named = files.into_iter().map(|(table, path)| NamedFile { table: Some(table), path });
    named.chain(unnamed).collect()
}

fn named_files(sink: &mut RowSink, path: &Path) -> Vec<NamedFile> {
    let name = shown_name(path);
    if !path.exists() {
        sink.reading.refuse_file(&name, 1, 1, "not-readable", "there is no such file".to_owned());
        return Vec::new();
    }
    if !path.is_dir() {
        return vec![NamedFile { table: table_of(path), path: path.to_owned() }];
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            sink.reading.refuse_file(&name, 1, 1, "not-readable", error.to_string());
            return Vec::new();
        }
    };
    let mut found: Vec<(RosterTable, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| has_table_ending(path))
        .filter_map(|path| table_of(&path).map(|table| (table, path)))
        .collect();
    found.sort();
    if found.is_empty() {
        let message = "the folder holds no file that is named after a table".to_owned();
        sink.reading.refuse_file(&name, 1, 1, "no-files", message);
    }
    found.into_iter().map(|(table, path)| NamedFile { table: Some(table), path }).collect()
}

fn table_of(path: &Path) -> Option<RosterTable> {
    table_named(path.file_stem()?.to_str()?)
}

pub(super) fn table_named(name: &str) -> Option<RosterTable> {
    RosterTable::ALL.into_iter().find(|table| table.name().eq_ignore_ascii_case(name.trim()))
}

fn has_table_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}
