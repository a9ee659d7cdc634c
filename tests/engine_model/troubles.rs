//! What the exam side may do to its callers.

use fastrand::Rng;

use rosterd_testkit::chance::one_of;

/// A fault, with the calls and arguments it is armed with.
pub struct Fault {
    pub name: &'static str,
    pub calls: &'static [&'static str],
    pub arguments: &'static [&'static str],
    /// Whether somebody else edits the account when it strikes, so that not every change is ours.
    pub by_hand: bool,
}

const EVERY: &[&str] = &[
    "*",
    "getstulist",
    "getstudentsinfo",
    "addStudents",
    "changeStuinfo",
    "delStu",
    "movestugroup",
    "getFields",
];
const WRITES: &[&str] = &["addStudents", "changeStuinfo", "delStu", "movestugroup"];
const LISTING: &[&str] = &["getstulist"];
const READS: &[&str] = &["getstulist", "getstudentsinfo"];
const PLAIN: &[&str] = &[""];

const fn fault(
    name: &'static str,
    calls: &'static [&'static str],
    arguments: &'static [&'static str],
) -> Fault {
    Fault { name, calls, arguments, by_hand: false }
}

const fn by_hand(
    name: &'static str,
    calls: &'static [&'static str],
    arguments: &'static [&'static str],
) -> Fault {
    Fault { name, calls, arguments, by_hand: true }
}

/// Every fault of the exam side that comes and goes.
pub const FAULTS: &[Fault] = &[
    fault("refuse_item", WRITES, &["", ":0", ":0,2", ":1"]),
    fault("refuse_call", EVERY, PLAIN),
    fault("lose_answer", EVERY, PLAIN),
    fault("drop_request", EVERY, PLAIN),
    fault("apply_part", WRITES, &[":0", ":1", ":2", ":3/500"]),
    fault("cut_body", EVERY, &["", ":1", ":30"]),
    fault("delay", EVERY, &[":20", ":60"]),
    fault("slow_body", EVERY, &[":20000"]),
    fault("reset", EVERY, &["", ":applied", ":unapplied"]),
    fault("http_429", EVERY, &["", ":0"]),
    fault("http_5xx", EVERY, &["", ":502", ":503"]),
    fault("html_200", EVERY, PLAIN),
    fault("maintenance", EVERY, PLAIN),
    fault("redirect", EVERY, PLAIN),
    fault("not_json", EVERY, PLAIN),
    fault("empty_body", EVERY, PLAIN),
    fault("wrong_type", EVERY, PLAIN),
    fault("item_in_both_lists", WRITES, &["", ":1"]),
    fault("item_in_neither_list", WRITES, &["", ":1"]),
    fault("index_out_of_range", &["addStudents"], &["", ":1"]),
    fault("index_twice", &["addStudents"], &["", ":2"]),
    fault("short_page", LISTING, &["", ":3"]),
    fault("duplicate_row", LISTING, PLAIN),
    fault("nobody", LISTING, PLAIN),
    fault("total_drifts", LISTING, &["", ":5"]),
    fault("groups_missing", &["getstudentsinfo"], &[":absent", ":null", ":empty", ":null/170603"]),
    fault("huge_body", READS, &[":40000000", ":40000000/gzip"]),
    fault("stale_read", READS, &["", ":0"]),
    by_hand("list_changes", LISTING, &[":delete", ":insert", ":reorder", ":replace"]),
    by_hand("foreign_edit", EVERY, &[":add", ":rename", ":move", ":delete"]),
];

/// Ways of the service that may change from one day to the next. The first word is the usual one.
pub const SWITCHES: &[(&str, &[&str])] = &[
    ("index_base", &["1", "0"]),
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
    ("auth_error_style", &["as_error_style", "200_json", "401_json", "403_html"]),
    ("code_time_place", &["both", "body"]),
    ("plan", &["premium", "expired"]),
    ("start_semantics", &["offset", "page0", "page1"]),
    ("limit_over_100", &["refuse", "clamp"]),
    ("start_beyond_total", &["empty", "null", "error"]),
    ("order", &["sid_asc", "sid_desc", "login_value", "unstable"]),
    ("info_fields", &["full", "name_only", "login_only", "without_login"]),
    ("info_order", &["request", "sid_asc", "shuffled"]),
    ("info_unknown", &["fail", "ignored"]),
    ("empty_field", &["omit", "empty_string", "null"]),
    ("max_batch", &["0", "1", "2", "7"]),
    ("dup_on_add", &["fail", "update", "accept"]),
    ("dup_on_rename", &["fail", "accept"]),
    ("login_compare", &["exact", "case_insensitive", "trimmed"]),
    ("both_ids", &["sids_win", "login_values_win", "refuse"]),
    ("unknown_sid", &["fail", "success", "ignored"]),
    ("unknown_gid", &["fail_item", "refuse_call", "accept"]),
    ("multi_gid_on_add", &["comma", "first", "refuse"]),
    ("missing_login_value", &["fail", "accept"]),
    ("candidate_cap", &["0", "10", "25"]),
    ("cap_style", &["fail_items", "refuse_call"]),
    ("gzip", &["off", "on"]),
    ("info_groups", &["full", "absent", "null", "[]"]),
    ("archived", &["none", "170602", "170601,170604,170609"]),
    ("refused_writes", &["none", "all", "addStudents", "changeStuinfo", "delStu", "movestugroup"]),
    ("list_total", &["counted", "absurd", "growing"]),
    ("list_labels", &["same", "other"]),
    ("mask_login", &["off", "look_ups", "listings", "both"]),
    ("date_offset_s", &["0", "-3600", "90", "86400"]),
    ("poison", &["none", "170603", "s0001"]),
    // Seconds, and less than the quarter of an hour for which a link is too new to be given up.
    ("list_lag_s", &["0", "30", "600"]),
    ("info_lag_s", &["0", "30", "600"]),
    ("lag_after", &["all", "add", "modify", "move", "delete"]),
];

/// What is not driven, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("clock_window_s", "off, since the steps move the clock by days"),
    ("qps_limit", "off: a refused second would make runs of minutes"),
    ("over_limit", "without a limit nothing is above it; http_429 stands for it"),
    ("limit_missing", "rosterd always names a limit"),
    (
        "echo_password",
        "drawn once for a seed: a listing that hides at times what it shows at others is another account",
    ),
    ("clear_value", "a service that ignores an emptied value can never equal the roster"),
    ("change_mode", "found out once, by the first change of an account"),
    ("addcategory_twin", "no group is created in these runs"),
    ("results_filter", "no results are read in these runs"),
    ("results_order", "no results are read in these runs"),
    ("results_types", "no results are read in these runs"),
    ("results_token", "no results are read in these runs"),
    ("results_arrive", "no results are read in these runs"),
    ("results_change", "no results are read in these runs"),
    ("unreadable_row", "no results are read in these runs"),
    ("latency_ms", "delay stands for it"),
    ("login_writes", "a service that rewrites login values never equals the roster"),
    ("value_writes", "a service that rewrites values never equals the roster"),
    ("account", "another account is no trouble that passes: the first run says so and stops"),
    ("seed", "drawn once for a seed"),
    ("item_missing", "ClassIn's"),
    ("item_extra", "ClassIn's"),
    ("token_repeated", "ClassIn's"),
    ("token_foreign", "ClassIn's"),
    ("class_ends_between_calls", "ClassIn's"),
    ("class_deleted_between_calls", "ClassIn's"),
    ("account_cancelled", "ClassIn's"),
];

/// One fault as `set` takes it.
pub fn draw(chance: &mut Rng) -> (&'static Fault, String) {
    let fault = &FAULTS[chance.usize(0..FAULTS.len())];
    let when = one_of(chance, &["", "", "@2", "@1x2", "@1x4", "@p0.3", "@*"]);
    let value = format!("{}{when}{}", one_of(chance, fault.calls), one_of(chance, fault.arguments));
    (fault, value)
}
