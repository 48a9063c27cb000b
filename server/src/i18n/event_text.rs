//! The texts of values and events, the same on the terminal and on the pages.

use crate::i18n::Locale;
use ngomon_rules::event::Change;
use ngomon_rules::officials::Decision;
use ngomon_store::AccountExplanation;

/// The holds that HR's facts justify on that day, if they differ from the recorded ones: the next run will bring them.
pub fn pending_changes_text(found: &AccountExplanation, words: Locale) -> Option<String> {
    let holds = match found.decision.as_ref()? {
        Decision::Undecided(why) => {
            let why = words.text(&format!("word-{}", why.name()));
            return Some(words.text_with("explain-undecided", &[("why", &why)]));
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
    let names: Vec<String> = decided.iter().map(|name| words.text(&format!("hold-{name}"))).collect();
    if names.is_empty() {
        return Some(words.text("explain-next-run-open"));
    }
    let names = names.join("; ");
    Some(words.text_with("explain-next-run", &[("holds", &names)]))
}

/// The actor of a journal entry: the name of an operator or command-line user, the account of an owner.
pub fn actor_name(by: &str, words: Locale) -> String {
    match by.split_once(':') {
        Some(("operator", name)) => words.text_with("acted-operator", &[("name", name)]),
        Some(("cli", name)) => words.text_with("acted-command", &[("name", name)]),
        // The text of the event names the system.
        Some(("client", _)) => words.text("acted-client"),
        _ if by == "system" => words.text("acted-system"),
        _ => by.to_owned(),
    }
}

/// The text of an event of an account.
pub fn event_text(change: &Change, words: Locale) -> String {
    match change {
        Change::AccountTakenOver { .. } => words.text("event-taken-over"),
        Change::AccountCreated { succeeds, .. } if succeeds.is_empty() => words.text("event-created-newcomer"),
        Change::AccountCreated { .. } => words.text("event-created"),
        Change::AccountRemoved => words.text("event-removed"),
        Change::AccountChanged { fields } => {
            let fields: Vec<String> = fields.iter().map(|f| words.text(&format!("column-{f}"))).collect();
            words.text_with("event-changed", &[("fields", &fields.join(", "))])
        }
        Change::ClaimMade { proof, .. } => words.text_with(
            "event-claimed",
            &[("proof", &words.text(&format!("word-{}", proof.name())))],
        ),
        Change::AccountJoined { into } => words.text_with("event-joined", &[("account", into.as_str())]),
        Change::AmendmentProposed { receipt, .. } => words.text_with("event-proposed", &[("receipt", receipt)]),
        Change::AmendmentDecided {
            receipt,
            accepted: true,
        } => words.text_with("event-proposal-accepted", &[("receipt", receipt)]),
        Change::AmendmentDecided { receipt, .. } => words.text_with("event-proposal-declined", &[("receipt", receipt)]),
        Change::ReviewAnswered { receipt, accepted } => {
            let key = if *accepted {
                "event-review-accepted"
            } else {
                "event-review-declined"
            };
            words.text_with(key, &[("receipt", receipt)])
        }
        Change::ReviewRequested { receipt } => words.text_with("event-review", &[("receipt", receipt)]),
        Change::ClaimEnded { .. } => words.text("event-claim-ended"),
        Change::HoldPlaced { hold } => words.text(&format!("event-held-{}", hold.reason)),
        Change::HoldEvidenceChanged { hold, .. } => words.text_with(
            "event-evidence",
            &[("reason", &words.text(&format!("hold-{}", hold.reason)))],
        ),
        Change::ClaimDetailsChanged { .. } => words.text("event-claim-details"),
        Change::HoldLifted { reason, .. } => {
            words.text_with("event-lifted", &[("reason", &words.text(&format!("hold-{reason}")))])
        }
        Change::FormAnswered { outcome, receipt, .. } => {
            let outcome = words.text(&format!("outcome-{}", outcome.name()));
            words.text_with("event-form", &[("outcome", &outcome), ("receipt", receipt)])
        }
        Change::ExemptionGranted { last_day, .. } => words.text_with("event-exempt", &[("day", &words.day(*last_day))]),
        Change::SignedIn { .. } => words.text("event-signed-in"),
        Change::PasswordChanged => words.text("event-password-changed"),
        Change::PasskeyAdded { .. } => words.text("event-passkey-added"),
        Change::PasskeyRemoved { .. } => words.text("event-passkey-removed"),
        Change::PasswordCodeIssued { .. } => words.text("event-password-code"),
        Change::PhoneChanged { .. } => words.text("event-phone-changed"),
        Change::SessionsEnded => words.text("event-sessions-ended"),
        Change::PasswordRehashed => words.text("event-rehashed"),
        Change::ExemptionEnded => words.text("event-exempt-ended"),
        Change::TakeOverProposed { .. } => words.text("event-take-over-proposed"),
        Change::TakeOverApproved { .. } => words.text("event-take-over-approved"),
        Change::TakeOverDeclined { .. } => words.text("event-take-over-declined"),
        Change::ActProposed { act, .. } => {
            let what = words.text(&format!("desk-act-{}", act.name()));
            words.text_with("event-act-proposed", &[("what", &what)])
        }
        Change::ActApproved { .. } => words.text("event-act-approved"),
        Change::ActDeclined { .. } => words.text("event-act-declined"),
        Change::OperatorEnrolled { .. } => words.text("event-enrolled"),
        Change::RecoveryCodeUsed { code } => {
            words.text_with("event-recovery-used", &[("n", &words.number(u64::from(*code) + 1))])
        }
        Change::SubjectNamed {
            name, taken_over: true, ..
        } => words.text_with("event-client-taken-over", &[("client", name)]),
        Change::SubjectNamed { name, .. } => words.text_with("event-client-first", &[("client", name)]),
        Change::NoticeResent { name, .. } => words.text_with("event-notice-resent", &[("client", name)]),
        _ => words.text("event-other"),
    }
}
