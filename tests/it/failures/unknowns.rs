//! Whatever the service does where its contract is silent: a first sync, edits on both sides and later runs end
//! in step, nobody is entered twice, and a run that has nothing to do writes nothing.

use rosterd_testkit::*;

/// What the contract leaves open, and how it may turn out.
const SWITCHES: &[(&str, &[&str])] = &[
    ("index_base", &["0", "1"]),
    ("fail_base", &["same", "0", "1"]),
    ("fail_style", &["index", "sid", "login_value", "object"]),
    ("fail_type", &["number", "string"]),
    ("info_fail_type", &["as_sent", "string"]),
    ("sid_type", &["sample", "number", "string"]),
    ("gid_type", &["sample", "number", "string"]),
    ("field_key", &["sample", "sfid", "sFid"]),
    ("empty_list", &["[]", "null", "absent"]),
    ("success_order", &["request", "reversed", "shuffled"]),
    ("status_on_partial", &["ok", "error"]),
    ("error_style", &["200_json", "4xx_json", "4xx_text", "5xx_text"]),
    ("auth_error_style", &["200_json", "4xx_json", "4xx_text", "5xx_text", "401_json", "403_html"]),
    ("code_time_place", &["body", "both"]),
    ("limit_over_100", &["refuse", "clamp"]),
    ("limit_missing", &["1"]),
    ("start_beyond_total", &["empty", "null", "error"]),
    ("order", &["sid_asc", "sid_desc", "login_value", "unstable"]),
    ("echo_password", &["on", "off", "masked"]),
    ("info_fields", &["full", "name_only", "login_only", "without_login"]),
    ("info_order", &["request", "sid_asc", "shuffled"]),
    ("info_unknown", &["fail", "ignored"]),
    ("empty_field", &["omit", "empty_string", "null"]),
    ("max_batch", &["0", "1", "2", "7"]),
    ("dup_on_add", &["fail", "update", "accept"]),
    ("dup_on_rename", &["fail", "accept"]),
    ("login_compare", &["exact", "case_insensitive", "trimmed"]),
    ("clear_value", &["clears", "ignored", "fail"]),
    ("change_mode", &["partial", "overwrite"]),
    ("both_ids", &["sids_win", "login_values_win", "refuse"]),
    ("unknown_sid", &["fail", "success", "ignored"]),
    ("unknown_gid", &["fail_item", "refuse_call", "accept"]),
    ("multi_gid_on_add", &["comma", "first", "refuse"]),
    ("missing_login_value", &["fail", "accept"]),
    ("cap_style", &["fail_items", "refuse_call"]),
    ("gzip", &["off", "on"]),
];

/// One of everything that can happen to a school in a day.
async fn a_day_of_edits(world: &mut ExamSchool) {
    let gid = world.gid("g2");
    world.put(student("new1")).await;
    world.put(student("new2").in_groups(["g1", "g2"])).await;
    world.edit("s001", |it| it.named("Somebody else")).await;
    world.edit("s002", |it| it.login("renamed")).await;
    world.edit("s003", |it| it.login("s004")).await;
    world.edit("s004", |it| it.login("s003")).await;
    world.edit("s005", |it| it.in_groups(["g2"])).await;
    world.edit("s006", |it| it.in_groups(["g1", "g3"])).await;
    world.edit("s007", |it| it.password("another")).await;
    world.remove("s008").await;
    world.sandbox.remove_candidate(world.sid("s009").await);
    world.sandbox.edit_candidate(world.sid("s010").await, &[(LOGIN, "by hand")]);
    world.sandbox.edit_candidate(world.sid("s011").await, &[(PHONE, "by hand")]);
    world.sandbox.insert_candidate(&[(LOGIN, "stranger"), (NAME, "Not ours")], &[gid]);
    // The name, which nobody else has, says whose it is; the rest is brought in line.
    world.sandbox.insert_candidate(
        &[(LOGIN, "new3"), (NAME, "Name of new3"), (GENDER, "m"), (PASSWORD, "secret-new3")],
        &[gid],
    );
    world.put(student("new3")).await;
}

async fn stays_in_step(switch: &str, value: &str) {
    let what = format!("{switch}={value}");
    let mut world = ExamSchool::switched(students(25), &[(switch, value)]).await;
    let first = world.run().await;
    assert_eq!(first.exit_code, 0, "{what}: {first:?}");
    assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
    let quiet = world.run().await;
    assert_eq!((quiet.planned(), quiet.writes()), (String::new(), 0), "{what}");

    a_day_of_edits(&mut world).await;
    let _edits = world.run().await;
    world.later(4 * DAY);
    let last = world.run().await;
    assert_eq!(last.exit_code, 0, "{what}: {last:?}");
    // A candidate that was there keeps its own password; it had none, and gets the roster's.
    assert_eq!(world.differences(&["stranger"]), Vec::<String>::new(), "{what}");
    for _ in 0..2 {
        let quiet = world.run_later().await;
        assert_eq!((quiet.planned(), quiet.writes()), (String::new(), 0), "{what}");
    }
    assert_eq!(world.failures().await, [], "{what}");
    assert_eq!(world.candidate("stranger").fields.get(&NAME).map(String::as_str), Some("Not ours"));
}

macro_rules! stays_in_step_whatever {
    ($($switch:ident)*) => {$(
        #[tokio::test]
        async fn $switch() {
            let name = stringify!($switch);
            let (_, values) = super::SWITCHES.iter().find(|(switch, _)| *switch == name).unwrap();
            for value in *values {
                super::stays_in_step(&format!("exam.{name}"), value).await;
            }
        }
    )*
        pub(super) const NAMED: &[&str] = &[$(stringify!($switch)),*];
    };
}

mod everything_stays_in_step_whatever_the_service_does_about {
    stays_in_step_whatever! {
        index_base fail_base fail_style fail_type info_fail_type sid_type gid_type field_key empty_list success_order
        status_on_partial error_style auth_error_style code_time_place limit_over_100 limit_missing
        start_beyond_total order echo_password info_fields info_order info_unknown empty_field max_batch dup_on_add dup_on_rename
        login_compare clear_value change_mode both_ids unknown_sid unknown_gid multi_gid_on_add missing_login_value cap_style gzip
    }
}

#[test]
fn every_switch_of_the_catalogue_has_a_test() {
    let listed: Vec<&str> = SWITCHES.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, everything_stays_in_step_whatever_the_service_does_about::NAMED);
}

#[tokio::test]
async fn an_unstable_order_over_several_pages_never_adds_or_deletes_anybody() {
    let mut world = ExamSchool::in_step(students(250)).await;
    world.set("order", "unstable");
    world.remove("s001").await;
    for _ in 0..3 {
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!(report.writes(), 0, "{report:?}");
    }
    assert_eq!(world.logins().len(), 250);
}

#[tokio::test]
async fn a_start_that_counts_pages_is_found_out_before_anything_is_written() {
    for semantics in ["page0", "page1"] {
        let mut world = ExamSchool::in_step(students(250)).await;
        world.set("start_semantics", semantics);
        world.put(student("new")).await;
        world.remove("s001").await;
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!(report.writes(), 0, "{semantics}: {report:?}");
        assert_ne!(report.exit_code, 0, "{semantics:?}");
    }
}

#[tokio::test]
async fn login_values_that_only_look_alike_to_the_service_never_share_a_candidate() {
    for info in ["full", "name_only", "without_login"] {
        let switches = [("login_compare", "case_insensitive"), ("info_fields", info)];
        let mut world = ExamSchool::switched([student("s1").login("anna")], &switches).await;
        let _first = world.run().await;
        let sid = world.sid("s1").await;
        world.put(student("s2").login("Anna")).await;
        for run in 0..3 {
            let report = world.run_later().await;
            assert_eq!(report.applied(), "", "{info}");
            let waits = world.failures().await.iter().any(|row| row.student_id == "s2");
            assert!(waits && (report.exit_code == 3 || run > 0), "{info}: {report:?}");
        }
        assert_eq!((world.sid("s1").await, world.link("s2").await), (sid, None), "{info}");
        assert_eq!(world.candidate("anna").fields[&NAME], "Name of s1", "{info:?}");
    }
}

#[tokio::test]
async fn a_service_that_drops_what_a_change_does_not_name_loses_nobody_a_value() {
    for echo in ["on", "masked"] {
        let switches = [("change_mode", "overwrite"), ("echo_password", echo)];
        let mut world = ExamSchool::switched(students(12), &switches).await;
        let _first = world.run().await;
        let _second = world.run().await;
        for number in 0..6 {
            world.edit(&format!("s{number:03}"), |it| it.named("Somebody else")).await;
        }
        world.edit("s001", |it| it.phone("")).await;
        assert_eq!(world.run().await.applied(), "6 modify", "{echo:?}");
        let unseen: &[i64] = if echo == "on" { &[] } else { &[PASSWORD] };
        assert_eq!(world.differences_but(&[], unseen), Vec::<String>::new(), "{echo}");
        assert_eq!(world.run().await.planned(), "", "{echo:?}");
        world.edit("s007", |it| it.login("renamed")).await;
        assert_eq!(world.run().await.applied(), "1 modify", "{echo:?}");
        assert_eq!(world.differences_but(&[], unseen), Vec::<String>::new(), "{echo}");
        assert_eq!(world.run().await.planned(), "", "{echo:?}");
    }
}

#[tokio::test]
async fn the_first_change_of_an_account_goes_alone_and_is_read_back_and_later_ones_do_not() {
    let mut world = ExamSchool::with(students(12)).await;
    let _first = world.run().await;
    let _second = world.run().await;
    let (seen, change) = ("getstudentsinfo", "changeStuinfo");
    // Whom a change is about is looked up before it, each batch once.
    for (name, calls) in [("One", &[seen, change, seen, change][..]), ("Two", &[seen, change])] {
        for number in 0..6 {
            world.edit(&format!("s{number:03}"), |it| it.named(name)).await;
        }
        world.sandbox.clear_journal();
        let report = world.run().await;
        assert_eq!(report.applied(), "6 modify", "{name:?}");
        assert_eq!(world.journal(), [&["getstulist"], calls].concat(), "{name}");
    }
}
