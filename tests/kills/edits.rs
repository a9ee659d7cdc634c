//! What a school office does to a roster in a day.

use fastrand::Rng;

use crate::people::{ANCHORS, People, Pupil, TROUBLED_GROUP, Trouble};
use rosterd_testkit::chance::{happens, one_of};

/// So many login values are given away at most between two runs: the guard holds more than five.
const LOGIN_CHANGES: u32 = 2;

impl People {
    /// Edits a few rows; says which, for whoever looks for a cause.
    pub fn edit(&mut self, chance: &mut Rng) -> Vec<String> {
        let mut done = Vec::new();
        let mut logins = 0;
        for _ in 0..chance.u32(1..15) {
            let at = chance.usize(0..self.pupils.len());
            if self.pupils[at].trouble.is_some() {
                continue;
            }
            let what = if self.pupils[at].is_student() {
                self.change(at, chance, &mut logins)
            } else {
                self.arrive(at, chance)
            };
            done.push(format!("{} {what}", self.pupils[at].id));
        }
        done
    }

    fn change(&mut self, at: usize, chance: &mut Rng, logins: &mut u32) -> &'static str {
        self.renamed += 1;
        let fresh = self.renamed;
        let (groups, classes) = (self.groups.len(), self.classes.len());
        let pupil = &mut self.pupils[at];
        let is_anchor = at < ANCHORS || pupil.groups.contains(&TROUBLED_GROUP);
        let before = pupil.before.take();
        pupil.before = Some(Box::new(pupil.clone()));
        match chance.u32(0..100) {
            0..15 => pupil.name = format!("Name {fresh}"),
            15..22 => pupil.phone = happens(chance, 70).then(|| format!("0099-{fresh}")),
            22..28 => pupil.password = format!("pw-{fresh}"),
            28..32 => pupil.gender = happens(chance, 70).then(|| one_of(chance, &["f", "m"]).to_owned()),
            32..40 if *logins < LOGIN_CHANGES => {
                pupil.email = format!("e{fresh}@school.example");
                *logins += 1;
            }
            40..46 if *logins + 2 <= LOGIN_CHANGES => {
                *logins += 2;
                return self.swap_logins(at, chance);
            }
            46..56 => drop(pupil.groups.insert(chance.usize(1..groups))),
            56..62 if !is_anchor => {
                let first = one_of(chance, &(1..groups).collect::<Vec<_>>());
                pupil.groups = [first].into();
            }
            62..72 => drop(pupil.classes.insert(chance.usize(0..classes))),
            72..82 if !is_anchor => drop(pupil.classes.remove(&chance.usize(0..classes))),
            82..92 if before.is_some() => {
                let Pupil { name, gender, phone, password, groups, classes, .. } = *before.unwrap();
                *pupil = Pupil { name, gender, phone, password, groups, classes, ..pupil.clone() };
                return "is as before";
            }
            92..98 if !is_anchor => {
                pupil.active = false;
                pupil.listed = happens(chance, 50);
                pupil.stayed = false;
                return "leaves";
            }
            _ => pupil.name = format!("Called {fresh}"),
        }
        "changes"
    }

    fn swap_logins(&mut self, at: usize, chance: &mut Rng) -> &'static str {
        let others: Vec<usize> = (0..self.pupils.len())
            .filter(|other| *other != at && self.pupils[*other].is_student())
            .filter(|other| self.pupils[*other].trouble.is_none())
            .collect();
        let with = one_of(chance, &others);
        let email = self.pupils[with].email.clone();
        self.pupils[with].email = std::mem::replace(&mut self.pupils[at].email, email);
        "swaps login values"
    }

    fn arrive(&mut self, at: usize, chance: &mut Rng) -> &'static str {
        let (groups, classes) = (self.groups.len(), self.classes.len());
        let pupil = &mut self.pupils[at];
        pupil.listed = true;
        pupil.active = true;
        pupil.stayed = false;
        if pupil.groups.is_empty() {
            pupil.groups.insert(chance.usize(1..groups));
            pupil.classes.insert(chance.usize(0..classes));
        }
        "arrives"
    }

    /// Puts what is wanted of some students beyond reach: newcomers only, so that nothing of them is there.
    pub fn trouble(&mut self, chance: &mut Rng, is_first: bool) {
        let kinds: &[Trouble] =
            if is_first { &[Trouble::Group, Trouble::Login, Trouble::Uid] } else { &[Trouble::Login] };
        for kind in kinds {
            let newcomers: Vec<usize> = (ANCHORS..self.pupils.len())
                .filter(|at| {
                    is_newcomer(&self.pupils[*at]) || (is_first && self.pupils[*at].trouble.is_none())
                })
                .collect();
            if newcomers.is_empty() || !happens(chance, 70) {
                continue;
            }
            let at = one_of(chance, &newcomers);
            let _arrived = self.arrive(at, chance);
            let pupil = &mut self.pupils[at];
            pupil.trouble = Some(*kind);
            pupil.classes.insert(0);
            if *kind == Trouble::Group {
                pupil.groups = [TROUBLED_GROUP].into();
            }
        }
    }
}

/// Never was on the roster.
fn is_newcomer(pupil: &Pupil) -> bool {
    pupil.groups.is_empty()
}
