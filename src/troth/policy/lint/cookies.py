"""Cookies and trackers: what is not declared, not asked for, or silent about the browser's own signals."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.lint.wording import texts
from troth.policy.model import Cookie, Policy
from troth.policy.periods import Period

unasked = rule(
    "E-15", "Cookies or trackers that are undisclosed or unasked", "error", "Only essential cookies are set."
)
signals = rule(
    "E-24", "Browser signals are ignored or not covered", "warning", "Global Privacy Control counts as a no."
)

LONGEST_CHOICE = Period(13, "month")
"""how long a yes to a cookie may last at most, as the French authority reads the law (CNIL, 2020-091 and 2020-092)"""
_NEEDS_COOKIE = re.compile(r"cookie|visit_count|number_of_visits|visits_made|returning", re.I)
_DNT = re.compile(
    r"\bDo[ -]Not[ -]Track\b|\bDNT\b|(?i:\bdo[ -]not[ -]track[\"”’']? (?:signal|header|request|setting|preference))"
)
_GPC = re.compile(r"global privacy control|\bGPC\b", re.I)


@unasked
def cookie_nobody_agreed_to(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, cookie in policy.cookies.items():
        if cookie.essential:
            continue
        basis = policy.purposes[cookie.consent].basis if cookie.consent else ""
        if not cookie.consent:
            message = f"`{key}` is not essential, and nobody is asked before it is set."
            yield Flaw(("cookies", key), message, "Write `consent:` and the purpose people agree to.")
        elif basis not in ("consent", "not stated"):
            message = f"`{key}` waits for consent to `{cookie.consent}`, but that rests on {basis}."
            yield Flaw(("cookies", key), message, f"Write `basis: consent` for `{cookie.consent}`.")


@unasked
def cookie_half_disclosed(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, cookie in policy.cookies.items():
        missing = _undisclosed(cookie)
        if missing:
            message = f"`{key}` does not say {', '.join(missing)}."
            yield Flaw(("cookies", key), message, "People are told what a cookie holds, why, and how long.", "warning")


def _undisclosed(cookie: Cookie) -> list[str]:
    facts = {"what it holds": cookie.holds, "what for": cookie.for_, "how long it stays": cookie.life}
    return [name for name, value in facts.items() if not value]


@unasked
def tracking_without_a_cookie(policy: Policy, context: Context) -> Iterator[Flaw]:
    if policy.visits is None or policy.cookies:
        return
    telling = [n for n in policy.visits.records if n in policy.data and _needs_cookie(policy, n)]
    if telling:
        names = ", ".join(f"`{name}`" for name in telling)
        message = f"{names} cannot be known without a cookie or the like, and no cookie is declared."
        yield Flaw(("cookies",), message, "Declare it under `cookies`.", cites=policy.visits.cites)


def _needs_cookie(policy: Policy, name: str) -> bool:
    return bool(_NEEDS_COOKIE.search(name) or _NEEDS_COOKIE.search(policy.data[name].category))


@unasked
def essential_in_name_only(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, cookie in policy.cookies.items():
        why = _not_essential(policy, cookie) if cookie.essential else ""
        if why:
            message = f"`{key}` is called essential, and {why}."
            yield Flaw(("cookies", key, "essential"), message, "Write `essential: false` and `consent:`.")


def _not_essential(policy: Policy, cookie: Cookie) -> str:
    other = policy.recipients.get(cookie.set_by)
    if other and other.role == "advertiser":
        return f"the advertiser `{cookie.set_by}` sets it"
    if cookie.consent:
        return f"waits for consent to `{cookie.consent}`"
    for name in cookie.for_:
        purpose = policy.purposes[name]
        if purpose.marketing or purpose.basis == "consent":
            return f"serves `{name}`, which is {'marketing' if purpose.marketing else 'a matter of consent'}"
    return ""


@unasked
def cookie_that_stays_too_long(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, cookie in policy.cookies.items() if context.european else ():
        if not cookie.essential and cookie.life and cookie.life > LONGEST_CHOICE:
            message = f"`{key}` stays for {cookie.life}; after 13 months people are to be asked again."
            yield Flaw(("cookies", key, "life"), message, "Write `life: 12 months`, or less.", "warning", about="life")


@signals
def signal_not_covered(policy: Policy, context: Context) -> Iterator[Flaw]:
    said = list(texts(policy))
    track = [path for path, words in said if _DNT.search(words)]
    control = any(_GPC.search(words) for _, words in said)
    if track and not control:
        message = f"`{'.'.join(track[0])}` speaks of Do Not Track, but nothing of Global Privacy Control."
        yield Flaw(track[0], message, "Say that Global Privacy Control counts as a no.")
    elif context.under("us-ca") and not control:
        message = "nothing says how the browser's signals are answered."
        yield Flaw(("statements",), message, "Say what Do Not Track and Global Privacy Control do here.")
