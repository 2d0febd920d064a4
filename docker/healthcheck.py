"""The container's health: what /-/healthy answers, over HTTP or TLS. Behind a password any answer must do."""

import http.client
import os
import ssl
import sys

PORT = int(os.environ.get("YARDLIGHT_PORT", "10480"))


def status(connection: http.client.HTTPConnection) -> int:
    """What /-/healthy answers over this connection."""
    connection.request("GET", "/-/healthy")
    return connection.getresponse().status


def health() -> int:
    """The status over HTTP, or over TLS where HTTP is not spoken."""
    try:
        return status(http.client.HTTPConnection("127.0.0.1", PORT, timeout=4))
    except (http.client.HTTPException, ConnectionResetError):
        # Of oneself on loopback: nobody to be told from.
        unverified = ssl._create_unverified_context()
        return status(http.client.HTTPSConnection("127.0.0.1", PORT, timeout=4, context=unverified))


try:
    sys.exit(health() not in (200, 401))
except OSError as error:
    sys.exit(str(error))
