//! Reads a OneRoster CSV bundle, 1.1 or 1.2, in a folder or a zip archive: users, roles, classes,
//! enrollments, and orgs if they become groups. The bundle's manifest says which files count, and in which
//! mode.
//!
//! Source: the tables of `OneRoster` 1.1 Final and 1.2, CSV binding (1EdTech). Where exporters are known to
//! stray from them (case of headers, columns left out, status in bulk files), it is accepted with a word.

mod classes;
mod manifest;
mod people;
mod row_status;
mod school_data_sync;
mod twins;

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::Date;
use rosterd_core::counted::counted;

use self::manifest::{Manifest, Mode};
use self::row_status::Tally;
use self::twins::Twins;
use super::bundle::Bundle;
use super::mapping::ColumnMap;
use super::sheet::{FileRef, read_text, refuse_without_rows};
use super::sniff::ReadOptions;
use super::table::{AnyRows, Headers};
use super::{Completeness, RosterTable, RowSink, shown_name};

/// Spellings of headers that exporters are known for, and what they mean.
const SLIPS: [(&str, &str); 1] = [("datalastmodified", "dateLastModified")];
/// Headers that are read where they are there.
const KNOWN: [&str; 24] = [
    "sourcedId",
    "status",
    "dateLastModified",
    "enabledUser",
    "role",
    "beginDate",
    "endDate",
    "username",
    "identifier",
    "givenName",
    "middleName",
    "familyName",
    "email",
    "sms",
    "phone",
    "grades",
    "password",
    "orgSourcedIds",
    "userSourcedId",
    "classSourcedId",
    "schoolSourcedId",
    "orgSourcedId",
    "title",
    "name",
];

/// The column of users that holds the student id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StudentIdFrom {
    /// The bundle's own key: stable, and nothing that people know.
    #[default]
    SourcedId,
    /// The school's number.
    Identifier,
    /// The log-in name.
    Username,
}

impl StudentIdFrom {
    /// The column.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::SourcedId => "sourcedId",
            Self::Identifier => "identifier",
            Self::Username => "username",
        }
    }
}

/// The sources of exam-side groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupsFrom {
    /// Classes.
    Classes,
    /// Schools and departments; their codes begin with `org-`.
    Orgs,
    /// Grades; their codes begin with `grade-`.
    Grades,
}

/// The admin's options for a bundle.
#[derive(Clone, Debug)]
pub struct OnerosterOptions {
    /// The column that holds the student id.
    pub student_id: StudentIdFrom,
    /// The sources of groups.
    pub groups: BTreeSet<GroupsFrom>,
    /// The roles that are taken as students, as the standard spells them.
    pub roles: Vec<String>,
    /// Columns of users that become columns of students besides the usual ones, such as phone.
    pub map: ColumnMap,
    /// Users with `enabledUser` false count as having left.
    pub disabled_have_left: bool,
    /// Enrollments count also after their last day.
    pub keep_ended: bool,
    /// The day that last days are compared with.
    pub today: Date,
    /// Encoding and separator, where they are not the standard's.
    pub reading: ReadOptions,
}

/// State shared by the readers of the files.
struct Reader<'w> {
    options: &'w OnerosterOptions,
    is_bulk: bool,
    /// Roles are in a file of their own.
    has_roles_file: bool,
    tally: Tally,
    twins: Twins,
}

/// Reads the bundle.
pub fn read(sink: &mut RowSink, path: &Path, options: &OnerosterOptions) {
    let mut bundle = match Bundle::open(path) {
        Ok(bundle) => bundle,
        Err((code, message)) => {
            return sink.reading.refuse_file(&shown_name(path), 1, 1, code, message);
        }
    };
    let Some(manifest) = manifest::read(sink, &mut bundle, options.reading) else { return };
    let used = used_files(options, &manifest);
    let Some(mode) = manifest::common_mode(sink, &bundle, &manifest, &used) else { return };
    let is_bulk = mode == Mode::Bulk;
    sink.reading.completeness = Some(if is_bulk { Completeness::Whole } else { Completeness::Partial });
    let present = |name: &str| used.contains(&name) && manifest.mode(name).is_some();
    let mut reader = Reader {
        options,
        is_bulk,
        has_roles_file: present("roles"),
        tally: Tally::default(),
        twins: Twins::default(),
    };
    for (name, needed, read) in FILES {
        if present(name) {
            reader.read_file(sink, &mut bundle, name, needed, read);
        }
    }
    let sources = [(GroupsFrom::Classes, "enrollments"), (GroupsFrom::Grades, "users")];
    let of_orgs = (GroupsFrom::Orgs, if present("roles") { "roles" } else { "users" });
    let missing = |(kind, file): &(GroupsFrom, &str)| options.groups.contains(kind) && !present(file);
    if sources.iter().chain([&of_orgs]).any(missing) {
        // Without one of its files nothing can be missing from the members of groups.
        sink.reading.complete.remove(&RosterTable::GroupMembers);
    }
    reader.twins.tell(&mut sink.reading);
    reader.tally.tell(&mut sink.reading, is_bulk);
}

type ReadFile = fn(&mut Reader<'_>, &mut RowSink, &FileRef, &Headers, &mut AnyRows<'_>) -> u64;

/// The files that are read, with the columns that they cannot do without.
const FILES: [(&str, &[&str], ReadFile); 5] = [
    ("orgs", &["sourcedId", "name"], |it, to, file, head, rows| it.read_orgs(to, file, head, rows)),
    ("users", &["sourcedId", "givenName", "familyName"], |it, to, file, head, rows| {
        it.read_users(to, file, head, rows)
    }),
    ("roles", &["userSourcedId", "role"], |it, to, file, head, rows| it.read_roles(to, file, head, rows)),
    ("classes", &["sourcedId", "title"], |it, to, file, head, rows| it.read_classes(to, file, head, rows)),
    ("enrollments", &["classSourcedId", "userSourcedId", "role"], |it, to, file, head, rows| {
        it.read_enrollments(to, file, head, rows)
    }),
];

fn used_files(options: &OnerosterOptions, manifest: &Manifest) -> Vec<&'static str> {
    let wanted = |name: &str| match name {
        "orgs" => options.groups.contains(&GroupsFrom::Orgs),
        "roles" => manifest.is_1_2,
        _ => true,
    };
    FILES.into_iter().map(|(name, ..)| name).filter(|name| wanted(name)).collect()
}

impl Reader<'_> {
    fn read_file(
        &mut self,
        sink: &mut RowSink,
        bundle: &mut Bundle,
        name: &'static str,
        needed: &[&str],
        read: ReadFile,
    ) {
        let file_name = format!("{name}.csv");
        let Some(mut source) = bundle.source(&file_name) else { return };
        let file = FileRef::note(sink, file_name);
        let reading = self.options.reading;
        read_text(sink, &file, source.as_mut(), reading, &mut |sink, file, mut headers, rows| {
            if !accept_headers(sink, file, needed, &mut headers) {
                return;
            }
            let count = read(self, sink, file, &headers, rows);
            // No change is a change that a delta may tell; a whole roster without students is refused as such.
            if count == 0 && self.is_bulk && name != "users" {
                refuse_without_rows(sink, file);
            }
        });
    }

    fn wants_role(&self, role: &str) -> bool {
        self.options.roles.iter().any(|wanted| wanted.eq_ignore_ascii_case(role))
    }

    fn groups_are(&self, kind: GroupsFrom) -> bool {
        self.options.groups.contains(&kind)
    }
}

/// Spells headers as the standard does and refuses a file that lacks one it needs.
fn accept_headers(sink: &mut RowSink, file: &FileRef, needed: &[&str], headers: &mut Headers) -> bool {
    let mut mended = 0;
    for name in &mut headers.names {
        let slip = SLIPS.iter().find(|(slip, _)| slip.eq_ignore_ascii_case(name)).map(|(_, meant)| *meant);
        // `sourceID` for sourcedId, alone or behind what it is the id of.
        let lower = name.to_ascii_lowercase();
        let spelt = lower.strip_suffix("sourceid").map_or(lower.clone(), |whose| format!("{whose}sourcedid"));
        let spelt =
            spelt.strip_suffix("sourceids").map_or(spelt.clone(), |whose| format!("{whose}sourcedids"));
        let alike = needed.iter().chain(&KNOWN).find(|known| known.eq_ignore_ascii_case(&spelt)).copied();
        if let Some(meant) = slip.or(alike).filter(|meant| meant != name) {
            meant.clone_into(name);
            mended += 1;
        }
    }
    if mended > 0 {
        let is = if mended == 1 { "is" } else { "are" };
        let message = format!("{} {is} not spelt as the standard spells headers", counted(mended, "header"));
        sink.reading.notice(&file.name, message);
    }
    let before = sink.reading.file_problems.len();
    for &column in needed {
        let fault = match headers.names.iter().filter(|name| *name == column).count() {
            1 => continue,
            0 => ("missing-column", format!("the column {column} is missing")),
            _ => ("duplicate-column", format!("the column {column} stands twice")),
        };
        file.refuse(sink, headers.line, fault.0, fault.1);
    }
    sink.reading.file_problems.len() == before
}
