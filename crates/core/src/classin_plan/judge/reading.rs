//! The steps themselves: one answer, read once, then one verdict for each student.

use super::matching::Matching;
use super::{Closure, ItemVerdict, Judged, JudgedItem, Scope, Sent, Split};
use crate::classin_plan::answer::{AnswerItem, CallAnswer};
use crate::classin_plan::codes::{Call, Code, CodeClass, Decision, Stop, decide};

/// One answer with everything about it that more than one step needs.
pub(super) struct Reading<'a> {
    call: Call,
    count: usize,
    top: Code,
    top_decision: Decision,
    top_text: Option<&'a str>,
    items: &'a [AnswerItem],
    /// Exactly as many items as were sent, each with a code (step 3).
    complete: bool,
    matching: Matching,
    /// The item that a 100 or 155 concerns alone.
    isolated: Option<usize>,
    whole: Option<Whole>,
}

impl<'a> Reading<'a> {
    /// `None` without a code at the top: step 2.
    pub(super) fn new(call: Call, sent: Sent<'_>, answer: &'a CallAnswer) -> Option<Self> {
        let top = Code(answer.top?);
        let items = if call.answers_by_item() { answer.items.as_deref().unwrap_or_default() } else { &[] };
        let count = sent.count();
        let mut reading = Self {
            call,
            count,
            top,
            top_decision: decide(call, top),
            top_text: answer.top_text.as_deref(),
            items,
            complete: count > 0 && items.len() == count && items.iter().all(|item| item.code.is_some()),
            matching: Matching::between(sent, items),
            isolated: None,
            whole: None,
        };
        reading.isolated = reading.find_isolated();
        reading.whole = reading.find_whole();
        Some(reading)
    }

    /// Step 3, the exception: 100 or 155 at one item, alone in its call or while others succeed.
    fn find_isolated(&self) -> Option<usize> {
        if !self.complete {
            return None;
        }
        let is_refused = |item: &AnswerItem| item.code.map(Code).is_some_and(Code::may_be_one_value);
        let mut refused = self.items.iter().enumerate().filter(|(_, item)| is_refused(item));
        let (place, _) = refused.next()?;
        let others_succeed = || {
            self.items
                .iter()
                .filter_map(|item| item.code.map(Code))
                .any(|code| matches!(decide(self.call, code).class, CodeClass::Done | CodeClass::Already))
        };
        // Alone in its call, but not where the top condemns the class or course anyway.
        let only_one =
            self.count == 1 && (self.top.may_be_one_value() || !self.top_decision.class.is_whole());
        let alone = refused.next().is_none() && (only_one || others_succeed());
        alone.then_some(place)
    }

    /// The code of class, course or run scope that counts for every student: the top's, else the widest of
    /// the items'.
    fn find_whole(&self) -> Option<Whole> {
        if self.top_decision.class.is_whole() && !self.top_is_about_one_value() {
            return Some(Whole { class: self.top_decision.class, code: self.top, from_top: true });
        }
        let codes = self.items.iter().enumerate().filter(|(place, _)| Some(*place) != self.isolated);
        let wholes = codes.filter_map(|(_, item)| {
            let code = Code(item.code?);
            let class = decide(self.call, code).class;
            class.is_whole().then_some(Whole { class, code, from_top: false })
        });
        // `CodeClass` is ordered by how far it reaches. The first of several equals wins.
        wholes.reduce(|widest, next| if next.class > widest.class { next } else { widest })
    }

    /// Whether a 100 or 155 at the top speaks of one value rather than of the whole run: it repeats the
    /// isolated item's code, or there are no items to tell and halving will find the value (section 6.1,
    /// code 100).
    fn top_is_about_one_value(&self) -> bool {
        self.top.may_be_one_value() && (self.isolated.is_some() || !self.complete)
    }

    pub(super) fn judged(&self) -> Judged {
        let items: Vec<JudgedItem> = (0..self.count).map(|place| self.judge_one(place)).collect();
        let is = |wanted: fn(&ItemVerdict) -> bool| items.iter().any(|item| wanted(&item.verdict));
        let split = if is(|verdict| matches!(verdict, ItemVerdict::Halve { .. })) {
            Some(Split::Halves)
        } else {
            is(|verdict| matches!(verdict, ItemVerdict::SendSingly)).then_some(Split::Singly)
        };
        let only = items.first().filter(|_| self.count == 1).map(|item| item.verdict);
        let suspect = only
            .filter(|verdict| matches!(verdict, ItemVerdict::Student { .. }))
            .and_then(|verdict| verdict.code())
            .filter(|code| code.may_be_one_value());
        Judged {
            closed: self.whole.and_then(closure),
            stop: self.whole.and_then(stop),
            full: self.find_full(),
            split,
            suspect,
            order_differs: self.matching.order_differs(),
            items,
        }
    }

    fn find_full(&self) -> Option<Code> {
        let top = (!self.may_have_room_for_some()).then_some(self.top);
        let codes = top.into_iter().chain(self.items.iter().filter_map(|item| item.code.map(Code)));
        codes.into_iter().find(|code| decide(self.call, *code).class == CodeClass::Full)
    }

    /// Several were refused as a whole for want of room, without a word about any of them: fewer may find room.
    fn may_have_room_for_some(&self) -> bool {
        let is_add = matches!(self.call, Call::ClassAdd | Call::CourseAdd);
        is_add && self.top_decision.class == CodeClass::Full && self.count > 1 && self.items.is_empty()
    }

    fn judge_one(&self, place: usize) -> JudgedItem {
        let answered = self.matching.answered(place);
        let item = answered.and_then(|position| self.items.get(position));
        let own = item.and_then(|item| item.code.map(Code)).map(|code| (decide(self.call, code).class, code));
        let text_of_item = || item.and_then(|item| item.text.clone());
        let isolated = answered.is_some() && answered == self.isolated;
        let (verdict, decided_by_item) = match (own, self.whole) {
            (Some((_, code)), _) if isolated => (ItemVerdict::Student { code }, true),
            (Some((class @ (CodeClass::Done | CodeClass::Already), code)), _) => (verdict(class, code), true),
            (Some((class, code)), Some(whole)) if class.is_whole() && !whole.from_top => {
                (verdict(class, code), true)
            }
            (_, Some(whole)) => (verdict(whole.class, whole.code), false),
            (Some((class, code)), None) => (verdict(class, code), true),
            (None, None) => (self.by_the_top(), false),
        };
        let text = if decided_by_item { text_of_item() } else { self.top_text.map(str::to_owned) };
        JudgedItem { verdict, text: if verdict.code().is_some() { text } else { None } }
    }

    /// Step 5: what a student is told by the top code alone, when no item is theirs.
    fn by_the_top(&self) -> ItemVerdict {
        if self.complete {
            // Step 4: there are items, but none is surely this student's.
            return ItemVerdict::Unknown;
        }
        let wrong_length = !self.items.is_empty() && self.items.len() != self.count;
        let singly = self.call.is_removal() && wrong_length && self.count > 1;
        let top = verdict(self.top_decision.class, self.top);
        match self.top_decision.class {
            CodeClass::Full if self.may_have_room_for_some() => ItemVerdict::Halve { code: self.top },
            CodeClass::Retry | CodeClass::Full => top,
            CodeClass::Run(_) if self.top.may_be_one_value() && self.count > 1 => {
                ItemVerdict::Halve { code: self.top }
            }
            CodeClass::Run(_) if self.top.may_be_one_value() => ItemVerdict::Student { code: self.top },
            CodeClass::Class { .. } | CodeClass::Course { .. } | CodeClass::Run(_) => top,
            CodeClass::Done if self.call.answers_by_item() && self.top == Code::DONE => {
                if singly {
                    ItemVerdict::SendSingly
                } else {
                    ItemVerdict::Unknown
                }
            }
            CodeClass::Done | CodeClass::Already | CodeClass::Repair | CodeClass::Student => {
                if self.count == 1 {
                    top
                } else if singly {
                    ItemVerdict::SendSingly
                } else if !self.items.is_empty() {
                    ItemVerdict::Unknown
                } else if self.top_decision.listed {
                    ItemVerdict::SendSingly
                } else {
                    // Step 6: an unknown code with nothing else to read is a failure of all its items.
                    top
                }
            }
        }
    }
}

/// A code that concerns more than one student, and what it means.
#[derive(Clone, Copy)]
struct Whole {
    class: CodeClass,
    code: Code,
    from_top: bool,
}

fn verdict(class: CodeClass, code: Code) -> ItemVerdict {
    match class {
        CodeClass::Done => ItemVerdict::Done { code },
        CodeClass::Already => ItemVerdict::Already { code },
        CodeClass::Repair => ItemVerdict::Repair { code },
        CodeClass::Retry => ItemVerdict::Retry { code },
        CodeClass::Full => ItemVerdict::Full { code },
        CodeClass::Student => ItemVerdict::Student { code },
        CodeClass::Class { for_good } => ItemVerdict::Closed { scope: Scope::Class, for_good, code },
        CodeClass::Course { for_good } => ItemVerdict::Closed { scope: Scope::Course, for_good, code },
        CodeClass::Run(stop) => ItemVerdict::StopRun { stop, code },
    }
}

fn closure(whole: Whole) -> Option<Closure> {
    let (scope, for_good) = match whole.class {
        CodeClass::Class { for_good } => (Scope::Class, for_good),
        CodeClass::Course { for_good } => (Scope::Course, for_good),
        CodeClass::Done
        | CodeClass::Already
        | CodeClass::Repair
        | CodeClass::Retry
        | CodeClass::Full
        | CodeClass::Student
        | CodeClass::Run(_) => return None,
    };
    Some(Closure { scope, for_good, code: whole.code })
}

fn stop(whole: Whole) -> Option<(Stop, Code)> {
    if let CodeClass::Run(stop) = whole.class { Some((stop, whole.code)) } else { None }
}
