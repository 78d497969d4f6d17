"""Acts on behalf of somebody who wrote or called: what they agree to, take back or object to."""

from __future__ import annotations

from troth.acts.model import Act, Doing, Result
from troth.acts.shared import PERSON, scopes, somebody, word
from troth.consent import actions as consent
from troth.consent.rules import STAFF_ASKS
from troth.errors import InvalidInput
from troth.policy.notice.language import Speaker, language
from troth.recipients.switches import say_no
from troth.retention import relationship
from troth.rights import rules

CHANNELS = tuple(one.replace("_", " ") for one in STAFF_ASKS)
_SCOPE = word("about", "a purpose, or @ and a recipient, of the policy", scopes)
_CHANNEL = word("channel", "how they said it", lambda compiled: CHANNELS)
_LANGUAGE = word(
    "language", "the language they were asked in", lambda compiled: compiled.policy.policy.languages, False
)


def _given(doing: Doing) -> Result:
    scope = doing.text("about")
    if not rules.rests_on_consent(doing.compiled.policy, scope):
        raise InvalidInput("Nothing was done.", {"about": "This needs no yes; an objection to it can be lifted."})
    return _recorded(doing, "given")


def _lifted(doing: Doing) -> Result:
    return _recorded(doing, "lifted")


def _recorded(doing: Doing, state: str) -> Result:
    person_id, (words, tag) = somebody(doing), words_about(doing)
    channel = doing.text("channel").replace(" ", "_")
    made = consent.record(
        doing.site, doing.conn, person_id, doing.text("about"), state, words, tag, channel, doing.compiled  # type: ignore[arg-type]
    )  # fmt: skip
    relationship.refresh(doing.site, doing.conn, [person_id], doing.compiled)
    return {"person": person_id, "choice": made}


def _withdrawn(doing: Doing) -> Result:
    scope = doing.text("about")
    return _no(doing, rules.state_of_no(doing.compiled.policy, "withdrawal", scope))


def _objected(doing: Doing) -> Result:
    return _no(doing, "objected")


def _no(doing: Doing, state: str) -> Result:
    person_id, (words, tag) = somebody(doing), words_about(doing)
    channel = doing.text("channel").replace(" ", "_")
    made = say_no(
        doing.site, doing.conn, person_id, doing.text("about"), state, words, tag, channel, doing.compiled  # type: ignore[arg-type]
    )  # fmt: skip
    relationship.refresh(doing.site, doing.conn, [person_id], doing.compiled)
    return {"person": person_id, "choice": made}


def words_about(doing: Doing) -> tuple[str, str]:
    """What the policy calls the scope, and in which language: what is read out or written to whoever is asked."""
    policy = doing.compiled.policy
    tag, scope = doing.text("language") or policy.policy.languages[0], doing.text("about")
    speaker = Speaker(policy, language(tag))
    if scope.startswith("@"):
        recipient = policy.recipients[scope[1:]]
        return speaker.finish(f"{speaker.recipient(scope[1:])}: {speaker.text(recipient.does)}"), tag
    return speaker.finish(speaker.text(policy.purposes[scope].label)), tag


_ARGUMENTS = (PERSON, _SCOPE, _CHANNEL, _LANGUAGE)
_ERRORS = ("422: unknown or erased person",)
ACTS = (
    Act(
        "give-consent",
        "Record that somebody agreed by letter or telephone, in the words that the policy has for it.",
        "consent",
        _ARGUMENTS,
        _given,
        (*_ERRORS, "422: the purpose or recipient needs no yes"),
    ),
    Act(
        "withdraw-consent",
        "Record that somebody takes a yes back; whoever was given data under it is told to delete it.",
        "consent",
        _ARGUMENTS,
        _withdrawn,
        _ERRORS,
    ),
    Act(
        "object",
        "Record that somebody objects to a use or a recipient: it stops at once.",
        "consent",
        _ARGUMENTS,
        _objected,
        _ERRORS,
    ),
    Act("lift-objection", "Record that somebody takes an objection back.", "consent", _ARGUMENTS, _lifted, _ERRORS),
)
