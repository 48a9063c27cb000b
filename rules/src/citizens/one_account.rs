//! C4, one person, one account: "Nhằm đảm bảo tính duy nhất của tài khoản, sau khi có một tài khoản được chuẩn hóa thành công, các
//! tài khoản khác nếu có thông tin không chính xác hoặc trùng lặp thông tin sẽ bị hệ thống khóa hoạt động."

use super::way_back::Proof;
use crate::event::{Change, Event, PersonId, Personal};
use crate::hold::{Cause, Hold, Reason, evidence};
use crate::record::{AccountId, Stated};
use crate::values::{FullName, NationalId, Phone};

/// A citizen account as far as C4 asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CitizenAccount {
    /// Its id.
    pub id: AccountId,
    /// What it says of its owner.
    pub stated: Stated,
    /// The person whose claim it holds.
    pub claim: Option<PersonId>,
    /// Its holds that are written.
    pub holds: Vec<Hold>,
}

/// A claim in force, with the person's details as the registry has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The account that holds the claim.
    pub holder: AccountId,
    /// Whose it is.
    pub person: PersonId,
    /// Every number that the person ever held, first the one in force at the claim.
    pub numbers: Vec<NationalId>,
    /// As the registry spells it.
    pub full_name: FullName,
    /// Of the registry.
    pub phone: Option<Phone>,
}

impl Claimed {
    /// What the account states of its owner, with what the registry says in place of it: the account may have come with another's details.
    pub fn over(&self, stated: Stated) -> Stated {
        Stated {
            full_name: Some(self.full_name.clone()),
            national_id: self.numbers.first().copied(),
            phone: self.phone.clone().or(stated.phone),
            ..stated
        }
    }
}

/// Does an account bear a claimed person's details?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// By its number, or by phone and exact name where it has no number: hold `duplicate`.
    Duplicate(&'static str),
    /// The same phone otherwise: listed for review, not held. Families share phones, and namesakes exist.
    Suspected,
    /// No.
    None,
}

/// How an account stands to a claim of another account. An account with a claim of its own never gets `duplicate`.
pub fn bearing(account: &CitizenAccount, claim: &Claimed) -> Bearing {
    if account.id == claim.holder || account.claim.is_some() {
        return Bearing::None;
    }
    let stated = &account.stated;
    if stated
        .national_id
        .as_ref()
        .is_some_and(|number| claim.numbers.contains(number))
    {
        return Bearing::Duplicate("national_id");
    }
    if stated.phone.is_none() || stated.phone != claim.phone {
        return Bearing::None;
    }
    let same_name = stated
        .full_name
        .as_ref()
        .is_some_and(|name| name.exact_key() == claim.full_name.exact_key());
    if stated.national_id.is_none() && same_name {
        Bearing::Duplicate("phone full_name")
    } else {
        Bearing::Suspected
    }
}

/// The hold of an account that bears the details of a claim's person.
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

/// The registry's spelling of a name that the account writes otherwise but as the same person's, or does not state at all.
pub fn written_back(stated: &Stated, source: &FullName) -> Option<Stated> {
    let same = stated
        .full_name
        .as_ref()
        .is_none_or(|name| name != source && name.grade(source).is_same_person());
    same.then(|| Stated {
        full_name: Some(source.clone()),
        ..stated.clone()
    })
}

/// What follows from a success: the claim, the spelling, the account's own holds that success lifts, and `duplicate` for every other
/// account that bears the person's details. `others` are the accounts that may bear them; more do no harm.
pub fn on_success(account: &CitizenAccount, claim: &Claimed, proof: Proof, others: &[CitizenAccount]) -> Vec<Event> {
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
    if let Some(stated) = written_back(&account.stated, &claim.full_name) {
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
    events.extend(others.iter().filter_map(|other| match bearing(other, claim) {
        Bearing::Duplicate(by) => place_once(other, duplicate(&claim.holder, by)),
        Bearing::Suspected | Bearing::None => None,
    }));
    events
}

/// "One that submits, with all four fields right, a national id already claimed is answered `taken` and gets `duplicate`."
pub fn on_taken(account: &CitizenAccount, holder: &AccountId) -> Vec<Event> {
    place_once(account, duplicate(holder, "form")).into_iter().collect()
}

/// Judged again when an account comes in, or its number, phone or name changes. `claims` are those whose person it may bear.
pub fn on_arrival(account: &CitizenAccount, claims: &[Claimed]) -> Vec<Event> {
    let judge = |claim: &Claimed| match bearing(account, claim) {
        Bearing::Duplicate(by) => place_once(account, duplicate(&claim.holder, by)),
        Bearing::Suspected | Bearing::None => None,
    };
    claims.iter().filter_map(judge).collect()
}
