//! The commands `ngomon holds`, `ngomon review`, `ngomon tasks` and `ngomon quarantine`.

use crate::cli::args::{Holds, KindArg, Quarantine, Tasks};
use crate::cli::error_text::Result;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::commands::import::table_of;
use crate::export::{Format, Table};
use ngomon_rules::hold::Reason;
use ngomon_rules::records::AccountKind;
use ngomon_rules::unit::UnitCode;

/// Lists every account that has a hold or a claim.
pub async fn holds(ctx: &CommandContext, args: &Holds) -> Result<ExitStatus> {
    let store = ctx.open().await?;
    let day = args.as_of.unwrap_or_else(|| store.today());
    let kind = args.kind.map(|kind| match kind {
        KindArg::Citizen => AccountKind::Citizen,
        KindArg::Official => AccountKind::Official,
    });
    let format = args.format.format;
    let mut table = Table::new(&["account_id", "holds", "claimed"]);
    for (account, line) in store.holds(kind, day).await? {
        let claimed = if line.claimed { "yes" } else { "" };
        table.push([account, reasons(ctx, format, line.reasons), claimed.to_owned()]);
    }
    ctx.print(&table, format);
    Ok(ExitStatus::Yes)
}

/// Reasons: in words for people, by their names for scripts.
fn reasons(ctx: &CommandContext, format: Format, reasons: impl IntoIterator<Item = Reason>) -> String {
    let reasons = reasons.into_iter();
    if format == Format::Table {
        let named: Vec<String> = reasons
            .map(|reason| ctx.locale.text(&format!("hold-{reason}")))
            .collect();
        named.join(", ")
    } else {
        let names: Vec<&str> = reasons.map(Reason::name).collect();
        names.join(" ")
    }
}

/// Lists the rows that wait for a correction.
pub async fn quarantine(ctx: &CommandContext, args: &Quarantine) -> Result<ExitStatus> {
    let wanted = args.table.map(|table| table_of(table).name());
    let mut table = Table::new(&["load", "row", "table", "reason"]);
    for line in ctx.open().await?.quarantine().await? {
        if wanted.is_none_or(|wanted| wanted == line.table) {
            table.push([line.load, line.row, line.table, line.reason]);
        }
    }
    ctx.print(&table, args.format.format);
    Ok(ExitStatus::Yes)
}

/// Lists the accounts for review.
pub async fn review(ctx: &CommandContext, format: Format) -> Result<ExitStatus> {
    let mut table = Table::new(&["account_id", "because_of"]);
    for line in ctx.open().await?.review().await? {
        table.push([line.account, line.because_of]);
    }
    ctx.print(&table, format);
    Ok(ExitStatus::Yes)
}

/// Lists HR's tasks: newcomers, holds to come, retirements, unused accounts, deaths.
pub async fn tasks(ctx: &CommandContext, args: &Tasks) -> Result<ExitStatus> {
    let store = ctx.open().await?;
    let day = args.as_of.unwrap_or_else(|| store.today());
    let unit = args.unit.clone().map(UnitCode);
    let mut table = Table::new(&["task", "on", "unit", "account_id", "employee_code", "owner"]);
    for line in store.hr_tasks(unit.as_ref(), day).await? {
        table.push([
            line.task.name().to_owned(),
            line.on.map(|day| day.to_string()).unwrap_or_default(),
            line.unit.0,
            line.account.map(|account| account.0).unwrap_or_default(),
            line.employee_code.unwrap_or_default(),
            line.full_name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        ]);
    }
    ctx.print(&table, args.format.format);
    Ok(ExitStatus::Yes)
}
