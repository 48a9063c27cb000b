//! Messages to people: written with the change that they tell of, in its transaction, and taken by a carrier afterwards.

use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::journal::Env;
use crate::keyring::Place;
use crate::store::Store;
use crate::tables::{CLAIMED, STATED, claimed_of, stated_of};
use ngomon_rules::record::AccountId;
use serde::{Deserialize, Serialize};

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
/// owner showed, which the population registry knows: what the account stated before may be anybody's.
pub(crate) async fn reach(tx: &mut Tx, env: &Env, account: &AccountId) -> Result<Option<Reach>> {
    let sql = format!(
        "SELECT {STATED}, {CLAIMED} FROM account a JOIN personal_value v ON v.id = a.value \
         LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL LEFT JOIN personal_value w ON w.id = c.value WHERE a.id = $1"
    );
    let Some(row) = tx.row(&sql, [account.as_str().into()]).await? else {
        return Ok(None);
    };
    let mut stated = stated_of(&env.keys, &row, 0)?;
    if row.get::<Option<String>>(2)?.is_some() {
        stated = claimed_of(&env.keys, &row, 2)?.over(stated);
    }
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

impl Store {
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
