//! How many a limit allows.

use crate::roster::Limit;

/// A percentage never means fewer: in a small school one person is a large share.
const LEAST_SHARE: u64 = 5;

/// The number of people that a limit allows out of `total`. A plain number is exact.
#[must_use]
pub fn allowance(limit: Limit, total: u64) -> u64 {
    match limit {
        Limit::Count(count) => count,
        Limit::Percent(percent) => share(percent, total),
        Limit::Auto if total <= 100 => share(20.0, total),
        Limit::Auto if total <= 1000 => share(10.0, total),
        Limit::Auto => share(5.0, total),
    }
}

/// The same of leavers. A share of an account is never the whole of it: where nobody who is linked would stay, at least one is
/// too many, unless a plain number or all of them are allowed.
pub(super) fn allowance_of_leavers(limit: Limit, leavers: u64, total: u64) -> u64 {
    let allowed = allowance(limit, total);
    let is_share = match limit {
        Limit::Count(_) => false,
        Limit::Percent(percent) => percent < 100.0,
        Limit::Auto => true,
    };
    if is_share && total > 1 && leavers >= total { allowed.min(total - 1) } else { allowed }
}

/// A percentage with up to two decimals, rounded up to a whole person.
pub(super) fn share(percent: f64, total: u64) -> u64 {
    let hundredths = (percent.clamp(0.0, 100.0) * 100.0).round();
    let hundredths = (0_u64..=10_000).find(|whole| (*whole as f64) >= hundredths).unwrap_or(10_000);
    total.saturating_mul(hundredths).div_ceil(10_000).max(LEAST_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_automatic_limit_grows_with_the_number_of_managed_candidates() {
        let table = [(0, 5), (10, 5), (25, 5), (26, 6), (100, 20), (101, 11), (1000, 100), (1001, 51)];
        for (managed, allowed) in table {
            assert_eq!(allowance(Limit::Auto, managed), allowed, "of {managed}");
        }
    }

    #[test]
    fn a_percentage_is_rounded_up_to_a_whole_person() {
        assert_eq!(allowance(Limit::Percent(30.0), 19), 6);
        assert_eq!(allowance(Limit::Percent(8.0), 100), 8);
        assert_eq!(allowance(Limit::Percent(0.55), 1000), 6);
    }

    #[test]
    fn a_percentage_never_means_fewer_than_five() {
        for (percent, total) in [(30.0, 3), (0.0, 100), (0.5, 1000), (4.9, 100), (100.0, 0)] {
            assert_eq!(allowance(Limit::Percent(percent), total), 5, "{percent} % of {total}");
        }
    }

    #[test]
    fn a_share_of_an_account_is_never_the_whole_of_it() {
        let table = [
            (Limit::Auto, 5, 5, 4),
            (Limit::Auto, 2, 2, 1),
            (Limit::Auto, 1, 1, 5),
            (Limit::Auto, 4, 5, 5),
            (Limit::Percent(8.0), 5, 5, 4),
            (Limit::Percent(100.0), 5, 5, 5),
            (Limit::Count(5), 5, 5, 5),
        ];
        for (limit, leavers, total, allowed) in table {
            assert_eq!(
                allowance_of_leavers(limit, leavers, total),
                allowed,
                "{leavers} of {total}: {limit:?}"
            );
        }
    }

    #[test]
    fn a_count_is_a_count() {
        for count in [0, 3, 12] {
            assert_eq!(allowance(Limit::Count(count), 1_000_000), count);
        }
    }
}
