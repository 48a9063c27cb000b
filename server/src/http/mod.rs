//! What all pages share: the context of a request, the layout, forms, histories, error pages.

pub mod assets;
mod cookies;
mod daily_limit;
pub mod device;
mod error_page;
pub mod health;
mod history;
mod input;
pub mod language;
mod layout;
mod messages;
mod request_context;
mod url;

pub use cookies::{BROWSER, LANGUAGE, MOST_OWNERS, clear_session_cookie, cookie, session_cookie, ticket_cookie};
pub use daily_limit::once_more;
pub use error_page::ErrorPage;
pub use history::{History, HistoryLinks, HistoryRow, history};
pub use input::{Input, Mistake, mistakes};
pub use layout::{Layout, MessagePage, html, redirect_page};
pub use messages::{message, not_found, nothing_here};
pub use request_context::{RequestContext, system_of};
pub use url::{path_encode, query_encode};
