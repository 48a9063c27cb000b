//! The projection of accounts: taken over, created at a new unit, changed, removed with the run that created them.

use crate::context::StoreContext;
use crate::crypto::keyring::Fingerprinter;
use crate::db::bound::{ACCOUNT, LOGIN, STATED, binds};
use crate::db::columns::{instant_day, start_of};
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::Entry;
use crate::projections::counter_updates::{count_holds, hold_reasons, recount};
use crate::projections::counters::{CountKey, CounterDeltas};
use crate::projections::shared::{SUCCESSION_ROW, succession, there_from, unexpected};
use crate::tables::accounts::{AccountCells, account_cells, folded_fp, official_to};
use ngomon_rules::citizens::LastFormState;
use ngomon_rules::event::{Change, Personal, Subject};
use ngomon_rules::records::{AccountAttributes, AccountId, AccountKind};
use ngomon_rules::values::FullName;

/// Accounts taken over from the previous system. They are visible once their load is applied.
pub(crate) async fn accounts_taken_over(
    tx: &mut Tx,
    ctx: &StoreContext,
    entries: &[Entry],
    counts: &mut CounterDeltas,
) -> Result<()> {
    let mut rows = Vec::with_capacity(entries.len());
    let mut logins = Vec::with_capacity(entries.len());
    let mut cells = Vec::with_capacity(entries.len());
    let marker = ctx.marker(tx).await?;
    for entry in entries {
        let Some(Personal::Account { stated, .. }) = &entry.event.personal else {
            return Err(unexpected(entry));
        };
        cells.push((stated, account_cells(&marker, stated)));
    }
    let numbers: Vec<Vec<u8>> = cells.iter().filter_map(|(_, c)| c.number_fp.clone()).collect();
    let officials = official_to(tx, numbers).await?;
    let mut keys = Vec::new();
    for (entry, (stated, cells)) in entries.iter().zip(cells) {
        let (
            Subject::Account(id),
            Change::AccountTakenOver {
                account_kind,
                unit,
                created_on,
                last_sign_in_on,
                login,
            },
            Some(value),
        ) = (&entry.event.subject, &entry.event.change, &entry.value)
        else {
            return Err(unexpected(entry));
        };
        let is_citizen = *account_kind == AccountKind::Citizen;
        let there_from = there_from(*created_on, entry.effective)?;
        if is_citizen {
            counts.extend_horizon(start_of(there_from));
        }
        if !is_citizen {
            keys.extend(account_keys(&marker, id.as_str(), stated, &cells));
        }
        let service = cells.number_fp.as_ref().and_then(|fp| officials.get(fp));
        let key = CountKey {
            unit: unit.as_ref().map(ToString::to_string).unwrap_or_default(),
            official_to: service.filter(|_| is_citizen).cloned().unwrap_or_default(),
            exempt_to: String::new(),
            held_to: String::new(),
            claimed: 0,
            last: LastFormState::NotStarted.name().to_owned(),
        };
        logins.push(login_row(ctx, entry, &login.0, value));
        let stated_mac = stated_bound(ctx, entry, id.as_str(), value, &cells);
        let mut row: Vec<SqlValue> = vec![
            id.as_str().into(),
            account_kind.name().into(),
            (&login.0).into(),
            (&key.unit).into(),
            created_on.map(|d| d.to_string()).into(),
            there_from.to_string().into(),
            last_sign_in_on.map(|d| d.to_string()).into(),
            value.into(),
        ];
        row.extend(cells.into_args());
        row.extend([
            0_i64.into(),
            (&key.official_to).into(),
            "".into(),
            "".into(),
            0_i64.into(),
            (&key.last).into(),
            SqlValue::Text(None),
            entry.load.clone().into(),
            account_bound(ctx, entry, id.as_str(), *account_kind, &login.0),
            stated_mac,
        ]);
        rows.push(row);
        match account_kind {
            AccountKind::Citizen => counts.add(key, 1),
            AccountKind::Official => counts.add_staff(&key.unit, "", 1),
            AccountKind::Unit | AccountKind::Operator => {}
        }
    }
    tx.insert("login (id, value, changed, mac)", logins, "").await?;
    tx.insert(ACCOUNT_ROW, rows, "").await?;
    staff_keys(tx, keys).await
}

/// The cells that bind an account to its kind and to its login.
pub(crate) fn account_cells_bound(id: &str, kind: &str, login: &str) -> [SqlValue; 3] {
    [id.into(), kind.into(), login.into()]
}

fn account_bound(ctx: &StoreContext, entry: &Entry, id: &str, kind: AccountKind, login: &str) -> SqlValue {
    entry.bind(&ctx.keys, ACCOUNT, &account_cells_bound(id, kind.name(), login))
}

/// The MAC that binds an account's attributes to the account and to the user name that finds it.
fn stated_bound(ctx: &StoreContext, entry: &Entry, id: &str, value: &str, cells: &AccountCells) -> SqlValue {
    let cells = [
        id.into(),
        value.into(),
        cells.username_fp.clone().into(),
        entry.commitment.clone().into(),
    ];
    entry.bind(&ctx.keys, STATED, &cells)
}

/// A login with its first value.
fn login_row(ctx: &StoreContext, entry: &Entry, login: &str, value: &str) -> Vec<SqlValue> {
    let mac = login_bound(ctx, entry, login, value, 0);
    vec![login.into(), value.into(), 0_i64.into(), mac]
}

/// The MAC that binds a login to its value.
fn login_bound(ctx: &StoreContext, entry: &Entry, login: &str, value: &str, changed: i64) -> SqlValue {
    let cells = [
        login.into(),
        value.into(),
        changed.into(),
        entry.commitment.clone().into(),
    ];
    entry.bind(&ctx.keys, LOGIN, &cells)
}

/// The login of an account. `None` if there is no such account, or if the MAC of its row does not verify.
pub(crate) async fn login_of(tx: &mut Tx, ctx: &StoreContext, id: &str) -> Result<Option<String>> {
    let sql = "SELECT kind, login, mac FROM account_row WHERE id = $1";
    let Some(row) = tx.row(sql, [id.into()]).await? else {
        return Ok(None);
    };
    let [kind, login]: [String; 2] = [row.get(0)?, row.get(1)?];
    let cells = account_cells_bound(id, &kind, &login);
    let is_bound = binds(&ctx.keys, ACCOUNT, &cells, Some(&row.get::<Vec<u8>>(2)?));
    Ok(is_bound.then_some(login))
}

/// Updates the password of an account's login: changed by its owner at `changed`, or the same one with a new hash. A login that the
/// account's MAC does not cover stays as it is.
pub(crate) async fn password_changed(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    id: &str,
    changed: i64,
) -> Result<()> {
    let value = entry.value.as_deref().ok_or_else(|| unexpected(entry))?;
    let Some(login) = login_of(tx, ctx, id).await? else {
        return Ok(());
    };
    let sql = "UPDATE login SET value = $2, changed = CASE WHEN changed > $3 THEN changed ELSE $3 END \
         WHERE id = $1 RETURNING id, changed";
    for row in tx.rows(sql, [login.into(), value.into(), changed.into()]).await? {
        let (login, changed): (String, i64) = (row.get(0)?, row.get(1)?);
        let mac = login_bound(ctx, entry, &login, value, changed);
        tx.execute("UPDATE login SET mac = $2 WHERE id = $1", [login.into(), mac])
            .await?;
    }
    Ok(())
}

/// The fingerprints that find an official's account: code, number, folded name.
fn account_keys(
    marker: &Fingerprinter,
    id: &str,
    stated: &AccountAttributes,
    cells: &AccountCells,
) -> Vec<Vec<SqlValue>> {
    let name = stated.full_name.as_ref().map(FullName::person_key);
    let keys = [
        ("account", cells.code_fp.clone()),
        ("account", cells.number_fp.clone()),
        ("name", name.map(|name| folded_fp(marker, &name))),
    ];
    keys.into_iter()
        .filter_map(|(kind, fp)| Some(vec![fp?.into(), kind.into(), id.into()]))
        .collect()
}

pub(crate) async fn staff_keys(tx: &mut Tx, keys: Vec<Vec<SqlValue>>) -> Result<()> {
    tx.insert("staff_key (fp, kind, holder)", keys, "ON CONFLICT DO NOTHING")
        .await
        .map(drop)
}

const ACCOUNT_ROW: &str = "account_row (id, kind, login, unit, created_on, there_from, last_sign_in_on, value, number_fp, phone_fp, name_fp, code_fp, \
     username_fp, generation, official_to, exempt_to, held_to, claimed, last, run, load, mac, stated_mac)";

pub(crate) async fn account_created(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    id: &str,
    unit: &str,
    login: &str,
    succeeds: &[AccountId],
) -> Result<()> {
    new_account(tx, ctx, entry, id, AccountKind::Official, unit, login).await?;
    let before = succeeds.iter().map(|old| succession(ctx, entry, id, old.as_str()));
    tx.insert(SUCCESSION_ROW, before.collect(), "").await?;
    Ok(())
}

/// An account that was created here, with its login. A transfer keeps the existing login.
pub(crate) async fn new_account(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    id: &str,
    kind: AccountKind,
    unit: &str,
    login: &str,
) -> Result<()> {
    let (Some(Personal::Account { stated, .. } | Personal::Operator { stated, .. }), Some(value)) =
        (&entry.event.personal, &entry.value)
    else {
        return Err(unexpected(entry));
    };
    let created_on = instant_day(entry.effective)?.to_string();
    let mut row: Vec<SqlValue> = vec![
        id.into(),
        kind.name().into(),
        login.into(),
        unit.into(),
        (&created_on).into(),
        (&created_on).into(),
        SqlValue::Text(None),
        value.into(),
    ];
    let marker = ctx.marker(tx).await?;
    let cells = account_cells(&marker, stated);
    let keys = account_keys(&marker, id, stated, &cells);
    let stated_mac = stated_bound(ctx, entry, id, value, &cells);
    row.extend(cells.into_args());
    row.extend([
        0_i64.into(),
        "".into(),
        "".into(),
        "".into(),
        0_i64.into(),
        LastFormState::NotStarted.name().into(),
        entry.run.clone().into(),
        SqlValue::Text(None),
        account_bound(ctx, entry, id, kind, login),
        stated_mac,
    ]);
    tx.insert(ACCOUNT_ROW, vec![row], "").await?;
    let login = vec![login_row(ctx, entry, login, value)];
    tx.insert("login (id, value, changed, mac)", login, "ON CONFLICT (id) DO NOTHING")
        .await?;
    if kind == AccountKind::Official {
        staff_keys(tx, keys).await?;
    }
    Ok(())
}

pub(crate) async fn account_changed(tx: &mut Tx, ctx: &StoreContext, entry: &Entry, id: &str) -> Result<()> {
    let (Some(Personal::Account { stated, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    let marker = ctx.marker(tx).await?;
    let cells = account_cells(&marker, stated);
    let keys = account_keys(&marker, id, stated, &cells);
    let stated_mac = stated_bound(ctx, entry, id, value, &cells);
    let mut args: Vec<SqlValue> = vec![id.into(), value.into()];
    args.extend(cells.into_args());
    args.push(stated_mac);
    let changed = tx
        .rows(
            "UPDATE account_row SET value = $2, number_fp = $3, phone_fp = $4, name_fp = $5, code_fp = $6, username_fp = $7, \
             stated_mac = $8 \
             WHERE id = $1 RETURNING kind",
            args,
        )
        .await?;
    for row in changed {
        if row.get::<String>(0)? != AccountKind::Citizen.name() {
            staff_keys(tx, keys.clone()).await?;
        }
    }
    Ok(())
}

pub(crate) async fn account_removed(tx: &mut Tx, id: &str, counts: &mut CounterDeltas) -> Result<()> {
    let unit = recount(tx, id, counts, |_| ()).await?.unit;
    count_holds(counts, &unit, hold_reasons(tx, id).await?, -1);
    let sql = "DELETE FROM account_row WHERE id = $1 RETURNING held_to";
    for row in tx.rows(sql, [id.into()]).await? {
        counts.add_staff(&unit, &row.get::<String>(0)?, -1);
    }
    tx.execute("DELETE FROM succession WHERE account = $1", [id.into()])
        .await?;
    tx.execute("DELETE FROM hold WHERE account = $1", [id.into()]).await?;
    Ok(())
}
