//! The submission of a form, C2 to C4 in one transaction: the form is answered, and its consequences are written.

use crate::citizens::forms::entered;
use crate::citizens::registry::ask;
use crate::crypto::keyring::FingerprintKind;
use crate::db::bound::{SUBMISSION, binds};
use crate::db::{SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::entry::{Attribution, StoreContext, append, decrypt};
use crate::projections::submission_cells;
use crate::settings::vouched_campaign;
use crate::store::Store;
use crate::tables::accounts::{citizen, claim_of, fingerprint, placeholders};
use crate::tables::numbers::ever_held;
use jiff::Timestamp;
use ngomon_rules::citizens::{
    CitizenAccount, ClaimedIdentity, Field, Fields, Outcome, Paper, ParsedForm, Proof, RegistryAnswer,
    StandardiseOutcome, answer, on_success, on_taken, parse, parse_of_file,
};
use ngomon_rules::event::{Change, Event, PersonId, Personal};
use ngomon_rules::records::{AccountId, Form, RegistryRecord, Submission};
use ngomon_rules::values::{NationalId, local_day};
use std::collections::BTreeSet;

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

/// A form that waits for the registry.
#[derive(Clone)]
pub struct PendingForm {
    /// The number for which the registry must be queried; `None` if the form is not even valid in form.
    pub number: Option<NationalId>,
    /// The registry was queried and lacks some of the data: the form waits for a counter.
    pub waits_for_papers: bool,
    sent: SubmittedForm,
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
    fn parsed(&self) -> std::result::Result<ParsedForm, Fields> {
        let day = local_day(self.at);
        if self.run.is_some() || self.again.is_some() {
            parse_of_file(&self.form, day)
        } else {
            parse(&self.form, day)
        }
    }
}

impl Store {
    /// Answers a form by the registry as last loaded. It counts at its own instant, or at `at` if it has none, but never prevails over a
    /// claim that is in force.
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
        let env = self.env.clone();
        self.db
            .transaction(move |tx| {
                let (env, sent) = (env.clone(), sent.clone());
                Box::pin(async move { submit(tx, &env, sent).await })
            })
            .await
    }

    /// The answer of the registry as last loaded, for a number.
    pub async fn registry(&self, number: NationalId) -> Result<RegistryAnswer> {
        self.db.read(async |tx| ask(tx, &self.env, number).await).await
    }

    /// The outcome that a form would have now. Changes nothing, and counts no attempt.
    pub async fn preview_form(
        &self,
        account: &AccountId,
        form: &Form,
        registry: &RegistryAnswer,
    ) -> Result<StandardiseOutcome> {
        let form = parse(form, self.today());
        self.db
            .read(async |tx| {
                let account = citizen(tx, &self.env, account.as_str()).await?;
                let has_claim = account.is_some_and(|account| account.claim.is_some());
                let taken = match registry {
                    RegistryAnswer::Found(record) => is_claimed(tx, &self.env, record).await?,
                    RegistryAnswer::NotFound | RegistryAnswer::Unavailable => false,
                };
                Ok(answer(has_claim, &form, registry, taken))
            })
            .await
    }

    /// The forms that wait for the registry, in the order in which they came.
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
            if !binds(&self.env.keys, SUBMISSION, &cells, Some(&row.get::<Vec<u8>>(9)?)) {
                continue;
            }
            let Personal::Form(form) = decrypt(&self.env.keys, &value, &row.get::<Vec<u8>>(4)?)? else {
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
    pub async fn retry_pending(&self, by: &str) -> Result<u64> {
        let mut answered = 0;
        for pending in self.pending_forms().await? {
            let done = self.retry_pending_forms(pending, by, None).await?;
            answered += u64::from(done.outcome != Outcome::Pending);
        }
        Ok(answered)
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

/// Whether an account holds the claim of that person.
async fn is_claimed(tx: &mut Tx, env: &StoreContext, record: &RegistryRecord) -> Result<bool> {
    let numbers = numbers_of(tx, env, record).await?;
    let sql = format!(
        "SELECT 1 FROM person_number n JOIN claim c ON c.person = n.person AND c.until IS NULL WHERE n.fp IN ({})",
        placeholders(numbers.len())
    );
    Ok(tx.row(&sql, numbers.into_iter().map(SqlValue::from)).await?.is_some())
}

/// Answers a form. Locks are taken in one order, the person's before the accounts': the transaction that gets the claim locks all
/// accounts with the details of its person.
async fn submit(tx: &mut Tx, env: &StoreContext, sent: SubmittedForm) -> Result<SubmissionResult> {
    let id = sent.account.as_str();
    let unknown = SubmissionResult {
        outcome: Outcome::UnknownAccount,
        fields: Vec::new(),
        receipt: None,
    };
    if let Some(run) = &sent.run
        && let Some(answered) = entered(tx, env, run).await?
    {
        return Ok(answered);
    }
    // Load the current keys first: if this keyring is behind, that error comes before rows under newer keys look forged.
    env.marker(tx).await?;
    let Some(before) = citizen(tx, env, id).await? else {
        return Ok(unknown);
    };
    let form = sent.parsed();
    let registry = match &form {
        Ok(form) if before.claim.is_none() => match &sent.registry {
            Some(answered) => answered.clone(),
            None => ask(tx, env, form.national_id).await?,
        },
        _ => RegistryAnswer::Unavailable,
    };
    let required = vouched_campaign(tx, &env.keys).await?.issue_date_required;
    let answer = |has_claim: bool, taken: bool| {
        answer(has_claim, &form, &registry, taken).made_good(sent.proof, sent.phone_proven, required)
    };
    let first = answer(before.claim.is_some(), false);
    let person = match (first.outcome, &registry) {
        (Outcome::Standardised, RegistryAnswer::Found(record)) => {
            Some((record, resolve_person(tx, env, record).await?))
        }
        _ => None,
    };
    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [id.into()])
        .await?;
    // Read again under the lock.
    let Some(account) = citizen(tx, env, id).await? else {
        return Ok(unknown);
    };
    let has_claim = account.claim.is_some();
    if has_claim && let Some((_, person)) = &person {
        delete_unclaimed_person(tx, person).await?;
    }
    let mut decided = answer(has_claim, false);
    let mut follows = Vec::new();
    if let (Outcome::Standardised, Some((record, person))) = (decided.outcome, person) {
        if let Some(claim) = claim_of(tx, env, &person.id.0).await? {
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
            let others = duplicate_candidates(tx, env, &mut claim, person.numbers).await?;
            follows = on_success(&account, &claim, sent.proof, &others);
        }
    }
    let receipt = match &sent.again {
        // It waits for the same fields as before.
        Some((receipt, fields)) if decided.outcome == Outcome::Pending && decided.fields.iter().eq(fields) => {
            return Ok(submitted(&decided, receipt.clone()));
        }
        Some((receipt, _)) => receipt.clone(),
        None => new_receipt(tx, env).await?,
    };
    let mut events = vec![answered(&account, &sent, &decided, &receipt)];
    events.extend(follows);
    let act = Attribution {
        run: sent.run.clone(),
        ..Attribution::new(&sent.by, sent.at)
    };
    append(tx, env, &act, events).await?;
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

/// A claim that a counter withdrew.
pub(crate) struct WithdrawnClaim {
    /// The account that had it.
    pub holder: AccountId,
    pub proof: Proof,
    pub until: i64,
}

/// The withdrawn claim of a person, if no account has it now and the last one to have it was another than `account`.
pub(crate) async fn withdrawn(tx: &mut Tx, person: &PersonId, account: &AccountId) -> Result<Option<WithdrawnClaim>> {
    let sql =
        "SELECT account, proof, until FROM claim WHERE person = $1 AND until IS NOT NULL ORDER BY ord DESC LIMIT 1";
    let Some(row) = tx.row(sql, [(&person.0).into()]).await? else {
        return Ok(None);
    };
    let proof: String = row.get(1)?;
    let last = WithdrawnClaim {
        holder: AccountId(row.get(0)?),
        proof: Proof::parse(&proof).ok_or_else(|| StoreError::corrupt("claim", "no such proof"))?,
        until: row.get(2)?,
    };
    Ok((last.holder != *account).then_some(last))
}

pub(crate) fn all_numbers(record: &RegistryRecord) -> Vec<NationalId> {
    std::iter::once(record.national_id)
        .chain(record.former_ids.iter().copied())
        .collect()
}

/// The fingerprints of every number that the person of a record ever held.
pub(crate) async fn numbers_of(tx: &mut Tx, env: &StoreContext, record: &RegistryRecord) -> Result<BTreeSet<Vec<u8>>> {
    let marker = env.marker(tx).await?;
    let numbers = all_numbers(record);
    let fps = numbers
        .iter()
        .map(|n| fingerprint(&marker, FingerprintKind::NationalId, n.as_str()));
    ever_held(tx, fps).await
}

/// A person of the registry.
pub(crate) struct Person {
    pub(crate) id: PersonId,
    /// The fingerprints of all numbers that the person ever held, sorted.
    pub(crate) numbers: Vec<Vec<u8>>,
    /// This transaction created the row of the person; no entry of the journal refers to it yet.
    new: bool,
}

/// Deletes a new person's row: the form had no consequences, so a replay of the journal would not create it.
async fn delete_unclaimed_person(tx: &mut Tx, person: &Person) -> Result<()> {
    if person.new {
        tx.execute("DELETE FROM person_number WHERE person = $1", [(&person.id.0).into()])
            .await?;
    }
    Ok(())
}

/// The person of a record, created if needed. Locks the person's rows until the end of this transaction.
pub(crate) async fn resolve_person(tx: &mut Tx, env: &StoreContext, record: &RegistryRecord) -> Result<Person> {
    let numbers: Vec<Vec<u8>> = numbers_of(tx, env, record).await?.into_iter().collect();
    let number = record.national_id;
    let number = fingerprint(&*env.marker(tx).await?, FingerprintKind::NationalId, number.as_str());
    let sql = format!(
        "SELECT person FROM person_number WHERE fp IN ({}) ORDER BY fp",
        placeholders(numbers.len())
    );
    let mut known = tx
        .rows_for_update(&sql, numbers.iter().cloned().map(SqlValue::from))
        .await?;
    let mut new = false;
    if known.is_empty() {
        let insert = "INSERT INTO person_number (fp, person) VALUES ($1,$2) ON CONFLICT (fp) DO NOTHING";
        new = tx.execute(insert, [number.into(), env.id().into()]).await? > 0;
        known = tx
            .rows_for_update(&sql, numbers.iter().cloned().map(SqlValue::from))
            .await?;
    }
    let mut persons: Vec<String> = known.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    persons.dedup();
    // If numbers of two persons turned out to be one person's, use the person with a claim, or else the first.
    let mut person = persons.first().cloned().unwrap_or_default();
    for candidate in persons {
        let claimed = tx
            .row(
                "SELECT 1 FROM claim WHERE person = $1 AND until IS NULL",
                [(&candidate).into()],
            )
            .await?;
        if claimed.is_some() {
            person = candidate;
            break;
        }
    }
    Ok(Person {
        id: PersonId(person),
        numbers,
        new,
    })
}

/// The accounts that may have the person's details, locked. Also adds to the claim the numbers that only such an account states.
pub(crate) async fn duplicate_candidates(
    tx: &mut Tx,
    env: &StoreContext,
    claim: &mut ClaimedIdentity,
    numbers: Vec<Vec<u8>>,
) -> Result<Vec<CitizenAccount>> {
    // Shared with running imports of accounts: either they see this claim, or this transaction sees their accounts.
    tx.rows_for_share("SELECT id FROM arrival", []).await?;
    let mut ids = BTreeSet::new();
    let by_number = format!(
        "SELECT id FROM account WHERE kind = 'citizen' AND number_fp IN ({})",
        placeholders(numbers.len())
    );
    for row in tx.rows(&by_number, numbers.into_iter().map(SqlValue::from)).await? {
        ids.insert((row.get::<String>(0)?, true));
    }
    if let Some(phone) = &claim.phone {
        let fp = fingerprint(&*env.marker(tx).await?, FingerprintKind::Phone, phone.as_str());
        let by_phone = "SELECT id FROM account WHERE kind = 'citizen' AND phone_fp = $1 AND number_fp IS NULL";
        for row in tx.rows(by_phone, [fp.into()]).await? {
            ids.insert((row.get::<String>(0)?, false));
        }
    }
    let mut found = Vec::new();
    for (id, by_number) in ids {
        if id == claim.holder.as_str() {
            continue;
        }
        tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [(&id).into()])
            .await?;
        let Some(account) = citizen(tx, env, &id).await? else {
            continue;
        };
        if let Some(number) = account
            .stated
            .national_id
            .filter(|n| by_number && !claim.numbers.contains(n))
        {
            claim.numbers.push(number);
        }
        found.push(account);
    }
    Ok(found)
}

/// A new receipt, such as `DH-7K3M-42QX`, that was never drawn before.
pub(crate) async fn new_receipt(tx: &mut Tx, env: &StoreContext) -> Result<String> {
    loop {
        let drawn = env.ambient.letters::<8>();
        let receipt = format!("DH-{}-{}", &drawn[..4], &drawn[4..]);
        if tx
            .row(
                "SELECT 1 FROM submission WHERE receipt = $1 UNION ALL SELECT 1 FROM review_request WHERE receipt = $1 \
                 UNION ALL SELECT 1 FROM amendment WHERE receipt = $1 UNION ALL SELECT 1 FROM proposed_act WHERE receipt = $1",
                [(&receipt).into()],
            )
            .await?
            .is_none()
        {
            return Ok(receipt);
        }
    }
}
