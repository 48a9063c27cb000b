//! Passkeys (W3C Web Authentication): challenges and the verification of responses, by `webauthn-rs`. The state of a ceremony between the
//! two goes into the store and nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_store::{KnownPasskey, Passkey, PasskeyStorage, Result, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey as Key, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// The challenge of a ceremony.
pub struct Challenge {
    /// The options for the browser, which `PublicKeyCredential` reads.
    pub options: Value,
    /// The state to keep until the response. It is secret.
    pub state: String,
}

/// The owner of a new passkey.
pub struct Owner<'a> {
    /// The user handle for devices.
    pub id: [u8; 16],
    /// The account's name on the device.
    pub username: &'a str,
    /// The person's name.
    pub name: &'a str,
}

/// A device's response, not verified yet.
pub struct CeremonyResponse(PublicKeyCredential);

impl CeremonyResponse {
    /// Parses a response. `None` if it is malformed.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The credential id of the passkey.
    pub fn credential(&self) -> &[u8] {
        self.0.get_credential_id()
    }

    /// Whether the response names this owner. `None` if it has no user handle.
    pub fn is_of(&self, owner: [u8; 16]) -> Option<bool> {
        self.0.get_user_unique_id().map(|id| id == owner)
    }
}

/// WebAuthn for the public URL of this server.
#[derive(Clone)]
pub struct Passkeys(Webauthn);

impl Passkeys {
    /// `None` if the URL's host is an IP address: passkeys belong to a domain name.
    pub fn at(address: &str) -> Option<Self> {
        let origin = Url::parse(address).ok()?;
        let name = origin.domain()?.to_owned();
        WebauthnBuilder::new(&name, &origin).ok()?.build().ok().map(Self)
    }

    /// Begins the registration of a passkey. A device that holds one of the given passkeys is excluded.
    pub fn ask_for_new(&self, owner: &Owner<'_>, has: &[Passkey]) -> Result<Challenge> {
        let has = has.iter().map(|passkey| passkey.credential.clone()).collect();
        let id = Uuid::from_bytes(owner.id);
        let (asked, state) = self
            .0
            .start_passkey_registration(id, owner.username, owner.name, Some(has))
            .map_err(no_challenge)?;
        let mut challenge = challenge(&asked.public_key, &state)?;
        // Only a discoverable passkey can be found before the user has named an account.
        challenge.options["authenticatorSelection"]["residentKey"] = json!("required");
        challenge.options["authenticatorSelection"]["requireResidentKey"] = json!(true);
        Ok(challenge)
    }

    /// The verified new passkey: its credential id, and its key as JSON. `None` if the response is not valid.
    pub fn new_one(&self, state: &str, answer: &str) -> Option<(Vec<u8>, String)> {
        let state: PasskeyRegistration = known(state)?;
        let answer: RegisterPublicKeyCredential = known(answer)?;
        let key = self.0.finish_passkey_registration(&answer, &state).ok()?;
        let credential: &[u8] = key.cred_id();
        Some((credential.to_vec(), serde_json::to_string(&key).ok()?))
    }

    /// Begins an authentication by one of the given passkeys; if there are none, by any passkey that the device has for this site.
    pub fn ask(&self, among: &[Passkey]) -> Result<Challenge> {
        let (asked, state) = self.0.start_discoverable_authentication().map_err(no_challenge)?;
        let mut challenge = challenge(&asked.public_key, &state)?;
        let allowed = among.iter().map(|passkey| {
            let id = URL_SAFE_NO_PAD.encode(&passkey.credential);
            json!({ "type": "public-key", "id": id })
        });
        challenge.options["allowCredentials"] = allowed.collect();
        Ok(challenge)
    }

    /// Verifies a response: the device's signature counter, and where the key is stored. `None` if the response is not valid.
    pub fn judged(
        &self,
        state: &str,
        answer: &CeremonyResponse,
        passkey: &KnownPasskey,
    ) -> Option<(u32, PasskeyStorage)> {
        let state: DiscoverableAuthentication = known(state)?;
        let key: Key = known(&passkey.key)?;
        let key = DiscoverableKey::from(key);
        let found = self
            .0
            .finish_discoverable_authentication_v2(&answer.0, state, &key)
            .ok()?;
        let kept = if found.backup_eligible() {
            PasskeyStorage::Synced
        } else {
            PasskeyStorage::InDevice
        };
        found.user_verified().then_some((found.counter(), kept))
    }
}

fn known<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

fn challenge(options: &impl Serialize, state: &impl Serialize) -> Result<Challenge> {
    let bad = |e: serde_json::Error| StoreError::corrupt("a challenge", e);
    Ok(Challenge {
        options: serde_json::to_value(options).map_err(bad)?,
        state: serde_json::to_string(state).map_err(bad)?,
    })
}

fn no_challenge(error: WebauthnError) -> StoreError {
    StoreError::corrupt("a challenge", error)
}
