//! Small real upstream servers in the shape of Istio's Bookinfo: a page, the details of a book,
//! three versions of its reviews, their ratings, and an echo for tests.
//!
//! What comes in: the name of a server, an address to listen on, and the address at which its
//! sidecar takes calls to others. What goes out: a server that speaks HTTP/1.1 and HTTP/2 on one
//! port, and says with every response who answered (`x-served-by: reviews-v2`). With a proxy
//! between them, a canary, a split and a gateway can be seen working.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use mesh_demo::{Server, ServerName, start};
//!
//! let name = ServerName::parse("reviews.v1").expect("a server of this crate");
//! let running = start(Server { name, outbound: None }, ([127, 0, 0, 1], 0).into()).await?;
//! println!("http://{}/reviews/0", running.address);
//! running.shutdown().await;
//! # Ok(())
//! # })
//! # }
//! ```

mod checksum;
mod details;
mod echo;
mod form;
mod io;
mod name;
mod outbound;
mod page;
mod productpage;
mod ratings;
mod reply;
mod reviews;
mod server;

pub use checksum::Checksum;
pub use io::{TokioExecutor, TokioIo};
pub use name::{ReviewsVersion, ServerName};
pub use server::{Running, Server, start, start_as};
