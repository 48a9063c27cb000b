//! The file of a system's own user ids.

use ngomon_rules::records::AccountId;

/// Parses accounts and a system's own user ids from CSV with the columns `account_id` and `subject`. The error is the number of the wrong
/// row; the heading is row 1.
pub fn subjects(text: &str) -> std::result::Result<Vec<(AccountId, String)>, usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headings = reader.headers().map_err(|_| 1_usize)?;
    if headings != &csv::StringRecord::from(vec!["account_id", "subject"]) {
        return Err(1);
    }
    let mut subjects = Vec::new();
    for (row, record) in (2..).zip(reader.records()) {
        let record = record.map_err(|_| row)?;
        match (record.get(0), record.get(1)) {
            (Some(account), Some(subject)) if !account.is_empty() && !subject.is_empty() => {
                subjects.push((AccountId(account.to_owned()), subject.to_owned()));
            }
            _ => return Err(row),
        }
    }
    Ok(subjects)
}
