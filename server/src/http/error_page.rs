//! The page for an error of the store.

use crate::http::layout::{Layout, MessagePage, html};
use crate::i18n::Locale;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_store::{Refusal, StoreError, has_changed};

/// The error page of a failed store. The visitor reads whether anything was changed; the log has the cause.
pub struct ErrorPage(pub Locale, pub StoreError);

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        let Self(locale, error) = self;
        let in_doubt = matches!(error, StoreError::InDoubt(_));
        let (status, name, code) = match error {
            StoreError::Refused(Refusal::Nul) => (StatusCode::BAD_REQUEST, "nul", "S-400"),
            _ => {
                tracing::error!("{error}");
                (StatusCode::SERVICE_UNAVAILABLE, "fault", "S-500")
            }
        };
        let text = match name {
            "fault" if in_doubt => "fault-unknown-text".to_owned(),
            "fault" if has_changed() => "fault-text-changed".to_owned(),
            _ => format!("{name}-text"),
        };
        let layout = Layout::bare(locale).failing(code);
        let title = locale.text(&format!("{name}-title"));
        html(status, &MessagePage::new(layout, title, locale.text(&text)))
    }
}

#[cfg(test)]
mod tests {
    use crate::http::ErrorPage;
    use crate::tests::{Site, fixtures, vietnamese};
    use axum::body::to_bytes;
    use axum::response::IntoResponse;
    use ngomon_store::{StoreError, watched};

    /// The page of a POST that changes something, or nothing, and then fails.
    async fn failing(site: &Site, name: Option<&str>) -> String {
        let (page, _) = watched(async {
            if let Some(name) = name {
                site.store.add_operator(name, "test").await.unwrap();
            }
            ErrorPage(vietnamese(), StoreError::Busy).into_response()
        })
        .await;
        assert_eq!(page.status(), 503);
        String::from_utf8(to_bytes(page.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
    }

    /// The error page says that nothing was changed only if that is certain.
    #[tokio::test(flavor = "multi_thread")]
    async fn error_page_mentions_possible_changes_after_write() {
        let site = Site::of([("units", fixtures("demo").join("units.csv"))]).await;
        let (before, after) = (failing(&site, None).await, failing(&site, Some("lan")).await);
        let [nothing, perhaps] = ["fault-text", "fault-text-changed"].map(|key| vietnamese().text(key));
        assert!(before.contains(&nothing) && !before.contains(&perhaps));
        assert!(after.contains(&perhaps) && !after.contains(&nothing));
    }

    /// After a commit of unknown outcome, the error page says that the outcome is unknown.
    #[tokio::test]
    async fn unknown_commit_outcome_stated_on_error_page() {
        let page = ErrorPage(vietnamese(), StoreError::InDoubt("lost".into())).into_response();
        let text = to_bytes(page.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let [nothing, unknown] = ["fault-text", "fault-unknown-text"].map(|key| vietnamese().text(key));
        assert!(text.contains(&unknown) && !text.contains(&nothing));
    }
}
