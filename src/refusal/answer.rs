//! Why an answer is kept back that should have been judged.

use crate::body::finding::Finding;
use crate::body::json::JsonFault;

/// Why an answer cannot be judged, or does not hold what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerFault {
    /// A part of the content, or word that what the caller has still holds: neither was asked for.
    NotWhole,
    /// In a coding that the platform does not take off.
    Encoded,
    /// Not of a JSON type, in UTF-8.
    Type,
    TooLarge,
    Broken,
    TimedOut,
    NotJson {
        fault: JsonFault,
    },
    /// Against the schema, where that is enforced.
    Schema {
        findings: Vec<Finding>,
    },
}

impl AnswerFault {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::NotWhole => "answer_not_whole",
            Self::Encoded => "answer_encoded",
            Self::Type => "answer_type",
            Self::TooLarge => "answer_too_large",
            Self::Broken => "answer_broken",
            Self::TimedOut => "answer_timeout",
            Self::NotJson { .. } => "answer_not_json",
            Self::Schema { .. } => "answer_schema",
        }
    }
}
