//! Newcomers: profiles in service without an account. Each is a line on HR's desk, or, with the policy `newcomers=create`, gets an account
//! from the run.

use super::directory::{Directory, OfficialAccount, ProfileMatch, StoredProfile};
use crate::records::AccountAttributes;
use crate::unit::UnitTree;
use crate::values::Date;
use std::collections::HashSet;

/// The profiles in service on the day that belong to no account, in the order of the directory. Undecided profiles are left out: those with
/// rows in quarantine, or two profiles of one person.
pub fn newcomers<'a, 'b>(
    directory: &'a Directory,
    accounts: impl IntoIterator<Item = &'b OfficialAccount>,
    units: &UnitTree,
    day: Date,
) -> Vec<&'a StoredProfile> {
    let found: HashSet<&str> = accounts
        .into_iter()
        .filter_map(|account| match directory.find(account, units, day) {
            ProfileMatch::Profile(kept) => Some(kept.id.0.as_str()),
            ProfileMatch::Nothing | ProfileMatch::Undecided(_) => None,
        })
        .collect();
    let finds_itself = |kept: &StoredProfile| {
        let probe = OfficialAccount {
            stated: of_newcomer(kept),
            ..OfficialAccount::at(&kept.profile.unit)
        };
        matches!(directory.find(&probe, units, day), ProfileMatch::Profile(there) if there.id == kept.id)
    };
    let profiles = directory.profiles().iter();
    profiles
        .filter(|kept| kept.profile.in_service_on(day) && !found.contains(kept.id.0.as_str()) && finds_itself(kept))
        .collect()
}

/// The attributes of a newcomer's account, from HR's details. The proposed user name is the local part of the mail address, otherwise the
/// file code.
pub fn of_newcomer(kept: &StoredProfile) -> AccountAttributes {
    let profile = &kept.profile;
    let mail = profile.email.as_deref().and_then(|mail| mail.split('@').next());
    let username = mail.or(profile.employee_code.as_deref()).map(str::to_lowercase);
    AccountAttributes {
        username: username.filter(|name| !name.is_empty()),
        full_name: Some(profile.full_name.clone()),
        birth_date: profile.birth_date,
        national_id: profile.national_id,
        phone: profile.phone.clone(),
        phone_at: None,
        email: profile.email.clone(),
        employee_code: profile.employee_code.clone(),
    }
}
