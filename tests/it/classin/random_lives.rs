//! Lives at random: students move between classes and courses, join and leave, lessons end, ClassIn fails over somebody or
//! over everybody. In the end each class has whom the roster names, read in the sandbox and not from our record.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use rosterd_testkit::chance::{happens, number, one_of, seed};

use super::ADD;
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

const CLASSES: [&str; 4] = ["a1", "a2", "b1", "c1"];
const STUDENTS: usize = 12;

struct Life {
    school: School,
    chance: Rng,
    classes: BTreeMap<&'static str, ClassIds>,
    uids: BTreeMap<String, i64>,
    /// Where the roster wants each.
    wanted: BTreeSet<(String, &'static str)>,
}

impl Life {
    async fn new(seed: u64) -> Self {
        let mut school = School::of_classin().await;
        for (name, value) in [
            ("GUARD__MAX_DELETE", "100%"),
            ("GUARD__MAX_GROUP", "100%"),
            ("CLASSIN__REMOVALS", "presumed"),
            ("RETRY__MAX_ATTEMPTS", "100"),
        ] {
            school.setting(name, value);
        }
        let mut classes = BTreeMap::new();
        for code in CLASSES {
            classes.insert(code, school.class(code).await);
        }
        // Two classes of one course.
        let (first, second) = (classes["a1"], school.sandbox.create_class(classes["a1"].course, "a2"));
        let second = ClassIds { class: second, ..first };
        school.name_class("a2", second).await;
        classes.insert("a2", second);
        let mut life = Self {
            school,
            chance: Rng::with_seed(seed),
            classes,
            uids: BTreeMap::new(),
            wanted: BTreeSet::new(),
        };
        for at in 0..STUDENTS {
            let id = format!("s{at:02}");
            let uid = life.school.student(&id).await;
            life.uids.insert(id.clone(), uid);
            life.join(&id, CLASSES[at % CLASSES.len()]).await;
        }
        life
    }

    async fn join(&mut self, id: &str, code: &'static str) {
        if self.wanted.insert((id.to_owned(), code)) {
            self.school.join(id, code).await;
        }
    }

    async fn leave(&mut self, id: &str, code: &'static str) {
        if self.wanted.remove(&(id.to_owned(), code)) {
            self.school.leave(id, code).await;
        }
    }

    /// Whoever is the first of a class stays: a class that would go to zero is held for a person.
    fn anybody(&mut self) -> String {
        format!("s{:02}", self.chance.usize(CLASSES.len()..STUDENTS))
    }

    async fn something_happens(&mut self) {
        let id = self.anybody();
        let code = one_of(&mut self.chance, &CLASSES);
        match self.chance.u32(0..10) {
            0..=4 => {
                let places = self.wanted.iter().filter(|(student, _)| *student == id);
                let old: Vec<&'static str> = places.map(|(_, code)| *code).collect();
                self.join(&id, code).await;
                for old in old.into_iter().filter(|old| *old != code) {
                    self.leave(&id, old).await;
                }
            }
            5 => self.join(&id, code).await,
            6 => self.leave(&id, code).await,
            7 => {
                let old = self.classes[code];
                self.school.sandbox.end_class(old.course, old.class);
                if happens(&mut self.chance, 70) {
                    self.renew(code).await;
                }
            }
            8 => self.school.set("classin.poison", &self.uids[&id].to_string()),
            _ => {
                let from = self.chance.u32(1..4);
                self.school.set("http_5xx", &format!("{ADD}@{from}x{}:500", self.chance.u32(1..9)));
            }
        }
    }

    /// The lesson that follows.
    async fn renew(&mut self, code: &'static str) {
        let old = self.classes[code];
        let fresh = ClassIds { class: self.school.sandbox.create_class(old.course, "again"), ..old };
        self.school.name_class(code, fresh).await;
        self.classes.insert(code, fresh);
    }

    async fn ends_as_the_roster_says(&mut self, what: &str) {
        self.school.set("classin.poison", "none");
        self.school.sandbox.clear_faults();
        for code in CLASSES {
            self.renew(code).await;
        }
        for _ in 0..8 {
            self.school.later(DAY);
            let _report = self.school.run().await;
        }
        for (code, ids) in &self.classes {
            let here = self.wanted.iter().filter(|(_, class)| class == code);
            let wanted: BTreeSet<i64> = here.map(|(id, _)| self.uids[id]).collect();
            assert_eq!(self.school.members(*ids), wanted, "{what}: class {code}");
        }
        let rows = self.school.failures().await;
        assert!(rows.is_empty(), "{what}: {rows:#?}");
        // A hold costs no call while it stands; whether a lesson that is held is over by now is asked once a day, as the
        // look-up of any hold is renewed, by somebody who is known to be in it: a question by anybody else might enter them.
        let held = "SELECT count(DISTINCT o.class_code) FROM held_operations AS o JOIN holds AS h USING (hold_digest) \
             WHERE h.is_standing = 1 AND o.service = 'classin' AND o.kind = 'remove' AND EXISTS (SELECT 1 FROM enrolments AS e \
             WHERE 'course ' || e.course_id || ' class ' || e.class_id = o.class_code \
             AND e.evidence IN ('added', 'present', 'presumed'))";
        let held = usize::try_from(self.school.number(held).await).unwrap();
        self.school.sandbox.clear_journal();
        self.school.later(DAY);
        let _report = self.school.run().await;
        assert_eq!(self.school.classin_calls(), vec![ADD; held], "{what}");
        self.school.sandbox.clear_journal();
        self.school.later(HOUR);
        let _report = self.school.run().await;
        assert!(self.school.classin_calls().is_empty(), "{what}: {:?}", self.school.classin_calls());
    }
}

#[tokio::test]
async fn whatever_happens_each_class_has_whom_the_roster_names_in_the_end() {
    let first = seed();
    for life in 0..number("ROSTERD_LIVES", 3) {
        let seed = first + life;
        let what = format!("ROSTERD_SEED={seed}");
        println!("{what}");
        let mut life = Life::new(seed).await;
        for _ in 0..8 {
            for _ in 0..life.chance.u32(1..5) {
                life.something_happens().await;
            }
            let _report = life.school.run().await;
            life.school.later(DAY);
        }
        life.ends_as_the_roster_says(&what).await;
    }
}
