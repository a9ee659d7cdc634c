//! From the names of a file's columns to ours: by the admin's mapping, by our own names, by words that are known.

mod owners;

use std::collections::BTreeMap;

pub(super) use self::owners::Owner;
use super::header_words::{KnownWord, folded, known, names_others};
use super::made::Made;
use super::mapping::ColumnMap;
use super::{RosterTable, shown};
use rosterd_core::roster::normalise;

/// Columns of a students file that name the student's group or class.
pub(super) const OWNER_COLUMNS: [(&str, RosterTable); 2] =
    [("group_code", RosterTable::GroupMembers), ("class_code", RosterTable::ClassMembers)];
/// Columns that an export of the roster adds to those of the table.
const EXPORTED_COLUMNS: [&str; 2] = ["groups", "classes"];
/// Columns that are left out where two are headed by one word for them: it may be a parent's.
const OPTIONAL_COLUMNS: [&str; 3] = ["gender", "phone", "email"];
/// Our columns that are nobody else's words and stand for themselves beside known words.
const OUR_OWN_WORDS: [&str; 4] = ["classin_uid", "active", "group_code", "class_code"];

/// What headers of a family name hold, in words that are not known otherwise.
const PARTS_OF_NAMES: [&str; 9] = [
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

/// Words for a name that also head one of its parts.
const PARTS_OR_WHOLES: [&str; 4] = ["name", "nom", "nombre", "이름"];

fn is_part_or_whole(word: &str) -> bool {
    PARTS_OR_WHOLES.contains(&folded(word).as_str())
}

/// Why columns were left out.
pub(super) const NOT_MAPPED: &str = "not mapped";
const NOT_KNOWN: &str = "no word for a column that is taken; --map takes it";
const EXPORTED: &str =
    "the groups and classes of an export are not read: change them in group_members and class_members";

/// A fault of a heading, with the number of the column or 1.
#[derive(Debug)]
pub(super) struct HeadingFault {
    pub(super) column: usize,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// A row of column names, understood.
#[derive(Debug, Default)]
pub(super) struct Heading {
    /// The names as the file has them; of two lines as one.
    pub(super) theirs: Vec<String>,
    /// Our names by column; empty for one that is left out.
    pub(super) names: Vec<String>,
    pub(super) made: Vec<(String, Made)>,
    /// Columns left out, by the reason.
    pub(super) skipped: BTreeMap<&'static str, Vec<String>>,
    pub(super) faults: Vec<HeadingFault>,
    /// What an admin should know of it, as sentences without a full stop.
    pub(super) notes: Vec<String>,
    /// How many of the names mean something.
    pub(super) recognised: usize,
    /// Names that mean nothing, as the file writes them.
    pub(super) unknown: Vec<String>,
    /// Further columns have no names of their own.
    pub(super) is_translated: bool,
    has_needed: bool,
}

impl Heading {
    /// Understands a row as the heading of a table.
    pub(super) fn read(names: &[String], table: RosterTable, map: &ColumnMap) -> Self {
        let (taken, doubled) = (vec![false; names.len()], Vec::new());
        let mut reading =
            HeadingReader { theirs: names, table, map, taken, doubled, heading: Self::default() };
        reading.heading.names = vec![String::new(); names.len()];
        if !map.is_empty() {
            reading.by_mapping();
        } else if reading.has_own_names() || table != RosterTable::Students {
            reading.by_own_names();
        } else {
            reading.by_words();
        }
        reading.finish()
    }

    /// Whether it can be the heading of the table.
    pub(super) fn is_acceptable(&self) -> bool {
        self.faults.is_empty() && self.has_needed
    }

    /// Whether there is a column of ours.
    pub(super) fn has(&self, column: &str) -> bool {
        self.names.iter().any(|name| name == column) || self.made.iter().any(|(name, _)| name == column)
    }
}

struct HeadingReader<'r> {
    theirs: &'r [String],
    table: RosterTable,
    map: &'r ColumnMap,
    /// Columns that are in use.
    taken: Vec<bool>,
    /// Columns of ours that two of theirs have one word for.
    doubled: Vec<(&'static str, usize, usize)>,
    heading: Heading,
}

impl HeadingReader<'_> {
    fn key(&self) -> &'static str {
        self.table.columns().first().copied().unwrap_or_default()
    }

    /// Our id and name; an id alone may be another program's, with words of its own for the name.
    fn has_own_names(&self) -> bool {
        self.place_of_own(self.key()).is_some() && self.place_of_own("name").is_some()
    }

    fn place_of_own(&self, column: &str) -> Option<usize> {
        self.theirs.iter().position(|name| name.eq_ignore_ascii_case(column))
    }

    fn take(&mut self, at: usize, column: &str) {
        if let (Some(name), Some(taken)) = (self.heading.names.get_mut(at), self.taken.get_mut(at)) {
            column.clone_into(name);
            *taken = true;
        }
    }

    fn make(&mut self, column: &str, made: Made) {
        let parts: Vec<usize> = match &made {
            Made::Copy(at) => vec![*at],
            Made::Joined(parts) => parts.clone(),
            Made::Name { parts, .. } => parts.iter().flatten().copied().collect(),
            Made::Class { grade, class, always: _ } => vec![*grade, *class],
            Made::Constant(_) => Vec::new(),
        };
        for at in parts {
            if let Some(taken) = self.taken.get_mut(at) {
                *taken = true;
            }
        }
        self.heading.made.push((column.to_owned(), made));
    }

    fn fault(&mut self, column: usize, code: &'static str, message: String) {
        self.heading.faults.push(HeadingFault { column: column + 1, code, message });
    }

    fn by_mapping(&mut self) {
        self.heading.is_translated = true;
        let map = self.map;
        for (number, (ours, theirs)) in map.pairs().enumerate() {
            if map.pairs().take(number).any(|(earlier, _)| earlier == ours) {
                let message =
                    format!("--map names {ours} twice; --map {ours}=FIRST+SECOND joins two columns");
                self.fault(0, "mapped-twice", message);
            } else {
                self.map_one(ours, theirs);
            }
        }
        if self.table == RosterTable::Students {
            self.needed_by_words();
        }
        // Our own names stay, unless the mapping says what stands for them.
        let owners =
            OWNER_COLUMNS.iter().map(|(column, _)| *column).filter(|_| self.table == RosterTable::Students);
        let own: Vec<&str> = self.table.columns().iter().copied().chain(owners).collect();
        for (at, name) in self.theirs.iter().enumerate() {
            let Some(column) = own.iter().find(|column| column.eq_ignore_ascii_case(name)) else { continue };
            if !self.taken.get(at).copied().unwrap_or(true)
                && !self.map.names(column)
                && !self.heading.has(column)
            {
                self.take(at, column);
            }
        }
        self.leave_out(NOT_MAPPED);
    }

    fn map_one(&mut self, ours: &str, theirs: &str) {
        let parts = match self.places_of(theirs) {
            Ok(parts) => parts,
            Err(fault) => return self.heading.faults.push(fault),
        };
        self.heading.recognised += parts.len();
        let is_again = |(number, at): (usize, &usize)| parts.iter().take(number).any(|earlier| earlier == at);
        let clash = parts.iter().find(|at| !self.may_be_both(**at, ours));
        let clash = clash.or_else(|| parts.iter().enumerate().find(|pair| is_again(*pair)).map(|(_, at)| at));
        if let Some(at) = clash {
            let name = shown(self.theirs.get(*at).map(String::as_str).unwrap_or_default());
            return self.fault(0, "mapped-twice", format!("--map names the column {name} twice"));
        }
        match parts.as_slice() {
            [at] if self.heading.names.get(*at).is_some_and(String::is_empty) => self.take(*at, ours),
            [at] => self.make(ours, Made::Copy(*at)),
            _ => self.make(ours, Made::Joined(parts)),
        }
    }

    /// Whether a column of theirs may be this one of ours beside what it is by an earlier pair: a class may be the group
    /// too, and a part of a joined column a further one.
    fn may_be_both(&self, at: usize, ours: &str) -> bool {
        let is_owner = |column: &str| OWNER_COLUMNS.iter().any(|(owner, _)| *owner == column);
        let is_further = |column: &str| !is_owner(column) && !self.table.columns().contains(&column);
        let taken = self.heading.names.get(at).filter(|name| !name.is_empty());
        let is_free = taken.is_none_or(|name| is_owner(name) && is_owner(ours));
        let joined = self.heading.made.iter().filter(|(_, made)| match made {
            Made::Joined(parts) => parts.contains(&at),
            Made::Copy(_) | Made::Name { .. } | Made::Class { .. } | Made::Constant(_) => false,
        });
        is_free
            && joined
                .map(|(name, _)| name)
                .all(|name| (is_owner(name) && is_owner(ours)) || is_further(name) || is_further(ours))
    }

    /// The numbers of a column, or of the columns that `+` joins.
    fn places_of(&self, theirs: &str) -> Result<Vec<usize>, HeadingFault> {
        let single = self.place_of(theirs);
        if matches!(&single, Err(fault) if fault.code == "missing-column") && theirs.contains('+') {
            return theirs.split('+').map(|part| self.place_of(normalise(part).as_ref())).collect();
        }
        single.map(|at| vec![at])
    }

    fn place_of(&self, theirs: &str) -> Result<usize, HeadingFault> {
        let exact = |name: &String| name == theirs;
        let alike = |name: &String| name.to_lowercase() == theirs.to_lowercase();
        let places = |is: &dyn Fn(&String) -> bool| -> Vec<usize> {
            self.theirs.iter().enumerate().filter(|(_, name)| is(name)).map(|(at, _)| at).collect()
        };
        let found = Some(places(&exact)).filter(|found| !found.is_empty()).unwrap_or_else(|| places(&alike));
        match found.as_slice() {
            [at] => Ok(*at),
            [first, second, ..] => Err(twice(theirs, *first, *second)),
            [] => self.numbered(theirs).ok_or_else(|| HeadingFault {
                column: 1,
                code: "missing-column",
                message: format!("there is no column {}, which --map names", shown(theirs)),
            }),
        }
    }

    /// The second of the columns of one name, as `Phone#2` names it.
    fn numbered(&self, theirs: &str) -> Option<usize> {
        let (name, number) = theirs.rsplit_once('#')?;
        let number: usize = number.parse().ok()?;
        let (name, number) = (normalise(name).to_lowercase(), number.checked_sub(1)?);
        let alike = self.theirs.iter().enumerate().filter(|(_, other)| other.to_lowercase() == name);
        alike.map(|(at, _)| at).nth(number)
    }

    fn by_own_names(&mut self) {
        let owners =
            OWNER_COLUMNS.iter().map(|(column, _)| *column).filter(|_| self.table == RosterTable::Students);
        let own: Vec<&str> = self.table.columns().iter().copied().chain(owners).collect();
        for (at, name) in self.theirs.iter().enumerate() {
            // SQLite does not tell columns apart by case, so a slip there means our column.
            let ours = own.iter().find(|column| column.eq_ignore_ascii_case(name));
            let is_exported = EXPORTED_COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(name));
            if ours.is_some() {
                self.heading.recognised += 1;
            } else if is_exported && self.table == RosterTable::Students {
                self.heading.skipped.entry(EXPORTED).or_default().push(shown(name));
                continue;
            }
            self.take(at, ours.copied().unwrap_or(name));
        }
    }

    /// Takes what known words name; a file in which they name no student stays as it is.
    fn by_words(&mut self) {
        let picks = self.pick();
        self.heading.recognised = picks.len();
        self.id_and_name(&picks);
        if !(self.heading.has("student_id") && self.heading.has("name")) {
            let recognised = self.heading.recognised;
            self.heading =
                Heading { names: vec![String::new(); self.theirs.len()], recognised, ..Heading::default() };
            self.taken = vec![false; self.theirs.len()];
            self.by_own_names();
            self.heading.recognised = recognised;
            return;
        }
        self.heading.is_translated = true;
        self.group(&picks);
        for column in ["gender", "phone", "email", "active"] {
            if let Some((_, at)) = picks.get(column) {
                self.take(*at, column);
            }
        }
        for column in OUR_OWN_WORDS {
            if let Some(at) = self.place_of_own(column).filter(|_| !self.heading.has(column)) {
                self.take(at, column);
            }
        }
        self.tell_doubled();
        self.leave_out(NOT_KNOWN);
    }

    /// Says of which columns neither of two was taken, and the options that take the first.
    fn tell_doubled(&mut self) {
        let name_of = |at: usize| shown(self.theirs.get(at).map(String::as_str).unwrap_or_default());
        let firsts = self.doubled.iter().map(|(column, first, _)| format!("{column}={}#1", name_of(*first)));
        // Beside a mapping, words find no more than id, name and class.
        let own = self.heading.names.iter().enumerate().filter(|(_, name)| {
            matches!(name.as_str(), "gender" | "phone" | "email" | "active" | "classin_uid")
        });
        let others = own.map(|(at, column)| format!("{column}={}", name_of(at)));
        let options: Vec<String> = firsts.chain(others).map(|pair| format!(" --map '{pair}'")).collect();
        let told = self.doubled.iter().map(|(column, first, second)| {
            format!(
                "two columns are headed {} ({} and {}), and one may be a parent's, so neither was taken as {column}; to take \
                 the first, add{}",
                name_of(*first),
                first + 1,
                second + 1,
                options.concat()
            )
        });
        self.heading.notes = told.collect();
    }

    fn needed_by_words(&mut self) {
        let picks = self.pick();
        self.heading.recognised += picks.len();
        self.id_and_name(&picks);
        self.group(&picks);
    }

    /// The best word for each column among those that are free.
    fn pick(&mut self) -> BTreeMap<&'static str, (KnownWord, usize)> {
        let mut picks: BTreeMap<&'static str, (KnownWord, usize)> = BTreeMap::new();
        let mut doubled = Vec::new();
        for (at, name) in self.theirs.iter().enumerate() {
            let Some(word) = known(name).filter(|_| !self.taken.get(at).copied().unwrap_or(true)) else {
                continue;
            };
            match picks.get(word.column) {
                Some((best, first)) if best.rank == word.rank => doubled.push((word.column, *first, at)),
                Some((best, _)) if best.rank < word.rank => {}
                Some(_) | None => {
                    picks.insert(word.column, (word, at));
                }
            }
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
        picks
    }

    fn id_and_name(&mut self, picks: &BTreeMap<&'static str, (KnownWord, usize)>) {
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
        // Full Name, 姓名 and the like are never a part.
        let part = name.filter(|at| self.theirs.get(*at).is_some_and(|word| is_part_or_whole(word)));
        let parts = match (given, family, name) {
            (Some(given), Some(family), None) => (given, family),
            // „Name, Vorname“, « Nom, Prénom », "Nombre, Apellidos": one of the two is named by the word for both.
            (Some(given), None, Some(name)) if part.is_some() => (given, name),
            (None, Some(family), Some(name)) if part.is_some() => (name, family),
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

    /// The word for a name may be the given name's, and the family name be in a column that is not known.
    fn refuse_half_name(&mut self, name: usize) {
        let is_part = |header: &String| {
            let header = header.to_lowercase();
            PARTS_OF_NAMES.iter().any(|part| header.contains(part))
                && known(&header).is_none()
                && !names_others(&header)
        };
        let Some(at) = self.theirs.iter().position(is_part) else { return };
        let shown_at = |at: usize| shown(self.theirs.get(at).map(String::as_str).unwrap_or_default());
        let message = format!(
            "the name seems to stand in two columns, {name} and {part}: say which, --map name={name} or --map 'name={name}+{part}'",
            name = shown_at(name),
            part = shown_at(at)
        );
        self.fault(at, "half-name", message);
    }

    /// The class is the exam side's group, unless the mapping says what the group or the class is.
    fn group(&mut self, picks: &BTreeMap<&'static str, (KnownWord, usize)>) {
        let is_said = OWNER_COLUMNS
            .iter()
            .any(|(column, _)| self.map.names(column) || self.place_of_own(column).is_some());
        let Some((_, class)) = picks.get("group_code").filter(|_| !is_said) else { return };
        match picks.get("grade") {
            Some((word, grade)) => {
                let always = word.is_family_first;
                self.make("group_code", Made::Class { grade: *grade, class: *class, always });
            }
            None => self.take(*class, "group_code"),
        }
    }

    fn leave_out(&mut self, reason: &'static str) {
        for (name, taken) in self.theirs.iter().zip(&self.taken) {
            if !taken && !name.is_empty() {
                self.heading.skipped.entry(reason).or_default().push(shown(name));
            }
        }
    }

    fn finish(mut self) -> Heading {
        let needed = self.table.columns();
        let needed = match self.table {
            RosterTable::GroupMembers | RosterTable::ClassMembers => needed.get(..2),
            RosterTable::Students | RosterTable::Groups | RosterTable::Classes => needed.get(..1),
        };
        self.heading.theirs = self.theirs.to_vec();
        self.heading.has_needed = needed.unwrap_or_default().iter().all(|column| self.heading.has(column));
        let is_known = |name: &String| {
            known(name).is_some()
                || self.table.columns().iter().any(|column| column.eq_ignore_ascii_case(name))
        };
        let unknown = self.theirs.iter().filter(|name| !name.is_empty() && !is_known(name));
        self.heading.unknown = unknown.map(|name| shown(name)).collect();
        self.heading
    }
}

fn twice(name: &str, first: usize, second: usize) -> HeadingFault {
    let name = shown(name);
    let message = format!(
        "the column {name} stands twice, as column {} and as column {}: give one of them another name, or say which \
         with {name}#1 or {name}#2 in --map",
        first + 1,
        second + 1
    );
    HeadingFault { column: second + 1, code: "duplicate-column", message }
}

#[cfg(test)]
mod tests;
