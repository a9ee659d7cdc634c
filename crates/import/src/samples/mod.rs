//! The first cells of a file that are not ASCII, as each encoding reads them: a person sees at once which is right.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, GB18030, IBM866, KOI8_R, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252,
    WINDOWS_1253, WINDOWS_1254, WINDOWS_1257, WINDOWS_1258,
};

use super::encoding::FileEncoding;
use super::header_words::known;
use super::shown;

/// Cells that are shown of each.
const CELLS: usize = 3;
/// Letters of a cell.
const LETTERS: usize = 20;
/// Readings that are shown.
const READINGS: usize = 5;
/// Encodings that offices use, of two bytes a letter and of one; the commoner first.
const ENCODINGS: [FileEncoding; 14] = [
    GB18030,
    EUC_KR,
    BIG5,
    SHIFT_JIS,
    WINDOWS_1252,
    WINDOWS_1250,
    WINDOWS_1254,
    WINDOWS_1251,
    WINDOWS_1258,
    WINDOWS_1253,
    WINDOWS_1257,
    KOI8_R,
    IBM866,
    EUC_JP,
];
/// Syllables that are no accident.
const ENOUGH_HANGUL: usize = 6;
/// Lines in which a heading is looked for.
const HEADING_LINES: usize = 30;
/// Readings with fewer letters in a hundred that belong where they are than the best has, by this much, are not shown.
const WORSE: usize = 40;

/// What the encodings make of the beginning of a file, the likely ones first; the sentence has no full stop.
pub(super) fn samples(head: &[u8]) -> String {
    let mut readings: Vec<(usize, FileEncoding, Vec<String>)> = Vec::new();
    for encoding in ENCODINGS {
        let Some(text) = decoded(head, encoding) else { continue };
        let cells = cells(&text);
        if cells.is_empty() || readings.iter().any(|(_, _, earlier)| *earlier == cells) {
            continue;
        }
        readings.push((plausibility(&text), encoding, cells));
    }
    // Stable: of equals the commoner encoding stays in front.
    readings.sort_by_key(|(plausible, ..)| std::cmp::Reverse(*plausible));
    let best = readings.first().map_or(0, |(plausible, ..)| *plausible);
    let shown = readings.iter().take(READINGS).filter(|(plausible, ..)| plausible + WORSE >= best);
    let said = shown.map(|(_, encoding, cells)| {
        format!("--encoding {} reads {}", encoding.name().to_ascii_lowercase(), cells.join(", "))
    });
    said.collect::<Vec<_>>().join("; ")
}

/// The encoding of two bytes a letter by which the text has a heading of known words: no other would bring that about.
pub(super) fn encoding_of_heading(head: &[u8]) -> Option<FileEncoding> {
    let mut found =
        [GB18030, EUC_KR, BIG5, SHIFT_JIS, EUC_JP].into_iter().filter(|encoding| has_heading(head, encoding));
    found.next().filter(|_| found.next().is_none())
}

fn has_heading(head: &[u8], encoding: FileEncoding) -> bool {
    let Some(text) = decoded(head, encoding) else { return false };
    let lines = text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).take(HEADING_LINES);
    let is_known = |cell: &&str| !cell.is_ascii() && known(cell.trim_matches(['"', ' '])).is_some();
    lines.into_iter().any(|line| line.split([',', ';', '\t', '|']).filter(is_known).count() > 1)
}

/// How many of a hundred letters that are not ASCII are such as names have, beside letters of their own script.
fn plausibility(text: &str) -> usize {
    let (mut all, mut good) = (0_usize, 0_usize);
    for word in text.split(|letter: char| letter.is_ascii() && !letter.is_ascii_alphabetic()) {
        let mut before: Option<char> = None;
        for letter in word.chars() {
            if !letter.is_ascii() {
                all += 1;
                good += usize::from(
                    is_of_names(letter) && before.is_none_or(|before| go_together(before, letter)),
                );
            } else if let Some(high) = before.filter(|before| !before.is_ascii()) {
                good = good.saturating_sub(usize::from(!go_together(high, letter)));
            }
            before = Some(letter);
        }
    }
    // Chinese that is read as Korean has characters among the syllables: syllables alone are Korean.
    let is_hangul = |letter: char| matches!(letter, '\u{ac00}'..='\u{d7a3}');
    let korean = text.chars().filter(|letter| is_hangul(*letter)).count();
    let is_korean = korean >= ENOUGH_HANGUL && korean == all;
    (good * 100).checked_div(all).unwrap_or_default() + if is_korean { 1 } else { 0 }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Wide,
}

/// The script of a letter that names have.
fn script(letter: char) -> Option<Script> {
    match letter {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{17f}' => {
            Some(Script::Latin)
        }
        // ơ, ư and the marks of tones that Vietnamese sets behind a letter.
        '\u{1a0}' | '\u{1a1}' | '\u{1af}' | '\u{1b0}' | '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}'
        | '\u{323}' => Some(Script::Latin),
        '\u{386}'..='\u{3ce}' => Some(Script::Greek),
        '\u{401}'..='\u{45f}' | '\u{490}' | '\u{491}' => Some(Script::Cyrillic),
        '\u{3005}' | '\u{3041}'..='\u{30fe}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => {
            Some(Script::Wide)
        }
        _ => None,
    }
}

fn is_of_names(letter: char) -> bool {
    match script(letter) {
        None => matches!(letter, '\u{2018}' | '\u{2019}' | '（' | '）' | '、' | '：'),
        Some(Script::Wide) => is_everyday(letter),
        // Letters that one language alone has, and what a wrong encoding makes of others.
        Some(Script::Latin) => {
            !matches!(letter, 'þ' | 'Þ' | 'ð' | 'Ð' | 'ý' | 'Ý' | 'õ' | 'Õ' | 'û' | 'Û' | 'ÿ')
        }
        Some(Script::Greek | Script::Cyrillic) => true,
    }
}

/// Letters that Chinese, Japanese and Korean lists are mostly made of: those of the first level of one of their standards.
fn is_everyday(letter: char) -> bool {
    let mut text = [0_u8; 4];
    let text: &str = letter.encode_utf8(&mut text);
    let pair = |encoding: FileEncoding| match *encoding.encode(text).0 {
        [first, second] => Some((first, second)),
        _ => None,
    };
    let is_kana = matches!(letter, '\u{3005}' | '\u{3041}'..='\u{30fe}');
    is_kana
        || pair(GB18030).is_some_and(|(first, second)| (0xb0..=0xd7).contains(&first) && second >= 0xa1)
        || pair(BIG5).is_some_and(|(first, _)| (0xa4..=0xc6).contains(&first))
        || pair(EUC_KR).is_some_and(|(first, second)| (0xb0..=0xc8).contains(&first) && second >= 0xa1)
}

/// Letters of one script; a small letter is not followed by a capital one.
fn go_together(before: char, letter: char) -> bool {
    match (script(before), script(letter)) {
        (Some(first), Some(second)) => first == second && !(before.is_lowercase() && letter.is_uppercase()),
        (None, _) | (_, None) => true,
    }
}

/// The beginning of a file as text; the last letter may be cut.
fn decoded(head: &[u8], encoding: FileEncoding) -> Option<String> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(head.len().saturating_mul(3).saturating_add(16));
    let (result, _) = decoder.decode_to_string_without_replacement(head, &mut text, false);
    (!matches!(result, encoding_rs::DecoderResult::Malformed(_, _))).then_some(text)
}

/// The first cells of a text that are not ASCII.
pub(super) fn cells(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for cell in text.split([',', ';', '\t', '|', '\n', '\r']) {
        let cell: String = shown(cell.trim_matches(['"', ' '])).chars().take(LETTERS).collect();
        if !cell.is_ascii() && !found.contains(&cell) {
            found.push(cell);
        }
        if found.len() == CELLS {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests;
