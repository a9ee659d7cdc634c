//! Judges the answers about accounts.
//!
//! | call | answer | verdict |
//! |---|---|---|
//! | registration | done, with a uid | known, and a student of the school |
//! | registration | there already, or registered only in part, with a uid | known; school membership is to be asked for |
//! | registration | done, without a uid | unknown: a repeat brings it |
//! | registration | there already, or registered only in part, without a uid | repeat: the next answer brings it |
//! | registration of several | any item without our token | send singly: it may be said of another account |
//! | registration, joining | too soon after the same call | repeat |
//! | joining the school | done, or there already | a member |
//! | joining the school | no account | the student's failure: register first |
//! | editing the name | done | confirmed |
//! | editing the name | not a student of the school | repair: join, then write the name again |
//! | any | what concerns a class, or a bad value | the student's failure |
//! | any | no answer, or none that can be read | unknown |
//!
//! Contract: docs/contracts/classin.md, 4.3 (verdict rule), 5 and 6.1.

use crate::classin_plan::answer::{CallAnswer, Token};
use crate::classin_plan::codes::{Call, Code, Stop};
use crate::classin_plan::judge::{ItemVerdict, JudgedItem, Sent, judge};
use crate::roster::ClassinUid;

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
        /// Says whether the call made the account: [`Code::was_registered`].
        code: Code,
        /// Whether it is a student of the school.
        membership: Membership,
    },
    /// It is not known: what is proven instead. Never a success.
    Not(ItemVerdict),
}

/// One verdict with what the service said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct JudgedAccount<V> {
    /// The verdict.
    pub verdict: V,
    /// The service's own text; masked already.
    pub text: Option<String>,
    /// A code that may be one bad value's, for one that was alone in its call. The same for another one alone is a
    /// defect of ours: then stop ([`Stop::OurMistake`]).
    pub suspect: Option<Code>,
}

/// Everything that an answer about several accounts proves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct JudgedAccounts {
    /// One for each account sent, in the order sent.
    pub items: Vec<JudgedAccount<AccountVerdict>>,
    /// ClassIn is left alone for the rest of this run, with the code.
    pub stop: Option<(Stop, Code)>,
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
    let not = match (verdict, told) {
        // What an item says may be said of another account.
        (
            ItemVerdict::Done { .. }
            | ItemVerdict::Already { .. }
            | ItemVerdict::Repair { .. }
            | ItemVerdict::Repeat { .. }
            | ItemVerdict::Retry { .. }
            | ItemVerdict::Full { .. }
            | ItemVerdict::Student { .. }
            | ItemVerdict::Closed { .. },
            ToldUid::Unsure,
        ) => ItemVerdict::SendSingly,
        (
            ItemVerdict::Done { code } | ItemVerdict::Already { code } | ItemVerdict::Repair { code },
            ToldUid::Uid(uid),
        ) => {
            let membership = if code == Code::DONE { Membership::Sure } else { Membership::ToAskFor };
            return AccountVerdict::Known { uid, code, membership };
        }
        (ItemVerdict::Done { code: Code::DONE }, ToldUid::Nothing) => ItemVerdict::Unknown,
        (
            ItemVerdict::Done { code } | ItemVerdict::Already { code } | ItemVerdict::Repair { code },
            ToldUid::Nothing,
        ) => ItemVerdict::Repeat { code },
        (ItemVerdict::SendSingly, _) => ItemVerdict::SendSingly,
        (ItemVerdict::Halve { code }, _) => ItemVerdict::Halve { code },
        (
            ItemVerdict::Repeat { .. }
            | ItemVerdict::Retry { .. }
            | ItemVerdict::Full { .. }
            | ItemVerdict::Student { .. }
            | ItemVerdict::Closed { .. }
            | ItemVerdict::StopRun { .. }
            | ItemVerdict::Unknown,
            _,
        ) => settled_by_repeating(about_one(verdict)),
    };
    AccountVerdict::Not(not)
}

/// Judges the joining of one account to the school. Without an account there is nothing to repair: a registration
/// must come first.
pub fn judge_school_student(answer: &CallAnswer) -> JudgedAccount<ItemVerdict> {
    alone(Call::SchoolStudent, answer, |verdict| {
        if let ItemVerdict::Repair { code } = verdict {
            return ItemVerdict::Student { code };
        }
        settled_by_repeating(about_one(verdict))
    })
}

/// Judges the writing of one name.
pub fn judge_name(answer: &CallAnswer) -> JudgedAccount<ItemVerdict> {
    alone(Call::SchoolName, answer, about_one)
}

/// No room, classes that are over and bad values have no meaning for one account: a failure of its student.
fn about_one(verdict: ItemVerdict) -> ItemVerdict {
    match verdict {
        ItemVerdict::Full { code } | ItemVerdict::Closed { code, .. } | ItemVerdict::Halve { code } => {
            ItemVerdict::Student { code }
        }
        ItemVerdict::SendSingly => ItemVerdict::Unknown,
        ItemVerdict::Done { .. }
        | ItemVerdict::Already { .. }
        | ItemVerdict::Repair { .. }
        | ItemVerdict::Repeat { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Student { .. }
        | ItemVerdict::StopRun { .. }
        | ItemVerdict::Unknown => verdict,
    }
}

/// A double of a call that may have worked: the same once more, later, tells.
fn settled_by_repeating(verdict: ItemVerdict) -> ItemVerdict {
    if let ItemVerdict::Retry { code } = verdict
        && code.is_too_soon()
    {
        return ItemVerdict::Repeat { code };
    }
    verdict
}

fn alone(
    call: Call,
    answer: &CallAnswer,
    read: impl Fn(ItemVerdict) -> ItemVerdict,
) -> JudgedAccount<ItemVerdict> {
    let judged = judge(call, Sent::Positions(1), answer);
    let suspect = judged.suspect;
    let item = judged.items.into_iter().next();
    let (verdict, text) = item.map_or((ItemVerdict::Unknown, None), |item| (item.verdict, item.text));
    JudgedAccount { verdict: read(verdict), text, suspect }
}
