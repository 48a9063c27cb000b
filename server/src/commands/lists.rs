//! `ngomon holds` and `ngomon review`.

use super::{Desk, Done};
use crate::cli::{Holds, KindArg};
use crate::failure::Result;
use crate::output::{Format, Table};
use ngomon_rules::hold::Reason;
use ngomon_rules::record::AccountKind;

/// Every account that has a hold or a claim.
pub async fn holds(desk: &Desk, args: &Holds) -> Result<Done> {
    let store = desk.open().await?;
    let day = args.as_of.unwrap_or_else(|| store.today());
    let kind = args.kind.map(|kind| match kind {
        KindArg::Citizen => AccountKind::Citizen,
        KindArg::Official => AccountKind::Official,
    });
    let mut table = Table::new(&["account_id", "holds", "claimed"]);
    for (account, line) in store.holds(kind, day).await? {
        let reasons: Vec<&str> = line.reasons.into_iter().map(Reason::name).collect();
        let claimed = if line.claimed { "yes" } else { "" };
        table.push([account, reasons.join(" "), claimed.to_owned()]);
    }
    desk.print(&table, args.format.format)?;
    Ok(Done::Yes)
}

/// The accounts listed for review.
pub async fn review(desk: &Desk, format: Format) -> Result<Done> {
    let mut table = Table::new(&["account_id", "because_of"]);
    for line in desk.open().await?.review().await? {
        table.push([line.account, line.because_of]);
    }
    desk.print(&table, format)?;
    Ok(Done::Yes)
}
