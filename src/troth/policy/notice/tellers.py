"""Which sentences each kind of promise needs: a teller looks at the entry and names them, in order.

A teller yields keys of the catalogue: ``say`` keys make the sentence, ``also`` keys (written ``+key``) the lines below it.
It decides nothing that ``rules`` does not decide in the same way: what the rules refuse, the sentence calls refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from troth.policy.clocks import people_meant
from troth.policy.model import Policy, Recipient
from troth.policy.notice.language import Speaker
from troth.policy.promises import Promise


@dataclass(frozen=True)
class Telling:
    """A promise to be told: ``it`` is its entry, ``values`` what templates need besides."""

    promise: Promise
    policy: Policy
    speaker: Speaker
    it: Any
    at: date | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.promise.path[-1]


Teller = Callable[[Telling], Iterator[str]]


def tell(telling: Telling) -> Iterator[str]:
    """The keys of the sentences and lines that ``telling`` needs."""
    return TELLERS[telling.promise.kind](telling)


def _if(*pairs: tuple[object, str]) -> Iterator[str]:
    return (key for value, key in pairs if value)


def _version(t: Telling) -> Iterator[str]:
    day = t.it.effective
    yield "undated" if day is None else "coming" if t.at and day > t.at else "in_force"
    yield from _if((t.it.covers, "+covers"), (t.it.flows, "+flows"), (t.it.governing_law, "+governing_law"))
    yield from _if((t.it.glossary, "+glossary"))


def _contact(t: Telling) -> Iterator[str]:
    yield {(True, True): "both", (True, False): "email", (False, True): "address"}.get(
        (bool(t.it.email), bool(t.it.address)), "nowhere"
    )
    yield from _if((t.it.country, "+country"), (t.it.also_named, "+also_named"))
    yield from _if((t.it.representative, "+representative"))


def _sealed(t: Telling) -> Iterator[str]:
    yield "sealed"
    t.values["plain"] = [key for key, data in t.policy.data.items() if data.protect == "plain"]
    yield from _if((t.values["plain"], "+plain"))


def _form(t: Telling) -> Iterator[str]:
    if t.it.kind == "visit":
        t.values["records"] = ("time", *t.it.required, *t.it.optional)
        yield "visit"
    elif t.it.required:
        yield from _if((True, "required"), (t.it.optional, "optional"))
    else:
        yield "optional_only" if t.it.optional else "nothing"
    only = t.it.members_only and t.it.kind != "visit"
    yield from _if((only, "+members_only"), (t.it.needs, "+needs"), (t.it.for_, "+purposes"), (t.it.told, "+told"))
    yield from _if((t.it.offers, "+offers"), (t.it.keeps_when_different, "+differs"), (t.it.warns, "+warns"))


def _import(t: Telling) -> Iterator[str]:
    t.values["received"] = t.it.required + t.it.optional
    if not t.it.partners:
        yield "nobody"
        return
    yield from _if((True, "received"), (t.it.for_, "+purposes"), (t.it.told, "+told"))


def _purpose(t: Telling) -> Iterator[str]:
    it = t.it
    t.values["basis"] = t.speaker.words.tree["bases"][it.basis]
    if not it.uses:
        yield "nothing"
        return
    yield "counts" if it.aggregate_only else "uses"
    yield from _if((it.opt_out, "opt_out"), (it.people, "+people"), (it.before, "+before"), (it.needs, "+needs"))
    yield from _if((it.roles, "+roles"), (it.basis == "not stated", "+unstated"), (it.assessment, "+legitimate"))


def _closed_purposes(t: Telling) -> Iterator[str]:
    yield "closed" if t.policy.purposes else "none"


def _choice(t: Telling) -> Iterator[str]:
    if not isinstance(t.it, Recipient):
        yield "purpose"
        return
    yield "recipient" if needs_own_consent(t.it) else "switch"
    yield from _if((t.it.essential, "+essential"))


def needs_own_consent(recipient: Recipient) -> bool:
    """Whether the person must say yes to this very recipient."""
    return recipient.consent == "itself" or (not recipient.consent and recipient.ground == "consent")


def gets(recipient: Recipient) -> bool:
    """Whether the rules let ``recipient`` have any personal data at all."""
    return bool(recipient.receives and recipient.for_) and recipient.consideration == "none"


def asks_first(recipient: Recipient) -> bool:
    """Whether the person must have said yes before ``recipient`` gets anything."""
    return bool(recipient.consent) or recipient.ground == "consent"


def _share(t: Telling) -> Iterator[str]:
    it = t.it
    t.values["name"] = it.name or t.speaker.phrase("unnamed", "recipient")
    t.values["only"] = t.speaker.words.tree["only"]["consent" if asks_first(it) else "none"]
    yield "role"
    if not gets(it):
        yield "aggregates" if it.receives_aggregates else "nothing"
        yield from _if((it.receives and it.for_ and it.consideration != "none", "+unpaid"))
    else:
        yield "public" if it.role == "public" else "fields"
        yield from _if((it.receives_aggregates, "both"))
        yield from _if((True, "+purposes"), (it.needs, "+needs"), (it.country, "+country"), (it.choice, "+choice"))
        yield from _if((it.why_essential, "+essential"), (it.role != "public", "+free"))
    yield from _if((it.ground and it.ground != "consent", "+ground"), (it.policy_url, "+policy_url"))


def _closed_recipients(t: Telling) -> Iterator[str]:
    yield "closed" if t.policy.recipients else "nobody"


def _never(t: Telling) -> Iterator[str]:
    yield from _if((True, "never"), (t.it.unless, "+unless"))


def _only(t: Telling) -> Iterator[str]:
    yield from _if((True, "only"), (t.it.unless, "+unless"))


def _cookie(t: Telling) -> Iterator[str]:
    it = t.it
    yield "essential" if it.essential else "consent" if it.consent else "never"
    yield from _if((it.set_by != "itself", "+set_by"), (it.holds, "+holds"), (it.for_, "+purposes"))
    yield from _if((it.life, "+life"), (it.pages, "+pages"))


def _visits(t: Telling) -> Iterator[str]:
    it = t.it
    if not it.recording or it.keep is None:
        yield "nothing"
        return
    t.values["records"] = ("time", *(field for field in it.records if field != "time"))
    yield from _if((True, "records"), (it.truncate_ip, "truncated"))
    yield "+purposes" if it.for_ else "+unused"


def _end(t: Telling) -> Iterator[str]:
    ends = t.values["ends"] = tuple(one for one in t.it.ends if one != "silence" or t.it.silence)
    if not ends:
        yield "never"
    else:
        yield from _if((True, "ends"), (len(ends) > 1, "first"))
    yield from _if((t.it.begins, "+begins"))


def _clock(t: Telling) -> Iterator[str]:
    it = t.it
    t.values["what"] = what(t.speaker, it.what)
    yield from _if((True, "archived" if it.archive else "deleted"), (it.everywhere, "everywhere"))
    yield from _if((it.because, "+because"), (it.archive and it.for_, "+purposes"), (it.points, "+points"))
    yield from _if((it.people and not any(people_meant(word) for word in it.what), "+people"))


def what(speaker: Speaker, words: tuple[str, ...]) -> str:
    """What a clock rules, in words."""
    named = [_phrase(speaker, word) for word in words if word not in speaker.policy.data]
    data = [word for word in words if word in speaker.policy.data]
    return speaker.every(named + ([speaker.data(data)] if data else []))


def _phrase(speaker: Speaker, word: str) -> str:
    people = people_meant(word)
    return _everything(speaker, people) if people else speaker.label(word)


def _everything(speaker: Speaker, people: str) -> str:
    return speaker.phrase("what", "everything about", people=speaker.people([people]))


def _erasure(t: Telling) -> Iterator[str]:
    yield "path" if t.it.destroy_within else "undated"
    yield from _if((t.it.everywhere, "everywhere"), (t.it.may_keep, "+may_keep"))


def _right(t: Telling) -> Iterator[str]:
    it = t.it
    if it.right == "complaint":
        yield "complaint"
        return
    yield "unsaid" if not it.by else "account" if it.by == ("account",) else "offered"
    yield from _if((it.answer_within, "answered"), (it.verify and it.by != ("account",), "+verified"))
    yield from _if((it.limits, "+limits"), (it.against, "+against"))


def _request_log(t: Telling) -> Iterator[str]:
    yield "kept" if t.it.keep else "undated"
    yield from _if((t.it.link_life, "+link_life"))


def _message(t: Telling) -> Iterator[str]:
    yield "once" if t.it.when == "once per event" else t.it.when
    yield from _if((t.it.unsubscribe != "none", t.it.unsubscribe), (t.it.uses, "+uses"))


def _statistic(t: Telling) -> Iterator[str]:
    if t.it.minimum_cell is None:
        yield "unsized"
        return
    yield "counted" if t.it.by else "total"
    yield from _if((t.it.shared_with, "+shared"), (t.it.for_, "+purposes"))


def _transfers(t: Telling) -> Iterator[str]:
    it = t.it
    yield "stored" if it.stored_in else "unsaid"
    yield "moves" if it.may_move_to else "stays"
    yield from _if((it.held_by and it.may_move_to, "+held_by"), (it.safeguards and it.may_move_to, "+safeguards"))
    yield from _if((it.objection, "+objection"), (it.agreed_by_use, "+agreed_by_use"))


def _changes(t: Telling) -> Iterator[str]:
    it = t.it
    yield "told" if it.told_by else "untold"
    yield from _if((it.lead_time, "lead"), (it.posted_before and not it.lead_time, "before"))
    yield from _if((it.remind_every, "+remind"), (it.significant_means, "+significant"))
    yield from _if((it.check_back, "+check_back"), (it.disagree, "+disagree"))


def _measure(t: Telling) -> Iterator[str]:
    yield from _if((True, "measure"), (t.it.attested_by, "+attested"), (t.it.review_by, "+review"))


def _legal(t: Telling) -> Iterator[str]:
    named = [word for word in t.it.data if word != "everything"]
    t.values["what"] = t.speaker.data(named) if named else t.speaker.phrase("what", "everything")
    yield t.it.act
    yield from _if((t.it.needs, "+decided"))


def _always(key: str) -> Teller:
    return lambda _: iter((key,))


TELLERS: dict[str, Teller] = {
    "policy.version": _version,
    "operator.contact": _contact,
    "people.age": _always("refused"),
    "data.sealed": _sealed,
    "data.never_stored": _always("never"),
    "collection.form": _form,
    "collection.import": _import,
    "purpose.use": _purpose,
    "purpose.closed": _closed_purposes,
    "consent.choice": _choice,
    "consent.not_implied": _always("never"),
    "recipient.share": _share,
    "recipient.closed": _closed_recipients,
    "absolute.never": _never,
    "absolute.only": _only,
    "cookie.declared": _cookie,
    "visit.records": _visits,
    "visit.expiry": _always("gone"),
    "relationship.end": _end,
    "retention.clock": _clock,
    "erasure.path": _erasure,
    "right.offered": _right,
    "request.log": _request_log,
    "message.class": _message,
    "statistic.aggregate": _statistic,
    "transfer.country": _transfers,
    "change.notice": _changes,
    "security.measure": _measure,
    "legal.ground": _legal,
}
