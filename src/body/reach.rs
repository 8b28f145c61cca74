//! How many schemas one value of a document may be held against, however the document is made:
//! work for a policy's author to choose, and never for a caller to multiply.
//!
//! Owns: that bound. A schema may reach itself further down a document, in one way for each member
//! and item: then a level costs no more than the one above. With two ways each level would cost
//! twice the one above, which is refused.

use std::collections::{BTreeSet, HashMap};

use crate::body::graph::{Graph, Id, Node};

/// Most schemas that one value is held against by one schema above it.
pub(super) const HERE_MAX: usize = 1_000;
/// Most schemas that one value is held against in all, in a document of [`LEVELS_MAX`] levels.
pub(super) const VISITS_MAX: u64 = 100_000;
/// The levels of a document that are reckoned with: what `json_limits.max_depth` may be at most.
pub const LEVELS_MAX: u64 = 64;

/// How many schemas a value is held against at most, by the levels of its document: 1, 2, 4, up to
/// [`LEVELS_MAX`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Visits([u64; 7]);

impl Visits {
    /// In a document of so many levels.
    pub(super) fn at(self, levels: u64) -> u64 {
        let step = levels.clamp(1, LEVELS_MAX).next_power_of_two().ilog2();
        let known = usize::try_from(step).ok().and_then(|step| self.0.get(step));
        known.copied().unwrap_or(u64::MAX)
    }

    /// Both, put together for each number of levels.
    fn with(self, other: Self, together: impl Fn(u64, u64, u64) -> u64) -> Self {
        let mut levels = 1;
        let mut all = self;
        for (own, other) in all.0.iter_mut().zip(other.0) {
            *own = together(levels, *own, other);
            levels *= 2;
        }
        all
    }
}

/// Reckons what the first schema of `graph` may ask of one value.
///
/// Fails with a sentence where a schema refers to itself without going down, or where a document
/// could make it ask without bound.
pub(super) fn check(graph: &Graph<'_>) -> Result<Visits, String> {
    let mut ways = Ways {
        graph,
        here: HashMap::new(),
        below: HashMap::new(),
    };
    ways.walk(0)?;
    let order = components(&ways.below);
    if ways.is_doubling(&order) {
        return Err("a schema leads back to itself in two ways through one member: each level of a document would cost twice the one above".into());
    }
    let visits = ways.reckon(&order);
    match visits.at(LEVELS_MAX) {
        all if all > VISITS_MAX => Err(format!(
            "one value could be held against more than {VISITS_MAX} schemas"
        )),
        _ => Ok(visits),
    }
}

/// For each schema that a value is held against from above: those it is held against there, and
/// for each member or item of it those that it goes on to.
struct Ways<'g> {
    graph: &'g Graph<'g>,
    here: HashMap<Id, u64>,
    below: HashMap<Id, Vec<Vec<Id>>>,
}

impl Ways<'_> {
    fn walk(&mut self, root: Id) -> Result<(), String> {
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if self.below.contains_key(&id) {
                continue;
            }
            let mut here = Here::default();
            here.expand(self.graph, id, 0)?;
            self.here.insert(id, here.found.len() as u64);
            let nodes: Vec<_> = here
                .found
                .iter()
                .filter_map(|(id, again)| Some((self.graph.nodes.get(*id)?, *again)))
                .collect();
            let below = below(&nodes);
            open.extend(below.iter().flatten());
            self.below.insert(id, below);
        }
        Ok(())
    }

    /// Whether a schema goes on to its own circle twice for one member or item.
    fn is_doubling(&self, order: &Order) -> bool {
        self.below.iter().any(|(id, classes)| {
            let own = order.component.get(id);
            classes.iter().any(|targets| {
                let inner = targets
                    .iter()
                    .filter(|target| order.component.get(target) == own);
                inner.count() > 1 && order.is_circle(*id, self)
            })
        })
    }

    /// The visits of one value by the first schema.
    fn reckon(&self, order: &Order) -> Visits {
        let mut known: HashMap<Id, Visits> = HashMap::new();
        let mut last = Visits::default();
        for (number, members) in order.components.iter().enumerate() {
            let (mut most, mut leaving) = (0, Visits::default());
            for id in members {
                most = most.max(self.here.get(id).copied().unwrap_or(u64::MAX));
                for targets in self.below.get(id).into_iter().flatten() {
                    let outer = targets
                        .iter()
                        .filter(|target| order.component.get(*target) != Some(&number))
                        .filter_map(|target| known.get(target));
                    let sum = outer.fold(Visits::default(), |sum, one| {
                        sum.with(*one, |_, sum, one| sum.saturating_add(one))
                    });
                    leaving = leaving.with(sum, |_, leaving, sum| leaving.max(sum));
                }
            }
            let circle = members.first().is_some_and(|id| order.is_circle(*id, self));
            last = leaving.with(Visits([most; 7]), |levels, leaving, most| {
                // In a circle every level above may have sent its own down to this value.
                if circle {
                    leaving.saturating_mul(levels).saturating_add(most)
                } else {
                    leaving.max(most)
                }
            });
            known.extend(members.iter().map(|id| (*id, last)));
        }
        last
    }
}

/// The schemas that one value is held against at one place, each as often as it is.
#[derive(Default)]
struct Here {
    /// With whether something around it asks again what was left over.
    found: Vec<(Id, bool)>,
    way: Vec<Id>,
}

impl Here {
    /// - `again`: how many schemas around it ask for what was left over.
    fn expand(&mut self, graph: &Graph<'_>, id: Id, again: usize) -> Result<(), String> {
        if self.way.contains(&id) {
            return Err(
                "a schema refers to itself without going down: it would accept everything".into(),
            );
        }
        if self.found.len() >= HERE_MAX {
            return Err(format!(
                "one value would be held against more than {HERE_MAX} schemas"
            ));
        }
        let Some(node) = graph.nodes.get(id) else {
            return Ok(());
        };
        self.found.push((id, again > 0));
        let again = again + usize::from(node.asks_again);
        self.way.push(id);
        for target in &node.here {
            self.expand(graph, *target, again)?;
        }
        for target in &node.again {
            for _ in 0..=again {
                self.expand(graph, *target, again)?;
            }
        }
        self.way.pop();
        Ok(())
    }
}

/// For each kind of member and item, the schemas that one of it is held against. A pattern is
/// reckoned to match every name.
fn below(nodes: &[(&Node<'_>, bool)]) -> Vec<Vec<Id>> {
    let mut classes: Vec<Vec<Id>> = Vec::new();
    let declared = nodes.iter().flat_map(|(node, _)| node.properties.keys());
    let declared: BTreeSet<&str> = declared.copied().collect();
    for name in declared.into_iter().map(Some).chain([None]) {
        let targets = nodes.iter().flat_map(|(node, again)| {
            let own = name.and_then(|name| node.properties.get(name)).copied();
            let other = node.other_members.filter(|_| own.is_none());
            let twice = node.any_members.iter().filter(|_| *again);
            let rest = node.patterns.iter().chain(&node.any_members).chain(twice);
            own.into_iter().chain(other).chain(rest.copied())
        });
        classes.push(targets.collect());
    }
    let firsts = nodes.iter().map(|(node, _)| node.first_items.len());
    for index in 0..=firsts.max().unwrap_or(0) {
        let targets = nodes.iter().flat_map(|(node, again)| {
            let first = node.first_items.get(index).copied();
            let other = node.other_items.filter(|_| first.is_none());
            let any = node.any_items.iter().copied();
            // What `contains` takes is not left over.
            let twice = *again || node.asks_again;
            let twice = node.any_items.iter().filter(move |_| twice).copied();
            first.into_iter().chain(other).chain(any).chain(twice)
        });
        classes.push(targets.collect());
    }
    let names = nodes.iter().flat_map(|(node, _)| &node.names).copied();
    classes.push(names.collect());
    classes.retain(|targets| !targets.is_empty());
    classes
}

/// Schemas that reach each other, those that are reached before those that reach them.
struct Order {
    components: Vec<Vec<Id>>,
    component: HashMap<Id, usize>,
}

impl Order {
    fn is_circle(&self, id: Id, ways: &Ways<'_>) -> bool {
        let own = self.component.get(&id);
        let size = own
            .and_then(|own| self.components.get(*own))
            .map_or(0, Vec::len);
        let targets = ways.below.get(&id).into_iter().flatten().flatten();
        size > 1 || targets.into_iter().any(|target| *target == id)
    }
}

/// Tarjan's strongly connected components, with a stack of its own.
fn components(below: &HashMap<Id, Vec<Vec<Id>>>) -> Order {
    let mut order = Order {
        components: Vec::new(),
        component: HashMap::new(),
    };
    let mut index: HashMap<Id, usize> = HashMap::new();
    let mut low: HashMap<Id, usize> = HashMap::new();
    let mut pending: Vec<Id> = Vec::new();
    let targets = |id: Id| -> Vec<Id> {
        below
            .get(&id)
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .collect()
    };
    // The first schema reaches all others.
    let mut open = vec![(0, targets(0))];
    index.insert(0, 0);
    low.insert(0, 0);
    pending.push(0);
    while let Some((id, left)) = open.last_mut() {
        let id = *id;
        if let Some(target) = left.pop() {
            if let Some(seen) = index.get(&target) {
                if !order.component.contains_key(&target) {
                    let least = low.get(&id).copied().unwrap_or(0).min(*seen);
                    low.insert(id, least);
                }
            } else {
                let next = index.len();
                index.insert(target, next);
                low.insert(target, next);
                pending.push(target);
                open.push((target, targets(target)));
            }
            continue;
        }
        open.pop();
        let own = low.get(&id).copied().unwrap_or(0);
        if let Some((above, _)) = open.last() {
            let least = low.get(above).copied().unwrap_or(0).min(own);
            low.insert(*above, least);
        }
        if index.get(&id) == Some(&own) {
            let start = pending.iter().rposition(|one| *one == id).unwrap_or(0);
            let members = pending.split_off(start);
            let number = order.components.len();
            order
                .component
                .extend(members.iter().map(|one| (*one, number)));
            order.components.push(members);
        }
    }
    order
}

#[cfg(test)]
mod tests;
