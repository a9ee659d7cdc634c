//! Judges the answers about accounts.
//!
//! | call | answer | verdict |
//! |---|---|---|
//! | registration | 1 with a uid | known, and a student of the school |
//! | registration | 135, 461, 340, 820 with a uid | known; school membership is to be asked for |
//! | registration | 1 without a uid | unknown: a repeat brings 135 or 461 with it |
//! | registration | 135, 461, 340, 820 without a uid | retry |
//! | joining the school | 1, 133 | a member |
//! | joining the school | 113 | no account: register first |
//! | editing the name | 1 | confirmed |
//! | editing the name | 228 | not a student of the school |
//! | any | no answer, or none that can be read | unknown |
//!
//! Contract: docs/contracts/classin.md, 4.3 (verdict rule), 5 and 6.1.

use crate::classin_plan::answer::{CallAnswer, Token};
use crate::classin_plan::decision::{Call, Stop};
use crate::classin_plan::judge::{ItemVerdict, JudgedItem, Sent, judge};
use crate::roster::ClassinUid;

/// Registered now, by us.
const DONE: i64 = 1;
/// Joining: no account with this phone or e-mail.
const NO_ACCOUNT: i64 = 113;

/// Whether an account is a student of the school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// The answer says so.
    Sure,
    /// Not said: join it to the school; being there already is fine.
    ToAskFor,
}

/// The verdict on one requested account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountVerdict {
    /// The uid is known, to be stored at once.
    Known {
        /// The account.
        uid: ClassinUid,
        /// 1, 135, 461, 340 or 820.
        code: i64,
        /// Whether it is a student of the school.
        membership: Membership,
    },
    /// Later; sooner than [`SAME_PARAMETERS_MS`](super::SAME_PARAMETERS_MS) it counts as a double.
    Retry {
        /// Such as 131.
        code: i64,
    },
    /// Permanent for this account until its row changes; unknown codes too.
    Student {
        /// Such as 134.
        code: i64,
    },
    /// ClassIn is left alone for the rest of this run.
    StopRun {
        /// Why.
        stop: Stop,
        /// Such as 102.
        code: i64,
    },
    /// Nothing is proven of this one among several: ask for it alone.
    SendSingly,
    /// Nothing is proven, and it may be registered. The same again, after more than
    /// [`SAME_PARAMETERS_MS`](super::SAME_PARAMETERS_MS), settles it.
    Unknown,
}

/// The verdict on joining the school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchoolVerdict {
    /// A student of the school, by this call (1) or before (133).
    Member {
        /// 1 or 133.
        code: i64,
    },
    /// There is no account yet: register first, if registering is allowed, then join.
    NoAccount {
        /// 113.
        code: i64,
    },
    /// Later, as [`AccountVerdict::Retry`].
    Retry {
        /// Such as 104.
        code: i64,
    },
    /// Permanent until the row changes.
    Student {
        /// Such as 128.
        code: i64,
    },
    /// ClassIn is left alone for the rest of this run.
    StopRun {
        /// Why.
        stop: Stop,
        /// Such as 102.
        code: i64,
    },
    /// Nothing is proven; the same again, as [`AccountVerdict::Unknown`], settles it (133).
    Unknown,
}

/// The verdict on writing a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameVerdict {
    /// It is the name now.
    Confirmed,
    /// Not a student of the school: join it once, where phone or e-mail are known, and write the name again;
    /// otherwise a person must.
    NotAStudent {
        /// 228.
        code: i64,
    },
    /// Later.
    Retry {
        /// Such as 104.
        code: i64,
    },
    /// Permanent until the row changes.
    Student {
        /// Such as 400.
        code: i64,
    },
    /// ClassIn is left alone for the rest of this run.
    StopRun {
        /// Why.
        stop: Stop,
        /// Such as 102.
        code: i64,
    },
    /// Nothing is proven; the same again settles it.
    Unknown,
}

/// One verdict with what the service said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct JudgedAccount<V> {
    /// The verdict.
    pub verdict: V,
    /// The service's own text; masked already.
    pub text: Option<String>,
    /// 100 or 155 for one that was alone in its call. The same for another one alone is a defect of ours: then stop
    /// ([`Stop::OurMistake`]).
    pub suspect: Option<i64>,
}

/// Everything that an answer about several accounts proves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct JudgedAccounts {
    /// One for each account sent, in the order sent.
    pub items: Vec<JudgedAccount<AccountVerdict>>,
    /// ClassIn is left alone for the rest of this run, with the code.
    pub stop: Option<(Stop, i64)>,
}

/// Judges a registration: `call` is [`Call::Register`] for one account, or [`Call::RegisterMultiple`].
///
/// A uid among several counts only with our token beside it: by position alone it might belong to another
/// account.
pub fn judge_registrations(call: Call, sent: &[Token], answer: &CallAnswer) -> JudgedAccounts {
    let shape = if call.answers_by_item() { Sent::Tokens(sent) } else { Sent::Positions(sent.len()) };
    let judged = judge(call, shape, answer);
    let one = |(JudgedItem { verdict, text }, token): (&JudgedItem, &Token)| {
        let uid = uid_told(call, sent.len(), token, answer);
        JudgedAccount { verdict: account(*verdict, uid), text: text.clone(), suspect: judged.suspect }
    };
    JudgedAccounts { items: judged.items.iter().zip(sent).map(one).collect(), stop: judged.stop }
}

/// An answer's statement about one account's uid.
#[derive(Clone, Copy)]
enum ToldUid {
    Uid(ClassinUid),
    Nothing,
    /// An item that may be another account's.
    Unsure,
}

fn uid_told(call: Call, count: usize, token: &Token, answer: &CallAnswer) -> ToldUid {
    let told = |uid: Option<ClassinUid>| uid.map_or(ToldUid::Nothing, ToldUid::Uid);
    if !call.answers_by_item() {
        return told(answer.uid);
    }
    let items = answer.items.as_deref().unwrap_or_default();
    let mut ours = items.iter().filter(|item| item.token.as_deref() == Some(token.as_str()));
    match (ours.next(), ours.next(), items) {
        (Some(item), None, _) => told(item.uid),
        (None, _, [only]) if count == 1 && only.token.is_none() => told(only.uid),
        (None, _, []) => ToldUid::Nothing,
        _ => ToldUid::Unsure,
    }
}

fn account(verdict: ItemVerdict, told: ToldUid) -> AccountVerdict {
    match (verdict, told) {
        (
            ItemVerdict::Done { .. } | ItemVerdict::Already { .. } | ItemVerdict::Repair { .. },
            ToldUid::Unsure,
        ) => AccountVerdict::SendSingly,
        (
            ItemVerdict::Done { code } | ItemVerdict::Already { code } | ItemVerdict::Repair { code },
            ToldUid::Uid(uid),
        ) => {
            let membership = if code == DONE { Membership::Sure } else { Membership::ToAskFor };
            AccountVerdict::Known { uid, code, membership }
        }
        (ItemVerdict::Done { code: DONE }, ToldUid::Nothing) | (ItemVerdict::Unknown, _) => {
            AccountVerdict::Unknown
        }
        (
            ItemVerdict::Done { code }
            | ItemVerdict::Already { code }
            | ItemVerdict::Repair { code }
            | ItemVerdict::Retry { code },
            _,
        ) => AccountVerdict::Retry { code },
        // No room, and classes that are over, have no meaning here: a failure of this account.
        (
            ItemVerdict::Student { code } | ItemVerdict::Full { code } | ItemVerdict::Closed { code, .. },
            _,
        ) => AccountVerdict::Student { code },
        (ItemVerdict::StopRun { stop, code }, _) => AccountVerdict::StopRun { stop, code },
        (ItemVerdict::SendSingly | ItemVerdict::Halve { .. }, _) => AccountVerdict::SendSingly,
    }
}

/// Judges the joining of one account to the school.
pub fn judge_school_student(answer: &CallAnswer) -> JudgedAccount<SchoolVerdict> {
    alone(Call::SchoolStudent, answer, |verdict| match verdict {
        ItemVerdict::Done { code } | ItemVerdict::Already { code } => SchoolVerdict::Member { code },
        ItemVerdict::Repair { code: code @ NO_ACCOUNT } => SchoolVerdict::NoAccount { code },
        ItemVerdict::Retry { code } => SchoolVerdict::Retry { code },
        ItemVerdict::Repair { code }
        | ItemVerdict::Student { code }
        | ItemVerdict::Full { code }
        | ItemVerdict::Closed { code, .. }
        | ItemVerdict::Halve { code } => SchoolVerdict::Student { code },
        ItemVerdict::StopRun { stop, code } => SchoolVerdict::StopRun { stop, code },
        ItemVerdict::SendSingly | ItemVerdict::Unknown => SchoolVerdict::Unknown,
    })
}

/// Judges the writing of one name.
pub fn judge_name(answer: &CallAnswer) -> JudgedAccount<NameVerdict> {
    alone(Call::SchoolName, answer, |verdict| match verdict {
        ItemVerdict::Done { .. } | ItemVerdict::Already { .. } => NameVerdict::Confirmed,
        ItemVerdict::Repair { code } => NameVerdict::NotAStudent { code },
        ItemVerdict::Retry { code } => NameVerdict::Retry { code },
        ItemVerdict::Student { code }
        | ItemVerdict::Full { code }
        | ItemVerdict::Closed { code, .. }
        | ItemVerdict::Halve { code } => NameVerdict::Student { code },
        ItemVerdict::StopRun { stop, code } => NameVerdict::StopRun { stop, code },
        ItemVerdict::SendSingly | ItemVerdict::Unknown => NameVerdict::Unknown,
    })
}

fn alone<V>(call: Call, answer: &CallAnswer, read: impl Fn(ItemVerdict) -> V) -> JudgedAccount<V> {
    let judged = judge(call, Sent::Positions(1), answer);
    let suspect = judged.suspect;
    let item = judged.items.into_iter().next();
    let (verdict, text) = item.map_or((ItemVerdict::Unknown, None), |item| (item.verdict, item.text));
    JudgedAccount { verdict: read(verdict), text, suspect }
}
