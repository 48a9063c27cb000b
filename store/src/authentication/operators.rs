//! Operators: named by a command, enrolled by a link that is valid once, removed with all their sessions.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::merkle::sha256;
use crate::db::Tx;
use crate::db::bound::ENROLMENT;
use crate::error::{Refusal, Result};
use crate::store::Store;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, LoginId, Personal, Subject};
use ngomon_rules::records::{AccountAttributes, AccountId};
use ngomon_rules::values::{Date, local_day};

/// Lifetime of an enrolment link: 72 hours in microseconds.
const GOOD: i64 = 72 * 3_600 * 1_000_000;
/// Number of recovery codes of an operator.
const CODES: usize = 10;
/// Maximum length of an operator's name, in characters.
const LONGEST: usize = 40;

/// Minimum number of operators, once there are that many.
const FEWEST: usize = 2;

/// A valid enrolment link.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Name of the operator.
    pub operator: String,
    /// Secret for the authenticator. It derives from the link, so that nothing is stored before the owner has shown that it works.
    pub totp_secret: [u8; 20],
}

fn totp_secret(ctx: &StoreContext, link: &str) -> [u8; 20] {
    let mut secret = [0; 20];
    secret.copy_from_slice(&ctx.keys.mac(&[b"enrolment totp", link.as_bytes()])[..20]);
    secret
}

/// The keyed hash of a recovery code, regardless of case and dashes.
pub(crate) fn recovery_hash(ctx: &StoreContext, account: &AccountId, typed: &str) -> [u8; 32] {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric);
    let code: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
    ctx.keys
        .mac(&[b"recovery code", account.as_str().as_bytes(), code.as_bytes()])
}

fn about(name: String, change: Change) -> Event {
    Event {
        subject: Subject::Operator(name),
        change,
        personal: None,
    }
}

/// Refuses a name that was given before, in whatever case. The journal and connected systems know an operator by the name, so it never gets
/// another bearer.
async fn never_given(tx: &mut Tx, name: &str) -> Result<()> {
    let there = "SELECT 1 FROM operator WHERE LOWER(name) = LOWER($1)";
    if tx.row(there, [name.into()]).await?.is_some() {
        return Err(Refusal::OperatorExists(name.to_owned()).into());
    }
    let before = "SELECT 1 FROM journal WHERE subject_kind = 'operator' AND LOWER(subject) = LOWER($1) LIMIT 1";
    if tx.row(before, [name.into()]).await?.is_some() {
        return Err(Refusal::OperatorRemoved(name.to_owned()).into());
    }
    Ok(())
}

/// Locks all operators against removal and holds, and returns their names.
async fn lock_operators(tx: &mut Tx) -> Result<Vec<String>> {
    let rows = tx
        .rows_for_update("SELECT name FROM operator ORDER BY name", [])
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The names of the operators who can act: enrolled and not held.
async fn able_operators(tx: &mut Tx, today: Date) -> Result<Vec<String>> {
    let sql = "SELECT o.name FROM operator o JOIN account_row a ON a.id = 'operator:' || o.name WHERE o.value IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.account = a.id AND h.until IS NULL AND (h.last_day IS NULL OR h.last_day >= $1))";
    let rows = tx.rows(sql, [today.to_string().into()]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Refuses a hold on an operator unless two others remain who can act: one who holds, and another who could lift it.
pub(crate) async fn others_stay(tx: &mut Tx, by: &str, account: &AccountId, today: Date) -> Result<()> {
    if account.as_str() == by {
        return Err(Refusal::OwnAccount.into());
    }
    lock_operators(tx).await?;
    let able = able_operators(tx, today).await?;
    let others = able.iter().filter(|name| Some(name.as_str()) != account.operator());
    if others.count() < FEWEST {
        return Err(Refusal::NoOtherOperator.into());
    }
    Ok(())
}

impl Store {
    /// The names of the operators.
    #[boxed]
    pub async fn operators(&self) -> Result<Vec<String>> {
        self.db
            .read(async |tx| {
                let rows = tx.rows("SELECT name FROM operator ORDER BY name", []).await?;
                rows.iter().map(|row| row.get(0)).collect()
            })
            .await
    }

    /// Adds an operator: letters, digits, `.`, `-` and `_`. Returns the secret of an enrolment link, valid once, for three days.
    #[boxed]
    pub async fn add_operator(&self, name: &str, by: &str) -> Result<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(plain) {
            return Err(Refusal::OperatorName(name.to_owned()).into());
        }
        let (ctx, act, name) = (self.ctx.clone(), Attribution::new(by, self.now()), name.to_owned());
        let secret = self.ctx.environment.hex::<32>();
        let digest = sha256(&[secret.as_bytes()]);
        self.db
            .transaction(move |tx| {
                let (ctx, act, name) = (ctx.clone(), act.clone(), name.clone());
                Box::pin(async move {
                    never_given(tx, &name).await?;
                    let cells = vec![digest.into(), (&name).into(), (ctx.now() + GOOD).into()];
                    let row = vec![ENROLMENT.row(&ctx.keys, cells)];
                    tx.insert("enrolment (secret, operator, good_until, mac)", row, "")
                        .await?;
                    append(tx, &ctx, &act, vec![about(name, Change::OperatorAdded)]).await
                })
            })
            .await?;
        Ok(secret)
    }

    /// The enrolment of a link. `None` if the link was used, has expired, or never existed.
    #[boxed]
    pub async fn enrolment(&self, link: &str) -> Result<Option<Enrolment>> {
        let (digest, now) = (sha256(&[link.as_bytes()]), self.ctx.now());
        let sql = format!(
            "SELECT {} FROM enrolment WHERE secret = $1 AND good_until > $2",
            ENROLMENT.columns("")
        );
        let row = self
            .db
            .query(async |tx| tx.row(&sql, [digest.into(), now.into()]).await)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let good = ENROLMENT.is_genuine(&self.ctx.keys, &row, 0)?;
        good.then(|| {
            Ok(Enrolment {
                operator: row.get(1)?,
                totp_secret: totp_secret(&self.ctx, link),
            })
        })
        .transpose()
    }

    /// Enrols an operator with a password and an authenticator whose code of `step` (half minutes since 1970) was right. The operator can
    /// sign in from now on. Returns the recovery codes, which cannot be displayed again.
    #[boxed]
    pub async fn enrol(&self, link: &str, password_hash: &str, step: u64) -> Result<Vec<String>> {
        let codes: Vec<String> = std::iter::repeat_with(|| {
            let code = self.ctx.environment.letters::<12>();
            format!("{}-{}-{}", &code[..4], &code[4..8], &code[8..])
        })
        .take(CODES)
        .collect();
        let (ctx, link, hash, kept) = (
            self.ctx.clone(),
            link.to_owned(),
            password_hash.to_owned(),
            codes.clone(),
        );
        self.db
            .transaction(move |tx| {
                let (ctx, link, password_hash, codes) = (ctx.clone(), link.clone(), hash.clone(), kept.clone());
                Box::pin(async move {
                    let digest = sha256(&[link.as_bytes()]);
                    let sql = format!(
                        "DELETE FROM enrolment WHERE secret = $1 AND good_until > $2 RETURNING {}",
                        ENROLMENT.columns("")
                    );
                    let row = tx.row(&sql, [digest.into(), ctx.now().into()]).await?;
                    let row = row.ok_or(Refusal::EnrolmentOver)?;
                    if !ENROLMENT.is_genuine(&ctx.keys, &row, 0)? {
                        return Err(Refusal::EnrolmentOver.into());
                    }
                    let name: String = row.get(1)?;
                    let account = AccountId::of_operator(&name);
                    let step = i64::try_from(step).unwrap_or(i64::MAX);
                    // A row may be left from a predecessor of that name whose code was typed during the removal.
                    let used = "INSERT INTO code_step (account, step) VALUES ($1,$2) \
                         ON CONFLICT (account) DO UPDATE SET step = excluded.step";
                    tx.execute(used, [account.as_str().into(), step.into()]).await?;
                    let personal = Personal::Operator {
                        stated: AccountAttributes {
                            username: Some(name),
                            ..AccountAttributes::default()
                        },
                        password_hash,
                        totp_secret: totp_secret(&ctx, &link),
                        recovery_codes: codes.iter().map(|code| recovery_hash(&ctx, &account, code)).collect(),
                    };
                    let change = Change::OperatorEnrolled {
                        login: LoginId(ctx.id()),
                    };
                    let act = Attribution::new(account.as_str(), ctx.environment.now());
                    append(tx, &ctx, &act, vec![Event::of_account(&account, change).with(personal)]).await
                })
            })
            .await?;
        Ok(codes)
    }

    /// Removes an operator, from the next click on. At least two operators who can act must remain.
    #[boxed]
    pub async fn remove_operator(&self, name: &str, by: &str) -> Result<()> {
        let (ctx, act, name) = (self.ctx.clone(), Attribution::new(by, self.now()), name.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, act, name) = (ctx.clone(), act.clone(), name.clone());
                Box::pin(async move {
                    let all = lock_operators(tx).await?;
                    if !all.contains(&name) {
                        return Err(Refusal::UnknownOperator(name).into());
                    }
                    let able = able_operators(tx, local_day(ctx.environment.now())).await?;
                    let is_able = able.contains(&name);
                    if all.len() <= FEWEST || (is_able && able.len() <= FEWEST) {
                        return Err(Refusal::TwoOperators.into());
                    }
                    let account = AccountId::of_operator(&name);
                    // Waits for a concurrent sign-in, which locks this row: its session exists before the deletion, or never.
                    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
                        .await?;
                    for (sql, of) in [
                        ("DELETE FROM session WHERE account = $1", account.as_str()),
                        ("DELETE FROM code_step WHERE account = $1", account.as_str()),
                        ("DELETE FROM enrolment WHERE operator = $1", name.as_str()),
                        (
                            "DELETE FROM passkey_use WHERE passkey IN (SELECT p.id FROM passkey p \
                             JOIN account_row a ON a.login = p.login WHERE a.id = $1)",
                            account.as_str(),
                        ),
                    ] {
                        tx.execute(sql, [of.into()]).await?;
                    }
                    append(tx, &ctx, &act, vec![about(name, Change::OperatorRemoved)]).await
                })
            })
            .await
    }
}
