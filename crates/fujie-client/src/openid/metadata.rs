//! A provider's description of itself (RFC 8414, OpenID Connect Discovery 1.0 §3): read, and believed only for the
//! issuer that was asked.
//!
//! Owns where the document lies, its limits, and what an issuer is. Deliberately not here: fetching it (never follow
//! a redirect, RFC 8414 §6.2), keeping it, and choosing among what is offered.

use std::net::Ipv4Addr;

use fujie_core::jose::{json, verifying_key::SignatureAlgorithm};
use serde_json::Value;
use url::{Host, Url};

use super::Fields;
use crate::provider::address_fault;

/// Bytes of a document, at most.
pub const METADATA_LENGTH_MAX: usize = 64 * 1024;
/// Characters of an address or issuer, at most.
const ADDRESS_LENGTH_MAX: usize = 2048;
/// Values of a list, at most, and characters of each.
const LIST_LENGTH_MAX: usize = 512;
const WORD_LENGTH_MAX: usize = 256;
/// What stands for the tenant in the issuer of Microsoft's addresses for everybody.
const TENANT: &str = "{tenantid}";

/// What is said of an address that only we can reach, named by an issuer that anybody can.
const INTERNAL: &str = "is in a private network, and the issuer is not";

/// Who an ID token must be from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// An issuer, compared character by character (RFC 8414 §4). Where one address serves many tenants, as Microsoft's
    /// does, one segment of the path is `{tenantid}`, and each token says its tenant in `tid`.
    ///
    /// # Errors
    /// [`MetadataError::Address`] unless it is https (http on loopback) without query and fragment.
    pub fn parse(text: impl Into<String>) -> Result<Self, MetadataError> {
        let text = text.into();
        let bad = |fault| Err(MetadataError::Address("issuer", fault));
        if text.len() > ADDRESS_LENGTH_MAX {
            return bad("is too long");
        }
        if let Some(fault) = address_fault(&text) {
            return bad(fault);
        }
        if text.contains('?') {
            return bad("must not contain a query");
        }
        let tenants = text.split('/').skip(3).filter(|segment| *segment == TENANT).count();
        let braces = text.matches(['{', '}']).count();
        if tenants > 1 || braces != tenants * 2 {
            return bad("may contain {tenantid} once, as a segment of its path");
        }
        Ok(Self(text))
    }

    /// The issuer as it stands.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does it serve many tenants?
    pub fn is_template(&self) -> bool {
        self.0.contains(TENANT)
    }

    /// Is `iss` of a token this issuer? For a template the token must say its tenant in `tid`, which is a GUID there.
    pub fn admits(&self, iss: &str, tid: Option<&str>) -> bool {
        if !self.is_template() {
            return self.0 == iss;
        }
        tid.is_some_and(|tid| is_guid(tid) && self.0.replacen(TENANT, tid, 1) == iss)
    }
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Why a description is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// More than 64 KiB.
    #[error("the metadata is larger than 64 KiB")]
    TooLarge,
    /// No JSON object in UTF-8, or a member comes twice.
    #[error("the metadata is not a JSON object whose members come once")]
    NotJson,
    /// It is about another issuer than the one that was asked (RFC 8414 §3.3): it may impersonate that one.
    #[error("the metadata's issuer is not exactly the one that was asked")]
    IssuerMismatch,
    /// A member that must be there is not.
    #[error("the metadata has no {0}")]
    Missing(&'static str),
    /// A member has another type than the standard says, or no end.
    #[error("the metadata's {0} is malformed")]
    Malformed(&'static str),
    /// An address that we would not use.
    #[error("{0} {1}")]
    Address(&'static str, &'static str),
}

/// What a provider says that it can do. An absent list has the standard's default in it; where that is "not said",
/// it is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// Who this is about.
    pub issuer: Issuer,
    /// Where the person is sent.
    pub authorization_endpoint: Option<String>,
    /// Where tokens come from.
    pub token_endpoint: String,
    /// Where the keys are.
    pub jwks_uri: Option<String>,
    /// Who the person is.
    pub userinfo_endpoint: Option<String>,
    /// RFC 7009.
    pub revocation_endpoint: Option<String>,
    /// RFC 7662.
    pub introspection_endpoint: Option<String>,
    /// RFC 8628.
    pub device_authorization_endpoint: Option<String>,
    /// RFC 9126.
    pub pushed_authorization_request_endpoint: Option<String>,
    /// OpenID Connect RP-Initiated Logout 1.0.
    pub end_session_endpoint: Option<String>,
    /// Must requests be pushed (RFC 9126 §5)?
    pub require_pushed_authorization_requests: bool,
    /// Does every callback name its issuer (RFC 9207 §3)? Then one without is refused.
    pub authorization_response_iss_parameter_supported: bool,
    /// Grant types; `authorization_code` and `implicit` unless said otherwise.
    pub grant_types_supported: Vec<String>,
    /// How a client may authenticate; `client_secret_basic` unless said otherwise.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// With which algorithms a client may sign its assertions.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// PKCE methods. Empty says nothing: some providers have PKCE and do not tell, so send it all the same.
    pub code_challenge_methods_supported: Vec<String>,
    /// With which algorithms a DPoP proof may be signed (RFC 9449 §5.1). Empty: no DPoP.
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// With which algorithms ID tokens are signed, as far as we verify them.
    pub id_token_signing_algorithms: Vec<SignatureAlgorithm>,
    /// Scopes that may be asked for; the list need not be whole.
    pub scopes_supported: Vec<String>,
}

impl Metadata {
    /// Reads a document about `asked`. What we do not use is not looked at. An issuer out in the world cannot lead us to
    /// addresses of loopback, of private networks or of a link (a request forged through us), as far as they are written
    /// out: names that resolve to such addresses cannot be told apart here, so let the network keep them from us.
    ///
    /// # Errors
    /// [`MetadataError`], by cause.
    pub fn read(text: &[u8], asked: &Issuer) -> Result<Self, MetadataError> {
        if text.len() > METADATA_LENGTH_MAX {
            return Err(MetadataError::TooLarge);
        }
        let fields = json::object(text).ok_or(MetadataError::NotJson)?;
        if word(&fields, "issuer")?.ok_or(MetadataError::Missing("issuer"))? != asked.as_str() {
            return Err(MetadataError::IssuerMismatch);
        }
        let list = |name, default: &[&str]| list(&fields, name, default);
        let may_be_internal = Url::parse(asked.as_str()).is_ok_and(|url| is_internal(&url));
        let address = |name| address(&fields, name, may_be_internal);
        let algorithms = list("id_token_signing_alg_values_supported", &["RS256"])?;
        Ok(Self {
            issuer: asked.clone(),
            authorization_endpoint: address("authorization_endpoint")?,
            token_endpoint: address("token_endpoint")?.ok_or(MetadataError::Missing("token_endpoint"))?,
            jwks_uri: address("jwks_uri")?,
            userinfo_endpoint: address("userinfo_endpoint")?,
            revocation_endpoint: address("revocation_endpoint")?,
            introspection_endpoint: address("introspection_endpoint")?,
            device_authorization_endpoint: address("device_authorization_endpoint")?,
            pushed_authorization_request_endpoint: address("pushed_authorization_request_endpoint")?,
            end_session_endpoint: address("end_session_endpoint")?,
            require_pushed_authorization_requests: flag(&fields, "require_pushed_authorization_requests")?,
            authorization_response_iss_parameter_supported: flag(
                &fields,
                "authorization_response_iss_parameter_supported",
            )?,
            grant_types_supported: list("grant_types_supported", &["authorization_code", "implicit"])?,
            token_endpoint_auth_methods_supported: list(
                "token_endpoint_auth_methods_supported",
                &["client_secret_basic"],
            )?,
            token_endpoint_auth_signing_alg_values_supported: list(
                "token_endpoint_auth_signing_alg_values_supported",
                &[],
            )?,
            code_challenge_methods_supported: list("code_challenge_methods_supported", &[])?,
            dpop_signing_alg_values_supported: list("dpop_signing_alg_values_supported", &[])?,
            id_token_signing_algorithms: algorithms.iter().filter_map(|name| SignatureAlgorithm::parse(name)).collect(),
            scopes_supported: list("scopes_supported", &[])?,
        })
    }
}

/// Where the description of an issuer may lie, in the order of trying: OpenID Connect Discovery 1.0 §4.1 puts the path
/// behind the issuer, RFC 8414 §3.1 between its host and its own path. For an issuer with `{tenantid}` give the
/// address of one of its doors instead, for example `…/common/v2.0`.
pub fn well_known(issuer: &str) -> [String; 2] {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let behind_scheme = issuer.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = issuer.split_at_checked(behind_scheme).unwrap_or_default();
    let (host, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    [
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{scheme}{host}/.well-known/oauth-authorization-server{path}"),
    ]
}

/// An endpoint: https anywhere, http on loopback only, no fragment. It may have a query. It is inside our own network
/// only when the issuer is.
fn address(fields: &Fields, name: &'static str, may_be_internal: bool) -> Result<Option<String>, MetadataError> {
    let Some(text) = word(fields, name)? else { return Ok(None) };
    if let Some(fault) = address_fault(text) {
        return Err(MetadataError::Address(name, fault));
    }
    let url = Url::parse(text).ok().filter(Url::has_host).ok_or(MetadataError::Malformed(name))?;
    if is_internal(&url) && !may_be_internal {
        return Err(MetadataError::Address(name, INTERNAL));
    }
    // The parser's own spelling would differ for a host in capitals; we send what was written.
    Ok(Some(text.to_owned()))
}

/// Whether the host is of a kind that only we can reach: this machine, a private network, its neighbourhood. Addresses
/// and the names of loopback are seen; what another name resolves to is not.
fn is_internal(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_internal_v4(address),
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(address) => is_internal_v4(address),
            None => {
                let is_local = address.is_unique_local() || address.is_unicast_link_local();
                address.is_loopback() || address.is_unspecified() || is_local
            }
        },
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    // RFC 6598: shared behind one carrier; a large cloud tells machines their credentials there.
    let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
    let is_local = address.is_private() || address.is_link_local();
    address.is_loopback() || address.is_unspecified() || is_local || is_shared
}

fn word<'a>(fields: &'a Fields, name: &'static str) -> Result<Option<&'a str>, MetadataError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= ADDRESS_LENGTH_MAX => Ok(Some(text)),
        Some(_) => Err(MetadataError::Malformed(name)),
    }
}

fn flag(fields: &Fields, name: &'static str) -> Result<bool, MetadataError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(is_true)) => Ok(*is_true),
        Some(_) => Err(MetadataError::Malformed(name)),
    }
}

fn list(fields: &Fields, name: &'static str, default: &[&str]) -> Result<Vec<String>, MetadataError> {
    let values = match fields.get(name) {
        None | Some(Value::Null) => return Ok(default.iter().map(|word| (*word).to_owned()).collect()),
        Some(Value::Array(values)) if values.len() <= LIST_LENGTH_MAX => values,
        Some(_) => return Err(MetadataError::Malformed(name)),
    };
    let word = |value: &Value| value.as_str().filter(|word| word.len() <= WORD_LENGTH_MAX).map(str::to_owned);
    values.iter().map(word).collect::<Option<_>>().ok_or(MetadataError::Malformed(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://op.example/a";
    const COMMON: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    const TID: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

    fn read(changes: Value) -> Result<Metadata, MetadataError> {
        let mut document = json!({"issuer": ISSUER, "token_endpoint": "https://op.example/token"});
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        Metadata::read(document.to_string().as_bytes(), &Issuer::parse(ISSUER).unwrap())
    }

    #[test]
    fn what_is_not_said_has_the_default_of_the_standard() {
        let metadata = read(json!({"jwks_uri": null, "service_documentation": 7})).unwrap();
        assert_eq!(metadata.token_endpoint, "https://op.example/token");
        assert_eq!((metadata.authorization_endpoint, metadata.jwks_uri), (None, None));
        assert_eq!(metadata.grant_types_supported, ["authorization_code", "implicit"]);
        assert_eq!(metadata.token_endpoint_auth_methods_supported, ["client_secret_basic"]);
        assert_eq!(metadata.id_token_signing_algorithms, [SignatureAlgorithm::Rs256]);
        assert!(metadata.code_challenge_methods_supported.is_empty());
        assert!(metadata.dpop_signing_alg_values_supported.is_empty());
        assert!(!metadata.require_pushed_authorization_requests);
        assert!(!metadata.authorization_response_iss_parameter_supported);
    }

    #[test]
    fn what_is_said_is_read() {
        let metadata = read(json!({
            "pushed_authorization_request_endpoint": "https://par.example/par?x=1",
            "device_authorization_endpoint": "https://device.example/device",
            "require_pushed_authorization_requests": true,
            "authorization_response_iss_parameter_supported": true,
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
            "id_token_signing_alg_values_supported": ["none", "HS256", "ES512", "PS256", "Ed25519"],
        }));
        let metadata = metadata.unwrap();
        let endpoint = |endpoint: &Option<String>| endpoint.clone().unwrap();
        assert_eq!(endpoint(&metadata.pushed_authorization_request_endpoint), "https://par.example/par?x=1");
        assert_eq!(endpoint(&metadata.device_authorization_endpoint), "https://device.example/device");
        assert!(metadata.require_pushed_authorization_requests);
        assert!(metadata.authorization_response_iss_parameter_supported);
        assert_eq!(metadata.dpop_signing_alg_values_supported, ["ES256", "EdDSA"]);
        let known = [SignatureAlgorithm::Ps256, SignatureAlgorithm::EdDsa];
        assert_eq!(metadata.id_token_signing_algorithms, known, "what we never believe is not in the list");
    }

    #[test]
    fn a_description_of_somebody_else_is_refused() {
        for issuer in [
            "https://op.example/a/",
            "https://op.example/A",
            "https://OP.example/a",
            "https://op.example:443/a",
            "https://op.example",
            "https://op.example/%61",
            "https://evil.example/a",
        ] {
            assert_eq!(read(json!({ "issuer": issuer })), Err(MetadataError::IssuerMismatch), "{issuer}");
        }
        assert_eq!(read(json!({"issuer": null})), Err(MetadataError::Missing("issuer")));
        assert_eq!(read(json!({"issuer": [ISSUER]})), Err(MetadataError::Malformed("issuer")));
    }

    #[test]
    fn a_description_that_would_lead_astray_is_refused() {
        use MetadataError::{Malformed, Missing};
        let cases = [
            (json!({"token_endpoint": null}), Missing("token_endpoint")),
            (json!({"token_endpoint": 1}), Malformed("token_endpoint")),
            (
                json!({"token_endpoint": format!("https://op.example/{}", "a".repeat(2048))}),
                Malformed("token_endpoint"),
            ),
            (json!({"grant_types_supported": "authorization_code"}), Malformed("grant_types_supported")),
            (json!({"scopes_supported": [1]}), Malformed("scopes_supported")),
            (json!({"scopes_supported": ["a".repeat(257)]}), Malformed("scopes_supported")),
            (json!({"scopes_supported": vec!["a"; 513]}), Malformed("scopes_supported")),
            (
                json!({"require_pushed_authorization_requests": "true"}),
                Malformed("require_pushed_authorization_requests"),
            ),
        ];
        for (changes, expected) in cases {
            assert_eq!(read(changes.clone()), Err(expected), "{changes:.80}");
        }
        for address in [
            "http://op.example/x",
            "http://127.0.0.1.evil.example/x",
            "ftp://op.example/x",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "/x",
            "//op.example/x",
            "https://u:p@op.example/x",
            "https://op.example/x#y",
            "https://op.example/x y",
            "https://op.example\\@evil.example/",
            "",
        ] {
            for name in ["authorization_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint"] {
                assert!(
                    matches!(read(json!({ name: address })), Err(MetadataError::Address(_, _))),
                    "{name} {address}"
                );
            }
        }
    }

    /// A document of this issuer with one address in it.
    fn leading(issuer: &str, name: &str, address: &str) -> Result<Metadata, MetadataError> {
        let mut document = json!({"issuer": issuer, "token_endpoint": issuer});
        document[name] = json!(address);
        Metadata::read(document.to_string().as_bytes(), &Issuer::parse(issuer).unwrap())
    }

    #[test]
    fn a_remote_issuer_leads_nobody_into_our_own_network() {
        let names = ["token_endpoint", "jwks_uri", "userinfo_endpoint", "device_authorization_endpoint"];
        let own = "localhost LOCALHOST. x.localhost 127.0.0.1 127.1 2130706433 0.0.0.0 [::1] [::]";
        let private = "10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 [fc00::1] [fdff::1] [::ffff:10.0.0.1]";
        let near = "169.254.169.254 100.100.100.200 [fe80::1]";
        for host in [own, private, near].into_iter().flat_map(|hosts| hosts.split(' ')) {
            for (name, address) in names.map(|name| (name, format!("https://{host}:8443/x"))) {
                let refused = Err(MetadataError::Address(name, INTERNAL));
                assert_eq!(leading(ISSUER, name, &address), refused, "{address}");
                for own in ["http://127.0.0.1:3000", "https://10.0.0.7", "https://[fc00::2]/a", "http://localhost"] {
                    assert!(leading(own, name, &address).is_ok(), "{own} {address}");
                }
            }
        }
        for host in ["172.15.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "[fe00::1]", "[2001:db8::1]", "8.8.8.8"]
        {
            assert!(leading(ISSUER, "jwks_uri", &format!("https://{host}/x")).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_document_without_end_or_with_two_meanings_is_refused() {
        let issuer = Issuer::parse(ISSUER).unwrap();
        let long = format!("{{}}{}", " ".repeat(METADATA_LENGTH_MAX));
        assert_eq!(Metadata::read(long.as_bytes(), &issuer), Err(MetadataError::TooLarge));
        let twice = format!(r#"{{"issuer":"{ISSUER}","issuer":"{ISSUER}","token_endpoint":"https://op.example/t"}}"#);
        for text in ["", "[]", "<html>", "null", &twice] {
            assert_eq!(Metadata::read(text.as_bytes(), &issuer), Err(MetadataError::NotJson), "{text}");
        }
    }

    #[test]
    fn both_standards_say_where_the_document_lies() {
        let check =
            |issuer: &str, openid: &str, oauth: &str| assert_eq!(well_known(issuer), [openid, oauth], "{issuer}");
        let (openid, oauth) = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server");
        for root in ["https://op.example", "https://op.example/"] {
            check(root, &format!("https://op.example{openid}"), &format!("https://op.example{oauth}"));
        }
        for below in ["https://op.example:8443/a/b", "https://op.example:8443/a/b/"] {
            let (host, path) = ("https://op.example:8443", "/a/b");
            check(below, &format!("{host}{path}{openid}"), &format!("{host}{oauth}{path}"));
        }
    }

    #[test]
    fn an_issuer_is_itself_or_one_tenant_of_its_template() {
        let exact = Issuer::parse(ISSUER).unwrap();
        assert!(exact.admits(ISSUER, None) && exact.admits(ISSUER, Some(TID)));
        assert!(!exact.admits("https://op.example/a/", None));
        let common = Issuer::parse(COMMON).unwrap();
        let of = |tenant: &str| COMMON.replace(TENANT, tenant);
        assert!(common.admits(&of(TID), Some(TID)));
        let other = "00000000-0000-0000-0000-000000000000";
        for (iss, tid) in [
            (of(TID), None),
            (of(TID), Some(other)),
            (of(other), Some(TID)),
            (COMMON.to_owned(), Some(TENANT)),
            (of("x/y"), Some("x/y")),
            (of(""), Some("")),
            (of("common"), Some("common")),
            (of(&TID.replace('-', "/")), Some(&TID.replace('-', "/"))),
            ("https://evil.example/v2.0".to_owned(), Some(TID)),
        ] {
            assert!(!common.admits(&iss, tid), "{iss} {tid:?}");
        }
        for bad in [
            "http://op.example",
            "https://op.example?x",
            "https://op.example#x",
            "https://{tenantid}.example/",
            "https://op.example/{tenantid}/{tenantid}",
            "https://op.example/{tenant}",
            "https://op.example/x{tenantid}",
            "op.example",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }
}
