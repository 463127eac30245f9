//! Fetching over TLS.

use std::{convert::Infallible, sync::Arc};

use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::ring, pki_types::CertificateDer,
    server::Acceptor,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::LazyConfigAcceptor;
use tower::service_fn;
use tower_moonshot::inline_media::{InlineMediaLayer, MediaClient, NotInlined};

use crate::harness::*;

/// What a server received.
#[derive(Debug)]
struct Heard {
    /// The server name of the TLS handshake.
    name: Option<String>,
    /// The request up to the first empty line. Empty if the handshake failed.
    head: String,
}

/// A TLS server that serves an image on a limited number of connections. `/to` redirects.
struct Server {
    port: u16,
    /// The certificate of the authority that signed its own.
    authority: CertificateDer<'static>,
    heard: JoinHandle<Vec<Heard>>,
}

impl Server {
    async fn start(connections: usize) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let names = ["127.0.0.1".to_owned(), "images.test".to_owned()];
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap();
        let certificate = certificate.signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.into()],
                key.serialize_der().try_into().unwrap(),
            )
            .unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(config);
        let heard = tokio::spawn(async move {
            let mut heard = Vec::new();
            for _ in 0..connections {
                heard.push(answer(&listener, Arc::clone(&config)).await);
            }
            heard
        });
        Self {
            port,
            authority: authority.into(),
            heard,
        }
    }
}

async fn answer(listener: &TcpListener, config: Arc<ServerConfig>) -> Heard {
    let (connection, _) = listener.accept().await.unwrap();
    let handshake = LazyConfigAcceptor::new(Acceptor::default(), connection).await;
    let handshake = handshake.unwrap();
    let name = handshake.client_hello().server_name().map(str::to_owned);
    let mut head = Vec::new();
    // In TLS 1.3, the handshake of the server completes before the client checks the
    // certificate.
    if let Ok(mut connection) = handshake.into_stream(config).await {
        while !head.ends_with(b"\r\n\r\n") {
            match connection.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        let answer = if head.starts_with(b"GET /to ") {
            redirect(302, "/moon.png")
        } else {
            ok("image/png", PNG)
        };
        let _ = connection.write_all(&answer).await;
        let _ = connection.shutdown().await;
    }
    Heard {
        name,
        head: String::from_utf8(head).unwrap(),
    }
}

/// With a custom client that trusts a private authority, because no public one knows this
/// machine.
#[tokio::test]
async fn an_image_behind_tls_is_inlined() {
    let server = Server::start(2).await;
    let mut roots = RootCertStore::empty();
    roots.add(server.authority.clone()).unwrap();
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_only()
        .enable_http1()
        .build();
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(connector);
    let url = format!("https://127.0.0.1:{}/to", server.port);
    let passed = send(&layer().with_client(client), chat([image(&url)])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
    let heard = in_time(server.heard).await.unwrap();
    let requests: Vec<&str> = heard
        .iter()
        .filter_map(|one| one.head.lines().next())
        .collect();
    assert_eq!(requests, ["GET /to HTTP/1.1", "GET /moon.png HTTP/1.1"]);
}

/// The handshake uses the name in the URL and the checked address.
#[tokio::test]
async fn no_request_is_sent_to_a_server_with_an_untrusted_certificate() {
    let server = Server::start(1).await;
    let resolver = service_fn(async |_: String| Ok::<_, Infallible>(vec![[127, 0, 0, 1].into()]));
    let layer = InlineMediaLayer::new()
        .with_client(MediaClient::new().with_resolver(resolver))
        .with_allowed_host("images.test")
        .unwrap();
    let url = format!("https://images.test:{}/moon.png", server.port);
    let passed = send(&layer, chat([image(&url)])).await;
    let Err(NotInlined::Client(words)) = passed.outcome() else {
        panic!("{:?}", passed.outcome());
    };
    assert!(
        words.contains("invalid peer certificate: UnknownIssuer"),
        "{words}"
    );
    assert_eq!(passed.urls(), [url]);
    let heard = in_time(server.heard).await.unwrap();
    assert_eq!(heard[0].name.as_deref(), Some("images.test"));
    assert_eq!(heard[0].head, "");
}
