//! Requests as the platform tells of them.

use edgeward::facts::{Connection, Facts, Headers, RequestId};

use super::NOW_MS;

/// A request from 192.0.2.1 over TLS 1.3.
pub fn request(method: &str, target: &str, fields: &[(&str, &str)], body: &str) -> Facts {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut fields: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    if !body.is_empty() {
        fields.push(("content-length".into(), body.len().to_string()));
    }
    Facts {
        request_id: RequestId::from_random([7; 16]),
        received_at_ms: NOW_MS,
        method: method.to_owned(),
        is_https: true,
        authority: "api.example.com".into(),
        raw_path: path.to_owned(),
        raw_query: query,
        headers: Headers::new(fields),
        has_body: !body.is_empty(),
        connection: Connection {
            ip: Some([192, 0, 2, 1].into()),
            country: Some("NL".into()),
            colo: Some("AMS".into()),
            tls_version: Some("TLSv1.3".into()),
            certificate: None,
        },
    }
}
