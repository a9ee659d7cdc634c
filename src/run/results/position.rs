//! Where a pass stands in a list that grows at its head while it is read. Pure.
//!
//! Offsets shift whenever a result arrives or is deleted, so an offset proves nothing. What proves that nothing was
//! left out is that each page shows an attempt of the page before: therefore pages overlap by one row.

use std::collections::HashSet;

use super::twins::twins;
use crate::remote::exam::{ResultsPage, ResultsRow};
use crate::store::{Met, ResultsPass};
use rosterd_core::roster::AttemptKey;

use crate::store::Anchor;

/// So many of the attempts read last are kept: if some of them are deleted meanwhile, another one joins the pages.
const ANCHORS: usize = 5;

/// How a page goes on from what was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// From this row on it is new to the pass.
    From(usize),
    /// It shows nothing of the page before: something may lie between them.
    Apart,
}

/// How this page goes on from the pass's last one.
pub(super) fn fit(pass: &ResultsPass, page: &ResultsPage) -> Fit {
    if pass.anchors.is_empty() {
        return Fit::From(0);
    }
    let of_one_second = of_one_second(&page.rows);
    // Each of them was read once: a row that comes twice is passed twice.
    let mut left: Vec<&Anchor> = pass.anchors.iter().collect();
    let mut from = None;
    for (at, row) in page.rows.iter().enumerate().filter_map(|(at, row)| Some((at, row.attempt()?))) {
        let is_read = |anchor: &&Anchor| {
            // Of two in one second the link's id says which one was read.
            let is_told = !of_one_second.contains(&row.key) || anchor.tid.is_none() || anchor.tid == row.tid;
            anchor.key == row.key && is_told
        };
        if let Some(found) = left.iter().position(is_read) {
            left.swap_remove(found);
            from = Some(at.saturating_add(1));
        }
    }
    from.map_or(Fit::Apart, Fit::From)
}

/// What several rows of a page have in common: attempts of one candidate in one second.
fn of_one_second(rows: &[ResultsRow]) -> HashSet<&AttemptKey> {
    let mut met = HashSet::new();
    rows.iter().filter_map(ResultsRow::attempt).map(|row| &row.key).filter(|key| !met.insert(*key)).collect()
}

/// Whether the list ends with this page.
pub(super) fn is_end(start: u64, page: &ResultsPage) -> bool {
    start.saturating_add(count(page.rows.len())) >= page.total
}

/// Other offsets at which the rows read last may be by now, if the page at the expected one is apart: moved by as
/// many as the list has grown or shrunk, or up by less than a page.
pub(super) fn elsewhere(pass: &ResultsPass, total: u64, limit: u32) -> Vec<u64> {
    let start = pass.next_start;
    let moved = start.saturating_add(total).saturating_sub(pass.last_total.min(start.saturating_add(total)));
    let up = start.saturating_sub(u64::from(limit.saturating_sub(1)));
    let mut others = vec![moved, up];
    others.retain(|other| *other != start);
    others.dedup();
    others
}

/// Notes that the pass has come past this page, of which everything before `from` had been read.
pub(super) fn advance(pass: &mut ResultsPass, start: u64, page: &ResultsPage, from: usize) {
    pass.first_total.get_or_insert(page.total);
    pass.last_total = page.total;
    let length = page.rows.len();
    let attempts = page.rows.iter().enumerate().skip(from).filter(|(_, row)| row.attempt().is_some());
    // A row that is there twice may stand where another one should: the next page begins before it.
    let twins = twins(&page.rows);
    let is_single = |at: &usize| twins.get(*at).is_none_or(Option::is_none);
    let places = attempts.clone().map(|(at, _)| at);
    let Some(last) = places.clone().rfind(is_single).or_else(|| places.clone().next_back()) else {
        // Nothing here can join the next page: it is taken as it comes.
        pass.seen = pass.seen.saturating_add(count(length.saturating_sub(from)));
        pass.next_start = start.saturating_add(count(length));
        pass.anchors.clear();
        return;
    };
    // What follows that attempt is read with the next one again, where there is one.
    let passed = if is_end(start, page) { length } else { last.saturating_add(1) };
    pass.seen = pass.seen.saturating_add(count(passed.saturating_sub(from)));
    pass.next_start = start.saturating_add(count(last));
    let read = attempts.take_while(|(at, _)| *at <= last);
    pass.anchors.extend(read.filter_map(|(_, row)| row.attempt()).map(Anchor::of));
    let surplus = pass.anchors.len().saturating_sub(ANCHORS);
    pass.anchors.drain(..surplus);
}

/// Whether a page brings nothing but what was known before and will not change: then so does everything below it.
pub(super) fn is_quiet(rows: &[ResultsRow], met: &[Met], from: usize) -> bool {
    let mut unseen = rows.iter().zip(met).skip(from).peekable();
    unseen.peek().is_some()
        && unseen.all(|(row, met)| match met {
            Met::Known { before } => {
                *before && row.attempt().is_none_or(|attempt| attempt.status.is_settled())
            }
            Met::Forgotten => true,
            Met::New | Met::Changed => false,
        })
}

/// Why a page does not go on from the one before, for a person.
pub(super) fn gap_in_words(start: u64, page: &ResultsPage) -> String {
    if page.rows.is_empty() {
        let total = page.total;
        return format!(
            "queryresults counts {total} results and shows none from offset {start} on: it may take start for the \
             number of a page"
        );
    }
    format!(
        "the results moved while they were read: what stands at offset {start} does not join what was read"
    )
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rosterd_core::roster::{Attempt, AttemptStatus, ExamId, Sid};

    fn row(number: i64) -> Attempt {
        Attempt {
            key: AttemptKey {
                exam: ExamId(1),
                sid: Sid(number),
                started_at_ms: 1000,
                untimed: String::new(),
            },
            tid: Some(format!("t{number}")),
            login: None,
            score: None,
            passed: None,
            status: AttemptStatus::Submitted,
            ended_at_ms: None,
        }
    }

    fn page(total: u64, numbers: impl IntoIterator<Item = i64>) -> ResultsPage {
        let rows = numbers.into_iter().map(row).map(ResultsRow::Attempt).collect();
        ResultsPage { total, rows, unreadable: 0 }
    }

    /// A pass that has read rows 9 down to 5 of ten.
    fn begun() -> ResultsPass {
        let mut pass = ResultsPass {
            id: 1,
            is_full: true,
            next_start: 0,
            anchors: vec![],
            first_total: None,
            last_total: 0,
            seen: 0,
            fresh: 0,
        };
        advance(&mut pass, 0, &page(10, (5..10).rev()), 0);
        pass
    }

    #[test]
    fn the_next_page_begins_with_the_last_row_of_the_one_before() {
        let pass = begun();
        assert_eq!((pass.next_start, pass.seen), (4, 5));
        assert_eq!(fit(&pass, &page(10, (1..6).rev())), Fit::From(1));
    }

    #[test]
    fn rows_that_arrived_meanwhile_push_known_ones_into_the_next_page() {
        assert_eq!(fit(&begun(), &page(12, [7, 6, 5, 4, 3])), Fit::From(3));
    }

    #[test]
    fn a_page_that_shows_nothing_of_the_one_before_may_have_left_something_out() {
        assert_eq!(fit(&begun(), &page(9, [3, 2, 1])), Fit::Apart);
        assert_eq!(elsewhere(&begun(), 9, 5), [3, 0]);
        assert_eq!(elsewhere(&begun(), 300, 5), [294, 0]);
    }

    #[test]
    fn the_deepest_anchor_may_be_deleted_and_another_one_joins_the_pages() {
        assert_eq!(fit(&begun(), &page(9, [6, 4, 3])), Fit::From(1));
    }

    #[test]
    fn a_row_that_is_there_twice_is_passed_twice() {
        let mut pass = begun();
        let doubled = page(11, [5, 5, 4, 3]);
        assert_eq!(fit(&pass, &doubled), Fit::From(1));
        advance(&mut pass, 4, &doubled, 1);
        assert_eq!((pass.seen, pass.next_start), (8, 7));
        assert_eq!(fit(&pass, &page(11, [3, 2])), Fit::From(1));
    }

    #[test]
    fn the_page_after_one_that_ends_with_a_row_twice_begins_before_that() {
        let mut pass = begun();
        advance(&mut pass, 4, &page(10, [5, 4, 3, 5]), 1);
        assert_eq!((pass.next_start, pass.seen), (6, 7), "in its place may stand another one");
        let mut pass = begun();
        advance(&mut pass, 4, &page(10, [5, 5]), 1);
        assert_eq!((pass.next_start, pass.seen), (5, 6), "nothing but doubled rows is passed all the same");
    }

    fn unreadable() -> ResultsRow {
        ResultsRow::Unreadable { digest: "d".to_owned(), what: "w" }
    }

    #[test]
    fn rows_that_cannot_be_read_keep_their_place_and_join_no_pages() {
        let mut page = page(10, [4, 3, 2]);
        page.rows[1] = unreadable();
        page.rows.push(unreadable());
        let mut pass = begun();
        advance(&mut pass, 4, &page, 0);
        assert_eq!((pass.next_start, pass.seen), (6, 8), "the next page begins with row 2 again");
        let nothing = ResultsPage { total: 20, rows: vec![unreadable(), unreadable()], unreadable: 0 };
        advance(&mut pass, 7, &nothing, 0);
        assert_eq!((pass.next_start, pass.seen, pass.anchors.len()), (9, 10, 0), "what comes next is taken");
    }

    #[test]
    fn of_twins_the_one_that_was_read_joins_the_pages() {
        let mut pass = begun();
        let other = Attempt { tid: Some("other".to_owned()), ..row(5) };
        let mut page = page(10, [5, 5, 4]);
        page.rows[1] = ResultsRow::Attempt(other.clone());
        assert_eq!(fit(&pass, &page), Fit::From(1), "the second one is new");
        pass.anchors.push(Anchor::of(&other));
        assert_eq!(fit(&pass, &page), Fit::From(2));
    }

    #[test]
    fn only_a_page_of_known_settled_results_of_earlier_passes_is_quiet() {
        let known = Met::Known { before: true };
        let rows: Vec<ResultsRow> = [1, 2].map(row).map(ResultsRow::Attempt).into();
        assert!(is_quiet(&rows, &[known, known], 0));
        assert!(is_quiet(&rows, &[Met::New, known], 1), "what was read before does not count");
        assert!(!is_quiet(&rows, &[known, known], 2), "nothing unseen proves nothing");
        for other in [Met::New, Met::Changed, Met::Known { before: false }] {
            assert!(!is_quiet(&rows, &[known, other], 0), "{other:?}");
        }
        let mut running = rows.clone();
        running[1] = ResultsRow::Attempt(Attempt { status: AttemptStatus::InProgress, ..row(2) });
        assert!(!is_quiet(&running, &[known, known], 0));
    }
}
