//! The doubts of one run about who is who. They are found among its leavers and newcomers alone, so their number bounds
//! the memory.

use std::collections::{HashMap, HashSet};

use super::diff::{Difference, PriorKnowledge};
use super::link::Link;
use super::person_doubt::PersonDoubt;
use crate::roster::{IdLikeness, LoginValue, StudentId};

/// The doubts of one run.
#[derive(Debug, Default)]
pub(super) struct PersonDoubts {
    /// Login values that students on the roster want and whose candidates, if any, do not have.
    wanted: HashMap<LoginValue, StudentId>,
    /// Those among them who have a candidate.
    linked: HashSet<StudentId>,
    /// Students without a candidate, by what their ids have in common with others.
    newcomers: HashMap<IdLikeness, StudentId>,
    alike: HashMap<IdLikeness, StudentId>,
    leavers: HashSet<StudentId>,
    /// Login values under which a leaver's candidate is listed.
    left: HashSet<LoginValue>,
}

impl PersonDoubts {
    /// Of these differences. Nothing is kept where nobody has left.
    pub(super) fn of(differences: &[Difference]) -> Self {
        let mut doubts = Self::default();
        for difference in differences {
            if let Difference::Leaver(leaver) = difference {
                first(&mut doubts.alike, IdLikeness::of(&leaver.link.student), &leaver.link.student);
                doubts.leavers.insert(leaver.link.student.clone());
                if leaver.listed && leaver.prior != PriorKnowledge::Contested {
                    doubts.left.insert(leaver.link.login.clone());
                }
            }
        }
        if doubts.leavers.is_empty() {
            return doubts;
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
                    if unusable.linked {
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
        first(&mut self.wanted, login.clone(), student);
    }

    fn is_new(&mut self, student: &StudentId) {
        first(&mut self.newcomers, IdLikeness::of(student), student);
    }

    /// Whether a student on the roster may be this leaver; `found_under` is the login value under which the
    /// candidate was found elsewhere in this run.
    pub(super) fn of_leaver(&self, link: &Link, found_under: Option<&LoginValue>) -> Option<PersonDoubt> {
        let leaver = link.student.clone();
        let wanted = [Some(&link.login), found_under].into_iter().flatten();
        if let Some(by) = wanted.filter_map(|login| self.wanted.get(login)).min() {
            let (by, has_candidate) = (by.clone(), self.linked.contains(by));
            return Some(PersonDoubt::LoginWanted { leaver, by, has_candidate });
        }
        if let Some(newcomer) = self.newcomers.get(&IdLikeness::of(&leaver)) {
            return Some(PersonDoubt::AlikeIds { leaver, newcomer: newcomer.clone() });
        }
        (link.renamed_by_hand || found_under.is_some()).then_some(PersonDoubt::RenamedByHand { leaver })
    }

    /// Whether a student without a candidate may be somebody who has left.
    pub(super) fn of_newcomer(&self, student: &StudentId) -> Option<PersonDoubt> {
        let leaver = self.alike.get(&IdLikeness::of(student))?.clone();
        Some(PersonDoubt::AlikeIds { leaver, newcomer: student.clone() })
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
