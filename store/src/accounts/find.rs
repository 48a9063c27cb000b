//! The search at a counter: finds a person's accounts by exact details that the person knows.

use crate::boxed;
use crate::crypto::keyring::{AssociatedData, FingerprintKind};
use crate::db::columns::placeholders;
use crate::db::{SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::rights::Operator;
use crate::store::Store;
use crate::tables::accounts::{STATED, STATED_WIDTH, fingerprint, stated_of, username_fp};
use crate::tables::holds::is_held;
use crate::tables::numbers::ever_held;
use crate::tables::units;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::citizens::Proof;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::{FullName, NationalId, Phone};
use std::collections::BTreeSet;

/// The most accounts that a search returns: more than any person has.
pub const MOST_FOUND: usize = 50;

/// An account that was found.
#[derive(Clone, Debug)]
pub struct AccountSearchResult {
    /// The account.
    pub account: AccountId,
    /// Its kind.
    pub kind: AccountKind,
    /// The name that it states for its owner.
    pub full_name: Option<FullName>,
    /// The national id, masked.
    pub national_id: Option<String>,
    /// The phone, masked.
    pub phone: Option<String>,
    /// The name of its unit today; empty if unknown.
    pub unit: String,
    /// A hold counts today.
    pub held: bool,
    /// The proof of its claim, if it has one.
    pub claim: Option<Proof>,
}

fn place(operator: &Operator) -> AssociatedData<'_> {
    AssociatedData {
        table: "desk",
        column: "find",
        row: operator.by().as_bytes(),
    }
}

impl Store {
    /// The search text for use in a URL: sealed, for this operator only.
    pub fn seal_query(&self, operator: &Operator, typed: &str) -> String {
        let sealed = self
            .ctx
            .keys
            .encrypt(place(operator), typed.as_bytes(), &self.ctx.environment);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// The text that [`Store::seal_query`] sealed.
    pub fn unseal_query(&self, operator: &Operator, sealed: &str) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let typed = self.ctx.keys.decrypt(place(operator), &sealed).ok()?;
        String::from_utf8(typed).ok()
    }

    /// The accounts that fit a national id, a phone, an account id, a user name or a receipt, ordered by id. A national id finds the
    /// accounts that state any number of its person, and the account with the person's claim.
    #[boxed]
    pub async fn find(&self, _: &Operator, typed: &str) -> Result<Vec<AccountSearchResult>> {
        let (typed, today) = (typed.trim(), self.today());
        self.db
            .read(async |tx| {
                let tree = units::tree(tx).await?;
                let mut found = Vec::new();
                for id in self.matching(tx, typed).await?.into_iter().take(MOST_FOUND) {
                    let sql = format!(
                        "SELECT {STATED}, a.kind, a.unit, c.proof FROM account a JOIN personal_value v ON v.id = a.value \
                         LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL WHERE a.id = $1"
                    );
                    let Some(row) = tx.row(&sql, [(&id).into()]).await? else {
                        continue;
                    };
                    let stated = stated_of(&self.ctx.keys, &row, 0)?;
                    let (kind, unit): (String, String) = (row.get(STATED_WIDTH)?, row.get(STATED_WIDTH + 1)?);
                    let unit = tree.get(tree.follow(&UnitCode(unit), today));
                    found.push(AccountSearchResult {
                        held: is_held(tx, &id, today).await?,
                        account: AccountId(id),
                        kind: AccountKind::parse(&kind)
                            .ok_or_else(|| StoreError::corrupt("account", "no such kind"))?,
                        full_name: stated.full_name,
                        national_id: stated.national_id.map(|number| number.masked()),
                        phone: stated.phone.as_ref().map(Phone::masked),
                        unit: unit.map(|unit| unit.name.clone()).unwrap_or_default(),
                        claim: row.get::<Option<String>>(STATED_WIDTH + 2)?.and_then(|proof| Proof::parse(&proof)),
                    });
                }
                Ok(found)
            })
            .await
    }

    async fn matching(&self, tx: &mut Tx, typed: &str) -> Result<BTreeSet<String>> {
        let marker = self.ctx.marker(tx).await?;
        let fp = |kind, value: &str| SqlValue::from(fingerprint(&marker, kind, value));
        let mut asked = vec![
            ("SELECT id FROM account WHERE id = $1".to_owned(), vec![typed.into()]),
            (
                "SELECT id FROM account WHERE username_fp = $1".to_owned(),
                vec![username_fp(&marker, typed).into()],
            ),
            (
                "SELECT account FROM submission WHERE receipt = $1".to_owned(),
                vec![typed.to_ascii_uppercase().into()],
            ),
        ];
        if let Ok((phone, _)) = Phone::parse(typed) {
            let sql = "SELECT id FROM account WHERE phone_fp = $1".to_owned();
            asked.push((sql, vec![fp(FingerprintKind::Phone, phone.as_str())]));
        }
        if let Ok((number, _)) = NationalId::parse(typed, None, None) {
            let number = fingerprint(&marker, FingerprintKind::NationalId, number.as_str());
            let numbers = ever_held(tx, [number]).await?.into_iter().map(SqlValue::from);
            let numbers: Vec<SqlValue> = numbers.collect();
            let places = placeholders(numbers.len());
            let stating = format!("SELECT id FROM account WHERE number_fp IN ({places})");
            let claiming = format!(
                "SELECT c.account FROM person_number n JOIN claim c ON c.person = n.person AND c.until IS NULL WHERE n.fp IN ({places})"
            );
            asked.extend([(stating, numbers.clone()), (claiming, numbers)]);
        }
        let mut ids = BTreeSet::new();
        for (sql, args) in asked {
            for row in tx.rows(&sql, args).await? {
                ids.insert(row.get(0)?);
            }
        }
        Ok(ids)
    }
}
