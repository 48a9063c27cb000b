//! The texts of values and events, the same on the terminal and on the pages.

use crate::i18n::Locale;
use ngomon_rules::event::Change;
use ngomon_rules::officials::Decision;
use ngomon_store::AccountExplanation;

/// The holds that HR's facts justify on that day, if they differ from the recorded ones: the next run will bring them.
pub fn pending_changes_text(found: &AccountExplanation, locale: Locale) -> Option<String> {
    let holds = match found.decision.as_ref()? {
        Decision::Undecided(why) => {
            let why = locale.text(&format!("word-{}", why.name()));
            return Some(locale.text_with("explain-undecided", &[("why", &why)]));
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
    let names: Vec<String> = decided
        .iter()
        .map(|name| locale.text(&format!("hold-{name}")))
        .collect();
    if names.is_empty() {
        return Some(locale.text("explain-next-run-open"));
    }
    let names = names.join("; ");
    Some(locale.text_with("explain-next-run", &[("holds", &names)]))
}

/// The actor of a journal entry: the name of an operator or command-line user, the account of an owner.
pub fn actor_name(by: &str, locale: Locale) -> String {
    match by.split_once(':') {
        Some(("operator", name)) => locale.text_with("acted-operator", &[("name", name)]),
        Some(("cli", name)) => locale.text_with("acted-command", &[("name", name)]),
        // The text of the event names the system.
        Some(("client", _)) => locale.text("acted-client"),
        _ if by == "system" => locale.text("acted-system"),
        _ => by.to_owned(),
    }
}

/// The text of an event of an account.
pub fn event_text(change: &Change, locale: Locale) -> String {
    match change {
        Change::AccountTakenOver { .. } => locale.text("event-taken-over"),
        Change::AccountCreated { succeeds, .. } if succeeds.is_empty() => locale.text("event-created-newcomer"),
        Change::AccountCreated { .. } => locale.text("event-created"),
        Change::AccountRemoved => locale.text("event-removed"),
        Change::AccountChanged { fields } => {
            let fields: Vec<String> = fields.iter().map(|f| locale.text(&format!("column-{f}"))).collect();
            locale.text_with("event-changed", &[("fields", &fields.join(", "))])
        }
        Change::ClaimMade { proof, .. } => locale.text_with(
            "event-claimed",
            &[("proof", &locale.text(&format!("word-{}", proof.name())))],
        ),
        Change::AccountJoined { into } => locale.text_with("event-joined", &[("account", into.as_str())]),
        Change::AmendmentProposed { receipt, .. } => locale.text_with("event-proposed", &[("receipt", receipt)]),
        Change::AmendmentDecided {
            receipt,
            accepted: true,
        } => locale.text_with("event-proposal-accepted", &[("receipt", receipt)]),
        Change::AmendmentDecided { receipt, .. } => {
            locale.text_with("event-proposal-declined", &[("receipt", receipt)])
        }
        Change::ReviewAnswered { receipt, accepted } => {
            let key = if *accepted {
                "event-review-accepted"
            } else {
                "event-review-declined"
            };
            locale.text_with(key, &[("receipt", receipt)])
        }
        Change::ReviewRequested { receipt } => locale.text_with("event-review", &[("receipt", receipt)]),
        Change::ClaimEnded { .. } => locale.text("event-claim-ended"),
        Change::HoldPlaced { hold } => locale.text(&format!("event-held-{}", hold.reason)),
        Change::HoldEvidenceChanged { hold, .. } => locale.text_with(
            "event-evidence",
            &[("reason", &locale.text(&format!("hold-{}", hold.reason)))],
        ),
        Change::ClaimDetailsChanged { .. } => locale.text("event-claim-details"),
        Change::HoldLifted { reason, .. } => {
            locale.text_with("event-lifted", &[("reason", &locale.text(&format!("hold-{reason}")))])
        }
        Change::FormAnswered { outcome, receipt, .. } => {
            let outcome = locale.text(&format!("outcome-{}", outcome.name()));
            locale.text_with("event-form", &[("outcome", &outcome), ("receipt", receipt)])
        }
        Change::ExemptionGranted { last_day, .. } => {
            locale.text_with("event-exempt", &[("day", &locale.day(*last_day))])
        }
        Change::SignedIn { .. } => locale.text("event-signed-in"),
        Change::PasswordChanged => locale.text("event-password-changed"),
        Change::PasskeyAdded { .. } => locale.text("event-passkey-added"),
        Change::PasskeyRemoved { .. } => locale.text("event-passkey-removed"),
        Change::PasswordCodeIssued { .. } => locale.text("event-password-code"),
        Change::PhoneChanged { .. } => locale.text("event-phone-changed"),
        Change::SessionsEnded => locale.text("event-sessions-ended"),
        Change::PasswordRehashed => locale.text("event-rehashed"),
        Change::ExemptionEnded => locale.text("event-exempt-ended"),
        Change::TakeOverProposed { .. } => locale.text("event-take-over-proposed"),
        Change::TakeOverApproved { .. } => locale.text("event-take-over-approved"),
        Change::TakeOverDeclined { .. } => locale.text("event-take-over-declined"),
        Change::ActProposed { act, .. } => {
            let what = locale.text(&format!("desk-act-{}", act.name()));
            locale.text_with("event-act-proposed", &[("what", &what)])
        }
        Change::ActApproved { .. } => locale.text("event-act-approved"),
        Change::ActDeclined { .. } => locale.text("event-act-declined"),
        Change::OperatorEnrolled { .. } => locale.text("event-enrolled"),
        Change::RecoveryCodeUsed { code } => {
            locale.text_with("event-recovery-used", &[("n", &locale.number(u64::from(*code) + 1))])
        }
        Change::SubjectNamed {
            name, taken_over: true, ..
        } => locale.text_with("event-client-taken-over", &[("client", name)]),
        Change::SubjectNamed { name, .. } => locale.text_with("event-client-first", &[("client", name)]),
        Change::NoticeResent { name, .. } => locale.text_with("event-notice-resent", &[("client", name)]),
        _ => locale.text("event-other"),
    }
}
