//! What travels between the gateway and a `Limiter` object, as JSON.
//!
//! Owns: the shapes, and their version. A deploy mixes versions for minutes: a question of another
//! version is not understood, and what is not understood is not granted.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::meter::MeterRule;
use crate::revocation::{Credential, Mark, Marks, RevokedBy};

/// Raised when a change would make an old reader misread.
pub const WIRE_VERSION: u8 = 5;
/// Most rows that one question may touch.
pub const ROWS_MAX: usize = 32;
/// Most receipts, most debts, and most rows that are undone, of one question.
pub const SETTLED_MAX: usize = 64;

/// An isolate, by a number it drew when it woke.
pub type HolderId = u64;

/// What an object is asked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Question {
    pub version: u8,
    /// The credential that must not be marked here, if anything is to be granted.
    #[serde(default)]
    pub credential: Option<Credential>,
    /// How often the credential was used since the holder's last word, this time included.
    #[serde(default)]
    pub uses: u64,
    pub act: Act,
}

impl Question {
    /// A question of this version, without a credential.
    pub fn of(act: Act) -> Self {
        Self {
            version: WIRE_VERSION,
            credential: None,
            uses: 0,
            act,
        }
    }
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Charge(Asking),
    /// Writes a mark.
    Mark(Mark),
    /// Reads the marks.
    Marks,
    /// Reads when an API key was used.
    Use {
        key_id: String,
    },
}

/// One request's charges against the rows of one object: all are granted or none is. What is settled
/// of earlier ones is heeded whatever the answer is.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Asking {
    pub holder: HolderId,
    /// Different in each question of a holder; a question that comes twice is granted once.
    pub seq: u64,
    /// The holder's clock when it sent this: an object whose clock ran ahead frees nothing by it.
    pub at_ms: UnixMs,
    pub rows: Vec<RowCharge>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settling: Option<Settling>,
    /// The oldest question to this object that the holder may still take an answer to or undo: it is
    /// done with those before. 0: it does not say.
    #[serde(default)]
    pub open_seq: u64,
    /// Questions that the holder has given up: it takes no answer to them, however late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<Undone>,
}

/// Units asked of one row.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RowCharge {
    pub row: String,
    pub rule: MeterRule,
    pub units: u64,
    /// Units that the holder would like to have lent, beyond those it is charged for now. Where
    /// shares are lent: the share that it would like to have in all.
    #[serde(default)]
    pub want: u64,
    /// What became of the leases that the holder has of this row; heeded whatever the answer is.
    #[serde(default)]
    pub reports: Vec<Report>,
    /// Only asks whether there is room: nothing is taken.
    #[serde(default)]
    pub look: bool,
}

/// What a holder used of a lease so far.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Report {
    /// The question that the lease was an answer to.
    pub seq: u64,
    /// Units used in all; of a share, those of its last window.
    pub used: u64,
    /// How long before the question the last of them was used, at most: a lower bound.
    pub age_ms: u64,
    /// Units that the holder goes on with. 0: it uses no more.
    pub keep: u64,
    /// Whether the used ones were lent on, and may be used until the lease ends.
    #[serde(default, skip_serializing_if = "is_false")]
    pub open: bool,
}

/// A question that its holder has given up, at one of its rows. What it took there is freed, once;
/// if it arrives only now, or again, it takes nothing.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Undone {
    pub seq: u64,
    pub row: String,
    /// Of a row that is none yet.
    pub rule: MeterRule,
}

/// Units that the holder may use as it likes, until `ttl_ms` after it sent its question. Of a short
/// window a share is lent: as many again in every window until then.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Lent {
    /// Names the lease: the question that it was first an answer to.
    pub seq: u64,
    pub units: u64,
    pub ttl_ms: u64,
    /// The part of a share that the holder should go on with, where others wait for theirs.
    pub fair: u64,
}

/// What is set right of charges that were granted at once: counted once, however often it comes.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Settling {
    /// Different in each settling of a holder, and growing.
    pub turn: u64,
    /// Charges that were for nothing.
    pub receipts: Vec<Receipt>,
    /// What was used beyond what was charged: charged whether there is room or not.
    pub debts: Vec<Debt>,
}

/// Units granted, so that they can be given back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Receipt {
    pub row: String,
    /// The instant of the object at which they were granted.
    pub at_ms: UnixMs,
    pub units: u64,
    /// Of a request that was admitted and failed behind the gateway: of those only a part comes back.
    pub refund: bool,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Debt {
    pub row: String,
    pub rule: MeterRule,
    pub units: u64,
}

/// When and how often an API key was used.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyUse {
    pub count: u64,
    pub last_used_at_ms: UnixMs,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Every row had room and was charged; in the question's order.
    Granted(Vec<RowGranted>),
    /// At least one row had no room; none was charged; in the question's order.
    Refused(Vec<RowRefused>),
    /// The holder has given the question up; nothing was charged.
    Over,
    /// The credential is marked; nothing was charged.
    Revoked(RevokedBy),
    Marked,
    /// There is no room for another mark.
    MarksFull,
    Marks(Marks),
    Use(Option<KeyUse>),
    NotUnderstood,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RowGranted {
    pub row: String,
    /// Units neither used nor lent, to anyone.
    pub remaining: u64,
    /// Milliseconds until more is left; at least 1.
    pub frees_in_ms: u64,
    /// The instant of the object at which the units were charged.
    pub at_ms: UnixMs,
    pub lent: Option<Lent>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RowRefused {
    pub row: String,
    pub remaining: u64,
    /// 0: this row had room, another had not.
    pub retry_after_ms: u64,
}

fn is_false(value: &bool) -> bool {
    !value
}
