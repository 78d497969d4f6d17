"""Flights of the made-up person that walk some doors only, for tests that are about these."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from troth.evidence import canary
from troth.evidence.walks import Way, walks
from troth.policy.compile import Compiled


def walking_only(patch: pytest.MonkeyPatch, *beginnings: str) -> None:
    """From here on the made-up person walks for the promises whose names begin so."""

    def some(compiled: Compiled) -> Iterator[tuple[tuple[str, ...], str, Way]]:
        for names, kind, way in walks(compiled):
            if any(name.startswith(beginnings) for name in names):
                yield names, kind, way

    patch.setattr(canary, "walks", some)
