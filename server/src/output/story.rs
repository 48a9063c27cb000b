//! The texts of values and events, the same on the terminal and on the pages.

use super::Words;
use super::holds::unit_name;
use ngomon_rules::event::Change;
use ngomon_rules::officials::Decision;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_store::Explained;

/// A value for people: units by name and code, lists of words one by one.
pub fn said(name: &str, value: &str, units: &UnitTree, words: Words) -> String {
    if name.ends_with("unit")
        && let Some(unit) = units.get(&UnitCode(value.to_owned()))
    {
        return format!("{} ({value})", unit.name);
    }
    word(value, words)
}

/// A fact of a hold: lists of words one by one; what an office wrote stays as it is.
pub fn evidence(name: &str, value: &str, units: &UnitTree, words: Words) -> String {
    if ["text", "document", "ordered_by", "notice"].contains(&name) {
        return value.to_owned();
    }
    if name.ends_with("unit") {
        return unit_name(value, units);
    }
    let values: Vec<String> = value.split(' ').map(|part| said(name, part, units, words)).collect();
    values.join(", ")
}

/// The holds that HR's facts justify on that day, if they differ from the recorded ones: the next run will bring them.
pub fn outlook(found: &Explained, words: Words) -> Option<String> {
    let holds = match found.decision.as_ref()? {
        Decision::Undecided(why) => {
            let why = words.say(&format!("word-{}", why.name()));
            return Some(words.say_with("explain-undecided", &[("why", &why)]));
        }
        Decision::Holds(holds) => holds,
    };
    let mut decided: Vec<&str> = holds.iter().map(|hold| hold.reason.name()).collect();
    let written = found
        .holds
        .iter()
        .map(|held| &held.hold)
        .filter(|hold| hold.reason.is_hr());
    let mut written: Vec<&str> = written.map(|hold| hold.reason.name()).collect();
    decided.sort_unstable();
    written.sort_unstable();
    if decided == written {
        return None;
    }
    let names: Vec<String> = decided.iter().map(|name| words.say(&format!("hold-{name}"))).collect();
    if names.is_empty() {
        return Some(words.say("explain-next-run-open"));
    }
    let names = names.join("; ");
    Some(words.say_with("explain-next-run", &[("holds", &names)]))
}

/// Replaces a value that is one of our words by its text.
fn word(value: &str, words: Words) -> String {
    if let Ok(day) = value.parse::<ngomon_rules::values::Date>() {
        return words.day(day);
    }
    words
        .find(&format!("word-{value}"), &[])
        .unwrap_or_else(|| value.to_owned())
}

/// The actor of a journal entry: the name of an operator or command-line user, the account of an owner.
pub fn who(by: &str, words: Words) -> String {
    match by.split_once(':') {
        Some(("operator", name)) => words.say_with("acted-operator", &[("name", name)]),
        Some(("cli", name)) => words.say_with("acted-command", &[("name", name)]),
        // The text of the event names the system.
        Some(("client", _)) => words.say("acted-client"),
        _ if by == "system" => words.say("acted-system"),
        _ => by.to_owned(),
    }
}

/// The text of an event of an account.
pub fn happening(change: &Change, words: Words) -> String {
    match change {
        Change::AccountTakenOver { .. } => words.say("event-taken-over"),
        Change::AccountCreated { succeeds, .. } if succeeds.is_empty() => words.say("event-created-newcomer"),
        Change::AccountCreated { .. } => words.say("event-created"),
        Change::AccountRemoved => words.say("event-removed"),
        Change::AccountChanged { fields } => {
            let fields: Vec<String> = fields.iter().map(|f| words.say(&format!("column-{f}"))).collect();
            words.say_with("event-changed", &[("fields", &fields.join(", "))])
        }
        Change::ClaimMade { proof, .. } => words.say_with(
            "event-claimed",
            &[("proof", &words.say(&format!("word-{}", proof.name())))],
        ),
        Change::AccountJoined { into } => words.say_with("event-joined", &[("account", into.as_str())]),
        Change::AmendmentProposed { receipt, .. } => words.say_with("event-proposed", &[("receipt", receipt)]),
        Change::AmendmentDecided {
            receipt,
            accepted: true,
        } => words.say_with("event-proposal-accepted", &[("receipt", receipt)]),
        Change::AmendmentDecided { receipt, .. } => words.say_with("event-proposal-declined", &[("receipt", receipt)]),
        Change::ReviewAnswered { receipt, accepted } => {
            let key = if *accepted {
                "event-review-accepted"
            } else {
                "event-review-declined"
            };
            words.say_with(key, &[("receipt", receipt)])
        }
        Change::ReviewRequested { receipt } => words.say_with("event-review", &[("receipt", receipt)]),
        Change::ClaimEnded { .. } => words.say("event-claim-ended"),
        Change::HoldPlaced { hold } => words.say(&format!("event-held-{}", hold.reason)),
        Change::HoldEvidenceChanged { hold, .. } => words.say_with(
            "event-evidence",
            &[("reason", &words.say(&format!("hold-{}", hold.reason)))],
        ),
        Change::ClaimDetailsChanged { .. } => words.say("event-claim-details"),
        Change::HoldLifted { reason, .. } => {
            words.say_with("event-lifted", &[("reason", &words.say(&format!("hold-{reason}")))])
        }
        Change::FormAnswered { outcome, receipt, .. } => {
            let outcome = words.say(&format!("outcome-{}", outcome.name()));
            words.say_with("event-form", &[("outcome", &outcome), ("receipt", receipt)])
        }
        Change::ExemptionGranted { last_day, .. } => words.say_with("event-exempt", &[("day", &words.day(*last_day))]),
        Change::SignedIn { .. } => words.say("event-signed-in"),
        Change::PasswordChanged => words.say("event-password-changed"),
        Change::PasskeyAdded { .. } => words.say("event-passkey-added"),
        Change::PasskeyRemoved { .. } => words.say("event-passkey-removed"),
        Change::PasswordCodeIssued { .. } => words.say("event-password-code"),
        Change::PhoneChanged { .. } => words.say("event-phone-changed"),
        Change::SessionsEnded => words.say("event-sessions-ended"),
        Change::PasswordRehashed => words.say("event-rehashed"),
        Change::ExemptionEnded => words.say("event-exempt-ended"),
        Change::TakeOverProposed { .. } => words.say("event-take-over-proposed"),
        Change::TakeOverApproved { .. } => words.say("event-take-over-approved"),
        Change::TakeOverDeclined { .. } => words.say("event-take-over-declined"),
        Change::ActProposed { act, .. } => {
            let what = words.say(&format!("desk-act-{}", act.name()));
            words.say_with("event-act-proposed", &[("what", &what)])
        }
        Change::ActApproved { .. } => words.say("event-act-approved"),
        Change::ActDeclined { .. } => words.say("event-act-declined"),
        Change::OperatorEnrolled { .. } => words.say("event-enrolled"),
        Change::RecoveryCodeUsed { code } => {
            words.say_with("event-recovery-used", &[("n", &words.number(u64::from(*code) + 1))])
        }
        Change::SubjectNamed {
            name, taken_over: true, ..
        } => words.say_with("event-client-taken-over", &[("client", name)]),
        Change::SubjectNamed { name, .. } => words.say_with("event-client-first", &[("client", name)]),
        Change::NoticeResent { name, .. } => words.say_with("event-notice-resent", &[("client", name)]),
        _ => words.say("event-other"),
    }
}
