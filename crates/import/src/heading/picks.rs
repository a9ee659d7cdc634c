//! Which of their columns known words make ours: the best word for each, ids and names before all.

use std::collections::BTreeMap;

use super::half_names::{is_family_or_whole, is_given_or_whole};
use super::{HeadingReader, OPTIONAL_COLUMNS, OWNER_COLUMNS, twice};
use crate::header_words::{KnownWord, Level, folded};
use crate::made::Made;
use crate::{in_quotes, shown};

/// Words for a class of which a section is a part.
const CLASSES_OF_SECTIONS: [&str; 4] = ["class", "classname", "std", "standard"];

/// Words for what a class stands within, beside its grade: folded.
const STAGES: [&str; 4] = ["学段", "學段", "学部", "學部"];
const YEARS_OF_ENTRY: [&str; 6] = ["级", "級", "入学年份", "入學年份", "入学年", "入学年度"];
const PROFESSIONS: [&str; 4] = ["专业", "專業", "专业名称", "專業名稱"];

/// The best word for each column of ours, and where it stands.
pub(super) type Picks = BTreeMap<&'static str, (KnownWord, usize)>;

impl HeadingReader<'_> {
    /// The best word for each column among those that are free.
    pub(super) fn pick(&mut self) -> Picks {
        let mut picks = Picks::new();
        let (mut doubled, mut rivals) = (Vec::new(), Vec::new());
        for (at, name) in self.theirs.iter().enumerate() {
            let Some(word) = super::known(name).filter(|_| !self.taken.get(at).copied().unwrap_or(true))
            else {
                continue;
            };
            if let Some((best, first)) = picks.get(word.column) {
                if best.rank == word.rank {
                    doubled.push((word.column, *first, at));
                } else if best.level == word.level && best.line != word.line {
                    rivals.push((word.column, *first, at));
                }
                if best.order() <= word.order() {
                    continue;
                }
            }
            picks.insert(word.column, (word, at));
        }
        for (column, first, second) in doubled {
            let is_best = picks.get(column).is_some_and(|(_, at)| *at == first);
            if !is_best || self.heading.has(column) || self.map.names(column) {
                continue;
            }
            let name = self.theirs.get(first).cloned().unwrap_or_default();
            if OPTIONAL_COLUMNS.contains(&column) {
                picks.remove(column);
                self.doubled.push((column, first, second));
            } else {
                self.heading.faults.push(twice(&name, first, second));
            }
        }
        for (column, first, second) in rivals {
            let is_best = picks
                .get(column)
                .is_some_and(|(word, at)| word.level == Level::Specific && [first, second].contains(at));
            let matters = matches!(column, "student_id" | "name");
            if is_best && matters && !self.heading.has(column) && !self.map.names(column) {
                self.refuse_rivals(column, first, second);
            }
        }
        picks
    }

    /// Two words of different languages that both could be the id or the name.
    fn refuse_rivals(&mut self, column: &str, first: usize, second: usize) {
        let name_of = |at: usize| shown(self.theirs.get(at).map(String::as_str).unwrap_or_default());
        let (one, other) = (name_of(first), name_of(second));
        let message = format!(
            "two columns could be the {column}, {one} ({}) and {other} ({}): say which, --map {} or --map {}",
            first + 1,
            second + 1,
            in_quotes(&format!("{column}={one}")),
            in_quotes(&format!("{column}={other}"))
        );
        self.fault(second, "two-columns", message);
    }

    pub(super) fn id_and_name(&mut self, picks: &Picks) {
        if let Some((_, at)) = picks.get("student_id")
            && !self.heading.has("student_id")
            && !self.map.names("student_id")
        {
            self.take(*at, "student_id");
        }
        if self.heading.has("name")
            || self.map.names("name")
            || (!self.map.is_empty() && self.place_of_own("name").is_some())
        {
            return;
        }
        let place = |column: &str| picks.get(column).map(|(_, at)| *at);
        let (given, family) = (place("given_name"), place("family_name"));
        // `Lovelace, Ada` serves where there is nothing better.
        let last_first = place("last_first").filter(|_| given.is_none() || family.is_none());
        let name = place("name").or(last_first);
        let is = |at: usize, may_be: fn(&str) -> bool| self.theirs.get(at).is_some_and(|word| may_be(word));
        // Full Name, 姓名 and the like are never a part.
        let (parts, part) = match (given, family, name) {
            (Some(given), Some(family), None) => ((given, family), None),
            // „Name, Vorname“, « Nom, Prénom », "Nombre, Apellidos": one of the two is named by the word for both.
            (Some(given), None, Some(name)) if is(name, is_family_or_whole) => ((given, name), Some(name)),
            (None, Some(family), Some(name)) if is(name, is_given_or_whole) => ((name, family), Some(name)),
            (_, _, Some(name)) => {
                self.refuse_half_name(name);
                return self.take(name, "name");
            }
            (Some(_), None, None) | (None, _, None) => return,
        };
        let is_family_first = ["family_name", "given_name"]
            .iter()
            .any(|part| picks.get(part).is_some_and(|(word, _)| word.is_family_first));
        let parts = [Some(parts.0), place("middle_name"), Some(parts.1), place("second_family_name")];
        self.make("name", Made::Name { parts, is_family_first, may_be_whole: part });
    }

    /// The class is the exam side's group, unless the mapping says what the group or the class is.
    pub(super) fn group(&mut self, picks: &Picks) {
        let is_said = OWNER_COLUMNS
            .iter()
            .any(|(column, _)| self.map.names(column) || self.place_of_own(column).is_some());
        if is_said {
            return;
        }
        let place = |column: &str| picks.get(column).map(|(_, at)| *at);
        let section = place("section");
        if let Some((_, class)) = picks.get("group_code")
            && self.class_within(*class, place("grade"))
        {
            return;
        }
        match (picks.get("group_code"), picks.get("grade")) {
            (Some((_, class)), Some((word, grade))) => {
                let always = word.is_family_first;
                self.make("group_code", Made::Class { grade: *grade, class: *class, always });
            }
            (Some((_, class)), None) => {
                let word = self.theirs.get(*class).map(|word| folded(word)).unwrap_or_default();
                match section.filter(|_| CLASSES_OF_SECTIONS.contains(&word.as_str())) {
                    Some(section) => {
                        let made = Made::Class { grade: *class, class: section, always: true };
                        self.make("group_code", made);
                    }
                    None => self.take(*class, "group_code"),
                }
            }
            (None, Some((_, grade))) => {
                if let Some(section) = section {
                    let made = Made::Class { grade: *grade, class: section, always: true };
                    self.make("group_code", made);
                }
            }
            (None, None) => {}
        }
    }

    /// A Chinese class beside its stage, year of entry or profession, of which each has a 1班.
    fn class_within(&mut self, class: usize, grade: Option<usize>) -> bool {
        let place = |words: &[&str]| {
            let is_free = |at: usize| !self.taken.get(at).copied().unwrap_or(true);
            let mut places = (0..self.theirs.len()).filter(|at| is_free(*at));
            places.find(|at| self.theirs.get(*at).is_some_and(|word| words.contains(&folded(word).as_str())))
        };
        // A grade says more than a stage or a year.
        let of_grade = [place(&STAGES), place(&YEARS_OF_ENTRY)].map(|at| at.filter(|_| grade.is_none()));
        let [stage, year] = of_grade;
        let profession = place(&PROFESSIONS);
        if [stage, year, profession].iter().all(Option::is_none) {
            return false;
        }
        let parts: Vec<usize> = [stage, year, grade, profession].into_iter().flatten().collect();
        let word = |at: usize| shown(self.theirs.get(at).map(String::as_str).unwrap_or_default());
        let within: Vec<String> = parts.iter().map(|at| word(*at)).collect();
        let message = format!(
            "classes such as 1班 in the column {} are read within {}, as each of them has its own (--map {} takes the class alone)",
            word(class),
            within.join(", "),
            in_quotes(&format!("group_code={}", word(class)))
        );
        self.heading.notes.push(message);
        self.make("group_code", Made::ClassWithin { parts, class });
        true
    }
}
