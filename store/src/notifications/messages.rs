//! The outbox of messages to people. A message is written in the transaction of the change that it reports; a carrier delivers it later.

use crate::boxed;
use crate::context::StoreContext;
use crate::context::{News, NewsWords};
use crate::crypto::keyring::AssociatedData;
use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::journal::entry::Entry;
use crate::store::Store;
use crate::tables::accounts::{CLAIMED, OWNER, OWNER_WIDTH, claimed_of, owner_of};
use crate::tables::holds::is_held;
use ngomon_rules::citizens::Outcome;
use ngomon_rules::event::{Change, ClaimEnd};
use ngomon_rules::records::AccountId;
use ngomon_rules::values::local_day;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The channel of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A text message to a mobile phone: no diacritics, at most 160 characters, no link.
    Sms,
    /// A mail.
    Mail,
}

impl Channel {
    /// The name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
        }
    }
}

/// A contact point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactPoint {
    /// The channel.
    pub channel: Channel,
    /// A phone number in E.164, or a mail address.
    pub to: String,
}

/// The recipient and the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct MessageBody {
    to: String,
    text: String,
}

/// A message as the sandbox shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was written, in microseconds UTC.
    pub at: i64,
    /// The channel.
    pub channel: String,
    /// The recipient.
    pub to: String,
    /// The text.
    pub text: String,
}

fn place(id: &str) -> AssociatedData<'_> {
    AssociatedData {
        table: "message",
        column: "sealed",
        row: id.as_bytes(),
    }
}

/// Queues a message in the caller's transaction.
pub(crate) async fn tell(tx: &mut Tx, ctx: &StoreContext, reach: &ContactPoint, text: &str) -> Result<()> {
    let letter = MessageBody {
        to: reach.to.clone(),
        text: text.to_owned(),
    };
    let plain = serde_json::to_vec(&letter).map_err(|e| StoreError::corrupt("a message", e))?;
    let id = ctx.id();
    let sealed = ctx.keys.encrypt(place(&id), &plain, &ctx.environment);
    tx.execute(
        "INSERT INTO message (id, at, channel, sealed, sent) VALUES ($1,$2,$3,$4,NULL)",
        [
            (&id).into(),
            ctx.now().into(),
            reach.channel.name().into(),
            sealed.into(),
        ],
    )
    .await
    .map(drop)
}

/// The contact point of an account's owner: the phone on file, or else the mailbox. After standardisation it is the phone that the owner
/// proved, which the population registry has, or a phone that a counter recorded since then: the phone that the account stated before may
/// be anybody's.
pub(crate) async fn reach(tx: &mut Tx, ctx: &StoreContext, account: &AccountId) -> Result<Option<ContactPoint>> {
    let sql = format!(
        "SELECT {OWNER}, c.since FROM account a JOIN personal_value v ON v.id = a.value \
         LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL LEFT JOIN personal_value w ON w.id = c.value WHERE a.id = $1"
    );
    let Some(row) = tx.row(&sql, [account.as_str().into()]).await? else {
        return Ok(None);
    };
    let (stated, claim) = owner_of(&ctx.keys, &row, 0)?;
    let since: Option<i64> = row.get(OWNER_WIDTH)?;
    let stated = match claim {
        Some(claim) => claim.over(stated, since),
        None => stated,
    };
    let phone = stated.phone.map(|phone| ContactPoint {
        channel: Channel::Sms,
        to: phone.as_str().to_owned(),
    });
    let mail = stated.email.map(|to| ContactPoint {
        channel: Channel::Mail,
        to,
    });
    Ok(phone.or(mail))
}

/// Queues a message to the owner of an account, if the account has a contact point.
pub(crate) async fn tell_owner(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, text: &str) -> Result<()> {
    match reach(tx, ctx, account).await? {
        Some(reach) => tell(tx, ctx, &reach, text).await,
        None => Ok(()),
    }
}

/// C5: "owners are told of every claim made, withdrawn, taken over, and of every hold and answer". An act that names its recipients
/// writes their messages itself.
pub(crate) async fn after(tx: &mut Tx, ctx: &StoreContext, entries: &[Entry]) -> Result<()> {
    let Some(words) = &ctx.news else { return Ok(()) };
    let mut silent: Vec<&AccountId> = Vec::new();
    let mut news: BTreeMap<&AccountId, News> = BTreeMap::new();
    let receipt = |of: &AccountId| {
        let answered = entries.iter().filter(|entry| entry.event.account() == Some(of));
        answered.into_iter().find_map(|entry| match &entry.event.change {
            Change::FormAnswered { receipt, .. } => Some(receipt.clone()),
            _ => None,
        })
    };
    for entry in entries {
        let Some(account) = entry.event.account() else { continue };
        let one = match &entry.event.change {
            Change::TakeOverApproved { holder: other, .. } | Change::AccountJoined { into: other } => {
                silent.extend([account, other]);
                continue;
            }
            Change::ClaimMade { .. } => News::Standardised(receipt(account)),
            Change::ClaimEnded {
                how: ClaimEnd::Withdrawn,
                ..
            } => News::ClaimWithdrawn,
            Change::ClaimEnded { .. } => News::ClaimLost,
            Change::ReviewAnswered { receipt, .. } => News::ReviewAnswered(receipt.clone()),
            Change::PasswordCodeIssued { .. } => News::PasswordCodeIssued,
            Change::PhoneChanged { .. } => News::PhoneChanged,
            Change::HoldPlaced { hold } => News::Held(hold.reason),
            Change::HoldLifted { .. } => News::OpenAgain,
            Change::FormAnswered { receipt, outcome, .. }
                if *outcome != Outcome::Pending && entry.by != account.as_str() =>
            {
                News::Answered(receipt.clone())
            }
            _ => continue,
        };
        let told = news.entry(account).or_insert_with(|| one.clone());
        if one.weight() > told.weight() {
            *told = one;
        }
    }
    let today = local_day(ctx.environment.now());
    for (account, one) in news {
        let still_held = one == News::OpenAgain && is_held(tx, account.as_str(), today).await?;
        if !silent.contains(&account) && !still_held {
            let text = words(&one);
            for reach in reaches(tx, ctx, account, one.moves_the_phone()).await? {
                tell(tx, ctx, &reach, &text).await?;
            }
        }
    }
    Ok(())
}

/// The contact points of an owner; with `before`, also those from before a claim was made or ended.
async fn reaches(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, before: bool) -> Result<Vec<ContactPoint>> {
    let mut all: Vec<ContactPoint> = reach(tx, ctx, account).await?.into_iter().collect();
    if before {
        let sql = format!(
            "SELECT {OWNER} FROM account a JOIN personal_value v ON v.id = a.value \
             LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL LEFT JOIN personal_value w ON w.id = c.value WHERE a.id = $1"
        );
        let row = tx.row(&sql, [account.as_str().into()]).await?;
        let stated = row.map(|row| owner_of(&ctx.keys, &row, 0)).transpose()?;
        // A claim that ended has no effect: its phone gets the message too, but is no way in.
        let sql = format!(
            "SELECT {CLAIMED} FROM claim c JOIN personal_value w ON w.id = c.value WHERE c.account = $1 ORDER BY c.ord DESC LIMIT 1"
        );
        let row = tx.row(&sql, [account.as_str().into()]).await?;
        let claimed = row.map(|row| claimed_of(&ctx.keys, &row, 0)).transpose()?;
        let phones = [
            stated.and_then(|(stated, _)| stated.phone),
            claimed.and_then(|claimed| claimed.phone),
        ];
        let phones = phones.into_iter().flatten().map(|phone| ContactPoint {
            channel: Channel::Sms,
            to: phone.as_str().to_owned(),
        });
        for phone in phones {
            if !all.contains(&phone) {
                all.push(phone);
            }
        }
    }
    Ok(all)
}

impl Store {
    /// The store with these texts, so that it sends messages to owners about their accounts.
    #[must_use]
    pub fn telling(mut self, words: NewsWords) -> Self {
        self.ctx.news = Some(words);
        self
    }

    /// The latest messages, newest first, delivered or not.
    #[boxed]
    pub async fn messages(&self, most: u32) -> Result<Vec<Message>> {
        self.db
            .read(async |tx| {
                let sql = "SELECT id, at, channel, sealed FROM message ORDER BY at DESC, id DESC LIMIT $1";
                let rows = tx.rows(sql, [most.into()]).await?;
                let message = |row: &crate::db::Row| {
                    let id: String = row.get(0)?;
                    let plain = self.ctx.keys.decrypt(place(&id), &row.get::<Vec<u8>>(3)?)?;
                    let letter: MessageBody =
                        serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt(format!("message {id}"), e))?;
                    Ok(Message {
                        at: row.get(1)?,
                        channel: row.get(2)?,
                        to: letter.to,
                        text: letter.text,
                    })
                };
                rows.iter().map(message).collect()
            })
            .await
    }
}
