//! A kept answer in the origin's place: found, and kept.
//!
//! Owns: that one is looked for only behind every check of the request, that only an answer to this
//! very request is taken, and that it goes on as the origin's would, to be judged and cleaned. Called
//! by: `admit`.

use std::rc::Rc;

use crate::facts::UnixMs;
use crate::policy::gate::{Origin, OriginBinding, Route, Target};
use crate::ports::{OriginAnswer, ReadFault};
use crate::refusal::{Port, Refusal};
use crate::stage::Exchange;
use crate::stage::answered::{Answered, judging};
use crate::stage::claimed::{Claiming, Leading};
use crate::stage::forward::HOP_BY_HOP;
use crate::stage::paid::Paid;
use crate::stage::release::nominated;
use crate::stage::validated::Content;
use crate::stored::asked::Use;
use crate::stored::entry::{Filing, Found};
use crate::stored::freshness::{Seen, fresh};
use crate::stored::key::{Parts, StoreKey};
use crate::stored::{CacheNote, StoreRule, StoredAnswer, Wanted, values};
use crate::trail::{Refused, StageName};

/// Fields that may forbid to keep an answer.
const DECIDING: [&str; 4] = ["cache-control", "set-cookie", "set-cookie2", "vary"];

/// Where a request goes on.
pub enum Serving<'g, B, A> {
    /// A kept answer was found, and is judged like any.
    Stored(Exchange<Answered<'g>, A>),
    /// The origin has to be asked.
    Ask(Exchange<Claiming<'g>, Content<B>>),
}

/// What a request wants of the cache; `None`: nothing is kept on its route.
pub(super) fn wanted<B>(paid: &Exchange<Paid<'_>, Content<B>>) -> Option<Wanted> {
    let identified = paid.stage.identified();
    let (routed, facts) = (identified.routed(), &paid.trail.facts);
    let (gate, route) = (routed.gate(), routed.route());
    let rule = route.cache.as_ref()?;
    let origin: &Origin = &paid.stage.target().origin;
    let key = StoreKey::of(&Parts {
        policy: &gate.version,
        route: &route.id,
        is_https: facts.is_https,
        authority: &facts.authority,
        path: routed.path().as_str(),
        query: routed.query().as_str(),
        origin: [&origin.name, &origin.known_as()],
        caller: identified.caller().known().map(Rc::as_ref),
        headers: &facts.headers,
        fields: &rule.fields,
    });
    // Bytes that are no UTF-8 all read alike here, and reach the origin as they came.
    let is_readable = values(&facts.headers, &rule.fields)
        .into_iter()
        .filter_map(|(_, value)| value)
        .all(|value| !value.contains(char::REPLACEMENT_CHARACTER));
    let using = match &paid.body {
        Content::Nothing if is_readable => Use::of(routed.method(), &facts.headers),
        Content::Nothing | Content::Bytes(_) | Content::Unread(_) => Use::Bypass,
    };
    Some(Wanted { key, using })
}

impl<'g, B> Exchange<Claiming<'g>, Content<B>> {
    /// What has to be looked for: its key, and most content of it in bytes. `None` where no kept answer
    /// would do.
    pub fn stored_question(&self) -> Option<(StoreKey, u64)> {
        let wanted = self.stage.wanted()?;
        let rule = self.rule()?;
        let looks = matches!(wanted.using, Use::Look(_));
        looks.then_some((wanted.key, rule.content_bytes_max))
    }

    /// Judges what was found; `told` answers [`Exchange::stored_question`], `None` where there was none.
    /// Whatever is not the answer to it, whole and fresh, is none.
    ///
    /// - `make`: makes an answer of data; `None` if the platform makes none of these.
    pub fn serve<A>(
        mut self,
        told: Option<Result<Option<Vec<u8>>, ReadFault>>,
        now_ms: UnixMs,
        make: impl FnOnce(StoredAnswer) -> Option<A>,
    ) -> Result<Serving<'g, B, A>, Refused> {
        let Some(Wanted { key, using }) = self.stage.wanted() else {
            return Ok(Serving::Ask(self));
        };
        let (found, note) = match (using, told) {
            (Use::Look(look), Some(Ok(Some(entry)))) => {
                let found = Found::read(key, &entry, now_ms);
                (
                    found.filter(|one| one.does(look)).zip(Some(look)),
                    CacheNote::Miss,
                )
            }
            (Use::Look(_), Some(Ok(None))) => (None, CacheNote::Miss),
            (Use::Look(_), Some(Err(_)) | None) => (None, CacheNote::Silent),
            (Use::Refetch, _) => (None, CacheNote::Request),
            (Use::Bypass, _) => (None, CacheNote::Bypass),
        };
        let is_judged = self.route().is_some_and(|route| judging(route).is_some());
        let hit = found.and_then(|(found, look)| {
            let left_s = found.left_ms / 1_000;
            Some((make(found.answer(look, is_judged))?, left_s))
        });
        let Some((answer, left_s)) = hit else {
            self.trail.cache = Some(note);
            return Ok(Serving::Ask(self));
        };
        self.trail.cache = Some(CacheNote::Hit { left_s });
        match self.claimed(None)? {
            Leading::Run(claimed) => {
                let served = Exchange {
                    trail: claimed.trail,
                    body: answer,
                    stage: Answered::new(claimed.stage, None),
                };
                Ok(Serving::Stored(served.next(StageName::Released, |one| one)))
            }
            // No key stands on a route with a cache.
            Leading::Replay { trail, .. } => {
                let port = Port::Idempotency;
                let refusal = Refusal::AnswerMismatch { port };
                Err(Refused { refusal, trail })
            }
        }
    }

    fn route(&self) -> Option<&'g Route> {
        Some(self.stage.identified().routed().route())
    }

    fn rule(&self) -> Option<&'g StoreRule> {
        self.route()?.cache.as_ref()
    }
}

impl<A: OriginAnswer> Exchange<Answered<'_>, A> {
    /// What may be kept of the origin's answer, as it came; `None`: nothing.
    ///
    /// - `now_ms`: when its head came.
    pub fn filing(&self, now_ms: UnixMs) -> Option<Filing> {
        let claimed = self.stage.claimed();
        let wanted = claimed.wanted().filter(|one| one.using.keeps())?;
        let route = claimed.identified().routed().route();
        let rule = route.cache.as_ref()?;
        // Only what an origin has just answered; a kept answer is not kept anew.
        let note = self.trail.origin.as_ref()?;
        let names = self.body.names();
        let nominated = nominated(&self.body, &names);
        // What forbids to keep it is no less said where `Connection` takes it out.
        if nominated
            .iter()
            .any(|name| DECIDING.contains(&name.as_str()))
        {
            return None;
        }
        // RFC 9111 §3.1.
        let is_kept =
            |name: &String| !HOP_BY_HOP.contains(&name.as_str()) && !nominated.contains(name);
        let fields = names.into_iter().filter(is_kept);
        let fields: Vec<(String, String)> = fields
            .filter_map(|name| Some((self.body.field(&name)?, name)))
            .map(|(value, name)| (name, value))
            .collect();
        let seen = Seen {
            status: self.body.status(),
            fields: &fields,
            at_ms: now_ms,
            took_ms: note.ms,
            has_end: has_end(&self.body, claimed.target()),
        };
        let fresh = fresh(&seen, rule)?;
        let bounds = claimed.target().answer;
        let most = bounds.map_or(u64::MAX, |bounds| bounds.bytes_max);
        let bytes_max = rule.content_bytes_max.min(most);
        Some(Filing::new(wanted.key, &seen, fresh, bytes_max))
    }

    /// The answer that is to be kept.
    pub fn answer(&self) -> &A {
        &self.body
    }
}

/// Whether half of the content could be told from all of it: it comes in chunks (RFC 9112 §7.1), or
/// from a Worker, whose streams end by failing.
fn has_end(answer: &impl OriginAnswer, target: &Target) -> bool {
    let coding = answer.field("transfer-encoding").unwrap_or_default();
    let is_worker = matches!(target.origin.binding, Some(OriginBinding::Service(_)));
    is_worker || coding.trim().eq_ignore_ascii_case("chunked")
}
