//! A form as it is sent, and its answer.

use crate::context::StoreContext;
use crate::db::Tx;
use crate::error::Result;
use crate::journal::entry::{ENTRY, read_entry};
use jiff::Timestamp;
use ngomon_rules::citizens::{Field, Fields, Outcome, Paper, ParsedForm, Proof, RegistryAnswer, parse, parse_of_file};
use ngomon_rules::event::Change;
use ngomon_rules::records::{AccountId, Form, Submission};
use ngomon_rules::values::local_day;

/// The result of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionResult {
    /// The outcome.
    pub outcome: Outcome,
    /// The malformed or differing fields, sorted.
    pub fields: Vec<Field>,
    /// The receipt for the person; `None` if there is no such account.
    pub receipt: Option<String>,
}

/// A form with all that its answer needs.
#[derive(Clone)]
pub(crate) struct SubmittedForm {
    pub account: AccountId,
    pub form: Form,
    pub at: Timestamp,
    pub by: String,
    pub proof: Proof,
    /// The papers that the operator who entered it saw.
    pub papers: Vec<Paper>,
    /// The version of the privacy notice that was shown with it.
    pub notice: Option<u32>,
    /// The phone in the form was proven by a one-time code.
    pub phone_proven: bool,
    /// It was `pending` under this receipt, because of these fields.
    pub again: Option<(String, Vec<Field>)>,
    /// The answer of a registry that was queried; `None` if the extract as last loaded answers.
    pub registry: Option<RegistryAnswer>,
    /// For a form from a file: the `run` of its entry.
    pub run: Option<String>,
}

impl SubmittedForm {
    /// A pending form was valid in form when it came.
    pub(crate) fn parsed(&self) -> std::result::Result<ParsedForm, Fields> {
        let day = local_day(self.at);
        if self.run.is_some() || self.again.is_some() {
            parse_of_file(&self.form, day)
        } else {
            parse(&self.form, day)
        }
    }
}

pub(crate) fn sent(submission: &Submission, proof: Proof, by: &str, at: Timestamp) -> SubmittedForm {
    SubmittedForm {
        account: submission.account.clone(),
        form: submission.form.clone(),
        at: submission.submitted_at.unwrap_or(at),
        by: by.to_owned(),
        proof,
        papers: Vec::new(),
        notice: submission.notice,
        phone_proven: false,
        again: None,
        registry: None,
        run: None,
    }
}

/// The recorded answer of the form with this `run`.
pub(crate) async fn entered(tx: &mut Tx, ctx: &StoreContext, run: &str) -> Result<Option<SubmissionResult>> {
    let sql = format!("{ENTRY} WHERE j.run = $1 AND j.kind = 'form-answered' LIMIT 1");
    let Some(row) = tx.row(&sql, [run.into()]).await? else {
        return Ok(None);
    };
    Ok(match read_entry(&ctx.keys, None, &row)?.entry.event.change {
        Change::FormAnswered {
            receipt,
            outcome,
            fields,
            ..
        } => Some(SubmissionResult {
            outcome,
            fields,
            receipt: Some(receipt),
        }),
        _ => None,
    })
}
