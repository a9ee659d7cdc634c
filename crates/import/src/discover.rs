//! Assigns files and folders to tables, by their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::mapping::ColumnMap;
use super::{RosterTable, RowSink, classic_sds, shown_name};

/// File endings that a folder is searched for.
const ENDINGS: [&str; 6] = ["csv", "tsv", "txt", "xlsx", "xls", "ods"];

/// A file, with the table after which it is named.
pub(super) struct NamedFile {
    pub(super) table: Option<RosterTable>,
    pub(super) path: PathBuf,
    /// Its columns, where a program is known that names its files and columns so.
    pub(super) map: Option<ColumnMap>,
}

impl NamedFile {
    fn new(table: Option<RosterTable>, path: &Path) -> Self {
        Self { table, path: path.to_owned(), map: None }
    }
}

/// The files in the order of their tables; those with names of their own come last. With a mapping of the admin's own none
/// is taken for a known program's.
pub(super) fn files_by_table(sink: &mut RowSink, paths: &[PathBuf], is_mapped: bool) -> Vec<NamedFile> {
    let mut files: BTreeMap<RosterTable, NamedFile> = BTreeMap::new();
    let mut unnamed = Vec::new();
    for path in paths {
        for file in named_files(sink, path, is_mapped) {
            let (table, name) = (file.table, shown_name(&file.path));
            match table {
                None => unnamed.push(file),
                Some(table) => {
                    if files.insert(table, file).is_some() {
                        let message = format!("there are two files for the table {table}");
                        sink.reading.refuse_file(&name, 1, 1, "duplicate-file", message);
                    }
                }
            }
        }
    }
    files.into_values().chain(unnamed).collect()
}

/// The tables of a file that School Data Sync names so; `None` for any other.
fn classic_files(sink: &mut RowSink, path: &Path) -> Option<Vec<NamedFile>> {
    let tables = classic_sds::tables(path)?;
    if tables.is_empty() {
        sink.reading.notice(&shown_name(path), classic_sds::LEFT_OUT);
    }
    let file = |(table, map)| NamedFile { map: Some(map), ..NamedFile::new(Some(table), path) };
    Some(tables.into_iter().map(file).collect())
}

fn named_files(sink: &mut RowSink, path: &Path, is_mapped: bool) -> Vec<NamedFile> {
    let name = shown_name(path);
    if !path.exists() {
        sink.reading.refuse_file(&name, 1, 1, "not-readable", "there is no such file".to_owned());
        return Vec::new();
    }
    if !path.is_dir() {
        let classic = if is_mapped { None } else { classic_files(sink, path) };
        return classic.unwrap_or_else(|| vec![NamedFile::new(table_of(path), path)]);
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            sink.reading.refuse_file(&name, 1, 1, "not-readable", error.to_string());
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| has_table_ending(path)).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if let Some(table) = table_of(&path) {
            found.push(NamedFile::new(Some(table), &path));
        } else if !is_mapped {
            found.extend(classic_files(sink, &path).unwrap_or_default());
        }
    }
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
