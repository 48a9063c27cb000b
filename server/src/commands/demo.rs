//! The command `ngomon demo`: made-up people go through the real commands. Each of its lines can be typed by hand.

use crate::cli::args::{self, Cli, Serve};
use crate::cli::error_text::{CommandError, Result, listening, writing};
use crate::cli::stdout::print_line;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::commands::serve;
use crate::export::{Format, Table};
use crate::i18n::Locale;
use crate::security::password::hashed;
use crate::security::totp::Authenticator;
use jiff::SignedDuration;
use ngomon_store::Refusal;
use std::ffi::OsString;
use std::path::PathBuf;

/// The files that are compiled into the program.
const FILES: [(&str, &str); 7] = [
    ("units.csv", include_str!("../../../fixtures/demo/units.csv")),
    ("registry.csv", include_str!("../../../fixtures/demo/registry.csv")),
    ("citizens.csv", include_str!("../../../fixtures/demo/citizens.csv")),
    ("officials.csv", include_str!("../../../fixtures/demo/officials.csv")),
    ("profiles.csv", include_str!("../../../fixtures/demo/profiles.csv")),
    ("notices.csv", include_str!("../../../fixtures/demo/notices.csv")),
    (
        "submissions.csv",
        include_str!("../../../fixtures/demo/submissions.csv"),
    ),
];

/// The date of the demo.
const DAY: &str = "2023-07-31";

/// The steps in order: the message that introduces a step, and its command.
const STEPS: [(&str, &str); 15] = [
    ("demo-sandbox", "sandbox"),
    ("demo-units", "import units FILES/units.csv --as-of DAY"),
    ("demo-registry", "import registry FILES/registry.csv --as-of DAY"),
    ("demo-citizens", "import citizens FILES/citizens.csv --as-of DAY"),
    ("demo-officials", "import officials FILES/officials.csv --as-of DAY"),
    ("demo-profiles", "import profiles FILES/profiles.csv --full --as-of DAY"),
    ("demo-notices", "import notices FILES/notices.csv --as-of DAY"),
    (
        "demo-standardise",
        "standardise FILES/submissions.csv --output FILES/outcomes.csv",
    ),
    ("demo-simulate", "reconcile --as-of DAY --simulate"),
    ("demo-reconcile", "reconcile --as-of DAY --output FILES/decisions.csv"),
    ("demo-report", "report --as-of DAY"),
    ("demo-staff", "report --staff --as-of DAY"),
    ("demo-explain-official", "explain CV003 --as-of DAY"),
    ("demo-explain-citizen", "explain HS005 --as-of DAY"),
    ("demo-verify", "verify"),
];

/// The people to sign in as: account, user name, and the message that tells what the visitor sees. The password is `Hue-` and the account's
/// id.
const PEOPLE: [(&str, &str, &str); 9] = [
    ("HS016", "hues016", "demo-as-asked"),
    ("HS100", "hues100", "demo-as-code"),
    ("HS004", "hues004", "demo-as-standardised"),
    ("HS005", "hues005", "demo-as-duplicate"),
    ("CV001", "canbo001", "demo-as-open"),
    ("CV003", "canbo003", "demo-as-mismatch"),
    ("CV004", "canbo004", "demo-as-transfer"),
    ("CV006", "canbo006", "demo-as-review"),
    ("CV007", "canbo007", "demo-as-left"),
];

/// Operators at the counter, and their passwords.
const OPERATORS: [(&str, &str); 2] = [("tiepnhan1", "Quay ho tro so 1"), ("tiepnhan2", "Quay ho tro so 2")];

/// Runs every step on the data directory by `command`, then starts the web server.
pub async fn run(
    ctx: &CommandContext,
    args: &Serve,
    command: impl AsyncFn(Cli, Locale) -> Result<ExitStatus>,
) -> Result<ExitStatus> {
    let locale: Locale = ctx.locale;
    let ngomon_store::Location::Directory(data) = &ctx.places.data else {
        return Err(CommandError::error_text("demo-embedded-only", &[]));
    };
    if data.join("ngomon.db").exists() {
        return Err(CommandError::error_text(
            "demo-not-empty",
            &[("path", &data.display().to_string())],
        ));
    }
    // Checks the port before the steps run, because the server starts last.
    drop(std::net::TcpListener::bind(args.listen).map_err(listening(args.listen))?);
    ngomon_store::private::directory(data)?;
    let files = data.join("files");
    std::fs::create_dir_all(&files).map_err(writing(&files))?;
    for (name, text) in FILES {
        let path = files.join(name);
        std::fs::write(&path, text).map_err(writing(&path))?;
    }
    ctx.print_text("demo-intro", &[]);
    for (key, step) in STEPS {
        print_line!("\n── {} ──", locale.text(key));
        let files = files.display().to_string();
        let step = step.replace("DAY", DAY);
        print_line!("$ ngomon {} --data {}", step.replace("FILES", &files), data.display());
        let typed = std::iter::once(OsString::from("ngomon"))
            .chain(step.split(' ').map(|word| word.replace("FILES", &files).into()))
            .chain(["--data".into(), PathBuf::from(data).into_os_string()]);
        let parsed = args::parse(locale, typed)
            .map_err(|e| CommandError::error_text("error-database", &[("why", &e.to_string())]))?;
        let done = Box::pin(command(parsed, locale)).await?;
        if done != ExitStatus::Yes {
            return Ok(done);
        }
    }
    print_line!("");
    // The full path, so that the line can be typed: the demo is often not on the `PATH`.
    let ngomon = std::env::current_exe().map_or_else(|_| "ngomon".to_owned(), |path| path.display().to_string());
    ctx.print_text(
        "demo-end",
        &[("data", &data.display().to_string()), ("ngomon", &ngomon)],
    );
    print_line!("");
    let mut table = Table::new(&["username", "password", "page"]);
    for (id, username, seen) in PEOPLE {
        let password = if seen == "demo-as-code" {
            String::new()
        } else {
            format!("Hue-{id}")
        };
        table.push([username.to_owned(), password, locale.text(seen)]);
    }
    ctx.print(&table, Format::Table);
    print_line!("");
    operators(ctx).await?;
    print_line!("");
    // Set by the program that started the demo and could not start the systems that belong to it.
    if let Ok(why) = std::env::var("NGOMON_DEMO_LEFT_OUT") {
        ctx.print_text("demo-left-out", &[("why", &why)]);
    }
    serve::run(ctx, args).await
}

/// Enrols two operators at the counter. Printing their secrets is acceptable in the demo only.
async fn operators(ctx: &CommandContext) -> Result<()> {
    let store = ctx.open().await?;
    let mut table = Table::new(&["username", "password", "code", "recovery"]);
    let mut secrets = Vec::new();
    let now = store.now();
    let before = now.saturating_sub(SignedDuration::from_secs(30)).unwrap_or(now);
    let mut stays = 0;
    for (name, password) in OPERATORS {
        let link = store.add_operator(name, &ctx.by).await?;
        let over = || CommandError::Store(Refusal::EnrolmentOver.into());
        let enrolment = store.enrolment(&link).await?.ok_or_else(over)?;
        let authenticator = Authenticator::new(name, &enrolment.totp_secret);
        // Uses the code of the previous half minute, so that the present one remains valid for a sign-in.
        let step = authenticator.step(&authenticator.code(before), now).ok_or_else(over)?;
        let hash = hashed(password, &store.salt()).ok_or_else(over)?;
        let codes = store.enrol(&link, &hash, step).await?;
        let some: Vec<&str> = codes.iter().take(3).map(String::as_str).collect();
        let code = authenticator.code(now);
        table.push([name.to_owned(), password.to_owned(), code, some.join(" ")]);
        secrets.push(format!("{name}: {}", authenticator.secret()));
        stays = authenticator.stays(now);
    }
    ctx.seal(&store).await;
    ctx.print_text("demo-operators", &[]);
    ctx.print(&table, Format::Table);
    ctx.print_text(
        "demo-operators-codes",
        &[("n", &stays.to_string()), ("secrets", &secrets.join("; "))],
    );
    Ok(())
}
