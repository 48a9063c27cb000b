//! The store of all data: journal, projections, references, runs, counters, keys. SQLite and PostgreSQL behind one API.
//!
//! [`Store`] is the entry point. Every change goes through [`journal::append`]; nothing else writes projections.

// A failed write to the terminal must not end the process.
#![deny(clippy::print_stderr)]

pub(crate) mod accounts;
mod authentication;
mod citizens;
pub(crate) mod crypto;
pub mod db;
pub mod environment;
mod error;
pub mod journal;
mod loads;
pub(crate) mod maintenance;
pub(crate) mod notifications;
mod officials;
mod openid;
pub mod private;
mod projections;
pub(crate) mod reporting;
mod sandbox;
pub(crate) mod sessions;
mod settings;
mod store;
pub(crate) mod tables;

pub use accounts::explain::{AccountExplanation, ActiveHold, HistoryCursor, HistoryEntry, MovedTo};
pub use accounts::find::{AccountSearchResult, MOST_FOUND};
pub use accounts::orders::Order;
pub use accounts::two_persons::{ActProposal, Approved};
pub use authentication::{
    BrowserMark, CODE_LIVES, Ceremony, CodeCheck, CodeRecipient, Credential, Enrolment, KeyedLimit, KnownPasskey,
    NewPasskey, Operator, PapersSeen, Passkey, PasskeyStorage, Purpose, RateLimit, Requester, SendResult, TryResult,
    TwoFactorProof,
};
pub use citizens::{
    EnteredForm, ExemptionRequester, FormsFile, GivenAnswer, Join, PendingForm, ReceiptState, ReviewRequest,
    SubmissionResult, TakeOver, TakeOverState, WeakerClaim,
};
pub use crypto::{checkpoint, keyring, merkle};
pub use db::changed::{has_changed, watched};
pub use db::{AddressFault, Dialect, Location};
pub use error::{Refusal, Result, StoreError};
pub use loads::{HealthFault, LoadDecision, LoadRequest, OpenLoad, QuarantinedRow, WaitingRow};
pub use maintenance::backup::Restored;
pub use maintenance::outside::AcceptReport;
pub use maintenance::verify::{Check, UnfinishedLoad, Verified};
pub use notifications::messages::{Channel, ContactPoint, Message, News, NewsWords};
pub use officials::{
    FullRunReason, HrTask, NewAccount, Newcomer, OwnProfile, Plan, PlanLine, Proposal, RunLine, RunOutcome, RunSummary,
    UndoReport,
};
pub use openid::{
    AccountClaims, ActiveToken, AuthorizedRequest, Consent, Delivery, DeliverySummary, Grant, GrantParameters,
    IssuedTokens, KeyLine, KeyState, NewClient, PendingDelivery, PublishedKey, RegisteredClient, ResourceAudience,
    SecurityEventKind, SigningKey, TokenKind,
};
pub use reporting::figures::{DayFigures, Figures, Goal, Position, UnitFigures};
pub use reporting::lists::{HeldLine, ReviewLine};
pub use reporting::people::{PersonPage, PersonRow};
pub use reporting::recount::{LastRecount, Recount};
pub use reporting::report::{ReportLine, StaffLine};
pub use sessions::{Factor, Session, SessionEnd, SessionSummary, SessionToken};
pub use settings::CampaignChange;
pub use store::{Store, StorePaths};
pub use tables::accounts::{end_of, start_of};
