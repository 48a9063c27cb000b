//! Keys that sign tokens for clients. A key is published a day before it signs and a day after it stopped, so that whoever keeps the
//! published keys for an hour never meets an unknown one.
//!
//! ```text
//!   published ── 1 day ──▶ signs ── 90 days ──▶ its successor is published ── 1 day ──▶ published only ── 1 day ──▶ gone
//! ```

use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::journal::Env;
use crate::keyring::Place;
use crate::store::Store;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use ngomon_rules::client::Algorithm;
use zeroize::Zeroizing;

const DAY: i64 = 24 * 3_600 * 1_000_000;
/// After so many microseconds a key gets a successor.
const AGE: i64 = 90 * DAY;

/// A key that signs.
#[derive(Clone)]
pub struct SigningKey {
    /// Its name in tokens.
    pub id: String,
    /// What it signs by.
    pub algorithm: Algorithm,
    /// PKCS #8.
    pub private: Zeroizing<Vec<u8>>,
}

/// A key that is published, and whether it is the one that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKey {
    /// Its name in tokens.
    pub id: String,
    /// What it signs by.
    pub algorithm: Algorithm,
    /// New tokens are signed by it.
    pub signs: bool,
}

fn place(id: &str) -> Place<'_> {
    Place {
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

/// Algorithm, when it began, when it signs from, until when it is published.
struct Kept {
    id: String,
    algorithm: Algorithm,
    signs_from: i64,
    good_until: Option<i64>,
}

async fn kept(tx: &mut Tx) -> Result<Vec<Kept>> {
    let sql = "SELECT id, algorithm, signs_from, good_until FROM signing_key ORDER BY signs_from DESC, id";
    let rows = tx.rows(sql, []).await?;
    let read = |row: &crate::db::Row| {
        let algorithm = Algorithm::parse(&row.get::<String>(1)?);
        Ok(Kept {
            id: row.get(0)?,
            algorithm: algorithm.ok_or_else(|| StoreError::corrupt("signing_key", "no such algorithm"))?,
            signs_from: row.get(2)?,
            good_until: row.get(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Sees to it that each algorithm has a key that signs, and a successor in time.
async fn tend(tx: &mut Tx, env: &Env, drawn: &[(Algorithm, String, Zeroizing<Vec<u8>>)]) -> Result<()> {
    // Two servers that start at once make one key: the row of the installation is the turnstile.
    tx.rows_locked("SELECT id FROM installation WHERE id = 1", []).await?;
    let now = env.now();
    let there = kept(tx).await?;
    for (algorithm, id, private) in drawn {
        let newest = there.iter().find(|key| key.algorithm == *algorithm);
        let signs_from = match newest {
            None => now,
            Some(newest) if now - newest.signs_from > AGE => now + DAY,
            Some(_) => continue,
        };
        let sealed = env.keys.seal(place(id), private, &env.ambient);
        tx.execute(
            "INSERT INTO signing_key (id, algorithm, sealed, began, signs_from, good_until) VALUES ($1,$2,$3,$4,$5,NULL)",
            [id.into(), algorithm.name().into(), sealed.into(), now.into(), signs_from.into()],
        )
        .await?;
        let sql = "UPDATE signing_key SET good_until = $3 WHERE algorithm = $1 AND id <> $2 AND good_until IS NULL";
        tx.execute(sql, [algorithm.name().into(), id.into(), (signs_from + DAY).into()])
            .await?;
    }
    Ok(())
}

impl Store {
    /// Makes the keys that are missing, and successors of old ones; takes away those whose time is over. Done at the start and daily.
    pub async fn tend_signing_keys(&self) -> Result<()> {
        let now = self.env.now();
        let there = self.db.ask(async |tx| kept(tx).await).await?;
        let mut drawn = Vec::new();
        for algorithm in Algorithm::ALL {
            let newest = there.iter().find(|key| key.algorithm == *algorithm);
            if newest.is_none_or(|newest| now - newest.signs_from > AGE) {
                drawn.push((*algorithm, self.env.id(), generated(*algorithm)?));
            }
        }
        let env = self.env.clone();
        self.db
            .write(move |tx| {
                let (env, drawn) = (env.clone(), drawn.clone());
                Box::pin(async move {
                    tend(tx, &env, &drawn).await?;
                    let sql = "DELETE FROM signing_key WHERE good_until < $1";
                    tx.execute(sql, [env.now().into()]).await.map(drop)
                })
            })
            .await
    }

    /// All keys that are published, the one first that signs, of each algorithm.
    pub async fn published_keys(&self) -> Result<Vec<PublishedKey>> {
        let now = self.env.now();
        let there = self.db.ask(async |tx| kept(tx).await).await?;
        let there: Vec<Kept> = there
            .into_iter()
            .filter(|key| key.good_until.is_none_or(|until| now < until))
            .collect();
        let signs = |key: &Kept| {
            let of_algorithm = |other: &&Kept| other.algorithm == key.algorithm && other.signs_from <= now;
            there.iter().find(of_algorithm).is_some_and(|first| first.id == key.id)
        };
        Ok(there
            .iter()
            .map(|key| PublishedKey {
                id: key.id.clone(),
                algorithm: key.algorithm,
                signs: signs(key),
            })
            .collect())
    }

    /// A key with its private half.
    pub async fn signing_key(&self, id: &str) -> Result<Option<SigningKey>> {
        let sql = "SELECT algorithm, sealed FROM signing_key WHERE id = $1";
        let row = self.db.ask(async |tx| tx.row(sql, [id.into()]).await).await?;
        let Some(row) = row else { return Ok(None) };
        let algorithm = Algorithm::parse(&row.get::<String>(0)?);
        Ok(Some(SigningKey {
            id: id.to_owned(),
            algorithm: algorithm.ok_or_else(|| StoreError::corrupt("signing_key", "no such algorithm"))?,
            private: Zeroizing::new(self.env.keys.unseal(place(id), &row.get::<Vec<u8>>(1)?)?),
        }))
    }
}
