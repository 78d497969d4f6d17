"""Every key of ``site.yaml`` is read by the function that is named here for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.keys.read import read_by
from tests.keys.walk import Path, dotted, keys_of
from troth.accounts.actions import letter_terms
from troth.collection.actions import collect
from troth.commands import serve
from troth.evidence.security.proofs import measure
from troth.messages import actions as messages
from troth.messages import post
from troth.messages.inbound import imap, receive
from troth.messages.inbound.poll import poll
from troth.people.keyring import make_site_key
from troth.recipients.connectors import webhook
from troth.recipients.proofs import countries
from troth.retention.sweep import sweep
from troth.rights.protocols import arrivals, calling, processor
from troth.settings import Wiring
from troth.store.secret import secret_path
from troth.store.site import Site, open_site
from troth.web import drp, opendsr, programs
from troth.witnessing import ask_all, ask_due

KEYS = dict(keys_of(Wiring))
PROCESSOR: dict[str, Callable[..., Any]] = {
    "opendsr.domain": processor.processor,
    "opendsr.certificate": processor.processor,
    "opendsr.key file": processor.processor,
    "opendsr.controllers": processor.processor,
    "opendsr.controllers.certificate": processor.processor,
    "opendsr.controllers.fingerprint": processor.processor,
    "opendsr.controllers.vouches": arrivals.from_controller,
    "opendsr.controllers.callbacks": processor.Processor.callback_hosts,
    "opendsr.private callbacks": opendsr.ask.fn,
}
AGENTS: dict[str, Callable[..., Any]] = {
    "drp.business id": drp.set_up.fn,
    "drp.agents": drp.set_up.fn,
    "drp.agents.vouches": arrivals.from_agent,
    "drp.agents.callbacks": calling.call,
    "drp.agents.name": arrivals.from_agent,
    "drp.agents.verify key": drp.set_up.fn,
    "drp.private callbacks": calling.call,
}
MAIL: dict[str, Callable[..., Any]] = {
    "mail.smtp": post.hand_over,
    "mail.sender": messages.deliver,
    "mail.country": countries,
    "mail.user env": post.hand_over,
    "mail.password env": post.hand_over,
    "mail.tls": post.hand_over,
    "mail.receive": serve.mail_taken_in,
    "mail.receive.listen": receive.listening,
    "mail.receive.protocol": receive._protection,
    "mail.receive.certificate": receive._protection,
    "mail.receive.key": receive._Door.__post_init__,
    "mail.mailbox": poll,
    "mail.mailbox.imap": imap.opened,
    "mail.mailbox.tls": imap.opened,
    "mail.mailbox.user env": imap.opened,
    "mail.mailbox.password env": imap.opened,
    "mail.mailbox.folder": imap.opened,
    "mail.mailbox.maildir": poll,
    "mail.mailbox.after": imap.opened,
}
READERS: dict[str, Callable[..., Any]] = {
    "name": Site.name.fget,  # type: ignore[attr-defined]
    "title": messages.deliver,
    "store.database": open_site,
    "store.database env": open_site,
    "store.country": countries,
    "keys.database": open_site,
    "keys.database env": open_site,
    "keys.country": countries,
    "keys.secret file": secret_path,
    "keys.secret env": make_site_key,
    "base url": letter_terms,
    "partners": collect,
    "recipients.url": webhook.post,
    "recipients.url env": webhook.post,
    "recipients.secret env": webhook.post,
    "programs.role": programs.Door.__init__,
    "programs.token env": programs.Door.__init__,
    "programs.purposes": programs.Door.__init__,
    "quarantine margin": sweep,
    "attested.by": measure,
    "attested.until": measure,
    "ledger.witness": ask_all,
    "ledger.witness.file": ask_all,
    "ledger.witness.mail": ask_all,
    "ledger.witness.time stamp": ask_all,
    "ledger.witness.certificate": ask_all,
    "ledger.witness.every": ask_due,
    **MAIL,
    **PROCESSOR,
    **AGENTS,
}
CALLED = {"quarantine margin": "margin"}
"""Keys that code reads by the name of what the wiring makes of them."""


def ids(key: Path) -> str:
    return dotted(key)


def test_every_key_is_read() -> None:
    known = {dotted(key) for key in KEYS}
    assert known - set(READERS) == set(), "name what reads these"
    assert set(READERS) - known == set(), "these are no keys of site.yaml any more"


@pytest.mark.parametrize("key", KEYS, ids=ids)
def test_what_is_named_for_a_key_reads_it(key: Path) -> None:
    name = CALLED.get(dotted(key), key[-1].replace(" ", "_"))
    assert name in read_by(READERS[dotted(key)])
