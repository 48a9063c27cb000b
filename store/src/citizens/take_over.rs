//! The take-over of a claim at a counter. C5: "a stronger proof takes over a claim from a weaker one"; "at a counter a take-over needs
//! two people. So does whatever amounts to one: a claim that was withdrawn goes to another account at a counter only with a second
//! person".
//!
//! ```text
//!   form with papers, answered `taken` ── a first operator ──▶ waiting ── a second one ──▶ approved: the claim moves
//!                                                                  │ ── either ──▶ declined
//!                                                                  └── 14 days, or the first is no longer one, or was held ──▶ lapsed
//! ```
//!
//! The approval computes everything again in the transaction that applies it.

use crate::boxed;
use crate::citizens::counter::kept;
use crate::citizens::person::{Person, all_numbers, duplicate_candidates, resolve_person, withdrawn};
use crate::citizens::registry::ask;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::{Refusal, Result, StoreError};
use crate::journal::personal::decrypt;
use crate::notifications::messages::tell_owner;
use crate::projections::{TAKE_OVER_CELLS, is_take_over};
use crate::rights::Operator;
use crate::store::Store;
use crate::tables::accounts::{citizen, claim_of};
use crate::unit_of_work::append;
use ngomon_rules::citizens::{
    CitizenAccount, ClaimedIdentity, Outcome, Proof, RegistryAnswer, answer, on_success, on_take_over,
};
use ngomon_rules::event::{Change, Event, Personal};
use ngomon_rules::hold::{Cause, Reason};
use ngomon_rules::records::AccountId;
use std::collections::BTreeSet;

/// The lifetime of a proposal: 14 days, in microseconds.
pub(crate) const PATIENCE: i64 = 14 * 86_400 * 1_000_000;

/// The state of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOverState {
    /// It waits for a second operator.
    Waiting,
    /// It was approved, and the claim has moved.
    Approved,
    /// An operator declined it or took it back.
    Declined,
    /// Nobody decided in time; or its proposer is no longer an operator, or was held since.
    Lapsed,
}

impl TakeOverState {
    /// The state for the word in the tables; a waiting one is lapsed if `lapsed`.
    pub(crate) fn of(word: &str, lapsed: bool) -> Self {
        match word {
            "approved" => Self::Approved,
            "declined" => Self::Declined,
            _ if lapsed => Self::Lapsed,
            _ => Self::Waiting,
        }
    }

    /// The name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A proposed take-over.
#[derive(Clone, Debug)]
pub struct TakeOver {
    /// The receipt of the form with the papers.
    pub receipt: String,
    /// The account that is to get the claim.
    pub account: AccountId,
    /// The account that had it when the take-over was proposed.
    pub holder: AccountId,
    /// The first operator, by the name that the journal uses for the actor.
    pub proposed_by: String,
    /// When, in microseconds UTC.
    pub at: i64,
    /// The state of the proposal.
    pub state: TakeOverState,
    /// The reason, as the first operator wrote it.
    pub reason: Option<String>,
}

impl Store {
    /// The pending take-overs, oldest first.
    #[boxed]
    pub async fn take_overs(&self, _: &Operator) -> Result<Vec<TakeOver>> {
        let now = self.ctx.now();
        let all = self
            .db
            .read(async |tx| proposals(tx, &self.ctx, "t.state = $1 ORDER BY t.at", "waiting", now).await)
            .await?;
        let waiting = all.into_iter().filter(|one| one.state == TakeOverState::Waiting);
        Ok(waiting.collect())
    }

    /// The take-over that was proposed for a form.
    #[boxed]
    pub async fn take_over(&self, _: &Operator, receipt: &str) -> Result<Option<TakeOver>> {
        let now = self.ctx.now();
        self.db
            .read(async |tx| proposal(tx, &self.ctx, receipt, now).await)
            .await
    }

    /// Proposes as the first operator that the account of a form gets the claim, with a reason that the second one reads.
    #[boxed]
    pub async fn propose_take_over(&self, operator: &Operator, receipt: &str, why: &str) -> Result<()> {
        let (ctx, by, receipt) = (self.ctx.clone(), operator.by().to_owned(), receipt.to_owned());
        let why = why.to_owned();
        self.db
            .transaction(move |tx| {
                let (ctx, by, receipt, text) = (ctx.clone(), by.clone(), receipt.clone(), why.clone());
                Box::pin(async move {
                    let case = case(tx, &ctx, &receipt).await?;
                    let case = case.ok_or_else(|| Refusal::NoTakeOver(receipt.clone()))?;
                    if let Some(there) = proposal(tx, &ctx, &receipt, ctx.now()).await? {
                        return Err(over(there));
                    }
                    let change = Change::TakeOverProposed {
                        receipt,
                        holder: case.old.holder,
                    };
                    let event = Event::of_account(&case.account.id, change).with(Personal::Note { text });
                    append(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), vec![event]).await
                })
            })
            .await
    }

    /// Approves a take-over as the second operator: the claim moves, if everything is still as it was proposed. Both owners get the
    /// message `news`.
    #[boxed]
    pub async fn approve_take_over(&self, operator: &Operator, receipt: &str, news: &str) -> Result<()> {
        let (ctx, by) = (self.ctx.clone(), operator.by().to_owned());
        let (receipt, news) = (receipt.to_owned(), news.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, by, receipt, news) = (ctx.clone(), by.clone(), receipt.clone(), news.clone());
                Box::pin(async move {
                    for owner in approve(tx, &ctx, &by, &receipt).await? {
                        tell_owner(tx, &ctx, &owner, &news).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Declines a take-over as another operator, or takes it back as the first one.
    #[boxed]
    pub async fn decline_take_over(&self, operator: &Operator, receipt: &str, why: &str) -> Result<()> {
        let (ctx, by) = (self.ctx.clone(), operator.by().to_owned());
        let (receipt, why) = (receipt.to_owned(), why.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, by, receipt, text) = (ctx.clone(), by.clone(), receipt.clone(), why.clone());
                Box::pin(async move {
                    let found = proposal(tx, &ctx, &receipt, ctx.now()).await?;
                    let found = found.ok_or_else(|| Refusal::UnknownForm(receipt.clone()))?;
                    // An approval locks this row too.
                    tx.rows_for_update(
                        "SELECT id FROM account_row WHERE id = $1",
                        [found.account.as_str().into()],
                    )
                    .await?;
                    let still = waiting(tx, &ctx, &receipt, ctx.now()).await?;
                    let change = Change::TakeOverDeclined { receipt };
                    let event = Event::of_account(&still.account, change).with(Personal::Note { text });
                    append(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), vec![event]).await
                })
            })
            .await
    }
}

/// Approves a take-over. Returns both accounts: the new holder of the claim, and the previous one.
async fn approve(tx: &mut Tx, ctx: &StoreContext, by: &str, receipt: &str) -> Result<[AccountId; 2]> {
    let asked = proposal(tx, ctx, receipt, ctx.now()).await?;
    let asked = asked.ok_or_else(|| Refusal::UnknownForm(receipt.to_owned()))?;
    if asked.proposed_by == by {
        return Err(Refusal::SameOperator.into());
    }
    let case = case(tx, ctx, receipt).await?;
    // Checked again under the locks: another operator may have decided meanwhile.
    let asked = waiting(tx, ctx, receipt, ctx.now()).await?;
    let stale = || Refusal::Stale(vec![asked.account.0.clone()]);
    // A claim that was withdrawn only after the proposal needs another proposal.
    let as_proposed = |case: &TakeOverEvidence| {
        let withdrawn = case.withdrawn.is_none_or(|until| until < asked.at);
        case.old.holder == asked.holder && withdrawn
    };
    let mut case = case.filter(as_proposed).ok_or_else(stale)?;
    let caused = dependent_holds(tx, &case.old.holder).await?;
    let mut claim = ClaimedIdentity {
        holder: case.account.id.clone(),
        ..case.old.clone()
    };
    let others = duplicate_candidates(tx, ctx, &mut claim, std::mem::take(&mut case.numbers)).await?;
    let follows = match case.withdrawn {
        Some(_) => Some(on_success(&case.account, &claim, Proof::Counter, &others)),
        None => {
            case.old.numbers.clone_from(&claim.numbers);
            on_take_over(&case.account, &case.old, case.held_by, Proof::Counter, &caused, &others)
        }
    };
    let follows = follows.ok_or_else(stale)?;
    let owners = [asked.account.clone(), asked.holder.clone()];
    let change = Change::TakeOverApproved {
        receipt: receipt.to_owned(),
        holder: asked.holder,
        proposed_by: asked.proposed_by,
    };
    let mut events = vec![Event::of_account(&asked.account, change)];
    events.extend(follows);
    append(tx, ctx, &Attribution::new(by, ctx.environment.now()), events).await?;
    Ok(owners)
}

/// The evidence of a take-over, with the rows locked that it changes.
struct TakeOverEvidence {
    /// The account that is to get the claim.
    account: CitizenAccount,
    /// The present claim, with the person's details as the registry has them now.
    old: ClaimedIdentity,
    held_by: Proof,
    /// When a counter withdrew it; `None` if it is in force.
    withdrawn: Option<i64>,
    /// The fingerprints of all numbers of the person.
    numbers: Vec<Vec<u8>>,
}

/// Checks again whether the form's account may take over a weaker claim, or get one that was withdrawn. Takes the locks in the order that
/// all follow: the person's row, then the accounts'.
async fn case(tx: &mut Tx, ctx: &StoreContext, receipt: &str) -> Result<Option<TakeOverEvidence>> {
    let form = kept(tx, ctx, receipt).await?;
    let form = form.ok_or_else(|| Refusal::UnknownForm(receipt.to_owned()))?;
    let Some(parsed) = form.parsed().filter(|_| form.shows_another_claim()) else {
        return Ok(None);
    };
    let RegistryAnswer::Found(record) = ask(tx, ctx, parsed.national_id).await? else {
        return Ok(None);
    };
    let Person {
        id: person, numbers, ..
    } = resolve_person(tx, ctx, &record).await?;
    let claim = claim_of(tx, ctx, &person.0).await?;
    let (holder, held_by, until) = match &claim {
        Some(claim) => {
            let sql = "SELECT proof FROM claim WHERE person = $1 AND until IS NULL";
            let row = tx.row(sql, [(&person.0).into()]).await?;
            let proof: Option<String> = row.map(|row| row.get(0)).transpose()?;
            let proof = proof.and_then(|proof| Proof::parse(&proof));
            let proof = proof.ok_or_else(|| StoreError::corrupt("claim", "no such proof"))?;
            (claim.holder.clone(), proof, None)
        }
        None => match withdrawn(tx, &person, &form.account).await? {
            Some(last) => (last.holder, last.proof, Some(last.until)),
            None => return Ok(None),
        },
    };
    let both = "SELECT id FROM account_row WHERE id IN ($1, $2) ORDER BY id";
    let ids = [form.account.as_str().into(), holder.as_str().into()];
    tx.rows_for_update(both, ids).await?;
    let Some(account) = citizen(tx, ctx, form.account.as_str()).await? else {
        return Ok(None);
    };
    let found = RegistryAnswer::Found(record.clone());
    if answer(account.claim.is_some(), &Ok(parsed), &found, true).outcome != Outcome::Taken {
        return Ok(None);
    }
    if holder == account.id || (until.is_none() && !Proof::Counter.takes_over(held_by)) {
        return Ok(None);
    }
    let mut known = all_numbers(&record);
    let of_claim = claim.iter().flat_map(|claim| claim.numbers.iter().copied());
    let of_claim: Vec<_> = of_claim.filter(|number| !known.contains(number)).collect();
    known.extend(of_claim);
    Ok(Some(TakeOverEvidence {
        account,
        old: ClaimedIdentity {
            holder,
            person,
            numbers: known,
            full_name: record.full_name,
            phone: record.phone,
        },
        held_by,
        withdrawn: until,
        numbers,
    }))
}

/// The accounts that a claim holds, each with the reason; locked until the end of this transaction.
pub(crate) async fn dependent_holds(tx: &mut Tx, holder: &AccountId) -> Result<Vec<(AccountId, Reason)>> {
    // Shared with running imports of accounts: either they see the end of this claim, or this transaction sees their holds.
    tx.rows_for_share("SELECT id FROM arrival", []).await?;
    let sql = "SELECT account, reason FROM hold WHERE cause = $1 AND until IS NULL ORDER BY account, reason";
    let cause = Cause::claim(holder).0;
    let mut accounts = BTreeSet::new();
    for row in tx.rows(sql, [(&cause).into()]).await? {
        accounts.insert(row.get::<String>(0)?);
    }
    for account in &accounts {
        tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [account.into()])
            .await?;
    }
    let mut caused = Vec::new();
    for row in tx.rows(sql, [cause.into()]).await? {
        let (account, reason): (String, String) = (row.get(0)?, row.get(1)?);
        let reason = Reason::parse(&reason).ok_or_else(|| StoreError::corrupt("hold", "no such reason"))?;
        caused.push((AccountId(account), reason));
    }
    Ok(caused)
}

/// The take-over if it is pending; fails if it is over.
async fn waiting(tx: &mut Tx, ctx: &StoreContext, receipt: &str, now: i64) -> Result<TakeOver> {
    let found = proposal(tx, ctx, receipt, now).await?;
    let found = found.ok_or_else(|| Refusal::UnknownForm(receipt.to_owned()))?;
    if found.state == TakeOverState::Waiting {
        Ok(found)
    } else {
        Err(over(found))
    }
}

fn over(found: TakeOver) -> StoreError {
    let state = found.state.name();
    Refusal::TakeOverState {
        receipt: found.receipt,
        state,
    }
    .into()
}

async fn proposal(tx: &mut Tx, ctx: &StoreContext, receipt: &str, now: i64) -> Result<Option<TakeOver>> {
    Ok(proposals(tx, ctx, "t.receipt = $1", receipt, now).await?.pop())
}

async fn proposals(tx: &mut Tx, ctx: &StoreContext, which: &str, arg: &str, now: i64) -> Result<Vec<TakeOver>> {
    let sql = format!(
        "SELECT {TAKE_OVER_CELLS}, o.name, v.id, v.sealed FROM take_over t \
         LEFT JOIN operator o ON 'operator:' || o.name = t.proposed_by \
         AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.account = t.proposed_by AND h.since > t.at) LEFT JOIN personal_value v ON v.id = t.value WHERE {which}"
    );
    let mut found = Vec::new();
    for row in tx.rows(&sql, [arg.into()]).await? {
        // A forged row: nobody proposed this take-over, or somebody else did.
        if !is_take_over(&ctx.keys, &row, 0)? {
            continue;
        }
        let [receipt, account, holder, proposed_by, state]: [String; 5] =
            [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?];
        let at: i64 = row.get(4)?;
        let reason = match (row.get::<Option<String>>(9)?, row.get::<Option<Vec<u8>>>(10)?) {
            (Some(id), Some(sealed)) => match decrypt(&ctx.keys, &id, &sealed)? {
                Personal::Note { text } => Some(text),
                _ => None,
            },
            _ => None,
        };
        let lapsed = now > at.saturating_add(PATIENCE) || row.get::<Option<String>>(8)?.is_none();
        found.push(TakeOver {
            receipt,
            account: AccountId(account),
            holder: AccountId(holder),
            proposed_by,
            at,
            reason,
            state: TakeOverState::of(&state, lapsed),
        });
    }
    Ok(found)
}
