//! The program; what it does comes with the modules it needs.

fn main() {}
