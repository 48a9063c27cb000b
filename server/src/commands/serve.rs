//! `ngomon serve`: the pages.

use super::{Desk, Done};
use crate::cli::Serve;
use crate::failure::{Failure, Result};
use crate::password::Leaked;
use crate::web::{App, router};
use crate::workers;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tower_http::csrf::CsrfLayer;

/// Serves until it is told to stop; what is being answered then is answered to its end.
pub async fn run(desk: &Desk, args: &Serve) -> Result<Done> {
    let store = desk.open().await?;
    let sandbox = store.is_sandbox().await?;
    let mut app = App::new(store, sandbox);
    if let Some(path) = &args.leaked_passwords {
        let at = path.display().to_string();
        let bad = |e: std::io::Error| Failure::said("error-leaked", &[("path", &at), ("why", &e.to_string())]);
        app.leaked = Some(Arc::new(Leaked::open(path).map_err(bad)?));
    }
    listen(desk, app, args.listen, args.public_url.as_deref()).await
}

/// Listens there, and says where. `public_url`: as browsers know it, where a proxy stands before it.
pub async fn listen(desk: &Desk, app: App, at: SocketAddr, public_url: Option<&str>) -> Result<Done> {
    let mut csrf = CsrfLayer::new();
    if let Some(url) = public_url {
        let bad = |_| Failure::said("error-public-url", &[("url", url)]);
        csrf = csrf.add_trusted_origin(url.trim_end_matches('/')).map_err(bad)?;
    }
    let address = at.to_string();
    let refused = |e: std::io::Error| Failure::said("error-listen", &[("address", &address), ("why", &e.to_string())]);
    let listener = TcpListener::bind(at).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    // Whoever reads the address may tell us to stop at once.
    let stop = told_to_stop().map_err(refused)?;
    let local = format!("http://localhost:{}", bound.port());
    desk.tell("serve-open", &[("url", public_url.unwrap_or(&local))]);
    let app = app.at(public_url.unwrap_or(&local));
    app.store.tend_signing_keys().await?;
    workers::start(&app)?;
    let board = app.board.clone();
    let service = router(app, csrf).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        board.close();
    });
    served.await.map_err(refused)?;
    Ok(Done::Yes)
}

/// Ends when the process is told to stop; from now on that does not kill it.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
