//! The policy as enforced: names resolved, rules compiled, secrets in place.
//!
//! Owns: the shapes that stages read. Does not own: making them (`policy::load`).

mod origin;

use std::collections::HashMap;
use std::rc::Rc;

use ipnet::IpNet;

use crate::answer::keeping::Keeping;
use crate::body::content::ContentRules;
use crate::body::cookies::CookieRules;
use crate::body::parameters::ParameterRules;
use crate::credential::api_key::Peppers;
use crate::credential::certificate::CertificateSubject;
use crate::credential::introspection::IntrospectionRule;
use crate::credential::jwt::JwtRule;
use crate::credential::presented::Carrier;
use crate::credential::verified::TokenRule;
use crate::facts::Method;
use crate::identity::IdentityKeys;
use crate::limit::rule::{LimitRule, Mode};
use crate::origin::rule::{AnswerBounds, Errors};
use crate::policy::expression::Expression;
use crate::policy::field_rules::{AnswerRules, WriteRule};
use crate::policy::roles::Roles;
use crate::policy::route_table::{RouteTable, Template};
use crate::policy::tenancy::Tenancy;
use crate::secret::Secret;
use crate::socket::rule::SocketRule;
use crate::stored::StoreRule;
pub use origin::{Identity, Origin, OriginBinding};

/// Most content that is read into memory, in bytes: an isolate has 128 MB for all its requests.
pub const READ_BYTES_MAX: u64 = 8 << 20;

/// A policy, ready to decide.
pub struct Gate {
    pub name: String,
    /// A digest of the policy's text: tells two policies apart in logs.
    pub version: String,
    pub production: bool,
    pub public_url: Option<String>,
    pub transport: Transport,
    pub network: Network,
    pub cors: Option<Cors>,
    pub authenticators: Vec<Authenticator>,
    /// How each authenticator is presented to, by its name.
    pub carriers: Vec<(String, Carrier)>,
    pub roles: Roles,
    /// Every origin's URL.
    pub origins: Vec<String>,
    /// Every limit, by its name.
    pub limits: HashMap<String, Rc<LimitRule>>,
    pub plans: HashMap<String, Vec<Rc<LimitRule>>>,
    pub default_plan: Option<String>,
    pub routes: Vec<Route>,
    pub table: RouteTable,
    pub legacy_headers: bool,
    /// Headers that carry credentials: none reaches an origin.
    pub credential_headers: Vec<String>,
    pub identity_keys: Option<IdentityKeys>,
}

#[derive(Debug)]
pub struct Transport {
    pub https_only: bool,
    /// 12 or 13.
    pub min_tls: u8,
    /// The value of `Strict-Transport-Security`.
    pub hsts: String,
}

#[derive(Debug)]
pub struct Network {
    pub deny_cidrs: Vec<IpNet>,
    pub deny_countries: Vec<String>,
    pub ipv6_prefix: u8,
}

#[derive(Debug)]
pub struct Cors {
    pub origins: Vec<String>,
    pub any_origin: bool,
    pub methods: Vec<Method>,
    pub headers: Vec<String>,
    pub credentials: bool,
    pub max_age_s: u64,
    pub expose: Vec<String>,
}

#[derive(Debug)]
pub struct Authenticator {
    pub name: String,
    pub kind: AuthenticatorKind,
}

#[derive(Debug)]
pub enum AuthenticatorKind {
    Jwt(Box<JwtRule>),
    Introspection(Box<IntrospectionRule>),
    ApiKey {
        header: String,
        /// How a key begins.
        prefix: String,
        peppers: Peppers,
    },
    Certificate(Vec<CertificateSubject>),
}

impl AuthenticatorKind {
    /// The policy's name for the kind.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Jwt(_) => "jwt",
            Self::Introspection(_) => "introspection",
            Self::ApiKey { .. } => "api_key",
            Self::Certificate(_) => "client_certificate",
        }
    }

    /// What it asks of tokens; `None` if it takes none.
    pub fn token_rule(&self) -> Option<&TokenRule> {
        match self {
            Self::Jwt(rule) => Some(&rule.token),
            Self::Introspection(rule) => Some(&rule.token),
            Self::ApiKey { .. } | Self::Certificate(_) => None,
        }
    }
}

#[derive(Debug)]
pub struct Route {
    pub id: String,
    pub template: Template,
    pub origin: Rc<Origin>,
    pub auth: Auth,
    pub require: Require,
    /// Where the request's tenant stands, which must be the caller's.
    pub tenancy: Option<Tenancy>,
    pub allow: Option<Expression>,
    /// Limits by address, charged before anything about a credential is computed.
    pub shield: Vec<Rc<LimitRule>>,
    /// Limits by who calls.
    pub limits: Vec<Rc<LimitRule>>,
    /// Whether the caller's plan is charged too.
    pub plan: bool,
    /// What limits count by that count by an expression, the limit's name before it.
    pub counters: Vec<(String, Expression)>,
    pub cost: Cost,
    /// The field of the origin's answer that tells what a request cost in the end; `cost` is
    /// reserved before.
    pub cost_told_in: Option<String>,
    /// Failures behind the gateway for which a request is refunded.
    pub refund_on: Vec<RefundCause>,
    /// Requests of some methods are carried out once, by their key.
    pub idempotency: Option<Idempotency>,
    pub request: RequestRules,
    /// What is judged of the origin's answers; `None` lets them pass as they come.
    pub response: Option<AnswerRules>,
    pub mode: Mode,
    pub timeout_ms: u64,
    /// What an answer may take on its way out; `None`: it passes natively.
    pub answer: Option<AnswerBounds>,
    /// What becomes of 5xx answers.
    pub errors: Errors,
    /// Whose caches may keep answers.
    pub keeping: Keeping,
    /// What the gateway keeps of its answers; `None`: nothing.
    pub cache: Option<StoreRule>,
    /// Header fields in which the route's callers show who they are.
    pub credential_fields: Vec<String>,
    /// Other origins, and the callers of a hundred that each gets.
    pub split: Vec<(u32, Target)>,
    /// Fields of every answer of a route that goes out of use.
    pub deprecation: Vec<(&'static str, String)>,
    /// Its requests are handshakes of WebSocket, and nothing else.
    pub socket: Option<SocketRule>,
}

/// An origin, with its route's word on it.
#[derive(Clone, Debug)]
pub struct Target {
    pub origin: Rc<Origin>,
    pub timeout_ms: u64,
    pub answer: Option<AnswerBounds>,
    pub errors: Errors,
}

impl Target {
    /// How long it may take until the head of its answer is there.
    pub fn longest_ms(&self) -> u64 {
        self.origin.rules.longest_ms(self.timeout_ms)
    }
}

impl Route {
    /// The route's own origin.
    pub fn target(&self) -> Target {
        Target {
            origin: Rc::clone(&self.origin),
            timeout_ms: self.timeout_ms,
            answer: self.answer,
            errors: self.errors,
        }
    }
}

/// What `Idempotency-Key` does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Idempotency {
    pub is_required: bool,
    /// How long a key stands for its request.
    pub keep_s: u64,
    /// Most content of an answer that is kept, in bytes.
    pub answer_bytes_max: u64,
}

impl Route {
    /// Whether every caller with a good credential may ask: nothing that the policy says depends on
    /// who it is.
    pub fn is_open_to_every_caller(&self) -> bool {
        let says = |rule: &Option<Expression>| {
            let rule = rule.as_ref();
            rule.is_some_and(|rule| !rule.is_literally_true())
        };
        let judges = |rules: &AnswerRules| says(&rules.allow);
        let is_judged = self.response.as_ref().is_some_and(judges);
        let has_rule = says(&self.allow) || self.tenancy.is_some() || is_judged;
        self.auth != Auth::Public && self.require.is_empty() && !has_rule
    }
}

/// Units of one request.
#[derive(Debug)]
pub enum Cost {
    Fixed(u64),
    /// Reckoned for each request.
    Reckoned(Expression),
}

/// A failure behind the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefundCause {
    /// The origin was not reached, or broke off before the head of an answer.
    Connect,
    Timeout,
    /// The origin answered with this status, from 500 on.
    Status(u16),
}

impl RefundCause {
    /// Reads the policy's word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "connect" => Some(Self::Connect),
            "timeout" => Some(Self::Timeout),
            _ => {
                let status = text.parse().ok();
                status
                    .filter(|one| (500..=599).contains(one))
                    .map(Self::Status)
            }
        }
    }

    pub fn as_text(self) -> String {
        match self {
            Self::Connect => "connect".into(),
            Self::Timeout => "timeout".into(),
            Self::Status(status) => status.to_string(),
        }
    }
}

impl Cost {
    /// Whether it is known only when the caller is.
    pub fn needs_caller(&self) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Reckoned(cost) => cost.needs_caller() || cost.needs_body(),
        }
    }

    /// Whether it is known only when the content is.
    pub fn needs_body(&self) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Reckoned(cost) => cost.needs_body(),
        }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Auth {
    Public,
    /// The names of the authenticators, one of which must accept the credential.
    Required(Vec<String>),
}

#[derive(Debug, Default)]
pub struct Require {
    /// All of these.
    pub scopes: Vec<String>,
    /// One of these; empty for none.
    pub any_scopes: Vec<String>,
    /// One of these.
    pub roles: Vec<String>,
    /// One of these ways to log in; empty for any (RFC 9470).
    pub acr: Vec<String>,
    pub max_auth_age_s: Option<u64>,
}

impl Require {
    pub fn is_empty(&self) -> bool {
        let names = [&self.scopes, &self.any_scopes, &self.roles, &self.acr];
        names.iter().all(|names| names.is_empty()) && self.max_auth_age_s.is_none()
    }
}

#[derive(Debug)]
pub struct RequestRules {
    /// Essences in lower case, those of `opaque` too; empty for any but XML.
    pub content_types: Vec<String>,
    /// Those that pass unread.
    pub opaque: Vec<String>,
    pub max_bytes: u64,
    /// How content is read, by its essence: all of `content_types` that are not opaque, if a
    /// schema or a rule looks at content.
    pub contents: Vec<(String, Rc<ContentRules>)>,
    /// Whether a schema looks at content.
    pub has_schema: bool,
    pub path: Option<ParameterRules>,
    pub query: Option<ParameterRules>,
    pub headers: Option<ParameterRules>,
    /// Fields that not everybody may set.
    pub fields: Vec<WriteRule>,
    pub cookies: Option<CookieRules>,
    pub mode: Mode,
    /// Whether there may be no content where a schema is.
    pub optional: bool,
    /// Whether content is read though no rule looks at it: an origin is sent its digest, signed.
    pub is_digested: bool,
}

impl Gate {
    pub fn authenticator(&self, name: &str) -> Option<&Authenticator> {
        self.authenticators.iter().find(|one| one.name == name)
    }
}

/// What the bindings that a policy names hold.
pub trait Secrets {
    /// The secret of a binding; `None` if there is no such binding or it is empty.
    fn secret(&self, binding: &str) -> Option<Secret>;

    /// Whether requests can be sent by a binding: it is of a service or an mTLS certificate.
    fn has_fetcher(&self, binding: &str) -> bool;
}
