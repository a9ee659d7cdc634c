//! Reads files with one table each: CSV in our own columns, in mapped ones or in ones that are known, any order of
//! columns, any of the usual separators; or sheets of a workbook. It does not know what the database holds.

mod bare_classes;
mod headers;
mod left_out;
mod sheet_names;
mod sheets;
mod summaries;
mod tables;

use std::path::{Path, PathBuf};

use self::bare_classes::BareClasses;
use self::headers::{accept, tell_left_out};
use super::discover::{NamedFile, files_by_table};
use super::heading::Owner;
use super::layout::{self, Grades, Table, Wanted};
use super::made::Made;
use super::mapping::ColumnMap;
use super::sheet::{FileRef, FileSource, NO_HEADER, read_raw, refuse_without_rows};
use super::sniff::ReadOptions;
use super::table::{Row, RowFault};
use super::workbook::{FileKind, kind_of};
use super::{RosterTable, RowSink, SkippedColumns, shown_name};

/// What the name of a sheet says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SheetIs {
    /// The group of its students, where several sheets are read and no column says it.
    #[default]
    Auto,
    /// The group of its students.
    Group,
    /// The class of its students.
    Class,
    /// Nothing.
    Nothing,
}

/// The admin's options for files with one table each.
#[derive(Clone, Debug, Default)]
pub struct CsvOptions {
    /// Their names for our columns. A file that is not named after a table is then one of students.
    pub map: ColumnMap,
    /// Encoding and separator, where they are not to be found out.
    pub reading: ReadOptions,
    /// The sheets of a workbook; none: those named after tables, else all of one form.
    pub sheets: Vec<String>,
    /// What their names say.
    pub sheet_is: SheetIs,
    /// The files are the whole truth.
    pub whole: bool,
}

/// What is read as a table.
struct CsvSource<'s> {
    table: RosterTable,
    /// Neither the file's name nor the mapping says which table it is.
    is_unnamed: bool,
    options: &'s CsvOptions,
    path: &'s Path,
    /// The sheet's name, unless it sums up others.
    sheet: Option<&'s str>,
    /// A column that all rows share, such as the sheet's name.
    shared: Option<(&'static str, Made)>,
    /// Other sheets hold students too.
    is_one_of_several: bool,
    /// What the file is besides what its name says.
    remark: &'static str,
}

/// Reads the given files, or those files of a given folder that are named after our tables.
pub fn read(sink: &mut RowSink, paths: &[PathBuf], options: &CsvOptions) {
    for NamedFile { table, path, map } in files_by_table(sink, paths, !options.map.is_empty()) {
        match map {
            Some(map) => read_file(sink, table, &path, &CsvOptions { map, ..options.clone() }),
            None => read_file(sink, table, &path, options),
        }
    }
}

fn read_file(sink: &mut RowSink, table: Option<RosterTable>, path: &Path, options: &CsvOptions) {
    let remark = match kind_of(path) {
        FileKind::Workbook => return sheets::read(sink, table, path, options),
        FileKind::Markup(language) => {
            let message = format!(
                "the file is {language} under the name of a workbook: open it in a spreadsheet program and save it as .xlsx \
                 or CSV"
            );
            return sink.reading.refuse_file(&shown_name(path), 1, 1, "not-a-workbook", message);
        }
        FileKind::TextNamedWorkbook => "the file is text under the name of a workbook, and read as text",
        FileKind::Text => "",
    };
    let file = FileRef { is_sheet: true, ..FileRef::note(sink, shown_name(path)) };
    if !remark.is_empty() {
        sink.reading.notice(&file.name, remark);
    }
    let source = CsvSource {
        table: table.unwrap_or(RosterTable::Students),
        is_unnamed: table.is_none() && options.map.is_empty(),
        options,
        path,
        sheet: None,
        shared: None,
        is_one_of_several: false,
        remark,
    };
    read_raw(sink, &file, &mut FileSource(path.to_owned()), options.reading, &mut |sink, file, rows| {
        read_table(sink, file, &source, rows);
    });
}

/// Finds the table among the rows and reads it.
fn read_table(
    sink: &mut RowSink,
    file: &FileRef,
    source: &CsvSource<'_>,
    rows: impl Iterator<Item = Result<Row, RowFault>>,
) {
    let wanted = Wanted { table: source.table, map: &source.options.map };
    let mut table = match layout::find(rows, wanted) {
        Ok(Some(table))
            if table.heading.names.iter().any(|name| !name.is_empty()) || !table.found.is_empty() =>
        {
            table
        }
        Ok(_) => return file.refuse(sink, 1, "empty-file", NO_HEADER.to_owned()),
        Err(fault) => return file.refuse(sink, fault.line, fault.code, fault.message),
    };
    if let Some((column, made)) = &source.shared {
        table.add(column, made.clone());
    }
    if !accept(sink, file, source, &mut table) {
        return;
    }
    let mut bare = BareClasses::of(source, &mut table);
    for note in std::mem::take(&mut table.heading.notes) {
        sink.reading.notice(&file.name, note);
    }
    let skipped = std::mem::take(&mut table.heading.skipped);
    for (reason, columns) in skipped {
        let skipped = SkippedColumns { file: file.name.clone(), reason, columns };
        if !sink.reading.skipped_columns.contains(&skipped) {
            sink.reading.skipped_columns.push(skipped);
        }
    }
    let owners = if source.table == RosterTable::Students { table.heading.owners() } else { Vec::new() };
    sink.reading.has_departments |= owners.iter().any(|owner| owner.holds_several);
    if source.table == RosterTable::Students && table.heading.names_accounts() {
        sink.reading.of_accounts.insert(file.index);
    }
    let Table { headers, mut rows, .. } = table;
    let columns = source.table.columns();
    let places = [0, 1].map(|at| headers.position(columns.get(at).copied().unwrap_or_default()));
    sink.reading.key_columns.insert(source.table, places);
    for Owner { column, members, .. } in &owners {
        sink.reading.key_columns.insert(*members, ["student_id", column].map(|name| headers.position(name)));
    }
    let mut noted = rows.by_ref().inspect(|row| row.iter().for_each(|row| bare.note(row)));
    let count = tables::read(sink, file, (source.table, &owners), &headers, &mut noted);
    bare.tell(sink, file, source);
    tell_left_out(sink, file, &rows.left_out);
    if let Some((column, fill)) = rows.grades.as_ref().and_then(Grades::merged) {
        tables::refuse_merged(sink, file, (headers.line, column), "the grade of a class", fill);
    }
    // A whole roster without students is refused as such; a sheet without any beside others would be a class that left.
    let is_all = source.options.whole && source.table == RosterTable::Students && !source.is_one_of_several;
    if count == 0 && !is_all {
        refuse_without_rows(sink, file);
    }
}
