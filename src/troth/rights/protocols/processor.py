"""Who this site is to controllers, and who they are to it: certificates and the key, read once and checked when read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from troth.errors import PolicyError
from troth.rights.protocols import signatures
from troth.settings import Controller, OpenDsr
from troth.store.site import Site

_HINT = "See `opendsr` in site.yaml and docs/protocols.md."
_KEPT = "opendsr processor"


@dataclass(frozen=True)
class Processor:
    """This site as controllers know it, with their certificates."""

    wires: OpenDsr
    pem: str
    key: signatures.PrivateKey = field(repr=False)
    certificates: Mapping[str, x509.Certificate]

    def controller(self, domain: str) -> Controller | None:
        """The wiring of a controller; None when it is none of ours."""
        return self.wires.controllers.get(domain)

    def sign(self, raw: bytes) -> dict[str, str]:
        """The headers that show that ``raw`` comes from here."""
        return {
            "X-OpenDSR-Processor-Domain": self.wires.domain,
            "X-OpenDSR-Signature": signatures.sign(self.key, raw),
        }

    def callback_hosts(self, domain: str) -> frozenset[str]:
        """The hosts that a controller's callbacks may go to."""
        wired = self.wires.controllers.get(domain)
        return frozenset({domain, *wired.callbacks}) if wired else frozenset()


def processor(site: Site) -> Processor | None:
    """``site`` as controllers know it; None where it does not take part.

    Raises:
        PolicyError: when a file is missing, is not what it should be, or belongs to another domain or key.
    """
    wires = site.wiring.opendsr
    if wires is None:
        return None
    if _KEPT not in site.shared:
        site.shared[_KEPT] = _read(site, wires)
    kept: Processor = site.shared[_KEPT]
    return kept


def _read(site: Site, wires: OpenDsr) -> Processor:
    pem = _content(site.folder, wires.certificate)
    certificate = _certificate(pem, wires.certificate, wires.domain)
    path = site.folder / wires.key_file
    if path.exists() and path.stat().st_mode & 0o077:
        raise PolicyError(f"Others may read {wires.key_file}, which signs answers.", "Run `chmod 600` on it.")
    try:
        key = signatures.read_key(_content(site.folder, wires.key_file), certificate)
    except ValueError:
        raise PolicyError(f"{wires.key_file} does not hold the private key of {wires.certificate}.", _HINT) from None
    known = {domain: _of_controller(site, domain, one) for domain, one in wires.controllers.items()}
    return Processor(wires, pem.decode("ascii"), key, known)


def _of_controller(site: Site, domain: str, wired: Controller) -> x509.Certificate:
    certificate = _certificate(_content(site.folder, wired.certificate), wired.certificate, domain)
    if wired.fingerprint and signatures.fingerprint(certificate) != wired.fingerprint:
        raise PolicyError(
            f"{wired.certificate} does not hold the certificate with the fingerprint in site.yaml.", _HINT
        )
    return certificate


def _certificate(pem: bytes, file: str, domain: str) -> x509.Certificate:
    try:
        certificate = signatures.read_certificate(pem)
    except (ValueError, IndexError):
        raise PolicyError(f"{file} holds no PEM certificate with a key that counts.", _HINT) from None
    if not signatures.names(certificate, domain):
        raise PolicyError(f"The certificate in {file} is not made out to {domain}.", _HINT)
    return certificate


def _content(folder: Path, file: str) -> bytes:
    try:
        return (folder / file).read_bytes()
    except OSError:
        raise PolicyError(f"The file {file}, named in site.yaml, cannot be read.", _HINT) from None
