//! Tokens that clients verify: signed by the keys of the store, published at `/jwks`.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use ngomon_rules::client::Algorithm;
use ngomon_store::{Result, SigningKey, Store, StoreError};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A key, made ready.
struct Ready {
    algorithm: jsonwebtoken::Algorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// As it is published.
    jwk: Value,
}

/// Signs, and knows what was signed. Keys are kept ready by their names; which of them is used is asked of the store each time.
#[derive(Clone, Default)]
pub struct Signer(Arc<RwLock<HashMap<String, Arc<Ready>>>>);

fn corrupt(why: impl std::fmt::Display) -> StoreError {
    StoreError::corrupt("signing_key", why)
}

/// The algorithm as the library has it.
pub fn library(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}

fn ready(key: &SigningKey) -> Result<Ready> {
    let encoding = match key.algorithm {
        // The library takes an RSA key in this clothing only.
        Algorithm::Rs256 => EncodingKey::from_rsa_pem(pem(&key.private).as_bytes()).map_err(corrupt)?,
        Algorithm::Es256 => EncodingKey::from_ec_der(&key.private),
        Algorithm::EdDsa => EncodingKey::from_ed_der(&key.private),
    };
    let algorithm = library(key.algorithm);
    let mut jwk = Jwk::from_encoding_key(&encoding, algorithm).map_err(corrupt)?;
    jwk.common.key_id = Some(key.id.clone());
    let decoding = DecodingKey::from_jwk(&jwk).map_err(corrupt)?;
    let mut jwk = serde_json::to_value(&jwk).map_err(corrupt)?;
    jwk["use"] = json!("sig");
    Ok(Ready {
        algorithm,
        encoding,
        decoding,
        jwk,
    })
}

fn pem(pkcs8: &[u8]) -> zeroize::Zeroizing<String> {
    use base64::Engine as _;
    let body = zeroize::Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pkcs8));
    zeroize::Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        *body
    ))
}

impl Signer {
    async fn key(&self, store: &Store, id: &str) -> Result<Arc<Ready>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let key = store.signing_key(id).await?.ok_or_else(|| corrupt("it is gone"))?;
        let made = Arc::new(ready(&key)?);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.to_owned(), made.clone());
        Ok(made)
    }

    /// Signs claims by the key in use. `kind` is the token's `typ`.
    pub async fn sign(&self, store: &Store, algorithm: Algorithm, kind: &str, claims: &Value) -> Result<String> {
        let published = store.published_keys().await?;
        let current = published.iter().find(|key| key.algorithm == algorithm && key.signs);
        let current = current.ok_or_else(|| corrupt("none signs"))?;
        let key = self.key(store, &current.id).await?;
        let mut header = Header::new(key.algorithm);
        header.typ = Some(kind.to_owned());
        header.kid = Some(current.id.clone());
        jsonwebtoken::encode(&header, claims, &key.encoding).map_err(corrupt)
    }

    /// The claims of a token of that kind which we signed, by a key that is still published, whether its time is over or not.
    pub async fn verify(&self, store: &Store, token: &str, kind: &str) -> Result<Option<Value>> {
        let Ok(header) = jsonwebtoken::decode_header(token) else {
            return Ok(None);
        };
        let published = store.published_keys().await?;
        let known = published.iter().find(|key| Some(&key.id) == header.kid.as_ref());
        let Some(known) = known.filter(|_| header.typ.as_deref() == Some(kind)) else {
            return Ok(None);
        };
        let key = self.key(store, &known.id).await?;
        let mut validation = Validation::new(key.algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let decoded = jsonwebtoken::decode::<Value>(token, &key.decoding, &validation);
        Ok(decoded.ok().map(|decoded| decoded.claims))
    }

    /// What is published (RFC 7517).
    pub async fn jwks(&self, store: &Store) -> Result<Value> {
        let mut keys = Vec::new();
        for key in store.published_keys().await? {
            keys.push(self.key(store, &key.id).await?.jwk.clone());
        }
        Ok(json!({ "keys": keys }))
    }
}
