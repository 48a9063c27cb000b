//! Values of statements and of their rows.

use crate::error::{Result, StoreError};
use rusqlite::types::{FromSql, Value, ValueRef};
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row as _, Type};

/// An SQL parameter. Instants are microseconds UTC, days are ISO text.
#[derive(Clone, Debug)]
pub enum SqlValue {
    /// `BIGINT`.
    Int(Option<i64>),
    /// `TEXT`.
    Text(Option<String>),
    /// `BLOB`, `BYTEA`.
    Bytes(Option<Vec<u8>>),
}

macro_rules! sql_value_from {
    ($($from:ty => $variant:ident, |$x:ident| $to:expr;)*) => {$(
        impl From<$from> for SqlValue {
            fn from($x: $from) -> Self {
                Self::$variant($to)
            }
        }
    )*};
}

sql_value_from! {
    i64 => Int, |x| Some(x);
    u32 => Int, |x| Some(i64::from(x));
    Option<i64> => Int, |x| x;
    bool => Int, |x| Some(i64::from(x));
    &str => Text, |x| Some(x.to_owned());
    &String => Text, |x| Some(x.clone());
    String => Text, |x| Some(x);
    Option<String> => Text, |x| x;
    Option<&str> => Text, |x| x.map(str::to_owned);
    Vec<u8> => Bytes, |x| Some(x);
    &[u8] => Bytes, |x| Some(x.to_vec());
    Option<Vec<u8>> => Bytes, |x| x;
}

impl<const N: usize> From<[u8; N]> for SqlValue {
    fn from(x: [u8; N]) -> Self {
        Self::Bytes(Some(x.to_vec()))
    }
}

/// A row of a result.
pub enum Row {
    /// From the embedded database.
    Sqlite(Vec<Value>),
    /// From PostgreSQL.
    Postgres(PgRow),
}

/// The types that a column can be read as: `i64`, `String`, `Vec<u8>`, or an option of one.
pub trait Column: FromSql + Type<Postgres> + for<'r> Decode<'r, Postgres> {}

impl<T: FromSql + Type<Postgres> + for<'r> Decode<'r, Postgres>> Column for T {}

impl Row {
    /// The value of column `at`, counted from 0.
    pub fn get<T: Column>(&self, at: usize) -> Result<T> {
        let unreadable = |why: &dyn std::fmt::Display| StoreError::corrupt("a column", why);
        match self {
            Self::Sqlite(values) => {
                let value = values.get(at).map_or(ValueRef::Null, ValueRef::from);
                T::column_result(value).map_err(|error| unreadable(&error))
            }
            Self::Postgres(row) => row.try_get(at).map_err(|error| unreadable(&error)),
        }
    }
}

impl Row {
    /// Borrows the text or the bytes of column `at` without copying them.
    pub(crate) fn look<T>(&self, at: usize, look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T> {
        let unreadable = |why: &dyn std::fmt::Display| StoreError::corrupt("a column", why);
        match self {
            Self::Sqlite(values) => match values.get(at) {
                None | Some(Value::Null) => Ok(look(None)),
                Some(Value::Text(text)) => Ok(look(Some(text.as_bytes()))),
                Some(Value::Blob(bytes)) => Ok(look(Some(bytes))),
                Some(_) => Err(unreadable(&"a number where a text was expected")),
            },
            Self::Postgres(row) => {
                let value = row.try_get_raw(at).map_err(|error| unreadable(&error))?;
                match value.as_bytes() {
                    Ok(bytes) => Ok(look(Some(bytes))),
                    Err(_) => Ok(look(None)),
                }
            }
        }
    }
}
