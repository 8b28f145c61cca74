//! Which kinds of values an expression can have, as sets: what two sets do not share can never be
//! equal.

/// A set of kinds of values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const TRUTH: Self = Self(1 << 1);
    pub(super) const NUMBER: Self = Self(1 << 2);
    pub(super) const TEXT: Self = Self(1 << 3);
    pub(super) const LIST: Self = Self(1 << 4);
    pub(super) const OBJECT: Self = Self(1 << 5);
    /// What only CEL knows, as bytes.
    pub(super) const OTHER: Self = Self(1 << 6);
    pub(super) const ANY: Self = Self((1 << 7) - 1);

    const NAMED: [(Self, &str); 7] = [
        (Self::TEXT, "text"),
        (Self::NUMBER, "a number"),
        (Self::TRUTH, "true or false"),
        (Self::LIST, "a list"),
        (Self::OBJECT, "an object"),
        (Self::NULL, "null"),
        (Self::OTHER, "another kind"),
    ];

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.and(other) != Self::NONE
    }

    /// The kinds in words.
    pub(super) fn told(self) -> String {
        let named = Self::NAMED.iter().filter(|(kind, _)| self.meets(*kind));
        let named: Vec<&str> = named.map(|(_, name)| *name).collect();
        named.join(" or ")
    }

    /// What JSON Schema calls by `name`.
    pub(super) fn of_schema(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::TRUTH,
            "integer" | "number" => Self::NUMBER,
            "string" => Self::TEXT,
            "array" => Self::LIST,
            "object" => Self::OBJECT,
            _ => Self::ANY,
        }
    }
}
