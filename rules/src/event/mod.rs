//! The events: every change that the journal can record. The journal adds the actor, the time, the run and the order when it appends an
//! event.
//!
//! Personal values are kept apart: the journal holds a salted commitment to a [`Personal`], and the value is stored beside it, encrypted.

mod ids;
mod personal;
mod proposed_act;
mod subject;

pub use ids::{LoginId, PasskeyId, PersonId, ProfileId};
pub use proposed_act::ProposedAct;
pub use subject::Subject;

use crate::citizens::{Exemption, Field, Outcome, Paper, Proof};
use crate::client::{Client, ClientId};
use crate::hold::{self, Cause, Hold, Reason};
use crate::officials::Amendment;
use crate::records::{AccountAttributes, AccountId, AccountKind, Form, Profile};
use crate::unit::UnitCode;
use crate::values::{Date, FullName, Grade, NationalId, Phone};
use serde::{Deserialize, Serialize};

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimEnd {
    /// A counter withdrew it, because it was made on the wrong account.
    Withdrawn,
    /// A stronger proof took it over.
    TakenOver,
    /// The owner joined the account to another account of the owner, which stays.
    Joined,
}

/// Keyed digests, in hexadecimal, of what a load brought, and of the rows of its table that are in quarantine afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadDigests {
    /// Digest of the row of the load itself.
    pub load: String,
    /// Digest of the reference rows, if the table is a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// Digest of all rows of that table in quarantine, whichever load brought them.
    pub waiting: String,
}

/// What changed. The variant's name in kebab case is the kind of the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Change {
    /// An account was imported from the previous system. Personal: [`Personal::Account`].
    AccountTakenOver {
        /// Citizen, official or unit.
        account_kind: AccountKind,
        /// The unit it belongs to.
        unit: Option<UnitCode>,
        /// When it was created.
        created_on: Option<Date>,
        /// When it was last used.
        last_sign_in_on: Option<Date>,
        /// Its credentials.
        login: LoginId,
    },
    /// The system created an account at a new unit (O6), or for a newcomer, who succeeds no account. Personal: [`Personal::Account`].
    AccountCreated {
        /// The new unit.
        unit: UnitCode,
        /// The credentials of the previous account.
        login: LoginId,
        /// The accounts that it succeeds.
        succeeds: Vec<AccountId>,
    },
    /// The run that created this account was undone.
    AccountRemoved,
    /// Name, phone, mail, employee code or position were overwritten from the source of truth. Personal: [`Personal::Account`] with the new
    /// values.
    AccountChanged {
        /// The changed columns.
        fields: Vec<String>,
    },
    /// A sign-in hashed the password again, with the scheme in use. Personal: [`Personal::Password`].
    PasswordRehashed,
    /// An official signed in, or proved their presence by a one-time code. Recorded at most once a day.
    SignedIn {
        /// The day of the sign-in.
        on: Date,
    },
    /// The owner set a new password after entering a one-time code. Personal: [`Personal::Password`].
    PasswordChanged,
    /// The owner added a passkey, which signs in to every account of the login. Personal: [`Personal::Passkey`].
    PasskeyAdded {
        /// The added passkey.
        passkey: PasskeyId,
    },
    /// A passkey no longer signs anybody in.
    PasskeyRemoved {
        /// The removed passkey.
        passkey: PasskeyId,
    },
    /// An operator who saw papers gave the owner a code for setting a new password. Personal: [`Personal::Note`] with the reason.
    PasswordCodeIssued {
        /// The papers that the operator saw.
        papers: Vec<Paper>,
    },
    /// An operator who saw papers changed the phone of the account; the preceding entry records the phone. Personal: [`Personal::Note`]
    /// with the reason.
    PhoneChanged {
        /// The papers that the operator saw.
        papers: Vec<Paper>,
    },
    /// An operator ended all sessions and tokens at the owner's request.
    SessionsEnded,
    /// The account was proven to belong to a person. Personal: [`Personal::Claim`].
    ClaimMade {
        /// The person.
        person: PersonId,
        /// The proof.
        proof: Proof,
    },
    /// The owner proved both accounts and joined this one to another.
    AccountJoined {
        /// The account that stays.
        into: AccountId,
    },
    /// The owner of a held account requests a review.
    ReviewRequested {
        /// The receipt number that the person got.
        receipt: String,
    },
    /// A counter answered a request for a review. Personal: [`Personal::Note`] with the reason, which the owner reads.
    ReviewAnswered {
        /// The receipt of the request.
        receipt: String,
        /// Whether the request was accepted.
        accepted: bool,
    },
    /// The claim no longer counts. Personal, when a counter withdrew it: [`Personal::Note`] with the reason.
    ClaimEnded {
        /// The person whose claim it was.
        person: PersonId,
        /// How it ended.
        how: ClaimEnd,
    },
    /// A hold began. It raises the account's generation, which ends every session and token of the previous generation.
    HoldPlaced {
        /// The new hold.
        hold: Hold,
    },
    /// A hold ended. Sessions and tokens that it ended stay dead. Personal, when a person lifted it: [`Personal::Note`] with the reason.
    HoldLifted {
        /// The reason of the lifted hold.
        reason: Reason,
        /// The cause of the lifted hold.
        cause: Cause,
    },
    /// The facts behind a hold changed, and the hold continues. Sessions and tokens are not affected.
    HoldEvidenceChanged {
        /// The hold with the new evidence.
        hold: Hold,
        /// The previous evidence.
        before: hold::Evidence,
    },
    /// A form was answered, or deferred as pending. Personal: [`Personal::Form`].
    FormAnswered {
        /// The receipt number that the person got.
        receipt: String,
        /// The proof that the form is the account owner's.
        proof: Proof,
        /// The answer.
        outcome: Outcome,
        /// The malformed or differing fields. For a form that waits for more than the registry's reply: what the registry does not hold.
        fields: Vec<Field>,
        /// How similar the names were.
        name_grade: Option<Grade>,
        /// The version of the privacy notice that was shown with the form. `None` for a form on paper.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<u32>,
        /// The papers seen by the operator who entered the form.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        papers: Vec<Paper>,
        /// Whether the sender entered a one-time code that went to the phone in the form.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        phone_proven: bool,
    },
    /// An operator saw papers that prove this account to belong to a person whose claim another account holds, or held until a counter
    /// withdrew it. A second operator must approve. Personal: [`Personal::Note`] with the reason.
    TakeOverProposed {
        /// The receipt of the form that was answered `taken`.
        receipt: String,
        /// The account that holds or held the claim.
        holder: AccountId,
    },
    /// The second operator approved: this account takes over the claim.
    TakeOverApproved {
        /// The receipt of the form.
        receipt: String,
        /// The account that held the claim.
        holder: AccountId,
        /// The first operator. The second one is the actor of the entry.
        proposed_by: String,
    },
    /// The take-over was refused, or withdrawn by the operator who proposed it. Personal: [`Personal::Note`] with the reason.
    TakeOverDeclined {
        /// The receipt of the form.
        receipt: String,
    },
    /// The account is exempt: a child, a foreigner, or a card being made. It is never held by the deadline and is counted separately.
    ExemptionGranted {
        /// The ground of the exemption.
        why: Exemption,
        /// The last day of the exemption.
        last_day: Date,
    },
    /// The exemption was revoked.
    ExemptionEnded,
    /// A number was proven to belong to this person. Personal: [`Personal::Number`].
    NumberProven,
    /// The registry states that these numbers belong to one person. Personal: [`Personal::Numbers`].
    NumbersProven {
        /// The load that states it.
        load: String,
    },
    /// The registry's details of the person changed since the claim. Personal: [`Personal::Claim`] with the new details.
    ClaimDetailsChanged {
        /// The person whose claim it is.
        person: PersonId,
        /// The load that brought the new details.
        load: String,
    },
    /// A new version of an HR profile takes effect. It proves that its numbers belong to the person. Personal: [`Personal::Profile`].
    ProfileTaken {
        /// The person. `None` if the row has no number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<PersonId>,
        /// The load that brought it.
        load: String,
    },
    /// The owner reviewed the profile here and confirmed it: the yearly review.
    ProfileReviewed {
        /// The day of the review.
        on: Date,
    },
    /// A proposal of the owner was accepted, and the changed profile takes effect as a new version. Personal: [`Personal::Profile`].
    ProfileAmended {
        /// The person. `None` if the profile has no number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<PersonId>,
        /// The receipt of the proposal.
        receipt: String,
    },
    /// The owner of an official account proposes changes of the owner's HR profile. Personal: [`Personal::Amendment`].
    AmendmentProposed {
        /// The HR profile.
        profile: ProfileId,
        /// The receipt number that the person got.
        receipt: String,
    },
    /// A proposal was accepted or refused.
    AmendmentDecided {
        /// The receipt of the proposal.
        receipt: String,
        /// Whether it was accepted.
        accepted: bool,
    },
    /// The profile is absent from a full extract.
    ProfileGone {
        /// The load that lacks it.
        load: String,
    },
    /// A file was loaded.
    LoadApplied {
        /// The table.
        table: String,
        /// SHA-256 of the file, in hexadecimal.
        digest: String,
        /// Number of rows in the file.
        rows: u64,
        /// Number of rows that cannot be read.
        quarantined: u64,
        /// For a full extract, the unit that it covers. Empty for the whole province.
        full: Option<String>,
        /// Digests of what the load left in the tables. `None` in entries written before these digests existed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<LoadDigests>,
    },
    /// All forms of a file were entered.
    FormsEntered {
        /// SHA-256 of the file, in hexadecimal.
        digest: String,
        /// Number of forms.
        forms: u64,
    },
    /// A plan was applied.
    RunApplied {
        /// The day for which the plan was computed.
        as_of: Date,
        /// Number of accounts that were open before and are held now.
        newly_held: u64,
        /// Whether a person approved this very run.
        approved: bool,
        /// Keyed digest of the plan's lines and of their inputs. `None` in entries written before the digest existed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lines: Option<String>,
    },
    /// A run was undone as a whole.
    RunUndone,
    /// A setting has a new value.
    SettingChanged {
        /// The previous value.
        from: String,
        /// The new value.
        to: String,
    },
    /// The database was accepted although the checkpoint file disagrees: after an older backup was restored, or when the file was lost or
    /// damaged.
    CheckpointsAccepted {
        /// Number of commits that the last checkpoint of the previous file covered.
        before: u64,
    },
    /// An operator proposes an act that a second operator must approve. Personal: [`Personal::Note`] with the reason.
    ActProposed {
        /// The receipt of the proposal.
        receipt: String,
        /// The proposed act.
        act: Box<ProposedAct>,
    },
    /// A second operator approved. The act is done in the same transaction.
    ActApproved {
        /// The receipt of the proposal.
        receipt: String,
        /// The first operator.
        proposed_by: String,
    },
    /// The act was refused or withdrawn. Personal: [`Personal::Note`] with the reason.
    ActDeclined {
        /// The receipt of the proposal.
        receipt: String,
    },
    /// An operator was appointed.
    OperatorAdded,
    /// An operator set a password and a second factor, which creates the operator's account. Personal: [`Personal::Operator`].
    OperatorEnrolled {
        /// The credentials.
        login: LoginId,
    },
    /// An operator signed in with a recovery code. The code does not work again.
    RecoveryCodeUsed {
        /// The position of the code in the list, counted from 0.
        code: u8,
    },
    /// A person is no longer an operator, and the account is gone.
    OperatorRemoved,
    /// A connected system was registered and may sign people in.
    ClientAdded {
        /// Its settings.
        client: Client,
        /// SHA-256 of its secret, in hexadecimal. The secret has 256 random bits, so the digest reveals nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
    },
    /// A connected system has a new secret.
    ClientSecretRotated {
        /// SHA-256 of the new secret, in hexadecimal.
        secret: String,
        /// Until when the previous secret is valid: microseconds UTC.
        old_until: i64,
    },
    /// A connected system no longer signs anybody in. Its tokens are revoked and stay so when it is enabled again.
    ClientDisabled,
    /// A connected system may sign people in again.
    ClientEnabled,
    /// A connected system was removed.
    ClientRemoved,
    /// A connected system has new settings. Its subject identifiers stay.
    ClientEdited {
        /// The new settings.
        client: Client,
        /// SHA-256 of its secret, in hexadecimal, if it now authenticates with a secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
        /// Whether it may do less than before: then its tokens are revoked.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        narrowed: bool,
    },
    /// A connected system got a subject identifier for the account.
    SubjectNamed {
        /// The system.
        client: ClientId,
        /// The name of the system at that time.
        name: String,
        /// The `sub` of its tokens.
        subject: String,
        /// Whether it is the system's own user id, imported before the first sign-in. No other system gets this identifier.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken_over: bool,
    },
    /// An operator had an event of the account sent again to a connected system.
    NoticeResent {
        /// The system.
        client: ClientId,
        /// The name of the system at that time.
        name: String,
        /// The `jti` of the security event.
        notice: String,
    },
}

/// A personal value that belongs to an event. It is kept outside the journal and can be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Personal {
    /// The account's attributes, and its password hash as imported.
    Account {
        /// The attributes.
        stated: AccountAttributes,
        /// The password hash of the login. Only present when the account is imported.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password_hash: Option<String>,
    },
    /// The person's details in the registry at the time of the claim.
    Claim {
        /// All numbers that the registry holds for the person, the current one first.
        numbers: Vec<NationalId>,
        /// The name as the registry spells it.
        full_name: FullName,
        /// The phone in the registry.
        phone: Option<Phone>,
    },
    /// A form as typed.
    Form(Form),
    /// A password hash of the login.
    Password {
        /// A PHC string.
        hash: String,
    },
    /// A passkey of the login.
    Passkey {
        /// The name that its owner gave it.
        name: String,
        /// The credential id: random, chosen by the device.
        credential: Vec<u8>,
        /// Its public key and related data, as JSON.
        key: String,
    },
    /// A number.
    Number {
        /// The number.
        number: NationalId,
    },
    /// Numbers of one person, the current one first.
    Numbers {
        /// All of them.
        numbers: Vec<NationalId>,
    },
    /// A row of the HR system.
    Profile(Box<Profile>),
    /// Proposed changes of an HR profile.
    Amendment(Box<Amendment>),
    /// The credentials of an operator.
    Operator {
        /// The user name.
        stated: AccountAttributes,
        /// A PHC string.
        password_hash: String,
        /// The secret shared with the operator's authenticator (RFC 6238).
        totp_secret: [u8; 20],
        /// Keyed hashes of the recovery codes.
        recovery_codes: Vec<[u8; 32]>,
    },
    /// A phone that an operator proposes to a second one for an account, and the reason.
    Phone {
        /// The phone.
        phone: Phone,
        /// The reason as typed.
        text: String,
    },
    /// An operator's reason for an act.
    Note {
        /// The reason as typed.
        text: String,
    },
}

/// One change of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What the event is about.
    pub subject: Subject,
    /// What changed.
    pub change: Change,
    /// The value that the journal itself must not hold.
    pub personal: Option<Personal>,
}

impl Event {
    /// An event of an account, without personal values.
    pub fn of_account(account: &AccountId, change: Change) -> Self {
        Self {
            subject: Subject::Account(account.clone()),
            change,
            personal: None,
        }
    }

    /// The same event with a personal value.
    #[must_use]
    pub fn with(self, personal: Personal) -> Self {
        Self {
            personal: Some(personal),
            ..self
        }
    }

    /// The account that changes, if the subject is an account.
    pub fn account(&self) -> Option<&AccountId> {
        match &self.subject {
            Subject::Account(id) => Some(id),
            _ => None,
        }
    }
}
