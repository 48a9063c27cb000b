//! One-time codes: digits sent to a phone or a mailbox, valid once, for five minutes and five attempts, in the requesting browser only.
//!
//! ```text
//!   sent ── the right digits ──▶ used
//!     ├──── 5 min, 5 wrong attempts ──▶ over
//!     └──── requested again, in any browser ──▶ the same digits, with five more attempts there
//! ```
//!
//! A request while a code is live counts nothing, so that no visitor uses up what the owner needs: a phone gets one new code in five
//! minutes, whoever requests it. Twenty wrong attempts in all browsers together end a short code, and the next ones are long.
//!
//! If the owner cannot be reached, a code becomes live all the same: it is counted, tried and ended like any other, but no digits are
//! right. So nothing about a code reveals whether an owner exists.

use crate::authentication::throttle::{KeyedLimit, RateLimit, Requester};
use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::AssociatedData;
use crate::crypto::merkle::sha256;
use crate::db::Tx;
use crate::environment::hex;
use crate::error::Result;
use crate::notifications::messages::{Channel, ContactPoint, tell};
use crate::store::Store;
use crate::tables::attempts::{Window, take_all};
use std::collections::BTreeSet;

/// Lifetime of a code: 5 minutes in microseconds.
pub const GOOD: i64 = 5 * 60 * 1_000_000;
/// Number of attempts at a code in one browser.
const TRIES: i64 = 5;
/// Number of digits.
const SHORT: u32 = 6;
/// Number of digits after too many wrong attempts for one purpose and subject in thirty days, in all browsers. It defeats further guessing
/// without locking the owner out.
const LONG: u32 = 12;
const GUESSES: RateLimit = RateLimit {
    what: "code-guess",
    times: 100,
    seconds: 30 * 86_400,
};
/// Number of wrong attempts, in all browsers together, that end a short code.
const WRONG: i64 = 20;
/// Short codes to one contact point that ended so in a day: after the first one, codes are long.
const BURNT: RateLimit = RateLimit {
    what: "code-burnt",
    times: 1,
    seconds: 86_400,
};
/// Interval after which the same code is sent once more, since a message may be lost: one minute in microseconds. The next constant is the
/// most messages with one code.
const AGAIN: i64 = 60 * 1_000_000;
const MOST_MESSAGES: i64 = 3;

/// Messages with codes to one phone or mailbox a day: from all strangers together, and from each known browser and each of the owner's
/// sessions for each purpose. It prevents flooding, and strangers cannot use up what the owner needs.
const TO_PLACE: RateLimit = RateLimit {
    what: "code-messages-place",
    times: 20,
    seconds: 86_400,
};

/// Messages with codes of the whole installation, by channel, a minute and a day. Strangers may use two thirds of each; the rest is for
/// known browsers and sessions.
const MESSAGES: [RateLimit; 2] = [
    RateLimit {
        what: "code-messages-minute",
        times: 600,
        seconds: 60,
    },
    RateLimit {
        what: "code-messages-day",
        times: 90_000,
        seconds: 86_400,
    },
];

/// The purpose of a code. A code for one purpose is not valid for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in to an account without a password.
    SignIn,
    /// The last step of a form: proves control of the typed phone.
    Form,
    /// Setting another password.
    Reset,
    /// Joining an account without a password to another one.
    Join,
    /// Learning which fields differ: proves control of the registry's phone.
    Fields,
    /// Opening an account that was idle for long: proves control of its phone or mailbox.
    Idle,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Form => "form",
            Self::Reset => "reset",
            Self::Join => "join",
            Self::Fields => "fields",
            Self::Idle => "idle",
        }
    }
}

/// The recipient of a code.
#[derive(Clone)]
pub struct CodeRecipient {
    /// The account, or another subject of the code, stored as it is. If the owner cannot be reached: the key of the requested name.
    pub subject: String,
    /// The owner's contact point. `None` if there is none: no message is sent, and all else is the same.
    pub reach: Option<ContactPoint>,
}

impl CodeRecipient {
    /// The key of the code that is live there.
    fn place(&self) -> [&str; 2] {
        match &self.reach {
            Some(reach) => [reach.channel.name(), &reach.to],
            None => ["nobody", &self.subject],
        }
    }
}

/// The result of a request for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// A code is on its way or was sent before. For strangers also if the contact point got too many messages today, or does not exist.
    Sent,
    /// No code: too many were sent.
    TooOften,
}

/// The result of trying a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeCheck {
    /// It was right, for these subjects.
    Right(Vec<String>),
    /// It was wrong; the number of attempts left.
    Wrong(i64),
    /// No code is pending: expired, tried too often, or never sent.
    Over,
}

impl Store {
    /// Sends a code to each recipient: the one that is live there, or a new one, which counts under `limits`. `holder` is the browser's
    /// secret: a session's token or a ticket's. `text` builds the message around the digits.
    pub async fn send_codes(
        &self,
        holder: &str,
        purpose: Purpose,
        who: &Requester,
        limits: &[KeyedLimit],
        to: &[CodeRecipient],
        text: impl Fn(&str) -> String,
    ) -> Result<SendResult> {
        let sending = CodeRequest {
            ctx: self.ctx.clone(),
            holder: sha256(&[holder.as_bytes()]),
            purpose,
            limits: limits.iter().map(|counted| counted.count(&self.ctx)).collect(),
            who: who.clone(),
            text: text(DIGITS),
        };
        let to = to.to_vec();
        self.db
            .transaction(move |tx| {
                let (sending, to) = (sending.clone(), to.clone());
                Box::pin(async move { sending.send(tx, &to).await })
            })
            .await
    }

    /// Whether the installation's limits allow codes for this party, by any channel. Checked before any look-up of an account, so that it
    /// reveals nothing.
    #[boxed]
    pub async fn has_room_for_codes(&self, who: &Requester) -> Result<bool> {
        let channels = [Channel::Sms, Channel::Mail];
        let counts: Vec<Window> = channels
            .into_iter()
            .flat_map(|channel| room(&self.ctx, channel, who.is_stranger()))
            .collect();
        self.db
            .query(async |tx| {
                for count in counts {
                    if !count.has_room(tx).await? {
                        return Ok(false);
                    }
                }
                Ok(true)
            })
            .await
    }

    /// Tries a code. A right code is used up, with all that were sent together with it.
    #[boxed]
    pub async fn try_code(&self, holder: &str, purpose: Purpose, digits: &str) -> Result<CodeCheck> {
        let ctx = self.ctx.clone();
        let holder = sha256(&[holder.as_bytes()]);
        let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
        self.db
            .transaction(move |tx| {
                let (ctx, digits) = (ctx.clone(), digits.clone());
                Box::pin(async move { judge(tx, &ctx, holder, purpose, &digits).await })
            })
            .await
    }
}

/// A MAC over the digits and everything that they are valid for.
fn keyed(
    ctx: &StoreContext,
    holder: [u8; 32],
    purpose: Purpose,
    subject: &str,
    digits: &str,
    good_until: i64,
) -> [u8; 32] {
    let parts: [&[u8]; 6] = [
        b"one-time code",
        &holder,
        purpose.name().as_bytes(),
        subject.as_bytes(),
        digits.as_bytes(),
        &good_until.to_be_bytes(),
    ];
    ctx.keys.ticket_mac(&parts)
}

async fn invalidate_codes(tx: &mut Tx, holder: [u8; 32], purpose: Purpose) -> Result<()> {
    let sql = "DELETE FROM one_time_code WHERE holder = $1 AND purpose = $2";
    tx.execute(sql, [holder.into(), purpose.name().into()]).await.map(drop)
}

/// The installation's limits for this channel.
fn room(ctx: &StoreContext, channel: Channel, strangers: bool) -> [Window; 2] {
    MESSAGES.map(|limit| {
        let times = if strangers { limit.times / 3 * 2 } else { limit.times };
        RateLimit { times, ..limit }.count(ctx, &[channel.name()])
    })
}

/// Placeholder of the digits in a text.
const DIGITS: &str = "{digits}";

/// A request for codes.
#[derive(Clone)]
struct CodeRequest {
    ctx: StoreContext,
    holder: [u8; 32],
    purpose: Purpose,
    limits: Vec<Window>,
    who: Requester,
    text: String,
}

/// The live code of a contact point.
struct LiveCode {
    id: [u8; 32],
    digits: String,
    sent: i64,
    messages: i64,
    good_until: i64,
}

/// Associated data of the encryption: the digits decrypt only in their own row and with their own expiry.
fn place(row: &[u8]) -> AssociatedData<'_> {
    AssociatedData {
        table: "live_code",
        column: "sealed",
        row,
    }
}

fn row_of(id: &[u8; 32], good_until: i64) -> Vec<u8> {
    [&id[..], &good_until.to_be_bytes()].concat()
}

impl CodeRequest {
    async fn send(&self, tx: &mut Tx, to: &[CodeRecipient]) -> Result<SendResult> {
        invalidate_codes(tx, self.holder, self.purpose).await?;
        let (mut counted, mut sent) = (false, SendResult::Sent);
        for one in to {
            let [channel, to] = one.place();
            let id = self.ctx.keys.mac(&[
                b"live code",
                self.purpose.name().as_bytes(),
                channel.as_bytes(),
                to.as_bytes(),
            ]);
            let subject = match one.reach {
                Some(_) => one.subject.clone(),
                None => hex(&id),
            };
            let length = self.length(tx, &id, &subject).await?;
            let live = match self.live(tx, id).await? {
                // A live code that is too short by now is not sent again.
                Some(live) if live.digits.len() >= length as usize => Some(live),
                // Several accounts of one name count as one request.
                _ if counted || take_all(tx, &self.limits).await?.is_some() => {
                    counted = true;
                    self.draw(tx, id, length).await?
                }
                _ => None,
            };
            let Some(live) = live else {
                sent = SendResult::TooOften;
                self.hold(tx, "", None).await?;
                continue;
            };
            if let Some(reach) = &one.reach
                && !self.tell(tx, reach, &live).await?
            {
                sent = SendResult::TooOften;
                self.hold(tx, "", None).await?;
                continue;
            }
            self.hold(tx, &subject, Some((&live, one.reach.is_some()))).await?;
        }
        Ok(sent)
    }

    /// Sends the digits if it is time. `false` if they were never sent, which the requester learns.
    async fn tell(&self, tx: &mut Tx, reach: &ContactPoint, live: &LiveCode) -> Result<bool> {
        let fresh = live.messages == 0;
        if !fresh && (live.messages >= MOST_MESSAGES || self.ctx.now() - live.sent < AGAIN) {
            return Ok(true);
        }
        let place = [reach.channel.name(), reach.to.as_str()];
        let of_place = match &self.who {
            Requester::Stranger(_) => TO_PLACE.of(&place),
            // Counted by purpose, so that a code to a typed phone does not reveal the contact point of another code.
            known => TO_PLACE.by(known, &[self.purpose.name(), place[0], place[1]]),
        };
        let [minute, day] = room(&self.ctx, reach.channel, self.who.is_stranger());
        if take_all(tx, &[minute, day, of_place.count(&self.ctx)]).await?.is_none() {
            // A stranger must not learn about a limit that only an existing contact point can reach.
            return Ok(!fresh || self.who.is_stranger());
        }
        let sql = "UPDATE live_code SET sent = $2, messages = messages + 1 WHERE id = $1";
        tx.execute(sql, [live.id.into(), self.ctx.now().into()]).await?;
        tell(tx, &self.ctx, reach, &self.text.replace(DIGITS, &live.digits)).await?;
        Ok(true)
    }

    async fn length(&self, tx: &mut Tx, id: &[u8; 32], subject: &str) -> Result<u32> {
        let guesses = GUESSES
            .count(&self.ctx, &[self.purpose.name(), subject])
            .read(tx)
            .await?;
        let burnt = BURNT.count(&self.ctx, &[&hex(id)]).read(tx).await?;
        let is_long = guesses >= GUESSES.times || burnt >= BURNT.times;
        Ok(if is_long { LONG } else { SHORT })
    }

    /// The live code of that id. Concurrent requests wait for each other here.
    async fn live(&self, tx: &mut Tx, id: [u8; 32]) -> Result<Option<LiveCode>> {
        let sql = "SELECT sealed, sent, messages, good_until FROM live_code WHERE id = $1 AND good_until > $2";
        let rows = tx.rows_for_update(sql, [id.into(), self.ctx.now().into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let good_until = row.get(3)?;
        let place_of = row_of(&id, good_until);
        let digits = self.ctx.keys.decrypt(place(&place_of), &row.get::<Vec<u8>>(0)?)?;
        Ok(Some(LiveCode {
            id,
            digits: String::from_utf8_lossy(&digits).into_owned(),
            sent: row.get(1)?,
            messages: row.get(2)?,
            good_until,
        }))
    }

    /// Generates a code; of two concurrent requests, the second gets the code of the first.
    async fn draw(&self, tx: &mut Tx, id: [u8; 32], length: u32) -> Result<Option<LiveCode>> {
        let number = u64::from_be_bytes(self.ctx.environment.bytes()) % 10_u64.pow(length);
        let digits = format!("{number:0width$}", width = length as usize);
        let now = self.ctx.now();
        let place_of = row_of(&id, now + GOOD);
        let sealed = self
            .ctx
            .keys
            .encrypt(place(&place_of), digits.as_bytes(), &self.ctx.environment);
        let sql = "INSERT INTO live_code (id, sealed, sent, messages, wrong, long, good_until) VALUES ($1,$2,0,0,0,$3,$4) \
             ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, sent = 0, messages = 0, wrong = 0, long = excluded.long, \
             good_until = excluded.good_until WHERE live_code.good_until <= $5 OR live_code.long < excluded.long";
        let is_long = i64::from(length == LONG);
        let args = [
            id.into(),
            sealed.into(),
            is_long.into(),
            (now + GOOD).into(),
            now.into(),
        ];
        tx.execute(sql, args).await?;
        self.live(tx, id).await
    }

    /// Stores the browser's claim to the code. Without a code, or if it was sent to nobody, no digits are right.
    async fn hold(&self, tx: &mut Tx, subject: &str, live: Option<(&LiveCode, bool)>) -> Result<()> {
        let code = match live {
            Some((live, true)) => keyed(
                &self.ctx,
                self.holder,
                self.purpose,
                subject,
                &live.digits,
                live.good_until,
            ),
            Some((_, false)) | None => self.ctx.environment.bytes(),
        };
        let live = live.map(|(live, _)| live);
        let good_until = live.map_or(self.ctx.now() + GOOD, |live| live.good_until);
        tx.execute(
            // Two requests at once, by a double click: the later code counts.
            "INSERT INTO one_time_code (holder, purpose, subject, code, tries, good_until, live) VALUES ($1,$2,$3,$4,0,$5,$6) \
             ON CONFLICT (holder, purpose, subject) DO UPDATE SET code = excluded.code, tries = 0, good_until = excluded.good_until, \
             live = excluded.live",
            [
                self.holder.into(),
                self.purpose.name().into(),
                subject.into(),
                code.into(),
                good_until.into(),
                live.map(|live| live.id.to_vec()).into(),
            ],
        )
        .await
        .map(drop)
    }
}

async fn judge(tx: &mut Tx, ctx: &StoreContext, holder: [u8; 32], purpose: Purpose, digits: &str) -> Result<CodeCheck> {
    let sql = "SELECT subject, code, tries, good_until, live FROM one_time_code WHERE holder = $1 AND purpose = $2 ORDER BY subject";
    let waiting = tx.rows_for_update(sql, [holder.into(), purpose.name().into()]).await?;
    let (mut right, mut wrong, mut left) = (Vec::new(), Vec::new(), 0);
    let (mut used, mut missed) = (BTreeSet::new(), BTreeSet::new());
    for row in &waiting {
        let subject: String = row.get(0)?;
        let [tries, good_until]: [i64; 2] = [row.get(2)?, row.get(3)?];
        if good_until < ctx.now() || tries >= TRIES {
            continue;
        }
        left = left.max(TRIES - tries - 1);
        let live = row.get::<Option<Vec<u8>>>(4)?;
        // Compares keyed digests, so that the timing reveals nothing about the digits.
        if keyed(ctx, holder, purpose, &subject, digits, good_until)[..] == row.get::<Vec<u8>>(1)?[..] {
            right.push(subject);
            used.extend(live);
        } else if !subject.is_empty() {
            wrong.push(subject);
            missed.extend(live);
        }
    }
    if !right.is_empty() {
        invalidate_codes(tx, holder, purpose).await?;
        for live in used {
            end(tx, live).await?;
        }
        return Ok(CodeCheck::Right(right));
    }
    for subject in &wrong {
        GUESSES.count(ctx, &[purpose.name(), subject]).add(tx).await?;
    }
    for live in missed {
        missed_by(tx, ctx, live).await?;
    }
    if left == 0 {
        invalidate_codes(tx, holder, purpose).await?;
        return Ok(CodeCheck::Over);
    }
    let sql = "UPDATE one_time_code SET tries = tries + 1 WHERE holder = $1 AND purpose = $2";
    tx.execute(sql, [holder.into(), purpose.name().into()]).await?;
    Ok(CodeCheck::Wrong(left))
}

/// Ends a live code, in all browsers.
async fn end(tx: &mut Tx, live: Vec<u8>) -> Result<()> {
    tx.execute("DELETE FROM one_time_code WHERE live = $1", [live.clone().into()])
        .await?;
    tx.execute("DELETE FROM live_code WHERE id = $1", [live.into()])
        .await
        .map(drop)
}

/// Counts a wrong attempt at a live code. A long code cannot be guessed, so nobody can end it for its owner.
async fn missed_by(tx: &mut Tx, ctx: &StoreContext, live: Vec<u8>) -> Result<()> {
    let sql = "UPDATE live_code SET wrong = wrong + 1 WHERE id = $1 AND long = 0 RETURNING wrong";
    let row = tx.row(sql, [live.clone().into()]).await?;
    if row.map_or(Ok(0), |row| row.get::<i64>(0))? < WRONG {
        return Ok(());
    }
    BURNT.count(ctx, &[&hex(&live)]).add(tx).await?;
    end(tx, live).await
}
