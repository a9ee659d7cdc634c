//! The worlds: what is done in each is a function, which of them there are is a table.

mod answers;
mod classin;
mod codes;
mod commands;
mod exam;
mod faults;
mod held;
mod imports;
mod interrupted;
mod leavers;
mod mirror_faults;
mod modes;
mod outage;
mod results;
mod rows;

use crate::world::World;

/// What is done in a world.
pub(crate) type Scenario = fn(&mut World);

/// Every world by the name of its snapshot. Those that take longest come first, so that nobody waits for them.
pub(crate) static WORLDS: std::sync::LazyLock<Vec<(&str, Scenario)>> = std::sync::LazyLock::new(|| {
    [
        codes::WORLDS,
        answers::WORLDS,
        interrupted::WORLDS,
        outage::WORLDS,
        results::WORLDS,
        exam::WORLDS,
        modes::WORLDS,
        leavers::WORLDS,
        held::WORLDS,
        rows::WORLDS,
        faults::WORLDS,
        classin::WORLDS,
        mirror_faults::WORLDS,
        imports::WORLDS,
        commands::WORLDS,
    ]
    .concat()
});
