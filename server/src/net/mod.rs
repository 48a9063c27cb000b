//! Connections: the listener and its bounds, the addresses of clients, the public address.

mod connections;
mod listener;
mod origin;
mod public_url;
mod timeouts;

pub use connections::Bounds;
pub use listener::{requests, serve};
pub use origin::{Proxies, counted, masked, network};
pub use public_url::{is_loopback, public_url};
