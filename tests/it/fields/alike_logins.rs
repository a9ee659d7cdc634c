//! Nobody is entered whose login value differs only in its writing from one that is there: many services take the two for
//! one, and an add would write over the other's candidate.

use rosterd_testkit::*;

/// Services that take login values for one whatever their case, and what they make of an add to one that is there.
const SERVICES: [[(&str, &str); 2]; 3] = [
    [("login_compare", "case_insensitive"), ("dup_on_add", "update")],
    [("login_compare", "case_insensitive"), ("dup_on_add", "accept")],
    [("login_compare", "trimmed"), ("dup_on_add", "fail")],
];

#[tokio::test]
async fn a_newcomer_does_not_write_over_a_candidate_whose_login_value_is_only_written_otherwise() {
    let written =
        [("Anna@S.Test", "anna@s.test"), ("138-0000-0001", "13800000001"), ("anna\u{3000}b", "Anna B")];
    for switches in SERVICES {
        for (theirs, ours) in written {
            let mut world = ExamSchool::switched(students(12), &switches).await;
            let _first = world.run().await;
            let teacher = [(LOGIN, theirs), (NAME, "Ms Teacher"), (PHONE, "1770"), (PASSWORD, "teacher1")];
            world.sandbox.insert_candidate(&teacher, &[world.gid("g1")]);
            let before = world.sandbox.candidates();
            world.put(student("new").login(ours)).await;
            world.put(student("other")).await;
            for _ in 0..2 {
                let report = world.run_later().await;
                assert_eq!(report.skipped(), "1 add", "{theirs} {ours} {switches:?}: {report:?}");
            }
            let other = world.candidate("other").sid;
            let after: Vec<_> = world.sandbox.candidates().into_iter().filter(|it| it.sid != other).collect();
            assert_eq!(after, before, "{theirs} {ours} {switches:?}");
            let failures = world.failures().await;
            let [row] = failures.as_slice() else { panic!("{failures:?}") };
            assert_eq!(
                (row.student_id.as_str(), row.code.as_str(), row.who),
                ("new", "ambiguous-login-value", "school office")
            );
            world.edit("new", |it| it.login("somebody new")).await;
            assert_eq!(world.run_later().await.applied(), "1 add", "{theirs} {ours} {switches:?}");
            assert_eq!(world.failures().await, []);
        }
    }
}

#[tokio::test]
async fn a_newcomer_does_not_write_over_another_students_candidate() {
    for switches in SERVICES {
        let people = (0..12).map(|at| student(&format!("s{at}")).login(&format!("p{at}@s.test")));
        let mut world = ExamSchool::switched(people, &switches).await;
        let _first = world.run().await;
        let before = world.sandbox.candidates();
        world.put(student("new").login("P5@S.TEST").named("Other Kid")).await;
        for _ in 0..3 {
            let report = world.run_later().await;
            assert_eq!(
                (report.skipped().as_str(), report.writes()),
                ("1 add", 0),
                "{switches:?}: {report:?}"
            );
        }
        assert_eq!(world.sandbox.candidates(), before, "{switches:?}");
    }
}

#[tokio::test]
async fn two_newcomers_whose_login_values_are_alike_do_not_stop_the_others() {
    for switches in SERVICES {
        let mut people: Vec<Person> = students(12);
        people.push(student("t1").login("Twin 1"));
        people.push(student("t2").login("twin1"));
        let mut world = ExamSchool::switched(people, &switches).await;
        let report = world.run().await;
        assert_eq!((report.applied().as_str(), report.skipped().as_str()), ("12 add", "2 add"), "{report:?}");
        let failures = world.failures().await;
        assert!(
            failures.len() == 2 && failures.iter().all(|row| row.message.contains("that of student t")),
            "{failures:?}"
        );
        world.edit("t2", |it| it.login("twin two")).await;
        assert_eq!(world.run_later().await.applied(), "2 add", "{switches:?}");
        assert_eq!(world.failures().await, []);
    }
}
