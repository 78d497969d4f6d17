"""Never and only: what a policy promises without exception, and what the same policy allows all the same.

One finding for each absolute, with everything that contradicts it, since one decision settles it: the absolute is kept as
it stands (forbid beats permit), or it is lifted for named cases with `unless`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from troth.policy.assurances import Absolute
from troth.policy.findings import Path
from troth.policy.lint.refused import Against, Permitted, concerns, in_words
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Cookie, Policy, Recipient
from troth.policy.places import within
from troth.policy.prohibitions import kept_outside
from troth.policy.rules import PAID

absolutes = rule(
    "E-01",
    "A promise that says never or only, and an entry that does it",
    "error",
    "The strict reading holds: what contradicts the absolute is refused.",
)
_VISITS = frozenset({"visit", "visits"})


Search = Callable[[Policy, Absolute], Iterable[Against]]


@absolutes
def contradicted(policy: Policy, context: Context) -> Iterator[Flaw]:
    if not policy.absolutes:
        return
    permitted = Permitted(policy)
    for key, absolute in policy.absolutes.items():
        seen = list(dict.fromkeys(_against(policy, absolute)))
        there = {item.path for item in seen}
        against = seen + [item for item in permitted.against(key, absolute) if item.path not in there]
        if against:
            shown = "; ".join(f"{_at(context, item.path)} {item.does}" for item in against)
            cites = tuple(dict.fromkeys(c for item in against for c in item.cites))
            yield Flaw(
                ("absolutes", key), f"`{key}` says {_says(absolute)}, but {shown}.", _hint(absolute), cites=cites
            )


def _says(absolute: Absolute) -> str:
    return f"never {absolute.never}" if absolute.never else f"only {absolute.only}"


def _hint(absolute: Absolute) -> str:
    return "Take the entry away, or decide which cases lift the promise and name them in its `unless`."


def _at(context: Context, path: Path) -> str:
    return f"`{'.'.join(path)}` (line {context.document.place(path).line})"


def _against(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    searches: dict[str, tuple[Search, ...]] = {
        "never sell": (_sold, _paid_with_trackers),
        "never disclose": (_given, _read_by_others, _given_in_groups, _legal("disclose", "transfer controller")),
        "never store": (_stored,),
        "never read": (_read, _legal("read")),
        "never collect": (_collected, _visits_recorded, _held_in_cookies),
        "only disclose": (_given, _read_by_others, _given_in_groups, _legal("disclose", "transfer controller")),
        "only read": (_read, _legal("read")),
        "only collect": (_collected, _visits_recorded, _held_in_cookies),
        "only store": (_kept_elsewhere,),
    }
    if absolute.never and absolute.for_ and absolute.never != "sell":
        return  # it rules out some cases and not all: which entries serve these, the rules say
    for search in searches.get(_says(absolute), ()):
        yield from search(policy, absolute)


def _concerned(policy: Policy, absolute: Absolute, data: Iterable[str]) -> str:
    """Those of ``data`` that the absolute is about, for a sentence."""
    return in_words(name for name in data if concerns(policy, absolute, (name,)))


def lifted(absolute: Absolute, key: str, recipient: Recipient) -> bool:
    """Whether what must be true before ``recipient`` is given anything is among what lifts the absolute."""
    by_itself = recipient.consent == "itself" or (not recipient.consent and recipient.ground == "consent")
    facts = {key, "consent"} if by_itself else {recipient.consent, "consent"} if recipient.consent else set()
    legal = recipient.role == "authority" or recipient.ground in ("law", "legal claim")
    return not facts.isdisjoint(absolute.unless) or (legal and bool(absolute.unless))


def _inside(absolute: Absolute, key: str, recipient: Recipient) -> bool:
    """Whether the closed lists of an *only* name the recipient and each of its purposes or its ground."""
    if not absolute.only:
        return bool(absolute.to) and key not in absolute.to
    words = set(absolute.for_)
    named = recipient.ground in words or (bool(recipient.for_) and words.issuperset(recipient.for_))
    return (key in absolute.to and (not words or named)) if absolute.to else named


def _sold(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, recipient in policy.recipients.items():
        meant = not absolute.for_ or not set(absolute.for_).isdisjoint(recipient.for_)
        meant = meant and (not absolute.to or key in absolute.to)
        if meant and recipient.consideration in PAID and concerns(policy, absolute, recipient.receives):
            does = f"gives data for a consideration ({recipient.consideration})"
            yield Against(("recipients", key), does, recipient.cites)


def _paid_with_trackers(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, cookie in policy.cookies.items():
        other = policy.recipients.get(cookie.set_by)
        meant = not absolute.for_ and (not absolute.to or cookie.set_by in absolute.to)
        if meant and other and other.role == "advertiser" and not lifted(absolute, cookie.set_by, other):
            does = f"lets the advertiser `{cookie.set_by}` track people, which California law may count as a sale"
            yield Against(("cookies", key), does, cookie.cites)


def _given(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, recipient in policy.recipients.items():
        listed = _inside(absolute, key, recipient) or lifted(absolute, key, recipient)
        if not listed and concerns(policy, absolute, recipient.receives):
            yield Against(
                ("recipients", key), f"gets {_concerned(policy, absolute, recipient.receives)}", recipient.cites
            )


def _read_by_others(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, cookie in policy.cookies.items():
        other = policy.recipients.get(cookie.set_by)
        if other is None or other.receives:
            continue
        listed = _inside(absolute, cookie.set_by, other) or lifted(absolute, cookie.set_by, other)
        if not listed and concerns(policy, absolute, cookie.holds):
            yield Against(
                ("cookies", key),
                f"lets `{cookie.set_by}` read {_concerned(policy, absolute, cookie.holds)}",
                cookie.cites,
            )


def _given_in_groups(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, recipient in policy.recipients.items():
        only_groups = recipient.receives_aggregates and not recipient.receives
        listed = _inside(absolute, key, recipient) or lifted(absolute, key, recipient)
        if only_groups and not listed and "everything" in absolute.what:
            yield Against(("recipients", key), "gets statistics", recipient.cites)


def _legal(*acts: str) -> Search:
    def search(policy: Policy, absolute: Absolute) -> Iterator[Against]:
        for key, ground in policy.legal.items():
            named = key in absolute.unless or key in absolute.for_
            if ground.act in acts and not named and _reaches(policy, absolute, ground.data):
                told = (
                    in_words(ground.data) if "everything" in ground.data else _concerned(policy, absolute, ground.data)
                )
                yield Against(("legal", key), f"lets a case {ground.act} {told}", ground.cites)

    return search


def _reaches(policy: Policy, absolute: Absolute, data: tuple[str, ...]) -> bool:
    return "everything" in data or concerns(policy, absolute, data)


def _stored(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, data in policy.data.items():
        if data.protect != "never stored" and key in absolute.what:
            yield Against(("data", key), f"is stored ({data.protect})", data.cites)
    for key, point in policy.collection.items():
        kept = tuple(n for n in point.required + point.optional if policy.data[n].protect != "never stored")
        if _speaks_of(policy, absolute, point.people) and concerns(policy, absolute, kept):
            does = f"takes in {_concerned(policy, absolute, kept)} to be stored"
            yield Against(("collection", key), does, point.cites)


def _read(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, purpose in policy.purposes.items():
        listed = key in absolute.unless or (absolute.only == "read" and key in absolute.for_)
        by_consent = "consent" in absolute.unless and purpose.basis == "consent"
        if not listed and not by_consent and concerns(policy, absolute, purpose.uses):
            yield Against(("purposes", key), f"reads {_concerned(policy, absolute, purpose.uses)}", purpose.cites)


def _speaks_of(policy: Policy, absolute: Absolute, people: str) -> bool:
    """Whether the absolute is about these people, or about data whosever it is."""
    named = set(absolute.what) & set(policy.people)
    return not named or people in named


def _collected(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, point in policy.collection.items():
        data = point.required + point.optional
        words = {key, point.source, point.kind} - {""}
        listed = _permits(absolute, words, point.for_) or not _speaks_of(policy, absolute, point.people)
        if not listed and concerns(policy, absolute, data):
            yield Against(("collection", key), f"takes in {_concerned(policy, absolute, data)}", point.cites)


def _visits_recorded(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    visits = policy.visits
    if visits is None or not visits.recording or _permits(absolute, _VISITS, visits.for_):
        return
    if concerns(policy, absolute, visits.records):
        yield Against(("visits",), f"records {_concerned(policy, absolute, visits.records)}", visits.cites)


def _held_in_cookies(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    for key, cookie in policy.cookies.items():
        allowed = _permits(absolute, {key, "cookie", "cookies"}, cookie.for_) or _asked(absolute, cookie)
        if not allowed and concerns(policy, absolute, cookie.holds):
            yield Against(("cookies", key), f"holds {_concerned(policy, absolute, cookie.holds)}", cookie.cites)


def _asked(absolute: Absolute, cookie: Cookie) -> bool:
    return bool(cookie.consent) and not {cookie.consent, "consent"}.isdisjoint(absolute.unless)


def _permits(absolute: Absolute, words: Iterable[str], purposes: tuple[str, ...]) -> bool:
    """Whether the closed list of an *only* names the place or every purpose of it."""
    listed = set(absolute.for_)
    return bool(absolute.only) and (not listed.isdisjoint(words) or (bool(purposes) and listed.issuperset(purposes)))


def _kept_elsewhere(policy: Policy, absolute: Absolute) -> Iterator[Against]:
    transfers = policy.transfers
    named = transfers.stored_in + transfers.may_move_to if transfers else ()
    elsewhere = [country for country in named if not within(country, absolute.in_)]
    if transfers and elsewhere:
        yield Against(("transfers",), f"keeps data in {in_words(elsewhere)}", transfers.cites)
    for key in kept_outside(policy, absolute):
        recipient = policy.recipients[key]
        if not lifted(absolute, key, recipient) and concerns(policy, absolute, recipient.receives):
            where = recipient.country or "a country not named"
            yield Against(
                ("recipients", key),
                f"keeps {_concerned(policy, absolute, recipient.receives)} in {where}",
                recipient.cites,
            )
