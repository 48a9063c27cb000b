//! `ngomon`: an account is open exactly while nothing holds it, and every hold names the clause, the evidence and the way out.

mod authenticator;
mod cli;
mod commands;
mod failure;
mod openid;
mod output;
mod passkey;
mod password;
mod registry;
mod usage;
mod web;
mod workers;

use axum::Router;
use ngomon_store::Store;
use output::Words;
use std::process::ExitCode;
use tower_http::csrf::CsrfLayer;

/// Does what the command line of this process asks.
pub fn run() -> ExitCode {
    let words = Words::of_this_process();
    let cli = match cli::parse(words, std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage::tell(&error, words),
    };
    // The TLS of a remote database needs a provider, chosen once.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ngomon: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli, words)) {
        Ok(done) => done.into(),
        Err(failure) => {
            eprintln!("ngomon: {}", failure.for_people(words));
            ExitCode::from(failure.status())
        }
    }
}

/// All that `ngomon serve` answers, over a store, for who asks without a socket.
pub fn site(store: Store) -> Router {
    web::router(web::App::new(store, false), CsrfLayer::new())
}
