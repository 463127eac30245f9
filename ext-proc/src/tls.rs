//! TLS on the port for gRPC.

use std::{error::Error, path::Path, time::Duration};

use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tower::BoxError;

use super::args::Args;

/// A client that doesn't finish its handshake in this time is disconnected.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Switches TLS on for a server, if there is a certificate.
pub(crate) fn secure(server: Server, args: &Args) -> Result<Server, BoxError> {
    let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) else {
        return Ok(server);
    };
    let mut tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(read(cert)?, read(key)?))
        .timeout(HANDSHAKE);
    if let Some(ca) = &args.tls_client_ca {
        tls = tls.client_ca_root(Certificate::from_pem(read(ca)?));
    }
    server.tls_config(tls).map_err(|error| {
        let reason = error.source().map(ToString::to_string).unwrap_or_default();
        format!("the files of --tls-cert, --tls-key and --tls-client-ca: {reason}").into()
    })
}

fn read(file: &Path) -> Result<Vec<u8>, BoxError> {
    let text = std::fs::read(file);
    text.map_err(|error| format!("cannot read {}: {error}", file.display()).into())
}
