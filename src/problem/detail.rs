//! What a client is told of a refusal in words.
//!
//! Owns: the sentences, one for each reason that a client can tell apart. Called by: `problem`.

use crate::credential::presented::PresentFault;
use crate::refusal::Refusal;

/// One or two sentences: what is wrong, and what to do.
#[expect(clippy::too_many_lines, reason = "one table, a line a refusal")]
pub(super) fn detail_of(refusal: &Refusal) -> String {
    let text = match refusal {
        Refusal::NotHttps => {
            "This API is served over HTTPS alone. Use an https: URL, and treat any credential sent in the clear as stolen."
        }
        Refusal::TlsTooOld => "The connection's TLS version is too old. Use TLS 1.2 or newer.",
        Refusal::TargetTooLong => {
            "Path and query together are too long. Shorten them, or send the data as content."
        }
        Refusal::HeadersTooLarge => {
            "Too many or too large header fields. Send fewer, or smaller cookies."
        }
        Refusal::HeaderMalformed {
            name: "idempotency-key",
        } => {
            "Idempotency-Key is malformed or stands more than once. Send it once, in quotes, as \"8e03978e-40d5-43dd-bc93-6894a57f9324\"."
        }
        Refusal::HeaderMalformed { name } => {
            return format!(
                "The header field {name} is malformed or stands more than once. Send it once, well-formed."
            );
        }
        Refusal::AmbiguousPath { .. } => {
            "The path can be read in more than one way. Send it without empty, . or .. segments, backslashes, semicolons, and encoded slashes or controls."
        }
        Refusal::MalformedQuery { .. } => {
            "The query is malformed. Percent-encode it as UTF-8 and send fewer pairs."
        }
        Refusal::NoAddress => "The client's address is not known.",
        Refusal::AddressDenied | Refusal::CountryDenied => {
            "This API is not served to your network."
        }
        Refusal::OriginNotAllowed => {
            "Pages of this origin may not call the API. Ask its owner to add the origin."
        }
        Refusal::NoRoute
        | Refusal::ObjectMissing
        | Refusal::ObjectRefused {
            is_hidden: true, ..
        } => {
            "There is nothing at this path. Check its spelling, case, trailing slash and identifiers."
        }
        Refusal::OtherMethod { .. } => {
            "This path does not take this method. Use one of those in the Allow header."
        }
        Refusal::UnexpectedBody => {
            "A request of this method has no content. Send none, or use another method."
        }
        Refusal::NoSocket => {
            "Nothing at this path is served over WebSocket. Send a plain request, or ask for another path."
        }
        Refusal::SocketAlone => {
            "This path is served over WebSocket alone. Open it with a WebSocket client."
        }
        Refusal::SocketVersion => {
            "This version of WebSocket is not known. Use the one that Sec-WebSocket-Version names."
        }
        Refusal::NoOrigin => {
            "A handshake without Origin needs a credential in a header field. Send one, or connect from an allowed page."
        }
        Refusal::OverLimit { .. } => {
            "Too many requests. Wait as long as Retry-After says, then try again."
        }
        Refusal::OverEveryLimit { .. } => {
            "This request costs more than a limit ever allows. Waiting does not help: ask for less at once."
        }
        Refusal::CounterDown { .. } => {
            "A limit cannot be counted at the moment. Try again after Retry-After."
        }
        Refusal::NoPlan => "You have no plan that covers this API. Ask its owner for one.",
        Refusal::NoCredential => {
            "This path needs a credential. Send one as the WWW-Authenticate header says."
        }
        Refusal::NotSingle {
            fault: PresentFault::Repeated,
        } => "More than one credential. Send exactly one.",
        Refusal::NotSingle {
            fault: PresentFault::InQuery,
        } => {
            "A credential in the URL ends up in logs. Send it in the Authorization header, and replace this one."
        }
        Refusal::NotSingle {
            fault: PresentFault::Scheme,
        }
        | Refusal::NotTaken => {
            "This path does not take this kind of credential. Send one as the WWW-Authenticate header says."
        }
        Refusal::NotSingle {
            fault: PresentFault::Malformed,
        }
        | Refusal::KeyRefused { .. }
        | Refusal::TokenRefused { .. }
        | Refusal::CertificateRefused { .. }
        | Refusal::Revoked { .. } => {
            "The credential is not accepted. Get a new one, or ask the API's owner with the request id."
        }
        Refusal::MissingScopes { missing } => {
            return format!(
                "The credential lacks a scope. Get one with: {}.",
                missing.join(" ")
            );
        }
        Refusal::MissingAnyScope { any } => {
            return format!(
                "The credential lacks a scope. Get one with any of: {}.",
                any.join(" ")
            );
        }
        Refusal::ProofRefused { .. } => {
            "The DPoP proof is not for this request. Make a new one, with this method, URL and token, and the clock right."
        }
        Refusal::NonceNeeded => {
            "The DPoP proof needs a nonce. Make a new one with the value of the DPoP-Nonce header."
        }
        Refusal::StepUp { .. } => {
            "This needs a fresher or stronger login. Log in again as the WWW-Authenticate header says."
        }
        Refusal::NotReckoned { .. } => {
            "What this request counts for cannot be told from it. Send it as the API documents, or ask its owner with the request id."
        }
        Refusal::FieldRefused { .. } => {
            "You may not set some of what you send. Leave out what errors names, or ask the API's owner."
        }
        // Whose it is, and whether it exists, is not told.
        Refusal::ObjectRefused {
            is_hidden: false, ..
        }
        | Refusal::MissingRole
        | Refusal::NoTenant
        | Refusal::TenantNotNamed
        | Refusal::OtherTenant
        | Refusal::NotAllowed
        | Refusal::AllowFailed { .. } => {
            "You may not do this: it is another's, needs a role that you do not have, or a rule of this API forbids it. Ask the API's owner."
        }
        Refusal::MediaType => {
            "The content's type is not taken here. Send a Content-Type that the API documents, in UTF-8."
        }
        Refusal::ContentEncoding => {
            "Encoded content is not taken here. Send it without Content-Encoding."
        }
        Refusal::TooLarge { max_bytes } => {
            return format!("The content is too large. Send at most {max_bytes} bytes.");
        }
        Refusal::BodyBroken => "The content ended early. Send it again.",
        Refusal::BodyTimeout => "The content came too slowly. Send it again.",
        Refusal::DigestMismatch => {
            "The content is not what Content-Digest says. Send it again, with the digest of what is sent."
        }
        Refusal::NotJson { .. } => {
            "The content is not JSON that every reader reads alike. See errors."
        }
        Refusal::NotForm { .. } => {
            "The content is not a form that every reader reads alike. See errors."
        }
        Refusal::Invalid { .. } => {
            "The request does not have the form that the API documents. See errors."
        }
        Refusal::NoIdempotencyKey => {
            "This operation is carried out once for each key. Send an Idempotency-Key in quotes, a new one for each new request."
        }
        Refusal::InFlight { .. } => {
            "A request with this Idempotency-Key is on its way. Send it again after Retry-After for its answer."
        }
        Refusal::OutcomeUnknown => {
            "What became of the request with this Idempotency-Key is not known, and it is not carried out again. Look up what happened before you use a new key."
        }
        Refusal::AnswerNotKept { status } => {
            return format!(
                "The request with this Idempotency-Key was carried out, with status {status}; its answer was too large to be kept."
            );
        }
        Refusal::KeyReused => {
            "This Idempotency-Key was used for another request. Use a new key for a new request."
        }
        Refusal::NoPolicy
        | Refusal::KeyRecord { .. }
        | Refusal::PortDown { .. }
        | Refusal::AnswerMismatch { .. } => {
            "The gateway cannot decide at the moment. Try again after Retry-After."
        }
        Refusal::OriginDown => {
            "The service behind the gateway cannot be reached. Try again after Retry-After."
        }
        Refusal::OriginTimeout => {
            "The service behind the gateway did not answer in time. It may have acted; check before you repeat."
        }
        Refusal::OriginOpen { .. } => {
            "The service behind the gateway fails, and is left alone to recover. Try again after Retry-After."
        }
        Refusal::OriginFull => {
            "Too many requests are open at once. This one had no effect. Try again after Retry-After."
        }
        Refusal::OriginFailed { status: 503, .. } => {
            "The service behind the gateway says that it is not available. Try again after Retry-After."
        }
        Refusal::OriginFailed { .. } => {
            "The service behind the gateway failed. It may have acted; check before you repeat."
        }
        Refusal::OriginInvalid | Refusal::OriginTooLarge { .. } | Refusal::AnswerUnfit { .. } => {
            "The service behind the gateway answered with nothing that can be passed on."
        }
        Refusal::ClientGone => {
            "The client went away before the service behind the gateway answered."
        }
        Refusal::Panicked => {
            "The gateway failed on this request alone. Try again after Retry-After."
        }
    };
    text.to_owned()
}
