//! The person behind a claim, and the accounts that may be this person's.

use crate::context::StoreContext;
use crate::crypto::keyring::FingerprintKind;
use crate::db::columns::placeholders;
use crate::db::{SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::tables::accounts::{citizen, fingerprint};
use crate::tables::numbers::ever_held;
use ngomon_rules::citizens::{CitizenAccount, ClaimedIdentity, Proof};
use ngomon_rules::event::PersonId;
use ngomon_rules::records::{AccountId, RegistryRecord};
use ngomon_rules::values::NationalId;
use std::collections::BTreeSet;

/// Whether an account holds the claim of that person.
pub(crate) async fn is_claimed(tx: &mut Tx, ctx: &StoreContext, record: &RegistryRecord) -> Result<bool> {
    let numbers = numbers_of(tx, ctx, record).await?;
    let sql = format!(
        "SELECT 1 FROM person_number n JOIN claim c ON c.person = n.person AND c.until IS NULL WHERE n.fp IN ({})",
        placeholders(numbers.len())
    );
    Ok(tx.row(&sql, numbers.into_iter().map(SqlValue::from)).await?.is_some())
}

/// A claim that a counter withdrew.
pub(crate) struct WithdrawnClaim {
    /// The account that had it.
    pub holder: AccountId,
    pub proof: Proof,
    pub until: i64,
}

/// The withdrawn claim of a person, if no account has it now and the last one to have it was another than `account`.
pub(crate) async fn withdrawn(tx: &mut Tx, person: &PersonId, account: &AccountId) -> Result<Option<WithdrawnClaim>> {
    let sql =
        "SELECT account, proof, until FROM claim WHERE person = $1 AND until IS NOT NULL ORDER BY ord DESC LIMIT 1";
    let Some(row) = tx.row(sql, [(&person.0).into()]).await? else {
        return Ok(None);
    };
    let proof: String = row.get(1)?;
    let last = WithdrawnClaim {
        holder: AccountId(row.get(0)?),
        proof: Proof::parse(&proof).ok_or_else(|| StoreError::corrupt("claim", "no such proof"))?,
        until: row.get(2)?,
    };
    Ok((last.holder != *account).then_some(last))
}

pub(crate) fn all_numbers(record: &RegistryRecord) -> Vec<NationalId> {
    std::iter::once(record.national_id)
        .chain(record.former_ids.iter().copied())
        .collect()
}

/// The fingerprints of every number that the person of a record ever held.
pub(crate) async fn numbers_of(tx: &mut Tx, ctx: &StoreContext, record: &RegistryRecord) -> Result<BTreeSet<Vec<u8>>> {
    let marker = ctx.marker(tx).await?;
    let numbers = all_numbers(record);
    let fps = numbers
        .iter()
        .map(|n| fingerprint(&marker, FingerprintKind::NationalId, n.as_str()));
    ever_held(tx, fps).await
}

/// A person of the registry.
pub(crate) struct Person {
    pub(crate) id: PersonId,
    /// The fingerprints of all numbers that the person ever held, sorted.
    pub(crate) numbers: Vec<Vec<u8>>,
    /// This transaction created the row of the person; no entry of the journal refers to it yet.
    new: bool,
}

/// Deletes a new person's row: the form had no consequences, so a replay of the journal would not create it.
pub(crate) async fn delete_unclaimed_person(tx: &mut Tx, person: &Person) -> Result<()> {
    if person.new {
        tx.execute("DELETE FROM person_number WHERE person = $1", [(&person.id.0).into()])
            .await?;
    }
    Ok(())
}

/// The person of a record, created if needed. Locks the person's rows until the end of this transaction.
pub(crate) async fn resolve_person(tx: &mut Tx, ctx: &StoreContext, record: &RegistryRecord) -> Result<Person> {
    let numbers: Vec<Vec<u8>> = numbers_of(tx, ctx, record).await?.into_iter().collect();
    let number = record.national_id;
    let number = fingerprint(&*ctx.marker(tx).await?, FingerprintKind::NationalId, number.as_str());
    let sql = format!(
        "SELECT person FROM person_number WHERE fp IN ({}) ORDER BY fp",
        placeholders(numbers.len())
    );
    let mut known = tx
        .rows_for_update(&sql, numbers.iter().cloned().map(SqlValue::from))
        .await?;
    let mut new = false;
    if known.is_empty() {
        let insert = "INSERT INTO person_number (fp, person) VALUES ($1,$2) ON CONFLICT (fp) DO NOTHING";
        new = tx.execute(insert, [number.into(), ctx.id().into()]).await? > 0;
        known = tx
            .rows_for_update(&sql, numbers.iter().cloned().map(SqlValue::from))
            .await?;
    }
    let mut persons: Vec<String> = known.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    persons.dedup();
    // If numbers of two persons turned out to be one person's, use the person with a claim, or else the first.
    let mut person = persons.first().cloned().unwrap_or_default();
    for candidate in persons {
        let claimed = tx
            .row(
                "SELECT 1 FROM claim WHERE person = $1 AND until IS NULL",
                [(&candidate).into()],
            )
            .await?;
        if claimed.is_some() {
            person = candidate;
            break;
        }
    }
    Ok(Person {
        id: PersonId(person),
        numbers,
        new,
    })
}

/// The accounts that may have the person's details, locked. Also adds to the claim the numbers that only such an account states.
pub(crate) async fn duplicate_candidates(
    tx: &mut Tx,
    ctx: &StoreContext,
    claim: &mut ClaimedIdentity,
    numbers: Vec<Vec<u8>>,
) -> Result<Vec<CitizenAccount>> {
    // Shared with running imports of accounts: either they see this claim, or this transaction sees their accounts.
    tx.rows_for_share("SELECT id FROM arrival", []).await?;
    let mut ids = BTreeSet::new();
    let by_number = format!(
        "SELECT id FROM account WHERE kind = 'citizen' AND number_fp IN ({})",
        placeholders(numbers.len())
    );
    for row in tx.rows(&by_number, numbers.into_iter().map(SqlValue::from)).await? {
        ids.insert((row.get::<String>(0)?, true));
    }
    if let Some(phone) = &claim.phone {
        let fp = fingerprint(&*ctx.marker(tx).await?, FingerprintKind::Phone, phone.as_str());
        let by_phone = "SELECT id FROM account WHERE kind = 'citizen' AND phone_fp = $1 AND number_fp IS NULL";
        for row in tx.rows(by_phone, [fp.into()]).await? {
            ids.insert((row.get::<String>(0)?, false));
        }
    }
    let mut found = Vec::new();
    for (id, by_number) in ids {
        if id == claim.holder.as_str() {
            continue;
        }
        tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [(&id).into()])
            .await?;
        let Some(account) = citizen(tx, ctx, &id).await? else {
            continue;
        };
        if let Some(number) = account
            .stated
            .national_id
            .filter(|n| by_number && !claim.numbers.contains(n))
        {
            claim.numbers.push(number);
        }
        found.push(account);
    }
    Ok(found)
}
