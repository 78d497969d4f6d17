"""The small values a policy is written with: texts in several languages, placeholders, and the base of entries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, model_validator

ANY_LANGUAGE = "*"
PLACEHOLDER = re.compile(r"^\s*\[[^\]]*\]\s*$")


class Text(RootModel[dict[str, str]]):
    """Words shown to people: one string for every language, or a mapping from language tag to string."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _one_string_is_for_all(cls, value: Any) -> Any:
        return {ANY_LANGUAGE: value} if isinstance(value, str) else value

    def say(self, language: str) -> str:
        """The words in ``language``, else in any language, else in English, else the first there are."""
        words = self.root
        return words.get(language) or words.get(ANY_LANGUAGE) or words.get("en") or next(iter(words.values()), "")

    def lacks(self, languages: list[str]) -> list[str]:
        """The languages of ``languages`` that these words are not written in."""
        return [tag for tag in languages if tag not in self.root and ANY_LANGUAGE not in self.root]


def is_placeholder(value: object) -> bool:
    """Whether ``value`` was left to be filled in: text in square brackets, such as ``[List of countries]``."""
    return isinstance(value, str) and PLACEHOLDER.match(value) is not None


def _blank_allows_nothing(value: object) -> object:
    if value is None or is_placeholder(value):
        return []
    if isinstance(value, str):
        return [value]
    return [item for item in value if not is_placeholder(item)] if isinstance(value, list) else value


def _blank_says_nothing(value: object) -> object:
    return None if is_placeholder(value) else value


T = TypeVar("T")
Several = Annotated[tuple[T, ...], BeforeValidator(_blank_allows_nothing)]
"""A list; one word stands for a list of one, and a blank or a placeholder for a list of none."""


@dataclass(frozen=True, slots=True)
class Free:
    """Marks free text: ``shown`` to people as it stands, a ``name`` that is given here, or a ``note`` for the team.

    Nothing in the system looks into free text; whatever it looks into is a closed word (``troth.policy.closed``).
    """

    kind: Literal["shown", "name", "note"]


Shown = Annotated[str, Free("shown")]
Given = Annotated[str, Free("name")]
Noted = Annotated[str, Free("note")]


def _alias(name: str) -> str:
    return name.rstrip("_").replace("_", " ")


class Section(BaseModel):
    """A closed mapping of the policy: an unknown key is an error. Keys are written with spaces, as one reads them aloud."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=_alias, serialize_by_alias=True, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _placeholders_are_blanks(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: _blank_says_nothing(item) for key, item in value.items()}


Flaw = Literal["garbled", "misplaced", "misspelt", "undefined", "open ended", "doubled"]
"""What a reader of the published text noticed and no rule can: each is a finding of the linter."""


class Entry(Section):
    """One promise or fact of the policy, with the paragraph or clause it makes true."""

    cites: Several[Noted] = Field(
        (), description="the clauses, or paragraphs of your own policy, that this entry makes true"
    )
    note: Noted = Field("", description="for the team; never published")
    wording: dict[Flaw, Noted] = Field(
        default_factory=dict, description="what is wrong with the published words, quoted, as `garbled: users collect`"
    )
