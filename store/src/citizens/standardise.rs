//! The submission of a form, C2 to C4 in one transaction: the form is answered, and its consequences are written.

use crate::boxed;
use crate::citizens::person::{
    all_numbers, delete_unclaimed_person, duplicate_candidates, is_claimed, resolve_person, withdrawn,
};
use crate::citizens::registry::ask;
use crate::citizens::submission::{SubmissionResult, SubmittedForm, entered, sent};
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::db::bound::{SUBMISSION, binds};
use crate::error::{Result, StoreError};
use crate::journal::personal::decrypt;
use crate::projections::citizens::submission_cells;
use crate::store::Store;
use crate::tables::accounts::{citizen, claim_of};
use crate::tables::receipts::new_receipt;
use crate::tables::settings::vouched_campaign;
use crate::unit_of_work::append;
use jiff::Timestamp;
use ngomon_rules::citizens::{
    CitizenAccount, ClaimedIdentity, Field, Outcome, Paper, Proof, RegistryAnswer, StandardiseOutcome, answer,
    on_success, on_taken, parse, parse_of_file,
};
use ngomon_rules::event::{Change, Event, Personal};
use ngomon_rules::records::{AccountId, Form, Submission};
use ngomon_rules::values::{NationalId, local_day};

/// A form that waits for the registry.
#[derive(Clone)]
pub struct PendingForm {
    /// The number for which the registry must be queried; `None` if the form is not even valid in form.
    pub number: Option<NationalId>,
    /// The registry was queried and lacks some of the data: the form waits for a counter.
    pub waits_for_papers: bool,
    sent: SubmittedForm,
}

impl Store {
    /// Answers a form by the registry as last loaded. It counts at its own instant, or at `at` if it has none, but never prevails over a
    /// claim that is in force.
    #[boxed]
    pub async fn standardise(
        &self,
        submission: &Submission,
        proof: Proof,
        by: &str,
        at: Timestamp,
    ) -> Result<SubmissionResult> {
        self.send(sent(submission, proof, by, at)).await
    }

    /// Answers an owner's form by the answer of a registry that was queried before. `phone_proven`: the phone in the form was proven by a
    /// one-time code.
    #[boxed]
    pub async fn standardise_as_answered(
        &self,
        submission: &Submission,
        by: &str,
        registry: RegistryAnswer,
        phone_proven: bool,
    ) -> Result<SubmissionResult> {
        self.send(SubmittedForm {
            registry: Some(registry),
            phone_proven,
            ..sent(submission, Proof::Form, by, self.now())
        })
        .await
    }

    pub(crate) async fn send(&self, sent: SubmittedForm) -> Result<SubmissionResult> {
        let ctx = self.ctx.clone();
        self.db
            .transaction(move |tx| {
                let (ctx, sent) = (ctx.clone(), sent.clone());
                Box::pin(async move { submit(tx, &ctx, sent).await })
            })
            .await
    }

    /// The answer of the registry as last loaded, for a number.
    #[boxed]
    pub async fn registry(&self, number: NationalId) -> Result<RegistryAnswer> {
        self.db.read(async |tx| ask(tx, &self.ctx, number).await).await
    }

    /// The outcome that a form would have now. Changes nothing, and counts no attempt.
    #[boxed]
    pub async fn preview_form(
        &self,
        account: &AccountId,
        form: &Form,
        registry: &RegistryAnswer,
    ) -> Result<StandardiseOutcome> {
        let form = parse(form, self.today());
        self.db
            .read(async |tx| {
                let account = citizen(tx, &self.ctx, account.as_str()).await?;
                let has_claim = account.is_some_and(|account| account.claim.is_some());
                let taken = match registry {
                    RegistryAnswer::Found(record) => is_claimed(tx, &self.ctx, record).await?,
                    RegistryAnswer::NotFound | RegistryAnswer::Unavailable => false,
                };
                Ok(answer(has_claim, &form, registry, taken))
            })
            .await
    }

    /// The forms that wait for the registry, in the order in which they came.
    #[boxed]
    pub async fn pending_forms(&self) -> Result<Vec<PendingForm>> {
        let waiting = self
            .db
            .read(async |tx| {
                let sql = "SELECT s.receipt, s.account, s.effective, s.value, v.sealed, s.proof, s.papers, s.fields, s.phone_proven, s.mac \
                     FROM submission s \
                     JOIN personal_value v ON v.id = s.value WHERE s.outcome = 'pending' ORDER BY s.at, s.receipt";
                tx.rows(sql, []).await
            })
            .await?;
        let mut forms = Vec::with_capacity(waiting.len());
        for row in waiting {
            let [receipt, account, value, proof, papers]: [String; 5] =
                [row.get(0)?, row.get(1)?, row.get(3)?, row.get(5)?, row.get(6)?];
            let corrupt = || StoreError::corrupt(format!("submission {receipt}"), "not a form");
            let words = [proof.as_str(), papers.as_str(), value.as_str()];
            let cells = submission_cells(&receipt, &account, words, row.get::<i64>(8)? != 0, row.get(2)?);
            // A forged row: nobody sent this form.
            if !binds(&self.ctx.keys, SUBMISSION, &cells, Some(&row.get::<Vec<u8>>(9)?)) {
                continue;
            }
            let Personal::Form(form) = decrypt(&self.ctx.keys, &value, &row.get::<Vec<u8>>(4)?)? else {
                return Err(corrupt());
            };
            let at = Timestamp::from_microsecond(row.get(2)?).map_err(|_| corrupt())?;
            let fields: String = row.get(7)?;
            let fields: Vec<Field> = fields.split(' ').filter_map(Field::parse).collect();
            forms.push(PendingForm {
                waits_for_papers: !fields.is_empty(),
                number: parse_of_file(&form, local_day(at)).ok().map(|form| form.national_id),
                sent: SubmittedForm {
                    account: AccountId(account),
                    form,
                    at,
                    by: String::new(),
                    proof: Proof::parse(&proof).ok_or_else(corrupt)?,
                    notice: None,
                    papers: papers.split(' ').filter_map(Paper::parse).collect(),
                    phone_proven: row.get::<i64>(8)? != 0,
                    again: Some((receipt.clone(), fields)),
                    registry: None,
                    run: None,
                },
            });
        }
        Ok(forms)
    }

    /// Answers a pending form. `registry` is as in [`Store::standardise_as_answered`]; if `None`, the extract as last loaded answers.
    #[boxed]
    pub async fn retry_pending_forms(
        &self,
        pending: PendingForm,
        by: &str,
        registry: Option<RegistryAnswer>,
    ) -> Result<SubmissionResult> {
        self.send(SubmittedForm {
            by: by.to_owned(),
            registry,
            ..pending.sent
        })
        .await
    }

    /// Answers the pending forms by the registry as last loaded. Returns how many were answered.
    #[boxed]
    pub async fn retry_pending(&self, by: &str) -> Result<u64> {
        let mut answered = 0;
        for pending in self.pending_forms().await? {
            let done = self.retry_pending_forms(pending, by, None).await?;
            answered += u64::from(done.outcome != Outcome::Pending);
        }
        Ok(answered)
    }
}

/// Answers a form. Locks are taken in one order, the person's before the accounts': the transaction that gets the claim locks all
/// accounts with the details of its person.
async fn submit(tx: &mut Tx, ctx: &StoreContext, sent: SubmittedForm) -> Result<SubmissionResult> {
    let id = sent.account.as_str();
    let unknown = SubmissionResult {
        outcome: Outcome::UnknownAccount,
        fields: Vec::new(),
        receipt: None,
    };
    if let Some(run) = &sent.run
        && let Some(answered) = entered(tx, ctx, run).await?
    {
        return Ok(answered);
    }
    // Load the current keys first: if this keyring is behind, that error comes before rows under newer keys look forged.
    ctx.marker(tx).await?;
    let Some(before) = citizen(tx, ctx, id).await? else {
        return Ok(unknown);
    };
    let form = sent.parsed();
    let registry = match &form {
        Ok(form) if before.claim.is_none() => match &sent.registry {
            Some(answered) => answered.clone(),
            None => ask(tx, ctx, form.national_id).await?,
        },
        _ => RegistryAnswer::Unavailable,
    };
    let required = vouched_campaign(tx, &ctx.keys).await?.issue_date_required;
    let answer = |has_claim: bool, taken: bool| {
        answer(has_claim, &form, &registry, taken).made_good(sent.proof, sent.phone_proven, required)
    };
    let first = answer(before.claim.is_some(), false);
    let person = match (first.outcome, &registry) {
        (Outcome::Standardised, RegistryAnswer::Found(record)) => {
            Some((record, resolve_person(tx, ctx, record).await?))
        }
        _ => None,
    };
    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [id.into()])
        .await?;
    // Read again under the lock.
    let Some(account) = citizen(tx, ctx, id).await? else {
        return Ok(unknown);
    };
    let has_claim = account.claim.is_some();
    if has_claim && let Some((_, person)) = &person {
        delete_unclaimed_person(tx, person).await?;
    }
    let mut decided = answer(has_claim, false);
    let mut follows = Vec::new();
    if let (Outcome::Standardised, Some((record, person))) = (decided.outcome, person) {
        if let Some(claim) = claim_of(tx, ctx, &person.id.0).await? {
            decided = answer(has_claim, true);
            follows = on_taken(&account, &claim.holder);
        } else if !sent.papers.is_empty() && withdrawn(tx, &person.id, &account.id).await?.is_some() {
            // A claim that a counter withdrew cannot go to another account at a counter by one operator alone. No account holds it, so
            // nothing follows.
            decided = answer(has_claim, true);
        } else if sent.proof == Proof::Form
            && record.phone.is_none()
            && withdrawn(tx, &person.id, &account.id).await?.is_some()
        {
            // Nor does a phone prove it if the registry has none on file: it may be the phone of the operator who withdrew the claim. The
            // form waits for papers and two operators.
            decided = StandardiseOutcome {
                outcome: Outcome::Pending,
                fields: [Field::Phone].into(),
                ..decided
            };
        } else {
            let mut claim = ClaimedIdentity {
                holder: account.id.clone(),
                person: person.id,
                numbers: all_numbers(record),
                full_name: record.full_name.clone(),
                phone: record.phone.clone(),
            };
            let others = duplicate_candidates(tx, ctx, &mut claim, person.numbers).await?;
            follows = on_success(&account, &claim, sent.proof, &others);
        }
    }
    let receipt = match &sent.again {
        // It waits for the same fields as before.
        Some((receipt, fields)) if decided.outcome == Outcome::Pending && decided.fields.iter().eq(fields) => {
            return Ok(submitted(&decided, receipt.clone()));
        }
        Some((receipt, _)) => receipt.clone(),
        None => new_receipt(tx, ctx).await?,
    };
    let mut events = vec![answered(&account, &sent, &decided, &receipt)];
    events.extend(follows);
    let act = Attribution {
        run: sent.run.clone(),
        ..Attribution::new(&sent.by, sent.at)
    };
    append(tx, ctx, &act, events).await?;
    Ok(submitted(&decided, receipt))
}

fn submitted(answer: &StandardiseOutcome, receipt: String) -> SubmissionResult {
    SubmissionResult {
        outcome: answer.outcome,
        fields: answer.fields.iter().copied().collect(),
        receipt: Some(receipt),
    }
}

fn answered(account: &CitizenAccount, sent: &SubmittedForm, answer: &StandardiseOutcome, receipt: &str) -> Event {
    let change = Change::FormAnswered {
        receipt: receipt.to_owned(),
        proof: sent.proof,
        outcome: answer.outcome,
        fields: answer.fields.iter().copied().collect(),
        name_grade: answer.name_grade,
        notice: sent.notice,
        papers: sent.papers.clone(),
        phone_proven: sent.phone_proven,
    };
    Event::of_account(&account.id, change).with(Personal::Form(sent.form.clone()))
}
