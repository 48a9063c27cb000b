//! Whose turn it is to have a password hashed, and how long a wrong answer takes: neither tells anything of the name, nor can a stranger use
//! it up.
//!
//! ```text
//!   a stranger ── two at once of one address ──────────────┬─ one at once of one name ──┐
//!                  └─ again at this name: one at once of it ┘  (each a slot of one time) ├── a processor
//!   a known browser ── one at once of it ────────────────────────────────────────────────┘
//! ```
//!
//! Strangers never have all processors, so who is known waits for one hash at most. Of those who try a name again, one stands in the queue
//! before it, however many addresses they have: its owner in a new browser waits for that one, and for whoever tries it first just then.

use super::{NOBODY, fits};
use ngomon_rules::values::username_key;
use ngomon_store::Who;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, Sleep};

/// No more passwords than that are hashed at once, however many processors there are: each keeps 19 MiB, and the others answer.
const MOST_AT_ONCE: usize = 4;

/// A wrong answer comes no sooner.
const NO_SOONER: Duration = Duration::from_millis(400);
/// However dear the hashes of other systems are, a slot is no longer: two would wait for each other too long.
const LONGEST_SLOT: Duration = Duration::from_secs(2);
/// What our own hash is thought to cost, in microseconds.
const OURS: u64 = 38_912;

struct Turns {
    processors: Semaphore,
    strangers: Semaphore,
    addresses: Stripes,
    names: Stripes,
    /// Before `names`, for whoever was wrong at that name lately.
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

/// A lane for each key; a few keys share one, which nobody can foretell.
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

/// The dearest hash of another system that this installation was seen to have, in microseconds of work, and how long our own takes here.
static DEAREST: AtomicU64 = AtomicU64::new(0);
#[allow(
    clippy::disallowed_methods,
    reason = "how long a hash takes decides nothing but a waiting time"
)]
static OURS_HERE: LazyLock<Duration> = LazyLock::new(|| {
    // The least of some: what else the machine does then is not the hash's.
    let once = || {
        let begun = Instant::now();
        fits("", NOBODY);
        begun.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap_or(NO_SOONER)
});

/// A hash of so much work is kept here, and is tried so often by one password. Ours is, too, beside it.
pub fn note_work(micros: u64, tries: usize) {
    let tries = u64::try_from(tries).unwrap_or(1).max(1);
    DEAREST.fetch_max(micros * tries + OURS * (tries - 1), Ordering::Relaxed);
}

/// As long as the dearest hash that is kept here takes, with ours and some more: whatever is kept for a name, a wrong try takes that long.
#[allow(clippy::cast_precision_loss, reason = "a waiting time")]
fn slot() -> Duration {
    let times = (OURS + DEAREST.load(Ordering::Relaxed)) as f64 / OURS as f64;
    OURS_HERE.mul_f64(times * 1.25).min(LONGEST_SLOT)
}

/// Begun with a request, over when it may be answered: hashes taken over from elsewhere cost more or less than ours, nobody's is none of
/// them, and sending a code costs more than sending none. The time must not tell whether there is such an account.
pub fn no_sooner() -> Sleep {
    after(NO_SOONER.max(slot()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no condition: the time itself must not tell"
)]
fn after(time: Duration) -> Sleep {
    tokio::time::sleep(time)
}

/// Somebody's turn to try a name.
pub struct Lane {
    stranger: bool,
    slot: Sleep,
    _held: [Option<SemaphorePermit<'static>>; 3],
}

impl Lane {
    /// Waits for the turn of whoever that is, at that name. `again`: they were wrong there lately.
    pub async fn enter(who: &Who, name: &str, again: bool) -> Self {
        let (turns, name) = (&*TURNS, &*username_key(name));
        let (stranger, held) = match who {
            Who::Stranger(address) => {
                let address = turns.addresses.enter(address).await;
                let retry = if again { turns.retries.enter(name).await } else { None };
                (true, [address, retry, turns.names.enter(name).await])
            }
            Who::Browser(browser) => (false, [turns.browsers.enter(browser).await, None, None]),
            Who::Session(account) => (false, [turns.browsers.enter(account.as_str()).await, None, None]),
        };
        Self {
            stranger,
            slot: after(slot()),
            _held: held,
        }
    }

    /// Does the hashing of this turn.
    pub async fn hash<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _one = if self.stranger {
            Some(TURNS.strangers.acquire().await.ok()?)
        } else {
            None
        };
        on_a_processor(work).await
    }

    /// The try was wrong: the turn goes on until its time is over, whatever was hashed.
    pub async fn wrong(self) {
        self.slot.await;
    }
}

/// Does such work beside the other requests, in its turn. `None`: it panicked.
pub async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    on_a_processor(work).await
}

async fn on_a_processor<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = TURNS.processors.acquire().await.ok()?;
    // The turn ends with the work, also when whoever asked has gone away meanwhile.
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.ok()
}

/// Nobody has a password hashed just now.
pub fn at_rest() -> bool {
    let all = available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
    TURNS.processors.available_permits() == all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::{fits_evenly, hashed};
    use std::sync::{Arc, Mutex};

    fn stranger(n: u8) -> Who {
        Who::Stranger(format!("192.0.2.{n}"))
    }

    /// Many tries at one name at once, from many addresses: each takes a slot, whatever was hashed in it, so the time of all of them tells nothing.
    #[tokio::test(flavor = "multi_thread")]
    async fn wrong_tries_at_one_name_take_a_slot_each() {
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

    /// Strangers who wait at a name, or have all that strangers may have, do not keep a known browser waiting.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_known_browser_does_not_wait_for_strangers() {
        let held = Lane::enter(&stranger(101), "a name of its own", false).await;
        let address = (
            Lane::enter(&stranger(102), "one", false).await,
            Lane::enter(&stranger(102), "two", false).await,
        );
        let known = Lane::enter(&Who::Browser("known".into()), "a name of its own", false).await;
        let hash = known.hash(|| hashed("x", &[1; 16])).await;
        assert!(hash.flatten().is_some());
        drop((held, address));
    }

    /// However many addresses try a name again and again, its owner in a new browser waits for one of them.
    #[tokio::test]
    async fn who_tries_a_name_first_goes_before_those_who_try_it_again() {
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
        // On one thread, each of them waits by then.
        tokio::task::yield_now().await;
        all.push(enters(206, false));
        tokio::task::yield_now().await;
        drop(held);
        futures_util::future::try_join_all(all).await.unwrap();
        assert_eq!(order.lock().unwrap()[..2], [201, 206]);
    }

    /// Whoever goes away while waiting, or is right, makes room for the next.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_is_right_holds_up_nobody() {
        for n in 0..50 {
            let lane = Lane::enter(&stranger(n), "the office at eight o'clock", false).await;
            drop(lane);
        }
    }
}
