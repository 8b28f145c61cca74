//! What a rule says by itself, before there is a request: for whoever checks a policy.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::Expression;
use super::cost::each_part;
use super::walk::member_of;

impl Expression {
    /// Roles that the rule asks for by name: `'NAME' in caller.roles`.
    pub fn roles_named(&self) -> Vec<String> {
        let mut names = Vec::new();
        roles_named(self.program.expression(), &mut names);
        names
    }

    /// Whether it is written as `true`: a rule in form alone.
    pub fn is_literally_true(&self) -> bool {
        matches!(
            &self.program.expression().expr,
            Expr::Literal(LiteralValue::Boolean(value)) if *value.inner()
        )
    }
}

fn roles_named(node: &IdedExpr, names: &mut Vec<String>) {
    if let Expr::Call(call) = &node.expr
        && call.func_name == operators::IN
        && let [name, of] = call.args.as_slice()
        && let Expr::Literal(LiteralValue::String(name)) = &name.expr
        && member_of(of) == Some(("caller", "roles"))
    {
        names.push(name.inner().to_owned());
    }
    each_part(node, &mut |part| roles_named(part, names));
}
