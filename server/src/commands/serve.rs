//! The command `ngomon serve`: the web server.

use crate::app::App;
use crate::cli::args::Serve;
use crate::cli::error_text::{CommandError, Result, listening};
use crate::commands::context::{CommandContext, ExitStatus};
use crate::net::{Bounds, Proxies, network, public_url, serve};
use crate::router::router;
use crate::security::password::LeakedPasswords;
use crate::{log, workers};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::csrf::CsrfLayer;

/// Serves until the process gets a stop signal; requests in progress are completed then.
pub async fn run(ctx: &CommandContext, args: &Serve) -> Result<ExitStatus> {
    let _log = log::start(args.log.into());
    // A visitor's request does not wait for the workers, and never long.
    let store = ctx.open_to_change().await?.for_requests()?;
    let store = store.with_refresh_again(Duration::from_secs(args.refresh_again));
    let sandbox = store.is_sandbox().await?;
    let mut app = App::new(store, sandbox);
    app.tells_inner |= args.private_clients;
    if let Some(path) = &args.leaked_passwords {
        let at = path.display().to_string();
        let bad =
            |e: std::io::Error| CommandError::error_text("error-leaked", &[("path", &at), ("why", &e.to_string())]);
        app.leaked = Some(Arc::new(LeakedPasswords::open(path).map_err(bad)?));
    }
    let unknown = |text: &String| CommandError::error_text("error-trusted-proxies", &[("typed", text)]);
    let proxies = args.trusted_proxies.iter().filter(|text| !text.trim().is_empty());
    let proxies = proxies.map(|text| network(text).ok_or_else(|| unknown(text)));
    app.proxies = Proxies::new(&proxies.collect::<Result<Vec<_>>>()?);
    listen(ctx, app, args.listen, args.public_url.as_deref()).await
}

/// The server's public URL in its normal form.
pub fn address(typed: &str) -> Result<String> {
    public_url(typed).map_err(|key| CommandError::error_text(key, &[("url", typed)]))
}

/// Listens and prints the address. `public_url` is the URL that browsers use if a reverse proxy is in front.
pub async fn listen(ctx: &CommandContext, app: App, at: SocketAddr, public_url: Option<&str>) -> Result<ExitStatus> {
    let public_url = public_url.map(address).transpose()?;
    let public_url = public_url.as_deref();
    let mut csrf = CsrfLayer::new();
    if let Some(url) = public_url {
        let bad = |_| CommandError::error_text("error-public-url", &[("url", url)]);
        csrf = csrf.add_trusted_origin(url).map_err(bad)?;
    }
    let address = at.to_string();
    let refused =
        |e: std::io::Error| CommandError::error_text("error-listen", &[("address", &address), ("why", &e.to_string())]);
    let listener = TcpListener::bind(at).await.map_err(listening(at))?;
    let bound = listener.local_addr().map_err(refused)?;
    // The signal handlers come first: a program that reads the address may stop the server at once.
    let stop = told_to_stop().map_err(refused)?;
    let local = format!("http://localhost:{}", bound.port());
    let app = app.at(public_url.unwrap_or(&local));
    app.store.tend_signing_keys().await?;
    let mut beside = app.clone();
    beside.store = app.store.for_workers()?;
    workers::start(&beside)?;
    ctx.print_text("serve-open", &[("url", public_url.unwrap_or(&local))]);
    match public_url {
        Some(url) if url.starts_with("https:") && app.proxies.is_empty() => ctx.print_text("serve-one-proxy", &[]),
        None if !bound.ip().is_loopback() => ctx.print_text("serve-plain", &[]),
        _ => {}
    }
    let (report_cache, proxies) = (app.report_cache.clone(), app.proxies.clone());
    let stop = async move {
        stop.await;
        report_cache.close();
    };
    serve(listener, router(app, csrf), proxies, Bounds::default(), stop).await;
    Ok(ExitStatus::Yes)
}

/// Returns a future that ends at a stop signal; from now on such a signal does not kill the process.
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
