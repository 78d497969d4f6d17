"""The five verdicts of a proof: the same words on every page, in JSON and at the terminal.

``kept`` and ``broken`` were measured. ``attested`` is what a named person answers for until a day. ``not proven`` is
what nothing can show at present. ``nothing to check yet`` is what has had no case so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Verdict = Literal["kept", "broken", "attested", "not proven", "nothing to check yet"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
MARKS: Mapping[Verdict, str] = {
    "kept": "✓",
    "broken": "✕",
    "attested": "✍",
    "not proven": "?",
    "nothing to check yet": "○",
}
"""One sign for each, so that none is told by its colour alone."""
MOST_URGENT_FIRST: tuple[Verdict, ...] = ("broken", "not proven", "nothing to check yet", "attested", "kept")
"""The order in which a list shows them."""
