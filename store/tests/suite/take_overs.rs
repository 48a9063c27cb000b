//! Tests of C5 and C3: a take-over needs two people, a claim on the wrong account is withdrawn, and nothing is revived.

use crate::both;
use crate::counter::order;
use crate::fixture::{DAY, Fixture, On, citizen, form};
use crate::operators::{at_once, refused};
use ngomon_rules::citizens::{Outcome, Paper, Proof};
use ngomon_rules::event::Change;
use ngomon_rules::hold::Cause;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_store::{Operator, Refusal, SessionToken, StoreError, TakeOverState};
use std::sync::Arc;

both! {
    take_over_needs_two_operators_and_moves_claim
    take_over_needs_papers_and_weaker_claim
    stale_take_over_is_refused
    take_over_declined_or_lapsed_cannot_be_approved
    simultaneous_approvals_of_take_over_count_once
    concurrent_take_over_forms_and_withdrawal_leave_one_claim
    withdrawn_claim_lifts_its_holds_and_keeps_sessions
    import_during_withdrawal_places_no_hold
    ended_session_survives_no_sequence_of_acts
}

fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

impl Fixture {
    /// HS1 has the claim of person 1 by the form; HS2 states the same number; HS3 states nothing and submits the same form at a counter.
    async fn disputed(&self) -> (Operator, Operator, String) {
        self.units().await;
        self.registry(&[1, 2, 3]).await;
        self.citizens(vec![citizen("HS1", 1), citizen("HS2", 1), citizen("HS3", 90)])
            .await;
        self.submit("HS1", 1).await;
        let (an, binh) = (self.operator("an").await, self.operator("binh").await);
        let receipt = self.at_counter(&an, "HS3", 1).await;
        (an, binh, receipt)
    }

    /// Enters a form with a person's card seen by the operator; returns the receipt.
    async fn at_counter(&self, operator: &Operator, account: &str, person: u32) -> String {
        let form = form(account, person);
        let papers = [Paper::IdCard];
        let entered = self
            .store
            .enter_form(operator, &form.account, &form.form, &papers, None)
            .await;
        entered.unwrap().receipt.unwrap()
    }

    async fn state(&self, operator: &Operator, receipt: &str) -> TakeOverState {
        self.store.take_over(operator, receipt).await.unwrap().unwrap().state
    }

    async fn claims(&self) -> Vec<String> {
        let lines = self.store.holds(Some(AccountKind::Citizen), DAY).await.unwrap();
        lines
            .into_iter()
            .filter(|(_, line)| line.claimed)
            .map(|(id, _)| id)
            .collect()
    }
}

/// "The other account is held `claim-lost`, what its claim caused is lifted, nothing of either account's data is lost, no credential of one
/// opens the other."
async fn take_over_needs_two_operators_and_moves_claim(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, receipt) = fixture.disputed().await;
    let store = &fixture.store;
    let loser = store.begin_session(&id("HS1")).await.unwrap();
    let taken = store.entered_form(&an, &receipt).await.unwrap();
    let weaker = taken.weaker.unwrap();
    assert_eq!(
        (taken.outcome, weaker.holder, weaker.proof),
        (Outcome::Taken, id("HS1"), Proof::Form)
    );

    store.propose_take_over(&an, &receipt, "có thẻ").await.unwrap();
    assert_eq!(
        refused(store.approve_take_over(&an, &receipt, "news").await),
        Refusal::SameOperator
    );
    let waiting = store.take_overs(&binh).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].proposed_by.as_str()), (1, "operator:an"));
    let logins = "SELECT COUNT(DISTINCT login) FROM account_row WHERE id IN ('HS1', 'HS3')";
    store.approve_take_over(&binh, &receipt, "news").await.unwrap();
    assert_eq!(fixture.sql(logins).await, [2]);

    assert_eq!(fixture.claims().await, ["HS3"]);
    assert_eq!(
        fixture.held(AccountKind::Citizen).await,
        ["HS1: claim-lost", "HS2: duplicate"]
    );
    let explanation = store.account_explanation("HS2", DAY).await.unwrap();
    assert_eq!(explanation.holds[0].hold.cause, Cause::claim(&id("HS3")));
    assert!(store.session(loser.as_str()).await.unwrap().is_none());
    assert!(store.take_overs(&an).await.unwrap().is_empty());
    assert_eq!(fixture.state(&an, &receipt).await, TakeOverState::Approved);

    // The entry names both operators, and the actor of the claim.
    let explanation = store.account_explanation("HS3", DAY).await.unwrap();
    let named = explanation.history.iter().find_map(|entry| match &entry.change {
        Change::TakeOverApproved {
            proposed_by, holder, ..
        } => Some((proposed_by.as_str(), holder, entry.by.as_str())),
        _ => None,
    });
    assert_eq!(named, Some(("operator:an", &id("HS1"), "operator:binh")));
    assert_eq!(explanation.fact("claim"), Some("counter"));
    fixture.sound().await;

    // The other account may still be standardised as itself, and its old session stays ended.
    assert_eq!(fixture.submit("HS1", 2).await.outcome, Outcome::Standardised);
    assert!(store.session(loser.as_str()).await.unwrap().is_none());
    assert_eq!(fixture.held(AccountKind::Citizen).await, ["HS2: duplicate"]);
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
}

/// A take-over needs a form with papers, and a claim with a weaker proof.
async fn take_over_needs_papers_and_weaker_claim(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, receipt) = fixture.disputed().await;
    let store = &fixture.store;
    assert_eq!(
        refused(store.propose_take_over(&an, "DH-0000-0000", "có thẻ").await),
        Refusal::UnknownForm("DH-0000-0000".into())
    );
    // The owner's own form comes without papers, and so does a list of forms.
    let own = fixture.submit("HS3", 1).await.receipt.unwrap();
    let listed = store
        .standardise(&form("HS3", 1), Proof::Counter, "cli:list", store.now())
        .await;
    for without in [own, listed.unwrap().receipt.unwrap()] {
        assert!(store.entered_form(&an, &without).await.unwrap().weaker.is_none());
        assert_eq!(
            refused(store.propose_take_over(&an, &without, "có thẻ").await),
            Refusal::NoTakeOver(without)
        );
    }
    store.propose_take_over(&an, &receipt, "có thẻ").await.unwrap();
    let again = refused(store.propose_take_over(&binh, &receipt, "có thẻ").await);
    assert!(matches!(again, Refusal::TakeOverState { state: "waiting", .. }));
    store.approve_take_over(&binh, &receipt, "news").await.unwrap();
    // Now the claim rests on papers too: other papers do not outrank it.
    let other = fixture.at_counter(&binh, "HS2", 1).await;
    assert!(store.entered_form(&binh, &other).await.unwrap().weaker.is_none());
    assert_eq!(
        refused(store.propose_take_over(&binh, &other, "có thẻ").await),
        Refusal::NoTakeOver(other)
    );
    fixture.sound().await;
}

/// A take-over whose facts changed is refused as stale.
async fn stale_take_over_is_refused(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, receipt) = fixture.disputed().await;
    let store = &fixture.store;
    store.propose_take_over(&an, &receipt, "có thẻ").await.unwrap();
    let stale = async || refused(store.approve_take_over(&binh, &receipt, "news").await);
    // Another account has the claim by now.
    store.withdraw_claim(&an, &id("HS1"), "nhầm tài khoản").await.unwrap();
    assert_eq!(stale().await, Refusal::Stale(vec!["HS3".into()]));
    fixture.submit("HS2", 1).await;
    assert_eq!(stale().await, Refusal::Stale(vec!["HS3".into()]));
    assert_eq!(fixture.claims().await, ["HS2"]);
    // The account was standardised as its own owner's.
    store.withdraw_claim(&an, &id("HS2"), "nhầm tài khoản").await.unwrap();
    fixture.submit("HS1", 1).await;
    fixture.submit("HS3", 3).await;
    assert_eq!(stale().await, Refusal::Stale(vec!["HS3".into()]));
    assert_eq!(fixture.claims().await, ["HS1", "HS3"]);
    assert_eq!(fixture.state(&an, &receipt).await, TakeOverState::Waiting);
    fixture.sound().await;
}

/// A take-over that was declined or has lapsed cannot be approved.
async fn take_over_declined_or_lapsed_cannot_be_approved(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, receipt) = fixture.disputed().await;
    let store = &fixture.store;
    store.propose_take_over(&an, &receipt, "có thẻ").await.unwrap();
    store
        .decline_take_over(&binh, &receipt, "giấy tờ đã hết hạn")
        .await
        .unwrap();
    let over = Refusal::TakeOverState {
        receipt: receipt.clone(),
        state: "declined",
    };
    assert_eq!(refused(store.approve_take_over(&binh, &receipt, "news").await), over);
    assert_eq!(refused(store.decline_take_over(&an, &receipt, "x").await), over);
    let explanation = store.account_explanation("HS3", DAY).await.unwrap();
    let last = explanation.history.last().unwrap();
    assert_eq!(
        (last.by.as_str(), last.note.as_deref()),
        ("operator:binh", Some("giấy tờ đã hết hạn"))
    );
    assert_eq!(fixture.claims().await, ["HS1"]);

    let second = fixture.at_counter(&an, "HS3", 1).await;
    store.propose_take_over(&an, &second, "có thẻ").await.unwrap();
    fixture.clock.move_on(14 * 86_400 - 60);
    assert_eq!(fixture.state(&an, &second).await, TakeOverState::Waiting);
    fixture.clock.move_on(120);
    assert!(store.take_overs(&binh).await.unwrap().is_empty());
    let lapsed = refused(store.approve_take_over(&binh, &second, "news").await);
    assert!(matches!(lapsed, Refusal::TakeOverState { state: "lapsed", .. }));

    // The operator who proposed it was removed.
    let third = fixture.at_counter(&an, "HS3", 1).await;
    store.propose_take_over(&an, &third, "có thẻ").await.unwrap();
    fixture.operator("chi").await;
    store.remove_operator("an", "test").await.unwrap();
    let lapsed = refused(store.approve_take_over(&binh, &third, "news").await);
    assert!(matches!(lapsed, Refusal::TakeOverState { state: "lapsed", .. }));
    assert_eq!(fixture.claims().await, ["HS1"]);
    fixture.sound().await;
}

/// Of simultaneous approvals, one counts.
async fn simultaneous_approvals_of_take_over_count_once(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    let (an, _, receipt) = fixture.disputed().await;
    fixture.store.propose_take_over(&an, &receipt, "có thẻ").await.unwrap();
    let others = [fixture.operator("chi").await, fixture.operator("dung").await];
    let mut done = 0;
    let mut tasks = Vec::new();
    for other in others {
        let (receipt, other) = (receipt.clone(), other.clone());
        tasks.extend(at_once(&fixture, move |fixture| {
            let (receipt, other) = (receipt.clone(), other.clone());
            async move { fixture.store.approve_take_over(&other, &receipt, "news").await }
        }));
    }
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => done += 1,
            Err(StoreError::Refused(Refusal::TakeOverState { state: "approved", .. })) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(fixture.claims().await, ["HS3"]);
    fixture.sound().await;
}

/// Whatever the order: one claim of the person, and projections that agree with the journal.
async fn concurrent_take_over_forms_and_withdrawal_leave_one_claim(on: On) {
    for withdrawn in [false, true] {
        let fixture = Arc::new(Fixture::new(on).await);
        let (an, binh, receipt) = fixture.disputed().await;
        fixture
            .citizens((10..18).map(|n| citizen(&format!("HS{n}"), 1)).collect())
            .await;
        fixture.store.propose_take_over(&an, &receipt, "có thẻ").await.unwrap();
        let mut tasks = Vec::new();
        for n in 10..18 {
            let fixture = Arc::clone(&fixture);
            tasks.push(tokio::spawn(async move {
                fixture.submit(&format!("HS{n}"), 1).await;
            }));
        }
        let (approves, own) = (Arc::clone(&fixture), Arc::clone(&fixture));
        tasks.push(tokio::spawn(async move {
            match approves.store.approve_take_over(&binh, &receipt, "news").await {
                Ok(()) | Err(StoreError::Refused(Refusal::Stale(_))) => {}
                Err(other) => panic!("{other}"),
            }
        }));
        tasks.push(tokio::spawn(async move {
            // The same account, as another person.
            own.submit("HS3", 3).await;
        }));
        if withdrawn {
            let fixture = Arc::clone(&fixture);
            tasks.push(tokio::spawn(async move {
                match fixture.store.withdraw_claim(&an, &id("HS1"), "nhầm").await {
                    Ok(()) | Err(StoreError::Refused(Refusal::NoClaim(_))) => {}
                    Err(other) => panic!("{other}"),
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let of_one = "SELECT COUNT(*) FROM claim c JOIN person_number n ON n.person = c.person WHERE c.until IS NULL \
             GROUP BY c.person HAVING COUNT(*) > 1";
        assert_eq!(fixture.sql(of_one).await, [0; 0]);
        fixture.sound().await;
    }
}

/// "With no hold and all it caused lifted."
async fn withdrawn_claim_lifts_its_holds_and_keeps_sessions(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, receipt) = fixture.disputed().await;
    let store = &fixture.store;
    let dead = store.begin_session(&id("HS1")).await.unwrap();
    store.propose_take_over(&an, &receipt, "có thẻ").await.unwrap();
    store.approve_take_over(&binh, &receipt, "news").await.unwrap();
    let open = store.begin_session(&id("HS3")).await.unwrap();
    store
        .withdraw_claim(&an, &id("HS3"), "khai nhầm tài khoản của con")
        .await
        .unwrap();
    assert_eq!(fixture.held(AccountKind::Citizen).await, [""; 0]);
    assert_eq!(fixture.claims().await, [""; 0]);
    assert!(store.session(open.as_str()).await.unwrap().is_some(), "no hold, no end");
    assert!(
        store.session(dead.as_str()).await.unwrap().is_none(),
        "nothing is revived"
    );
    assert_eq!(
        refused(store.withdraw_claim(&an, &id("HS3"), "x").await),
        Refusal::NoClaim("HS3".into())
    );
    let explanation = store.account_explanation("HS3", DAY).await.unwrap();
    let last = explanation
        .history
        .iter()
        .find(|entry| matches!(entry.change, Change::ClaimEnded { .. }))
        .unwrap();
    assert_eq!(
        (last.by.as_str(), last.note.as_deref()),
        ("operator:an", Some("khai nhầm tài khoản của con"))
    );
    assert_eq!(fixture.province(DAY).await.standardised, 0);
    fixture.sound().await;
    assert_eq!(fixture.submit("HS2", 1).await.outcome, Outcome::Standardised);
    assert_eq!(fixture.held(AccountKind::Citizen).await, ["HS1: duplicate"]);
    fixture.sound().await;
}

/// A withdrawal during an import of accounts that bear the same details.
async fn import_during_withdrawal_places_no_hold(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    let (an, _, _) = fixture.disputed().await;
    for round in 0..6 {
        let mut load = fixture.open("citizens", 1).await;
        let one = citizen(&format!("NEW{round}"), 1);
        load.accounts(vec![one]).await.unwrap();
        let (imports, an) = (tokio::spawn(load.finish()), an.clone());
        let withdraws = Arc::clone(&fixture);
        let withdrawn =
            tokio::spawn(async move { withdraws.store.withdraw_claim(&an, &id("HS1"), "nhầm").await.unwrap() });
        imports.await.unwrap().unwrap();
        withdrawn.await.unwrap();
        assert_eq!(fixture.held(AccountKind::Citizen).await, [""; 0]);
        fixture.sound().await;
        assert_eq!(fixture.submit("HS1", 1).await.outcome, Outcome::Standardised);
    }
}

/// An account, its session, and whether the session had ended at the last check.
type Watched = (AccountId, SessionToken, bool);

/// Whatever an operator and the owners do, one after the other: an ended session stays ended, and all stored data agree.
async fn ended_session_survives_no_sequence_of_acts(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, _) = fixture.disputed().await;
    let store = &fixture.store;
    let order = order("15/CQĐT");
    let mut watched: Vec<Watched> = Vec::new();
    // A pseudo-random sequence.
    let mut drawn = 7_u32;
    for _ in 0..48 {
        drawn = drawn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let account = id(["HS1", "HS2", "HS3"][(drawn >> 12) as usize % 3]);
        let person = 1 + (drawn >> 16) % 2;
        let token = store.begin_session(&account).await.unwrap();
        watched.push((account.clone(), token, false));
        let done = match (drawn >> 20) % 6 {
            0 => {
                fixture.submit(account.as_str(), person).await;
                Ok(())
            }
            1 => store.withdraw_claim(&an, &account, "nhầm").await,
            2 => store.hold_by_order(&an, &account, &order).await,
            3 => {
                store
                    .lift_order(&an, &account, &Cause::order("15/CQĐT"), "hết lý do")
                    .await
            }
            _ => {
                let receipt = fixture.at_counter(&an, account.as_str(), person).await;
                match store.propose_take_over(&an, &receipt, "có thẻ").await {
                    Ok(()) => store.approve_take_over(&binh, &receipt, "news").await,
                    refused => refused,
                }
            }
        };
        assert!(matches!(done, Ok(()) | Err(StoreError::Refused(_))), "{done:?}");
        for (account, token, over) in &mut watched {
            let open = store.session(token.as_str()).await.unwrap().is_some();
            assert!(!(open && *over), "{account}: a session came back");
            *over = !open;
        }
        fixture.sound().await;
    }
    let over = watched.iter().filter(|(_, _, over)| *over).count();
    assert!(over > 10 && over < watched.len(), "{over}");
}
