//! The store of all data: journal, projections, references, runs, counters, keys. SQLite and PostgreSQL behind one API.
//!
//! [`Store`] is the entry point. Every change goes through [`journal::append`]; nothing else writes projections.

// A failed write to the terminal must not end the process.
#![deny(clippy::print_stderr)]

mod authentication;
mod backup;
mod bound;
mod changed;
pub mod checkpoint;
mod citizens;
mod counting;
mod counts;
pub mod db;
pub mod environment;
mod error;
mod explain;
mod figures;
mod find;
pub mod journal;
mod key_rotation;
pub mod keyring;
mod listed;
mod loads;
pub mod merkle;
mod messages;
mod numbers;
mod officials;
mod openid;
mod orders;
mod outside;
pub mod private;
mod project;
mod rebuild;
mod recount;
mod sandbox;
mod schema;
mod seal;
mod settings;
mod store;
mod tables;
mod two_persons;
mod units;
mod verify;

pub use authentication::{
    BrowserMark, CODE_LIVES, Ceremony, CodeCheck, CodeRecipient, Credential, Enrolment, Factor, KeyedLimit,
    KnownPasskey, NewPasskey, Operator, PapersSeen, Passkey, PasskeyStorage, Purpose, RateLimit, Requester, SendResult,
    Session, SessionEnd, SessionSummary, SessionToken, TryResult, TwoFactorProof,
};
pub use backup::Restored;
pub use changed::{has_changed, watched};
pub use citizens::{
    EnteredForm, ExemptionRequester, FormsFile, GivenAnswer, HeldLine, Join, PendingForm, ReceiptState, ReportLine,
    ReviewLine, ReviewRequest, StaffLine, SubmissionResult, TakeOver, TakeOverState, WeakerClaim,
};
pub use db::{AddressFault, Dialect, Location};
pub use error::{Refusal, Result, StoreError};
pub use explain::{AccountExplanation, ActiveHold, HistoryCursor, HistoryEntry, MovedTo};
pub use figures::{DayFigures, Figures, Goal, Position, UnitFigures};
pub use find::{AccountSearchResult, MOST_FOUND};
pub use listed::{PersonPage, PersonRow};
pub use loads::{HealthFault, LoadDecision, LoadRequest, OpenLoad, QuarantinedRow, WaitingRow};
pub use messages::{Channel, ContactPoint, Message, News, NewsWords};
pub use officials::{
    FullRunReason, HrTask, NewAccount, Newcomer, OwnProfile, Plan, PlanLine, Proposal, RunLine, RunOutcome, RunSummary,
    UndoReport,
};
pub use openid::{
    AccountClaims, ActiveToken, AuthorizedRequest, Consent, Delivery, DeliverySummary, Grant, GrantParameters,
    IssuedTokens, KeyLine, KeyState, NewClient, PendingDelivery, PublishedKey, RegisteredClient, ResourceAudience,
    SecurityEventKind, SigningKey, TokenKind,
};
pub use orders::Order;
pub use outside::AcceptReport;
pub use recount::{LastRecount, Recount};
pub use settings::CampaignChange;
pub use store::{Store, StorePaths};
pub use tables::{end_of, start_of};
pub use two_persons::{ActProposal, Approved};
pub use verify::{Check, UnfinishedLoad, Verified};
