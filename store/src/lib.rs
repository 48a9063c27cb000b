//! Everything kept: journal, projections, references, runs, counters, keys. SQLite and PostgreSQL behind one API.
//!
//! [`Store`] is the door. Whatever changes goes through [`journal::append`]; nothing else writes projections.

mod access;
pub mod ambient;
mod backup;
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
mod officials;
mod openid;
mod orders;
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
mod units;
mod verify;

pub use access::{
    Ceremony, CodeFor, Credential, Enrolment, Factor, Kept, KnownPasskey, Limit, NewPasskey, OpenSession, Operator,
    Passkey, Proven, Purpose, Token, Typed, Visit,
};
pub use citizens::{
    EnteredForm, HeldLine, Join, PendingForm, ReportLine, ReviewLine, ReviewRequest, Says, StaffLine, Submitted,
    TakeOver, TakeOverState, WeakerClaim,
};
pub use db::{Dialect, Location};
pub use error::{Refusal, Result, StoreError};
pub use explain::{Explained, Happened, HeldSince};
pub use figures::{DayFigures, Figures, Goal, Position, UnitFigures};
pub use find::{Found, MOST_FOUND};
pub use listed::{Listed, Listing};
pub use loads::{HealthFault, Incoming, Intake, OpenLoad, QuarantinedRow};
pub use messages::{Channel, Message, Reach};
pub use officials::{NewAccount, Newcomer, OwnProfile, Plan, PlanLine, Proposal, Reconciled, RunView, Undone, Widened};
pub use openid::{
    About, Allowed, Audience, Consent, DueNotice, Given, Grant, KnownClient, Live, NewClient, NoticeKind, NoticeLine,
    PublishedKey, Redeemed, SigningKey, TokenKind,
};
pub use orders::Order;
pub use recount::{LastRecount, Recount};
pub use settings::CampaignChange;
pub use store::{Places, Store};
pub use tables::{end_of, start_of};
pub use verify::{Check, Verified};
