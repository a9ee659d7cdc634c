//! The table of faults: name, service, argument and one sentence each.
//!
//! Contract: docs/contracts/onlineexammaker.md, 8.3 and docs/contracts/classin.md, 12.3.

use super::Service::{self, ClassIn, Exam};

/// The form of a fault's argument, after the colon.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Argument {
    /// Nothing.
    None,
    /// A number; the text says of what and which is used when it is absent.
    Number(&'static str),
    /// Zero-based positions with commas, on ClassIn with `/CODE`.
    Positions,
    /// A number, then after a slash one of the words, or a number where no words are listed.
    NumberThen(&'static str, &'static [&'static str]),
    /// One of these words, then after a slash an id.
    Words(&'static [&'static str]),
}

/// One fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaultSpec {
    /// Its name.
    pub(crate) name: &'static str,
    /// The only service that has it; `None` for both.
    pub(crate) only: Option<Service>,
    /// The form of its argument.
    pub(crate) argument: Argument,
    /// One sentence for people.
    pub(crate) about: &'static str,
}

impl FaultSpec {
    /// The argument as text for people.
    pub(crate) fn allowed(&self) -> String {
        match self.argument {
            Argument::None => "no argument".to_owned(),
            Argument::Number(what) => format!("argument: {what}"),
            Argument::Positions => "argument: positions from 0 with commas, on classin with /CODE".to_owned(),
            Argument::NumberThen(what, words) => format!("argument: {what}, then /{}", words.join(" or /")),
            Argument::Words(words) => format!("argument: {}, then /ID", words.join(" | ")),
        }
    }
}

const fn fault(
    name: &'static str,
    only: Option<Service>,
    argument: Argument,
    about: &'static str,
) -> FaultSpec {
    FaultSpec { name, only, argument, about }
}

/// Every fault. Where both services have one, it works alike on both.
pub(crate) const FAULTS: &[FaultSpec] = &[
    fault(
        "refuse_item",
        None,
        Argument::Positions,
        "These items of the call are refused, the others applied.",
    ),
    fault(
        "refuse_call",
        None,
        Argument::Number("a code of ClassIn, 104 when absent"),
        "The whole call is refused.",
    ),
    fault("lose_answer", None, Argument::None, "Applied, then the connection is closed without a byte."),
    fault(
        "drop_request",
        None,
        Argument::None,
        "The connection is closed without a byte and nothing is applied.",
    ),
    fault(
        "apply_part",
        None,
        Argument::NumberThen("how many items, 1 when absent", &["500", "114"]),
        "The first items are applied, then the call answers 500 (or code 114).",
    ),
    fault("cut_body", None, Argument::Number("bytes, half of the body when absent"), "The body breaks off."),
    fault(
        "delay",
        None,
        Argument::Number("milliseconds, 1000 when absent"),
        "Applied at once, answered late.",
    ),
    fault("slow_body", None, Argument::Number("bytes a second, 10 when absent"), "The body trickles."),
    fault(
        "reset",
        None,
        Argument::Words(&["applied", "unapplied"]),
        "The connection is reset; nothing is applied unless the argument is applied.",
    ),
    fault(
        "http_429",
        None,
        Argument::Number("Retry-After in seconds, none when absent"),
        "Too many requests; not applied.",
    ),
    fault("http_5xx", None, Argument::Number("status, 500 when absent"), "A server error; not applied."),
    fault(
        "html_200",
        None,
        Argument::Words(&["applied", "unapplied"]),
        "A login page with status 200; nothing is applied unless the argument is applied.",
    ),
    fault("maintenance", Some(Exam), Argument::None, "A maintenance page with status 503; not applied."),
    fault("redirect", None, Argument::None, "A 302 to a login page; not applied."),
    fault("not_json", None, Argument::None, "Applied, but the body is not JSON."),
    fault("empty_body", None, Argument::None, "Applied, but the answer has status 200 and no body at all."),
    fault("wrong_type", None, Argument::None, "Applied, but the lists of the answer are objects."),
    fault(
        "item_in_both_lists",
        Some(Exam),
        Argument::Number("position, 0 when absent"),
        "An applied item is in fail too.",
    ),
    fault(
        "item_in_neither_list",
        Some(Exam),
        Argument::Number("position, 0 when absent"),
        "An item is in no list.",
    ),
    fault(
        "index_out_of_range",
        Some(Exam),
        Argument::Number("position, 0 when absent"),
        "Its index is too large by 1000.",
    ),
    fault(
        "index_twice",
        Some(Exam),
        Argument::Number("position, 1 when absent"),
        "It has the index of the first item.",
    ),
    fault(
        "list_changes",
        Some(Exam),
        Argument::Words(&["delete", "insert", "reorder", "replace"]),
        "Just before the call the first candidate is deleted, one is inserted before it, it moves to the end, or it is \
         deleted and another one comes at the end.",
    ),
    fault(
        "short_page",
        Some(Exam),
        Argument::Number("rows, 1 when absent"),
        "The last rows of the page are missing.",
    ),
    fault("duplicate_row", Some(Exam), Argument::None, "The last row of the page is the first one again."),
    fault(
        "unreadable_row",
        Some(Exam),
        Argument::Number("which row of the page, 0 when absent"),
        "A row of a page of results does not say of which exam it is.",
    ),
    fault(
        "nobody",
        Some(Exam),
        Argument::None,
        "A listing or a look-up answers as documented, as if there were nobody at all.",
    ),
    fault(
        "groups_missing",
        Some(Exam),
        Argument::Words(&["absent", "null", "empty"]),
        "A look-up does not tell the groups: of all its rows, or of the one whose sid is ID.",
    ),
    fault("total_drifts", Some(Exam), Argument::Number("by how much, 1 when absent"), "total is too large."),
    fault(
        "huge_body",
        None,
        Argument::NumberThen("bytes, 1 GiB when absent", &["gzip"]),
        "Blanks come before the body, with /gzip as a compression bomb.",
    ),
    fault(
        "stale_read",
        Some(Exam),
        Argument::Number("seconds, 1 when absent"),
        "The read shows the state of that long ago, at the earliest that when the fault was armed.",
    ),
    fault(
        "foreign_edit",
        None,
        Argument::Words(&["add", "rename", "move", "delete", "remove"]),
        "Just before the call somebody edits by hand: a candidate, or on classin (add, remove) the class's members.",
    ),
    fault(
        "results_arrive",
        Some(Exam),
        Argument::Number("how many, 1 when absent"),
        "Just before the call so many results are handed in; they stand before all others.",
    ),
    fault(
        "results_change",
        Some(Exam),
        Argument::Words(&["settle", "score", "delete"]),
        "Just before the call a result changes: the newest running one is handed in, or the one at ID (0 is the \
         newest) has another score or is deleted.",
    ),
    fault(
        "item_missing",
        Some(ClassIn),
        Argument::Number("position, the last when absent"),
        "data lacks an item.",
    ),
    fault("item_extra", Some(ClassIn), Argument::None, "data has one item more at the end."),
    fault(
        "token_repeated",
        Some(ClassIn),
        Argument::Number("position, 1 when absent"),
        "It has the first item's customColumn.",
    ),
    fault(
        "token_foreign",
        Some(ClassIn),
        Argument::Number("position, 0 when absent"),
        "Its customColumn was never sent.",
    ),
    fault(
        "class_ends_between_calls",
        Some(ClassIn),
        Argument::None,
        "The call's class ends just before the call.",
    ),
    fault(
        "class_deleted_between_calls",
        Some(ClassIn),
        Argument::None,
        "The call's class is deleted just before the call.",
    ),
    fault(
        "account_cancelled",
        Some(ClassIn),
        Argument::Number("a uid, the first of the call when absent"),
        "Its owner cancels an account just before the call.",
    ),
];
