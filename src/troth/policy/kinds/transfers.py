"""``transfers``: in which countries data is kept and where it may go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troth.policy.jsonld import node, ref
from troth.policy.kind import ROOM, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.consent import use_said_to_be_consent
from troth.policy.lint.recipients import (
    kept_by_somebody_not_named,
    movement_without_a_safeguard,
    transfer_kept_up_without_a_reason,
)
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source


def _makes(source: Source) -> Iterator[Promise]:
    if source.policy.transfers is not None:
        yield source.promise("transfer.country", ("transfers",), source.policy.transfers)


def _tell(t: Telling) -> Iterator[str]:
    it = t.it
    yield "stored" if it.stored_in else "unsaid"
    yield from when((it.may_move_to, "moves"), (it.stored_in and not it.may_move_to, "stays"))
    yield from when((it.held_by and it.may_move_to, "+held_by"), (it.safeguards and it.may_move_to, "+safeguards"))
    yield from when((it.objection, "+objection"), (it.agreed_by_use, "+agreed_by_use"))


def _process(policy: Policy, _purpose: str) -> Mapping[str, list[Any]]:
    stored = policy.transfers.stored_in if policy.transfers else ()
    places = ref(*(f"loc:{country}" for country in stored))
    return {"hasStorageCondition": [node("dpv:StorageLocation", hasLocation=places)] if places else []}


KEYS: Mapping[str, Claim] = {
    "stored in": ROOM,
    "may move to": ROOM,
    "held by": ROOM,
    "safeguards": ROOM,
    "objection": ROOM,
    "agreed by use": use_said_to_be_consent,
}

KIND = Kind(
    id="transfer.country",
    order=190,
    makes=_makes,
    tell=_tell,
    place=("where", "here"),
    lint=(kept_by_somebody_not_named, movement_without_a_safeguard, transfer_kept_up_without_a_reason),
    entries=Entries(
        "transfers", Weight(significant=True, more=("may move to", "stored in"), yes={"objection": "less"}), keys=KEYS
    ),
    process=_process,
)
