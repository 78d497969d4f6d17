"""The sections of ``policy.yaml`` that speak of everything the operator does: security, the law's grounds, *never* and *only*.

Every class is one entry of its section; the other sections are in ``troth.policy.model``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from troth.policy.closed import PlaceName, Refers
from troth.policy.vocabulary import OnRecord, PurposeRef, RecipientRef, RoleRef
from troth.policy.words import Entry, Noted, Several, Text


class Measure(Entry):
    """``security``: one measure."""

    measure: Text
    check: Literal[
        "tls", "headers", "sealed", "access", "password", "login log", "breach watch", "backup", "audit", "attested"
    ]
    review_by: date | None = Field(None, description="for moving standards: when to look again")
    attested_by: RoleRef = Field("", description="who on the staff answers for it, or for what its check cannot show")
    for_: Several[PurposeRef] = Field((), description="for `check: access`: the only purposes that staff read for")
    vague: Noted = Field("", description="the published words that name no standard")
    tells: Several[Literal["authority", "people"]] = Field(
        (), description="for a breach watch, who is told of a breach"
    )


class LegalGround(Entry):
    """``legal``: one ground on which a person decides that data is disclosed, used or kept."""

    label: Text
    needs: Several[OnRecord] = Field(("reference", "approver"), description="what must be on record before it is used")
    act: Literal["disclose", "keep", "read", "suspend", "transfer controller"] = "disclose"
    data: Several[Annotated[str, Refers("data", also=("everything",))]] = Field(
        (), description="data it can concern; `everything` means all of the case"
    )
    from_: Text | None = Field(None, description="the right or duty that it rests on, in words")


class Absolute(Entry):
    """``absolutes``: one sentence with *never* or *only*; what contradicts it is a finding and is refused."""

    never: Literal["", "sell", "disclose", "store", "read", "collect"] = ""
    only: Literal["", "disclose", "read", "collect", "store"] = ""
    what: Several[Annotated[str, Refers("data", "people", also=("everything",))]] = Field(
        ("everything",), description="data ids, or `everything`"
    )
    to: Several[RecipientRef] = Field(
        (),
        description="for an `only`: the recipients; for a `never`: blank means anybody. Only what is sold, disclosed or "
        "stored elsewhere has a `to`",
    )
    for_: Several[Annotated[str, Refers("for an only")]] = Field(
        (),
        description="for an `only`: the purposes; for a `never`: blank means whatever for. For `collect`: the collection "
        "points or what they call their source, `visits` or `cookies`",
    )
    in_: Several[PlaceName] = Field((), description="for `only store`: the countries, or `EU` or `EEA`")
    unless: Several[Annotated[str, Refers("legal", "purposes", "recipients", also=("consent",))]] = Field(
        (), description="facts that lift it: `consent`, or ids of `legal`"
    )
    label: Text

    @model_validator(mode="after")
    def _says_one_thing(self) -> Absolute:
        if bool(self.never) == bool(self.only):
            raise ValueError("an absolute says either `never` or `only`")
        if bool(self.in_) != (self.only == "store"):
            raise ValueError("`only: store` says `in` which places, and nothing else has an `in`")
        if self.for_ and "store" in (self.never, self.only):
            raise ValueError(
                "what is stored has no `for`: write `never: collect` with the collection points, or `never: read` with the "
                "purposes that it is not used for"
            )
        if self.to and not {self.never, self.only} & {"sell", "disclose"} and self.only != "store":
            raise ValueError("`to` names who is given something: write it beside `sell`, `disclose` or `only: store`")
        return self


class Statement(Entry):
    """``statements``: text without system behaviour; shown, and never counted as a kept promise."""

    text: Text
    about: Literal["who", "what", "why", "with whom", "where", "how long", "choices", "security", "changes", "contact"]
    kind: Literal["statement", "disclaimer", "advice", "waiver", "consent by use"] = "statement"
