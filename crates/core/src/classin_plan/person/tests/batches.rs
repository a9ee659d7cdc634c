//! How operations are put into calls.

use super::*;

fn operations(enrols: i64, removes: i64) -> Vec<EnrolmentOperation> {
    let mut world = converged();
    world.wanted.extend((0..enrols).map(|n| row(&format!("e{n:03}"), "c1", Some(100 + n))));
    world.recorded.extend((0..removes).map(|n| record(&format!("r{n:03}"), 1000 + n, Evidence::Added)));
    world.plan().operations
}

fn shape(calls: &[EnrolmentBatch]) -> Vec<(EnrolmentKind, usize)> {
    calls.iter().map(|call| (call.kind, call.operations.len())).collect()
}

#[test]
fn a_call_takes_at_most_the_batch_size_and_never_more_than_thirty() {
    use EnrolmentKind::{Enrol, Remove};
    let none = BTreeSet::new();
    let table = [
        (30, 30, vec![(Enrol, 30), (Enrol, 1), (Remove, 2)]),
        (500, 30, vec![(Enrol, 30), (Enrol, 1), (Remove, 2)]),
        (20, 20, vec![(Enrol, 20), (Enrol, 11), (Remove, 2)]),
        (31, 30, vec![(Enrol, 30), (Enrol, 1), (Remove, 2)]),
    ];
    for (size, _, expected) in table {
        assert_eq!(shape(&batches(&operations(31, 2), size, &none)), expected, "{size}");
    }
    assert_eq!(batches(&operations(3, 0), 0, &none).len(), 3);
}

#[test]
fn where_the_class_was_full_the_removals_come_first() {
    use EnrolmentKind::{Enrol, Remove};
    let full = BTreeSet::from([TARGET]);
    assert_eq!(shape(&batches(&operations(1, 2), 30, &full)), [(Remove, 2), (Enrol, 1)]);
}

#[test]
fn what_is_not_planned_is_in_no_call() {
    let world = World { wanted: vec![], mode: Mode::Upsert, ..converged() };
    assert!(batches(&world.plan().operations, 30, &BTreeSet::new()).is_empty());
}
