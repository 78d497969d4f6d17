"""What an act is: its name, who may do it, its arguments, its errors and the function that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from troth.acts.arguments import Argument
from troth.policy.compile import Compiled
from troth.store.site import Site

Scope = Literal["people", "deal", "consent", "disclose", "delete", "hold", "restrict", "suspend", "correct", "message"]
"""what a token may be given; a group of acts"""
SCOPES: Mapping[Scope, str] = {
    "people": "find who somebody is",
    "deal": "open, change and close orders and other dealings",
    "consent": "record what people agreed to, took back or objected to",
    "disclose": "give data to recipients, through the gate",
    "delete": "note that a recipient has deleted what it was told to",
    "hold": "keep data from deletion for a legal ground, and release it",
    "restrict": "pause the use of somebody's data, and lift that",
    "suspend": "stop a purpose or a recipient for everybody, and lift that",
    "correct": "correct what is held about somebody",
    "message": "send messages that the policy declares",
}
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who carries an act out: a program with its token, a member of staff, or whoever may run commands on the machine.

    Attributes:
        id: the id of the token or of the member of staff, or ``console``.
        role: the staff role that answers for it, or the name of the program.
        may: names of scopes and of acts.
        ip: where a member of staff works from, for the log of the staff.
        roles: all roles of a member of staff, of which a purpose may ask for one.
    """

    kind: Literal["program", "staff", "console"]
    id: str
    role: str
    may: frozenset[str]
    ip: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doing:
    """One act while it is carried out, inside one transaction, at one instant."""

    site: Site
    conn: Connection
    compiled: Compiled
    caller: Caller
    given: Mapping[str, Any] = field(repr=False)
    now: datetime

    def text(self, name: str) -> str:
        """The argument ``name``; blank when it was left out."""
        return str(self.given.get(name) or "")


@dataclass(frozen=True, slots=True)
class Declined:
    """What an act returns when the policy says no and that stands on the ledger: it is committed, then told as a refusal."""

    message: str
    hint: str = ""
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Act:
    """One act of the table.

    Attributes:
        scope: the group of acts that a token must have been given.
        lead_only: whether of the staff the privacy lead alone may do it.
        changes: whether it changes anything; one that does not needs no key.
        private: keys of the result that hold personal values: shown once, and kept with no key.
        errors: what is refused, in a sentence each, for the documentation.
    """

    name: str
    does: str
    scope: Scope
    arguments: tuple[Argument, ...]
    run: Callable[[Doing], Result | Declined]
    errors: tuple[str, ...] = ()
    lead_only: bool = False
    changes: bool = True
    private: frozenset[str] = frozenset()

    def argument(self, name: str) -> Argument | None:
        """The argument called ``name``, if there is one."""
        return next((one for one in self.arguments if one.name == name), None)
