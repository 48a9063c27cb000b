//! C4, one person, one account: "Nhằm đảm bảo tính duy nhất của tài khoản, sau khi có một tài khoản được chuẩn hóa thành công, các
//! tài khoản khác nếu có thông tin không chính xác hoặc trùng lặp thông tin sẽ bị hệ thống khóa hoạt động."

use super::proof::Proof;
use crate::event::{Change, Event, PersonId, Personal};
use crate::hold::{Cause, Hold, Reason, evidence};
use crate::records::{AccountAttributes, AccountId};
use crate::values::{FullName, NationalId, Phone};

/// The attributes of a citizen account that C4 needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CitizenAccount {
    /// Its id.
    pub id: AccountId,
    /// The attributes that it states about its owner.
    pub stated: AccountAttributes,
    /// The person whose claim it holds.
    pub claim: Option<PersonId>,
    /// Its recorded holds, without derived ones.
    pub holds: Vec<Hold>,
}

/// A claim in force, with the person's details from the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedIdentity {
    /// The account that holds the claim.
    pub holder: AccountId,
    /// The person whose claim it is.
    pub person: PersonId,
    /// Every number that the person ever had. The first is the one in force at the claim.
    pub numbers: Vec<NationalId>,
    /// The name as the registry spells it.
    pub full_name: FullName,
    /// The phone in the registry.
    pub phone: Option<Phone>,
}

impl ClaimedIdentity {
    /// Replaces an account's attributes by the registry's, because an imported account may state another person's details. A phone that
    /// a counter recorded after the claim stays.
    pub fn over(&self, stated: AccountAttributes, since: Option<i64>) -> AccountAttributes {
        let phone = self.phone_over(&stated, since).or(stated.phone.as_ref());
        AccountAttributes {
            full_name: Some(self.full_name.clone()),
            national_id: self.numbers.first().copied(),
            phone: phone.or(self.phone.as_ref()).cloned(),
            ..stated
        }
    }

    /// The phone in the registry, unless a counter recorded another one after the claim (`since`, microseconds UTC).
    pub fn phone_over(&self, stated: &AccountAttributes, since: Option<i64>) -> Option<&Phone> {
        self.phone.as_ref().filter(|_| stated.phone_at <= since)
    }
}

/// Whether an account states the details of a person with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateMatch {
    /// It states the number, or the phone and the exact name without any number. It gets the hold `duplicate`.
    Duplicate(&'static str),
    /// It states the same phone otherwise. Listed for review, not held, because families share phones and namesakes exist.
    Suspected,
    /// It does not state them.
    None,
}

/// Compares an account with another account's claim. An account that has a claim itself never gets `duplicate`.
pub fn match_claim(account: &CitizenAccount, claim: &ClaimedIdentity) -> DuplicateMatch {
    if account.id == claim.holder || account.claim.is_some() {
        return DuplicateMatch::None;
    }
    let stated = &account.stated;
    if stated
        .national_id
        .as_ref()
        .is_some_and(|number| claim.numbers.contains(number))
    {
        return DuplicateMatch::Duplicate("national_id");
    }
    if stated.phone.is_none() || stated.phone != claim.phone {
        return DuplicateMatch::None;
    }
    let same_name = stated
        .full_name
        .as_ref()
        .is_some_and(|name| name.exact_key() == claim.full_name.exact_key());
    if stated.national_id.is_none() && same_name {
        DuplicateMatch::Duplicate("phone full_name")
    } else {
        DuplicateMatch::Suspected
    }
}

/// The hold on an account that states the details of a claim's person.
pub(super) fn duplicate(holder: &AccountId, by: &str) -> Hold {
    let evidence = evidence([("same", by.to_owned()), ("claim_of", holder.to_string())]);
    Hold {
        reason: Reason::Duplicate,
        cause: Cause::claim(holder),
        evidence,
        last_day: None,
    }
}

fn place_once(account: &CitizenAccount, hold: Hold) -> Option<Event> {
    let there = account.holds.iter().any(|held| held.key() == hold.key());
    (!there).then(|| Event::of_account(&account.id, Change::HoldPlaced { hold }))
}

fn lift(account: &AccountId, hold: &Hold) -> Event {
    Event::of_account(
        account,
        Change::HoldLifted {
            reason: hold.reason,
            cause: hold.cause.clone(),
        },
    )
}

/// The attributes with the registry's spelling, if the account spells the same person's name otherwise or states none.
pub fn corrected_attributes(stated: &AccountAttributes, source: &FullName) -> Option<AccountAttributes> {
    let same = stated
        .full_name
        .as_ref()
        .is_none_or(|name| name != source && name.grade(source).is_same_person());
    same.then(|| AccountAttributes {
        full_name: Some(source.clone()),
        ..stated.clone()
    })
}

/// The events after a success: the claim, the registry's spelling, the lifting of the account's own holds that success resolves, and
/// `duplicate` for every other account that states the person's details. `others` are the candidates; extra ones do no harm.
pub fn on_success(
    account: &CitizenAccount,
    claim: &ClaimedIdentity,
    proof: Proof,
    others: &[CitizenAccount],
) -> Vec<Event> {
    let made = Change::ClaimMade {
        person: claim.person.clone(),
        proof,
    };
    let details = Personal::Claim {
        numbers: claim.numbers.clone(),
        full_name: claim.full_name.clone(),
        phone: claim.phone.clone(),
    };
    let mut events = vec![Event::of_account(&account.id, made).with(details)];
    if let Some(stated) = corrected_attributes(&account.stated, &claim.full_name) {
        let change = Change::AccountChanged {
            fields: vec!["full_name".into()],
        };
        events.push(Event::of_account(&account.id, change).with(Personal::Account {
            stated,
            password_hash: None,
        }));
    }
    let own = account
        .holds
        .iter()
        .filter(|hold| matches!(hold.reason, Reason::Duplicate | Reason::ClaimLost));
    events.extend(own.map(|hold| lift(&account.id, hold)));
    events.extend(others.iter().filter_map(|other| match match_claim(other, claim) {
        DuplicateMatch::Duplicate(by) => place_once(other, duplicate(&claim.holder, by)),
        DuplicateMatch::Suspected | DuplicateMatch::None => None,
    }));
    events
}

/// "One that submits, with all four fields right, a national id already claimed is answered `taken` and gets `duplicate`."
pub fn on_taken(account: &CitizenAccount, holder: &AccountId) -> Vec<Event> {
    place_once(account, duplicate(holder, "form")).into_iter().collect()
}

/// Checks an account again when it is imported, or when its number, phone or name changes. `claims` are those whose person's details it may
/// state.
pub fn on_arrival(account: &CitizenAccount, claims: &[ClaimedIdentity]) -> Vec<Event> {
    let judge = |claim: &ClaimedIdentity| match match_claim(account, claim) {
        DuplicateMatch::Duplicate(by) => place_once(account, duplicate(&claim.holder, by)),
        DuplicateMatch::Suspected | DuplicateMatch::None => None,
    };
    claims.iter().filter_map(judge).collect()
}
