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
pub async fn campaign(desk: &CommandContext, verb: SettingVerb) -> Result<ExitStatus> {
    match verb {
        SettingVerb::Show(format) => {
            let campaign = desk.open().await?.campaign().await?;
            let keys = KEYS
                .iter()
                .map(|key| ((*key).to_owned(), campaign.get(key).unwrap_or_default()));
            show(desk, keys, "campaign", format.format);
            Ok(ExitStatus::Yes)
        }
        SettingVerb::Set { key, value, approve } => {
            known(&key, KEYS.iter().map(ToString::to_string))?;
            let store = desk.open_or_create().await?;
            match store.set_campaign(&key, &value, approve, &desk.by).await? {
                CampaignChange::Done => {
                    desk.seal(&store).await;
                    tell_set(desk, &key, &value);
                    Ok(ExitStatus::Yes)
                }
                CampaignChange::NeedsApproval(units) => {
                    let all: u64 = units.values().sum();
                    desk.print_text(
                        "setting-needs-approval",
                        &[("n", &desk.words.number(all)), ("key", &key), ("value", &value)],
                    );
                    let mut table = Table::new(&["unit", "accounts"]);
                    for (unit, n) in units {
                        table.push([unit, n.to_string()]);
                    }
                    desk.print(&table, Format::Table);
                    Ok(ExitStatus::NeedsApproval)
                }
            }
        }
    }
}

/// Runs `policy show|set`.
pub async fn policy(desk: &CommandContext, verb: SettingVerb) -> Result<ExitStatus> {
    match verb {
        SettingVerb::Show(format) => {
            let policy = desk.open().await?.policy().await?;
            let keys = policy_keys().map(|key| {
                let value = policy.get(&key).unwrap_or_default();
                (key, value)
            });
            show(desk, keys, "policy", format.format);
            Ok(ExitStatus::Yes)
        }
        SettingVerb::Set { key, value, .. } => {
            known(&key, policy_keys())?;
            let store = desk.open_or_create().await?;
            store.set_policy(&key, &value, &desk.by).await?;
            desk.seal(&store).await;
            tell_set(desk, &key, &value);
            Ok(ExitStatus::Yes)
        }
    }
}

fn tell_set(desk: &CommandContext, key: &str, value: &str) {
    if value.is_empty() {
        desk.print_text("setting-cleared", &[("key", key)]);
    } else {
        desk.print_text("setting-done", &[("key", key), ("value", value)]);
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

fn show(desk: &CommandContext, keys: impl Iterator<Item = (String, String)>, family: &str, format: Format) {
    let mut table = Table::new(&["key", "value", "meaning"]);
    for (key, value) in keys {
        let name = if key.starts_with("brake.") && key != "brake.unit" {
            "brake-reason".to_owned()
        } else {
            key.replace('.', "-")
        };
        table.push([key, value, desk.words.text(&format!("{family}-{name}"))]);
    }
    desk.print(&table, format);
}
