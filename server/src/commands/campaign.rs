//! The commands `ngomon campaign` and `ngomon policy`: the operator's settings.

use crate::cli::args::SettingVerb;
use crate::cli::error_text::{CommandError, Result};
use crate::commands::context::{CommandContext, ExitStatus};
use crate::export::{Format, Table};
use ngomon_rules::citizens::KEYS;
use ngomon_rules::hold::Reason;
use ngomon_rules::officials::POLICY_KEYS;
use ngomon_store::CampaignChange;

/// Runs `campaign show|set`.
pub async fn campaign(ctx: &CommandContext, verb: SettingVerb) -> Result<ExitStatus> {
    match verb {
        SettingVerb::Show(format) => {
            let campaign = ctx.open().await?.campaign().await?;
            let keys = KEYS
                .iter()
                .map(|key| ((*key).to_owned(), campaign.get(key).unwrap_or_default()));
            show(ctx, keys, "campaign", format.format);
            Ok(ExitStatus::Yes)
        }
        SettingVerb::Set { key, value, approve } => {
            known(&key, KEYS.iter().map(ToString::to_string))?;
            let store = ctx.open_or_create().await?;
            match store.set_campaign(&key, &value, approve, &ctx.by).await? {
                CampaignChange::Done => {
                    ctx.seal(&store).await;
                    tell_set(ctx, &key, &value);
                    Ok(ExitStatus::Yes)
                }
                CampaignChange::NeedsApproval(units) => {
                    let all: u64 = units.values().sum();
                    ctx.print_text(
                        "setting-needs-approval",
                        &[("n", &ctx.locale.number(all)), ("key", &key), ("value", &value)],
                    );
                    let mut table = Table::new(&["unit", "accounts"]);
                    for (unit, n) in units {
                        table.push([unit, n.to_string()]);
                    }
                    ctx.print(&table, Format::Table);
                    Ok(ExitStatus::NeedsApproval)
                }
            }
        }
    }
}

/// Runs `policy show|set`.
pub async fn policy(ctx: &CommandContext, verb: SettingVerb) -> Result<ExitStatus> {
    match verb {
        SettingVerb::Show(format) => {
            let policy = ctx.open().await?.policy().await?;
            let keys = policy_keys().map(|key| {
                let value = policy.get(&key).unwrap_or_default();
                (key, value)
            });
            show(ctx, keys, "policy", format.format);
            Ok(ExitStatus::Yes)
        }
        SettingVerb::Set { key, value, .. } => {
            known(&key, policy_keys())?;
            let store = ctx.open_or_create().await?;
            store.set_policy(&key, &value, &ctx.by).await?;
            ctx.seal(&store).await;
            tell_set(ctx, &key, &value);
            Ok(ExitStatus::Yes)
        }
    }
}

fn tell_set(ctx: &CommandContext, key: &str, value: &str) {
    if value.is_empty() {
        ctx.print_text("setting-cleared", &[("key", key)]);
    } else {
        ctx.print_text("setting-done", &[("key", key), ("value", value)]);
    }
}

fn policy_keys() -> impl Iterator<Item = String> + Clone {
    let reasons = Reason::ALL.into_iter().filter(|reason| reason.is_hr());
    let brakes = reasons.map(|reason| format!("brake.{reason}"));
    let keys = POLICY_KEYS.iter().filter(|key| **key != "brake.REASON");
    keys.map(ToString::to_string).chain(brakes)
}

/// Checks that the key exists; the error lists the existing keys.
fn known(key: &str, mut keys: impl Iterator<Item = String> + Clone) -> Result<()> {
    let all = keys.clone();
    if keys.any(|one| one == key) {
        return Ok(());
    }
    let all = all.collect::<Vec<_>>().join(", ");
    Err(CommandError::error_text(
        "error-no-key",
        &[("key", key), ("keys", &all)],
    ))
}

fn show(ctx: &CommandContext, keys: impl Iterator<Item = (String, String)>, family: &str, format: Format) {
    let mut table = Table::new(&["key", "value", "meaning"]);
    for (key, value) in keys {
        let name = if key.starts_with("brake.") && key != "brake.unit" {
            "brake-reason".to_owned()
        } else {
            key.replace('.', "-")
        };
        table.push([key, value, ctx.locale.text(&format!("{family}-{name}"))]);
    }
    ctx.print(&table, format);
}
