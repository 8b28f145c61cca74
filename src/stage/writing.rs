//! Which fields of a request's content its caller may set.
//!
//! Owns: what a caller is refused or relieved of. Does not own: where members are in a text
//! (`body::edit`). Called by: `stage::validated`.

use crate::body::edit::{Cut, edit};
use crate::body::finding::{Finding, Location};
use crate::body::json::JsonFault;
use crate::body::pointer::Names;
use crate::policy::expression::Decision;
use crate::policy::field_rules::{OnRefusal, WriteRule};
use crate::refusal::Refusal;
use crate::stage::view::Seen;
use crate::trail::{FieldNote, STRIPPED};

/// A rule that does not say yes, and why it failed where it did.
struct Denied<'r> {
    rule: &'r WriteRule,
    why: Option<String>,
}

/// What is to be sent in place of what came, where something is stripped, with notes of it.
pub(super) type Stripped = Option<(Vec<u8>, Vec<FieldNote>)>;

/// Judges the fields of `bytes`, JSON with one reading.
pub(super) fn judge(
    rules: &[WriteRule],
    bytes: &[u8],
    seen: &Seen<'_>,
) -> Result<Stripped, Refusal> {
    let denied: Vec<Denied<'_>> = rules.iter().filter_map(|rule| denied(rule, seen)).collect();
    let refused = found(bytes, &denied, OnRefusal::Refuse)?;
    if !refused.places.is_empty() {
        let why = refused.places.iter().find_map(|(one, _)| one.why.clone());
        let findings = refused.places.iter().map(|(_, pointer)| finding(pointer));
        let findings = findings.collect();
        return Err(Refusal::FieldRefused { findings, why });
    }
    let stripped = found(bytes, &denied, OnRefusal::Strip)?;
    let mut notes: Vec<FieldNote> = Vec::new();
    for (one, _) in &stripped.places {
        let pointer = one.rule.pointer.as_str();
        if !notes.iter().any(|note| note.pointer == pointer) {
            notes.push(FieldNote {
                pointer: pointer.to_owned(),
                act: STRIPPED,
                why: one.why.clone(),
            });
        }
    }
    Ok(stripped.text.map(|text| (text, notes)))
}

fn denied<'r>(rule: &'r WriteRule, seen: &Seen<'_>) -> Option<Denied<'r>> {
    let why = match rule.write.decide(|member| seen.under(member)) {
        Decision::True => return None,
        Decision::False => None,
        Decision::Failed { why } => Some(format!(
            "request.fields {} write {why}",
            rule.pointer.as_str()
        )),
    };
    Some(Denied { rule, why })
}

struct Found<'d, 'r> {
    text: Option<Vec<u8>>,
    places: Vec<(&'d Denied<'r>, String)>,
}

fn found<'d, 'r>(
    bytes: &[u8],
    denied: &'d [Denied<'r>],
    on_refusal: OnRefusal,
) -> Result<Found<'d, 'r>, Refusal> {
    let denied: Vec<&Denied<'_>> = (denied.iter())
        .filter(|one| one.rule.on_refusal == on_refusal)
        .collect();
    let cuts: Vec<Cut<'_>> = denied
        .iter()
        .map(|one| Cut {
            pointer: &one.rule.pointer,
            mask: None,
        })
        .collect();
    // Another reader may take `Price` for `price`.
    let edited = edit(bytes, &cuts, Names::AnyCase).map_err(|_| unreadable())?;
    let places = edited.places.into_iter();
    let places = places.filter_map(|(cut, pointer)| Some((*denied.get(cut)?, pointer)));
    Ok(Found {
        text: edited.text,
        places: places.collect(),
    })
}

fn finding(pointer: &str) -> Finding {
    let fix = "Leave it out.";
    Finding::new(Location::Body, pointer, "write", "not yours to set", fix)
}

/// What the strict reader took for JSON and this one did not.
fn unreadable() -> Refusal {
    let fault = JsonFault::Syntax { line: 1, column: 1 };
    Refusal::NotJson { fault }
}
