//! The only vocabulary of change. Who, when, in which run and on whose order is added when the journal takes an event in.
//!
//! Personal values stand apart: the journal holds a salted commitment of [`Personal`], the value lies beside it, encrypted.

use crate::citizens::{Exemption, Field, Outcome, Paper, Proof};
use crate::client::{Client, ClientId};
use crate::hold::{self, Cause, Hold, Reason};
use crate::officials::Amendment;
use crate::record::{AccountId, AccountKind, Form, Profile, Stated};
use crate::unit::UnitCode;
use crate::values::{Date, FullName, Grade, NationalId, Phone};
use serde::{Deserialize, Serialize};

/// A random id of a person: a human being known by a proven number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub String);

/// A random id of an HR profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProfileId(pub String);

/// A random id of a login: credentials that accounts point to, so that a transfer moves no password.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginId(pub String);

/// A random id of a passkey.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasskeyId(pub String);

/// Whom an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An account.
    Account(AccountId),
    /// A person.
    Person(PersonId),
    /// An HR profile.
    Profile(ProfileId),
    /// A load of a file.
    Load(String),
    /// A run of reconciliation.
    Run(String),
    /// A setting.
    Setting(String),
    /// An operator.
    Operator(String),
    /// A connected system.
    Client(ClientId),
}

impl Subject {
    /// Kind and id, as the journal keeps them.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Account(id) => ("account", id.as_str()),
            Self::Person(id) => ("person", &id.0),
            Self::Profile(id) => ("profile", &id.0),
            Self::Load(id) => ("load", id),
            Self::Run(id) => ("run", id),
            Self::Setting(key) => ("setting", key),
            Self::Operator(name) => ("operator", name),
            Self::Client(id) => ("client", id.as_str()),
        }
    }

    /// Back from the journal.
    pub fn from_parts(kind: &str, id: &str) -> Option<Self> {
        let id = id.to_owned();
        Some(match kind {
            "account" => Self::Account(AccountId(id)),
            "person" => Self::Person(PersonId(id)),
            "profile" => Self::Profile(ProfileId(id)),
            "load" => Self::Load(id),
            "run" => Self::Run(id),
            "setting" => Self::Setting(id),
            "operator" => Self::Operator(id),
            "client" => Self::Client(ClientId(id)),
            _ => return None,
        })
    }
}

/// How a claim came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimEnd {
    /// A counter withdrew it: it was made on the wrong account.
    Withdrawn,
    /// A stronger proof took it over.
    TakenOver,
    /// The owner joined the account to another of the owner's, which stays.
    Joined,
}

/// Keyed digests, in hexadecimal, of what a file brought and of what of its table waits since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadDigests {
    /// Of what is known of the load itself.
    pub load: String,
    /// Of the rows of a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// Of the rows of that table that wait, of whatever load.
    pub waiting: String,
}

/// What changed. The name of a variant in kebab case is the event's kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Change {
    /// An account came in from the system before. Personal: [`Personal::Account`].
    AccountTakenOver {
        /// Citizen, official or unit.
        account_kind: AccountKind,
        /// Where it belongs.
        unit: Option<UnitCode>,
        /// When it was made.
        created_on: Option<Date>,
        /// When it was last used.
        last_sign_in_on: Option<Date>,
        /// Its credentials.
        login: LoginId,
    },
    /// The system made an account at a new unit (O6), or, succeeding none, for a newcomer. Personal: [`Personal::Account`].
    AccountCreated {
        /// The new unit.
        unit: UnitCode,
        /// The same credentials as before.
        login: LoginId,
        /// The accounts that it succeeds.
        succeeds: Vec<AccountId>,
    },
    /// A run that made this account was undone.
    AccountRemoved,
    /// Name, phone, mail, employee code or position were written over from the source of truth. Personal: [`Personal::Account`],
    /// as it is from now on.
    AccountChanged {
        /// The columns.
        fields: Vec<String>,
    },
    /// At a sign-in the password was hashed anew, by the scheme in use. Personal: [`Personal::Password`].
    PasswordRehashed,
    /// An official signed in, or proved by a one-time code to be there. At most one a day.
    SignedIn {
        /// On which day.
        on: Date,
    },
    /// The owner set another password, having shown a one-time code. Personal: [`Personal::Password`].
    PasswordChanged,
    /// The owner may sign in by another device of the owner's, to every account of the login. Personal: [`Personal::Passkey`].
    PasskeyAdded {
        /// Which.
        passkey: PasskeyId,
    },
    /// A passkey opens nothing any more.
    PasskeyRemoved {
        /// Which.
        passkey: PasskeyId,
    },
    /// An operator who saw papers gave the owner a code by which another password is set. Personal: [`Personal::Note`] with the reason.
    PasswordCodeIssued {
        /// Seen by the operator.
        papers: Vec<Paper>,
    },
    /// An operator who saw papers wrote another phone to the account; the entry before says which. Personal: [`Personal::Note`] with the
    /// reason.
    PhoneChanged {
        /// Seen by the operator.
        papers: Vec<Paper>,
    },
    /// An operator ended all that was open, at the owner's wish.
    SessionsEnded,
    /// The account proved to be a person's. Personal: [`Personal::Claim`].
    ClaimMade {
        /// Whose.
        person: PersonId,
        /// How.
        proof: Proof,
    },
    /// The owner joined this account to another of the owner's, having proven both.
    AccountJoined {
        /// The one that stays.
        into: AccountId,
    },
    /// The owner of a held account asks for it to be looked at again.
    ReviewRequested {
        /// Told to the person.
        receipt: String,
    },
    /// A counter answered a request for a review. Personal: [`Personal::Note`] with the reason, which its owner reads.
    ReviewAnswered {
        /// Of the request.
        receipt: String,
        /// Or not.
        accepted: bool,
    },
    /// The claim counts no more. Personal, when a counter withdrew it: [`Personal::Note`] with the reason.
    ClaimEnded {
        /// Whose it was.
        person: PersonId,
        /// How it ended.
        how: ClaimEnd,
    },
    /// A hold began. It raises the account's generation: what was open under the last one is dead.
    HoldPlaced {
        /// Which.
        hold: Hold,
    },
    /// A hold ended. It revives nothing. Personal, when a person lifted it: [`Personal::Note`] with the reason.
    HoldLifted {
        /// Of which reason.
        reason: Reason,
        /// Of which cause.
        cause: Cause,
    },
    /// The facts behind a hold are others now; the hold goes on. What was open before stays as it is.
    HoldEvidenceChanged {
        /// As it is from now on.
        hold: Hold,
        /// What was compared before.
        before: hold::Evidence,
    },
    /// A form was answered, or put off as pending. Personal: [`Personal::Form`].
    FormAnswered {
        /// Told to the person.
        receipt: String,
        /// How it was proven whose form it is.
        proof: Proof,
        /// The answer.
        outcome: Outcome,
        /// The malformed or differing fields; of a form that waits for more than an answer, what the registry does not hold.
        fields: Vec<Field>,
        /// How alike the names were.
        name_grade: Option<Grade>,
        /// The version of the privacy notice that stood beside the form; none on paper.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<u32>,
        /// Seen by the operator who entered it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        papers: Vec<Paper>,
        /// Its sender typed a one-time code that went to the phone in it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        phone_proven: bool,
    },
    /// An operator saw papers that prove this account to be the person's whose claim another account holds, or held until a counter withdrew
    /// it, and asks a second one. Personal: [`Personal::Note`] with the reason.
    TakeOverProposed {
        /// Of the form that was answered `taken`.
        receipt: String,
        /// The account that holds the claim, or held it.
        holder: AccountId,
    },
    /// The second operator agreed: this account takes the claim over.
    TakeOverApproved {
        /// Of the form.
        receipt: String,
        /// The account that held the claim.
        holder: AccountId,
        /// The first operator; the second is who acts.
        proposed_by: String,
    },
    /// The take-over was not agreed to, or taken back by who proposed it. Personal: [`Personal::Note`] with the reason.
    TakeOverDeclined {
        /// Of the form.
        receipt: String,
    },
    /// Child, foreigner, card in the making: never held for it, counted apart.
    ExemptionGranted {
        /// Why.
        why: Exemption,
        /// The last day on which it counts.
        last_day: Date,
    },
    /// The exemption was taken back.
    ExemptionEnded,
    /// A number was proven to be this person's. Personal: [`Personal::Number`].
    NumberProven,
    /// The registry says that these numbers are one person's. Personal: [`Personal::Numbers`].
    NumbersProven {
        /// The load that says so.
        load: String,
    },
    /// The registry has other details of the claim's person than at the claim. Personal: [`Personal::Claim`], as they are from now on.
    ClaimDetailsChanged {
        /// Whose claim.
        person: PersonId,
        /// The load that brought them.
        load: String,
    },
    /// A version of an HR profile counts from now on; it proves its numbers to be the person's. Personal:
    /// [`Personal::Profile`].
    ProfileTaken {
        /// Whose; `None` where the row has no number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<PersonId>,
        /// The load that brought it.
        load: String,
    },
    /// Its owner has looked the profile over and found it right: the yearly review, made here.
    ProfileReviewed {
        /// On which day.
        on: Date,
    },
    /// What the owner proposed was accepted: a version of the profile that counts from now on. Personal: [`Personal::Profile`].
    ProfileAmended {
        /// Whose; `None` where the profile has no number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<PersonId>,
        /// Of the proposal.
        receipt: String,
    },
    /// The owner of an official account proposes changes of the own HR profile. Personal: [`Personal::Amendment`].
    AmendmentProposed {
        /// Of which profile.
        profile: ProfileId,
        /// Told to the person.
        receipt: String,
    },
    /// A proposal was accepted or not.
    AmendmentDecided {
        /// Of the proposal.
        receipt: String,
        /// Is it so?
        accepted: bool,
    },
    /// A full extract does not have the profile any more.
    ProfileGone {
        /// The load that lacks it.
        load: String,
    },
    /// A file was taken in.
    LoadApplied {
        /// The table.
        table: String,
        /// SHA-256 of its bytes, in hexadecimal.
        digest: String,
        /// Rows of the file.
        rows: u64,
        /// Rows that cannot be read.
        quarantined: u64,
        /// For a full extract, the unit that it covers; an empty text is the whole province.
        full: Option<String>,
        /// Of what stands in the tables since then; none in entries of before that was taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<LoadDigests>,
    },
    /// All forms of a file were entered.
    FormsEntered {
        /// SHA-256 of its bytes, in hexadecimal.
        digest: String,
        /// How many there are.
        forms: u64,
    },
    /// A plan took effect.
    RunApplied {
        /// The day it was made for.
        as_of: Date,
        /// Accounts that were open and are held now.
        newly_held: u64,
        /// Did a person approve that very run?
        approved: bool,
        /// Keyed digest of its lines and of what led to them; none in entries of before that was taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lines: Option<String>,
    },
    /// A run was undone as a whole.
    RunUndone,
    /// A setting has a new value.
    SettingChanged {
        /// Before.
        from: String,
        /// From now on.
        to: String,
    },
    /// The database was taken as it is though the file of checkpoints said otherwise: after an older backup was restored, or when the file
    /// was lost or damaged.
    CheckpointsAccepted {
        /// How many commits the last checkpoint of the file of before covered.
        before: u64,
    },
    /// An operator asks for an act that a second one has to agree to. Personal: [`Personal::Note`] with the reason.
    ActProposed {
        /// Of the proposal.
        receipt: String,
        /// What is to be done.
        act: Box<ProposedAct>,
    },
    /// A second operator agreed; what follows is done in the same transaction.
    ActApproved {
        /// Of the proposal.
        receipt: String,
        /// The first operator.
        proposed_by: String,
    },
    /// It was not agreed to, or taken back. Personal: [`Personal::Note`] with the reason.
    ActDeclined {
        /// Of the proposal.
        receipt: String,
    },
    /// An operator was named.
    OperatorAdded,
    /// An operator has a password and a second factor; from now on there is this account. Personal: [`Personal::Operator`].
    OperatorEnrolled {
        /// Its credentials.
        login: LoginId,
    },
    /// One of the operator's recovery codes let them in. It does not do so again.
    RecoveryCodeUsed {
        /// Which of the list, counted from 0.
        code: u8,
    },
    /// An operator is none any more, and has no account.
    OperatorRemoved,
    /// A connected system may sign people in from now on.
    ClientAdded {
        /// Its settings.
        client: Client,
        /// SHA-256 of its secret, in hexadecimal: 256 random bits, so that the digest tells nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
    },
    /// A connected system has a new secret.
    ClientSecretRotated {
        /// SHA-256, in hexadecimal.
        secret: String,
        /// Until when the one before is good: microseconds UTC.
        old_until: i64,
    },
    /// A connected system signs nobody in. What it was given is dead, also once it is enabled again.
    ClientDisabled,
    /// A connected system signs people in again.
    ClientEnabled,
    /// A connected system is none any more.
    ClientRemoved,
    /// A connected system has other settings. What it calls accounts stays.
    ClientEdited {
        /// Its settings from now on.
        client: Client,
        /// SHA-256 of its secret, in hexadecimal, where it begins to prove itself by one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
        /// It may less than before: what it was given is dead.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        narrowed: bool,
    },
    /// A connected system learned of the account, under a name of its own.
    SubjectNamed {
        /// Which system.
        client: ClientId,
        /// What the system was called then.
        name: String,
        /// The `sub` of its tokens.
        subject: String,
        /// It is the system's own user id, taken over before the first sign-in: no other system is told it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken_over: bool,
    },
    /// An operator had a connected system told once more of what happened to the account.
    NoticeResent {
        /// Which system.
        client: ClientId,
        /// What the system was called then.
        name: String,
        /// The `jti` of what it is told.
        notice: String,
    },
}

/// An act that two operators must agree on, as the first one asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum ProposedAct {
    /// An operator's account is held by order.
    HoldByOrder {
        /// Whose.
        account: AccountId,
        /// The hold.
        hold: Hold,
    },
    /// A hold by order of an operator's account is lifted.
    LiftOrder {
        /// Whose.
        account: AccountId,
        /// Of which order.
        cause: Cause,
    },
    /// All passkeys of an operator's are removed.
    RemovePasskeys {
        /// Whose.
        account: AccountId,
    },
    /// The owner is given a code by which another password is set, though a counter changed the phone not long ago.
    NewPassword {
        /// Whose.
        account: AccountId,
        /// Seen by the first operator.
        papers: Vec<Paper>,
    },
    /// Another phone is written to an account whose password came from a counter not long ago, or that has none. The phone is a personal
    /// value beside it.
    ChangePhone {
        /// Whose.
        account: AccountId,
        /// Seen by the first operator.
        papers: Vec<Paper>,
    },
    /// The claim of an account is withdrawn whose phone a counter changed not long ago.
    WithdrawClaim {
        /// Whose.
        account: AccountId,
    },
    /// A connected system is let in that is told about people without asking them.
    AddClient {
        /// The id that it gets.
        id: ClientId,
        /// Its settings.
        client: Box<Client>,
    },
    /// Such a system gets a new secret: whoever has it is told what the system is told.
    RotateClient {
        /// Which.
        id: ClientId,
    },
    /// All that is open of an operator's account ends.
    EndSessions {
        /// Whose.
        account: AccountId,
    },
    /// A connected system that is told about people without asking them gets other settings.
    EditClient {
        /// Which.
        id: ClientId,
        /// Its settings when that was asked for.
        before: Box<Client>,
        /// Its settings then.
        client: Box<Client>,
    },
    /// A connected system's own user ids become what it calls accounts.
    NameSubjects {
        /// Which.
        id: ClientId,
        /// Accounts, and the system's user ids.
        subjects: Vec<(AccountId, String)>,
    },
}

impl ProposedAct {
    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HoldByOrder { .. } => "hold",
            Self::LiftOrder { .. } => "lift",
            Self::RemovePasskeys { .. } => "passkeys",
            Self::NewPassword { .. } => "password",
            Self::ChangePhone { .. } => "phone",
            Self::WithdrawClaim { .. } => "withdraw",
            Self::AddClient { .. } => "client",
            Self::RotateClient { .. } => "rotate",
            Self::EndSessions { .. } => "end-sessions",
            Self::EditClient { .. } => "edit-client",
            Self::NameSubjects { .. } => "subjects",
        }
    }

    /// The account that it is done to.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::HoldByOrder { account, .. }
            | Self::LiftOrder { account, .. }
            | Self::RemovePasskeys { account }
            | Self::NewPassword { account, .. }
            | Self::ChangePhone { account, .. }
            | Self::WithdrawClaim { account }
            | Self::EndSessions { account } => Some(account),
            Self::AddClient { .. }
            | Self::RotateClient { .. }
            | Self::EditClient { .. }
            | Self::NameSubjects { .. } => None,
        }
    }

    /// Would the other do the same? The id of a system is drawn for each proposal.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AddClient { client, .. }, Self::AddClient { client: other, .. }) => client == other,
            _ => self == other,
        }
    }
}

/// A personal value that goes with an event, kept outside the journal and erasable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Personal {
    /// What the account says of its owner, and its password hash as it came.
    Account {
        /// The account's own words.
        stated: Stated,
        /// Of the login; only when the account comes in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password_hash: Option<String>,
    },
    /// The person's details in the registry at the moment of the claim.
    Claim {
        /// All numbers that the registry knows of the person, the one in force first.
        numbers: Vec<NationalId>,
        /// As the registry spells it.
        full_name: FullName,
        /// Of the registry.
        phone: Option<Phone>,
    },
    /// A form as typed.
    Form(Form),
    /// A password hash, of the login.
    Password {
        /// A PHC string.
        hash: String,
    },
    /// A passkey, of the login.
    Passkey {
        /// What its owner calls it.
        name: String,
        /// The random id by which its device knows it.
        credential: Vec<u8>,
        /// Its public key and what belongs to it, as JSON.
        key: String,
    },
    /// A number.
    Number {
        /// Which.
        number: NationalId,
    },
    /// Numbers of one person, the one in force first.
    Numbers {
        /// All of them.
        numbers: Vec<NationalId>,
    },
    /// A row of the HR system.
    Profile(Box<Profile>),
    /// Proposed changes of an HR profile.
    Amendment(Box<Amendment>),
    /// What an operator signs in with.
    Operator {
        /// The user name.
        stated: Stated,
        /// A PHC string.
        password_hash: String,
        /// Shared with the operator's authenticator (RFC 6238).
        totp_secret: [u8; 20],
        /// Keyed hashes of the recovery codes.
        recovery_codes: Vec<[u8; 32]>,
    },
    /// A phone that an operator asks a second one to write to an account, and the reason.
    Phone {
        /// Which.
        phone: Phone,
        /// As typed.
        text: String,
    },
    /// What an operator wrote as the reason of an act.
    Note {
        /// As typed.
        text: String,
    },
}

/// One change of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Of what.
    pub subject: Subject,
    /// Which.
    pub change: Change,
    /// What the journal must not hold.
    pub personal: Option<Personal>,
}

impl Event {
    /// An event of an account without personal values.
    pub fn of_account(account: &AccountId, change: Change) -> Self {
        Self {
            subject: Subject::Account(account.clone()),
            change,
            personal: None,
        }
    }

    /// The same with a personal value.
    #[must_use]
    pub fn with(self, personal: Personal) -> Self {
        Self {
            personal: Some(personal),
            ..self
        }
    }

    /// The account that it changes, if it is about one.
    pub fn account(&self) -> Option<&AccountId> {
        match &self.subject {
            Subject::Account(id) => Some(id),
            _ => None,
        }
    }
}
