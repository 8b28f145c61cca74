//! Whether an object's storage has a table: one that holds nothing has none, and costs nothing.

use worker::{SqlStorage, SqlStorageValue};

/// Whether there is a table of this name. Where that cannot be told there is: then the next question
/// fails, and grants nothing, rather than finding nothing.
pub(super) fn exists(sql: &SqlStorage, name: &str) -> bool {
    let query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?";
    let found = sql.exec(query, vec![name.into()]);
    let row = found.ok().and_then(|found| found.raw().next()?.ok());
    match row.and_then(|row| row.into_iter().next()) {
        Some(SqlStorageValue::Integer(count)) => count > 0,
        _ => true,
    }
}
