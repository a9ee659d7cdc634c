//! `manifest.csv`: which version a bundle has, and of each file whether it is the whole truth (bulk), what
//! changed (delta), or not there (absent).

use std::collections::BTreeMap;

use csv::StringRecord;

use super::school_data_sync;
use crate::bundle::Bundle;
use crate::sheet::{FileRef, read_text};
use crate::sniff::ReadOptions;
use crate::table::Headers;
use crate::{RowSink, classic_sds, shown};
use rosterd_core::roster::normalise;

const NAME: &str = "manifest.csv";

/// The mode of a file in the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The whole truth.
    Bulk,
    /// Changes only.
    Delta,
}

/// The contents of the manifest.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// Version 1.2; otherwise 1.1.
    pub(super) is_1_2: bool,
    /// Files that are there, by name without `.csv`, in lower case.
    modes: BTreeMap<String, Mode>,
}

impl Manifest {
    /// That these files of version 1.2 are there and are the whole truth.
    pub(super) fn of_whole_files<'f>(files: impl Iterator<Item = &'f str>) -> Self {
        Self { is_1_2: true, modes: files.map(|file| (file.to_owned(), Mode::Bulk)).collect() }
    }

    /// A file's mode; `None` for an absent file.
    pub(super) fn mode(&self, file: &str) -> Option<Mode> {
        self.modes.get(&file.to_ascii_lowercase()).copied()
    }
}

/// Reads the manifest; `None`, with problems, where it cannot be followed.
pub(super) fn read(sink: &mut RowSink, bundle: &mut Bundle, reading: ReadOptions) -> Option<Manifest> {
    let before = sink.reading.file_problems.len();
    if bundle.count(NAME) > 1 {
        let message = "the bundle holds this file more than once".to_owned();
        sink.reading.refuse_file(NAME, 1, 1, "duplicate-file", message);
        return None;
    }
    if bundle.count(NAME) == 0 && school_data_sync::is_one(bundle) {
        sink.reading.notice("", school_data_sync::NOTICE);
        return Some(school_data_sync::manifest(bundle));
    }
    let Some(mut source) = bundle.source(NAME) else {
        let mut message =
            "the bundle has no manifest, which says whether its files are bulk or delta".to_owned();
        if classic_sds::has_name_of_its_own(&bundle.names()) {
            message.push_str(
                "; files of School Data Sync, version 1, are read, unpacked, by rosterd import csv FOLDER",
            );
        }
        sink.reading.refuse_file(NAME, 1, 1, "missing-file", message);
        return None;
    };
    let file = FileRef::note(sink, NAME.to_owned());
    let mut manifest = Manifest::default();
    let mut version = None;
    read_text(sink, &file, source.as_mut(), reading, &mut |sink, file, headers, rows| {
        let Some(places) = places(&headers) else {
            let message = "the header is not propertyName,value".to_owned();
            return file.refuse(sink, headers.line, "missing-column", message);
        };
        for row in rows {
            match row {
                Ok(row) => take(sink, file, row.line, &row.fields, places, (&mut manifest, &mut version)),
                Err(fault) => file.refuse(sink, fault.line, fault.code, fault.message),
            }
        }
    });
    if sink.reading.file_problems.len() > before {
        return None;
    }
    let version: String = version.unwrap_or_default();
    manifest.is_1_2 = version == "1.2" || version.starts_with("1.2.");
    if !manifest.is_1_2 && version != "1.1" && !version.starts_with("1.1.") {
        let message = format!("oneroster.version is \"{}\": 1.1 and 1.2 are read", shown(&version));
        file.refuse(sink, 1, "unknown-version", message);
        return None;
    }
    Some(manifest)
}

fn places(headers: &Headers) -> Option<[usize; 2]> {
    let at = |wanted: &str| headers.names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    Some([at("propertyName")?, at("value")?])
}

fn take(
    sink: &mut RowSink,
    file: &FileRef,
    line: u64,
    fields: &StringRecord,
    [property, value]: [usize; 2],
    (manifest, version): (&mut Manifest, &mut Option<String>),
) {
    let field = |at: usize| normalise(fields.get(at).unwrap_or_default()).into_owned();
    let (property, value) = (field(property), field(value));
    if property.eq_ignore_ascii_case("oneroster.version") {
        *version = Some(value);
        return;
    }
    let Some(name) = property.strip_prefix("file.") else { return };
    let mode = match value.to_ascii_lowercase().as_str() {
        "bulk" => Mode::Bulk,
        "delta" => Mode::Delta,
        "absent" | "" => return,
        _ => {
            let message = format!("{} is neither bulk, delta nor absent", shown(&property));
            return file.refuse(sink, line, "bad-mode", message);
        }
    };
    if manifest.modes.insert(name.to_ascii_lowercase(), mode).is_some_and(|earlier| earlier != mode) {
        let message = format!("{} stands twice, as bulk and as delta", shown(&property));
        file.refuse(sink, line, "bad-mode", message);
    }
}

/// The mode that all used files share; `None`, with problems, where files are missing or modes are mixed:
/// then absence would mean one thing in one file and another in the next.
pub(super) fn common_mode(
    sink: &mut RowSink,
    bundle: &Bundle,
    manifest: &Manifest,
    used: &[&str],
) -> Option<Mode> {
    let before = sink.reading.file_problems.len();
    let mut modes = Vec::new();
    for name in used {
        let file = format!("{name}.csv");
        let count = bundle.count(&file);
        match (manifest.mode(name), count) {
            (Some(mode), 1) => modes.push((*name, mode)),
            (Some(_), 0) => {
                let message = "the manifest names this file, and the bundle lacks it".to_owned();
                sink.reading.refuse_file(&file, 1, 1, "missing-file", message);
            }
            (Some(_), _) => {
                let message = "the bundle holds this file more than once".to_owned();
                sink.reading.refuse_file(&file, 1, 1, "duplicate-file", message);
            }
            (None, 0) => {}
            (None, _) => {
                sink.reading.notice(&file, "left out, because the manifest says that it is absent");
            }
        }
    }
    let first = modes.first().map(|(_, mode)| *mode);
    if modes.iter().any(|(_, mode)| Some(*mode) != first) {
        let names: Vec<String> = modes.iter().map(|(name, mode)| format!("{name} {mode:?}")).collect();
        let message = format!("bulk and delta are mixed: {}", names.join(", ").to_lowercase());
        sink.reading.refuse_file(NAME, 1, 1, "mixed-modes", message);
    }
    if first.is_none() && sink.reading.file_problems.len() == before {
        let message = "the manifest names none of users, roles, classes and enrollments".to_owned();
        sink.reading.refuse_file(NAME, 1, 1, "no-files", message);
    }
    first.filter(|_| sink.reading.file_problems.len() == before)
}
