//! The report of `ngomon explain`: each fact, decision and hold of an account, and its origin.

use crate::accounts::explain_facts::{citizen_facts, differs, profile_facts, stated_facts};
use crate::boxed;
use crate::context::StoreContext;
use crate::db::columns::day_of;
use crate::db::{SqlValue, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::entry::{ENTRY, read_entry};
use crate::officials::{AccountWithHolds, AffectedKeys, AffectedSet, Facts, coming};
use crate::store::Store;
use crate::tables::accounts::{CLAIMED, STATED, claimed_of, stated_of};
use crate::tables::holds::{ActiveHold, bucket, derived_hold, gate, held_since, ways_out};
use crate::tables::settings::campaign;
use crate::tables::units::followed;
use ngomon_rules::citizens::{ClaimedIdentity, Gate};
use ngomon_rules::event::{Change, Personal};
use ngomon_rules::hold::{Hold, Reason, WayOut};
use ngomon_rules::officials::{Decision, ProfileMatch, decide, retirement, review_due};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use std::collections::BTreeSet;
use std::fmt;

/// Everything that explains why an account is open or held.
#[derive(Clone, Debug)]
pub struct AccountExplanation {
    /// The account.
    pub account: String,
    /// The kind of the account.
    pub kind: AccountKind,
    /// The unit in the account's own row.
    pub unit: String,
    /// The name of the unit that is valid on the day.
    pub unit_name: String,
    /// The name that its owner signs in with.
    pub username: Option<String>,
    /// The day of the explanation.
    pub day: Date,
    /// The last day of its exemption from the form.
    pub exempt_to: Option<Date>,
    /// What the gate requires of a citizen on that day.
    pub gate: Option<Gate>,
    /// The facts that were compared, by name; numbers and phones are masked.
    pub facts: Vec<(&'static str, String)>,
    /// The decision from these facts: the holds that follow from HR's facts, or why there is no decision.
    pub decision: Option<Decision>,
    /// The holds that HR's present facts will add within the warning period, each with the first day on which it counts.
    pub coming: Vec<(Date, Hold)>,
    /// The holds that count on that day.
    pub holds: Vec<ActiveHold>,
    /// If `moved` holds the account: the account with which its owner continues.
    pub moved_to: Option<MovedTo>,
    /// The claim's name or number differs from what the account itself states: it may be the wrong account.
    pub claim_differs: bool,
    /// The history, oldest first. Sign-ins are left out (the last one is a fact): one row a day would hide the rest.
    pub history: Vec<HistoryEntry>,
    /// The cursor of the previous page; `None` if there are no earlier entries.
    pub earlier: Option<HistoryCursor>,
}

/// Entries on one page of a history, so that a page costs the same however much an account did.
const PAGE: usize = 50;

/// A cursor in a history: the page ends before this entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryCursor {
    at: i64,
    ord: i64,
    commit: String,
}

impl HistoryCursor {
    /// Parses the text form of the cursor.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        Some(Self {
            at: parts.next()?.parse().ok()?,
            ord: parts.next()?.parse().ok()?,
            commit: parts.next()?.to_owned(),
        })
    }
}

impl fmt::Display for HistoryCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.at, self.ord, self.commit)
    }
}

/// The part of a history to read.
#[derive(Clone, Copy)]
enum HistoryPart<'a> {
    Whole,
    Newest,
    Before(&'a HistoryCursor),
}

impl<'a> HistoryPart<'a> {
    fn before(before: Option<&'a HistoryCursor>) -> Self {
        before.map_or(Self::Newest, Self::Before)
    }
}

impl AccountExplanation {
    /// The fact of this name.
    pub fn fact(&self, name: &str) -> Option<&str> {
        let found = self.facts.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The account at the new unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedTo {
    /// The account.
    pub account: AccountId,
    /// The name that its owner signs in with.
    pub username: Option<String>,
    /// It has the same password and devices: a proof for one account is a proof for the other.
    pub same_login: bool,
}

/// An entry of the journal about the account.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    /// When it was recorded, in microseconds UTC.
    pub at: i64,
    /// From when it counts, in microseconds UTC.
    pub effective: i64,
    /// The actor.
    pub by: String,
    /// The run.
    pub run: Option<String>,
    /// The clause from which it follows.
    pub clause: Option<String>,
    /// The change.
    pub change: Change,
    /// The reason, as an operator wrote it.
    pub note: Option<String>,
}

impl Store {
    /// Explains an account as of a day, with its whole history.
    #[boxed]
    pub async fn explain(&self, account: &str, day: Date) -> Result<AccountExplanation> {
        self.explained(account, day, true, HistoryPart::Whole).await
    }

    /// As [`Store::explain`], with one page of its history: the newest, or the one before a cursor.
    #[boxed]
    pub async fn explain_page(
        &self,
        account: &str,
        day: Date,
        before: Option<&HistoryCursor>,
    ) -> Result<AccountExplanation> {
        self.explained(account, day, true, HistoryPart::before(before)).await
    }

    /// As [`Store::explain`], with the newest page of its history and without the decision from HR's facts. Reads the rows of one account
    /// only, so the cost does not grow with the number of accounts.
    #[boxed]
    pub async fn account_explanation(&self, account: &str, day: Date) -> Result<AccountExplanation> {
        self.explained(account, day, false, HistoryPart::Newest).await
    }

    /// As [`Store::account_explanation`], with the page of its history before a cursor.
    #[boxed]
    pub async fn story_before(
        &self,
        account: &str,
        day: Date,
        before: Option<&HistoryCursor>,
    ) -> Result<AccountExplanation> {
        self.explained(account, day, false, HistoryPart::before(before)).await
    }

    /// The ways out of the holds of an account today.
    #[boxed]
    pub async fn ways_out(&self, account: &AccountId) -> Result<BTreeSet<WayOut>> {
        let today = self.today();
        self.db
            .read(async |tx| ways_out(tx, account.as_str(), today).await)
            .await
    }

    /// What the gate requires of a citizen today; `None` if the account is not a citizen's.
    #[boxed]
    pub async fn gate(&self, account: &AccountId) -> Result<Option<Gate>> {
        let today = self.today();
        self.db.read(async |tx| gate(tx, account.as_str(), today).await).await
    }

    async fn explained(
        &self,
        account: &str,
        day: Date,
        anew: bool,
        part: HistoryPart<'_>,
    ) -> Result<AccountExplanation> {
        self.db
            .read(async |tx| {
                let sql = format!(
                    "SELECT a.kind, a.unit, a.created_on, a.last_sign_in_on, a.official_to, a.exempt_to, a.claimed, a.last, {STATED} \
                     FROM account a JOIN personal_value v ON v.id = a.value WHERE a.id = $1"
                );
                let row = tx.row(&sql, [account.into()]).await?;
                let row = row.ok_or_else(|| Refusal::UnknownAccount(account.to_owned()))?;
                let kind: String = row.get(0)?;
                let kind = AccountKind::parse(&kind).ok_or_else(|| StoreError::corrupt("account", "no such kind"))?;
                let (unit, stated) = (row.get::<String>(1)?, stated_of(&self.ctx.keys, &row, 8)?);
                let mut facts = stated_facts(&stated);
                for (name, at) in [("created_on", 2), ("last_sign_in_on", 3)] {
                    facts.extend(row.get::<Option<String>>(at)?.map(|day| (name, day)));
                }
                let successors = format!(
                    "SELECT s.account, {STATED} FROM succession s JOIN account a ON a.id = s.account \
                     JOIN personal_value v ON v.id = a.value WHERE s.succeeds = $1 ORDER BY s.account"
                );
                for row in tx.rows(&successors, [account.into()]).await? {
                    facts.push(("successor", row.get(0)?));
                    let username = stated_of(&self.ctx.keys, &row, 1)?.username;
                    facts.extend(username.map(|username| ("successor_username", username)));
                }
                let counting = followed(tx, &UnitCode(unit.clone()), day).await?;
                let unit_name = counting.map(|unit| unit.name).unwrap_or_default();
                let campaign = campaign(tx).await?;
                let mut holds = held_since(tx, account, day, &campaign).await?;
                for held in &mut holds {
                    if let Some(into) = held.joined_into.take() {
                        held.joined_into = Some(username_of(tx, &self.ctx, &into).await?.unwrap_or(into));
                    }
                }
                holds.extend(derived_hold(tx, account, day, &campaign).await?);
                let (mut of_hr, mut gate, mut claim_differs) = (HrFacts::default(), None, false);
                let exempt_to = day_of(&row.get::<String>(5)?)?;
                if anew && kind == AccountKind::Official {
                    let moved = holds.iter().find(|held| held.hold.reason == Reason::Moved);
                    let to = moved.and_then(|held| held.hold.evidence.get("to_unit"));
                    of_hr = self.official(tx, account, day, to, &mut facts).await?;
                }
                if kind == AccountKind::Citizen {
                    let bucket = bucket(&row, 4)?;
                    gate = Some(bucket.gate(&campaign, day));
                    citizen_facts(tx, account, &campaign, &bucket, day, &mut facts).await?;
                    if let Some(claim) = claim_of_account(tx, &self.ctx, account).await? {
                        claim_differs = differs(&stated, &claim);
                        facts.push(("claim_name", claim.full_name.as_str().to_owned()));
                        facts.extend(claim.numbers.first().map(|number| ("claim_number", number.masked())));
                    }
                }
                let (history, earlier) = self.history(tx, account, part).await?;
                Ok(AccountExplanation {
                    account: account.to_owned(),
                    kind,
                    unit,
                    unit_name,
                    username: stated.username,
                    day,
                    exempt_to,
                    gate,
                    facts,
                    decision: of_hr.decision,
                    coming: of_hr.coming,
                    holds,
                    moved_to: of_hr.moved_to,
                    claim_differs,
                    history,
                    earlier,
                })
            })
            .await
    }

    async fn official(
        &self,
        tx: &mut Tx,
        account: &str,
        day: Date,
        moved: Option<&String>,
        out: &mut Vec<(&'static str, String)>,
    ) -> Result<HrFacts> {
        let concerned = AffectedKeys {
            accounts: [AccountId(account.to_owned())].into(),
            ..AffectedKeys::default()
        };
        let people = AffectedSet::closure_of(tx, &concerned).await?;
        let facts = Facts::read(tx, &self.ctx, day, Some(&people)).await?;
        let Some(held) = facts.accounts.iter().find(|held| held.account.id.as_str() == account) else {
            return Ok(HrFacts::default());
        };
        let moved_to = moved.and_then(|to| moved_to(&facts, held, to));
        let case = facts.case(&held.account);
        match facts.directory.find(&held.account, &facts.units, day) {
            ProfileMatch::Profile(kept) => {
                out.extend(profile_facts(&kept.profile, day));
                out.push(("review_due_on", review_due(kept, &facts.policy).to_string()));
                if let Some((born, gender)) = kept.profile.birth_date.zip(kept.profile.gender)
                    && let Some(forecast) = retirement(born, gender)
                {
                    out.push(("retirement_forecast", forecast.last_day.to_string()));
                }
            }
            ProfileMatch::Nothing => out.push(("profile", "none".into())),
            ProfileMatch::Undecided(why) => out.push(("profile", why.name().into())),
        }
        if let Some(notice) = case.notice {
            out.push(("notice", notice.notice_no.clone()));
            out.push(("notice_to_unit", notice.to_unit.to_string()));
            out.push(("notice_effective_on", notice.effective_on.to_string()));
        }
        let decision = decide(&case);
        Ok(HrFacts {
            coming: coming(&facts, &held.account, &decision),
            decision: Some(decision),
            moved_to,
        })
    }

    /// The history without sign-ins. Pages are selected by the time of recording, which has an index; the whole history is in the order
    /// of commits.
    async fn history(
        &self,
        tx: &mut Tx,
        account: &str,
        part: HistoryPart<'_>,
    ) -> Result<(Vec<HistoryEntry>, Option<HistoryCursor>)> {
        let of_account =
            format!("{ENTRY} WHERE j.subject_kind = 'account' AND j.subject = $1 AND j.kind <> 'signed-in'");
        let newest = format!("ORDER BY j.at DESC, j.ord DESC, j.commit_id DESC LIMIT {}", PAGE + 1);
        let mut args: Vec<SqlValue> = vec![account.into()];
        let sql = match part {
            HistoryPart::Whole => format!("{of_account} ORDER BY c.seq, j.ord"),
            HistoryPart::Newest => format!("{of_account} {newest}"),
            HistoryPart::Before(place) => {
                args.extend([place.at.into(), place.ord.into(), (&place.commit).into()]);
                format!("{of_account} AND j.at <= $2 AND (j.at, j.ord, j.commit_id) < ($2, $3, $4) {newest}")
            }
        };
        let (mut history, mut places) = (Vec::new(), Vec::new());
        tx.for_each_row(&sql, args, |row| {
            let read = read_entry(&self.ctx.keys, None, &row)?;
            let note = match read.entry.event.personal {
                Some(Personal::Note { text }) => Some(text),
                _ => None,
            };
            places.push(HistoryCursor {
                at: read.entry.at,
                ord: read.entry.ord,
                commit: read.entry.commit,
            });
            history.push(HistoryEntry {
                at: read.entry.at,
                effective: read.entry.effective,
                by: read.entry.by,
                // A form from a file is identified by its receipt instead.
                run: read.entry.run.filter(|run| !run.starts_with("forms:")),
                clause: read.clause,
                change: read.entry.event.change,
                note,
            });
            Ok(())
        })
        .await?;
        if matches!(part, HistoryPart::Whole) {
            return Ok((history, None));
        }
        let earlier = (history.len() > PAGE).then(|| places.swap_remove(PAGE - 1));
        history.truncate(PAGE);
        history.reverse();
        Ok((history, earlier))
    }
}

/// What follows from HR's facts for an official's account.
#[derive(Default)]
struct HrFacts {
    decision: Option<Decision>,
    coming: Vec<(Date, Hold)>,
    moved_to: Option<MovedTo>,
}

/// The same person's account at the unit that the closed one names: created for the move, or there before.
fn moved_to(facts: &Facts, closed: &AccountWithHolds, to: &str) -> Option<MovedTo> {
    let (units, day) = (&facts.units, facts.day);
    let to = UnitCode(to.to_owned());
    let to = units.follow(&to, day);
    let profile = |held: &AccountWithHolds| match facts.directory.find(&held.account, units, day) {
        ProfileMatch::Profile(kept) => Some(kept.id.clone()),
        ProfileMatch::Nothing | ProfileMatch::Undecided(_) => None,
    };
    let of_person = |held: &&AccountWithHolds| {
        held.account.id != closed.account.id
            && held.account.kind == AccountKind::Official
            && units.follow(&held.account.unit, day) == to
            && (held.login == closed.login || profile(held).is_some_and(|id| profile(closed) == Some(id)))
    };
    // In the order of their ids; an account with the same login comes first.
    let found = facts.accounts.iter().filter(of_person);
    let found = found.min_by_key(|held| held.login != closed.login)?;
    Some(MovedTo {
        account: found.account.id.clone(),
        username: found.account.stated.username.clone(),
        same_login: found.login == closed.login,
    })
}

async fn username_of(tx: &mut Tx, ctx: &StoreContext, account: &str) -> Result<Option<String>> {
    let sql = format!("SELECT {STATED} FROM account a JOIN personal_value v ON v.id = a.value WHERE a.id = $1");
    let row = tx.row(&sql, [account.into()]).await?;
    let stated = row.map(|row| stated_of(&ctx.keys, &row, 0)).transpose()?;
    Ok(stated.and_then(|stated| stated.username))
}

/// The claim in force of an account, with the person.
async fn claim_of_account(tx: &mut Tx, ctx: &StoreContext, account: &str) -> Result<Option<ClaimedIdentity>> {
    let sql = format!(
        "SELECT {CLAIMED} FROM claim c JOIN personal_value w ON w.id = c.value WHERE c.account = $1 AND c.until IS NULL"
    );
    let row = tx.row(&sql, [account.into()]).await?;
    row.map(|row| claimed_of(&ctx.keys, &row, 0)).transpose()
}
