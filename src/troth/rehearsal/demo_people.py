"""The named people of a demo: made up, and going through the site's own pages and their own mail as people do.

Their addresses are nobody's (RFC 2606), and so is everything else about them: it follows from the seed and their number,
in the order in which they come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from troth.evidence.asker import Asker
from troth.evidence.doors import Door, Page, Walk
from troth.rehearsal.all_day import AGENDA, ALL_DAY
from troth.rehearsal.made_up import values
from troth.store.site import Site

_GIVEN = (
    *("Ada", "Bruno", "Clara", "Dmitri", "Efua", "Farid", "Grace", "Hana", "Ines", "Jun", "Kofi", "Lea", "Mina"),
    *("Nikos", "Olga", "Paul", "Rosa", "Samir", "Tilda", "Uma", "Vera", "Wanda", "Yuki"),
)
_FAMILY = (*("Berg", "Almeida", "Chen", "Dubois", "Eriksen", "Fischer", "Haddad", "Jones", "Lin", "Novak", "Park"),)
PASSWORD = "nine lamps by the quay"  # noqa: S105  (of people who do not exist, on one machine)
FIRST = 50_000
"""their numbers begin here, beyond those of a generated life"""


def _name_of(number: int) -> str:
    return f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[number % len(_FAMILY)]}"


def address_of(number: int) -> str:
    """The e-mail address of the one with this number."""
    return f"{_name_of(number).lower().replace(' ', '.')}@mail.example"


class Browser(Door, Protocol):
    """A door that remembers who has logged in, until somebody else sits down at it."""

    def forget(self) -> None:
        """Nobody is logged in any more."""


MakeBrowser = Callable[[Site], Browser]


class Errand(Walk):
    """As a walk of the canary, but everything that is due is done, and stays done."""

    def work(self) -> None:
        """Do all that is on the agenda by now."""
        ALL_DAY[AGENDA](self.site)


@dataclass
class Somebody(Asker):
    """One of the named people."""

    number: int = 0
    seed: int = 0

    @property
    def name(self) -> str:
        """A first and a last name; the first 253 people have different ones."""
        return _name_of(self.number)

    @property
    def email(self) -> str:
        return address_of(self.number)

    def values(self) -> dict[str, str]:
        """What they answer to every question of the form that they come in by."""
        policy, mine = self.compiled.policy, self.compiled.policy.collection[self.point]
        asked = {key: policy.data[key].category for key in (*mine.required, *mine.optional)}
        stored = {key: kind for key, kind in asked.items() if policy.data[key].protect != "never stored"}
        known = {"pd:EmailAddress": self.email, "pd:Name": self.name}
        return self.made_up(stored) | {key: known[kind] for key, kind in stored.items() if kind in known}

    def made_up(self, fields: dict[str, str], again: int = 0) -> dict[str, str]:
        """A value of theirs for each of ``fields``, by category; another one when asked ``again``."""
        random = Random(f"{self.seed}:{self.number}:{self.form}:{again}")
        return values(fields, self.seed, FIRST + 1_000 * again + self.number, random, self.compiled.identifying)

    def hands_in(self, form: str) -> bool:
        """Whether another form of theirs was taken in."""
        return replace(self, form=form).fill_in().status == 200

    def press(self, path: str, page: str, **sent: str) -> Page:
        """Send the form of their account on ``page`` to ``path``."""
        return self.walk.door.post(path, {"token": self.walk.token(self.walk.door.get(page)), **sent})
