//! The life cycle of a client: added with a secret that is displayed once, edited, rotated, disabled, removed.
//!
//! ```text
//!   added ── rotate ──▶ two secrets ── the overlap is over ──▶ one secret
//!     │◀─ edit (if it may do less than before, its grants and tokens end)
//!     │◀─ enable ── disabled ◀── disable
//!     └── remove ──▶ gone: its id never comes back
//! ```

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::keyring::Keyring;
use crate::crypto::merkle::sha256;
use crate::db::bound::{CLIENT, binds};
use crate::db::{Row, Tx};
use crate::environment::hex;
use crate::error::{Refusal, Result, StoreError};
use crate::notifications::client_outbox::drop_notices;
use crate::projections::client_cells;
use crate::rights::Operator;
use crate::store::Store;
use crate::unit_of_work::append;
use ngomon_rules::client::{Authentication, Client, ClientFault, ClientId};
use ngomon_rules::event::{Change, Event, Subject};
use ngomon_rules::records::AccountId;
use std::sync::LazyLock;

/// A registered client with the secrets that authenticate it.
#[derive(Clone, Debug)]
pub struct RegisteredClient {
    /// Client id.
    pub id: ClientId,
    /// Settings as its integrator declared them.
    pub client: Client,
    /// `true` if it may sign people in.
    pub enabled: bool,
    /// When a token was last issued to it: microseconds UTC.
    pub last_use: Option<i64>,
    pub(crate) generation: i64,
    secret: Option<String>,
    old_secret: Option<(String, i64)>,
}

/// Seconds during which the previous secret still works after a rotation at the desk: one day.
pub(crate) const SECRET_OVERLAP: i64 = 24 * 3_600;

/// Credentials of a client, displayed once.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Client id.
    pub id: ClientId,
    /// Secret; `None` if the client does not authenticate by one.
    pub secret: Option<String>,
}

/// The stored digest of a secret, in hexadecimal. 256 random bits need no slow hash.
fn digest(secret: &str) -> String {
    hex(&sha256(&[secret.as_bytes()]))
}

/// The columns that [`known_client`] reads, of a client `c` joined with [`CLIENT_USE`].
pub(crate) const CLIENT_COLUMNS: &str =
    "c.id, c.body, c.secret, c.old_secret, c.old_until, c.enabled, c.generation, u.at, c.mac";
/// Joins the time at which a token was last issued to the client.
pub(crate) const CLIENT_USE: &str = "LEFT JOIN client_use u ON u.client = c.id";

fn select() -> String {
    format!("SELECT {CLIENT_COLUMNS} FROM client c {CLIENT_USE}")
}

/// Parses a client from the columns at `at`. A row whose MAC does not verify is an error.
pub(crate) fn known_client(keys: &Keyring, row: &Row, at: usize) -> Result<RegisteredClient> {
    let (id, mac): (String, Vec<u8>) = (row.get(at)?, row.get(at + 8)?);
    if !binds(keys, CLIENT, &client_cells(row, at)?, Some(&mac)) {
        return Err(StoreError::corrupt(
            format!("client {id}"),
            "it is not as the journal has it",
        ));
    }
    let client = serde_json::from_str(&row.get::<String>(at + 1)?)
        .map_err(|e| StoreError::corrupt(format!("client {id}"), e))?;
    let old_until = row.get(at + 4)?;
    Ok(RegisteredClient {
        id: ClientId(id),
        client,
        enabled: row.get::<i64>(at + 5)? != 0,
        last_use: row.get(at + 7)?,
        generation: row.get(at + 6)?,
        secret: row.get(at + 2)?,
        old_secret: row.get::<Option<String>>(at + 3)?.map(|secret| (secret, old_until)),
    })
}

impl RegisteredClient {
    /// Verifies the client's secret. It compares digests, so that the timing reveals nothing about the secret.
    pub fn secret_fits(&self, secret: &str, now: jiff::Timestamp) -> bool {
        let given = digest(secret);
        let old = self
            .old_secret
            .as_ref()
            .filter(|(_, until)| now.as_microsecond() < *until);
        self.secret.as_ref() == Some(&given) || old.is_some_and(|(old, _)| *old == given)
    }
}

/// The client that is registered as this resource server.
pub(crate) async fn resource_server_of(
    tx: &mut Tx,
    keys: &Keyring,
    resource: &str,
) -> Result<Option<RegisteredClient>> {
    // A resource has printable ASCII alone, and PostgreSQL rejects text with a NUL.
    if !resource.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(None);
    }
    let sql = format!(
        "{} JOIN client_resource r ON r.client = c.id WHERE r.resource = $1",
        select()
    );
    let row = tx.row(&sql, [resource.into()]).await?;
    let known = row.map(|row| known_client(keys, &row, 0)).transpose()?;
    // `client_resource` has no MAC: the resource must also be in the client's settings, which have one.
    Ok(known.filter(|known| known.client.resources.iter().any(|one| one == resource)))
}

/// Finds a client by id or by name.
pub(crate) async fn find(tx: &mut Tx, keys: &Keyring, id_or_name: &str) -> Result<Option<RegisteredClient>> {
    let sql = format!("{} WHERE c.id = $1 OR c.name = $1", select());
    let row = tx.row(&sql, [id_or_name.into()]).await?;
    row.map(|row| known_client(keys, &row, 0)).transpose()
}

fn about(id: ClientId, change: Change) -> Event {
    Event {
        subject: Subject::Client(id),
        change,
        personal: None,
    }
}

/// Registers a client under this id; the secret is used if the client authenticates by one.
pub(crate) async fn add_client(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    id: ClientId,
    client: Client,
    secret: String,
) -> Result<NewClient> {
    client.check().map_err(Refusal::Client)?;
    if find(tx, &ctx.keys, &client.name).await?.is_some() {
        return Err(Refusal::ClientExists(client.name).into());
    }
    for resource in &client.resources {
        if resource_server_of(tx, &ctx.keys, resource).await?.is_some() {
            return Err(Refusal::ResourceExists(resource.clone()).into());
        }
    }
    let secret = (client.authentication == Authentication::Secret).then_some(secret);
    let change = Change::ClientAdded {
        client,
        secret: secret.as_deref().map(digest),
    };
    append(tx, ctx, act, vec![about(id.clone(), change)]).await?;
    Ok(NewClient { id, secret })
}

/// Replaces a client's settings if they still equal `before`. The secret is used if the client newly authenticates by one.
pub(crate) async fn edit_client(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    id: &ClientId,
    before: &Client,
    client: Client,
    secret: String,
) -> Result<NewClient> {
    client.check().map_err(Refusal::Client)?;
    tx.rows_for_update("SELECT id FROM client WHERE id = $1", [id.as_str().into()])
        .await?;
    let known = find(tx, &ctx.keys, id.as_str()).await?;
    let known = known.ok_or_else(|| Refusal::UnknownClient(id.to_string()))?;
    if known.client != *before {
        return Err(Refusal::ClientChanged(before.name.clone()).into());
    }
    if client.subjects != before.subjects {
        return Err(Refusal::Client(ClientFault::Subjects).into());
    }
    let is_other = |found: Option<RegisteredClient>| found.is_some_and(|found| found.id != *id);
    if is_other(find(tx, &ctx.keys, &client.name).await?) {
        return Err(Refusal::ClientExists(client.name).into());
    }
    for resource in &client.resources {
        if is_other(resource_server_of(tx, &ctx.keys, resource).await?) {
            return Err(Refusal::ResourceExists(resource.clone()).into());
        }
    }
    let by_secret = |client: &Client| client.authentication == Authentication::Secret;
    let secret = (by_secret(&client) && !by_secret(before)).then_some(secret);
    if client != *before {
        let change = Change::ClientEdited {
            narrowed: client.narrows(before),
            secret: secret.as_deref().map(digest),
            client,
        };
        append(tx, ctx, act, vec![about(id.clone(), change)]).await?;
    }
    Ok(NewClient { id: id.clone(), secret })
}

impl Store {
    /// Replaces a client's settings if they still equal `before`. Its subjects stay. Its grants and tokens stay unless the new settings
    /// allow less.
    #[boxed]
    pub async fn edit_client(&self, id: &ClientId, before: &Client, client: Client, by: &str) -> Result<NewClient> {
        let (ctx, act, id) = (self.ctx.clone(), Attribution::new(by, self.now()), id.clone());
        let (before, secret) = (before.clone(), self.new_token());
        self.db
            .transaction(move |tx| {
                let (ctx, act, id) = (ctx.clone(), act.clone(), id.clone());
                let (before, client, secret) = (before.clone(), client.clone(), secret.as_str().to_owned());
                Box::pin(async move { edit_client(tx, &ctx, &act, &id, &before, client, secret).await })
            })
            .await
    }

    /// [`Store::edit_client`] by one operator at the desk. Refused if the old or the new settings need a second operator.
    #[boxed]
    pub async fn edit_client_alone(
        &self,
        operator: &Operator,
        id: &ClientId,
        before: &Client,
        client: Client,
    ) -> Result<NewClient> {
        client.check().map_err(Refusal::Client)?;
        if client.needs_two() || before.needs_two() {
            return Err(Refusal::NeedsTwo.into());
        }
        self.edit_client(id, before, client, operator.by()).await
    }

    /// Imports the client's own user ids, by one operator at the desk. Refused if the client needs a second operator.
    #[boxed]
    pub async fn name_subjects_alone(
        &self,
        operator: &Operator,
        known: &RegisteredClient,
        subjects: Vec<(AccountId, String)>,
    ) -> Result<u64> {
        if known.client.needs_two() {
            return Err(Refusal::NeedsTwo.into());
        }
        self.name_subjects(known.id.as_str(), subjects, operator.by()).await
    }

    /// All clients, by name.
    #[boxed]
    pub async fn clients(&self) -> Result<Vec<RegisteredClient>> {
        self.db
            .read(async |tx| {
                let rows = tx.rows(&format!("{} ORDER BY c.name", select()), []).await?;
                rows.iter().map(|row| known_client(&self.ctx.keys, row, 0)).collect()
            })
            .await
    }

    /// Finds a client by id.
    #[boxed]
    pub async fn client(&self, id: &str) -> Result<Option<RegisteredClient>> {
        static SQL: LazyLock<String> = LazyLock::new(|| format!("{} WHERE c.id = $1", select()));
        // A client id has printable ASCII alone, and PostgreSQL rejects text with a NUL.
        if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(None);
        }
        let row = self.db.query(async |tx| tx.row(&SQL, [id.into()]).await).await?;
        row.map(|row| known_client(&self.ctx.keys, &row, 0)).transpose()
    }

    /// Whether an enabled client is registered as this resource server.
    #[boxed]
    pub async fn has_resource(&self, resource: &str) -> Result<bool> {
        let bearer = self
            .db
            .query(async |tx| resource_server_of(tx, &self.ctx.keys, resource).await)
            .await?;
        Ok(bearer.is_some_and(|bearer| bearer.enabled))
    }

    /// Registers a client. Its secret is returned here and never again.
    #[boxed]
    pub async fn add_client(&self, client: Client, by: &str) -> Result<NewClient> {
        let (ctx, act) = (self.ctx.clone(), Attribution::new(by, self.now()));
        let (id, secret) = (self.new_client_id(), self.new_token());
        self.db
            .transaction(move |tx| {
                let (ctx, act, id) = (ctx.clone(), act.clone(), id.clone());
                let (client, secret) = (client.clone(), secret.as_str().to_owned());
                Box::pin(async move { add_client(tx, &ctx, &act, id, client, secret).await })
            })
            .await
    }

    /// [`Store::add_client`] by one operator at the desk. Refused if the client needs a second operator.
    #[boxed]
    pub async fn add_client_alone(&self, operator: &Operator, client: Client) -> Result<NewClient> {
        client.check().map_err(Refusal::Client)?;
        if client.needs_two() {
            return Err(Refusal::NeedsTwo.into());
        }
        self.add_client(client, operator.by()).await
    }

    /// [`Store::rotate_client`] by one operator at the desk. Refused if the client needs a second operator.
    #[boxed]
    pub async fn rotate_client_alone(&self, operator: &Operator, id: &str) -> Result<NewClient> {
        let known = self
            .client(id)
            .await?
            .ok_or_else(|| Refusal::UnknownClient(id.to_owned()))?;
        if known.client.needs_two() {
            return Err(Refusal::NeedsTwo.into());
        }
        self.rotate_client(id, SECRET_OVERLAP, operator.by()).await
    }

    /// Issues a new secret. The previous one works for `overlap` more seconds, so that no sign-in fails meanwhile.
    #[boxed]
    pub async fn rotate_client(&self, id_or_name: &str, overlap: i64, by: &str) -> Result<NewClient> {
        let (ctx, act, name) = (
            self.ctx.clone(),
            Attribution::new(by, self.now()),
            id_or_name.to_owned(),
        );
        let secret = self.new_token();
        self.db
            .transaction(move |tx| {
                let (ctx, act, name) = (ctx.clone(), act.clone(), name.clone());
                let secret = secret.as_str().to_owned();
                Box::pin(async move { rotate_client(tx, &ctx, &act, &name, overlap, secret).await })
            })
            .await
    }

    /// Disables a client: every endpoint refuses it from the next request on.
    #[boxed]
    pub async fn disable_client(&self, id_or_name: &str, by: &str) -> Result<ClientId> {
        self.change_client(id_or_name, Change::ClientDisabled, by).await
    }

    /// Enables a client again. Its earlier grants and tokens stay revoked.
    #[boxed]
    pub async fn enable_client(&self, id_or_name: &str, by: &str) -> Result<ClientId> {
        self.change_client(id_or_name, Change::ClientEnabled, by).await
    }

    /// Removes a client. Its id is never used again.
    #[boxed]
    pub async fn remove_client(&self, id_or_name: &str, by: &str) -> Result<ClientId> {
        self.change_client(id_or_name, Change::ClientRemoved, by).await
    }

    async fn change_client(&self, id_or_name: &str, change: Change, by: &str) -> Result<ClientId> {
        let (ctx, act, name) = (
            self.ctx.clone(),
            Attribution::new(by, self.now()),
            id_or_name.to_owned(),
        );
        self.db
            .transaction(move |tx| {
                let (ctx, act, name, change) = (ctx.clone(), act.clone(), name.clone(), change.clone());
                Box::pin(async move { change_client(tx, &ctx, &act, name, change, |_| Ok(())).await })
            })
            .await
    }
}

async fn change_client(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    id_or_name: String,
    change: Change,
    may: fn(&RegisteredClient) -> std::result::Result<(), Refusal>,
) -> Result<ClientId> {
    let sql = "SELECT id FROM client WHERE id = $1 OR name = $1";
    tx.rows_for_update(sql, [(&id_or_name).into()]).await?;
    let known = find(tx, &ctx.keys, &id_or_name).await?;
    let known = known.ok_or(Refusal::UnknownClient(id_or_name))?;
    may(&known)?;
    let is_enabled = match &change {
        Change::ClientDisabled => Some(false),
        Change::ClientEnabled => Some(true),
        _ => None,
    };
    // Disabling a disabled client, or enabling an enabled one, writes no entry.
    if is_enabled != Some(known.enabled) {
        if matches!(change, Change::ClientRemoved) {
            drop_notices(tx, &known.id).await?;
        }
        append(tx, ctx, act, vec![about(known.id.clone(), change)]).await?;
    }
    Ok(known.id)
}

/// Gives a client a new secret. The previous one works for `overlap` more seconds.
pub(crate) async fn rotate_client(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    id_or_name: &str,
    overlap: i64,
    secret: String,
) -> Result<NewClient> {
    let change = Change::ClientSecretRotated {
        secret: digest(&secret),
        old_until: ctx.now() + overlap * 1_000_000,
    };
    let with_secret = |known: &RegisteredClient| match known.client.authentication {
        Authentication::Secret => Ok(()),
        _ => Err(Refusal::Client(ClientFault::NoSecret)),
    };
    let id = change_client(tx, ctx, act, id_or_name.to_owned(), change, with_secret).await?;
    let secret = Some(secret);
    Ok(NewClient { id, secret })
}
