//! The tables of the digital report, the same for the command and the page.

use crate::export::Table;
use ngomon_store::{ReportLine, StaffLine};

/// Units and the states of their accounts. For people it has the names of the units, and only units with accounts.
pub fn report_table(lines: &[ReportLine], for_people: bool) -> Table {
    let mut table = if for_people {
        Table::new(&[
            "unit",
            "name",
            "accounts",
            "standardised",
            "pending",
            "refused",
            "held",
            "not_started",
            "exempt",
        ])
    } else {
        Table::new(&[
            "unit",
            "accounts",
            "standardised",
            "pending",
            "refused",
            "held",
            "not_started",
            "exempt",
        ])
    };
    for line in lines.iter().filter(|line| !for_people || line.accounts > 0) {
        let names = [Some(line.unit.clone()), for_people.then(|| line.name.clone())];
        let counts = [
            line.accounts,
            line.standardised,
            line.pending,
            line.refused,
            line.held,
            line.not_started,
            line.exempt,
        ];
        table.push(names.into_iter().flatten().chain(counts.map(|n| n.to_string())));
    }
    table
}

/// The same table for the staff with HR profiles.
pub fn staff_table(lines: &[StaffLine], for_people: bool) -> Table {
    let mut table = if for_people {
        Table::new(&["unit", "name", "staff", "standardised", "not_done"])
    } else {
        Table::new(&["unit", "staff", "standardised", "not_done"])
    };
    for line in lines.iter().filter(|line| !for_people || line.staff > 0) {
        let names = [Some(line.unit.clone()), for_people.then(|| line.name.clone())];
        let counts = [line.staff, line.standardised, line.staff - line.standardised];
        table.push(names.into_iter().flatten().chain(counts.map(|n| n.to_string())));
    }
    table
}
