//! An official's own HR profile: its yearly review, and proposals of changes that HR accepts or declines. An official who is held for
//! clauses 1 to 4 corrects the cause here; the account is decided again at once.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::{Refusal, Result, StoreError};
use crate::journal::personal::decrypt;
use crate::notifications::messages::tell_owner;
use crate::officials::affected::{AffectedKeys, AffectedSet};
use crate::officials::facts::Facts;
use crate::rights::Operator;
use crate::store::Store;
use crate::tables::accounts::{STATED, stated_of};
use crate::tables::holds::recorded_holds;
use crate::tables::receipts::new_receipt;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, PersonId, Personal, ProfileId, Subject};
use ngomon_rules::hold::Reason;
use ngomon_rules::officials::{Amendment, ProfileMatch, StoredProfile};
use ngomon_rules::records::{AccountAttributes, AccountId, Profile};
use ngomon_rules::values::{Date, local_day};

/// An official's HR profile.
#[derive(Clone)]
pub struct OwnProfile {
    /// The id of the profile in this system.
    pub id: ProfileId,
    /// The profile as it counts now.
    pub profile: Profile,
}

/// A proposal that waits for HR.
#[derive(Clone)]
pub struct Proposal {
    /// The receipt that the person has.
    pub receipt: String,
    /// The account of the proposer.
    pub account: AccountId,
    /// When, in microseconds UTC.
    pub at: i64,
    /// The proposed changes.
    pub amendment: Amendment,
    /// The profile as it is now.
    pub profile: Profile,
}

/// The profile that belongs to the account on that day.
async fn found(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, day: Date) -> Result<Option<StoredProfile>> {
    let concerned = AffectedKeys {
        accounts: [account.clone()].into(),
        ..AffectedKeys::default()
    };
    let people = AffectedSet::closure_of(tx, &concerned).await?;
    let facts = Facts::read(tx, ctx, day, Some(&people)).await?;
    let held = facts.accounts.iter().find(|held| held.account.id == *account);
    Ok(
        match held.map(|held| facts.directory.find(&held.account, &facts.units, day)) {
            Some(ProfileMatch::Profile(kept)) => Some(kept.clone()),
            Some(ProfileMatch::Nothing | ProfileMatch::Undecided(_)) | None => None,
        },
    )
}

async fn in_service(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, day: Date) -> Result<StoredProfile> {
    let kept = found(tx, ctx, account, day).await?;
    let kept = kept.filter(|kept| kept.profile.in_service_on(day));
    kept.ok_or_else(|| Refusal::NoProfileInService(account.to_string()).into())
}

impl Store {
    /// The own profile of an official.
    #[boxed]
    pub async fn own_profile(&self, account: &AccountId) -> Result<Option<OwnProfile>> {
        let day = self.today();
        let kept = self
            .db
            .read(async |tx| found(tx, &self.ctx, account, day).await)
            .await?;
        Ok(kept.map(|kept| OwnProfile {
            id: kept.id,
            profile: kept.profile,
        }))
    }

    /// Records that the owner reviewed the own profile and found it right. A second review on the same day changes nothing.
    #[boxed]
    pub async fn review_profile(&self, account: &AccountId) -> Result<()> {
        let (ctx, owner) = (self.ctx.clone(), account.clone());
        let judges = self
            .db
            .transaction(move |tx| {
                let (ctx, owner) = (ctx.clone(), owner.clone());
                Box::pin(async move {
                    let now = ctx.environment.now();
                    let day = local_day(now);
                    lock(tx, &owner).await?;
                    let kept = in_service(tx, &ctx, &owner, day).await?;
                    if kept.profile.reviewed_on >= Some(day) {
                        let holds = recorded_holds(tx, owner.as_str()).await?;
                        return Ok(holds.iter().any(|hold| hold.reason == Reason::ReviewOverdue));
                    }
                    let event = Event {
                        subject: Subject::Profile(kept.id),
                        change: Change::ProfileReviewed { on: day },
                        personal: None,
                    };
                    append(tx, &ctx, &Attribution::new(owner.as_str(), now), vec![event]).await?;
                    Ok(true)
                })
            })
            .await?;
        if judges { self.judge_anew(account).await } else { Ok(()) }
    }

    /// Proposes changes of the own profile. Returns the receipt; if the same proposal is already pending, that one's.
    #[boxed]
    pub async fn propose(&self, account: &AccountId, amendment: &Amendment) -> Result<String> {
        let (ctx, account, amendment) = (self.ctx.clone(), account.clone(), amendment.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, account, amendment) = (ctx.clone(), account.clone(), amendment.clone());
                Box::pin(async move {
                    let now = ctx.environment.now();
                    lock(tx, &account).await?;
                    let kept = in_service(tx, &ctx, &account, local_day(now)).await?;
                    let waiting = waiting(tx, &ctx, Some(&account)).await?;
                    if let Some(same) = waiting.into_iter().find(|one| one.amendment == amendment) {
                        return Ok(same.receipt);
                    }
                    let receipt = new_receipt(tx, &ctx).await?;
                    let change = Change::AmendmentProposed {
                        profile: kept.id,
                        receipt: receipt.clone(),
                    };
                    let event = Event::of_account(&account, change).with(Personal::Amendment(Box::new(amendment)));
                    append(tx, &ctx, &Attribution::new(account.as_str(), now), vec![event]).await?;
                    Ok(receipt)
                })
            })
            .await
    }

    /// The proposals of an account that wait for HR, oldest first.
    #[boxed]
    pub async fn own_proposals(&self, account: &AccountId) -> Result<Vec<Proposal>> {
        self.db
            .read(async |tx| waiting(tx, &self.ctx, Some(account)).await)
            .await
    }

    /// All proposals that wait for HR, oldest first.
    #[boxed]
    pub async fn proposals(&self, _: &Operator) -> Result<Vec<Proposal>> {
        self.db.read(async |tx| waiting(tx, &self.ctx, None).await).await
    }

    /// Accepts or declines a proposal, with a reason that its owner reads; the owner gets the message `news`. The account is decided
    /// again at once.
    #[boxed]
    pub async fn decide_proposal(
        &self,
        operator: &Operator,
        receipt: &str,
        accepted: bool,
        why: &str,
        news: &str,
    ) -> Result<()> {
        let (ctx, by) = (self.ctx.clone(), operator.by().to_owned());
        let (receipt, news, why) = (receipt.to_owned(), news.to_owned(), why.to_owned());
        let (account, generation) = self
            .db
            .transaction(move |tx| {
                let (ctx, receipt, by, news) = (ctx.clone(), receipt.clone(), by.clone(), news.clone());
                let why = why.clone();
                Box::pin(async move {
                    let act = Attribution::new(&by, ctx.environment.now());
                    let generation = lock_of_proposal(tx, &receipt).await?;
                    let account = decide(tx, &ctx, &receipt, accepted, &why, &act).await?;
                    tell_owner(tx, &ctx, &account, &news).await?;
                    Ok((account, generation))
                })
            })
            .await?;
        if let Some(generation) = generation.filter(|_| accepted) {
            self.judge_anew(&account).await?;
            // The owner may be waiting for this answer in a held visit.
            self.renew_held_sessions_of(&account, generation).await?;
        }
        Ok(())
    }

    async fn judge_anew(&self, account: &AccountId) -> Result<()> {
        let done = self
            .reconcile_people(std::slice::from_ref(account), &[], self.today(), "hr")
            .await;
        match done {
            // A run as of a later day was applied: the next run uses the change.
            Ok(_) | Err(StoreError::Refused(Refusal::BeforeLastRun { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Locks the account, so that its requests run one after the other.
async fn lock(tx: &mut Tx, account: &AccountId) -> Result<()> {
    let sql = "SELECT id FROM account_row WHERE id = $1";
    tx.rows_for_update(sql, [account.as_str().into()]).await.map(drop)
}

/// Locks the account that a proposal is about, and returns its generation. `None` if there is no such proposal.
async fn lock_of_proposal(tx: &mut Tx, receipt: &str) -> Result<Option<i64>> {
    let sql = "SELECT account FROM amendment WHERE receipt = $1";
    let Some(row) = tx.row(sql, [receipt.into()]).await? else {
        return Ok(None);
    };
    let sql = "SELECT generation FROM account_row WHERE id = $1";
    let rows = tx.rows_for_update(sql, [row.get::<String>(0)?.into()]).await?;
    rows.first().map(|row| row.get(0)).transpose()
}

/// The proposals that wait for HR, of one account or of all, oldest first.
async fn waiting(tx: &mut Tx, ctx: &StoreContext, of: Option<&AccountId>) -> Result<Vec<Proposal>> {
    let sql = "SELECT m.receipt, m.account, m.at, m.value, v.sealed, p.value, w.sealed FROM amendment m \
         JOIN personal_value v ON v.id = m.value JOIN profile p ON p.id = m.profile \
         JOIN personal_value w ON w.id = p.value WHERE m.accepted IS NULL";
    let (sql, args) = match of {
        Some(account) => (format!("{sql} AND m.account = $1"), vec![account.as_str().into()]),
        None => (sql.to_owned(), Vec::new()),
    };
    let rows = tx.rows(&format!("{sql} ORDER BY m.at, m.receipt"), args).await?;
    rows.iter()
        .map(|row| {
            Ok(Proposal {
                receipt: row.get(0)?,
                account: AccountId(row.get(1)?),
                at: row.get(2)?,
                amendment: amendment_of(ctx, row, 3)?,
                profile: profile_of(ctx, row, 5)?,
            })
        })
        .collect()
}

fn amendment_of(ctx: &StoreContext, row: &crate::db::Row, at: usize) -> Result<Amendment> {
    let (id, sealed): (String, Vec<u8>) = (row.get(at)?, row.get(at + 1)?);
    match decrypt(&ctx.keys, &id, &sealed)? {
        Personal::Amendment(amendment) => Ok(*amendment),
        _ => Err(StoreError::corrupt(format!("personal_value {id}"), "no proposal")),
    }
}

fn profile_of(ctx: &StoreContext, row: &crate::db::Row, at: usize) -> Result<Profile> {
    let (id, sealed): (String, Vec<u8>) = (row.get(at)?, row.get(at + 1)?);
    match decrypt(&ctx.keys, &id, &sealed)? {
        Personal::Profile(profile) => Ok(*profile),
        _ => Err(StoreError::corrupt(format!("personal_value {id}"), "not a profile's")),
    }
}

async fn decide(
    tx: &mut Tx,
    ctx: &StoreContext,
    receipt: &str,
    accepted: bool,
    why: &str,
    act: &Attribution,
) -> Result<AccountId> {
    let sql = "SELECT m.account, m.accepted, m.profile, m.value, v.sealed, p.value, w.sealed, p.person FROM amendment m \
         JOIN personal_value v ON v.id = m.value JOIN profile p ON p.id = m.profile \
         JOIN personal_value w ON w.id = p.value WHERE m.receipt = $1";
    let unknown = || Refusal::UnknownProposal(receipt.to_owned());
    let lock = "SELECT receipt FROM amendment WHERE receipt = $1 AND accepted IS NULL";
    if tx.rows_for_update(lock, [receipt.into()]).await?.is_empty() {
        return Err(unknown().into());
    }
    let row = tx.row(sql, [receipt.into()]).await?.ok_or_else(unknown)?;
    let account = AccountId(row.get(0)?);
    let decided = Change::AmendmentDecided {
        receipt: receipt.to_owned(),
        accepted,
    };
    let mut decided = Event::of_account(&account, decided);
    if !why.is_empty() {
        decided = decided.with(Personal::Note { text: why.to_owned() });
    }
    let mut events = vec![decided];
    if accepted {
        let day = local_day(ctx.environment.now());
        let (amendment, profile) = (amendment_of(ctx, &row, 3)?, profile_of(ctx, &row, 5)?);
        if amendment.changes_profile() {
            let change = Change::ProfileAmended {
                person: row.get::<Option<String>>(7)?.map(PersonId),
                receipt: receipt.to_owned(),
            };
            events.push(Event {
                subject: Subject::Profile(ProfileId(row.get(2)?)),
                change,
                personal: Some(Personal::Profile(Box::new(amendment.applied(&profile, day)))),
            });
        }
        if amendment.account_follows {
            events.extend(follows(tx, ctx, &account, &profile).await?);
        }
    }
    append(tx, ctx, act, events).await?;
    Ok(account)
}

/// The event by which the account takes over what the profile states about its owner.
async fn follows(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, profile: &Profile) -> Result<Option<Event>> {
    let sql = format!("SELECT {STATED} FROM account a JOIN personal_value v ON v.id = a.value WHERE a.id = $1");
    let Some(row) = tx.row(&sql, [account.as_str().into()]).await? else {
        return Ok(None);
    };
    let old = stated_of(&ctx.keys, &row, 0)?;
    let stated = AccountAttributes {
        full_name: Some(profile.full_name.clone()),
        birth_date: profile.birth_date.or(old.birth_date),
        national_id: profile.national_id.or(old.national_id),
        ..old.clone()
    };
    let all = [
        ("birth_date", old.birth_date != stated.birth_date),
        ("full_name", old.full_name != stated.full_name),
        ("national_id", old.national_id != stated.national_id),
    ];
    let fields: Vec<String> = all
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| name.to_owned())
        .collect();
    let personal = Personal::Account {
        stated,
        password_hash: None,
    };
    Ok((!fields.is_empty()).then(|| Event::of_account(account, Change::AccountChanged { fields }).with(personal)))
}
