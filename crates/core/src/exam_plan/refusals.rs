//! Whether it is the items that a service refuses, or the calls themselves.

/// From so many items on, two batches of which nothing was accepted are the service's doing.
pub const REFUSED_ITEMS: usize = 20;

/// So many batches of one kind of call, refused down to the last item, are the service's doing.
const REFUSED_BATCHES: usize = 2;

/// What the answers of one run to one kind of call tell.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    is_accepted: bool,
    stood_alone: bool,
    is_judged: bool,
    batches: usize,
    items: usize,
}

/// What to do about a batch of which nothing was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBatch {
    /// Its items are judged one by one.
    Judge,
    /// The service refuses everything: it is left alone for the rest of the run.
    Stop,
}

impl Refusals {
    /// A batch is about to be sent.
    pub fn begin(&mut self) {
        self.stood_alone = false;
    }

    /// An item was accepted.
    pub fn accept(&mut self) {
        self.is_accepted = true;
    }

    /// A call for one item was refused.
    pub fn refuse_alone(&mut self) {
        self.stood_alone = true;
    }

    /// Whether anything was accepted in this run.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.is_accepted
    }

    /// Whether a refused call is to be halved at once. Not where an item of its batch has stood alone and was refused
    /// while nothing was ever accepted: first it is seen whether any other part goes through.
    #[must_use]
    pub fn divides(&self) -> bool {
        self.is_accepted || self.is_judged || !self.stood_alone
    }

    /// No batch is to come that could show the service's doing: from now on items are judged.
    pub fn judge_items(&mut self) {
        self.is_judged = true;
    }

    /// Whether a batch of which nothing went through may be the service's doing.
    #[must_use]
    pub fn doubts_service(&self) -> bool {
        !self.is_accepted && !self.is_judged
    }

    /// The items of the batches that were refused to the last.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Takes in a batch of which every item was refused.
    pub fn refuse_batch(&mut self, items: usize) -> RefusedBatch {
        if self.is_judged {
            return RefusedBatch::Judge;
        }
        self.batches += 1;
        self.items += items;
        let is_storm = !self.is_accepted && self.batches >= REFUSED_BATCHES && self.items >= REFUSED_ITEMS;
        if is_storm { RefusedBatch::Stop } else { RefusedBatch::Judge }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(batches: &[usize]) -> RefusedBatch {
        let mut refusals = Refusals::default();
        batches.iter().fold(RefusedBatch::Judge, |_, items| refusals.refuse_batch(*items))
    }

    #[test]
    fn two_batches_of_twenty_items_refused_to_the_last_are_the_services_doing() {
        for batches in [[10, 10], [1, 19], [19, 1], [100, 100]] {
            assert_eq!(after(&batches), RefusedBatch::Stop, "{batches:?}");
        }
    }

    #[test]
    fn fewer_batches_or_fewer_items_are_judged_as_items() {
        for batches in [&[1_000][..], &[9, 10], &[1, 1, 1]] {
            assert_eq!(after(batches), RefusedBatch::Judge, "{batches:?}");
        }
    }

    #[test]
    fn one_accepted_item_shows_that_the_service_works() {
        let mut refusals = Refusals::default();
        refusals.accept();
        assert_eq!([refusals.refuse_batch(100), refusals.refuse_batch(100)], [RefusedBatch::Judge; 2]);
    }

    #[test]
    fn a_call_is_halved_until_one_item_stands_alone_and_again_once_another_goes_through() {
        let mut refusals = Refusals::default();
        assert!(refusals.divides());
        refusals.refuse_alone();
        assert!(!refusals.divides());
        refusals.accept();
        assert!(refusals.divides());
    }

    #[test]
    fn what_is_left_over_in_the_end_is_judged_and_never_a_second_batch() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.refuse_batch(60), RefusedBatch::Judge);
        refusals.refuse_alone();
        refusals.judge_items();
        assert!(refusals.divides() && !refusals.doubts_service());
        assert_eq!(refusals.refuse_batch(59), RefusedBatch::Judge);
    }

    #[test]
    fn each_batch_is_halved_to_an_item_of_its_own() {
        let mut refusals = Refusals::default();
        refusals.refuse_alone();
        refusals.begin();
        assert!(refusals.divides());
    }
}
