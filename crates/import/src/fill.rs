//! How full a column is that merged cells leave empty when they are written to a text file.

/// How full a column of groups or classes is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fill {
    pub(super) filled: u64,
    pub(super) blank: u64,
    /// How many of those rows are good.
    pub(super) without: u64,
    /// The first row was filled.
    begins_filled: bool,
}

impl Fill {
    /// Notes a row; of a refused one nobody is told that it has no value.
    pub(super) fn note(&mut self, is_filled: bool, is_good: bool) {
        if self.filled + self.blank == 0 {
            self.begins_filled = is_filled;
        }
        self.filled += u64::from(is_filled);
        self.blank += u64::from(!is_filled);
        self.without += u64::from(!is_filled && is_good);
    }

    /// Only the first of several rows has a value, as where merged cells were written to a text file.
    pub(super) fn looks_merged(self) -> bool {
        self.begins_filled && self.blank >= self.filled && self.blank > 1
    }
}
