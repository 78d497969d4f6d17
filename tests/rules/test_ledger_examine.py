"""Whatever is done to a row of a sealed ledger is found, and where; and a ledger nobody touched is whole."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate, combinations, pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.ledger.actions import canonical
from troth.ledger.checkpoints import Checkpoint, key_id, signed
from troth.ledger.examine import Known, Wrong, examine
from troth.ledger.tree import Frontier, leaf_hash
from troth.ledger.walk import Entry, Extent

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = {key_id(KEY.public_key()): KEY.public_key()}
AT = utc(2026)
BATCHES = (3, 4, 1, 6)
SIZE, UNSEALED = sum(BATCHES), 3

Rows = list[Entry]


def entry(number: int, position: int | None, body: str | None = None) -> Entry:
    text = body or f'{{"n":{number}}}'
    return Entry(number, AT, "person:read", text, leaf_hash(canonical(AT, "person:read", text)), position)


def rows(sealed: int = SIZE, unsealed: int = UNSEALED) -> Rows:
    return [entry(n + 1, n if n < sealed else None) for n in range(sealed + unsealed)]


def checkpoints(entries: Rows, batches: tuple[int, ...] = BATCHES) -> list[Checkpoint]:
    leaves = [row.leaf for row in entries]
    return [signed("shop", Frontier().extended(leaves[:size]), AT, KEY) for size in accumulate(batches)]


def in_order(entries: Rows, signatures: list[Checkpoint]) -> Iterator[Entry | Checkpoint]:
    """As ``walk`` gives them."""
    ahead = list(signatures)
    for row in sorted((row for row in entries if row.position is not None), key=lambda row: row.position or 0):
        while ahead and row.position is not None and ahead[0].size <= row.position:
            yield ahead.pop(0)
        yield row
    yield from ahead
    yield from sorted((row for row in entries if row.position is None), key=lambda row: row.id)


def verdict(
    entries: Rows, signatures: list[Checkpoint], gapless: bool = True, last_id: int | None = None
) -> Wrong | None:
    places = [row.position for row in entries if row.position is not None]
    last_size = max((c.size for c in signatures), default=0)
    last = SIZE + UNSEALED if last_id is None else last_id
    extent = Extent(len(entries), len(places), max(places, default=-1), last_size, last, gapless)
    return examine(in_order(entries, signatures), extent, Known("shop", PUBLIC, checkpoints(rows())[-1]))


def around(position: int) -> tuple[int, int]:
    """The positions between the checkpoints before and after ``position``."""
    ends = [0, *accumulate(BATCHES)]
    return next((start, end) for start, end in pairwise(ends) if start <= position < end)


def moved(entries: Rows, start: int, by: int) -> Rows:
    """Every position from ``start`` on, moved."""
    return [
        row if row.position is None or row.position < start else replace(row, position=row.position + by)
        for row in entries
    ]


every_row = pytest.mark.parametrize("at", range(SIZE))
both_kinds = pytest.mark.parametrize("gapless", [True, False])


@given(st.lists(st.integers(1, 40), max_size=5), st.integers(0, 5), st.booleans())
def test_a_ledger_that_nobody_touched_is_whole(batches: list[int], unsealed: int, gapless: bool) -> None:
    entries = rows(sum(batches), unsealed)
    signatures = checkpoints(entries, tuple(batches))
    extent = Extent(len(entries), sum(batches), sum(batches) - 1, sum(batches), len(entries), gapless)
    known = Known("shop", PUBLIC, signatures[-1] if signatures else None)
    assert examine(in_order(entries, signatures), extent, known) is None


@every_row
@both_kinds
def test_a_changed_body_is_found_in_its_row(at: int, gapless: bool) -> None:
    entries = rows()
    for changed in (
        replace(entries[at], body='{"n":0}'),
        replace(entries[at], body=entries[at].body + " "),
        replace(entries[at], at=utc(2025)),
        replace(entries[at], event="person:admitted"),
    ):
        tampered = [*entries[:at], changed, *entries[at + 1 :]]
        assert verdict(tampered, checkpoints(entries), gapless) == Wrong("changed body", at + 1, at)


@every_row
def test_a_changed_leaf_is_found_in_its_row(at: int) -> None:
    entries = rows()
    tampered = [*entries[:at], replace(entries[at], leaf=b"x" * 32), *entries[at + 1 :]]
    assert verdict(tampered, checkpoints(entries)) == Wrong("changed leaf", at + 1, at)


@every_row
@both_kinds
def test_a_row_changed_with_its_leaf_is_found_between_two_checkpoints(at: int, gapless: bool) -> None:
    entries = rows()
    tampered = [*entries[:at], entry(at + 1, at, '{"n":0}'), *entries[at + 1 :]]
    start, end = around(at)
    assert verdict(tampered, checkpoints(entries), gapless) == Wrong("rewritten", None, start, end)


@every_row
@both_kinds
def test_a_removed_row_is_found_by_its_missing_position(at: int, gapless: bool) -> None:
    entries = rows()
    wrong = verdict(entries[:at] + entries[at + 1 :], checkpoints(entries), gapless)
    assert wrong is not None
    assert wrong.kind == ("truncated" if at == SIZE - 1 else "removed")
    if gapless or at < SIZE - 1:
        assert (wrong.position, wrong.until) == (at, None)
        assert wrong.id in ({at + 1} if gapless else {at + 1, None})
    else:
        assert (wrong.position, wrong.until) == around(at)


@pytest.mark.parametrize("at", range(SIZE - 1))
@both_kinds
def test_a_removed_row_is_found_though_the_rest_was_moved_up(at: int, gapless: bool) -> None:
    entries = rows()
    wrong = verdict(moved(entries[:at] + entries[at + 1 :], at, -1), checkpoints(entries), gapless)
    assert wrong is not None
    last_batch = around(at) == around(SIZE - 1)
    assert wrong.kind == ("truncated" if last_batch and not gapless else "removed")
    exact = Wrong("removed", at + 1, at)
    assert wrong == exact if gapless else (wrong.position, wrong.until) == around(at)


@every_row
@both_kinds
def test_an_inserted_row_is_found_though_room_was_made_for_it(at: int, gapless: bool) -> None:
    entries = rows()
    forged = entry(SIZE + UNSEALED + 1, at, '{"n":0}')
    wrong = verdict([*moved(entries, at, 1), forged], checkpoints(entries), gapless, forged.id)
    assert wrong is not None
    assert wrong.kind == "inserted"
    assert around(at)[0] <= (wrong.position or 0) < (wrong.until or around(at)[1])


def test_a_row_inserted_at_the_end_or_twice_is_found() -> None:
    entries = rows()
    for position in (SIZE, 5):
        tampered = [*entries, entry(SIZE + UNSEALED + 1, position)]
        assert verdict(tampered, checkpoints(entries)) == Wrong("inserted", SIZE + UNSEALED + 1, position)


@pytest.mark.parametrize(("first", "second"), list(combinations(range(SIZE), 2)))
@both_kinds
def test_swapped_rows_are_found(first: int, second: int, gapless: bool) -> None:
    entries = rows()
    tampered = list(entries)
    tampered[first] = replace(entries[first], position=second)
    tampered[second] = replace(entries[second], position=first)
    wrong = verdict(tampered, checkpoints(entries), gapless)
    if around(first) == around(second):
        assert wrong == Wrong("swapped", second + 1, first)
    else:
        assert wrong is not None
        assert around(first)[0] <= (wrong.position or 0) < around(first)[1]


@pytest.mark.parametrize("which", range(len(BATCHES)))
@pytest.mark.parametrize(
    "forge",
    [
        lambda c: replace(c, root=b"x" * 32),
        lambda c: replace(c, at=utc(2025)),
        lambda c: replace(c, key_id="0" * 16),
        lambda c: replace(c, signature=bytes(64)),
        lambda c: replace(c, frontier=c.frontier[:-1] + bytes([c.frontier[-1] ^ 1])),
        lambda c: replace(c, frontier=b""),
    ],
)
def test_a_forged_checkpoint_is_found(which: int, forge: Callable[[Checkpoint], Checkpoint]) -> None:
    signatures = checkpoints(rows())
    size = signatures[which].size
    signatures[which] = forge(signatures[which])
    assert verdict(rows(), signatures) == Wrong("forged checkpoint", None, size - 1)


@pytest.mark.parametrize("kept", range(len(BATCHES)))
@both_kinds
def test_an_end_cut_off_with_its_checkpoints_is_found(kept: int, gapless: bool) -> None:
    entries, signatures = rows(), checkpoints(rows())[:kept]
    size = signatures[-1].size if signatures else 0
    cut = [row for row in entries if row.position is not None and row.position < size]
    wrong = verdict(cut, signatures, gapless)
    assert wrong == Wrong("truncated", size + 1 if gapless else None, size)


def test_a_removed_last_checkpoint_is_found() -> None:
    entries = rows()
    wrong = verdict(entries, checkpoints(entries)[:-1])
    assert wrong == Wrong("removed checkpoint", 9, 8)
    unsealed_again = [replace(row, position=None) if (row.position or 0) >= 8 else row for row in entries]
    assert verdict(unsealed_again, checkpoints(entries)[:-1]) == Wrong("truncated", 9, 8)


@pytest.mark.parametrize("at", range(SIZE, SIZE + UNSEALED))
def test_rows_not_sealed_yet_are_held_against_their_own_hash_and_number(at: int) -> None:
    entries = rows()
    changed = [*entries[:at], replace(entries[at], body="{}"), *entries[at + 1 :]]
    assert verdict(changed, checkpoints(entries)) == Wrong("changed body", at + 1, None)
    kind = "truncated" if at == SIZE + UNSEALED - 1 else "removed"
    assert verdict(entries[:at] + entries[at + 1 :], checkpoints(entries)) == Wrong(kind, at + 1, None)


def test_a_row_removed_before_it_was_sealed_leaves_a_gap_where_ids_have_none() -> None:
    entries = [replace(row, id=row.id + (row.id > 5)) for row in rows()]
    assert verdict(entries, checkpoints(entries), last_id=SIZE + UNSEALED + 1) == Wrong("removed", 6, None)
    assert verdict(entries, checkpoints(entries), gapless=False) is None
