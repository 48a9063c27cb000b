//! What the tables say about an account and its owner: statements, claim, and their fingerprints.

use crate::context::StoreContext;
use crate::crypto::keyring::{FingerprintKind, Fingerprinter, Keyring};
use crate::db::bound::{CLAIM, STATED as STATED_BOUND, binds};
use crate::db::columns::{for_each_in, placeholders};
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::personal::{decrypt, unseal_with};
use crate::tables::holds::recorded_holds;
use ngomon_rules::citizens::{CitizenAccount, ClaimedIdentity};
use ngomon_rules::event::{PersonId, Personal};
use ngomon_rules::records::{AccountAttributes, AccountId};
use ngomon_rules::values::username_key;
use std::collections::HashMap;

/// The fingerprints of what an account states about its owner.
pub(crate) struct AccountCells {
    pub number_fp: Option<Vec<u8>>,
    phone_fp: Option<Vec<u8>>,
    name_fp: Option<Vec<u8>>,
    pub code_fp: Option<Vec<u8>>,
    pub username_fp: Option<Vec<u8>>,
}

impl AccountCells {
    /// The values in the order of the columns.
    pub fn into_args(self) -> [SqlValue; 5] {
        [
            self.number_fp,
            self.phone_fp,
            self.name_fp,
            self.code_fp,
            self.username_fp,
        ]
        .map(SqlValue::Bytes)
    }
}

pub(crate) fn fingerprint(marker: &Fingerprinter, kind: FingerprintKind, value: &str) -> Vec<u8> {
    marker.fingerprint(kind, value).as_bytes().to_vec()
}

pub(crate) fn account_cells(marker: &Fingerprinter, stated: &AccountAttributes) -> AccountCells {
    let fp = |kind, value: Option<&str>| value.map(|value| fingerprint(marker, kind, value));
    let name = stated.full_name.as_ref().map(ngomon_rules::values::FullName::exact_key);
    AccountCells {
        number_fp: fp(
            FingerprintKind::NationalId,
            stated.national_id.as_ref().map(|n| n.as_str()),
        ),
        phone_fp: fp(FingerprintKind::Phone, stated.phone.as_ref().map(|p| p.as_str())),
        name_fp: fp(FingerprintKind::NameExact, name.as_deref()),
        code_fp: fp(FingerprintKind::EmployeeCode, stated.employee_code.as_deref()),
        username_fp: stated.username.as_deref().map(|name| username_fp(marker, name)),
    }
}

/// The fingerprint of a user name, however it is written.
pub(crate) fn username_fp(marker: &Fingerprinter, name: &str) -> Vec<u8> {
    fingerprint(marker, FingerprintKind::Username, &username_key(name))
}

/// The fingerprint of a folded name: equal for all spellings that count as the same person's.
pub(crate) fn folded_fp(marker: &Fingerprinter, person_key: &str) -> Vec<u8> {
    fingerprint(marker, FingerprintKind::NameFolded, person_key)
}

/// The last day of service of the persons with these numbers.
pub(crate) async fn official_to(tx: &mut Tx, numbers: Vec<Vec<u8>>) -> Result<HashMap<Vec<u8>, String>> {
    let mut found = HashMap::new();
    if tx.row("SELECT 1 FROM profile LIMIT 1", []).await?.is_none() {
        return Ok(found);
    }
    for numbers in numbers.chunks(400) {
        let sql = format!(
            "SELECT n.fp, MAX(p.service_to) FROM person_number n JOIN profile p ON p.person = n.person \
             WHERE p.gone = 0 AND n.fp IN ({}) GROUP BY n.fp",
            placeholders(numbers.len())
        );
        for row in tx.rows(&sql, numbers.iter().cloned().map(SqlValue::from)).await? {
            found.insert(row.get(0)?, row.get(1)?);
        }
    }
    if tx.row("SELECT 1 FROM person_link LIMIT 1", []).await?.is_none() {
        return Ok(found);
    }
    // Persons whose service is recorded under another of their numbers.
    let numbers: Vec<SqlValue> = numbers.into_iter().map(SqlValue::from).collect();
    let linked = "SELECT l.fp, MAX(p.service_to) FROM person_link l JOIN person_number n ON n.fp = l.other \
         JOIN profile p ON p.person = n.person WHERE p.gone = 0 AND l.fp IN ({}) GROUP BY l.fp";
    for_each_in(tx, linked, &numbers, |row| {
        let service: String = row.get(1)?;
        let known: &mut String = found.entry(row.get(0)?).or_default();
        if *known < service {
            *known = service;
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// The columns of [`stated_of`], for `account a JOIN personal_value v ON v.id = a.value`.
pub(crate) const STATED: &str = "a.id, a.value, v.sealed, v.salt, a.username_fp, a.stated_mac";

/// The number of these columns.
pub(crate) const STATED_WIDTH: usize = 6;

/// What an account states about its owner, from six columns that start at `at`. Fails unless the value belongs to this very account.
pub(crate) fn stated_of(keys: &Keyring, row: &Row, at: usize) -> Result<AccountAttributes> {
    let [id, value]: [String; 2] = [row.get(at)?, row.get(at + 1)?];
    let (personal, commitment) = unseal_with(keys, &value, row, [at + 2, at + 3])?;
    let cells = [
        (&id).into(),
        (&value).into(),
        row.get::<Option<Vec<u8>>>(at + 4)?.into(),
        commitment,
    ];
    let bound: Vec<u8> = row.get(at + 5)?;
    match personal {
        Personal::Account { stated, .. } | Personal::Operator { stated, .. }
            if binds(keys, STATED_BOUND, &cells, Some(&bound)) =>
        {
            Ok(stated)
        }
        _ => Err(StoreError::corrupt(
            format!("account {id}"),
            "what it says of its owner is not its own",
        )),
    }
}

/// A citizen account with all that the rules of C4 need.
pub(crate) async fn citizen(tx: &mut Tx, ctx: &StoreContext, id: &str) -> Result<Option<CitizenAccount>> {
    let sql = format!(
        "SELECT {STATED}, c.person FROM account a JOIN personal_value v ON v.id = a.value \
         LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL WHERE a.id = $1 AND a.kind = 'citizen'"
    );
    let Some(row) = tx.row(&sql, [id.into()]).await? else {
        return Ok(None);
    };
    Ok(Some(CitizenAccount {
        id: AccountId(id.to_owned()),
        stated: stated_of(&ctx.keys, &row, 0)?,
        claim: row.get::<Option<String>>(STATED_WIDTH)?.map(PersonId),
        holds: recorded_holds(tx, id).await?,
    }))
}

/// The claim in force of a person, with the registry's details at that moment.
pub(crate) async fn claim_of(tx: &mut Tx, ctx: &StoreContext, person: &str) -> Result<Option<ClaimedIdentity>> {
    let sql = format!(
        "SELECT {CLAIMED} FROM claim c JOIN personal_value w ON w.id = c.value WHERE c.person = $1 AND c.until IS NULL"
    );
    let row = tx.row(&sql, [person.into()]).await?;
    row.map(|row| claimed_of(&ctx.keys, &row, 0)).transpose()
}

/// The columns of [`owner_of`], for
/// `account a JOIN personal_value v ON v.id = a.value LEFT JOIN claim c … LEFT JOIN personal_value w ON w.id = c.value`.
pub(crate) const OWNER: &str =
    "a.id, a.value, v.sealed, v.salt, a.username_fp, a.stated_mac, c.person, c.value, w.sealed, w.salt, c.mac";

/// The number of these columns.
pub(crate) const OWNER_WIDTH: usize = 11;

/// What an account states about its owner, and its claim, from eleven columns that start at `at`. Fails unless both belong to this very
/// account.
pub(crate) fn owner_of(keys: &Keyring, row: &Row, at: usize) -> Result<(AccountAttributes, Option<ClaimedIdentity>)> {
    let id: String = row.get(at)?;
    let stated = stated_of(keys, row, at)?;
    let Some(person) = row.get::<Option<String>>(at + STATED_WIDTH)? else {
        return Ok((stated, None));
    };
    let value: String = row.get(at + 7)?;
    let (personal, commitment) = unseal_with(keys, &value, row, [at + 8, at + 9])?;
    let cells = [(&id).into(), (&person).into(), (&value).into(), commitment];
    let bound: Vec<u8> = row.get(at + 10)?;
    match personal {
        Personal::Claim {
            numbers,
            full_name,
            phone,
        } if binds(keys, CLAIM, &cells, Some(&bound)) => Ok((
            stated,
            Some(ClaimedIdentity {
                holder: AccountId(id),
                person: PersonId(person),
                numbers,
                full_name,
                phone,
            }),
        )),
        _ => Err(StoreError::corrupt(
            format!("personal_value {value}"),
            "the claim is not the account's own",
        )),
    }
}

/// The columns of [`claimed_of`], for `claim c JOIN personal_value w ON w.id = c.value`.
pub(crate) const CLAIMED: &str = "c.account, c.person, c.value, w.sealed";

/// A claim, from four columns that start at `at`.
pub(crate) fn claimed_of(keys: &Keyring, row: &Row, at: usize) -> Result<ClaimedIdentity> {
    let [holder, person, value]: [String; 3] = [row.get(at)?, row.get(at + 1)?, row.get(at + 2)?];
    match decrypt(keys, &value, &row.get::<Vec<u8>>(at + 3)?)? {
        Personal::Claim {
            numbers,
            full_name,
            phone,
        } => Ok(ClaimedIdentity {
            holder: AccountId(holder),
            person: PersonId(person),
            numbers,
            full_name,
            phone,
        }),
        _ => Err(StoreError::corrupt(format!("personal_value {value}"), "not a claim's")),
    }
}
