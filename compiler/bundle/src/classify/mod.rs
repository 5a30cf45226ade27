//! From a value to its class.
//!
//! A table's tests on a field split the field's values into **classes**: two values of one class
//! cannot be told apart by the table. A classifier finds the class in one pass over the value,
//! whatever the number of tests. Class 0 is "any other value"; class 1 is "absent" in all but path
//! automata.
//!
//! Each module holds both halves: the reader that the decision code calls, and, where the layout is
//! not obvious, the writer that the compiler calls.

pub mod automaton;
pub mod bounds;
pub mod literals;
pub mod path;
mod slots;

pub use slots::{Layout, lay_out};

/// Any value that no test names.
pub const OTHER: u32 = 0;
/// No value.
pub const ABSENT: u32 = 1;
/// The first class that stands for tested values.
pub const FIRST: u32 = 2;
