//! The environment of the program: clock and randomness.
//!
//! Nothing else in the workspace reads the machine's clock or its random numbers (`clippy.toml` forbids it). Code that needs one of them
//! receives an [`Environment`], so that a test can fix both and repeat a run exactly.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The present instant (UTC).
    fn now(&self) -> Timestamp;
}

/// A source of random bytes.
pub trait RandomSource: Send + Sync {
    /// Fills all of `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock and the randomness of a run. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub chance: Arc<dyn RandomSource>,
}

impl Environment {
    /// The machine's own clock and randomness.
    pub fn system() -> Self {
        Environment {
            clock: Arc::new(SystemEnvironment),
            chance: Arc::new(SystemEnvironment),
        }
    }

    /// For tests: the clock starts at `at` and advances by one microsecond at each reading; the randomness follows from `seed`.
    pub fn fixed(at: Timestamp, seed: u64) -> Self {
        Environment {
            clock: Arc::new(FixedClock {
                at,
                reads: AtomicI64::new(0),
            }),
            chance: Arc::new(FixedRandom {
                seed,
                fills: AtomicU64::new(0),
            }),
        }
    }

    /// The present instant (UTC).
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new UUID, version 7 (RFC 9562): ids sort by the millisecond of their creation, and in no order within it.
    pub fn uuid(&self) -> Uuid {
        // Version 7 cannot represent a time before 1970: such ids sort first.
        let millis = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// `N` unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.chance.fill(&mut bytes);
        bytes
    }
}

/// Letters and digits that cannot be mistaken for one another.
const LETTERS: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Encodes bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Environment {
    /// `N` unpredictable bytes, in hexadecimal.
    pub fn hex<const N: usize>(&self) -> String {
        hex(&self.bytes::<N>())
    }

    /// `N` unpredictable letters and digits, for people to read and type.
    pub fn letters<const N: usize>(&self) -> String {
        let drawn = self.bytes::<N>();
        drawn
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
            .collect()
    }
}

/// Ends the process at once, after a fault that makes all further work unsafe: the machine has no randomness, or a cipher fails where it
/// cannot fail. Continuing would repeat keys or write values in clear.
pub(crate) fn abort_process(why: &str) -> ! {
    writeln!(std::io::stderr(), "ngomon stops: {why}").ok();
    std::process::abort()
}

struct SystemEnvironment;

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the machine's clock is read"
)]
impl Clock for SystemEnvironment {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the machine's randomness is read"
)]
impl RandomSource for SystemEnvironment {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            abort_process("this machine gives no randomness");
        }
    }
}

struct FixedClock {
    at: Timestamp,
    reads: AtomicI64,
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        let gained = SignedDuration::from_micros(self.reads.fetch_add(1, Ordering::Relaxed));
        self.at.checked_add(gained).unwrap_or(Timestamp::MAX)
    }
}

struct FixedRandom {
    seed: u64,
    fills: AtomicU64,
}

impl RandomSource for FixedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let fill = self.fills.fetch_add(1, Ordering::Relaxed);
        for (block, chunk) in (0_u64..).zip(bytes.chunks_mut(32)) {
            let seed = [self.seed, fill, block].map(u64::to_be_bytes).concat();
            let hash = digest(&SHA256, &seed);
            chunk.copy_from_slice(&hash.as_ref()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    /// A fixed environment repeats exactly, and another seed changes it.
    #[test]
    fn fixed_environment_repeats_for_same_seed() {
        let draw = |environment: &Environment| {
            (
                environment.now(),
                environment.bytes::<100>(),
                environment.uuid(),
                environment.bytes::<100>(),
            )
        };
        let first = draw(&Environment::fixed(noon(), 1));
        assert_eq!(first, draw(&Environment::fixed(noon(), 1)));
        assert_ne!(first.1, Environment::fixed(noon(), 2).bytes::<100>());
        assert_ne!(first.1, first.3, "each draw is new");
        assert_ne!(first.1[..32], first.1[32..64], "each block is new");
    }

    /// A fixed clock gains a microsecond at each reading, also through clones.
    #[test]
    fn fixed_clock_gains_a_microsecond_per_reading() {
        let environment = Environment::fixed(noon(), 1);
        assert_eq!(environment.now(), noon());
        assert_eq!(environment.clone().now().as_microsecond(), noon().as_microsecond() + 1);
        assert_eq!(environment.now().as_microsecond(), noon().as_microsecond() + 2);
        assert_eq!(Environment::fixed(Timestamp::MAX, 1).now(), Timestamp::MAX);
    }

    /// An id is a UUID of version 7 with the millisecond of its creation.
    #[test]
    fn uuid_is_version_7_with_its_timestamp() {
        let environment = Environment::fixed(noon(), 1);
        let (one, two) = (environment.uuid(), environment.uuid());
        assert_ne!(one, two);
        assert_eq!((one.get_version_num(), one.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(
            one.get_timestamp().unwrap().to_unix().0,
            u64::try_from(noon().as_second()).unwrap()
        );
        assert_eq!(
            Environment::fixed("1969-01-01T00:00:00Z".parse().unwrap(), 1)
                .uuid()
                .get_version_num(),
            7
        );
    }

    /// The system environment gives the time and random bytes.
    #[test]
    fn system_environment_gives_time_and_random_bytes() {
        let environment = Environment::system();
        assert!(environment.now() > "2024-01-01T00:00:00Z".parse().unwrap());
        assert_ne!(environment.bytes::<16>(), environment.bytes::<16>());
        assert_ne!(environment.uuid(), environment.uuid());
    }
}
