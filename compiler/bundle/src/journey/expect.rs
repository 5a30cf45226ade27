//! What is expected of a journey.

use super::{Branch, End, Journey};
use crate::format::{Bundle, Target};
use crate::route::Destination;

/// What is to become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It is answered with this status, whoever answers.
    Status(u16),
    /// It arrives here: at a service, whichever its version, at one of its versions, or at one that has none.
    Arrival(Target),
    /// So many millionths of the traffic arrive at each of these, and nothing elsewhere.
    Shares(Vec<(Target, u32)>),
    /// It is pointed elsewhere.
    Redirect {
        /// The status.
        status: u16,
        /// Where to.
        location: String,
    },
    /// An arm answers it.
    Answer {
        /// The status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
}

/// By how many millionths a share may be off: each split on a way rounds once.
const ROUNDED: u32 = 16;

impl Expect {
    /// Whether a journey is as expected: each of its branches, or all of them together.
    pub fn is_met(&self, bundle: &Bundle, journey: &Journey) -> bool {
        let branches = &journey.branches;
        match self {
            Self::Shares(shares) => are_shares(shares, branches),
            _ => branches
                .iter()
                .all(|branch| self.is_end(bundle, &branch.end)),
        }
    }

    fn is_end(&self, bundle: &Bundle, end: &End) -> bool {
        match (self, end) {
            (Self::Status(expected), end) => end.status() == Some(*expected),
            (Self::Arrival(target), End::Arrived(to)) => fits(*target, to),
            (
                Self::Redirect { status, location },
                End::Redirected {
                    status: actual,
                    location: to,
                    ..
                },
            ) => status == actual && location == to,
            (
                Self::Answer { status, body },
                End::Answered {
                    status: actual,
                    body: sent,
                    ..
                },
            ) => {
                let sent = sent.some().map_or(&[][..], |body| bundle.str_bytes(body));
                status == actual && body == sent
            }
            _ => false,
        }
    }
}

fn fits(target: Target, to: &Destination) -> bool {
    match target {
        Target::Service(service) => service == to.service,
        Target::Own(service) => service == to.service && to.version.some().is_none(),
        Target::Version(service, version) => service == to.service && version == to.version,
    }
}

fn are_shares(expected: &[(Target, u32)], branches: &[Branch]) -> bool {
    let mut arrived = vec![0u32; expected.len()];
    for branch in branches {
        let End::Arrived(to) = &branch.end else {
            return false;
        };
        let fitting = (0..expected.len()).filter(|&index| fits(expected[index].0, to));
        // Of a service and one of its versions the version counts.
        let closest = fitting.max_by_key(|&index| !matches!(expected[index].0, Target::Service(_)));
        match closest {
            Some(index) => arrived[index] += branch.share,
            None => return false,
        }
    }
    let mut pairs = arrived.iter().zip(expected);
    pairs.all(|(actual, (_, share))| actual.abs_diff(*share) <= ROUNDED)
}
