//! One-time codes: some digits to a telephone or a mailbox, good once, for five minutes and five tries, for whoever asked only.
//!
//! ```text
//!   sent ── the right digits ──▶ used
//!     ├──── 5 min, 5 wrong tries ──▶ over
//!     └──── asked for again, in whatever browser ──▶ the same digits, and another five tries at them there
//! ```
//!
//! While a code is live, asking again counts nothing, so nobody uses up what another needs: a phone gets one new code in five minutes, whoever
//! asks. After twenty wrong tries, wherever, a short code is over, and the next ones are long.
//!
//! Where nobody is reached, a code is live all the same: it is counted, typed and over as any other, and no digits are right. So nothing that
//! becomes of a code tells whether there is an owner.

use super::attempts::{Count, Counted, Limit, Who, take_all};
use crate::ambient::hex;
use crate::db::Tx;
use crate::error::Result;
use crate::journal::Env;
use crate::keyring::Place;
use crate::merkle::sha256;
use crate::messages::{Channel, Reach, tell};
use crate::store::Store;
use std::collections::BTreeSet;

/// How long a code is good: microseconds.
pub const GOOD: i64 = 5 * 60 * 1_000_000;
/// How often it may be typed.
const TRIES: i64 = 5;
/// How many digits it has.
const SHORT: u32 = 6;
/// How many it has once so many wrong ones were typed for the same purpose of the same in thirty days, wherever: guessing on leads nowhere,
/// and the owner is not locked out by it.
const LONG: u32 = 12;
const GUESSES: Limit = Limit {
    what: "code-guess",
    times: 100,
    seconds: 30 * 86_400,
};
/// So many wrong tries at one short code, in all browsers together, end it.
const WRONG: i64 = 20;
/// Codes to one place of a day that ended so: after the first they are long.
const BURNT: Limit = Limit {
    what: "code-burnt",
    times: 1,
    seconds: 86_400,
};
/// The same code is sent once more after so many microseconds, since a message may be lost, and so many messages in all.
const AGAIN: i64 = 60 * 1_000_000;
const MOST_MESSAGES: i64 = 3;

/// Messages with codes to one phone or mailbox a day: of all strangers together, and of each known browser and each own session for each
/// purpose. Nobody is flooded, and what strangers use up is not what the owner needs.
const TO_PLACE: Limit = Limit {
    what: "code-messages-place",
    times: 20,
    seconds: 86_400,
};

/// Messages with codes of the whole installation, by channel, a minute and a day. Strangers have two thirds of each: what they use up leaves
/// the rest to known browsers and own sessions.
const MESSAGES: [Limit; 2] = [
    Limit {
        what: "code-messages-minute",
        times: 600,
        seconds: 60,
    },
    Limit {
        what: "code-messages-day",
        times: 90_000,
        seconds: 86_400,
    },
];

/// What a code is for. A code for one thing is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in to an account without a password.
    SignIn,
    /// The last step of a form: the typed phone is in the sender's hand.
    Form,
    /// Setting another password.
    Reset,
    /// Joining an account without a password to another one.
    Join,
    /// Being told which fields differ: the registry's phone is in the sender's hand.
    Fields,
    /// Opening an account that was not used for long: its phone or mailbox is still in the owner's hand.
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

/// One code to be sent: for what, to where.
#[derive(Clone)]
pub struct CodeFor {
    /// An account, or what else it is good for, and stands in the table as it is. Where nobody is reached: the key of the name that was asked for.
    pub subject: String,
    /// Where its owner is reached. `None`: nobody is there; no message goes out, and all else is done as if.
    pub reach: Option<Reach>,
}

impl CodeFor {
    /// By what the code that is live there is known.
    fn place(&self) -> [&str; 2] {
        match &self.reach {
            Some(reach) => [reach.channel.name(), &reach.to],
            None => ["nobody", &self.subject],
        }
    }
}

/// What became of asking for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// One is on its way, or arrived before; of strangers, also where the place had too many messages today, or nobody is there.
    Sent,
    /// There is none: too many were sent.
    TooOften,
}

/// What came of typing a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It was right, for these subjects.
    Right(Vec<String>),
    /// It was not; so many tries are left.
    Wrong(i64),
    /// No code is waiting: too late, too often, or never sent.
    Over,
}

impl Store {
    /// Sends a code to each: the one that is live there, or a new one, which counts under `limits`. `holder` is what the browser keeps: a
    /// session's token or a ticket's. `text` says what the message says around the digits.
    pub async fn send_codes(
        &self,
        holder: &str,
        purpose: Purpose,
        who: &Who,
        limits: &[Counted],
        to: &[CodeFor],
        text: impl Fn(&str) -> String,
    ) -> Result<Sending> {
        let sending = Asking {
            env: self.env.clone(),
            holder: sha256(&[holder.as_bytes()]),
            purpose,
            limits: limits.iter().map(|counted| counted.count(&self.env)).collect(),
            who: who.clone(),
            text: text(DIGITS),
        };
        let to = to.to_vec();
        self.db
            .write(move |tx| {
                let (sending, to) = (sending.clone(), to.clone());
                Box::pin(async move { sending.send(tx, &to).await })
            })
            .await
    }

    /// Is there room for codes of whoever that is, by whatever channel? Asked before anybody is looked for, so that it tells nothing.
    pub async fn has_room_for_codes(&self, who: &Who) -> Result<bool> {
        let channels = [Channel::Sms, Channel::Mail];
        let counts: Vec<Count> = channels
            .into_iter()
            .flat_map(|channel| room(&self.env, channel, who.is_stranger()))
            .collect();
        self.db
            .ask(async |tx| {
                for count in counts {
                    if !count.has_room(tx).await? {
                        return Ok(false);
                    }
                }
                Ok(true)
            })
            .await
    }

    /// Tries a code. The right one is used up, and so are all that were sent with it.
    pub async fn try_code(&self, holder: &str, purpose: Purpose, digits: &str) -> Result<Typed> {
        let env = self.env.clone();
        let holder = sha256(&[holder.as_bytes()]);
        let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
        self.db
            .write(move |tx| {
                let (env, digits) = (env.clone(), digits.clone());
                Box::pin(async move { judge(tx, &env, holder, purpose, &digits).await })
            })
            .await
    }
}

/// Over the digits and everything that they are good for.
fn keyed(env: &Env, holder: [u8; 32], purpose: Purpose, subject: &str, digits: &str, good_until: i64) -> [u8; 32] {
    let parts: [&[u8]; 6] = [
        b"one-time code",
        &holder,
        purpose.name().as_bytes(),
        subject.as_bytes(),
        digits.as_bytes(),
        &good_until.to_be_bytes(),
    ];
    env.keys.ticket_mac(&parts)
}

async fn forget(tx: &mut Tx, holder: [u8; 32], purpose: Purpose) -> Result<()> {
    let sql = "DELETE FROM one_time_code WHERE holder = $1 AND purpose = $2";
    tx.execute(sql, [holder.into(), purpose.name().into()]).await.map(drop)
}

/// What the installation has room for.
fn room(env: &Env, channel: Channel, strangers: bool) -> [Count; 2] {
    MESSAGES.map(|limit| {
        let times = if strangers { limit.times / 3 * 2 } else { limit.times };
        Limit { times, ..limit }.count(env, &[channel.name()])
    })
}

/// Stands for the digits in a text.
const DIGITS: &str = "{digits}";

/// Codes that are asked for.
#[derive(Clone)]
struct Asking {
    env: Env,
    holder: [u8; 32],
    purpose: Purpose,
    limits: Vec<Count>,
    who: Who,
    text: String,
}

/// A code that is live at some place.
struct Live {
    id: [u8; 32],
    digits: String,
    sent: i64,
    messages: i64,
    good_until: i64,
}

/// It opens in its own row only, and until its own end.
fn place(row: &[u8]) -> Place<'_> {
    Place {
        table: "live_code",
        column: "sealed",
        row,
    }
}

fn row_of(id: &[u8; 32], good_until: i64) -> Vec<u8> {
    [&id[..], &good_until.to_be_bytes()].concat()
}

impl Asking {
    async fn send(&self, tx: &mut Tx, to: &[CodeFor]) -> Result<Sending> {
        forget(tx, self.holder, self.purpose).await?;
        let (mut counted, mut sent) = (false, Sending::Sent);
        for one in to {
            let [channel, to] = one.place();
            let id = self.env.keys.mac(&[
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
                // One that is too short by now is not sent again.
                Some(live) if live.digits.len() >= length as usize => Some(live),
                // Several accounts of one name: asked for once.
                _ if counted || take_all(tx, &self.limits).await?.is_some() => {
                    counted = true;
                    self.draw(tx, id, length).await?
                }
                _ => None,
            };
            let Some(live) = live else {
                sent = Sending::TooOften;
                self.hold(tx, "", None).await?;
                continue;
            };
            if let Some(reach) = &one.reach
                && !self.tell(tx, reach, &live).await?
            {
                sent = Sending::TooOften;
                self.hold(tx, "", None).await?;
                continue;
            }
            self.hold(tx, &subject, Some((&live, one.reach.is_some()))).await?;
        }
        Ok(sent)
    }

    /// Sends the digits, if it is time; `false`: they were never sent, and whoever asks is told.
    async fn tell(&self, tx: &mut Tx, reach: &Reach, live: &Live) -> Result<bool> {
        let fresh = live.messages == 0;
        if !fresh && (live.messages >= MOST_MESSAGES || self.env.now() - live.sent < AGAIN) {
            return Ok(true);
        }
        let place = [reach.channel.name(), reach.to.as_str()];
        let of_place = match &self.who {
            Who::Stranger(_) => TO_PLACE.of(&place),
            // By purpose, so that a code to a phone that was typed tells nothing of where another one goes.
            known => TO_PLACE.by(known, &[self.purpose.name(), place[0], place[1]]),
        };
        let [minute, day] = room(&self.env, reach.channel, self.who.is_stranger());
        if take_all(tx, &[minute, day, of_place.count(&self.env)]).await?.is_none() {
            // A stranger is not told what only a place that there is can have had.
            return Ok(!fresh || self.who.is_stranger());
        }
        let sql = "UPDATE live_code SET sent = $2, messages = messages + 1 WHERE id = $1";
        tx.execute(sql, [live.id.into(), self.env.now().into()]).await?;
        tell(tx, &self.env, reach, &self.text.replace(DIGITS, &live.digits)).await?;
        Ok(true)
    }

    async fn length(&self, tx: &mut Tx, id: &[u8; 32], subject: &str) -> Result<u32> {
        let guesses = GUESSES
            .count(&self.env, &[self.purpose.name(), subject])
            .read(tx)
            .await?;
        let burnt = BURNT.count(&self.env, &[&hex(id)]).read(tx).await?;
        let is_long = guesses >= GUESSES.times || burnt >= BURNT.times;
        Ok(if is_long { LONG } else { SHORT })
    }

    /// Two who ask at once wait for each other here.
    async fn live(&self, tx: &mut Tx, id: [u8; 32]) -> Result<Option<Live>> {
        let sql = "SELECT sealed, sent, messages, good_until FROM live_code WHERE id = $1 AND good_until > $2";
        let rows = tx.rows_locked(sql, [id.into(), self.env.now().into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let good_until = row.get(3)?;
        let place_of = row_of(&id, good_until);
        let digits = self.env.keys.unseal(place(&place_of), &row.get::<Vec<u8>>(0)?)?;
        Ok(Some(Live {
            id,
            digits: String::from_utf8_lossy(&digits).into_owned(),
            sent: row.get(1)?,
            messages: row.get(2)?,
            good_until,
        }))
    }

    /// A new one; of two who ask at once, the second gets that of the first.
    async fn draw(&self, tx: &mut Tx, id: [u8; 32], length: u32) -> Result<Option<Live>> {
        let number = u64::from_be_bytes(self.env.ambient.bytes()) % 10_u64.pow(length);
        let digits = format!("{number:0width$}", width = length as usize);
        let now = self.env.now();
        let place_of = row_of(&id, now + GOOD);
        let sealed = self
            .env
            .keys
            .seal(place(&place_of), digits.as_bytes(), &self.env.ambient);
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

    /// The browser holds it; without one, or where it was sent to nobody, what it holds is right for no digits.
    async fn hold(&self, tx: &mut Tx, subject: &str, live: Option<(&Live, bool)>) -> Result<()> {
        let code = match live {
            Some((live, true)) => keyed(
                &self.env,
                self.holder,
                self.purpose,
                subject,
                &live.digits,
                live.good_until,
            ),
            Some((_, false)) | None => self.env.ambient.bytes(),
        };
        let live = live.map(|(live, _)| live);
        let good_until = live.map_or(self.env.now() + GOOD, |live| live.good_until);
        tx.execute(
            // Sent twice at once, by a double click: the later code counts.
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

async fn judge(tx: &mut Tx, env: &Env, holder: [u8; 32], purpose: Purpose, digits: &str) -> Result<Typed> {
    let sql = "SELECT subject, code, tries, good_until, live FROM one_time_code WHERE holder = $1 AND purpose = $2 ORDER BY subject";
    let waiting = tx.rows_locked(sql, [holder.into(), purpose.name().into()]).await?;
    let (mut right, mut wrong, mut left) = (Vec::new(), Vec::new(), 0);
    let (mut used, mut missed) = (BTreeSet::new(), BTreeSet::new());
    for row in &waiting {
        let subject: String = row.get(0)?;
        let [tries, good_until]: [i64; 2] = [row.get(2)?, row.get(3)?];
        if good_until < env.now() || tries >= TRIES {
            continue;
        }
        left = left.max(TRIES - tries - 1);
        let live = row.get::<Option<Vec<u8>>>(4)?;
        // Compared as keyed digests: how long that takes tells nothing of the digits.
        if keyed(env, holder, purpose, &subject, digits, good_until)[..] == row.get::<Vec<u8>>(1)?[..] {
            right.push(subject);
            used.extend(live);
        } else if !subject.is_empty() {
            wrong.push(subject);
            missed.extend(live);
        }
    }
    if !right.is_empty() {
        forget(tx, holder, purpose).await?;
        for live in used {
            end(tx, live).await?;
        }
        return Ok(Typed::Right(right));
    }
    for subject in &wrong {
        GUESSES.count(env, &[purpose.name(), subject]).add(tx).await?;
    }
    for live in missed {
        missed_by(tx, env, live).await?;
    }
    if left == 0 {
        forget(tx, holder, purpose).await?;
        return Ok(Typed::Over);
    }
    let sql = "UPDATE one_time_code SET tries = tries + 1 WHERE holder = $1 AND purpose = $2";
    tx.execute(sql, [holder.into(), purpose.name().into()]).await?;
    Ok(Typed::Wrong(left))
}

/// A live code was used, or is over: no browser holds it any more.
async fn end(tx: &mut Tx, live: Vec<u8>) -> Result<()> {
    tx.execute("DELETE FROM one_time_code WHERE live = $1", [live.clone().into()])
        .await?;
    tx.execute("DELETE FROM live_code WHERE id = $1", [live.into()])
        .await
        .map(drop)
}

/// One more wrong try at a live code. A long one is never guessed, so nobody can end it for its owner.
async fn missed_by(tx: &mut Tx, env: &Env, live: Vec<u8>) -> Result<()> {
    let sql = "UPDATE live_code SET wrong = wrong + 1 WHERE id = $1 AND long = 0 RETURNING wrong";
    let row = tx.row(sql, [live.clone().into()]).await?;
    if row.map_or(Ok(0), |row| row.get::<i64>(0))? < WRONG {
        return Ok(());
    }
    BURNT.count(env, &[&hex(&live)]).add(tx).await?;
    end(tx, live).await
}
