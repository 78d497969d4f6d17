"""Verify an exported ledger without Troth: Python's standard library and `cryptography`, nothing else.

    troth ledger export SITE > ledger.jsonl
    python verify_ledger.py ledger.jsonl [--key ledger.pem] [--witness FILE ...]

Give the public key that you were handed at another time and by another way: without it the key named in the file itself is
believed, which shows that the file holds together but not who signed it. Give what witnesses kept, too: a ledger that somebody
with the key wrote anew is whole in itself, and not the one that they saw. docs/ledger-format.md describes every line.

Exit status: 0 when every sealed entry is as it was signed, 1 when something is wrong (the first is named), 2 when the file
cannot be read.
"""
# ruff: noqa: T201  (it speaks to whoever ran it)

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

FORMAT = "troth-ledger/1"


class Wrong(Exception):
    """The ledger is not what was signed."""


class Tree:
    """The hash tree of RFC 6962, of which only the roots of full subtrees are kept."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        full = self.size
        while full & 1:
            leaf = node(self.peaks.pop(), leaf)
            full >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


Seen = list[tuple[int, str]]
"""sizes of the tree, and the root that a witness saw at each"""
NOTE = re.compile(
    r"^(troth/(\S+)\n([0-9]+)\n(\S+)\n\S+\n)\n((?:— \S+ \S+\n)+)", re.MULTILINE
)  # a signed note as C2SP has it; a mail is to be saved as plain text


def verify(
    lines: Iterable[str], trusted: Ed25519PublicKey | None, witnesses: Iterable[str] = ()
) -> tuple[int, int, int]:
    """How many entries are sealed, how many are not, and how many checkpoints witnesses saw; raises Wrong at the first thing
    that is not as signed or as seen."""
    values = parsed(lines)
    head = next(values, {})
    if head.get("format") != FORMAT:
        raise ValueError(f"the first line does not say {FORMAT}")
    keys = {name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw)) for name, raw in head["keys"].items()}
    if trusted is not None:
        keys = {key_id(trusted): trusted}
    tree, signed, unsealed = Tree(), 0, 0
    seen = sorted({one for text in witnesses for one in noted(text, head["ledger"], keys)})
    waiting = list(seen)
    for value in values:
        if "checkpoint" in value:
            signed = check(value["checkpoint"], tree, head["ledger"], keys)
        elif value["position"] is None:
            unsealed += 1
            leaf_of(value)
        else:
            place(value, tree)
            while waiting and waiting[0][0] == tree.size:
                compare(waiting.pop(0), tree)
    if waiting:
        raise Wrong(f"a witness saw {waiting[0][0]} entries, and there are {tree.size}")
    if tree.size != signed:
        raise Wrong(f"no checkpoint covers what follows position {signed}")
    return signed, unsealed, len(seen)


def noted(text: str, ledger: str, keys: dict[str, Ed25519PublicKey]) -> Iterator[tuple[int, str]]:
    """What the notes in a text say of this ledger, each held against its signature."""
    for signed, name, size, root, signatures in NOTE.findall(text):
        if name != ledger:
            continue
        if not any(signs(key, f"troth/{ledger}", signed, signatures) for key in keys.values()):
            raise Wrong(f"a witness holds a checkpoint at size {size} that none of the keys signed")
        yield int(size), base64.b64decode(root).hex()


def signs(key: Ed25519PublicKey, name: str, signed: str, signatures: str) -> bool:
    mark = hashlib.sha256(name.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]
    for whose, value in re.findall(r"— (\S+) (\S+)\n", signatures):
        raw = base64.b64decode(value)
        if whose == name and raw[:4] == mark:
            try:
                key.verify(raw[4:], signed.encode())
            except InvalidSignature:
                continue
            return True
    return False


def compare(seen: tuple[int, str], tree: Tree) -> None:
    """Hold the tree against what a witness saw at its size."""
    if tree.root().hex() != seen[1]:
        raise Wrong(f"a witness saw another tree of the first {seen[0]} entries")


def parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        yield json.loads(line)


def place(value: dict[str, Any], tree: Tree) -> None:
    """Add an entry to the tree, at the position that it claims."""
    if value["position"] != tree.size:
        raise Wrong(f"position {tree.size} is missing: the next entry, id {value['id']}, has {value['position']}")
    tree.add(leaf_of(value))


def leaf_of(value: dict[str, Any]) -> bytes:
    leaf = hashlib.sha256(b"\x00" + value["entry"].encode()).digest()
    if leaf.hex() != value["leaf"]:
        raise Wrong(f"entry {value['id']} at position {value['position']} does not have the hash kept with it")
    return leaf


def check(said: dict[str, Any], tree: Tree, ledger: str, keys: dict[str, Ed25519PublicKey]) -> int:
    """Hold the tree against a checkpoint and the checkpoint against its signature; returns its size."""
    size, root = said["size"], said["root"]
    key = keys.get(said["key_id"])
    if key is None:
        raise Wrong(f"the checkpoint at size {size} was signed with an unknown key, {said['key_id']}")
    try:
        key.verify(bytes.fromhex(said["signature"]), f"{FORMAT}\n{ledger}\n{size}\n{root}\n{said['at']}\n".encode())
    except InvalidSignature:
        raise Wrong(f"the signature of the checkpoint at size {size} is not valid") from None
    if tree.size != size:
        raise Wrong(f"the checkpoint covers {size} entries, but {tree.size} come before it")
    if tree.root().hex() != root:
        raise Wrong(f"the tree of the first {size} entries does not have the signed root")
    return int(size)


def trusted_key(path: Path | None) -> Ed25519PublicKey | None:
    if path is None:
        return None
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{path} holds no Ed25519 key")
    return key


def main() -> int:
    options = argparse.ArgumentParser(description="Verify an exported ledger without Troth.")
    options.add_argument("ledger", type=Path, help="what `troth ledger export` wrote")
    options.add_argument("--key", type=Path, help="the site's public key, PEM, got by another way than the ledger")
    options.add_argument(
        "--witness", type=Path, action="append", default=[], help="what a witness kept; may be given again"
    )
    given = options.parse_args()
    try:
        with given.ledger.open(encoding="utf-8") as lines:
            texts = [path.read_text(encoding="utf-8").replace("\r\n", "\n") for path in given.witness]
            if not all(NOTE.search(text) for text in texts):
                raise ValueError("a file of a witness holds no checkpoint")
            sealed, unsealed, seen = verify(lines, trusted_key(given.key), texts)
    except Wrong as wrong:
        print(f"broken: {wrong}")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as failure:
        print(f"cannot read {given.ledger}: {failure}", file=sys.stderr)
        return 2
    whose = "the key you gave" if given.key else "the key named in the file; pass --key to check whose it is"
    print(f"whole: {sealed} sealed entries, {unsealed} not sealed yet; signed with {whose}")
    if given.witness:
        print(f"{seen} checkpoints that witnesses saw are in it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
