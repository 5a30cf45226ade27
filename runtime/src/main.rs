//! `meshd`: serves a bundle as an edge gateway or as a sidecar.

use std::process::ExitCode;

/// Smaller and faster than the C library's on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    meshd::cli::main()
}
