//! The store of all data: journal, projections, references, runs, counters, keys. SQLite and PostgreSQL behind one API.
//!
//! [`Store`] is the entry point. Every change goes through [`journal::append`]; nothing else writes projections.

// A failed write to the terminal must not end the process.
#![deny(clippy::print_stderr)]

mod access;
pub mod ambient;
mod backup;
mod bound;
mod changed;
pub mod checkpoint;
mod citizens;
mod counting;
mod counts;
pub mod db;
mod error;
mod explain;
mod figures;
mod find;
pub mod journal;
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
mod recount;
mod replay;
mod rotate;
mod sandbox;
mod schema;
mod seal;
mod settings;
mod store;
mod tables;
mod two_persons;
mod units;
mod verify;

pub use access::{
    BrowserMark, CODE_LIVES, Ceremony, CodeFor, Counted, Credential, Enrolment, Factor, Kept, KnownPasskey, Limit,
    NewPasskey, OpenSession, Operator, Over, PapersSeen, Passkey, Proven, Purpose, Sending, Token, Tried, Typed, Visit,
    Who,
};
pub use backup::Restored;
pub use changed::{has_changed, watched};
pub use citizens::{
    EnteredForm, FormsFile, GivenAnswer, HeldLine, Join, PendingForm, ReceiptState, ReportLine, ReviewLine,
    ReviewRequest, Says, StaffLine, Submitted, TakeOver, TakeOverState, WeakerClaim,
};
pub use db::{AddressFault, Dialect, Location};
pub use error::{Refusal, Result, StoreError};
pub use explain::{Before, Explained, Happened, HeldSince, MovedTo};
pub use figures::{DayFigures, Figures, Goal, Position, UnitFigures};
pub use find::{Found, MOST_FOUND};
pub use listed::{Listed, Listing};
pub use loads::{HealthFault, Incoming, Intake, OpenLoad, QuarantinedRow, WaitingRow};
pub use messages::{Channel, Message, News, NewsWords, Reach};
pub use officials::{
    HrTask, NewAccount, Newcomer, OwnProfile, Plan, PlanLine, Proposal, Reconciled, RunLine, RunView, Undone, Widened,
};
pub use openid::{
    About, Allowed, Audience, Consent, Delivery, DueNotice, Given, Grant, KeyLine, KeyState, KnownClient, Live,
    NewClient, NoticeKind, NoticeLine, PublishedKey, Redeemed, SigningKey, TokenKind,
};
pub use orders::Order;
pub use outside::Accepted;
pub use recount::{LastRecount, Recount};
pub use settings::CampaignChange;
pub use store::{Places, Store};
pub use tables::{end_of, start_of};
pub use two_persons::{ActProposal, Approved};
pub use verify::{Check, UnfinishedLoad, Verified};
