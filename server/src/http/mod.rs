//! What all pages share: the context of a request, the layout, forms, histories, error pages.

pub(crate) mod assets;
pub(crate) mod device;
pub(crate) mod health;
pub(crate) mod layout;
pub(crate) mod request_context;
