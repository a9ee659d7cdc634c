//! What answers leave of evidence, and how it is written.

use std::collections::BTreeSet;

use super::*;
use crate::classin_plan::codes::Code;
use crate::classin_plan::judge::{ItemVerdict, Scope};
use crate::roster::{ClassId, CourseId};

const TARGET: ClassTarget = ClassTarget { course: CourseId(523_689), class: Some(ClassId(1_419_691)) };

const DONE: ItemVerdict = ItemVerdict::Done { code: Code(1) };

#[test]
fn each_answer_to_an_enrolment_leaves_the_evidence_it_should() {
    use Evidence::{Added, Present, Presumed, Removing, RemovingPresumed, Unknown};
    use EvidenceChange::{Forget, Record};
    let there = ItemVerdict::Already { code: Code(166) };
    let lost = ItemVerdict::Unknown;
    let failed = ItemVerdict::Retry { code: Code(158) };
    let table = [
        (None, DONE, Record(Added)),
        (None, there, Record(Present)),
        (None, lost, Record(Unknown)),
        (None, failed, Forget),
        (Some(Unknown), DONE, Record(Added)),
        (Some(Unknown), there, Record(Presumed)),
        (Some(Unknown), lost, Record(Unknown)),
        (Some(Unknown), failed, Record(Unknown)),
        (Some(Removing), DONE, Record(Added)),
        (Some(Removing), there, Record(Added)),
        (Some(Removing), lost, Record(Removing)),
        (Some(RemovingPresumed), there, Record(Presumed)),
        (Some(RemovingPresumed), DONE, Record(Added)),
        (Some(RemovingPresumed), lost, Record(RemovingPresumed)),
        (Some(RemovingPresumed), failed, Record(RemovingPresumed)),
        (Some(Removing), failed, Record(Removing)),
        (Some(Present), lost, Record(Present)),
        (Some(Added), there, Record(Added)),
        (None, ItemVerdict::SendSingly, Record(Unknown)),
        (None, ItemVerdict::Halve { code: Code(100) }, Forget),
        (Some(Unknown), ItemVerdict::Student { code: Code(400) }, Forget),
        (Some(Removing), ItemVerdict::Student { code: Code(400) }, Forget),
        (Some(Added), ItemVerdict::Student { code: Code(400) }, Record(Added)),
        (Some(Unknown), ItemVerdict::Student { code: Code(329) }, Record(Unknown)),
    ];
    for (was, verdict, expected) in table {
        assert_eq!(evidence_after(EnrolmentKind::Enrol, was, verdict), expected, "{was:?} {verdict:?}");
    }
}

#[test]
fn each_answer_to_a_removal_leaves_the_evidence_it_should() {
    use Evidence::{Added, Present, Presumed, Removing, RemovingPresumed, Unknown};
    use EvidenceChange::{Forget, Record};
    let closed = |code| ItemVerdict::Closed { scope: Scope::Class, for_good: true, code: Code(code) };
    let table = [
        (Added, DONE, Forget),
        (Added, ItemVerdict::Already { code: Code(167) }, Forget),
        (Removing, ItemVerdict::Already { code: Code(162) }, Forget),
        (Added, ItemVerdict::Unknown, Record(Removing)),
        (Presumed, ItemVerdict::SendSingly, Record(RemovingPresumed)),
        (Unknown, ItemVerdict::Unknown, Record(RemovingPresumed)),
        (RemovingPresumed, ItemVerdict::Unknown, Record(RemovingPresumed)),
        (Present, ItemVerdict::Unknown, Record(Removing)),
        (Presumed, ItemVerdict::Retry { code: Code(171) }, Record(Presumed)),
        (Removing, ItemVerdict::Student { code: Code(400) }, Record(Removing)),
        (Added, closed(145), Record(Added)),
        (Added, closed(212), Forget),
    ];
    for (was, verdict, expected) in table {
        assert_eq!(
            evidence_after(EnrolmentKind::Remove, Some(was), verdict),
            expected,
            "{was:?} {verdict:?}"
        );
    }
}

#[test]
fn what_is_written_before_a_call_is_what_a_lost_answer_would_leave() {
    for was in [None, Some(Evidence::Unknown), Some(Evidence::Removing), Some(Evidence::Added)] {
        for kind in [EnrolmentKind::Enrol, EnrolmentKind::Remove, EnrolmentKind::Register] {
            assert_eq!(
                evidence_before(kind, was),
                evidence_after(kind, was, ItemVerdict::Unknown),
                "{kind:?} {was:?}"
            );
        }
    }
}

#[test]
fn the_words_of_evidence_are_read_back_as_they_were_written() {
    for word in ["added", "present", "unknown", "presumed", "removing"] {
        assert_eq!(Evidence::parse(word).map(Evidence::as_str), Some(word));
    }
    assert_eq!(Evidence::parse("claimed"), None);
}

#[test]
fn a_fingerprint_is_stable_across_machines_and_changes_with_each_part() {
    let (student, class) = (StudentId::new("s1"), ClassCode::new("c1"));
    let base = WantedEnrolment {
        kind: EnrolmentKind::Enrol,
        student: &student,
        class_code: Some(&class),
        uid: Some(ClassinUid(1)),
        target: TARGET,
    };
    let other_class = ClassTarget { class: None, ..TARGET };
    let variants = [
        WantedEnrolment { kind: EnrolmentKind::Remove, ..base },
        WantedEnrolment { student: &StudentId::new("s2"), ..base },
        WantedEnrolment { class_code: None, ..base },
        WantedEnrolment { uid: Some(ClassinUid(2)), ..base },
        WantedEnrolment { uid: None, ..base },
        WantedEnrolment { target: other_class, ..base },
    ];
    let prints: BTreeSet<u64> = variants.iter().chain([&base]).map(desired_hash).collect();
    assert_eq!(prints.len(), variants.len() + 1);
    assert_eq!(desired_hash(&base), 1_962_145_383_853_606_262);
}
