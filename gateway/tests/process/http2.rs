//! An HTTP/2 client that does as little as a test wants.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Gateway, in_time};

pub(crate) const DATA: u8 = 0;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

pub(crate) struct Frame {
    pub(crate) kind: u8,
    flags: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) struct Http2 {
    connection: TcpStream,
    /// Whether it responds to pings.
    pub(crate) is_alive: bool,
    next: u32,
}

impl Http2 {
    /// Connects, and lets the gateway send so many bytes of a response.
    pub(crate) async fn connect(gateway: &Gateway, window: u32) -> Self {
        let mut connection = TcpStream::connect(gateway.address).await.unwrap();
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        connection.write_all(preface).await.unwrap();
        let mut client = Self {
            connection,
            is_alive: true,
            next: 1,
        };
        // SETTINGS_INITIAL_WINDOW_SIZE.
        let settings = [&[0, 4][..], &window.to_be_bytes()].concat();
        client.write(SETTINGS, 0, 0, &settings).await;
        client
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        // The gateway may have closed the connection.
        let _ = self.connection.write_all(&frame).await;
    }

    /// Sends a request without a body, on a stream of its own.
    pub(crate) async fn get(&mut self, path: &str) {
        // `:method: GET`, `:scheme: http`, `:path` and `:authority`.
        let mut head = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
        head.extend_from_slice(path.as_bytes());
        head.extend_from_slice(b"\x01\x07gateway");
        let stream = self.next;
        self.next += 2;
        self.write(HEADERS, END_HEADERS | END_STREAM, stream, &head)
            .await;
    }

    /// Sends a request and resets its stream at once.
    pub(crate) async fn resets(&mut self, path: &str) {
        let stream = self.next;
        self.get(path).await;
        // CANCEL.
        self.write(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
            .await;
    }

    /// Announces that it accepts no more streams from the gateway.
    pub(crate) async fn goes_away(&mut self) {
        self.write(GOAWAY, 0, 0, &[0; 8]).await;
    }

    /// Lets the gateway send more of the response on a stream.
    pub(crate) async fn take(&mut self, stream: u32, bytes: u32) {
        self.write(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
            .await;
    }

    /// Reads a frame; `None` if the connection is closed. Acknowledges what has to be.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        in_time(self.connection.read_exact(&mut head)).await.ok()?;
        let [a, b, c, kind, flags, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        in_time(self.connection.read_exact(&mut payload))
            .await
            .ok()?;
        if flags & ACK == 0 && (kind == SETTINGS || kind == PING && self.is_alive) {
            let payload = if kind == PING { &payload[..] } else { &[] };
            self.write(kind, ACK, 0, payload).await;
        }
        Some(Frame {
            kind,
            flags,
            payload,
        })
    }

    /// Reads until the end of a response.
    pub(crate) async fn response(&mut self) {
        loop {
            let frame = self.read().await.expect("a response");
            if matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0 {
                return;
            }
        }
    }

    /// Reads until the connection is closed; returns the kinds of the frames.
    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        let mut kinds = Vec::new();
        while let Some(frame) = self.read().await {
            kinds.push(frame.kind);
        }
        kinds
    }
}
