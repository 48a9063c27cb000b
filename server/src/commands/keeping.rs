//! `ngomon verify`, `rebuild`, `backup`, `restore`, `keys`.

use super::{Desk, Done};
use crate::cli::KeysVerb;
use crate::failure::{Failure, Result};
use crate::output::{Format, Progress, Table};
use ngomon_store::ambient::Ambient;
use ngomon_store::keyring::Keyring;
use ngomon_store::{Check, Store, StoreError};
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
        Check::Invariants => "check-invariants",
    }
}

/// Looks at everything and says what was looked at.
pub async fn verify(desk: &Desk) -> Result<Done> {
    let store = desk.open().await?;
    store.seal().await?;
    let bar = Progress::rows(0, desk.words.say("progress-verify"));
    let found = store.verify(&mut |n| bar.set(n)).await?;
    drop(bar);
    let mut table = Table::new(&["check", "looked_at", "faults"]);
    for check in Check::ALL {
        let faults = found.faults.iter().filter(|(of, _)| *of == check).count();
        let looked_at = found.looked_at.get(&check).copied().unwrap_or_default();
        table.push([desk.words.say(key_of(check)), looked_at.to_string(), faults.to_string()]);
    }
    desk.print(&table, Format::Table)?;
    for (check, at) in &found.faults {
        println!("{}: {at}", desk.words.say(key_of(*check)));
    }
    if found.faults.is_empty() {
        desk.tell("verify-good", &[]);
        Ok(Done::Yes)
    } else {
        desk.tell("verify-bad", &[("n", &desk.words.number(found.faults.len() as u64))]);
        Ok(Done::Faults)
    }
}

/// Makes every table anew from the journal.
pub async fn rebuild(desk: &Desk) -> Result<Done> {
    let store = desk.open().await?;
    let bar = Progress::rows(0, desk.words.say("progress-rebuild"));
    let entries = store.rebuild(&mut |n| bar.set(n)).await?;
    drop(bar);
    desk.tell("rebuild-done", &[("n", &desk.words.number(entries))]);
    Ok(Done::Yes)
}

/// A consistent copy, without keys.
pub async fn backup(desk: &Desk, dir: &Path) -> Result<Done> {
    let store = desk.open().await?;
    store.seal().await?;
    let rows = store.backup(dir).await?;
    let path = dir.display().to_string();
    desk.tell("backup-done", &[("n", &desk.words.number(rows)), ("path", &path)]);
    desk.tell("backup-no-keys", &[]);
    Ok(Done::Yes)
}

/// And back.
pub async fn restore(desk: &Desk, dir: &Path) -> Result<Done> {
    let (_, rows) = Store::restore(&desk.places, dir, Ambient::system()).await?;
    desk.tell("restore-done", &[("n", &desk.words.number(rows))]);
    Ok(Done::Yes)
}

/// The keys: carried elsewhere, sealed by a passphrase, and rotated.
pub async fn keys(desk: &Desk, verb: KeysVerb) -> Result<Done> {
    let failed = |error| Failure::from(StoreError::Keys(error));
    match verb {
        KeysVerb::Export { file } => {
            let passphrase = passphrase(desk)?;
            let keys = Keyring::open(&desk.places.keys).map_err(failed)?;
            keys.export(&passphrase, &file, &Ambient::system()).map_err(failed)?;
            desk.tell("keys-exported", &[("path", &file.display().to_string())]);
        }
        KeysVerb::Import { file } => {
            Keyring::import(&file, &passphrase(desk)?, &desk.places.keys).map_err(failed)?;
            desk.tell("keys-imported", &[("path", &desk.places.keys.display().to_string())]);
        }
        KeysVerb::Rotate { prepare: true } => {
            desk.open().await?.prepare_keys().await?;
            desk.tell("keys-prepared", &[("path", &desk.places.keys.display().to_string())]);
        }
        KeysVerb::Rotate { prepare: false } => {
            let store = desk.open().await?;
            let bar = Progress::rows(0, desk.words.say("progress-rebuild"));
            store.rotate_keys(&mut |n| bar.set(n)).await?;
            drop(bar);
            desk.tell("keys-rotated", &[]);
        }
    }
    Ok(Done::Yes)
}

/// From the environment, or else asked for.
fn passphrase(desk: &Desk) -> Result<String> {
    const SHORTEST: usize = 12;
    let given = std::env::var("NGOMON_PASSPHRASE").ok();
    let passphrase = match given {
        Some(given) => given,
        None if std::io::stdin().is_terminal() => {
            desk.tell("keys-ask", &[]);
            let mut line = String::new();
            std::io::stdin()
                .read_line(&mut line)
                .map_err(|error| Failure::Write("-".into(), error))?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
        None => return Err(Failure::said("error-no-passphrase", &[])),
    };
    if passphrase.chars().count() < SHORTEST {
        return Err(Failure::said("error-short-passphrase", &[("n", &SHORTEST.to_string())]));
    }
    Ok(passphrase)
}
