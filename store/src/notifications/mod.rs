//! The outboxes: messages to people, security events to connected systems.

pub(crate) mod messages;
