//! The digests of what a file brought: of the row of the load, of the rows of a reference, and of the rows of that table in quarantine.
//! The load's entry in the journal has them, and `verify` computes them again. They cover the decrypted contents, so that new keys change
//! nothing; they are keyed, so that an attacker who writes to the database cannot find other rows with the same digest.

use crate::crypto::keyring::{AssociatedData, Fingerprinter, Keyring};
use crate::db::{Row, Tx};
use crate::error::{Result, StoreError};
use crate::tables::quarantine::QuarantinedCells;
use crate::tables::row_digests::RowDigests;

/// The columns for [`of_load`].
pub(crate) const LOAD: &str = "id, name, digest, at, as_of, by_whom, scope, row_count, unreadable";

/// The digest of a load's own row, whose columns are those of [`LOAD`], starting at `at`.
pub(crate) fn of_load(keys: &Keyring, row: &Row, at: usize) -> Result<String> {
    let texts: [String; 3] = [row.get(at)?, row.get(at + 1)?, row.get(at + 2)?];
    let [as_of, by]: [String; 2] = [row.get(at + 4)?, row.get(at + 5)?];
    let scope: Option<String> = row.get(at + 6)?;
    let numbers: [i64; 3] = [row.get(at + 3)?, row.get(at + 7)?, row.get(at + 8)?];
    let numbers = numbers.map(i64::to_be_bytes);
    let mut parts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    parts.extend([as_of.as_bytes(), by.as_bytes()]);
    parts.extend([
        if scope.is_some() { &[1][..] } else { &[0] },
        scope.as_deref().unwrap_or_default().as_bytes(),
    ]);
    parts.extend(numbers.iter().map(|number| &number[..]));
    let mut digests = RowDigests::default();
    digests.add(keys, "load", &parts);
    Ok(digests.digest())
}

fn waiting_place(place: &[u8]) -> AssociatedData<'_> {
    AssociatedData {
        table: "quarantine",
        column: "sealed",
        row: place,
    }
}

/// Adds a row in quarantine.
pub(crate) fn add_waiting(
    digests: &mut RowDigests,
    keys: &Keyring,
    [load, row_no, name, reason]: [&str; 4],
    cells: &[u8],
) {
    let parts = [load, row_no, name, reason].map(str::as_bytes);
    digests.add(keys, "quarantine", &[&parts[..], &[cells]].concat());
}

/// The rows of that table that are in quarantine in applied loads, except those of the load `but`. With a marker, also checks that the
/// fingerprints of each row fit its contents; the result is `false` if one does not.
pub(crate) async fn waiting(
    tx: &mut Tx,
    keys: &Keyring,
    name: &str,
    but: &str,
    marker: Option<&Fingerprinter>,
) -> Result<(RowDigests, bool)> {
    let (mut digests, mut found) = (RowDigests::default(), true);
    let sql = "SELECT q.load, q.row_no, q.reason, q.sealed, q.code_fp, q.number_fp, q.name_fp FROM load l \
         CROSS JOIN quarantine q WHERE l.name = $1 AND l.state = 'applied' AND q.load = l.id AND q.name = l.name AND q.load <> $2 AND q.ended_by IS NULL";
    tx.for_each_row(sql, [name.into(), but.into()], |row| {
        let [load, row_no, reason]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let place = [load.as_bytes(), row_no.as_bytes()].concat();
        let cells = keys.decrypt(waiting_place(&place), &row.get::<Vec<u8>>(3)?)?;
        add_waiting(&mut digests, keys, [&load, &row_no, name, &reason], &cells);
        if let Some(marker) = marker {
            let cells: QuarantinedCells =
                serde_json::from_slice(&cells).map_err(|e| StoreError::corrupt("quarantine", e))?;
            let [code, number, name] = cells.keys(marker);
            let kept: [Option<Vec<u8>>; 3] = [row.get(4)?, row.get(5)?, row.get(6)?];
            // A row from before the migration that added names has none.
            found &= [code, number] == [kept[0].clone(), kept[1].clone()] && (kept[2].is_none() || kept[2] == name);
        }
        Ok(())
    })
    .await?;
    Ok((digests, found))
}

/// The digest of the row of a load.
pub(crate) async fn row_of_load(tx: &mut Tx, keys: &Keyring, load: &str) -> Result<String> {
    let row = tx
        .row(&format!("SELECT {LOAD} FROM load WHERE id = $1"), [load.into()])
        .await?;
    let row = row.ok_or_else(|| StoreError::corrupt(format!("load {load}"), "it is gone"))?;
    of_load(keys, &row, 0)
}
