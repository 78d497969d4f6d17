"""The hash tree of RFC 6962 (section 2.1): what makes a list of entries impossible to change unnoticed.

A leaf is SHA-256 of a zero byte and the entry, a node SHA-256 of a one byte and its two children, so that neither can pass for
the other. A *frontier* holds the roots of the full subtrees from left to right: all that is needed to go on adding leaves, some
thirty hashes for a thousand million of them. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256

HASH_BYTES = 32
Subroot = Callable[[int, int], bytes]  # the root over the leaves from one position up to, not including, another


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry: 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of ``size`` leaves, of which only the roots of its full subtrees are kept, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """The tree with ``leaves`` added at its end."""
        nodes, before, peaks = list(leaves), self.size, list(self.peaks)
        size, fresh = before + len(nodes), []
        while nodes:  # a level at a time, from the leaves up
            if before & 1:
                nodes.insert(0, peaks.pop())
            if len(nodes) & 1:
                fresh.append(nodes.pop())
            pairs = iter(nodes)
            nodes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            before >>= 1
        return Frontier(size, (*peaks, *reversed(fresh)))

    def root(self) -> bytes:
        """The root of the tree; of none, SHA-256 of nothing."""
        if not self.peaks:
            return sha256(b"").digest()
        return reduce(lambda right, left: node_hash(left, right), reversed(self.peaks))

    def packed(self) -> bytes:
        """The peaks one after another, as kept with a checkpoint."""
        return b"".join(self.peaks)


def unpacked(size: int, packed: bytes) -> Frontier:
    """The frontier of ``size`` leaves from its ``packed`` peaks.

    Raises:
        ValueError: when a tree of this size has another number of peaks.
    """
    if len(packed) != size.bit_count() * HASH_BYTES:
        raise ValueError("these are not the peaks of a tree of this size")
    return Frontier(size, tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)))


def subroots(leaves: Sequence[bytes]) -> Subroot:
    """The roots of ranges of ``leaves`` that are all at hand."""
    return lambda start, end: Frontier().extended(leaves[start:end]).root()


def inclusion_proof(index: int, size: int, subroot: Subroot) -> list[bytes]:
    """The audit path of the leaf at ``index`` in a tree of ``size`` leaves (RFC 6962, 2.1.1), the leaf's sibling first.

    Raises:
        ValueError: when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has none at {index}")
    return [subroot(start, end) for start, end in reversed(_siblings(index, size))]


def _siblings(index: int, size: int) -> list[tuple[int, int]]:
    found, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found


def consistency_proof(old: int, new: int, subroot: Subroot) -> list[bytes]:
    """Shows that the tree of ``new`` leaves begins with that of ``old`` leaves (RFC 6962, 2.1.2).

    Raises:
        ValueError: unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves cannot begin with one of {old}")
    others, start, end = [], 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            others.append((middle, end))
            end = middle
        else:
            others.append((start, middle))
            start = middle
    ranges = [(start, end), *reversed(others)] if start else others[::-1]
    return [subroot(*span) for span in ranges]


def _split(size: int) -> int:
    """The largest power of two below ``size``, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def includes(root: bytes, size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` leads from ``leaf`` at ``index`` to the ``root`` of a tree of ``size`` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, reached = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            reached = node_hash(other, reached)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            reached = node_hash(reached, other)
        here, last = here >> 1, last >> 1
    return last == 0 and reached == root


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the ``new`` tree begins with the ``old`` one (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = ([old_root] if old & (old - 1) == 0 else []) + list(proof)
    return bool(steps) and _reaches(old, new, steps) == (old_root, new_root)


def _reaches(old: int, new: int, steps: list[bytes]) -> tuple[bytes, bytes] | None:
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old_reached = new_reached = steps[0]
    for other in steps[1:]:
        if last == 0:
            return None
        if here & 1 or here == last:
            old_reached, new_reached = node_hash(other, old_reached), node_hash(other, new_reached)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new_reached = node_hash(new_reached, other)
        here, last = here >> 1, last >> 1
    return (old_reached, new_reached) if last == 0 else None
