//! How much may be tried before a proof gives up.
//!
//! Work is counted in steps, never in time: the same mesh has the same findings on every machine. A
//! question has a budget of its own, so that one that explodes does not keep the others from being answered, and
//! all questions of a table share another, so that a thousand of them do not add up.

/// Steps that are left.
#[derive(Clone, Debug)]
pub struct Budget {
    all: u64,
    each: u64,
    question: u64,
}

impl Budget {
    /// Enough for what people write; what is built to explode is given up in less than a second.
    pub const USUAL: Self = Self::new(2_000_000, 200_000);

    /// So many steps for everything, and so many for each question.
    pub const fn new(all: u64, each: u64) -> Self {
        Self {
            all,
            each,
            question: each,
        }
    }

    /// Begins another question.
    pub(super) fn begin(&mut self) {
        self.question = self.each;
    }

    /// Takes steps; false where fewer are left.
    pub(super) fn spend(&mut self, steps: u64) -> bool {
        match (
            self.all.checked_sub(steps),
            self.question.checked_sub(steps),
        ) {
            (Some(all), Some(question)) => {
                self.all = all;
                self.question = question;
                true
            }
            _ => false,
        }
    }
}
