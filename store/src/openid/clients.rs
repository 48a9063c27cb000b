//! Clients: added with a secret that is shown once, rotated, disabled, removed.
//!
//! ```text
//!   added ── rotate ──▶ two secrets ── the overlap is over ──▶ one secret
//!     │◀─ enable ── disabled ◀── disable
//!     └── remove ──▶ gone: its id never comes back
//! ```

use crate::ambient::hex;
use crate::db::{Row, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::{Act, append};
use crate::merkle::sha256;
use crate::store::Store;
use ngomon_rules::client::{Authentication, Client, ClientFault, ClientId};
use ngomon_rules::event::{Change, Event, Subject};

/// A client that may come in, with what tells whether it is who it says.
#[derive(Clone, Debug)]
pub struct KnownClient {
    /// Which.
    pub id: ClientId,
    /// As its integrator stated it.
    pub client: Client,
    /// It may sign people in.
    pub enabled: bool,
    /// When it was last given anything: microseconds UTC.
    pub last_use: Option<i64>,
    pub(super) generation: i64,
    secret: Option<String>,
    old_secret: Option<(String, i64)>,
}

/// What a client is told once.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Which.
    pub id: ClientId,
    /// Where it proves itself by one.
    pub secret: Option<String>,
}

/// The digest that is kept of a secret, in hexadecimal. 256 random bits need no slow hash.
fn digest(secret: &str) -> String {
    hex(&sha256(&[secret.as_bytes()]))
}

/// What [`known_client`] reads, of a client `c` beside its [`CLIENT_USE`].
pub(super) const CLIENT_COLUMNS: &str =
    "c.id, c.body, c.secret, c.old_secret, c.old_until, c.enabled, c.generation, u.at";
/// When it was last given anything.
pub(super) const CLIENT_USE: &str = "LEFT JOIN client_use u ON u.client = c.id";

fn select() -> String {
    format!("SELECT {CLIENT_COLUMNS} FROM client c {CLIENT_USE}")
}

/// A client, of a row whose columns begin at `at`.
pub(super) fn known_client(row: &Row, at: usize) -> Result<KnownClient> {
    let id: String = row.get(at)?;
    let client = serde_json::from_str(&row.get::<String>(at + 1)?)
        .map_err(|e| StoreError::corrupt(format!("client {id}"), e))?;
    let old_until = row.get(at + 4)?;
    Ok(KnownClient {
        id: ClientId(id),
        client,
        enabled: row.get::<i64>(at + 5)? != 0,
        last_use: row.get(at + 7)?,
        generation: row.get(at + 6)?,
        secret: row.get(at + 2)?,
        old_secret: row.get::<Option<String>>(at + 3)?.map(|secret| (secret, old_until)),
    })
}

impl KnownClient {
    /// Is that its secret? Digests are compared, so that the time tells nothing of the secret.
    pub fn secret_fits(&self, secret: &str, now: jiff::Timestamp) -> bool {
        let given = digest(secret);
        let old = self
            .old_secret
            .as_ref()
            .filter(|(_, until)| now.as_microsecond() < *until);
        self.secret.as_ref() == Some(&given) || old.is_some_and(|(old, _)| *old == given)
    }
}

/// The client that bears that resource.
pub(super) async fn bearer(tx: &mut Tx, resource: &str) -> Result<Option<KnownClient>> {
    // No resource has others, and PostgreSQL takes no text with a NUL.
    if !resource.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(None);
    }
    let sql = format!(
        "{} JOIN client_resource r ON r.client = c.id WHERE r.resource = $1",
        select()
    );
    let row = tx.row(&sql, [resource.into()]).await?;
    row.map(|row| known_client(&row, 0)).transpose()
}

/// The client of that id, or of that name.
pub(super) async fn find(tx: &mut Tx, id_or_name: &str) -> Result<Option<KnownClient>> {
    let sql = format!("{} WHERE c.id = $1 OR c.name = $1", select());
    let row = tx.row(&sql, [id_or_name.into()]).await?;
    row.map(|row| known_client(&row, 0)).transpose()
}

fn about(id: ClientId, change: Change) -> Event {
    Event {
        subject: Subject::Client(id),
        change,
        personal: None,
    }
}

impl Store {
    /// All clients, by name.
    pub async fn clients(&self) -> Result<Vec<KnownClient>> {
        self.db
            .read(async |tx| {
                let rows = tx.rows(&format!("{} ORDER BY c.name", select()), []).await?;
                rows.iter().map(|row| known_client(row, 0)).collect()
            })
            .await
    }

    /// The client of that id.
    pub async fn client(&self, id: &str) -> Result<Option<KnownClient>> {
        // No id has others, and PostgreSQL takes no text with a NUL.
        if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(None);
        }
        let sql = format!("{} WHERE c.id = $1", select());
        let row = self.db.ask(async |tx| tx.row(&sql, [id.into()]).await).await?;
        row.map(|row| known_client(&row, 0)).transpose()
    }

    /// Is there a client that bears that resource, and may come in?
    pub async fn has_resource(&self, resource: &str) -> Result<bool> {
        let bearer = self.db.ask(async |tx| bearer(tx, resource).await).await?;
        Ok(bearer.is_some_and(|bearer| bearer.enabled))
    }

    /// Lets a client in. Its secret is told here and never again.
    pub async fn add_client(&self, client: Client, by: &str) -> Result<NewClient> {
        client.check().map_err(Refusal::Client)?;
        let id = self.env.ambient.hex::<8>();
        let with_secret = client.authentication == Authentication::Secret;
        let secret = with_secret.then(|| self.new_token().as_str().to_owned());
        let (env, act) = (self.env.clone(), Act::new(by, self.now()));
        let kept = secret.as_deref().map(digest);
        let new = NewClient {
            id: ClientId(id),
            secret,
        };
        let id = new.id.clone();
        self.db
            .write(move |tx| {
                let (env, act, id) = (env.clone(), act.clone(), id.clone());
                let (client, secret) = (client.clone(), kept.clone());
                Box::pin(async move {
                    if find(tx, &client.name).await?.is_some() {
                        return Err(Refusal::ClientExists(client.name).into());
                    }
                    for resource in &client.resources {
                        if bearer(tx, resource).await?.is_some() {
                            return Err(Refusal::ResourceExists(resource.clone()).into());
                        }
                    }
                    append(tx, &env, &act, vec![about(id, Change::ClientAdded { client, secret })]).await
                })
            })
            .await?;
        Ok(new)
    }

    /// A new secret. The one before is good for `overlap` more seconds, so that no sign-in fails meanwhile.
    pub async fn rotate_client(&self, id_or_name: &str, overlap: i64, by: &str) -> Result<NewClient> {
        let secret = self.new_token().as_str().to_owned();
        let change = Change::ClientSecretRotated {
            secret: digest(&secret),
            old_until: self.now().as_microsecond() + overlap * 1_000_000,
        };
        let with_secret = |known: &KnownClient| match known.client.authentication {
            Authentication::Secret => Ok(()),
            _ => Err(Refusal::Client(ClientFault::NoSecret)),
        };
        let id = self.change_client(id_or_name, change, by, with_secret).await?;
        let secret = Some(secret);
        Ok(NewClient { id, secret })
    }

    /// From the next request on, the client is refused on every path.
    pub async fn disable_client(&self, id_or_name: &str, by: &str) -> Result<ClientId> {
        self.change_client(id_or_name, Change::ClientDisabled, by, |_| Ok(()))
            .await
    }

    /// The client is let in again; nothing that it had comes back.
    pub async fn enable_client(&self, id_or_name: &str, by: &str) -> Result<ClientId> {
        self.change_client(id_or_name, Change::ClientEnabled, by, |_| Ok(()))
            .await
    }

    /// The client is none any more.
    pub async fn remove_client(&self, id_or_name: &str, by: &str) -> Result<ClientId> {
        self.change_client(id_or_name, Change::ClientRemoved, by, |_| Ok(()))
            .await
    }

    async fn change_client(
        &self,
        id_or_name: &str,
        change: Change,
        by: &str,
        may: fn(&KnownClient) -> std::result::Result<(), Refusal>,
    ) -> Result<ClientId> {
        let (env, act, name) = (self.env.clone(), Act::new(by, self.now()), id_or_name.to_owned());
        self.db
            .write(move |tx| {
                let (env, act, name, change) = (env.clone(), act.clone(), name.clone(), change.clone());
                Box::pin(async move {
                    let sql = "SELECT id FROM client WHERE id = $1 OR name = $1";
                    tx.rows_locked(sql, [(&name).into()]).await?;
                    let known = find(tx, &name).await?.ok_or(Refusal::UnknownClient(name))?;
                    may(&known)?;
                    let is_enabled = match &change {
                        Change::ClientDisabled => Some(false),
                        Change::ClientEnabled => Some(true),
                        _ => None,
                    };
                    // Said twice, it is so already.
                    if is_enabled != Some(known.enabled) {
                        append(tx, &env, &act, vec![about(known.id.clone(), change)]).await?;
                    }
                    Ok(known.id)
                })
            })
            .await
    }
}
