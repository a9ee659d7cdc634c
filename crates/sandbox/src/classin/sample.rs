//! The sample world of docs/contracts/classin.md, 12.4.

use super::school::ClassInWorld;
use crate::moment;

/// Fills an empty school.
pub(crate) fn fill(state: &mut ClassInWorld) {
    let end = moment::now_s() + 365 * 24 * 3600;
    for uid in [1_001_001, 1_001_002] {
        state.insert_account(uid, "", "", "");
        state.join(uid, "", true);
    }
    for (course_id, classes) in [
        (523_689, vec![1_419_691]),
        (542_163, vec![1_474_563]),
        (490_583, vec![1_395_043, 1_395_044, 1_395_045]),
    ] {
        state.insert_course(course_id, "sample");
        for class_id in classes {
            state.insert_class(course_id, class_id, "sample", end);
        }
    }
    if let Some(class) = state.classes.get_mut(&1_474_563) {
        class.transfer.insert(1_001_001);
    }
    state.next_uid = 1_001_930;
}
