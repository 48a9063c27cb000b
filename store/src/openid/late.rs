//! The hold `not-standardised` follows from the policy and the day, and no entry tells when it begins or ends. So all that is open is
//! looked through when the day or the campaign has changed; who is held now is written down, once, with what clients are told of it.
//!
//! ```text
//!   open ── the day after the deadline, a setting, an exemption or a claim that ended ──▶ late: ended, clients are told
//!     ◀── a claim, an exemption, a setting ── clients are told
//! ```

use super::notices::{Turn, tell};
use crate::db::{Arg, Tx};
use crate::error::Result;
use crate::explain::bucket;
use crate::journal::Env;
use crate::settings::campaign;
use crate::store::Store;
use crate::tables::each_of;
use ngomon_rules::citizens::Audience;
use ngomon_rules::values::local_day;
use std::collections::BTreeSet;

/// So many accounts are looked at in one transaction.
const BATCH: u32 = 400;

/// A session that a derived hold ended has this generation, which no account has: when the hold is over, it stays ended.
const ENDED: i64 = -1;

/// Those of the accounts that the policy and the day hold.
pub(super) async fn late_of(tx: &mut Tx, env: &Env, accounts: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let (mut late, day) = (BTreeSet::new(), local_day(env.ambient.now()));
    if accounts.is_empty() {
        return Ok(late);
    }
    let campaign = campaign(tx).await?;
    let holds = |audience| campaign.holds_the_late(audience, day);
    if !holds(Audience::Officials) && !holds(Audience::Citizens) {
        return Ok(late);
    }
    let sql = "SELECT official_to, exempt_to, claimed, last, id FROM account WHERE kind = 'citizen' AND claimed = 0 AND id IN ({})";
    let wanted: Vec<Arg> = accounts.iter().map(Into::into).collect();
    each_of(tx, sql, &wanted, |row| {
        let bucket = bucket(&row, 0)?;
        let exempt = bucket.exempt_to.is_some_and(|last| day <= last);
        if !exempt && holds(bucket.audience(day)) {
            late.insert(row.get::<String>(4)?);
        }
        Ok(())
    })
    .await?;
    Ok(late)
}

/// The accounts are late from now on. Gives those that were not before; what they had open is ended for good.
pub(super) async fn begun(tx: &mut Tx, env: &Env, late: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut new = BTreeSet::new();
    for account in late {
        let sql = "INSERT INTO late_account (account, at) VALUES ($1,$2) ON CONFLICT (account) DO NOTHING";
        if tx.execute(sql, [account.into(), env.now().into()]).await? > 0 {
            let sql = "UPDATE session SET generation = $2 WHERE account = $1 AND held = 0";
            tx.execute(sql, [account.into(), ENDED.into()]).await?;
            new.insert(account.clone());
        }
    }
    Ok(new)
}

/// The accounts are not late any more. Gives those that were.
pub(super) async fn over(tx: &mut Tx, free: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let (mut were, wanted): (_, Vec<Arg>) = (BTreeSet::new(), free.iter().map(Into::into).collect());
    let sql = "DELETE FROM late_account WHERE account IN ({}) RETURNING account";
    each_of(tx, sql, &wanted, |row| {
        were.insert(row.get::<String>(0)?);
        Ok(())
    })
    .await?;
    Ok(were)
}

impl Store {
    /// Ends what accounts have open that the policy and the day hold since the last look, and tells clients of them and of those that are
    /// free again. Returns of how many accounts. Where neither the day nor the campaign has changed, it is one question.
    pub async fn tell_who_is_late(&self) -> Result<u64> {
        let today = self.today();
        let looked = self
            .db
            .read(async |tx| {
                let sql = "SELECT l.as_of FROM setting s LEFT JOIN late_look l ON l.id = 1 WHERE s.name = 'campaign.after-deadline'";
                // Under a campaign whose policy nobody ever set, nobody is held by it.
                let Some(row) = tx.row(sql, []).await? else {
                    return Ok(None);
                };
                let as_of = format!("{today} {:?}", campaign(tx).await?);
                Ok((row.get::<Option<String>>(0)?.as_ref() != Some(&as_of)).then_some(as_of))
            })
            .await?;
        let Some(as_of) = looked else { return Ok(0) };
        let open = "SELECT account FROM session WHERE held = 0 AND account > $1 UNION \
             SELECT account FROM client_grant WHERE account > $1 ORDER BY account LIMIT $2";
        let late = "SELECT account FROM late_account WHERE account > $1 ORDER BY account LIMIT $2";
        let told = self.turned(open).await? + self.turned(late).await?;
        self.db
            .write(move |tx| {
                let as_of = as_of.clone();
                Box::pin(async move {
                    let sql = "INSERT INTO late_look (id, as_of) VALUES (1,$1) ON CONFLICT (id) DO UPDATE SET as_of = excluded.as_of";
                    tx.execute(sql, [as_of.into()]).await
                })
            })
            .await?;
        Ok(told)
    }

    /// Goes through accounts, some at a time; of those whose turn it is, clients are told.
    async fn turned(&self, some: &'static str) -> Result<u64> {
        let (mut last, mut told) = (String::new(), 0);
        loop {
            let (page, turns) = self
                .db
                .read(async |tx| {
                    let mut page = BTreeSet::new();
                    for row in tx.rows(some, [(&last).into(), BATCH.into()]).await? {
                        page.insert(row.get::<String>(0)?);
                    }
                    let late = late_of(tx, &self.env, &page).await?;
                    let turns = late != known(tx, &page).await?;
                    Ok((page, turns))
                })
                .await?;
            let Some(end) = page.last() else { return Ok(told) };
            last.clone_from(end);
            if turns {
                let env = self.env.clone();
                told += self
                    .db
                    .write(move |tx| {
                        let (env, page) = (env.clone(), page.clone());
                        Box::pin(async move { turn(tx, &env, &page).await })
                    })
                    .await?;
            }
        }
    }
}

/// Those of the accounts of which clients were told that they are late.
async fn known(tx: &mut Tx, accounts: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let (mut known, wanted): (_, Vec<Arg>) = (BTreeSet::new(), accounts.iter().map(Into::into).collect());
    let sql = "SELECT account FROM late_account WHERE account IN ({})";
    each_of(tx, sql, &wanted, |row| {
        known.insert(row.get::<String>(0)?);
        Ok(())
    })
    .await?;
    Ok(known)
}

/// Works it out again where nobody else can change it, and tells.
async fn turn(tx: &mut Tx, env: &Env, accounts: &BTreeSet<String>) -> Result<u64> {
    for account in accounts {
        let sql = "SELECT id FROM account_row WHERE id = $1";
        tx.rows_locked(sql, [account.into()]).await?;
    }
    let late = late_of(tx, env, accounts).await?;
    let held = begun(tx, env, &late).await?;
    let freed = over(tx, &accounts.difference(&late).cloned().collect()).await?;
    let told = held.len() + freed.len();
    tell(tx, env, Turn { held, freed }).await?;
    Ok(told as u64)
}
