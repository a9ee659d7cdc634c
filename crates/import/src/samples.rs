//! The first cells of a file that are not ASCII, as each encoding reads them: a person sees at once which is right.

use encoding_rs::{BIG5, EUC_KR, GB18030, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1254};

use super::encoding::FileEncoding;
use super::header_words::known;
use super::shown;

/// Cells that are shown of each.
const CELLS: usize = 3;
/// Letters of a cell.
const LETTERS: usize = 20;
/// Encodings of two bytes a letter, and of one, that offices use.
const WIDE: [FileEncoding; 4] = [GB18030, EUC_KR, BIG5, SHIFT_JIS];
const NARROW: [FileEncoding; 4] = [WINDOWS_1252, WINDOWS_1250, WINDOWS_1254, WINDOWS_1251];
/// Lines in which a heading is looked for.
const HEADING_LINES: usize = 30;

/// What the encodings make of the beginning of a file, the likely ones first; the sentence has no full stop.
pub(super) fn samples(head: &[u8], likely: FileEncoding) -> String {
    let others = if WIDE.contains(&likely) { WIDE } else { NARROW };
    let order = std::iter::once(likely).chain(others.into_iter().filter(|other| *other != likely));
    let mut shown_alike: Vec<Vec<String>> = Vec::new();
    let mut said = Vec::new();
    for encoding in order {
        let Some(text) = decoded(head, encoding) else { continue };
        let cells = cells(&text);
        if cells.is_empty() || shown_alike.contains(&cells) {
            continue;
        }
        said.push(format!("--encoding {} reads {}", encoding.name().to_ascii_lowercase(), cells.join(", ")));
        shown_alike.push(cells);
    }
    said.join("; ")
}

/// Whether the text has a heading of known Chinese words, which no other encoding would bring about.
pub(super) fn has_chinese_heading(head: &[u8]) -> bool {
    let Some(text) = decoded(head, GB18030) else { return false };
    let lines = text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).take(HEADING_LINES);
    let is_known = |cell: &&str| !cell.is_ascii() && known(cell.trim_matches(['"', ' '])).is_some();
    lines.into_iter().any(|line| line.split([',', ';', '\t', '|']).filter(is_known).count() > 1)
}

/// The beginning of a file as text; the last letter may be cut.
fn decoded(head: &[u8], encoding: FileEncoding) -> Option<String> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(head.len().saturating_mul(3).saturating_add(16));
    let (result, _) = decoder.decode_to_string_without_replacement(head, &mut text, false);
    (!matches!(result, encoding_rs::DecoderResult::Malformed(_, _))).then_some(text)
}

fn cells(text: &str) -> Vec<String> {
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
mod tests {
    use super::*;

    #[test]
    fn each_encoding_shows_what_it_would_read() {
        let korean = EUC_KR.encode("student_id,name\n1,김민수\n2,이영희\n").0;
        let said = samples(&korean, GB18030);
        assert!(said.contains("--encoding euc-kr reads 김민수, 이영희"), "{said}");
        let turkish = WINDOWS_1254.encode("id,name\n1,Ayşe Yılmaz\n").0;
        let said = samples(&turkish, WINDOWS_1252);
        assert!(said.contains("--encoding windows-1254 reads Ayşe Yılmaz"), "{said}");
        assert!(said.starts_with("--encoding windows-1252 reads Ayþe"), "{said}");
    }

    #[test]
    fn only_chinese_has_a_chinese_heading() {
        assert!(has_chinese_heading(&GB18030.encode("名单\n学号,姓名\n1,王\n").0));
        assert!(!has_chinese_heading(&GB18030.encode("id,name\n1,王小明\n").0));
        assert!(!has_chinese_heading(&EUC_KR.encode("학번,이름\n1,김민수\n").0));
        assert!(!has_chinese_heading(&BIG5.encode("學號,姓名\n1,王小明\n").0));
    }
}
