"""Proofs about consent: that it was really given, and that nothing else counts as consent."""

from __future__ import annotations

from sqlalchemy import func, select

from troth.bindings import REPLAYED, proves
from troth.consent.actions import record
from troth.consent.rules import ASKING
from troth.consent.tables import choice, shown
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, Some

SILENCE = "silence."
"""before the name of a form, as the try is called that only sending it is no yes"""


def recorded(proving: Proving, promise: Promise) -> Proof:
    """Each choice about this purpose or recipient keeps what was shown, and every use of it is borne out by a live choice."""
    section, key = promise.path
    scope = key if section == "purposes" else f"@{key}"
    limit = proving.say("used only while the person agrees")
    found = proving.replay(f"{section}.{key}")
    if found.wrong:
        return proving.replayed(found, limit)
    joined = choice.outerjoin(shown, shown.c.digest == choice.c.shown)
    query = select(func.count(), func.count(shown.c.digest)).select_from(joined).where(choice.c.scope == scope)
    total, with_words = proving.conn.execute(query).one()
    if not total and found.decisions:
        return proving.replayed(found, limit)
    return proving.counted(
        total - with_words, Some(total, "choice"), limit, "{wrong} without the words that were shown"
    )


@proves(
    "consent.not_implied", covers=("kind",), enforced_by=(record,), rests_on={**REPLAYED, "choice": "", "shown": ""}
)
def not_implied(proving: Proving, promise: Promise) -> Proof:
    """No consent came from a visit or from merely sending a form: each came through a box that its point offers, and nobody
    made up who only sent a form was taken to have agreed."""
    limit = proving.say("visiting or sending a form is not consent")
    if failed := [said for step, said in proving.canary.failed.items() if step.startswith(SILENCE)]:
        tried = proving.say("a made-up person tried it, at the doors that people use")
        return Proof("broken", "canary", limit, proving.say(failed[0]), tried)
    given = choice.c.state == "given"
    query = select(choice.c.channel, choice.c.scope, choice.c.policy_version, func.count()).where(given)
    rows = proving.conn.execute(query.group_by(choice.c.channel, choice.c.scope, choice.c.policy_version)).all()
    implied = sum(n for channel, scope, version, n in rows if not _asked(proving, channel, scope, version))
    total = Some(sum(n for *_, n in rows), "consent")
    if implied:
        return proving.counted(implied, total, limit, "{wrong} not from a box of their own")
    unheard = sum(one not in proving.heard.chosen for one in proving.conn.scalars(select(choice.c.id).where(given)))
    if total.number or not proving.replay("act:collect").decisions:
        return proving.counted(unheard, total, limit, "{wrong} that nobody was seen to give")
    collected = Some(proving.replay("act:collect").decisions, "submission")
    return Proof(
        "kept", "query", limit, proving.say("no consent recorded"), proving.say("{all} looked at", all=collected)
    )


def _asked(proving: Proving, channel: str, scope: str, version: int) -> bool:
    """Whether somebody who came through ``channel`` was asked for exactly this, under the version of that day."""
    compiled = proving.version(version)
    point = compiled.policy.collection.get(channel) if compiled else None
    if point is None:
        return compiled is not None and channel in ASKING
    return scope.removeprefix("@") in point.offers
