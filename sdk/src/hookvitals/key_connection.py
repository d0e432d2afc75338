"""The HTTPS connection over which a key is fetched. Loads http.client, which few receivers need."""

import ssl
from http.client import HTTPException, HTTPSConnection
from typing import Any

FAULTS = (OSError, HTTPException)
"""What such a connection raises when nothing good comes."""


class KeyConnection(HTTPSConnection):
    """One whose socket was checked; name and certificate stay those of the URL."""

    def __init__(self, host: str, port: int, timeout_s: float, context: ssl.SSLContext, dial: Any) -> None:
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._trust = context
        self._dial = dial

    def connect(self) -> None:
        plain = self._dial(self.host, self.port)
        try:
            self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
