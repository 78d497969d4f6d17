"""What of a security measure can be looked at from outside: whether the operator's own address is reached encrypted.

A probe goes to the address in ``base url`` of site.yaml and nowhere else, says nothing of anybody, and waits a bounded time.
"""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from troth.messages.servers import trusted

WAITS_S = 3.0
HTTPS = 443


def handshake(address: str) -> bool | None:
    """Whether ``address`` offers TLS (1.2 or newer, as Python asks for), with a certificate that is trusted for its name.

    None when that cannot be looked at: the address is not one of https, or nothing answers there.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        return None
    where = parts.hostname, parts.port or HTTPS
    try:
        with (
            socket.create_connection(where, WAITS_S) as plain,
            trusted().wrap_socket(plain, server_hostname=parts.hostname),
        ):
            return True
    except ssl.SSLError:
        return False
    except OSError:
        return None
