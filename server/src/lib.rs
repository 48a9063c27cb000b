//! The program `ngomon`: an account is open exactly while nothing holds it, and every hold names the clause, the evidence and the way out.

// A failed write to standard error must not end the program.
#![deny(clippy::print_stderr)]

mod app;
mod cli;
mod commands;
mod desk;
mod export;
mod freeze;
mod http;
mod i18n;
mod log;
mod middleware;
mod net;
mod openid;
mod pages;
mod registry_client;
mod report;
mod router;
mod security;
mod sign_in;
#[cfg(test)]
mod tests;
mod workers;

use crate::i18n::Locale;
use axum::Router;
use ngomon_store::Store;
use std::io::Write as _;
use std::process::ExitCode;
use tower_http::csrf::CsrfLayer;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let locale = Locale::of_this_process();
    let cli = match cli::args::parse(locale, std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return cli::help::print_usage(&error, locale),
    };
    if cli::args::shows_password(std::env::args_os()) {
        log::say(&format!("ngomon: {}", locale.text("warn-password-shown")));
    }
    // TLS to a remote database needs a cryptography provider, which is chosen once.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log::say(&format!("ngomon: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let data = commands::context::location(&cli.places);
    let (ended, changed) = runtime.block_on(ngomon_store::watched(commands::run(cli, locale)));
    // Background tasks end first. The data are consistent without this, too, as long as nobody copies the database file alone, without its
    // log.
    drop(runtime);
    data.settle().ok();
    let say = |text: String| {
        writeln!(std::io::stderr(), "ngomon: {text}").ok();
    };
    match ended {
        Ok(done) => match cli::stdout::fault() {
            None => done.into(),
            // The changes stay committed; output that was only to be read is lost.
            Some(why) if changed => {
                say(locale.text_with("open-output", &[("path", "-"), ("why", &why)]));
                done.into()
            }
            Some(why) => {
                say(locale.text_with("error-write", &[("path", "-"), ("why", &why)]));
                ExitCode::FAILURE
            }
        },
        Err(failure) => {
            say(if changed {
                failure.after_change(locale)
            } else {
                failure.for_people(locale)
            });
            ExitCode::from(failure.status())
        }
    }
}

/// The router of `ngomon serve` over a store, for callers without a socket.
pub fn site(store: Store) -> Router {
    router::router(app::App::new(store, false), CsrfLayer::new())
}
