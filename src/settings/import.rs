//! `[import.NAME]`: how a school's own files are read, so that next week's import is one word.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Map, Value, ValueKind};
use rosterd_import::csv_files::SheetIs;
use rosterd_import::oneroster::{GroupsFrom, StudentIdFrom};
use rosterd_import::{FileEncoding, encoding_named};

use super::parse::{self, Parsed};

/// The names that `sheet_is` may have.
pub const SHEET_IS: [(&str, SheetIs); 4] = [
    ("auto", SheetIs::Auto),
    ("group", SheetIs::Group),
    ("class", SheetIs::Class),
    ("nothing", SheetIs::Nothing),
];
/// The names that `student_id` may have, as the command has them.
const STUDENT_IDS: [(&str, StudentIdFrom); 3] = [
    ("sourced-id", StudentIdFrom::SourcedId),
    ("identifier", StudentIdFrom::Identifier),
    ("username", StudentIdFrom::Username),
];
/// The names that `groups` may have; none of them: no groups.
const GROUPS: [(&str, GroupsFrom); 3] =
    [("classes", GroupsFrom::Classes), ("orgs", GroupsFrom::Orgs), ("grades", GroupsFrom::Grades)];
const KEYS: [&str; 17] = [
    "kind",
    "map",
    "sheets",
    "sheet_is",
    "encoding",
    "delimiter",
    "bulk",
    "replace_groups",
    "skip_bad_rows",
    "student_id",
    "groups",
    "roles",
    "disabled",
    "keep_ended",
    "watch",
    "settle",
    "keep",
];
/// The names that `kind` may have.
const FILE_KINDS: [(&str, FileKind); 3] =
    [("csv", FileKind::Csv), ("clever", FileKind::Clever), ("oneroster", FileKind::Oneroster)];
/// A file that nobody has changed for so long is whole, unless the profile says otherwise.
const SETTLE: Duration = Duration::from_secs(60);

/// What kind of files a profile is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileKind {
    /// Lists and tables: text files and workbooks.
    #[default]
    Csv,
    Clever,
    Oneroster,
}

impl FileKind {
    /// The kind as a profile and the command write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Clever => "clever",
            Self::Oneroster => "oneroster",
        }
    }
}

/// `watch`, `settle` and `keep`: a folder whose files are imported by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    pub folder: PathBuf,
    /// A file that nobody has changed for so long is whole.
    pub settle: Duration,
    /// How long imported and refused files are kept; absent: as long as `state.keep` says.
    pub keep: Option<Duration>,
}

/// What a profile says of OneRoster bundles; what it does not say is as the command has it without options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleProfile {
    /// The column of users that is the student's id.
    pub student_id: Option<StudentIdFrom>,
    /// What becomes groups.
    pub groups: Option<BTreeSet<GroupsFrom>>,
    /// The roles that are taken as students.
    pub roles: Option<Vec<String>>,
    /// Users who may not log in have left.
    pub disabled_have_left: Option<bool>,
    /// Enrollments count also after their last day.
    pub keep_ended: Option<bool>,
}

/// One profile.
#[derive(Clone, Debug, Default)]
pub struct ImportProfile {
    /// What kind of files.
    pub kind: FileKind,
    /// Our columns with theirs.
    pub map: Vec<(String, String)>,
    /// Sheets of a workbook.
    pub sheets: Vec<String>,
    /// What the name of a sheet says.
    pub sheet_is: SheetIs,
    /// The encoding of text files; absent: found out.
    pub encoding: Option<FileEncoding>,
    /// The separator of text files; absent: found out.
    pub delimiter: Option<u8>,
    /// The files are the whole truth.
    pub bulk: bool,
    /// A group or class in a student's own row replaces all others.
    pub replace_groups: bool,
    /// Good rows are imported although there are bad ones.
    pub skip_bad_rows: bool,
    /// Of OneRoster bundles.
    pub bundle: BundleProfile,
    /// The folder whose files are imported by themselves.
    pub watch: Option<WatchSettings>,
}

/// Profiles by name; their relative paths start at this folder.
pub(super) fn profiles(kind: &ValueKind, base: &Path) -> Parsed<BTreeMap<String, ImportProfile>> {
    let ValueKind::Table(table) = kind else {
        return Err("write a table for each profile, such as [import.weekly]".to_owned());
    };
    let mut profiles = BTreeMap::new();
    for (name, value) in table {
        let ValueKind::Table(keys) = &value.kind else {
            return Err(format!("{name} is no profile: write a table [import.{name}] with keys such as map"));
        };
        profiles.insert(name.clone(), profile(keys, base).map_err(|message| format!("{name}: {message}"))?);
    }
    Ok(profiles)
}

fn profile(keys: &Map<String, Value>, base: &Path) -> Parsed<ImportProfile> {
    let mut profile = ImportProfile { watch: watch(keys, base)?, ..ImportProfile::default() };
    let mut names: Vec<_> = keys.iter().collect();
    names.sort_by(|one, other| one.0.cmp(other.0));
    for (key, value) in names {
        let wrong = |what: &str| format!("{key}: write {what}");
        match (key.as_str(), &value.kind) {
            ("kind", kind) => {
                let known = FILE_KINDS.iter().find(|(name, _)| text(kind) == Some(*name));
                profile.kind = known.ok_or_else(|| wrong("\"csv\", \"clever\" or \"oneroster\""))?.1;
            }
            ("map", ValueKind::Table(columns)) => {
                for (ours, theirs) in columns {
                    let theirs =
                        text(&theirs.kind).ok_or_else(|| wrong("a column of theirs for each of ours"))?;
                    profile.map.push((ours.clone(), theirs.to_owned()));
                }
                profile.map.sort();
            }
            ("sheets", ValueKind::Array(sheets)) => {
                profile.sheets = texts_of(sheets)
                    .ok_or_else(|| wrong("the names of sheets, such as [\"一班\", \"二班\"]"))?;
            }
            ("sheet_is", kind) => {
                let known = SHEET_IS.iter().find(|(name, _)| text(kind) == Some(*name));
                profile.sheet_is =
                    known.ok_or_else(|| wrong("\"auto\", \"group\", \"class\" or \"nothing\""))?.1;
            }
            ("encoding", kind) => {
                let known = text(kind).and_then(encoding_named);
                profile.encoding =
                    Some(known.ok_or_else(|| wrong("\"gb18030\", \"windows-1252\" or the like"))?);
            }
            ("delimiter", kind) => {
                let found = match text(kind).map(str::as_bytes) {
                    Some(b"tab") => Some(b'\t'),
                    Some([byte]) if byte.is_ascii_punctuation() && *byte != b'"' => Some(*byte),
                    _ => None,
                };
                profile.delimiter =
                    Some(found.ok_or_else(|| wrong("one character such as \";\", or \"tab\""))?);
            }
            ("bulk", ValueKind::Boolean(yes)) => profile.bulk = *yes,
            ("replace_groups", ValueKind::Boolean(yes)) => profile.replace_groups = *yes,
            ("skip_bad_rows", ValueKind::Boolean(yes)) => profile.skip_bad_rows = *yes,
            // Read together, before all others.
            ("watch" | "settle" | "keep", _) => {}
            ("student_id" | "groups" | "roles" | "disabled" | "keep_ended", kind) => {
                bundle_key(&mut profile.bundle, key, kind).map_err(wrong)?;
            }
            ("bulk" | "replace_groups" | "skip_bad_rows", _) => return Err(wrong("true or false")),
            ("map", _) => {
                return Err(wrong("a table, such as { student_id = \"Nr\", name = \"First+Last\" }"));
            }
            ("sheets", _) => return Err(wrong("a list of names")),
            _ => return Err(format!("{key} is none of {}", KEYS.join(", "))),
        }
    }
    only_of_its_kind(&profile)?;
    Ok(profile)
}

/// A key of OneRoster bundles, or what to write there.
fn bundle_key(bundle: &mut BundleProfile, key: &str, kind: &ValueKind) -> Result<(), &'static str> {
    match key {
        "student_id" => {
            let known = STUDENT_IDS.iter().find(|(name, _)| text(kind) == Some(*name));
            let known = known.ok_or("\"sourced-id\", \"identifier\" or \"username\"")?;
            bundle.student_id = Some(known.1);
        }
        "groups" => {
            let of = |name: &String| GROUPS.iter().find(|(known, _)| known == name).map(|(_, from)| *from);
            let found = texts(kind).and_then(|names| names.iter().map(of).collect());
            let cure = "a list of \"classes\", \"orgs\" and \"grades\", or [] for no groups";
            bundle.groups = Some(found.ok_or(cure)?);
        }
        "roles" => {
            let roles = texts(kind).filter(|roles| !roles.is_empty());
            bundle.roles = Some(roles.ok_or("a list of roles, such as [\"student\"]")?);
        }
        "disabled" => {
            bundle.disabled_have_left = Some(match text(kind) {
                Some("keep") => false,
                Some("left") => true,
                Some(_) | None => return Err("\"keep\" or \"left\""),
            });
        }
        _ => {
            let ValueKind::Boolean(yes) = kind else { return Err("true or false") };
            bundle.keep_ended = Some(*yes);
        }
    }
    Ok(())
}

/// Each kind of files has keys of its own. A Clever bundle says itself all but its further columns.
fn only_of_its_kind(profile: &ImportProfile) -> Parsed<()> {
    let ImportProfile { kind, sheets, sheet_is, bulk, replace_groups, bundle, .. } = profile;
    let BundleProfile { student_id, groups, roles, disabled_have_left, keep_ended } = bundle;
    let (lists, bundles) = ("csv", "oneroster");
    let given = [
        ("sheets", lists, !sheets.is_empty()),
        ("sheet_is", lists, *sheet_is != SheetIs::default()),
        ("bulk", lists, *bulk),
        ("replace_groups", lists, *replace_groups),
        ("student_id", bundles, student_id.is_some()),
        ("groups", bundles, groups.is_some()),
        ("roles", bundles, roles.is_some()),
        ("disabled", bundles, disabled_have_left.is_some()),
        ("keep_ended", bundles, keep_ended.is_some()),
    ];
    match given.into_iter().find(|(_, of, given)| *given && *of != kind.name()) {
        Some((key, of, _)) => Err(format!("{key} is for kind = \"{of}\" alone: take it out")),
        None => Ok(()),
    }
}

fn watch(keys: &Map<String, Value>, base: &Path) -> Parsed<Option<WatchSettings>> {
    let duration = |key: &str| {
        let found = keys.get(key).map(|value| parse::duration(&value.kind)).transpose();
        found.map_err(|message| format!("{key}: {message}"))
    };
    let (settle, keep) = (duration("settle")?, duration("keep")?);
    let Some(folder) = keys.get("watch") else {
        let alone =
            |key: &str| format!("{key}: it is for a watched folder: give watch too, or take {key} out");
        let given = [("settle", settle), ("keep", keep)].into_iter().find(|(_, given)| given.is_some());
        return given.map_or(Ok(None), |(key, _)| Err(alone(key)));
    };
    let folder = text(&folder.kind).filter(|folder| !folder.is_empty());
    let folder = folder.ok_or("watch: write the path of a folder, such as \"/srv/rosterd/inbox\"")?;
    Ok(Some(WatchSettings { folder: base.join(folder), settle: settle.unwrap_or(SETTLE), keep }))
}

fn text(kind: &ValueKind) -> Option<&str> {
    if let ValueKind::String(text) = kind { Some(text) } else { None }
}

fn texts(kind: &ValueKind) -> Option<Vec<String>> {
    if let ValueKind::Array(values) = kind { texts_of(values) } else { None }
}

fn texts_of(values: &[Value]) -> Option<Vec<String>> {
    values.iter().map(|value| text(&value.kind).map(str::to_owned)).collect()
}
