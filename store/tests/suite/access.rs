//! Tests of sessions, throttles and one-time codes: sessions end with a hold, and nothing revives them.

use crate::both;
use crate::fixture::{Fixture, On, citizen, form, phone};
use crate::openid::at_once;
use ngomon_rules::records::AccountId;
use ngomon_store::{
    Channel, CodeCheck, CodeRecipient, ContactPoint, Purpose, RateLimit, Refusal, Requester, SendResult, SessionEnd,
    StoreError, TryResult,
};
use std::collections::BTreeSet;

both! {
    hold_ends_all_sessions_and_lift_revives_none
    session_expires_when_idle_and_after_12_hours
    session_tokens_are_unique_with_256_bits
    attempts_are_limited_per_key
    successful_or_failed_by_us_attempt_is_not_counted
    requesters_have_separate_limits
    repeated_request_resends_same_live_code
    message_limit_keeps_reserve_for_known_requesters
    simultaneous_code_requests_send_one_message
    guessed_codes_become_longer_without_lockout
    code_without_recipient_behaves_like_any_other
    codes_to_one_phone_limited_per_day
    codes_sent_to_proven_phone
    several_accounts_share_a_user_name
    user_name_found_in_every_notation
    sweep_deletes_expired_rows
}

fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

/// A hold ends every session of the account, and lifting it revives none.
async fn hold_ends_all_sessions_and_lift_revives_none(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("C1", 1), citizen("C2", 1)]).await;
    let first = fixture.store.begin_session(&id("C1")).await.unwrap();
    let second = fixture.store.begin_session(&id("C2")).await.unwrap();
    assert!(!fixture.store.session(second.as_str()).await.unwrap().unwrap().held);
    fixture.submit("C1", 1).await;
    assert!(fixture.store.session(first.as_str()).await.unwrap().is_some());
    assert!(fixture.store.session(second.as_str()).await.unwrap().is_none());

    let held = fixture.store.begin_session(&id("C2")).await.unwrap();
    assert!(fixture.store.session(held.as_str()).await.unwrap().unwrap().held);
    assert!(fixture.store.session("no such token").await.unwrap().is_none());

    fixture.store.set_campaign("freeze", "on", true, "op").await.unwrap();
    assert!(fixture.store.session(second.as_str()).await.unwrap().is_none());
    fixture.sound().await;
}

/// A session expires when it is idle and at the latest after twelve hours.
async fn session_expires_when_idle_and_after_12_hours(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("C1", 1)]).await;
    let token = fixture.store.begin_session(&id("C1")).await.unwrap();
    fixture.store.put_off(token.as_str()).await.unwrap();
    for _ in 0..25 {
        fixture.clock.move_on(29 * 60);
        let last = fixture.store.session(token.as_str()).await.unwrap();
        let Some(visit) = last else { break };
        assert!(visit.put_off);
    }
    assert!(
        fixture.store.session(token.as_str()).await.unwrap().is_none(),
        "twelve hours are the longest"
    );
    let idle = fixture.store.begin_session(&id("C1")).await.unwrap();
    let other = fixture.store.begin_session(&id("C1")).await.unwrap();
    assert_eq!(fixture.store.sessions(&id("C1"), "").await.unwrap().len(), 2);
    fixture.store.close_session(other.as_str()).await.unwrap();
    assert!(fixture.store.session(other.as_str()).await.unwrap().is_none());
    fixture.store.set_next(idle.as_str(), "/authorize?x").await.unwrap();
    fixture.clock.move_on(31 * 60);
    assert!(fixture.store.session(idle.as_str()).await.unwrap().is_none());
    assert_eq!(
        fixture.store.session_end(idle.as_str()).await.unwrap(),
        SessionEnd::Time
    );
    let new = fixture.store.begin_session(&id("C1")).await.unwrap();
    fixture.store.replace_session(idle.as_str(), &new).await.unwrap();
    assert_eq!(
        fixture.store.next(new.as_str()).await.unwrap(),
        None,
        "a system that was opened hours ago is not opened again"
    );
}

/// ASVS 7.2.2, 7.2.3: a new token for each session, 256 bits.
async fn session_tokens_are_unique_with_256_bits(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("C1", 1)]).await;
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let token = fixture.store.begin_session(&id("C1")).await.unwrap();
        let text = token.as_str().to_owned();
        assert!(text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(fixture.store.session(&text).await.unwrap().is_some());
        let near = if text.ends_with('0') { "1" } else { "0" };
        let near = format!("{}{near}", &text[..63]);
        assert!(
            fixture.store.session(&near).await.unwrap().is_none(),
            "all of it counts"
        );
        assert!(seen.insert(text), "none comes twice");
    }
    fixture.sound().await;
}

fn stranger() -> Requester {
    Requester::Stranger("192.0.2.1".into())
}

/// Attempts are limited for each key.
async fn attempts_are_limited_per_key(on: On) {
    let fixture = Fixture::new(on).await;
    let limit = RateLimit {
        what: "test",
        times: 2,
        seconds: 600,
    };
    let count = async |who: &str| fixture.store.attempt(limit, &[who]).await.unwrap();
    assert_eq!(
        [count("a").await, count("a").await, count("a").await],
        [Some(1), Some(0), None]
    );
    assert_eq!(count("b").await, Some(1), "one does not lock another out");
    fixture.store.give_back(&[limit.of(&["a"])]).await.unwrap();
    assert_eq!(
        [count("a").await, count("a").await],
        [Some(0), None],
        "one was given back"
    );
    fixture.clock.move_on(601);
    assert_eq!(count("b").await, Some(1));
}

/// "A right answer takes its try back, a fault of ours costs none."
async fn successful_or_failed_by_us_attempt_is_not_counted(on: On) {
    let fixture = Fixture::new(on).await;
    let [name, address] = ["name", "address"].map(|what| RateLimit {
        what,
        times: 2,
        seconds: 600,
    });
    let limits = [name.of(&["a"]), address.of(&["b"])];
    let right = async || {
        fixture
            .store
            .tried(&limits, async { Ok(Ok::<_, ()>("in")) })
            .await
            .unwrap()
    };
    let wrong = async || {
        fixture
            .store
            .tried(&limits, async { Ok(Err::<(), _>("no")) })
            .await
            .unwrap()
    };
    for _ in 0..5 {
        assert_eq!(right().await, TryResult::Right("in"));
        let fault = fixture.store.tried(&limits, async {
            Err::<Result<(), ()>, _>(StoreError::from(Refusal::EnrolmentOver))
        });
        assert!(fault.await.is_err());
    }
    let was_wrong = async || fixture.store.was_tried(&limits[0]).await.unwrap();
    assert!(!was_wrong().await, "who was right comes as if for the first time");
    assert_eq!(wrong().await, TryResult::Wrong("no", 1));
    assert!(was_wrong().await);
    assert_eq!(right().await, TryResult::Right("in"));
    assert_eq!(wrong().await, TryResult::Wrong("no", 0));
    assert_eq!(right().await, TryResult::TooOften, "not looked at");
    // An attempt refused by one limit is not counted at the others.
    assert_eq!(
        fixture
            .store
            .take(&[address.of(&["c"]), name.of(&["a"])])
            .await
            .unwrap(),
        None
    );
    let left = fixture.store.take(&[address.of(&["c"])]).await.unwrap();
    assert_eq!(left, Some(1));
    // Many attempts at once do not bypass the limit.
    let counted = [name.of(&["many"])];
    let guesses = (0..20).map(|_| {
        let (store, counted) = (fixture.store.clone(), counted.clone());
        async move { store.tried(&counted, async { Ok(Err::<(), _>(())) }).await }
    });
    let done = at_once(guesses).await;
    let looked_at = done
        .into_iter()
        .filter(|tried| !matches!(tried, Ok(TryResult::TooOften)));
    assert_eq!(looked_at.count(), 2);
}

/// "An own session, a known browser and a proven phone are counted apart."
async fn requesters_have_separate_limits(on: On) {
    let fixture = Fixture::new(on).await;
    let limit = RateLimit {
        what: "test",
        times: 1,
        seconds: 600,
    };
    let all = [
        stranger(),
        Requester::Browser("192.0.2.1".into()),
        Requester::Session(id("192.0.2.1")),
    ];
    for who in &all {
        assert_eq!(fixture.store.take(&[limit.by(who, &["name"])]).await.unwrap(), Some(0));
        assert_eq!(fixture.store.take(&[limit.by(who, &["name"])]).await.unwrap(), None);
    }
    // A browser is known by the mark of the password at that time; a made-up mark is not accepted.
    fixture.units().await;
    fixture.citizens(vec![citizen("C1", 1), citizen("C2", 2)]).await;
    let mark = async |account: &str| fixture.store.browser_mark(&id(account)).await.unwrap().unwrap();
    let kept = fixture.store.mark_browser(&mark("C1").await);
    let name = fixture
        .store
        .known_browser(&mark("C1").await, &kept)
        .unwrap()
        .to_owned();
    assert!(kept.starts_with(&name));
    assert!(
        fixture.store.known_browser(&mark("C2").await, &kept).is_none(),
        "for its owner only"
    );
    for forged in [
        "",
        "-",
        "0-0-0",
        &name,
        &format!("{name}-00"),
        &kept.replacen('-', "0-", 1),
    ] {
        assert!(
            fixture.store.known_browser(&mark("C1").await, forged).is_none(),
            "{forged}"
        );
    }
    fixture.clock.move_on(1);
    fixture.store.set_password(&id("C1"), "another", "news").await.unwrap();
    assert!(fixture.store.known_browser(&mark("C1").await, &kept).is_none());
    let kept = fixture.store.mark_browser(&mark("C1").await);
    fixture.clock.move_on(401 * 86_400);
    assert!(
        fixture.store.known_browser(&mark("C1").await, &kept).is_none(),
        "forgotten"
    );
}

fn to_phone(subject: &str, phone: &str) -> CodeRecipient {
    CodeRecipient {
        subject: subject.into(),
        reach: Some(ContactPoint {
            channel: Channel::Sms,
            to: phone.into(),
        }),
    }
}

impl Fixture {
    async fn asks(
        &self,
        holder: &str,
        who: &Requester,
        limits: &[ngomon_store::KeyedLimit],
        to: &[CodeRecipient],
    ) -> SendResult {
        let text = |digits: &str| digits.to_owned();
        let sent = self.store.send_codes(holder, Purpose::SignIn, who, limits, to, text);
        sent.await.unwrap()
    }

    async fn sent(&self) -> Vec<String> {
        let all = self.store.messages(1_000).await.unwrap();
        all.into_iter().map(|message| message.text).collect()
    }

    async fn types(&self, holder: &str, digits: &str) -> CodeCheck {
        self.store.try_code(holder, Purpose::SignIn, digits).await.unwrap()
    }
}

/// "While a code is live, asking again sends that same code and counts nothing."
async fn repeated_request_resends_same_live_code(on: On) {
    let fixture = Fixture::new(on).await;
    let limit = RateLimit {
        what: "test",
        times: 2,
        seconds: 86_400,
    };
    let limits = [limit.of(&["x"])];
    let to = [to_phone("C1", "phone")];
    for n in 0..30 {
        let holder = format!("stranger {n}");
        assert_eq!(fixture.asks(&holder, &stranger(), &limits, &to).await, SendResult::Sent);
    }
    assert_eq!(fixture.sent().await.len(), 1, "one message");
    fixture.clock.move_on(61);
    fixture.asks("owner", &stranger(), &limits, &to).await;
    let sent = fixture.sent().await;
    assert!(sent.len() == 2 && sent[0] == sent[1], "the same digits once more");
    // Each browser has its own attempts; a code used in one is used for all.
    for n in 0..3 {
        assert_eq!(
            fixture.types(&format!("stranger {n}"), "no digits").await,
            CodeCheck::Wrong(4)
        );
    }
    assert_eq!(
        fixture.types("owner", &sent[0]).await,
        CodeCheck::Right(vec!["C1".into()])
    );
    assert_eq!(fixture.types("stranger 9", &sent[0]).await, CodeCheck::Over);

    // Twenty wrong attempts, in any browsers, end a short code; the next code is long, and wrong attempts do not end it.
    fixture.asks("owner", &stranger(), &limits, &to).await;
    let short = fixture.sent().await.remove(0);
    for n in 0..20 {
        let holder = format!("guesser {n}");
        fixture.asks(&holder, &stranger(), &limits, &to).await;
        fixture.types(&holder, "no digits").await;
    }
    assert_eq!(fixture.types("owner", &short).await, CodeCheck::Over);
    assert_eq!(
        fixture.asks("owner", &stranger(), &limits, &to).await,
        SendResult::TooOften,
        "two new ones were counted"
    );
    assert_eq!(fixture.asks("owner", &stranger(), &[], &to).await, SendResult::Sent);
    let long = fixture.sent().await.remove(0);
    assert_eq!(long.len(), 12);
    for n in 0..50 {
        let holder = format!("guesser {n}");
        fixture.asks(&holder, &stranger(), &limits, &to).await;
        fixture.types(&holder, "no digits").await;
    }
    assert_eq!(fixture.types("owner", &long).await, CodeCheck::Right(vec!["C1".into()]));
    // It expires by itself.
    fixture.clock.move_on(2 * 86_400);
    fixture.asks("owner", &stranger(), &[], &to).await;
    let late = fixture.sent().await.remove(0);
    assert_eq!(late.len(), 6);
    fixture.clock.move_on(301);
    assert_eq!(fixture.types("owner", &late).await, CodeCheck::Over);
    fixture.asks("owner", &stranger(), &[], &to).await;
    assert_ne!(fixture.sent().await[0], late);
}

/// "Keep a reserve of every ceiling."
async fn message_limit_keeps_reserve_for_known_requesters(on: On) {
    let fixture = Fixture::new(on).await;
    let owner = Requester::Session(id("C1"));
    let mut sent = 0;
    for n in 0..500 {
        let to = [to_phone("C1", &format!("phone {n}"))];
        sent += usize::from(fixture.asks("h", &stranger(), &[], &to).await == SendResult::Sent);
    }
    assert_eq!(sent, 500, "a stranger is told nothing");
    assert_eq!(
        fixture.sent().await.len(),
        400,
        "strangers have two thirds of a minute's"
    );
    assert!(!fixture.store.has_room_for_codes(&stranger()).await.unwrap());
    assert!(fixture.store.has_room_for_codes(&owner).await.unwrap());
    let to = [to_phone("C1", "the owner's")];
    assert_eq!(fixture.asks("o", &owner, &[], &to).await, SendResult::Sent);
    fixture.clock.move_on(60);
    assert!(fixture.store.has_room_for_codes(&stranger()).await.unwrap());
}

/// A code requested several times at once is sent once.
async fn simultaneous_code_requests_send_one_message(on: On) {
    let fixture = Fixture::new(on).await;
    for n in 0..10 {
        let holder = format!("session {n}");
        let clicks = (0..4).map(|_| {
            let (store, holder) = (fixture.store.clone(), holder.clone());
            async move {
                let code = CodeRecipient {
                    subject: "C1".into(),
                    reach: Some(ContactPoint {
                        channel: Channel::Sms,
                        to: "phone".into(),
                    }),
                };
                let text = |digits: &str| digits.to_owned();
                store
                    .send_codes(&holder, Purpose::Idle, &stranger(), &[], &[code], text)
                    .await
            }
        });
        for sent in at_once(clicks).await {
            sent.unwrap();
        }
        let sent = fixture.store.messages(99).await.unwrap();
        assert_eq!(sent.len(), n + 1, "one message");
        let typed = fixture.store.try_code(&holder, Purpose::Idle, &sent[0].text).await;
        assert_eq!(typed.unwrap(), CodeCheck::Right(vec!["C1".into()]));
        fixture.clock.move_on(1);
    }
}

/// After many guesses the codes of the account become longer, and nobody is locked out.
async fn guessed_codes_become_longer_without_lockout(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("C1", 1), citizen("C2", 2)]).await;
    let sent = async |account: &str, holder: &str| {
        // A phone flooded by strangers still has room for its owner's messages.
        let who = match holder {
            "owner" => Requester::Browser("the owner's".into()),
            _ => stranger(),
        };
        let code = CodeRecipient {
            subject: account.into(),
            reach: Some(ContactPoint {
                channel: Channel::Sms,
                to: format!("phone of {account}"),
            }),
        };
        let text = |digits: &str| digits.to_owned();
        let done = fixture
            .store
            .send_codes(holder, Purpose::SignIn, &who, &[], &[code], text)
            .await;
        done.unwrap();
        fixture.clock.move_on(1);
        fixture.store.messages(1).await.unwrap()[0].text.clone()
    };
    let types = async |holder: &str, digits: &str| {
        let typed = fixture.store.try_code(holder, Purpose::SignIn, digits).await;
        typed.unwrap()
    };
    // In all browsers together: each has five attempts of its own, and each code is a new one.
    for n in 0..20 {
        let holder = format!("stranger {n}");
        assert_eq!(sent("C1", &holder).await.len(), 6);
        for _ in 0..5 {
            types(&holder, "no digits").await;
        }
        fixture.clock.move_on(301);
    }
    assert_eq!(sent("C2", "other").await.len(), 6, "of that account only");
    let code = sent("C1", "owner").await;
    assert_eq!(code.len(), 12);
    assert_eq!(types("owner", &code).await, CodeCheck::Right(vec!["C1".into()]));
    fixture.clock.move_on(31 * 86_400);
    assert_eq!(sent("C1", "owner").await.len(), 6);
}

/// "Nothing tells whether one was sent": without a recipient, everything counts and expires as with one.
async fn code_without_recipient_behaves_like_any_other(on: On) {
    let fixture = Fixture::new(on).await;
    let nobody = CodeRecipient {
        subject: "nobody".into(),
        reach: None,
    };
    let both = [to_phone("C1", "phone"), nobody];
    let limit = RateLimit {
        what: "test",
        times: 9,
        seconds: 30 * 86_400,
    };
    let mut ends = 0;
    for round in 0..14 {
        let mut seen = [Vec::new(), Vec::new()];
        for (side, to) in both.iter().enumerate() {
            let limits = [limit.of(&[&side.to_string()])];
            let browsers: Vec<String> = (0..6).map(|n| format!("{side} {n}")).collect();
            let mut typed = Vec::new();
            for browser in &browsers {
                let asked = fixture
                    .asks(browser, &stranger(), &limits, std::slice::from_ref(to))
                    .await;
                typed.push((asked, None));
            }
            for browser in &browsers {
                for _ in 0..5 {
                    typed.push((SendResult::Sent, Some(fixture.types(browser, "no digits").await)));
                }
            }
            ends += usize::from(typed[6 + 20].1 == Some(CodeCheck::Over));
            seen[side] = typed;
        }
        assert_eq!(seen[0], seen[1], "round {round}");
        // While it is valid, after it expired, and after the day.
        fixture.clock.move_on([100, 201, 86_400][round % 3]);
    }
    assert!(ends > 0, "some were over before the last browser typed anything");
    assert!(fixture.sent().await.len() < 20, "and nobody was sent nothing");
}

/// A phone has a daily ceiling; strangers use up nothing of the share of a known browser or a session.
async fn codes_to_one_phone_limited_per_day(on: On) {
    let fixture = Fixture::new(on).await;
    let to = [to_phone("C1", "phone")];
    for n in 0..40 {
        assert_eq!(
            fixture.asks(&format!("stranger {n}"), &stranger(), &[], &to).await,
            SendResult::Sent,
            "it is not told"
        );
        fixture.clock.move_on(301);
    }
    assert_eq!(fixture.sent().await.len(), 20);
    for (n, owner) in [Requester::Browser("known".into()), Requester::Session(id("C1"))]
        .iter()
        .enumerate()
    {
        fixture.asks("owner", owner, &[], &to).await;
        let sent = fixture.sent().await;
        assert_eq!(sent.len(), 21 + n, "{owner:?}");
        assert_eq!(
            fixture.types("owner", &sent[0]).await,
            CodeCheck::Right(vec!["C1".into()])
        );
    }
    // A live code requested by a stranger, whose limit prevented the message, is sent when its owner requests it.
    fixture.asks("stranger", &stranger(), &[], &to).await;
    fixture
        .asks("owner", &Requester::Browser("known".into()), &[], &to)
        .await;
    let sent = fixture.sent().await;
    assert_eq!(sent.len(), 23);
    assert_eq!(
        fixture.types("owner", &sent[0]).await,
        CodeCheck::Right(vec!["C1".into()])
    );
    fixture
        .asks("other", &stranger(), &[], &[to_phone("C2", "another")])
        .await;
    fixture.clock.move_on(86_400);
    fixture.asks("stranger", &stranger(), &[], &to).await;
    assert_eq!(fixture.sent().await.len(), 25);
}

async fn several_accounts_share_a_user_name(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let named = |account: &str, person, hash: Option<&str>| {
        let mut row = citizen(account, person);
        row.stated.username = Some("lehoa".into());
        row.password_hash = hash.map(str::to_owned);
        row
    };
    fixture
        .citizens(vec![named("C1", 1, Some("{SSHA}x")), named("C2", 2, None)])
        .await;
    let found = fixture.store.credentials("lehoa").await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|c| (c.account.as_str(), c.password_hash.as_deref()))
        .collect();
    assert_eq!(found, [("C1", Some("{SSHA}x")), ("C2", None)]);
    assert!(fixture.store.credentials("nobody").await.unwrap().is_empty());
}

/// A user name is found in every notation.
async fn user_name_found_in_every_notation(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let named = |account: &str, username: &str| {
        let mut row = citizen(account, 1);
        row.stated.username = Some(username.to_owned());
        row
    };
    let rows = vec![
        named("C1", "0912345678"),
        named("C2", "Lê.An"),
        named("C3", "lê.an"),
        named("C4", "khac"),
    ];
    fixture.citizens(rows).await;
    for (typed, accounts) in [
        ("0912 345 678", &["C1"][..]),
        ("+84912345678", &["C1"]),
        ("912345678", &["C1"]),
        ("LÊ.AN", &["C2", "C3"]),
        ("le\u{302}.an", &["C2", "C3"]),
        ("le.an", &[]),
        ("KHAC", &["C4"]),
    ] {
        let found = fixture.store.credentials(typed).await.unwrap();
        let found: Vec<&str> = found.iter().map(|one| one.account.as_str()).collect();
        assert_eq!(found, accounts, "{typed}");
    }
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(fixture.store.credentials("0912-345-678").await.unwrap().len(), 1);
    fixture.sound().await;
}

/// The sweep deletes what has expired, and keeps the rest.
async fn sweep_deletes_expired_rows(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("C1", 1)]).await;
    let old = fixture.store.begin_session(&id("C1")).await.unwrap();
    let typed = form("C1", 1).form;
    fixture.store.keep_draft(&id("C1"), &typed).await.unwrap();
    let reach = fixture.store.reach(&id("C1")).await.unwrap();
    let code = CodeRecipient {
        subject: "C1".into(),
        reach,
    };
    let text = |digits: &str| digits.to_owned();
    fixture
        .store
        .send_codes("ticket", Purpose::SignIn, &stranger(), &[], &[code], text)
        .await
        .unwrap();
    fixture.store.add_operator("lan", "test").await.unwrap();
    let limit = |seconds| RateLimit {
        what: "test",
        times: 9,
        seconds,
    };
    // More rows than the sweep deletes in one transaction.
    for n in 0..600 {
        fixture.store.attempt(limit(900), &[&n.to_string()]).await.unwrap();
    }
    let day = limit(86_400);
    fixture.store.attempt(day, &["x"]).await.unwrap();
    assert_eq!(fixture.store.sweep().await.unwrap(), 0);

    // The draft, the code, the live code (without a recipient) and the 600 attempts; the owner of the expired session is kept for a while,
    // and the attempts of the day go on counting.
    fixture.clock.move_on(3_600);
    assert_eq!(fixture.store.sweep().await.unwrap(), 603);
    assert!(fixture.store.was_session_of(old.as_str()).await.unwrap().is_some());
    assert_eq!(fixture.store.attempt(day, &["x"]).await.unwrap(), Some(7));

    fixture.clock.move_on(12 * 3_600);
    let new = fixture.store.begin_session(&id("C1")).await.unwrap();
    assert_eq!(fixture.store.sweep().await.unwrap(), 1);
    assert!(fixture.store.was_session_of(old.as_str()).await.unwrap().is_none());
    assert!(fixture.store.session(new.as_str()).await.unwrap().is_some());

    // The attempts of the day, the session, and the link.
    fixture.clock.move_on(72 * 3_600);
    assert_eq!(fixture.store.sweep().await.unwrap(), 3);
    assert_eq!(fixture.store.sweep().await.unwrap(), 0);

    // A message is kept for thirty days, whatever became of its code.
    let reach = Some(ContactPoint {
        channel: Channel::Sms,
        to: phone(1).as_str().to_owned(),
    });
    let code = CodeRecipient {
        subject: "C1".into(),
        reach,
    };
    fixture
        .store
        .send_codes("ticket", Purpose::SignIn, &stranger(), &[], &[code], text)
        .await
        .unwrap();
    fixture.clock.move_on(29 * 86_400);
    fixture.store.sweep().await.unwrap();
    assert_eq!(fixture.store.messages(9).await.unwrap().len(), 1);
    fixture.clock.move_on(2 * 86_400);
    assert_eq!(fixture.store.sweep().await.unwrap(), 1);
    assert!(fixture.store.messages(9).await.unwrap().is_empty());
    fixture.sound().await;
}

/// An account was imported with another person's phone; that phone gets no code once the owner has standardised.
async fn codes_sent_to_proven_phone(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    let mut row = citizen("C1", 1);
    row.stated.phone = Some(phone(2));
    fixture.citizens(vec![row]).await;
    let reached = async || fixture.store.reach(&AccountId("C1".into())).await.unwrap().unwrap().to;
    assert_eq!(reached().await, phone(2).as_str());
    fixture.submit("C1", 1).await;
    assert_eq!(reached().await, phone(1).as_str());
    let an = fixture.operator("an").await;
    let account = AccountId("C1".into());
    fixture.store.withdraw_claim(&an, &account, "nhầm").await.unwrap();
    assert_eq!(reached().await, phone(2).as_str());
    fixture.sound().await;
}
