//! When a listing adds up, and what it says of its candidates.

use std::hash::RandomState;

use rosterd_core::exam_plan::{
    Flaw, Listing, MemoryKey, Observed, ObservedBuilder, ReadingVerdict, Readings, RepeatPattern, RosterFlaw,
    RosterTally, RunHasher,
};
use rosterd_core::roster::FieldId;

use crate::support::*;

fn builder(totals: &[u64], logins: &[&str]) -> ObservedBuilder {
    let fields = vec![FieldId(NAME), FieldId(PHONE)];
    let mut builder = ObservedBuilder::new(RunHasher::new(RandomState::new()), fields, 4);
    totals.iter().for_each(|total| builder.total(*total));
    for login in logins {
        builder.row(login, &[(FieldId(LOGIN), (*login).to_owned()), (FieldId(PHONE), format!("55-{login}"))]);
    }
    builder
}

fn flaw(totals: &[u64], logins: &[&str]) -> Option<Flaw> {
    match builder(totals, logins).close() {
        Listing::Complete(..) => None,
        Listing::Doubtful(_, flaw) => Some(flaw),
    }
}

fn observed(logins: &[&str]) -> Observed {
    match builder(&[logins.iter().map(|_| 1).sum()], logins).close() {
        Listing::Complete(observed, _) | Listing::Doubtful(observed, _) => observed,
    }
}

#[test]
fn a_listing_adds_up_exactly_when_every_page_names_the_number_of_rows_that_came() {
    assert_eq!(flaw(&[2], &["a", "b"]), None);
    assert_eq!(flaw(&[2, 2, 2], &["a", "b"]), None);
    assert_eq!(flaw(&[0], &[]), None, "an account may be empty");
    assert_eq!(flaw(&[3], &["a", "b"]), Some(Flaw::RowCount { total: 3, rows: 2 }));
    assert_eq!(flaw(&[1], &["a", "b"]), Some(Flaw::RowCount { total: 1, rows: 2 }));
    assert_eq!(flaw(&[], &[]), Some(Flaw::RowCount { total: 0, rows: 0 }), "no page came at all");
    assert_eq!(flaw(&[2, 3, 2], &["a", "b"]), Some(Flaw::TotalChanged { first: 2, later: 3 }));
}

#[test]
fn rows_that_repeat_a_login_value_as_it_was_sent_make_a_listing_doubtful() {
    assert_eq!(flaw(&[2], &["a", "a"]), Some(Flaw::Repeated { rows: 1 }));
    assert_eq!(flaw(&[5], &["a", "b", "a", "b", "a"]), Some(Flaw::Repeated { rows: 3 }));
}

#[test]
fn rows_without_a_login_value_and_values_that_fall_together_are_no_doubt() {
    assert_eq!(flaw(&[2], &["a", " "]), None);
    assert_eq!(flaw(&[3], &["", "a", ""]), None);
    assert_eq!(flaw(&[4], &["a", "a ", "\u{feff}a", "b"]), None);
    assert_eq!(flaw(&[3], &["a", "a ", "a "]), Some(Flaw::Repeated { rows: 1 }), "two are alike as sent");
    assert_eq!(flaw(&[9], &[""; 9]), None);
    assert_eq!(flaw(&[10], &[""; 10]), Some(Flaw::Nameless { rows: 10 }), "nobody of many has one");
    assert_eq!(flaw(&[3], &["a", " "]), Some(Flaw::RowCount { total: 3, rows: 2 }), "they count as rows");
}

#[test]
fn a_listing_that_is_not_read_to_its_end_is_doubtful_whatever_came() {
    let mut builder = builder(&[2], &["a", "b"]);
    builder.stopped_early();
    let Listing::Doubtful(_, flaw) = builder.close() else { panic!("doubtful") };
    assert_eq!(flaw, Flaw::TooMany { total: 2, read: 2 });
}

/// What becomes of these readings in turn: `again`, or how they settled.
fn judged(remembered: &[&str], readings: &[(u64, &[&str])]) -> Vec<&'static str> {
    let key = MemoryKey::new([7; 32]);
    let listing = |(total, logins): (u64, &[&str])| builder(&[total], logins).close();
    let pattern = match listing((2, remembered)) {
        Listing::Complete(observed, _) | Listing::Doubtful(observed, _) => observed.repeat_pattern(&key),
    };
    let mut judge = Readings::new(&key, pattern, 3);
    let mut words = Vec::new();
    for reading in readings {
        words.push(match judge.judge(listing(*reading)) {
            ReadingVerdict::ReadAgain(_) => "again",
            ReadingVerdict::Settled(listing) => match *listing {
                Listing::Complete(..) => "complete",
                Listing::Doubtful(..) => "doubtful",
            },
        });
    }
    words
}

#[test]
fn a_login_value_that_three_readings_show_twice_is_believed() {
    let twice: (u64, &[&str]) = (3, &["a", "a", "b"]);
    let other: (u64, &[&str]) = (3, &["a", "b", "b"]);
    let thrice: (u64, &[&str]) = (4, &["a", "a", "a", "b"]);
    let short: (u64, &[&str]) = (3, &["a", "a"]);
    assert_eq!(judged(&[], &[twice, twice, twice]), ["again", "again", "complete"]);
    for odd in [other, thrice, short] {
        assert_eq!(judged(&[], &[twice, twice, odd]), ["again", "again", "doubtful"], "{odd:?}");
        assert_eq!(judged(&[], &[twice, odd, twice]), ["again", "again", "doubtful"], "{odd:?}");
        assert_eq!(judged(&[], &[odd, twice, twice]), ["again", "again", "doubtful"], "{odd:?}");
    }
    assert_eq!(judged(&[], &[twice, (2, &["a", "b"])]), ["again", "complete"]);
}

#[test]
fn a_repeated_row_is_ambiguous_only_where_it_is_believed() {
    let key = MemoryKey::new([7; 32]);
    let mut judge = Readings::new(&key, RepeatPattern::default(), 2);
    let twice = || builder(&[4], &["a", "a", "b", "b "]).close();
    let Listing::Doubtful(doubted, _) = twice() else { panic!("doubtful") };
    assert!(!doubted.is_ambiguous(&login("a")) && doubted.is_ambiguous(&login("b")));
    assert!(matches!(judge.judge(twice()), ReadingVerdict::ReadAgain(_)));
    let ReadingVerdict::Settled(settled) = judge.judge(twice()) else { panic!("settled") };
    let Listing::Complete(believed, _) = *settled else { panic!("complete") };
    assert!(believed.is_ambiguous(&login("a")) && believed.is_ambiguous(&login("b")));
}

#[test]
fn what_an_earlier_run_believed_needs_no_second_reading_while_it_is_just_the_same() {
    let remembered = ["a", "a"];
    assert_eq!(judged(&remembered, &[(3, &["a", "a", "b"])]), ["complete"]);
    for other in [&["a", "a", "a"] as &[&str], &["a", "a", "b", "b"], &["b", "b", "a"]] {
        let total = u64::try_from(other.len()).unwrap();
        assert_eq!(judged(&remembered, &[(total, other)]), ["again"], "{other:?}");
    }
    assert_eq!(judged(&remembered, &[(4, &["a", "a", "b"])]), ["again"], "another flaw is not excused");
}

#[test]
fn a_doubtful_listing_still_says_who_was_in_it() {
    let Listing::Doubtful(observed, _) = builder(&[9], &["a", "b"]).close() else { panic!("doubtful") };
    assert_eq!((observed.len(), observed.is_empty()), (2, false));
    assert!(observed.find(&login("b")).is_some() && observed.find(&login("c")).is_none());
}

#[test]
fn each_candidate_is_found_by_its_login_value_and_compared_with_its_own_values() {
    let logins: Vec<String> = (0..150).map(|at| format!("p{at}")).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let observed = observed(&logins);
    assert_eq!(observed.len(), 150);
    for name in &logins {
        let row = observed.find(&login(name)).unwrap();
        assert!(observed.equals(row, 1, &format!("55-{name}")) && !observed.equals(row, 1, "55-p"));
        assert!(observed.lacks(row, 0) && !observed.lacks(row, 1));
        assert!(observed.equals(row, 0, ""), "absent and empty are equal");
    }
}

#[test]
fn a_field_is_hidden_when_nobody_has_a_value_in_it_or_it_is_not_listed_at_all() {
    let observed = observed(&["a"]);
    assert_eq!([0, 1, 2].map(|at| observed.hides(at)), [true, false, true]);
}

#[test]
fn an_empty_listing_has_nobody_and_tells_no_login_field() {
    let observed = observed(&[]);
    assert!(observed.is_empty() && observed.login_evidence().matching().is_empty());
    assert_eq!(observed.len(), 0);
}

#[test]
fn the_builder_counts_the_rows_that_have_come_and_have_a_login_value() {
    assert_eq!(builder(&[3], &["a", "", "b"]).rows(), 2);
    assert_eq!(builder(&[0], &[]).rows(), 0);
}

#[test]
fn a_field_that_differs_from_the_login_value_too_often_is_not_the_login_field() {
    let mut builder = builder(&[3], &["a", "b"]);
    assert!(observed(&["a", "b"]).login_evidence().matching().contains(&FieldId(LOGIN)));
    builder.row("c", &[(FieldId(LOGIN), "another".to_owned()), (FieldId(NAME), "c".to_owned())]);
    let Listing::Complete(observed, _) = builder.close() else { panic!("complete") };
    assert!(observed.login_evidence().matching().is_empty(), "a later match does not make up for it");
}

/// Three students were read, of whom two are active.
fn three_read(tally: RosterTally) -> Option<RosterFlaw> {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.set(student("s3").inactive());
    world.roster_flaw(tally)
}

#[test]
fn a_roster_is_complete_when_as_many_rows_and_students_came_as_were_counted() {
    let tally = RosterTally { counted: 5, read: 5, students: 3, least: 1 };
    assert_eq!(three_read(tally), None, "a student with several groups makes several rows");
    for read in [4, 6] {
        let flaw = RosterFlaw::Rows { counted: 5, read };
        assert_eq!(three_read(RosterTally { read, ..tally }), Some(flaw), "{read:?}");
    }
    for students in [2, 4] {
        let flaw = RosterFlaw::Rows { counted: students, read: 3 };
        assert_eq!(three_read(RosterTally { students, ..tally }), Some(flaw), "{students:?}");
    }
}

#[test]
fn a_roster_may_have_as_few_active_students_as_the_setting_says_and_no_fewer() {
    let tally = |least| RosterTally { counted: 3, read: 3, students: 3, least };
    for least in [0, 1, 2] {
        assert_eq!(three_read(tally(least)), None, "at least {least}");
    }
    let flaw = three_read(tally(3)).unwrap();
    assert_eq!(flaw, RosterFlaw::TooFew { active: 2, least: 3 });
    assert_eq!(flaw.to_string(), "2 active students were read, fewer than guard.min_roster = 3");
}

#[test]
fn a_flaw_of_the_roster_names_both_numbers() {
    let flaw = RosterFlaw::Rows { counted: 5, read: 4 };
    assert_eq!(flaw.to_string(), "students: 5 of its rows were counted and 4 were read in the same snapshot");
}
