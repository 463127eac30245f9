"""A proxy on the loopback interface that forwards requests unchanged, and keeps what was
asked and answered."""

import http.client
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# They describe one connection, or are written anew.
OF_THE_CONNECTION = {"connection", "transfer-encoding", "content-length", "host"}


@dataclass
class Exchange:
    method: str
    path: str
    request: bytes
    status: int | None = None
    response: bytes = b""

    @property
    def is_chat(self):
        return self.method == "POST" and self.path.endswith("/chat/completions")

    def to_json(self):
        return {
            "request": self.request.decode(),
            "status": self.status,
            "response": self.response.decode(errors="replace"),
        }


class Recorder:
    """Forwards to the server at this port, while it is entered."""

    def __init__(self, upstream):
        self.exchanges = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                forward(self, upstream, recorder.exchanges)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def forward(handler, upstream, exchanges):
    exchange = Exchange(handler.command, handler.path, body_of(handler))
    exchanges.append(exchange)
    connection = http.client.HTTPConnection("127.0.0.1", upstream, timeout=60)
    try:
        connection.request(
            exchange.method, exchange.path, exchange.request, forwarded(handler.headers)
        )
        response = connection.getresponse()
        exchange.status = response.status
        handler.send_response_only(response.status)
        for name, value in forwarded(response.headers).items():
            handler.send_header(name, value)
        # The end of the connection is the end of the body.
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        while part := response.read1():
            exchange.response += part
            handler.wfile.write(part)
            handler.wfile.flush()
    except OSError:
        # An agent that has enough of an answer closes the connection.
        handler.close_connection = True
    finally:
        connection.close()


def body_of(handler):
    if handler.headers.get("transfer-encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("content-length", 0)))
    body = b""
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    while handler.rfile.readline().strip():
        pass  # trailers
    return body


def forwarded(headers):
    return {name: value for name, value in headers.items() if name.lower() not in OF_THE_CONNECTION}
