//! `[import.NAME]`: how a school's own files are read, so that next week's import is one word.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Map, Value, ValueKind};
use rosterd_import::csv_files::SheetIs;
use rosterd_import::{FileEncoding, encoding_named};

use super::parse::{self, Parsed};

/// The names that `sheet_is` may have.
pub const SHEET_IS: [(&str, SheetIs); 4] = [
    ("auto", SheetIs::Auto),
    ("group", SheetIs::Group),
    ("class", SheetIs::Class),
    ("nothing", SheetIs::Nothing),
];
const KEYS: [&str; 12] = [
    "kind",
    "map",
    "sheets",
    "sheet_is",
    "encoding",
    "delimiter",
    "bulk",
    "replace_groups",
    "skip_bad_rows",
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

/// `watch`, `settle` and `keep`: a folder whose files are imported by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    pub folder: PathBuf,
    /// A file that nobody has changed for so long is whole.
    pub settle: Duration,
    /// How long imported and refused files are kept; absent: as long as `state.keep` says.
    pub keep: Option<Duration>,
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
                let sheets =
                    sheets.iter().map(|sheet| text(&sheet.kind).map(str::to_owned)).collect::<Option<_>>();
                profile.sheets =
                    sheets.ok_or_else(|| wrong("the names of sheets, such as [\"一班\", \"二班\"]"))?;
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
            ("bulk" | "replace_groups" | "skip_bad_rows", _) => return Err(wrong("true or false")),
            ("map", _) => {
                return Err(wrong("a table, such as { student_id = \"Nr\", name = \"First+Last\" }"));
            }
            ("sheets", _) => return Err(wrong("a list of names")),
            _ => return Err(format!("{key} is none of {}", KEYS.join(", "))),
        }
    }
    only_of_lists(&profile)?;
    Ok(profile)
}

/// A bundle says itself what its files and columns are.
fn only_of_lists(profile: &ImportProfile) -> Parsed<()> {
    let ImportProfile { kind, map, sheets, sheet_is, bulk, replace_groups, .. } = profile;
    let given = [
        ("map", !map.is_empty()),
        ("sheets", !sheets.is_empty()),
        ("sheet_is", *sheet_is != SheetIs::default()),
        ("bulk", *bulk),
        ("replace_groups", *replace_groups),
    ];
    match given.into_iter().find(|(_, given)| *given && *kind != FileKind::Csv) {
        Some((key, _)) => Err(format!("{key} is for kind = \"csv\" alone: take it out")),
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
