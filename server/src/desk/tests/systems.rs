//! Tests of connected systems at the desk.

use crate::tests::{Site, TestResponse};
use axum::http::StatusCode;

/// The client secret that the page shows once.
fn secret(page: &TestResponse) -> Option<&str> {
    let text = page
        .text
        .split("client_secret</dt>")
        .nth(1)?
        .split("typed-secret\">")
        .nth(1)?;
    text.split('<').next()
}

/// An operator adds, edits, rotates, disables and removes a client.
#[allow(clippy::too_many_lines, reason = "the life of one system, from page to page")]
#[tokio::test(flavor = "multi_thread")]
async fn operator_manages_client_through_its_life() {
    let site = Site::bare().await;
    let cookie = site.operator("an").await;
    let usual = [
        ("name", "Quản lý văn bản"),
        ("redirect_uris", "https://vanban.example/cb  https://vanban.example/cb2"),
        ("resources", "https://vanban.example/api https://vanban.example/v2"),
        ("scopes", "standardisation"),
        ("kinds", "official"),
    ];
    for (wrong, field) in [
        (("name", ""), "name"),
        (("redirect_uris", "http://vanban.example/cb"), "redirect_uris"),
        (("redirect_uris", ""), "redirect_uris"),
        (("backchannel_uri", "ftp://x"), "backchannel_uri"),
        (("resources", "http://vanban.example/api"), "resources"),
        (
            ("resources", "https://vanban.example/api https://vanban.example/api"),
            "resources",
        ),
        (("kinds", "operator"), "kinds"),
    ] {
        let fields: Vec<_> = usual
            .iter()
            .copied()
            .filter(|(name, _)| ![wrong.0, "resources"].contains(name))
            .chain([wrong])
            .collect();
        let page = site.post("/desk/systems/new", &cookie, &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
        assert!(
            page.text.contains(&format!("href=\"#{field}\"")),
            "{wrong:?}: {}",
            page.text
        );
        assert!(
            wrong.0 == "name" || page.text.contains("value=\"Quản lý văn bản\""),
            "what was typed is kept"
        );
    }
    assert!(site.store.clients().await.unwrap().is_empty());

    let added = site.post("/desk/systems/new", &cookie, &usual).await;
    let first = secret(&added).unwrap().to_owned();
    let known = site.store.clients().await.unwrap().pop().unwrap();
    assert!(known.secret_fits(&first, site.store.now()));
    assert_eq!(known.client.redirect_uris.len(), 2);
    let at = format!("/desk/systems/{}", known.id);
    let shown = site.get(&at, &cookie).await;
    assert!(secret(&shown).is_none(), "shown once");
    assert!(shown.says("column-resources") && shown.text.contains("https://vanban.example/v2"));
    for said in ["systems-issuer", "systems-subjects-public", "scope-standardisation"] {
        assert!(shown.says(said), "{said}: {}", shown.text);
    }
    assert!(
        shown.text.contains("http://localhost<"),
        "what is handed over: {}",
        shown.text
    );
    let unknown = site.get("/desk/systems/nobody", &cookie).await;
    assert!(
        unknown.says("systems-unknown") && !unknown.text.contains("ngomon client"),
        "{}",
        unknown.text
    );
    let borne = [
        ("name", "Khác"),
        ("kinds", "official"),
        ("resources", "https://vanban.example/v2"),
    ];
    let borne = site.post("/desk/systems/new", &cookie, &borne).await;
    assert!(borne.status == StatusCode::UNPROCESSABLE_ENTITY && borne.text.contains("href=\"#resources\""));
    assert!(
        site.get("/desk/systems", &cookie)
            .await
            .text
            .contains(known.id.as_str())
    );
    let twice = site.post("/desk/systems/new", &cookie, &usual).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);

    let edit = format!("{at}/edit");
    let form = site.get(&edit, &cookie).await;
    assert!(form.says("systems-edit-title") && form.text.contains("https://vanban.example/v2"));
    let other: Vec<_> = usual
        .iter()
        .copied()
        .filter(|(name, _)| *name != "redirect_uris")
        .chain([("redirect_uris", "https://moi.example/cb")])
        .collect();
    let edited = site.post(&edit, &cookie, &other).await;
    assert!(site.get(edited.goes_to(), &cookie).await.says("systems-done-edit"));
    let now = site.store.clients().await.unwrap().pop().unwrap();
    assert_eq!(now.client.redirect_uris, ["https://moi.example/cb"]);
    assert!(now.secret_fits(&first, site.store.now()) && now.client.resources == known.client.resources);
    let unnamed = [
        ("name", ""),
        ("redirect_uris", "https://moi.example/cb"),
        ("kinds", "official"),
    ];
    let unnamed = site.post(&edit, &cookie, &unnamed).await;
    assert!(unnamed.status == StatusCode::UNPROCESSABLE_ENTITY && unnamed.text.contains("href=\"#name\""));

    let ids = format!("{at}/subjects");
    for (list, wrong) in [("account_id\nCV1", true), ("account_id,subject\nnobody,u1", true)] {
        let page = site.post(&ids, &cookie, &[("subjects", list)]).await;
        assert_eq!(page.status == StatusCode::UNPROCESSABLE_ENTITY, wrong, "{list}");
    }

    let keys = site.get("/desk/systems/keys", &cookie).await;
    assert!(keys.says("keys-title"));
    site.store.tend_signing_keys().await.unwrap();
    let before = site.store.key_lines().await.unwrap();
    let replaced = site.post("/desk/systems/keys", &cookie, &[]).await;
    let page = site.get(replaced.goes_to(), &cookie).await;
    assert!(page.says("keys-replaced") && page.says("key-retired") && page.text.contains(&before[0].id));
    let gone = [("revoke", before[0].id.as_str())];
    let page = site.post("/desk/systems/keys", &cookie, &gone).await;
    assert!(site.get(page.goes_to(), &cookie).await.says("key-revoked"));

    for verb in ["rotate", "disable", "enable", "remove"] {
        assert!(
            site.get(&format!("{at}/{verb}"), &cookie)
                .await
                .says(&format!("systems-{verb}-happens"))
        );
    }
    let rotated = site.post(&format!("{at}/rotate"), &cookie, &[]).await;
    assert_ne!(secret(&rotated).unwrap(), first);
    let after = site.post(&format!("{at}/disable"), &cookie, &[]).await;
    assert!(site.get(after.goes_to(), &cookie).await.says("systems-done-disable"));
    assert!(!site.store.clients().await.unwrap()[0].enabled);
    site.post(&format!("{at}/enable"), &cookie, &[]).await;
    assert!(site.store.clients().await.unwrap()[0].enabled);
    let removed = site.post(&format!("{at}/remove"), &cookie, &[]).await;
    assert!(site.get(removed.goes_to(), &cookie).await.says("systems-done-remove"));
    assert_eq!(site.get(&at, &cookie).await.status, StatusCode::NOT_FOUND);
    for nowhere in ["/desk/systems/x/rotate", "/desk/systems/x/steal"] {
        assert_eq!(site.post(nowhere, &cookie, &[]).await.status, StatusCode::NOT_FOUND);
    }
    assert!(site.get("/desk/systems/told", &cookie).await.says("told-nothing"));
    site.sound().await;
}

/// Only operators find the pages of the clients.
#[tokio::test(flavor = "multi_thread")]
async fn client_pages_not_found_for_non_operators() {
    let site = Site::citizens().await;
    let citizen = site.signed_in("HS0000001").await;
    for cookie in ["", citizen.as_str()] {
        for path in [
            "/desk/systems",
            "/desk/systems/new",
            "/desk/systems/told",
            "/desk/systems/x",
            "/desk/systems/x/remove",
            "/desk/systems/x/edit",
            "/desk/systems/x/subjects",
            "/desk/systems/keys",
        ] {
            let page = site.get(path, cookie).await;
            assert!(
                page.status == StatusCode::NOT_FOUND && page.says("missing-title"),
                "{path}"
            );
            assert_eq!(
                site.post(path, cookie, &[]).await.status,
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    }
}
