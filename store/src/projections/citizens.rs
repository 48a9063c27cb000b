//! Forms, claims and proposals of citizens.

use crate::context::StoreContext;
use crate::crypto::keyring::{FingerprintKind, Fingerprinter};
use crate::db::bound::{CLAIM, SUBMISSION};
use crate::db::columns::day_number;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::Entry;
use crate::projections::counter_updates::{claim_on, recount, refusal_on};
use crate::projections::counters::CounterDeltas;
use crate::projections::profiles::numbers_of;
use crate::projections::shared::unexpected;
use crate::tables::accounts::fingerprint;
use ngomon_rules::citizens::{LastFormState, Proof};
use ngomon_rules::event::{Change, Personal};
use ngomon_rules::values::{FullName, NationalId, Phone};

pub(crate) async fn amendment_proposed(
    tx: &mut Tx,
    entry: &Entry,
    id: &str,
    profile: &str,
    receipt: &str,
) -> Result<()> {
    let value = entry.value.clone().ok_or_else(|| unexpected(entry))?;
    let row = vec![
        receipt.into(),
        id.into(),
        profile.into(),
        entry.at.into(),
        value.into(),
        SqlValue::Int(None),
    ];
    tx.insert(
        "amendment (receipt, account, profile, at, value, accepted)",
        vec![row],
        "",
    )
    .await
    .map(drop)
}

/// The cells that bind a form, so that it cannot be moved to another account, a stronger proof or other papers.
pub(crate) fn submission_cells(
    receipt: &str,
    account: &str,
    [proof, papers, value]: [&str; 3],
    phone_proven: bool,
    effective: i64,
) -> [SqlValue; 7] {
    [
        receipt.into(),
        account.into(),
        proof.into(),
        papers.into(),
        value.into(),
        phone_proven.into(),
        effective.into(),
    ]
}

pub(crate) async fn form_answered(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    id: &str,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let Change::FormAnswered {
        receipt,
        proof,
        outcome,
        fields,
        papers,
        phone_proven,
        ..
    } = &entry.event.change
    else {
        return Err(unexpected(entry));
    };
    let fields: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    let papers: Vec<&str> = papers.iter().map(|paper| paper.name()).collect();
    let value = entry.value.clone().ok_or_else(|| unexpected(entry))?;
    let papers = papers.join(" ");
    let words = [proof.name(), papers.as_str(), value.as_str()];
    let cells = submission_cells(receipt, id, words, *phone_proven, entry.effective);
    let mac = entry.bind(&ctx.keys, SUBMISSION, &cells);
    tx.execute(
        "INSERT INTO submission (receipt, account, effective, at, outcome, fields, value, proof, papers, phone_proven, mac) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) \
         ON CONFLICT (receipt) DO UPDATE SET outcome = excluded.outcome, fields = excluded.fields, at = excluded.at",
        [
            receipt.into(),
            id.into(),
            entry.effective.into(),
            entry.at.into(),
            outcome.name().into(),
            fields.join(" ").into(),
            value.into(),
            proof.name().into(),
            papers.into(),
            (*phone_proven).into(),
            mac,
        ],
    )
    .await?;
    counts.extend_horizon(entry.effective);
    let last = LastFormState::after(*outcome).name();
    let account = recount(tx, id, counts, |key| key.last = last.to_owned()).await?;
    if outcome.is_refusal() {
        counts.add_day(refusal_on(day_number(entry.effective), account), 1);
    }
    Ok(())
}

pub(crate) async fn claim_made(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    id: &str,
    person: &str,
    proof: Proof,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let (Some(Personal::Claim { numbers, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    numbers_of(tx, ctx, person, numbers, counts).await?;
    let details = ClaimDetails::of(&*ctx.marker(tx).await?, entry)?;
    let [number_fp, phone_fp, name_fp] = details.into_args();
    tx.execute(
        "INSERT INTO claim (account, since, until, person, proof, value, number_fp, phone_fp, ord, name_fp, mac) \
         VALUES ($1,$2,NULL,$3,$4,$5,$6,$7,$8,$9,$10)",
        [
            id.into(),
            entry.effective.into(),
            person.into(),
            proof.name().into(),
            value.into(),
            number_fp,
            phone_fp,
            entry.at.into(),
            name_fp,
            entry.bind(
                &ctx.keys,
                CLAIM,
                &[id.into(), person.into(), value.into(), entry.commitment.clone().into()],
            ),
        ],
    )
    .await?;
    counts.extend_horizon(entry.effective);
    let key = recount(tx, id, counts, |key| key.claimed = 1).await?;
    counts.add_day(claim_on(day_number(entry.effective), key), 1);
    Ok(())
}

/// The fingerprints that find accounts with the details of a claim's person.
pub(crate) struct ClaimDetails {
    pub number_fp: Vec<u8>,
    pub phone_fp: Option<Vec<u8>>,
    pub name_fp: Vec<u8>,
}

impl ClaimDetails {
    fn of(marker: &Fingerprinter, entry: &Entry) -> Result<Self> {
        let Some(Personal::Claim {
            numbers,
            full_name,
            phone,
        }) = &entry.event.personal
        else {
            return Err(unexpected(entry));
        };
        let number = numbers.first().ok_or_else(|| unexpected(entry))?;
        Ok(Self::from(marker, *number, full_name, phone.as_ref()))
    }

    pub fn from(marker: &Fingerprinter, number: NationalId, full_name: &FullName, phone: Option<&Phone>) -> Self {
        let fp = |kind, text: &str| fingerprint(marker, kind, text);
        Self {
            number_fp: fp(FingerprintKind::NationalId, number.as_str()),
            phone_fp: phone.map(|phone| fp(FingerprintKind::Phone, phone.as_str())),
            name_fp: fp(FingerprintKind::NameExact, &full_name.exact_key()),
        }
    }

    fn into_args(self) -> [SqlValue; 3] {
        [self.number_fp.into(), self.phone_fp.into(), self.name_fp.into()]
    }
}

/// Updates an account's claim with the registry's present details of its person.
pub(crate) async fn claim_details_changed(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    id: &str,
    person: &str,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let (Some(Personal::Claim { numbers, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    let details = ClaimDetails::of(&*ctx.marker(tx).await?, entry)?;
    let [number_fp, phone_fp, name_fp] = details.into_args();
    let sql = "UPDATE claim SET value = $3, number_fp = $4, phone_fp = $5, name_fp = $6, mac = $7 \
         WHERE account = $1 AND person = $2 AND until IS NULL";
    let cells = [id.into(), person.into(), value.into(), entry.commitment.clone().into()];
    let mac = entry.bind(&ctx.keys, CLAIM, &cells);
    let args = [
        id.into(),
        person.into(),
        value.into(),
        number_fp,
        phone_fp,
        name_fp,
        mac,
    ];
    if tx.execute(sql, args).await? > 0 {
        numbers_of(tx, ctx, person, numbers, counts).await?;
    }
    Ok(())
}
