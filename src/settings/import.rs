//! `[import.NAME]`: how a school's own files are read, so that next week's import is one word.

use std::collections::BTreeMap;

use config::{Map, Value, ValueKind};
use rosterd_import::csv_files::SheetIs;
use rosterd_import::{FileEncoding, encoding_named};

use super::parse::Parsed;

/// The names that `sheet_is` may have.
pub const SHEET_IS: [(&str, SheetIs); 4] = [
    ("auto", SheetIs::Auto),
    ("group", SheetIs::Group),
    ("class", SheetIs::Class),
    ("nothing", SheetIs::Nothing),
];
const KEYS: [&str; 7] = ["map", "sheets", "sheet_is", "encoding", "delimiter", "bulk", "replace_groups"];

/// One profile.
#[derive(Clone, Debug, Default)]
pub struct ImportProfile {
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
}

/// Profiles by name.
pub(super) fn profiles(kind: &ValueKind) -> Parsed<BTreeMap<String, ImportProfile>> {
    let ValueKind::Table(table) = kind else {
        return Err("write a table for each profile, such as [import.weekly]".to_owned());
    };
    let mut profiles = BTreeMap::new();
    for (name, value) in table {
        let ValueKind::Table(keys) = &value.kind else {
            return Err(format!("{name} is no profile: write a table [import.{name}] with keys such as map"));
        };
        profiles.insert(name.clone(), profile(keys).map_err(|message| format!("{name}: {message}"))?);
    }
    Ok(profiles)
}

fn profile(keys: &Map<String, Value>) -> Parsed<ImportProfile> {
    let mut profile = ImportProfile::default();
    let mut names: Vec<_> = keys.iter().collect();
    names.sort_by(|one, other| one.0.cmp(other.0));
    for (key, value) in names {
        let wrong = |what: &str| format!("{key}: write {what}");
        match (key.as_str(), &value.kind) {
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
            ("bulk" | "replace_groups", _) => return Err(wrong("true or false")),
            ("map", _) => {
                return Err(wrong("a table, such as { student_id = \"Nr\", name = \"First+Last\" }"));
            }
            ("sheets", _) => return Err(wrong("a list of names")),
            _ => return Err(format!("{key} is none of {}", KEYS.join(", "))),
        }
    }
    Ok(profile)
}

fn text(kind: &ValueKind) -> Option<&str> {
    if let ValueKind::String(text) = kind { Some(text) } else { None }
}
