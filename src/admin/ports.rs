//! The outside of the admin API: the store as it is written, not as an isolate remembers it.

use serde_json::Value;

use crate::admin::Act;
use crate::admin::caller::Admin;
use crate::credential::api_key::KeyRecord;
use crate::facts::Facts;
use crate::limit::ask::Objects;
use crate::object::ObjectName;
use crate::policy::fault::PolicyFault;
use crate::policy::gate::{Gate, Origin};
use crate::ports::PortDown;
use crate::revocation::Marks;

/// Some of the records, and where the next begin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordPage {
    pub records: Vec<KeyRecord>,
    pub cursor: Option<String>,
}

#[allow(
    async_fn_in_trait,
    reason = "one isolate, one thread: no future is ever sent"
)]
pub trait AdminPorts: Objects {
    /// The record of a key; `None` if there is none, or none that reads.
    async fn record(&self, id: &str) -> Result<Option<KeyRecord>, PortDown>;
    async fn put_record(&self, record: &KeyRecord) -> Result<(), PortDown>;
    /// At most `limit` records, in the order of their ids.
    async fn records(&self, cursor: Option<&str>, limit: u32) -> Result<RecordPage, PortDown>;
    /// Writes the store's copy of an object's marks.
    async fn put_marks(&self, object: &ObjectName, marks: &Marks) -> Result<(), PortDown>;
    /// Random bytes; fails rather than giving others.
    fn random(&self, bytes: &mut [u8]) -> Result<(), PortDown>;
    /// What would become of a policy, with the secrets that are bound here.
    fn load(&self, text: &[u8]) -> Result<Gate, Vec<PolicyFault>>;
    /// Writes the audit line of a change.
    fn audit(&self, act: &Act, admin: &Admin, facts: &Facts);
    /// The newest policy that did not load, as `{at, faults}`; null if there is none.
    fn refused_policy(&self) -> Value;
    /// What this isolate knows of an origin.
    fn told_origin(&self, origin: &Origin) -> Value;
}
