//! The servers of PostgreSQL: one host or several, tried in turn.
//!
//! All waits are short. PostgreSQL ends a session whose client is frozen or gone, a statement that takes too long and a wait for a lock;
//! the client discards a connection on which PostgreSQL is silent.

use crate::db::address::{FOR_EACH_HOST, UrlParts};
use crate::db::connections::Connector;
use crate::error::{AddressFault, Result, StoreError};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Time to connect to a host, unless `connect_timeout` sets another.
const CONNECT: Duration = Duration::from_secs(5);

/// Time-outs between PostgreSQL and the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// `statement_timeout` of PostgreSQL; `None` if a statement may take any time.
    pub statement: Option<Duration>,
    /// `lock_timeout` of PostgreSQL.
    pub lock: Duration,
    /// `idle_in_transaction_session_timeout`: the client is frozen, and others may wait for its locks.
    pub idle: Duration,
    /// Time after which a silent connection is discarded. It is longer than the others, so that PostgreSQL reports its error first if it
    /// can.
    pub silence: Duration,
    /// Longest wait for a connection of the pool.
    pub connection: Duration,
    /// Most connections at once.
    pub connections: usize,
}

/// For HTTP requests: a person waits for the page.
pub(crate) const REQUESTS: Limits = Limits {
    statement: Some(Duration::from_secs(8)),
    lock: Duration::from_secs(6),
    idle: Duration::from_secs(3),
    silence: Duration::from_secs(10),
    connection: Duration::from_secs(5),
    connections: 20,
};

/// For background jobs: nobody waits for them, and they run again.
pub(crate) const WORKERS: Limits = Limits {
    statement: Some(Duration::from_mins(1)),
    lock: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    silence: Duration::from_secs(75),
    connection: Duration::from_secs(10),
    connections: 10,
};

/// For commands: a statement may scan everything that is stored, and an operator is watching.
pub(crate) const COMMANDS: Limits = Limits {
    statement: None,
    lock: Duration::from_secs(30),
    idle: Duration::from_secs(15),
    silence: Duration::from_mins(30),
    connection: Duration::from_secs(30),
    connections: 10,
};

/// Which of several servers are acceptable (`target_session_attrs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "any" => Self::Any,
            "read-write" => Self::ReadWrite,
            "read-only" => Self::ReadOnly,
            "primary" => Self::Primary,
            "standby" => Self::Standby,
            "prefer-standby" => Self::PreferStandby,
            _ => return None,
        })
    }

    async fn takes(self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        if self == Self::Any {
            return Ok(true);
        }
        let sql = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'";
        let row = sqlx::query(sql).fetch_one(connection).await?;
        let (standby, read_only): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
        Ok(match self {
            Self::Any => true,
            Self::ReadWrite => !read_only,
            Self::ReadOnly => read_only,
            Self::Primary => !standby,
            Self::Standby | Self::PreferStandby => standby,
        })
    }
}

/// The servers of an address.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// The address as given. It may hold a password.
    url: Arc<str>,
    hosts: Vec<PgConnectOptions>,
    target: Target,
    /// Time to connect to each host.
    patience: Duration,
    limits: Limits,
    /// Index of the host that accepted the last connection; it is tried first.
    last: Arc<AtomicUsize>,
}

impl Cluster {
    /// Parses an address.
    pub(crate) fn parse(url: &str, limits: Limits) -> Result<Self, AddressFault> {
        let mut given = UrlParts::parse(url)?;
        let hosts = given.hosts()?;
        let target = match given.options.remove("target_session_attrs") {
            Some(text) => Target::parse(&text).ok_or(AddressFault::Value("target_session_attrs".into()))?,
            None => Target::Any,
        };
        // The order of the hosts is not random.
        if given
            .options
            .remove("load_balance_hosts")
            .is_some_and(|how| how != "disable")
        {
            return Err(AddressFault::Value("load_balance_hosts".into()));
        }
        let patience = match given.number("connect_timeout")? {
            // As in libpq: no limit. The pool's time-out comes first.
            Some(0) => Duration::from_hours(1),
            Some(seconds) => Duration::from_secs(seconds),
            None => CONNECT,
        };
        let mut session = given.keepalives()?;
        session.push(("lock_timeout", limits.lock.as_millis().to_string()));
        session.push((
            "idle_in_transaction_session_timeout",
            limits.idle.as_millis().to_string(),
        ));
        if let Some(most) = limits.statement {
            session.push(("statement_timeout", most.as_millis().to_string()));
        }
        let session: Vec<String> = session
            .iter()
            .map(|(name, value)| format!("-c {name}={value}"))
            .collect();
        let own = given.options.remove("options").unwrap_or_default();
        // PostgreSQL takes the last value of an option: the operator's own options come last.
        let session = format!("{} {own}", session.join(" "));
        let mut common = vec![("options", session.trim_end().to_owned())];
        for name in FOR_EACH_HOST {
            common.extend(given.options.remove(name).map(|value| (name, value)));
        }
        if let Some(unknown) = given.options.into_keys().next() {
            return Err(AddressFault::Option(unknown));
        }
        let hosts = hosts.iter().map(|host| host.options(&common));
        Ok(Self {
            url: url.into(),
            hosts: hosts.collect::<Result<_, _>>()?,
            target,
            patience,
            limits,
            last: Arc::default(),
        })
    }

    /// The same servers with other limits.
    pub(crate) fn within(&self, limits: Limits) -> Result<Self, AddressFault> {
        Self::parse(&self.url, limits)
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Tries each host once.
    async fn connect(&self, target: Target) -> Result<Result<PgConnection, String>> {
        let first = self.last.load(Ordering::Relaxed);
        let mut why = String::new();
        for n in 0..self.hosts.len() {
            let at = (first + n) % self.hosts.len();
            let Some(host) = self.hosts.get(at) else { continue };
            let attempt = async {
                let mut connection = host.connect().await?;
                let takes = target.takes(&mut connection).await?;
                Ok::<_, sqlx::Error>((connection, takes))
            };
            match timeout(self.patience, attempt).await {
                Ok(Ok((connection, true))) => {
                    self.last.store(at, Ordering::Relaxed);
                    return Ok(Ok(connection));
                }
                Ok(Ok((connection, false))) => {
                    why = format!(
                        "{}: not the kind of server that target_session_attrs asks for",
                        name_of(host)
                    );
                    // A courtesy: the server need not receive it.
                    timeout(self.patience, connection.close()).await.ok();
                }
                Ok(Err(error)) => {
                    let said = said(&error);
                    // As in libpq: a login that one host refuses is not tried at the others.
                    if code(&error).is_some_and(|code| code.starts_with("28")) {
                        return Err(StoreError::Unreachable(said));
                    }
                    why = format!("{}: {said}", name_of(host));
                }
                Err(_) => {
                    why = format!("{}: no answer within {} s", name_of(host), self.patience.as_secs());
                }
            }
        }
        Ok(Err(why))
    }
}

impl Connector for Cluster {
    type Connection = PgConnection;

    async fn open(&self) -> Result<PgConnection> {
        // Boxed because it is large and rare: it should not enlarge the future of every query.
        let mut answer = Box::pin(self.connect(self.target)).await?;
        if answer.is_err() && self.target == Target::PreferStandby {
            answer = Box::pin(self.connect(Target::Any)).await?;
        }
        answer.map_err(StoreError::Unreachable)
    }

    async fn is_alive(connection: &mut PgConnection) -> bool {
        connection.ping().await.is_ok()
    }
}

fn name_of(host: &PgConnectOptions) -> String {
    match host.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", host.get_host(), host.get_port()),
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// PostgreSQL's message, without the position in its source code.
fn said(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Cluster, AddressFault> {
        Cluster::parse(url, REQUESTS)
    }

    fn hosts(url: &str) -> Vec<String> {
        parse(url).unwrap().hosts.iter().map(name_of).collect()
    }

    /// Several hosts of a database URL are parsed as libpq does.
    #[test]
    fn database_url_hosts_parsed_like_libpq() {
        assert_eq!(
            hosts("postgres://h1,h2:6000,[::1]:7000/db"),
            ["h1:5432", "h2:6000", "::1:7000"]
        );
        assert_eq!(hosts("postgresql://h1:6000,h2:6001/db"), ["h1:6000", "h2:6001"]);
        assert_eq!(hosts("postgres:///db?host=a,b&port=1,2"), ["a:1", "b:2"]);
        assert_eq!(hosts("postgres:///db?host=a,b&port=6000"), ["a:6000", "b:6000"]);
        // Options take precedence over the authority of the URL.
        assert_eq!(hosts("postgres://u@localhost:5432/db?host=/tmp/pg"), ["/tmp/pg"]);
        assert_eq!(hosts("postgres://u@/db?host=/socket"), ["/socket"]);
        assert_eq!(hosts("postgres://u@%2Fsocket,h2/db"), ["/socket", "h2:5432"]);
    }

    /// Names and passwords in a database URL are decoded.
    #[test]
    fn database_url_names_and_passwords_are_decoded() {
        let cluster = parse("postgres://nguy%C3%AAn:a%40b%3Fc+d@h/s%C3%B4%2Fb%E1%BB%99?sslmode=disable").unwrap();
        let host = &cluster.hosts[0];
        assert_eq!((host.get_username(), host.get_database()), ("nguyên", Some("sô/bộ")));
        assert_eq!(host.get_application_name(), Some("ngomon"));
        let named = parse("postgres://h/db?application_name=ngomon-2&user=u").unwrap();
        assert_eq!(named.hosts[0].get_application_name(), Some("ngomon-2"));
        assert_eq!(named.hosts[0].get_username(), "u");
    }

    /// A database URL with an unknown option or value is refused, and the error repeats no secret.
    #[test]
    fn database_url_with_unknown_option_is_refused() {
        let fault = |url: &str| parse(url).err().unwrap();
        for url in ["mysql://localhost/x", "localhost:5432", "ngomon", "", "http://h/"] {
            assert_eq!(fault(url), AddressFault::Scheme, "{url}");
        }
        for url in [
            "postgres://[::1/db",
            "postgres://h/d%b",
            "postgres://h/db?sslmode",
            "postgres://h/%00",
        ] {
            assert_eq!(fault(url), AddressFault::Form, "{url}");
        }
        for (option, value) in [
            ("port", "x"),
            ("port", "70000"),
            ("sslmode", "maybe"),
            ("target_session_attrs", "writable"),
            ("connect_timeout", "soon"),
            ("keepalives", "2"),
            ("keepalives_idle", "-1"),
            ("tcp_user_timeout", "1s"),
            ("load_balance_hosts", "random"),
        ] {
            let url = format!("postgres://h/db?{option}={value}");
            assert_eq!(fault(&url), AddressFault::Value(option.into()), "{url}");
        }
        for option in [
            "hostaddr",
            "requirepeer",
            "statement-cache-capacity",
            "Host",
            "target_session_attr",
        ] {
            let url = format!("postgres://h/db?{option}=1");
            assert_eq!(fault(&url), AddressFault::Option(option.into()), "{url}");
        }
        let ports = AddressFault::Ports { hosts: 3, ports: 2 };
        assert_eq!(fault("postgres:///db?host=a,b,c&port=1,2"), ports);
        // A secret is never repeated.
        for url in [
            "postgres://u:geheim@h:x/db",
            "postgres://u:geheim%@h/db",
            "postgres://u:ge/heim@h/db?x=geheim",
        ] {
            assert!(!fault(url).to_string().contains("geheim"), "{url}");
        }
    }

    /// The limits of waiting are settings of each session, and the URL may override them.
    #[test]
    fn session_limits_set_by_default_and_overridden_by_url() {
        let of = |url: &str| parse(url).unwrap().hosts[0].get_options().unwrap().to_owned();
        let own = of("postgres://h/db");
        for setting in [
            "lock_timeout=6000",
            "idle_in_transaction_session_timeout=3000",
            "statement_timeout=8000",
            "tcp_keepalives_idle=10",
            "tcp_user_timeout=15000",
        ] {
            assert!(own.contains(&format!("-c {setting}")), "{own}");
        }
        let theirs = of("postgres://h/db?keepalives_idle=30&tcp_user_timeout=9000&options=-c%20lock_timeout%3D1");
        assert!(theirs.contains("-c tcp_keepalives_idle=30") && theirs.contains("-c tcp_user_timeout=9000"));
        assert!(theirs.ends_with("-c lock_timeout=1"), "{theirs}");
        assert!(!of("postgres://h/db?keepalives=0").contains("keepalives"));
        let cluster = Cluster::parse("postgres://h/db", COMMANDS).unwrap();
        assert!(!cluster.hosts[0].get_options().unwrap().contains("statement_timeout"));
    }
}
