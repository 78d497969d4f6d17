"""Showing oneself to everybody, and stopping.

What could go wrong: a field in public that was not chosen; one that stays there after it was taken back, after the account was
closed or suspended, or after the policy stopped allowing it; somebody's page that leads to their account. So what is kept is
which fields, and never what they say; every look at the page asks the gate anew, under the policy in force, and shows what it
hands over and nothing else; the address is 128 random bits that belong to nothing, and whoever takes everything back and shows
something again gets another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from troth.accounts.changed import note_change
from troth.accounts.publicity.rules import NOTHING, Choice, Way, by_way, could_be_name, new_name, offered
from troth.accounts.publicity.tables import public_profile
from troth.accounts.sessions import Member
from troth.accounts.tables import account
from troth.consent import actions as consent
from troth.consent.rules import PUBLIC_PROFILE
from troth.errors import Refused
from troth.people import vault
from troth.people.tables import person
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.policy.rules import OWN_ACCESS
from troth.recipients import gate
from troth.recipients.switches import say_no
from troth.store.insert import insert_into
from troth.store.site import Site

CHANNEL = PUBLIC_PROFILE


@dataclass(frozen=True, slots=True)
class Page:
    """A public page: what it says, field by field, and whether search engines may list it."""

    values: Mapping[str, str]
    searchable: bool


def ways(site: Site, compiled: Compiled, member: Member) -> Mapping[str, Way]:
    """What this member can show, and by which line of the policy; empty where the policy names no public."""
    with site.reading() as conn:
        return offered(compiled, vault.kind_of(conn, member.person_id) or "")


def chosen(site: Site, member: Member) -> tuple[Choice, str]:
    """What this member shows now, and the end of the page's address; ``NOTHING`` and blank when nothing."""
    with site.reading() as conn:
        row = _row(conn, member.person_id)
    return (_choice(row), row.name) if row else (NOTHING, "")


def values(site: Site, member: Member, fields: Mapping[str, Way]) -> Mapping[str, str]:
    """What the fields that can be shown say now, for their member, who is about to decide about them."""
    return vault.read(site, member.person_id, list(fields), OWN_ACCESS, By("person", ref=member.person_id)).values


def choose(site: Site, member: Member, choice: Choice, words: str, language: str) -> str:
    """Show exactly ``choice`` from now on and return the end of the page's address; blank when nothing is shown any more.

    ``words`` are what the member was told before, in ``language``; where the policy asks for consent, they are kept with it.

    Raises:
        Refused: for a field that the policy lets nobody show; nothing is changed then.
    """
    with site.writing() as conn:
        compiled = site.policy(conn)
        allowed = offered(compiled, vault.kind_of(conn, member.person_id) or "")
        if choice.fields - allowed.keys():
            raise Refused("The policy does not let this be public.", "It names nobody of the public who may see it.")
        before = _row(conn, member.person_id)
        _consents(site, conn, compiled, member.person_id, by_way(choice.fields, allowed), allowed, words, language)
        name = _kept(site, conn, member.person_id, choice, before.name if before else "")
        note_change(site, conn, member.person_id, "public-page")
    return name


def _kept(site: Site, conn: Connection, person_id: str, choice: Choice, name: str) -> str:
    if not choice.fields:
        conn.execute(delete(public_profile).where(public_profile.c.person_id == person_id))
        return ""
    name = name or new_name()
    change: dict[str, Any] = {"fields": " ".join(sorted(choice.fields)), "searchable": choice.searchable}
    new = insert_into(conn, public_profile).values(person_id=person_id, name=name, since=site.now(), **change)
    conn.execute(new.on_conflict_do_update(index_elements=["person_id"], set_=change))
    return str(conn.scalar(select(public_profile.c.name).where(public_profile.c.person_id == person_id)))


def _consents(
    site: Site,
    conn: Connection,
    compiled: Compiled,
    person_id: str,
    shown: Mapping[Way, frozenset[str]],
    allowed: Mapping[str, Way],
    words: str,
    language: str,
) -> None:
    """Where the policy asks for a yes of its own: choosing is the yes, and taking the last field back is the withdrawal."""
    made = {(one.scope, one.state) for one in consent.choices(conn, [person_id]).get(person_id, [])}
    for way in sorted({*allowed.values()}, key=lambda way: way.recipient):
        scope, given = f"@{way.recipient}", (f"@{way.recipient}", "given") in made
        if way in shown and (scope, "objected") in made:
            consent.record(site, conn, person_id, scope, "lifted", words, language, CHANNEL, compiled)
        if way.asks and way in shown and not given:
            consent.record(site, conn, person_id, scope, "given", words, language, CHANNEL, compiled)
        elif way.asks and way not in shown and given:
            say_no(site, conn, person_id, scope, "withdrawn", words, language, CHANNEL, compiled)


def page(site: Site, name: str) -> Page | None:
    """What everybody may see at the address that ends with ``name``; None when there is no such page, or no more of it.

    The gate is asked for each line of the policy, and what it refuses is left out.
    """
    if not could_be_name(name):
        return None
    query = (
        select(public_profile)
        .join(account, account.c.person_id == public_profile.c.person_id)
        .join(person, person.c.id == public_profile.c.person_id)
        .where(public_profile.c.name == name, account.c.state == "open", person.c.state == "active")
    )
    with site.reading() as conn:
        row = conn.execute(query).first()
        if row is None:
            return None
        allowed = offered(site.policy(conn), vault.kind_of(conn, row.person_id) or "")
    found: dict[str, str] = {}
    for way, fields in by_way(_choice(row).fields, allowed).items():
        found |= gate.show(site, row.person_id, way.recipient, fields, way.purpose)
    ordered = {field: found[field] for field in allowed if field in found}
    return Page(ordered, row.searchable) if ordered else None


def _row(conn: Connection, person_id: str) -> Row[Any] | None:
    return conn.execute(select(public_profile).where(public_profile.c.person_id == person_id)).first()


def _choice(row: Row[Any]) -> Choice:
    return Choice(frozenset(row.fields.split()), row.searchable)
