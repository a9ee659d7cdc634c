//! The verdicts on an answer, step by step.

use super::*;
use crate::classin_plan::answer::AnswerItem;
use crate::roster::StudentId;

fn tokens(count: usize) -> Vec<Token> {
    (0..count).map(|n| Token::derive(&[1; 32], &StudentId::new(n.to_string()), None)).collect()
}

/// An item that says only its code.
fn bare(code: i64) -> AnswerItem {
    AnswerItem { code: Some(code), ..AnswerItem::default() }
}

/// An item that echoes this token.
fn echoed(code: i64, token: &Token) -> AnswerItem {
    AnswerItem {
        code: Some(code),
        token: Some(token.as_str().to_owned()),
        text: Some("text".to_owned()),
        uid: None,
    }
}

fn answer(top: i64, items: Vec<AnswerItem>) -> CallAnswer {
    CallAnswer { top: Some(top), top_text: Some("top text".to_owned()), items: Some(items), uid: None }
}

fn top_only(top: i64) -> CallAnswer {
    CallAnswer { top: Some(top), ..CallAnswer::default() }
}

fn add(count: usize, answer: &CallAnswer) -> Judged {
    judge(Call::ClassAdd, Sent::Tokens(&tokens(count)), answer)
}

fn remove(count: usize, answer: &CallAnswer) -> Judged {
    judge(Call::ClassRemove, Sent::Positions(count), answer)
}

fn verdicts(judged: &Judged) -> Vec<ItemVerdict> {
    judged.verdicts().collect()
}

/// An add whose items echo their tokens in order, with these codes.
fn add_codes(top: i64, codes: &[i64]) -> Judged {
    let tokens = tokens(codes.len());
    let items = codes.iter().zip(&tokens).map(|(code, token)| echoed(*code, token)).collect();
    add(codes.len(), &answer(top, items))
}

fn remove_codes(top: i64, codes: &[i64]) -> Judged {
    remove(codes.len(), &answer(top, codes.iter().copied().map(bare).collect()))
}

const DONE: ItemVerdict = ItemVerdict::Done { code: Code(1) };
const THERE: ItemVerdict = ItemVerdict::Already { code: Code(166) };
const GONE: ItemVerdict = ItemVerdict::Already { code: Code(167) };
const ENDED: ItemVerdict = ItemVerdict::Closed { scope: Scope::Class, for_good: true, code: Code(145) };
const NO_COURSE: ItemVerdict = ItemVerdict::Closed { scope: Scope::Course, for_good: false, code: Code(144) };

fn student(code: i64) -> ItemVerdict {
    ItemVerdict::Student { code: Code(code) }
}

// Step 2

#[test]
fn without_a_code_at_the_top_nothing_is_proven_even_if_the_items_say_so() {
    let tokens = tokens(2);
    let items = vec![echoed(1, &tokens[0]), echoed(1, &tokens[1])];
    let judged = add(2, &CallAnswer { top: None, top_text: None, items: Some(items), uid: None });
    assert_eq!(verdicts(&judged), [ItemVerdict::Unknown; 2]);
}

// Step 3

#[test]
fn complete_items_are_judged_whatever_the_top_says() {
    for top in [1, 166, 228, 157, 104, 999] {
        let judged = add_codes(top, &[1, 166, 228, 158, 157, 329, 999]);
        assert_eq!(
            verdicts(&judged),
            [
                DONE,
                THERE,
                ItemVerdict::Repair { code: Code(228) },
                ItemVerdict::Retry { code: Code(158) },
                ItemVerdict::Full { code: Code(157) },
                student(329),
                student(999),
            ],
            "top {top}"
        );
        assert_eq!((judged.closed, judged.stop, judged.full), (None, None, Some(Code(157))));
    }
}

#[test]
fn a_condemned_class_at_one_item_counts_for_all_but_those_that_succeeded() {
    let judged = add_codes(1, &[1, 145, 228, 166]);
    assert_eq!(verdicts(&judged), [DONE, ENDED, ENDED, THERE]);
    assert_eq!(judged.closed, Some(Closure { scope: Scope::Class, for_good: true, code: Code(145) }));
}

#[test]
fn the_widest_of_several_condemnations_counts() {
    let judged = add_codes(1, &[145, 144, 329]);
    assert_eq!(verdicts(&judged), [ENDED, NO_COURSE, NO_COURSE]);
    assert_eq!(judged.closed.map(|found| found.scope), Some(Scope::Course));
}

#[test]
fn maintenance_at_one_item_stops_the_run() {
    let judged = remove_codes(1, &[1, 901]);
    assert_eq!(verdicts(&judged), [DONE, ItemVerdict::StopRun { stop: Stop::Maintenance, code: Code(901) }]);
    assert_eq!(judged.stop, Some((Stop::Maintenance, Code(901))));
}

#[test]
fn a_condemning_top_spares_the_items_that_succeeded_and_no_other() {
    let judged = add_codes(145, &[1, 166, 228, 142]);
    assert_eq!(verdicts(&judged), [DONE, THERE, ENDED, ENDED]);
}

#[test]
fn a_refused_parameter_at_one_item_while_others_succeed_concerns_that_item_alone() {
    for code in [100, 155] {
        for top in [1, code] {
            let judged = add_codes(top, &[1, code, 329]);
            assert_eq!(verdicts(&judged), [DONE, student(code), student(329)], "code {code}, top {top}");
            assert_eq!((judged.stop, judged.split, judged.suspect), (None, None, None));
        }
    }
}

#[test]
fn a_refused_parameter_at_two_items_or_without_any_success_stops_the_run() {
    let stop = ItemVerdict::StopRun { stop: Stop::OurMistake, code: Code(100) };
    assert_eq!(verdicts(&add_codes(1, &[1, 100, 100])), [DONE, stop, stop]);
    assert_eq!(verdicts(&add_codes(1, &[329, 100])), [stop, stop]);
    assert_eq!(add_codes(1, &[1, 100, 100]).stop, Some((Stop::OurMistake, Code(100))));
}

#[test]
fn a_refused_parameter_of_a_student_alone_in_the_call_is_theirs_and_suspect() {
    for judged in [add_codes(1, &[100]), add_codes(100, &[100]), add(1, &top_only(100))] {
        assert_eq!(verdicts(&judged), [student(100)]);
        assert_eq!((judged.suspect, judged.stop, judged.split), (Some(Code(100)), None, None));
    }
}

#[test]
fn a_condemned_class_outweighs_a_refused_parameter_of_its_only_student() {
    assert_eq!(verdicts(&add_codes(145, &[100])), [ENDED]);
}

#[test]
fn a_call_refused_for_a_parameter_is_halved_before_anybody_is_blamed() {
    for data in [None, Some(vec![])] {
        let judged = add(3, &CallAnswer { top: Some(100), top_text: None, items: data, uid: None });
        assert_eq!(verdicts(&judged), [ItemVerdict::Halve { code: Code(100) }; 3]);
        assert_eq!((judged.split, judged.stop), (Some(Split::Halves), None));
    }
}

#[test]
fn our_own_mistakes_other_than_a_parameter_stop_the_run() {
    let judged = add(2, &top_only(159));
    assert_eq!(judged.stop, Some((Stop::OurMistake, Code(159))));
}

// Step 4

#[test]
fn tokens_beat_the_order_and_the_difference_is_noted() {
    let tokens = tokens(3);
    let items = vec![echoed(329, &tokens[2]), echoed(1, &tokens[0]), echoed(166, &tokens[1])];
    let judged = add(3, &answer(1, items));
    assert_eq!(verdicts(&judged), [DONE, THERE, student(329)]);
    assert!(judged.order_differs);
    assert!(!add_codes(1, &[1, 1]).order_differs);
}

#[test]
fn without_tokens_the_position_counts_while_the_lengths_agree() {
    let judged = add(2, &answer(1, vec![bare(1), bare(329)]));
    assert_eq!(verdicts(&judged), [DONE, student(329)]);
}

#[test]
fn with_some_tokens_missing_the_position_counts_while_no_token_contradicts_it() {
    let tokens = tokens(3);
    let agreeing = vec![echoed(1, &tokens[0]), bare(329), echoed(166, &tokens[2])];
    assert_eq!(verdicts(&add(3, &answer(1, agreeing))), [DONE, student(329), THERE]);
    let contradicting = vec![bare(1), echoed(329, &tokens[0]), echoed(166, &tokens[2])];
    assert_eq!(verdicts(&add(3, &answer(1, contradicting))), [student(329), ItemVerdict::Unknown, THERE]);
}

#[test]
fn a_repeated_token_proves_nothing_for_the_students_it_hides() {
    let tokens = tokens(3);
    let items = vec![echoed(1, &tokens[0]), echoed(329, &tokens[0]), echoed(1, &tokens[2])];
    let judged = add(3, &answer(1, items));
    assert_eq!(verdicts(&judged), [ItemVerdict::Unknown, ItemVerdict::Unknown, DONE]);
}

#[test]
fn whom_no_item_names_is_unknown_whatever_the_top_says_of_the_others() {
    let tokens = tokens(2);
    for top in [104, 157, 166, 329, 4711] {
        let items = vec![echoed(1, &tokens[1]), echoed(329, &tokens[1])];
        assert_eq!(verdicts(&add(2, &answer(top, items))), [ItemVerdict::Unknown; 2], "top {top}");
    }
}

#[test]
fn a_foreign_token_contradicts_its_position() {
    let tokens = tokens(1);
    let foreign = AnswerItem { code: Some(1), token: Some("123".to_owned()), text: None, uid: None };
    assert_eq!(verdicts(&add(1, &answer(1, vec![foreign]))), [ItemVerdict::Unknown]);
    assert_eq!(verdicts(&add(1, &answer(1, vec![echoed(1, &tokens[0])]))), [DONE]);
}

#[test]
fn removals_are_judged_by_position_only() {
    assert_eq!(
        verdicts(&remove_codes(1, &[1, 167, 171])),
        [DONE, GONE, ItemVerdict::Retry { code: Code(171) }]
    );
}

// Step 5

#[test]
fn success_at_the_top_without_items_proves_nothing() {
    for data in [None, Some(vec![])] {
        for count in [1, 2, 30] {
            let bare_answer = CallAnswer { top: Some(1), top_text: None, items: data.clone(), uid: None };
            assert_eq!(verdicts(&add(count, &bare_answer)), vec![ItemVerdict::Unknown; count]);
            assert_eq!(verdicts(&remove(count, &bare_answer)), vec![ItemVerdict::Unknown; count]);
        }
    }
}

#[test]
fn a_wide_code_at_the_top_without_items_holds_for_all() {
    let cases = [
        (145, ENDED),
        (144, NO_COURSE),
        (102, ItemVerdict::StopRun { stop: Stop::NoPermission, code: Code(102) }),
        (104, ItemVerdict::Retry { code: Code(104) }),
    ];
    for (top, expected) in cases {
        assert_eq!(verdicts(&add(3, &top_only(top))), [expected; 3], "top {top}");
        assert_eq!(verdicts(&remove(3, &top_only(top))), [expected; 3], "top {top}");
    }
}

#[test]
fn no_room_for_several_at_once_is_halved_until_one_alone_finds_none() {
    let several = add(3, &top_only(157));
    assert_eq!(verdicts(&several), [ItemVerdict::Halve { code: Code(157) }; 3]);
    assert_eq!((several.full, several.split), (None, Some(Split::Halves)));
    let alone = add(1, &top_only(157));
    assert_eq!(verdicts(&alone), [ItemVerdict::Full { code: Code(157) }]);
    assert_eq!(alone.full, Some(Code(157)));
    assert_eq!(verdicts(&remove(3, &top_only(157))), [ItemVerdict::Full { code: Code(157) }; 3]);
}

#[test]
fn an_items_code_at_the_top_is_the_students_own_when_there_is_one() {
    assert_eq!(verdicts(&add(1, &top_only(166))), [THERE]);
    assert_eq!(verdicts(&add(1, &top_only(329))), [student(329)]);
    assert_eq!(verdicts(&add(1, &top_only(228))), [ItemVerdict::Repair { code: Code(228) }]);
    assert_eq!(verdicts(&remove(1, &top_only(167))), [GONE]);
}

#[test]
fn an_items_code_at_the_top_of_several_proves_nothing_and_they_are_sent_singly() {
    for judged in
        [add(2, &top_only(166)), add(2, &top_only(329)), add(2, &top_only(228)), remove(2, &top_only(167))]
    {
        assert_eq!(verdicts(&judged), [ItemVerdict::SendSingly; 2]);
        assert_eq!(judged.split, Some(Split::Singly));
    }
}

#[test]
fn adds_of_another_length_take_what_their_tokens_prove_and_leave_the_rest_unknown() {
    let tokens = tokens(3);
    let shorter = vec![echoed(166, &tokens[2]), echoed(1, &tokens[0])];
    assert_eq!(verdicts(&add(3, &answer(1, shorter))), [DONE, ItemVerdict::Unknown, THERE]);
    let longer = vec![echoed(1, &tokens[0]), echoed(1, &tokens[1]), echoed(1, &tokens[1]), bare(1)];
    assert_eq!(verdicts(&add(2, &answer(1, longer))), [DONE, ItemVerdict::Unknown]);
}

#[test]
fn removals_of_another_length_are_sent_singly() {
    for items in [vec![bare(1)], vec![bare(1), bare(1), bare(1)]] {
        let judged = remove(2, &answer(1, items));
        assert_eq!(verdicts(&judged), [ItemVerdict::SendSingly; 2]);
    }
}

#[test]
fn a_single_removal_of_another_length_is_unknown_and_not_sent_singly_for_ever() {
    let judged = remove(1, &answer(1, vec![bare(1), bare(1)]));
    assert_eq!((verdicts(&judged), judged.split), (vec![ItemVerdict::Unknown], None));
}

#[test]
fn a_condemned_class_in_an_answer_of_another_length_is_still_heard() {
    let judged = remove(2, &answer(1, vec![bare(145)]));
    assert_eq!(verdicts(&judged), [ENDED; 2]);
    assert!(judged.closed.is_some() && judged.split.is_none());
}

#[test]
fn an_item_without_a_code_is_unknown_and_does_not_spoil_its_neighbours() {
    let judged = remove(2, &answer(1, vec![bare(1), AnswerItem::default()]));
    assert_eq!(verdicts(&judged), [DONE, ItemVerdict::Unknown]);
}

// Step 6

#[test]
fn an_unknown_code_at_the_top_with_nothing_else_is_a_failure_of_all() {
    let judged = add(2, &top_only(31_337));
    assert_eq!(verdicts(&judged), [student(31_337); 2]);
    assert_eq!((judged.stop, judged.closed), (None, None));
}

#[test]
fn a_claim_of_membership_in_answer_to_a_removal_is_a_failure() {
    assert_eq!(verdicts(&remove_codes(1, &[166])), [student(166)]);
    assert_eq!(verdicts(&add_codes(1, &[167])), [student(167)]);
}

// Calls without items

#[test]
fn a_call_for_one_account_carries_its_code_at_the_top() {
    let judged = |call, top| verdicts(&judge(call, Sent::Positions(1), &top_only(top)));
    assert_eq!(judged(Call::SchoolStudent, 1), [DONE]);
    assert_eq!(judged(Call::SchoolStudent, 133), [ItemVerdict::Already { code: Code(133) }]);
    assert_eq!(judged(Call::Register, 461), [ItemVerdict::Already { code: Code(461) }]);
    assert_eq!(judged(Call::SchoolStudent, 886), [student(886)]);
}

#[test]
fn the_text_kept_is_that_of_the_item_or_of_the_top_that_decided() {
    let text = |judged: &Judged| judged.items[0].text.clone();
    assert_eq!(text(&add_codes(1, &[329])).as_deref(), Some("text"));
    assert_eq!(text(&add_codes(145, &[329])).as_deref(), Some("top text"));
    assert_eq!(text(&add(1, &answer(1, vec![]))), None);
}

#[test]
fn nothing_sent_is_nothing_judged() {
    for items in [vec![], vec![bare(1)], vec![bare(145)]] {
        assert!(remove(0, &answer(1, items)).items.is_empty());
    }
}
