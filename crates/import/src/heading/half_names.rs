//! Names that stand in two columns of which one may not be known.

use super::HeadingReader;
use super::picks::Picks;
use crate::header_words::{known, names_others, plain_name};
use crate::{in_quotes, shown};

/// What headers of a family name hold, in words that are not known otherwise.
const FAMILY_NAMES: [&str; 13] = [
    "paterno",
    "nom d'usage",
    "nom d’usage",
    "zuname",
    "apellido",
    "surname",
    "last name",
    "last_name",
    "lastname",
    "family name",
    "nachname",
    "familienname",
    "nom de famille",
];
/// What headers of a given name hold, likewise.
const GIVEN_NAMES: [&str; 7] =
    ["prénom", "prenom", "vorname", "first name", "given name", "forename", "firstname"];
/// What headers that name a student hold, of all of the name or of a part.
const CALLED_A_NAME: [&str; 5] = ["name", "姓名", "nombre", "nom ", "prénom"];
/// Words for a name that also head one of its parts.
const PARTS_OR_WHOLES: [&str; 4] = ["name", "nom", "nombre", "이름"];

/// A word for a name that heads the family name where another column has the given one.
pub(super) fn is_family_or_whole(word: &str) -> bool {
    PARTS_OR_WHOLES.contains(&plain_name(word, false).as_str())
}

/// A word for a name that heads the given name where another column has the family's.
pub(super) fn is_given_or_whole(word: &str) -> bool {
    PARTS_OR_WHOLES.contains(&plain_name(word, true).as_str())
}

/// Words in headings that name something, and no student: to map one as the name would enter sections as students.
const NAMES_OF_NO_STUDENT: [&str; 10] =
    ["user", "section", "class", "course", "subject", "school", "group", "班", "课", "校"];

impl HeadingReader<'_> {
    /// The word for a name may be one part's, and the other part be in a column that is not known.
    pub(super) fn refuse_half_name(&mut self, name: usize) {
        let may_be_family = self.theirs.get(name).is_some_and(|word| is_family_or_whole(word));
        let is_part = |header: &String| {
            let lower = header.to_lowercase();
            let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
            (has(&FAMILY_NAMES) || (may_be_family && has(&GIVEN_NAMES)))
                && known(header).is_none()
                && !names_others(header)
        };
        let Some(at) = self.theirs.iter().position(is_part) else { return };
        let shown_at = |at: usize| shown(self.theirs.get(at).map(String::as_str).unwrap_or_default());
        let message = format!(
            "the name seems to stand in two columns, {name} and {part}: say which, --map {alone} or --map {both}",
            name = shown_at(name),
            part = shown_at(at),
            alone = in_quotes(&format!("name={}", shown_at(name))),
            both = in_quotes(&format!("name={}+{}", shown_at(name), shown_at(at)))
        );
        self.fault(at, "half-name", message);
    }

    /// What may be the name where no column is known as it: columns that are called a name, and the parts that are known. Where
    /// one part is found alone, a word in capitals stands for the other: half a name is no name.
    pub(super) fn likely_name(&self, picks: &Picks) -> Option<String> {
        let unknown = |header: &&String| {
            let lower = header.to_lowercase();
            let is_of_none = NAMES_OF_NO_STUDENT.iter().any(|word| lower.contains(word));
            known(header).is_none() && !names_others(header) && !is_of_none
        };
        let holds = |header: &String, words: &[&str]| {
            let lower = header.to_lowercase();
            words.iter().any(|word| lower.contains(word))
        };
        let of = |words: &'static [&'static str]| {
            self.theirs.iter().filter(unknown).find(|header| holds(header, words))
        };
        let part = |column: &str| picks.get(column).and_then(|(_, at)| self.theirs.get(*at));
        let family = part("family_name").or_else(|| of(&FAMILY_NAMES));
        let given = part("given_name").or_else(|| of(&GIVEN_NAMES));
        let is_part = |header: &String| Some(header) == family || Some(header) == given;
        let whole = self.theirs.iter().filter(unknown).find(|it| holds(it, &CALLED_A_NAME) && !is_part(it));
        let missing = "COLUMN";
        let (first, second) = match (given, family, whole) {
            (None, None, whole) => return whole.cloned(),
            (given, family, whole) => {
                let other = whole.map_or(missing, String::as_str);
                (given.map_or(other, String::as_str), family.map_or(other, String::as_str))
            }
        };
        // Where names are written without blanks the family's comes first.
        let is_written_so = |word: &String| word.chars().any(|letter| u32::from(letter) >= 0x2e80);
        let is_family_first = family.or(given).is_some_and(is_written_so);
        Some(if is_family_first { format!("{second}+{first}") } else { format!("{first}+{second}") })
    }
}
