//! Sessions. A session is valid while its account has the generation with which it began and nothing holds it. A hold raises the generation
//! in its own commit, so it ends every session at once, and lifting it revives none.
//!
//! ```text
//!   open account ── sign in ──▶ full session ── a hold, 30 min idle (an operator's 15), 12 h, sign out ──▶ over
//!   held account ── sign in ──▶ held visit ── 15 min, a hold that its own mending did not place, sign out ──▶ over
//!                                   ├── its last hold is lifted ──▶ full session, under a new token (an operator signs in again)
//!                                   ├── it is joined to another account ──▶ full session of that one
//!                                   └── it moved to the account at the new unit ──▶ session of that one
//! ```

pub(crate) mod end;
pub(crate) mod factor;
pub(crate) mod grants;
mod held;
mod open;
pub(crate) mod rows;
pub(crate) mod session;
pub(crate) mod sign_in_record;
