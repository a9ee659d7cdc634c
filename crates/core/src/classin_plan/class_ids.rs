//! Class ids that are gone from the roster. A class without one stands for its whole course, so an emptied cell would enrol its
//! students in every lesson.

use std::collections::{BTreeMap, BTreeSet};

use crate::roster::{Class, ClassCode, ClassTarget, CourseId, RosterProblem};

/// What is remembered of one class of the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberedClass {
    /// The ids that it has, or had.
    pub target: ClassTarget,
    /// Whether its `class_id` was lost beside others and given back. So it stays until the class is mended, has another course
    /// or another code: that the others were mended first says nothing about it.
    pub is_kept: bool,
}

/// The classes of the roster by their codes.
pub type RememberedClasses = BTreeMap<ClassCode, RememberedClass>;

/// Gives classes the `class_id` back that they had when they were last read, where others of the course have theirs or others lost
/// theirs too: then it is a slip, and the class stays what it was. Says which, for whoever enters ids, and what is to be
/// remembered.
///
/// The only class of a course that alone has lost it is taken at its word: it may be meant to be the whole course.
pub fn keep_lost_class_ids(
    classes: &mut [Class],
    before: &RememberedClasses,
) -> (Vec<RosterProblem>, RememberedClasses) {
    let mut of_course: BTreeMap<CourseId, BTreeSet<ClassTarget>> = BTreeMap::new();
    for class in classes.iter() {
        let targets = [class.target.filter(|target| target.class.is_some()), lost(class, before)];
        for target in targets.into_iter().flatten() {
            of_course.entry(target.course).or_default().insert(target);
        }
    }
    let all_lost: BTreeSet<ClassTarget> = classes.iter().filter_map(|class| lost(class, before)).collect();
    let mut problems = Vec::new();
    let mut kept = BTreeSet::new();
    for class in classes.iter_mut() {
        let Some(target) = lost(class, before) else { continue };
        let is_only = of_course.get(&target.course).is_none_or(|targets| targets.len() < 2);
        let was_kept = before.get(&class.code).is_some_and(|it| it.is_kept);
        if is_only && all_lost.len() < 2 && !was_kept {
            continue;
        }
        class.target = Some(target);
        kept.insert(class.code.clone());
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
    let remembered = remembered(classes, before, &kept);
    (problems, remembered)
}

/// The class that a row named before, where it names the whole course now.
fn lost(class: &Class, before: &RememberedClasses) -> Option<ClassTarget> {
    let target = class.target.filter(|target| target.class.is_none())?;
    let had = before.get(&class.code).map(|it| it.target);
    had.filter(|it| it.course == target.course && it.class.is_some())
}

/// The ids of the classes, and of those that have none now what was known `before`.
fn remembered(
    classes: &[Class],
    before: &RememberedClasses,
    kept: &BTreeSet<ClassCode>,
) -> RememberedClasses {
    let ids = classes.iter().filter_map(|class| {
        let now = class.target.map(|target| RememberedClass { target, is_kept: kept.contains(&class.code) });
        Some((class.code.clone(), now.or_else(|| before.get(&class.code).copied())?))
    });
    ids.collect()
}

/// Classes whose row has lost all its ids: who is to be in them is in no class that is mirrored, until they are entered again.
#[must_use]
pub fn lost_all_ids<'a>(classes: &'a [Class], before: &RememberedClasses) -> Vec<&'a ClassCode> {
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

    /// What is remembered once these have been read.
    fn read(rows: &[(&str, i64, i64)], before: &RememberedClasses) -> RememberedClasses {
        keep_lost_class_ids(&mut classes(rows), before).1
    }

    /// The codes that are told, and the class ids that all have then.
    fn kept(before: &[(&str, i64, i64)], now: &[(&str, i64, i64)]) -> (Vec<String>, Vec<i64>) {
        kept_after(&read(before, &BTreeMap::new()), now)
    }

    fn kept_after(before: &RememberedClasses, now: &[(&str, i64, i64)]) -> (Vec<String>, Vec<i64>) {
        let mut now = classes(now);
        let (problems, _) = keep_lost_class_ids(&mut now, before);
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
    fn a_class_id_that_was_lost_beside_others_is_kept_until_the_class_itself_is_mended_or_decided_about() {
        let all = [("a", 1, 5), ("c", 2, 7)];
        let lost = read(&[("a", 1, 0), ("c", 2, 0)], &read(&all, &BTreeMap::new()));
        let of_a = (vec!["a".to_owned()], vec![5, 7]);
        assert_eq!(kept_after(&lost, &[("a", 1, 0), ("c", 2, 7)]), of_a, "the other one is mended");
        assert_eq!(kept_after(&lost, &[("a", 1, 0)]), (vec!["a".into()], vec![5]), "and gone");
        let later = read(&[("a", 1, 0), ("c", 2, 7)], &lost);
        assert_eq!(kept_after(&later, &[("a", 1, 0), ("c", 2, 7)]), of_a, "in the next run too");
        let bare = Class { target: None, ..classes(&[("a", 1, 0)]).remove(0) };
        let (_, bare) = keep_lost_class_ids(&mut [bare], &later);
        assert_eq!(
            kept_after(&bare, &[("a", 1, 0)]),
            (vec!["a".into()], vec![5]),
            "without any id meanwhile"
        );
        assert_eq!(kept_after(&later, &[("all", 1, 0), ("c", 2, 7)]), (vec![], vec![0, 7]), "another code");
        assert_eq!(kept_after(&later, &[("a", 3, 0), ("c", 2, 7)]), (vec![], vec![0, 7]), "another course");
        let mended = read(&all, &later);
        assert_eq!(kept_after(&mended, &[("a", 1, 0), ("c", 2, 7)]), (vec![], vec![0, 7]), "mended before");
    }

    #[test]
    fn what_is_told_names_the_class_id_that_it_had() {
        let mut now = classes(&[("a", 1, 0), ("b", 1, 6)]);
        let before = read(&[("a", 1, 5)], &BTreeMap::new());
        let (problems, _) = keep_lost_class_ids(&mut now, &before);
        assert!(problems[0].what.contains("was 5"), "{problems:?}");
        assert_eq!(problems[0].table, "classes");
    }

    #[test]
    fn a_class_that_lost_all_its_ids_is_known_until_it_has_some_again_and_one_that_never_had_any_is_not() {
        let bare =
            |code: &str| Class { code: ClassCode::new(code), title: String::new(), target: None, flaw: None };
        let before = read(&[("a", 1, 5), ("whole", 2, 0)], &BTreeMap::new());
        let mut now = [bare("a"), bare("whole"), bare("never")];
        let lost = [ClassCode::new("a"), ClassCode::new("whole")];
        assert_eq!(lost_all_ids(&now, &before), [&lost[0], &lost[1]]);
        let (_, later) = keep_lost_class_ids(&mut now, &before);
        assert_eq!(lost_all_ids(&now, &later), [&lost[0], &lost[1]], "in the next run too");
        let again = read(&[("a", 1, 5)], &later);
        assert_eq!(lost_all_ids(&[bare("whole")], &again), Vec::<&ClassCode>::new(), "its row was gone");
    }
}
