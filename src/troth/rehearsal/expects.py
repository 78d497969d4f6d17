"""What the policy's sentences allow: a second opinion on reads, disclosures and submissions. Pure.

As plain as the sentences, one question after the other, and without ``decide``, ``policy.rules`` or the rooms that gather
facts: a gate that forgot consent must not find a witness that forgot it, too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Literal

from troth.policy.assurances import Absolute
from troth.policy.law import adequate, profile
from troth.policy.model import Policy
from troth.policy.special import is_special
from troth.rehearsal.terms import Dealt

Answer = Literal["yes", "no", "either"]


@dataclass(slots=True)
class Chosen:
    """What somebody last said about one scope: on consent, on objection, and which of the two came later."""

    consent: str = ""
    objection: str = ""
    later: str = ""

    def say(self, state: str) -> None:
        """They choose ``state``."""
        if state in {"objected", "lifted"}:
            self.objection, self.later = state, "objection"
        else:
            self.consent, self.later = state, "consent"

    @property
    def agreed(self) -> bool:
        """A consent counts until it is taken back, or an objection comes after it."""
        return self.consent == "given" and not (self.objection == "objected" and self.later == "objection")

    @property
    def objected(self) -> bool:
        """An objection counts until it is lifted, or a consent comes after it."""
        return self.objection == "objected" and not (self.consent == "given" and self.later == "consent")


@dataclass(slots=True)
class Whom:
    """What is known of a person when a question about them is asked."""

    kind: str
    since: datetime
    chosen: dict[str, Chosen] = field(default_factory=dict)
    dealt: list[Dealt] = field(default_factory=list)
    said: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """the last word on each scope, and when it was said"""

    def agreed(self, scope: str) -> bool:
        """Whether their consent about ``scope`` is in force."""
        return scope in self.chosen and self.chosen[scope].agreed

    def objected(self, scope: str) -> bool:
        """Whether their objection about ``scope`` is in force."""
        return scope in self.chosen and self.chosen[scope].objected

    def has_open(self, needs: Collection[str]) -> bool:
        """Whether any of ``needs`` (``open order``, ``paid order``) is open, or nothing is needed."""
        kinds = {need.removeprefix("open ") for need in needs}
        return not kinds or any(one.closed_at is None and one.kind in kinds for one in self.dealt)

    @property
    def registered(self) -> bool:
        """Whether they have an account."""
        return any(one.kind == "registration" and one.closed_at is None for one in self.dealt)


def may_read(policy: Policy, purpose_id: str, role: str, whom: Whom) -> bool:
    """Whether staff in ``role`` may see all that a purpose uses, of this person."""
    purpose = policy.purposes.get(purpose_id)
    if purpose is None or not purpose.uses or purpose.aggregate_only:
        return False
    if (purpose.people and whom.kind not in purpose.people) or not whom.has_open(purpose.needs):
        return False
    if purpose.roles and _word(role) not in {_word(one) for one in purpose.roles}:
        return False
    if purpose.before and whom.since >= datetime.combine(purpose.before, time(), UTC):
        return False
    if whom.objected(purpose_id) or (purpose.basis == "consent" and not whom.agreed(purpose_id)):
        return False
    named = [one.for_ for one in policy.security.values() if one.check == "access" and one.for_]
    return all(purpose_id in one for one in named) and not forbidden(policy, "read", purpose_id, purpose.uses, whom)


def _word(text: str) -> str:
    return text.lower().replace(" ", "_")


def may_disclose(
    policy: Policy, recipient_id: str, fields: Collection[str], purpose: str, whom: Whom, at: datetime
) -> bool:
    """Whether ``fields`` of this person may be given to a recipient for ``purpose``."""
    recipient = policy.recipients.get(recipient_id)
    if recipient is None or not {*fields} <= {*recipient.receives} or purpose not in recipient.for_:
        return False
    itself = recipient.consent == "itself" or (not recipient.consent and recipient.ground == "consent")
    paid = recipient.consideration != "none"
    if (paid and (recipient.consideration == "not stated" or not itself)) or not safe(policy, recipient_id, at):
        return False
    if not whom.has_open(recipient.needs) or whom.objected(f"@{recipient_id}"):
        return False
    scope = f"@{recipient_id}" if itself else recipient.consent
    if scope and not whom.agreed(scope):
        return False
    return not forbidden(policy, "disclose", purpose, fields, whom, recipient_id)


def safe(policy: Policy, key: str, at: datetime) -> bool:
    """Whether data may go where a recipient keeps it: nowhere in particular, at home, or safeguarded by a document."""
    recipient, transfers = policy.recipients[key], policy.transfers
    country, safeguard = recipient.country, recipient.safeguard
    if recipient.role == "public" or country is None or (transfers and country in transfers.stored_in):
        return country is not None or recipient.role == "public"
    if transfers and transfers.held_by and key not in transfers.held_by:
        return False
    laws = policy.policy.law
    if laws and all(country in profile(law).home or country in _adequate(law) for law in laws):
        return True
    if safeguard is None or not safeguard.document or (transfers and country not in transfers.may_move_to):
        return False
    promised = not transfers or not transfers.safeguards or safeguard.kind in transfers.safeguards
    return promised and (safeguard.until is None or at.date() <= safeguard.until)


def _adequate(law: str) -> Collection[str]:
    found = adequate(law)
    return found.countries if found else ()


def may_collect(policy: Policy, point_id: str, fields: Collection[str], partner: str, member: Whom | None) -> bool:
    """Whether a submission at a point is taken in, from its person or from ``partner``, who is registered here.

    ``member`` is whoever is logged in, if anybody.
    """
    point = policy.collection[point_id]
    if any(policy.data[one].protect == "never stored" for one in point.required) or not fields:
        return False
    if point.members_only and not (member and member.registered):
        return False
    if point.needs and not (point.members_only and member and member.has_open(point.needs)):
        return False
    if (partner and partner not in point.partners) or (point.kind == "import" and not partner):
        return False
    return not forbidden(policy, "collect", point_id, fields, Whom(point.people, datetime.min.replace(tzinfo=UTC)))


def forbidden(policy: Policy, act: str, purpose: str, fields: Collection[str], whom: Whom, recipient: str = "") -> bool:
    """Whether a sentence with *never* or *only*, or the law on special categories, stands against it."""
    if act in {"read", "disclose"} and without_condition(policy, purpose, fields, whom):
        return True
    return any(
        _speaks(policy, one, act, purpose, fields, whom.kind, recipient)
        and not _lifted(policy, one, purpose, whom, recipient)
        for one in policy.absolutes.values()
    )


def without_condition(policy: Policy, purpose_id: str, fields: Collection[str], whom: Whom) -> bool:
    """Whether special categories are among ``fields``, and nothing the purpose says of itself allows their use."""
    purpose = policy.purposes.get(purpose_id)
    if purpose is None or not any(is_special(policy.data[name]) for name in fields if name in policy.data):
        return False
    return not purpose.special or (purpose.special == "explicit consent" and not whom.agreed(purpose_id))


def _speaks(
    policy: Policy, one: Absolute, act: str, purpose: str, fields: Collection[str], kind: str, recipient: str
) -> bool:
    people, data = {*one.what} & {*policy.people}, {*one.what} - {"everything"} - {*policy.people}
    if (people and kind not in people) or (data and not data & {*fields}):
        return False
    named = {purpose, policy.collection[purpose].source if act == "collect" else purpose} & {*one.for_}
    if one.never:
        acts = {"store": "collect", "sell": "disclose for money"}
        said = acts.get(one.never, one.never) == act
        return said and (not one.to or recipient in one.to) and (not one.for_ or bool(named))
    if one.only == "disclose" and one.to and recipient not in one.to:
        return act == "disclose"
    return one.only == act and not named and not (one.to and not one.for_)


def _lifted(policy: Policy, one: Absolute, purpose: str, whom: Whom, recipient: str) -> bool:
    for word in one.unless:
        if word in policy.legal:
            continue
        if word in policy.purposes and whom.agreed(word):
            return True
        if word == "consent" and (whom.agreed(purpose) or (recipient and whom.agreed(f"@{recipient}"))):
            return True
        if word not in policy.purposes and whom.agreed(f"@{word}"):
            return True
    return False
