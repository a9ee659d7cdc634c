//! Lines that a printed page has at its head or foot: `Page 1 of 2`, 第1页，共2页.

use csv::StringRecord;

/// Cells of such a line, and bytes.
const MOST_CELLS: usize = 4;
const LONGEST: usize = 60;
/// How lines of several cells begin.
const BEGINNINGS: [&str; 7] = ["page", "seite", "pag", "pág", "第", "共", "페이지"];
/// What such lines say, with # for each number, without blanks and marks.
const LINES: [&str; 33] = [
    "page#",
    "page##",
    "page#of#",
    "page#sur#",
    "pages#of#",
    "seite#",
    "seite##",
    "seite#von#",
    "página#",
    "página##",
    "página#de#",
    "pagina#",
    "pagina##",
    "pagina#de#",
    "pág#de#",
    "第#页",
    "第##页",
    "第#页共#页",
    "第#页总#页",
    "共#页第#页",
    "共#页",
    "第#頁",
    "第#頁共#頁",
    "共#頁第#頁",
    "#页",
    "#ページ",
    "##ページ",
    "第#ページ",
    "#쪽",
    "##쪽",
    "#페이지",
    "##페이지",
    "페이지#",
];

/// Whether a row is such a line and nothing else.
pub(super) fn is_page_line(fields: &StringRecord) -> bool {
    let filled = || fields.iter().map(str::trim).filter(|field| !field.is_empty());
    let Some(first) = filled().next() else { return false };
    let is_alone = filled().nth(1).is_none();
    // Most rows begin with an id, and go on.
    let begins = |word: &&str| first.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if !(is_alone || BEGINNINGS.iter().any(begins))
        || filled().nth(MOST_CELLS).is_some()
        || filled().map(str::len).sum::<usize>() > LONGEST
    {
        return false;
    }
    let text = filled().collect::<Vec<_>>().join(" ").to_lowercase();
    if is_alone && (is_number_between_dashes(&text) || is_number_of_numbers(&text)) {
        return true;
    }
    let mut line = String::new();
    let mut is_in_number = false;
    for letter in text.chars() {
        let is_digit = letter.is_ascii_digit();
        if is_digit && !is_in_number {
            line.push('#');
        } else if !is_digit && !letter.is_whitespace() && !",，、.。:：()（）/／-–—".contains(letter)
        {
            line.push(letter);
        }
        is_in_number = is_digit;
    }
    LINES.contains(&line.as_str())
}

/// `- 2 -`, as word processors number pages.
fn is_number_between_dashes(text: &str) -> bool {
    let number = text.trim_matches(['-', '–', '—', ' ']);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text.starts_with(['-', '–', '—']) && text.ends_with(['-', '–', '—'])
}

/// `2 / 3`, with blanks, unlike a class.
fn is_number_of_numbers(text: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().ok();
    let pair = text.split_once(" / ").and_then(|(page, pages)| number(page).zip(number(pages)));
    pair.is_some_and(|(page, pages)| (1..=pages).contains(&page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_pages_are_told_from_rows() {
        let is = |line: &str| is_page_line(&line.split('|').collect());
        for line in [
            "Page 1 of 2||",
            "|page: 12|",
            "Page|1|of|2",
            "第1页，共2页||",
            "第1页|共2页|",
            "（第 1 页）||",
            "SEITE 1|von 2|",
            "Seite 1 von 2",
            "Página 1 de 2||",
            "- 3 -||",
            "2 / 3||",
            "1/2 ページ",
        ] {
            assert!(is(line), "{line}");
        }
        for line in [
            "1|Page 2",
            "Page|Ann|",
            "P1|Page|1班",
            "2/3||",
            "3 / 2||",
            "2||",
            "-2-|x|",
            "Page Turner||",
            "Page 1|Ann|",
            "||",
        ] {
            assert!(!is(line), "{line}");
        }
    }
}
