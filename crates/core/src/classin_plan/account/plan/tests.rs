//! Whose account is registered, whose is found, whose name is written: one test a rule.

use super::*;
use crate::classin_plan::account::{AccountKind, Doubt};
use crate::classin_plan::codes::Code;
use crate::roster::{ClassCode, ClassTarget, CourseId, RosterPerson};

const KEY: [u8; 32] = [7; 32];

/// What a planner is made of, with everything allowed.
struct School {
    mode: Mode,
    registers: bool,
    holds: BTreeMap<u64, HeldBack>,
    ignored: HashSet<u64>,
    doubts: Doubts,
    shared: SharedHolds,
    contacts: ContactChanges,
}

impl School {
    fn new() -> Self {
        let (holds, ignored, doubts) = (BTreeMap::new(), HashSet::new(), Doubts::new());
        Self {
            mode: Mode::Sync,
            registers: true,
            holds,
            ignored,
            doubts,
            shared: SharedHolds::default(),
            contacts: ContactChanges::default(),
        }
    }

    fn planner(&self) -> AccountPlanner<'_> {
        AccountPlanner {
            mode: self.mode,
            home: HomeCountry::parse("CN").unwrap(),
            registers: self.registers,
            key: &KEY,
            holds: &self.holds,
            ignored: &self.ignored,
            doubts: &self.doubts,
            shared: &self.shared,
            contacts: &self.contacts,
        }
    }

    fn register(&self, people: &[RosterPerson], known: &[Account]) -> AccountPlan {
        let known = known.iter().map(|account| (account.student.clone(), account.clone())).collect();
        let mut plan = AccountPlan::default();
        self.planner().plan_registrations(people.to_vec(), &known, &mut plan);
        plan
    }
}

fn student(id: &str) -> StudentId {
    StudentId::new(id)
}

fn person(id: &str, phone: &str, email: &str) -> RosterPerson {
    let value = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    RosterPerson { student: student(id), name: "Li Lei".to_owned(), phone: value(phone), email: value(email) }
}

const PHONE: &str = "13800000000";

fn account(id: &str, is_school_student: bool) -> Account {
    let contact = School::new().planner().contact_of(&person(id, PHONE, ""));
    Account {
        student: student(id),
        uid: ClassinUid(7),
        origin: AccountOrigin::Registered,
        is_school_student,
        contact,
        school_name: None,
        obtained: None,
        refused: None,
        found_anew: None,
    }
}

fn reason(state: &EnrolmentState) -> String {
    state.reason().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn a_student_with_a_contact_and_a_name_is_registered_by_it() {
    let plan = School::new().register(&[person("s1", PHONE, "a@example.org")], &[]);
    assert_eq!(plan.registration_of(&student("s1")), Some(&EnrolmentState::Planned));
    assert_eq!(plan.applications.len(), 1);
    assert_eq!(plan.applications[0].account.contact.expose(), PHONE);
    assert_eq!(plan.operations[0].kind, AccountKind::Register);
    assert!(plan.problems.is_empty() && plan.changes.is_empty());
}

#[test]
fn siblings_with_one_contact_apply_for_one_account() {
    let plan = School::new().register(&[person("s1", PHONE, ""), person("s2", PHONE, "")], &[]);
    assert_eq!((plan.operations.len(), plan.applications.len()), (2, 1));
    assert_eq!(plan.applications[0].account.students, [student("s1"), student("s2")]);
}

#[test]
fn an_email_that_stands_in_for_a_landline_is_used_and_the_row_reported() {
    let plan = School::new().register(&[person("s1", "010-62345678", "a@example.org")], &[]);
    assert_eq!(plan.applications[0].account.contact.expose(), "a@example.org");
    assert_eq!((plan.problems.len(), plan.problems[0].key.as_str()), (1, "s1"));
}

#[test]
fn without_contact_or_name_it_cannot_be_and_the_reason_says_what_is_missing() {
    let nameless = RosterPerson { name: String::new(), ..person("s1", PHONE, "") };
    for (person, what) in [(person("s1", "", ""), "phone and email are empty"), (nameless, "name is empty")] {
        let plan = School::new().register(&[person], &[]);
        assert!(matches!(plan.operations[0].state, EnrolmentState::Cannot(_)), "{what}");
        assert!(reason(&plan.operations[0].state).contains(what), "{what}");
        assert!(plan.applications.is_empty(), "{what}");
    }
}

#[test]
fn an_account_that_was_learnt_for_another_student_is_asked_for() {
    let plan = School::new().register(&[person("s2", PHONE, "")], &[account("s1", true)]);
    assert_eq!(plan.applications.len(), 1);
    assert!(plan.applications[0].known.is_none() && plan.changes.is_empty());
}

#[test]
fn an_account_that_never_joined_the_school_is_gone_on_with() {
    let known = account("s1", false);
    let plan = School::new().register(&[person("s1", PHONE, "")], std::slice::from_ref(&known));
    assert_eq!(plan.applications[0].known, Some(known));
    assert!(plan.changes.is_empty());
}

#[test]
fn an_account_is_gone_on_with_only_for_its_own_students_and_contact_and_while_it_is_believed() {
    let both = [person("s1", PHONE, ""), person("s2", PHONE, "")];
    let other = Account { uid: ClassinUid(8), ..account("s2", false) };
    let moved = Account { contact: Some(Fingerprint(1)), ..account("s1", false) };
    let dead = Account { refused: Some(Code(886)), ..account("s1", false) };
    let of_the_roster = Account { origin: AccountOrigin::Roster, ..account("s1", false) };
    for (what, people, known) in [
        ("a sibling has none", &both[..], vec![account("s1", false)]),
        ("a sibling has another", &both, vec![account("s1", false), other]),
        ("another contact", &both[..1], vec![moved]),
        ("dead", &both[..1], vec![dead]),
        ("only on the roster", &both[..1], vec![of_the_roster]),
    ] {
        let plan = School::new().register(people, &known);
        assert_eq!(plan.applications.len(), 1, "{what}");
        assert!(plan.applications[0].known.is_none(), "{what}");
    }
    let plan = School::new().register(&both, &[account("s1", false), account("s2", false)]);
    assert!(plan.applications[0].known.is_some(), "both have it");
}

#[test]
fn a_dead_account_is_another_want_than_the_registration_that_failed_before() {
    let mut school = School::new();
    let before = school.register(&[person("s1", PHONE, "")], &[]).operations[0].desired_hash;
    let doubt = Doubt::NoSuchAccount { uid: ClassinUid(7), code: Code(886) };
    school.doubts.insert(student("s1"), doubt);
    let plan = school.register(&[person("s1", PHONE, "")], &[account("s1", false)]);
    assert_ne!(plan.operations[0].desired_hash, before);
    assert!(plan.applications[0].known.is_none(), "a doubted account is asked for");
}

#[test]
fn a_mode_below_create_only_registers_nothing_and_one_below_upsert_renames_nothing() {
    for (mode, registers, renames) in [
        (Mode::Observe, false, false),
        (Mode::CreateOnly, true, false),
        (Mode::Upsert, true, true),
        (Mode::Sync, true, true),
    ] {
        let school = School { mode, ..School::new() };
        let mut plan = school.register(&[person("s1", PHONE, "")], &[]);
        school.planner().plan_name(renaming(), &mut plan);
        let planned = plan.operations.iter().map(AccountOperation::is_planned).collect::<Vec<_>>();
        assert_eq!(planned, [registers, renames], "{mode:?}");
    }
}

#[test]
fn a_failure_that_is_not_due_holds_the_registration_back_and_a_silenced_one_says_so() {
    let mut school = School::new();
    let hash = |plan: &AccountPlan| plan.operations[0].desired_hash;
    let known = hash(&school.register(&[person("s1", PHONE, "")], &[]));
    school.holds.insert(known, HeldBack::NotDue);
    let plan = school.register(&[person("s1", PHONE, "")], &[]);
    assert_eq!(reason(&plan.operations[0].state), "failed before, not due yet");
    assert!(plan.applications.is_empty());

    let impossible = hash(&school.register(&[person("s1", "", "")], &[]));
    school.holds.insert(impossible, HeldBack::GivenUp);
    let dead = school.register(&[person("s1", "", "")], &[]);
    assert!(matches!(dead.operations[0].state, EnrolmentState::Cannot(_)));
    school.ignored.insert(impossible);
    let silenced = school.register(&[person("s1", "", "")], &[]);
    assert_eq!(silenced.operations[0].state, EnrolmentState::Waiting(Reason::HeldBack(HeldBack::Ignored)));
}

#[test]
fn another_phone_email_or_absence_of_a_name_is_another_want() {
    let hash = |person: RosterPerson| School::new().register(&[person], &[]).operations[0].desired_hash;
    let first = hash(person("s1", PHONE, "a@example.org"));
    let nameless = RosterPerson { name: String::new(), ..person("s1", PHONE, "a@example.org") };
    let renamed = RosterPerson { name: "Han Mei".to_owned(), ..person("s1", PHONE, "a@example.org") };
    assert_eq!(first, hash(renamed));
    for other in [person("s2", PHONE, "a@example.org"), person("s1", PHONE, ""), nameless] {
        assert_ne!(first, hash(other));
    }
}

// Names

fn named(confirmed: Option<&str>) -> Account {
    let fingerprint = |name: &str| Fingerprint(SchoolName::cut(name).unwrap().fingerprint(&KEY));
    Account { school_name: confirmed.map(fingerprint), ..account("s1", true) }
}

fn renaming() -> Renaming {
    match School::new().planner().name_decision("Han Mei", None, &named(Some("Li Lei"))) {
        NameDecision::Write(renaming) => renaming,
        other @ (NameDecision::Keep | NameDecision::Remember(_)) => panic!("{other:?}"),
    }
}

#[test]
fn a_name_is_remembered_at_first_and_written_when_it_changes() {
    let school = School::new();
    let planner = school.planner();
    let decide = |name: &str, account: &Account| planner.name_decision(name, None, account);
    assert!(matches!(decide("Li Lei", &named(None)), NameDecision::Remember(_)));
    assert!(matches!(decide("Li Lei", &named(Some("Li Lei"))), NameDecision::Keep));
    assert!(matches!(decide("Han Mei", &named(Some("Li Lei"))), NameDecision::Write(_)));
    assert!(matches!(decide("  ", &named(Some("Li Lei"))), NameDecision::Keep));
}

#[test]
fn no_name_is_written_to_an_account_outside_the_school_or_to_another_than_the_rosters() {
    let school = School::new();
    let planner = school.planner();
    let outside = Account { is_school_student: false, ..named(Some("Li Lei")) };
    assert!(matches!(planner.name_decision("Han Mei", None, &outside), NameDecision::Keep));
    for (on_roster, is_written) in [(None, true), (Some(ClassinUid(7)), true), (Some(ClassinUid(8)), false)] {
        let decision = planner.name_decision("Han Mei", on_roster, &named(Some("Li Lei")));
        assert_eq!(matches!(decision, NameDecision::Write(_)), is_written, "{on_roster:?}");
    }
}

#[test]
fn of_siblings_with_one_account_those_before_the_student_are_asked_about() {
    let owners = [student("s1"), student("s2"), student("s3")];
    assert_eq!(AccountPlanner::owners_before(&owners, &student("s1")), []);
    assert_eq!(AccountPlanner::owners_before(&owners, &student("s3")), owners[..2]);
    assert_eq!(AccountPlanner::owners_before(&[], &student("s1")), []);
}

// Accounts of members

fn member(id: &str, uid: Option<i64>) -> Enrolment {
    Enrolment {
        student: student(id),
        class_code: ClassCode::new("c1"),
        target: ClassTarget { course: CourseId(1), class: None },
        uid: uid.map(ClassinUid),
    }
}

#[test]
fn a_missing_uid_is_filled_in_from_what_is_usable() {
    use AccountOrigin::{Found, Registered, Roster};
    for (origin, is_school_student, registers, is_used) in [
        (Roster, true, true, false),
        (Roster, true, false, false),
        (Roster, false, true, false),
        (Roster, false, false, false),
        (Registered, false, true, false),
        (Registered, false, false, true),
        (Found, true, true, true),
    ] {
        let school = School { registers, ..School::new() };
        let known = Account { origin, ..account("s1", is_school_student) };
        let mut members = [member("s1", None)];
        let known = HashMap::from([(student("s1"), known)]);
        school.planner().fill_in(&mut members, &known);
        let expected = is_used.then_some(ClassinUid(7));
        assert_eq!(members[0].uid, expected, "{origin:?} {is_school_student} {registers}");
    }
}

#[test]
fn a_uid_on_the_roster_stays() {
    let known = HashMap::from([(student("s1"), account("s1", true))]);
    let mut members = [member("s1", Some(5)), member("s1", None), member("s2", None)];
    School::new().planner().fill_in(&mut members, &known);
    assert_eq!(members.map(|member| member.uid), [Some(ClassinUid(5)), Some(ClassinUid(7)), None]);
}

#[test]
fn the_name_of_an_account_that_only_a_cell_named_is_left_alone_once_the_cell_is_empty() {
    let school = School::new();
    let account = Account { origin: AccountOrigin::Roster, ..named(Some("Li Lei")) };
    for (on_roster, is_written) in [(Some(ClassinUid(7)), true), (None, false)] {
        let decision = school.planner().name_decision("Han Mei", on_roster, &account);
        assert_eq!(matches!(decision, NameDecision::Write(_)), is_written, "{on_roster:?}");
    }
}

/// So many students with an account, whose phone is another one since.
fn changed(school: &mut School, n: u64) -> Vec<RosterPerson> {
    let ids = (0..n).map(|at| format!("s{at:02}"));
    let people: Vec<RosterPerson> =
        ids.map(|id| person(&id, &format!("138001380{}", &id[1..]), "")).collect();
    for (person, uid) in people.iter().zip(100..) {
        school.doubts.insert(person.student.clone(), Doubt::AnotherContact { uid: ClassinUid(uid) });
    }
    people
}

fn is_held(plan: &AccountPlan) -> bool {
    let held = plan.operations.iter().filter(|one| matches!(one.state, EnrolmentState::Held(_))).count();
    assert!(held == 0 || held == plan.operations.len(), "all of them or none");
    held > 0
}

#[test]
fn contacts_that_change_for_too_many_at_once_or_within_a_day_are_held_and_nobody_is_asked_for() {
    let earlier = |n: u64| (50..50 + n).map(|at| student(&format!("s{at:02}"))).collect::<HashSet<_>>();
    let table = [
        ("five of forty", 5, 40, 0, false),
        ("six of forty", 6, 40, 0, true),
        ("six of two hundred", 6, 200, 0, false),
        ("three after three", 3, 40, 3, true),
        ("two after three", 2, 40, 3, false),
    ];
    for (name, now, accounts, before, expected) in table {
        let mut school = School::new();
        let people = changed(&mut school, now);
        school.contacts = ContactChanges { accounts, recent: earlier(before), ..ContactChanges::default() };
        let plan = school.register(&people, &[]);
        assert_eq!((is_held(&plan), plan.applications.is_empty()), (expected, expected), "{name}");
    }
}

#[test]
fn contacts_that_change_for_many_are_asked_for_once_a_person_has_approved_it() {
    let mut school = School::new();
    let people = changed(&mut school, 9);
    school.contacts.accounts = 40;
    let held = school.register(&people, &[]);
    assert!(is_held(&held));
    for operation in &held.operations {
        let crate::classin_plan::Subject { key, desired_hash } = operation.into();
        school.contacts.approved.insert(key, Fingerprint(desired_hash), None);
    }
    assert!(!is_held(&school.register(&people, &[])));
}

#[test]
fn accounts_that_nobody_had_before_are_no_changed_contacts() {
    let mut school = School::new();
    let people = changed(&mut school, 30);
    school.doubts.clear();
    assert!(!is_held(&school.register(&people, &[])), "an intake");
}
