//! A flag that shows whether the current operation may already have changed the journal. After an error, the caller then does not claim
//! that nothing was changed.

use std::cell::Cell;

tokio::task_local! {
    static CHANGED: Cell<bool>;
}

/// Runs an operation. Also returns whether it wrote entries to the journal, or may have.
pub async fn watched<T>(doing: impl Future<Output = T>) -> (T, bool) {
    let doing = async {
        let done = doing.await;
        (done, has_changed())
    };
    CHANGED.scope(Cell::new(false), doing).await
}

/// Whether the current operation wrote entries to the journal, or may have.
pub fn has_changed() -> bool {
    CHANGED.try_with(Cell::get).unwrap_or_default()
}

/// Records that the current operation changed the journal, or that this is unknown.
pub(crate) fn note() {
    CHANGED.try_with(|changed| changed.set(true)).ok();
}
