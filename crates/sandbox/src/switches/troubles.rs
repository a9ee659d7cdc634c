//! The table of troubles: what a service may do at any time that makes an answer hard to believe.
//!
//! Contract: docs/contracts/onlineexammaker.md, 8.2, second table.

use super::spec::{NONE, Spec, Values};
use super::table::{number, words};
use crate::Service::{self, ClassIn, Exam};

const fn other(service: Service, name: &'static str, values: Values, about: &'static str) -> Spec {
    let default = match values {
        Values::Signed => "0",
        Values::OneOf(_) | Values::Number | Values::Ids | Values::Text => NONE,
    };
    Spec { service: Some(service), name, values, default, about }
}

/// Every trouble, in the order of the contract.
pub(crate) const TROUBLES: &[Spec] = &[
    words(
        Exam,
        "info_groups",
        &["full", "absent", "null", "[]"],
        "full",
        "How getstudentsinfo writes the groups of every row; groups_missing does it to single rows and answers.",
    ),
    other(
        Exam,
        "archived",
        Values::Ids,
        "Sids of candidates that look-ups know and the listing leaves out, also in its total.",
    ),
    number(Exam, "list_lag_s", "0", "Seconds by which getstulist lags behind the account."),
    number(Exam, "info_lag_s", "0", "Seconds by which getstudentsinfo lags behind the account."),
    words(
        Exam,
        "lag_after",
        &["all", "add", "modify", "move", "delete"],
        "all",
        "The changes that list_lag_s and info_lag_s hide for a while.",
    ),
    words(
        Exam,
        "login_writes",
        &["as_sent", "lower_case", "squeezed", "digits", "truncated"],
        "as_sent",
        "What a write makes of a login value: lower case, without blanks, its digits only, or its first eight letters.",
    ),
    words(
        Exam,
        "value_writes",
        &["as_sent", "truncated", "upper_case"],
        "as_sent",
        "What a write makes of every other value but the password: its first six letters, or upper case.",
    ),
    words(
        Exam,
        "refused_writes",
        &["none", "all", "addStudents", "changeStuinfo", "delStu", "movestugroup", "addcategory"],
        "none",
        "Writes of this kind are refused as a whole, always with status 200 and a JSON body.",
    ),
    words(
        Exam,
        "list_total",
        &["counted", "absurd", "growing", "endless"],
        "counted",
        "total of getstulist: right; 10^12; always more than the page reaches; or 10^12 with full pages for ever.",
    ),
    words(
        Exam,
        "list_labels",
        &["same", "other"],
        "same",
        "Whether getstulist words the labels of fields as getFields does.",
    ),
    words(
        Exam,
        "mask_login",
        &["off", "look_ups", "listings", "both"],
        "off",
        "Where the login field's value is masked among the fields of a row.",
    ),
    other(
        Exam,
        "date_offset_s",
        Values::Signed,
        "Seconds by which the header Date is ahead of this machine's clock.",
    ),
    words(
        Exam,
        "account",
        &["own", "renumbered", "permuted", "strangers", "empty"],
        "own",
        "The account behind the address: ours; the same people under new sids; each under another one's sid; \
         strangers under the old sids and the same people under new ones; nobody.",
    ),
    other(
        Exam,
        "poison",
        Values::Text,
        "Every write that names this value, sid or gid (or one of several, between commas) answers 500 and applies nothing.",
    ),
    other(
        ClassIn,
        "poison",
        Values::Text,
        "Every call that names this value (or one of several, between commas) answers poison_code and applies nothing.",
    ),
    words(
        ClassIn,
        "poison_code",
        &["500", "100", "155"],
        "500",
        "What a call that names the value of poison answers: status 500, or this code for the whole call.",
    ),
];
