//! The open connections, and who has to make room for another.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Timeouts, and limits on connections.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Timeout for the head of a request, also for the next one on the same connection.
    pub head: Duration,
    /// The same for a trusted proxy, which keeps connections open for its next client.
    pub head_of_proxy: Duration,
    /// Timeout for the body of a request.
    pub body: Duration,
    /// Timeout for a client that reads nothing of its response.
    pub write: Duration,
    /// Time for requests in progress after a stop signal.
    pub stop: Duration,
    /// The most connections in all; half of them from one address (for IPv6, a /64).
    pub connections: usize,
    /// The most connections from one address once half of all are taken.
    pub when_crowded: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            head_of_proxy: Duration::from_secs(90),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            stop: Duration::from_secs(10),
            connections: descriptors().saturating_sub(OWN_DESCRIPTORS).clamp(64, 10_000),
            when_crowded: 16,
        }
    }
}

/// File descriptors reserved for the program itself: the database, deliveries to clients.
const OWN_DESCRIPTORS: usize = 256;

/// The limit of open files and connections of this process.
fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit
        .current
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(usize::MAX)
}

/// The open connections, and the counts of refused and closed ones.
#[derive(Debug, Default)]
pub struct Connections {
    inside: Mutex<HashMap<IpAddr, BTreeMap<u64, Arc<ConnectionState>>>>,
    seats: AtomicU64,
    refused: AtomicU64,
    /// Connections closed because nothing came.
    pub silent: AtomicU64,
}

/// An open connection.
#[derive(Debug, Default)]
pub struct ConnectionState {
    /// Requests in progress.
    answers: AtomicUsize,
    /// Notified when its place is needed for another connection.
    pub leave: Notify,
}

/// The place of a connection, freed on drop.
pub struct ConnectionPermit {
    /// All connections.
    pub room: Arc<Connections>,
    address: IpAddr,
    number: u64,
    /// This connection.
    pub seat: Arc<ConnectionState>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut inside = self.room.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = inside.get_mut(&self.address) {
            seats.remove(&self.number);
            if seats.is_empty() {
                inside.remove(&self.address);
            }
        }
    }
}

/// Closes the oldest connection without a request in progress. Returns whether there was one.
fn make_room(seats: &mut BTreeMap<u64, Arc<ConnectionState>>) -> bool {
    let mut silent = seats
        .iter()
        .filter(|(_, seat)| seat.answers.load(Ordering::Relaxed) == 0);
    let Some(number) = silent.next().map(|(number, _)| *number) else {
        return false;
    };
    if let Some(seat) = seats.remove(&number) {
        seat.leave.notify_one();
    }
    true
}

impl Connections {
    /// Admits a connection. At the limit of its address, it replaces an idle connection of the same address; at the total limit, an idle
    /// one of the address with the most connections.
    pub fn enter(self: &Arc<Self>, address: IpAddr, is_proxy: bool, bounds: &Bounds) -> Option<ConnectionPermit> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let half = bounds.connections / 2;
        let all: usize = inside.values().map(BTreeMap::len).sum();
        let most = if all >= half { bounds.when_crowded } else { half };
        let own = inside.entry(address).or_default();
        // A proxy's connections belong to its clients, whose addresses are counted at the sign-in.
        let mut has_room = is_proxy || own.len() < most;
        let mut gone = false;
        if !has_room {
            gone = make_room(own);
            has_room = gone;
        }
        if has_room && !gone && all >= bounds.connections {
            let crowd = inside.values_mut().max_by_key(|seats| seats.len());
            gone = crowd.is_some_and(make_room);
            has_room = gone;
        }
        self.silent.fetch_add(u64::from(gone), Ordering::Relaxed);
        if !has_room {
            self.refused.fetch_add(1, Ordering::Relaxed);
            if inside.get(&address).is_some_and(BTreeMap::is_empty) {
                inside.remove(&address);
            }
            return None;
        }
        let number = self.seats.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(ConnectionState::default());
        inside.entry(address).or_default().insert(number, seat.clone());
        Some(ConnectionPermit {
            room: self.clone(),
            address,
            number,
            seat,
        })
    }

    /// The text for the log about connections refused or closed since the last call, if there were any.
    pub fn told(&self) -> Option<String> {
        let [refused, silent] = [&self.refused, &self.silent].map(|n| n.swap(0, Ordering::Relaxed));
        (refused + silent > 0)
            .then(|| format!("connections: {refused} were one too many, {silent} were closed since nothing came"))
    }
}

/// A request in progress, until the response is sent completely.
pub struct Answering(Arc<ConnectionState>);

impl Answering {
    /// Counts a request of that connection.
    pub fn new(seat: &Arc<ConnectionState>) -> Self {
        seat.answers.fetch_add(1, Ordering::Relaxed);
        Self(seat.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address may have half of the connections, and only a few once the server is full.
    #[test]
    fn connections_per_address_limited_when_full() {
        let bounds = Bounds {
            connections: 20,
            when_crowded: 2,
            ..Bounds::default()
        };
        let room = Arc::new(Connections::default());
        let enter = |last: u8, is_proxy| room.enter(IpAddr::from([192, 0, 2, last]), is_proxy, &bounds);
        let busy = |place: Option<ConnectionPermit>| place.map(|place| (Answering::new(&place.seat), place));
        let one: Vec<_> = (0..30).map_while(|_| busy(enter(1, false))).collect();
        assert_eq!(one.len(), 10, "all of them are being answered");
        let others: Vec<_> = (2..9)
            .flat_map(|last| (0..3).filter_map(move |_| busy(enter(last, false))))
            .collect();
        assert_eq!(others.len(), 10, "until it is full");
        assert!(enter(9, false).is_none() && enter(9, true).is_none());
        let told = room.told().unwrap();
        assert!(
            told.contains(" were one too many") && told.contains(" 0 were closed"),
            "{told}"
        );
        assert!(room.told().is_none());
        // As soon as one is idle, another is admitted; a trusted proxy has no limit.
        let mut one = one;
        let (answering, _silent) = one.remove(0);
        drop(answering);
        let proxy = enter(10, true).unwrap();
        assert!(room.told().is_some());
        drop((proxy, others));
        let many: Vec<_> = (0..9).map_while(|_| enter(10, true)).collect();
        assert_eq!(many.len(), 9);
    }
}
