//! Who is let in: sessions end with a hold, and nothing revives them.

use crate::both;
use crate::house::{House, On, citizen, form, phone};
use crate::openid::at_once;
use ngomon_rules::record::AccountId;
use ngomon_store::{Channel, CodeFor, Limit, Purpose, Reach, Typed};
use std::collections::BTreeSet;

both! {
    a_hold_ends_every_session_and_lifting_it_revives_none
    a_session_ends_by_itself
    a_session_has_a_long_token_of_its_own
    tries_are_counted
    a_code_that_is_sent_twice_at_once_is_sent
    guesses_make_codes_longer_and_lock_nobody_out
    codes_go_to_the_phone_that_was_proven
    several_accounts_share_a_user_name
    what_is_over_is_swept_away
}

fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

async fn a_hold_ends_every_session_and_lifting_it_revives_none(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.registry(&[1]).await;
    house.citizens(vec![citizen("C1", 1), citizen("C2", 1)]).await;
    let first = house.store.open_session(&id("C1")).await.unwrap();
    let second = house.store.open_session(&id("C2")).await.unwrap();
    assert!(!house.store.visit(second.as_str()).await.unwrap().unwrap().held);
    house.submit("C1", 1).await;
    assert!(house.store.visit(first.as_str()).await.unwrap().is_some());
    assert!(house.store.visit(second.as_str()).await.unwrap().is_none());

    let held = house.store.open_session(&id("C2")).await.unwrap();
    assert!(house.store.visit(held.as_str()).await.unwrap().unwrap().held);
    assert!(house.store.visit("no such token").await.unwrap().is_none());

    house.store.set_campaign("freeze", "on", true, "op").await.unwrap();
    assert!(house.store.visit(second.as_str()).await.unwrap().is_none());
    house.sound().await;
}

async fn a_session_ends_by_itself(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.citizens(vec![citizen("C1", 1)]).await;
    let token = house.store.open_session(&id("C1")).await.unwrap();
    house.store.put_off(token.as_str()).await.unwrap();
    for _ in 0..25 {
        house.clock.move_on(29 * 60);
        let last = house.store.visit(token.as_str()).await.unwrap();
        let Some(visit) = last else { break };
        assert!(visit.put_off);
    }
    assert!(
        house.store.visit(token.as_str()).await.unwrap().is_none(),
        "twelve hours are the longest"
    );
    let idle = house.store.open_session(&id("C1")).await.unwrap();
    let other = house.store.open_session(&id("C1")).await.unwrap();
    assert_eq!(house.store.sessions(&id("C1")).await.unwrap().len(), 2);
    house.store.close_session(other.as_str()).await.unwrap();
    assert!(house.store.visit(other.as_str()).await.unwrap().is_none());
    house.clock.move_on(31 * 60);
    assert!(house.store.visit(idle.as_str()).await.unwrap().is_none());
}

/// ASVS 7.2.2, 7.2.3: drawn anew each time, 256 bits.
async fn a_session_has_a_long_token_of_its_own(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.citizens(vec![citizen("C1", 1)]).await;
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let token = house.store.open_session(&id("C1")).await.unwrap();
        let text = token.as_str().to_owned();
        assert!(text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(house.store.visit(&text).await.unwrap().is_some());
        let near = if text.ends_with('0') { "1" } else { "0" };
        let near = format!("{}{near}", &text[..63]);
        assert!(house.store.visit(&near).await.unwrap().is_none(), "all of it counts");
        assert!(seen.insert(text), "none comes twice");
    }
    house.sound().await;
}

async fn tries_are_counted(on: On) {
    let house = House::new(on).await;
    let limit = Limit {
        what: "test",
        times: 2,
        seconds: 600,
    };
    let count = async |who: &str| house.store.attempt(limit, &[who]).await.unwrap();
    assert_eq!(
        [count("a").await, count("a").await, count("a").await],
        [Some(1), Some(0), None]
    );
    assert_eq!(count("b").await, Some(1), "one does not lock another out");
    house.store.forget_attempts(limit, &["a"]).await.unwrap();
    assert_eq!(count("a").await, Some(1));
    house.clock.move_on(601);
    assert_eq!(count("b").await, Some(1));
}

async fn a_code_that_is_sent_twice_at_once_is_sent(on: On) {
    let house = House::new(on).await;
    for n in 0..10 {
        let holder = format!("session {n}");
        let clicks = (0..4).map(|_| {
            let (store, holder) = (house.store.clone(), holder.clone());
            async move {
                let code = CodeFor {
                    subject: "C1".into(),
                    reach: Some(Reach {
                        channel: Channel::Sms,
                        to: "phone".into(),
                    }),
                };
                let text = |digits: &str| digits.to_owned();
                store.send_codes(&holder, Purpose::Idle, &[code], text).await
            }
        });
        for sent in at_once(clicks).await {
            sent.unwrap();
        }
        let mut right = 0;
        for message in house.store.messages(4).await.unwrap() {
            let typed = house.store.try_code(&holder, Purpose::Idle, &message.text).await;
            right += usize::from(typed.unwrap() == Typed::Right(vec!["C1".into()]));
        }
        assert_eq!(right, 1, "one of them counts");
    }
}

async fn guesses_make_codes_longer_and_lock_nobody_out(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.citizens(vec![citizen("C1", 1), citizen("C2", 2)]).await;
    let sent = async |account: &str, holder: &str| {
        let code = CodeFor {
            subject: account.into(),
            reach: Some(Reach {
                channel: Channel::Sms,
                to: format!("phone of {account}"),
            }),
        };
        let text = |digits: &str| digits.to_owned();
        let done = house.store.send_codes(holder, Purpose::SignIn, &[code], text).await;
        done.unwrap();
        house.clock.move_on(1);
        house.store.messages(1).await.unwrap()[0].text.clone()
    };
    let types = async |holder: &str, digits: &str| {
        let typed = house.store.try_code(holder, Purpose::SignIn, digits).await;
        typed.unwrap()
    };
    // From everywhere together: each browser has five tries of its own.
    for n in 0..20 {
        let holder = format!("stranger {n}");
        assert_eq!(sent("C1", &holder).await.len(), 6);
        for _ in 0..5 {
            types(&holder, "no digits").await;
        }
    }
    assert_eq!(sent("C2", "other").await.len(), 6, "of that account only");
    let code = sent("C1", "owner").await;
    assert_eq!(code.len(), 12);
    assert_eq!(types("owner", &code).await, Typed::Right(vec!["C1".into()]));
    house.clock.move_on(31 * 86_400);
    assert_eq!(sent("C1", "owner").await.len(), 6);
}

async fn several_accounts_share_a_user_name(on: On) {
    let house = House::new(on).await;
    house.units().await;
    let named = |account: &str, person, hash: Option<&str>| {
        let mut row = citizen(account, person);
        row.stated.username = Some("lehoa".into());
        row.password_hash = hash.map(str::to_owned);
        row
    };
    house
        .citizens(vec![named("C1", 1, Some("{SSHA}x")), named("C2", 2, None)])
        .await;
    let found = house.store.credentials("lehoa").await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|c| (c.account.as_str(), c.password_hash.as_deref()))
        .collect();
    assert_eq!(found, [("C1", Some("{SSHA}x")), ("C2", None)]);
    assert!(house.store.credentials("nobody").await.unwrap().is_empty());
}

async fn what_is_over_is_swept_away(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.citizens(vec![citizen("C1", 1)]).await;
    let old = house.store.open_session(&id("C1")).await.unwrap();
    let typed = form("C1", 1).form;
    house.store.keep_draft(&id("C1"), &typed).await.unwrap();
    let reach = house.store.reach(&id("C1")).await.unwrap();
    let code = CodeFor {
        subject: "C1".into(),
        reach,
    };
    let text = |digits: &str| digits.to_owned();
    house
        .store
        .send_codes("ticket", Purpose::SignIn, &[code], text)
        .await
        .unwrap();
    house.store.add_operator("lan", "test").await.unwrap();
    let limit = |seconds| Limit {
        what: "test",
        times: 9,
        seconds,
    };
    // More than one transaction sweeps.
    for n in 0..600 {
        house.store.attempt(limit(900), &[&n.to_string()]).await.unwrap();
    }
    let day = limit(86_400);
    house.store.attempt(day, &["x"]).await.unwrap();
    assert_eq!(house.store.sweep().await.unwrap(), 0);

    // Draft, code and the 600; whose session that was is known for a while, and a day's tries are counted on.
    house.clock.move_on(3_600);
    assert_eq!(house.store.sweep().await.unwrap(), 602);
    assert!(house.store.was_session_of(old.as_str()).await.unwrap().is_some());
    assert_eq!(house.store.attempt(day, &["x"]).await.unwrap(), Some(7));

    house.clock.move_on(12 * 3_600);
    let new = house.store.open_session(&id("C1")).await.unwrap();
    assert_eq!(house.store.sweep().await.unwrap(), 1);
    assert!(house.store.was_session_of(old.as_str()).await.unwrap().is_none());
    assert!(house.store.visit(new.as_str()).await.unwrap().is_some());

    // The day's tries, the session, and the link.
    house.clock.move_on(72 * 3_600);
    assert_eq!(house.store.sweep().await.unwrap(), 3);
    assert_eq!(house.store.sweep().await.unwrap(), 0);
    house.sound().await;
}

/// An account came with another's phone; whoever bears it gets no code any more once the owner has standardised.
async fn codes_go_to_the_phone_that_was_proven(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.registry(&[1, 2]).await;
    let mut row = citizen("C1", 1);
    row.stated.phone = Some(phone(2));
    house.citizens(vec![row]).await;
    let reached = async || house.store.reach(&AccountId("C1".into())).await.unwrap().unwrap().to;
    assert_eq!(reached().await, phone(2).as_str());
    house.submit("C1", 1).await;
    assert_eq!(reached().await, phone(1).as_str());
    let an = house.operator("an").await;
    let account = AccountId("C1".into());
    house.store.withdraw_claim(&an, &account, "nhầm").await.unwrap();
    assert_eq!(reached().await, phone(2).as_str());
    house.sound().await;
}
