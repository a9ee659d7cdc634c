//! A text with what is escaped in it made plain, without losing where each character stood.
//!
//! Services repeat what they were sent as HTML, as JSON within JSON, or as a part of an address.

/// A character as it is meant, and the span of characters that it stood as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) meant: char,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// An escaped text may be escaped again, as HTML within JSON is.
const DEEPEST: usize = 3;

/// The longest name of an HTML entity, or the digits of one, between `&` and `;`.
const LONGEST_ENTITY: usize = 8;

/// The names of U+00C0 to U+00FF in HTML.
const LATIN: [&str; 64] = [
    "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc",
    "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde",
    "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave",
    "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml",
    "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml",
    "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

/// The text as it is meant at each depth, the text itself first.
pub(super) fn depths(chars: &[char]) -> Vec<Vec<Plain>> {
    let mut depths = vec![as_it_stands(chars)];
    for _ in 0..DEEPEST {
        let Some(last) = depths.last() else { break };
        let next = decoded(last);
        if next.len() == last.len() {
            break;
        }
        depths.push(next);
    }
    depths
}

fn as_it_stands(chars: &[char]) -> Vec<Plain> {
    let plain = |(start, meant): (usize, &char)| Plain { meant: *meant, start, end: start + 1 };
    chars.iter().enumerate().map(plain).collect()
}

fn decoded(text: &[Plain]) -> Vec<Plain> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        let (found, taken) = bytes(rest)
            .or_else(|| unicode_escape(rest).map(|(meant, taken)| (vec![one(rest, meant, taken)], taken)))
            .or_else(|| entity(rest).map(|(meant, taken)| (vec![one(rest, meant, taken)], taken)))
            .unwrap_or_else(|| (vec![*first], 1));
        plain.extend(found);
        rest = rest.get(taken..).unwrap_or_default();
    }
    plain
}

/// The first `taken` of these, which mean one character.
fn one(text: &[Plain], meant: char, taken: usize) -> Plain {
    let start = text.first().map_or(0, |first| first.start);
    let end = text.get(taken - 1).map_or(start, |last| last.end);
    Plain { meant, start, end }
}

fn word(text: &[Plain]) -> String {
    text.iter().map(|it| it.meant).collect()
}

fn hex(text: &[Plain], from: usize, digits: usize) -> Option<u32> {
    let digits = text.get(from..from + digits)?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + digit.meant.to_digit(16)?))
}

/// Bytes of UTF-8, each written `%C3` or `\xC3`.
fn bytes(text: &[Plain]) -> Option<(Vec<Plain>, usize)> {
    let width = match (text.first()?.meant, text.get(1)?.meant) {
        ('%', _) => 1,
        ('\\', 'x') => 2,
        _ => return None,
    };
    let (mut found, mut taken) = (Vec::new(), 0);
    let is_next = |at: usize| {
        let prefix = |from: usize| text.get(from..from + width).map(word);
        prefix(at).is_some() && prefix(at) == prefix(0)
    };
    'characters: while is_next(taken) {
        let mut character = Vec::new();
        for length in 1..=4 {
            let at = taken + (length - 1) * (width + 2);
            let Some(byte) = hex(text, at + width, 2).filter(|_| is_next(at)) else { break 'characters };
            character.extend(u8::try_from(byte));
            if let Some(meant) = std::str::from_utf8(&character).ok().and_then(|it| it.chars().next()) {
                let length = length * (width + 2);
                found.push(one(text.get(taken..).unwrap_or_default(), meant, length));
                taken += length;
                continue 'characters;
            }
        }
        break;
    }
    (taken > 0).then_some((found, taken))
}

/// `\u00e9`, a pair of them, or `\"`.
fn unicode_escape(text: &[Plain]) -> Option<(char, usize)> {
    if text.first()?.meant != '\\' {
        return None;
    }
    match text.get(1)?.meant {
        escaped @ ('"' | '\'' | '/' | '\\') => Some((escaped, 2)),
        'u' => {
            let unit = hex(text, 2, 4)?;
            if let Some(meant) = char::from_u32(unit) {
                return Some((meant, 6));
            }
            let is_pair = word(text.get(6..8)?) == "\\u";
            let low = hex(text, 8, 4).filter(|low| is_pair && (0xDC00..0xE000).contains(low))?;
            let meant = 0x10000 + ((unit.checked_sub(0xD800)? & 0x3FF) << 10) + (low - 0xDC00);
            Some((char::from_u32(meant)?, 12))
        }
        _ => None,
    }
}

/// `&amp;`, `&#39;`, `&#x27;`, `&eacute;`.
fn entity(text: &[Plain]) -> Option<(char, usize)> {
    if text.first()?.meant != '&' {
        return None;
    }
    let length = text.iter().skip(1).take(LONGEST_ENTITY + 1).position(|it| it.meant == ';')?;
    let name = word(text.get(1..=length)?);
    let meant = match name.as_str() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        name => match name.strip_prefix('#') {
            Some(number) => {
                let number = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(number.ok()?)?
            }
            None => {
                let at = LATIN.iter().position(|latin| *latin == name)?;
                char::from_u32(0xC0 + u32::try_from(at).ok()?)?
            }
        },
    };
    Some((meant, length + 2))
}
