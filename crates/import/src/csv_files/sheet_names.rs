//! What the name of a sheet says of the people in it.

use jiff::civil::Date;

/// Words, anywhere in a name, for people who have left and for samples.
const LEFT: [&str; 58] = [
    "转出",
    "轉出",
    "离校",
    "離校",
    "退学",
    "退學",
    "毕业生",
    "畢業生",
    "已毕业",
    "已畢業",
    "往届",
    "往屆",
    "流失",
    "休学",
    "作废",
    "作廢",
    "删除",
    "刪除",
    "备份",
    "備份",
    "旧名单",
    "舊名單",
    "历史名单",
    "历史数据",
    "历史学生",
    "示例",
    "样例",
    "样表",
    "範例",
    "模板",
    "填写说明",
    "withdrawn",
    "leavers",
    "former students",
    "ex-students",
    "graduates",
    "alumni",
    "example",
    "examples",
    "sample",
    "samples",
    "template",
    "templates",
    "abgänger",
    "ehemalige",
    "beispiel",
    "beispiele",
    "beispieldaten",
    "beispielschüler",
    "vorlage",
    "vorlagen",
    "importvorlage",
    "egresados",
    "転出",
    "卒業生",
    "전출",
    "졸업생",
    "퇴학",
];
/// Words that are names of other things too: they count where nothing else is said but what [`FILLERS`] are.
const LEFT_ALONE: [&str; 15] = [
    "left",
    "inactive",
    "exited",
    "deleted",
    "archive",
    "archived",
    "old",
    "backup",
    "graduated",
    "transferred",
    "archiv",
    "muster",
    "bajas",
    "sortis",
    "anciens",
];
/// Words that say no more of the people on a sheet.
const FILLERS: [&str; 24] = [
    "school",
    "list",
    "lists",
    "students",
    "student",
    "pupils",
    "pupil",
    "names",
    "roster",
    "data",
    "out",
    "the",
    "of",
    "all",
    "schüler",
    "schülerinnen",
    "liste",
    "élèves",
    "alumnos",
    "名单",
    "名單",
    "数据",
    "学生",
    "schools",
];
/// Names of sheets that sum up others.
const SUMMARIES: [&str; 53] = [
    "汇总",
    "汇总表",
    "彙總",
    "總表",
    "总表",
    "总名单",
    "总",
    "全部",
    "全校",
    "全校学生",
    "全年级",
    "全体",
    "全体学生",
    "全員",
    "全体名单",
    "所有学生",
    "合并",
    "all",
    "all students",
    "all pupils",
    "all classes",
    "everyone",
    "everybody",
    "total",
    "totals",
    "summary",
    "overview",
    "master",
    "master list",
    "whole school",
    "full list",
    "complete list",
    "combined",
    "gesamt",
    "gesamtliste",
    "gesamtübersicht",
    "alle",
    "alle schüler",
    "übersicht",
    "tous",
    "tous les élèves",
    "liste complète",
    "récapitulatif",
    "ensemble",
    "todos",
    "todos los alumnos",
    "resumen",
    "一覧",
    "全校生徒",
    "전체",
    "전체 학생",
    "총괄",
    "전교생",
];

/// Whether a sheet says by its name, among those of the workbook, that who stands in it has left or is a sample. `today` tells
/// whether a year of leavers has passed.
pub(super) fn holds_nobody(name: &str, all: &[String], today: Option<Date>) -> bool {
    let name = name.trim().to_lowercase();
    let words = words_of(&name);
    let in_words = format!(" {} ", words.join(" "));
    // Undergraduates are no graduates.
    let is_said = |word: &&str| match word.is_ascii() {
        true => in_words.contains(&format!(" {} ", words_of(word).join(" "))),
        false => name.contains(*word),
    };
    if LEFT.iter().any(is_said) {
        return true;
    }
    // 转学生 may be those who came.
    if name.contains("转学") || name.contains("轉學") {
        return !name.contains(['生', '入', '来', '來', '新']);
    }
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_filler = |word: &&str| FILLERS.contains(word) || is_number(word);
    let said: Vec<&str> = words.iter().filter(|word| !is_filler(word)).copied().collect();
    if let [word] = said.as_slice()
        && LEFT_ALONE.contains(word)
        && !words.contains(&"all")
    {
        return !has_its_opposite(word, all);
    }
    // Of those who come in a year 届 is said too.
    !name.contains('新')
        && today.is_some_and(|today| year_of_leavers(&name).is_some_and(|year| year < today.year()))
}

fn words_of(name: &str) -> Vec<&str> {
    name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Whether another of these sheets says the opposite, so that both tell groups apart: `Old` and `New`, `Left` and `Right`.
fn has_its_opposite(word: &str, all: &[String]) -> bool {
    const OPPOSITES: [(&str, &str); 2] = [("old", "new"), ("left", "right")];
    let opposite = OPPOSITES.iter().find(|(one, _)| *one == word).map(|(_, other)| *other);
    opposite.is_some_and(|other| all.iter().any(|name| words_of(&name.to_lowercase()).contains(&other)))
}

/// The year in which those of a sheet leave: `2025届`, `Class of 2025`.
fn year_of_leavers(name: &str) -> Option<i16> {
    let digits_before = |text: &str| -> String {
        let digits = text.trim_end().chars().rev().take_while(char::is_ascii_digit).collect::<Vec<_>>();
        digits.into_iter().rev().collect()
    };
    let of_word =
        ["届", "屆"].iter().find_map(|word| name.split_once(word)).map(|(before, _)| digits_before(before));
    let of_class = || {
        let (_, behind) = name.split_once("class of ")?;
        Some(behind.chars().take_while(char::is_ascii_digit).collect::<String>())
    };
    let year = of_word.or_else(of_class)?;
    if year.len() == 4 { year.parse().ok() } else { None }
}

/// Whether a sheet is called as those are that sum up others.
pub(super) fn is_summary(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    let name =
        name.trim_end_matches(|letter: char| letter.is_ascii_digit() || matches!(letter, ' ' | '(' | ')'));
    let bare = ["名单", "名單", "表"].iter().find_map(|word| name.strip_suffix(word)).unwrap_or(name);
    SUMMARIES.contains(&name) || SUMMARIES.contains(&bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_of_people_who_have_left_is_known_by_its_name() {
        let today = Some(jiff::civil::date(2026, 11, 28));
        let is_left = |name: &str| holds_nobody(name, &[], today);
        for name in [
            "已毕业",
            "转学",
            "往届",
            "流失",
            "作废",
            "删除",
            "备份",
            "旧名单",
            "Left",
            "Left school",
            "Inactive",
            "Exited",
            "Deleted",
            "Ex-students",
            "Archive",
            "Old",
            "Backup",
            "Archiv",
            "Bajas",
            "Egresados",
            "Sortis",
            "Anciens",
            "卒業生",
            "졸업생",
            "模板",
            "Template",
            "Samples",
            "Beispieldaten 2026",
            "Vorlage",
            "Muster",
            "2025届",
            "Old list 2024",
            "Inactive students",
            "Class of 2025",
            "高2025届",
            "Alumni 2025",
            "Transferred out",
            "Graduated",
        ] {
            assert!(is_left(name), "{name}");
        }
        for name in [
            "1班",
            "7A",
            "历史",
            "转学生",
            "2025届新生",
            "Undergraduates",
            "Postgraduates",
            "Samplers",
            "Sankt Beispielhausen",
            "Old Hall",
            "Goldsmith",
            "Archivistics",
            "Muster, Anna",
            "2026届",
            "2027届",
            "2025级",
            "转学生（转入）",
            "Left wing",
            "毕业班",
            "Class of 2026",
            "Backup dancers",
            "Transferred in",
            "All",
        ] {
            assert!(!is_left(name), "{name}");
        }
        assert!(!holds_nobody("2025届", &[], None), "without a day no year has passed");
        for (name, other) in [("Old Students", "New Students"), ("Left", "Right")] {
            let all = [name.to_owned(), other.to_owned()];
            assert!(!holds_nobody(name, &all, today), "two groups");
        }
    }

    #[test]
    fn a_sheet_that_sums_up_others_is_known_by_its_name() {
        for name in ["汇总", "汇总表", "All students", "Gesamt", "Total", "全校名单", "Summary (2)"]
        {
            assert!(is_summary(name), "{name}");
        }
        for name in ["1班", "Allen", "Total Physics", "高一"] {
            assert!(!is_summary(name), "{name}");
        }
    }
}
