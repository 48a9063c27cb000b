//! The reader of `submissions.csv`: standardisation forms taken at a counter, in order.

use crate::error::FileError;
use crate::source::Source;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use ngomon_rules::records::{AccountId, Form, Submission};
use ngomon_rules::values::strip_invisible;
use std::path::Path;

const COLUMNS: [&str; 7] = [
    "seq",
    "account_id",
    "full_name",
    "national_id",
    "issued_on",
    "phone",
    "submitted_at",
];

/// Reads all forms. A form without a number or account, or with an invalid time, refuses the whole file, because forms are entered in
/// order.
pub fn submissions(path: &Path) -> Result<Vec<Submission>, FileError> {
    submissions_of(path).map(|(forms, _)| forms)
}

/// Reads all forms, with the SHA-256 of the file in hexadecimal.
pub fn submissions_of(path: &Path) -> Result<(Vec<Submission>, String), FileError> {
    let mut source = Source::open(path)?;
    let places = source.places("submissions", &COLUMNS, &[])?;
    let mut forms = Vec::new();
    while let Some(cells) = source.next()? {
        let bad = |column| FileError::BadSubmission {
            path: path.to_owned(),
            row: cells.row,
            column,
        };
        let mut texts = [""; 7];
        for (text, (_, at)) in texts.iter_mut().zip(&places) {
            *text = at.map(|at| cells.get(at)).transpose()?.unwrap_or_default();
        }
        let [seq, account, full_name, national_id, issued_on, phone, submitted_at] = texts;
        for (text, column) in [(seq, "seq"), (account, "account_id")] {
            if text.is_empty() {
                return Err(bad(column));
            }
        }
        let submitted_at = match submitted_at {
            "" => None,
            text => Some(instant(text).ok_or_else(|| bad("submitted_at"))?),
        };
        forms.push(Submission {
            seq: seq.to_owned(),
            account: AccountId(strip_invisible(account)),
            form: Form {
                full_name: full_name.to_owned(),
                national_id: national_id.to_owned(),
                issued_on: issued_on.to_owned(),
                phone: phone.to_owned(),
            },
            submitted_at,
            notice: None,
        });
    }
    let digest = source.finish()?;
    Ok((forms, digest))
}

/// Parses an instant with its offset (RFC 3339). Without an offset it is Vietnam's time.
fn instant(text: &str) -> Option<Timestamp> {
    let local = |at: DateTime| Offset::constant(7).to_timestamp(at).ok();
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(local))
}
