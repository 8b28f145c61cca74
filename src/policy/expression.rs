//! Rules in CEL, the Common Expression Language: compiled at load, decided per request.
//!
//! Owns: which names and functions an expression may use, its bounds, and that only `true` admits.
//! `cel` parses and evaluates. Does not own: when a rule is asked (`stage::limited`).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::{Context, Env, Program};
use serde_json::Value as Json;

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

const REQUEST_MEMBERS: [&str; 8] =
    ["method", "path", "query", "headers", "body", "ip", "country", "time"];
const CALLER_MEMBERS: [&str; 7] =
    ["kind", "subject", "tenant", "scopes", "roles", "claims", "plan"];
/// What may be called by name. There is no `matches`: patterns belong in schemas, where they run
/// on a linear engine.
const FUNCTIONS: [&str; 10] = [
    "size", "contains", "startsWith", "endsWith", "int", "uint", "double", "string", "bool", "dyn",
];

/// A compiled rule.
pub struct Expression {
    program: Program,
    env: Arc<Env>,
    members: Vec<Member>,
}

/// One thing a rule looks at: `request.method` is `Member { root: "request", name: "method" }`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Member {
    pub root: &'static str,
    pub name: String,
}

/// Why a rule does not compile: where, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExpressionFault {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// What a rule said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    True,
    False,
    /// It could not be evaluated, or gave something that is neither true nor false.
    Failed { why: String },
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
        if source.len() > EXPRESSION_BYTES_MAX {
            let message = format!("longer than {EXPRESSION_BYTES_MAX} bytes");
            return Err(ExpressionFault { line: 1, column: 1, message });
        }
        if nesting(source) > NESTING_MAX {
            let message = format!("brackets nested more than {NESTING_MAX} deep");
            return Err(ExpressionFault { line: 1, column: 1, message });
        }
        let operators = source.bytes().filter(|byte| b"!-+*/%.?[<>=&|".contains(byte)).count();
        if operators > OPERATORS_MAX {
            let message = format!("more than {OPERATORS_MAX} operators");
            return Err(ExpressionFault { line: 1, column: 1, message });
        }
        let program = env.compile(source).map_err(|errors| first_error(&errors))?;
        let mut walk =
            Walk { path_parameters, members: Vec::new(), bound: Vec::new(), loops: 0, depth: 0 };
        walk.visit(program.expression()).map_err(|(id, message)| {
            let offset = program.source_info().offset_for(id).map_or(0, |(start, _)| start);
            let (line, column) = position(source, usize::try_from(offset).unwrap_or_default());
            ExpressionFault { line, column, message }
        })?;
        let mut members = walk.members;
        members.sort();
        members.dedup();
        Ok(Self { program, env: Arc::clone(env), members })
    }

    /// What the rule looks at.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether the rule looks at the request's content.
    pub fn needs_body(&self) -> bool {
        self.members.iter().any(|member| member.root == "request" && member.name == "body")
    }

    /// Evaluates the rule. `view` is asked for each of [`Expression::members`], and for no more.
    pub fn decide(&self, view: impl Fn(&Member) -> Json) -> Decision {
        let mut roots: HashMap<&str, HashMap<String, cel::Value>> =
            ["request", "path", "caller"].map(|root| (root, HashMap::new())).into();
        for member in &self.members {
            if let Some(root) = roots.get_mut(member.root) {
                root.insert(member.name.clone(), to_cel(&view(member)));
            }
        }
        let mut context = Context::with_env(Arc::clone(&self.env));
        for (root, members) in roots {
            context.add_variable_from_value(root, members);
        }
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(true)) => Decision::True,
            Ok(cel::Value::Bool(false)) => Decision::False,
            Ok(other) => Decision::Failed { why: format!("gave {}", other.type_of()) },
            // The error can repeat a value of the request: the log is told its kind alone.
            Err(error) => Decision::Failed { why: kind_of(&error) },
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Expression").field("members", &self.members).finish_non_exhaustive()
    }
}

/// The environment that all rules are compiled in.
pub fn environment() -> Arc<Env> {
    Arc::new(Env::stdlib())
}

fn kind_of(error: &cel::ExecutionError) -> String {
    let debug = format!("{error:?}");
    let kind = debug.split(['(', ' ', '{']).next().unwrap_or_default();
    format!("error {kind}")
}

fn first_error(errors: &cel::ParseErrors) -> ExpressionFault {
    let first = errors.errors.first();
    let (line, column) = first.map_or((1, 1), |error| error.pos);
    ExpressionFault {
        line: usize::try_from(line).unwrap_or(1),
        column: usize::try_from(column).unwrap_or(1),
        message: first.map_or_else(|| "not CEL".to_owned(), |error| error.msg.clone()),
    }
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

fn position(source: &str, offset: usize) -> (usize, usize) {
    let before: String = source.chars().take(offset).collect();
    let line = before.matches('\n').count() + 1;
    (line, before.chars().rev().take_while(|character| *character != '\n').count() + 1)
}

/// Looks at every name of an expression; a fault is the id of a node and what is wrong there.
struct Walk<'a> {
    path_parameters: &'a [String],
    members: Vec<Member>,
    /// Loop variables in scope.
    bound: Vec<String>,
    loops: usize,
    depth: usize,
}

type Visit = Result<(), (u64, String)>;

impl Walk<'_> {
    fn visit(&mut self, node: &IdedExpr) -> Visit {
        if self.depth == TREE_DEPTH_MAX {
            return Err((node.id, format!("nested more than {TREE_DEPTH_MAX} deep")));
        }
        self.depth += 1;
        let visited = self.look_at(node);
        self.depth -= 1;
        visited
    }

    fn look_at(&mut self, node: &IdedExpr) -> Visit {
        if let Some((root, name)) = member_of(node) {
            return match self.bound.iter().any(|bound| bound == root) {
                true => Ok(()),
                false => self.member(node.id, root, name),
            };
        }
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) if self.bound.contains(name) => Ok(()),
            Expr::Ident(name) => Err((node.id, unknown_name(name))),
            Expr::Select(select) => self.visit(&select.operand),
            Expr::List(list) => list.elements.iter().try_for_each(|item| self.visit(item)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.visit(&entry.key).and_then(|()| self.visit(&entry.value))
                }
                EntryExpr::StructField(field) => self.visit(&field.value),
            }),
            Expr::Struct(_) => Err((node.id, "there are no types to construct".into())),
            Expr::Call(call) => {
                let operator = !call.func_name.starts_with(|first: char| first.is_alphabetic());
                if !operator && !FUNCTIONS.contains(&call.func_name.as_str()) {
                    let known = FUNCTIONS.join(", ");
                    let message = format!("no function `{}`; there are {known}", call.func_name);
                    return Err((node.id, message));
                }
                let mut operands = call.target.iter().map(AsRef::as_ref).chain(&call.args);
                operands.try_for_each(|operand| self.visit(operand))
            }
            Expr::Comprehension(each) => {
                self.visit(&each.iter_range)?;
                self.visit(&each.accu_init)?;
                if self.loops == LOOP_DEPTH_MAX {
                    return Err((node.id, "a loop within a loop; its cost has no bound".into()));
                }
                let depth = self.bound.len();
                self.bound.extend([each.iter_var.clone(), each.accu_var.clone()]);
                self.bound.extend(each.iter_var2.clone());
                self.loops += 1;
                let parts = [&each.loop_cond, &each.loop_step, &each.result];
                let visited = parts.into_iter().try_for_each(|part| self.visit(part));
                self.loops -= 1;
                self.bound.truncate(depth);
                visited
            }
        }
    }

    fn member(&mut self, id: u64, root: &str, name: &str) -> Visit {
        let (root, known): (&'static str, Vec<&str>) = match root {
            "request" => ("request", REQUEST_MEMBERS.to_vec()),
            "caller" => ("caller", CALLER_MEMBERS.to_vec()),
            "path" => ("path", self.path_parameters.iter().map(String::as_str).collect()),
            other => return Err((id, unknown_name(other))),
        };
        if !known.contains(&name) {
            let message = match known.as_slice() {
                [] => format!("no `{root}.{name}`; the route's path has no parameters"),
                known => format!("no `{root}.{name}`; there is {root}.{}", known.join(", ")),
            };
            return Err((id, message));
        }
        self.members.push(Member { root, name: name.to_owned() });
        Ok(())
    }
}

/// `root.name` or `root['name']`.
fn member_of(node: &IdedExpr) -> Option<(&str, &str)> {
    match &node.expr {
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(root) => Some((root, &select.field)),
            _ => None,
        },
        Expr::Call(call) if call.func_name == "_[_]" => match call.args.as_slice() {
            [of, at] => match (&of.expr, &at.expr) {
                (Expr::Ident(root), Expr::Literal(LiteralValue::String(name))) => {
                    Some((root, name.inner()))
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn unknown_name(name: &str) -> String {
    match name {
        "request" | "caller" | "path" => format!("`{name}` alone; name a member, as `{name}.…`"),
        _ => format!("no `{name}`; there are request, path and caller"),
    }
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
            let members: HashMap<String, cel::Value> =
                members.iter().map(|(name, value)| (name.clone(), to_cel(value))).collect();
            cel::Value::from(members)
        }
    }
}

#[cfg(test)]
mod tests;
