//! One request as plain data, exactly as it arrived: nothing here is trusted and nothing proves
//! anything; the stages turn it into proofs.
//!
//! Owns: the shape of a request. Does not own: judging it (`stage`), reading it (`edge::incoming`).

use std::fmt;
use std::net::IpAddr;

/// Unix time in milliseconds.
pub type UnixMs = u64;

/// Names one request in the answer, the log and towards the origin: a random UUID (RFC 9562 §5.4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// Makes a version 4 UUID of 16 random bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        if let Some(version) = bytes.get_mut(6) {
            *version = (*version & 0x0f) | 0x40;
        }
        if let Some(variant) = bytes.get_mut(8) {
            *variant = (*variant & 0x3f) | 0x80;
        }
        Self(bytes)
    }

    /// A fraction in `0..=1` that is the same for the same request: the source of its jitter.
    pub fn fraction(&self) -> f64 {
        let [.., high, low] = self.0;
        f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX)
    }

    /// The 16 bytes as 32 hex digits: the trace id of a request that brought none.
    pub fn as_trace_id(&self) -> String {
        base16ct::lower::encode_string(&self.0)
    }

    /// Eight bytes as 16 hex digits: this gateway's span in the trace.
    pub fn as_span_id(&self) -> String {
        let mut span = self.0;
        span.reverse();
        base16ct::lower::encode_string(span.get(..8).unwrap_or_default())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.as_trace_id();
        let mut rest = digits.as_str();
        for length in [8, 4, 4, 4] {
            let (group, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            formatter.write_str(group)?;
            formatter.write_str("-")?;
            rest = after;
        }
        formatter.write_str(rest)
    }
}

/// The methods that a policy can name; any other is refused wherever it is sent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Options,
    ];

    /// Reads a method name; case-sensitive (RFC 9110 §9.1). `None`: one that no route can name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Whether a request of this method may carry content here. RFC 9110 §9.3.1 gives content in a
    /// GET no meaning, and two parsers that disagree about it are a smuggling gap.
    pub fn may_have_body(self) -> bool {
        !self.is_safe()
    }

    /// Whether a request of this method asks for no change (RFC 9110 §9.2.1).
    pub fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}

/// Request header fields: names in lower case, in order of arrival, a repeated field joined by
/// `, ` as the platform delivers it.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    pub fn new(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The value of the field `name` (lower case), if it arrived.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The fields that `Connection` names for this hop alone (RFC 9110 §7.6.1), in lower case.
    pub fn nominated(&self) -> Vec<String> {
        let names = self.get("connection").unwrap_or_default().split(',');
        let names = names.map(|name| name.trim().to_ascii_lowercase());
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte);
        names
            .filter(|name| !name.is_empty() && name.bytes().all(token))
            .collect()
    }

    /// The fields less those that `Connection` names, so that rules see what an origin sees.
    /// `keep`: fields that are judged here whatever a caller says of them.
    #[must_use]
    pub fn without_nominated(&self, keep: impl Fn(&str) -> bool) -> Self {
        let nominated = self.nominated();
        let stays = |name: &String| keep(name) || !nominated.contains(name);
        Self(
            self.0
                .iter()
                .filter(|(name, _)| stays(name))
                .cloned()
                .collect(),
        )
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of all names and values.
    pub fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum()
    }
}

/// The client's certificate, as the platform tells of it; a header can not say one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// SHA-256 of the certificate in DER form.
    pub fingerprint: [u8; 32],
    /// The platform has checked its chain and its time, and it is not revoked.
    pub is_verified: bool,
}

/// What the platform says of the connection; a header can not say it.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// The client's address, `None` where the platform did not tell one.
    pub ip: Option<IpAddr>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The data center that took the request.
    pub colo: Option<String>,
    /// As the platform spells it: `TLSv1.3`.
    pub tls_version: Option<String>,
    /// The client's certificate, if it showed one.
    pub certificate: Option<ClientCertificate>,
}

/// One request, as data.
#[derive(Clone, Debug)]
pub struct Facts {
    pub request_id: RequestId,
    pub received_at_ms: UnixMs,
    /// As sent; `Method::parse` decides whether it exists.
    pub method: String,
    pub is_https: bool,
    /// Host and port, as the URL has them.
    pub authority: String,
    /// The path as it arrived, not decoded.
    pub raw_path: String,
    /// What followed the first `?`, without it; `None` if there was no `?`.
    pub raw_query: Option<String>,
    pub headers: Headers,
    /// Whether the request carries content, or may.
    pub has_body: bool,
    pub connection: Connection,
}

impl Facts {
    /// The same without its header fields, which are most of it.
    #[must_use]
    pub fn without_headers(&self) -> Self {
        Self {
            request_id: self.request_id.clone(),
            received_at_ms: self.received_at_ms,
            method: self.method.clone(),
            is_https: self.is_https,
            authority: self.authority.clone(),
            raw_path: self.raw_path.clone(),
            raw_query: self.raw_query.clone(),
            headers: Headers::default(),
            has_body: self.has_body,
            connection: self.connection.clone(),
        }
    }
}
