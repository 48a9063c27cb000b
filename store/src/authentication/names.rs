//! The user names of a phone, sent to that phone alone.

use crate::context::StoreContext;
use crate::crypto::keyring::FingerprintKind;
use crate::db::Tx;
use crate::error::Result;
use crate::notifications::messages::{Channel, ContactPoint, reach, tell};
use crate::store::Store;
use crate::tables::accounts::{STATED, fingerprint, stated_of};
use ngomon_rules::records::AccountId;
use ngomon_rules::values::Phone;
use std::collections::BTreeSet;
use std::sync::Arc;

/// User names in one message.
const MOST: usize = 3;

impl Store {
    /// Sends the user names of the accounts whose contact point is that phone, in one message; sends nothing if there are none. `text`
    /// builds the message around them.
    pub async fn tell_usernames(
        &self,
        phone: &Phone,
        text: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Result<()> {
        let (ctx, phone, text) = (self.ctx.clone(), phone.clone(), Arc::new(text));
        self.db
            .transaction(move |tx| {
                let (ctx, phone, text) = (ctx.clone(), phone.clone(), text.clone());
                Box::pin(async move {
                    let names = names_of(tx, &ctx, &phone).await?;
                    if names.is_empty() {
                        return Ok(());
                    }
                    let to = of_phone(&phone);
                    let names: Vec<String> = names.into_iter().take(MOST).collect();
                    tell(tx, &ctx, &to, &text(&names.join(", "))).await
                })
            })
            .await
    }
}

fn of_phone(phone: &Phone) -> ContactPoint {
    ContactPoint {
        channel: Channel::Sms,
        to: phone.as_str().to_owned(),
    }
}

/// The user names of the accounts whose contact point is the phone, not of those that merely state it. Operators get none: they ask each
/// other.
async fn names_of(tx: &mut Tx, ctx: &StoreContext, phone: &Phone) -> Result<BTreeSet<String>> {
    let marker = ctx.marker(tx).await?;
    let fp = fingerprint(&marker, FingerprintKind::Phone, phone.as_str());
    let sql = format!(
        "SELECT {STATED} FROM account a JOIN personal_value v ON v.id = a.value WHERE a.kind <> 'operator' AND a.id IN \
         (SELECT id FROM account WHERE phone_fp = $1 UNION SELECT account FROM claim WHERE phone_fp = $1 AND until IS NULL) ORDER BY a.id"
    );
    let mut names = BTreeSet::new();
    for row in tx.rows(&sql, [fp.into()]).await? {
        let account = AccountId(row.get(0)?);
        let Some(username) = stated_of(&ctx.keys, &row, 0)?.username else {
            continue;
        };
        if reach(tx, ctx, &account).await? == Some(of_phone(phone)) {
            names.insert(username);
        }
    }
    Ok(names)
}
