"""Consent for one purpose or one recipient: asked for first, never ticked in advance, taken back as easily as given."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.findings import Path
from troth.policy.kind import Kind, Telling, when
from troth.policy.lint.consent import marketing_on_two_bases, purpose_on_two_bases
from troth.policy.model import Recipient
from troth.policy.promises import Promise, Source
from troth.policy.words import Entry


def choice_of(source: Source, path: Path, entry: Entry) -> Promise:
    """That people are asked before what the entry at ``path`` says; made by the kind of that entry."""
    return source.promise("consent.choice", path, entry, "consent")


def _tell(t: Telling) -> Iterator[str]:
    if not isinstance(t.it, Recipient):
        yield "purpose"
        return
    yield "recipient" if needs_own_consent(t.it) else "switch"
    yield from when((t.it.essential, "+essential"))


def needs_own_consent(recipient: Recipient) -> bool:
    """Whether the person must say yes to this very recipient."""
    return recipient.consent == "itself" or (not recipient.consent and recipient.ground == "consent")


KIND = Kind(
    id="consent.choice",
    order=65,
    tell=_tell,
    place=("choices", "consents"),
    lint=(purpose_on_two_bases, marketing_on_two_bases),
)
