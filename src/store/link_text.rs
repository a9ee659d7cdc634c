//! Links as text, in blocks: what a run needs of a link whose student is plainly as wanted.

use std::collections::BTreeSet;

use rosterd_core::exam_plan::{Fingerprint, LinkText};
use rosterd_core::roster::{Gid, Sid};

use super::link_codec::numbers;
use super::roster::Odd;
use super::row_blocks::{BETWEEN_VALUES, RowReader};

/// So many fields are told by links at most: a statement has so many places for them.
pub(super) const MOST_FIELDS: usize = 4;

/// The bytes of a field's number and its fingerprint, as they are packed.
const PACKED_BYTES: usize = 16;

/// The values before those of fields.
const BEFORE_FIELDS: usize = 5;

/// The groups of a link, as they are stored; `None` where they cannot be read.
pub fn groups_of(gids: &str) -> Option<BTreeSet<Gid>> {
    numbers(gids, Gid)
}

/// The text of a link. A fingerprint is cut out of the packed ones: the whole of them as text would cost more than all the rest.
pub(super) const LINK_TEXT: &str = "concat_ws(char(31), student_id, sid, login_value, CASE WHEN gone_since_ms IS NULL \
     AND gids IS NOT NULL AND rewritten = '[]' AND sent_twice = '{}' AND length(confirmed) % 16 = 0 \
     AND length(suspected) % 16 = 0 THEN 1 ELSE 0 END, ifnull(gids, ''), \
     CASE WHEN ?1 IS NOT NULL THEN instr(confirmed, ?1) || '=' || hex(substr(confirmed, instr(confirmed, ?1) + 8, 8)) END, \
     CASE WHEN ?2 IS NOT NULL THEN instr(confirmed, ?2) || '=' || hex(substr(confirmed, instr(confirmed, ?2) + 8, 8)) END, \
     CASE WHEN ?3 IS NOT NULL THEN instr(confirmed, ?3) || '=' || hex(substr(confirmed, instr(confirmed, ?3) + 8, 8)) END, \
     CASE WHEN ?4 IS NOT NULL THEN instr(confirmed, ?4) || '=' || hex(substr(confirmed, instr(confirmed, ?4) + 8, 8)) END)";

/// Links one at a time, each in the buffers of the one before.
pub struct LinkTextReader {
    rows: RowReader,
    fields: usize,
    student: String,
    text: String,
    /// Where the login value ends in the text, and the groups begin.
    login_end: usize,
    sid: Sid,
    is_unnoted: bool,
    confirmed: Vec<Option<Fingerprint>>,
    links: u64,
}

impl LinkTextReader {
    /// Reads what [`StateStore::send_links`](super::StateStore::send_links) sends for so many fields.
    #[must_use]
    pub fn new(fields: usize, rows: RowReader) -> Self {
        Self {
            rows,
            fields,
            student: String::new(),
            text: String::new(),
            login_end: 0,
            sid: Sid(0),
            is_unnoted: false,
            confirmed: Vec::with_capacity(fields),
            links: 0,
        }
    }

    /// Reads the next link; false after the last.
    ///
    /// # Errors
    /// Why the links have to be read row by row.
    pub async fn next(&mut self) -> Result<bool, Odd> {
        let Some(row) = self.rows.row().await? else { return Ok(false) };
        let mut parts = row.split(BETWEEN_VALUES);
        let [student, sid, login, unnoted, gids] =
            [(); BEFORE_FIELDS].map(|()| parts.next().unwrap_or_default());
        if self.links > 0 && *student <= *self.student {
            return Err(Odd::Order);
        }
        self.links += 1;
        self.student.clear();
        self.student.push_str(student);
        self.text.clear();
        self.text.push_str(login);
        self.login_end = self.text.len();
        self.text.push_str(gids);
        self.sid = Sid(sid.parse().map_err(|_| Odd::Value)?);
        self.is_unnoted = unnoted == "1";
        self.confirmed.clear();
        for part in parts {
            match fingerprint(part) {
                Cut::Absent => self.confirmed.push(None),
                Cut::Found(fingerprint) => self.confirmed.push(Some(fingerprint)),
                Cut::Unclear => {
                    self.confirmed.push(None);
                    self.is_unnoted = false;
                }
            }
        }
        if self.confirmed.len() != self.fields {
            return Err(Odd::Value);
        }
        self.rows.step();
        Ok(true)
    }

    /// The student's id.
    #[must_use]
    pub fn student(&self) -> &str {
        &self.student
    }

    /// The link as text, where nothing is noted about it.
    #[must_use]
    pub fn unnoted(&self) -> Option<LinkText<'_>> {
        let (login, gids) = self.text.split_at_checked(self.login_end)?;
        let link = LinkText { sid: self.sid, login, gids, confirmed: &self.confirmed };
        self.is_unnoted.then_some(link)
    }
}

/// What was cut out of the packed fingerprints.
#[derive(Debug, PartialEq, Eq)]
enum Cut {
    /// Nothing is confirmed of the field.
    Absent,
    Found(Fingerprint),
    /// The field's number stands across two places: whether the field is there as well is not told.
    Unclear,
}

/// Reads the place at which the field's number was found, counted from 1, and the fingerprint that follows it.
fn fingerprint(cut: &str) -> Cut {
    let Some((at, hex)) = cut.split_once('=') else { return Cut::Unclear };
    match at.parse::<usize>() {
        Ok(0) => Cut::Absent,
        Ok(at) if at % PACKED_BYTES == 1 && hex.len() == 16 => match u64::from_str_radix(hex, 16) {
            Ok(bytes) => Cut::Found(Fingerprint(bytes.swap_bytes())),
            Err(_) => Cut::Unclear,
        },
        Ok(_) | Err(_) => Cut::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_told_only_where_the_fields_number_stands_at_a_place_of_its_own() {
        let table = [
            ("0=", Cut::Absent),
            ("0=0A0000000000", Cut::Absent),
            ("1=0700000000000000", Cut::Found(Fingerprint(7))),
            ("17=FFFFFFFFFFFFFF7F", Cut::Found(Fingerprint(0x7FFF_FFFF_FFFF_FFFF))),
            ("9=0700000000000000", Cut::Unclear),
            ("2=0700000000000000", Cut::Unclear),
            ("17=07", Cut::Unclear),
            ("", Cut::Unclear),
        ];
        for (cut, told) in table {
            assert_eq!(fingerprint(cut), told, "{cut}");
        }
    }
}
