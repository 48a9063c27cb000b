//! The store of all data: journal, projections, references, runs, counters, keys. SQLite and PostgreSQL behind one API.
//!
//! [`Store`] is the entry point. Every change goes through [`journal::append`]; nothing else writes projections.

// A failed write to the terminal must not end the process.
#![deny(clippy::print_stderr)]

pub(crate) mod accounts;
pub(crate) mod crypto;
pub(crate) mod journal;
pub(crate) mod maintenance;
pub(crate) mod notifications;
pub(crate) mod reporting;
pub(crate) mod sessions;
pub(crate) mod tables;
mod authentication;
mod citizens;
pub mod db;
pub mod environment;
mod error;
mod loads;
mod officials;
mod openid;
pub mod private;
mod projections;
mod sandbox;
mod settings;
mod store;

pub use authentication::{BrowserMark, CODE_LIVES, Ceremony, CodeCheck, CodeRecipient, Credential, Enrolment, Factor, KeyedLimit, KnownPasskey, NewPasskey, Operator, PapersSeen, Passkey, PasskeyStorage, Purpose, RateLimit, Requester, SendResult, Session, SessionEnd, SessionSummary, SessionToken, TryResult, TwoFactorProof};
pub use crate::maintenance::backup::Restored;
pub use crate::db::changed::{has_changed, watched};
pub use citizens::{EnteredForm, ExemptionRequester, FormsFile, GivenAnswer, HeldLine, Join, PendingForm, ReceiptState, ReportLine, ReviewLine, ReviewRequest, StaffLine, SubmissionResult, TakeOver, TakeOverState, WeakerClaim};
pub use db::{AddressFault, Dialect, Location};
pub use error::{Refusal, Result, StoreError};
pub use crate::accounts::explain::{AccountExplanation, ActiveHold, HistoryCursor, HistoryEntry, MovedTo};
pub use crate::reporting::figures::{DayFigures, Figures, Goal, Position, UnitFigures};
pub use crate::accounts::find::{AccountSearchResult, MOST_FOUND};
pub use crate::reporting::people::{PersonPage, PersonRow};
pub use loads::{HealthFault, LoadDecision, LoadRequest, OpenLoad, QuarantinedRow, WaitingRow};
pub use crate::notifications::messages::{Channel, ContactPoint, Message, News, NewsWords};
pub use officials::{FullRunReason, HrTask, NewAccount, Newcomer, OwnProfile, Plan, PlanLine, Proposal, RunLine, RunOutcome, RunSummary, UndoReport};
pub use openid::{AccountClaims, ActiveToken, AuthorizedRequest, Consent, Delivery, DeliverySummary, Grant, GrantParameters, IssuedTokens, KeyLine, KeyState, NewClient, PendingDelivery, PublishedKey, RegisteredClient, ResourceAudience, SecurityEventKind, SigningKey, TokenKind};
pub use crate::accounts::orders::Order;
pub use crate::maintenance::outside::AcceptReport;
pub use crate::reporting::recount::{LastRecount, Recount};
pub use settings::CampaignChange;
pub use store::{Store, StorePaths};
pub use crate::tables::accounts::{end_of, start_of};
pub use crate::accounts::two_persons::{ActProposal, Approved};
pub use crate::maintenance::verify::{Check, UnfinishedLoad, Verified};
