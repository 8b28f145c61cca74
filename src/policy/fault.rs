//! What is wrong with a policy: where, what, and what to write instead.

use std::fmt;

use crate::body::finding::{listed, push_token};

/// Most faults told at once.
pub const FAULTS_MAX: usize = 100;

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PolicyFault {
    /// RFC 6901, into the policy as written.
    pub pointer: String,
    pub problem: String,
    pub fix: String,
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        write!(formatter, "{place}: {}. {}", self.problem, self.fix)
    }
}

/// Gathers faults, so that a policy's author sees all of them.
#[derive(Debug, Default)]
pub struct Faults(Vec<PolicyFault>);

impl Faults {
    pub fn add(&mut self, at: &[&str], problem: impl Into<String>, fix: impl Into<String>) {
        let mut pointer = String::new();
        at.iter().for_each(|name| push_token(&mut pointer, name));
        self.add_at(pointer, problem, fix);
    }

    pub fn add_at(&mut self, pointer: String, problem: impl Into<String>, fix: impl Into<String>) {
        let fault = PolicyFault {
            pointer,
            problem: problem.into(),
            fix: fix.into(),
        };
        if self.0.len() < FAULTS_MAX && !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    /// Adds that `name` is no `what` of the policy, and which there are.
    pub fn unknown<'a>(
        &mut self,
        path: &[String],
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'a String>,
    ) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let known = listed(known.map(String::as_str));
        let fix = match known.as_str() {
            "" => format!("Define it under `{what}s`"),
            known => format!("Write one of {known}, or define it under `{what}s`"),
        };
        self.add(&path, format!("no {what} is named `{name}`"), fix);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_sorted(mut self) -> Vec<PolicyFault> {
        self.0.sort();
        self.0
    }
}
