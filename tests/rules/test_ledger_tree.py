"""The hash tree is that of RFC 6962: known answers of its reference implementation, and what must hold for every tree."""

from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from troth.ledger.tree import (
    Frontier,
    consistency_proof,
    consistent,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    subroots,
    unpacked,
)

# The eight entries, the roots of the trees over the first 0 to 8 of them, and the proofs of the reference implementation.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSIONS = {
    (0, 1): [],
    (0, 8): [A, B, C],
    (5, 8): [D, E, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], B, D],
}
CONSISTENCIES = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, ROOTS[4]], (2, 5): [B, D]}

hashes = st.binary(min_size=32, max_size=32)
some_leaves = st.lists(hashes, min_size=1, max_size=70)


def by_definition(leaves: list[bytes]) -> bytes:
    """The root, word for word as RFC 6962 defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def hexes(proof: list[bytes]) -> list[str]:
    return [step.hex() for step in proof]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size: int) -> None:
    assert Frontier().extended(LEAVES[:size]).root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSIONS)
def test_inclusion_proofs_are_those_of_the_reference(index: int, size: int) -> None:
    assert hexes(inclusion_proof(index, size, subroots(LEAVES))) == INCLUSIONS[index, size]


@pytest.mark.parametrize(("old", "new"), CONSISTENCIES)
def test_consistency_proofs_are_those_of_the_reference(old: int, new: int) -> None:
    assert hexes(consistency_proof(old, new, subroots(LEAVES))) == CONSISTENCIES[old, new]


@given(some_leaves, st.integers(0, 70))
def test_a_tree_grown_in_batches_has_the_root_that_the_standard_defines(leaves: list[bytes], cut: int) -> None:
    first = Frontier().extended(leaves[:cut])
    again = unpacked(first.size, first.packed())
    assert again.extended(leaves[cut:]).root() == by_definition(leaves)


@given(some_leaves, st.data())
def test_a_leaf_that_is_there_is_proved(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = inclusion_proof(index, len(leaves), subroots(leaves))
    assert includes(by_definition(leaves), len(leaves), index, leaves[index], path)


@given(some_leaves, hashes, st.data())
def test_a_leaf_that_is_not_there_is_not_proved(leaves: list[bytes], other: bytes, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assume(other != leaves[index])
    path = inclusion_proof(index, len(leaves), subroots(leaves))
    root = by_definition(leaves)
    assert not includes(root, len(leaves), index, other, path)
    assert not includes(root, len(leaves), index, leaves[index], [*path, other])
    assert not includes(root, len(leaves), len(leaves), leaves[index], path)
    if path:
        assert not includes(root, len(leaves), index, leaves[index], path[:-1])


@given(some_leaves, st.data())
def test_a_tree_that_only_grew_is_consistent(leaves: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(leaves)))
    proof = consistency_proof(old, len(leaves), subroots(leaves))
    assert consistent(old, by_definition(leaves[:old]), len(leaves), by_definition(leaves), proof)


@given(some_leaves, hashes, st.data())
def test_a_tree_whose_past_was_changed_is_not_consistent(
    leaves: list[bytes], other: bytes, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, len(leaves)))
    place = data.draw(st.integers(0, old - 1))
    assume(other != leaves[place])
    changed = [*leaves[:place], other, *leaves[place + 1 :]]
    proof = consistency_proof(old, len(leaves), subroots(changed))
    old_root, new_root = by_definition(leaves[:old]), by_definition(changed)
    assert not consistent(old, old_root, len(leaves), new_root, proof)


def test_proofs_about_trees_that_cannot_be_are_refused() -> None:
    for index, size in ((1, 1), (-1, 3), (0, 0)):
        with pytest.raises(ValueError, match="none at"):
            inclusion_proof(index, size, subroots(LEAVES))
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="cannot begin"):
            consistency_proof(old, new, subroots(LEAVES))
        assert not consistent(old, LEAVES[0], new, LEAVES[1], [])
    with pytest.raises(ValueError, match="peaks"):
        unpacked(3, LEAVES[0])
