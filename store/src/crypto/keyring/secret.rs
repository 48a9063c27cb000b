//! Secret bytes, wiped when dropped.

use crate::environment::Environment;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize as _, Zeroizing};

/// 32 secret bytes, base64 in the file. Boxed, so that a move leaves no copy in memory.
#[derive(Clone, PartialEq)]
pub(crate) struct Secret(pub(crate) Box<[u8; 32]>);

impl Secret {
    pub(crate) fn random(environment: &Environment) -> Self {
        let mut secret = Secret(Box::new([0; 32]));
        environment.chance.fill(&mut *secret.0);
        secret
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64.encode(*self.0)))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut secret = Secret(Box::new([0; 32]));
        match BASE64.decode_slice(text.as_bytes(), &mut *secret.0) {
            Ok(32) => Ok(secret),
            _ => Err(serde::de::Error::custom("a key is 32 bytes in base64")),
        }
    }
}
