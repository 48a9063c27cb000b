//! Invariants that hold for every sequence of events.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "letters/people.rs"]
#[allow(dead_code, reason = "shared with the letters")]
mod people;

use ngomon_rules::citizens::{
    CitizenAccount, ClaimedIdentity, DuplicateMatch, Proof, match_claim, on_arrival, on_join, on_success, on_take_over,
    on_taken, on_withdrawal,
};
use ngomon_rules::event::{Change, Event, LoginId, PersonId, Personal};
use ngomon_rules::hold::{Cause, Reason};
use ngomon_rules::officials::decide_person;
use ngomon_rules::records::{AccountAttributes, AccountId, AccountKind};
use ngomon_rules::state::State;
use people::{Hr, name, number, official, phone, son};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: u32 = 4;
const ACCOUNTS: u32 = 7;

/// An action in a generated sequence.
#[derive(Clone, Debug)]
enum Act {
    /// An account is imported that states a number, or a phone and a name.
    Arrives { account: u32, person: u32, by_number: bool },
    /// It submits a correct form with a person's details.
    Submits { account: u32, person: u32 },
    /// It proves a person's details with a stronger proof.
    TakesOver { account: u32, person: u32, proof: Proof },
    /// A counter withdraws its claim.
    Withdrawn { account: u32 },
    /// Its owner joins it to the account with the claim that it is a duplicate of.
    Joined { account: u32, stays: bool },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let (account, person) = (0..ACCOUNTS, 0..PEOPLE);
    let act = prop_oneof![
        3 => (account.clone(), person.clone(), any::<bool>()).prop_map(|(account, person, by_number)| Act::Arrives { account, person, by_number }),
        4 => (account.clone(), person.clone()).prop_map(|(account, person)| Act::Submits { account, person }),
        1 => (account.clone(), person, prop_oneof![Just(Proof::Counter), Just(Proof::Vneid)])
            .prop_map(|(account, person, proof)| Act::TakesOver { account, person, proof }),
        1 => account.clone().prop_map(|account| Act::Withdrawn { account }),
        2 => (account, any::<bool>()).prop_map(|(account, stays)| Act::Joined { account, stays }),
    ];
    prop::collection::vec(act, 0..40)
}

fn id(account: u32) -> AccountId {
    AccountId(format!("HS{account}"))
}

/// Each person has a distinct name, so that no two are namesakes.
fn called(person: u32) -> String {
    format!("Hồ Thị {}", ["Nga", "Lan", "Mai", "Yến"][person as usize])
}

/// The state that the rules work on: the fold of all events, and the proofs of the claims.
#[derive(Default)]
struct World {
    state: State,
    events: Vec<Event>,
    proofs: BTreeMap<AccountId, Proof>,
}

impl World {
    fn happen(&mut self, events: Vec<Event>) {
        for event in &events {
            self.state.apply(event);
            if let (Some(account), Change::ClaimMade { proof, .. }) = (event.account(), &event.change) {
                self.proofs.insert(account.clone(), *proof);
            }
        }
        self.events.extend(events);
    }

    fn account(&self, id: &AccountId) -> Option<CitizenAccount> {
        let account = self.state.accounts.get(id)?;
        Some(CitizenAccount {
            id: id.clone(),
            stated: account.stated.clone(),
            claim: account.claims.first().cloned(),
            holds: account.holds.clone(),
        })
    }

    fn all(&self) -> Vec<CitizenAccount> {
        self.state.accounts.keys().filter_map(|id| self.account(id)).collect()
    }

    fn claim(person: u32, holder: &AccountId) -> ClaimedIdentity {
        ClaimedIdentity {
            holder: holder.clone(),
            person: PersonId(person.to_string()),
            numbers: vec![number(person)],
            full_name: name(&called(person)),
            phone: Some(phone(person)),
        }
    }

    fn holder(&self, person: u32) -> Option<AccountId> {
        let person = PersonId(person.to_string());
        let mut holders = self.state.accounts.iter().filter(|(_, a)| a.claims.contains(&person));
        holders.next().map(|(id, _)| id.clone())
    }

    fn claims(&self) -> Vec<ClaimedIdentity> {
        (0..PEOPLE)
            .filter_map(|person| Some(Self::claim(person, &self.holder(person)?)))
            .collect()
    }

    fn caused_by(&self, holder: &AccountId) -> Vec<(AccountId, Reason)> {
        let cause = Cause::claim(holder);
        let held = self.state.accounts.iter().flat_map(|(id, a)| {
            let caused = a.holds.iter().filter(|h| h.cause == cause);
            caused.map(|h| (id.clone(), h.reason)).collect::<Vec<_>>()
        });
        held.collect()
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Arrives {
                account,
                person,
                by_number,
            } => self.arrives(&id(*account), *person, *by_number),
            Act::Submits { account, person } => {
                let Some(account) = self.account(&id(*account)).filter(|a| a.claim.is_none()) else {
                    return;
                };
                let events = match self.holder(*person) {
                    Some(holder) => on_taken(&account, &holder),
                    None => on_success(&account, &Self::claim(*person, &account.id), Proof::Form, &self.all()),
                };
                self.happen(events);
            }
            Act::TakesOver { account, person, proof } => {
                let (Some(account), Some(holder)) = (self.account(&id(*account)), self.holder(*person)) else {
                    return;
                };
                let (old, held_by) = (Self::claim(*person, &holder), self.proofs[&holder]);
                let caused = self.caused_by(&holder);
                let events = on_take_over(&account, &old, held_by, *proof, &caused, &self.all());
                self.happen(events.unwrap_or_default());
            }
            Act::Withdrawn { account } => {
                let Some(account) = self.account(&id(*account)) else {
                    return;
                };
                let Some(person) = account.claim.and_then(|person| person.0.parse().ok()) else {
                    return;
                };
                let caused = self.caused_by(&account.id);
                self.happen(on_withdrawal(&Self::claim(person, &account.id), &caused));
            }
            Act::Joined { account, stays } => {
                let Some(account) = self.account(&id(*account)) else {
                    return;
                };
                let claims = self.claims();
                let claim = claims.iter().find(|claim| {
                    let cause = Cause::claim(&claim.holder);
                    account
                        .holds
                        .iter()
                        .any(|h| h.reason == Reason::Duplicate && h.cause == cause)
                });
                let Some((claim, holder)) = claim.and_then(|claim| Some((claim, self.account(&claim.holder)?))) else {
                    return;
                };
                let (proof, caused) = (self.proofs[&holder.id], self.caused_by(&holder.id));
                let events = on_join(&account, &holder, claim, proof, *stays, &caused, &self.all());
                self.happen(events.unwrap());
            }
        }
    }

    fn arrives(&mut self, id: &AccountId, person: u32, by_number: bool) {
        if self.state.accounts.contains_key(id) {
            return;
        }
        let stated = AccountAttributes {
            national_id: by_number.then(|| number(person)),
            full_name: (!by_number).then(|| name(&called(person))),
            phone: (!by_number).then(|| phone(person)),
            ..AccountAttributes::default()
        };
        let change = Change::AccountTakenOver {
            account_kind: AccountKind::Citizen,
            unit: None,
            created_on: None,
            last_sign_in_on: None,
            login: LoginId(id.0.clone()),
        };
        let came = Event::of_account(id, change).with(Personal::Account {
            stated,
            password_hash: None,
        });
        self.happen(vec![came]);
        let account = self.account(id).unwrap();
        self.happen(on_arrival(&account, &self.claims()));
    }

    /// The accounts that state the details of a claim's person, computed again from accounts and claims only.
    fn bearers(&self) -> BTreeSet<(AccountId, Cause)> {
        let claims = self.claims();
        let all = self.all();
        let pairs = all
            .iter()
            .flat_map(|account| claims.iter().map(move |claim| (account, claim)));
        let bears =
            pairs.filter(|(account, claim)| matches!(match_claim(account, claim), DuplicateMatch::Duplicate(_)));
        bears
            .map(|(account, claim)| (account.id.clone(), Cause::claim(&claim.holder)))
            .collect()
    }

    /// The recorded `duplicate` holds for that, without those from forms answered `taken`.
    fn written(&self) -> BTreeSet<(AccountId, Cause)> {
        let held = |(id, a): (&AccountId, &ngomon_rules::state::AccountState)| {
            let by_details = a
                .holds
                .iter()
                .filter(|h| h.reason == Reason::Duplicate && !matches!(&*h.evidence["same"], "form" | "join"));
            by_details.map(|h| (id.clone(), h.cause.clone())).collect::<Vec<_>>()
        };
        self.state.accounts.iter().flat_map(held).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// No sequence of events gives one person two claims in force, or an account what it must not have.
    #[test]
    fn one_person_never_has_two_claims(acts in acts()) {
        let mut world = World::default();
        for act in &acts {
            let before: BTreeMap<AccountId, u64> = world.state.accounts.iter().map(|(id, a)| (id.clone(), a.generation)).collect();
            world.act(act);
            prop_assert_eq!(world.state.faults(), []);
            for (id, generation) in before {
                prop_assert!(world.state.accounts[&id].generation >= generation, "lifting revives nothing");
            }
        }
    }

    /// Checking accounts one by one as things happen gives the same `duplicate` holds as checking all of them at the end.
    #[test]
    fn incremental_check_equals_full_check(acts in acts()) {
        // Take-overs and withdrawals are left out, because an account that lost a claim is for the counter to decide.
        let acts: Vec<&Act> = acts.iter().filter(|a| matches!(a, Act::Arrives { .. } | Act::Submits { .. })).collect();
        let mut world = World::default();
        for act in acts {
            world.act(act);
            let (full, incremental) = (world.bearers(), world.written());
            // A form answered `taken` may have held the account for that claim before.
            let by_form: BTreeSet<_> = world.state.accounts.iter().flat_map(|(id, a)| a.holds.iter().filter(|h| h.evidence.get("same").is_some_and(|s| s == "form")).map(|h| (id.clone(), h.cause.clone())).collect::<Vec<_>>()).collect();
            prop_assert!(incremental.is_subset(&full), "{:?}", incremental.difference(&full).collect::<Vec<_>>());
            prop_assert!(full.iter().all(|hold| incremental.contains(hold) || by_form.contains(hold)));
        }
    }

    /// Replaying the journal in any chunks gives the same state.
    #[test]
    fn replay_in_chunks_gives_same_state(acts in acts(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
        let mut world = World::default();
        acts.iter().for_each(|act| world.act(act));
        let mut replayed = State::default();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(world.events.len() + 1)).collect();
        at.push(world.events.len());
        at.sort_unstable();
        let mut from = 0;
        for to in at {
            // Each chunk starts with a copy, like a program that was restarted.
            replayed = replayed.clone();
            world.events[from..to].iter().for_each(|event| replayed.apply(event));
            from = to;
        }
        prop_assert_eq!(replayed, world.state);
    }

    /// "What its claim caused is lifted": nobody is held for a claim that is no longer in force.
    #[test]
    fn holds_exist_only_for_claims_in_force(acts in acts()) {
        let mut world = World::default();
        for act in &acts {
            world.act(act);
            for account in world.all().iter().filter(|account| account.claim.is_none()) {
                prop_assert_eq!(world.caused_by(&account.id), []);
            }
        }
    }

    /// A claim that is withdrawn at once leaves all other accounts as they were.
    #[test]
    fn immediate_withdrawal_restores_other_accounts(acts in acts(), account in 0..ACCOUNTS, person in 0..PEOPLE) {
        let mut world = World::default();
        acts.iter().for_each(|act| world.act(act));
        let claimed = |world: &World| world.account(&id(account)).is_some_and(|a| a.claim.is_some());
        prop_assume!(world.holder(person).is_none() && !claimed(&world));
        let others = |world: &World| {
            let held = world.state.accounts.iter().filter(|(other, _)| **other != id(account));
            held.map(|(id, a)| (id.clone(), a.holds.clone())).collect::<Vec<_>>()
        };
        let before = others(&world);
        world.act(&Act::Submits { account, person });
        world.act(&Act::Withdrawn { account });
        prop_assert_eq!(others(&world), before);
        prop_assert_eq!(world.state.faults(), []);
    }

    /// The accounts of one profile are decided together, in whatever order they come.
    #[test]
    fn decision_independent_of_account_order(units in prop::collection::vec(0..4usize, 1..5), at in 0..4usize, shift in 0..5usize) {
        let code = |n: usize| ["P", "A", "B", "OLD"][n];
        let accounts: Vec<_> = units.iter().enumerate().map(|(i, u)| official(&format!("CV{i}"), code(*u))).collect();
        let mut turned = accounts.clone();
        turned.rotate_left(shift % accounts.len());
        let hr = Hr::with([son(code(at))]);
        let plan = |accounts: &[_]| hr.ask(accounts, "2023-07-31", decide_person);
        let decided = plan(&accounts);
        prop_assert_eq!(&decided, &plan(&turned));
        // The person always has an account: one is at the unit, or one is created there.
        let there = decided.decisions.iter().any(|(_, d)| d.moves_to().is_none());
        prop_assert_ne!(there, decided.creates.is_some());
    }
}
