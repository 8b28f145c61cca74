//! Fields of a request that no caller can say to an origin, whatever it sends.
//!
//! Owns: their names. Called by: `stage::forward`, which takes them out, and `policy::tenancy`, which
//! lets no rule stand on one.

/// Fields that say who a client is or what it asked for, in the words of some proxy or framework.
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

/// Whether a field of this name, in lower case, is taken out of every request. A name with `_` or
/// `.` is: servers that build variables of names read it as another (CVE-2025-64484).
pub fn is_spoken_for(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = |prefix: &&str| name.starts_with(*prefix);
    !name.bytes().all(plain) || SPOKEN_FOR.contains(&name) || SPOKEN_FOR_PREFIXES.iter().any(begins)
}
