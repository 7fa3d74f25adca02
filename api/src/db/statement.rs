//! One SQL text with its values. The text is a literal, so that a test can collect and prepare every statement on both engines.

use super::Value;
use sqlx::{Postgres, Sqlite, postgres::PgArguments, query::Query, sqlite::SqliteArguments};

/// Made by [`sql!`](crate::sql) only.
#[derive(Debug)]
pub struct Statement {
    pub text: &'static str,
    values: Vec<Value>,
}

/// `sql!("SELECT name FROM accounts WHERE id = $1", id)`: the count of placeholders is checked against the values while compiling.
#[macro_export]
macro_rules! sql {
    ($text:literal $(, $value:expr)* $(,)?) => {{
        const VALUES: usize = <[()]>::len(&[$($crate::sql!(@unit $value)),*]);
        const { assert!($crate::db::placeholders($text) == VALUES, "placeholders and values differ in number") };
        $crate::db::Statement::new($text, vec![$($crate::db::Parameter::to_value(&$value)),*])
    }};
    (@unit $value:expr) => { () };
}

/// The highest `$n` in the text. A placeholder that is skipped is a bug that both engines answer with an error when preparing.
pub const fn placeholders(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut highest) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b'$' {
            let mut number = 0;
            while at + 1 < bytes.len() && bytes[at + 1].is_ascii_digit() {
                at += 1;
                number = number * 10 + (bytes[at] - b'0') as usize;
            }
            if number > highest {
                highest = number;
            }
        }
        at += 1;
    }
    highest
}

macro_rules! bind_all {
    ($statement:expr) => {
        $statement.values.into_iter().fold(sqlx::query($statement.text), |query, value| match value {
            Value::Int(value) => query.bind(value),
            Value::Bool(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
            Value::Id(value) => query.bind(value),
        })
    };
}

impl Statement {
    pub fn new(text: &'static str, values: Vec<Value>) -> Self {
        Self { text, values }
    }

    pub(super) fn sqlite(self) -> Query<'static, Sqlite, SqliteArguments> {
        bind_all!(self)
    }

    pub(super) fn postgres(self) -> Query<'static, Postgres, PgArguments> {
        bind_all!(self)
    }
}
