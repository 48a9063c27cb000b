//! The queue for password hashing, and the duration of a failed attempt. Neither reveals whether a user name exists, and strangers cannot
//! exhaust them.
//!
//! ```text
//!   a stranger ── two at once per address ─────────────────┬─ one at once per name ─────┐
//!                  └─ again at this name: one at once ─────┘  (each a slot of one time) ├── a processor
//!   a known browser ── one at once per browser ─────────────────────────────────────────┘
//! ```
//!
//! With more than one processor, strangers never occupy all of them, so a known browser waits for one hash at most. Of the callers that
//! retry a name, one stands in the queue before that name, however many addresses they have: the name's owner in a new browser waits for
//! that one, and for first attempts at the name at the same moment.

use crate::security::password::verify::{NOBODY, verify};
use crate::security::password::work::{DEAREST, OURS};
use ngomon_rules::values::username_key;
use ngomon_store::Requester;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, Sleep};

/// At most this many passwords are hashed at once, whatever the number of processors: each takes 19 MiB, and the other processors serve
/// requests.
const MOST_AT_ONCE: usize = 4;

/// The shortest duration of a failed attempt.
const NO_SOONER: Duration = Duration::from_millis(400);
/// The longest slot, however expensive the hashes of other systems are: otherwise two callers would wait too long for each other.
const LONGEST_SLOT: Duration = Duration::from_secs(2);

struct Turns {
    processors: Semaphore,
    strangers: Semaphore,
    addresses: Stripes,
    names: Stripes,
    /// Entered before `names` by callers that recently failed at that name.
    retries: Stripes,
    browsers: Stripes,
}

static TURNS: LazyLock<Turns> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
    Turns {
        processors: Semaphore::new(processors),
        strangers: Semaphore::new((processors - 1).max(1)),
        addresses: Stripes::new(2),
        names: Stripes::new(1),
        retries: Stripes::new(1),
        browsers: Stripes::new(1),
    }
});

/// A lock per key; a few keys share one, unpredictably.
struct Stripes {
    hasher: RandomState,
    lanes: Vec<Semaphore>,
}

impl Stripes {
    const LANES: usize = 4_096;

    fn new(at_once: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            lanes: (0..Self::LANES).map(|_| Semaphore::new(at_once)).collect(),
        }
    }

    async fn enter(&'static self, key: &str) -> Option<SemaphorePermit<'static>> {
        let at = usize::try_from(self.hasher.hash_one(key) % Self::LANES as u64).ok()?;
        self.lanes.get(at)?.acquire().await.ok()
    }
}
/// The measured time of our own hash.
#[allow(
    clippy::disallowed_methods,
    reason = "how long a hash takes decides nothing but a waiting time"
)]
static OURS_HERE: LazyLock<Duration> = LazyLock::new(|| {
    // The minimum of several measurements: other load on the machine would distort the rest.
    let once = || {
        let begun = Instant::now();
        verify("", NOBODY);
        begun.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap_or(NO_SOONER)
});

/// The time of the most expensive stored hash and our own, with a margin: every failed attempt takes that long, whatever hash is stored for
/// the name.
#[allow(clippy::cast_precision_loss, reason = "a waiting time")]
fn slot() -> Duration {
    let times = (OURS + DEAREST.load(Ordering::Relaxed)) as f64 / OURS as f64;
    OURS_HERE.mul_f64(times * 1.25).min(LONGEST_SLOT)
}

/// The minimum delay of a response, started with the request, as a defence against timing: the hashes of other systems cost more or less
/// than ours, an unknown name has none of them, and sending a code costs more than sending none. The time must not reveal whether the
/// account exists.
pub fn with_minimum_delay() -> Sleep {
    after(NO_SOONER.max(slot()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no condition: the time itself must not tell"
)]
fn after(time: Duration) -> Sleep {
    tokio::time::sleep(time)
}

/// A caller's turn to attempt a name.
pub struct Lane {
    stranger: bool,
    slot: Sleep,
    _held: [Option<SemaphorePermit<'static>>; 3],
}

impl Lane {
    /// Waits for the caller's turn at that name. `again` means that the caller recently failed there.
    pub async fn enter(who: &Requester, name: &str, again: bool) -> Self {
        let (turns, name) = (&*TURNS, &*username_key(name));
        let (stranger, held) = match who {
            Requester::Stranger(address) => {
                let address = turns.addresses.enter(address).await;
                let retry = if again { turns.retries.enter(name).await } else { None };
                (true, [address, retry, turns.names.enter(name).await])
            }
            Requester::Browser(browser) => (false, [turns.browsers.enter(browser).await, None, None]),
            Requester::Session(account) => (false, [turns.browsers.enter(account.as_str()).await, None, None]),
        };
        Self {
            stranger,
            slot: after(slot()),
            _held: held,
        }
    }

    /// Runs the hashing of this turn.
    pub async fn hash<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _one = if self.stranger {
            Some(TURNS.strangers.acquire().await.ok()?)
        } else {
            None
        };
        on_a_processor(work).await
    }

    /// The attempt failed: the turn lasts until its slot is over, whatever was hashed.
    pub async fn wrong(self) {
        self.slot.await;
    }
}

/// Runs the work on the hashing threads, in its turn, while other requests go on. `None` if it panicked.
pub async fn on_hash_pool<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    on_a_processor(work).await
}

async fn on_a_processor<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = TURNS.processors.acquire().await.ok()?;
    // The permit is released with the work, even if the caller was cancelled meanwhile.
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.ok()
}

/// Whether no password is being hashed now.
pub fn at_rest() -> bool {
    let all = available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
    TURNS.processors.available_permits() == all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::password::note_work;
    use crate::security::password::verify::{fits_evenly, hashed};
    use std::sync::{Arc, Mutex};

    fn stranger(n: u8) -> Requester {
        Requester::Stranger(format!("192.0.2.{n}"))
    }

    /// Many attempts at one name at once, from many addresses: each takes a slot, whatever was hashed in it, so their total time reveals
    /// nothing.
    #[tokio::test(flavor = "multi_thread")]
    async fn failed_attempts_at_one_name_take_one_slot_each() {
        let ssha = "{SSHA}AAAAAAAAAAAAAAAAAAAAAAAAAABzYWx0";
        for (name, hash) in [("nobody at all", NOBODY), ("somebody of before", ssha)] {
            note_work(OURS, 1);
            let slots = after(slot() * 5);
            let tries = (0..6).map(|n| async move {
                let lane = Lane::enter(&stranger(n), name, false).await;
                assert_eq!(lane.hash(move || fits_evenly("x", hash)).await, Some(false));
                lane.wrong().await;
            });
            let all = futures_util::future::join_all(tries);
            let (mut slots, mut all) = (std::pin::pin!(slots), std::pin::pin!(all));
            tokio::select! {
                biased;
                () = &mut slots => drop(all.await),
                _ = &mut all => panic!("{name}: sooner"),
            }
        }
    }

    /// Strangers who wait at a name, or take all that strangers may have, do not delay a known browser.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_known_browser_does_not_wait_for_strangers() {
        let held = Lane::enter(&stranger(101), "a name of its own", false).await;
        let address = (
            Lane::enter(&stranger(102), "one", false).await,
            Lane::enter(&stranger(102), "two", false).await,
        );
        let known = Lane::enter(&Requester::Browser("known".into()), "a name of its own", false).await;
        let hash = known.hash(|| hashed("x", &[1; 16])).await;
        assert!(hash.flatten().is_some());
        drop((held, address));
    }

    /// However many addresses retry a name, its owner in a new browser waits for one of them.
    #[tokio::test]
    async fn first_attempt_at_name_precedes_repeated_attempts() {
        let (held, order) = (
            Lane::enter(&stranger(200), "tried by many", false).await,
            Arc::default(),
        );
        let enters = |n, again| {
            let order: Arc<Mutex<Vec<u8>>> = Arc::clone(&order);
            tokio::spawn(async move {
                let lane = Lane::enter(&stranger(n), "tried by many", again).await;
                order.lock().unwrap().push(n);
                drop(lane);
            })
        };
        let mut all: Vec<_> = (201..=205).map(|n| enters(n, true)).collect();
        // On a single thread, each of them is waiting by then.
        tokio::task::yield_now().await;
        all.push(enters(206, false));
        tokio::task::yield_now().await;
        drop(held);
        futures_util::future::try_join_all(all).await.unwrap();
        assert_eq!(order.lock().unwrap()[..2], [201, 206]);
    }

    /// A caller that is cancelled or succeeds makes room for the next.
    #[tokio::test(flavor = "multi_thread")]
    async fn finished_or_cancelled_attempt_frees_its_place() {
        for n in 0..50 {
            let lane = Lane::enter(&stranger(n), "the office at eight o'clock", false).await;
            drop(lane);
        }
    }
}
