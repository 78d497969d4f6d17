"""``site.yaml`` read and checked; apart from ``site``, so that whoever only checks a site need not wait for a database library.

What could go wrong: a site is checked, published and served, and a slip in the engineer's file stops its worker afterwards, or
a store stands in a country of which the notice says nothing. So this file is held to the same rules as the policy, in the
same findings: each with its place and a hint, in the same run, and whatever stops ``check`` stops every command that serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from troth.errors import PolicyError
from troth.policy.check import Checked, check
from troth.policy.document import Document, parse_document, read_document
from troth.policy.findings import Finding
from troth.policy.findings import Path as Where
from troth.policy.model import Policy
from troth.policy.parse import dangling, fit
from troth.policy.places import within
from troth.settings import Wiring

FILE = "site.yaml"


def read_wiring(folder: Path) -> Wiring:
    """``site.yaml`` of the site folder. Raises ``PolicyError`` with every problem and its place."""
    wiring, findings = fit(read_document(folder / FILE), Wiring)
    if wiring is None:
        lines = "\n".join(f"{folder}/{finding.line()}" for finding in findings)
        raise PolicyError(lines, "docs/operating.md lists what site.yaml may hold.")
    return wiring


def check_site(folder: Path, as_published: bool = False, today: date | None = None) -> Checked:
    """The policy in ``folder`` checked, and its ``site.yaml`` with it, when there is one.

    Raises:
        PolicyError: when a file is no YAML, or the policy is missing; everything else is a finding.
    """
    checked = check(folder, as_published, today)
    if not (folder / FILE).is_file():
        return checked
    found = check_wiring(read_document(folder / FILE), checked.policy)
    return replace(checked, findings=checked.findings + found)


def check_text(text: str, policy: Policy | None) -> tuple[Finding, ...]:
    """As ``check_wiring``, on the text of the file."""
    return check_wiring(parse_document(text, FILE), policy)


def check_wiring(document: Document, policy: Policy | None) -> tuple[Finding, ...]:
    """What is wrong with a ``site.yaml``, by itself and beside the policy in effect, in file order. Pure."""
    wiring, findings = fit(document, Wiring)
    if wiring is None or policy is None:
        return findings
    beside = [*dangling(document, wiring, policy), *_places(document, wiring, policy)]
    return findings + tuple(sorted(beside, key=lambda finding: finding.place))


def _places(document: Document, wiring: Wiring, policy: Policy) -> Iterator[Finding]:
    """Stores that stand elsewhere than the policy says; a store of keys without a country stands beside the data."""
    promised = [*_promised(policy)]
    if wiring.mail is not None and wiring.mail.elsewhere:
        yield from _mail_server(document, wiring.mail.country, promised, policy)
    for path, country in ((("store",), wiring.store.country), (("keys",), wiring.keys.country)):
        at: Where = (*path, "country") if country else path
        place = document.place(at)
        if not country and promised and path == ("store",):
            message = f"`{promised[0][0]}` says where data is kept, and nothing says where this store stands."
            yield Finding("S-01", "warning", at, place, message, f"Write `country: {promised[0][1][0]}`, or another.")
        for source, places in promised if country else ():
            if not within(country, places):
                message = f"a store stands in {country}, and `{source}` says {', '.join(places)}."
                yield Finding("S-01", "error", at, place, message, "Move the store, or say in the policy where it is.")


def _mail_server(
    document: Document, country: str, promised: list[tuple[str, tuple[str, ...]]], policy: Policy
) -> Iterator[Finding]:
    """A mail server on another machine that stands where data may not go, or nobody knows where."""
    at: Where = ("mail", "country") if country else ("mail",)
    place, also = document.place(at), policy.transfers.may_move_to if policy.transfers else ()
    if promised and not country:
        message = f"`{promised[0][0]}` says where data is kept, and nothing says where this mail server stands."
        yield Finding("S-01", "warning", at, place, message, "Write `country: ` and where it stands.")
    for source, places in promised if country else ():
        allowed = (*places, *also) if source == "transfers.stored in" else places
        if not within(country, allowed):
            message = f"a mail server stands in {country}, and `{source}` says {', '.join(places)}."
            yield Finding("S-01", "error", at, place, message, "Use another, or say in the policy where mail goes.")


def _promised(policy: Policy) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the policy says about where data is kept, and the places."""
    if policy.transfers is not None and policy.transfers.stored_in:
        yield "transfers.stored in", policy.transfers.stored_in
    yield from ((f"absolutes.{key}", one.in_) for key, one in policy.absolutes.items() if one.only == "store")
