//! At the counter: an operator who saw the papers enters the form, and reads what came of it.

use super::registry::ask;
use super::submit::{Sent, Submitted, all_numbers};
use crate::access::Operator;
use crate::db::{Arg, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::{Env, unseal};
use crate::keyring::FingerprintKind;
use crate::store::Store;
use crate::tables::{citizen, fingerprint, places};
use jiff::Timestamp;
use ngomon_rules::citizens::{Field, Outcome, Paper, ParsedForm, Proof, RegistryAnswer, parse};
use ngomon_rules::event::Personal;
use ngomon_rules::record::{AccountId, Form, RegistryRecord};
use ngomon_rules::values::{FullName, Grade, local_day};

/// A form that was answered, as an operator reads it.
#[derive(Clone, Debug)]
pub struct EnteredForm {
    /// Of it.
    pub receipt: String,
    /// Whose account.
    pub account: AccountId,
    /// Its answer.
    pub outcome: Outcome,
    /// The malformed or differing fields, sorted.
    pub fields: Vec<Field>,
    /// Seen by the operator who entered it.
    pub papers: Vec<Paper>,
    /// When it was answered, in microseconds UTC.
    pub at: i64,
    /// How the registry spells a name that is near the form's.
    pub near: Option<FullName>,
    /// The claim that these papers can take over.
    pub weaker: Option<WeakerClaim>,
}

/// A claim that was proven by less than papers.
#[derive(Clone, Debug)]
pub struct WeakerClaim {
    /// The account that holds it.
    pub holder: AccountId,
    /// How it was proven.
    pub proof: Proof,
    /// Since when, in microseconds UTC.
    pub since: i64,
}

/// A form as it is kept.
pub(super) struct Kept {
    pub account: AccountId,
    pub outcome: Outcome,
    pub fields: Vec<Field>,
    pub papers: Vec<Paper>,
    proof: Proof,
    at: i64,
    effective: i64,
    form: Form,
}

impl Kept {
    /// All that it says is right by papers that an operator saw, and another account has the claim.
    pub fn shows_another_claim(&self) -> bool {
        self.outcome == Outcome::Taken && self.proof == Proof::Counter && !self.papers.is_empty()
    }

    /// Reads the four fields again, as of the day on which the form counts.
    pub fn parsed(&self) -> Option<ParsedForm> {
        let at = Timestamp::from_microsecond(self.effective).ok()?;
        parse(&self.form, local_day(at)).ok()
    }
}

pub(super) async fn kept(tx: &mut Tx, env: &Env, receipt: &str) -> Result<Option<Kept>> {
    let sql = "SELECT s.account, s.outcome, s.fields, s.proof, s.papers, s.value, s.at, s.effective, v.sealed FROM submission s \
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
    let Personal::Form(form) = unseal(&env.keys, &value, &row.get::<Vec<u8>>(8)?)? else {
        return Err(corrupt());
    };
    Ok(Some(Kept {
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
    /// Answers a form that an operator enters for an account whose owner is at the counter with these papers. `registry`: what it
    /// said; without it, it is asked as last loaded.
    pub async fn enter_form(
        &self,
        operator: &Operator,
        account: &AccountId,
        form: &Form,
        papers: &[Paper],
        registry: Option<RegistryAnswer>,
    ) -> Result<Submitted> {
        self.send(Sent {
            account: account.clone(),
            form: form.clone(),
            at: self.now(),
            by: operator.by().to_owned(),
            proof: Proof::Counter,
            papers: papers.to_vec(),
            notice: None,
            again: None,
            registry,
        })
        .await
    }

    /// What came of a form. A person's own form is read by an operator too.
    pub async fn entered_form(&self, _: &Operator, receipt: &str) -> Result<EnteredForm> {
        self.db
            .read(async |tx| {
                let found = kept(tx, &self.env, receipt).await?;
                let form = found.ok_or_else(|| Refusal::UnknownForm(receipt.to_owned()))?;
                let record = match form.parsed() {
                    Some(parsed) => ask(tx, &self.env, parsed.national_id).await?,
                    None => RegistryAnswer::Unavailable,
                };
                let (mut near, mut weaker) = (None, None);
                if let (RegistryAnswer::Found(record), Some(parsed)) = (&record, form.parsed()) {
                    let near_it = parsed.full_name.grade(&record.full_name) == Grade::Near;
                    near = (form.outcome == Outcome::Mismatch && near_it).then(|| record.full_name.clone());
                    if form.shows_another_claim() {
                        weaker = weaker_claim(tx, &self.env, &form.account, record).await?;
                    }
                }
                Ok(EnteredForm {
                    receipt: receipt.to_owned(),
                    account: form.account,
                    outcome: form.outcome,
                    fields: form.fields,
                    papers: form.papers,
                    at: form.at,
                    near,
                    weaker,
                })
            })
            .await
    }
}

/// The claim on the person of a record, if `account` could take it over by papers.
async fn weaker_claim(
    tx: &mut Tx,
    env: &Env,
    account: &AccountId,
    record: &RegistryRecord,
) -> Result<Option<WeakerClaim>> {
    let marker = env.marker(tx).await?;
    let numbers: Vec<Arg> = all_numbers(record)
        .iter()
        .map(|n| fingerprint(&marker, FingerprintKind::NationalId, n.as_str()).into())
        .collect();
    let sql = format!(
        "SELECT c.account, c.proof, c.since FROM person_number n JOIN claim c ON c.person = n.person AND c.until IS NULL \
         WHERE n.fp IN ({}) LIMIT 1",
        places(numbers.len())
    );
    let Some(row) = tx.row(&sql, numbers).await? else {
        return Ok(None);
    };
    let proof = row.get::<String>(1)?;
    let claim = WeakerClaim {
        holder: AccountId(row.get(0)?),
        proof: Proof::parse(&proof).ok_or_else(|| StoreError::corrupt("claim", "no such proof"))?,
        since: row.get(2)?,
    };
    let unclaimed = citizen(tx, env, account.as_str())
        .await?
        .is_some_and(|a| a.claim.is_none());
    let takes = unclaimed && claim.holder != *account && Proof::Counter.takes_over(claim.proof);
    Ok(takes.then_some(claim))
}
