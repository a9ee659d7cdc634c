//! The fewest calls that a roster can cost: of the first sync, and of runs in which nothing changes. What is refused, lost or
//! looked up again comes on top.

/// What the exam side's calls depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExamAmounts {
    /// Active students.
    pub students: u64,
    /// Those of them who are linked already.
    pub linked: u64,
    /// Students in more than one group.
    pub in_further_groups: u64,
    /// Candidates that the account lists.
    pub candidates: u64,
    /// Rows of a page of the listing.
    pub page_size: u64,
    /// Items of a call that writes or looks up.
    pub batch_size: u64,
}

impl ExamAmounts {
    /// A run in which nothing changes: the pages of the listing, and one where it is empty.
    #[must_use]
    pub fn quiet_run(&self) -> u64 {
        self.candidates.div_ceil(self.page_size.max(1)).max(1)
    }

    /// The first sync: the fields, the listing, an add or a look-up for each who has no link, and a call for those who are to be
    /// in further groups.
    #[must_use]
    pub fn first_sync(&self) -> u64 {
        let batch = self.batch_size.max(1);
        let newcomers = self.students.saturating_sub(self.linked);
        1 + self.quiet_run() + newcomers.div_ceil(batch) + self.in_further_groups.div_ceil(batch)
    }

    /// A day of so many runs in which nothing changes, where the groups of everybody are looked up once in so many seconds.
    #[must_use]
    pub fn quiet_day(&self, runs: u64, verify_groups_s: u64) -> u64 {
        let look_ups = self.students.max(self.linked).div_ceil(self.batch_size.max(1));
        let a_day = look_ups.saturating_mul(86_400).div_ceil(verify_groups_s.max(1));
        // A run looks up whoever is due at once.
        runs.saturating_mul(self.quiet_run()).saturating_add(a_day.min(runs.saturating_mul(look_ups)))
    }
}

/// The first sync of classes with so many members each: calls of so many students, and none for a class without any.
#[must_use]
pub fn enrolling(class_sizes: &[u64], batch_size: u64) -> u64 {
    class_sizes.iter().map(|size| size.div_ceil(batch_size.max(1))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHOOL: ExamAmounts = ExamAmounts {
        students: 2_000,
        linked: 0,
        in_further_groups: 150,
        candidates: 0,
        page_size: 100,
        batch_size: 100,
    };

    #[test]
    fn a_first_sync_lists_adds_and_puts_into_further_groups() {
        assert_eq!(SCHOOL.first_sync(), 1 + 1 + 20 + 2);
        assert_eq!(ExamAmounts { linked: 2_000, in_further_groups: 0, ..SCHOOL }.first_sync(), 2);
        assert_eq!(ExamAmounts { students: 101, ..SCHOOL }.first_sync(), 1 + 1 + 2 + 2);
    }

    #[test]
    fn a_quiet_run_asks_for_pages_alone() {
        for (candidates, calls) in [(0, 1), (1, 1), (100, 1), (101, 2), (6_000, 60)] {
            assert_eq!(ExamAmounts { candidates, ..SCHOOL }.quiet_run(), calls, "{candidates}");
        }
    }

    #[test]
    fn a_quiet_day_looks_everybodys_groups_up_as_often_as_is_set_and_never_more_than_once_a_run() {
        let day = ExamAmounts { candidates: 2_000, linked: 2_000, ..SCHOOL };
        assert_eq!(day.quiet_day(96, 86_400), 96 * 20 + 20);
        assert_eq!(day.quiet_day(96, 2 * 86_400), 96 * 20 + 10);
        assert_eq!(day.quiet_day(1, 60), 20 + 20);
        assert_eq!(day.quiet_day(0, 60), 0);
    }

    #[test]
    fn each_class_is_called_for_by_itself() {
        assert_eq!(enrolling(&[0, 1, 30, 31], 30), 1 + 1 + 2);
        assert_eq!(enrolling(&[], 30), 0);
    }
}
