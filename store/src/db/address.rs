//! The address of PostgreSQL as libpq parses it (PostgreSQL's documentation, 34.1.1.2), with one host or several. An unknown option is
//! refused: an option without effect is worse than a missing one.

use crate::db::dialect::PREPARED;
use crate::error::AddressFault;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sqlx::postgres::PgConnectOptions;
use std::collections::BTreeMap;
use std::str::FromStr as _;

/// Options that sqlx knows by the same name, for each host alike.
pub(crate) const FOR_EACH_HOST: [&str; 8] = [
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
];

/// A host and its port; `None` if environment and machine decide.
pub(crate) struct Host {
    name: Option<String>,
    port: Option<String>,
}

impl Host {
    pub(crate) fn options(&self, common: &[(&str, String)]) -> Result<PgConnectOptions, AddressFault> {
        // The order of the options does not matter: none is repeated.
        let mut url = "postgres:///?".to_owned();
        let own = [("host", &self.name), ("port", &self.port)];
        let own = own
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?)));
        for (name, value) in own.chain(common.iter().map(|(name, value)| (*name, value))) {
            url.push_str(&format!("{name}={}&", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        let options = PgConnectOptions::from_str(&url).map_err(|_| AddressFault::Value("sslmode".into()))?;
        let is_named = common.iter().any(|(name, _)| *name == "application_name");
        let options = if is_named {
            options
        } else {
            options.application_name("ngomon")
        };
        Ok(options.statement_cache_capacity(PREPARED))
    }
}

/// A parsed address: everything is an option.
pub(crate) struct UrlParts {
    pub(crate) options: BTreeMap<String, String>,
}

impl UrlParts {
    pub(crate) fn parse(url: &str) -> Result<Self, AddressFault> {
        let rest = ["postgresql://", "postgres://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme));
        let (rest, query) = split(rest.ok_or(AddressFault::Scheme)?, '?');
        // In an address, the directory of a socket is written with %2F.
        let (authority, database) = split(rest, '/');
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let mut options = BTreeMap::new();
        let mut put = |name: &str, value: String| {
            if !value.is_empty() {
                options.insert(name.to_owned(), value);
            }
        };
        if let Some(user) = user {
            let (user, password) = split(user, ':');
            put("user", decoded(user)?);
            put("password", decoded(password.unwrap_or_default())?);
        }
        let hosts: Vec<(&str, &str)> = hosts.split(',').map(host_and_port).collect::<Result<_, _>>()?;
        let names: Vec<String> = hosts.iter().map(|(name, _)| decoded(name)).collect::<Result<_, _>>()?;
        put("host", names.join(","));
        let ports: Vec<&str> = hosts.iter().map(|(_, port)| *port).collect();
        if ports.iter().any(|port| !port.is_empty()) {
            put("port", ports.join(","));
        }
        put("dbname", decoded(database.unwrap_or_default())?);
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(AddressFault::Form)?;
            put(&decoded(name)?, decoded(value)?);
        }
        Ok(Self { options })
    }

    pub(crate) fn hosts(&mut self) -> Result<Vec<Host>, AddressFault> {
        let list = |text: Option<String>| -> Vec<Option<String>> {
            let text = text.unwrap_or_default();
            let each = text
                .split(',')
                .map(|one| Some(one.to_owned()).filter(|one| !one.is_empty()));
            each.collect()
        };
        let mut given =
            |name: &str, environment: &str| self.options.remove(name).or_else(|| std::env::var(environment).ok());
        let (names, ports) = (list(given("host", "PGHOST")), list(given("port", "PGPORT")));
        if ports.len() != 1 && ports.len() != names.len() {
            let (hosts, ports) = (names.len(), ports.len());
            return Err(AddressFault::Ports { hosts, ports });
        }
        for port in ports.iter().flatten() {
            if port.parse::<u16>().is_err() {
                return Err(AddressFault::Value("port".into()));
            }
        }
        let hosts = names.into_iter().enumerate().map(|(n, name)| {
            let port = ports.get(n).or(ports.first()).cloned().flatten();
            Host { name, port }
        });
        Ok(hosts.collect())
    }

    /// sqlx does not expose its socket. So PostgreSQL is configured to send keepalives from its side; the program's side relies on
    /// time-outs.
    pub(crate) fn keepalives(&mut self) -> Result<Vec<(&'static str, String)>, AddressFault> {
        let wanted = match self.number("keepalives")? {
            None | Some(1) => true,
            Some(0) => false,
            Some(_) => return Err(AddressFault::Value("keepalives".into())),
        };
        let mut session = Vec::new();
        for (option, setting, default) in [
            ("keepalives_idle", "tcp_keepalives_idle", 10),
            ("keepalives_interval", "tcp_keepalives_interval", 5),
            ("keepalives_count", "tcp_keepalives_count", 3),
        ] {
            let value = self.number(option)?.unwrap_or(default);
            if wanted {
                session.push((setting, value.to_string()));
            }
        }
        let value = self.number("tcp_user_timeout")?.unwrap_or(15_000);
        session.push(("tcp_user_timeout", value.to_string()));
        Ok(session)
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, AddressFault> {
        let text = self.options.remove(name);
        let number = text.map(|text| text.parse::<u32>().map(u64::from));
        number.transpose().map_err(|_| AddressFault::Value(name.to_owned()))
    }
}

pub(crate) fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Splits `name:port`, `[::1]:port`.
pub(crate) fn host_and_port(text: &str) -> Result<(&str, &str), AddressFault> {
    let (name, rest) = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or(AddressFault::Form)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    match rest.strip_prefix(':') {
        Some(port) => Ok((name, port)),
        None if rest.is_empty() => Ok((name, "")),
        None => Err(AddressFault::Form),
    }
}

pub(crate) fn decoded(text: &str) -> Result<String, AddressFault> {
    // After each `%` there must be two hexadecimal digits.
    let whole = text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let text = percent_decode_str(text).decode_utf8().ok().filter(|_| whole);
    let text = text.ok_or(AddressFault::Form)?;
    // A NUL ends a text for PostgreSQL.
    if text.contains('\0') {
        return Err(AddressFault::Form);
    }
    Ok(text.into_owned())
}
