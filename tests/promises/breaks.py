"""For every kind of promise, ways to break it behind Troth's back, and the words with which its proof must say so.

``test_broken_on_purpose.py`` tries each on a shop that keeps its promises; ``test_catalogue.py`` fails when a kind has none.
A break may touch other promises for a good reason; they are named with it, and no other may turn.
"""

from __future__ import annotations

from tests.promises import breaks_answered, breaks_given, breaks_held  # noqa: F401 - each enters its own
from tests.promises.breaking import BREAKS

__all__ = ["BREAKS"]
