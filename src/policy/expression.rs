//! Rules in CEL, the Common Expression Language: compiled at load, decided per request.
//!
//! Owns: which names and functions an expression may use, its bounds, what can be told of its types
//! before there is a request, and that only `true` admits.
//! `cel` parses and evaluates. Does not own: when a rule is asked (`stage::limited`).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::{Context, Env, Program};
use serde_json::Value as Json;

use cost::Cost;
pub use cost::STEPS_MAX;
pub use fault::ExpressionFault;
use fault::{fault_at, first_error};
pub use known::Known;
pub use reached::Content;
pub use types::Gives;
use types::Types;
use walk::Walk;

/// Longest expression, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 2_048;
/// How deep `all`, `exists`, `map` and the like may stand in each other: one, so that the cost of
/// a rule is at most linear in what a caller sends.
pub const LOOP_DEPTH_MAX: usize = 1;

/// How deep brackets may stand in each other, how many operators may follow each
/// other, and how deep the parsed rule may be: parser and evaluator recurse, and a stack has an end.
pub const NESTING_MAX: usize = 24;
pub const OPERATORS_MAX: usize = 160;
pub const TREE_DEPTH_MAX: usize = 64;

/// Most units that an expression may give, 2^53: up to there every reader has the same whole numbers.
pub const UNITS_MAX: u64 = 1 << 53;
/// The same as a fraction is written.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A compiled rule.
pub struct Expression {
    program: Program,
    env: Arc<Env>,
    members: Vec<Member>,
    cost: Cost,
}

/// One thing a rule looks at: `request.method` is `Member { root: "request", name: "method" }`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Member {
    pub root: &'static str,
    pub name: String,
}

/// What a rule is about: its names depend on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// A request, with its content.
    Request,
    /// An answer, as `status` and `body`, and the request it belongs to, without content.
    Answer,
}

/// What a rule said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    True,
    False,
    /// It could not be evaluated, or gave something that is neither true nor false.
    Failed {
        why: String,
    },
}

impl Expression {
    /// Compiles a rule.
    ///
    /// - `path_parameters`: the names that `path.NAME` may use.
    ///
    /// Fails on a syntax error, a name or function that does not exist, loops within loops and an
    /// expression over [`EXPRESSION_BYTES_MAX`].
    pub fn compile(
        env: &Arc<Env>,
        source: &str,
        path_parameters: &[String],
    ) -> Result<Self, ExpressionFault> {
        Self::compile_in(env, source, path_parameters, Scope::Request)
    }

    /// Compiles a rule of another scope; as [`Expression::compile`] else.
    pub fn compile_in(
        env: &Arc<Env>,
        source: &str,
        path_parameters: &[String],
        scope: Scope,
    ) -> Result<Self, ExpressionFault> {
        if source.len() > EXPRESSION_BYTES_MAX {
            let message = format!("longer than {EXPRESSION_BYTES_MAX} bytes");
            return Err(ExpressionFault {
                line: 1,
                column: 1,
                message,
            });
        }
        if nesting(source) > NESTING_MAX {
            let message = format!("brackets nested more than {NESTING_MAX} deep");
            return Err(ExpressionFault {
                line: 1,
                column: 1,
                message,
            });
        }
        let operators = source
            .bytes()
            .filter(|byte| b"!-+*/%.?[<>=&|".contains(byte))
            .count();
        if operators > OPERATORS_MAX {
            let message = format!("more than {OPERATORS_MAX} operators");
            return Err(ExpressionFault {
                line: 1,
                column: 1,
                message,
            });
        }
        let program = env.compile(source).map_err(|errors| first_error(&errors))?;
        let mut walk = Walk::new(path_parameters, scope);
        walk.visit(program.expression())
            .map_err(|fault| fault_at(&program, source, fault))?;
        let cost = Cost::of(program.expression());
        let mut members = walk.members;
        members.sort();
        members.dedup();
        Ok(Self {
            program,
            env: Arc::clone(env),
            members,
            cost,
        })
    }

    /// Checks what can be told of the expression's types before there is a request.
    ///
    /// - `source`: what it was compiled from.
    ///
    /// Fails where it can never give what it is for, or names what no request can have.
    pub fn check(
        &self,
        source: &str,
        known: &Known<'_>,
        gives: Gives,
    ) -> Result<(), ExpressionFault> {
        let mut types = Types::new(known);
        let checked = types.check(self.program.expression(), gives);
        checked.map_err(|fault| fault_at(&self.program, source, fault))
    }

    /// What the rule looks at.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether the rule looks at the request's content.
    pub fn needs_body(&self) -> bool {
        self.members
            .iter()
            .any(|member| member.root == "request" && member.name == "body")
    }

    /// Whether the rule looks at the answer's content.
    pub fn needs_answer(&self) -> bool {
        self.members.iter().any(|member| member.root == "body")
    }

    /// Whether the rule looks at who calls.
    pub fn needs_caller(&self) -> bool {
        self.members.iter().any(|member| member.root == "caller")
    }

    /// Decides a rule that admits. `view` is asked for each of [`Expression::members`], and for no
    /// more.
    pub fn decide(&self, view: impl Fn(&Member) -> Json) -> Decision {
        match self.evaluate(view) {
            Ok(cel::Value::Bool(true)) => Decision::True,
            Ok(cel::Value::Bool(false)) => Decision::False,
            Ok(other) => Decision::Failed { why: gave(&other) },
            Err(why) => Decision::Failed { why },
        }
    }

    /// The name that the expression gives, of text, a number or a truth value: each of these has
    /// names of its own, and equal numbers have one.
    ///
    /// Fails with what the log is told: the kind of what it gave, never the value.
    pub fn name(&self, view: impl Fn(&Member) -> Json) -> Result<String, String> {
        match self.evaluate(view)? {
            cel::Value::String(text) => Ok(format!("text:{text}")),
            cel::Value::Bool(value) => Ok(format!("bool:{value}")),
            other => match (whole(&other), &other) {
                (Some(number), _) => Ok(format!("number:{number}")),
                (None, cel::Value::Float(number)) if number.is_finite() => {
                    Ok(format!("number:{number}"))
                }
                _ => Err(gave(&other)),
            },
        }
    }

    /// The units that the expression gives: a whole number from 0 to [`UNITS_MAX`].
    ///
    /// Fails as [`Expression::name`] does.
    pub fn units(&self, view: impl Fn(&Member) -> Json) -> Result<u64, String> {
        let value = self.evaluate(view)?;
        let is_number = matches!(
            value,
            cel::Value::Int(_) | cel::Value::UInt(_) | cel::Value::Float(_)
        );
        match whole(&value).map(u64::try_from) {
            Some(Ok(units)) if units <= UNITS_MAX => Ok(units),
            Some(Ok(_)) => Err(format!("gave more than {UNITS_MAX}")),
            Some(Err(_)) => Err("gave a number below 0, or too large a one".into()),
            None if is_number => Err("gave a number that is not whole".into()),
            None => Err(gave(&value)),
        }
    }

    fn evaluate(&self, view: impl Fn(&Member) -> Json) -> Result<cel::Value, String> {
        let mut roots: HashMap<&str, HashMap<String, cel::Value>> = ["request", "path", "caller"]
            .map(|root| (root, HashMap::new()))
            .into();
        let seen: Vec<(&Member, Json)> = self.members.iter().map(|one| (one, view(one))).collect();
        if self
            .cost
            .steps(seen.iter().map(|(member, value)| (*member, value)))
            > STEPS_MAX
        {
            return Err(format!("would take more than {STEPS_MAX} steps"));
        }
        let mut context = Context::with_env(Arc::clone(&self.env));
        for (member, value) in &seen {
            let value = to_cel(value);
            match roots.get_mut(member.root) {
                Some(root) => drop(root.insert(member.name.clone(), value)),
                None => context.add_variable_from_value(member.root, value),
            }
        }
        for (root, members) in roots {
            context.add_variable_from_value(root, members);
        }
        // The error can repeat a value of the request: the log is told its kind alone.
        let value = self.program.execute(&context);
        value.map_err(|error| kind_of(&error))
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Expression")
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}

/// The environment that all rules are compiled in.
pub fn environment() -> Arc<Env> {
    Arc::new(Env::stdlib())
}

fn gave(value: &cel::Value) -> String {
    format!("gave {}", value.type_of())
}

/// A number without a fraction, as a whole one.
fn whole(value: &cel::Value) -> Option<i128> {
    match value {
        cel::Value::Int(number) => Some(i128::from(*number)),
        cel::Value::UInt(number) => Some(i128::from(*number)),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "in this range every whole number is exact"
        )]
        cel::Value::Float(number) if number.fract() == 0.0 && number.abs() <= WHOLE_MAX => {
            Some(*number as i128)
        }
        _ => None,
    }
}

fn kind_of(error: &cel::ExecutionError) -> String {
    let debug = format!("{error:?}");
    let kind = debug.split(['(', ' ', '{']).next().unwrap_or_default();
    format!("error {kind}")
}

/// The deepest brackets; those in text count too, which errs on the safe side.
fn nesting(source: &str) -> usize {
    let mut open = 0_usize;
    let mut deepest = 0;
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

fn to_cel(json: &Json) -> cel::Value {
    match json {
        Json::Null => cel::Value::Null,
        Json::Bool(value) => cel::Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => cel::Value::Int(value),
            (None, Some(value)) => cel::Value::UInt(value),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => cel::Value::from(text.as_str()),
        Json::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Json::Object(members) => {
            let members: HashMap<String, cel::Value> = members
                .iter()
                .map(|(name, value)| (name.clone(), to_cel(value)))
                .collect();
            cel::Value::from(members)
        }
    }
}

mod cost;
mod fault;
mod kinds;
mod known;
mod named;
mod reached;
mod types;
mod walk;

#[cfg(test)]
mod tests;
