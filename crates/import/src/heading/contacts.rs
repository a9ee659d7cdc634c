//! Contacts that may be somebody else's than the student's: none of them is taken unasked.

use super::HeadingReader;
use super::picks::Picks;
use crate::header_words::{is_contact, is_students_own, known, names_others};
use crate::{in_quotes, shown};

impl HeadingReader<'_> {
    /// Leaves out contacts beside a column of somebody else that has no contact with a word of its own, as in 监护人, 关系, 手机.
    pub(super) fn leave_others_contacts(&mut self, picks: &mut Picks) {
        for column in ["phone", "email"] {
            let Some((_, at)) = picks.get(column).copied() else { continue };
            let is_own = self.theirs.get(at).is_some_and(|header| is_students_own(header));
            if let Some(others) = self.others_before(at).filter(|_| !is_own) {
                picks.remove(column);
                self.doubtful.push((column, at, others));
            }
        }
    }

    /// The column of somebody else that a contact follows, with nothing of the student between.
    fn others_before(&self, at: usize) -> Option<usize> {
        for (before, header) in self.theirs.iter().enumerate().take(at).rev() {
            match known(header) {
                Some(word) if matches!(word.column, "phone" | "email") => {}
                Some(_) => return None,
                None if names_others(header) => return (!is_contact(header)).then_some(before),
                None => {}
            }
        }
        None
    }

    /// Says which contacts were not taken, as two columns have one word or as they may be somebody else's, and the options that
    /// take them.
    pub(super) fn tell_doubled(&mut self) {
        let name_of = |at: usize| shown(self.theirs.get(at).map(String::as_str).unwrap_or_default());
        let firsts = self.doubled.iter().map(|(column, first, _)| format!("{column}={}#1", name_of(*first)));
        // Beside a mapping, words find no more than id, name and class.
        let own = self.heading.names.iter().enumerate().filter(|(_, name)| {
            matches!(name.as_str(), "gender" | "phone" | "email" | "active" | "classin_uid")
        });
        let others: Vec<String> = own.map(|(at, column)| format!("{column}={}", name_of(at))).collect();
        let as_options = |pairs: Vec<String>| -> String {
            pairs.into_iter().map(|pair| format!(" --map {}", in_quotes(&pair))).collect()
        };
        let options = as_options(firsts.chain(others.iter().cloned()).collect());
        let told = self.doubled.iter().map(|(column, first, second)| {
            format!(
                "two columns are headed {} ({} and {}), and one may be a parent's, so neither was taken as {column}; to take \
                 the first, add{options}",
                name_of(*first),
                first + 1,
                second + 1,
            )
        });
        let doubtful = self.doubtful.iter().map(|(column, at, whose)| {
            let pair = format!("{column}={}", name_of(*at));
            let options = as_options(std::iter::once(pair).chain(others.iter().cloned()).collect());
            format!(
                "the column {} ({}) follows {} ({}) and may be theirs, so it was not taken as {column}; to take it, add{options}",
                name_of(*at),
                at + 1,
                name_of(*whose),
                whose + 1,
            )
        });
        let notes: Vec<String> = told.chain(doubtful).collect();
        self.heading.notes.extend(notes);
    }
}
