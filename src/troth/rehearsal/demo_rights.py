"""What the people of a demo ask for: each right that the policy offers, on the page that everybody asks on or in the privacy
centre behind the link in their mail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from troth.evidence.asker import category
from troth.policy.model import Policy, Right
from troth.rehearsal.demo_people import Somebody
from troth.rights import rules

COMPLAINT = "I wrote to you twice, and nobody wrote back."
QUESTION = "Do you give my address to anybody else, and may I ask you not to?"
VIEW = "A machine cannot know this. Please let somebody look at it."
_FOUND_BY = frozenset({"pd:EmailAddress", "pd:Name"})
"""what nobody changes here: they would be somebody else"""


def ask_for(somebody: Somebody, right: Right) -> None:
    """Let ``somebody`` ask for ``right`` and take what comes of it, as far as it needs nobody of the staff."""
    if right.right in _WAYS:
        _WAYS[right.right](somebody, right)


def offering(policy: Policy, right: Right) -> str:
    """What a form must offer to agree to, so that there is something to take back; blank when nothing need be agreed to."""
    if right.right not in {"withdrawal", "stop marketing"}:
        return ""
    wanted = {scope.removeprefix("@") for scope in rules.scopes(policy, right.right, right.against)}
    return next((one for point in policy.collection.values() for one in point.offers if one in wanted), "")


def _copy(somebody: Somebody, right: Right) -> None:
    page = somebody.centre(right.right)
    if page is not None:
        somebody.walk.door.post("/privacy/copy", {**somebody.walk.visit(page), "format": "json"})


def _correct(somebody: Somebody, right: Right) -> None:
    """Something that is theirs and not what they are found by."""
    page = somebody.centre("access")
    if page is None:
        return
    offered = {name: category(somebody.compiled, name) for name in re.findall(r'name="field\.(\w+)"', page.text)}
    free = {name: kind for name, kind in offered.items() if kind not in _FOUND_BY}
    changed = list(somebody.made_up(free, again=1).items())[:1]
    sent = {f"field.{name}": value for name, value in changed}
    somebody.walk.door.post("/privacy/correct", {**somebody.walk.visit(page), **sent})


def _object(somebody: Somebody, right: Right) -> None:
    page = somebody.centre("access")
    scopes = rules.scopes(somebody.compiled.policy, "objection", right.against)
    if page is not None and scopes:
        ticked = {f"no.{scope}": "yes" for scope in scopes}
        somebody.walk.door.post("/privacy/object", {**somebody.walk.visit(page), **ticked})


def _confirmed(somebody: Somebody, right: Right) -> None:
    somebody.confirmed(right.right)


_WAYS: Mapping[str, Callable[[Somebody, Right], object]] = {
    "access": lambda somebody, right: somebody.centre("access"),
    "copy": _copy,
    "portability": _copy,
    "correction": _correct,
    "restriction": _confirmed,
    "objection": _object,
    "withdrawal": _confirmed,
    "stop marketing": lambda somebody, right: somebody.ask("stop marketing"),
    "complaint to us": lambda somebody, right: somebody.ask("complaint", text=COMPLAINT),
    "review": lambda somebody, right: somebody.confirmed("review", text=VIEW),
    "erasure": _confirmed,
}
"""by the word of a right; a complaint to an authority is made elsewhere, and an account is closed by its member"""
