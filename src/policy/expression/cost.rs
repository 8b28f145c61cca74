//! What an expression can cost at most, in steps: reckoned from its form when the policy loads, and
//! from the sizes of what it looks at before it is evaluated.
//!
//! Owns: the reckoning. The evaluator has no counter of its own. Does not own: that loops do not stand
//! in loops (`walk`), which makes it linear.

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use serde_json::Value as Json;

use super::Member;
use super::walk::member_of;

/// Most steps of one evaluation: a node of the expression for one item of a list is a step.
pub const STEPS_MAX: u64 = 1 << 18;
/// Bytes of text that are looked through in about the time of a step.
const STEP_BYTES: u64 = 32;

/// What a rule costs, by the sizes of what it looks at.
#[derive(Clone, Debug, Default)]
pub(super) struct Cost {
    nodes: u64,
    /// Steps for each value that is looped over.
    per_item: u64,
    /// How often each value is compared with what `beside` names.
    looks: u64,
    /// What is looked at again for each item.
    beside: Vec<Member>,
}

impl Cost {
    /// Reckons with a whole expression, at most `TREE_DEPTH_MAX` deep.
    pub(super) fn of(root: &IdedExpr) -> Self {
        let mut cost = Self::default();
        cost.add(root, 0);
        cost
    }

    /// The steps of an evaluation that looks at `seen`.
    pub(super) fn steps<'v>(&self, seen: impl Iterator<Item = (&'v Member, &'v Json)>) -> u64 {
        if self.per_item == 0 {
            return self.nodes;
        }
        let (mut items, mut beside) = (self.nodes, 1_u64);
        for (member, value) in seen {
            let (values, bytes) = size(value);
            items = items.saturating_add(values);
            if self.beside.contains(member) {
                beside = beside
                    .saturating_add(values)
                    .saturating_add(bytes / STEP_BYTES);
            }
        }
        let each = self
            .per_item
            .saturating_add(self.looks.saturating_mul(beside));
        self.nodes.saturating_add(items.saturating_mul(each))
    }

    /// - `lists`: how many lists the loop around this node goes through one after another; 0: none.
    fn add(&mut self, node: &IdedExpr, lists: u64) {
        self.nodes += 1;
        self.per_item += lists;
        if lists > 0
            && let Some(member) = member_at(node)
        {
            self.looks += lists;
            self.beside.push(member);
        }
        match &node.expr {
            Expr::Comprehension(each) => {
                self.add(&each.iter_range, lists);
                self.add(&each.accu_init, lists);
                let lists = lists.max(mentions(&each.iter_range)).max(1);
                let parts = [&each.loop_cond, &each.loop_step, &each.result];
                parts.into_iter().for_each(|part| self.add(part, lists));
            }
            _ => each_part(node, &mut |part| self.add(part, lists)),
        }
    }
}

/// How many members an expression names.
fn mentions(node: &IdedExpr) -> u64 {
    let mut count = u64::from(member_at(node).is_some());
    each_part(node, &mut |part| count += mentions(part));
    count
}

fn member_at(node: &IdedExpr) -> Option<Member> {
    if let Expr::Ident(name) = &node.expr {
        let root = ["body", "status"].into_iter().find(|one| one == name)?;
        let name = String::new();
        return Some(Member { root, name });
    }
    let (root, name) = member_of(node)?;
    let root = ["request", "path", "caller"]
        .into_iter()
        .find(|one| *one == root)?;
    let name = name.to_owned();
    Some(Member { root, name })
}

/// Gives the parts of a node to `found`.
pub(super) fn each_part(node: &IdedExpr, found: &mut dyn FnMut(&IdedExpr)) {
    match &node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) | Expr::Struct(_) => {}
        Expr::Select(select) => found(&select.operand),
        Expr::List(list) => list.elements.iter().for_each(found),
        Expr::Map(map) => map.entries.iter().for_each(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => {
                found(&entry.key);
                found(&entry.value);
            }
            EntryExpr::StructField(field) => found(&field.value),
        }),
        Expr::Call(call) => {
            let target = call.target.iter().map(AsRef::as_ref);
            target.chain(&call.args).for_each(found);
        }
        Expr::Comprehension(each) => {
            let parts = [
                &each.iter_range,
                &each.accu_init,
                &each.loop_cond,
                &each.loop_step,
            ];
            parts.into_iter().chain([&each.result]).for_each(found);
        }
    }
}

/// How many values, and how many bytes of text.
fn size(value: &Json) -> (u64, u64) {
    let sum = |(values, bytes): (u64, u64), (more, longer): (u64, u64)| {
        (values.saturating_add(more), bytes.saturating_add(longer))
    };
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => (1, 0),
        Json::String(text) => (1, text.len() as u64),
        Json::Array(items) => items.iter().map(size).fold((1, 0), sum),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| sum(size(value), (0, name.len() as u64)))
            .fold((1, 0), sum),
    }
}
