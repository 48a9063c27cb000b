//! The facts that an explanation lists.

use crate::db::Tx;
use crate::db::columns::instant_day;
use crate::error::Result;
use ngomon_rules::citizens::{Bucket, Campaign, CampaignGroup, ClaimedIdentity};
use ngomon_rules::records::{AccountAttributes, Profile};
use ngomon_rules::values::Date;

/// Whether an account states another name or number than its claim has.
pub(crate) fn differs(stated: &AccountAttributes, claim: &ClaimedIdentity) -> bool {
    let name = stated.full_name.as_ref();
    let other_name = name.is_some_and(|name| !name.grade(&claim.full_name).is_same_person());
    let number = stated.national_id;
    other_name || number.is_some_and(|number| !claim.numbers.contains(&number))
}

pub(crate) fn stated_facts(stated: &AccountAttributes) -> Vec<(&'static str, String)> {
    let all = [
        ("username", stated.username.clone()),
        (
            "full_name",
            stated.full_name.as_ref().map(|name| name.as_str().to_owned()),
        ),
        ("birth_date", stated.birth_date.map(|day| day.to_string())),
        ("national_id", stated.national_id.map(|number| number.masked())),
        ("phone", stated.phone.as_ref().map(ngomon_rules::values::Phone::masked)),
        ("employee_code", stated.employee_code.clone()),
    ];
    all.into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
}

pub(crate) fn profile_facts(profile: &Profile, day: Date) -> Vec<(&'static str, String)> {
    let text = |day: Option<Date>| day.map(|day| day.to_string());
    // A future status is shown with the day from which it counts, not with the day of the current status.
    let to_come = profile.status_on(day) != profile.status;
    let all = [
        ("profile", profile.employee_code.clone()),
        ("profile_full_name", Some(profile.full_name.as_str().to_owned())),
        ("profile_birth_date", profile.birth_date.map(|day| day.to_string())),
        ("profile_national_id", profile.national_id.map(|number| number.masked())),
        ("profile_unit", Some(profile.unit.to_string())),
        ("profile_status", Some(profile.status_on(day).name().to_owned())),
        ("profile_status_from", text(profile.status_from.filter(|_| !to_come))),
        ("profile_next_status", to_come.then(|| profile.status.name().to_owned())),
        (
            "profile_next_status_from",
            text(profile.status_from.filter(|_| to_come)),
        ),
        ("profile_updated_on", text(profile.updated_on)),
        ("profile_reviewed_on", text(profile.reviewed_on)),
        ("profile_next_due_on", text(profile.next_due_on)),
        (
            "profile_next_due_item",
            profile.next_due_item.map(|item| item.name().to_owned()),
        ),
    ];
    all.into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
}

pub(crate) async fn citizen_facts(
    tx: &mut Tx,
    account: &str,
    campaign: &Campaign,
    bucket: &Bucket,
    day: Date,
    facts: &mut Vec<(&'static str, String)>,
) -> Result<()> {
    let audience = bucket.audience(day);
    let word = match audience {
        CampaignGroup::Officials => "officials",
        CampaignGroup::Citizens => "citizens",
    };
    facts.push(("audience", word.into()));
    facts.extend(campaign.deadline(audience).map(|last| ("deadline", last.to_string())));
    let claim = tx
        .row(
            "SELECT proof, since FROM claim WHERE account = $1 AND until IS NULL",
            [account.into()],
        )
        .await?;
    if let Some(claim) = claim {
        facts.push(("claim", claim.get(0)?));
        facts.push(("claim_since", instant_day(claim.get(1)?)?.to_string()));
    }
    let form = tx
        .row(
            "SELECT outcome, fields, receipt FROM submission WHERE account = $1 ORDER BY at DESC LIMIT 1",
            [account.into()],
        )
        .await?;
    if let Some(form) = form {
        for (name, at) in [("last_form", 0), ("last_form_fields", 1), ("last_form_receipt", 2)] {
            let value: String = form.get(at)?;
            if !value.is_empty() {
                facts.push((name, value));
            }
        }
    }
    Ok(())
}
