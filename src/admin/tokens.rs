//! Tokens taken back: marks with the caller or with the issuer.

use serde_json::{Map, Value, json};

use crate::admin::command::TokensAsked;
use crate::admin::marks::{self, NotMarked};
use crate::admin::ports::AdminPorts;
use crate::admin::{Act, Desk, Done, unfit};
use crate::facts::UnixMs;
use crate::limit::standing::STANDING_MS;
use crate::object::ObjectName;
use crate::policy::gate::AuthenticatorKind;
use crate::refusal::Refusal;
use crate::revocation::Mark;

/// Longest life of a signed token under any policy, with its leeway: the schema's bounds. Those of
/// the policy in force may be raised while a mark stands.
const TOKEN_LIFETIME_S_MAX: u64 = 86_400 + 60;
/// How long a mark stays whose tokens' end nobody knows: a year.
const OPAQUE_MARK_S: u64 = 365 * 86_400;
/// How far ahead of the gateway's clock an instant may lie.
const AHEAD_S_MAX: u64 = 60;

/// An issuer, as callers are named by.
struct Issuer<'a> {
    authenticator: &'a str,
    name: &'a str,
    /// Whether its tokens tell a version.
    has_version: bool,
    /// How long after its issue a token may be good; `None` if nobody knows.
    lifetime_s: Option<u64>,
}

/// Writes a mark, and tells what it says with what was left out filled in.
pub(super) async fn revoke<P: AdminPorts>(
    desk: &Desk<'_, P>,
    asked: TokensAsked,
) -> Result<Done, Refusal> {
    let issuer = issuer(desk, asked.authenticator.as_deref())?;
    let now_s = desk.now_ms() / 1_000;
    let mut told = Map::new();
    told.insert("authenticator".into(), json!(issuer.authenticator));
    let mark = mark_of(&asked, &issuer, now_s, &mut told)?;
    let object = match &asked.subject {
        Some(subject) => {
            told.insert("subject".into(), json!(subject));
            ObjectName::of_caller(issuer.authenticator, issuer.name, subject)
        }
        None => ObjectName::of_issuer(issuer.authenticator, issuer.name),
    };
    if asked.every {
        told.insert("every".into(), json!(true));
    }
    // Noted first: a mark whose writing failed may stand all the same.
    desk.note(&Act {
        name: "tokens.revoke",
        target: told.clone(),
        before: None,
        after: None,
    });
    match marks::write(desk.ports, &object, &mark).await {
        Ok(()) => {}
        Err(NotMarked::Full) => {
            let message = "so many tokens of one caller or issuer are revoked by their ids already";
            let fix =
                "Revoke all that were issued so far: leave out jti, and give the subject or every";
            return Err(unfit("/jti", "jti", message, fix));
        }
        Err(NotMarked::Down(down)) => return Err(down.into()),
    }
    Ok(Done {
        status: 200,
        document: json!({ "revoked": told, "effective_within_s": STANDING_MS / 1_000 }),
    })
}

/// The mark that was asked for; `told` gets what it says, with what was left out filled in.
fn mark_of(
    asked: &TokensAsked,
    issuer: &Issuer<'_>,
    now_s: u64,
    told: &mut Map<String, Value>,
) -> Result<Mark, Refusal> {
    let lives_until_ms = |from_s: u64| -> UnixMs {
        let lifetime_s = issuer.lifetime_s.unwrap_or(OPAQUE_MARK_S);
        from_s.saturating_add(lifetime_s + 1).saturating_mul(1_000)
    };
    if let Some(id) = &asked.jti {
        told.insert("jti".into(), json!(id));
        let until_ms = match asked.expires_at {
            // Beyond the leeway of whoever checks the token's end, and the lead of the issuer's clock.
            Some(at_s) => at_s
                .max(now_s)
                .saturating_add(AHEAD_S_MAX * 2)
                .saturating_mul(1_000),
            None => lives_until_ms(now_s),
        };
        told.extend(
            asked
                .expires_at
                .map(|at_s| ("expires_at".to_owned(), json!(at_s))),
        );
        Ok(Mark::Token {
            id: id.clone(),
            until_ms,
        })
    } else if let Some(version) = asked.version_below {
        if !issuer.has_version {
            let message = "the authenticator maps no claim to a version: every token would be refused, for good";
            let fix =
                "Set claims.version in the policy, or revoke by instant: leave version_below out";
            return Err(unfit("/version_below", "version_below", message, fix));
        }
        told.insert("version_below".into(), json!(version));
        Ok(Mark::VersionUnder { version })
    } else {
        let at_s = asked.issued_before.unwrap_or(now_s);
        if at_s > now_s.saturating_add(AHEAD_S_MAX) {
            let fix = "Write an instant that has passed, or leave it out";
            let message = "tokens that are not issued yet would be refused";
            return Err(unfit("/issued_before", "issued_before", message, fix));
        }
        told.insert("issued_before".into(), json!(at_s));
        let until_ms = lives_until_ms(at_s.max(now_s));
        Ok(Mark::IssuedUpTo { at_s, until_ms })
    }
}

fn issuer<'a, P>(desk: &Desk<'a, P>, named: Option<&str>) -> Result<Issuer<'a>, Refusal> {
    let all = desk.gate.iter().flat_map(|gate| &gate.authenticators);
    let issuers = all.filter_map(|one| {
        let (name, lifetime_s) = match &one.kind {
            AuthenticatorKind::Jwt(rule) => (rule.issuer.as_str(), Some(TOKEN_LIFETIME_S_MAX)),
            AuthenticatorKind::Introspection(rule) => (rule.issuer_name(), None),
            AuthenticatorKind::ApiKey { .. } | AuthenticatorKind::Certificate(_) => return None,
        };
        let rule = one.kind.token_rule()?;
        Some(Issuer {
            has_version: rule.claims.version.is_some(),
            authenticator: &one.name,
            name,
            lifetime_s,
        })
    });
    let fits = |issuer: &Issuer<'_>| named.is_none_or(|named| named == issuer.authenticator);
    let mut found: Vec<_> = issuers.filter(fits).collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => {
            let message = "the policy in force has no such authenticator of tokens";
            let fix = "Name one of those that edgeward status lists";
            Err(unfit("/authenticator", "authenticator", message, fix))
        }
        (Some(_), false) => {
            let message = "the policy has several authenticators of tokens";
            Err(unfit(
                "/authenticator",
                "authenticator",
                message,
                "Name one of them",
            ))
        }
    }
}
