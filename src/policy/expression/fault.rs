//! What is wrong with an expression, and where.

use cel::Program;

use crate::body::finding::clip;

/// Most characters of an expression that a fault repeats.
pub(super) const EXCERPT_CHARS_MAX: usize = 48;

/// Why a rule does not compile: where, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExpressionFault {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl ExpressionFault {
    /// What is told of it: where, what, and the text from there on.
    ///
    /// - `source`: the expression.
    pub fn told(&self, source: &str) -> String {
        let (line, column) = (self.line, self.column);
        let rest = source
            .lines()
            .nth(line.saturating_sub(1))
            .unwrap_or_default();
        let rest: String = rest.chars().skip(column.saturating_sub(1)).collect();
        let place = match rest.trim() {
            "" => "at its end".to_owned(),
            rest => format!("at `{}`", clip(rest, EXCERPT_CHARS_MAX)),
        };
        format!("line {line}, column {column}: {} ({place})", self.message)
    }
}

pub(super) fn first_error(errors: &cel::ParseErrors) -> ExpressionFault {
    let first = errors.errors.first();
    let (line, column) = first.map_or((1, 1), |error| error.pos);
    ExpressionFault {
        line: usize::try_from(line).unwrap_or(1),
        column: usize::try_from(column).unwrap_or(1),
        message: first.map_or_else(|| "not CEL".to_owned(), |error| plain(&error.msg)),
    }
}

/// What other languages write, as the parser tells it, and what CEL writes.
const SPELLED_OTHERWISE: [(&str, &str); 6] = [
    (
        "token recognition error at: '=",
        "`=` is no operator; `==` compares",
    ),
    (
        "token recognition error at: '&",
        "`&` is no operator; `&&` is and",
    ),
    (
        "token recognition error at: '|",
        "`|` is no operator; `||` is or",
    ),
    ("input 'and'", "`and` is no operator; write `&&`"),
    ("input 'or'", "`or` is no operator; write `||`"),
    (
        "input '<EOF>'",
        "it ends too early: something has to follow",
    ),
];

/// A parser's message, in words of whoever writes rules.
fn plain(message: &str) -> String {
    let known = SPELLED_OTHERWISE
        .iter()
        .find(|(told, _)| message.contains(told));
    match known {
        Some((_, plain)) => (*plain).to_owned(),
        // A list of every token that could follow says nothing.
        None => message
            .split(" expecting {")
            .next()
            .unwrap_or(message)
            .to_owned(),
    }
}

pub(super) fn fault_at(
    program: &Program,
    source: &str,
    (id, message): (u64, String),
) -> ExpressionFault {
    let offset = program.source_info().offset_for(id);
    let offset = offset.map_or(0, |(start, _)| start);
    let (line, column) = position(source, usize::try_from(offset).unwrap_or_default());
    ExpressionFault {
        line,
        column,
        message,
    }
}

fn position(source: &str, offset: usize) -> (usize, usize) {
    let before: String = source.chars().take(offset).collect();
    let line = before.matches('\n').count() + 1;
    (
        line,
        before
            .chars()
            .rev()
            .take_while(|character| *character != '\n')
            .count()
            + 1,
    )
}
