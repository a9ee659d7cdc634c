//! Full names from their parts, as the language says them.

/// A full name from its given, middle and family part. Names in Chinese, Japanese or Korean letters are written without
/// blanks and with the family name first, whatever the columns are called.
pub(super) fn full_name([given, middle, family]: [&str; 3], is_family_first: bool) -> String {
    let family_first = [family, middle, given];
    if !given.is_empty() && !family.is_empty() && family_first.iter().all(|part| is_east_asian(part)) {
        return family_first.concat();
    }
    words(if is_family_first { family_first } else { [given, middle, family] })
}

/// The parts of a name in the order in which they are given, without blanks between where its letters need none.
pub(super) fn joined(parts: &[&str]) -> String {
    if parts.iter().all(|part| is_east_asian(part)) { parts.concat() } else { words(parts.iter().copied()) }
}

/// Whether a name is whole, as it begins or ends with one of its parts and says more.
pub(super) fn is_whole_of(name: &str, part: &str) -> bool {
    let letters = |text: &str| -> Vec<String> {
        let words = text.split_whitespace().map(|word| word.trim_matches(',').to_lowercase());
        if is_east_asian(text) { text.chars().map(String::from).collect() } else { words.collect() }
    };
    let (name, part) = (letters(name), letters(part));
    !part.is_empty() && name.len() > part.len() && (name.starts_with(&part) || name.ends_with(&part))
}

fn words<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = parts.into_iter().flat_map(str::split_whitespace).collect();
    words.join(" ")
}

fn is_east_asian(text: &str) -> bool {
    text.chars().all(|letter| {
        matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}' | '々')
    })
}

/// A class within a grade, as one name: `高一` and `1班` are `高一1班`, and a class that has its grade in its name stays.
/// Unless the language `always` joins the two, only a class that is no name of its own (`1`, `A`, `12b`) is joined.
pub(super) fn class_of_grade(grade: &str, class: &str, always: bool) -> String {
    let is_own_name =
        class.chars().count() > 3 || class.chars().filter(|letter| letter.is_alphabetic()).count() > 1;
    if grade.is_empty() || class.is_empty() || has_its_grade(grade, class) || (!always && is_own_name) {
        return class.to_owned();
    }
    let is_digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
    let is_latin = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphabetic());
    let (last, first) = (grade.chars().last(), class.chars().next());
    let between = match (is_digit(last), is_digit(first)) {
        (true, true) => "-",
        _ if is_latin(last) && (is_latin(first) || is_digit(first)) => " ",
        _ => "",
    };
    format!("{grade}{between}{class}")
}

/// `7A`, `7-2` and `7年2班` are of grade 7; `7`, `71` and `7班` are classes of any grade, and of grade 7 among others.
fn has_its_grade(grade: &str, class: &str) -> bool {
    if grade_begins(grade, class) {
        return true;
    }
    // 高一年级 and 高一(1)班, 七年级 and 7（1）班: one grade in other words.
    let Some((of_class, rest)) = leading_grade(class) else { return false };
    let goes_on = rest.starts_with(['(', '（', '-', '.', '年', '级', '級']) || of_class.is_named;
    goes_on && whole_grade(grade).is_some_and(|number| number == of_class.number)
}

fn grade_begins(grade: &str, class: &str) -> bool {
    // `Year 7` and `Grade 07` are said by their number.
    let number = grade.rsplit(' ').next().unwrap_or_default().trim_start_matches('0');
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && number != grade && grade_begins(number, class) {
        return true;
    }
    // `7. Klasse`, `Klasse7`, `G7`: what is beside the number says nothing.
    if let Some(number) = number_of_grade(grade).filter(|number| number != grade)
        && grade_begins(&number, class)
    {
        return true;
    }
    let Some(rest) = class.strip_prefix(grade) else { return false };
    if !grade.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let next = rest.chars().next();
    next.is_some_and(|next| {
        next.is_ascii_alphabetic()
            || matches!(next, '-' | '.' | '/' | '_' | ' ' | '(' | '（' | '年' | '级' | '級' | '학')
    })
}

/// The number in a grade whose other words mean no more than grade.
fn number_of_grade(grade: &str) -> Option<String> {
    const WORDS: [&str; 14] = [
        "grade",
        "year",
        "klasse",
        "jahrgangsstufe",
        "jahrgang",
        "stufe",
        "class",
        "form",
        "g",
        "y",
        "kl",
        "年级",
        "年級",
        "学年",
    ];
    let lower = grade.to_lowercase();
    let word: String = lower.chars().filter(|letter| letter.is_alphabetic()).collect();
    let digits = lower.trim_matches(|letter: char| !letter.is_ascii_digit()).trim_start_matches('0');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && WORDS.contains(&word.as_str())).then(|| digits.to_owned())
}

/// Whether a class begins with its grade: 高一1班, 七(1)班, `7A` and `7-2`; 1班 does not.
pub(super) fn says_grade(class: &str) -> bool {
    let Some((grade, rest)) = leading_grade(class) else { return false };
    let next = rest.chars().next();
    grade.is_named
        || next.is_some_and(|next| {
            next.is_ascii_alphabetic()
                || matches!(next, '(' | '（' | '-' | '.' | '/' | '年' | '级' | '級' | '학')
        })
}

/// A grade that begins the name of a class.
struct LeadingGrade {
    number: u32,
    /// It says which school it is of, as 高一 does.
    is_named: bool,
}

/// The whole of a Chinese grade as a number of years: 七年级, 初一 and 7年级 are 7, 高一年级 is 10.
fn whole_grade(grade: &str) -> Option<u32> {
    let (found, rest) = leading_grade(grade)?;
    matches!(rest, "" | "年级" | "年級" | "级" | "級" | "年").then_some(found.number)
}

fn leading_grade(text: &str) -> Option<(LeadingGrade, &str)> {
    for (school, years) in [("高", 9), ("初", 6), ("小", 0)] {
        if let Some(rest) = text.strip_prefix(school) {
            let (number, rest) = leading_number(rest)?;
            let number = number.checked_add(years)?;
            return Some((LeadingGrade { number, is_named: true }, rest));
        }
    }
    let (number, rest) = leading_number(text)?;
    Some((LeadingGrade { number, is_named: false }, rest))
}

/// A number up to twelve, in Chinese, full-width or ordinary digits.
fn leading_number(text: &str) -> Option<(u32, &str)> {
    const NUMBERS: [&str; 12] = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"];
    let place = NUMBERS.iter().rposition(|number| text.starts_with(number));
    if let Some((at, rest)) = place.and_then(|at| Some((at, text.strip_prefix(*NUMBERS.get(at)?)?))) {
        return Some((u32::try_from(at).ok()?.checked_add(1)?, rest));
    }
    let is_digit = |letter: char| letter.is_ascii_digit() || ('０'..='９').contains(&letter);
    let rest = text.trim_start_matches(is_digit);
    let digits: String = text.chars().take_while(|letter| is_digit(*letter)).collect();
    let value =
        |letter: char| u32::from(letter).checked_sub(if letter.is_ascii_digit() { 0x30 } else { 0xff10 });
    let number =
        digits.chars().try_fold(0_u32, |sum, letter| sum.checked_mul(10)?.checked_add(value(letter)?))?;
    (!digits.is_empty() && (1..=12).contains(&number)).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_said_in_the_order_of_its_language() {
        for (given, middle, family, is_family_first, name) in [
            ("Ada", "", "Lovelace", false, "Ada Lovelace"),
            ("小明", "", "王", false, "王小明"),
            ("太郎", "", "山田", true, "山田太郎"),
            ("민수", "", "김", true, "김민수"),
            ("Minsu", "", "Kim", true, "Kim Minsu"),
            ("Ana  María", "", "García López", false, "Ana María García López"),
            ("", "", "Pelé", false, "Pelé"),
            ("小明", "", "", false, "小明"),
        ] {
            assert_eq!(full_name([given, middle, family], is_family_first), name);
        }
        assert_eq!(joined(&["Lovelace", "Ada"]), "Lovelace Ada");
        assert_eq!(joined(&["王", "小明"]), "王小明");
    }

    #[test]
    fn a_name_that_begins_or_ends_with_a_part_and_says_more_is_whole() {
        for (name, part, is_whole) in [
            ("Ada Lovelace", "ada", true),
            ("Lovelace, Ada", "Ada", true),
            ("Ada Lovelace", "Lovelace", true),
            ("김민수", "김", true),
            ("Lee", "Lee", false),
            ("Adamson", "Ada", false),
            ("Lovelace", "Ada", false),
            ("Lovelace", "", false),
            ("민수", "김", false),
        ] {
            assert_eq!(is_whole_of(name, part), is_whole, "{name} {part}");
        }
    }

    #[test]
    fn a_class_is_named_within_its_grade() {
        for (grade, class, name) in [
            ("高一", "1班", "高一1班"),
            ("高一", "高一1班", "高一1班"),
            ("3", "2", "3-2"),
            ("1", "A", "1A"),
            ("", "2班", "2班"),
            ("高一", "", ""),
            ("1", "1", "1-1"),
            ("2", "21", "2-21"),
            ("1", "10班", "1-10班"),
            ("10", "10班", "10-10班"),
            ("7", "7A", "7A"),
            ("7", "7年2班", "7年2班"),
            ("1º ESO", "A", "1º ESO A"),
            ("1º ESO", "1A", "1º ESO 1A"),
            ("高一年级", "高一(1)班", "高一(1)班"),
            ("高一年级", "高一1班", "高一1班"),
            ("高一", "高1(2)班", "高1(2)班"),
            ("七年级", "七(1)班", "七(1)班"),
            ("七年级", "7（1）班", "7（1）班"),
            ("初一", "七(1)班", "七(1)班"),
            ("7年级", "七年级1班", "七年级1班"),
            ("高一年级", "1班", "高一年级1班"),
            ("高一年级", "高二(1)班", "高一年级高二(1)班"),
            ("七年级", "七班", "七年级七班"),
            ("2024级", "高一(1)班", "2024级高一(1)班"),
            ("Klasse 7", "7a", "7a"),
            ("7. Klasse", "7b", "7b"),
        ] {
            assert_eq!(class_of_grade(grade, class, true), name);
        }
        for (grade, class, name) in [
            ("Year 7", "7B", "7B"),
            ("Grade 07", "7B", "7B"),
            ("07", "7B", "7B"),
            ("Year 7", "B", "Year 7B"),
            ("7", "1", "7-1"),
            ("8", "b", "8b"),
            ("7", "Oak", "Oak"),
            ("7", "Room 12", "Room 12"),
        ] {
            assert_eq!(class_of_grade(grade, class, false), name);
        }
    }
}
