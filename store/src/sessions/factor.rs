//! How an owner authenticated.

use ngomon_rules::records::AccountId;

/// The factor by which an account's owner signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// The password.
    Password,
    /// A one-time code.
    Code,
    /// A passkey that opens several accounts, one of which its owner picked.
    Passkey(PasskeyStorage),
}

impl Factor {
    /// Authentication methods (RFC 8176), separated by spaces.
    pub fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Code => "otp",
            Self::Passkey(kept) => kept.amr(),
        }
    }
}

/// Where the private key is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyStorage {
    /// In one device, which does not export it.
    InDevice,
    /// With a service that syncs it to the owner's other devices.
    Synced,
}

impl PasskeyStorage {
    /// Authentication methods (RFC 8176): a key, user presence, and, since the device verified its owner, two factors.
    pub(crate) fn amr(self) -> &'static str {
        match self {
            Self::InDevice => "hwk mfa user",
            Self::Synced => "mfa swk user",
        }
    }
}

/// Proof that two factors of an account were verified just now. Valid for one session.
#[derive(Debug)]
pub struct TwoFactorProof {
    pub(crate) account: AccountId,
    /// Authentication methods (RFC 8176).
    pub(crate) amr: &'static str,
}

impl TwoFactorProof {
    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    pub(crate) fn by_code(account: AccountId) -> Self {
        Self {
            account,
            amr: "mfa otp pwd",
        }
    }
}
