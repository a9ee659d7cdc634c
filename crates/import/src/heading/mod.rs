//! From the names of a file's columns to ours: by the admin's mapping, by our own names, by words that are known.

mod contacts;
mod half_names;
mod owners;
mod picks;

use std::collections::BTreeMap;

pub(super) use self::owners::Owner;
use super::header_words::{SaysWhoLeft, folded, known, says_who_left};
use super::made::Made;
use super::mapping::ColumnMap;
use super::{RosterTable, in_quotes, shown};
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

/// A heading of PowerSchool, whose numbers are no yes and no.
const ENROLL_STATUS: [&str; 1] = ["enrollstatus"];

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
    /// The column that a known word names as the id, where no column is known as the name.
    pub(super) known_id: Option<usize>,
    /// What may be the name then, as `--map` says it.
    pub(super) likely_name: Option<String>,
    /// Further columns have no names of their own.
    pub(super) is_translated: bool,
    /// Columns of an export that are the students' own, although they are called as those of a group or class.
    own_columns: Vec<&'static str>,
    has_needed: bool,
}

impl Heading {
    /// Understands a row as the heading of a table.
    pub(super) fn read(names: &[String], table: RosterTable, map: &ColumnMap) -> Self {
        let mut reading = HeadingReader {
            theirs: names,
            table,
            map,
            taken: vec![false; names.len()],
            doubled: Vec::new(),
            doubtful: Vec::new(),
            heading: Self::default(),
        };
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

    /// Whether it is that of our own export of the roster.
    pub(super) fn is_export(&self) -> bool {
        self.skipped.contains_key(EXPORTED)
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
    /// Columns of ours that may be somebody else's, and whose.
    doubtful: Vec<(&'static str, usize, usize)>,
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
        for at in made.parts() {
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
        if map.is_closed() {
            return self.leave_out(NOT_MAPPED);
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
            Made::Copy(_)
            | Made::EnrollStatus(_)
            | Made::Name { .. }
            | Made::Class { .. }
            | Made::ClassOf { .. }
            | Made::ClassWithin { .. }
            | Made::Constant(_)
            | Made::Title(_) => false,
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
        let exported = self.end_of_an_export();
        for (at, name) in self.theirs.iter().enumerate() {
            // SQLite does not tell columns apart by case, so a slip there means our column.
            let ours = own.iter().find(|column| column.eq_ignore_ascii_case(name));
            let is_exported = EXPORTED_COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(name));
            let owner = OWNER_COLUMNS.iter().map(|(column, _)| *column).find(|owner| ours == Some(owner));
            if exported.is_some_and(|exported| at < exported) {
                self.heading.own_columns.extend(owner);
            }
            if ours.is_some() {
                self.heading.recognised += 1;
            } else if is_exported && self.table == RosterTable::Students {
                self.heading.skipped.entry(EXPORTED).or_default().push(shown(name));
                continue;
            }
            self.take(at, ours.copied().unwrap_or(name));
        }
    }

    /// Where the columns stand that an export of the roster adds to the students' own.
    fn end_of_an_export(&self) -> Option<usize> {
        let [groups, classes] = EXPORTED_COLUMNS.map(|column| self.place_of_own(column));
        groups.zip(classes).map(|(groups, classes)| groups.min(classes))
    }

    /// Takes what known words name; a file in which they name no student stays as it is.
    fn by_words(&mut self) {
        let mut picks = self.pick();
        self.leave_others_contacts(&mut picks);
        self.heading.recognised = picks.len();
        self.id_and_name(&picks);
        if !(self.heading.has("student_id") && self.heading.has("name")) {
            let recognised = self.heading.recognised;
            let known_id = picks.get("student_id").map(|(_, at)| *at);
            let likely_name = known_id.and_then(|_| self.likely_name(&picks));
            self.heading = Heading {
                names: vec![String::new(); self.theirs.len()],
                known_id: known_id.filter(|_| likely_name.is_some()),
                likely_name,
                ..Heading::default()
            };
            self.taken = vec![false; self.theirs.len()];
            self.by_own_names();
            self.heading.recognised = recognised;
            return;
        }
        self.heading.is_translated = true;
        self.group(&picks);
        for column in ["gender", "phone", "email"] {
            if let Some((_, at)) = picks.get(column) {
                self.take(*at, column);
            }
        }
        if let Some((_, at)) = picks.get("active") {
            let word = self.theirs.get(*at).map(|word| folded(word)).unwrap_or_default();
            if ENROLL_STATUS.iter().any(|status| word.ends_with(status)) {
                self.make("active", Made::EnrollStatus(*at));
            } else {
                self.take(*at, "active");
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

    fn needed_by_words(&mut self) {
        let picks = self.pick();
        self.heading.recognised += picks.len();
        self.id_and_name(&picks);
        self.group(&picks);
    }

    fn leave_out(&mut self, reason: &'static str) {
        for (name, taken) in self.theirs.iter().zip(&self.taken) {
            if !taken && !name.is_empty() {
                self.heading.skipped.entry(reason).or_default().push(shown(name));
                let name = shown(name);
                self.heading.notes.extend(says_who_left(&name).map(|how| match how {
                    SaysWhoLeft::Word => format!(
                        "the column {name} was not read; where it says who has left, add --map {}",
                        in_quotes(&format!("active={name}"))
                    ),
                    SaysWhoLeft::Date => format!(
                        "the column {name} was not read; where a date in it says that somebody has left, say it in a column active, 1 \
                         or 0, or take these rows out"
                    ),
                }));
            }
        }
    }

    /// Two lists beside each other have each heading twice, the id and the name among them: one fault says that.
    fn tell_side_by_side(&mut self) {
        let doubled = |column: &str| {
            let is_it = |fault: &&HeadingFault| {
                let word = fault.column.checked_sub(1).and_then(|at| self.theirs.get(at));
                fault.code == "duplicate-column"
                    && word.and_then(|word| known(word)).is_some_and(|it| it.column == column)
            };
            self.heading.faults.iter().find(is_it).map(|fault| fault.column)
        };
        let (Some(id), Some(name)) = (doubled("student_id"), doubled("name")) else { return };
        let word = shown(self.theirs.get(id - 1).map(String::as_str).unwrap_or_default());
        let first =
            self.theirs.iter().position(|name| self.theirs.get(id - 1) == Some(name)).unwrap_or_default();
        let message = format!(
            "two lists stand side by side, with {word} in column {} and again in column {id}: move the second list below the first, \
             or onto a sheet of its own",
            first + 1
        );
        self.heading.faults.retain(|fault| fault.code != "duplicate-column");
        self.fault(id.min(name) - 1, "side-by-side", message);
    }

    fn finish(mut self) -> Heading {
        self.tell_side_by_side();
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
