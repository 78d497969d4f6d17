"""A collection point as a form: what is asked, what is required, what is told beside it. Pure; the pages only lay it out."""

from __future__ import annotations

from dataclasses import dataclass

from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.policy.terms import data_label, say

_KINDS = {
    "pd:EmailAddress": ("email", "email"),
    "pd:TelephoneNumber": ("tel", "tel"),
    "pd:FaxNumber": ("tel", "off"),
    "pd:BirthDate": ("date", "bday"),
    "pd:Name": ("text", "name"),
    "pd:FirstName": ("text", "given-name"),
    "pd:PhysicalAddress": ("textarea", "street-address"),
    "pd:Communication": ("textarea", "off"),
    "pd:Website": ("url", "url"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form."""

    id: str
    label: str
    required: bool
    kind: str
    autocomplete: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One check box, never ticked beforehand; ``scope`` is a purpose or ``@recipient``."""

    scope: str
    label: str


@dataclass(frozen=True)
class Form:
    """Everything a page needs to show a collection point."""

    point: str
    title: str
    fields: tuple[Field, ...]
    choices: tuple[Choice, ...]
    told: tuple[str, ...]
    warning: str | None
    version: int
    language: str

    @property
    def told_words(self) -> str:
        """All of it as one text, which is kept with what is submitted."""
        marks = [f"{f.label} ({say(_MARK[f.required], self.language)})" for f in self.fields]
        boxes = [f"[ ] {choice.label}" for choice in self.choices]
        warning = [self.warning] if self.warning else []
        return "\n".join([self.title, f"v{self.version}", *marks, *boxes, *self.told, *warning])


_MARK = {True: "point.required", False: "point.optional"}


def form(compiled: Compiled, point_id: str, language: str) -> Form:
    """The form of ``point_id`` in ``language``."""
    point = compiled.policy.collection[point_id]
    fields = tuple(_field(compiled, key, key in point.required, language) for key in (*point.required, *point.optional))
    choices = tuple(Choice(scope, _choice_label(compiled, scope, language)) for scope in point.offers)
    told = _told(compiled, point, language)
    warning = point.warns.say(language) if point.warns else None
    return Form(point_id, point.label.say(language), fields, choices, told, warning, compiled.version, language)


def _field(compiled: Compiled, key: str, required: bool, language: str) -> Field:
    kind, autocomplete = _KINDS.get(compiled.policy.data[key].category, ("text", "off"))
    return Field(key, data_label(compiled.policy, key, language), required, kind, autocomplete)


def _choice_label(compiled: Compiled, scope: str, language: str) -> str:
    if scope in compiled.policy.purposes:
        purpose = compiled.policy.purposes[scope].label.say(language)
        return say("choice.purpose", language, purpose=purpose)
    recipient = compiled.policy.recipients[scope]
    name = recipient.name or scope
    return say("choice.recipient", language, recipient=name, does=recipient.does.say(language))


def _told(compiled: Compiled, point: CollectionPoint, language: str) -> tuple[str, ...]:
    purposes = [compiled.policy.purposes[key].label.say(language) for key in point.for_]
    lines = [say("point.for", language, purposes=purposes)] if purposes else []
    lines.append(say("point.marks", language))
    return (*lines, point.told.say(language)) if point.told else tuple(lines)
