//! Assigns files and folders to tables, by their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::excel::is_workbook;
use super::{RosterTable, RowSink, shown_name};

/// File endings that a folder is searched for.
const ENDINGS: [&str; 6] = ["csv", "tsv", "txt", "xlsx", "xls", "ods"];

/// Workbooks have no table of their own.
pub(super) fn files_by_table(
    sink: &mut RowSink,
    paths: &[PathBuf],
    is_mapped: bool,
) -> Vec<(Option<RosterTable>, PathBuf)> {
    let mut files: BTreeMap<RosterTable, PathBuf> = BTreeMap::new();
    let mut workbooks = Vec::new();
    for path in paths {
        for (table, path) in named_files(sink, path, is_mapped) {
            match table {
                None => workbooks.push((None, path)),
                Some(table) => {
                    if files.insert(table, path.clone()).is_some() {
                        let message = format!("there are two files for the table {table}");
                        sink.reading.refuse_file(&shown_name(&path), 1, 1, "duplicate-file", message);
                    }
                }
            }
        }
    }
    files.into_iter().map(|(table, path)| (Some(table), path)).chain(workbooks).collect()
}

fn named_files(sink: &mut RowSink, path: &Path, is_mapped: bool) -> Vec<(Option<RosterTable>, PathBuf)> {
    let name = shown_name(path);
    if !path.is_dir() {
        match table_of(path) {
            Some(table) => return vec![(Some(table), path.to_owned())],
            None if path.is_file() && is_workbook(path) => return vec![(None, path.to_owned())],
            None if is_mapped => return vec![(Some(RosterTable::Students), path.to_owned())],
            None => {}
        }
        let names = RosterTable::ALL.map(RosterTable::name).join(", ");
        let message = format!("the file is named after none of {names} (--map says which columns are ours)");
        sink.reading.refuse_file(&name, 1, 1, "unknown-file", message);
        return Vec::new();
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            sink.reading.refuse_file(&name, 1, 1, "not-readable", error.to_string());
            return Vec::new();
        }
    };
    let mut found: Vec<(Option<RosterTable>, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| has_table_ending(path))
        .filter_map(|path| table_of(&path).map(|table| (Some(table), path)))
        .collect();
    found.sort();
    if found.is_empty() {
        let message = "the folder holds no file that is named after a table".to_owned();
        sink.reading.refuse_file(&name, 1, 1, "no-files", message);
    }
    found
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
