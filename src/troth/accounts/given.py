"""What a member gave beside their profile, such as a review: to look at, and to change at any time without anybody's approval.

The profile is one set of answers, the same everywhere; here each thing stands by itself, since of two reviews one may be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from troth.accounts.changed import note_change
from troth.accounts.profile import fields as profile_fields
from troth.accounts.sessions import Member
from troth.collection import rules as collection
from troth.collection.rules import Submission
from troth.errors import InvalidInput, Refused
from troth.people import vault
from troth.people.correcting import correct_held
from troth.people.facts import By
from troth.policy.compile import Compiled
from troth.store.site import Site

MOST = 200
"""on one page; a member with more asks for all of it"""


@dataclass(frozen=True, slots=True)
class Given:
    """One thing a member gave: the holding's id, the point, when, and what of it is not in the profile."""

    id: str
    point: str
    at: datetime
    values: Mapping[str, str] = field(repr=False)


def listed(site: Site, compiled: Compiled, member: Member, point: str) -> Sequence[Given]:
    """What this member gave beside the profile that ``point`` asks for, the youngest first.

    Raises:
        Refused, StoreError: as reading all of one's data does.
    """
    own = {*profile_fields(compiled, point)} | compiled.identifying
    held = list(vault.everything(site, member.person_id, By("person", ref=member.person_id)))
    found = [
        Given(one.id, one.point, one.at, {key: value for key, value in one.fields.items() if key not in own})
        for one in reversed(held)
        if one.point in compiled.policy.collection
    ]
    return [one for one in found if one.values][:MOST]


def save(site: Site, compiled: Compiled, member: Member, point: str, given_id: str, values: Mapping[str, str]) -> int:
    """Change one thing that this member gave, at once; what is left blank is taken away. How many holdings changed: 1 or 0.

    Raises:
        InvalidInput: when an answer does not fit, or something required would be taken away.
        Refused: for what is not theirs, and for a field that it does not have.
    """
    before = next((one for one in listed(site, compiled, member, point) if one.id == given_id), None)
    if before is None or values.keys() - before.values.keys():
        raise Refused("There is nothing to correct.", "It is not yours, or is gone.")
    wanted = {**before.values, **values}
    submission = Submission(before.point, wanted, key="given", acknowledged=True, member=member.person_id)
    checked = collection.check(compiled, submission, site.now())
    problems = {key: words for key, words in checked.problems.items() if key in wanted}
    if problems:
        raise InvalidInput("Some answers need your attention. Nothing was stored.", problems)
    changes = {one: checked.values.get(one) for one in wanted if checked.values.get(one) != before.values[one]}
    if not changes:
        return 0
    with site.writing() as conn:
        changed = correct_held(site, conn, member.person_id, given_id, changes, By("person", ref=member.person_id))
        note_change(site, conn, member.person_id, "profile", changes)
    return changed
