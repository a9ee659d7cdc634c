//! The doubts of one run about who is who. They are found among its leavers and newcomers alone, so their number bounds
//! the memory.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::diff::{Difference, PriorKnowledge};
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
    asked_of_leaver: HashMap<StudentId, BTreeSet<StudentId>>,
    asked_of_newcomer: HashMap<StudentId, StudentId>,
    leavers: HashSet<StudentId>,
    /// Leavers whose candidates are not listed under the login values that are remembered of them, by these.
    missing: HashMap<LoginValue, StudentId>,
    /// Login values under which a leaver's candidate is listed.
    left: HashSet<LoginValue>,
}

impl PersonDoubts {
    /// Of these differences. Nothing is kept where nobody has left.
    ///
    /// `entered` are students whose ids are alike to that of a leaver who was asked about before they were entered.
    /// `called_one` are pairs that a person asked to carry over, which was not possible; `asked` are those that a person was
    /// asked about and that are alike still.
    pub(super) fn of(
        differences: &[Difference],
        entered: &HashMap<IdLikeness, StudentId>,
        called_one: &HashMap<StudentId, StudentId>,
        asked: &BTreeSet<(StudentId, StudentId)>,
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
        for (leaver, newcomer) in asked {
            doubts.asked_of_leaver.entry(leaver.clone()).or_default().insert(newcomer.clone());
            first(&mut doubts.asked_of_newcomer, newcomer.clone(), leaver);
        }
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
        let asked = self.asked_of_leaver.get(leaver).into_iter().flatten();
        let asked: Vec<PersonDoubt> = asked
            .filter(|newcomer| !is_wanted(newcomer) && !alike.contains(newcomer))
            .map(|newcomer| PersonDoubt::AskedBefore {
                leaver: leaver.clone(),
                newcomer: newcomer.clone(),
                holds_newcomer: false,
            })
            .collect();
        let alike = alike.into_iter().map(|newcomer| PersonDoubt::AlikeIds {
            leaver: leaver.clone(),
            newcomer: newcomer.clone(),
            holds_newcomer: false,
        });
        // What somebody gave to the candidate by hand, and not what it had when its student left.
        let by_hand = found_under.or_else(|| (link.renamed_by_hand && listed).then_some(&link.login));
        let given_to = by_hand.and_then(|login| self.wanted.get(login));
        let wanted = wanted.iter().map(|by| {
            let (leaver, by, has_candidate) = (leaver.clone(), (*by).clone(), self.linked.contains(*by));
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
            .chain(asked)
            .chain(entered)
            .chain(called_one)
            .chain(renamed)
            .collect()
    }

    /// Whether a student without a candidate may be somebody who has left.
    pub(super) fn of_newcomer(&self, student: &StudentId, login: &LoginValue) -> Option<PersonDoubt> {
        if let Some(leaver) = self.alike.get(&IdLikeness::of(student)) {
            let (leaver, newcomer) = (leaver.clone(), student.clone());
            return Some(PersonDoubt::AlikeIds { leaver, newcomer, holds_newcomer: true });
        }
        if let Some(leaver) = self.asked_of_newcomer.get(student) {
            let (leaver, newcomer) = (leaver.clone(), student.clone());
            return Some(PersonDoubt::AskedBefore { leaver, newcomer, holds_newcomer: true });
        }
        // Just the same one is in use while the leaver's candidate is listed, and waited for.
        if let Some((leaver, theirs)) = self.left_alike.get(&LoginLikeness::of(login))
            && theirs != login
        {
            let (leaver, by) = (leaver.clone(), student.clone());
            return Some(PersonDoubt::LoginAlike { leaver, by, has_candidate: false, holds_newcomer: true });
        }
        let leaver = self.missing.get(login)?.clone();
        Some(PersonDoubt::LoginWanted { leaver, by: student.clone(), has_candidate: false })
    }

    /// Whether a student without a candidate wants just the login value that is remembered of this leaver: then one of
    /// them can be carried over to the other.
    pub(super) fn is_wanted_by_a_newcomer(&self, link: &Link) -> bool {
        self.wanted.get(&link.login).into_iter().flatten().any(|by| !self.linked.contains(by))
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
