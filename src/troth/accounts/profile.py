"""A member's own profile: what they gave where their account was opened, to look at and to change at any time."""

from __future__ import annotations

from collections.abc import Mapping

from troth.accounts.changed import note_change
from troth.accounts.sessions import Member
from troth.collection import rules as collection
from troth.collection.rules import Submission
from troth.errors import InvalidInput
from troth.people import vault
from troth.people.correcting import correct_everywhere
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.policy.rules import OWN_ACCESS
from troth.store.site import Site


def account_point(compiled: Compiled) -> str | None:
    """The collection point where accounts are opened; None when the policy has none."""
    return next((key for key, point in compiled.policy.collection.items() if point.kind == "account"), None)


def fields(compiled: Compiled, point: str) -> list[str]:
    """The fields of a profile, in the order of the form, without those that are never stored."""
    declared = compiled.policy.collection[point]
    return [one for one in (*declared.required, *declared.optional) if one not in compiled.never_stored]


def read(site: Site, compiled: Compiled, member: Member, point: str) -> Mapping[str, str]:
    """What the profile says now; the member reads it, and that is on the ledger as any read is."""
    by = By("person", ref=member.person_id)
    return vault.read(site, member.person_id, fields(compiled, point), OWN_ACCESS, by).values


def save(site: Site, compiled: Compiled, member: Member, point: str, values: Mapping[str, str]) -> int:
    """Save a profile as its member wants it: what is left blank is taken away; returns how many fields changed.

    Raises:
        InvalidInput: when something required is missing, does not fit, or would change what the member logs in with.
    """
    before = read(site, compiled, member, point)
    fixed = {field: before[field] for field in compiled.identifying & before.keys()}
    if any(values.get(field, now) != now for field, now in fixed.items()):
        raise InvalidInput("Some answers need your attention. Nothing was stored.", dict.fromkeys(fixed, FIXED))
    wanted = {**values, **fixed}
    submission = Submission(point, wanted, key="profile", acknowledged=True, member=member.person_id)
    checked = collection.check(compiled, submission, site.now())
    if checked.problems:
        raise InvalidInput("Some answers need your attention. Nothing was stored.", dict(checked.problems))
    own = [field for field in fields(compiled, point) if field not in fixed]
    changes = {one: checked.values.get(one) for one in own if checked.values.get(one) != before.get(one)}
    if changes:
        with site.writing() as conn:
            correct_everywhere(site, conn, member.person_id, point, changes, By("person", ref=member.person_id))
            note_change(site, conn, member.person_id, "profile", changes)
    return len(changes)


FIXED = "This is what you log in with; it is changed on a page of its own."
