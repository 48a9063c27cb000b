//! Applied loads.

use crate::db::Tx;
use crate::error::Result;
use crate::journal::entry::Entry;
use crate::projections::shared::unexpected;
use ngomon_rules::event::{Change, Subject};

pub(crate) async fn load_applied(tx: &mut Tx, entry: &Entry) -> Result<()> {
    match (&entry.event.subject, &entry.event.change) {
        (
            Subject::Load(load),
            Change::LoadApplied {
                table,
                full: Some(unit),
                ..
            },
        ) if table == "profiles" => {
            tx.execute(
                "INSERT INTO coverage (unit, load) VALUES ($1,$2) ON CONFLICT (unit) DO NOTHING",
                [unit.into(), load.into()],
            )
            .await?;
            Ok(())
        }
        (_, Change::LoadApplied { .. } | Change::FormsEntered { .. }) => Ok(()),
        _ => Err(unexpected(entry)),
    }
}
