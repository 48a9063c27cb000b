//! Passkeys (W3C Web Authentication): our challenges, and whether what a device answers is right. `webauthn-rs` draws and judges; what it
//! must remember in between goes into the store and nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_store::{Kept, KnownPasskey, Passkey, Result, StoreError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey as Key, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// What a device is asked.
pub struct Challenge {
    /// For the browser, as `PublicKeyCredential` reads it.
    pub options: Value,
    /// To be remembered until the answer, and shown to nobody.
    pub state: String,
}

/// The owner to whom a new passkey belongs.
pub struct Owner<'a> {
    /// What devices know them by.
    pub id: [u8; 16],
    /// What the device calls the account.
    pub username: &'a str,
    /// The person's name.
    pub name: &'a str,
}

/// A device's answer, not judged yet.
pub struct Answer(PublicKeyCredential);

impl Answer {
    /// Reads one; `None`: it is of no such form.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The id by which the device knows the passkey.
    pub fn credential(&self) -> &[u8] {
        self.0.get_credential_id()
    }

    /// Does the device say that it is this owner's? `None`: it says nothing of that.
    pub fn is_of(&self, owner: [u8; 16]) -> Option<bool> {
        self.0.get_user_unique_id().map(|id| id == owner)
    }
}

/// For the address under which browsers know us.
#[derive(Clone)]
pub struct Passkeys(Webauthn);

impl Passkeys {
    /// `None`: there are no passkeys under that address. They belong to a name, and some addresses are numbers.
    pub fn at(address: &str) -> Option<Self> {
        let origin = Url::parse(address).ok()?;
        let name = origin.domain()?.to_owned();
        WebauthnBuilder::new(&name, &origin).ok()?.build().ok().map(Self)
    }

    /// Asks for a new passkey, which none of those is on the same device.
    pub fn ask_for_new(&self, owner: &Owner<'_>, has: &[Passkey]) -> Result<Challenge> {
        let has = has.iter().map(|passkey| passkey.credential.clone()).collect();
        let id = Uuid::from_bytes(owner.id);
        let (asked, state) = self
            .0
            .start_passkey_registration(id, owner.username, owner.name, Some(has))
            .map_err(no_challenge)?;
        let mut challenge = challenge(&asked.public_key, &state)?;
        // Only such a one is found before anybody has said who they are.
        challenge.options["authenticatorSelection"]["residentKey"] = json!("required");
        challenge.options["authenticatorSelection"]["requireResidentKey"] = json!(true);
        Ok(challenge)
    }

    /// The new passkey: the id by which the device knows it, and its key as JSON. `None`: the answer is not right.
    pub fn new_one(&self, state: &str, answer: &str) -> Option<(Vec<u8>, String)> {
        let state: PasskeyRegistration = known(state)?;
        let answer: RegisterPublicKeyCredential = known(answer)?;
        let key = self.0.finish_passkey_registration(&answer, &state).ok()?;
        let credential: &[u8] = key.cred_id();
        Some((credential.to_vec(), serde_json::to_string(&key).ok()?))
    }

    /// Asks for one of those; for none of them: for any that the device has for us.
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

    /// The count of the device's signatures, and where the key is kept. `None`: the answer is not right.
    pub fn judged(&self, state: &str, answer: &Answer, passkey: &KnownPasskey) -> Option<(u32, Kept)> {
        let state: DiscoverableAuthentication = known(state)?;
        let key: Key = known(&passkey.key)?;
        let key = DiscoverableKey::from(key);
        let found = self
            .0
            .finish_discoverable_authentication_v2(&answer.0, state, &key)
            .ok()?;
        let kept = if found.backup_eligible() {
            Kept::Synced
        } else {
            Kept::InDevice
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
