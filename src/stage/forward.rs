//! The one thing that can be sent to an origin, and the request that waits for its answer.

use crate::facts::{Facts, Headers, Method};
use crate::idempotency::Granted;
use crate::identity::Statement;
use crate::ports::{OriginAnswer, OriginFault};
use crate::refusal::{Port, Refusal};
use crate::stage::Exchange;
use crate::stage::answered::{Answered, judging};
use crate::stage::claimed::Claimed;
use crate::stage::routed::Routed;
use crate::stage::settling::settle;
use crate::stage::validated::Content;
use crate::trail::{OriginNote, Refused, StageName, Told};

/// A request for an origin: made of what was checked, and of nothing else.
pub struct Forward<B> {
    url: String,
    method: Method,
    /// Fields of the caller's that do not reach the origin, in lower case.
    remove: Vec<String>,
    set: Vec<(String, String)>,
    content: Content<B>,
    timeout_ms: u64,
}

/// The request was handed to the origin.
pub struct Sent<'g> {
    claimed: Claimed<'g>,
    /// Units that each limit was charged.
    cost: u64,
    /// That it is carried out once.
    granted: Option<Granted>,
}

/// Fields between two neighbors (RFC 9110 §7.6.1), and `Expect`, which was met here.
pub const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// Fields that ask whether a copy still holds (RFC 9110 §13.1).
const CONDITIONS: [&str; 4] = [
    "if-none-match",
    "if-modified-since",
    "if-match",
    "if-unmodified-since",
];

/// Fields that say who a client is or what it asked for, in the words of some proxy or framework.
/// A name with `_` or `.` never passes: servers that build variables of names read it as another
/// (CVE-2025-64484).
const SPOKEN_FOR: [&str; 34] = [
    "client-cert",
    "client-cert-chain",
    "client-ip",
    "forwarded",
    "proxy",
    "remote-user",
    "ssl-cert",
    "true-client-ip",
    "via",
    "x-arr-clientcert",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-host",
    "x-http-destinationurl",
    "x-http-method",
    "x-http-method-override",
    "x-id-token",
    "x-method-override",
    "x-middleware-subrequest",
    "x-originating-ip",
    "x-override-url",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-request-id",
    "x-rewrite-url",
    "x-ssl-cert",
    "x-tls-client-cert",
    "x-user-id",
    "x-userinfo",
    "x-waws-unencoded-url",
    "x-client-cert",
    "x-client-certificate",
    "x-remote-ip",
    "x-remote-addr",
];
const SPOKEN_FOR_PREFIXES: [&str; 23] = [
    "cf-",
    "edgeward-",
    "fastly-client-",
    "ssl-client-",
    "wl-proxy-",
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-auth-",
    "x-azure-",
    "x-client-",
    "x-consumer-",
    "x-edgeward-",
    "x-envoy-",
    "x-forwarded-",
    "x-goog-authenticated-",
    "x-ms-client-",
    "x-original-",
    "x-remote-",
    "x-ssl-client-",
    "x-tls-client-",
    "x-webauth-",
    "x-client-cert-",
    "x-forwarded",
];

impl<'g, B> Exchange<Claimed<'g>, Content<B>> {
    /// Makes what is sent. `signed` answers [`Exchange::statement`].
    ///
    /// Refuses if the statement that was signed is not the one that was asked for.
    pub fn forward(
        mut self,
        signed: Option<(Statement, Vec<u8>)>,
    ) -> Result<(Forward<B>, Exchange<Sent<'g>, ()>), Refused> {
        if self.statement().as_ref() != signed.as_ref().map(|(statement, _)| statement) {
            return Err(self.refuse(Refusal::AnswerMismatch { port: Port::Signer }));
        }
        let identified = self.stage.identified();
        let routed = identified.routed();
        let (gate, route) = (routed.gate(), routed.route());
        let facts = &self.trail.facts;
        let query = routed
            .query()
            .as_str()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let mut set = told(facts, routed);
        set.extend(signed.map(|(statement, signature)| statement.signed(&signature)));
        let own: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
        let forward_url = format!("{}{}{query}", route.origin.url, routed.path().as_str());
        let mut remove = removed(&facts.headers, &gate.credential_headers, &own);
        // W3C Trace Context §3.3: what belongs to a trace that was not continued goes with it.
        if !continues_trace(facts) {
            remove.push("tracestate".into());
        }
        let (mut method, timeout_ms) = (routed.method(), route.timeout_ms);
        if judging(route).is_some() {
            ask_whole(&mut method, &mut remove, &mut set);
        }
        let cost = identified.price(facts).units();
        let granted = self.stage.granted();
        // What is kept is kept as it reads.
        if granted.is_some() {
            set.push(("accept-encoding".into(), "identity".into()));
        }
        self.trail.origin = Some(OriginNote {
            name: route.origin.name.clone(),
            status: None,
            ms: 0,
        });
        self.trail.stage = StageName::Answered;
        let content = self.body;
        let forward = Forward {
            url: forward_url,
            method,
            remove,
            set,
            content,
            timeout_ms,
        };
        let sent = Exchange {
            trail: self.trail,
            body: (),
            stage: Sent {
                cost,
                granted,
                claimed: self.stage,
            },
        };
        Ok((forward, sent))
    }
}

impl<B> Forward<B> {
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn method(&self) -> Method {
        self.method
    }

    pub fn remove(&self) -> &[String] {
        &self.remove
    }

    pub fn set(&self) -> &[(String, String)] {
        &self.set
    }

    pub fn timeout_ms(&self) -> u64 {
        self.timeout_ms
    }

    pub fn into_content(self) -> Content<B> {
        self.content
    }
}

impl<'g> Exchange<Sent<'g>, ()> {
    /// Takes the origin's answer, which came after `ms`.
    pub fn answered<A: OriginAnswer>(
        mut self,
        answer: Result<A, OriginFault>,
        ms: u64,
    ) -> Result<Exchange<Answered<'g>, A>, Refused> {
        if let Some(note) = &mut self.trail.origin {
            note.ms = ms;
            note.status = answer.as_ref().ok().map(OriginAnswer::status);
        }
        let Sent {
            claimed,
            cost,
            granted,
        } = self.stage;
        let route = claimed.identified().routed().route();
        settle(&mut self.trail, route, cost, &answer);
        let (keep, told) = claim_after(granted, &answer);
        self.trail.told = told;
        let sent = Exchange {
            trail: self.trail,
            body: (),
            stage: (),
        };
        match answer {
            // A switch of protocols is never asked for here, so nobody may switch.
            Ok(answer) if !(200..=599).contains(&answer.status()) => {
                Err(sent.refuse(Refusal::OriginInvalid))
            }
            Ok(answer) => {
                let sent = Exchange {
                    trail: sent.trail,
                    body: answer,
                    stage: (),
                };
                Ok(sent.next(StageName::Released, |()| Answered::new(claimed, keep)))
            }
            Err(OriginFault::Down) => Err(sent.refuse(Refusal::OriginDown)),
            Err(OriginFault::TimedOut) => Err(sent.refuse(Refusal::OriginTimeout)),
            Err(OriginFault::Invalid) => Err(sent.refuse(Refusal::OriginInvalid)),
        }
    }
}

/// What becomes of a claim: whose answer is kept, and what else is told. An origin that broke off may
/// have acted; one that refused the credential, or asked to come later, did not.
fn claim_after<A: OriginAnswer>(
    granted: Option<Granted>,
    answer: &Result<A, OriginFault>,
) -> (Option<Granted>, Option<Told>) {
    let Some(granted) = granted else {
        return (None, None);
    };
    match answer.as_ref().map(OriginAnswer::status) {
        Ok(401 | 429) => (None, Some(Told::of(&granted, Granted::free))),
        Ok(200..=599) => (Some(granted), None),
        Ok(_) | Err(_) => (None, Some(Told::of(&granted, Granted::lose))),
    }
}

/// What the origin is told of the request.
fn told(facts: &Facts, routed: &Routed<'_>) -> Vec<(String, String)> {
    let scheme = if facts.is_https { "https" } else { "http" };
    let fields = [
        ("edgeward-request-id", facts.request_id.to_string()),
        ("traceparent", traceparent(facts)),
        ("x-forwarded-for", routed.address().to_string()),
        ("x-forwarded-host", facts.authority.clone()),
        ("x-forwarded-proto", scheme.to_owned()),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The caller's fields that do not reach the origin: hop-by-hop ones, credentials, names that
/// servers fold into others, and whatever could be taken for the gateway's or another proxy's word.
/// Fields that `Connection` names were taken out on arrival.
fn removed(headers: &Headers, credentials: &[String], own: &[&str]) -> Vec<String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let gone = |name: &str| {
        HOP_BY_HOP.contains(&name)
            || !name.bytes().all(plain)
            || SPOKEN_FOR.contains(&name)
            || SPOKEN_FOR_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix))
            || credentials.iter().any(|credential| credential == name)
            || own.contains(&name)
    };
    let named = headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| gone(name));
    named
        .map(str::to_owned)
        .chain(headers.nominated())
        .collect()
}

/// An answer that is judged is asked for whole, as it is: not a part, not coded, not whether a copy
/// still holds, and with its content.
fn ask_whole(method: &mut Method, remove: &mut Vec<String>, set: &mut Vec<(String, String)>) {
    remove.extend(["range", "if-range"].map(str::to_owned));
    if matches!(method, Method::Get | Method::Head) {
        remove.extend(CONDITIONS.map(str::to_owned));
    }
    set.push(("accept-encoding".into(), "identity".into()));
    if *method == Method::Head {
        *method = Method::Get;
    }
}

fn continues_trace(facts: &crate::facts::Facts) -> bool {
    facts
        .headers
        .get("traceparent")
        .is_some_and(|value| trace_id(value).is_some())
}

/// W3C Trace Context §3.2: the caller's trace id if its field is well-formed, this gateway's span.
fn traceparent(facts: &crate::facts::Facts) -> String {
    let given = facts.headers.get("traceparent").and_then(trace_id);
    let trace_id = given.unwrap_or_else(|| facts.request_id.as_trace_id());
    format!("00-{trace_id}-{}-01", facts.request_id.as_span_id())
}

/// The trace id of a well-formed `traceparent` of version 00.
pub fn trace_id(value: &str) -> Option<String> {
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else {
        return None;
    };
    let is_hex = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let sound = *version == "00"
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && trace.bytes().any(|byte| byte != b'0')
        && parent.bytes().any(|byte| byte != b'0');
    sound.then(|| (*trace).to_owned())
}
