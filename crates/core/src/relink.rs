//! Which leavers and which newcomers are probably one person whose own id changed.
//!
//! A suggestion is for a person to look at: nothing is carried over because of one alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::exam_plan::{Fingerprint, KnownValues, RenumberedStudents};
use crate::roster::{FieldId, IdLikeness, LoginValue, StudentId};

/// A linked student who is no active student of the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Under the id until now.
    pub student: StudentId,
    /// The login value of their candidate.
    pub login: LoginValue,
    /// The login value that the roster wanted of them last, where it was another one, as it is remembered.
    pub wanted: Option<Fingerprint>,
    /// The other values of their candidate, as far as they are known.
    pub values: KnownValues,
}

/// An active student of the roster without a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// Under the id from now on.
    pub student: StudentId,
    /// The login value that the roster wants, where it has one.
    pub login: Option<LoginValue>,
    /// The same, as it is remembered.
    pub wanted: Option<Fingerprint>,
    /// The other values that the roster has.
    pub values: KnownValues,
}

/// Why two ids probably name one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The new one wants the login value that the candidate of the other one has.
    Login,
    /// The new one wants the login value that the roster wanted of the other one last.
    Wanted,
    /// The ids differ only by blanks, punctuation, case, leading zeros or Unicode form.
    Id,
    /// The new one has the other values that the candidate of the other one has, like most of those who left with it.
    Values,
    /// A run found the two alike before: by what, may have changed since.
    Before,
}

impl Likeness {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login-value",
            Self::Wanted => "wanted-login-value",
            Self::Id => "id",
            Self::Values => "values",
            Self::Before => "before",
        }
    }
}

/// One person under two ids, as far as roster and links tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The id until now.
    pub from: StudentId,
    /// The id from now on.
    pub to: StudentId,
    /// Never empty.
    pub reasons: BTreeSet<Likeness>,
    /// What a comparison of their other values says.
    pub others: OtherValues,
}

/// The values of two people beside ids and login values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherValues {
    /// How many are alike.
    pub alike: usize,
    /// The fields in which they differ.
    pub differing: BTreeSet<FieldId>,
}

impl OtherValues {
    /// Of two people, as far as both have them.
    #[must_use]
    pub fn between(one: &KnownValues, other: &KnownValues) -> Self {
        let both = one.iter().filter_map(|(field, value)| Some((*field, value == other.get(field)?)));
        let (alike, differing): (Vec<_>, Vec<_>) = both.partition(|(_, is_alike)| *is_alike);
        Self { alike: alike.len(), differing: differing.into_iter().map(|(field, _)| field).collect() }
    }

    /// Whether nothing can be compared.
    #[must_use]
    pub fn are_unknown(&self) -> bool {
        self.alike == 0 && self.differing.is_empty()
    }

    /// Whether at least as many differ as are alike.
    #[must_use]
    pub fn speak_against_it(&self) -> bool {
        !self.differing.is_empty() && self.differing.len() >= self.alike
    }

    /// Whether they bear out what suggested the two: most of them for one reason, one of them for several. A stranger has the
    /// same gender as half of a school.
    fn bear_out(&self, reasons: &BTreeSet<Likeness>) -> bool {
        // These were found by the values.
        let is_borne_out = reasons.contains(&Likeness::Values);
        let is_told_twice = reasons.len() > 1 && (self.alike > 0 || self.are_unknown());
        is_borne_out || is_told_twice || self.alike > self.differing.len()
    }
}

/// What the roster and the links suggest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// Pairs of whom neither has another partner, by the id until now.
    pub pairs: Vec<Suggestion>,
    /// Pairs that share a student with another pair, and those whose other values do not bear them out: a person decides.
    pub unclear: Vec<Suggestion>,
}

impl Suggestions {
    /// Compares those who are gone with those who are new.
    #[must_use]
    pub fn between(gone: &[Gone], new: &[New]) -> Self {
        let mut reasons: BTreeMap<(&StudentId, &StudentId), BTreeSet<Likeness>> = BTreeMap::new();
        let by_login = new.iter().filter_map(|new| Some((new.login.as_ref()?, &new.student)));
        let by_login = grouped(by_login);
        let by_wanted = grouped(new.iter().filter_map(|new| Some((new.wanted?, &new.student))));
        let by_id = grouped(new.iter().map(|new| (IdLikeness::of(&new.student), &new.student)));
        for one in gone {
            let alike = by_login.get(&one.login).into_iter().flatten().map(|to| (*to, Likeness::Login));
            let by_id = by_id.get(&IdLikeness::of(&one.student)).into_iter().flatten();
            let by_wanted = one.wanted.and_then(|wanted| by_wanted.get(&wanted)).into_iter().flatten();
            let alike = alike.chain(by_wanted.map(|to| (*to, Likeness::Wanted)));
            for (to, reason) in alike.chain(by_id.map(|to| (*to, Likeness::Id))) {
                reasons.entry((&one.student, to)).or_default().insert(reason);
            }
        }
        let partners_from = count(reasons.keys().map(|(from, _)| *from));
        let partners_to = count(reasons.keys().map(|(_, to)| *to));
        let mut found = Self::default();
        for ((from, to), reasons) in &reasons {
            let is_only = partners_from.get(from) == Some(&1) && partners_to.get(to) == Some(&1);
            let list = if is_only { &mut found.pairs } else { &mut found.unclear };
            let (from, to) = ((*from).clone(), (*to).clone());
            list.push(Suggestion { from, to, reasons: reasons.clone(), others: OtherValues::default() });
        }
        found
    }

    /// Adds pairs of students whose ids and login values changed all at once. Whom an id or a login value ties to somebody
    /// is no part of them.
    #[must_use]
    pub fn and_renumbered(mut self, renumbered: &RenumberedStudents) -> Self {
        let named = self.pairs.iter().chain(&self.unclear).flat_map(|it| [it.from.clone(), it.to.clone()]);
        let named: BTreeSet<StudentId> = named.collect();
        let suggested = |pairs: &[(StudentId, StudentId)]| {
            let free = pairs.iter().filter(|(from, to)| !named.contains(from) && !named.contains(to));
            let suggestion = |(from, to): &(StudentId, StudentId)| Suggestion {
                from: from.clone(),
                to: to.clone(),
                reasons: BTreeSet::from([Likeness::Values]),
                others: OtherValues::default(),
            };
            free.map(suggestion).collect::<Vec<_>>()
        };
        self.pairs.extend(suggested(&renumbered.pairs));
        self.unclear.extend(suggested(&renumbered.unclear));
        self.pairs.sort_by(|one, two| one.from.cmp(&two.from));
        self
    }

    /// Adds pairs that a run found before, of whom one is still gone and the other still new. Whom anything else ties to
    /// somebody is no part of them.
    #[must_use]
    pub fn and_before(mut self, pairs: &[(StudentId, StudentId)], gone: &[Gone], new: &[New]) -> Self {
        let named = self.pairs.iter().chain(&self.unclear).flat_map(|it| [it.from.clone(), it.to.clone()]);
        let named: BTreeSet<StudentId> = named.collect();
        let gone: BTreeSet<&StudentId> = gone.iter().map(|one| &one.student).collect();
        let new: BTreeSet<&StudentId> = new.iter().map(|one| &one.student).collect();
        let is_open = |(from, to): &&(StudentId, StudentId)| {
            gone.contains(from) && new.contains(to) && !named.contains(from) && !named.contains(to)
        };
        let open: Vec<&(StudentId, StudentId)> = pairs.iter().filter(is_open).collect();
        let partners_from = count(open.iter().map(|(from, _)| from));
        let partners_to = count(open.iter().map(|(_, to)| to));
        for (from, to) in open {
            let is_only = partners_from.get(from) == Some(&1) && partners_to.get(to) == Some(&1);
            let list = if is_only { &mut self.pairs } else { &mut self.unclear };
            let reasons = BTreeSet::from([Likeness::Before]);
            let others = OtherValues::default();
            list.push(Suggestion { from: from.clone(), to: to.clone(), reasons, others });
        }
        self.pairs.sort_by(|one, two| one.from.cmp(&two.from));
        self
    }
}

impl Suggestions {
    /// Leaves to a person whom nothing ties together but what suggested the two.
    #[must_use]
    pub fn weighed(self, gone: &[Gone], new: &[New]) -> Self {
        let gone: BTreeMap<&StudentId, &KnownValues> =
            gone.iter().map(|one| (&one.student, &one.values)).collect();
        let new: BTreeMap<&StudentId, &KnownValues> =
            new.iter().map(|one| (&one.student, &one.values)).collect();
        let weigh = |it: Suggestion| {
            let both = gone.get(&it.from).zip(new.get(&it.to));
            let others =
                both.map_or_else(OtherValues::default, |(one, other)| OtherValues::between(one, other));
            Suggestion { others, ..it }
        };
        let (pairs, alone): (Vec<_>, Vec<_>) =
            self.pairs.into_iter().map(weigh).partition(|it| it.others.bear_out(&it.reasons));
        let mut unclear: Vec<Suggestion> = self.unclear.into_iter().map(weigh).chain(alone).collect();
        unclear.sort_by(|one, two| (&one.from, &one.to).cmp(&(&two.from, &two.to)));
        Self { pairs, unclear }
    }
}

impl Suggestions {
    /// Adds whoever got the id of somebody who got another one's in turn, down to an id that is new. `moved` are linked students
    /// whose rows want another login value than their candidates have, each as who may be gone and as who may be new. The last
    /// of each chain comes first: that is the order in which they can be carried over.
    #[must_use]
    pub fn and_chains(mut self, gone: &[Gone], new: &[New], moved: &[(Gone, New)]) -> Self {
        let named = self.pairs.iter().chain(&self.unclear).flat_map(|it| [it.from.clone(), it.to.clone()]);
        let named: BTreeSet<StudentId> = named.collect();
        let rows = new.iter().chain(moved.iter().map(|(_, new)| new));
        let by_login = grouped(rows.filter_map(|row| Some((row.login.as_ref()?, row))));
        let candidates: BTreeMap<&StudentId, &Gone> =
            moved.iter().map(|(gone, _)| (&gone.student, gone)).collect();
        for start in gone {
            let mut chain: Vec<Suggestion> = Vec::new();
            let mut at = Some(start);
            while let Some(one) = at.filter(|_| chain.len() <= moved.len()) {
                let Some(next) = next_of(one, &by_login) else { break };
                at = candidates.get(&next.to).copied();
                chain.push(next);
            }
            let is_whole = at.is_none() && chain.last().is_some_and(|last| is_new(new, &last.to));
            let is_named = chain.iter().any(|it| named.contains(&it.from) || named.contains(&it.to));
            if chain.len() > 1 && is_whole && !is_named {
                self.pairs.extend(chain.into_iter().rev());
            }
        }
        self
    }
}

fn is_new(new: &[New], student: &StudentId) -> bool {
    new.iter().any(|new| new.student == *student)
}

/// The only row that wants the login value of this candidate, where the other values bear that out.
fn next_of(one: &Gone, by_login: &BTreeMap<&LoginValue, Vec<&New>>) -> Option<Suggestion> {
    let [row] = by_login.get(&one.login)?.as_slice() else { return None };
    let (reasons, others) =
        (BTreeSet::from([Likeness::Login]), OtherValues::between(&one.values, &row.values));
    let is_borne_out = row.student != one.student && others.bear_out(&reasons);
    let (from, to) = (one.student.clone(), row.student.clone());
    is_borne_out.then_some(Suggestion { from, to, reasons, others })
}

fn grouped<K: Ord, V>(pairs: impl Iterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut groups: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}

fn count<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(student: &str, login: &str) -> Gone {
        Gone {
            student: StudentId::new(student),
            login: LoginValue::new(login),
            wanted: None,
            values: KnownValues::new(),
        }
    }

    fn new(student: &str, login: &str) -> New {
        New {
            student: StudentId::new(student),
            login: LoginValue::parse(login),
            wanted: None,
            values: KnownValues::new(),
        }
    }

    fn shown(suggestions: &[Suggestion]) -> Vec<String> {
        let words =
            |it: &Suggestion| it.reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join("+");
        suggestions.iter().map(|it| format!("{} {} {}", it.from, it.to, words(it))).collect()
    }

    #[test]
    fn ids_written_otherwise_and_login_values_wanted_again_suggest_one_person() {
        let rows = [
            (gone("0001", "a"), new("1", "b"), "0001 1 id"),
            (gone("AB 1", "a"), new("ab1", ""), "AB 1 ab1 id"),
            (gone("Jose\u{301}", "a"), new("jos\u{e9}", "b"), "Jose\u{301} jos\u{e9} id"),
            (gone("S1", "a"), new("T9", "a"), "S1 T9 login-value"),
            (gone("01", "a"), new("1", "a"), "01 1 login-value+id"),
        ];
        for (gone, new, expected) in rows {
            let found = Suggestions::between(&[gone], &[new]);
            assert_eq!((shown(&found.pairs), found.unclear), (vec![expected.to_owned()], vec![]));
        }
    }

    #[test]
    fn other_ids_and_other_login_values_suggest_nothing() {
        let found =
            Suggestions::between(&[gone("1", "a"), gone("s2", "b")], &[new("10", "c"), new("s3", "")]);
        assert_eq!(found, Suggestions::default());
    }

    #[test]
    fn who_has_two_partners_is_left_to_a_person() {
        let found = Suggestions::between(
            &[gone("001", "a"), gone("01", "b"), gone("x", "c")],
            &[new("1", "d"), new("y", "c")],
        );
        assert_eq!(shown(&found.pairs), ["x y login-value"]);
        assert_eq!(shown(&found.unclear), ["001 1 id", "01 1 id"]);
        let found = Suggestions::between(&[gone("001", "a")], &[new("1", "d"), new("y", "a")]);
        assert_eq!(shown(&found.unclear), ["001 1 id", "001 y login-value"]);
    }

    #[test]
    fn a_chain_of_ids_is_carried_over_from_its_end() {
        let who = |of: u64| known(&[(1, of), (2, of)]);
        let gone_with = |student: &str, of: u64| Gone { values: who(of), ..gone(student, &of.to_string()) };
        let new_with = |student: &str, of: u64| New { values: who(of), ..new(student, &of.to_string()) };
        // The rows of 1, 2 and 3 stand under 2, 3 and 4 now; those of 7 and 8 have changed places.
        let left = [gone_with("1", 1)];
        let came = [new_with("4", 3)];
        let moved = [
            (gone_with("2", 2), new_with("2", 1)),
            (gone_with("3", 3), new_with("3", 2)),
            (gone_with("7", 7), new_with("7", 8)),
            (gone_with("8", 8), new_with("8", 7)),
        ];
        let chains = |left: &[Gone], came: &[New]| {
            let found = Suggestions::between(left, came).weighed(left, came);
            shown(&found.and_chains(left, came, &moved).pairs)
        };
        assert_eq!(chains(&left, &came), ["3 4 login-value", "2 3 login-value", "1 2 login-value"]);
        let none: [&str; 0] = [];
        assert_eq!(chains(&left, &[]), none, "its end is nowhere");
        assert_eq!(chains(&left, &[new_with("4", 9)]), none, "nobody is 3 now");
        assert_eq!(chains(&[gone_with("0", 7)], &[]), none, "it ends in a circle");
        let stranger = [New { values: who(5), ..new("4", "3") }];
        assert_eq!(chains(&left, &stranger), none, "the other values say that it is somebody else");
    }

    fn known(values: &[(i64, u64)]) -> KnownValues {
        values.iter().map(|(field, value)| (FieldId(*field), Fingerprint(*value))).collect()
    }

    #[test]
    fn a_pair_is_carried_over_only_where_other_values_bear_it_out() {
        let full = [(1, 10), (2, 20), (4, 40)];
        type Row<'a> = (&'a str, &'a [(i64, u64)], bool);
        let rows: [Row<'_>; 6] = [
            ("all alike", &full, true),
            ("most alike", &[(1, 11), (2, 20), (4, 40)], true),
            ("a gender alone", &[(1, 11), (2, 20), (4, 41)], false),
            ("half of two", &[(1, 10), (2, 21)], false),
            ("none alike", &[(1, 11), (2, 21), (4, 41)], false),
            ("nothing to compare", &[], false),
        ];
        for (what, values, expected) in rows {
            let gone = Gone { values: known(&full), ..gone("s1", "a") };
            let new = New { values: known(values), ..new("t9", "a") };
            let (gone, new) = ([gone], [new]);
            let found = Suggestions::between(&gone, &new).weighed(&gone, &new);
            assert_eq!(
                (found.pairs.len(), found.unclear.len()),
                if expected { (1, 0) } else { (0, 1) },
                "{what}"
            );
        }
        // Id and login value tie the two together: one more value is enough, and a contradiction is not.
        for (values, expected) in [(&[(1, 10), (4, 41)][..], 1), (&[][..], 1), (&[(1, 11)][..], 0)] {
            let gone = [Gone { values: known(&full), ..gone("01", "a") }];
            let new = [New { values: known(values), ..new("1", "a") }];
            let found = Suggestions::between(&gone, &new).weighed(&gone, &new);
            assert_eq!(found.pairs.len(), expected, "{values:?}");
        }
    }

    #[test]
    fn a_login_value_that_was_wanted_of_somebody_makes_their_pair_and_no_clear_one_of_another() {
        let wanted = Some(Fingerprint(7));
        let gone = [gone("s0", "x"), Gone { wanted, ..gone("s1", "a") }];
        let new = [New { wanted, ..new("r1", "x") }];
        let found = Suggestions::between(&gone, &new);
        assert!(found.pairs.is_empty());
        assert_eq!(shown(&found.unclear), ["s0 r1 login-value", "s1 r1 wanted-login-value"]);
    }
}
