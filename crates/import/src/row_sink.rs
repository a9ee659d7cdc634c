//! Takes rows from readers and passes them on in small lots, so that no file is held in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::civil::Date;

use tokio::sync::mpsc::Sender;

use super::{Item, LocatedRow, Reading};

/// Rows of one lot.
const ROWS_IN_A_LOT: usize = 500;
/// Lots that may wait for the writer.
pub const LOTS_UNDER_WAY: usize = 8;

/// Takes rows from a reader. It blocks where the writer is slower, so readers belong on a thread of their own.
#[derive(Debug)]
pub struct RowSink {
    /// The findings about the files so far.
    pub reading: Reading,
    /// The day that days in the files are compared with; without one every term and every year counts.
    pub(super) today: Option<Date>,
    /// Classes without a grade, and the sheet and row of each.
    pub(super) bare_classes: BTreeMap<String, (String, u64)>,
    lot: Vec<LocatedRow>,
    outlet: Sender<Vec<LocatedRow>>,
    bytes: Arc<AtomicU64>,
    is_stopped: bool,
}

impl RowSink {
    /// Sends what is read through a channel; `bytes` counts what was read of the files.
    #[must_use]
    pub fn new(outlet: Sender<Vec<LocatedRow>>, bytes: Arc<AtomicU64>) -> Self {
        Self {
            reading: Reading::default(),
            today: None,
            bare_classes: BTreeMap::new(),
            lot: Vec::new(),
            outlet,
            bytes,
            is_stopped: false,
        }
    }

    /// The same, on a day: terms that ended before it and those that begin later do not count, and years of leavers before its
    /// own have passed. A OneRoster bundle has the day among its options.
    #[must_use]
    pub fn on(self, today: Date) -> Self {
        Self { today: Some(today), ..self }
    }

    /// Sends the last lot.
    pub fn finish(mut self) -> Reading {
        self.send();
        self.reading
    }

    /// True when the writer gave up: there is no use in reading on.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    pub(super) fn place(&mut self, file: usize, line: u64, good: bool, item: Item) {
        self.lot.push(LocatedRow { file, line, good, item });
        if self.lot.len() >= ROWS_IN_A_LOT {
            self.send();
        }
    }

    pub(super) fn byte_counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    fn send(&mut self) {
        if !self.lot.is_empty() && !self.is_stopped {
            self.is_stopped = self.outlet.blocking_send(std::mem::take(&mut self.lot)).is_err();
        }
        self.lot.clear();
    }
}
