//! The settings of the installation: the campaign, the officials' policy, and the list of counters.

use crate::boxed;
use crate::context::Attribution;
use crate::db::Tx;
use crate::error::{Refusal, Result, StoreError};
use crate::reporting::report::for_each_bucket;
use crate::store::Store;
use crate::tables::settings::{campaign, policy, vouched, vouched_campaign};
use crate::unit_of_work::append;
use ngomon_rules::citizens::{AfterDeadline, Bucket, Campaign, CampaignFault};
use ngomon_rules::counter::Counter;
use ngomon_rules::event::{Change, Event, Subject};
use ngomon_rules::officials::OfficialsPolicy;
use ngomon_rules::values::Date;
use std::collections::BTreeMap;

/// The setting with the counters, one per line.
const COUNTERS: &str = "counters";

/// The effect of a change of the campaign on people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignChange {
    /// The change is in force.
    Done,
    /// The change would hold or shut out accounts and needs approval: their number, by unit.
    NeedsApproval(BTreeMap<String, u64>),
}

impl Store {
    /// The current campaign.
    #[boxed]
    pub async fn campaign(&self) -> Result<Campaign> {
        self.db
            .query(async |tx| {
                // Load the current keys first: if this keyring is behind, that error comes before rows under newer keys look forged.
                self.ctx.marker(tx).await?;
                vouched_campaign(tx, &self.ctx.keys).await
            })
            .await
    }

    /// The current policy for officials.
    #[boxed]
    pub async fn policy(&self) -> Result<OfficialsPolicy> {
        self.db.query(async |tx| policy(tx).await).await
    }

    /// The counters at which people get help. A forged list is ignored: it would send people to a stranger.
    #[boxed]
    pub async fn counters(&self) -> Result<Vec<Counter>> {
        let list = self
            .db
            .query(async |tx| vouched(tx, &self.ctx.keys, COUNTERS).await)
            .await?;
        Counter::read(&list.unwrap_or_default())
            .map_err(|at| StoreError::corrupt("setting counters", format!("line {at}")))
    }

    /// Replaces the list of counters.
    #[boxed]
    pub async fn set_counters(&self, counters: &[Counter], by: &str) -> Result<()> {
        let lines: Vec<String> = counters.iter().map(Counter::line).collect();
        let (ctx, act, list) = (self.ctx.clone(), Attribution::new(by, self.now()), lines.join("\n"));
        self.db
            .transaction(move |tx| {
                let (ctx, act, to) = (ctx.clone(), act.clone(), list.clone());
                Box::pin(async move {
                    let from = vouched(tx, &ctx.keys, COUNTERS).await?.unwrap_or_default();
                    if from == to {
                        return Ok(());
                    }
                    append(tx, &ctx, &act, vec![setting("", COUNTERS, from, to)]).await
                })
            })
            .await
    }

    /// Changes one key of the campaign. A change that would hold or shut out anybody, today or once its days have come, needs approval.
    #[boxed]
    pub async fn set_campaign(&self, key: &str, value: &str, approved: bool, by: &str) -> Result<CampaignChange> {
        let (ctx, today, act) = (self.ctx.clone(), self.today(), Attribution::new(by, self.now()));
        let (key, value) = (key.to_owned(), value.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, act, key, value) = (ctx.clone(), act.clone(), key.clone(), value.clone());
                Box::pin(async move {
                    let before = campaign(tx).await?;
                    let after = before.with(&key, &value).map_err(|fault| match fault {
                        CampaignFault::Order => Refusal::DayOrder,
                        CampaignFault::Key | CampaignFault::Value => Refusal::Setting {
                            key: key.clone(),
                            value: value.clone(),
                        },
                    })?;
                    let hit = shut_out_by(tx, &before, &after, today).await?;
                    if !hit.is_empty() && !approved {
                        return Ok(CampaignChange::NeedsApproval(hit));
                    }
                    let (from, to) = (
                        before.get(&key).unwrap_or_default(),
                        after.get(&key).unwrap_or_default(),
                    );
                    append(tx, &ctx, &act, vec![setting("campaign.", &key, from, to)]).await?;
                    Ok(CampaignChange::Done)
                })
            })
            .await
    }

    /// Changes one key of the officials' policy. It takes effect in the next run, which has its own guard.
    #[boxed]
    pub async fn set_policy(&self, key: &str, value: &str, by: &str) -> Result<()> {
        let (ctx, act) = (self.ctx.clone(), Attribution::new(by, self.now()));
        let (key, value) = (key.to_owned(), value.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, act, key, value) = (ctx.clone(), act.clone(), key.clone(), value.clone());
                Box::pin(async move {
                    let before = policy(tx).await?;
                    let refused = || Refusal::Setting {
                        key: key.clone(),
                        value: value.clone(),
                    };
                    let after = before.with(&key, &value).ok_or_else(refused)?;
                    let (from, to) = (
                        before.get(&key).unwrap_or_default(),
                        after.get(&key).unwrap_or_default(),
                    );
                    append(tx, &ctx, &act, vec![setting("policy.", &key, from, to)]).await
                })
            })
            .await
    }
}

pub(crate) fn setting(family: &str, key: &str, from: String, to: String) -> Event {
    Event {
        subject: Subject::Setting(format!("{family}{key}")),
        change: Change::SettingChanged { from, to },
        personal: None,
    }
}

/// Whether an account of this bucket would be held or shut out on that day.
fn shuts_out(campaign: &Campaign, bucket: &Bucket, day: Date) -> bool {
    let exempt = bucket.exempt_to.is_some_and(|last| day <= last);
    let late = day >= campaign.start && campaign.deadline(bucket.audience(day)).is_some_and(|last| day > last);
    let asked = campaign.after_deadline != AfterDeadline::Nag && !campaign.freeze && late && !bucket.claimed;
    let cut_over = campaign.vneid_cut_over.is_some_and(|from| day >= from);
    !exempt && (asked || cut_over)
}

/// The number of accounts, by unit, that the change would newly hold or shut out: today, or once one of its days has come.
async fn shut_out_by(tx: &mut Tx, before: &Campaign, after: &Campaign, today: Date) -> Result<BTreeMap<String, u64>> {
    let deadlines = [after.deadline_officials, after.deadline_citizens].map(|day| day.and_then(|d| d.tomorrow().ok()));
    let mut days: Vec<Date> = deadlines
        .into_iter()
        .chain([after.vneid_cut_over, Some(today)])
        .flatten()
        .collect();
    days.retain(|day| *day >= today);
    let mut hit = BTreeMap::new();
    for_each_bucket(tx, &mut |bucket: &Bucket, n| {
        if days
            .iter()
            .any(|day| shuts_out(after, bucket, *day) && !shuts_out(before, bucket, *day))
        {
            let unit = bucket.unit.as_ref().map(ToString::to_string).unwrap_or_default();
            *hit.entry(unit).or_default() += n;
        }
    })
    .await?;
    Ok(hit)
}
