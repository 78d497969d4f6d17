"""The shape of ``site.yaml``: the engineer's file. Which stores there are, who receives mail, who attests what.

Secrets never stand here: a key ending in ``env`` names the environment variable that holds one.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]

_HOST_AND_PORT = r"^\S+:[0-9]{1,5}$"
_FOLDER = r"^[^\x00-\x1f\x7f]{1,200}$"
_AFTER = r"^(seen|delete|move:[^\x00-\x1f\x7f]{1,200})$"
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "[::1]"})


def _alias(name: str) -> str:
    return name.replace("_", " ")


class Wires(BaseModel):
    """A closed mapping of the wiring, keys written with spaces."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_alias, defer_build=True)


class StoreWires(Wires):
    """One database. A relative SQLite path counts from the site folder."""

    database: str = Field(description="SQLAlchemy URL: `sqlite:///var/data.db` or `postgresql+psycopg://...`")
    database_env: str | None = Field(None, description="environment variable with the URL, when it holds a password")
    country: str = Field("", description="where the store stands, ISO 3166-1 alpha-2")


class KeyWires(StoreWires):
    """The key store: apart from the data, and outside its backups."""

    database: str = "sqlite:///var/keys.db"
    secret_file: str = Field("var/site.key", description="file with the site key, readable by its owner only")
    secret_env: str | None = Field(None, description="environment variable with the site key instead of a file")


class ReceiveWires(Wires):
    """Where mail for the operator's address is taken in, by SMTP or LMTP."""

    listen: str = Field(pattern=_HOST_AND_PORT, description="host:port to listen on")
    protocol: Literal["smtp", "lmtp"] = "smtp"
    certificate: str | None = Field(None, description="file with the certificate chain, for STARTTLS")
    key: str | None = Field(None, description="file with the certificate's key; without it, the same file")


class MailboxWires(Wires):
    """A mailbox that mail for the operator's address is fetched from: over IMAP, or a Maildir on this machine."""

    imap: str | None = Field(None, pattern=_HOST_AND_PORT, description="host:port of the IMAP server")
    tls: Literal["none", "starttls", "tls"] = Field("tls", description="`none` on this machine alone")
    user_env: str | None = Field(None, description="environment variable with the user name")
    password_env: str | None = Field(None, description="environment variable with the password")
    folder: str = Field("INBOX", pattern=_FOLDER, description="the folder that is looked into")
    maildir: str | None = Field(None, description="a Maildir instead; relative paths start at the site folder")
    after: str = Field(
        "seen",
        pattern=_AFTER,
        description="what happens to a message that was taken in: `seen`, `move:FOLDER` or `delete`",
    )

    @model_validator(mode="after")
    def _one_of_the_two(self) -> MailboxWires:
        if (self.imap is None) == (self.maildir is None):
            raise ValueError("a mailbox has either `imap` or `maildir`")
        if self.imap is not None and not (self.user_env and self.password_env):
            raise ValueError("`imap` needs `user env` and `password env`")
        if self.imap is not None and self.tls == "none" and self.imap.rpartition(":")[0] not in _THIS_MACHINE:
            raise ValueError("a password goes to another machine only with `tls: tls` or `tls: starttls`")
        return self


class MailWires(Wires):
    """Mail that leaves, and mail that comes in."""

    smtp: str = Field("127.0.0.1:2525", description="host:port of the mail server")
    sender: str = Field(description="the address mail comes from")
    user_env: str | None = None
    password_env: str | None = None
    tls: Literal["none", "starttls", "tls"] = "none"
    receive: ReceiveWires | None = Field(None, description="taking mail in as a mail server")
    mailbox: MailboxWires | None = Field(None, description="taking mail in from a mailbox")


class Delivery(Wires):
    """How one recipient is reached."""

    deliver: Literal["webhook"] = "webhook"
    url: str | None = None
    url_env: str | None = None
    secret_env: str | None = Field(None, description="environment variable with the signing secret")


class Program(Wires):
    """A program of the operator that reads people's data over HTTP, as far as the policy allows its role."""

    role: str = Field(description="the staff role in which it reads, as in `roles` of the policy's purposes")
    token_env: str = Field(description="environment variable with its token: 32 random characters or more")
    purposes: tuple[str, ...] = Field(description="the purposes it reads for; the policy must allow each")


Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")]
Place = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+(:[0-9]{1,5})?$")]


class Peer(Wires):
    """Somebody outside who sends requests for people, and what their word is worth."""

    vouches: bool = Field(
        False, description="its signature also shows who the person is; otherwise the person is asked by mail"
    )
    callbacks: tuple[Place, ...] = Field(
        (), description="hosts that its callbacks may go to, as `host` for port 443 or as `host:port`"
    )


class Controller(Peer):
    """A controller whose requests come over OpenDSR, known by its domain. Its domain may always be called back."""

    certificate: str = Field(description="file with the PEM certificate that it signs with, from the site folder")
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="SHA-256 of that certificate in hexadecimal; no other certificate in the file is accepted"
    )


class OpenDsr(Wires):
    """Requests over OpenDSR 2.0: who this site is to controllers, and which controllers there are."""

    domain: Domain = Field(description="the domain that this site's certificate is made out to")
    certificate: str = Field(description="file with the PEM certificate, and its chain, that answers are signed with")
    key_file: str = Field(description="file with that certificate's private key, readable by its owner only")
    controllers: dict[Domain, Controller] = Field(default_factory=dict)
    private_callbacks: bool = Field(
        False, description="callbacks may go to private addresses, and over http to loopback"
    )


class Agent(Peer):
    """An authorised agent whose requests come over the Data Rights Protocol."""

    name: str
    verify_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")] = Field(
        description="its Ed25519 public key in base64, as in the directory of agents"
    )


class DataRightsProtocol(Wires):
    """Requests over the Data Rights Protocol 1.0: which business this is, and which agents may ask."""

    business_id: str = Field(description="the id of this business in the directory of businesses")
    agents: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")], Agent] = Field(
        default_factory=dict
    )
    private_callbacks: bool = Field(
        False, description="callbacks may go to private addresses, and over http to loopback"
    )


class Attestation(Wires):
    """A named member of staff answers for a promise until a date."""

    by: str
    until: date


class Wiring(Wires):
    """``site.yaml``, whole."""

    name: Name
    title: str
    store: StoreWires
    keys: KeyWires = KeyWires()
    base_url: str = "http://127.0.0.1:8080"
    mail: MailWires | None = None
    partners: tuple[str, ...] = Field((), description="recipients registered to supply data")
    recipients: dict[str, Delivery] = Field(default_factory=dict)
    programs: dict[str, Program] = Field(
        default_factory=dict, description="programs of the operator that may read over HTTP"
    )
    opendsr: OpenDsr | None = None
    drp: DataRightsProtocol | None = None
    quarantine_margin: str = Field("2 days", description="destroyed this long before a promised deadline")
    attested: dict[str, Attestation] = Field(default_factory=dict)

    @property
    def margin(self) -> timedelta:
        """``quarantine margin`` as a timedelta, in whole days or hours."""
        number, unit = self.quarantine_margin.split()
        return timedelta(**{unit if unit.endswith("s") else f"{unit}s": int(number)})
