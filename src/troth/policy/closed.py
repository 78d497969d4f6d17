"""Closed words: what a key may say is known beforehand, so that no misspelling passes as a promise.

A word of a policy is one of these, and ``tests/rules/test_closed_words.py`` walks the models to see that there is no other:

- an *enumeration*, written as ``Literal``;
- a *reference* (``Refers``): the name of an entry of this very file, or one of a few words besides;
- a *phrase* (``Slot``): fixed words around one reference, such as `everything about a customer`; read into a ``Phrase``;
- a *term* that a shipped list knows: a country, a term of the Data Privacy Vocabulary;
- a value with a shape of its own: a period, a day, an address;
- *free text* (``Free``): shown as it stands, or for the team alone. Nothing in the system looks into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

from troth.policy import dpv
from troth.policy.findings import did_you_mean
from troth.policy.periods import zones
from troth.policy.places import places

REFERS_TO, ALSO = "x-refers-to", "x-also"
"""Under these keys a schema says what a reference may name and what else may stand there, until it is written for a policy."""
LISTED = "x-listed"
"""Under this key a schema names the list that an enumeration comes from."""


class Unknown(ValueError):
    """A word that a shipped list does not know; ``hint`` says which was meant."""

    def __init__(self, word: str, what: str, known: Iterable[str]) -> None:
        super().__init__(f"`{word}` is not {what}")
        names = list(known)
        self.hint = f"Did you mean `{names[0]}`?" if len(names) == 1 else did_you_mean(word, names)


class Phrase(str):
    """Words with one slot, such as `everything about a customer`; ``named`` is what fills the slot: `customer`."""

    named: str

    @classmethod
    def of(cls, words: str, named: str) -> Phrase:
        """``words`` whose slot is filled by ``named``."""
        made = cls(words)
        made.named = named
        return made


def article(word: str) -> str:
    """The indefinite article that ``word`` takes by its sound, as far as spelling tells: a user, an enquirer."""
    said_as_y = word.startswith(("eu", "one", "uni", "us", "ut"))
    return "an" if word[:1] in {*"aeiou"} and not said_as_y else "a"


@dataclass(frozen=True)
class Slot:
    """A phrase of the language: what may come before the slot, and the section whose entries fill it."""

    before: tuple[str, ...]
    section: str

    def read(self, word: str) -> Phrase | None:
        """``word`` as a phrase of this kind; None when it is none."""
        start = next((start for start in self.before if word.startswith(start)), None)
        return Phrase.of(word, word.removeprefix(start)) if start else None

    def spelt(self, named: str) -> str:
        """The phrase with ``named`` in its slot, with the article that it takes where the phrase has one."""
        if not self.before[0].endswith(" a "):
            return f"{self.before[0]}{named}"
        return f"{self.before[0].removesuffix('a ')}{article(named)} {named}"

    @property
    def pattern(self) -> str:
        """What the phrase looks like, as a regular expression for editors."""
        return f"^({'|'.join(self.before)})[a-z][a-z0-9_]*$"


EVERYTHING = Slot(("everything about a ", "everything about an "), "people")


class Refers:
    """Marks a word that names an entry of one of ``sections``, or is one of ``also``, or a phrase with an entry in it.

    A section is one of the policy, or one that ``troth.policy.references`` finds elsewhere, such as `roles`.
    """

    def __init__(self, *sections: str, also: Iterable[str] = (), phrases: Iterable[Slot] = ()) -> None:
        self.sections, self.also, self.phrases = sections, tuple(also), tuple(phrases)

    def read(self, word: str) -> str:
        """``word``, as a ``Phrase`` when it is one."""
        return next((found for slot in self.phrases if (found := slot.read(word)) is not None), word)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        return core_schema.no_info_after_validator_function(self.read, schema) if self.phrases else schema

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """`x-refers-to` and the words besides: an editor completes them once the schema is written for a policy."""
        options = [*([{"enum": list(self.also)}] if self.also else []), *({"pattern": s.pattern} for s in self.phrases)]
        return {**handler(schema), REFERS_TO: list(self.sections), ALSO: options}


class Listed:
    """Marks a word that a shipped list knows; ``what`` it is, for an error, and ``name`` of the list in a schema."""

    def __init__(
        self, what: str, name: str, known: Callable[[], Iterable[str]], *, blank: bool = False,
        meant: Callable[[str], str | None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.what, self.name, self.known, self.blank, self.meant = what, name, known, blank, meant

    def read(self, word: str) -> str:
        """``word``. Raises ``Unknown`` when the list has no such word."""
        if word not in self.known() and not (self.blank and word == ""):
            raise Unknown(word, self.what, [found] if (found := self.meant(word)) else self.known())
        return word

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.known()), LISTED: self.name}


def country_meant(word: str) -> str | None:
    """The code of the country that somebody wrote in words, in small letters or as people say it: `TW` for `Taiwan`."""
    from babel import Locale  # slow to load, and only needed for an error

    names = {name.lower(): code for code, name in Locale("en").territories.items()}
    code = {"UK": "GB", "EL": "GR"}.get(word.upper(), names.get(word.lower(), word.upper()))
    return code if code in dpv.countries() else None


Country = Annotated[str, Listed("a country of ISO 3166-1", "Country", dpv.countries, meant=country_meant)]
PlaceName = Annotated[str, Listed("a country of ISO 3166-1, `EU` or `EEA`", "Place", places, meant=country_meant)]
DataTerm = Annotated[str, Listed("a kind of personal data in DPV 2.3", "DataTerm", dpv.data_terms)]
PurposeTerm = Annotated[str, Listed("a purpose in DPV 2.3", "PurposeTerm", dpv.purpose_terms, blank=True)]
Zone = Annotated[str, Listed("a time zone, such as `Europe/Berlin`", "Zone", zones)]
Url = Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$")]
