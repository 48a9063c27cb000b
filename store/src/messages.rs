//! Messages to people: written with the change that they tell of, in its transaction, and taken by a carrier afterwards.

use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::explain::is_held;
use crate::journal::{Entry, Env};
use crate::keyring::Place;
use crate::store::Store;
use crate::tables::{CLAIMED, OWNER, OWNER_WIDTH, claimed_of, owner_of};
use ngomon_rules::citizens::Outcome;
use ngomon_rules::event::{Change, ClaimEnd};
use ngomon_rules::hold::Reason;
use ngomon_rules::record::AccountId;
use ngomon_rules::values::local_day;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// By what a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// To a mobile phone: no diacritics, at most 160 characters, no link.
    Sms,
    /// To a mailbox.
    Mail,
}

impl Channel {
    /// The word in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
        }
    }
}

/// Where somebody is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// By what.
    pub channel: Channel,
    /// E.164, or a mail address.
    pub to: String,
}

/// To whom, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Letter {
    to: String,
    text: String,
}

/// A message as the sandbox shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was written, in microseconds UTC.
    pub at: i64,
    /// By what it goes.
    pub channel: String,
    /// To whom.
    pub to: String,
    /// What it says.
    pub text: String,
}

fn place(id: &str) -> Place<'_> {
    Place {
        table: "message",
        column: "sealed",
        row: id.as_bytes(),
    }
}

/// Puts a message on its way, in the caller's transaction.
pub(crate) async fn tell(tx: &mut Tx, env: &Env, reach: &Reach, text: &str) -> Result<()> {
    let letter = Letter {
        to: reach.to.clone(),
        text: text.to_owned(),
    };
    let plain = serde_json::to_vec(&letter).map_err(|e| StoreError::corrupt("a message", e))?;
    let id = env.id();
    let sealed = env.keys.seal(place(&id), &plain, &env.ambient);
    tx.execute(
        "INSERT INTO message (id, at, channel, sealed, sent) VALUES ($1,$2,$3,$4,NULL)",
        [
            (&id).into(),
            env.now().into(),
            reach.channel.name().into(),
            sealed.into(),
        ],
    )
    .await
    .map(drop)
}

/// Where the owner of an account is reached: the phone on file, or else the mailbox. Once it is standardised, the phone is the one that its
/// owner showed, which the population registry knows, or one that a counter wrote down since: what the account stated before may be anybody's.
pub(crate) async fn reach(tx: &mut Tx, env: &Env, account: &AccountId) -> Result<Option<Reach>> {
    let sql = format!(
        "SELECT {OWNER}, c.since FROM account a JOIN personal_value v ON v.id = a.value \
         LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL LEFT JOIN personal_value w ON w.id = c.value WHERE a.id = $1"
    );
    let Some(row) = tx.row(&sql, [account.as_str().into()]).await? else {
        return Ok(None);
    };
    let (stated, claim) = owner_of(&env.keys, &row, 0)?;
    let since: Option<i64> = row.get(OWNER_WIDTH)?;
    let stated = match claim {
        // A counter wrote another phone down since then.
        Some(_) if stated.phone_at > since => stated,
        Some(claim) => claim.over(stated),
        None => stated,
    };
    let phone = stated.phone.map(|phone| Reach {
        channel: Channel::Sms,
        to: phone.as_str().to_owned(),
    });
    let mail = stated.email.map(|to| Reach {
        channel: Channel::Mail,
        to,
    });
    Ok(phone.or(mail))
}

/// Tells the owner of an account, where the owner is reached at all.
pub(crate) async fn tell_owner(tx: &mut Tx, env: &Env, account: &AccountId, text: &str) -> Result<()> {
    match reach(tx, env, account).await? {
        Some(reach) => tell(tx, env, &reach, text).await,
        None => Ok(()),
    }
}

/// What owners are told of what happened to their account while they may not have been there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It was standardised, by the form of that receipt.
    Standardised(Option<String>),
    /// A counter withdrew its claim.
    ClaimWithdrawn,
    /// Another account has its claim now.
    ClaimLost,
    /// A counter gave a code by which another password is set.
    PasswordCodeIssued,
    /// A counter wrote another phone to it.
    PhoneChanged,
    /// The request for a review of that receipt was answered.
    ReviewAnswered(String),
    /// Nothing holds it any more.
    OpenAgain,
    /// It is held.
    Held(Reason),
    /// The form of that receipt, which its owner did not just send, was answered.
    Answered(String),
}

/// The words for it, of whoever writes to people.
pub type NewsWords = Arc<dyn Fn(&News) -> String + Send + Sync>;

impl News {
    /// Of one commit an owner is told what weighs most.
    fn weight(&self) -> u8 {
        match self {
            Self::Answered(_) | Self::ReviewAnswered(_) => 0,
            Self::OpenAgain => 1,
            Self::Held(_) => 2,
            Self::Standardised(_) => 3,
            Self::ClaimLost => 4,
            Self::ClaimWithdrawn => 5,
            Self::PasswordCodeIssued | Self::PhoneChanged => 6,
        }
    }

    /// Whose phone counts is changed by it: whoever could be reached before is told too, and can object.
    fn moves_the_phone(&self) -> bool {
        matches!(self, Self::Standardised(_) | Self::ClaimWithdrawn | Self::ClaimLost)
    }
}

/// C5: "owners are told of every claim made, withdrawn, taken over, and of every hold and answer". Those whom an act names are told by it.
pub(crate) async fn after(tx: &mut Tx, env: &Env, entries: &[Entry]) -> Result<()> {
    let Some(words) = &env.news else { return Ok(()) };
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
    let today = local_day(env.ambient.now());
    for (account, one) in news {
        let still_held = one == News::OpenAgain && is_held(tx, account.as_str(), today).await?;
        if !silent.contains(&account) && !still_held {
            let text = words(&one);
            for reach in reaches(tx, env, account, one.moves_the_phone()).await? {
                tell(tx, env, &reach, &text).await?;
            }
        }
    }
    Ok(())
}

/// Where an owner is reached; with `before`, also where the owner was reached before a claim was made or ended.
async fn reaches(tx: &mut Tx, env: &Env, account: &AccountId, before: bool) -> Result<Vec<Reach>> {
    let mut all: Vec<Reach> = reach(tx, env, account).await?.into_iter().collect();
    if before {
        let sql = format!(
            "SELECT {OWNER} FROM account a JOIN personal_value v ON v.id = a.value \
             LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL LEFT JOIN personal_value w ON w.id = c.value WHERE a.id = $1"
        );
        let row = tx.row(&sql, [account.as_str().into()]).await?;
        let stated = row.map(|row| owner_of(&env.keys, &row, 0)).transpose()?;
        // A claim that ended binds nothing: its phone is told besides, and is no way in.
        let sql = format!(
            "SELECT {CLAIMED} FROM claim c JOIN personal_value w ON w.id = c.value WHERE c.account = $1 ORDER BY c.ord DESC LIMIT 1"
        );
        let row = tx.row(&sql, [account.as_str().into()]).await?;
        let claimed = row.map(|row| claimed_of(&env.keys, &row, 0)).transpose()?;
        let phones = [
            stated.and_then(|(stated, _)| stated.phone),
            claimed.and_then(|claimed| claimed.phone),
        ];
        let phones = phones.into_iter().flatten().map(|phone| Reach {
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
    /// The store that writes to owners what happened to their accounts, in these words.
    #[must_use]
    pub fn telling(mut self, words: NewsWords) -> Self {
        self.env.news = Some(words);
        self
    }

    /// The newest messages, the newest first, whether a carrier took them or not.
    pub async fn messages(&self, most: u32) -> Result<Vec<Message>> {
        self.db
            .read(async |tx| {
                let sql = "SELECT id, at, channel, sealed FROM message ORDER BY at DESC, id DESC LIMIT $1";
                let rows = tx.rows(sql, [most.into()]).await?;
                let message = |row: &crate::db::Row| {
                    let id: String = row.get(0)?;
                    let plain = self.env.keys.unseal(place(&id), &row.get::<Vec<u8>>(3)?)?;
                    let letter: Letter =
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
