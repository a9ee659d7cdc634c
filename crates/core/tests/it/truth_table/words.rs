//! What plans, reasons and debug output say, and what they keep to themselves.

use std::collections::BTreeMap;

use rosterd_core::exam_plan::{
    CannotReason, Excess, Flaw, HoldReason, LinkNote, MappedField, Mapping, OperationKind, Origin,
    PlanDocument, SkipReason, ValueDisplay,
};
use rosterd_core::roster::{Adopt, Leavers, Limit, Mode, Sid};
use rosterd_core::roster::{FieldId, Gid, GroupCode, StudentId};

use crate::support::*;

fn details(world: &World, values: ValueDisplay) -> Vec<String> {
    PlanDocument::new(&world.plan(), values).operations.into_iter().map(|line| line.detail).collect()
}

fn masked(world: &World) -> Vec<String> {
    details(world, ValueDisplay::Masked)
}

#[test]
fn each_kind_of_operation_has_a_word_and_is_read_back_from_it() {
    let words = OperationKind::ALL.map(|kind| {
        assert_eq!(OperationKind::parse(kind.as_str()), Some(kind));
        kind.to_string()
    });
    assert_eq!(words, ["create", "adopt", "modify", "add", "move", "delete"]);
    assert_eq!(OperationKind::parse("ADD"), None);
    for (origin, word) in [(Origin::Added, "added"), (Origin::Adopted, "adopted")] {
        assert_eq!((origin.as_str(), Origin::parse(word)), (word, Some(origin)), "{origin:?}");
    }
    assert_eq!(Origin::parse(""), None);
}

#[test]
fn an_add_names_its_group_and_its_login_value_only_to_whoever_asked() {
    let mut world = converged([student("s1")]);
    world.set(student("s2").login("secret-login").in_groups(["g2", "g3"]));
    assert_eq!(masked(&world), ["add to group 2", "into group 3"]);
    assert_eq!(details(&world, ValueDisplay::Revealed), ["add to group 2 as secret-login", "into group 3"]);
}

#[test]
fn an_add_or_adoption_in_a_gone_ones_place_says_where_older_results_stay() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.vanish("s1").vanish("s2");
    world.enter(candidate("s2").field(PHONE, "552"));
    world.verified.insert(world.sid("s2"));
    assert_eq!(
        masked(&world),
        [
            "adopt the candidate with sid 1004 (sid 1002 no longer exists; older results stay with it)",
            "add to group 1 again (sid 1001 was deleted by hand; older results stay with it)"
        ]
    );
}

#[test]
fn an_adoption_shows_the_login_value_only_to_whoever_asked() {
    let mut world = converged([student("s1")]);
    world.enter(candidate("taken-over").field(PHONE, "552"));
    world.set(student("s2").login("taken-over").name("name of taken-over"));
    assert_eq!(masked(&world), ["adopt the candidate with sid 1002"]);
    assert_eq!(details(&world, ValueDisplay::Revealed), ["adopt the candidate with sid 1002 as taken-over"]);
}

#[test]
fn a_student_back_after_a_deletion_is_entered_anew_and_old_results_are_named() {
    let mut world = converged([student("s1")]);
    world.set(student("s2")).former.insert("s2".to_owned(), 900);
    let anew = "anew (sid 900 was deleted when the student had left; older results stay with it)";
    assert_eq!(masked(&world), [format!("add to group 1 {anew}")]);
    let sid = world.enter(candidate("s2").field(PHONE, "552"));
    assert_eq!(masked(&world), [format!("adopt the candidate with sid {sid} {anew}")]);
    world.former.insert("s2".to_owned(), sid);
    assert_eq!(masked(&world), [format!("adopt the candidate with sid {sid}")], "it is the old one itself");
}

#[test]
fn a_candidate_deleted_by_hand_is_named_rather_than_one_that_was_deleted_earlier() {
    let mut world = converged([student("s1"), student("s2")]);
    world.vanish("s1").former.insert("s1".to_owned(), 900);
    assert_eq!(
        masked(&world),
        ["add to group 1 again (sid 1001 was deleted by hand; older results stay with it)"]
    );
}

#[test]
fn a_modify_names_its_fields_and_says_which_are_emptied() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").phone("").name("Ada"));
    assert_eq!(masked(&world), ["name, phone (emptied)"]);
    assert_eq!(details(&world, ValueDisplay::Revealed), ["name → Ada, phone (emptied)"]);
}

#[test]
fn a_move_says_into_and_out_of_which_groups() {
    let mut world =
        World::empty().with_converged(["a", "b", "c", "d"].map(|id| student(id).in_groups(["g1", "g2"])));
    world.set(student("a").in_groups(["g1", "g2", "g3"])).set(student("b").in_groups(["g1", "g3"]));
    world.of("c").groups.insert(99);
    world.set(student("c").in_groups(["g2"])).set(student("d").in_groups(["g4"]));
    assert_eq!(
        masked(&world),
        ["into group 3", "into group 3, out of group 2", "out of group 1", "move to group 4"]
    );
}

#[test]
fn a_delete_names_the_sid_and_what_is_impossible_its_kind() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.leave_for_good("s1").set(student("s2").unusable());
    assert_eq!(masked(&world), ["modify", "delete the candidate with sid 1001"]);
}

#[test]
fn a_document_counts_kinds_by_state_and_lines_have_state_reason_and_fields() {
    let mut world = crowd(10);
    world.guard.max_delete = Limit::Count(0);
    world.leave_for_good("p000").set(student("p001").phone("1").login("x")).set(student("n").in_groups([]));
    world.set(student("p002").in_groups(["g2"])).set(student("p003").unusable());
    world.silent.insert(world.sid("p002"));
    let document = PlanDocument::new(&world.plan(), ValueDisplay::Masked);
    let lines: Vec<String> = document
        .operations
        .iter()
        .map(|line| {
            let fields: Vec<&str> = line.fields.iter().map(|field| field.name.as_str()).collect();
            format!("{} {} {} {fields:?}", line.kind, line.subject.as_str(), line.state)
        })
        .collect();
    assert_eq!(
        lines,
        [
            r#"modify p001 planned ["login", "phone"]"#,
            r#"modify p003 cannot []"#,
            r#"add n cannot []"#,
            r#"move p002 skipped []"#,
            r#"delete p000 held []"#
        ]
    );
    let reasons: Vec<Option<String>> = document.operations.into_iter().map(|line| line.reason).collect();
    assert_eq!(reasons[0], None);
    assert_eq!(reasons[1].as_deref(), Some("it is odd"));
    assert_eq!(reasons[2].as_deref(), Some("the student is in no group: add a row to group_members"));
    assert_eq!(reasons[3].as_deref(), Some("the service did not say which candidate it is"));
    assert_eq!(
        reasons[4].as_deref(),
        Some(
            "1 leaver of 10 managed candidates: more than the limit of 0 (guard.max_delete); they went missing \
             within 24 hours of one another: is the export broken?"
        )
    );
    let counted = |kind: &str, state: &str| document.counts[kind].get(state).copied();
    assert_eq!((counted("modify", "planned"), counted("modify", "cannot")), (Some(1), Some(1)));
    assert_eq!((counted("delete", "held"), counted("move", "skipped")), (Some(1), Some(1)));
    let figures = (document.students, document.managed, document.unmanaged, document.leavers_waiting);
    assert_eq!((figures, document.doubt), ((10, 10, 0, 0), None));
}

#[test]
fn a_move_counts_as_a_change_of_groups() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").in_groups(["g2"]));
    let document = PlanDocument::new(&world.plan(), ValueDisplay::Masked);
    assert_eq!(document.operations[0].fields[0].name, "groups");
}

#[test]
fn a_document_says_what_is_wrong_with_a_listing() {
    let mut world = converged([student("s1")]);
    world.total_is_wrong = true;
    let document = PlanDocument::new(&world.plan(), ValueDisplay::Masked);
    assert_eq!(document.doubt.as_deref(), Some("1 row came where the total says 2"));
    let texts = [
        Flaw::TotalChanged { first: 3, later: 4 },
        Flaw::Repeated { rows: 2 },
        Flaw::Nameless { rows: 12 },
        Flaw::TooMany { total: 9, read: 5 },
        Flaw::Incomplete { unlisted: vec![(id("s1"), Sid(7))] },
        Flaw::Incomplete { unlisted: vec![(id("s1"), Sid(7)), (id("s2"), Sid(8))] },
    ]
    .map(|flaw| flaw.to_string());
    assert_eq!(
        texts,
        [
            "the total changed from 3 to 4 while the pages were read",
            "2 rows repeat a login value",
            "none of 12 rows has a login value",
            "the total says 9, and reading stopped after 5 candidates",
            "a candidate that exists by its sid is not in it: sid 7 of student s1",
            "2 candidates that exist by their sid are not in it: sid 7 of student s1, sid 8 of student s2"
        ]
    );
}

#[test]
fn each_hold_names_count_total_limit_and_what_to_check() {
    let excess = Excess { count: 31, recent: 0, total: 100, limit: 30 };
    let texts = [
        HoldReason::TooManyDeletes(excess),
        HoldReason::TooManyModifies(excess),
        HoldReason::TooManyLoginChanges(excess),
        HoldReason::TooManyVanished(excess),
        HoldReason::GroupToZero(Gid(7)),
        HoldReason::TooManyMoves(excess),
        HoldReason::GroupShrinks(Gid(7), Excess { recent: 4, ..excess }),
        HoldReason::TooManyOverwrites(excess),
    ]
    .map(|reason| reason.to_string());
    assert_eq!(
        texts,
        [
            "31 leavers of 100 managed candidates: more than the limit of 30 (guard.max_delete)",
            "31 modifies of 100 managed candidates: more than the limit of 30 (guard.max_modify)",
            "31 login values of 100 would change, more than 30: check the mapping in exam.fields",
            "31 of 100 managed candidates no longer exist, more than 30: check exam.code",
            "the group with gid 7 would lose its last member",
            "31 of 100 students would change groups: more than the limit of 30 (guard.max_move)",
            "the group with gid 7 would lose 31 of 100 members, and 4 in the last 24 hours: more than the limit of 30 \
             (guard.max_group)",
            "31 of 100 candidates taken over would be overwritten: more than the limit of 30 (guard.max_modify)",
        ]
    );
}

#[test]
fn only_what_the_mode_or_a_person_leaves_out_does_not_make_a_run_incomplete() {
    let rows = [
        (SkipReason::Mode(Mode::Upsert), false, "sync.mode = \"upsert\" does not allow it"),
        (SkipReason::Ignored, false, "ignored until its row changes"),
        (SkipReason::DoubtfulListing, true, "the listing does not add up"),
        (SkipReason::NotDue { due_at_ms: 0 }, true, "failed before, due again at 1970-01-01T00:00:00Z"),
        (SkipReason::NotDue { due_at_ms: i64::MAX }, true, "failed before, not due yet"),
        (SkipReason::DeadLetter, true, "failed for good: see rosterd failures"),
        (
            SkipReason::LoginInUse(id("s7")),
            true,
            "its login value still belongs to the candidate of student s7",
        ),
        (
            SkipReason::LoginOfLeaver { leaver: id("s7"), wanted_by: id("s8"), is_new: false },
            true,
            "its login value still belongs to the candidate of student s7, who has left: it waits until that candidate is \
             deleted or has another login value",
        ),
        (
            SkipReason::LoginOfLeaver { leaver: id("s7"), wanted_by: id("s8"), is_new: true },
            true,
            "its login value still belongs to the candidate of student s7, who has left: if s7 and s8 are one person, \
             rosterd relink s7 s8; if they are two, it waits until that candidate is deleted or has another login value",
        ),
        (SkipReason::Depends(OperationKind::Add), true, "waits for the add it depends on"),
        (SkipReason::NotFoundOut, true, "the service did not say which candidate it is"),
        (
            SkipReason::AmbiguousLogin,
            true,
            "several candidates on the exam side have its login value, or one that differs by blanks or spelling only: make them differ",
        ),
        (
            SkipReason::LoginAlike(Some(id("s7"))),
            true,
            "its login value and that of student s7 differ only by case, width, blanks, the writing of a number or an end \
             that is cut off, and the exam side may take them for one: if they are two people, make the login values differ; if it is one, write it \
             on the roster as it is there",
        ),
        (
            SkipReason::LoginAlike(None),
            true,
            "its login value and that of a candidate on the exam side differ only by case, width, blanks, the writing of a \
             number or an end that is cut off, and the exam side may take them for one: if they are two people, make the login values differ; if it \
             is one, write it on the roster as it is there",
        ),
        (
            SkipReason::Unlisted(Sid(7)),
            true,
            "its candidate exists with sid 7 and is not in the candidate list: put it back there, or delete it",
        ),
        (SkipReason::ServiceStopped, true, "the service was not called any more in this run"),
        (SkipReason::AccountFull, true, "the account takes no more candidates"),
        (SkipReason::Terminated, true, "the run was told to stop"),
        (SkipReason::GroupsNotTold, true, "the service did not say which groups the candidate is in"),
        (
            SkipReason::TooNewToBeGone,
            true,
            "the candidate was linked minutes ago and is not shown yet: the next run looks it up again",
        ),
        (
            SkipReason::AddNotShown { again_at_ms: 900_000 },
            true,
            "the student was sent to the exam side, and neither an answer nor a look-up has shown a candidate yet: every run \
             looks again, and from 1970-01-01T00:15:00Z on the student is added once more",
        ),
        (
            SkipReason::Contradicted,
            true,
            "the service calls the candidate gone and shows it all the same: it is left alone",
        ),
        (
            SkipReason::AnotherLogin,
            true,
            "the candidate's sid shows another login value: see on the exam side whose candidate it is",
        ),
        (
            SkipReason::EnteredAnew { student: id("s7"), gone: Sid(7), found: Sid(8) },
            true,
            "the candidate of student s7, who has left (sid 7), is gone, and sid 8 has its login value, which no run deletes: \
             if that is the same person, delete it on the exam side, or rosterd failures ignore ID leaves it there; if s7 is \
             on the roster under another id, rosterd relink s7 NEW, where NEW is that id",
        ),
        (
            SkipReason::ClocksDiffer,
            true,
            "our clock and the service's are more than 10 minutes apart: nobody is dismissed until they agree; rosterd \
             check says by how much, timedatectl set-ntp true sets this machine's clock",
        ),
    ];
    for (reason, is_incomplete, text) in rows {
        assert_eq!(
            (reason.is_incomplete(), reason.to_string().as_str()),
            (is_incomplete, text),
            "{reason:?}"
        );
    }
}

#[test]
fn what_cannot_be_done_says_where_to_mend_it() {
    let column = "login".to_owned();
    let shared = |others: &[&str]| CannotReason::SharedLogin {
        column: column.clone(),
        others: others.iter().map(|id| StudentId::new(*id)).collect(),
    };
    let rows = [
        (CannotReason::NoLogin { column: column.clone() }, "no-login-value", "students.login is empty"),
        (shared(&[]), "shared-login-value", "another student has the same"),
        (shared(&["s2"]), "shared-login-value", "student s2 has the same"),
        (shared(&["s2", "s3"]), "shared-login-value", "students s2, s3 have the same"),
        (
            shared(&["s2", "s3", "s4", "s5"]),
            "shared-login-value",
            "students s2, s3, s4 and 1 more have the same",
        ),
        (CannotReason::NoGroup, "no-group", "group_members"),
        (
            CannotReason::GroupWithoutGid(GroupCode::new("g7")),
            "group-without-gid",
            "groups.gid of g7 is empty",
        ),
        (CannotReason::LoginTaken, "login-value-taken", "rosterd does not manage"),
        (CannotReason::AdoptionOff, "adoption-off", "exam.adopt is \"never\""),
        (CannotReason::UnusableRow("why".to_owned()), "unusable-row", "why"),
    ];
    for (reason, code, part) in rows {
        assert_eq!(reason.code().as_str(), code, "{reason:?}");
        assert!(reason.code().says_impossible(), "{reason:?}");
        assert!(reason.to_string().contains(part), "{reason}");
    }
}

#[test]
fn every_note_says_whose_link_it_concerns() {
    let mut world = converged(["s1", "s2", "s3", "s4", "s5"].map(student));
    world.leave("s1").vanish("s2").leave("s2").link("s3").groups = None;
    world.leave("s4").set(student("s4")).link("s4").gone_since_ms = Some(1);
    world.of("s5").login = "x".to_owned();
    let students: Vec<String> =
        world.plan().notes.iter().map(|note| format!("{} {}", kind_of(note), note.student())).collect();
    assert_eq!(students, ["gone s1", "close s2", "groups s3", "returned s4", "confirm s5", "follow s5"]);
}

fn kind_of(note: &LinkNote) -> String {
    format!("{note:?}").split('(').next().unwrap_or_default().to_lowercase()
}

#[test]
fn debug_output_of_plans_and_links_holds_no_login_value_name_phone_or_password() {
    let mut world = converged([student("s1").login("login-1").name("Ada").phone("777").password("pw-9")]);
    world.set(student("s1").login("login-2").name("Eve").phone("888").password("pw-8"));
    world.set(student("s2").login("login-3").name("Mallory").phone("999"));
    let plan = world.plan();
    let shown = format!("{plan:?} {:?} {}", world.links["s1"], world.shown_cases());
    for value in ["login-", "Ada", "Eve", "Mallory", "777", "888", "999", "pw-"] {
        assert!(!shown.contains(value), "{value} in {shown}");
    }
    for word in ["Change(modify)", "Change(add)", "s1", "sid: Sid(1001)", "4 masked"] {
        assert!(shown.contains(word), "{word} not in {shown}");
    }
}

#[test]
fn a_mapping_without_its_login_field_is_refused_and_one_with_it_compares_all_others() {
    let field = |column: &str, id| MappedField { column: column.to_owned(), id: FieldId(id) };
    let fields = vec![field("name", 1), field("login", 5), field("password", 10)];
    assert_eq!(Mapping::new(fields.clone(), FieldId(4)), None);
    let mapping = Mapping::new(fields, FieldId(5)).unwrap();
    assert_eq!((mapping.login_at(), mapping.login_field(), mapping.login_column()), (1, FieldId(5), "login"));
    let compared: Vec<(usize, &str)> =
        mapping.compared().map(|(at, field)| (at, field.column.as_str())).collect();
    assert_eq!(compared, [(0, "name"), (2, "password")]);
    assert_eq!([0, 1, 2].map(|at| mapping.fields()[at].is_password()), [false, false, true]);
}

#[test]
fn digests_are_sixteen_unmistakable_letters_and_digits_spread_evenly() {
    let mut world = converged([student("s1"), student("s2")]);
    let mut times: BTreeMap<char, usize> = BTreeMap::new();
    for phone in 0..200 {
        world.set(student("s1").phone(&phone.to_string()));
        let digest = world.plan().digest();
        assert_eq!(digest.len(), 16);
        digest.chars().for_each(|letter| *times.entry(letter).or_default() += 1);
    }
    let letters: String = times.keys().collect();
    assert_eq!(letters, "23456789abcdefghijkmnpqrstuvwxyz");
    assert!(times.values().all(|times| (50..=150).contains(times)), "100 each on average: {times:?}");
}

#[test]
fn a_plan_is_empty_when_it_has_no_operation_even_if_it_has_notes() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave("s1");
    assert!(world.plan().is_empty() && !world.plan().notes.is_empty());
    world.set(student("s3"));
    assert!(!world.plan().is_empty());
}

#[test]
fn who_is_as_wanted_leaves_no_trace_in_the_pass() {
    let mut world = World::empty().with_converged(["s1", "s2", "s3"].map(|id| student(id).password("pw")));
    assert_eq!(world.cases(), 0);
    world.set(student("s1").phone("1"));
    assert_eq!(world.cases(), 1);
}

#[test]
fn a_mode_below_create_only_reports_even_impossible_operations_as_left_out() {
    let mut world = converged([student("s1")]);
    world.set(student("s2").in_groups([])).policy.adopt = Adopt::Never;
    world.policy.leavers = Leavers::Keep;
    assert_eq!(world.lines(), ["add s2 cannot: no-group"]);
    world.policy.mode = Mode::Observe;
    assert_eq!(world.lines(), ["add s2 skipped: mode"]);
}
