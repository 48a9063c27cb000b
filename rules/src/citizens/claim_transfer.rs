//! C5, a way back: the owner of two accounts joins them, and a stronger proof takes over a claim from a weaker one. C3: a counter can
//! withdraw a claim made on the wrong account.

use super::duplicates::{CitizenAccount, ClaimedIdentity, DuplicateMatch, duplicate, match_claim, on_success};
use super::proof::Proof;
use crate::event::{Change, ClaimEnd, Event};
use crate::hold::{Cause, Hold, Reason, evidence};
use crate::records::AccountId;

/// Lifts what a claim caused on other accounts: `duplicate`, and the `claim-lost` of the account that had the claim before. `caused` has
/// the accounts, each with the reason.
fn lift_dependent_holds(holder: &AccountId, caused: &[(AccountId, Reason)]) -> impl Iterator<Item = Event> {
    let cause = Cause::claim(holder);
    caused.iter().map(move |(account, reason)| {
        let lifted = Change::HoldLifted {
            reason: *reason,
            cause: cause.clone(),
        };
        Event::of_account(account, lifted)
    })
}

/// Withdraws a claim made on the wrong account. The account gets no hold, and everything that the claim caused is lifted.
pub fn on_withdrawal(claim: &ClaimedIdentity, caused: &[(AccountId, Reason)]) -> Vec<Event> {
    let ended = Change::ClaimEnded {
        person: claim.person.clone(),
        how: ClaimEnd::Withdrawn,
    };
    let mut events = vec![Event::of_account(&claim.holder, ended)];
    events.extend(lift_dependent_holds(&claim.holder, caused));
    events
}

/// Lets `account` take over the claim `old` with a stronger proof. The account that had it is held `claim-lost`, what its claim caused is
/// lifted, and the person's details are compared again with `others`. `None` if the proof is not stronger.
pub fn on_take_over(
    account: &CitizenAccount,
    old: &ClaimedIdentity,
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
    events.extend(lift_dependent_holds(&old.holder, caused));
    let claim = ClaimedIdentity {
        holder: account.id.clone(),
        ..old.clone()
    };
    // The old holder has `claim-lost`; it does not get `duplicate` as well.
    let others = exclude_holder(&old.holder, others);
    events.extend(on_success(
        &without_holds_of(account, &old.holder),
        &claim,
        proof,
        &others,
    ));
    Some(events)
}

/// The account without the holds that a claim of `holder` caused.
fn without_holds_of(account: &CitizenAccount, holder: &AccountId) -> CitizenAccount {
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

/// All accounts but the old holder, without the holds that its claim caused.
fn exclude_holder(holder: &AccountId, others: &[CitizenAccount]) -> Vec<CitizenAccount> {
    let others = others.iter().filter(|other| other.id != *holder);
    others.map(|other| without_holds_of(other, holder)).collect()
}

/// Joins two accounts whose owner has proven both. `held` is a duplicate of the claim that `holder` holds. If `held_stays`, the claim moves
/// to `held` with its proof, and `holder` becomes the duplicate. `None` if `held` is not a duplicate of that claim.
pub fn on_join(
    held: &CitizenAccount,
    holder: &CitizenAccount,
    claim: &ClaimedIdentity,
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
    events.extend(lift_dependent_holds(&holder.id, caused));
    let moved = ClaimedIdentity {
        holder: held.id.clone(),
        ..claim.clone()
    };
    let others = exclude_holder(&holder.id, others);
    events.extend(on_success(&without_holds_of(held, &holder.id), &moved, proof, &others));
    // It becomes a duplicate whether or not it states the person's details, because its owner chose the other account.
    let by = match match_claim(
        &CitizenAccount {
            claim: None,
            ..holder.clone()
        },
        &moved,
    ) {
        DuplicateMatch::Duplicate(by) => by,
        DuplicateMatch::Suspected | DuplicateMatch::None => "join",
    };
    let hold = duplicate(&held.id, by);
    events.push(Event::of_account(&holder.id, Change::HoldPlaced { hold }));
    Some(events)
}
