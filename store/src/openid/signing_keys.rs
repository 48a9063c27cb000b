//! The keys that sign tokens for clients. A key is published for a day before it signs and for a day after it stopped, so that a client
//! that caches the key set for an hour never meets an unknown key.
//!
//! ```text
//!   published ── 1 day ──▶ signs ── 90 days ──▶ its successor is published ── 1 day ──▶ published only ── 1 day ──▶ gone
//!                            ├── replaced by an operator ──▶ published only, for as long as its tokens are good ──▶ gone
//!                            └── revoked by an operator ──▶ gone
//! ```
//!
//! The private half of a key that is gone is erased; its row stays listed for a year.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::keyring::{AssociatedData, Keyring};
use crate::db::bound::SIGNING_KEY;
use crate::db::{SqlValue, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::settings::setting;
use crate::store::Store;
use crate::unit_of_work::append;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use ngomon_rules::client::Algorithm;
use zeroize::Zeroizing;

const DAY: i64 = 24 * 3_600 * 1_000_000;
/// Age at which a signing key gets a successor: 90 days in microseconds.
const AGE: i64 = 90 * DAY;
/// How long a replaced key stays published: the longest lifetime of a token it signed (an ID token's ten minutes) and a minute for clients
/// to learn of the new key.
const TOKENS: i64 = 11 * 60 * 1_000_000;
/// How long a key that is gone stays listed: one year in microseconds.
const SEEN: i64 = 365 * DAY;
/// The journal's name for operators' changes of the keys.
const SETTING: &str = "signing-keys";

/// A key that signs.
#[derive(Clone)]
pub struct SigningKey {
    /// Key id (`kid`).
    pub id: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Private half, as PKCS #8.
    pub private: Zeroizing<Vec<u8>>,
}

/// A published key, and whether it signs new tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKey {
    /// Key id (`kid`).
    pub id: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// `true` if it signs new tokens.
    pub signs: bool,
}

/// The states of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, and will sign later.
    Published,
    /// Signs new tokens.
    Signs,
    /// Signs no longer, and is published for the tokens that it signed.
    Retired,
    /// No longer published.
    Gone,
    /// Revoked by an operator.
    Revoked,
}

impl KeyState {
    /// The name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signs => "signs",
            Self::Retired => "retired",
            Self::Gone => "gone",
            Self::Revoked => "revoked",
        }
    }
}

/// A key in the operators' list, without its public or private half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// Key id (`kid`).
    pub id: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its state.
    pub state: KeyState,
    /// When it starts to sign: microseconds UTC.
    pub signs_from: i64,
    /// End of publication: microseconds UTC. `None` while it has no successor.
    pub good_until: Option<i64>,
}

fn place(id: &str) -> AssociatedData<'_> {
    AssociatedData {
        table: "signing_key",
        column: "sealed",
        row: id.as_bytes(),
    }
}

fn generated(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>> {
    let fault = |_| StoreError::corrupt("signing_key", "no key could be made");
    let der = match algorithm {
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(fault)?;
            pair.as_der().map_err(fault)?.as_ref().to_vec()
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(fault)?;
            pair.to_pkcs8v1().map_err(fault)?.as_ref().to_vec()
        }
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate().map_err(fault)?;
            pair.to_pkcs8v1().map_err(fault)?.as_ref().to_vec()
        }
    };
    Ok(Zeroizing::new(der))
}

/// The columns of a key's encrypted private half and of its end of publication.
const SEALED: usize = 2;
const GOOD_UNTIL: usize = 5;

/// A key as stored.
struct StoredKey {
    id: String,
    algorithm: Algorithm,
    signs_from: i64,
    good_until: Option<i64>,
    revoked: Option<i64>,
    cells: Vec<SqlValue>,
}

impl StoredKey {
    fn is_published(&self, now: i64) -> bool {
        self.good_until.is_none_or(|until| now < until)
    }
}

/// The key of this algorithm that signs now.
fn signer(kept: &[StoredKey], algorithm: Algorithm, now: i64) -> Option<&StoredKey> {
    let of_algorithm = |key: &&StoredKey| key.algorithm == algorithm && key.signs_from <= now && key.is_published(now);
    kept.iter().find(of_algorithm)
}

/// All stored keys. A key whose MAC does not verify neither signs nor is published.
async fn kept(tx: &mut Tx, keys: &Keyring) -> Result<Vec<StoredKey>> {
    let sql = format!(
        "SELECT {}, revoked FROM signing_key ORDER BY signs_from DESC, id",
        SIGNING_KEY.columns("")
    );
    let mut kept = Vec::new();
    for row in tx.rows(&sql, []).await? {
        if SIGNING_KEY.is_genuine(keys, &row, 0)? {
            let algorithm = Algorithm::parse(&row.get::<String>(1)?);
            kept.push(StoredKey {
                id: row.get(0)?,
                algorithm: algorithm.ok_or_else(|| StoreError::corrupt("signing_key", "no such algorithm"))?,
                signs_from: row.get(4)?,
                good_until: row.get(5)?,
                revoked: row.get(SIGNING_KEY.width())?,
                cells: SIGNING_KEY.cells(&row, 0)?,
            });
        }
    }
    Ok(kept)
}

/// Newly generated keys: algorithm, id, PKCS #8.
type Drawn = Vec<(Algorithm, String, Zeroizing<Vec<u8>>)>;

async fn add(
    tx: &mut Tx,
    ctx: &StoreContext,
    (algorithm, id, private): &(Algorithm, String, Zeroizing<Vec<u8>>),
    signs_from: i64,
) -> Result<()> {
    let cells = vec![
        id.into(),
        algorithm.name().into(),
        ctx.keys.encrypt(place(id), private, &ctx.environment).into(),
        ctx.now().into(),
        signs_from.into(),
        SqlValue::Int(None),
    ];
    let into = format!("signing_key ({})", SIGNING_KEY.columns(""));
    tx.insert(&into, vec![SIGNING_KEY.row(&ctx.keys, cells)], "")
        .await
        .map(drop)
}

/// Sets the end of publication; `erased` also deletes the private half.
async fn end(tx: &mut Tx, ctx: &StoreContext, key: &StoredKey, until: i64, erased: bool) -> Result<()> {
    let mut cells = key.cells.clone();
    cells[GOOD_UNTIL] = until.into();
    if erased {
        cells[SEALED] = Vec::<u8>::new().into();
    }
    let (sealed, mac) = (cells[SEALED].clone(), SIGNING_KEY.mac(&ctx.keys, &cells));
    let sql = "UPDATE signing_key SET good_until = $2, sealed = $3, mac = $4 WHERE id = $1";
    tx.execute(sql, [(&key.id).into(), until.into(), sealed, mac])
        .await
        .map(drop)
}

/// Locks the row of the installation, so that two servers that start at once generate one key.
async fn turnstile(tx: &mut Tx) -> Result<()> {
    tx.rows_for_update("SELECT id FROM installation WHERE id = 1", [])
        .await
        .map(drop)
}

/// Adds missing keys and due successors, and erases the private halves of keys that are no longer published.
async fn tend(tx: &mut Tx, ctx: &StoreContext, drawn: &Drawn) -> Result<()> {
    turnstile(tx).await?;
    let now = ctx.now();
    let there = kept(tx, &ctx.keys).await?;
    for key in drawn {
        let mut before = there
            .iter()
            .filter(|before| before.algorithm == key.0 && before.is_published(now));
        let signs_from = match before.clone().next() {
            None => now,
            Some(newest) if now - newest.signs_from > AGE => now + DAY,
            Some(_) => continue,
        };
        add(tx, ctx, key, signs_from).await?;
        for key in before.by_ref().filter(|key| key.good_until.is_none()) {
            end(tx, ctx, key, signs_from + DAY, false).await?;
        }
    }
    for key in there.iter().filter(|key| !key.is_published(now)) {
        let has_private = matches!(&key.cells[SEALED], SqlValue::Bytes(Some(sealed)) if !sealed.is_empty());
        if let Some(until) = key.good_until.filter(|_| has_private) {
            end(tx, ctx, key, until, true).await?;
        }
    }
    let sql = "DELETE FROM signing_key WHERE good_until < $1";
    tx.execute(sql, [(now - SEEN).into()]).await.map(drop)
}

/// Lets new keys sign from now on. The previous keys stay published while their tokens are valid, except the revoked one.
async fn replace(tx: &mut Tx, ctx: &StoreContext, by: &str, revoked: Option<&str>, drawn: &Drawn) -> Result<()> {
    turnstile(tx).await?;
    let now = ctx.now();
    let there = kept(tx, &ctx.keys).await?;
    let there: Vec<&StoredKey> = there.iter().filter(|key| key.is_published(now)).collect();
    if let Some(id) = revoked.filter(|id| there.iter().all(|key| key.id != **id)) {
        return Err(Refusal::UnknownKey(id.to_owned()).into());
    }
    let of = |id: &str| there.iter().find(|key| key.id == id).map(|key| key.algorithm);
    let algorithm = revoked.and_then(of);
    // A revocation replaces only the keys of the same algorithm.
    let mut signs = Vec::new();
    for key in drawn.iter().filter(|key| algorithm.is_none_or(|one| one == key.0)) {
        add(tx, ctx, key, now).await?;
        signs.push(key.1.as_str());
        for before in there.iter().filter(|before| before.algorithm == key.0) {
            let is_revoked = revoked == Some(before.id.as_str());
            let last = if is_revoked { now } else { now + TOKENS };
            let until = before.good_until.map_or(last, |until| until.min(last));
            // A key that was still to sign never does.
            let until = if before.signs_from > now { now } else { until };
            end(tx, ctx, before, until, until <= now).await?;
            if is_revoked {
                let sql = "UPDATE signing_key SET revoked = $2 WHERE id = $1";
                tx.execute(sql, [(&before.id).into(), now.into()]).await?;
            }
        }
    }
    let before: Vec<&str> = there.iter().map(|key| key.id.as_str()).collect();
    let mut events = vec![setting("", SETTING, before.join(" "), signs.join(" "))];
    events.extend(revoked.map(|id| setting("", "signing-keys.revoked", String::new(), id.to_owned())));
    append(tx, ctx, &Attribution::new(by, ctx.environment.now()), events).await
}

impl Store {
    /// Generates missing keys and successors of old ones; erases expired private halves. Runs at the start and daily.
    #[boxed]
    pub async fn tend_signing_keys(&self) -> Result<()> {
        let now = self.ctx.now();
        let there = self.db.query(async |tx| kept(tx, &self.ctx.keys).await).await?;
        let mut drawn = Vec::new();
        for algorithm in Algorithm::ALL {
            let mut published = there.iter().filter(|key| key.is_published(now));
            let newest = published.find(|key| key.algorithm == *algorithm);
            if newest.is_none_or(|newest| now - newest.signs_from > AGE) {
                drawn.push((*algorithm, self.ctx.id(), generated(*algorithm)?));
            }
        }
        let ctx = self.ctx.clone();
        self.db
            .transaction(move |tx| {
                let (ctx, drawn) = (ctx.clone(), drawn.clone());
                Box::pin(async move { tend(tx, &ctx, &drawn).await })
            })
            .await
    }

    /// Replaces signing keys at once, by an operator's order: those of all algorithms, or, to revoke a key, those of its algorithm. The
    /// previous keys stay published while their tokens are valid; the revoked one is gone at once.
    #[boxed]
    pub async fn replace_signing_keys(&self, revoked: Option<&str>, by: &str) -> Result<()> {
        let mut drawn = Vec::new();
        for algorithm in Algorithm::ALL {
            drawn.push((*algorithm, self.ctx.id(), generated(*algorithm)?));
        }
        let (ctx, by, revoked) = (self.ctx.clone(), by.to_owned(), revoked.map(str::to_owned));
        self.db
            .transaction(move |tx| {
                let (ctx, by, revoked, drawn) = (ctx.clone(), by.clone(), revoked.clone(), drawn.clone());
                Box::pin(async move { replace(tx, &ctx, &by, revoked.as_deref(), &drawn).await })
            })
            .await
    }

    /// All keys of the last year, the newest first.
    #[boxed]
    pub async fn key_lines(&self) -> Result<Vec<KeyLine>> {
        let now = self.ctx.now();
        let there = self.db.query(async |tx| kept(tx, &self.ctx.keys).await).await?;
        let state = |key: &StoredKey| {
            if key.revoked.is_some() {
                KeyState::Revoked
            } else if !key.is_published(now) {
                KeyState::Gone
            } else if signer(&there, key.algorithm, now).is_some_and(|first| first.id == key.id) {
                KeyState::Signs
            } else if key.signs_from > now {
                KeyState::Published
            } else {
                KeyState::Retired
            }
        };
        let line = |key: &StoredKey| KeyLine {
            id: key.id.clone(),
            algorithm: key.algorithm,
            state: state(key),
            signs_from: key.signs_from,
            good_until: key.good_until,
        };
        Ok(there.iter().map(line).collect())
    }

    /// All published keys; of each algorithm the one that signs comes first.
    #[boxed]
    pub async fn published_keys(&self) -> Result<Vec<PublishedKey>> {
        let now = self.ctx.now();
        let there = self.db.query(async |tx| kept(tx, &self.ctx.keys).await).await?;
        let published = there.iter().filter(|key| key.is_published(now));
        Ok(published
            .map(|key| PublishedKey {
                id: key.id.clone(),
                algorithm: key.algorithm,
                signs: signer(&there, key.algorithm, now).is_some_and(|first| first.id == key.id),
            })
            .collect())
    }

    /// A key with its private half. `None` if it is unknown, no longer published, or its MAC does not verify.
    #[boxed]
    pub async fn signing_key(&self, id: &str) -> Result<Option<SigningKey>> {
        let sql = format!("SELECT {} FROM signing_key WHERE id = $1", SIGNING_KEY.columns(""));
        let row = self.db.query(async |tx| tx.row(&sql, [id.into()]).await).await?;
        let Some(row) = row else { return Ok(None) };
        let is_over = row
            .get::<Option<i64>>(GOOD_UNTIL)?
            .is_some_and(|until| until <= self.ctx.now());
        if is_over || !SIGNING_KEY.is_genuine(&self.ctx.keys, &row, 0)? {
            return Ok(None);
        }
        let algorithm = Algorithm::parse(&row.get::<String>(1)?);
        Ok(Some(SigningKey {
            id: id.to_owned(),
            algorithm: algorithm.ok_or_else(|| StoreError::corrupt("signing_key", "no such algorithm"))?,
            private: Zeroizing::new(self.ctx.keys.decrypt(place(id), &row.get::<Vec<u8>>(2)?)?),
        }))
    }
}
