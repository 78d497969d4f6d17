"""Leaving over a changed policy: the link in the notice of it opens an erasure request, by whoever reads that mail.

What could go wrong: a mail scanner that opens the link; a mail that is found years later; a link that deletes twice. So the
link only shows a button, is good for its time, and stands for one request however often the button is pressed.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from troth.errors import InvalidInput
from troth.messages.links import Removal, read_removal_token
from troth.people import vault
from troth.rights.intake import Received, receive
from troth.rights.rules import Intake, terms
from troth.rights.tables import request
from troth.store.site import Site


def is_good(site: Site, token: str) -> bool:
    """Whether the link still opens a request; asking uses nothing up."""
    try:
        _open(site, token)
    except InvalidInput:
        return False
    return True


def was_used(site: Site, token: str) -> bool:
    """Whether the link has opened its request already."""
    with site.reading() as conn:
        return conn.execute(select(request.c.id).where(request.c.key == _key(token))).first() is not None


def ask(site: Site, token: str, tag: str, ip: str = "") -> Received:
    """Ask for the erasure of the data of whoever the link was sent to: once, even for two who press together.

    Raises:
        InvalidInput: when the link is not, or no longer, good.
    """
    link = _open(site, token)
    wish = Intake("erasure", "link", _key(token), ip=ip, language=tag, member=link.person_id, vouched="link")
    return receive(site, wish)


def _key(token: str) -> str:
    return f"removal:{hashlib.sha256(token.encode()).hexdigest()[:40]}"


def _open(site: Site, token: str) -> Removal:
    spent = InvalidInput("This link is no longer good.", hint="You can ask for the same on the page about your data.")
    link = read_removal_token(site, token)
    with site.reading() as conn:
        state = conn.scalar(select(request.c.state).where(request.c.key == _key(token)))
        there = vault.kind_of(conn, link.person_id) is not None
        offered = terms(site.policy(conn), "erasure").offered
    if link.until <= site.now() or state is not None or not there or not offered:
        raise spent
    return link
