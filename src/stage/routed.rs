//! The request is for one route, and its path has one reading.

use std::cell::OnceCell;
use std::net::IpAddr;

use crate::address;
use crate::challenge::Challenge;
use crate::cors;
use crate::credential::possession::SenderConstraint;
use crate::facts::{Facts, Method};
use crate::house;
use crate::object::ObjectName;
use crate::path::{CanonicalPath, CanonicalQuery, TargetFault};
use crate::policy::gate::{Auth, AuthenticatorKind, Gate, Route};
use crate::policy::route_table::Match;
use crate::refusal::Refusal;
use crate::socket::handshake::Handshake;
use crate::stage::Exchange;
use crate::stage::received::Received;
use crate::stage::switching;
use crate::trail::{Refused, StageName, Trail};
use crate::transport;

/// The request came over a fit connection and leads to one route.
pub struct Routed<'g> {
    gate: &'g Gate,
    route: &'g Route,
    method: Method,
    address: IpAddr,
    /// Where it is counted, once it was asked for.
    address_object: OnceCell<ObjectName>,
    path: CanonicalPath,
    query: CanonicalQuery,
    parameters: Vec<(String, String)>,
    /// What the request is, on a route of sockets.
    handshake: Option<Handshake>,
}

/// Where a received request goes.
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and taken apart at once"
)]
pub enum Routing<'g, B> {
    Route(Exchange<Routed<'g>, B>),
    /// A browser's question, answered without a credential: the fields of the answer.
    Preflight {
        fields: Vec<(&'static str, String)>,
        trail: Box<Trail>,
    },
}

impl<B> Exchange<Received, B> {
    /// Judges connection and frame, reads path and query, and finds the route.
    pub fn route(mut self, gate: &Gate) -> Result<Routing<'_, B>, Refused> {
        self.trail.stage = StageName::Routed;
        let asking = switching::asking(&self.trail.facts.headers);
        let judged = |name: &str| {
            name == "connection" || gate.credential_headers.iter().any(|one| one == name)
        };
        self.trail.facts.headers = self.trail.facts.headers.without_nominated(judged);
        let cors = gate.cors.as_ref();
        self.trail.cors_origin =
            cors.and_then(|cors| cors::allowed_origin(cors, &self.trail.facts));
        let address = match transport::check(gate, &self.trail.facts) {
            Ok(address) => address,
            Err(refusal) => return Err(self.refuse(refusal)),
        };
        let facts = &self.trail.facts;
        match cors.and_then(|cors| cors::preflight(cors, facts)) {
            Some(Ok(fields)) => {
                return Ok(Routing::Preflight {
                    fields,
                    trail: self.trail,
                });
            }
            Some(Err(refusal)) => return Err(self.refuse(refusal)),
            None => {}
        }
        let (path, query) = match target(facts) {
            Ok(target) => target,
            Err(refusal) => return Err(self.refuse(refusal)),
        };
        let (route, method, values) = match find(gate, &path, &facts.method) {
            Ok(found) => found,
            Err(refusal) => return Err(self.refuse(refusal)),
        };
        if self.trail.facts.has_body && !method.may_have_body() {
            return Err(self.refuse(Refusal::UnexpectedBody));
        }
        let handshake = switching::judge(route, asking, &query);
        let names = route.template.parameters().iter().cloned();
        let parameters = names.zip(values).collect();
        self.trail.route = Some((route.id.clone(), route.template.as_str().to_owned()));
        self.trail.deprecation.clone_from(&route.deprecation);
        self.trail.challenges = challenges(gate, route);
        let handshake = match handshake {
            Ok(handshake) => handshake,
            Err(refusal) => return Err(self.refuse(refusal)),
        };
        let routed = Routed {
            gate,
            route,
            method,
            address,
            address_object: OnceCell::new(),
            path,
            query,
            parameters,
            handshake,
        };
        Ok(Routing::Route(self.next(StageName::Shielded, |_| routed)))
    }
}

impl<'g> Routed<'g> {
    pub fn gate(&self) -> &'g Gate {
        self.gate
    }

    pub fn route(&self) -> &'g Route {
        self.route
    }

    pub fn method(&self) -> Method {
        self.method
    }

    pub fn address(&self) -> IpAddr {
        self.address
    }

    pub fn path(&self) -> &CanonicalPath {
        &self.path
    }

    pub fn query(&self) -> &CanonicalQuery {
        &self.query
    }

    /// The path's parameters: name and decoded value.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// The handshake that the request is; `None`: it is none, and nobody switches.
    pub(super) fn handshake(&self) -> Option<&Handshake> {
        self.handshake.as_ref()
    }

    /// The address as limits count it.
    pub fn address_key(&self) -> String {
        address::limit_key(self.address, self.gate.network.ipv6_prefix)
    }

    /// Where the address is counted.
    pub fn address_object(&self) -> ObjectName {
        let named = || ObjectName::of_address(&self.address_key(), &address::network(self.address));
        *self.address_object.get_or_init(named)
    }
}

/// The route of a path and a method, and the values of its path's parameters.
fn find<'g>(
    gate: &'g Gate,
    path: &CanonicalPath,
    method: &str,
) -> Result<(&'g Route, Method, Vec<String>), Refusal> {
    let method = Method::parse(method);
    let found = gate.table.find(path, method);
    if path.has_matrix() && !takes_matrix(gate, &found, path) {
        let fault = TargetFault::MatrixParameter;
        return Err(Refusal::AmbiguousPath { fault });
    }
    let (index, values) = match found {
        Match::Route { index, parameters } => (index, parameters),
        Match::OtherMethods(allow) => return Err(Refusal::OtherMethod { allow }),
        Match::Nothing => return Err(Refusal::NoRoute),
    };
    match (gate.routes.get(index), method) {
        (Some(route), Some(method)) => Ok((route, method, values)),
        _ => Err(Refusal::NoRoute),
    }
}

/// Path and query with their one reading. The gateway's own path, spelled so that only here it
/// reads as such, leads nowhere.
fn target(facts: &Facts) -> Result<(CanonicalPath, CanonicalQuery), Refusal> {
    let path = CanonicalPath::parse_with_matrix(&facts.raw_path);
    let path = path.map_err(|fault| Refusal::AmbiguousPath { fault })?;
    let query = CanonicalQuery::parse(facts.raw_query.as_deref());
    let query = query.map_err(|fault| Refusal::MalformedQuery { fault })?;
    match house::is_own(path.as_str()) {
        true => Err(Refusal::NoRoute),
        false => Ok((path, query)),
    }
}

/// Whether the route that was found has rules that read the path's matrix parameters.
fn takes_matrix(gate: &Gate, found: &Match, path: &CanonicalPath) -> bool {
    let Match::Route { index, .. } = found else {
        return false;
    };
    let route = gate.routes.get(*index);
    route.is_some_and(|route| {
        let rules = route.request.path.as_ref();
        let takes = |name: &str| rules.is_some_and(|rules| rules.is_matrix(name));
        route.template.takes_matrix(path, takes)
    })
}

/// How a caller may prove itself on this route. A public route asks for nothing, and says, to one
/// whose credential is bad, what it would have taken.
fn challenges(gate: &Gate, route: &Route) -> Vec<Challenge> {
    let takes = |name: &String| match &route.auth {
        Auth::Public => true,
        Auth::Required(names) => names.contains(name),
    };
    let mut challenges = Vec::new();
    for authenticator in gate.authenticators.iter().filter(|one| takes(&one.name)) {
        for challenge in of_kind(&authenticator.kind) {
            if !challenges.contains(&challenge) {
                challenges.push(challenge);
            }
        }
    }
    challenges
}

fn of_kind(kind: &AuthenticatorKind) -> Vec<Challenge> {
    match kind {
        AuthenticatorKind::ApiKey { header, .. } => vec![Challenge::ApiKey {
            header: header.clone(),
        }],
        AuthenticatorKind::Certificate(_) => vec![Challenge::ClientCertificate],
        AuthenticatorKind::Jwt(_) | AuthenticatorKind::Introspection(_) => {
            let constraint = kind.token_rule().map(|rule| rule.sender_constraint);
            match constraint.unwrap_or_default() {
                SenderConstraint::Off => vec![Challenge::Bearer],
                // A token bound to a certificate comes as a bearer token (RFC 8705 §3).
                SenderConstraint::Optional => vec![Challenge::Bearer, Challenge::Dpop],
                SenderConstraint::Required => vec![Challenge::Dpop, Challenge::Bearer],
            }
        }
    }
}
