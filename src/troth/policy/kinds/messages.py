"""``messages``: each class of mail, who gets it and how it is stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.policy.kind import NOTICE, ROOM, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.consent import promotional_mail_without_unsubscribe
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules


def _makes(source: Source) -> Iterator[Promise]:
    for key, message in source.policy.messages.items():
        yield source.promise("message.class", ("messages", key), message)


def _tell(t: Telling) -> Iterator[str]:
    yield "once" if t.it.when == "once per event" else t.it.when
    yield from when((t.it.unsubscribe != "none", t.it.unsubscribe), (t.it.uses, "+uses"))


KEYS: Mapping[str, Claim] = {
    "label": NOTICE,
    "kind": rules,
    "for": rules,
    "uses": rules,
    "when": rules,
    "unsubscribe": ROOM,
}

KIND = Kind(
    id="message.class",
    order=170,
    makes=_makes,
    tell=_tell,
    place=("why", "messages"),
    lint=(promotional_mail_without_unsubscribe,),
    entries=Entries("messages", Weight(more=("uses", "for"), wording=("label",)), many=True, keys=KEYS),
)
