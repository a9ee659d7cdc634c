//! Class ids that are gone from the roster. A class without one stands for its whole course, so an emptied cell would enrol its
//! students in every lesson.

use std::collections::{BTreeMap, BTreeSet};

use crate::roster::{Class, ClassCode, ClassTarget, CourseId, RosterProblem};

/// Gives classes the `class_id` back that they had when they were last read, where others of the course have theirs or others lost
/// theirs too: then it is a slip, and the class stays what it was. Says which, for whoever enters ids.
///
/// The only class of a course that alone has lost it is taken at its word: it may be meant to be the whole course.
pub fn keep_lost_class_ids(
    classes: &mut [Class],
    before: &BTreeMap<ClassCode, ClassTarget>,
) -> Vec<RosterProblem> {
    let mut of_course: BTreeMap<CourseId, BTreeSet<ClassTarget>> = BTreeMap::new();
    for class in classes.iter() {
        let targets = [class.target.filter(|target| target.class.is_some()), lost(class, before)];
        for target in targets.into_iter().flatten() {
            of_course.entry(target.course).or_default().insert(target);
        }
    }
    let all_lost: BTreeSet<ClassTarget> = classes.iter().filter_map(|class| lost(class, before)).collect();
    let mut problems = Vec::new();
    for class in classes {
        let Some(target) = lost(class, before) else { continue };
        let is_only = of_course.get(&target.course).is_none_or(|targets| targets.len() < 2);
        if is_only && all_lost.len() < 2 {
            continue;
        }
        class.target = Some(target);
        let class_id = target.class.map_or(0, |class| class.0);
        problems.push(RosterProblem {
            table: "classes",
            key: class.code.as_str().to_owned(),
            what: format!(
                "class_id is empty and was {class_id}: without one a class is the whole course ({}), so it stays what it was. \
                 Enter {class_id} again, or, where it is to be the whole course, give it another class_code",
                target.course
            ),
        });
    }
    problems
}

/// The class that a row named before, where it names the whole course now.
fn lost(class: &Class, before: &BTreeMap<ClassCode, ClassTarget>) -> Option<ClassTarget> {
    let target = class.target.filter(|target| target.class.is_none())?;
    before.get(&class.code).copied().filter(|it| it.course == target.course && it.class.is_some())
}

/// What is to be remembered of the classes: their ids, and of those that have none now the ids that they had `before`.
#[must_use]
pub fn class_ids(
    classes: &[Class],
    before: &BTreeMap<ClassCode, ClassTarget>,
) -> BTreeMap<ClassCode, ClassTarget> {
    let ids = classes.iter().filter_map(|class| {
        let target = class.target.or_else(|| before.get(&class.code).copied())?;
        Some((class.code.clone(), target))
    });
    ids.collect()
}

/// Classes whose row has lost all its ids: who is to be in them is in no class that is mirrored, until they are entered again.
#[must_use]
pub fn lost_all_ids<'a>(
    classes: &'a [Class],
    before: &BTreeMap<ClassCode, ClassTarget>,
) -> Vec<&'a ClassCode> {
    let without = classes.iter().filter(|class| class.target.is_none() && class.flaw.is_none());
    without.map(|class| &class.code).filter(|code| before.contains_key(*code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::ClassId;

    fn target(course: i64, class: i64) -> ClassTarget {
        ClassTarget { course: CourseId(course), class: (class != 0).then_some(ClassId(class)) }
    }

    fn classes(rows: &[(&str, i64, i64)]) -> Vec<Class> {
        let class = |(code, course, class): &(&str, i64, i64)| Class {
            code: ClassCode::new(*code),
            title: String::new(),
            target: Some(target(*course, *class)),
            flaw: None,
        };
        rows.iter().map(class).collect()
    }

    /// The codes that are told, and the class ids that all have then.
    fn kept(before: &[(&str, i64, i64)], now: &[(&str, i64, i64)]) -> (Vec<String>, Vec<i64>) {
        let mut now = classes(now);
        let before = class_ids(&classes(before), &BTreeMap::new());
        let problems = keep_lost_class_ids(&mut now, &before);
        let ids = now.iter().map(|one| one.target.and_then(|it| it.class).map_or(0, |class| class.0));
        (problems.into_iter().map(|problem| problem.key).collect(), ids.collect())
    }

    #[test]
    fn a_class_id_that_is_gone_is_kept_while_another_class_of_the_course_has_or_had_one() {
        let before = [("a", 1, 5), ("b", 1, 6), ("c", 2, 7)];
        assert_eq!(kept(&before, &before), (vec![], vec![5, 6, 7]));
        assert_eq!(
            kept(&before, &[("a", 1, 0), ("b", 1, 6), ("c", 2, 7)]),
            (vec!["a".into()], vec![5, 6, 7])
        );
        let both = (vec!["a".to_owned(), "b".to_owned()], vec![5, 6, 7]);
        assert_eq!(kept(&before, &[("a", 1, 0), ("b", 1, 0), ("c", 2, 7)]), both);
        let alone = [("a", 1, 5), ("c", 2, 7)];
        let both = (vec!["a".to_owned(), "c".to_owned()], vec![5, 7]);
        assert_eq!(kept(&alone, &[("a", 1, 0), ("c", 2, 0)]), both, "a column that was emptied");
        assert_eq!(kept(&before, &[("a", 1, 0), ("new", 1, 9)]), (vec!["a".into()], vec![5, 9]));
    }

    #[test]
    fn the_only_class_of_a_course_and_one_of_another_course_or_code_are_taken_at_their_word() {
        let before = [("a", 1, 5), ("b", 1, 6), ("c", 2, 7)];
        assert_eq!(kept(&before, &[("a", 1, 5), ("b", 1, 6), ("c", 2, 0)]), (vec![], vec![5, 6, 0]));
        assert_eq!(kept(&before, &[("a", 3, 0), ("b", 1, 6)]), (vec![], vec![0, 6]), "another course");
        assert_eq!(kept(&before, &[("all", 1, 0), ("b", 1, 6)]), (vec![], vec![0, 6]), "another code");
        assert_eq!(kept(&before, &[("a", 1, 0)]), (vec![], vec![0]), "the only one that is left");
        let twice = [("a", 1, 5), ("again", 1, 5)];
        assert_eq!(
            kept(&twice, &[("a", 1, 0), ("again", 1, 0)]),
            (vec![], vec![0, 0]),
            "two names of one class"
        );
    }

    #[test]
    fn what_is_told_names_the_class_id_that_it_had() {
        let mut now = classes(&[("a", 1, 0), ("b", 1, 6)]);
        let before = class_ids(&classes(&[("a", 1, 5)]), &BTreeMap::new());
        let problems = keep_lost_class_ids(&mut now, &before);
        assert!(problems[0].what.contains("was 5"), "{problems:?}");
        assert_eq!(problems[0].table, "classes");
    }

    #[test]
    fn a_class_that_lost_all_its_ids_is_known_until_it_has_some_again_and_one_that_never_had_any_is_not() {
        let bare =
            |code: &str| Class { code: ClassCode::new(code), title: String::new(), target: None, flaw: None };
        let before = class_ids(&classes(&[("a", 1, 5), ("whole", 2, 0)]), &BTreeMap::new());
        let now = [bare("a"), bare("whole"), bare("never")];
        let lost = [ClassCode::new("a"), ClassCode::new("whole")];
        assert_eq!(lost_all_ids(&now, &before), [&lost[0], &lost[1]]);
        let later = class_ids(&now, &before);
        assert_eq!(lost_all_ids(&now, &later), [&lost[0], &lost[1]], "in the next run too");
        let again = class_ids(&classes(&[("a", 1, 5)]), &later);
        assert_eq!(lost_all_ids(&[bare("whole")], &again), Vec::<&ClassCode>::new(), "its row was gone");
    }
}
