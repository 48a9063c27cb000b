//! A software device with a passkey, and the browser in front of it. Each of its properties can be changed.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub struct Device {
    key: EcdsaKeyPair,
    /// The credential id of its passkey.
    pub credential: Vec<u8>,
    /// The user handle of its passkey.
    pub owner: Value,
    /// The origin of the page that requests the answer.
    pub origin: String,
    /// The signature counter.
    pub counter: u32,
    /// Whether it verifies its user before it signs.
    pub looks: bool,
    /// Whether its passkeys are synced.
    pub synced: bool,
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

impl Device {
    pub fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self {
            credential: sha256(key.public_key().as_ref()),
            key,
            owner: Value::Null,
            origin: "http://localhost".into(),
            counter: 0,
            looks: true,
            synced: false,
        }
    }

    fn client(&self, kind: &str, asked: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind,
            "challenge": asked["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }

    /// The authenticator data: relying party, flags and counter.
    fn data(&self, name: &Value, more: u8) -> Vec<u8> {
        let looked = if self.looks { 0b0000_0100 } else { 0 };
        let kept = if self.synced { 0b0001_1000 } else { 0 };
        let mut data = sha256(name.as_str().unwrap().as_bytes());
        data.push(0b0000_0001 | looked | kept | more);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// Registers its passkey.
    pub fn makes(&mut self, asked: &Value) -> String {
        assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
        self.owner = asked["user"]["id"].clone();
        let client = self.client("webauthn.create", asked);
        let mut data = self.data(&asked["rp"]["id"], 0b0100_0000);
        data.extend([0; 16]);
        data.extend([0, 32]);
        data.extend(&self.credential);
        // A COSE map: an EC2 key, ES256, P-256, x and y.
        let point = self.key.public_key().as_ref();
        data.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 32]);
        data.extend(&point[33..]);
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        attestation.push(u8::try_from(data.len()).unwrap());
        attestation.extend(data);
        let response = json!({
            "attestationObject": URL_SAFE_NO_PAD.encode(attestation),
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "transports": ["internal"],
        });
        self.answer(response)
    }

    /// Answers an assertion request with its passkey.
    pub fn shows(&mut self, asked: &Value) -> String {
        assert_eq!(asked["userVerification"], "required");
        // The ids are read as base64url, as a browser does.
        let ids = asked["allowCredentials"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["id"]);
        assert!(ids.into_iter().all(Value::is_string), "{asked}");
        self.counter += 1;
        let client = self.client("webauthn.get", asked);
        let data = self.data(&asked["rpId"], 0);
        let signed = [&data[..], &sha256(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "signature": URL_SAFE_NO_PAD.encode(signature),
            "userHandle": self.owner,
        });
        self.answer(response)
    }

    fn answer(&self, response: Value) -> String {
        let id = URL_SAFE_NO_PAD.encode(&self.credential);
        let answer = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": response,
        });
        answer.to_string()
    }
}
