//! End to end: what users run, on real sockets.

mod answers;
mod bad_input;
mod bodies;
mod bookinfo;
mod bundles;
mod command_line;
mod documents;
mod editor;
mod graph;
mod http2;
mod lint;
mod publishing;
mod reload;
mod replay;
mod signatures;
mod slices;
mod split;
mod up;
