//! What people call a class: by its title and its code. ClassIn's ids stand behind it, for whoever mends them.

use std::collections::{BTreeMap, BTreeSet};

use crate::roster::{Class, ClassCode, ClassTarget, normalise_key};

/// What the roster calls a class, or called it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassName {
    /// The school's code.
    pub code: ClassCode,
    /// Its everyday name, in one line.
    pub title: String,
}

/// The names by ClassIn's ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassNames(BTreeMap<ClassTarget, ClassName>);

impl FromIterator<(ClassTarget, ClassName)> for ClassNames {
    fn from_iter<I: IntoIterator<Item = (ClassTarget, ClassName)>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl ClassNames {
    /// Every name, in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (&ClassTarget, &ClassName)> {
        self.0.iter()
    }

    /// The names that the roster has now, beside what was remembered of the classes that it does not name any more. Of several
    /// codes for one target the first counts.
    #[must_use]
    pub fn renewed(&self, classes: &[Class], recorded: &BTreeSet<ClassTarget>) -> Self {
        let mut names: BTreeMap<ClassTarget, ClassName> = self
            .0
            .iter()
            .filter(|(target, _)| recorded.contains(target))
            .map(|(t, n)| (*t, n.clone()))
            .collect();
        let mut named = BTreeSet::new();
        let mut classes: Vec<&Class> = classes.iter().collect();
        classes.sort_by_key(|class| &class.code);
        for class in classes {
            let Some(target) = class.target.filter(|target| named.insert(*target)) else { continue };
            let name = ClassName { code: class.code.clone(), title: in_one_line(&class.title) };
            names.insert(target, name);
        }
        Self(names)
    }

    /// `class M10 "Mathematics 10" (course 5 class 7)`; by ids alone where nobody ever named it.
    #[must_use]
    pub fn spoken(&self, target: ClassTarget) -> String {
        match self.0.get(&target) {
            Some(name) => format!("{} {} ({target})", target.noun(), name.spoken()),
            None => target.to_string(),
        }
    }

    /// ` "Mathematics 10"`, to stand behind the code of a class; nothing where the title says no more than the code.
    #[must_use]
    pub fn title_of(&self, target: ClassTarget) -> String {
        self.0.get(&target).map(ClassName::titled).unwrap_or_default()
    }

    /// How a class that no row names any more was called: `M10 "Mathematics 10"`.
    #[must_use]
    pub fn code_and_title(&self, target: ClassTarget) -> Option<String> {
        self.0.get(&target).map(ClassName::spoken)
    }
}

impl ClassName {
    fn titled(&self) -> String {
        let says_more = !self.title.is_empty() && self.title != self.code.as_str();
        if says_more { format!(" \"{}\"", self.title) } else { String::new() }
    }

    fn spoken(&self) -> String {
        format!("{}{}", self.code, self.titled())
    }
}

/// Without what nobody sees or what would end the line.
fn in_one_line(title: &str) -> String {
    let visible: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    normalise_key(&visible).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{ClassId, CourseId};

    fn class(code: &str, title: &str, id: i64) -> Class {
        let target = ClassTarget { course: CourseId(5), class: Some(ClassId(id)) };
        Class { code: ClassCode::new(code), title: title.to_owned(), target: Some(target), flaw: None }
    }

    #[test]
    fn a_class_is_told_by_code_and_title_also_when_no_row_names_it_any_more() {
        let at = |id| ClassTarget { course: CourseId(5), class: Some(ClassId(id)) };
        let rows = [class("M10", " Mathematics\n10 ", 7), class("A", "A", 8), class("B", "old", 9)];
        let names = ClassNames::default().renewed(&rows, &BTreeSet::new());
        assert_eq!(names.spoken(at(7)), "class M10 \"Mathematics 10\" (course 5 class 7)");
        assert_eq!(names.spoken(at(8)), "class A (course 5 class 8)");
        assert_eq!(names.spoken(at(1)), "course 5 class 1");
        let later = names.renewed(&rows[1..2], &BTreeSet::from([at(7)]));
        assert_eq!(later.code_and_title(at(7)).as_deref(), Some("M10 \"Mathematics 10\""), "recorded still");
        assert_eq!(later.code_and_title(at(9)), None, "nothing is recorded there");
    }
}
