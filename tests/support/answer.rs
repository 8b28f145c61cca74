//! What an origin is sent, and what it answers.

use std::cell::{Cell, RefCell};

use edgeward::ports::{OriginAnswer, ReadFault};

#[derive(Default)]
pub struct Answers {
    pub fields: RefCell<Vec<(String, String)>>,
    pub content: RefCell<Vec<u8>>,
    /// Why the content cannot be read.
    pub fault: Cell<Option<ReadFault>>,
}

impl Answers {
    /// All of it: who asks for less does not rely on being given less.
    pub fn read(&self) -> Result<Vec<u8>, ReadFault> {
        match self.fault.get() {
            Some(fault) => Err(fault),
            None => Ok(self.content.borrow().clone()),
        }
    }
}

/// Its status, a field, further fields.
#[derive(Clone)]
pub struct FakeAnswer(
    pub u16,
    pub Option<(&'static str, &'static str)>,
    pub Vec<(String, String)>,
    /// Its content, where it was kept before.
    pub Option<Vec<u8>>,
);

impl OriginAnswer for FakeAnswer {
    fn status(&self) -> u16 {
        self.0
    }

    /// Whether it has the field of a handshake that was taken.
    fn has_socket(&self) -> bool {
        self.0 == 101 && self.field("sec-websocket-accept").is_some()
    }

    fn field(&self, name: &str) -> Option<String> {
        let told = self.1.filter(|(field, _)| *field == name);
        let told = told.map(|(_, value)| value.to_owned());
        let further = self.2.iter().find(|(field, _)| field == name);
        told.or_else(|| further.map(|(_, value)| value.clone()))
            .or_else(|| {
                let is_sent = self.3.is_none();
                (name == "connection" && is_sent).then(|| "X-Internal, close".to_owned())
            })
    }

    fn names(&self) -> Vec<String> {
        let told = self.1.iter().map(|(name, _)| (*name).to_owned());
        let further = self.2.iter().map(|(name, _)| name.clone());
        let sent = match self.3 {
            None => vec!["connection".to_owned(), "x-internal".to_owned()],
            Some(_) => Vec::new(),
        };
        told.chain(further).chain(sent).collect()
    }
}

/// What reached an origin.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub url: String,
    pub method: &'static str,
    pub removed: Vec<String>,
    pub set: Vec<(String, String)>,
    pub content: Option<Vec<u8>>,
    pub outlives_client: bool,
}
