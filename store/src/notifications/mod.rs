//! The outboxes: messages to people, security events to connected systems.

pub(crate) mod client_outbox;
pub(crate) mod held_state;
pub(crate) mod messages;
