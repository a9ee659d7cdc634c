//! What an answer says about indexes, in every spelling and with every lie: each operation ends once and honestly.

use rosterd_testkit::*;

const BASES: [&str; 2] = ["0", "1"];
const FAIL_BASES: [&str; 3] = ["same", "0", "1"];
const FAIL_STYLES: [&str; 4] = ["index", "sid", "login_value", "object"];
const FAIL_TYPES: [&str; 2] = ["number", "string"];
const ORDERS: [&str; 3] = ["request", "reversed", "shuffled"];
const STATUSES: [&str; 2] = ["ok", "error"];
const EMPTIES: [&str; 3] = ["[]", "null", "absent"];

/// Lies about single items, and which items are really refused.
const LIES: [Option<(&str, u64)>; 8] = [
    None,
    Some(("item_in_both_lists", 0)),
    Some(("item_in_both_lists", 4)),
    Some(("item_in_neither_list", 1)),
    Some(("item_in_neither_list", 5)),
    Some(("index_out_of_range", 2)),
    Some(("index_twice", 1)),
    Some(("index_twice", 5)),
];
const REFUSED: [&[usize]; 5] = [&[], &[0], &[5], &[1, 3, 4], &[0, 1, 2, 3, 4, 5]];

const PEOPLE: usize = 6;

fn pick<T: Copy>(dice: &mut fastrand::Rng, from: &[T]) -> T {
    from[dice.usize(..from.len())]
}

/// One answer of one kind. What the report says of each student is what the exam side shows.
async fn is_honest(dice: &mut fastrand::Rng, endpoint: &str, lie: Option<(&str, u64)>, refused: &[usize]) {
    let switches = [
        ("index_base", pick(dice, &BASES)),
        ("fail_base", pick(dice, &FAIL_BASES)),
        ("fail_style", pick(dice, &FAIL_STYLES)),
        ("fail_type", pick(dice, &FAIL_TYPES)),
        ("success_order", pick(dice, &ORDERS)),
        ("status_on_partial", pick(dice, &STATUSES)),
        ("empty_list", pick(dice, &EMPTIES)),
        ("sid_type", pick(dice, &["sample", "number", "string"])),
    ];
    let what = format!("{endpoint}, {lie:?}, {refused:?} refused, {switches:?}");
    // One stays as they are: nobody's group goes empty, and the roster never is.
    let mut first: Vec<Person> = if endpoint == "addStudents" { Vec::new() } else { students(PEOPLE) };
    first.push(student("stays"));
    let mut world = ExamSchool::switched(first, &switches).await;
    assert_eq!(world.run().await.exit_code, 0, "{what}");
    assert_eq!(world.run().await.planned(), "", "{what}");
    world.state.remember("exam.change_mode", Some("partial")).await.unwrap();
    for person in students(PEOPLE) {
        let person = match endpoint {
            "changeStuinfo" => person.named("Somebody else"),
            "movestugroup" => person.in_groups(["g2"]),
            _ => person,
        };
        world.people.insert(person.id.clone(), person);
    }
    if endpoint == "delStu" {
        world.people.retain(|id, _| id == "stays");
        world.write_roster().await;
        assert_eq!(world.run().await.planned(), "", "{what}");
        world.later(4 * DAY);
        world.settings.guard.max_delete = rosterd_core::roster::Limit::Percent(100.0);
    }
    world.write_roster().await;
    if let Some((fault, position)) = lie {
        world.set(fault, &format!("{endpoint}:{position}"));
    }
    if !refused.is_empty() {
        let positions: Vec<String> = refused.iter().map(ToString::to_string).collect();
        world.set("refuse_item", &format!("{endpoint}:{}", positions.join(",")));
    }
    world.sandbox.clear_journal();
    let report = world.run().await;
    let failures = world.failures().await;
    let failed: Vec<&str> = failures.iter().map(|row| row.student_id.as_str()).collect();
    let expected: Vec<String> = refused.iter().map(|at| format!("s{at:03}")).collect();
    assert_eq!(failed, expected, "{what}: {report:?}");
    assert_eq!(report.unknown(), "", "{what}: {report:?}");
    assert_eq!(world.journal().iter().filter(|call| *call == endpoint).count(), 1, "{what}");
    for row in &failures {
        let index: usize = row.student_id[1..].parse().unwrap();
        assert_eq!(row.index, i64::try_from(index).ok(), "{what}: the failed index");
    }
    // Everybody is linked to their own candidate, whatever the answer said.
    for candidate in world.sandbox.candidates() {
        if let Some(link) = world.link(&candidate.login_value).await {
            assert_eq!(link.sid.0, candidate.sid, "{what}: {}", candidate.login_value);
        }
    }
    world.sandbox.clear_faults();
    let report = world.run_later().await;
    assert_eq!(report.exit_code, 0, "{what}: {report:?}");
    assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
    assert_eq!(world.run().await.planned(), "", "{what}");
}

/// Every lie × every set of refused items, in spellings drawn from a fixed seed.
async fn every_lie(endpoint: &str, seed: u64) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut cases = 0;
    for lie in LIES {
        for refused in REFUSED {
            // Only an add has indexes to lie about.
            if endpoint != "addStudents" && lie.is_some_and(|(fault, _)| fault.starts_with("index")) {
                continue;
            }
            is_honest(&mut dice, endpoint, lie, refused).await;
            cases += 1;
        }
    }
    println!("{endpoint}: {cases} cases from seed {seed}");
}

#[tokio::test]
async fn every_lie_about_an_add_leaves_one_honest_outcome_for_each_student() {
    every_lie("addStudents", 1).await;
    every_lie("addStudents", 2).await;
}

#[tokio::test]
async fn every_lie_about_a_change_leaves_one_honest_outcome_for_each_student() {
    every_lie("changeStuinfo", 3).await;
}

#[tokio::test]
async fn every_lie_about_a_move_leaves_one_honest_outcome_for_each_student() {
    every_lie("movestugroup", 4).await;
}

#[tokio::test]
async fn every_lie_about_a_delete_leaves_one_honest_outcome_for_each_student() {
    every_lie("delStu", 5).await;
}

/// An answer that hangs together and is wrong all the same: an item stands in no list, and another has its index.
#[tokio::test]
async fn an_index_that_is_another_items_links_nobody_to_somebody_elses_candidate() {
    for base in BASES {
        let world = ExamSchool::switched(students(PEOPLE), &[("index_base", base)]).await;
        world.set("item_in_neither_list", "addStudents:0");
        world.set("index_twice", "addStudents:1");
        let report = world.run().await;
        assert_eq!((report.applied(), report.exit_code), ("6 add".to_owned(), 0), "{base}: {report:?}");
        for candidate in world.sandbox.candidates() {
            let link = world.link(&candidate.login_value).await.unwrap();
            assert_eq!(link.sid.0, candidate.sid, "{base}: {}", candidate.login_value);
        }
        assert_eq!(world.run().await.planned(), "", "{base}");
    }
}

mod mutations {
    //! The true answer to an add, changed in one place: whatever it says then, nobody gets somebody else's sid, and
    //! nobody counts as entered who was not.

    use proptest::prelude::*;
    use rosterd_core::exam_plan::{AddVerdict, Verdict, WriteAnswer, judge_add, judge_by_sid};
    use rosterd_core::roster::Sid;

    #[derive(Clone, Debug)]
    enum Mutation {
        None,
        DropSuccess(usize),
        RepeatSuccess(usize),
        Reindex(usize, i64),
        AlsoFailed(usize),
        DropFailed(usize),
        RepeatFailed(usize),
        UnreadableFailed(usize),
        FailedAsSids,
        SuccessAsBareSids,
        StrangerSucceeded(i64),
        Reverse,
        Rotate(usize),
        Empty,
    }

    fn mutation() -> impl Strategy<Value = Mutation> {
        prop_oneof![
            Just(Mutation::None),
            any::<usize>().prop_map(Mutation::DropSuccess),
            any::<usize>().prop_map(Mutation::RepeatSuccess),
            (any::<usize>(), prop_oneof![-3_i64..20, any::<i64>()])
                .prop_map(|(at, to)| Mutation::Reindex(at, to)),
            any::<usize>().prop_map(Mutation::AlsoFailed),
            any::<usize>().prop_map(Mutation::DropFailed),
            any::<usize>().prop_map(Mutation::RepeatFailed),
            any::<usize>().prop_map(Mutation::UnreadableFailed),
            Just(Mutation::FailedAsSids),
            Just(Mutation::SuccessAsBareSids),
            (-3_i64..20).prop_map(Mutation::StrangerSucceeded),
            Just(Mutation::Reverse),
            any::<usize>().prop_map(Mutation::Rotate),
            Just(Mutation::Empty),
        ]
    }

    /// `done[i]` says whether item i was entered, under sid 1000 + i.
    fn truth(done: &[bool], base: i64) -> WriteAnswer {
        let mut answer = WriteAnswer { status_ok: true, lists_present: true, ..WriteAnswer::default() };
        for (position, done) in (0_i64..).zip(done) {
            match done {
                true => answer.added.push((Sid(1000 + position), position + base)),
                false => answer.fail.push(position + base),
            }
        }
        answer
    }

    fn is_complete_in(answer: &WriteAnswer, n: usize, base: i64) -> bool {
        let mut all: Vec<i64> =
            answer.added.iter().map(|(_, index)| *index).chain(answer.fail.clone()).collect();
        all.sort_unstable();
        n > 1 && all == (base..).take(n).collect::<Vec<_>>()
    }

    fn mutate(mut answer: WriteAnswer, mutation: &Mutation) -> WriteAnswer {
        let (added, failed) = (answer.added.len().max(1), answer.fail.len().max(1));
        match mutation {
            Mutation::None => {}
            Mutation::DropSuccess(at) if !answer.added.is_empty() => drop(answer.added.remove(at % added)),
            Mutation::RepeatSuccess(at) => answer.added.extend(answer.added.clone().get(at % added)),
            Mutation::Reindex(at, to) => {
                if let Some((_, index)) = answer.added.get_mut(at % added) {
                    *index = *to;
                }
            }
            Mutation::AlsoFailed(at) => {
                answer.fail.extend(answer.added.get(at % added).map(|(_, index)| *index));
            }
            Mutation::DropFailed(at) if !answer.fail.is_empty() => drop(answer.fail.remove(at % failed)),
            Mutation::RepeatFailed(at) => answer.fail.extend(answer.fail.clone().get(at % failed)),
            Mutation::UnreadableFailed(at) if !answer.fail.is_empty() => {
                answer.fail.remove(at % failed);
                answer.fail_unreadable += 1;
            }
            Mutation::FailedAsSids => answer.fail.iter_mut().for_each(|entry| *entry += 100_000),
            Mutation::SuccessAsBareSids => {
                answer.changed = std::mem::take(&mut answer.added).into_iter().map(|(sid, _)| sid).collect();
            }
            Mutation::StrangerSucceeded(index) => answer.added.push((Sid(77), *index)),
            Mutation::Reverse => answer.added.reverse(),
            Mutation::Rotate(by) => answer.added.rotate_left(by % added),
            Mutation::Empty => answer = WriteAnswer { status_ok: true, ..WriteAnswer::default() },
            Mutation::DropSuccess(_) | Mutation::DropFailed(_) | Mutation::UnreadableFailed(_) => {}
        }
        answer
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5000, ..ProptestConfig::default() })]

        #[test]
        fn an_answer_with_one_lie_is_never_believed_without_a_look(
            done in prop::collection::vec(any::<bool>(), 1..12),
            base in 0_i64..=1,
            mutation in mutation(),
        ) {
            let answer = mutate(truth(&done, base), &mutation);
            // An answer that is complete and consistent in the other base cannot be told from a true one.
            prop_assume!(!is_complete_in(&answer, done.len(), 1 - base));
            let verdicts = judge_add(done.len(), &answer);
            prop_assert_eq!(verdicts.len(), done.len());
            if verdicts.contains(&AddVerdict::Unsettled) {
                // Everybody of the batch is looked up.
                return Ok(());
            }
            for ((position, verdict), done) in (0_i64..).zip(&verdicts).zip(&done) {
                prop_assert!(*done, "item {} was refused", position);
                prop_assert_eq!(*verdict, AddVerdict::Applied(Sid(1000 + position)));
            }
        }

        #[test]
        fn the_truth_is_believed_in_whatever_order_it_comes(
            done in prop::collection::vec(any::<bool>(), 1..12),
            base in 0_i64..=1,
            by in any::<usize>(),
        ) {
            let answer = mutate(truth(&done, base), &Mutation::Rotate(by));
            let believed: Vec<bool> =
                judge_add(done.len(), &answer).iter().map(|verdict| *verdict != AddVerdict::Unsettled).collect();
            prop_assert_eq!(believed, done);
        }

        #[test]
        fn a_change_counts_as_done_only_for_who_is_in_success_and_not_in_fail(
            done in prop::collection::vec(any::<bool>(), 1..12),
            mutation in mutation(),
        ) {
            let sids: Vec<Sid> = (0_i64..).take(done.len()).map(|at| Sid(1000 + at)).collect();
            let answer = mutate(truth(&done, 0), &mutation);
            let verdicts = judge_by_sid(&sids, &answer);
            prop_assert_eq!(verdicts.len(), sids.len());
            for (verdict, done) in verdicts.iter().zip(&done) {
                prop_assert!(*verdict == Verdict::Unsettled || *done);
            }
        }
    }
}
