//! Headings of two lines: a line of groups above the heading (学生 | 父亲 | 母亲), or a second line below cells that are merged
//! over several columns (联系方式 above 手机 and 邮箱).

use crate::header_words::{known, names_others, names_others_alone};
use crate::heading::Heading;

/// Longer texts, in letters, are no name of a group of columns.
const LONGEST_GROUP: usize = 20;
/// Longer texts, in bytes, are no word for a column.
const LONGEST_WORD: usize = 60;
/// What a title has, and the name of a group of columns has not.
const TITLES: [&str; 6] = ["表", "单", "單", "册", "list", "liste"];

/// The names of a heading below a line that says of whom its columns are; those of other people carry that with them, so that
/// no word takes them for the student's. `None` where the line says no such thing.
pub(super) fn below_a_group_line(
    above: &[String],
    names: &[String],
    heading: &Heading,
) -> Option<Vec<String>> {
    let mut groups = above.iter().enumerate().filter(|(_, text)| !text.is_empty());
    // 班主任：王老师 is a note above the table, and no group of columns.
    let is_group = |text: &str| {
        text.chars().count() <= LONGEST_GROUP && !text.contains([':', '：']) && known(text).is_none()
    };
    let (first, first_text) = groups.next()?;
    let is_alone = groups.next().is_none();
    let is_title = first == 0
        || TITLES.iter().any(|word| first_text.to_lowercase().contains(word))
        || !names_others_alone(first_text);
    if is_alone && is_title {
        return None;
    }
    let mut is_said = false;
    let together = names.iter().zip(filled(above, names.len())).enumerate().map(|(at, (name, group))| {
        let is_students = known(name).is_some_and(|word| {
            matches!(word.column, "student_id" | "grade" | "section" | "group_code" | "active")
        });
        let is_id = is_students || heading.names.get(at).is_some_and(|ours| ours == "student_id");
        if name.is_empty() || is_id || !is_group(group) || !names_others(group) {
            return name.clone();
        }
        is_said = true;
        format!("{group} {name}")
    });
    let together: Vec<String> = together.collect();
    is_said.then_some(together)
}

/// The names of two lines that are one heading: the lower ones where there are any. `None` where the lower line is none of a
/// heading. Where the upper line alone is an acceptable heading, the lower one names no id: a row that has one is a student's.
pub(super) fn with_second_line(
    above: &[String],
    below: &[String],
    heading: Option<&Heading>,
) -> Option<Vec<String>> {
    let cell = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
    let width = above.len().max(below.len());
    let is_lower = |at: usize| !cell(below, at).is_empty() && cell(below, at) != cell(above, at);
    let lower: Vec<usize> = (0..width).filter(|at| is_lower(*at)).collect();
    let is_word = |text: &str| {
        known(text).is_some()
            || (text.len() <= LONGEST_WORD && !text.contains(|letter: char| letter.is_numeric()))
    };
    let are_words = lower.iter().all(|at| is_word(&cell(below, *at)));
    let is_heading = lower.iter().any(|at| known(&cell(below, *at)).is_some());
    let is_of_a_student = match heading {
        Some(heading) => {
            lower.iter().any(|at| heading.names.get(*at).is_some_and(|ours| ours == "student_id"))
        }
        None => !above.iter().any(|name| known(name).is_some()),
    };
    if !are_words || !is_heading || is_of_a_student {
        return None;
    }
    let groups = filled(above, width);
    let together = (0..width).zip(groups).map(|(at, group)| {
        if !lower.contains(&at) {
            cell(above, at)
        } else if names_others(group) && known(group).is_none() {
            format!("{group} {}", cell(below, at))
        } else {
            cell(below, at)
        }
    });
    Some(together.collect())
}

/// A line of groups, each for the columns up to the next.
fn filled(above: &[String], width: usize) -> Vec<&str> {
    let mut group = "";
    (0..width)
        .map(|at| {
            group = above.get(at).map(String::as_str).filter(|text| !text.is_empty()).unwrap_or(group);
            group
        })
        .collect()
}
