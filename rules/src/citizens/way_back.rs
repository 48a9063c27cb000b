//! C5, a way back: the owner of two accounts joins them; a stronger proof takes over a claim from a weaker one; C3: a counter can withdraw a claim made on the wrong account.

use super::one_account::{Bearing, CitizenAccount, Claimed, bearing, duplicate, on_success};
use crate::event::{Change, ClaimEnd, Event};
use crate::hold::{Cause, Hold, Reason, evidence};
use crate::record::AccountId;
use serde::{Deserialize, Serialize};

/// What a claim was proven with, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The four fields, typed by the signed-in owner.
    Form,
    /// Papers seen by an operator.
    Counter,
    /// VNeID level 2.
    Vneid,
}

impl Proof {
    /// The word in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Counter => "counter",
            Self::Vneid => "vneid",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Form, Self::Counter, Self::Vneid]
            .into_iter()
            .find(|proof| proof.name() == name)
    }

    /// A proof takes over from a weaker one only.
    pub fn takes_over(self, held: Self) -> bool {
        self > held
    }
}

/// What a claim caused on other accounts is lifted with it: `duplicate`, and the `claim-lost` of the account that had it before.
/// `caused`: accounts, each with the reason.
fn lift_what_it_caused(holder: &AccountId, caused: &[(AccountId, Reason)]) -> impl Iterator<Item = Event> {
    let cause = Cause::claim(holder);
    caused.iter().map(move |(account, reason)| {
        let lifted = Change::HoldLifted {
            reason: *reason,
            cause: cause.clone(),
        };
        Event::of_account(account, lifted)
    })
}

/// A claim made on the wrong account is withdrawn: no hold for the account, and all that the claim caused is lifted.
pub fn on_withdrawal(claim: &Claimed, caused: &[(AccountId, Reason)]) -> Vec<Event> {
    let ended = Change::ClaimEnded {
        person: claim.person.clone(),
        how: ClaimEnd::Withdrawn,
    };
    let mut events = vec![Event::of_account(&claim.holder, ended)];
    events.extend(lift_what_it_caused(&claim.holder, caused));
    events
}

/// `account` takes `old` over with a stronger proof. The account that had it is held `claim-lost`, what its claim caused is lifted,
/// and the person's details are judged anew against `others`. `None` when the proof is not stronger.
pub fn on_take_over(
    account: &CitizenAccount,
    old: &Claimed,
    held_by: Proof,
    proof: Proof,
    caused: &[(AccountId, Reason)],
    others: &[CitizenAccount],
) -> Option<Vec<Event>> {
    if !proof.takes_over(held_by) || account.claim.is_some() || account.id == old.holder {
        return None;
    }
    let ended = Change::ClaimEnded {
        person: old.person.clone(),
        how: ClaimEnd::TakenOver,
    };
    let lost = Hold {
        reason: Reason::ClaimLost,
        cause: Cause::claim(&account.id),
        evidence: evidence([("proof", proof.name().to_owned()), ("claim_of", account.id.to_string())]),
        last_day: None,
    };
    let mut events = vec![
        Event::of_account(&old.holder, ended),
        Event::of_account(&old.holder, Change::HoldPlaced { hold: lost }),
    ];
    events.extend(lift_what_it_caused(&old.holder, caused));
    let claim = Claimed {
        holder: account.id.clone(),
        ..old.clone()
    };
    // The old holder has its `claim-lost`; it does not get `duplicate` on top.
    let others = beside(&old.holder, others);
    events.extend(on_success(&without(account, &old.holder), &claim, proof, &others));
    Some(events)
}

/// An account as it stands once what a claim of `holder` caused is lifted.
fn without(account: &CitizenAccount, holder: &AccountId) -> CitizenAccount {
    let gone = Cause::claim(holder);
    let holds = account
        .holds
        .iter()
        .filter(|hold| hold.cause != gone)
        .cloned()
        .collect();
    CitizenAccount {
        holds,
        ..account.clone()
    }
}

/// All but the old holder, once what its claim caused is lifted.
fn beside(holder: &AccountId, others: &[CitizenAccount]) -> Vec<CitizenAccount> {
    let others = others.iter().filter(|other| other.id != *holder);
    others.map(|other| without(other, holder)).collect()
}

/// The owner of two accounts has proven both: `held`, which is a duplicate of the claim that `holder` holds, is joined to it.
/// Where `held` is the one to stay, the claim moves there with its proof, and `holder` is the duplicate from then on. `None` where
/// `held` is no duplicate of that claim.
pub fn on_join(
    held: &CitizenAccount,
    holder: &CitizenAccount,
    claim: &Claimed,
    proof: Proof,
    held_stays: bool,
    caused: &[(AccountId, Reason)],
    others: &[CitizenAccount],
) -> Option<Vec<Event>> {
    let cause = Cause::claim(&holder.id);
    let is_duplicate = |hold: &Hold| hold.reason == Reason::Duplicate && hold.cause == cause;
    if claim.holder != holder.id || held.claim.is_some() || !held.holds.iter().any(is_duplicate) {
        return None;
    }
    let joined = |goes: &AccountId, stays: &AccountId| {
        let into = stays.clone();
        Event::of_account(goes, Change::AccountJoined { into })
    };
    if !held_stays {
        return Some(vec![joined(&held.id, &holder.id)]);
    }
    let ended = Change::ClaimEnded {
        person: claim.person.clone(),
        how: ClaimEnd::Joined,
    };
    let mut events = vec![joined(&holder.id, &held.id), Event::of_account(&holder.id, ended)];
    events.extend(lift_what_it_caused(&holder.id, caused));
    let moved = Claimed {
        holder: held.id.clone(),
        ..claim.clone()
    };
    let others = beside(&holder.id, others);
    events.extend(on_success(&without(held, &holder.id), &moved, proof, &others));
    // Whether it bears the person's details or not: its owner chose the other.
    let by = match bearing(
        &CitizenAccount {
            claim: None,
            ..holder.clone()
        },
        &moved,
    ) {
        Bearing::Duplicate(by) => by,
        Bearing::Suspected | Bearing::None => "join",
    };
    let hold = duplicate(&held.id, by);
    events.push(Event::of_account(&holder.id, Change::HoldPlaced { hold }));
    Some(events)
}
