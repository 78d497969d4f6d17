"""Whether an address is reached encrypted: asked of a server that is there, one that is not trusted, and none."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import certificate
from troth.evidence import probes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A port of this machine on which TLS is spoken, and the certificate that it shows."""
    shown, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, key)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
                with context.wrap_socket(plain, server_side=True):
                    pass
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1], shown
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(server: tuple[int, Path]) -> None:
    assert probes.handshake(f"https://127.0.0.1:{server[0]}") is False


def test_a_certificate_that_is_vouched_for_is_trusted(
    server: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(cafile=str(server[1]))
    monkeypatch.setattr(probes, "trusted", lambda: context)
    assert probes.handshake(f"https://127.0.0.1:{server[0]}") is True


def test_what_is_not_encrypted_or_does_not_answer_cannot_be_looked_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert probes.handshake(f"https://127.0.0.1:{port}") is None
    assert probes.handshake("http://127.0.0.1:8080") is None
