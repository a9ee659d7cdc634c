//! One account of two students: what the rows of the one say of the record that names the other.

use super::*;

/// s1 was enrolled by account 1 and is not wanted any more; s9 has the same account, and stands as is said.
fn plan(wanted: &[Enrolment], s9: Presence, holds: &BTreeMap<u64, HeldBack>) -> CoursePlan {
    let presence = |student: &StudentId| if student.as_str() == "s9" { s9 } else { Presence::OnRoster };
    let owners = |uid: ClassinUid| if uid == ClassinUid(1) { vec![StudentId::new("s9")] } else { Vec::new() };
    let view = CourseView {
        course: TARGET.course,
        class_code: &|_| Some(ClassCode::new("c1")),
        mode: Mode::Sync,
        closed: &|_| None,
        removals: Removals::Added,
        now_ms: 0,
        delete_grace_ms: 0,
        was_asked: &|_| true,
        is_shared: &|_| false,
        presence: &presence,
        owners: &owners,
        holds,
        given_up: &BTreeSet::new(),
        refused: &BTreeSet::new(),
    };
    audited(plan_course(wanted, &converged().recorded, &view))
}

#[test]
fn an_account_stays_while_another_student_who_has_it_has_rows_that_cannot_be_used() {
    let others = converged().without_row("s1").wanted;
    let none = BTreeMap::new();
    assert_eq!(lines(&plan(&others, Presence::Unusable, &none)), [""; 0], "a row that cannot be used");
    let dangling = plan(&others, Presence::Dangling, &none);
    assert_eq!(lines(&dangling), ["remove s9 1 skipped"], "whose row it is, is said");
    assert_eq!(dangling.operations[0].state.reason(), Some(&Reason::MemberRow));
    let gone = Presence::Gone { since_ms: 0, runs: 9 };
    for stands in [Presence::OnRoster, gone] {
        assert_eq!(lines(&plan(&others, stands, &none)), ["remove s1 1 planned"], "{stands:?}");
    }
}

#[test]
fn an_account_stays_while_another_student_who_had_it_is_wanted_there_with_an_empty_cell() {
    let mut wanted = converged().without_row("s1").wanted;
    wanted.push(row("s9", "c1", None));
    let plan = plan(&wanted, Presence::OnRoster, &BTreeMap::new());
    assert_eq!(lines(&plan), ["enrol s9 - cannot"]);
    assert_eq!(plan.staying.get(&TARGET), Some(&3));
}
