//! Everything about the request but its content has the form that the route asks for.

use crate::body::content::{ContentRules, is_utf_8, is_xml};
use crate::body::finding::FINDINGS_MAX;
use crate::facts::Headers;
use crate::idempotency::key::IdempotencyKey;
use crate::limit::rule::Mode;
use crate::policy::gate::{READ_BYTES_MAX, RequestRules, Route};
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::authorized::Authorized;
use crate::stage::identified::Identified;
use crate::stage::routed::Routed;
use crate::trail::{Refused, StageName};

/// Parameters, content type and announced size are fit.
pub struct Inspected<'g> {
    authorized: Authorized<'g>,
    need: Need,
    /// By which it is carried out once.
    key: Option<IdempotencyKey>,
    reading: Reading<'g>,
}

/// Who looks at the content.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading<'g> {
    Nobody,
    /// A rule, and this is how it is read.
    By(&'g ContentRules),
    /// A rule that knows no content of this type: it is held against none.
    Unknown,
}

/// What has to happen with the content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// There is none.
    Nothing,
    /// It passes through unread: no rule looks at it and its size is announced and fit.
    Pass,
    /// It is read whole, at most so many bytes of it.
    Read { max_bytes: u64 },
}

impl<'g, B> Exchange<Authorized<'g>, B> {
    /// Who looks at the content: a method without content has none to judge, and a rule that looks
    /// at it sees null.
    fn reading(&self, rules: &'g RequestRules) -> Reading<'g> {
        let routed = self.stage.identified().routed();
        if !needs_bytes(routed.route()) || !routed.method().may_have_body() {
            return Reading::Nobody;
        }
        let facts = &self.trail.facts;
        let sent = facts.has_body.then(|| essence(&facts.headers)).flatten();
        match sent {
            Some(sent) if rules.opaque.contains(&sent) => Reading::Nobody,
            sent => rules.reading(facts.has_body, sent.as_deref()),
        }
    }

    /// Judges parameters, content type, content coding and announced size.
    pub fn inspect(mut self) -> Result<Exchange<Inspected<'g>, B>, Refused> {
        let routed = self.stage.identified().routed();
        let route = routed.route();
        let rules = &route.request;
        let mode = mode_of(route);
        let formed = match mode {
            Mode::Off => Ok(()),
            Mode::Enforce | Mode::Observe => parameters(routed, rules, &self.trail.facts.headers),
        };
        let has_body = self.trail.facts.has_body;
        let typed = match has_body {
            false => Ok(()),
            true => media_type(rules, &self.trail.facts.headers),
        };
        let reading = self.reading(rules);
        let reads = !matches!(reading, Reading::Nobody);
        let key = match idempotency_key(routed, &self.trail.facts.headers) {
            Ok(key) => key,
            Err(refusal) => match self.settle(route.mode, Err(refusal)) {
                Ok(()) => None,
                Err(refusal) => return Err(self.refuse(refusal)),
            },
        };
        // A bound on size guards the gateway and the origin, so no mode lifts it.
        let need = need(
            &self.trail.facts.headers,
            has_body,
            // What a key stands for is all that is asked for; a digest is of all that is sent.
            (reads, reads || key.is_some() || rules.is_digested),
            rules.max_bytes,
        );
        let coded = self.trail.facts.headers.get("content-encoding").is_some();
        if has_body && reads && coded {
            return Err(self.refuse(Refusal::ContentEncoding));
        }
        // A rule that decides must read what the origin reads, whatever the mode of the form.
        let rule_reads = rule_reads(route);
        let type_mode = if rule_reads { route.mode } else { mode };
        for (mode, found) in [(mode, formed), (type_mode, typed)] {
            if let Err(refusal) = self.settle(mode, found) {
                return Err(self.refuse(refusal));
            }
        }
        match need {
            Ok(need) => Ok(self.next(StageName::Validated, |authorized| Inspected {
                authorized,
                need,
                key,
                reading,
            })),
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }
}

impl<'g> Inspected<'g> {
    pub fn identified(&self) -> &Identified<'g> {
        self.authorized.identified()
    }

    pub fn need(&self) -> Need {
        self.need
    }

    pub(super) fn key(&self) -> Option<&IdempotencyKey> {
        self.key.as_ref()
    }

    pub(super) fn reading(&self) -> Reading<'g> {
        self.reading
    }
}

impl RequestRules {
    /// How content is read: no content as the first type that the route takes.
    fn reading(&self, has_body: bool, sent: Option<&str>) -> Reading<'_> {
        let mut contents = self.contents.iter();
        let rules = contents.find(|(known, _)| !has_body || Some(known.as_str()) == sent);
        rules.map_or(Reading::Unknown, |(_, rules)| Reading::By(rules))
    }
}

/// The mode of a route's request rules: the laxer of the route's and their own.
pub(super) fn mode_of(route: &Route) -> Mode {
    match (route.mode, route.request.mode) {
        (Mode::Off, _) | (_, Mode::Off) => Mode::Off,
        (Mode::Observe, _) | (_, Mode::Observe) => Mode::Observe,
        (Mode::Enforce, Mode::Enforce) => Mode::Enforce,
    }
}

/// Whether a rule looks at the content.
fn needs_bytes(route: &Route) -> bool {
    let formed = route.request.has_schema || !route.request.fields.is_empty();
    (formed && mode_of(route) != Mode::Off) || (rule_reads(route) && route.mode != Mode::Off)
}

/// Whether what decides or costs depends on the content.
pub(super) fn rule_reads(route: &Route) -> bool {
    let allow = route.allow.as_ref();
    allow.is_some_and(|allow| allow.needs_body()) || route.cost.needs_body()
}

/// The key by which the request is carried out once, where the route heeds keys and the method asks for
/// a change.
fn idempotency_key(
    routed: &Routed<'_>,
    headers: &Headers,
) -> Result<Option<IdempotencyKey>, Refusal> {
    let route = routed.route();
    let rule = route.idempotency.as_ref();
    let Some(rule) = rule.filter(|_| !routed.method().is_safe() && route.mode != Mode::Off) else {
        return Ok(None);
    };
    match headers.get("idempotency-key") {
        None if rule.is_required => Err(Refusal::NoIdempotencyKey),
        None => Ok(None),
        Some(value) => match IdempotencyKey::parse(value) {
            Some(key) => Ok(Some(key)),
            None => Err(Refusal::HeaderMalformed {
                name: "idempotency-key",
            }),
        },
    }
}

fn parameters(routed: &Routed<'_>, rules: &RequestRules, headers: &Headers) -> Result<(), Refusal> {
    let mut findings = Vec::new();
    if let Some(path) = &rules.path {
        let named = routed.parameters().iter();
        findings.extend(path.judge(named.map(|(name, value)| (name.as_str(), value.as_str()))));
    }
    if let Some(query) = &rules.query {
        let pairs = routed.query().pairs().iter();
        findings.extend(query.judge(pairs.map(|(name, value)| (name.as_str(), value.as_str()))));
    }
    if let Some(fields) = &rules.headers {
        findings.extend(fields.judge(headers.iter()));
    }
    if let Some(cookies) = &rules.cookies {
        let fields = headers.iter().filter(|(name, _)| *name == "cookie");
        findings.extend(cookies.judge(fields.map(|(_, value)| value)));
    }
    findings.truncate(FINDINGS_MAX);
    if findings.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid { findings })
    }
}

/// The type of the content, in lower case, without parameters.
fn essence(headers: &Headers) -> Option<String> {
    let sent: mime::Mime = headers.get("content-type")?.parse().ok()?;
    Some(sent.essence_str().to_owned())
}

/// The content type, without case, is one of the route's; a charset other than UTF-8 is refused.
/// XML passes where it is listed alone, however it is written.
fn media_type(rules: &RequestRules, headers: &Headers) -> Result<(), Refusal> {
    if rules.content_types.is_empty() {
        let sent = headers.get("content-type").unwrap_or_default();
        let name = sent.split([';', ',', ' ', '\t']).next().unwrap_or_default();
        return match is_xml(&name.to_ascii_lowercase()) {
            true => Err(Refusal::MediaType),
            false => Ok(()),
        };
    }
    let sent = headers
        .get("content-type")
        .and_then(|value| value.parse::<mime::Mime>().ok());
    let Some(sent) = sent else {
        return Err(Refusal::MediaType);
    };
    let known = rules
        .content_types
        .iter()
        .any(|known| known == sent.essence_str());
    if known && is_utf_8(&sent) {
        Ok(())
    } else {
        Err(Refusal::MediaType)
    }
}

/// - `judges`, `holds`: whether a rule looks at the content, and whether it is read at all.
fn need(
    headers: &Headers,
    has_body: bool,
    (judges, holds): (bool, bool),
    max_bytes: u64,
) -> Result<Need, Refusal> {
    if !has_body {
        return Ok(if judges {
            Need::Read { max_bytes }
        } else {
            Need::Nothing
        });
    }
    let announced = match headers.get("content-length") {
        None => None,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(
            text.parse::<u64>()
                .map_err(|_| Refusal::TooLarge { max_bytes })?,
        ),
        Some(_) => {
            return Err(Refusal::HeaderMalformed {
                name: "content-length",
            });
        }
    };
    match announced {
        Some(bytes) if bytes > max_bytes => Err(Refusal::TooLarge { max_bytes }),
        Some(_) if !holds => Ok(Need::Pass),
        // Content of unknown size is counted as it is read, and what is read is held.
        Some(_) | None => Ok(Need::Read {
            max_bytes: max_bytes.min(READ_BYTES_MAX),
        }),
    }
}
