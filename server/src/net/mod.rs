//! Connections: the listener and its bounds, the addresses of clients, the public address.

pub(crate) mod listener;
pub(crate) mod origin;
pub(crate) mod public_url;
