//! Comparison of a file's rows: exact repetitions, renewals, and rows that contradict each other. Only digests of the rows are kept.

use crate::row::Record;
use aws_lc_rs::digest;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::Profile;
use ngomon_rules::values::{Date, FullName};

/// 16 bytes of a SHA-256: enough to distinguish millions of rows.
type Digest = [u8; 16];

/// The result of comparing a valid row with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The row counts.
    Stands,
    /// A newer row of the same person counts instead.
    Superseded,
    /// The row goes to quarantine.
    Waits(QuarantineReason),
}

/// The data kept of a row.
struct RowDigest {
    row: u32,
    whole: Digest,
    key: Option<Digest>,
    /// For a profile, the person. For a registry row, everything but issue date and phone.
    second: Option<Digest>,
    issued_on: Option<Date>,
    service: Option<Service>,
}

/// Whether the person of a profile is in service on the day that the file describes.
#[derive(Clone, Copy)]
enum Service {
    /// In service since the profile was created, if that day is known.
    Current { created_on: Option<Date> },
    /// Out of service since this day.
    Ended { on: Date },
}

impl Service {
    fn of(profile: &Profile, as_of: Date) -> Self {
        match profile.ends_on().filter(|on| *on <= as_of) {
            Some(on) => Self::Ended { on },
            None => Self::Current {
                created_on: profile.created_on,
            },
        }
    }
}

/// Collects rows, then finds conflicts among them.
#[derive(Default)]
pub(crate) struct ConflictFinder {
    kept: Vec<RowDigest>,
}

impl ConflictFinder {
    /// Adds a row that is valid by itself.
    pub fn add(&mut self, row: u32, record: &Record, as_of: Date) {
        let service = match record {
            Record::Profile(profile) => Some(Service::of(profile, as_of)),
            _ => None,
        };
        let key = |text: Option<&str>| text.map(|text| hash(text.as_bytes()));
        let (whole, key, second, issued_on) = match record {
            Record::Unit(unit) => (json(unit), key(Some(unit.code.as_str())), None, None),
            Record::Registry(r) => {
                let mut rest = (**r).clone();
                rest.full_name = exact(&r.full_name);
                let whole = json(&rest);
                (rest.issued_on, rest.phone) = (None, None);
                (whole, key(Some(r.national_id.as_str())), Some(json(&rest)), r.issued_on)
            }
            Record::Account(a) => {
                let mut same = (**a).clone();
                same.stated.full_name = a.stated.full_name.as_ref().map(exact);
                (json(&same), key(Some(a.account.as_str())), None, None)
            }
            Record::Profile(p) => {
                let mut same = (**p).clone();
                same.full_name = exact(&p.full_name);
                let person = key(p.national_id.as_ref().map(|n| n.as_str()));
                (json(&same), key(p.employee_code.as_deref()), person, None)
            }
            // One decision can move many people, so the number of the notice alone is no key.
            Record::Notice(n) => (json(n), Some(json(&(&n.notice_no, &n.national_id))), None, None),
        };
        self.kept.push(RowDigest {
            row,
            whole,
            key,
            second,
            issued_on,
            service,
        });
    }

    /// The verdicts other than [`Verdict::Stands`], with the number of the row.
    pub fn verdicts(mut self, is_registry: bool) -> Vec<(u32, Verdict)> {
        let mut out = Vec::new();
        self.kept.sort_by_key(|k| (k.whole, k.row));
        let mut last = None;
        self.kept.retain(|k| {
            let again = last == Some(k.whole);
            last = Some(k.whole);
            if again {
                out.push((k.row, Verdict::Waits(QuarantineReason::DuplicateRow)));
            }
            !again
        });
        self.kept.sort_by_key(|k| (k.key, k.row));
        for group in self.kept.chunk_by(|a, b| a.key.is_some() && a.key == b.key) {
            if is_registry && is_renewal(group) {
                let newest = group.iter().map(|k| k.issued_on).max().flatten();
                let older = group.iter().filter(|k| k.issued_on != newest);
                out.extend(older.map(|k| (k.row, Verdict::Superseded)));
            } else {
                disagree(group, &mut out);
            }
        }
        if !is_registry {
            self.kept.sort_by_key(|k| (k.second, k.row));
            for group in self.kept.chunk_by(|a, b| a.second.is_some() && a.second == b.second) {
                disagree(group, &mut out);
            }
        }
        out.sort_by_key(|(row, _)| *row);
        out.dedup_by_key(|(row, _)| *row);
        out
    }
}

/// Decides about rows with one key or one person. If the person was hired again, the ended rows are superseded. Otherwise none of the rows
/// counts.
fn disagree(group: &[RowDigest], out: &mut Vec<(u32, Verdict)>) {
    if let Some(created_on) = hired_again(group) {
        let ended = group
            .iter()
            .filter(|k| matches!(k.service, Some(Service::Ended { on }) if on <= created_on));
        out.extend(ended.map(|k| (k.row, Verdict::Superseded)));
    } else if group.len() > 1 {
        let both = group
            .iter()
            .map(|k| (k.row, Verdict::Waits(QuarantineReason::ConflictingRow)));
        out.extend(both);
    }
}

/// The day on which the person was hired again: exactly one row is in service, and it was created on or after the day on which all others
/// ended.
fn hired_again(group: &[RowDigest]) -> Option<Date> {
    let person = group.first().and_then(|k| k.second)?;
    let mut current = group.iter().filter_map(|k| match k.service {
        Some(Service::Current { created_on }) => Some(created_on),
        _ => None,
    });
    let (Some(Some(created_on)), None) = (current.next(), current.next()) else {
        return None;
    };
    let ended = |k: &RowDigest| match k.service {
        Some(Service::Ended { on }) => on <= created_on && on > Date::MIN,
        Some(Service::Current { .. }) => true,
        None => false,
    };
    let all = group.len() > 1 && group.iter().all(|k| k.second == Some(person) && ended(k));
    all.then_some(created_on)
}

/// Returns whether the rows of one person differ only in the issue date, or in issue date and phone.
fn is_renewal(group: &[RowDigest]) -> bool {
    let mut days: Vec<_> = group.iter().map(|k| k.issued_on).collect();
    days.sort();
    days.dedup();
    days.len() == group.len() && days.iter().all(Option::is_some) && group.iter().all(|k| k.second == group[0].second)
}

fn hash(bytes: &[u8]) -> Digest {
    let mut out = [0; 16];
    out.copy_from_slice(&digest::digest(&digest::SHA256, bytes).as_ref()[..16]);
    out
}

/// The digest of a row's values.
fn json(value: &impl serde::Serialize) -> Digest {
    // A record has only text keys, so serialising it cannot fail.
    hash(&serde_json::to_vec(value).unwrap_or_default())
}

/// A normal form that is equal for two spellings that are exactly the same name.
fn exact(name: &FullName) -> FullName {
    FullName::parse(&name.exact_key()).map_or_else(|| name.clone(), |(name, _)| name)
}
