//! The signer of tokens that clients verify. The keys come from the store and are published at `/jwks`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use ngomon_rules::client::Algorithm;
use ngomon_store::{PublishedKey, Result, SigningKey, Store, StoreError};
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// How long the published keys are cached, in microseconds: a key that an operator revoked on another server signs no longer than that.
const FRESH: u64 = 1_000_000;

/// A parsed private key. The JWT library parses an RSA key for each signature, which takes longer than signing.
enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Pair {
    fn read(key: &SigningKey) -> Result<Self> {
        Ok(match key.algorithm {
            Algorithm::Rs256 => Self::Rsa(RsaKeyPair::from_pkcs8(&key.private).map_err(corrupt)?),
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.private);
                Self::Ec(pair.map_err(corrupt)?)
            }
            Algorithm::EdDsa => Self::Ed(Ed25519KeyPair::from_pkcs8(&key.private).map_err(corrupt)?),
        })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.map(|()| signature).map_err(corrupt)
            }
            Self::Ec(pair) => {
                let signature = pair.sign(&random, message).map_err(corrupt)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Ed(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// A key prepared for signing and verifying.
struct LoadedKey {
    algorithm: jsonwebtoken::Algorithm,
    pair: Pair,
    decoding: DecodingKey,
    /// The public key as a JWK.
    jwk: Value,
}

/// The published keys as of the last query.
struct Keys {
    asked: i64,
    all: Vec<(PublishedKey, Arc<LoadedKey>)>,
    jwks: Bytes,
}

/// The current signing key, loaded: signing with it needs no query.
pub struct CurrentKey {
    id: String,
    key: Arc<LoadedKey>,
}

impl CurrentKey {
    /// Signs claims (RFC 7515, 7.1). `kind` is the token's `typ`.
    pub fn sign(&self, kind: &str, claims: &Value) -> Result<String> {
        let mut header = Header::new(self.key.algorithm);
        header.typ = Some(kind.to_owned());
        header.kid = Some(self.id.clone());
        let header = serde_json::to_vec(&header).map_err(corrupt)?;
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signature = self.key.pair.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// Signs and verifies tokens, with a cache of the prepared keys.
#[derive(Clone, Default)]
pub struct Signer(Arc<RwLock<Option<Arc<Keys>>>>);

fn corrupt(why: impl std::fmt::Display) -> StoreError {
    StoreError::corrupt("signing_key", why)
}

/// The algorithm in the JWT library's type.
pub fn library(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}

fn ready(key: &SigningKey) -> Result<LoadedKey> {
    let encoding = match key.algorithm {
        // The library accepts an RSA key as PEM of PKCS #8 only.
        Algorithm::Rs256 => EncodingKey::from_rsa_pem(pem(&key.private).as_bytes()).map_err(corrupt)?,
        Algorithm::Es256 => EncodingKey::from_ec_der(&key.private),
        Algorithm::EdDsa => EncodingKey::from_ed_der(&key.private),
    };
    let algorithm = library(key.algorithm);
    let mut jwk = Jwk::from_encoding_key(&encoding, algorithm).map_err(corrupt)?;
    jwk.common.key_id = Some(key.id.clone());
    let decoding = DecodingKey::from_jwk(&jwk).map_err(corrupt)?;
    let pair = Pair::read(key)?;
    let mut jwk = serde_json::to_value(&jwk).map_err(corrupt)?;
    jwk["use"] = json!("sig");
    Ok(LoadedKey {
        algorithm,
        pair,
        decoding,
        jwk,
    })
}

fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(pkcs8));
    Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        *body
    ))
}

impl Signer {
    async fn keys(&self, store: &Store) -> Result<Arc<Keys>> {
        let now = store.now().as_microsecond();
        let before = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(keys) = before.as_ref().filter(|keys| now.abs_diff(keys.asked) < FRESH) {
            return Ok(keys.clone());
        }
        let mut all = Vec::new();
        for published in store.published_keys().await? {
            let mut known = before.iter().flat_map(|keys| &keys.all);
            let ready = match known.find(|(before, _)| before.id == published.id) {
                Some((_, ready)) => ready.clone(),
                None => {
                    let key = store.signing_key(&published.id).await?;
                    Arc::new(ready(&key.ok_or_else(|| corrupt("it is gone"))?)?)
                }
            };
            all.push((published, ready));
        }
        let jwks = json!({ "keys": all.iter().map(|(_, ready)| &ready.jwk).collect::<Vec<_>>() });
        let keys = Arc::new(Keys {
            asked: now,
            all,
            jwks: jwks.to_string().into(),
        });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }

    /// Signs claims with the current key (RFC 7515, 7.1). `kind` is the token's `typ`.
    pub async fn sign(&self, store: &Store, algorithm: Algorithm, kind: &str, claims: &Value) -> Result<String> {
        self.pen(store, algorithm).await?.sign(kind, claims)
    }

    /// Loads the current key. Callers do so before they spend anything that a signature must follow.
    pub async fn pen(&self, store: &Store, algorithm: Algorithm) -> Result<CurrentKey> {
        let keys = self.keys(store).await?;
        let current = keys.all.iter().find(|(key, _)| key.algorithm == algorithm && key.signs);
        let (current, key) = current.ok_or_else(|| corrupt("none signs"))?;
        Ok(CurrentKey {
            id: current.id.clone(),
            key: key.clone(),
        })
    }

    /// The claims of a token of that kind that we signed with a key that is still published, even if the token has expired.
    pub async fn verify(&self, store: &Store, token: &str, kind: &str) -> Result<Option<Value>> {
        let Ok(header) = jsonwebtoken::decode_header(token) else {
            return Ok(None);
        };
        let keys = self.keys(store).await?;
        let known = keys.all.iter().find(|(key, _)| Some(&key.id) == header.kid.as_ref());
        let Some((_, key)) = known.filter(|_| header.typ.as_deref() == Some(kind)) else {
            return Ok(None);
        };
        let mut validation = Validation::new(key.algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let decoded = jsonwebtoken::decode::<Value>(token, &key.decoding, &validation);
        Ok(decoded.ok().map(|decoded| decoded.claims))
    }

    /// The published key set (RFC 7517), as JSON.
    pub async fn jwks(&self, store: &Store) -> Result<Bytes> {
        Ok(self.keys(store).await?.jwks.clone())
    }
}
