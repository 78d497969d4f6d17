"""What the tests of the notice share: the example sites and small policies, made into notices."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

from troth.policy.check import Checked, check
from troth.policy.compile import Compiled, compile_policy
from troth.policy.document import parse_document
from troth.policy.notice import Item, Notice, notice
from troth.policy.parse import read_policy

ROOT = Path(__file__).parents[1]
SITES = ("infortrend", "ledflex", "ledinside", "made-in-china", "optokingdom")
LANGUAGES = ("en", "zh-Hant")
SITES_IN_LANGUAGES = [(site, tag) for site in SITES for tag in LANGUAGES]


@cache
def checked(site: str) -> Checked:
    return check(ROOT / "sites" / site)


@cache
def compiled(site: str) -> Compiled:
    found = checked(site)
    assert found.policy is not None
    return compile_policy(found.policy, found.document.places, found.origins)


@cache
def with_shop() -> tuple[Compiled, ...]:
    """The five sites, and the shop of the tests, which has every kind of promise."""
    shop = check(ROOT / "tests" / "shop").policy
    assert shop is not None
    return (*map(compiled, SITES), compile_policy(shop))


@cache
def notice_of(site: str, tag: str = "en") -> Notice:
    return notice(compiled(site), tag, checked=checked(site))


def small(text: str) -> Compiled:
    """A policy of a few lines, compiled; its header and operator are added."""
    operator = "" if "\noperator:" in text else "operator: {name: Lamp Shop}\n"
    return headed(f"policy: {{version: 1}}\n{operator}{text}")


def headed(text: str) -> Compiled:
    """A policy that brings its own header, compiled."""
    read = read_policy(parse_document(text, "policy.yaml"))
    assert read.policy is not None and not read.findings, [finding.line() for finding in read.findings]
    return compile_policy(read.policy, read.document.places, {})


def items(made: Notice) -> dict[str, Item]:
    """Items by their promise's id; a statement by ``statement-`` and its own."""
    return {item.promise_id or item.id: item for item in made.items}


def said(text: str, promise: str, tag: str = "en", at: datetime | None = None) -> Item:
    """What the notice of a small policy says for one promise."""
    return items(notice(small(text), tag, at))[promise]
