//! Pairs of a leaver and a student without a candidate who may be one person: those that a person was asked about, and those
//! whom values tie together.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Diff, Difference, Wanted};
use crate::exam_plan::compare::Comparison;
use crate::exam_plan::fingerprint::{Fingerprint, MemoryKey};
use crate::exam_plan::link::Link;
use crate::exam_plan::mapping::Mapping;
use crate::roster::{FieldId, IdLikeness, StudentId};

/// A value that more listed candidates have than a family has children tells nobody from another.
pub(in crate::exam_plan) const MOST_HOLDERS: u8 = 5;

/// The roster's column of names.
const NAME_COLUMN: &str = "name";

/// Values that are not empty, as keyed fingerprints.
pub type KnownValues = BTreeMap<FieldId, Fingerprint>;

/// A pair that a person was asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedNewcomer {
    /// Whether most of the values of the two were alike then: nothing but a person's word says that they are two.
    pub were_alike: bool,
    /// The student's values as the roster had them last, the login value among them.
    pub row: KnownValues,
    /// Whether nothing but such values ties the two together: those of a mass are asked about as one.
    pub is_by_values: bool,
}

/// A leaver and a student without a candidate.
pub type Pair = (StudentId, StudentId);

/// What earlier runs know of who may be whom.
#[derive(Debug, Default)]
pub struct RememberedPairs {
    /// The pairs that a person was asked about, as they were asked one after another.
    pub asked: Vec<(Pair, AskedNewcomer)>,
    /// The login values that the roster wanted of students whose candidates did not have them yet.
    pub wanted: HashMap<StudentId, Fingerprint>,
}

/// Pairs that may be one person by more than what their ids and login values say today.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairsInDoubt {
    /// A person was asked about the two, or about the leaver and somebody in whose place the student is.
    pub(in crate::exam_plan) asked: BTreeSet<Pair>,
    /// Leavers of whom a person was asked, with a student who is not there any more, or has a candidate by now.
    pub(in crate::exam_plan) unanswered: BTreeMap<StudentId, StudentId>,
    /// Of whom a person was asked, and who are plainly two: they were unlike then, and what tied them together is gone.
    pub(in crate::exam_plan) answered: BTreeSet<Pair>,
    /// The student wants the login value that the roster wanted of the leaver.
    pub(in crate::exam_plan) wanted_before: BTreeSet<Pair>,
    /// The student has the name of the leaver and one more value that few have.
    pub(in crate::exam_plan) same_values: BTreeSet<Pair>,
    /// The student has the name of the leaver, and nobody else who comes or leaves has.
    pub(in crate::exam_plan) same_name: BTreeSet<Pair>,
}

/// The values of a row that are compared with those of candidates, without login value and password; `values` are in the
/// mapping's order.
#[must_use]
pub fn values_of_row(values: &[String], mapping: &Mapping, key: &MemoryKey) -> KnownValues {
    let compared = mapping.compared().filter(|(_, field)| !field.is_password());
    let values = compared.filter_map(|(at, field)| {
        let value = values.get(at).filter(|value| !value.is_empty())?;
        Some((field.id, key.value(field.id, value)))
    });
    values.collect()
}

/// The same of a candidate, as they were last confirmed.
#[must_use]
pub fn values_of_candidate(link: &Link, mapping: &Mapping) -> KnownValues {
    let compared = mapping.compared().filter(|(_, field)| !field.is_password());
    let values = compared.filter_map(|(_, field)| Some((field.id, *link.confirmed.get(&field.id)?)));
    values.filter(|(_, value)| ![Fingerprint::IN_DOUBT, Fingerprint(0)].contains(value)).collect()
}

impl Comparison<'_> {
    pub(in crate::exam_plan) fn compared_values(&self, wanted: &Wanted) -> KnownValues {
        values_of_row(&wanted.values.0, self.mapping, self.key)
    }

    pub(in crate::exam_plan) fn confirmed_values(&self, link: &Link) -> KnownValues {
        values_of_candidate(link, self.mapping)
    }

    /// The login value, as it is remembered of a student.
    #[must_use]
    pub(in crate::exam_plan) fn remembered_login(&self, wanted: &Wanted) -> Fingerprint {
        self.key.value(self.mapping.login_field(), wanted.login.as_str())
    }

    /// What is remembered of a student who is asked about beside this leaver.
    pub(in crate::exam_plan) fn asked_newcomer(&self, link: &Link, wanted: &Wanted) -> AskedNewcomer {
        let mut row = self.compared_values(wanted);
        let were_alike = may_be_alike(&self.confirmed_values(link), &row);
        row.insert(self.mapping.login_field(), self.remembered_login(wanted));
        AskedNewcomer { were_alike, row, is_by_values: false }
    }
}

impl Diff {
    /// Finds the pairs that a person has to be asked about, beside those that ids and login values of today tie together.
    pub fn doubt_pairs(&mut self, remembered: &RememberedPairs, comparison: &Comparison<'_>) {
        let people = People::of(&self.differences, comparison);
        if people.leavers.is_empty() || (people.newcomers.is_empty() && remembered.asked.is_empty()) {
            return;
        }
        let mut found = PairsInDoubt::default();
        people.ask_again(remembered, &mut found);
        people.find_wanted_before(remembered, &mut found);
        people.find_same_values(&mut found);
        self.in_doubt = found;
    }
}

/// Those who have left and those who have come.
struct People<'a> {
    comparison: &'a Comparison<'a>,
    leavers: BTreeMap<&'a StudentId, &'a Link>,
    newcomers: BTreeMap<&'a StudentId, &'a Wanted>,
    values: HashMap<&'a StudentId, KnownValues>,
    unusable_newcomers: HashSet<&'a StudentId>,
    /// Newcomers by each of their values.
    by_value: HashMap<(FieldId, Fingerprint), Vec<&'a StudentId>>,
}

impl<'a> People<'a> {
    fn of(differences: &'a [Difference], comparison: &'a Comparison<'a>) -> Self {
        let mut people = Self {
            comparison,
            leavers: BTreeMap::new(),
            newcomers: BTreeMap::new(),
            values: HashMap::new(),
            unusable_newcomers: HashSet::new(),
            by_value: HashMap::new(),
        };
        for difference in differences {
            match difference {
                Difference::Leaver(leaver) => {
                    people.leavers.insert(&leaver.link.student, &leaver.link);
                }
                Difference::Newcomer(newcomer) if newcomer.replaces.is_none() => {
                    people.newcomers.insert(&newcomer.wanted.id, &newcomer.wanted);
                }
                Difference::Unusable(unusable) if unusable.link.is_none() => {
                    people.unusable_newcomers.insert(&unusable.student);
                }
                Difference::Newcomer(_) | Difference::Linked(_) | Difference::Unusable(_) => {}
            }
        }
        if people.leavers.is_empty() {
            return people;
        }
        for (id, wanted) in &people.newcomers {
            let values = comparison.compared_values(wanted);
            for value in &values {
                people.by_value.entry((*value.0, *value.1)).or_default().push(id);
            }
            people.values.insert(id, values);
        }
        people
    }

    /// Who corrected the one value that tied two people together has not said that they are two, nor has who wrote the row
    /// anew under another id.
    fn ask_again(&self, remembered: &RememberedPairs, found: &mut PairsInDoubt) {
        let mut known: BTreeMap<&StudentId, BTreeSet<&StudentId>> = BTreeMap::new();
        let mut lost: BTreeMap<&StudentId, Vec<(&StudentId, &KnownValues)>> = BTreeMap::new();
        for ((leaver, newcomer), asked) in &remembered.asked {
            let Some(link) = self.leavers.get(leaver) else { continue };
            known.entry(leaver).or_default().insert(newcomer);
            match self.values.get(newcomer) {
                // A row that cannot be used says nothing against it.
                None if self.unusable_newcomers.contains(newcomer) => {
                    found.asked.insert((leaver.clone(), newcomer.clone()));
                }
                Some(values) => {
                    let alike = || may_be_alike(&self.comparison.confirmed_values(link), values);
                    let is_open = asked.were_alike || alike();
                    let list = if is_open { &mut found.asked } else { &mut found.answered };
                    list.insert((leaver.clone(), newcomer.clone()));
                }
                None => lost.entry(leaver).or_default().push((newcomer, &asked.row)),
            }
        }
        let asked: BTreeSet<StudentId> = found.asked.iter().map(|(leaver, _)| leaver.clone()).collect();
        let open: BTreeSet<&StudentId> = asked.iter().chain(lost.keys().copied()).collect();
        for leaver in open {
            let Some(link) = self.leavers.get(leaver) else { continue };
            let none = Vec::new();
            let lost = lost.get(leaver).unwrap_or(&none);
            let known = known.get(leaver);
            let successors = self.in_place_of(link, lost).into_iter();
            let new = successors.filter(|newcomer| known.is_none_or(|known| !known.contains(newcomer)));
            let before = found.asked.len();
            found.asked.extend(new.map(|newcomer| (leaver.clone(), newcomer.clone())));
            let is_asked = asked.contains(leaver) || found.asked.len() > before;
            if let (false, Some((newcomer, _))) = (is_asked, lost.last()) {
                found.unanswered.insert(leaver.clone(), (*newcomer).clone());
            }
        }
    }

    /// Who may be the student that was asked about beside this leaver, by the values of either.
    fn in_place_of(&self, link: &Link, lost: &[(&StudentId, &KnownValues)]) -> BTreeSet<&'a StudentId> {
        let mut found = self.mostly_like(&self.comparison.confirmed_values(link));
        for (newcomer, row) in lost {
            found.extend(self.mostly_like(row));
            let (login_field, likeness) = (self.comparison.mapping.login_field(), IdLikeness::of(newcomer));
            let login = row.get(&login_field);
            let is_alike = |(id, wanted): &(&&'a StudentId, &&'a Wanted)| {
                login.is_some_and(|login| self.comparison.remembered_login(wanted) == *login)
                    || IdLikeness::of(id) == likeness
            };
            found.extend(self.newcomers.iter().filter(is_alike).map(|(id, _)| *id));
        }
        found
    }

    /// Newcomers of whom more than half of these values are the same, and one of those tells people apart.
    fn mostly_like(&self, values: &KnownValues) -> BTreeSet<&'a StudentId> {
        let telling = values.iter().filter(|(field, value)| self.tells(**field, **value));
        let candidates: BTreeSet<&'a StudentId> = telling
            .filter_map(|(field, value)| self.by_value.get(&(*field, *value)))
            .flatten()
            .copied()
            .collect();
        let is_alike = |newcomer: &&'a StudentId| {
            self.values.get(*newcomer).is_some_and(|own| may_be_alike(values, own))
        };
        candidates.into_iter().filter(is_alike).collect()
    }

    /// Whether few have this value of a newcomer.
    fn tells(&self, field: FieldId, value: Fingerprint) -> bool {
        self.has_at_most(field, value, MOST_HOLDERS)
    }

    /// Whether at most so many newcomers, and at most so many listed candidates, have this value of a newcomer.
    fn has_at_most(&self, field: FieldId, value: Fingerprint, most: u8) -> bool {
        let Some(newcomers) = self.by_value.get(&(field, value)) else { return false };
        if newcomers.len() > usize::from(most) {
            return false;
        }
        let at = self.comparison.mapping.fields().iter().position(|mapped| mapped.id == field);
        let written = newcomers.first().and_then(|id| self.newcomers.get(id)).zip(at);
        let Some((wanted, at)) = written else { return false };
        let value = wanted.values.0.get(at).map_or("", String::as_str);
        self.comparison.observed.is_held_by_at_most(at, value, most)
    }

    /// A login value that was wanted of somebody is theirs, whether their candidate has it already or not.
    fn find_wanted_before(&self, remembered: &RememberedPairs, found: &mut PairsInDoubt) {
        if remembered.wanted.is_empty() {
            return;
        }
        let mut by_login: HashMap<Fingerprint, Vec<&StudentId>> = HashMap::new();
        for (id, wanted) in &self.newcomers {
            by_login.entry(self.comparison.remembered_login(wanted)).or_default().push(id);
        }
        for leaver in self.leavers.keys() {
            let wanted = remembered.wanted.get(*leaver).and_then(|login| by_login.get(login));
            let pairs = wanted.into_iter().flatten().map(|newcomer| ((*leaver).clone(), (*newcomer).clone()));
            found.wanted_before.extend(pairs);
        }
    }

    /// Who has a leaver's name and one more value that few have, or a name that nobody else has who comes or leaves.
    fn find_same_values(&self, found: &mut PairsInDoubt) {
        let mapping = self.comparison.mapping;
        let mut left: HashMap<NameKey, Vec<(&StudentId, KnownValues)>> = HashMap::new();
        for (leaver, link) in &self.leavers {
            let values = self.comparison.confirmed_values(link);
            if let Some(name) = NameKey::of(&values, mapping) {
                left.entry(name).or_default().push((leaver, values));
            }
        }
        if left.is_empty() {
            return;
        }
        let mut came: HashMap<NameKey, Vec<&StudentId>> = HashMap::new();
        for (newcomer, values) in &self.values {
            let name = NameKey::of(values, mapping).filter(|name| left.contains_key(name));
            name.into_iter().for_each(|name| came.entry(name).or_default().push(newcomer));
        }
        for (name, newcomers) in &came {
            let leavers = left.get(name).map_or(&[][..], Vec::as_slice);
            if !name.0.iter().any(|(field, value)| self.tells(*field, *value)) {
                continue;
            }
            // A name alone is no more than a namesake's where anybody else in the account has it.
            let is_only = leavers.len() == 1
                && newcomers.len() == 1
                && name.0.iter().all(|(field, value)| self.has_at_most(*field, *value, 1));
            for (leaver, values) in leavers {
                for newcomer in newcomers {
                    let is_told_again = self.agree_beside(name, values, newcomer);
                    let pair = || ((*leaver).clone(), (*newcomer).clone());
                    if is_told_again {
                        found.same_values.insert(pair());
                    } else if is_only {
                        found.same_name.insert(pair());
                    }
                }
            }
        }
    }

    /// Whether a value beside the name is the same, and few have it.
    fn agree_beside(&self, name: &NameKey, values: &KnownValues, newcomer: &StudentId) -> bool {
        let own = self.values.get(newcomer);
        let is_alike = |(field, value): &(&FieldId, &Fingerprint)| {
            !name.has(**field) && own.is_some_and(|own| own.get(*field) == Some(*value))
        };
        values.iter().filter(is_alike).any(|(field, value)| self.tells(*field, *value))
    }
}

/// What names a person: the name, or, where no column is called that, all values together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::exam_plan) struct NameKey(Vec<(FieldId, Fingerprint)>);

impl NameKey {
    /// Of these values; `None` where the name is not among them, or there are too few to tell anybody by.
    pub(in crate::exam_plan) fn of(values: &KnownValues, mapping: &Mapping) -> Option<Self> {
        let name = mapping.compared().find(|(_, field)| field.column == NAME_COLUMN);
        match name {
            Some((_, field)) => Some(Self(vec![(field.id, *values.get(&field.id)?)])),
            None if values.len() > 1 => {
                Some(Self(values.iter().map(|(field, value)| (*field, *value)).collect()))
            }
            None => None,
        }
    }

    /// The place of the name among the mapped values.
    pub(in crate::exam_plan) fn column(mapping: &Mapping) -> Option<usize> {
        mapping.compared().find(|(_, field)| field.column == NAME_COLUMN).map(|(at, _)| at)
    }

    /// Whether this field is part of it.
    pub(in crate::exam_plan) fn has(&self, field: FieldId) -> bool {
        self.0.iter().any(|(own, _)| *own == field)
    }
}

/// Whether more than half of the values that both have are alike. Where there is none, nothing says that they are two.
fn may_be_alike(one: &KnownValues, other: &KnownValues) -> bool {
    let both = one.iter().filter_map(|(field, value)| Some(value == other.get(field)?));
    let (known, alike) =
        both.fold((0, 0), |(known, alike), is_alike| (known + 1, alike + u32::from(is_alike)));
    known == 0 || alike * 2 > known
}
