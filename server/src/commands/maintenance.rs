//! The commands `ngomon verify`, `rebuild`, `backup`, `restore` and `keys`.

use crate::cli::args::KeysVerb;
use crate::cli::error_text::{CommandError, Result};
use crate::cli::progress::Progress;
use crate::cli::stdout::print_line;
use crate::commands::client::instant;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::export::{Format, Table};
use console::Term;
use ngomon_store::environment::Environment;
use ngomon_store::keyring::Keyring;
use ngomon_store::{Check, Store, StoreError, private};
use std::io::IsTerminal as _;
use std::path::Path;

fn key_of(check: Check) -> &'static str {
    match check {
        Check::Entries => "check-entries",
        Check::Commits => "check-commits",
        Check::Tree => "check-tree",
        Check::RollBack => "check-roll-back",
        Check::Projections => "check-projections",
        Check::Counters => "check-counters",
        Check::Loads => "check-loads",
        Check::Grants => "check-grants",
        Check::References => "check-references",
        Check::Invariants => "check-invariants",
        Check::Integrity => "check-integrity",
    }
}

/// Verifies everything and prints what was checked.
pub async fn verify(ctx: &CommandContext) -> Result<ExitStatus> {
    let store = Store::open_older(&ctx.places, Environment::system()).await?;
    // Entries that are not sealed yet are verified too.
    ctx.seal(&store).await;
    let bar = Progress::rows(0, ctx.locale.text("progress-verify"));
    let found = store.verify(&mut |n| bar.set(n)).await?;
    drop(bar);
    let mut table = Table::new(&["check", "looked_at", "faults"]);
    for check in Check::ALL {
        let faults = found.faults.iter().filter(|(of, _)| *of == check).count();
        let looked_at = found.looked_at.get(&check).copied().unwrap_or_default();
        table.push([
            ctx.locale.text(key_of(check)),
            looked_at.to_string(),
            faults.to_string(),
        ]);
    }
    ctx.print(&table, Format::Table);
    for (check, at) in &found.faults {
        print_line!("{}: {at}", ctx.locale.text(key_of(*check)));
    }
    for load in &found.unfinished {
        let at = ctx.locale.instant(load.at);
        ctx.print_text("verify-unfinished", &[("table", &load.table), ("at", &at)]);
    }
    if found.faults.is_empty() {
        ctx.print_text("verify-good", &[]);
        Ok(ExitStatus::Yes)
    } else {
        ctx.print_text("verify-bad", &[("n", &ctx.locale.number(found.faults.len() as u64))]);
        Ok(ExitStatus::Faults)
    }
}

/// Rebuilds every projection from the journal.
pub async fn rebuild(ctx: &CommandContext) -> Result<ExitStatus> {
    let store = ctx.open().await?;
    let bar = Progress::rows(0, ctx.locale.text("progress-rebuild"));
    let entries = store.rebuild(&mut |n| bar.set(n)).await?;
    drop(bar);
    ctx.print_text("rebuild-done", &[("n", &ctx.locale.number(entries))]);
    Ok(ExitStatus::Yes)
}

/// Makes a consistent copy, without keys.
pub async fn backup(ctx: &CommandContext, dir: &Path) -> Result<ExitStatus> {
    let store = ctx.open().await?;
    ctx.seal(&store).await;
    let rows = store.backup(dir).await?;
    let path = dir.display().to_string();
    ctx.print_text("backup-done", &[("n", &ctx.locale.number(rows)), ("path", &path)]);
    ctx.print_text("backup-no-keys", &[]);
    Ok(ExitStatus::Yes)
}

/// Restores a copy.
pub async fn restore(ctx: &CommandContext, dir: &Path) -> Result<ExitStatus> {
    let done = Store::restore(&ctx.places, dir, Environment::system()).await?;
    ctx.print_text("restore-done", &[("n", &ctx.locale.number(done.rows))]);
    ctx.print_text("restore-without", &[]);
    if done.behind {
        let path = done.store.checkpoint_file().display().to_string();
        ctx.warn("restore-behind", &[("path", &path)]);
    }
    Ok(ExitStatus::Yes)
}

/// Accepts a database that is older than its checkpoints, or whose checkpoint file was lost, as it is.
pub async fn accept_checkpoints(ctx: &CommandContext) -> Result<ExitStatus> {
    let store = Store::open_older(&ctx.places, Environment::system()).await?;
    ctx.check_by(&store).await?;
    store.try_checkpoints()?;
    let accepted = store.accept_checkpoints(&ctx.by).await?;
    let path = store.checkpoint_file().display().to_string();
    let n = ctx.locale.number(accepted.notes);
    ctx.print_text("checkpoints-accepted", &[("path", &path), ("n", &n)]);
    if let Some(aside) = accepted.aside {
        ctx.print_text("checkpoints-aside", &[("path", &aside.display().to_string())]);
    }
    Ok(ExitStatus::Yes)
}

/// Exports and imports the keys, encrypted with a passphrase, and rotates them.
pub async fn keys(ctx: &CommandContext, verb: KeysVerb) -> Result<ExitStatus> {
    let failed = |error| CommandError::from(StoreError::Keys(error));
    match verb {
        KeysVerb::Export { file } => {
            let passphrase = passphrase(ctx, true)?;
            let keys = Keyring::open(&ctx.places.keys).map_err(failed)?;
            keys.export(&passphrase, &file, &Environment::system())
                .map_err(failed)?;
            ctx.print_text("keys-exported", &[("path", &file.display().to_string())]);
        }
        KeysVerb::Import { file } => {
            private::directory(&ctx.places.keys)?;
            Keyring::import(&file, &passphrase(ctx, false)?, &ctx.places.keys).map_err(failed)?;
            ctx.print_text("keys-imported", &[("path", &ctx.places.keys.display().to_string())]);
        }
        KeysVerb::Rotate { prepare: true } => {
            ctx.open().await?.prepare_keys().await?;
            ctx.print_text("keys-prepared", &[("path", &ctx.places.keys.display().to_string())]);
        }
        KeysVerb::Rotate { prepare: false } => {
            let store = ctx.open().await?;
            let bar = Progress::rows(0, ctx.locale.text("progress-rebuild"));
            store.rotate_keys(&mut |n| bar.set(n)).await?;
            drop(bar);
            ctx.print_text("keys-rotated", &[]);
        }
        KeysVerb::ReplaceSigning { revoke, format } => {
            let store = ctx.open_to_change().await?;
            store.replace_signing_keys(revoke.as_deref(), &ctx.by).await?;
            ctx.seal(&store).await;
            let mut table = Table::new(&["kid", "algorithm", "state", "signs_from", "good_until"]);
            for key in store.key_lines().await? {
                let at = |at: i64| instant(ctx, format.format, at);
                let until = key.good_until.map(at).unwrap_or_default();
                let state = match format.format {
                    Format::Table => ctx.locale.text(&format!("key-{}", key.state.name())),
                    _ => key.state.name().to_owned(),
                };
                table.push([
                    key.id,
                    key.algorithm.name().to_owned(),
                    state,
                    at(key.signs_from),
                    until,
                ]);
            }
            ctx.print(&table, format.format);
            ctx.print_text("keys-replaced", &[]);
        }
    }
    Ok(ExitStatus::Yes)
}

/// The passphrase from the environment, or from a prompt without echo; the prompt asks twice where nothing else would reveal a typing
/// error.
fn passphrase(ctx: &CommandContext, twice: bool) -> Result<String> {
    const SHORTEST: usize = 12;
    let passphrase = match std::env::var("NGOMON_PASSPHRASE") {
        Ok(given) => given,
        Err(_) if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => {
            let ask = |key| {
                let terminal = Term::stderr();
                terminal.write_str(&format!("{} ", ctx.locale.text(key)))?;
                terminal.read_secure_line()
            };
            let failed = |error| CommandError::Write("-".into(), error);
            let typed = ask("keys-ask").map_err(failed)?;
            if twice && ask("keys-ask-again").map_err(failed)? != typed {
                return Err(CommandError::error_text("error-passphrases-differ", &[]));
            }
            typed
        }
        Err(_) => return Err(CommandError::error_text("error-no-passphrase", &[])),
    };
    if passphrase.chars().count() < SHORTEST {
        return Err(CommandError::error_text(
            "error-short-passphrase",
            &[("n", &SHORTEST.to_string())],
        ));
    }
    Ok(passphrase)
}
