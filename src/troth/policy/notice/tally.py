"""How many promises have which verdict, in words: one sentence for every page, for ``troth prove`` and for programs.

All five are said, also those that no promise has: a reader who is told of the kept ones alone takes the others for broken.
"""

from __future__ import annotations

from collections.abc import Mapping

from troth.policy.notice.language import language
from troth.verdicts import VERDICTS


def tally_words(counts: Mapping[str, int], tag: str = "en") -> str:
    """``80 kept, 0 broken, 12 attested by someone, 10 not proven yet, 8 with nothing to check yet``"""
    said = language(tag).tree["page"]["tally"]
    return str(said["between"]).join(str(said[verdict]).format(n=counts.get(verdict, 0)) for verdict in VERDICTS)
