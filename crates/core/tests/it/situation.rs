//! The twelve situations of a school, one row each: the one word, the first matter, who must act and what to type.

use jiff::tz::TimeZone;
use rosterd_core::failure::FailureOwner;
use rosterd_core::situation::{
    Change, DaemonPresence, DigestDay, Facts, FailedRun, HealthFacts, LastRun, Matter, Message, Purpose,
    ShownAttention, ShownHold, Situation, SituationKind, ToldIncident, Weight, digest, news,
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const NOW: i64 = 1_800_000_000_000;

/// A school whose last run was good five minutes ago, with a daemon, and with the next run in ten minutes.
fn after(outcome: &str) -> Facts {
    Facts {
        health: HealthFacts {
            last_good_ms: Some(NOW - 5 * MINUTE),
            due_since_ms: Some(NOW + 10 * MINUTE),
            next_due_ms: Some(NOW + 10 * MINUTE),
            daemon: DaemonPresence::Running,
            ..HealthFacts::default()
        },
        last_run: Some(LastRun { outcome: outcome.to_owned(), left_by_mode: 0 }),
        ..Facts::default()
    }
}

fn before_the_first_run() -> Facts {
    Facts {
        health: HealthFacts { last_good_ms: None, ..after("x").health },
        last_run: None,
        ..Facts::default()
    }
}

fn observed(left_by_mode: u64) -> Facts {
    Facts { last_run: Some(LastRun { outcome: "observed".to_owned(), left_by_mode }), ..after("x") }
}

/// One kind of attention, waiting since two days.
fn waits(kind: &str, count: u64, owner: FailureOwner) -> (String, ShownAttention) {
    let shown = ShownAttention {
        count,
        since: Some(rosterd_core::situation::moment(NOW - 48 * HOUR)),
        owner: owner.word().to_owned(),
        owners: [(owner.word().to_owned(), count)].into(),
        what: format!("{count} of {kind}"),
    };
    (kind.to_owned(), shown)
}

fn waiting(attention: impl IntoIterator<Item = (String, ShownAttention)>) -> Facts {
    Facts { attention: attention.into_iter().collect(), ..after("converged") }
}

fn held() -> Facts {
    let holds = vec![ShownHold {
        reason: "exam max-modify".to_owned(),
        approve: Some("rosterd approve abc".to_owned()),
    }];
    Facts {
        holds,
        ..waiting([
            waits("held", 99, FailureOwner::It),
            waits("waiting-leavers", 3, FailureOwner::SchoolOffice),
        ])
    }
}

fn failing(exit_code: u8, why: &str) -> Facts {
    let failed = FailedRun {
        ended_at_ms: NOW - 5 * MINUTE,
        first_ended_at_ms: NOW - 35 * MINUTE,
        runs: 3,
        exit_code: Some(exit_code),
        outcome: "failed".to_owned(),
        why: Some(why.to_owned()),
    };
    let health = HealthFacts { last_good_ms: Some(NOW - HOUR), failed: Some(failed), ..after("x").health };
    Facts { health, ..after("failed") }
}

fn late(daemon: DaemonPresence) -> Facts {
    let (good, due) = (Some(NOW - 3 * HOUR), Some(NOW - 2 * HOUR));
    let health = HealthFacts { last_good_ms: good, due_since_ms: due, daemon, ..after("x").health };
    Facts { health, ..after("converged") }
}

fn night() -> Facts {
    let next = Some(NOW + 9 * HOUR);
    let health = HealthFacts { next_due_ms: next, due_since_ms: next, ..after("x").health };
    Facts { health, ..after("converged") }
}

fn blackout() -> Facts {
    let health = HealthFacts { blackouts_ms: vec![(NOW - HOUR, NOW + 800 * HOUR)], ..night().health };
    Facts { health, ..after("converged") }
}

/// What a person must see: the word, healthy or not, the first matter with its cause, who, what to type, and a part of
/// the heading.
type Row = (
    &'static str,
    Facts,
    SituationKind,
    bool,
    Option<(&'static str, &'static str, FailureOwner, &'static str)>,
    &'static str,
);

#[test]
fn each_situation_says_the_worst_thing_first_who_must_act_and_what_to_type() {
    use FailureOwner::{It, Quota, SchoolOffice, Service};
    let table: Vec<Row> = vec![
        (
            "before the first run",
            before_the_first_run(),
            SituationKind::BeforeFirstRun,
            true,
            None,
            "healthy: the first run is not due yet",
        ),
        (
            "in step",
            after("converged"),
            SituationKind::InStep,
            true,
            None,
            "healthy: the last good run was 5 min ago",
        ),
        (
            "observed",
            observed(560),
            SituationKind::Observed,
            true,
            None,
            "5 min ago; 560 changes are left undone by sync.mode",
        ),
        (
            "applied",
            after("applied"),
            SituationKind::Applied,
            true,
            None,
            "healthy: the last good run was 5 min ago",
        ),
        (
            "held",
            held(),
            SituationKind::Held,
            true,
            Some(("held", "exam max-modify", It, "rosterd approve abc")),
            "attention: 102: 99 for IT, 3 for the school office, the oldest for 2 days",
        ),
        (
            "held and approved",
            Facts {
                holds: held().holds.into_iter().map(|hold| ShownHold { approve: None, ..hold }).collect(),
                ..held()
            },
            SituationKind::Held,
            true,
            Some(("held", "exam max-modify", It, "")),
            "attention: 102: 99 for IT, 3 for the school office, the oldest for 2 days",
        ),
        (
            "failing by credentials",
            failing(77, "exam: the service refused the code"),
            SituationKind::Failing,
            false,
            Some(("failing", "credentials exam", It, "rosterd check")),
            "NOT HEALTHY: the last run ended 5 min ago and was not good (failed), as were all 3 since 35 min ago: exam: the service refused the code; the last good run was 60 min ago",
        ),
        (
            "failing by outage",
            failing(75, "classin: cannot be reached"),
            SituationKind::Failing,
            false,
            Some(("failing", "outage classin", Service, "rosterd runs")),
            "cannot be reached",
        ),
        (
            "failing by roster",
            failing(1, "exam: roster.database r.db: has 3 active students"),
            SituationKind::Failing,
            false,
            Some(("failing", "roster exam", It, "rosterd check --offline")),
            "has 3 active students",
        ),
        (
            "dead letters for the office",
            waiting([waits("dead-letters", 4, SchoolOffice)]),
            SituationKind::Waiting,
            true,
            Some(("dead-letters", "office", SchoolOffice, "rosterd failures")),
            "attention: 4 for the school office",
        ),
        (
            "class full",
            waiting([waits("full-classes", 190, Quota)]),
            SituationKind::Waiting,
            true,
            Some(("full-classes", "quota", Quota, "rosterd failures")),
            "attention: 190 for more room at the service (quota)",
        ),
        (
            "daemon not running",
            late(DaemonPresence::Absent),
            SituationKind::Late,
            false,
            Some(("late", "", It, "systemctl status rosterd")),
            "and has not come, and no daemon is running",
        ),
        ("night", night(), SituationKind::InStep, true, None, "; no run is due until 2027-01-15T17:00:00Z"),
        (
            "blackout",
            blackout(),
            SituationKind::InStep,
            true,
            None,
            "; schedule.blackout: no run is due until 2027-01-15T17:00:00Z",
        ),
    ];
    for (name, facts, kind, healthy, first, heading) in table {
        let situation = Situation::of(&facts, NOW);
        assert_eq!((situation.kind, situation.healthy), (kind, healthy), "{name}: {situation:#?}");
        let found = situation.matters.first().map(|matter| {
            (
                matter.kind.as_str(),
                matter.cause.as_str(),
                matter.owner,
                matter.command.as_deref().unwrap_or(""),
            )
        });
        assert_eq!(found, first, "{name}: {situation:#?}");
        assert!(situation.heading.contains(heading), "{name}: {}", situation.heading);
        let is_told = situation.incidents().next().is_some();
        assert_eq!(is_told, first.is_some(), "{name}: nobody is told of what nobody need act on");
    }
}

#[test]
fn what_waits_stands_behind_what_fails_and_what_need_only_be_known_comes_last() {
    let attention = [
        waits("waiting-leavers", 3, FailureOwner::SchoolOffice),
        waits("full-classes", 2, FailureOwner::Quota),
        waits("never heard of", 1, FailureOwner::It),
        waits("held-people", 1, FailureOwner::SchoolOffice),
        waits("dead-letters", 4, FailureOwner::SchoolOffice),
    ];
    let facts = Facts { attention: attention.into(), ..failing(77, "exam: refused") };
    let situation = Situation::of(&facts, NOW);
    let kinds: Vec<(&str, Weight)> =
        situation.matters.iter().map(|matter| (matter.kind.as_str(), matter.weight)).collect();
    let expected = [
        ("failing", Weight::Failing),
        ("held-people", Weight::Held),
        ("dead-letters", Weight::Waiting),
        ("full-classes", Weight::Waiting),
        ("never heard of", Weight::Waiting),
        ("waiting-leavers", Weight::Note),
    ];
    assert_eq!(kinds, expected);
    let told: Vec<&str> = situation.incidents().map(|matter| matter.kind.as_str()).collect();
    assert_eq!(told, ["failing", "held-people", "dead-letters", "full-classes", "never heard of"]);
}

#[test]
fn a_full_disk_is_worse_than_the_run_that_failed_over_it() {
    let mut facts = failing(75, "exam: no room");
    facts.health.is_disk_full = true;
    let situation = Situation::of(&facts, NOW);
    assert_eq!((situation.kind, situation.healthy), (SituationKind::DiskFull, false));
    assert_eq!(situation.matters.first().map(|matter| matter.kind.as_str()), Some("disk-full"));
}

#[test]
fn the_cause_of_a_hold_is_the_same_in_whatever_order_and_however_many_are_held() {
    let hold = |reason: &str, approve: &str| ShownHold {
        reason: reason.to_owned(),
        approve: Some(approve.to_owned()),
    };
    let of = |holds: Vec<ShownHold>, count| {
        let facts = Facts { holds, ..waiting([waits("held", count, FailureOwner::It)]) };
        let matters = Situation::of(&facts, NOW).matters;
        matters.into_iter().next().map(|Matter { cause, command, .. }| (cause, command.unwrap_or_default()))
    };
    let both = ("classin max-group, exam max-modify".to_owned(), "rosterd status".to_owned());
    let (exam, classin) =
        (hold("exam max-modify", "rosterd approve a"), hold("classin max-group", "rosterd approve b"));
    assert_eq!(of(vec![exam.clone(), classin.clone()], 5), Some(both.clone()));
    assert_eq!(of(vec![classin, exam.clone(), exam], 50), Some(both));
}

#[test]
fn names_of_files_stay_on_the_machine() {
    let (kind, mut shown) = waits("refused-files", 2, FailureOwner::SchoolOffice);
    shown.what = "2 roster files were refused, the newest is /in/张三.csv: unknown-file".to_owned();
    let situation = Situation::of(&waiting([(kind, shown)]), NOW);
    let told: Vec<String> = situation.incidents().map(Matter::told).collect();
    assert_eq!(told, ["2 roster files were refused: see rosterd status"]);
}

/// What is told of a situation after these were told, in the words of the message.
fn told_of(facts: &Facts, told: &[ToldIncident], least: Weight) -> Vec<(Change, String, String)> {
    let situation = Situation::of(facts, NOW);
    let news = news(&situation, told, least, facts.health.last_good_ms);
    let message = Message::of(&news, &situation, "school", &TimeZone::UTC, NOW);
    message.items.into_iter().map(|item| (item.change, item.kind, item.cause)).collect()
}

fn known(facts: &Facts) -> Vec<ToldIncident> {
    Situation::of(facts, NOW).incidents().map(|matter| matter.as_told(NOW)).collect()
}

#[test]
fn an_incident_is_told_once_again_when_its_cause_changes_and_once_when_it_is_over() {
    let item = |change, kind: &str, cause: &str| (change, kind.to_owned(), cause.to_owned());
    let refused = failing(77, "exam: refused");
    let outage = failing(75, "exam: cannot be reached");
    let letters = waiting([waits("dead-letters", 4, FailureOwner::SchoolOffice)]);
    let more_letters = waiting([waits("dead-letters", 9, FailureOwner::SchoolOffice)]);
    let all_well = after("converged");
    let began = vec![item(Change::Began, "failing", "credentials exam")];
    let changed = vec![item(Change::Changed, "failing", "outage exam")];
    let over = vec![item(Change::Ended, "failing", "credentials exam")];
    let table: [(&str, &Facts, Vec<_>, Vec<_>); 8] = [
        ("it began", &refused, vec![], began),
        ("it goes on", &refused, known(&refused), vec![]),
        ("another cause", &outage, known(&refused), changed),
        ("it is over", &all_well, known(&refused), over),
        ("all is well", &all_well, vec![], vec![]),
        ("more of the same", &more_letters, known(&letters), vec![]),
        ("mended", &all_well, known(&letters), vec![item(Change::Ended, "dead-letters", "office")]),
        (
            "a run fails while letters wait",
            &Facts { attention: letters.attention.clone(), ..refused.clone() },
            known(&letters),
            vec![item(Change::Began, "failing", "credentials exam")],
        ),
    ];
    for (name, facts, told, expected) in table {
        assert_eq!(told_of(facts, &told, Weight::Waiting), expected, "{name}");
    }
}

#[test]
fn trouble_with_runs_is_over_only_with_a_good_run_that_ended_after_it_began() {
    let told = known(&failing(75, "exam: cannot be reached"));
    // A run was told to stop: the newest one did not fail, and no good one came.
    let mut stopped = after("interrupted");
    stopped.health.last_good_ms = Some(NOW - HOUR);
    assert_eq!(told_of(&stopped, &told, Weight::Waiting), []);
    stopped.health.last_good_ms = Some(NOW - MINUTE);
    assert_eq!(told_of(&stopped, &told, Weight::Waiting).len(), 1);
}

#[test]
fn what_weighs_less_than_asked_begins_untold_and_what_was_told_ends_told() {
    let letters = waiting([waits("dead-letters", 4, FailureOwner::SchoolOffice)]);
    for (least, count) in [(Weight::Waiting, 1), (Weight::Held, 0), (Weight::Failing, 0)] {
        assert_eq!(told_of(&letters, &[], least).len(), count, "{least:?}");
    }
    assert_eq!(told_of(&held(), &[], Weight::Held).len(), 1);
    assert_eq!(told_of(&after("converged"), &known(&letters), Weight::Failing).len(), 1);
}

#[test]
fn a_message_says_what_who_what_to_type_and_since_when_in_the_schools_zone() {
    let facts = failing(77, "exam: the service refused the code");
    let situation = Situation::of(&facts, NOW);
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    let began = news(&situation, &[], Weight::Waiting, facts.health.last_good_ms);
    let message = Message::of(&began, &situation, "No. 7 School", &zone, NOW);
    assert_eq!(message.purpose, Purpose::Alarm);
    assert_eq!(message.subject(), "No. 7 School: failing (credentials exam)");
    let heading = "NOT HEALTHY: the last run ended 5 min ago and was not good (failed), as were all 3 since 35 min ago: \
                   exam: the service refused the code; the last good run was 60 min ago";
    let what = heading.strip_prefix("NOT HEALTHY: ").unwrap();
    let expected = format!(
        "No. 7 School: failing (credentials exam)\n\n{what}\nFor IT: enter the credentials that the service gives out \
         now, and try them: rosterd check\nSince 2027-01-15 15:25 +08:00, for 35 min\n\n2027-01-15 16:00 +08:00"
    );
    assert_eq!(message.text(), expected);
    let well = after("converged");
    let situation = Situation::of(&well, NOW);
    let over = news(&situation, &known(&facts), Weight::Waiting, well.health.last_good_ms);
    let message = Message::of(&over, &situation, "No. 7 School", &zone, NOW);
    assert_eq!(message.purpose, Purpose::Recovery);
    let expected = "No. 7 School: over: failing\n\nOver: failing, since 2027-01-15 15:25 +08:00, for 35 min\n\n\
                    2027-01-15 16:00 +08:00: healthy: the last good run was 5 min ago";
    assert_eq!(message.text(), expected);
}

#[test]
fn every_matter_says_what_how_many_who_since_when_and_what_to_type_in_one_line_in_the_schools_zone() {
    let mut facts = failing(77, "exam: the service refused the code");
    facts.attention = waiting([waits("dead-letters", 1_200, FailureOwner::SchoolOffice)]).attention;
    facts.health.zone = Some(TimeZone::fixed(jiff::tz::offset(8)));
    facts.next_run_ms = Some(NOW + 10 * MINUTE);
    let situation = Situation::of(&facts, NOW);
    let lines: Vec<String> = situation.lines().collect();
    assert_eq!(
        lines,
        [
            "failing (credentials exam): 3 for IT, since 2027-01-15 15:25 +08:00 (35 min ago): rosterd check",
            "dead-letters (office): 1,200 for the school office, since 2027-01-13 16:00 +08:00 (2 days ago): rosterd \
             failures",
        ]
    );
    assert_eq!(situation.next_run().as_deref(), Some("2027-01-15 16:10 +08:00 (in 10 min)"));
    let late = Facts {
        health: HealthFacts { zone: facts.health.zone, ..late(DaemonPresence::Absent).health },
        ..facts
    };
    let heading = Situation::of(&late, NOW).heading;
    assert!(heading.contains("a run was due at 2027-01-15 14:00 +08:00 and has not come"), "{heading}");
}

#[test]
fn a_digest_says_what_waits_for_the_office_and_nothing_of_what_waits_for_others() {
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    let (kind, mut mixed) = waits("dead-letters", 4, FailureOwner::SchoolOffice);
    mixed.owners = [("it".to_owned(), 1), ("office".to_owned(), 3)].into();
    let leavers = waits("waiting-leavers", 2, FailureOwner::SchoolOffice);
    let facts = waiting([(kind, mixed), leavers, waits("held", 99, FailureOwner::It)]);
    let message = digest(&Situation::of(&facts, NOW), "No. 7 School", &zone, NOW);
    let expected = "No. 7 School: 5 wait for the school office\n\n\
        3 for the school office; in all: 4 of dead-letters\nFor the school office: rosterd failures --for office\n\
        Since 2027-01-13 16:00 +08:00, for 2 days\n\n\
        2 of waiting-leavers\nFor the school office\nSince 2027-01-13 16:00 +08:00, for 2 days\n\n\
        2027-01-15 16:00 +08:00";
    assert_eq!(message.text(), expected);
    assert_eq!(message.purpose, Purpose::Digest);
    let nothing = digest(&Situation::of(&failing(75, "exam: cannot be reached"), NOW), "school", &zone, NOW);
    assert!(nothing.items.is_empty());
    let subject =
        "school: nothing waits for the school office; runs are not good at present, so more may wait";
    assert_eq!(nothing.subject(), subject);
}

#[test]
fn a_day_has_one_digest_whatever_the_clock_does() {
    let (day, at) = (
        |day: i8| jiff::civil::date(2027, 3, day),
        |hour: i8, minute: i8| jiff::civil::time(hour, minute, 0, 0),
    );
    let wanted = at(8, 0);
    let table = [
        ("never told, too early", None, day(5), at(7, 59), DigestDay::NotDue),
        ("never told, its hour", None, day(5), at(8, 0), DigestDay::Due(day(5))),
        ("the daemon was down at its hour", Some(day(4)), day(5), at(15, 0), DigestDay::Due(day(5))),
        ("told today", Some(day(5)), day(5), at(8, 1), DigestDay::NotDue),
        ("the clock goes back over its hour", Some(day(5)), day(5), at(7, 30), DigestDay::NotDue),
        ("its hour comes again", Some(day(5)), day(5), at(8, 0), DigestDay::NotDue),
        ("the clock goes back over midnight", Some(day(6)), day(5), at(23, 0), DigestDay::NotDue),
        ("the next morning", Some(day(5)), day(6), at(8, 0), DigestDay::Due(day(6))),
        ("the clock leaps over days", Some(day(5)), day(9), at(9, 0), DigestDay::Due(day(9))),
        ("a clock was ahead by days", Some(day(25)), day(5), at(9, 0), DigestDay::Mended(day(5))),
    ];
    for (name, told, today, time, expected) in table {
        assert_eq!(DigestDay::of(told, today, time, wanted), expected, "{name}");
    }
}
