//! Forms from a file. The journal records which of them were entered: after an interruption, the same file continues where it stopped,
//! and its first forms return their recorded answers.

use crate::boxed;
use crate::citizens::submission::{SubmissionResult, sent};
use crate::context::Attribution;
use crate::error::Result;
use crate::store::Store;
use crate::unit_of_work::append;
use jiff::Timestamp;
use ngomon_rules::citizens::Proof;
use ngomon_rules::event::{Change, Event, Subject};
use ngomon_rules::records::Submission;

/// A file of forms that is being entered.
#[derive(Clone, Debug)]
pub struct FormsFile {
    digest: String,
    /// The prefix of the `run` of its entries in the journal.
    id: String,
}

impl Store {
    /// Starts or continues the entry of a file. `digest` is the SHA-256 of its bytes, in hexadecimal.
    #[boxed]
    pub async fn begin_forms(&self, digest: &str) -> Result<FormsFile> {
        self.db
            .read(async |tx| {
                let mut time = 1;
                loop {
                    let id = format!("forms:{digest}:{time}");
                    let sql = "SELECT 1 FROM journal WHERE subject_kind = 'load' AND subject = $1 LIMIT 1";
                    if tx.row(sql, [(&id).into()]).await?.is_none() {
                        let digest = digest.to_owned();
                        return Ok(FormsFile { digest, id });
                    }
                    time += 1;
                }
            })
            .await
    }

    /// Answers the form of a row, or returns the recorded answer if it was entered before. As [`Store::standardise`].
    #[boxed]
    pub async fn enter_form_of(
        &self,
        file: &FormsFile,
        row: usize,
        submission: &Submission,
        by: &str,
        at: Timestamp,
    ) -> Result<SubmissionResult> {
        let mut form = sent(submission, Proof::Counter, by, at);
        form.run = Some(format!("{}:{row}", file.id));
        self.send(form).await
    }

    /// Records that all forms of the file are entered: the next time, the file is entered again from the start.
    #[boxed]
    pub async fn end_forms(&self, file: &FormsFile, forms: usize, by: &str) -> Result<()> {
        let ctx = self.ctx.clone();
        let act = Attribution::new(by, self.now());
        let event = Event {
            subject: Subject::Load(file.id.clone()),
            change: Change::FormsEntered {
                digest: file.digest.clone(),
                forms: forms as u64,
            },
            personal: None,
        };
        self.db
            .transaction(move |tx| {
                let (ctx, act, event) = (ctx.clone(), act.clone(), event.clone());
                Box::pin(async move { append(tx, &ctx, &act, vec![event]).await })
            })
            .await
    }
}
