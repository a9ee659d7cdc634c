//! Who is plainly as wanted, told from text alone: the many students of a quiet run, for whom nothing is kept.
//!
//! Not a second way to decide: whoever is not plainly as wanted goes through [`DiffBuilder::pair`], and for all others
//! that would find no difference either.

use std::collections::{BTreeSet, HashMap};

use super::DiffBuilder;
use crate::exam_plan::groups::GroupBook;
use crate::exam_plan::mapping::MappedField;
use crate::exam_plan::observed::Row;
use crate::exam_plan::row_text::{BETWEEN_CODES, LinkText, StudentText};
use crate::roster::{FieldId, Gid, GroupCode, IdLikeness, StudentId, normalise_key};

/// So many pairs of memberships and held groups are remembered; a school has far fewer.
const MOST_GROUP_PAIRS: usize = 10_000;

/// What the memberships of a student and the groups of a link come to, by both texts.
#[derive(Default)]
pub(super) struct GroupPairs {
    known: HashMap<String, Option<Box<[Gid]>>>,
    key: String,
}

impl GroupPairs {
    /// The link's groups, where they are just those that the memberships ask for.
    fn held_as_wanted(
        &mut self,
        book: &GroupBook,
        codes: &str,
        gids: &str,
        read: fn(&str) -> Option<BTreeSet<Gid>>,
    ) -> Option<&[Gid]> {
        self.key.clear();
        for part in [codes, "\n", gids] {
            self.key.push_str(part);
        }
        if !self.known.contains_key(&self.key) {
            if self.known.len() >= MOST_GROUP_PAIRS {
                self.known.clear();
            }
            self.known.insert(self.key.clone(), as_wanted(book, codes, read(gids)));
        }
        self.known.get(&self.key)?.as_deref()
    }
}

fn as_wanted(book: &GroupBook, codes: &str, held: Option<BTreeSet<Gid>>) -> Option<Box<[Gid]>> {
    let held = held?;
    let codes: Vec<GroupCode> = codes.split(BETWEEN_CODES).map(GroupCode::new).collect();
    let wanted = book.wanted(&codes);
    (wanted.is_whole() && !book.differ(&wanted, &held)).then(|| held.into_iter().collect())
}

impl DiffBuilder<'_> {
    /// The compared fields that a listing does not tell: passwords, and what the account hides.
    #[must_use]
    pub fn fields_told_by_links(&self) -> Vec<FieldId> {
        let told = |(at, field): (usize, &MappedField)| {
            (field.is_password() || self.comparison.observed.hides(at)).then_some(field.id)
        };
        self.comparison.mapping.compared().filter_map(told).collect()
    }

    /// Counts a student and a link of one id, where the candidate is plainly as wanted; otherwise changes nothing, and
    /// both are to be given to [`DiffBuilder::pair`]. `groups_of` reads a link's groups.
    #[must_use]
    pub fn count_as_wanted(
        &mut self,
        student: &StudentText<'_>,
        link: &LinkText<'_>,
        groups_of: fn(&str) -> Option<BTreeSet<Gid>>,
    ) -> bool {
        let Some(row) = self.row_as_wanted(student, link) else { return false };
        let Some(gids) = self.group_pairs.held_as_wanted(self.groups, student.codes, link.gids, groups_of)
        else {
            return false;
        };
        for gid in gids {
            *self.diff.group_sizes.entry(*gid).or_default() += 1;
        }
        self.linked_rows.insert(row);
        self.wanted_rows.insert(row);
        self.linked_shapes.add(link.login);
        self.diff.rows += 1;
        self.diff.students += 1;
        self.diff.managed += 1;
        self.diff.linked += 1;
        if self.asked_about.is_some_and(|asked_about| !asked_about.is_empty()) {
            self.note_alike(&StudentId::new(student.id));
        }
        true
    }

    /// The one listed candidate with the login value of both, where it has all values, nobody else claims it, and nothing
    /// is known about it from elsewhere.
    fn row_as_wanted(&self, student: &StudentText<'_>, link: &LinkText<'_>) -> Option<Row> {
        let is_known = self.known_gone.is_some_and(|gone| gone.contains(&link.sid))
            || self.known_groups.is_some_and(|groups| groups.contains_key(&link.sid))
            || self.is_known_of_another(student.id);
        if is_known || !self.shared.is_empty() {
            return None;
        }
        let login = normalise_key(student.value(self.comparison.mapping.login_at()));
        if login.is_empty() || *login != *link.login {
            return None;
        }
        let row = self.comparison.observed.find_only(link.login)?;
        // Both are free, or `pair` finds out who shares it.
        let is_free = !self.linked_rows.contains(row) && !self.wanted_rows.contains(row);
        (is_free && self.comparison.has_all(row, student, link)).then_some(row)
    }

    fn is_known_of_another(&self, student: &str) -> bool {
        let known = self.known_of_another.filter(|known| !known.is_empty());
        known.is_some_and(|known| known.contains(&StudentId::new(student)))
    }

    /// Notes a student on the roster whose id is alike to that of a leaver who is asked about.
    pub(super) fn note_alike(&mut self, student: &StudentId) {
        let Some(asked_about) = self.asked_about.filter(|asked_about| !asked_about.is_empty()) else {
            return;
        };
        let likeness = IdLikeness::of(student);
        if asked_about.contains(&likeness) {
            self.diff.alike.insert(likeness, student.clone());
        }
    }
}
