//! What was read of an answer is this caller's to see, less what is not.

use serde_json::Value;

use crate::body::edit::{Cut, edit};
use crate::body::finding::Location;
use crate::body::json::{BODY_LIMITS, JsonFault, parse, parse_any_number};
use crate::body::pointer::Names;
use crate::limit::rule::Mode;
use crate::policy::expression::Decision;
use crate::policy::field_rules::{AnswerRules, ReadRule};
use crate::ports::{OriginAnswer, ReadFault, Reading};
use crate::refusal::{AnswerFault, Refusal};
use crate::stage::Exchange;
use crate::stage::answered::{Plan, Ruled, is_error, judging, laxer, unjudged};
use crate::stage::release::{Fit, Left};
use crate::stage::view::AnswerSeen;
use crate::trail::{FIELD_NOTES_MAX, FieldNote, Refused, Trail};

/// What has to be read of an answer; `None` where there is nothing.
pub type AnswerQuestion = Option<(u64, Reading)>;

impl<'g, A: OriginAnswer> Exchange<Ruled<'g>, A> {
    /// The question: how many bytes at most, and whether the answer itself is used up by it.
    pub fn question(&self) -> AnswerQuestion {
        match self.stage.plan() {
            Plan::Read { max_bytes, reading } => Some((max_bytes, reading)),
            Plan::Empty | Plan::Drop | Plan::Pass => None,
        }
    }

    pub fn answer(&self) -> &A {
        &self.body
    }

    /// Judges what was read; `read` answers [`Exchange::question`].
    pub fn judge(
        mut self,
        read: Option<Result<Vec<u8>, ReadFault>>,
    ) -> Result<Exchange<Fit<'g>, A>, Refused> {
        let judged = match (self.stage.plan(), read) {
            (Plan::Pass, _) => Ok((Left::AsItCame, false)),
            (Plan::Drop, _) => Ok((Left::Nothing, true)),
            (Plan::Empty, _) => self.content(Vec::new()),
            (Plan::Read { max_bytes, .. }, Some(read)) => match whole(read, max_bytes) {
                Ok(bytes) => self.content(bytes),
                Err(fault) => self.unreadable(fault),
            },
            (Plan::Read { .. }, None) => Err(unjudged(AnswerFault::Broken)),
        };
        match judged {
            Ok((left, is_altered)) => {
                Ok(self.map(|ruled| Fit::new(ruled.into_claimed(), left, is_altered)))
            }
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    fn rules(&self) -> Option<(&'g AnswerRules, Mode)> {
        judging(self.stage.identified().routed().route())
    }

    /// Content that cannot be judged: an object is kept back, an error keeps its status.
    fn unreadable(&mut self, fault: AnswerFault) -> Result<(Left, bool), Refusal> {
        let mode = self.rules().map_or(Mode::Enforce, |(_, mode)| mode);
        if !is_error(self.body.status()) {
            self.settle(mode, Err(unjudged(fault)))?;
        }
        Ok(match mode {
            Mode::Enforce => (Left::Nothing, true),
            Mode::Observe | Mode::Off => (Left::AsItCame, false),
        })
    }

    /// What may leave of content that was read, and whether it is other than what came.
    fn content(&mut self, bytes: Vec<u8>) -> Result<(Left, bool), Refusal> {
        let Some((rules, mode)) = self.rules() else {
            return Err(unjudged(AnswerFault::Broken));
        };
        let parsed = match (bytes.is_empty(), rules.looks_at_content()) {
            (true, _) => Ok(Value::Null),
            (false, true) => parse(&bytes, BODY_LIMITS),
            (false, false) => parse_any_number(&bytes, BODY_LIMITS),
        };
        let body = match parsed {
            Ok(body) => body,
            Err(fault) => return self.unreadable(AnswerFault::NotJson { fault }),
        };
        if !is_error(self.body.status()) {
            let allowed = self.ask(rules, &body);
            self.settle(mode, allowed)?;
            let schema = rules.body.as_ref().filter(|_| !bytes.is_empty());
            let findings =
                schema.map_or_else(Vec::new, |schema| schema.judge(&body, Location::Body));
            let formed = match findings.is_empty() {
                true => Ok(()),
                false => Err(unjudged(AnswerFault::Schema { findings })),
            };
            self.settle(laxer(mode, rules.body_mode), formed)?;
        }
        let edited = match bytes.is_empty() {
            true => None,
            false => self.fields(rules, mode, &bytes, &body)?,
        };
        Ok(match (mode, edited) {
            (Mode::Enforce, Some(edited)) => (Left::Bytes(edited), true),
            (Mode::Enforce, None) => (Left::Bytes(bytes), false),
            (Mode::Observe | Mode::Off, _) => (Left::AsItCame, false),
        })
    }

    fn seen<'a>(&'a self, body: &'a Value) -> AnswerSeen<'a> {
        AnswerSeen {
            request: self
                .stage
                .identified()
                .seen(&self.trail.facts, &Value::Null),
            status: self.body.status(),
            body,
        }
    }

    fn ask(&self, rules: &AnswerRules, body: &Value) -> Result<(), Refusal> {
        let Some(allow) = &rules.allow else {
            return Ok(());
        };
        let seen = self.seen(body);
        let is_hidden = rules.is_hidden;
        match allow.decide(|member| seen.under(member)) {
            Decision::True => Ok(()),
            Decision::False => Err(Refusal::ObjectRefused {
                is_hidden,
                why: None,
            }),
            Decision::Failed { why } => Err(Refusal::ObjectRefused {
                is_hidden,
                why: Some(why),
            }),
        }
    }

    /// The text less the fields that the caller may not read; `None` if there are none in it.
    fn fields(
        &mut self,
        rules: &AnswerRules,
        mode: Mode,
        bytes: &[u8],
        body: &Value,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let seen = self.seen(body);
        let mut denied: Vec<(&ReadRule, Option<String>)> = Vec::new();
        for rule in &rules.fields {
            match rule.read.decide(|member| seen.under(member)) {
                Decision::True => {}
                Decision::False => denied.push((rule, None)),
                Decision::Failed { why } => denied.push((rule, Some(why))),
            }
        }
        let cuts: Vec<Cut<'_>> = denied
            .iter()
            .map(|(rule, _)| Cut {
                pointer: &rule.pointer,
                mask: rule.mask.as_deref(),
            })
            .collect();
        let syntax = JsonFault::Syntax { line: 1, column: 1 };
        let edited = edit(bytes, &cuts, Names::Exact)
            .map_err(|_| unjudged(AnswerFault::NotJson { fault: syntax }))?;
        for (cut, _) in &edited.places {
            if let Some((rule, why)) = denied.get(*cut) {
                note(&mut self.trail, rule, why.as_ref(), mode);
            }
        }
        Ok(edited.text)
    }
}

/// Notes a field once.
fn note(trail: &mut Trail, rule: &ReadRule, why: Option<&String>, mode: Mode) {
    let pointer = rule.pointer.as_str();
    let is_known = trail.fields.iter().any(|note| note.pointer == pointer);
    if is_known || trail.fields.len() >= FIELD_NOTES_MAX {
        return;
    }
    let act = match (mode, &rule.mask) {
        (Mode::Observe | Mode::Off, _) => "observed",
        (Mode::Enforce, None) => "removed",
        (Mode::Enforce, Some(_)) => "masked",
    };
    trail.fields.push(FieldNote {
        pointer: pointer.to_owned(),
        act,
        why: why.cloned(),
    });
}

fn whole(read: Result<Vec<u8>, ReadFault>, max_bytes: u64) -> Result<Vec<u8>, AnswerFault> {
    match read {
        Ok(bytes) if bytes.len() as u64 <= max_bytes => Ok(bytes),
        Ok(_) | Err(ReadFault::TooLarge) => Err(AnswerFault::TooLarge),
        Err(ReadFault::Broken) => Err(AnswerFault::Broken),
        Err(ReadFault::TimedOut) => Err(AnswerFault::TimedOut),
    }
}
