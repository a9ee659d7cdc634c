//! The doubts of one run about who is who. They are found among its leavers and newcomers alone, so their number bounds
//! the memory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::diff::{Difference, Pair, PairsInDoubt, PriorKnowledge};
use super::link::Link;
use super::person_doubt::PersonDoubt;
use crate::roster::{IdLikeness, LoginLikeness, LoginValue, StudentId};

/// The doubts of one run.
#[derive(Debug, Default)]
pub(super) struct PersonDoubts {
    /// Login values that students on the roster want and whose candidates, if any, do not have.
    wanted: HashMap<LoginValue, BTreeSet<StudentId>>,
    /// The same by what their login values have in common with others.
    wanted_alike: HashMap<LoginLikeness, BTreeSet<StudentId>>,
    /// Leavers by what the login values of their candidates have in common with others, with these.
    left_alike: HashMap<LoginLikeness, (StudentId, LoginValue)>,
    /// Those among them who have a candidate.
    linked: HashSet<StudentId>,
    /// Students without a candidate, by what their ids have in common with others.
    newcomers: HashMap<IdLikeness, BTreeSet<StudentId>>,
    alike: HashMap<IdLikeness, StudentId>,
    /// Students who were entered although a leaver with an alike id was asked about.
    entered: HashMap<IdLikeness, StudentId>,
    /// Leavers whom a person called one student with somebody who has a candidate of their own.
    called_one: HashMap<StudentId, StudentId>,
    /// Pairs of a leaver and a student without a candidate that a person was asked about, by either.
    asked: Pairs,
    /// Leavers of whom a person was asked, with a student who is no newcomer any more.
    unanswered: BTreeMap<StudentId, StudentId>,
    /// Pairs of a leaver and a student who wants the login value that was wanted of the leaver.
    wanted_before: Pairs,
    /// Pairs of a leaver and a student with the same values.
    same_values: Pairs,
    /// Pairs of a leaver and a student of whom nothing but the name says that they are one: the student is entered all the same.
    same_name: Pairs,
    leavers: HashSet<StudentId>,
    /// Leavers whose candidates are not listed under the login values that are remembered of them, by these.
    missing: HashMap<LoginValue, StudentId>,
    /// Login values under which a leaver's candidate is listed.
    left: HashSet<LoginValue>,
}

/// Pairs of a leaver and a student without a candidate, by either.
#[derive(Debug, Default)]
struct Pairs {
    of_leaver: HashMap<StudentId, BTreeSet<StudentId>>,
    of_newcomer: HashMap<StudentId, StudentId>,
}

impl Pairs {
    fn of(pairs: &BTreeSet<Pair>) -> Self {
        let mut found = Self::default();
        for (leaver, newcomer) in pairs {
            found.of_leaver.entry(leaver.clone()).or_default().insert(newcomer.clone());
            first(&mut found.of_newcomer, newcomer.clone(), leaver);
        }
        found
    }

    fn newcomers(&self, leaver: &StudentId) -> impl Iterator<Item = &StudentId> {
        self.of_leaver.get(leaver).into_iter().flatten()
    }
}

impl PersonDoubts {
    /// Of these differences. Nothing is kept where nobody has left.
    ///
    /// `entered` are students whose ids are alike to that of a leaver who was asked about before they were entered.
    /// `called_one` are pairs that a person asked to carry over, which was not possible.
    pub(super) fn of(
        differences: &[Difference],
        entered: &HashMap<IdLikeness, StudentId>,
        called_one: &HashMap<StudentId, StudentId>,
        in_doubt: &PairsInDoubt,
    ) -> Self {
        let (entered, called_one) = (entered.clone(), called_one.clone());
        let mut doubts = Self { entered, called_one, ..Self::default() };
        for difference in differences {
            if let Difference::Leaver(leaver) = difference {
                first(&mut doubts.alike, IdLikeness::of(&leaver.link.student), &leaver.link.student);
                doubts.leavers.insert(leaver.link.student.clone());
                doubts.has_left_with(&leaver.link);
                if !leaver.listed && leaver.prior != PriorKnowledge::Gone {
                    first(&mut doubts.missing, leaver.link.login.clone(), &leaver.link.student);
                }
                if leaver.listed && leaver.prior != PriorKnowledge::Contested {
                    doubts.left.insert(leaver.link.login.clone());
                }
            }
        }
        if doubts.leavers.is_empty() {
            return doubts;
        }
        doubts.asked = Pairs::of(&in_doubt.asked);
        doubts.wanted_before = Pairs::of(&in_doubt.wanted_before);
        doubts.same_values = Pairs::of(&in_doubt.same_values);
        doubts.same_name = Pairs::of(&in_doubt.same_name);
        doubts.unanswered.clone_from(&in_doubt.unanswered);
        for difference in differences {
            match difference {
                Difference::Newcomer(newcomer) => {
                    doubts.wants(&newcomer.wanted.login, &newcomer.wanted.id);
                    if newcomer.replaces.is_none() {
                        doubts.is_new(&newcomer.wanted.id);
                    }
                }
                Difference::Linked(linked) if linked.is_renamed() => {
                    doubts.wants(&linked.wanted.login, &linked.wanted.id);
                    doubts.linked.insert(linked.wanted.id.clone());
                }
                Difference::Unusable(unusable) => {
                    if let Some(login) = &unusable.login {
                        doubts.wants(login, &unusable.student);
                    }
                    if unusable.link.is_some() {
                        doubts.linked.insert(unusable.student.clone());
                    } else {
                        doubts.is_new(&unusable.student);
                    }
                }
                Difference::Linked(_) | Difference::Leaver(_) => {}
            }
        }
        doubts
    }

    fn wants(&mut self, login: &LoginValue, student: &StudentId) {
        self.wanted.entry(login.clone()).or_default().insert(student.clone());
        self.wanted_alike.entry(LoginLikeness::of(login)).or_default().insert(student.clone());
    }

    /// The first by id stands for all, whatever the order of the differences.
    fn has_left_with(&mut self, link: &Link) {
        let own = || (link.student.clone(), link.login.clone());
        let kept = self.left_alike.entry(LoginLikeness::of(&link.login)).or_insert_with(own);
        if link.student < kept.0 {
            *kept = own();
        }
    }

    fn is_new(&mut self, student: &StudentId) {
        self.newcomers.entry(IdLikeness::of(student)).or_default().insert(student.clone());
    }

    /// All doubts whether a student on the roster may be this leaver, each of which a person is asked about;
    /// `found_under` is the login value under which the candidate was found elsewhere in this run, `listed` says whether
    /// one is listed under the login value of the link.
    pub(super) fn of_leaver(
        &self,
        link: &Link,
        found_under: Option<&LoginValue>,
        listed: bool,
    ) -> Vec<PersonDoubt> {
        let leaver = &link.student;
        let logins: BTreeSet<&LoginValue> = [Some(&link.login), found_under].into_iter().flatten().collect();
        let likeness = logins.iter().map(|login| LoginLikeness::of(login));
        let written_otherwise: Vec<&BTreeSet<StudentId>> =
            likeness.filter_map(|likeness| self.wanted_alike.get(&likeness)).collect();
        let wanted = logins.into_iter().filter_map(|login| self.wanted.get(login));
        let wanted: BTreeSet<&StudentId> = wanted.flatten().collect();
        let written_otherwise: BTreeSet<&StudentId> =
            written_otherwise.into_iter().flatten().filter(|by| !wanted.contains(by)).collect();
        let alike = self.newcomers.get(&IdLikeness::of(leaver)).into_iter().flatten();
        let is_wanted = |by: &StudentId| wanted.contains(by) || written_otherwise.contains(by);
        let alike: Vec<&StudentId> = alike.filter(|newcomer| !is_wanted(newcomer)).collect();
        let named: BTreeSet<&StudentId> =
            wanted.iter().chain(&written_otherwise).copied().chain(alike.iter().copied()).collect();
        let by_memory = self.by_memory(leaver, named);
        let alike = alike.into_iter().map(|newcomer| PersonDoubt::AlikeIds {
            leaver: leaver.clone(),
            newcomer: newcomer.clone(),
            holds_newcomer: false,
        });
        // What somebody gave to the candidate by hand, and not what it had when its student left.
        let by_hand = found_under.or_else(|| (link.renamed_by_hand && listed).then_some(&link.login));
        let given_to = by_hand.and_then(|login| self.wanted.get(login));
        let wanted = wanted.iter().map(|by| {
            let has_candidate = self.linked.contains(*by) || self.is_rather_anothers(by, leaver);
            let (leaver, by) = (leaver.clone(), (*by).clone());
            // Who has a candidate of their own was given no other.
            if !has_candidate && given_to.is_some_and(|given_to| given_to.contains(&by)) {
                PersonDoubt::GivenTo { leaver, by, has_candidate }
            } else {
                PersonDoubt::LoginWanted { leaver, by, has_candidate }
            }
        });
        let is_renamed = link.renamed_by_hand || found_under.is_some();
        // Who has it now is told where it was given to somebody, and that is asked about.
        let is_told = given_to.is_some_and(|given_to| !given_to.is_empty());
        let renamed = (is_renamed && !is_told).then(|| PersonDoubt::RenamedByHand { leaver: leaver.clone() });
        // A second link of one id is held for that, whoever has the first.
        let is_twin = StudentId::entered(leaver.as_str()) != *leaver;
        let entered = self.entered.get(&IdLikeness::of(leaver)).filter(|_| !is_twin);
        let entered =
            entered.map(|other| PersonDoubt::AlikeEntered { leaver: leaver.clone(), other: other.clone() });
        let called_one = self
            .called_one
            .get(leaver)
            .map(|other| PersonDoubt::CalledOne { leaver: leaver.clone(), other: other.clone() });
        let written_otherwise = written_otherwise.iter().map(|by| PersonDoubt::LoginAlike {
            leaver: leaver.clone(),
            by: (*by).clone(),
            has_candidate: self.linked.contains(*by),
            holds_newcomer: false,
        });
        wanted
            .chain(written_otherwise)
            .chain(alike)
            .chain(by_memory)
            .chain(entered)
            .chain(called_one)
            .chain(renamed)
            .collect()
    }

    /// Doubts that today's ids and login values alone do not raise, about others than `named`.
    fn by_memory(&self, leaver: &StudentId, named: BTreeSet<&StudentId>) -> Vec<PersonDoubt> {
        let mut named = named;
        let mut found = Vec::new();
        for newcomer in self.wanted_before.newcomers(leaver).filter(|newcomer| named.insert(newcomer)) {
            let (leaver, newcomer) = (leaver.clone(), newcomer.clone());
            found.push(PersonDoubt::WantedBefore { leaver, newcomer, holds_newcomer: false });
        }
        let by_values = self.same_values.newcomers(leaver).chain(self.same_name.newcomers(leaver));
        for newcomer in by_values.filter(|newcomer| named.insert(newcomer)) {
            let (leaver, newcomer) = (leaver.clone(), newcomer.clone());
            found.push(PersonDoubt::SameValues { leaver, newcomer, holds_newcomer: false });
        }
        for newcomer in self.asked.newcomers(leaver).filter(|newcomer| named.insert(newcomer)) {
            let (leaver, newcomer) = (leaver.clone(), newcomer.clone());
            found.push(PersonDoubt::AskedBefore { leaver, newcomer, holds_newcomer: false });
        }
        // A person has said more of whom they called one with somebody.
        let unanswered = self.unanswered.get(leaver).filter(|_| !self.called_one.contains_key(leaver));
        let unanswered = unanswered.filter(|newcomer| named.insert(newcomer));
        found.extend(unanswered.map(|newcomer| {
            let (leaver, newcomer) = (leaver.clone(), newcomer.clone());
            PersonDoubt::AskedAbout { leaver, newcomer }
        }));
        found
    }

    /// Whether more ties a student without a candidate to another leaver than to this one.
    pub(super) fn is_rather_anothers(&self, newcomer: &StudentId, leaver: &StudentId) -> bool {
        let ties = [&self.wanted_before, &self.same_values];
        let mut others = ties.into_iter().filter_map(|pairs| pairs.of_newcomer.get(newcomer));
        let is_own = |pairs: &Pairs| pairs.newcomers(leaver).any(|own| own == newcomer);
        !ties.into_iter().any(is_own) && others.any(|other| other != leaver)
    }

    /// Whether nobody has left.
    pub(super) fn nobody_has_left(&self) -> bool {
        self.leavers.is_empty()
    }

    /// Whether a student without a candidate may be somebody who has left.
    pub(super) fn of_newcomer(&self, student: &StudentId, login: &LoginValue) -> Option<PersonDoubt> {
        if let Some(leaver) = self.alike.get(&IdLikeness::of(student)) {
            let (leaver, newcomer) = (leaver.clone(), student.clone());
            return Some(PersonDoubt::AlikeIds { leaver, newcomer, holds_newcomer: true });
        }
        let tied = |pairs: &Pairs| Some((pairs.of_newcomer.get(student)?.clone(), student.clone()));
        if let Some((leaver, newcomer)) = tied(&self.wanted_before) {
            return Some(PersonDoubt::WantedBefore { leaver, newcomer, holds_newcomer: true });
        }
        // Just the same one is in use while the leaver's candidate is listed, and waited for.
        if let Some((leaver, theirs)) = self.left_alike.get(&LoginLikeness::of(login))
            && theirs != login
        {
            let (leaver, by) = (leaver.clone(), student.clone());
            return Some(PersonDoubt::LoginAlike { leaver, by, has_candidate: false, holds_newcomer: true });
        }
        if let Some(leaver) = self.missing.get(login) {
            let has_candidate = self.is_rather_anothers(student, leaver);
            let (leaver, by) = (leaver.clone(), student.clone());
            return Some(PersonDoubt::LoginWanted { leaver, by, has_candidate });
        }
        if let Some((leaver, newcomer)) = tied(&self.same_values) {
            return Some(PersonDoubt::SameValues { leaver, newcomer, holds_newcomer: true });
        }
        let (leaver, newcomer) = tied(&self.asked)?;
        Some(PersonDoubt::AskedBefore { leaver, newcomer, holds_newcomer: true })
    }

    /// Whether a student without a candidate wants just the login value that is remembered of this leaver: then one of
    /// them can be carried over to the other.
    pub(super) fn is_wanted_by_a_newcomer(&self, link: &Link) -> bool {
        self.wanted.get(&link.login).into_iter().flatten().any(|by| !self.linked.contains(by))
    }

    /// Whether a student on the roster wants this login value whose candidate, if any, does not have it.
    pub(super) fn is_wanted(&self, login: &LoginValue) -> bool {
        self.wanted.contains_key(login)
    }

    /// Whether this login value is a leaver's: who wants it waits, and no look-up shortens that.
    pub(super) fn is_of_leaver(&self, login: &LoginValue) -> bool {
        self.left.contains(login)
    }

    /// Whether this student has left.
    pub(super) fn has_left(&self, student: &StudentId) -> bool {
        self.leavers.contains(student)
    }
}

/// The first by id stands for all, whatever the order of the differences.
fn first<K: std::hash::Hash + Eq>(map: &mut HashMap<K, StudentId>, key: K, student: &StudentId) {
    let kept = map.entry(key).or_insert_with(|| student.clone());
    if student < kept {
        *kept = student.clone();
    }
}
