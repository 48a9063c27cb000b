//! Has what is being done changed anything yet? Whoever fails then does not say that nothing was changed.

use std::cell::Cell;

tokio::task_local! {
    static CHANGED: Cell<bool>;
}

/// Does something, and says whether entries of the journal came of it, or may have come.
pub async fn watched<T>(doing: impl Future<Output = T>) -> (T, bool) {
    let doing = async {
        let done = doing.await;
        (done, has_changed())
    };
    CHANGED.scope(Cell::new(false), doing).await
}

/// Did entries of the journal come of what is being done, or may they have come?
pub fn has_changed() -> bool {
    CHANGED.try_with(Cell::get).unwrap_or_default()
}

/// They did, or it is not known.
pub(crate) fn note() {
    CHANGED.try_with(|changed| changed.set(true)).ok();
}
