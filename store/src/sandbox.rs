//! The sandbox: an installation for made-up people only. It shows its messages on a page, and simulates the registry as a tester sets it.
//! An installation becomes a sandbox before it has any account, and stays one: real people's codes are never shown on a page.

use crate::boxed;
use crate::context::Attribution;
use crate::error::{Refusal, Result};
use crate::store::Store;
use crate::tables::references::record_of;
use crate::tables::settings::vouched;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, Subject};
use ngomon_rules::records::RegistryRecord;
use ngomon_rules::values::NationalId;

const SETTING: &str = "installation.sandbox";

impl Store {
    /// Turns an empty installation into a sandbox.
    #[boxed]
    pub async fn begin_sandbox(&self, by: &str) -> Result<()> {
        let (ctx, act) = (self.ctx.clone(), Attribution::new(by, self.now()));
        self.db
            .transaction(move |tx| {
                let (ctx, act) = (ctx.clone(), act.clone());
                Box::pin(async move {
                    if tx.row("SELECT 1 FROM account_row LIMIT 1", []).await?.is_some() {
                        return Err(Refusal::PeopleHere.into());
                    }
                    let change = Change::SettingChanged {
                        from: "off".into(),
                        to: "on".into(),
                    };
                    let event = Event {
                        subject: Subject::Setting(SETTING.into()),
                        change,
                        personal: None,
                    };
                    append(tx, &ctx, &act, vec![event]).await
                })
            })
            .await
    }

    /// Whether the installation is a sandbox.
    #[boxed]
    pub async fn is_sandbox(&self) -> Result<bool> {
        // Read from the journal, under the current keys: a setting that an attacker wrote into the table must not reveal codes.
        let set = self
            .db
            .query(async |tx| vouched(tx, &self.ctx.keys, SETTING).await)
            .await?;
        Ok(set.as_deref() == Some("on"))
    }

    /// The people of the registry as last loaded, by number.
    #[boxed]
    pub async fn sandbox_people(&self, most: u32) -> Result<Vec<RegistryRecord>> {
        self.db
            .read(async |tx| {
                let mut people = Vec::new();
                let sql = "SELECT g.load, g.number_fp, g.sealed FROM reference r JOIN registry g ON g.load = r.load \
                     WHERE r.name = 'registry' ORDER BY g.number_fp LIMIT $1";
                for row in tx.rows(sql, [most.into()]).await? {
                    let (load, fp): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
                    people.push(record_of(&self.ctx.keys, &load, &fp, &row.get::<Vec<u8>>(2)?)?);
                }
                people.sort_by_key(|record| record.national_id);
                Ok(people)
            })
            .await
    }

    /// The behaviour of the simulated registry for this number, by its name; `None` for the default.
    #[boxed]
    pub async fn sandbox_registry_behaviour(&self, number: NationalId) -> Result<Option<String>> {
        let key = self.mood_key(number);
        let sql = "SELECT mood FROM sandbox_mood WHERE number = $1";
        let row = self.db.query(async |tx| tx.row(sql, [key.into()]).await).await?;
        row.map(|row| row.get(0)).transpose()
    }

    /// Sets the behaviour of the simulated registry for this number.
    #[boxed]
    pub async fn set_sandbox_mood(&self, number: NationalId, mood: &str) -> Result<()> {
        let (key, mood) = (self.mood_key(number), mood.to_owned());
        self.db
            .transaction(move |tx| {
                let mood = mood.clone();
                Box::pin(async move {
                    let sql = "INSERT INTO sandbox_mood (number, mood) VALUES ($1,$2) \
                         ON CONFLICT (number) DO UPDATE SET mood = excluded.mood";
                    tx.execute(sql, [key.into(), mood.into()]).await.map(drop)
                })
            })
            .await
    }

    fn mood_key(&self, number: NationalId) -> [u8; 32] {
        self.ctx.keys.mac(&[b"sandbox", number.as_str().as_bytes()])
    }
}
