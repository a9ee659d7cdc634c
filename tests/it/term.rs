//! A term's life: what a school year does to two classes and a course, and what is left of it for a person.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::Programs as _;
use rosterd::Exit;
use rosterd::{RunReport, Severity};
use rosterd_sandbox::Role;
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

const ADD: &str = "addClassStudentMultiple";

struct Term {
    school: School,
    math: ClassIds,
    physics: ClassIds,
    /// A whole course.
    home: i64,
    /// Whoever is in a class or course because somebody else put them there.
    strangers: BTreeMap<&'static str, i64>,
}

impl Term {
    async fn begin() -> Self {
        let mut school = School::of_classin().await;
        school.setting("CLASSIN__REGISTER", "true");
        let math = school.class("math").await;
        let physics = school.class("physics").await;
        let home = school.sandbox.create_course("home");
        school.sql(&format!("INSERT INTO classes VALUES ('home', 'Home', {home}, NULL)")).await;
        let mut strangers = BTreeMap::new();
        for place in ["math", "physics", "home"] {
            strangers.insert(place, school.sandbox.create_account("stranger", None));
        }
        school.sandbox.insert_class_member(math.course, math.class, strangers["math"]);
        school.sandbox.insert_class_member(physics.course, physics.class, strangers["physics"]);
        school.sandbox.set_role(home, None, strangers["home"], Role::CourseStudent);
        Self { school, math, physics, home, strangers }
    }

    /// Runs, hour by hour as the daemon does, until a run makes no call; at most twelve.
    async fn settle(&self) -> RunReport {
        for _ in 0..12 {
            self.school.later(HOUR);
            self.school.sandbox.clear_journal();
            let report = self.school.run().await;
            if self.school.classin_calls().is_empty() && report.severity != Severity::Temporary {
                return report;
            }
        }
        panic!("twelve runs, and still calls: {:#?}", self.school.run().await);
    }

    /// Several new students, with phone numbers and no accounts.
    async fn newcomers(&self, ids: &[&str], phones_from: usize, classes: &[&str]) {
        for (at, id) in ids.iter().enumerate() {
            self.school.applicant(id, &format!("138{:08}", phones_from + at)).await;
            for class in classes {
                self.school.join(id, class).await;
            }
        }
    }

    /// Who should be where by the roster, read by hand; without those of whom a person has to take care.
    async fn wanted(&self, but: &[(&str, &str)]) -> BTreeMap<String, BTreeSet<i64>> {
        let mut wanted: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for (code, (id, uid, phone)) in self.school.roster_members().await {
            if but.contains(&(id.as_str(), code.as_str())) {
                continue;
            }
            let account = || self.school.sandbox.account(phone.as_deref().unwrap_or_default());
            let uid = uid.or_else(account).unwrap_or_else(|| panic!("{id} has no account"));
            wanted.entry(code).or_default().insert(uid);
        }
        wanted
    }

    /// Who is where, strangers left out; they must all be there.
    fn found(&self) -> BTreeMap<String, BTreeSet<i64>> {
        let places = [
            ("math", self.school.members(self.math)),
            ("physics", self.school.members(self.physics)),
            ("home", self.school.sandbox.course_members(self.home)),
        ];
        let mut found = BTreeMap::new();
        for (place, mut members) in places {
            if let Some(stranger) = self.strangers.get(place) {
                assert!(members.remove(stranger), "somebody else's member of {place} was touched");
            }
            found.insert(place.to_owned(), members);
        }
        found
    }

    async fn assert_in_step(&self, but: &[(&str, &str)], when: &str) {
        assert_eq!(self.found(), self.wanted(but).await, "{when}");
    }
}

#[tokio::test]
async fn a_terms_life_ends_with_the_roster_in_classin_and_two_dead_letters_for_a_person() {
    let mut term = Term::begin().await;

    // The first day: half of the school has accounts, the others are registered; two are siblings.
    for at in 0..35 {
        let id = format!("k{at:02}");
        term.school.student(&id).await;
        term.school.join(&id, "math").await;
        term.school.join(&id, "home").await;
    }
    let ids: Vec<String> = (0..14).map(|at| format!("n{at:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    term.newcomers(&ids, 100, &["physics", "home"]).await;
    term.newcomers(&["ann"], 500, &["physics"]).await;
    term.newcomers(&["bob"], 500, &["physics"]).await;
    let report = term.school.run_to(Exit::Done).await;
    assert_eq!((report.classin.applied["register"], report.classin.applied["enrol"]), (16, 100));
    assert_eq!(term.settle().await.outcome.as_str(), "converged");
    term.assert_in_step(&[], "after the first day").await;

    // Joins and leaves, and one who leaves the school.
    term.newcomers(&["j1", "j2"], 600, &["math", "physics"]).await;
    for id in ["k00", "k01"] {
        term.school.leave(id, "math").await;
    }
    term.school.drop_student("k02").await;
    let _report = term.settle().await;
    term.school.later(4 * DAY);
    let _report = term.settle().await;
    term.assert_in_step(&[], "after joins and leaves").await;

    // One moves to the other class, and one was there before rosterd and leaves: a person claims the class.
    term.school.leave("k05", "math").await;
    term.school.join("k05", "physics").await;
    let there = term.school.student("o1").await;
    term.school.sandbox.insert_class_member(term.physics.course, term.physics.class, there);
    term.school.join("o1", "physics").await;
    let _report = term.settle().await;
    term.assert_in_step(&[], "after a move").await;
    term.school.leave("o1", "physics").await;
    assert_eq!(term.settle().await.attention["still-in-class"].count, 1);
    assert!(term.school.members(term.physics).contains(&there), "not ours to take out");
    assert_eq!(term.school.program(&["claim", "--class", "physics"]).code, 0);
    assert_eq!(term.settle().await.attention.len(), 0);
    term.assert_in_step(&[], "after the claim").await;

    // A slip: the number of somebody who never heard of the school. It is mended the day after.
    let _stranger = term.school.sandbox.create_outside_account("Stranger", "13800000777");
    term.newcomers(&["ty"], 777, &["math", "home"]).await;
    let _report = term.settle().await;
    term.school.sql("UPDATE students SET phone = '13800000650' WHERE student_id = 'ty'").await;
    let _report = term.settle().await;
    term.assert_in_step(&[], "after the slip").await;

    // One leaves the school, their number goes to somebody else, and then a newcomer has it.
    let former = term.school.sandbox.account("13800000101").unwrap();
    term.school.drop_student("n01").await;
    let recycled = term.school.sandbox.recycle_contact("13800000101", "The next owner");
    term.newcomers(&["r1"], 101, &["physics"]).await;
    let _report = term.settle().await;
    assert!(term.school.members(term.physics).contains(&recycled), "by the number's owner of today");
    term.school.later(4 * DAY);
    let _report = term.settle().await;
    assert!(!term.school.members(term.physics).contains(&former));
    term.assert_in_step(&[], "after the recycled number").await;

    // An answer is lost, and another call never arrives.
    term.school.set("lose_answer", ADD);
    term.newcomers(&["l1", "l2"], 700, &["math"]).await;
    let _report = term.settle().await;
    term.school.set("drop_request", "registerMultiple");
    term.newcomers(&["l3", "l4"], 710, &["physics"]).await;
    let _report = term.settle().await;
    term.assert_in_step(&[], "after lost answers").await;

    // Physics fills up: two of three find no room until somebody leaves, and the room grows.
    let taken = term.school.members(term.physics).len();
    term.school.sandbox.set_class_capacity(term.physics.course, term.physics.class, taken + 1);
    term.newcomers(&["p1", "p2", "p3"], 800, &["physics"]).await;
    for _ in 0..3 {
        assert_eq!(term.school.run().await.severity, Severity::Incomplete);
        term.school.later(HOUR);
    }
    assert_eq!(term.school.members(term.physics).len(), taken + 1);
    term.school.leave("n00", "physics").await;
    assert_eq!(term.school.run().await.severity, Severity::Incomplete);
    assert_eq!(term.school.members(term.physics).len(), taken + 1);
    term.school.sandbox.set_class_capacity(term.physics.course, term.physics.class, 0);
    let _report = term.settle().await;
    term.assert_in_step(&[], "after the full class").await;
    assert!(term.school.failures().await.is_empty());

    // A maintenance night, in every form, with joins and leaves waiting.
    term.newcomers(&["m1"], 900, &["math", "home"]).await;
    term.school.leave("k03", "home").await;
    for form in ["errno_901", "http_901", "html_200", "http_503"] {
        term.school.set("classin.maintenance", form);
        assert_eq!(term.school.run().await.severity, Severity::Temporary, "{form}");
        term.school.later(HOUR);
    }
    term.school.set("classin.maintenance", "off");
    let _report = term.settle().await;
    term.assert_in_step(&[], "after the maintenance night").await;
    assert!(term.school.failures().await.is_empty());

    // One sibling leaves and the other keeps the seat; then nobody does.
    let shared = term.school.sandbox.account("13800000500").unwrap();
    term.school.leave("ann", "physics").await;
    let _report = term.settle().await;
    assert!(term.school.members(term.physics).contains(&shared));
    term.school.leave("bob", "physics").await;
    let _report = term.settle().await;
    assert!(!term.school.members(term.physics).contains(&shared));

    // Math ends, and goes on under new ids.
    term.school.sandbox.end_class(term.math.course, term.math.class);
    let frozen = term.school.members(term.math);
    term.newcomers(&["e1"], 950, &["math"]).await;
    assert_eq!(term.school.run().await.severity, Severity::Incomplete);
    assert!(term.settle().await.errors.is_empty());
    let class = term.school.sandbox.create_class(term.math.course, "math again");
    let over = term.math;
    term.math = ClassIds { class, ..over };
    term.strangers.remove("math");
    term.school.name_class("math", term.math).await;
    let _report = term.settle().await;
    term.assert_in_step(&[], "after the class that ended").await;
    assert_eq!(term.school.members(over), frozen, "a class that is over was touched");

    // What only a person can mend: a cancelled account, somebody who teaches there, a slip in a phone number.
    let cancelled = term.school.sandbox.account("13800000600").unwrap();
    term.school.sandbox.cancel_account(cancelled);
    term.school.join("j1", "home").await;
    let teacher = term.school.student("t1").await;
    term.school.sandbox.set_role(term.physics.course, Some(term.physics.class), teacher, Role::CoTeacher);
    term.school.join("t1", "physics").await;
    term.school.applicant("x1", "1380013800").await;
    term.school.join("x1", "home").await;
    let _report = term.settle().await;

    // Holidays: nothing is asked any more, and nothing is forgotten.
    for _ in 0..10 {
        term.school.later(3 * DAY);
        term.school.sandbox.clear_journal();
        let report = term.school.run_to(Exit::Done).await;
        assert_eq!(report.outcome.as_str(), "converged", "{report:#?}");
        assert!(term.school.classin_calls().is_empty());
        let attention: Vec<(&str, u64)> =
            report.attention.iter().map(|(kind, it)| (*kind, it.count)).collect();
        assert_eq!(attention, [("dead-letters", 1), ("withheld", 1)]);
    }
    // The cancelled account was found anew by its phone number, and the new one is where the old one was.
    assert_ne!(term.school.sandbox.account("13800000600"), Some(cancelled));
    let dead = [("t1", "physics"), ("x1", "home")];
    term.assert_in_step(&dead, "at the end of the term").await;
    let failures = term.school.failures().await;
    let mut rows: Vec<(&str, &str, &str)> =
        failures.iter().map(|row| (row.student_id.as_str(), row.code.as_str(), row.state.as_str())).collect();
    rows.sort_unstable();
    assert_eq!(rows, [("t1", "329", "dead"), ("x1", "no-contact", "dead")]);
    for row in &failures {
        assert_eq!(term.school.program(&["failures", "ignore", &row.id.to_string()]).code, 0);
    }
    let report = term.school.run_to(Exit::Done).await;
    assert!(report.attention.is_empty(), "a person ends it: {:?}", report.attention);
}
