//! What is told about requests: numbers, lines and the time of day.

pub(crate) mod access_log;
pub(crate) mod clock;
pub(crate) mod collector;
pub(crate) mod metrics;
