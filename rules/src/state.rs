//! The reference meaning of the journal: a fold of all events into a state. The property tests of this crate check their invariants on it.

use crate::event::{Change, Event, LoginId, PersonId, Personal, Subject};
use crate::hold::{Hold, Reason};
use crate::records::{AccountAttributes, AccountId, AccountKind};
use crate::unit::UnitCode;
use crate::values::NationalId;
use std::collections::BTreeMap;

/// An account according to the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// The kind of the account.
    pub kind: AccountKind,
    /// The unit it belongs to.
    pub unit: Option<UnitCode>,
    /// Its credentials.
    pub login: LoginId,
    /// The attributes that it states about its owner.
    pub stated: AccountAttributes,
    /// The persons whose claims it holds.
    pub claims: Vec<PersonId>,
    /// Its holds in force, in the order in which they were placed.
    pub holds: Vec<Hold>,
    /// Raised by each new hold. Sessions and tokens of an earlier generation are dead.
    pub generation: u64,
}

impl AccountState {
    /// Returns whether the account is open, that is, nothing holds it.
    pub fn is_open(&self) -> bool {
        self.holds.is_empty()
    }
}

/// A violation of an invariant, which no journal may lead to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvariantViolation {
    /// An event about an account that does not exist.
    #[error("{0} is not there")]
    NoAccount(AccountId),
    /// An account that was created twice.
    #[error("{0} came twice")]
    Twice(AccountId),
    /// A hold that was placed twice.
    #[error("{0} was held {1} twice for one cause")]
    HeldTwice(AccountId, Reason),
    /// A hold that was lifted without having been placed.
    #[error("{0} was not held {1}")]
    NotHeld(AccountId, Reason),
    /// One person with two claims in force.
    #[error("{0:?} has two claims")]
    TwoClaims(PersonId),
    /// One account with two claims in force.
    #[error("{0} holds two claims")]
    TwoPersons(AccountId),
    /// A `duplicate` hold on an account that has a claim itself.
    #[error("{0} is a duplicate with a claim of its own")]
    ClaimedDuplicate(AccountId),
    /// A hold that does not apply to this kind of account.
    #[error("{0} cannot be held {1}")]
    OtherKind(AccountId, Reason),
    /// A number that was given to another person.
    #[error("a number of {0:?} was given to another person")]
    NumberTaken(PersonId),
}

/// The state after all events applied so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// All accounts.
    pub accounts: BTreeMap<AccountId, AccountState>,
    /// The person of each number. No number is ever given to another person.
    pub numbers: BTreeMap<NationalId, PersonId>,
    faults: Vec<InvariantViolation>,
}

impl State {
    /// Applies one more event.
    pub fn apply(&mut self, event: &Event) {
        match (&event.subject, &event.change) {
            (Subject::Account(id), _) => self.account(id, event),
            (Subject::Operator(name), Change::OperatorRemoved) => {
                self.accounts.remove(&AccountId::of_operator(name));
            }
            _ => {}
        }
    }

    /// All violations, in the events applied and in the resulting state.
    pub fn faults(&self) -> Vec<InvariantViolation> {
        let mut faults = self.faults.clone();
        let mut holders: BTreeMap<&PersonId, u32> = BTreeMap::new();
        for (id, account) in &self.accounts {
            if account.claims.len() > 1 {
                faults.push(InvariantViolation::TwoPersons(id.clone()));
            }
            for person in &account.claims {
                *holders.entry(person).or_default() += 1;
            }
            for hold in &account.holds {
                if hold.reason == Reason::Duplicate && !account.claims.is_empty() {
                    faults.push(InvariantViolation::ClaimedDuplicate(id.clone()));
                }
                if !may_hold(hold.reason, account.kind) {
                    faults.push(InvariantViolation::OtherKind(id.clone(), hold.reason));
                }
            }
        }
        let two = holders.into_iter().filter(|(_, n)| *n > 1);
        faults.extend(two.map(|(person, _)| InvariantViolation::TwoClaims(person.clone())));
        faults
    }

    fn account(&mut self, id: &AccountId, event: &Event) {
        match (&event.change, &event.personal) {
            (
                Change::AccountTakenOver {
                    account_kind,
                    unit,
                    login,
                    ..
                },
                Some(Personal::Account { stated, .. }),
            ) => self.arrive(id, *account_kind, unit.clone(), login, stated),
            (Change::AccountCreated { unit, login, .. }, Some(Personal::Account { stated, .. })) => {
                self.arrive(id, AccountKind::Official, Some(unit.clone()), login, stated);
            }
            (Change::OperatorEnrolled { login }, Some(Personal::Operator { stated, .. })) => {
                self.arrive(id, AccountKind::Operator, None, login, stated);
            }
            (Change::AccountRemoved, _) => {
                if self.accounts.remove(id).is_none() {
                    self.faults.push(InvariantViolation::NoAccount(id.clone()));
                }
            }
            (change, personal) => match self.accounts.get_mut(id) {
                Some(account) => self
                    .faults
                    .extend(changed(id, account, change, personal.as_ref(), &mut self.numbers)),
                None => self.faults.push(InvariantViolation::NoAccount(id.clone())),
            },
        }
    }

    fn arrive(
        &mut self,
        id: &AccountId,
        kind: AccountKind,
        unit: Option<UnitCode>,
        login: &LoginId,
        stated: &AccountAttributes,
    ) {
        let account = AccountState {
            kind,
            unit,
            login: login.clone(),
            stated: stated.clone(),
            claims: Vec::new(),
            holds: Vec::new(),
            generation: 0,
        };
        if self.accounts.insert(id.clone(), account).is_some() {
            self.faults.push(InvariantViolation::Twice(id.clone()));
        }
    }
}

fn changed(
    id: &AccountId,
    account: &mut AccountState,
    change: &Change,
    personal: Option<&Personal>,
    numbers: &mut BTreeMap<NationalId, PersonId>,
) -> Option<InvariantViolation> {
    match (change, personal) {
        (Change::AccountChanged { .. }, Some(Personal::Account { stated, .. })) => account.stated = stated.clone(),
        (Change::ClaimMade { person, .. }, Some(Personal::Claim { numbers: proven, .. })) => {
            account.claims.push(person.clone());
            for number in proven {
                if numbers.entry(*number).or_insert_with(|| person.clone()) != person {
                    return Some(InvariantViolation::NumberTaken(person.clone()));
                }
            }
        }
        (Change::ClaimEnded { person, .. }, _) => account.claims.retain(|claim| claim != person),
        (Change::HoldPlaced { hold }, _) => {
            if account.holds.iter().any(|held| held.key() == hold.key()) {
                return Some(InvariantViolation::HeldTwice(id.clone(), hold.reason));
            }
            account.generation += 1;
            account.holds.push(hold.clone());
        }
        (Change::HoldEvidenceChanged { hold, .. }, _) => {
            let held = account.holds.iter_mut().find(|held| held.key() == hold.key());
            match held {
                Some(held) => *held = hold.clone(),
                None => return Some(InvariantViolation::NotHeld(id.clone(), hold.reason)),
            }
        }
        (Change::HoldLifted { reason, cause }, _) => {
            let before = account.holds.len();
            account
                .holds
                .retain(|held| held.reason != *reason || held.cause != *cause);
            if account.holds.len() == before {
                return Some(InvariantViolation::NotHeld(id.clone(), *reason));
            }
        }
        _ => {}
    }
    None
}

/// "Holds of one kind of account never touch an account of another kind."
fn may_hold(reason: Reason, kind: AccountKind) -> bool {
    match reason {
        Reason::ByOrder => true,
        Reason::Duplicate | Reason::ClaimLost | Reason::NotStandardised => kind == AccountKind::Citizen,
        _ => kind == AccountKind::Official,
    }
}
