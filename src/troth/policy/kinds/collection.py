"""``collection``: the forms where people give data, and what others supply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from troth.policy.kind import NOTICE, ROOM, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.collection import data_not_needed_here
from troth.policy.lint.consent import bundled_with_a_form, submitting_said_to_be_consent
from troth.policy.lint.recipients import import_from_nobody
from troth.policy.lint.wording import asked_for_twice, list_left_open
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules


def _makes(source: Source) -> Iterator[Promise]:
    for key, point in source.policy.collection.items():
        if point.kind != "visit" or point.members_only:
            kind = "collection.import" if point.kind == "import" else "collection.form"
            yield source.promise(kind, ("collection", key), point)


def _form(t: Telling) -> Iterator[str]:
    if t.it.kind == "visit":
        t.values["records"] = ("time", *t.it.required, *t.it.optional)
        yield "visit"
    elif t.it.required:
        yield from when((True, "required"), (t.it.optional, "optional"))
    else:
        yield "optional_only" if t.it.optional else "nothing"
    only = t.it.members_only and t.it.kind != "visit"
    yield from when((only, "+members_only"), (t.it.needs, "+needs"), (t.it.for_, "+purposes"), (t.it.told, "+told"))
    yield from when((t.it.offers, "+offers"), (t.it.keeps_when_different, "+differs"), (t.it.warns, "+warns"))


def _import(t: Telling) -> Iterator[str]:
    t.values["received"] = t.it.required + t.it.optional
    if not t.it.partners:
        yield "nobody"
        return
    yield from when((True, "received"), (t.it.for_, "+purposes"), (t.it.told, "+told"))


def _concerns(policy: Policy, key: str) -> Iterable[str]:
    return (policy.collection[key].people,) if key in policy.collection else ()


KEYS: Mapping[str, Claim] = {
    "label": NOTICE,
    "source": rules,
    "kind": rules,
    "people": rules,
    "required": rules,
    "optional": rules,
    "for": ROOM,
    "told": ROOM,
    "offers": ROOM,
    "members only": rules,
    "opens": ROOM,
    "needs": rules,
    "partners": rules,
    "counts as consent": submitting_said_to_be_consent,
    "warns": ROOM,
    "keeps when different": ROOM,
    "open ended": list_left_open,
}

_WEIGHT = Weight(
    significant=True,
    more=("for", "required", "optional", "partners", "counts as consent"),
    wording=("label", "told"),
    concerns=_concerns,
)

KINDS = (
    Kind(
        id="collection.form",
        order=50,
        makes=_makes,
        tell=_form,
        place=("what", "forms"),
        lint=(
            data_not_needed_here,
            submitting_said_to_be_consent,
            bundled_with_a_form,
            asked_for_twice,
            list_left_open,
        ),
        entries=Entries("collection", _WEIGHT, many=True, keys=KEYS),
    ),
    Kind(
        id="collection.import",
        order=51,
        tell=_import,
        place=("what", "imports"),
        lint=(import_from_nobody,),
    ),
)
