"""``security``: each measure, and what looks at it or who answers for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.policy.kind import NOTICE, PROOF, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.notice import breach_nobody_hears_of, security_in_vague_words
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules


def _makes(source: Source) -> Iterator[Promise]:
    for key, measure in source.policy.security.items():
        yield source.promise("security.measure", ("security", key), measure)


def _tell(t: Telling) -> Iterator[str]:
    answered = "+attested" if t.it.check == "attested" else "+answered"
    yield from when((True, "measure"), (t.it.attested_by, answered), (t.it.review_by, "+review"))


KEYS: Mapping[str, Claim] = {
    "measure": NOTICE,
    "check": PROOF,
    "attested by": security_in_vague_words,
    "for": rules,
    "tells": breach_nobody_hears_of,
    "review by": PROOF,
    "vague": security_in_vague_words,
}

KIND = Kind(
    id="security.measure",
    order=210,
    makes=_makes,
    tell=_tell,
    place=("security", "here"),
    lint=(breach_nobody_hears_of, security_in_vague_words),
    entries=Entries("security", Weight(protects=True, wording=("measure",)), many=True, keys=KEYS),
)
