//! TLS between Envoy and the external processor.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use reqwest::Client;

use crate::{
    configuration::{example, inserted, readme, replaced},
    envoy, in_time,
    process::{Envoy, ExtProc, directory},
    until,
    upstream::Upstream,
};

const REQUEST: &str = r#"{"model":"moonshot/kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
const REWRITTEN: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;

/// The name in the README's example.
const NAME: &str = "moonshot-ext-proc";

/// An authority, and a directory with its certificates: `ca.pem`, `server.pem` and
/// `client.pem` with their keys.
struct Authority {
    directory: PathBuf,
}

impl Authority {
    fn new() -> Self {
        let directory = directory();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Another name than that of its certificates, which would seem self-signed.
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(directory.join("ca.pem"), ca.pem()).unwrap();
        for (who, purpose) in [
            ("server", ExtendedKeyUsagePurpose::ServerAuth),
            ("client", ExtendedKeyUsagePurpose::ClientAuth),
        ] {
            let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
            params.extended_key_usages = vec![purpose];
            let key = KeyPair::generate().unwrap();
            let cert = params.signed_by(&key, &ca).unwrap();
            std::fs::write(directory.join(format!("{who}.pem")), cert.pem()).unwrap();
            std::fs::write(directory.join(format!("{who}.key")), key.serialize_pem()).unwrap();
        }
        Self { directory }
    }

    fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// The README's example, with the files of this authority.
    fn example(&self, text: &str) -> String {
        let mut socket = readme("UpstreamTlsContext");
        for name in ["client.pem", "client.key", "ca.pem"] {
            let (old, new) = (format!("filename: {name}"), self.file(name));
            socket = replaced(&socket, &[(&old, &format!("filename: {new}"))]);
        }
        inserted(text, "    - name: moonshot_ext_proc\n", &socket)
    }
}

async fn is_served(envoy: &Envoy, upstream: &Upstream) -> bool {
    let request = Client::new()
        .post(envoy.url("/v1/chat/completions"))
        .header("content-type", "application/json")
        .body(REQUEST);
    let status = in_time(request.send()).await.unwrap().status();
    let arrived = upstream.take().pop();
    assert_eq!(status == 200, arrived.is_some(), "{status}");
    assert!(status == 200 || status.is_server_error(), "{status}");
    arrived.is_some_and(|arrived| arrived.body == REWRITTEN)
}

async fn start(program: &Path, text: &str, is_healthy: bool) -> Envoy {
    let envoy = Envoy::start(program, text).await;
    if is_healthy {
        envoy.has_healthy("moonshot_ext_proc", 1).await;
    } else {
        envoy.has_failed_checks("moonshot_ext_proc").await;
    }
    envoy
}

#[tokio::test]
async fn envoy_and_the_processor_prove_to_one_another_who_they_are() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let (ours, other) = (Authority::new(), Authority::new());
    let (cert, key, ca) = (
        ours.file("server.pem"),
        ours.file("server.key"),
        ours.file("ca.pem"),
    );
    let tls = ["--tls-cert", &cert, "--tls-key", &key];
    let mutual = [&tls[..], &["--tls-client-ca", &ca]].concat();
    for (arguments, needs_certificate) in [(&tls[..], false), (&mutual[..], true)] {
        let processor = ExtProc::start(upstream.address, arguments).await;
        let plain = example(&[processor.address], upstream.address);
        let good = ours.example(&plain);
        let anonymous = without_certificate(&good);
        // The certificate of another authority, which the processor must not accept.
        let stranger = replaced(
            &good,
            &[
                (&ours.file("client.pem"), &other.file("client.pem")),
                (&ours.file("client.key"), &other.file("client.key")),
            ],
        );
        for (what, text, expected) in [
            ("good", &good, true),
            ("anonymous", &anonymous, !needs_certificate),
            ("stranger", &stranger, !needs_certificate),
            // Envoy must not accept the processor, or speaks no TLS.
            ("other authority", &other.example(&plain), false),
            ("plain", &plain, false),
        ] {
            let envoy = start(&program, text, expected).await;
            if expected {
                until(async || is_served(&envoy, &upstream).await).await;
            } else {
                assert!(!is_served(&envoy, &upstream).await, "{what}");
            }
        }
    }
}

/// Removes the client's certificate from Envoy's configuration.
fn without_certificate(text: &str) -> String {
    let start = text.find("tls_certificates:").unwrap();
    let end = start + text[start..].find("validation_context:").unwrap();
    format!("{}{}", &text[..start], &text[end..])
}
