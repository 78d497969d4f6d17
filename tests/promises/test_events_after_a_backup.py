"""When a backup is put back no event is forgotten: each is done again, counted as lost, or needs nothing for a reason."""

from collections.abc import Iterator, Mapping

import pytest

from troth.ledger.events import EVENTS
from troth.restoring.lost import LOST, NEEDS_NOTHING
from troth.restoring.record import Said
from troth.restoring.replay import replay
from troth.store.site import Site


class _Looked(Exception):
    """Something asked what an event says."""


class _Body(dict[str, object]):
    """What an event says; looking at it is noticed, since nothing can be done again without."""

    def __getitem__(self, key: str) -> object:
        raise _Looked

    def __contains__(self, key: object) -> bool:
        raise _Looked

    def get(self, key: str, default: object = None) -> object:
        raise _Looked


def done_again(site: Site) -> Iterator[str]:
    """The events that ``replay`` looks into."""
    for name in EVENTS:
        try:
            replay(site, [Said(site.now(), name, _Body(), 1)])
        except _Looked:
            yield name


def forgotten(registry: Mapping[str, str], again: set[str]) -> set[str]:
    return registry.keys() - again - set(LOST) - NEEDS_NOTHING.keys()


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_every_event_is_done_again_or_counted_or_needs_nothing_for_a_reason(site: Site) -> None:
    again = set(done_again(site))
    assert forgotten(EVENTS, again) == set()
    assert forgotten({**EVENTS, "door:closed": "A new event."}, again) == {"door:closed"}
    assert again >= {"restriction:made", "token:revoked", "staff:removed"}
    assert {name for name in NEEDS_NOTHING if name in again or name in LOST or name not in EVENTS} == set()
    assert set(LOST) <= EVENTS.keys() and len(LOST) == len(set(LOST))
    assert all(reason.endswith(".") for reason in NEEDS_NOTHING.values())


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_every_event_that_is_lost_is_counted(site: Site) -> None:
    silent = set(NEEDS_NOTHING)
    for name in EVENTS.keys() - {*LOST, *silent}:
        with pytest.raises(_Looked):
            replay(site, [Said(site.now(), name, _Body(), 1)])
    for name in silent:
        found = replay(site, [Said(site.now(), name, _Body(), 1)])
        assert (found.done, found.lost) == ({}, {})
    for name in set(LOST) - set(done_again(site)):
        assert replay(site, [Said(site.now(), name, _Body(), 1)]).lost == {name: 1}
