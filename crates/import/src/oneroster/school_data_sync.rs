//! Bundles of Microsoft's School Data Sync, version 2.1: files as OneRoster 1.2 has them, without a manifest, without statuses
//! and with a column of its own in `roles.csv`.
//!
//! Source: <https://learn.microsoft.com/schooldatasync/sds-v2.1-csv-file-format>. A bundle is the whole truth there: what the next
//! one lacks is taken out.

use std::io::Read;

use super::manifest::Manifest;
use crate::bundle::Bundle;
use crate::sheet::Source;

/// Files that such a bundle must have.
const NEEDED: [&str; 3] = ["orgs", "users", "roles"];
/// Files that it may have besides, of those that are read.
const OPTIONAL: [&str; 2] = ["classes", "enrollments"];
/// Bytes in which the heading of a file ends.
const HEADING: u64 = 4096;

pub(super) const NOTICE: &str =
    "read as School Data Sync 2.1, which has no manifest: its files are the whole truth";

/// Whether a bundle without a manifest is one: by its files, and by the columns of `roles.csv` that nothing else has.
pub(super) fn is_one(bundle: &mut Bundle) -> bool {
    let has_files = NEEDED.iter().all(|name| bundle.count(&file(name)) == 1);
    if !has_files {
        return false;
    }
    let Some(mut source) = bundle.source("roles.csv") else { return false };
    let columns = heading(source.as_mut());
    let has = |wanted: &str| columns.iter().any(|column| column == wanted);
    has("usersourcedid") && has("orgsourcedid") && has("role") && !has("sourcedid") && !has("status")
}

/// What its manifest would say.
pub(super) fn manifest(bundle: &Bundle) -> Manifest {
    let present = OPTIONAL.into_iter().filter(|name| bundle.count(&file(name)) > 0);
    Manifest::of_whole_files(NEEDED.into_iter().chain(present))
}

fn file(name: &str) -> String {
    format!("{name}.csv")
}

/// The columns of a file, in lower case.
fn heading(source: &mut dyn Source) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = source.open().and_then(|reader| reader.take(HEADING).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    line.split(',').map(|column| column.trim_matches(['"', ' ']).to_ascii_lowercase()).collect()
}
