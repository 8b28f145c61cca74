//! The admin API without its entrance: a desk over fakes, and what it wrote.

use std::cell::RefCell;
use std::collections::HashMap;

use edgeward::admin::caller::Admin;
use edgeward::admin::command::Command;
use edgeward::admin::ports::{AdminPorts, RecordPage};
use edgeward::admin::{Act, Desk, Done, perform};
use edgeward::credential::api_key::KeyRecord;
use edgeward::facts::Facts;
use edgeward::limit::ask::{ObjectDown, Objects};
use edgeward::limit::errand::Errand;
use edgeward::limit::memory::LimitMemory;
use edgeward::limit::wire::{Answer, Question};
use edgeward::object::ObjectName;
use edgeward::policy::fault::PolicyFault;
use edgeward::policy::gate::{Gate, Origin};
use edgeward::ports::PortDown;
use edgeward::refusal::Refusal;
use edgeward::revocation::Marks;
use serde_json::Value;

use crate::support::{FakePorts, request, run};

#[derive(Default)]
pub(crate) struct FakeDesk {
    pub(crate) ports: FakePorts,
    pub(crate) records: RefCell<HashMap<String, KeyRecord>>,
    /// Names of the changes.
    pub(crate) acts: RefCell<Vec<&'static str>>,
}

impl FakeDesk {
    pub(crate) fn perform(&self, gate: &Gate, command: Command) -> Result<Done, Refusal> {
        let facts = request("POST", "/.edgeward/keys", &[], "");
        let desk = Desk {
            ports: self,
            gate: Some(gate),
            admin: &Admin::Root,
            facts: &facts,
        };
        run(perform(&desk, command))
    }
}

impl Objects for FakeDesk {
    async fn ask(&self, object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown> {
        self.ports.ask(object, question).await
    }
    async fn stored_marks(&self, object: &ObjectName) -> Result<Marks, ObjectDown> {
        self.ports.stored_marks(object).await
    }
    async fn pause(&self, ms: u64) {
        self.ports.pause(ms).await;
    }
    fn now_ms(&self) -> u64 {
        self.ports.now_ms()
    }
    fn limit_memory(&self) -> &RefCell<LimitMemory> {
        self.ports.limit_memory()
    }
    fn defer(&self, errand: Errand) {
        self.ports.defer(errand);
    }
}

impl AdminPorts for FakeDesk {
    async fn record(&self, id: &str) -> Result<Option<KeyRecord>, PortDown> {
        Ok(self.records.borrow().get(id).cloned())
    }
    async fn put_record(&self, record: &KeyRecord) -> Result<(), PortDown> {
        let mut records = self.records.borrow_mut();
        records.insert(record.id.clone(), record.clone());
        Ok(())
    }
    async fn records(&self, _cursor: Option<&str>, _limit: u32) -> Result<RecordPage, PortDown> {
        Ok(RecordPage::default())
    }
    async fn put_marks(&self, _object: &ObjectName, _marks: &Marks) -> Result<(), PortDown> {
        Ok(())
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), PortDown> {
        for (number, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(number).unwrap();
        }
        Ok(())
    }
    fn load(&self, _text: &[u8]) -> Result<Gate, Vec<PolicyFault>> {
        Err(Vec::new())
    }
    fn audit(&self, act: &Act, _admin: &Admin, _facts: &Facts) {
        self.acts.borrow_mut().push(act.name);
    }
    fn told_origin(&self, origin: &Origin) -> Value {
        self.ports
            .origins
            .borrow()
            .told(origin, self.ports.now_ms())
    }
    fn refused_policy(&self) -> Value {
        Value::Null
    }
}
