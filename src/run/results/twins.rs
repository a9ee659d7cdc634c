//! Rows of one page that nothing but their values can tell apart: attempts of one candidate at one exam in one second. Pure.
//!
//! Those that are equal are one attempt; those that differ are two.

use std::collections::HashMap;

use crate::remote::exam::{ResultsPage, ResultsRow};
use rosterd_core::exam_plan::{Fingerprint, MemoryKey};
use rosterd_core::roster::{Attempt, AttemptKey};

/// A row of a page that shows an attempt of an earlier row.
pub(super) struct TwinRow {
    /// Its place in the page.
    pub at: usize,
    pub twin: Twin,
    /// By what it is known again.
    pub hash: Fingerprint,
}

impl TwinRow {
    /// Its place, and that of the row that it repeats, where it is no attempt of its own.
    pub(super) fn same(&self) -> Option<(usize, usize)> {
        match self.twin {
            Twin::Same(first) => Some((self.at, first)),
            Twin::Other => None,
        }
    }
}

/// The rows of a page that show an attempt of an earlier row.
pub(super) fn of_page(page: &ResultsPage, key: &MemoryKey) -> Vec<TwinRow> {
    let row = |(at, twin): (usize, Option<Twin>)| {
        let twin = twin?;
        let AttemptKey { exam, sid, started_at_ms, untimed } = &page.rows.get(at)?.attempt()?.key;
        let kind = match twin {
            Twin::Same(_) => "results.same",
            Twin::Other => "results.other",
        };
        let mut hash = key.digest(kind);
        hash.number(exam.0).number(sid.0).number(*started_at_ms).text(untimed);
        Some(TwinRow { at, twin, hash: hash.finish() })
    };
    twins(&page.rows).into_iter().enumerate().filter_map(row).collect()
}

/// What a row is that nothing but its values can tell from an earlier one of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twin {
    /// The very attempt of that row again.
    Same(usize),
    /// An attempt with other values.
    Other,
}

/// Which rows show an attempt of an earlier row. Two attempts of one candidate in one second are two if their links say so.
pub(super) fn twins(rows: &[ResultsRow]) -> Vec<Option<Twin>> {
    let mut met: HashMap<&AttemptKey, Vec<(usize, &Attempt)>> = HashMap::new();
    let mut twins = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let Some(row) = row.attempt() else {
            twins.push(None);
            continue;
        };
        let earlier = met.entry(&row.key).or_default();
        let mut alike = earlier.iter().filter(|(_, other)| !are_told_apart(row, other)).peekable();
        let is_alone = alike.peek().is_none();
        let same = alike.find(|(_, other)| other.agrees_with(row)).map(|(at, _)| Twin::Same(*at));
        twins.push(if is_alone { None } else { same.or(Some(Twin::Other)) });
        earlier.push((at, row));
    }
    twins
}

fn are_told_apart(row: &Attempt, other: &Attempt) -> bool {
    row.tid.is_some() && other.tid.is_some() && row.tid != other.tid
}

#[cfg(test)]
mod tests {
    use super::*;
    use rosterd_core::roster::{AttemptStatus, ExamId, Sid};

    fn row(number: i64) -> Attempt {
        let (exam, sid, untimed) = (ExamId(1), Sid(number), String::new());
        Attempt {
            key: AttemptKey { exam, sid, started_at_ms: 1000, untimed },
            tid: Some(format!("t{number}")),
            login: None,
            score: None,
            passed: None,
            status: AttemptStatus::Submitted,
            ended_at_ms: None,
        }
    }

    #[test]
    fn rows_of_one_second_are_told_apart_by_their_links_or_else_by_their_values() {
        let told = Some("other".to_owned());
        let table = [
            ("the same", row(4), Some(Twin::Same(1))),
            ("the same without its link", Attempt { tid: None, ..row(4) }, Some(Twin::Same(1))),
            ("with another link", Attempt { tid: told, ..row(4) }, None),
            ("with another score", Attempt { score: Some(7.0), ..row(4) }, Some(Twin::Other)),
        ];
        for (name, twin, expected) in table {
            let rows = [row(5), row(4), twin].map(ResultsRow::Attempt);
            assert_eq!(twins(&rows), [None, None, expected], "{name}");
        }
    }
}
