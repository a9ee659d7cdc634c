//! The twelve situations of a school, one row each: the one word, the first matter, who must act and what to type.

use rosterd_core::failure::FailureOwner;
use rosterd_core::situation::{
    DaemonPresence, Facts, FailedRun, HealthFacts, LastRun, Matter, ShownAttention, ShownHold, Situation,
    SituationKind, Weight,
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
    let holds =
        vec![ShownHold { reason: "exam max-modify".to_owned(), approve: "rosterd approve abc".to_owned() }];
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
            "attention: 102: 99 for it, 3 for office, the oldest for 2 days",
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
            "attention: 4 for office",
        ),
        (
            "class full",
            waiting([waits("full-classes", 190, Quota)]),
            SituationKind::Waiting,
            true,
            Some(("full-classes", "quota", Quota, "rosterd failures")),
            "attention: 190 for quota",
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
    let hold =
        |reason: &str, approve: &str| ShownHold { reason: reason.to_owned(), approve: approve.to_owned() };
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
