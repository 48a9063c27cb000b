//! The acts that need two operators: an act on another operator's account; an act that would give an account away within thirty days of
//! another act at a counter; and a connected system that gets people's data without their consent. Take-overs of claims have their own
//! module (`citizens/take_over.rs`).
//!
//! ```text
//!   a first operator, a reason ──▶ waiting ── a second one ──▶ approved: it is done, as things stand then
//!                                     │ ── either ──▶ declined
//!                                     └── 14 days, or the first is no longer one, or was held ──▶ lapsed
//! ```

use crate::accounts::orders::{lift, place};
use crate::authentication::{PapersSeen, change_phone, issue_password_code, remove_all_passkeys};
use crate::boxed;
use crate::citizens::{PATIENCE, TakeOverState, withdraw};
use crate::context::{Attribution, StoreContext};
use crate::db::{SqlValue, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::personal::decrypt;
use crate::notifications::messages::tell_owner;
use crate::openid::{NewClient, SECRET_OVERLAP, add_client, edit_client, rotate_client, take_over_subjects};
use crate::projections::{PROPOSED_ACT_CELLS, is_proposed_act};
use crate::rights::Operator;
use crate::sessions::end::end_sessions;
use crate::store::Store;
use crate::tables::receipts::new_receipt;
use crate::unit_of_work::append;
use ngomon_rules::client::ClientId;
use ngomon_rules::event::{Change, Event, Personal, ProposedAct, Subject};
use ngomon_rules::values::Phone;

/// A proposed act.
#[derive(Clone, Debug)]
pub struct ActProposal {
    /// The receipt of the proposal.
    pub receipt: String,
    /// The act.
    pub act: ProposedAct,
    /// The first operator, by the name that the journal uses for the actor.
    pub proposed_by: String,
    /// When, in microseconds UTC.
    pub at: i64,
    /// The reason, as the first operator wrote it.
    pub reason: String,
    /// The phone to be recorded for the account.
    pub phone: Option<Phone>,
    /// The state of the proposal.
    pub state: TakeOverState,
}

/// The result of an approved act for the operator. It is shown once and cannot be read again.
#[derive(Debug)]
pub enum Approved {
    /// No further result.
    Done,
    /// The credentials of a connected system.
    Client(NewClient),
    /// The code with which the owner of an account sets another password.
    PasswordCode(String),
}

/// The event for the journal: at the account, or at the system to be connected.
fn event(act: &ProposedAct, change: Change) -> Event {
    let subject = match act {
        ProposedAct::HoldByOrder { account, .. }
        | ProposedAct::LiftOrder { account, .. }
        | ProposedAct::RemovePasskeys { account }
        | ProposedAct::NewPassword { account, .. }
        | ProposedAct::ChangePhone { account, .. }
        | ProposedAct::WithdrawClaim { account }
        | ProposedAct::EndSessions { account } => Subject::Account(account.clone()),
        ProposedAct::AddClient { id, .. }
        | ProposedAct::RotateClient { id }
        | ProposedAct::EditClient { id, .. }
        | ProposedAct::NameSubjects { id, .. } => Subject::Client(id.clone()),
    };
    Event {
        subject,
        change,
        personal: None,
    }
}

/// Checks that the operator does not act on their own account.
fn not_oneself(by: &str, act: &ProposedAct) -> Result<()> {
    match act.account() {
        Some(account) if account.as_str() == by => Err(Refusal::OwnAccount.into()),
        _ => Ok(()),
    }
}

impl Store {
    /// The pending proposals, oldest first.
    #[boxed]
    pub async fn act_proposals(&self, _: &Operator) -> Result<Vec<ActProposal>> {
        let now = self.ctx.now();
        let all = self
            .db
            .read(async |tx| proposals(tx, &self.ctx, "p.state = $1 ORDER BY p.at, p.receipt", "waiting", now).await);
        let waiting = all.await?.into_iter().filter(|one| one.state == TakeOverState::Waiting);
        Ok(waiting.collect())
    }

    /// One proposal.
    #[boxed]
    pub async fn act_proposal(&self, _: &Operator, receipt: &str) -> Result<ActProposal> {
        let now = self.ctx.now();
        self.db
            .read(async |tx| proposal(tx, &self.ctx, receipt, now).await)
            .await
    }

    /// The operator who declined the proposal or took it back, by the name that the journal uses for the actor.
    #[boxed]
    pub async fn declined_by(&self, _: &Operator, proposal: &ActProposal) -> Result<Option<String>> {
        let change = Change::ActDeclined {
            receipt: proposal.receipt.clone(),
        };
        let body = serde_json::to_string(&change).map_err(|e| StoreError::corrupt("a proposal", e))?;
        let event = event(&proposal.act, change);
        let (kind, subject) = event.subject.parts();
        let sql = "SELECT by_whom FROM journal WHERE subject_kind = $1 AND subject = $2 AND body = $3";
        let row = self
            .db
            .read(async |tx| tx.row(sql, [kind.into(), subject.into(), body.into()]).await)
            .await?;
        row.map(|row| row.get(0)).transpose()
    }

    /// A new id for a proposed system.
    pub fn new_client_id(&self) -> ClientId {
        ClientId(self.ctx.environment.hex::<8>())
    }

    /// Proposes an act as the first operator, for a reason. Returns the receipt; if the same act is already pending, that one's.
    #[boxed]
    pub async fn propose_act(&self, operator: &Operator, act: ProposedAct, why: &str) -> Result<String> {
        self.propose_with(operator, act, why, None).await
    }

    /// As [`Store::propose_act`], for an act that records a phone.
    #[boxed]
    pub async fn propose_phone(
        &self,
        operator: &Operator,
        act: ProposedAct,
        phone: &Phone,
        why: &str,
    ) -> Result<String> {
        self.propose_with(operator, act, why, Some(phone.clone())).await
    }

    async fn propose_with(
        &self,
        operator: &Operator,
        act: ProposedAct,
        why: &str,
        phone: Option<Phone>,
    ) -> Result<String> {
        let (ctx, by, why) = (self.ctx.clone(), operator.by().to_owned(), why.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, by, act, text) = (ctx.clone(), by.clone(), act.clone(), why.clone());
                let phone = phone.clone();
                Box::pin(async move {
                    not_oneself(&by, &act)?;
                    if let Some(account) = act.account() {
                        let sql = "SELECT id FROM account_row WHERE id = $1";
                        if tx.rows_for_update(sql, [account.as_str().into()]).await?.is_empty() {
                            return Err(Refusal::UnknownAccount(account.0.clone()).into());
                        }
                    }
                    let waiting = proposals(tx, &ctx, "p.state = $1", "waiting", ctx.now()).await?;
                    let same = |one: &ActProposal| {
                        one.state == TakeOverState::Waiting && one.phone == phone && one.act.is_same(&act)
                    };
                    if let Some(same) = waiting.into_iter().find(same) {
                        return Ok(same.receipt);
                    }
                    let receipt = new_receipt(tx, &ctx).await?;
                    let change = Change::ActProposed {
                        receipt: receipt.clone(),
                        act: Box::new(act.clone()),
                    };
                    let personal = match phone {
                        Some(phone) => Personal::Phone { phone, text },
                        None => Personal::Note { text },
                    };
                    let event = event(&act, change).with(personal);
                    append(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), vec![event]).await?;
                    Ok(receipt)
                })
            })
            .await
    }

    /// Approves a proposal as the second operator: the act is done, if it is still possible. `news` is the message to an owner whose
    /// passkeys are removed.
    #[boxed]
    pub async fn approve_act(&self, operator: &Operator, receipt: &str, news: &str) -> Result<Approved> {
        let (ctx, by) = (self.ctx.clone(), operator.by().to_owned());
        let (receipt, news, secret) = (receipt.to_owned(), news.to_owned(), self.new_token());
        self.db
            .transaction(move |tx| {
                let (ctx, by, receipt, news) = (ctx.clone(), by.clone(), receipt.clone(), news.clone());
                let secret = secret.as_str().to_owned();
                Box::pin(async move {
                    let asked = waiting(tx, &ctx, &receipt).await?;
                    if asked.proposed_by == by {
                        return Err(Refusal::SameOperator.into());
                    }
                    not_oneself(&by, &asked.act)?;
                    let act = Attribution::new(&by, ctx.environment.now());
                    let change = Change::ActApproved {
                        receipt,
                        proposed_by: asked.proposed_by,
                    };
                    append(tx, &ctx, &act, vec![event(&asked.act, change)]).await?;
                    match asked.act {
                        ProposedAct::HoldByOrder { account, hold } => place(tx, &ctx, &act, &account, hold).await?,
                        ProposedAct::LiftOrder { account, cause } => {
                            lift(tx, &ctx, &act, &account, &cause, &asked.reason).await?;
                        }
                        ProposedAct::RemovePasskeys { account } => {
                            remove_all_passkeys(tx, &ctx, &act, &account, &asked.reason).await?;
                            tell_owner(tx, &ctx, &account, &news).await?;
                        }
                        ProposedAct::AddClient { id, client } => {
                            let new = add_client(tx, &ctx, &act, id, *client, secret).await?;
                            return Ok(Approved::Client(new));
                        }
                        ProposedAct::NewPassword { account, papers } => {
                            let seen = PapersSeen {
                                papers,
                                why: asked.reason,
                            };
                            let code = issue_password_code(tx, &ctx, &act, &account, &seen).await?;
                            return Ok(Approved::PasswordCode(code));
                        }
                        ProposedAct::ChangePhone { account, papers } => {
                            let corrupt = || StoreError::corrupt("proposed_act", "no phone");
                            let phone = asked.phone.ok_or_else(corrupt)?;
                            let seen = PapersSeen {
                                papers,
                                why: asked.reason,
                            };
                            change_phone(tx, &ctx, &act, &account, &phone, &seen).await?;
                        }
                        ProposedAct::RotateClient { id } => {
                            let new = rotate_client(tx, &ctx, &act, id.as_str(), SECRET_OVERLAP, secret).await?;
                            return Ok(Approved::Client(new));
                        }
                        ProposedAct::EndSessions { account } => end_sessions(tx, &ctx, &act, &account).await?,
                        ProposedAct::WithdrawClaim { account } => {
                            withdraw(tx, &ctx, &act, &account, &asked.reason).await?;
                        }
                        ProposedAct::EditClient { id, before, client } => {
                            let edited = edit_client(tx, &ctx, &act, &id, &before, *client, secret).await?;
                            if edited.secret.is_some() {
                                return Ok(Approved::Client(edited));
                            }
                        }
                        ProposedAct::NameSubjects { id, subjects } => {
                            take_over_subjects(tx, &ctx, &act, id.as_str(), &subjects).await?;
                        }
                    }
                    Ok(Approved::Done)
                })
            })
            .await
    }

    /// Declines a proposal as another operator, or takes it back as the first one.
    #[boxed]
    pub async fn decline_act(&self, operator: &Operator, receipt: &str, why: &str) -> Result<()> {
        let (ctx, by) = (self.ctx.clone(), operator.by().to_owned());
        let (receipt, why) = (receipt.to_owned(), why.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, by, receipt, text) = (ctx.clone(), by.clone(), receipt.clone(), why.clone());
                Box::pin(async move {
                    let asked = waiting(tx, &ctx, &receipt).await?;
                    not_oneself(&by, &asked.act)?;
                    let change = Change::ActDeclined { receipt };
                    let event = event(&asked.act, change).with(Personal::Note { text });
                    append(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), vec![event]).await
                })
            })
            .await
    }
}

/// The proposal if it is pending, locked until the end of this transaction; fails if it is over.
async fn waiting(tx: &mut Tx, ctx: &StoreContext, receipt: &str) -> Result<ActProposal> {
    let sql = "SELECT receipt FROM proposed_act WHERE receipt = $1";
    tx.rows_for_update(sql, [receipt.into()]).await?;
    let found = proposal(tx, ctx, receipt, ctx.now()).await?;
    if found.state == TakeOverState::Waiting {
        return Ok(found);
    }
    let state = found.state.name();
    Err(Refusal::TakeOverState {
        receipt: found.receipt,
        state,
    }
    .into())
}

async fn proposal(tx: &mut Tx, ctx: &StoreContext, receipt: &str, now: i64) -> Result<ActProposal> {
    let found = proposals(tx, ctx, "p.receipt = $1", receipt, now).await?.pop();
    found.ok_or_else(|| Refusal::UnknownProposal(receipt.to_owned()).into())
}

async fn proposals(tx: &mut Tx, ctx: &StoreContext, which: &str, arg: &str, now: i64) -> Result<Vec<ActProposal>> {
    let sql = format!(
        "SELECT {PROPOSED_ACT_CELLS}, o.name, v.id, v.sealed FROM proposed_act p \
         JOIN personal_value v ON v.id = p.value LEFT JOIN operator o ON 'operator:' || o.name = p.proposed_by \
         AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.account = p.proposed_by AND h.since > p.at) WHERE {which}"
    );
    let mut found = Vec::new();
    for row in tx.rows(&sql, [SqlValue::from(arg)]).await? {
        // A forged row: nobody proposed this act, or somebody else did.
        if !is_proposed_act(&ctx.keys, &row, 0)? {
            continue;
        }
        let [receipt, body, proposed_by, state, value]: [String; 5] =
            [row.get(0)?, row.get(1)?, row.get(3)?, row.get(5)?, row.get(8)?];
        let at: i64 = row.get(4)?;
        let (reason, phone) = match decrypt(&ctx.keys, &value, &row.get::<Vec<u8>>(9)?)? {
            Personal::Note { text } => (text, None),
            Personal::Phone { phone, text } => (text, Some(phone)),
            _ => return Err(StoreError::corrupt(format!("personal_value {value}"), "no reason")),
        };
        let lapsed = now > at.saturating_add(PATIENCE) || row.get::<Option<String>>(7)?.is_none();
        found.push(ActProposal {
            act: serde_json::from_str(&body).map_err(|e| StoreError::corrupt(format!("proposed_act {receipt}"), e))?,
            receipt,
            proposed_by,
            at,
            reason,
            phone,
            state: TakeOverState::of(&state, lapsed),
        });
    }
    Ok(found)
}
