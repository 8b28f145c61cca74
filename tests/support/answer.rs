//! What an origin is sent, and what it answers.

use edgeward::ports::OriginAnswer;

pub struct FakeAnswer(pub u16, pub Option<(&'static str, &'static str)>);

impl OriginAnswer for FakeAnswer {
    fn status(&self) -> u16 {
        self.0
    }
    fn field(&self, name: &str) -> Option<String> {
        let told = self.1.filter(|(field, _)| *field == name);
        let told = told.map(|(_, value)| value.to_owned());
        told.or_else(|| (name == "connection").then(|| "X-Internal, close".to_owned()))
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
}
