//! What can be told of an expression's types when the policy loads: comparisons that can never be
//! met, members that no value can have, results of the wrong kind.
//!
//! Owns: the check. It knows sets of kinds and not every rule of CEL: what it does not know it lets
//! pass, and evaluation refuses then. Does not own: names (`walk`).

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value as Json;

use super::kinds::Kinds;
use super::known::{Known, Place};
use super::walk::member_of;

/// What an expression is for, and so what it has to give.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gives {
    /// `true` or `false`.
    Truth,
    /// A number of units.
    Units,
    /// The name of a counter.
    Name,
}

/// The kinds of a value, and what is known of its members.
#[derive(Clone, Debug)]
pub(super) struct Type<'s> {
    pub(super) kinds: Kinds,
    pub(super) place: Place<'s>,
}

/// The id of a node, and what is wrong there.
type Fault = (u64, String);

pub(super) struct Types<'s> {
    known: &'s Known<'s>,
    /// Loop variables in scope.
    bound: Vec<(String, Type<'s>)>,
}

impl<'s> Type<'s> {
    pub(super) fn of(kinds: Kinds) -> Self {
        let place = Place::Unknown;
        Self { kinds, place }
    }

    pub(super) fn list_of(kinds: Kinds) -> Self {
        let place = Place::Items(kinds);
        Self {
            kinds: Kinds::LIST,
            place,
        }
    }

    pub(super) fn of_schema(known: &Known<'s>, schema: &'s Json) -> Self {
        let kinds = known.kinds(schema);
        let place = Place::Schema(schema);
        Self { kinds, place }
    }
}

impl<'s> Types<'s> {
    pub(super) fn new(known: &'s Known<'s>) -> Self {
        let bound = Vec::new();
        Self { known, bound }
    }

    /// Checks a whole expression. The parsed rule is at most `TREE_DEPTH_MAX` deep.
    pub(super) fn check(&mut self, root: &IdedExpr, gives: Gives) -> Result<(), Fault> {
        let (wanted, told) = match gives {
            Gives::Truth => (Kinds::TRUTH, "true or false"),
            Gives::Units => (Kinds::NUMBER, "a number"),
            Gives::Name => (
                Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::TRUTH),
                "text or a number",
            ),
        };
        let kinds = self.of(root)?.kinds;
        match kinds.meets(wanted) {
            true => Ok(()),
            false => Err((
                root.id,
                format!("gives {}, and has to give {told}", kinds.told()),
            )),
        }
    }

    fn of(&mut self, node: &IdedExpr) -> Result<Type<'s>, Fault> {
        match &node.expr {
            Expr::Literal(literal) => Ok(Type::of(of_literal(literal))),
            Expr::Ident(name) => {
                let found = self.bound(name).or_else(|| self.known.alone(name));
                Ok(found.unwrap_or(Type::of(Kinds::ANY)))
            }
            Expr::Select(select) => {
                let found = self.member(node.id, &select.operand, &select.field)?;
                Ok(match select.test {
                    true => Type::of(Kinds::TRUTH),
                    false => found,
                })
            }
            Expr::List(list) => {
                let mut items = Kinds::NONE;
                for item in &list.elements {
                    items = items.or(self.of(item)?.kinds);
                }
                Ok(match items == Kinds::NONE {
                    true => Type::of(Kinds::LIST),
                    false => Type::list_of(items),
                })
            }
            Expr::Call(call) => self.call(node.id, call),
            Expr::Comprehension(each) => self.each(each),
            Expr::Map(_) => Ok(Type::of(Kinds::OBJECT)),
            Expr::Struct(_) | Expr::Unspecified => Ok(Type::of(Kinds::ANY)),
        }
    }

    fn bound(&self, name: &str) -> Option<Type<'s>> {
        let mut inner_first = self.bound.iter().rev();
        inner_first
            .find(|(bound, _)| bound == name)
            .map(|(_, one)| one.clone())
    }

    fn member(&mut self, id: u64, of: &IdedExpr, name: &str) -> Result<Type<'s>, Fault> {
        if let Expr::Ident(root) = &of.expr
            && self.bound(root).is_none()
            && self.known.alone(root).is_none()
        {
            return Ok(self.known.root(root, name));
        }
        let of = self.of(of)?;
        if !of.kinds.meets(Kinds::OBJECT.or(Kinds::OTHER)) {
            return Err((
                id,
                format!("no `{name}` here: {} has no members", of.kinds.told()),
            ));
        }
        self.known
            .member(&of.place, name)
            .map_err(|problem| (id, problem))
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Result<Type<'s>, Fault> {
        let name = call.func_name.as_str();
        match (name, call.target.as_deref(), call.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, None, [left, right]) => {
                self.wants(left, Kinds::TRUTH)?;
                self.wants(right, Kinds::TRUTH)?;
                Ok(Type::of(Kinds::TRUTH))
            }
            (operators::LOGICAL_NOT, None, [one]) => self.wants(one, Kinds::TRUTH),
            (operators::CONDITIONAL, None, [condition, yes, no]) => {
                self.wants(condition, Kinds::TRUTH)?;
                Ok(Type::of(self.of(yes)?.kinds.or(self.of(no)?.kinds)))
            }
            (operators::INDEX, None, [of, at]) => self.index(id, of, at),
            (operators::NEGATE, None, [one]) => self.wants(one, NUMERIC),
            (_, None, [left, right]) if !is_function(name) => self.between(id, name, left, right),
            ("size", target, args) => {
                let one = self.only(id, name, target, args)?;
                self.wants(one, SIZED)?;
                Ok(Type::of(Kinds::NUMBER))
            }
            ("contains", Some(target), [_]) if self.of(target)?.kinds == Kinds::LIST => Err((
                id,
                "a list where text is needed; a list is asked with `in`, as 'a' in list".to_owned(),
            )),
            ("contains" | "startsWith" | "endsWith", Some(target), [part]) => {
                self.wants(target, TEXTUAL)?;
                self.wants(part, TEXTUAL)?;
                Ok(Type::of(Kinds::TRUTH))
            }
            ("contains" | "startsWith" | "endsWith", ..) => Err((
                id,
                format!("`{name}` is asked of text, about one text, as text.{name}('a')"),
            )),
            ("int" | "uint" | "double", target, args) => {
                let one = self.only(id, name, target, args)?;
                self.wants(one, NUMERIC.or(Kinds::TEXT))?;
                Ok(Type::of(Kinds::NUMBER))
            }
            ("string", target, args) => {
                let one = self.only(id, name, target, args)?;
                self.of(one)?;
                Ok(Type::of(Kinds::TEXT))
            }
            ("bool", target, args) => {
                let one = self.only(id, name, target, args)?;
                self.wants(one, TEXTUAL.or(Kinds::TRUTH))?;
                Ok(Type::of(Kinds::TRUTH))
            }
            (_, target, args) => {
                for part in target.into_iter().chain(args) {
                    self.of(part)?;
                }
                Ok(Type::of(Kinds::ANY))
            }
        }
    }

    /// An operator between two values.
    fn between(
        &mut self,
        id: u64,
        name: &str,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Result<Type<'s>, Fault> {
        let (one, other) = (self.of(left)?, self.of(right)?);
        let both = one.kinds.and(other.kinds);
        let told = || format!("{} and {}", one.kinds.told(), other.kinds.told());
        let wrong = |problem: &str| Err((id, format!("{} {problem}", told())));
        match name {
            operators::EQUALS | operators::NOT_EQUALS => match both == Kinds::NONE {
                true => wrong("are never equal"),
                false => {
                    spelled(left, [right].into_iter())?;
                    spelled(right, [left].into_iter())
                }
            },
            operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS => {
                match both.meets(NUMERIC.or(Kinds::TEXT).or(Kinds::TRUTH)) {
                    true => Ok(Type::of(Kinds::TRUTH)),
                    false => wrong("have no order between them"),
                }
            }
            operators::IN => {
                self.within(right.id, &one, &other)?;
                match &right.expr {
                    Expr::List(list) => spelled(left, list.elements.iter()),
                    _ => Ok(Type::of(Kinds::TRUTH)),
                }
            }
            operators::ADD => match both.and(NUMERIC.or(Kinds::TEXT).or(Kinds::LIST)) {
                Kinds::NONE => wrong("cannot be added"),
                sum => Ok(Type::of(sum)),
            },
            operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO => {
                match both.meets(NUMERIC) {
                    true => Ok(Type::of(NUMERIC)),
                    false => wrong("cannot be reckoned with"),
                }
            }
            _ => Ok(Type::of(Kinds::ANY)),
        }
    }

    fn within(&self, id: u64, item: &Type<'s>, of: &Type<'s>) -> Result<Type<'s>, Fault> {
        if !of.kinds.meets(Kinds::LIST.or(Kinds::OBJECT)) {
            return Err((id, format!("nothing is in {}", of.kinds.told())));
        }
        let items = self.known.items(of).kinds;
        if of.kinds == Kinds::LIST && !items.meets(item.kinds) {
            let (wanted, items) = (item.kinds.told(), items.told());
            return Err((id, format!("{wanted} is never in a list of {items}")));
        }
        Ok(Type::of(Kinds::TRUTH))
    }

    fn index(&mut self, id: u64, of: &IdedExpr, at: &IdedExpr) -> Result<Type<'s>, Fault> {
        if let Expr::Literal(LiteralValue::String(name)) = &at.expr {
            return self.member(id, of, name.inner());
        }
        let (of, at) = (self.of(of)?, self.of(at)?);
        if !of
            .kinds
            .meets(Kinds::LIST.or(Kinds::OBJECT).or(Kinds::OTHER))
        {
            return Err((id, format!("{} has no items", of.kinds.told())));
        }
        if of.kinds == Kinds::LIST && !at.kinds.meets(NUMERIC) {
            return Err((id, "an item of a list is named by a number".into()));
        }
        Ok(match of.kinds == Kinds::LIST {
            true => self.known.items(&of),
            false => Type::of(Kinds::ANY),
        })
    }

    /// `all`, `exists`, `map` and the like, as the parser has written them out.
    fn each(&mut self, each: &ComprehensionExpr) -> Result<Type<'s>, Fault> {
        let range = self.of(&each.iter_range)?;
        if !range
            .kinds
            .meets(Kinds::LIST.or(Kinds::OBJECT).or(Kinds::OTHER))
        {
            return Err((
                each.iter_range.id,
                format!("{} has no items", range.kinds.told()),
            ));
        }
        let item = match range.kinds == Kinds::LIST {
            true => self.known.items(&range),
            false => Type::of(Kinds::ANY),
        };
        let gathered = Type::of(self.of(&each.accu_init)?.kinds);
        let depth = self.bound.len();
        let second = each
            .iter_var2
            .iter()
            .map(|name| (name.clone(), Type::of(Kinds::ANY)));
        let names = [
            (each.iter_var.clone(), item),
            (each.accu_var.clone(), gathered),
        ];
        self.bound.extend(names.into_iter().chain(second));
        let parts = [&each.loop_cond, &each.loop_step];
        let parts = parts
            .into_iter()
            .try_for_each(|part| self.of(part).map(|_| ()));
        let result = parts.and_then(|()| self.of(&each.result));
        self.bound.truncate(depth);
        result
    }

    /// The type of a node that has to be one of `wanted`.
    fn wants(&mut self, node: &IdedExpr, wanted: Kinds) -> Result<Type<'s>, Fault> {
        let found = self.of(node)?;
        match found.kinds.meets(wanted) {
            true => Ok(Type::of(found.kinds.and(wanted))),
            false => {
                let wanted = wanted.told();
                Err((
                    node.id,
                    format!("{} where {wanted} is needed", found.kinds.told()),
                ))
            }
        }
    }

    /// The one argument of a function.
    fn only<'n>(
        &self,
        id: u64,
        name: &str,
        target: Option<&'n IdedExpr>,
        args: &'n [IdedExpr],
    ) -> Result<&'n IdedExpr, Fault> {
        match (target, args) {
            (None, [one]) => Ok(one),
            (Some(one), []) => Ok(one),
            _ => Err((id, format!("`{name}` takes one value"))),
        }
    }
}

/// Fails where `of` is one of a few known texts, and `values` have another: misspelled, a rule that
/// excludes it would hold for everybody.
fn spelled<'n, 's>(
    of: &IdedExpr,
    mut values: impl Iterator<Item = &'n IdedExpr>,
) -> Result<Type<'s>, Fault> {
    let texts = match member_of(of) {
        Some(("caller", "kind")) => "api_key token certificate anonymous",
        Some(("request", "method")) => "GET HEAD POST PUT PATCH DELETE OPTIONS",
        _ => return Ok(Type::of(Kinds::TRUTH)),
    };
    let is_other = |value: &&IdedExpr| match &value.expr {
        Expr::Literal(LiteralValue::String(text)) => {
            !texts.split(' ').any(|one| one == text.inner())
        }
        _ => false,
    };
    match values.find(is_other) {
        Some(value) => Err((value.id, format!("never one of {texts}"))),
        None => Ok(Type::of(Kinds::TRUTH)),
    }
}

const NUMERIC: Kinds = Kinds::NUMBER.or(Kinds::OTHER);
const TEXTUAL: Kinds = Kinds::TEXT.or(Kinds::OTHER);
const SIZED: Kinds = TEXTUAL.or(Kinds::LIST).or(Kinds::OBJECT);

fn is_function(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic())
}

fn of_literal(literal: &LiteralValue) -> Kinds {
    match literal {
        LiteralValue::Boolean(_) => Kinds::TRUTH,
        LiteralValue::Bytes(_) => Kinds::OTHER,
        LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => Kinds::NUMBER,
        LiteralValue::Null => Kinds::NULL,
        LiteralValue::String(_) => Kinds::TEXT,
    }
}
