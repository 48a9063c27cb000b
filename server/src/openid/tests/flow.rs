//! The authorization code flow without obstacles, and the claims that the client gets.

use crate::openid::tests::{CALLBACK, Rp, VERIFIER, claims, hues, site};
use crate::tests::{Site, rows};
use base64::Engine as _;
use ngomon_rules::citizens::{Outcome, Paper, RegistryAnswer};
use ngomon_rules::client::{Algorithm, Authentication, Client, SubjectKind};
use ngomon_rules::records::{AccountId, Form, Submission};
use ngomon_rules::values::{NationalId, Phone};
use ngomon_store::PapersSeen;
use serde_json::json;
use std::collections::HashMap;

/// An official signs in to one client, and to a second one without typing the password again.
#[tokio::test(flavor = "multi_thread")]
async fn official_signs_in_once_for_two_clients() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let asked = site.get(&rp.request(&[]), "").await;
    assert!(
        asked.goes_to().starts_with("/sign-in?to=%2Fauthorize%3F"),
        "{}",
        asked.goes_to()
    );
    let form = site.get(asked.goes_to(), "").await;
    let action = form
        .text
        .split("action=\"")
        .find(|part| part.starts_with("/sign-in?to"))
        .unwrap();
    let action = action
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let typed = [("username", "canbo001"), ("password", "Hue-CV001")];
    let entered = site.post(&action, "", &typed).await;
    let cookie = entered.cookie();
    assert_eq!(entered.goes_to(), "/");
    let on = site.get("/", &cookie).await;
    assert!(on.says("go-on-title") && on.text.contains("http-equiv=\"refresh\""));
    let back = on
        .text
        .split("href=\"")
        .find(|part| part.starts_with("/authorize?"))
        .unwrap();
    let back = back
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let answer = site.get(&back, &cookie).await;
    assert!(answer.goes_to().starts_with(CALLBACK), "{}", answer.text);
    assert_eq!(answer.sent("state").unwrap(), "st");
    assert_eq!(answer.sent("iss").unwrap(), "http://localhost");
    let tokens = rp.redeem(&site, &answer.sent("code").unwrap()).await;
    assert_eq!(tokens.headers["cache-control"], "no-store");
    assert_eq!(tokens.headers["pragma"], "no-cache", "RFC 6749, 5.1");
    let tokens = tokens.json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        (&id["nonce"], &id["aud"], &id["amr"]),
        (&json!("no"), &json!(rp.id), &json!(["pwd"]))
    );
    let access = tokens["access_token"].as_str().unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, access.as_bytes());
    assert_eq!(
        id["at_hash"],
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
    );
    let info = site.userinfo(access).await.json();
    assert_eq!(info["sub"], id["sub"]);
    assert_eq!(info["preferred_username"], "canbo001");
    assert!(info.get("phone_number").is_none() && info.get("national_id").is_none());
    assert!(!site.get("/", &cookie).await.says("go-on-title"), "led on once");

    let second = site
        .rp(Client {
            name: "Văn bản".into(),
            ..hues()
        })
        .await;
    let two = second.tokens(&site, &cookie, &[("prompt", "none")]).await;
    assert_eq!(
        claims(two["id_token"].as_str().unwrap())["sub"],
        id["sub"],
        "public subjects are one"
    );
    site.sound().await;
}

/// The claims are limited to those that were requested and that the client is allowed.
#[tokio::test(flavor = "multi_thread")]
async fn claims_limited_to_requested_and_allowed_scopes() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let scope = "openid profile phone email national_id employment standardisation";
    let all = rp.tokens(&site, &cookie, &[("scope", scope)]).await;
    let info = site.userinfo(all["access_token"].as_str().unwrap()).await.json();
    assert!(!info["employment"]["employee_code"].as_str().unwrap().is_empty());
    assert!(info["employment"]["unit_name"].is_string() && info["national_id"].is_string());
    assert_eq!(info["national_id_verified"], false, "no profile says so");
    assert!(
        info.get("standardisation").is_none(),
        "letter 125 is not for officials' accounts"
    );

    let asked = r#"{"userinfo":{"phone_number":null},"id_token":{"name":{"essential":true},"email":null}}"#;
    let one = rp
        .tokens(&site, &cookie, &[("scope", "openid"), ("claims", asked)])
        .await;
    let info = site.userinfo(one["access_token"].as_str().unwrap()).await.json();
    assert!(info["phone_number"].is_string() && info.get("name").is_none());
    assert!(claims(one["id_token"].as_str().unwrap())["name"].is_string());

    let mut poor = hues();
    (poor.name, poor.scopes) = ("Nghèo".into(), Vec::new());
    let poor = site.rp(poor).await;
    let one = poor
        .tokens(&site, &cookie, &[("scope", scope), ("claims", asked)])
        .await;
    assert_eq!(one["scope"], "openid");
    let info = site.userinfo(one["access_token"].as_str().unwrap()).await.json();
    assert_eq!(info.as_object().unwrap().len(), 1, "{info}");
}

/// "An account taken over" may state anybody's number and phone; what its owner proved is another thing.
#[tokio::test(flavor = "multi_thread")]
async fn standardised_account_claims_contain_proven_values() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let told = async |account: &str| {
        let cookie = site.signed_in(account).await;
        site.post("/form/put-off", &cookie, &[]).await;
        let tokens = rp
            .tokens(&site, &cookie, &[("scope", "openid profile phone national_id")])
            .await;
        let info = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        [
            "name",
            "national_id",
            "national_id_verified",
            "phone_number",
            "phone_number_verified",
        ]
        .map(|name| info[name].clone())
    };
    // Standardised with the numbers of two other people: the registry has a phone of the first and none of the second.
    for (account, number, knows_phone) in [("HS005", "046194100111", true), ("HS001", "046069100074", false)] {
        let before = told(account).await;
        assert_eq!((&before[2], &before[4]), (&json!(false), &json!(false)), "{account}");
        let number = NationalId::try_from(number.to_owned()).unwrap();
        let RegistryAnswer::Found(mut record) = site.store.registry(number).await.unwrap() else {
            panic!("{number:?} is in the registry");
        };
        let form = Form {
            full_name: record.full_name.as_str().to_owned(),
            national_id: number.as_str().to_owned(),
            issued_on: record.issued_on.unwrap().to_string(),
            phone: record.phone.as_ref().unwrap().as_str().to_owned(),
        };
        if !knows_phone {
            record.phone = None;
        }
        let phone = record.phone.as_ref().map(|phone| json!(phone.as_str()));
        let name = json!(record.full_name.as_str());
        let sent = Submission {
            seq: String::new(),
            account: AccountId(account.into()),
            form,
            submitted_at: None,
            notice: None,
        };
        let registry = RegistryAnswer::Found(record);
        let done = site.store.standardise_as_answered(&sent, account, registry, true);
        assert_eq!(done.await.unwrap().outcome, Outcome::Standardised);
        let phone = phone.unwrap_or_else(|| before[3].clone());
        let proven = [name, json!(number.as_str()), json!(true), phone, json!(knows_phone)];
        assert_eq!(told(account).await, proven, "{account}");
    }
}

/// The national id of an official is verified by the HR profile.
#[tokio::test(flavor = "multi_thread")]
async fn national_id_of_official_verified_by_hr_profile() {
    let site = Site::sample().await;
    let rp = site.rp(hues()).await;
    let profiles = rows("profiles.csv");
    let of = |code: &str| profiles.iter().find(|one| one["employee_code"] == code).unwrap();
    let told = async |account: &str| {
        let cookie = site.signed_in(account).await;
        let tokens = rp.tokens(&site, &cookie, &[("scope", "openid national_id")]).await;
        let info = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        (info["national_id"].clone(), info["national_id_verified"].clone())
    };
    let lacking = rows("officials.csv").into_iter().find(|one| {
        one["national_id"].is_empty()
            && !one["employee_code"].is_empty()
            && of(&one["employee_code"])["national_id"].len() == 12
    });
    let lacking = lacking.unwrap();
    let number = &of(&lacking["employee_code"])["national_id"];
    assert_eq!(told(&lacking["account_id"]).await, (json!(number), json!(true)));
}

/// "Phone, e-mail and position are taken over from HR", which vouches for them; and the name and unit claims that common software reads.
#[tokio::test(flavor = "multi_thread")]
async fn official_claims_have_hr_contacts_name_parts_and_groups() {
    let site = Site::sample().await;
    let rp = site.rp(hues()).await;
    let profiles = rows("profiles.csv");
    let officials = rows("officials.csv");
    let with_mail = officials.iter().find_map(|one| {
        let profile = profiles
            .iter()
            .find(|profile| !one["employee_code"].is_empty() && profile["employee_code"] == one["employee_code"])?;
        (profile["email"].contains('@') && profile["phone"].starts_with("+84") && profile["status"] == "working")
            .then_some((one, profile))
    });
    let (official, profile) = with_mail.unwrap();
    let cookie = site.signed_in(&official["account_id"]).await;
    let scope = [("scope", "openid profile email phone employment")];
    let tokens = rp.tokens(&site, &cookie, &scope).await;
    let info = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(
        (&info["email"], &info["email_verified"]),
        (&json!(profile["email"]), &json!(true))
    );
    assert_eq!(
        (&info["phone_number"], &info["phone_number_verified"]),
        (&json!(profile["phone"]), &json!(true))
    );
    let [name, family, given] = ["name", "family_name", "given_name"].map(|one| info[one].as_str().unwrap());
    assert_eq!(format!("{family} {given}"), name);
    assert!(!family.contains(' '));
    let groups = info["groups"].as_array().unwrap();
    assert_eq!(groups[0], info["employment"]["unit"]);
    assert!(groups.len() > 1, "with the units above it: {groups:?}");
}

/// A counter's phone is newer than HR's, which is newer than the account's own. Clients are never given the lost one.
#[tokio::test(flavor = "multi_thread")]
async fn phone_claim_is_newest_known_phone() {
    let site = Site::sample().await;
    let rp = site.rp(hues()).await;
    let profiles = rows("profiles.csv");
    let own = |one: &HashMap<String, String>| {
        let theirs = |profile: &&HashMap<String, String>| profile["employee_code"] == one["employee_code"];
        let profile = profiles
            .iter()
            .filter(|_| !one["employee_code"].is_empty())
            .find(theirs)?;
        let phones = [&one["phone"], &profile["phone"]];
        let differ = phones.iter().all(|phone| phone.starts_with("+84")) && phones[0] != phones[1];
        let fits = differ && profile["status"] == "working" && !one["password_hash"].is_empty();
        fits.then(|| (one["account_id"].clone(), profile["phone"].clone()))
    };
    let (account, of_hr) = rows("officials.csv").iter().find_map(own).unwrap();
    let cookie = site.signed_in(&account).await;
    let tokens = rp.tokens(&site, &cookie, &[("scope", "openid phone")]).await;
    let told = async || {
        let info = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        (info["phone_number"].clone(), info["phone_number_verified"].clone())
    };
    assert_eq!(told().await, (json!(of_hr), json!(true)));

    let permit = site
        .visit(&site.operator("an").await)
        .await
        .unwrap()
        .operator()
        .unwrap();
    let (phone, _) = Phone::parse("0912345678").unwrap();
    let seen = PapersSeen {
        papers: vec![Paper::IdCard],
        why: "mất máy".into(),
    };
    let account = AccountId(account);
    site.store.change_phone(&permit, &account, &phone, &seen).await.unwrap();
    assert_eq!(
        told().await,
        (json!("+84912345678"), json!(false)),
        "papers were seen, and no code shown"
    );
}

/// The code is redeemed by then: the ID token has fewer claims, and the client need not present the code again.
#[tokio::test(flavor = "multi_thread")]
async fn unreadable_claims_omitted_and_tokens_still_issued() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let asked = [("claims", r#"{"id_token":{"name":null}}"#)];
    let (first, code) = (
        rp.tokens(&site, &cookie, &asked).await,
        rp.code(&site, &cookie, &asked).await,
    );
    let whole = claims(first["id_token"].as_str().unwrap());
    assert!(whole["name"].is_string());
    site.sql("UPDATE personal_value SET sealed = x'00' WHERE id = (SELECT value FROM account_row WHERE id = 'CV001')");
    for answer in [
        rp.redeem(&site, &code).await,
        rp.refresh(&site, first["refresh_token"].as_str().unwrap()).await,
    ] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = claims(answer.json()["id_token"].as_str().unwrap());
        assert!(token["sub"] == whole["sub"] && token.get("name").is_none(), "{token}");
        let told = site.userinfo(answer.json()["access_token"].as_str().unwrap()).await;
        assert_eq!(told.status, 503, "which spends nothing");
    }
}

/// Each kind of subject and each signing algorithm works as registered for the client.
#[tokio::test(flavor = "multi_thread")]
async fn subject_kinds_and_signing_algorithms_work_as_registered() {
    let site = site().await;
    let cookie = site.signed_in("CV001").await;
    let mut subjects = Vec::new();
    for (kind, algorithm) in SubjectKind::ALL.iter().zip(Algorithm::ALL) {
        let client = Client {
            name: kind.name().into(),
            subjects: *kind,
            algorithm: *algorithm,
            ..hues()
        };
        let rp = site.rp(client).await;
        let tokens = rp.tokens(&site, &cookie, &[]).await;
        let token = tokens["id_token"].as_str().unwrap();
        let header = jsonwebtoken::decode_header(token).unwrap();
        assert_eq!(header.alg, crate::security::token_signer::library(*algorithm));
        let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&site.get("/jwks", "").await.text).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = jsonwebtoken::Validation::new(header.alg);
        validation.set_audience(&[&rp.id]);
        validation.validate_exp = false;
        jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).unwrap();
        let again = rp.tokens(&site, &site.signed_in("CV001").await, &[]).await;
        let [one, two] = [&tokens, &again].map(|t| claims(t["id_token"].as_str().unwrap())["sub"].clone());
        assert_eq!(one, two, "the same at each sign-in");
        subjects.push(one);
    }
    assert_eq!(subjects[0], "CV001");
    assert!(subjects[1] != subjects[2] && subjects[2] != subjects[0]);
    let private = ["\"d\"", "\"p\"", "\"q\""];
    let published = site.get("/jwks", "").await.text;
    assert!(private.iter().all(|part| !published.contains(part)), "{published}");
}

/// A refresh gives a new refresh token, and its access token may have a narrower scope.
#[tokio::test(flavor = "multi_thread")]
async fn refresh_rotates_token_and_may_narrow_scope() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let mut tokens = rp.tokens(&site, &cookie, &[("scope", "openid profile phone")]).await;
    for _ in 0..3 {
        let next = rp.refresh(&site, tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(next.status, 200, "{}", next.text);
        let next = next.json();
        assert_ne!(next["refresh_token"], tokens["refresh_token"]);
        assert_eq!(next["scope"], tokens["scope"]);
        let [old, new] = [&tokens, &next].map(|t| claims(t["id_token"].as_str().unwrap()));
        assert_eq!(
            (&old["sub"], &old["auth_time"], &old["sid"]),
            (&new["sub"], &new["auth_time"], &new["sid"])
        );
        tokens = next;
    }
    let asked = |scope: &'static str, token: String| {
        let (site, rp) = (&site, &rp);
        async move {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", &token),
                ("scope", scope),
            ];
            site.form_to("/token", Some(rp), &fields).await
        }
    };
    let token = tokens["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(asked("openid email", token.clone()).await.error(), "invalid_scope");
    let less = asked("openid", token).await.json();
    assert_eq!(less["scope"], "openid");
    let info = site.userinfo(less["access_token"].as_str().unwrap()).await.json();
    assert!(info.get("name").is_none());
    let whole = rp.refresh(&site, less["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!(
        whole["scope"], "openid profile phone",
        "the refresh token was not narrowed"
    );
}

/// Without `offline_access`, all tokens end with the session.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_without_offline_access_end_with_session() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let session = rp.tokens(&site, &cookie, &[]).await;
    let offline = rp.tokens(&site, &cookie, &[("scope", "openid offline_access")]).await;
    site.post("/sign-out", &cookie, &[]).await;
    assert!(!site.is_active(&rp, session["access_token"].as_str().unwrap()).await);
    assert_eq!(
        rp.refresh(&site, session["refresh_token"].as_str().unwrap())
            .await
            .error(),
        "invalid_grant"
    );
    assert!(site.is_active(&rp, offline["access_token"].as_str().unwrap()).await);
    let next = rp
        .refresh(&site, offline["refresh_token"].as_str().unwrap())
        .await
        .json();

    // "All sessions ended by owner": all other sessions, and the grants that outlive a session, too.
    let here = site.signed_in("CV001").await;
    site.post("/sessions/close-others", &here, &[]).await;
    assert_eq!(
        rp.refresh(&site, next["refresh_token"].as_str().unwrap()).await.error(),
        "invalid_grant"
    );
}

/// The client credentials grant works for clients that are allowed it.
#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_grant_only_where_allowed() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let asked = [("grant_type", "client_credentials")];
    assert_eq!(
        site.form_to("/token", Some(&rp), &asked).await.error(),
        "unauthorized_client"
    );
    let mut machine = Client::new("Máy", Vec::new());
    machine.client_credentials = true;
    let machine = site.rp(machine).await;
    let tokens = site.form_to("/token", Some(&machine), &asked).await.json();
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
    let token = tokens["access_token"].as_str().unwrap();
    assert!(site.is_active(&machine, token).await);
    assert!(
        !site.is_active(&rp, token).await,
        "another client is told nothing of it"
    );
    assert_eq!(site.userinfo(token).await.status, 403);
    site.move_on(601);
    assert!(!site.is_active(&machine, token).await);
}

/// A public client gets tokens with PKCE, and another one authenticates by signed assertions.
#[tokio::test(flavor = "multi_thread")]
async fn public_and_private_key_jwt_clients_get_tokens() {
    let site = site().await;
    let cookie = site.signed_in("CV001").await;
    let mut app = hues();
    app.authentication = Authentication::None;
    let app = site.rp(app).await;
    let code = app.code(&site, &cookie, &[]).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", &app.id),
    ];
    assert_eq!(site.form_to("/token", None, &fields).await.status, 200);
    let told = site
        .form_to("/introspect", None, &[("token", "x"), ("client_id", &app.id)])
        .await;
    assert_eq!(told.error(), "invalid_client");

    let pair =
        aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = jsonwebtoken::EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, jsonwebtoken::Algorithm::ES256).unwrap();
    jwk.common.key_id = Some("one".into());
    let mut signs = hues();
    (signs.name, signs.authentication) = ("Ký".into(), Authentication::PrivateKey);
    signs.jwks = Some(json!({ "keys": [jwk] }).to_string());
    let signs = site.rp(signs).await;
    let now = site.store.now().as_second();
    let good = json!({"iss": signs.id, "sub": signs.id, "aud": "http://localhost/token", "jti": "a", "exp": now + 60});
    let assert = |claims: serde_json::Value| {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
        header.kid = Some("one".into());
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    };
    let ask_beside = async |named: &Rp, assertion: String| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", "none"),
            ("client_id", named.id.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &assertion),
        ];
        site.form_to("/token", None, &fields).await.error()
    };
    let ask = async |assertion: String| ask_beside(&signs, assertion).await;
    assert_eq!(
        ask(assert(good.clone())).await,
        "invalid_grant",
        "the client is known, the token is not"
    );
    assert_eq!(
        ask(assert(good.clone())).await,
        "invalid_client",
        "an assertion is good once"
    );
    for (name, value) in [
        ("aud", json!("https://elsewhere.example")),
        ("exp", json!(now - 120)),
        ("exp", json!(now + 90_000)),
        ("nbf", json!(now + 900)),
        ("sub", json!("another")),
        ("iss", json!("another")),
        ("jti", json!(null)),
    ] {
        let mut bad = good.clone();
        bad["jti"] = json!(format!("{name}{value}"));
        bad[name] = value;
        assert_eq!(ask(assert(bad.clone())).await, "invalid_client", "{bad}");
    }
    for (n, ours) in ["http://localhost", "http://localhost/par"].iter().enumerate() {
        let mut one = good.clone();
        (one["jti"], one["aud"]) = (json!(format!("aud {n}")), json!([ours]));
        assert_eq!(ask(assert(one)).await, "invalid_grant", "{ours}");
    }
    let mut named = good.clone();
    named["jti"] = json!("named");
    let two = ask_beside(&app, assert(named)).await;
    assert_eq!(two, "invalid_client", "another client is named beside it");
    let mut other = good;
    other["jti"] = json!("b");
    let hmac = jsonwebtoken::encode(
        &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256),
        &other,
        &jsonwebtoken::EncodingKey::from_secret(b"x"),
    );
    assert_eq!(ask(hmac.unwrap()).await, "invalid_client");
    assert_eq!(ask("a.b.c".into()).await, "invalid_client");
}

/// The machine's clock goes back a day: then no key may sign, and nothing is spent for a response that cannot be made.
#[tokio::test(flavor = "multi_thread")]
async fn failed_signature_spends_no_code_or_token() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens(&site, &cookie, &[]).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let code = rp.code(&site, &cookie, &[]).await;
    let day = 86_400 * 1_000_000;
    site.clock.0.fetch_sub(2 * day, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(rp.refresh(&site, refresh).await.status, 503);
    assert_eq!(rp.redeem(&site, &code).await.status, 503);
    site.clock.0.fetch_add(2 * day, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(rp.refresh(&site, refresh).await.status, 200);
    assert_eq!(rp.redeem(&site, &code).await.status, 200);
}
