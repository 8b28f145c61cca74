//! From a policy's text to a gate, or to everything that is wrong with it.
//!
//! Owns: the order of the checks. Called by: `edge::policy`.

use std::cell::LazyCell;

use jsonschema::error::ValidationErrorKind;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::body::finding::{clip, push_token};
use crate::body::json::{POLICY_LIMITS, parse};
use crate::body::schema::{Compiler, Reader, build_own};
use crate::credential::api_key::parse_network;
use crate::facts::Method;
use crate::identity::IdentityKeys;
use crate::policy::document::{CorsEntry, Document, NetworkEntry, Profile, TransportEntry};
use crate::policy::expression::environment;
use crate::policy::fault::{Faults, PolicyFault};
use crate::policy::gate::{AuthenticatorKind, Cors, Gate, Network, Secrets, Transport};
use crate::policy::roles::Roles;
use crate::policy::{authenticators, limits, lint, origins, routes, tenancy, unsupported};

/// Largest policy, in bytes.
pub const POLICY_BYTES_MAX: usize = 4 << 20;

const SCHEMA: &str = include_str!("../../schemas/policy.schema.json");

/// Makes the gate of a policy.
///
/// - `text`: the policy, JSON in UTF-8.
/// - `secrets`: the bindings that the policy names.
///
/// Fails with every fault that can be found in one go, sorted by where they are. Nothing in the
/// policy is ignored: what cannot be enforced is a fault.
pub fn load(text: &[u8], secrets: &impl Secrets) -> Result<Gate, Vec<PolicyFault>> {
    let mut faults = Faults::default();
    let policy = match read(text) {
        Ok(policy) => policy,
        Err(fault) => return Err(vec![fault]),
    };
    check_shape(&policy, &mut faults);
    unsupported::check(&policy, &mut faults);
    match Document::deserialize(&policy) {
        Ok(document) => {
            lint::check(&document, &mut faults);
            tenancy::check(&document, &mut faults);
            let gate = build(&document, version_of(text), secrets, &mut faults);
            if faults.is_empty() {
                Ok(gate)
            } else {
                Err(faults.into_sorted())
            }
        }
        Err(error) => {
            // The schema says it better and has said it, unless the two disagree.
            if faults.is_empty() {
                let fix = "See schemas/policy.schema.json";
                faults.add(&[], clip(&error.to_string(), 200), fix);
            }
            Err(faults.into_sorted())
        }
    }
}

fn read(text: &[u8]) -> Result<Value, PolicyFault> {
    let fault = |pointer: &str, problem: String, fix: &str| PolicyFault {
        pointer: pointer.to_owned(),
        problem,
        fix: fix.to_owned(),
    };
    if text.len() > POLICY_BYTES_MAX {
        let problem = format!("longer than {POLICY_BYTES_MAX} bytes");
        return Err(fault("", problem, "Shorten the policy"));
    }
    parse(text, POLICY_LIMITS).map_err(|json| {
        let (problem, fix) = json.explain();
        fault(json.pointer(), problem, fix)
    })
}

/// Twelve hex digits of the SHA-256 of the text.
fn version_of(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    base16ct::lower::encode_string(digest.get(..6).unwrap_or_default())
}

/// Checks the policy against its published schema.
fn check_shape(policy: &Value, faults: &mut Faults) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap_or(Value::Bool(false));
    // Compiled only for a policy that is not surely right: then it says what is wrong.
    if Reader::new(&schema).judge(policy) == Some(true) {
        return;
    }
    let options = jsonschema::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .offline();
    let validator = match build_own(&options, &schema) {
        Ok(validator) => validator,
        Err(error) => {
            let problem = format!("the policy schema does not compile: {error}");
            return faults.add(&[], clip(&problem, 400), "Build the gateway anew");
        }
    };
    for error in validator.iter_errors(policy) {
        let pointer = error.instance_path().as_str().to_owned();
        let described = describe(&schema, error.schema_path().as_str());
        let fix = described.unwrap_or_else(|| "See schemas/policy.schema.json".into());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    let mut pointer = pointer.clone();
                    push_token(&mut pointer, name);
                    let fix = "Remove it, or check its spelling";
                    faults.add_at(pointer, "no such field", fix);
                }
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let mut pointer = pointer;
                push_token(&mut pointer, name);
                faults.add_at(pointer, format!("`{name}` is missing"), fix);
            }
            _ => {
                let problem = clip(&error.masked_with("this").to_string(), 200);
                faults.add_at(pointer, problem, fix);
            }
        }
    }
}

/// The `description` nearest above a keyword of the schema: it says what to write.
fn describe(schema: &Value, keyword_path: &str) -> Option<String> {
    let mut path = keyword_path;
    while let Some((above, _)) = path.rsplit_once('/') {
        let node = schema.pointer(above);
        if let Some(text) = node
            .and_then(|node| node.get("description"))
            .and_then(Value::as_str)
        {
            return Some(text.trim_end_matches('.').to_owned());
        }
        path = above;
    }
    None
}

fn build(
    document: &Document,
    version: String,
    secrets: &impl Secrets,
    faults: &mut Faults,
) -> Gate {
    let production = document.profile == Profile::Production;
    let identity_keys = IdentityKeys::from_secrets(secrets).unwrap_or_else(|binding| {
        let problem = format!("the secret {binding} is not a private Ed25519 key");
        faults.add(
            &[],
            problem,
            "Bind a JWK with kty OKP, crv Ed25519, d, x and kid (RFC 8037)",
        );
        None
    });
    let origins = origins::build(document, identity_keys.as_ref(), secrets, faults);
    let built = authenticators::build(&document.authenticators, secrets, production, faults);
    let rules = limits::limits(&document.limits, faults);
    let env = LazyCell::new(environment as fn() -> _);
    let compiler = Compiler::new(&document.schemas);
    let context = routes::Context {
        document,
        origins: &origins,
        limits: &rules,
        env: &env,
        compiler: &compiler,
    };
    let plans = limits::plans(document, &rules, faults);
    let roles = Roles::build(&document.roles, faults);
    let (routes, table) = routes::build(&context, faults);
    origins::check_keys(document, &routes, faults);
    let mut credential_headers = ["authorization", "proxy-authorization", "dpop"]
        .map(str::to_owned)
        .to_vec();
    for authenticator in &built.authenticators {
        match &authenticator.kind {
            AuthenticatorKind::ApiKey { header, .. } => credential_headers.push(header.clone()),
            AuthenticatorKind::Jwt(_)
            | AuthenticatorKind::Introspection(_)
            | AuthenticatorKind::Certificate(_) => {}
        }
    }
    Gate {
        name: document.name.clone(),
        version,
        production,
        public_url: document.public_url.clone(),
        transport: transport(&document.transport),
        network: network(&document.network, faults),
        cors: document.cors.as_ref().map(cors),
        authenticators: built.authenticators,
        carriers: built.carriers,
        roles,
        origins: origins.values().map(|one| one.url.clone()).collect(),
        limits: rules,
        plans,
        default_plan: document.default_plan.clone(),
        routes,
        table,
        legacy_headers: document.legacy_headers,
        credential_headers,
        identity_keys,
    }
}

fn transport(entry: &TransportEntry) -> Transport {
    let subdomains = if entry.hsts.include_subdomains {
        "; includeSubDomains"
    } else {
        ""
    };
    Transport {
        https_only: entry.https_only,
        min_tls: if entry.min_tls == "1.3" { 13 } else { 12 },
        hsts: format!("max-age={}{subdomains}", entry.hsts.max_age_s),
    }
}

fn network(entry: &NetworkEntry, faults: &mut Faults) -> Network {
    let cidrs = entry
        .deny_cidrs
        .iter()
        .enumerate()
        .filter_map(|(index, text)| {
            let cidr = parse_network(text);
            if cidr.is_none() {
                let at = ["network", "deny_cidrs", &index.to_string()];
                faults.add(
                    &at,
                    "not a network",
                    "Write ADDRESS/PREFIX, as 192.0.2.0/24",
                );
            }
            cidr
        });
    Network {
        deny_cidrs: cidrs.collect(),
        deny_countries: entry.deny_countries.clone(),
        ipv6_prefix: entry.ipv6_prefix,
    }
}

fn cors(entry: &CorsEntry) -> Cors {
    let named = entry.methods.as_ref().map(|names| {
        names
            .iter()
            .filter_map(|name| Method::parse(name))
            .collect::<Vec<_>>()
    });
    Cors {
        any_origin: entry.origins.iter().any(|origin| origin == "*"),
        origins: entry.origins.clone(),
        methods: named.unwrap_or_else(|| vec![Method::Get, Method::Head, Method::Post]),
        headers: entry.headers.clone(),
        credentials: entry.credentials,
        max_age_s: entry.max_age_s,
        expose: entry.expose.clone(),
    }
}
