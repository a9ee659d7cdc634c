//! Reads `orgs.csv`, `classes.csv` and `enrollments.csv`: groups, classes and memberships.

use super::people::{ORG, value};
use super::row_status::{Observation, RowStatus};
use super::{GroupsFrom, Reader};
use crate::sheet::{FileRef, consume};
use crate::table::{AnyRows, Headers, position};
use crate::{CellValue, ClassRow, GroupRow, Item, RosterTable, RowSink};

impl Reader<'_> {
    pub(super) fn read_orgs(
        &mut self,
        sink: &mut RowSink,
        file: &FileRef,
        headers: &Headers,
        rows: &mut AnyRows<'_>,
    ) -> u64 {
        let places = ["sourcedId", "name"].map(|column| position(&headers.names, column));
        sink.reading.key_columns.insert(RosterTable::Groups, places);
        consume(sink, file, &[RosterTable::Groups], (headers, rows), |cells, items| {
            let group_code = cells.key("sourcedId");
            let group_code = if group_code.is_empty() { group_code } else { format!("{ORG}{group_code}") };
            self.tally.stamp(cells);
            if self.tally.row_status(cells, self.is_bulk) == RowStatus::Gone {
                items.push(Item::Gone(RosterTable::Groups, group_code));
                return;
            }
            let title = cells.needed("name", "missing-title");
            let row = GroupRow { group_code, title, gid: CellValue::Nothing };
            items.push(Item::Group { row, made_up: false });
        })
    }

    pub(super) fn read_classes(
        &mut self,
        sink: &mut RowSink,
        file: &FileRef,
        headers: &Headers,
        rows: &mut AnyRows<'_>,
    ) -> u64 {
        let as_groups = self.groups_are(GroupsFrom::Classes);
        let places = ["sourcedId", "title"].map(|column| position(&headers.names, column));
        let tables: &[RosterTable] =
            if as_groups { &[RosterTable::Classes, RosterTable::Groups] } else { &[RosterTable::Classes] };
        for table in tables {
            sink.reading.key_columns.insert(*table, places);
        }
        consume(sink, file, tables, (headers, rows), |cells, items| {
            let code = cells.key("sourcedId");
            self.tally.stamp(cells);
            if self.tally.row_status(cells, self.is_bulk) == RowStatus::Gone {
                items.extend(tables.iter().map(|table| Item::Gone(*table, code.clone())));
                return;
            }
            let title = cells.needed("title", "missing-title");
            if as_groups {
                let row =
                    GroupRow { group_code: code.clone(), title: title.clone(), gid: CellValue::Nothing };
                items.push(Item::Group { row, made_up: false });
            }
            let row = ClassRow { class_code: code, title, ..ClassRow::default() };
            items.push(Item::Class { row, made_up: false });
        })
    }

    pub(super) fn read_enrollments(
        &mut self,
        sink: &mut RowSink,
        file: &FileRef,
        headers: &Headers,
        rows: &mut AnyRows<'_>,
    ) -> u64 {
        let places = ["userSourcedId", "classSourcedId"].map(|column| position(&headers.names, column));
        let tables: &[RosterTable] = if self.groups_are(GroupsFrom::Classes) {
            &[RosterTable::ClassMembers, RosterTable::GroupMembers]
        } else {
            &[RosterTable::ClassMembers]
        };
        for table in tables {
            sink.reading.key_columns.insert(*table, places);
        }
        consume(sink, file, tables, (headers, rows), |cells, items| {
            let (student, code) = (cells.key("userSourcedId"), cells.key("classSourcedId"));
            self.tally.stamp(cells);
            let standing = self.tally.row_status(cells, self.is_bulk);
            if !self.wants_role(&value(cells, "role")) {
                self.tally.count(Observation::OtherRole);
                return;
            }
            let mut departs = standing == RowStatus::Gone;
            if !departs && !self.options.keep_ended && self.tally.has_ended(cells, self.options.today) {
                self.tally.count(Observation::Ended);
                departs = true;
            } else if !departs && self.tally.has_not_begun(cells, self.options.today) {
                self.tally.count(Observation::NotBegun);
                departs = true;
            }
            if departs && self.is_bulk {
                return;
            }
            for table in tables {
                let (student, code) = (student.clone(), code.clone());
                items.push(Item::Member { table: *table, student, code, departs });
            }
        })
    }
}
