//! Properties of verdicts for arbitrary answers.

use proptest::prelude::*;

use super::*;
use crate::classin_plan::answer::AnswerItem;
use crate::classin_plan::codes::{CodeClass, decide};
use crate::roster::StudentId;

const CODES: [i64; 20] =
    [1, 100, 102, 104, 133, 142, 144, 145, 155, 157, 158, 162, 163, 164, 166, 167, 228, 841, 901, 4711];

fn token(n: usize) -> Token {
    Token::derive(&[1; 32], &StudentId::new(n.to_string()), None)
}

fn code() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(1_i64), 6 => prop::sample::select(CODES.to_vec()), 1 => any::<i64>()]
}

fn item() -> impl Strategy<Value = AnswerItem> {
    (prop::option::weighted(0.9, code()), prop::option::weighted(0.8, 0_usize..6)).prop_map(|(code, echo)| {
        AnswerItem { code, token: echo.map(|n| token(n).as_str().to_owned()), text: None, uid: None }
    })
}

fn answer() -> impl Strategy<Value = CallAnswer> {
    let items = prop::option::weighted(0.9, prop::collection::vec(item(), 0..7));
    (prop::option::weighted(0.9, code()), items).prop_map(|(top, items)| CallAnswer {
        top,
        top_text: None,
        items,
        uid: None,
    })
}

fn call() -> impl Strategy<Value = Call> {
    prop::sample::select(Call::ALL.to_vec())
}

fn judge_any(call: Call, count: usize, answer: &CallAnswer) -> Judged {
    let tokens: Vec<Token> = (0..count).map(token).collect();
    let sent = if call.is_removal() { Sent::Positions(count) } else { Sent::Tokens(&tokens) };
    judge(call, sent, answer)
}

proptest! {
    #[test]
    fn each_student_sent_has_exactly_one_verdict_whatever_comes_back(
        call in call(), count in 0_usize..6, answer in answer(),
    ) {
        prop_assert_eq!(judge_any(call, count, &answer).items.len(), count);
    }

    #[test]
    fn nobody_succeeds_unless_the_answer_says_so_at_least_as_often(
        call in call(), count in 2_usize..6, answer in answer(),
    ) {
        prop_assume!(call.answers_by_item());
        let judged = judge_any(call, count, &answer);
        let said = answer.items.iter().flatten().filter_map(|item| item.code).filter(|code| {
            matches!(decide(call, Code(*code)).class, CodeClass::Done | CodeClass::Already)
        });
        prop_assert!(judged.verdicts().filter(ItemVerdict::is_success).count() <= said.count());
    }

    #[test]
    fn nobody_is_sent_singly_from_a_call_for_one(call in call(), answer in answer()) {
        let judged = judge_any(call, 1, &answer);
        prop_assert_eq!(judged.split, None);
    }

    #[test]
    fn a_wide_verdict_and_its_finding_go_together(call in call(), count in 1_usize..6, answer in answer()) {
        let judged = judge_any(call, count, &answer);
        let stopped = judged.verdicts().any(|verdict| matches!(verdict, ItemVerdict::StopRun { .. }));
        let closed = judged.verdicts().any(|verdict| matches!(verdict, ItemVerdict::Closed { .. }));
        prop_assert!(!stopped || judged.stop.is_some());
        prop_assert!(!closed || judged.closed.is_some() || judged.stop.is_some());
        let full = judged.verdicts().any(|verdict| matches!(verdict, ItemVerdict::Full { .. }));
        prop_assert!(!full || judged.full.is_some());
    }

    #[test]
    fn with_all_tokens_echoed_the_order_of_the_items_changes_nothing(
        codes in prop::collection::vec(code(), 1..6), seed in any::<usize>(), top in code(),
    ) {
        let mut items: Vec<AnswerItem> = codes.iter().enumerate()
            .map(|(n, code)| (Some(*code), Some(token(n).as_str().to_owned())))
            .map(|(code, token)| AnswerItem { code, token, text: None, uid: None })
            .collect();
        let straight = CallAnswer { top: Some(top), top_text: None, items: Some(items.clone()), uid: None };
        items.rotate_left(seed % codes.len());
        let turned = CallAnswer { top: Some(top), top_text: None, items: Some(items), uid: None };
        let of = |answer: &CallAnswer| judge_any(Call::ClassAdd, codes.len(), answer).verdicts()
            .map(|verdict| verdict.is_success()).collect::<Vec<_>>();
        prop_assert_eq!(of(&straight), of(&turned));
    }
}
