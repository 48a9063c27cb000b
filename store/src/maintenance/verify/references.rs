//! Check of references: whatever is named must exist (loads, runs, units, personal values).

use crate::db::Tx;
use crate::error::Result;
use crate::maintenance::verify::findings::{Check, Verified};
use crate::tables::units::tree;

/// Queries for references without a target, by id; each must find nothing. Each uses an index or a single scan, never a scan for each row.
const REFERENCES: [(&str, &str); 10] = [
    (
        "a personal value that no entry names",
        "SELECT id FROM personal_value EXCEPT SELECT value FROM journal",
    ),
    (
        "a reference to a load that was not applied",
        "SELECT r.name FROM reference r WHERE NOT EXISTS \
         (SELECT 1 FROM load l WHERE l.id = r.load AND l.name = r.name AND l.state = 'applied')",
    ),
    (
        "a reference to a load that is not the newest",
        "SELECT r.name FROM reference r JOIN load l ON l.id = r.load WHERE EXISTS \
         (SELECT 1 FROM load m JOIN journal j ON j.subject_kind = 'load' AND j.subject = m.id AND j.kind = 'load-applied' \
         JOIN journal i ON i.subject_kind = 'load' AND i.subject = l.id AND i.kind = 'load-applied' \
         WHERE m.name = l.name AND m.state = 'applied' AND j.at > i.at)",
    ),
    (
        "no reference to what was loaded",
        "SELECT DISTINCT l.name FROM load l WHERE l.state = 'applied' AND l.name IN ('units', 'registry', 'notices') \
         AND NOT EXISTS (SELECT 1 FROM reference r WHERE r.name = l.name)",
    ),
    (
        "rows of a load that is not there",
        "SELECT DISTINCT x.load FROM (SELECT load FROM registry UNION SELECT load FROM registry_former UNION SELECT load FROM unit \
         UNION SELECT load FROM notice UNION SELECT load FROM quarantine) x \
         WHERE NOT EXISTS (SELECT 1 FROM load l WHERE l.id = x.load)",
    ),
    (
        // Imported forms have no row in `run`: their id is `forms:` with the digest of their file and the number of its import.
        "an entry of a run that is not there",
        "SELECT DISTINCT j.run FROM journal j WHERE j.run IS NOT NULL AND j.run NOT LIKE 'forms:%' \
         AND NOT EXISTS (SELECT 1 FROM run r WHERE r.id = j.run)",
    ),
    (
        "a run that the journal has otherwise",
        "SELECT r.id FROM run r WHERE (r.state <> 'waiting') <> EXISTS \
         (SELECT 1 FROM journal j WHERE j.subject_kind = 'run' AND j.subject = r.id AND j.kind = 'run-applied') \
         OR (r.state = 'undone') <> EXISTS \
         (SELECT 1 FROM journal j WHERE j.subject_kind = 'run' AND j.subject = r.id AND j.kind = 'run-undone')",
    ),
    (
        "a line of a run that is not there",
        "SELECT DISTINCT l.run FROM run_line l WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.id = l.run)",
    ),
    (
        // A newcomer's line is named after the profile.
        "a line of a run for nobody who is there",
        "SELECT DISTINCT l.account FROM run_line l JOIN run r ON r.id = l.run WHERE r.state <> 'waiting' \
         AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.subject_kind = 'account' AND j.subject = l.account) \
         AND NOT (l.account LIKE 'profile:%' AND EXISTS \
         (SELECT 1 FROM journal j WHERE j.subject_kind = 'profile' AND j.subject = SUBSTR(l.account, 9)))",
    ),
    (
        "a former number of nobody",
        "SELECT DISTINCT f.load FROM registry_former f WHERE NOT EXISTS \
         (SELECT 1 FROM registry r WHERE r.load = f.load AND r.number_fp = f.number_fp)",
    ),
];

pub(crate) async fn references(tx: &mut Tx, found: &mut Verified) -> Result<()> {
    for (what, sql) in REFERENCES {
        found.saw(Check::References, 1);
        for row in tx.rows(&format!("{sql} ORDER BY 1 LIMIT 20"), []).await? {
            found.fault(Check::References, format!("{what}: {}", row.get::<String>(0)?));
        }
    }
    found.saw(Check::References, 1);
    if let Err(error) = tree(tx).await {
        found.fault(Check::References, format!("the unit tree: {error}"));
    }
    units(tx, found).await
}

/// Checks that a unit's code equals the one in its body.
async fn units(tx: &mut Tx, found: &mut Verified) -> Result<()> {
    let sql =
        "SELECT u.code, u.body FROM unit u JOIN reference r ON r.name = 'units' AND r.load = u.load ORDER BY u.code";
    for row in tx.rows(sql, []).await? {
        let (code, body): (String, String) = (row.get(0)?, row.get(1)?);
        let stated = serde_json::from_str::<ngomon_rules::unit::Unit>(&body).ok();
        found.saw(Check::References, 1);
        if stated.is_none_or(|unit| unit.code.as_str() != code) {
            found.fault(Check::References, format!("unit {code} is not what its row says"));
        }
    }
    Ok(())
}
