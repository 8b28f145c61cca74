//! The names of an expression: every one is known, or the policy does not load.

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::cost::each_part;
use super::{LOOP_DEPTH_MAX, Member, Scope, TREE_DEPTH_MAX};

const REQUEST_MEMBERS: [&str; 8] = [
    "method", "path", "query", "headers", "body", "ip", "country", "time",
];
const CALLER_MEMBERS: [&str; 7] = [
    "kind", "subject", "tenant", "scopes", "roles", "claims", "plan",
];
/// What may be called by name. There is no `matches`: patterns belong in schemas, where they run
/// on a linear engine.
const FUNCTIONS: [&str; 10] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "dyn",
];

/// Looks at every name of an expression; a fault is the id of a node and what is wrong there.
pub(super) struct Walk<'a> {
    path_parameters: &'a [String],
    scope: Scope,
    pub(super) members: Vec<Member>,
    /// Loop variables in scope.
    bound: Vec<String>,
    loops: usize,
    depth: usize,
}

pub(super) type Visit = Result<(), (u64, String)>;

impl<'a> Walk<'a> {
    pub(super) fn new(path_parameters: &'a [String], scope: Scope) -> Self {
        Self {
            path_parameters,
            scope,
            members: Vec::new(),
            bound: Vec::new(),
            loops: 0,
            depth: 0,
        }
    }

    pub(super) fn visit(&mut self, node: &IdedExpr) -> Visit {
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
                false => match self.of_answer(root) {
                    Some(root) => self.answer(node.id, root),
                    None => self.member(node.id, root, name),
                },
            };
        }
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) if self.bound.contains(name) => Ok(()),
            Expr::Ident(name) => match self.of_answer(name) {
                Some(root) => self.answer(node.id, root),
                None => Err((node.id, unknown_name(name))),
            },
            Expr::Select(select) => self.visit(&select.operand),
            Expr::List(list) => list.elements.iter().try_for_each(|item| self.visit(item)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self
                    .visit(&entry.key)
                    .and_then(|()| self.visit(&entry.value)),
                EntryExpr::StructField(field) => self.visit(&field.value),
            }),
            Expr::Struct(_) => Err((node.id, "there are no types to construct".into())),
            Expr::Call(call) => {
                let operator = !call
                    .func_name
                    .starts_with(|first: char| first.is_alphabetic());
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
                self.bounded(node.id, each)?;
                let depth = self.bound.len();
                self.bound
                    .extend([each.iter_var.clone(), each.accu_var.clone()]);
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

    /// Refuses a loop whose cost, or the size of what it gives, has no bound.
    fn bounded(&self, id: u64, each: &ComprehensionExpr) -> Visit {
        if self.loops == LOOP_DEPTH_MAX {
            return Err((id, "a loop within a loop; its cost has no bound".into()));
        }
        match grows(each) && goes_through_grown(&each.iter_range) {
            false => Ok(()),
            true => Err((
                id,
                "a loop that puts together what a loop put together; its size has no bound".into(),
            )),
        }
    }

    /// What a rule over an answer sees beside the request.
    fn of_answer(&self, name: &str) -> Option<&'static str> {
        let known = ["body", "status"].into_iter().find(|one| *one == name);
        known.filter(|_| self.scope == Scope::Answer)
    }

    fn answer(&mut self, id: u64, root: &'static str) -> Visit {
        if root == "body" && self.loops > 0 {
            let message = "a loop may not look at the answer again; its cost has no bound";
            return Err((id, message.to_owned()));
        }
        self.members.push(Member {
            root,
            name: String::new(),
        });
        Ok(())
    }

    fn member(&mut self, id: u64, root: &str, name: &str) -> Visit {
        let (root, known): (&'static str, Vec<&str>) = match root {
            "request" => ("request", REQUEST_MEMBERS.to_vec()),
            "caller" => ("caller", CALLER_MEMBERS.to_vec()),
            "path" => (
                "path",
                self.path_parameters.iter().map(String::as_str).collect(),
            ),
            other => return Err((id, unknown_name(other))),
        };
        if self.scope == Scope::Answer && root == "request" && name == "body" {
            let message = "no `request.body` any more; `body` is the answer's content";
            return Err((id, message.to_owned()));
        }
        let large = root == "request" && matches!(name, "body" | "headers" | "query");
        if large && self.loops > 0 {
            let message = "a loop may not look at the request again; its cost has no bound";
            return Err((id, message.to_owned()));
        }
        if !known.contains(&name) {
            let message = match known.as_slice() {
                [] => format!("no `{root}.{name}`; the route's path has no parameters"),
                known => format!("no `{root}.{name}`; there is {root}.{}", known.join(", ")),
            };
            return Err((id, message));
        }
        self.members.push(Member {
            root,
            name: name.to_owned(),
        });
        Ok(())
    }
}

/// Whether what a loop gives can be larger than what it goes through: it adds, or makes lists and
/// objects of several parts. The parser's own `+`, which gathers what a loop gives, is none.
fn grows(each: &ComprehensionExpr) -> bool {
    fn mentions(node: &IdedExpr, name: &str) -> bool {
        let mut found = matches!(&node.expr, Expr::Ident(known) if known == name);
        each_part(node, &mut |part| found = found || mentions(part, name));
        found
    }
    fn within(node: &IdedExpr, each: &ComprehensionExpr) -> bool {
        let item = |part: &IdedExpr| mentions(part, &each.iter_var);
        let gathers = |first: Option<&IdedExpr>| matches!(first.map(|one| &one.expr), Some(Expr::Ident(name)) if *name == each.accu_var);
        let mut found = match &node.expr {
            Expr::Call(call) => call.func_name == operators::ADD && !gathers(call.args.first()),
            Expr::List(list) => list.elements.len() > 1 && item(node),
            Expr::Map(map) => map.entries.len() > 1 && item(node),
            _ => false,
        };
        each_part(node, &mut |part| found = found || within(part, each));
        found
    }
    within(&each.loop_step, each)
}

/// Whether a loop that [`grows`] stands within.
fn goes_through_grown(node: &IdedExpr) -> bool {
    let mut found = matches!(&node.expr, Expr::Comprehension(each) if grows(each));
    each_part(node, &mut |part| found = found || goes_through_grown(part));
    found
}

/// `root.name` or `root['name']`.
pub(super) fn member_of(node: &IdedExpr) -> Option<(&str, &str)> {
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
