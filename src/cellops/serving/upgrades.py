"""Requests that offer another protocol: the offer is passed over, as RFC 9110 (7.8) allows, and the request answered.

httptools' parser ends at the head of such a request, and would take its body for the next one.
"""

from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser


class PlainParser:
    """The parser of a protocol of uvicorn's; it reads a head that makes an offer once more, without the offer."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._offered = False
        for name in ("on_message_begin", "on_url", "on_header", "on_body"):
            setattr(self, name, getattr(protocol, name))
        self._parser = self._new()

    def feed_data(self, data: bytes) -> None:
        while True:
            try:
                self._parser.feed_data(data)
            except HttpParserUpgrade as end:
                if not self._offered:
                    message = "CONNECT"
                    raise HttpParserError(message) from end
                self._offered = False
                data = self._head() + data[end.args[0] :]
                self._parser = self._new()
            else:
                return

    def on_headers_complete(self) -> None:
        self._offered = self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT"
        if not self._offered:
            self._protocol.on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._offered:
            self._protocol.on_message_complete()

    def should_upgrade(self) -> bool:
        return False

    def should_keep_alive(self) -> bool:
        kept: bool = self._parser.should_keep_alive()
        return kept

    def get_method(self) -> bytes:
        method: bytes = self._parser.get_method()
        return method

    def get_http_version(self) -> str:
        version: str = self._parser.get_http_version()
        return version

    def _new(self) -> Any:
        parser = HttpRequestParser(self)
        # As uvicorn's own: what follows a request that ends the connection must not spoil its answer.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _head(self) -> bytes:
        """The head that was just read, without the offer."""
        first = b"%s %s HTTP/%s" % (self.get_method(), self._protocol.url, self.get_http_version().encode())
        kept = [b"%s: %s" % header for header in self._protocol.headers if header[0] != b"upgrade"]
        return b"\r\n".join([first, *kept, b"", b""])
