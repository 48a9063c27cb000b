//! The second factor of operators (TCVN 14423): a code of their authenticator (RFC 6238), or one of their recovery codes. Each is accepted
//! once.

use crate::authentication::operators::recovery_hash;
use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::db::bound::{OPERATOR, binds};
use crate::error::{Result, StoreError};
use crate::journal::entry::{ENTRY, read_entry};
use crate::journal::personal::unseal_with;
use crate::sessions::factor::TwoFactorProof;
use crate::store::Store;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, Personal};
use ngomon_rules::records::AccountId;

struct Factor {
    totp_secret: [u8; 20],
    recovery_codes: Vec<[u8; 32]>,
}

async fn factor(tx: &mut Tx, ctx: &StoreContext, account: &AccountId) -> Result<Option<Factor>> {
    let sql = "SELECT v.id, v.sealed, v.salt, o.mac FROM operator o JOIN personal_value v ON v.id = o.value WHERE o.name = $1";
    let Some(row) = tx.row(sql, [account.operator().into()]).await? else {
        return Ok(None);
    };
    let (id, mac): (String, Option<Vec<u8>>) = (row.get(0)?, row.get(3)?);
    let (personal, commitment) = unseal_with(&ctx.keys, &id, &row, [1, 2])?;
    let cells = [account.operator().into(), (&id).into(), commitment];
    if !binds(&ctx.keys, OPERATOR, &cells, mac.as_deref()) {
        return Err(StoreError::corrupt(
            format!("operator {account}"),
            "the second factor is not the one that was enrolled",
        ));
    }
    match personal {
        Personal::Operator {
            totp_secret,
            recovery_codes,
            ..
        } => Ok(Some(Factor {
            totp_secret,
            recovery_codes,
        })),
        _ => Err(StoreError::corrupt(format!("personal_value {id}"), "not an operator's")),
    }
}

/// Whether a recovery code was used. The journal decides: a table's row could be deleted, and the code would be valid again.
async fn is_used(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, code: u8) -> Result<bool> {
    let sql = format!("{ENTRY} WHERE j.subject_kind = 'account' AND j.subject = $1 AND j.kind = 'recovery-code-used'");
    for row in tx.rows(&sql, [account.as_str().into()]).await? {
        let entry = read_entry(&ctx.keys, None, &row)?.entry;
        if entry.event.change == (Change::RecoveryCodeUsed { code }) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Store {
    /// The TOTP secret of the operator's authenticator; `None` if there is no such operator.
    #[boxed]
    pub async fn totp_secret(&self, account: &AccountId) -> Result<Option<[u8; 20]>> {
        let found = self.db.read(async |tx| factor(tx, &self.ctx, account).await).await?;
        Ok(found.map(|factor| factor.totp_secret))
    }

    /// Records that the right code of `step` (half minutes since 1970) was used. `None` if a code of that step or a later one was used
    /// before.
    #[boxed]
    pub async fn use_code(&self, account: &AccountId, step: u64) -> Result<Option<TwoFactorProof>> {
        let (id, step) = (account.0.clone(), i64::try_from(step).unwrap_or(i64::MAX));
        let used = self
            .db
            .transaction(move |tx| {
                let id = id.clone();
                Box::pin(async move {
                    let sql = "INSERT INTO code_step (account, step) VALUES ($1,$2) \
                         ON CONFLICT (account) DO UPDATE SET step = excluded.step WHERE excluded.step > code_step.step";
                    tx.execute(sql, [id.into(), step.into()]).await
                })
            })
            .await?;
        Ok((used > 0).then(|| TwoFactorProof::by_code(account.clone())))
    }

    /// Redeems a recovery code. `None` if it is not one of the operator's, or was used before.
    #[boxed]
    pub async fn use_recovery_code(&self, account: &AccountId, typed: &str) -> Result<Option<TwoFactorProof>> {
        let (ctx, account, typed) = (self.ctx.clone(), account.clone(), typed.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, account, typed) = (ctx.clone(), account.clone(), typed.clone());
                Box::pin(async move {
                    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
                        .await?;
                    let Some(factor) = factor(tx, &ctx, &account).await? else {
                        return Ok(None);
                    };
                    let hash = recovery_hash(&ctx, &account, &typed);
                    let Some(code) = (0_u8..).zip(&factor.recovery_codes).find(|(_, kept)| **kept == hash) else {
                        return Ok(None);
                    };
                    if is_used(tx, &ctx, &account, code.0).await? {
                        return Ok(None);
                    }
                    let event = Event::of_account(&account, Change::RecoveryCodeUsed { code: code.0 });
                    let act = Attribution::new(account.as_str(), ctx.environment.now());
                    append(tx, &ctx, &act, vec![event]).await?;
                    Ok(Some(TwoFactorProof::by_code(account)))
                })
            })
            .await
    }
}
