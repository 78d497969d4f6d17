"""The shape of ``site.yaml``: the engineer's file. Which stores there are, who receives mail, who attests what.

Secrets never stand here: a key ending in ``env`` names the environment variable that holds one. The words are as closed as
those of a policy; what refers to its entries is checked against it (``troth.store.wiring``).
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from troth.policy import dpv
from troth.policy.closed import Listed, Refers, Url, country_meant
from troth.policy.vocabulary import PurposeRef, RecipientRef, RoleRef
from troth.policy.words import Free, Given, Several, Shown

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]

_HOST_AND_PORT = r"^\S+:[0-9]{1,5}$"
_FOLDER = r"^[^\x00-\x1f\x7f]{1,200}$"
_AFTER = r"^(seen|delete|move:[^\x00-\x1f\x7f]{1,200})$"
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
_SPAN = re.compile(r"^([0-9]{1,4}) (minute|hour|day|week)s?$")
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")
LONGEST_MARGIN = timedelta(days=90)


class StandsInTheFile(ValueError):
    """A secret that stands in the file. The message never repeats it."""

    rule = "S-02"
    hint = "Put it into an environment variable, and name that here."


def _variable(value: str) -> str:
    if _VARIABLE.fullmatch(value) is None:
        raise StandsInTheFile("this is no name of an environment variable, so the secret itself may stand here")
    return value


def _without_password(value: str) -> str:
    if ":" in value.partition("://")[2].rpartition("@")[0]:
        raise StandsInTheFile("a password stands in this address")
    return value


def _span(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"`{value}` is no margin; write a whole number of minutes, hours, days or weeks, as `2 days`")
    span = timedelta(**{f"{match[2]}s": int(match[1])})
    if span > LONGEST_MARGIN:
        raise ValueError(f"`{value}` is longer than a margin can be, which is 90 days")
    return span


StoresCountry = Annotated[
    str, Listed("a country of ISO 3166-1", "Country", dpv.countries, blank=True, meant=country_meant)
]
Variable = Annotated[str, AfterValidator(_variable), Free("name")]
Address = Annotated[str, AfterValidator(_without_password), Free("name")]
File = Annotated[str, Free("name")]
Span = Annotated[
    timedelta,
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": _SPAN.pattern, "examples": ["2 days"]}),
]
HostAndPort = Annotated[str, StringConstraints(pattern=_HOST_AND_PORT)]
Mailbox = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


def _alias(name: str) -> str:
    return name.replace("_", " ")


class Wires(BaseModel):
    """A closed mapping of the wiring, keys written with spaces."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_alias, defer_build=True)


class StoreWires(Wires):
    """One database. A relative SQLite path counts from the site folder."""

    database: Address = Field(description="SQLAlchemy URL: `sqlite:///var/data.db` or `postgresql+psycopg://...`")
    database_env: Variable | None = Field(
        None, description="environment variable with the URL, when it holds a password"
    )
    country: StoresCountry = Field("", description="where the store stands, ISO 3166-1 alpha-2")


class KeyWires(StoreWires):
    """The key store: apart from the data, and outside its backups."""

    database: Address = "sqlite:///var/keys.db"
    secret_file: File = Field("var/site.key", description="file with the site key, readable by its owner only")
    secret_env: Variable | None = Field(None, description="environment variable with the site key instead of a file")


class ReceiveWires(Wires):
    """Where mail for the operator's address is taken in, by SMTP or LMTP."""

    listen: HostAndPort = Field(description="host:port to listen on")
    protocol: Literal["smtp", "lmtp"] = "smtp"
    certificate: File | None = Field(None, description="file with the certificate chain, for STARTTLS")
    key: File | None = Field(None, description="file with the certificate's key; without it, the same file")


class MailboxWires(Wires):
    """A mailbox that mail for the operator's address is fetched from: over IMAP, or a Maildir on this machine."""

    imap: HostAndPort | None = Field(None, description="host:port of the IMAP server")
    tls: Literal["none", "starttls", "tls"] = Field("tls", description="`none` on this machine alone")
    user_env: Variable | None = Field(None, description="environment variable with the user name")
    password_env: Variable | None = Field(None, description="environment variable with the password")
    folder: str = Field("INBOX", pattern=_FOLDER, description="the folder that is looked into")
    maildir: File | None = Field(None, description="a Maildir instead; relative paths start at the site folder")
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

    smtp: HostAndPort = Field("127.0.0.1:2525", description="host:port of the mail server")
    sender: Mailbox = Field(description="the address mail comes from")
    country: StoresCountry = Field("", description="where the mail server stands, ISO 3166-1 alpha-2")
    user_env: Variable | None = None
    password_env: Variable | None = None
    tls: Literal["none", "starttls", "tls"] = "none"
    receive: ReceiveWires | None = Field(None, description="taking mail in as a mail server")
    mailbox: MailboxWires | None = Field(None, description="taking mail in from a mailbox")

    @property
    def elsewhere(self) -> bool:
        """Whether the mail server is another machine."""
        return self.smtp.rpartition(":")[0] not in _THIS_MACHINE

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> MailWires:
        if self.password_env and self.tls == "none" and self.elsewhere:
            raise ValueError("a password goes to another machine only with `tls: tls` or `tls: starttls`")
        return self


ENCRYPTED_ONLY = "personal data goes to another machine only over https"


def in_the_clear(url: str) -> bool:
    """Whether what is sent to ``url`` goes to another machine without encryption."""
    where = urlsplit(url)
    return where.scheme == "http" and where.hostname not in _THIS_MACHINE


class Delivery(Wires):
    """How one recipient is reached."""

    url: Annotated[Url, AfterValidator(_without_password)] | None = Field(None, description="its address")
    url_env: Variable | None = None
    secret_env: Variable | None = Field(None, description="environment variable with the signing secret")

    @model_validator(mode="after")
    def _nothing_personal_in_the_clear(self) -> Delivery:
        if in_the_clear(self.url or ""):
            raise ValueError(ENCRYPTED_ONLY)
        return self


class Program(Wires):
    """A program of the operator that reads people's data over HTTP, as far as the policy allows its role."""

    role: RoleRef = Field(
        "",
        description="the role, as in `roles` of the policy's purposes, of the staff who see what it reads; blank for nobody",
    )
    token_env: Variable = Field(description="environment variable with its token: 32 random characters or more")
    purposes: Several[PurposeRef] = Field(description="the purposes it reads for; the policy must allow each")


Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")]
Place = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+(:[0-9]{1,5})?$")]


class Peer(Wires):
    """Somebody outside who sends requests for people, and what their word is worth."""

    vouches: bool = Field(
        False, description="its signature also shows who the person is; otherwise the person is asked by mail"
    )
    callbacks: Several[Place] = Field(
        (), description="hosts that its callbacks may go to, as `host` for port 443 or as `host:port`"
    )


class Controller(Peer):
    """A controller whose requests come over OpenDSR, known by its domain. Its domain may always be called back."""

    certificate: File = Field(description="file with the PEM certificate that it signs with, from the site folder")
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="SHA-256 of that certificate in hexadecimal; no other certificate in the file is accepted"
    )


class OpenDsr(Wires):
    """Requests over OpenDSR 2.0: who this site is to controllers, and which controllers there are."""

    domain: Domain = Field(description="the domain that this site's certificate is made out to")
    certificate: File = Field(description="file with the PEM certificate, and its chain, that answers are signed with")
    key_file: File = Field(description="file with that certificate's private key, readable by its owner only")
    controllers: dict[Domain, Controller] = Field(default_factory=dict)
    private_callbacks: bool = Field(
        False, description="callbacks may go to private addresses, and over http to loopback"
    )


class Agent(Peer):
    """An authorised agent whose requests come over the Data Rights Protocol."""

    name: Shown
    verify_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")] = Field(
        description="its Ed25519 public key in base64, as in the directory of agents"
    )


class DataRightsProtocol(Wires):
    """Requests over the Data Rights Protocol 1.0: which business this is, and which agents may ask."""

    business_id: Given = Field(description="the id of this business in the directory of businesses")
    agents: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")], Agent] = Field(
        default_factory=dict
    )
    private_callbacks: bool = Field(
        False, description="callbacks may go to private addresses, and over http to loopback"
    )


WitnessName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,40}$")]


class WitnessWires(Wires):
    """Who keeps checkpoints of the ledger outside: a file, a mailbox, or an authority that stamps them with the time."""

    file: File | None = Field(None, description="a text file elsewhere, such as on another machine, that only grows")
    mail: Mailbox | None = Field(
        None, description="an address that checkpoints are mailed to, through `mail` of this file"
    )
    time_stamp: Annotated[Url, AfterValidator(_without_password)] | None = Field(
        None, description="address of an authority that stamps with the time (RFC 3161)"
    )
    certificate: File | None = Field(
        None,
        description="for `time stamp`: file with the PEM certificates that its stamps are verified by, root included",
    )
    every: Span = Field(timedelta(days=1), description="how often it is asked")

    @model_validator(mode="after")
    def _one_kind(self) -> WitnessWires:
        if sum(one is not None for one in (self.file, self.mail, self.time_stamp)) != 1:
            raise ValueError("a witness is one of `file`, `mail` and `time stamp`")
        if (self.time_stamp is None) != (self.certificate is None):
            raise ValueError("`time stamp` needs `certificate`, and no other witness has one")
        if not self.every:
            raise ValueError("a witness cannot be asked all the time")
        return self


class LedgerWires(Wires):
    """Who outside witnesses the ledger."""

    witness: dict[WitnessName, WitnessWires] = Field(default_factory=dict, description="by names of your own")


class Attestation(Wires):
    """A named member of staff answers for a promise until a date."""

    by: Shown = Field(description="the person or the role")
    until: date


class Wiring(Wires):
    """``site.yaml``, whole."""

    name: Name
    title: Shown
    store: StoreWires
    keys: KeyWires = KeyWires()
    base_url: Url = "http://127.0.0.1:8080"
    mail: MailWires | None = None
    partners: Several[RecipientRef] = Field((), description="recipients registered to supply data")
    recipients: dict[RecipientRef, Delivery] = Field(default_factory=dict)
    programs: dict[Given, Program] = Field(
        default_factory=dict, description="programs of the operator that may read over HTTP"
    )
    opendsr: OpenDsr | None = None
    drp: DataRightsProtocol | None = None
    quarantine_margin: Span = Field(timedelta(days=2), description="destroyed this long before a promised deadline")
    attested: dict[Annotated[str, Refers("security")], Attestation] = Field(default_factory=dict)
    ledger: LedgerWires = LedgerWires()

    @model_validator(mode="after")
    def _mail_for_witnesses(self) -> Wiring:
        if self.mail is None and any(one.mail for one in self.ledger.witness.values()):
            raise ValueError("a witness that gets mail needs `mail`")
        return self

    @property
    def margin(self) -> timedelta:
        """``quarantine margin``."""
        return self.quarantine_margin
