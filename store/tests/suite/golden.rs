//! Tests with the data of every release so far, and of this program: they are opened, migrated to today's tables, verified, replayed,
//! rebuilt, and restored from a backup into either database. `fixtures/golden/README.md` describes how a release adds its own.

use crate::both;
use crate::fixture::{Empty, Fixture, On, citizen};
use crate::furnished::{device, facts, furnish, unfinished};
use jiff::{Timestamp, ToSpan as _};
use ngomon_rules::citizens::Outcome;
use ngomon_rules::values::Date;
use ngomon_store::environment::{Clock, Environment};
use ngomon_store::{Location, PasskeyStorage, Store, StorePaths};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

both! {
    data_of_each_release_open_and_continue
    backups_of_each_release_restore_and_continue
    data_of_this_version_open_and_restore
}

fn folder(on: On) -> &'static str {
    match on {
        On::Sqlite => "sqlite",
        On::Postgres => "postgres",
    }
}

fn releases() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/golden");
    let entries = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path());
    let releases: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    assert!(!releases.is_empty());
    releases
}

/// Sets the modes that the program would have set, because Git keeps none.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        fs::write(&to, fs::read(&from).unwrap()).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&to, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
}

fn expected(release: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(release.join("expected.json")).unwrap()).unwrap()
}

struct Later(Timestamp);

impl Clock for Later {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A day after the data were made.
fn later(expected: &Value) -> Timestamp {
    let made: Timestamp = expected["made"].as_str().unwrap().parse().unwrap();
    made + 24.hours()
}

/// The data of each release are opened, verified, and work continues on them.
async fn data_of_each_release_open_and_continue(on: On) {
    for release in releases() {
        let release = release.join(folder(on));
        let empty = Fixture::empty(on).await;
        let places = empty.places();
        copy(&release.join("keys"), &places.keys);
        match &places.data {
            Location::Directory(dir) => copy(&release.join("data"), dir),
            Location::Url(url) => {
                let dump = fs::read_to_string(release.join("dump.sql")).unwrap();
                // Commands that only `psql` understands.
                let sql: Vec<_> = dump.lines().filter(|line| !line.starts_with('\\')).collect();
                crate::fixture::run(url, sql.join("\n")).await;
            }
        }
        goes_on(on, empty, &expected(&release)).await;
    }
}

/// The backups of each release are restored into either database, and work continues on them.
async fn backups_of_each_release_restore_and_continue(on: On) {
    for release in releases() {
        for folder in ["sqlite", "postgres"] {
            restored(on, &release.join(folder)).await;
        }
    }
}

async fn restored(on: On, from: &Path) {
    let empty = Fixture::empty(on).await;
    let places = empty.places();
    copy(&from.join("keys"), &places.keys);
    let expected = expected(from);
    let environment = Environment {
        clock: Arc::new(Later(later(&expected))),
        ..Environment::system()
    };
    Store::restore(&places, &from.join("backup"), environment)
        .await
        .unwrap();
    goes_on(on, empty, &expected).await;
}

/// All facts are the same, before and after the rebuild of the tables, and work goes on.
async fn goes_on(on: On, empty: Empty, expected: &Value) {
    let fixture = Fixture::at(on, empty, later(expected)).await;
    let store = &fixture.store;
    let day: Date = Date::strptime("%Y-%m-%d", expected["day"].as_str().unwrap()).unwrap();
    let sound = async || {
        assert_eq!(facts(store, day).await, expected["facts"]);
        assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
    };
    sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    sound().await;

    // The rows staged by the dead import do not get in the way.
    fixture.citizens(vec![citizen("HS21", 21)]).await;
    assert_eq!(fixture.submit("HS21", 21).await.outcome, Outcome::Standardised);
    assert_eq!(fixture.submit("HS01", 1).await.outcome, Outcome::AlreadyDone);
    let an = fixture.sign_in("an", 100).await.unwrap();
    let an = store.session(an.as_str()).await.unwrap().unwrap().operator().unwrap();
    assert_eq!(store.proposals(&an).await.unwrap().len(), 1);
    assert_eq!(store.review_requests(&an).await.unwrap().len(), 1);
    let known = store
        .known_passkey(&device("điện thoại").credential)
        .await
        .unwrap()
        .unwrap();
    assert!(
        !store
            .use_passkey(&known.id, 6, PasskeyStorage::InDevice)
            .await
            .unwrap()
            .is_empty()
    );
    let applied = store
        .runs()
        .await
        .unwrap()
        .into_iter()
        .find(|run| run.state == "applied");
    store.undo_run(&applied.unwrap().id, an.by()).await.unwrap();
    // The registry has no phone of that person: the form waits for papers, unless a code proved the phone.
    let proven = fixture
        .sql("SELECT COUNT(*) FROM submission WHERE outcome = 'pending' AND phone_proven = 1")
        .await;
    assert_eq!(
        store.retry_pending("test").await.unwrap(),
        u64::try_from(proven[0]).unwrap()
    );
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
}

/// With `NGOMON_GOLDEN=FOLDER` the data stay there: this is how a release adds its own.
async fn data_of_this_version_open_and_restore(on: On) {
    let fixture = Fixture::new(on).await;
    furnish(&fixture).await;
    let kept = std::env::var_os("NGOMON_GOLDEN").map(PathBuf::from);
    let left = kept.clone().unwrap_or_else(|| fixture.path("left")).join(folder(on));
    leave(&fixture, &left, kept.is_some()).await;
    restored(on, &left).await;
}

async fn leave(fixture: &Fixture, to: &Path, whole: bool) {
    if fixture.on == On::Sqlite {
        // What follows stays in the `-wal`.
        fixture.sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
    }
    unfinished(fixture).await;
    fs::create_dir_all(to).unwrap();
    let (store, StorePaths { data, keys }) = (&fixture.store, &fixture.places);
    store.backup(&to.join("backup")).await.unwrap();
    copy(keys, &to.join("keys"));
    match data {
        Location::Directory(dir) => copy(dir, &to.join("data")),
        Location::Url(url) if whole => {
            let dump = std::process::Command::new("pg_dump")
                .args(["--inserts", "--no-owner", "--no-privileges", "--dbname", url])
                .output()
                .unwrap();
            assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
            fs::write(to.join("dump.sql"), dump.stdout).unwrap();
        }
        Location::Url(_) => {}
    }
    let day = store.today().to_string();
    let facts = facts(store, store.today()).await;
    let expected = json!({ "made": store.now().to_string(), "day": day, "facts": facts });
    fs::write(to.join("expected.json"), format!("{expected:#}\n")).unwrap();
}
