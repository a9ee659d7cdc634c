//! Students whose own ids changed all at once, and whose login values changed with them.
//!
//! Nothing ties such newcomers to the leavers they were but their other values. Entered beside them, a school is there
//! twice, and its results stay with records that are about to be deleted.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;

use super::diff::Difference;
use super::fingerprint::{Fingerprint, MemoryKey};
use super::link::Link;
use super::mapping::Mapping;
use crate::counted::counted;
use crate::roster::{FieldId, StudentId};

/// Fewer people than this agree by chance.
const LEAST: usize = 5;

/// At most so many times as many newcomers as agree may there be, and so many times as many leavers.
const SHARE: usize = 3;

/// Pairs of people with the same values that are worth a look.
const WORTH_A_LOOK: usize = 16;

/// A person's values in the fields that are compared; `None` where nothing is known of a field.
type Values = Vec<Option<Fingerprint>>;

/// The values of leavers, as they were last confirmed, and of students without a candidate, as the roster has them.
#[derive(Clone, Debug, Default)]
pub struct Portraits {
    fields: Vec<Field>,
    leavers: Vec<Leaver>,
    newcomers: Vec<Newcomer>,
}

#[derive(Clone, Debug)]
struct Field {
    id: FieldId,
    column: String,
    at: usize,
}

#[derive(Clone, Debug)]
struct Leaver {
    student: StudentId,
    since_ms: i64,
    values: Values,
}

#[derive(Clone, Debug)]
struct Newcomer {
    student: StudentId,
    values: Values,
}

/// How many newcomers have the values of leavers who went missing together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renumbered {
    /// Students without a candidate, none of whom is listed.
    pub newcomers: u64,
    /// Those who have the values of a leaver.
    pub agree: u64,
    /// The roster's columns of these values; none where that is no longer known.
    pub columns: Vec<String>,
}

/// Whose ids were probably changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenumberedStudents {
    /// The figures.
    pub figures: Renumbered,
    /// The id until now and the id from now on, of whom nobody else has these values.
    pub pairs: Vec<(StudentId, StudentId)>,
    /// The same where several people have the same values.
    pub unclear: Vec<(StudentId, StudentId)>,
}

impl Portraits {
    /// Of nobody yet. Login values are left out: they are known to differ. So are passwords, which people share.
    #[must_use]
    pub fn new(mapping: &Mapping) -> Self {
        let compared = mapping.compared().filter(|(_, field)| !field.is_password());
        let fields = compared.map(|(at, field)| Field { id: field.id, column: field.column.clone(), at });
        Self { fields: fields.collect(), leavers: Vec::new(), newcomers: Vec::new() }
    }

    /// Of the people in these differences; of nobody where there are too few.
    pub(super) fn of(differences: &[Difference], mapping: &Mapping, key: &MemoryKey, now_ms: i64) -> Self {
        let mut portraits = Self::new(mapping);
        let count = |is: fn(&Difference) -> bool| differences.iter().filter(|it| is(it)).count();
        if count(is_leaver) < LEAST || count(is_unlisted_newcomer) < LEAST {
            return portraits;
        }
        for difference in differences {
            match difference {
                Difference::Leaver(leaver) => portraits.add_leaver(&leaver.link, now_ms),
                Difference::Newcomer(newcomer) if is_unlisted_newcomer(difference) => {
                    let wanted = &newcomer.wanted;
                    portraits.add_newcomer(&wanted.id, &wanted.values.0, key);
                }
                Difference::Newcomer(_) | Difference::Linked(_) | Difference::Unusable(_) => {}
            }
        }
        portraits
    }

    /// A linked student who is not on the roster.
    pub fn add_leaver(&mut self, link: &Link, now_ms: i64) {
        let known = |field: &Field| link.confirmed.get(&field.id).copied();
        let values = self.fields.iter().map(|field| known(field).filter(|it| *it != Fingerprint::IN_DOUBT));
        let since_ms = link.gone_since_ms.map_or(now_ms, |since| since.min(now_ms));
        let leaver = Leaver { student: link.student.clone(), since_ms, values: values.collect() };
        self.leavers.push(leaver);
    }

    /// A student without a candidate; `values` are those of the mapped columns.
    pub fn add_newcomer(&mut self, student: &StudentId, values: &[String], key: &MemoryKey) {
        let value = |field: &Field| key.value(field.id, values.get(field.at).map_or("", String::as_str));
        let values = self.fields.iter().map(|field| Some(value(field))).collect();
        self.newcomers.push(Newcomer { student: student.clone(), values });
    }

    /// The newcomers who have the values of leavers, where these are a mass and that is no chance.
    ///
    /// `is_judged` says whom nobody decided about, `masses` which stretches of these moments (ascending) are.
    #[must_use]
    pub fn renumbered(
        &self,
        is_judged: impl Fn(&StudentId) -> bool,
        masses: impl Fn(&[i64]) -> Vec<Range<usize>>,
    ) -> Option<RenumberedStudents> {
        if self.newcomers.len() < LEAST {
            return None;
        }
        let mut leavers: Vec<&Leaver> = self.leavers.iter().filter(|it| is_judged(&it.student)).collect();
        leavers.sort_by(|one, two| (one.since_ms, &one.student).cmp(&(two.since_ms, &two.student)));
        let since: Vec<i64> = leavers.iter().map(|leaver| leaver.since_ms).collect();
        let stretches = masses(&since);
        let found = stretches.into_iter().filter_map(|stretch| self.among(leavers.get(stretch)?));
        found.max_by_key(|found| found.figures.agree)
    }

    /// By the fields in which most agree; where several sets of fields do, by the largest of them.
    fn among(&self, leavers: &[&Leaver]) -> Option<RenumberedStudents> {
        let has_value = |at: &usize| {
            let value = |leaver: &&Leaver| leaver.values.get(*at).copied().flatten();
            leavers.iter().filter_map(value).any(|value| value != Fingerprint(0))
        };
        let filled: Vec<usize> = (0..self.fields.len()).filter(has_value).collect();
        let found = field_sets(&filled).into_iter().filter_map(|fields| self.by_fields(leavers, &fields));
        found.max_by_key(|found| (found.figures.agree, found.figures.columns.len()))
    }

    fn by_fields(&self, leavers: &[&Leaver], fields: &[usize]) -> Option<RenumberedStudents> {
        let mut alike: HashMap<Vec<Fingerprint>, (Vec<&StudentId>, Vec<&StudentId>)> = HashMap::new();
        let mut told = 0_usize;
        for leaver in leavers {
            if let Some(values) = values_in(&leaver.values, fields) {
                alike.entry(values).or_default().0.push(&leaver.student);
                told += 1;
            }
        }
        // What many people share, like a gender, tells nobody from another.
        if alike.len().saturating_mul(2) < told {
            return None;
        }
        for newcomer in &self.newcomers {
            let values = values_in(&newcomer.values, fields);
            if let Some((_, newcomers)) = values.and_then(|values| alike.get_mut(&values)) {
                newcomers.push(&newcomer.student);
            }
        }
        let agree: usize = alike.values().map(|(left, new)| left.len().min(new.len())).sum();
        let most = agree.saturating_mul(SHARE);
        if agree < LEAST || most < self.newcomers.len() || most < leavers.len() {
            return None;
        }
        let (mut pairs, mut unclear) = (Vec::new(), Vec::new());
        for (left, new) in alike.values().filter(|(_, new)| !new.is_empty()) {
            let list = if left.len() == 1 && new.len() == 1 { &mut pairs } else { &mut unclear };
            let each = left.iter().flat_map(|left| new.iter().map(|new| ((*left).clone(), (*new).clone())));
            list.extend(each.take(WORTH_A_LOOK));
        }
        pairs.sort();
        unclear.sort();
        let columns = fields.iter().filter_map(|at| self.fields.get(*at)).map(|field| field.column.clone());
        let figures = Renumbered {
            newcomers: whole(self.newcomers.len()),
            agree: whole(agree),
            columns: columns.collect(),
        };
        Some(RenumberedStudents { figures, pairs, unclear })
    }
}

impl fmt::Display for Renumbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { newcomers, agree, columns } = self;
        let (last, others) =
            columns.split_last().map_or((String::new(), &[][..]), |(last, others)| (last.clone(), others));
        let named = match (others, columns.is_empty()) {
            (_, true) => "values".to_owned(),
            ([], false) => last,
            (others, false) => format!("{} and {last}", others.join(", ")),
        };
        let verb = if *agree == 1 { "has" } else { "have" };
        write!(
            f,
            "{agree} of {} {verb} the {named} of students who have left",
            counted(*newcomers, "newcomer")
        )
    }
}

/// Each field, all of them, and all but one: a name in two columns tells together what neither tells alone, and one more value
/// may be written otherwise.
fn field_sets(all: &[usize]) -> BTreeSet<Vec<usize>> {
    let without = |left: usize| all.iter().copied().filter(|at| *at != left).collect::<Vec<_>>();
    let sets = all.iter().flat_map(|at| [vec![*at], without(*at)]).chain([all.to_vec()]);
    sets.filter(|set| !set.is_empty()).collect()
}

fn is_leaver(difference: &Difference) -> bool {
    matches!(difference, Difference::Leaver(_))
}

/// Somebody who would be entered, and of whom no candidate was ever linked.
fn is_unlisted_newcomer(difference: &Difference) -> bool {
    matches!(difference, Difference::Newcomer(newcomer)
        if newcomer.replaces.is_none() && newcomer.listed.is_none() && !newcomer.wanted.is_ambiguous)
}

/// The values in these fields, where all of them are known and one of them is not empty.
fn values_in(values: &Values, fields: &[usize]) -> Option<Vec<Fingerprint>> {
    let values: Option<Vec<Fingerprint>> =
        fields.iter().map(|at| values.get(*at).copied().flatten()).collect();
    values.filter(|values| values.iter().any(|value| *value != Fingerprint(0)))
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
