//! `ngomon campaign` and `ngomon policy`: what the operator sets.

use super::{Desk, Done};
use crate::cli::SettingVerb;
use crate::failure::Result;
use crate::output::Table;
use ngomon_rules::citizens::KEYS;
use ngomon_rules::hold::Reason;
use ngomon_rules::officials::POLICY_KEYS;
use ngomon_store::CampaignChange;

/// `campaign show|set`.
pub async fn campaign(desk: &Desk, verb: SettingVerb) -> Result<Done> {
    match verb {
        SettingVerb::Show(format) => {
            let campaign = desk.open().await?.campaign().await?;
            let keys = KEYS
                .iter()
                .map(|key| ((*key).to_owned(), campaign.get(key).unwrap_or_default()));
            show(desk, keys, "campaign", format.format)
        }
        SettingVerb::Set { key, value, approve } => {
            let store = desk.open_or_create().await?;
            match store.set_campaign(&key, &value, approve, &desk.by).await? {
                CampaignChange::Done => {
                    store.seal().await?;
                    desk.tell("setting-done", &[("key", &key), ("value", &value)]);
                    Ok(Done::Yes)
                }
                CampaignChange::NeedsApproval(units) => {
                    let all: u64 = units.values().sum();
                    desk.tell(
                        "setting-needs-approval",
                        &[("n", &desk.words.number(all)), ("key", &key), ("value", &value)],
                    );
                    let mut table = Table::new(&["unit", "accounts"]);
                    for (unit, n) in units {
                        table.push([unit, n.to_string()]);
                    }
                    desk.print(&table, crate::output::Format::Table)?;
                    Ok(Done::NeedsApproval)
                }
            }
        }
    }
}

/// `policy show|set`.
pub async fn policy(desk: &Desk, verb: SettingVerb) -> Result<Done> {
    match verb {
        SettingVerb::Show(format) => {
            let policy = desk.open().await?.policy().await?;
            let brakes = Reason::ALL
                .into_iter()
                .filter(|reason| reason.is_hr())
                .map(|reason| format!("brake.{reason}"));
            let keys = POLICY_KEYS
                .iter()
                .filter(|key| **key != "brake.REASON")
                .map(ToString::to_string)
                .chain(brakes);
            let keys = keys.map(|key| {
                let value = policy.get(&key).unwrap_or_default();
                (key, value)
            });
            show(desk, keys, "policy", format.format)
        }
        SettingVerb::Set { key, value, .. } => {
            let store = desk.open_or_create().await?;
            store.set_policy(&key, &value, &desk.by).await?;
            store.seal().await?;
            desk.tell("setting-done", &[("key", &key), ("value", &value)]);
            Ok(Done::Yes)
        }
    }
}

fn show(
    desk: &Desk,
    keys: impl Iterator<Item = (String, String)>,
    family: &str,
    format: crate::output::Format,
) -> Result<Done> {
    let mut table = Table::new(&["key", "value", "meaning"]);
    for (key, value) in keys {
        let name = if key.starts_with("brake.") && key != "brake.unit" {
            "brake-reason".to_owned()
        } else {
            key.replace('.', "-")
        };
        table.push([key, value, desk.words.say(&format!("{family}-{name}"))]);
    }
    desk.print(&table, format)?;
    Ok(Done::Yes)
}
