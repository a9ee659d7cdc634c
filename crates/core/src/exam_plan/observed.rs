//! The exam side as one listing showed it. Texts are not kept: a login value becomes 64 bits, a mapped field 32. A million
//! candidates with four mapped fields take 35 MB.

use std::collections::BTreeSet;

use hashbrown::HashTable;

use super::fingerprint::{Fingerprint, MemoryKey, RunHasher};
use super::listed_page::{HashedLogin, ListedPage, PageHasher};
use super::listed_values::ListedValues;
use super::login_evidence::LoginEvidence;
use super::repeated_logins::{RepeatPattern, RepeatedLogins};
use super::shape::Shapes;
use super::shown::RawLogins;
use super::written_otherwise::WrittenOtherwise;
use crate::roster::{FieldId, LoginValue, Sid, StudentId};

/// The reason why a listing does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Two pages disagree on how many candidates there are.
    TotalChanged {
        /// As the first page said.
        first: u64,
        /// As a later one said.
        later: u64,
    },
    /// Fewer or more rows than the total says.
    RowCount {
        /// The total that the pages state.
        total: u64,
        /// The rows that arrived.
        rows: u64,
    },
    /// Rows with one login value, alike as they were sent.
    Repeated {
        /// Rows that repeat an earlier one.
        rows: u64,
    },
    /// No row of many has a login value.
    Nameless {
        /// The number of such rows.
        rows: u64,
    },
    /// More candidates than any listing is read for.
    TooMany {
        /// The total that the pages state.
        total: u64,
        /// The number of candidates after which the reading stopped.
        read: u64,
    },
    /// Candidates that we know exist are not in it.
    Incomplete {
        /// Whose they are, in ascending order of student id.
        unlisted: Vec<(StudentId, Sid)>,
    },
}

impl Flaw {
    /// Whether another reading may be without it.
    pub(super) fn may_pass(&self) -> bool {
        !matches!(self, Self::TooMany { .. })
    }
}

/// A listing of so many rows or more, none with a login value, is a broken one.
const NAMELESS_ROWS: u64 = 10;

/// The position of a candidate in an [`Observed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row(pub(super) u32);

impl Row {
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Builds an [`Observed`] from pages in any order.
pub struct ObservedBuilder {
    hasher: RunHasher,
    logins: Vec<u64>,
    values: ListedValues,
    raw_logins: RawLogins,
    login_evidence: LoginEvidence,
    first_total: Option<u64>,
    later_total: Option<u64>,
    nameless: u64,
    shapes: Shapes,
    index: HashTable<u32>,
    repeated: RepeatedLogins,
    written_otherwise: WrittenOtherwise,
    stopped_early: bool,
}

impl ObservedBuilder {
    /// For a listing of about `expected` candidates, keeping the `mapped` fields.
    #[must_use]
    pub fn new(hasher: RunHasher, mapped: Vec<FieldId>, expected: usize) -> Self {
        Self::of_pages(PageHasher::new(hasher, mapped), expected)
    }

    /// For a listing of about `expected` candidates, from pages that are hashed so.
    #[must_use]
    pub fn of_pages(hasher: PageHasher, expected: usize) -> Self {
        Self {
            hasher: hasher.run_hasher().clone(),
            values: ListedValues::new(hasher, expected),
            logins: Vec::with_capacity(expected),
            raw_logins: RawLogins::default(),
            login_evidence: LoginEvidence::default(),
            first_total: None,
            later_total: None,
            nameless: 0,
            shapes: Shapes::default(),
            index: HashTable::with_capacity(expected),
            repeated: RepeatedLogins::default(),
            written_otherwise: WrittenOtherwise::default(),
            stopped_early: false,
        }
    }

    /// Keeps values of these fields so that a later run can tell them again. Ask for it before the first row.
    #[must_use]
    pub fn recognising(self, key: &MemoryKey, fields: BTreeSet<FieldId>) -> Self {
        let hasher = self.values.hasher().recognising(key, fields);
        Self { values: ListedValues::new(hasher, 0), ..self }
    }

    /// Notes what a page says about the whole account.
    pub fn total(&mut self, total: u64) {
        match self.first_total {
            None => self.first_total = Some(total),
            Some(first) if first != total => self.later_total = Some(total),
            Some(_) => {}
        }
    }

    /// Notes that the pages go on and are not asked for.
    pub fn stopped_early(&mut self) {
        self.stopped_early = true;
    }

    /// Adds one row.
    pub fn row(&mut self, login_value: &str, fields: &[(FieldId, String)]) {
        let mut page = self.values.hasher().page();
        page.row(login_value, fields);
        self.page(&page);
    }

    /// Adds the rows of a page.
    pub fn page(&mut self, page: &ListedPage) {
        self.nameless += page.nameless;
        self.login_evidence.extend(&page.evidence);
        for (login, text) in page.texts() {
            self.shapes.add(text);
            self.index_login(login, text);
        }
        self.values.extend(&page.values, &page.masked);
    }

    /// Notes under which login value the row stands; the first of several rows is the one that is found.
    fn index_login(&mut self, login: &HashedLogin, text: &str) {
        let hash = login.hash;
        let row = u32::try_from(self.logins.len()).unwrap_or(u32::MAX);
        self.logins.push(hash);
        if let Some(as_sent) = &login.as_sent {
            self.raw_logins.keep(hash, as_sent);
            self.repeated.sent_otherwise(row, self.hasher.login(as_sent));
        }
        self.written_otherwise.note(&self.hasher, text, row);
        match self.index.find(hash, |known| hash_at(&self.logins, *known) == hash) {
            Some(first) => self.repeated.repeat(*first, row, text, hash),
            None => {
                self.index.insert_unique(hash, row, |known| hash_at(&self.logins, *known));
            }
        }
    }

    /// The number of rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.logins.len()
    }

    /// Closes the listing: complete when everything adds up, otherwise doubtful with the reason.
    #[must_use]
    pub fn close(self) -> Listing {
        let flaw = self.flaw();
        let observed = Observed {
            hasher: self.hasher,
            logins: self.logins,
            values: self.values,
            raw_logins: self.raw_logins,
            login_evidence: self.login_evidence,
            shapes: self.shapes,
            index: self.index,
            repeated: self.repeated,
            written_otherwise: self.written_otherwise,
            nameless: self.nameless,
        };
        match flaw {
            None => Listing::Complete(observed, ListingCertificate(())),
            Some(flaw) => Listing::Doubtful(observed, flaw),
        }
    }

    fn flaw(&self) -> Option<Flaw> {
        let rows = u64::try_from(self.logins.len()).unwrap_or(u64::MAX).saturating_add(self.nameless);
        let total = self.first_total.unwrap_or(0);
        if self.stopped_early {
            return Some(Flaw::TooMany { total, read: rows });
        }
        if let Some(later) = self.later_total {
            return Some(Flaw::TotalChanged { first: total, later });
        }
        if self.first_total.is_none() || rows != total {
            return Some(Flaw::RowCount { total, rows });
        }
        if self.logins.is_empty() && self.nameless >= NAMELESS_ROWS {
            return Some(Flaw::Nameless { rows: self.nameless });
        }
        let repeated = self.repeated.rows_alike();
        (repeated > 0).then_some(Flaw::Repeated { rows: repeated })
    }
}

fn hash_at(logins: &[u64], row: u32) -> u64 {
    usize::try_from(row).ok().and_then(|at| logins.get(at)).copied().unwrap_or(0)
}

/// Proof that a listing was read completely. Only a listing that adds up makes one.
#[derive(Debug)]
pub struct ListingCertificate(());

/// A listing, and whether it is proven complete.
pub enum Listing {
    /// Every candidate of the account is in it.
    Complete(Observed, ListingCertificate),
    /// Candidates may be missing: no add and no delete relies on this listing.
    Doubtful(Observed, Flaw),
}

impl Listing {
    /// The listing with its repeated login values taken for several candidates each. Other flaws stay.
    pub(super) fn with_repeats_believed(self) -> Self {
        match self {
            Self::Doubtful(mut observed, Flaw::Repeated { .. }) => {
                observed.repeated.believe_alike();
                Self::Complete(observed, ListingCertificate(()))
            }
            listing @ (Self::Complete(..) | Self::Doubtful(..)) => listing,
        }
    }
}

/// The candidates of one listing, by login value.
pub struct Observed {
    hasher: RunHasher,
    logins: Vec<u64>,
    values: ListedValues,
    raw_logins: RawLogins,
    login_evidence: LoginEvidence,
    shapes: Shapes,
    index: HashTable<u32>,
    repeated: RepeatedLogins,
    pub(super) written_otherwise: WrittenOtherwise,
    nameless: u64,
}

impl Observed {
    /// The number of listed candidates that have a login value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.logins.len()
    }

    /// Whether no candidate was listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logins.is_empty()
    }

    /// Listed candidates without a login value. Nobody can want them.
    #[must_use]
    pub fn nameless(&self) -> u64 {
        self.nameless
    }

    /// Whether several listed candidates have this login value, so that it does not tell which of them is meant.
    #[must_use]
    pub fn is_ambiguous(&self, login: &LoginValue) -> bool {
        self.repeated.is_ambiguous(self.hasher.login(login.as_str()))
    }

    /// What the listing shows of login values that come more than once, in a form that can be kept.
    #[must_use]
    pub fn repeat_pattern(&self, key: &MemoryKey) -> RepeatPattern {
        self.repeated.pattern(key)
    }

    /// The candidate with this login value.
    #[must_use]
    pub fn find(&self, login: &LoginValue) -> Option<Row> {
        self.find_hash(self.hasher.login(login.as_str()))
    }

    pub(super) fn find_hash(&self, hash: u64) -> Option<Row> {
        self.index.find(hash, |row| hash_at(&self.logins, *row) == hash).map(|row| Row(*row))
    }

    /// The candidate with this login value (in normal form), where it is the only one.
    pub(super) fn find_only(&self, login: &str) -> Option<Row> {
        let hash = self.hasher.login(login);
        if self.repeated.is_ambiguous(hash) { None } else { self.find_hash(hash) }
    }

    /// Whether the candidate's value of the mapped field at `at` equals `value` (normalised).
    #[must_use]
    pub fn equals(&self, row: Row, at: usize, value: &str) -> bool {
        self.values.equals(row.index(), at, value)
    }

    /// Whether no more listed candidates than `most` have this value in the mapped field at `at`.
    pub(super) fn is_held_by_at_most(&self, at: usize, value: &str, most: u8) -> bool {
        self.values.is_held_by_at_most(at, value, most)
    }

    /// The candidate's value of the mapped field at `at`, as another run can tell it again; absent for a field that
    /// this listing was not read for.
    #[must_use]
    pub fn shown(&self, row: Row, at: usize) -> Option<Fingerprint> {
        self.values.fingerprint(row.index(), at)
    }

    /// Whether two candidates have the same value of the mapped field at `at`.
    pub(super) fn agree(&self, one: Row, other: Row, at: usize) -> bool {
        self.values.agree(one.index(), other.index(), at)
    }

    /// Whether the candidate has no value in the mapped field at `at`.
    #[must_use]
    pub fn lacks(&self, row: Row, at: usize) -> bool {
        self.values.lacks(row.index(), at)
    }

    /// Whether the candidate's value of the mapped field at `at` is shown as a mask.
    #[must_use]
    pub fn is_masked(&self, row: Row, at: usize) -> bool {
        self.values.is_masked(row.index(), at)
    }

    /// How many candidates are listed before the one with this login value.
    #[must_use]
    pub fn place(&self, login: &LoginValue) -> Option<u64> {
        self.find(login).map(|row| u64::from(row.0))
    }

    /// A login value as the service wrote it: what the service is asked by.
    #[must_use]
    pub fn raw_login(&self, login: &LoginValue) -> LoginValue {
        let raw = self.raw_logins.of(self.hasher.login(login.as_str()));
        raw.map_or_else(|| login.clone(), LoginValue::new)
    }

    /// Whether no listed candidate has a value in the mapped field at `at`: the account hides it.
    #[must_use]
    pub fn hides(&self, at: usize) -> bool {
        self.values.hides(at)
    }

    /// What the rows tell about which field holds the login value.
    #[must_use]
    pub fn login_evidence(&self) -> &LoginEvidence {
        &self.login_evidence
    }

    /// What the login values look like.
    pub(super) fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// The hasher of this run.
    #[must_use]
    pub fn hasher(&self) -> &RunHasher {
        &self.hasher
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    fn builder() -> ObservedBuilder {
        ObservedBuilder::new(RunHasher::new(RandomState::new()), vec![FieldId(1), FieldId(4)], 0)
    }

    fn row(builder: &mut ObservedBuilder, login: &str, phone: &str) {
        builder.row(login, &[(FieldId(1), login.to_owned()), (FieldId(4), phone.to_owned())]);
    }

    fn flaw_of(builder: ObservedBuilder) -> Option<Flaw> {
        match builder.close() {
            Listing::Complete(..) => None,
            Listing::Doubtful(_, flaw) => Some(flaw),
        }
    }

    #[test]
    fn a_listing_whose_rows_match_its_total_is_complete() {
        let mut builder = builder();
        builder.total(2);
        row(&mut builder, "a", "1");
        row(&mut builder, "b", "2");
        assert_eq!(flaw_of(builder), None);
    }

    #[test]
    fn a_short_listing_is_doubtful() {
        let mut builder = builder();
        builder.total(2);
        row(&mut builder, "a", "1");
        assert_eq!(flaw_of(builder), Some(Flaw::RowCount { total: 2, rows: 1 }));
    }

    #[test]
    fn a_listing_without_any_page_is_doubtful() {
        assert_eq!(flaw_of(builder()), Some(Flaw::RowCount { total: 0, rows: 0 }));
    }

    #[test]
    fn a_total_that_changes_makes_a_listing_doubtful() {
        let mut builder = builder();
        builder.total(1);
        builder.total(2);
        row(&mut builder, "a", "1");
        assert_eq!(flaw_of(builder), Some(Flaw::TotalChanged { first: 1, later: 2 }));
    }

    #[test]
    fn a_login_value_that_is_sent_twice_makes_a_listing_doubtful() {
        let mut builder = builder();
        builder.total(2);
        row(&mut builder, "a", "1");
        row(&mut builder, "a", "2");
        assert_eq!(flaw_of(builder), Some(Flaw::Repeated { rows: 1 }));
    }

    #[test]
    fn login_values_that_differ_as_sent_and_fall_together_are_ambiguous_and_no_doubt() {
        for (one, other) in [("a", " a "), ("e\u{301}", "\u{e9}"), ("a\u{200b}", "a")] {
            let mut builder = builder();
            builder.total(3);
            row(&mut builder, one, "1");
            row(&mut builder, other, "2");
            row(&mut builder, "b", "3");
            let Listing::Complete(observed, _) = builder.close() else { panic!("complete") };
            assert!(observed.is_ambiguous(&LoginValue::parse(one).unwrap()), "{one:?}");
            assert!(!observed.is_ambiguous(&LoginValue::new("b")));
        }
    }

    #[test]
    fn rows_without_a_login_value_are_counted_and_no_doubt() {
        let mut builder = builder();
        builder.total(3);
        for login in ["a", "", " "] {
            row(&mut builder, login, "1");
        }
        let Listing::Complete(observed, _) = builder.close() else { panic!("complete") };
        assert_eq!((observed.len(), observed.nameless()), (1, 2));
    }

    #[test]
    fn a_field_that_no_row_carries_is_hidden() {
        let mut builder = builder();
        builder.total(1);
        row(&mut builder, "a", "");
        let Listing::Complete(observed, _) = builder.close() else { panic!("complete") };
        assert!(observed.hides(1));
        assert!(!observed.hides(0));
    }
}
