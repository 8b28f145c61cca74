//! Whether a rule about a field can ever meet one: its pointer, followed through the schema of the content.
//!
//! Owns: the walk. What a schema says in a way that is not read here may be anything, and passes.

use serde_json::Value as Json;

use crate::body::finding::clip;
use crate::body::pointer::{FieldPointer, Names};

use super::kinds::Kinds;
use super::known::{Known, Place};
use super::types::Type;

/// What rules of a pointer are held to.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// Of requests, whose names are compared without case.
    Request,
    /// Of answers.
    Answer,
}

impl<'s> Known<'s> {
    /// Fails where no field at `pointer` passes the schema of the content, with what to tell: a rule
    /// about it would protect nothing, and its field, spelled otherwise, would go unguarded.
    pub fn reaches(&self, content: Content, pointer: &FieldPointer) -> Result<(), String> {
        let (schema, names) = match content {
            Content::Request => (self.body, Names::AnyCase),
            Content::Answer => (self.answer, Names::Exact),
        };
        let Some(schema) = schema else {
            return Ok(());
        };
        let mut at = Type::of_schema(self, schema);
        for (depth, step) in pointer.steps().enumerate() {
            let is_list = at.kinds.meets(Kinds::LIST);
            let is_object = at.kinds.meets(Kinds::OBJECT);
            at = match (step, is_list, is_object) {
                (_, false, false) => {
                    let what = step.map_or("*".to_owned(), |name| clip(name, 64));
                    let told = at.kinds.told();
                    return Err(format!("no `{what}` there: {told} has no members"));
                }
                // Which of the two it leads into is not known, nor which member.
                (_, true, true) | (None, false, true) => return Ok(()),
                (Some(name), true, false) if !is_index(name) => {
                    let name = clip(name, 64);
                    return Err(format!(
                        "no `{name}` in a list; its items are `*`, as in /items/*/price"
                    ));
                }
                (_, true, false) => self.items(&at),
                (Some(name), false, true) => {
                    let leads = |known: &str| pointer.leads_to(depth, known, names);
                    self.step(&at.place, name, leads)?
                }
            };
        }
        Ok(())
    }

    /// The member that a step leads to, spelled as the schema has it.
    fn step(
        &self,
        of: &Place<'s>,
        name: &str,
        leads: impl Fn(&str) -> bool,
    ) -> Result<Type<'s>, String> {
        let Place::Schema(schema) = of else {
            return Ok(Type::of(Kinds::ANY));
        };
        let own = |part: &'s Json| part.get("properties").and_then(Json::as_object);
        let mut known = self
            .parts(schema)
            .filter_map(own)
            .flat_map(|own| own.keys());
        let known = known.find(|known| leads(known)).map(String::as_str);
        self.member(of, known.unwrap_or(name))
    }
}

fn is_index(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}
