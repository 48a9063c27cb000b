//! Recovery at a counter, for an owner who lost password or phone and shows papers: a code by which the owner sets another password, or
//! another phone. Both together give away the account, so within thirty days the second of them needs a second operator (C5). So does every
//! phone change of an account without a password.
//!
//! ```text
//!   papers seen ──▶ a code, valid once, for a day ── its owner sets a password ──▶ all sessions and grants end
//!   papers seen ──▶ another phone; the previous one is notified
//! ```

use crate::authentication::passwords::change_password;
use crate::authentication::webauthn_state::{recall, recall_once, remember};
use crate::boxed;
use crate::context::News;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::{Refusal, Result};
use crate::notifications::messages::{reach, tell};
use crate::rights::{Operator, alone};
use crate::store::Store;
use crate::tables::accounts::{STATED, stated_of};
use crate::unit_of_work::append;
use ngomon_rules::citizens::Paper;
use ngomon_rules::event::{Change, Event, Personal};
use ngomon_rules::records::{AccountAttributes, AccountId, AccountKind};
use ngomon_rules::values::Phone;

/// Period after one of the two in which the other needs a second operator: 30 days in microseconds.
const WATCHED: i64 = 30 * 86_400 * 1_000_000;
/// Lifetime of a code: one day in microseconds.
const GOOD: i64 = 86_400 * 1_000_000;

/// An operator's check of papers at a counter.
#[derive(Clone, Debug)]
pub struct PapersSeen {
    /// The papers.
    pub papers: Vec<Paper>,
    /// The reason, as the operator wrote it.
    pub why: String,
}

/// The key of a code's row: it cannot be computed without the code.
fn row_of(ctx: &StoreContext, code: &str) -> [u8; 32] {
    ctx.keys.ticket_mac(&["password code", code].map(str::as_bytes))
}

/// The code as printed: people leave out dashes and type small letters.
fn as_printed(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    letters.collect::<String>().to_ascii_uppercase()
}

/// Whether a counter did that to an account of the same login within the last thirty days. `kind` is the kind of the journal entry.
async fn lately(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, kind: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM account_row b JOIN account_row a ON a.login = b.login \
         JOIN journal j ON j.subject_kind = 'account' AND j.subject = a.id AND j.kind = $2 AND j.at > $3 WHERE b.id = $1 LIMIT 1";
    let args = [account.as_str().into(), kind.into(), (ctx.now() - WATCHED).into()];
    Ok(tx.row(sql, args).await?.is_some())
}

/// Whether a counter changed the phone within the last thirty days. One operator alone then must not give away the rest.
pub(crate) async fn phone_changed_lately(tx: &mut Tx, ctx: &StoreContext, account: &AccountId) -> Result<bool> {
    lately(tx, ctx, account, "phone-changed").await
}

/// Locks an official's or a citizen's account and returns its attributes. Operators have enrolment links instead.
async fn owners(tx: &mut Tx, ctx: &StoreContext, account: &AccountId) -> Result<AccountAttributes> {
    let unknown = || Refusal::UnknownAccount(account.0.clone());
    let sql = "SELECT kind FROM account_row WHERE id = $1";
    let rows = tx.rows_for_update(sql, [account.as_str().into()]).await?;
    let kind: String = rows.first().ok_or_else(unknown)?.get(0)?;
    if kind == AccountKind::Operator.name() {
        return Err(Refusal::NeedsTwo.into());
    }
    let sql = format!("SELECT {STATED} FROM account a JOIN personal_value v ON v.id = a.value WHERE a.id = $1");
    let row = tx.row(&sql, [account.as_str().into()]).await?;
    stated_of(&ctx.keys, &row.ok_or_else(unknown)?, 0)
}

/// Issues a password code for the account, in the caller's transaction.
pub(crate) async fn issue_password_code(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    account: &AccountId,
    seen: &PapersSeen,
) -> Result<String> {
    owners(tx, ctx, account).await?;
    let letters = ctx.environment.letters::<12>();
    remember(tx, ctx, row_of(ctx, &letters), GOOD, account.as_str()).await?;
    let change = Change::PasswordCodeIssued {
        papers: seen.papers.clone(),
    };
    let note = Personal::Note { text: seen.why.clone() };
    append(tx, ctx, act, vec![Event::of_account(account, change).with(note)]).await?;
    Ok(format!("{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..]))
}

/// Changes the account's phone, in the caller's transaction. The previous phone is notified, since it is stored nowhere afterwards.
pub(crate) async fn change_phone(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    account: &AccountId,
    phone: &Phone,
    seen: &PapersSeen,
) -> Result<()> {
    let old = owners(tx, ctx, account).await?;
    let before = reach(tx, ctx, account).await?;
    let stated = AccountAttributes {
        phone: Some(phone.clone()),
        phone_at: Some(ctx.now()),
        ..old
    };
    let written = Change::AccountChanged {
        fields: vec!["phone".to_owned()],
    };
    let personal = Personal::Account {
        stated,
        password_hash: None,
    };
    let change = Change::PhoneChanged {
        papers: seen.papers.clone(),
    };
    let note = Personal::Note { text: seen.why.clone() };
    let events = vec![
        Event::of_account(account, written).with(personal),
        Event::of_account(account, change).with(note),
    ];
    append(tx, ctx, act, events).await?;
    // The new phone was notified by `append` already.
    match (before, &ctx.news) {
        (Some(before), Some(words)) if before.to != phone.as_str() => {
            tell(tx, ctx, &before, &words(&News::PhoneChanged)).await
        }
        _ => Ok(()),
    }
}

impl Store {
    /// Issues a code for setting another password, to an owner whose papers the operator checked. Refused with [`Refusal::NeedsTwo`] if a
    /// counter changed the phone in the last thirty days.
    #[boxed]
    pub async fn issue_password_code(
        &self,
        operator: &Operator,
        account: &AccountId,
        seen: &PapersSeen,
    ) -> Result<String> {
        alone(account)?;
        let (ctx, by, account, seen) = (
            self.ctx.clone(),
            operator.by().to_owned(),
            account.clone(),
            seen.clone(),
        );
        self.db
            .transaction(move |tx| {
                let (ctx, by, account, seen) = (ctx.clone(), by.clone(), account.clone(), seen.clone());
                Box::pin(async move {
                    owners(tx, &ctx, &account).await?;
                    if phone_changed_lately(tx, &ctx, &account).await? {
                        return Err(Refusal::NeedsTwo.into());
                    }
                    issue_password_code(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), &account, &seen).await
                })
            })
            .await
    }

    /// Changes the phone of an account whose owner's papers the operator checked. Refused with [`Refusal::NeedsTwo`] if a counter issued a
    /// password code in the last thirty days, or if the owner signs in by the phone alone.
    #[boxed]
    pub async fn change_phone(
        &self,
        operator: &Operator,
        account: &AccountId,
        phone: &Phone,
        seen: &PapersSeen,
    ) -> Result<()> {
        alone(account)?;
        let (ctx, by, account) = (self.ctx.clone(), operator.by().to_owned(), account.clone());
        let (phone, seen) = (phone.clone(), seen.clone());
        let has_password = self.has_password(&account).await?;
        self.db
            .transaction(move |tx| {
                let (ctx, by, account) = (ctx.clone(), by.clone(), account.clone());
                let (phone, seen) = (phone.clone(), seen.clone());
                Box::pin(async move {
                    owners(tx, &ctx, &account).await?;
                    let given = lately(tx, &ctx, &account, "password-code-issued").await?;
                    if given || !has_password || phone_changed_lately(tx, &ctx, &account).await? {
                        return Err(Refusal::NeedsTwo.into());
                    }
                    change_phone(
                        tx,
                        &ctx,
                        &Attribution::new(&by, ctx.environment.now()),
                        &account,
                        &phone,
                        &seen,
                    )
                    .await
                })
            })
            .await
    }

    /// Whether a counter changed the phone of that account within the last thirty days. A code to a phone then cannot reset the password.
    #[boxed]
    pub async fn phone_changed_lately(&self, account: &AccountId) -> Result<bool> {
        self.db
            .read(async |tx| phone_changed_lately(tx, &self.ctx, account).await)
            .await
    }

    /// The account of a password code. `None` if the code was used, has expired, or never existed.
    #[boxed]
    pub async fn password_code(&self, code: &str) -> Result<Option<AccountId>> {
        let id = row_of(&self.ctx, &as_printed(code));
        let account = self.db.query(async |tx| recall(tx, &self.ctx, id).await).await?;
        Ok(account.map(AccountId))
    }

    /// Sets another password by a code, once. All sessions and grants end in the same commit, and the owner is notified with `news`.
    /// `false` if the code is not valid.
    #[boxed]
    pub async fn set_password_by_code(&self, code: &str, hash: &str, news: &str) -> Result<bool> {
        let id = row_of(&self.ctx, &as_printed(code));
        let (ctx, hash, news) = (self.ctx.clone(), hash.to_owned(), news.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, hash, news) = (ctx.clone(), hash.clone(), news.clone());
                Box::pin(async move {
                    let Some(account) = recall_once(tx, &ctx, id).await? else {
                        return Ok(false);
                    };
                    let account = AccountId(account);
                    change_password(tx, &ctx, &account, hash, &news).await?;
                    Ok(true)
                })
            })
            .await
    }
}
