//! A TCP relay: the least that can be between a client and an upstream.

use std::io::{self, Write};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::Failure;

/// Serves until the process ends.
pub(crate) async fn serve(upstream: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    io::stdout().flush()?;
    loop {
        let (mut client, _) = listener.accept().await?;
        let mut upstream = TcpStream::connect(upstream).await?;
        client.set_nodelay(true)?;
        upstream.set_nodelay(true)?;
        tokio::spawn(async move {
            // Either side may close the connection at any time.
            let _ = copy_bidirectional(&mut client, &mut upstream).await;
        });
    }
}
