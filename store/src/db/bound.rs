//! The MACs of rows that grant something. A MAC is computed under a key outside the database, over every column that matters for the
//! decision. The MAC is checked wherever the row is used, over columns that were read anyway. Without a valid MAC a row grants nothing,
//! so an attacker who can write to the database but has no key can impersonate nobody.
//!
//! Rows that are projected from the journal (accounts, logins, devices, connected systems) get their MAC when they are projected, and
//! only if the entry is genuine; a key rotation computes it again. Working rows are listed in [`BOUND`]: a rotation takes them over to
//! the new key.
//!
//! A row gets a MAC only if it was read with a valid MAC. A transaction decides only by rows whose MAC it checked itself: otherwise the
//! program would put its own MAC on what an attacker wrote.
//!
//! The limit: a row that was once genuine can be put back as it was, for as long as its own expiry, the generation of its account and
//! that of its client allow.

use crate::boxed;
use crate::crypto::keyring::Keyring;
use crate::db::Tx;
use crate::db::schema::Kind;
use crate::db::value::{Row, SqlValue};
use crate::error::Result;

/// A working table whose rows grant something.
pub(crate) struct BoundTable {
    pub table: &'static str,
    /// The columns that the MAC covers, starting with the key of the row.
    columns: &'static [(&'static str, Kind)],
    /// The number of columns in the key.
    key: usize,
    /// The rows that still grant something, as an SQL condition.
    grants: &'static str,
}

use Kind::{Bytes, Int, Text};

/// Contexts of the MACs of projections. An account is bound to its kind and login, and to what it states about its owner; a login, a
/// device and a second factor to their values; so are a claim, a connected system, and the subject by which that system knows an account.
pub(crate) const ACCOUNT: &str = "account";
pub(crate) const STATED: &str = "stated";
pub(crate) const LOGIN: &str = "login";
pub(crate) const PASSKEY: &str = "passkey";
pub(crate) const OPERATOR: &str = "operator";
pub(crate) const CLAIM: &str = "claim";
pub(crate) const CLIENT: &str = "client";
pub(crate) const SUBJECT: &str = "subject";
/// Contexts of further rows: a form and the data sent with it; an act that needs two persons; which account succeeds which; a setting.
pub(crate) const SUBMISSION: &str = "submission";
pub(crate) const PROPOSED_ACT: &str = "proposed_act";
pub(crate) const TAKE_OVER: &str = "take_over";
pub(crate) const SUCCESSION: &str = "succession";
pub(crate) const SETTING: &str = "setting";

/// Sessions. The time of the last request is not covered, because every request writes it.
pub(crate) const SESSION: BoundTable = BoundTable {
    table: "session",
    columns: &[
        ("id", Bytes),
        ("account", Text),
        ("held", Int),
        ("generation", Int),
        ("began", Int),
        ("sid", Text),
        ("amr", Text),
    ],
    key: 1,
    // Not the sessions ended by a hold that started with its day, or by a freeze that is over.
    grants: "generation >= 0",
};

/// The index of a session's generation.
pub(crate) const SESSION_GENERATION: usize = 3;

/// The index of a session's `sid`, the session id that clients see.
pub(crate) const SESSION_SID: usize = 5;

/// One sign-in of one account to one client.
pub(crate) const GRANT: BoundTable = BoundTable {
    table: "client_grant",
    columns: &[
        ("id", Text),
        ("client", Text),
        ("client_generation", Int),
        ("account", Text),
        ("generation", Int),
        ("session", Bytes),
        ("sid", Text),
        ("scope", Text),
        ("asked", Bytes),
        ("auth_time", Int),
        ("amr", Text),
        ("good_until", Int),
    ],
    key: 1,
    grants: "1 = 1",
};

/// The index of a grant's session.
pub(crate) const GRANT_SESSION: usize = 5;

/// Authorization codes and tokens.
pub(crate) const ISSUED: BoundTable = BoundTable {
    table: "issued",
    columns: &[
        ("id", Bytes),
        ("kind", Text),
        ("client", Text),
        ("client_generation", Int),
        ("client_grant", Text),
        ("scope", Text),
        ("bound", Text),
        ("began", Int),
        ("good_until", Int),
        ("used", Int),
        ("audience", Text),
        ("audience_generation", Int),
    ],
    key: 1,
    grants: "used IS NULL",
};

/// The index of the mark that a token was redeemed.
pub(crate) const USED: usize = 9;

/// Enrolment links of operators.
pub(crate) const ENROLMENT: BoundTable = BoundTable {
    table: "enrolment",
    columns: &[("secret", Bytes), ("operator", Text), ("good_until", Int)],
    key: 1,
    // Links from before the MAC existed are no longer valid.
    grants: "mac IS NOT NULL",
};

/// The consents that people gave to clients.
pub(crate) const CONSENT: BoundTable = BoundTable {
    table: "consent",
    columns: &[("account", Text), ("client", Text), ("scope", Text), ("at", Int)],
    key: 2,
    grants: "1 = 1",
};

/// Keys that sign tokens.
pub(crate) const SIGNING_KEY: BoundTable = BoundTable {
    table: "signing_key",
    columns: &[
        ("id", Text),
        ("algorithm", Text),
        ("sealed", Bytes),
        ("began", Int),
        ("signs_from", Int),
        ("good_until", Int),
    ],
    key: 1,
    grants: "1 = 1",
};

/// Security events yet to be delivered to clients: the program signs them as they stand here.
pub(crate) const NOTICE: BoundTable = BoundTable {
    table: "client_notice",
    columns: &[
        ("id", Text),
        ("at", Int),
        ("client", Text),
        ("kind", Text),
        ("account", Text),
        ("subject", Text),
        ("sid", Text),
    ],
    key: 1,
    grants: "due IS NOT NULL",
};

/// Imports that are running, or whose process died. A forged row would block all other imports for as long as it states.
pub(crate) const LOAD: BoundTable = BoundTable {
    table: "load",
    columns: &[
        ("id", Text),
        ("name", Text),
        ("digest", Text),
        ("at", Int),
        ("as_of", Text),
        ("by_whom", Text),
        ("scope", Text),
        ("row_count", Int),
        ("unreadable", Int),
    ],
    key: 1,
    grants: "state = 'open'",
};

/// All working tables with a MAC.
pub(crate) const BOUND: [&BoundTable; 8] = [
    &SESSION,
    &GRANT,
    &ISSUED,
    &ENROLMENT,
    &CONSENT,
    &SIGNING_KEY,
    &NOTICE,
    &LOAD,
];

/// The input of a MAC: a context, then each cell. A `NULL` differs from an empty value.
struct MacInput(Vec<u8>);

impl MacInput {
    fn of(what: &str) -> Self {
        let mut bytes = Vec::with_capacity(384);
        bytes.extend(what.as_bytes());
        bytes.push(0);
        Self(bytes)
    }

    fn with(what: &str, cells: &[SqlValue]) -> Self {
        let mut covered = Self::of(what);
        for cell in cells {
            match cell {
                SqlValue::Int(number) => covered.int(*number),
                SqlValue::Text(text) => covered.bytes(2, text.as_ref().map(String::as_bytes)),
                SqlValue::Bytes(bytes) => covered.bytes(3, bytes.as_deref()),
            }
        }
        covered
    }

    fn int(&mut self, number: Option<i64>) {
        match number {
            None => self.0.push(0),
            Some(number) => {
                self.0.push(1);
                self.0.extend(number.to_be_bytes());
            }
        }
    }

    fn bytes(&mut self, sort: u8, bytes: Option<&[u8]>) {
        match bytes {
            None => self.0.push(0),
            Some(bytes) => {
                self.0.push(sort);
                self.0.extend((bytes.len() as u64).to_be_bytes());
                self.0.extend(bytes);
            }
        }
    }
}

/// The MAC over these cells.
pub(crate) fn bind(keys: &Keyring, what: &str, cells: &[SqlValue]) -> SqlValue {
    keys.bind(&MacInput::with(what, cells).0).into()
}

/// Whether `bound` is the MAC that [`bind`] gives for these cells.
pub(crate) fn binds(keys: &Keyring, what: &str, cells: &[SqlValue], bound: Option<&[u8]>) -> bool {
    bound.is_some_and(|bound| keys.binds(&MacInput::with(what, cells).0, bound))
}

/// Whether `bound` is the MAC over these cells under the keys of this version.
pub(crate) fn binds_under(keys: &Keyring, version: u8, what: &str, cells: &[SqlValue], bound: &[u8]) -> bool {
    keys.binds_under(version, &MacInput::with(what, cells).0, bound)
}

impl BoundTable {
    /// The columns and the MAC for a `SELECT`, qualified with the table alias `of` unless that is empty.
    pub fn columns(&self, of: &str) -> String {
        let dot = if of.is_empty() { "" } else { "." };
        let names = self.columns.iter().map(|(name, _)| *name).chain(["mac"]);
        let mut columns = String::with_capacity(24 * self.width());
        for (at, name) in names.enumerate() {
            columns.extend([if at == 0 { "" } else { ", " }, of, dot, name]);
        }
        columns
    }

    /// The number of these columns.
    pub const fn width(&self) -> usize {
        self.columns.len() + 1
    }

    /// The MAC of a row.
    pub fn mac(&self, keys: &Keyring, cells: &[SqlValue]) -> SqlValue {
        bind(keys, self.table, cells)
    }

    /// The row as it is inserted, with its MAC.
    pub fn row(&self, keys: &Keyring, mut cells: Vec<SqlValue>) -> Vec<SqlValue> {
        let mac = self.mac(keys, &cells);
        cells.push(mac);
        cells
    }

    /// The cells of a row whose [`BoundTable::columns`] start at `at`.
    pub fn cells(&self, row: &Row, at: usize) -> Result<Vec<SqlValue>> {
        let cell = |(at, (_, kind)): (usize, &(&str, Kind))| {
            Ok(match kind {
                Int => SqlValue::Int(row.get(at)?),
                Text => SqlValue::Text(row.get(at)?),
                Bytes => SqlValue::Bytes(row.get(at)?),
            })
        };
        (at..).zip(self.columns).map(cell).collect()
    }

    /// Whether the row is as the program wrote it. Runs for each request, so nothing is copied more than once.
    pub fn is_genuine(&self, keys: &Keyring, row: &Row, at: usize) -> Result<bool> {
        let mut covered = MacInput::of(self.table);
        for (at, (_, kind)) in (at..).zip(self.columns) {
            match kind {
                Int => covered.int(row.get(at)?),
                Text => row.look(at, |text| covered.bytes(2, text))?,
                Bytes => row.look(at, |bytes| covered.bytes(3, bytes))?,
            }
        }
        let is_bound = |mac: Option<&[u8]>| mac.is_some_and(|mac| keys.binds(&covered.0, mac));
        row.look(at + self.columns.len(), is_bound)
    }

    /// As [`BoundTable::is_genuine`], of a row that has these cells.
    pub fn is_bound(&self, keys: &Keyring, cells: &[SqlValue], row: &Row, at: usize) -> Result<bool> {
        let mac: Option<Vec<u8>> = row.get(at + self.columns.len())?;
        Ok(binds(keys, self.table, cells, mac.as_deref()))
    }

    /// The number of rows that grant something, and those of them that are not as the program wrote them.
    #[boxed]
    pub async fn forged(&self, tx: &mut Tx, keys: &Keyring) -> Result<(u64, Vec<String>)> {
        let sql = format!("SELECT {} FROM {} WHERE {}", self.columns(""), self.table, self.grants);
        let (mut seen, mut forged) = (0, Vec::new());
        tx.for_each_row(&sql, [], |row| {
            seen += 1;
            let cells = self.cells(&row, 0)?;
            if !self.is_bound(keys, &cells, &row, 0)? {
                let key = match &cells[..] {
                    [SqlValue::Text(Some(text)), ..] => text.clone(),
                    [SqlValue::Bytes(Some(bytes)), ..] => crate::environment::hex(&bytes[..bytes.len().min(4)]),
                    _ => String::new(),
                };
                forged.push(format!("{} {key}", self.table));
            }
            Ok(())
        })
        .await?;
        Ok((seen, forged))
    }

    /// Computes the MAC of each row under the current keys, if it was valid under that version. Other rows stay invalid.
    async fn take_over(&self, tx: &mut Tx, keys: &Keyring, before: u8) -> Result<()> {
        let sql = format!("SELECT {} FROM {}", self.columns(""), self.table);
        let mut rows = Vec::new();
        tx.for_each_row(&sql, [], |row| {
            let cells = self.cells(&row, 0)?;
            let mac: Option<Vec<u8>> = row.get(self.columns.len())?;
            let genuine = |mac: &[u8]| binds_under(keys, before, self.table, &cells, mac);
            if mac.as_deref().is_some_and(genuine) {
                let mut args = vec![self.mac(keys, &cells)];
                args.extend(cells.into_iter().take(self.key));
                rows.push(args);
            }
            Ok(())
        })
        .await?;
        let key = self.columns.iter().take(self.key).zip(2..);
        let key: Vec<String> = key.map(|((name, _), at)| format!("{name} = ${at}")).collect();
        let sql = format!("UPDATE {} SET mac = $1 WHERE {}", self.table, key.join(" AND "));
        for row in rows {
            tx.execute(&sql, row).await?;
        }
        Ok(())
    }
}

/// Takes all working rows over from the keys of that version to the current ones.
pub(crate) async fn take_bound_to(tx: &mut Tx, keys: &Keyring, before: u8) -> Result<()> {
    for bound in BOUND {
        bound.take_over(tx, keys, before).await?;
    }
    Ok(())
}
