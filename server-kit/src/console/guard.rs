//! Who may look, and what their browser may do with it. Nothing here is secret from who reaches the port; a page of
//! somebody else's in an operator's browser is another matter.

use crate::host_name;
use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::net::IpAddr;

/// The page's own files and data, and nothing else; nobody frames it, nothing is sent from it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is said to who came by a name that anybody may give away.
const ASK_OTHERWISE: &str = "Ask by address, by localhost or by the machine's own name.\n";

/// Lets a request through that is for this machine and not from another site's page, and says what the answer is for.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let head = request.headers();
    let value = |name: &str| head.get(name).and_then(|value| value.to_str().ok());
    // Browsers say where a request comes from; other programs say nothing.
    let is_foreign = value("sec-fetch-site").is_some_and(|site| site == "cross-site")
        && value("sec-fetch-mode") != Some("navigate");
    let is_ours = value("host").is_some_and(|host| names_this_machine(host, &host_name()));
    let mut response = match (is_ours, is_foreign) {
        (false, _) => (StatusCode::MISDIRECTED_REQUEST, ASK_OTHERWISE).into_response(),
        (true, true) => StatusCode::FORBIDDEN.into_response(),
        (true, false) => next.run(request).await,
    };
    let said = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        said.insert(name, HeaderValue::from_static(value));
    }
    let own = HeaderValue::from_static("same-origin");
    said.insert("cross-origin-resource-policy", own);
    response
}

/// Whether a `Host` is an address, or a name that nobody else can give away: a name of somebody's that leads here would let
/// their page read what this one does.
fn names_this_machine(host: &str, own: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_own = |known: &str| name.eq_ignore_ascii_case(known);
    bare.parse::<IpAddr>().is_ok()
        || is_own("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || is_own(own)
}

#[cfg(test)]
mod tests;
