//! The store of all data: journal, projections, references, runs, counters, keys. SQLite and PostgreSQL behind one API.
//!
//! [`Store`] is the entry point. Every change goes through [`crate::unit_of_work::append`]; nothing else writes projections.

// A failed write to the terminal must not end the process.
#![deny(clippy::print_stderr)]

mod accounts;
mod authentication;
mod citizens;
mod context;
mod crypto;
pub mod db;
pub mod environment;
mod error;
pub mod journal;
mod loads;
mod maintenance;
mod notifications;
mod officials;
mod openid;
pub mod private;
mod projections;
mod reporting;
mod rights;
mod sandbox;
mod sessions;
mod settings;
mod store;
mod tables;
mod unit_of_work;

/// Makes an `async fn` return a boxed future. Its code is then generated here, once; that of a plain `async fn` is generated again in each
/// crate that awaits it: the server, and every test binary.
use async_recursion::async_recursion as boxed;

pub use accounts::explain::{AccountExplanation, HistoryCursor, HistoryEntry, MovedTo};
pub use accounts::find::{AccountSearchResult, MOST_FOUND};
pub use accounts::orders::Order;
pub use accounts::two_persons::{ActProposal, Approved};
pub use authentication::{
    BrowserMark, CODE_LIVES, Ceremony, CodeCheck, CodeRecipient, Credential, Enrolment, KeyedLimit, KnownPasskey,
    NewPasskey, PapersSeen, Passkey, Purpose, RateLimit, Requester, SendResult, TryResult,
};
pub use citizens::submission::SubmissionResult;
pub use citizens::{
    EnteredForm, ExemptionRequester, FormsFile, GivenAnswer, Join, PendingForm, ReceiptState, ReviewRequest, TakeOver,
    TakeOverState, WeakerClaim,
};
pub use context::StorePaths;
pub use context::{News, NewsWords};
pub use crypto::{checkpoint, keyring, merkle};
pub use db::changed::{has_changed, watched};
pub use db::columns::{end_of, start_of};
pub use db::{Dialect, Location};
pub use error::{AddressFault, Refusal, Result, StoreError};
pub use loads::HealthFault;
pub use loads::begin::LoadDecision;
pub use loads::incoming::{LoadRequest, QuarantinedRow, WaitingRow};
pub use loads::open_load::OpenLoad;
pub use maintenance::backup::Restored;
pub use maintenance::outside::AcceptReport;
pub use maintenance::verify::findings::{Check, UnfinishedLoad, Verified};
pub use notifications::client_outbox::SecurityEventKind;
pub use notifications::messages::{Channel, ContactPoint, Message};
pub use officials::{
    FullRunReason, HrTask, NewAccount, Newcomer, OwnProfile, Plan, PlanLine, Proposal, RunLine, RunOutcome, RunSummary,
    UndoReport,
};
pub use openid::{
    AccountClaims, ActiveToken, AuthorizedRequest, Consent, Delivery, DeliverySummary, Grant, GrantParameters,
    IssuedTokens, KeyLine, KeyState, NewClient, PendingDelivery, PublishedKey, RegisteredClient, ResourceAudience,
    SigningKey, TokenKind,
};
pub use reporting::figures::{DayFigures, Figures, Goal, Position, UnitFigures};
pub use reporting::lists::{HeldLine, ReviewLine};
pub use reporting::people::{PersonPage, PersonRow};
pub use reporting::recount::{LastRecount, Recount};
pub use reporting::report::{ReportLine, StaffLine};
pub use rights::Operator;
pub use sessions::factor::{Factor, PasskeyStorage, TwoFactorProof};
pub use sessions::session::{Session, SessionEnd, SessionSummary, SessionToken};
pub use settings::CampaignChange;
pub use store::Store;
pub use tables::holds::ActiveHold;
pub use unit_of_work::append;
