//! A yes/no on a text: prefix, suffix, substring, regular expression, as a table of transitions.

use crate::format::{Automaton, Bundle};

/// The dead state: nothing that follows can be accepted.
pub const DEAD: u32 = 0;

/// Whether the automaton accepts `value` as a whole.
#[inline]
pub(crate) fn accepts(bundle: &Bundle, automaton: &Automaton, value: &[u8]) -> bool {
    let transitions = &bundle.transitions()[automaton.transitions.range()];
    let stride = automaton.byte_class_count.get() as usize;
    let mut state = automaton.start.get();
    for &byte in value {
        let class = usize::from(automaton.byte_classes[usize::from(byte)]);
        state = transitions[state as usize * stride + class].get();
        if state == DEAD {
            return false;
        }
    }
    state >= automaton.first_accepting.get()
}
