//! Sheets that sum up others: whoever stands in them stands in the sheet of a class too.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::CsvOptions;
use super::sheet_names::is_summary;
use crate::RosterTable;
use crate::layout::{self, Wanted};
use crate::workbook::Workbook;

/// Who stands on sheets, by 64 bits of each id, with keys of this reading alone.
pub(super) struct People<'o> {
    options: &'o CsvOptions,
    keys: RandomState,
}

/// A sheet that sums up others.
pub(super) struct Summary {
    pub(super) number: usize,
    /// It has a column that the others lack, and is read for it.
    pub(super) says_more: bool,
}

/// What a sheet holds.
struct Content {
    number: usize,
    is_called_so: bool,
    ids: HashSet<u64>,
    columns: BTreeSet<String>,
}

impl<'o> People<'o> {
    pub(super) fn new(options: &'o CsvOptions) -> Self {
        Self { options, keys: RandomState::new() }
    }

    /// The sheets among these that sum up the others: by their names, or as they hold just everybody of several others.
    pub(super) fn summaries(&self, workbook: &mut Workbook, sheets: &[usize]) -> Vec<Summary> {
        let name = |workbook: &Workbook, number: usize| {
            workbook.sheets().get(number).map(|sheet| sheet.name.clone()).unwrap_or_default()
        };
        let is_named = sheets.iter().any(|number| is_summary(&name(workbook, *number)));
        if sheets.len() < if is_named { 2 } else { 3 } {
            return Vec::new();
        }
        let contents: Vec<Content> = sheets
            .iter()
            .map(|number| {
                let (ids, columns) = self.of_sheet(workbook, *number);
                Content { number: *number, is_called_so: is_summary(&name(workbook, *number)), ids, columns }
            })
            .collect();
        let mut found: Vec<Summary> = Vec::new();
        for content in &contents {
            let is_other = |other: &&Content| {
                other.number != content.number && found.iter().all(|summary| summary.number != other.number)
            };
            let others = || contents.iter().filter(is_other);
            let is_within = content.ids.iter().all(|id| others().any(|other| other.ids.contains(id)));
            let parts = || others().filter(|other| !other.is_called_so);
            let has_all = parts().count() > 1
                && parts().all(|other| {
                    !other.ids.is_empty()
                        && other.ids.len() < content.ids.len()
                        && other.ids.is_subset(&content.ids)
                });
            if !content.ids.is_empty() && is_within && (content.is_called_so || has_all) {
                let says_more = content
                    .columns
                    .iter()
                    .any(|column| others().all(|other| !other.columns.contains(column)));
                found.push(Summary { number: content.number, says_more });
            }
        }
        found
    }

    /// Whether nobody stands on a sheet but people of the others.
    pub(super) fn are_within(&self, workbook: &mut Workbook, sheet: usize, others: &[usize]) -> bool {
        let mut missing = self.of_sheet(workbook, sheet).0;
        for other in others {
            let (ids, _) = self.of_sheet(workbook, *other);
            missing.retain(|id| !ids.contains(id));
        }
        missing.is_empty()
    }

    /// The ids of a sheet, and the columns of ours that it has.
    fn of_sheet(&self, workbook: &mut Workbook, number: usize) -> (HashSet<u64>, BTreeSet<String>) {
        let (mut ids, mut columns) = (HashSet::new(), BTreeSet::new());
        let is_class =
            workbook.sheets().get(number).is_some_and(|sheet| !super::sheets::says_nothing(&sheet.name));
        if is_class {
            columns.insert("group_code".to_owned());
        }
        let Ok(rows) = workbook.rows(number, true) else { return (ids, columns) };
        let wanted = Wanted { table: RosterTable::Students, map: &self.options.map };
        let Ok(Some(table)) = layout::find(rows, wanted) else { return (ids, columns) };
        let Some(key) = table.headers.names.iter().position(|name| name == "student_id") else {
            return (ids, columns);
        };
        columns.extend(table.headers.names.iter().filter(|name| !name.is_empty()).cloned());
        for row in table.rows.filter_map(Result::ok) {
            let id = row.fields.get(key).unwrap_or_default().trim();
            if !id.is_empty() {
                ids.insert(self.keys.hash_one(id));
            }
        }
        (ids, columns)
    }
}
