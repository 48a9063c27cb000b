//! Forms at the counter: an operator who saw the papers enters the form and reads the result.

use crate::boxed;
use crate::citizens::person::numbers_of;
use crate::citizens::registry::ask;
use crate::citizens::submission::{SubmissionResult, SubmittedForm};
use crate::context::StoreContext;
use crate::db::bound::{SUBMISSION, binds};
use crate::db::columns::placeholders;
use crate::db::{SqlValue, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::personal::decrypt;
use crate::projections::citizens::submission_cells;
use crate::rights::Operator;
use crate::store::Store;
use crate::tables::accounts::{CLAIMED, citizen, claimed_of};
use jiff::Timestamp;
use ngomon_rules::citizens::{Field, Outcome, Paper, ParsedForm, Proof, RegistryAnswer, parse};
use ngomon_rules::event::Personal;
use ngomon_rules::records::{AccountId, Form, RegistryRecord};
use ngomon_rules::values::{FullName, Grade, NationalId, local_day};

/// An answered form, as an operator reads it.
#[derive(Clone, Debug)]
pub struct EnteredForm {
    /// The receipt of the form.
    pub receipt: String,
    /// The account.
    pub account: AccountId,
    /// The outcome.
    pub outcome: Outcome,
    /// The malformed or differing fields, sorted.
    pub fields: Vec<Field>,
    /// The papers that the operator who entered the form saw.
    pub papers: Vec<Paper>,
    /// When it was answered, in microseconds UTC.
    pub at: i64,
    /// The national id as it was typed, if it is valid in form.
    pub national_id: Option<NationalId>,
    /// The registry's spelling of a name that is close to the form's.
    pub near: Option<FullName>,
    /// The claim that these papers can take over.
    pub weaker: Option<WeakerClaim>,
}

/// A claim that was proven by less than papers, or that a counter withdrew: two operators can give it to another account.
#[derive(Clone, Debug)]
pub struct WeakerClaim {
    /// The account that holds it.
    pub holder: AccountId,
    /// Its proof.
    pub proof: Proof,
    /// Since when, in microseconds UTC.
    pub since: i64,
    /// When a counter withdrew it; `None` if it is in force.
    pub withdrawn: Option<i64>,
    /// The person's number in the claim.
    pub national_id: NationalId,
    /// The person's name in the claim.
    pub full_name: FullName,
}

/// A form as it is stored.
pub(crate) struct StoredForm {
    pub account: AccountId,
    pub outcome: Outcome,
    pub fields: Vec<Field>,
    pub papers: Vec<Paper>,
    proof: Proof,
    at: i64,
    effective: i64,
    form: Form,
}

impl StoredForm {
    /// Whether papers that an operator saw prove the whole form, and another account has the claim.
    pub fn shows_another_claim(&self) -> bool {
        self.outcome == Outcome::Taken && self.proof == Proof::Counter && !self.papers.is_empty()
    }

    /// Parses the four fields again, as of the day on which the form counts.
    pub fn parsed(&self) -> Option<ParsedForm> {
        let at = Timestamp::from_microsecond(self.effective).ok()?;
        parse(&self.form, local_day(at)).ok()
    }
}

pub(crate) async fn kept(tx: &mut Tx, ctx: &StoreContext, receipt: &str) -> Result<Option<StoredForm>> {
    let sql = "SELECT s.account, s.outcome, s.fields, s.proof, s.papers, s.value, s.at, s.effective, v.sealed, s.phone_proven, s.mac FROM submission s \
         JOIN personal_value v ON v.id = s.value WHERE s.receipt = $1";
    let Some(row) = tx.row(sql, [receipt.into()]).await? else {
        return Ok(None);
    };
    let corrupt = || StoreError::corrupt(format!("submission {receipt}"), "not a form");
    let [account, outcome, fields, proof, papers, value]: [String; 6] = [
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
    ];
    let words = [proof.as_str(), papers.as_str(), value.as_str()];
    let cells = submission_cells(receipt, &account, words, row.get::<i64>(9)? != 0, row.get(7)?);
    if !binds(&ctx.keys, SUBMISSION, &cells, Some(&row.get::<Vec<u8>>(10)?)) {
        return Err(StoreError::corrupt(
            format!("submission {receipt}"),
            "it is not as it was sent",
        ));
    }
    let Personal::Form(form) = decrypt(&ctx.keys, &value, &row.get::<Vec<u8>>(8)?)? else {
        return Err(corrupt());
    };
    Ok(Some(StoredForm {
        account: AccountId(account),
        outcome: Outcome::parse(&outcome).ok_or_else(corrupt)?,
        fields: fields.split(' ').filter_map(Field::parse).collect(),
        proof: Proof::parse(&proof).ok_or_else(corrupt)?,
        papers: papers.split(' ').filter_map(Paper::parse).collect(),
        at: row.get(6)?,
        effective: row.get(7)?,
        form,
    }))
}

impl Store {
    /// Answers a form that an operator enters for an account whose owner is at the counter with these papers. `registry` is the
    /// registry's answer; if `None`, the extract as last loaded answers.
    #[boxed]
    pub async fn enter_form(
        &self,
        operator: &Operator,
        account: &AccountId,
        form: &Form,
        papers: &[Paper],
        registry: Option<RegistryAnswer>,
    ) -> Result<SubmissionResult> {
        self.send(SubmittedForm {
            account: account.clone(),
            form: form.clone(),
            at: self.now(),
            by: operator.by().to_owned(),
            proof: Proof::Counter,
            papers: papers.to_vec(),
            notice: None,
            phone_proven: false,
            again: None,
            registry,
            run: None,
        })
        .await
    }

    /// The result of a form. An operator can also read a form that the person sent.
    #[boxed]
    pub async fn entered_form(&self, _: &Operator, receipt: &str) -> Result<EnteredForm> {
        self.db
            .read(async |tx| {
                let found = kept(tx, &self.ctx, receipt).await?;
                let form = found.ok_or_else(|| Refusal::UnknownForm(receipt.to_owned()))?;
                let record = match form.parsed() {
                    Some(parsed) => ask(tx, &self.ctx, parsed.national_id).await?,
                    None => RegistryAnswer::Unavailable,
                };
                let national_id = form.parsed().map(|parsed| parsed.national_id);
                let (mut near, mut weaker) = (None, None);
                if let (RegistryAnswer::Found(record), Some(parsed)) = (&record, form.parsed()) {
                    let near_it = parsed.full_name.grade(&record.full_name) == Grade::Near;
                    near = (form.outcome == Outcome::Mismatch && near_it).then(|| record.full_name.clone());
                    if form.shows_another_claim() {
                        weaker = weaker_claim(tx, &self.ctx, &form.account, record).await?;
                    }
                }
                Ok(EnteredForm {
                    receipt: receipt.to_owned(),
                    account: form.account,
                    outcome: form.outcome,
                    fields: form.fields,
                    papers: form.papers,
                    at: form.at,
                    national_id,
                    near,
                    weaker,
                })
            })
            .await
    }
}

/// The claim on the person of a record, if `account` could get it by papers and two operators.
async fn weaker_claim(
    tx: &mut Tx,
    ctx: &StoreContext,
    account: &AccountId,
    record: &RegistryRecord,
) -> Result<Option<WeakerClaim>> {
    let numbers = numbers_of(tx, ctx, record).await?;
    // The claim in force, or else the last one.
    let sql = format!(
        "SELECT {CLAIMED}, c.proof, c.since, c.until FROM person_number n JOIN claim c ON c.person = n.person \
         JOIN personal_value w ON w.id = c.value WHERE n.fp IN ({}) \
         ORDER BY CASE WHEN c.until IS NULL THEN 0 ELSE 1 END, c.ord DESC LIMIT 1",
        placeholders(numbers.len())
    );
    let Some(row) = tx.row(&sql, numbers.into_iter().map(SqlValue::from)).await? else {
        return Ok(None);
    };
    let (claimed, proof) = (claimed_of(&ctx.keys, &row, 0)?, row.get::<String>(4)?);
    let proof = Proof::parse(&proof).ok_or_else(|| StoreError::corrupt("claim", "no such proof"))?;
    let claim = WeakerClaim {
        holder: claimed.holder,
        proof,
        since: row.get(5)?,
        withdrawn: row.get(6)?,
        national_id: claimed.numbers.first().copied().unwrap_or(record.national_id),
        full_name: claimed.full_name,
    };
    let unclaimed = citizen(tx, ctx, account.as_str())
        .await?
        .is_some_and(|a| a.claim.is_none());
    let gives = claim.withdrawn.is_some() || Proof::Counter.takes_over(claim.proof);
    Ok((unclaimed && claim.holder != *account && gives).then_some(claim))
}
