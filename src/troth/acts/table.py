"""The table of acts: every act there is, by its name. Doors are made from it; a new act is one more entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from troth.acts import choose, correct, deal, give, keep, write
from troth.acts.model import SCOPES, Act, Caller
from troth.errors import InvalidInput

ACTS: Mapping[str, Act] = {act.name: act for room in (correct, deal, choose, give, keep, write) for act in room.ACTS}


def may(caller: Caller, act: Act) -> bool:
    """Whether a caller was given this act, by its name or by its group."""
    return caller.kind == "console" or not caller.may.isdisjoint({act.name, act.scope})


def of_staff(lead: bool) -> frozenset[str]:
    """What staff may do: the privacy lead everything, others at the desk what is not the lead's alone."""
    return frozenset(name for name, act in ACTS.items() if lead or not act.lead_only)


def scopes_problem(may: Iterable[str]) -> str:
    """What is wrong with what a token is to be given; blank when nothing is."""
    known = [*SCOPES, *ACTS]
    unknown = [one for one in may if one not in known]
    if unknown or not list(may):
        return f"There is no such act. There are: {', '.join(known)}."
    return ""


def named(name: str) -> Act:
    """The act called ``name``. Raises ``InvalidInput`` when there is none."""
    from troth.acts.arguments import did_you_mean

    if name not in ACTS:
        raise InvalidInput("There is no such act.", hint=did_you_mean(name, ACTS).strip())
    return ACTS[name]
