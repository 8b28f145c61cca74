//! `discriminator`: which of several schemas holds is said by one property.

use serde_json::{Map, Value, json};

use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::Schemas;
use crate::policy::openapi::source::Node;

impl<'a> Schemas<'a> {
    /// Which branch holds is said by one property: then that branch alone is asked.
    pub(super) fn discriminator(
        &mut self,
        node: &Node<'a>,
        made: &mut Map<String, Value>,
        report: &mut Report,
    ) -> Result<(), String> {
        let Some(discriminator) = node.get("discriminator") else {
            return Ok(());
        };
        let property = discriminator.text("propertyName").unwrap_or_default();
        let word = ["oneOf", "anyOf"]
            .into_iter()
            .find(|word| node.get(word).is_some());
        let Some(branches) = word.and_then(|word| node.get(word)) else {
            let problem = "`discriminator` without oneOf or anyOf: heirs are not looked for";
            report.note(&discriminator.place(), problem);
            return Ok(());
        };
        let mut values: Vec<(String, Value)> = Vec::new();
        let mapping = discriminator.get("mapping");
        let mapped = mapping.iter().flat_map(Node::members);
        for (value, target) in mapped {
            let target = target.value.as_str().unwrap_or_default();
            let reference = match target.contains(['#', '/', '.']) {
                true => target.to_owned(),
                false => format!("#/components/schemas/{target}"),
            };
            let name = self.reference(node.file, &reference, report)?;
            values.push((value.to_owned(), json!(format!("#/schemas/{name}"))));
        }
        for branch in branches.items() {
            let Some(reference) = branch.text("$ref") else {
                let problem = "`discriminator` with a branch that has no name: every one is tried";
                report.note(&discriminator.place(), problem);
                return Ok(());
            };
            let name = self.reference(branch.file, reference, report)?;
            let target = json!(format!("#/schemas/{name}"));
            let last = reference.rsplit('/').next().unwrap_or_default();
            if !values
                .iter()
                .any(|(value, known)| value == last || *known == target)
            {
                values.push((last.to_owned(), target));
            }
        }
        let known: Vec<&String> = values.iter().map(|(value, _)| value).collect();
        let choice = json!({
            "type": "object",
            "required": [property],
            "properties": { property: { "enum": known } },
        });
        let branches = values.iter().map(|(value, target)| {
            json!({
                "if": { "required": [property], "properties": { property: { "const": value } } },
                "then": { "$ref": target },
            })
        });
        let mut all = vec![choice];
        all.extend(branches);
        if let Some(Value::Array(others)) = made.shift_remove("allOf") {
            all.extend(others);
        }
        word.map(|word| made.shift_remove(word));
        made.insert("allOf".into(), Value::Array(all));
        Ok(())
    }
}
