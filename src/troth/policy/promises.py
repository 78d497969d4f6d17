"""Promises: one enforceable statement each, with the kind that says how it is kept and proven, and what they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from troth.policy.findings import Path, Place
from troth.policy.model import Policy
from troth.policy.words import Entry


@dataclass(frozen=True, slots=True)
class Promise:
    """One enforceable statement. ``path`` leads to its entry; ``origin`` is blank, or the decision or law it comes from."""

    id: str
    kind: str
    path: Path
    cites: tuple[str, ...]
    place: Place
    origin: str = ""


@dataclass(frozen=True)
class Source:
    """What promises are made from: the effective policy, where its entries stand and what did not come from it."""

    policy: Policy
    places: Mapping[Path, Place]
    origins: Mapping[Path, str]

    def place(self, path: Path) -> Place:
        """The place of ``path`` or of the nearest part around it."""
        for size in range(len(path), 0, -1):
            if path[:size] in self.places:
                return self.places[path[:size]]
        return Place("policy.yaml", 1, 1)

    def origin(self, path: Path) -> str:
        """The decision or law that ``path``, or something around or inside it, comes from; blank for the policy's own."""
        around = [self.origins[path[:size]] for size in range(len(path), 0, -1) if path[:size] in self.origins]
        inside = [origin for key, origin in self.origins.items() if key[: len(path)] == path]
        return next(iter(around + inside), "")

    def promise(self, kind: str, path: Path, entry: Entry | None, part: str = "") -> Promise:
        """The promise of ``kind`` that the entry at ``path`` makes; ``part`` tells apart two promises of one entry."""
        name = ".".join(path).replace(" ", "_") + (f".{part}" if part else "")
        return Promise(name, kind, path, entry.cites if entry else (), self.place(path), self.origin(path))
