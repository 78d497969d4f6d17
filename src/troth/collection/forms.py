"""A collection point as a form: what is asked, what is required, what is told beside it. Pure; the pages only lay it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from troth.policy.announced import Announced
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.policy.notice.language import Speaker, language

_KINDS = {
    "pd:EmailAddress": ("email", "email"),
    "pd:TelephoneNumber": ("tel", "tel"),
    "pd:BirthDate": ("date", "bday"),
    "pd:Name": ("text", "name"),
    "pd:PhysicalAddress": ("textarea", "street-address"),
    "pd:Communication": ("textarea", "off"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form."""

    id: str
    label: str
    required: bool
    mark: str
    """``required`` or ``optional``, in the form's language"""
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
    acknowledge: str
    version: int
    language: str

    @property
    def told_words(self) -> str:
        """All of it as one text, which is kept with what is submitted."""
        marks = [f"{f.label} ({f.mark})" for f in self.fields]
        boxes = [f"[ ] {choice.label}" for choice in self.choices]
        warning = [self.warning] if self.warning else []
        return "\n".join([self.title, f"v{self.version}", *marks, *boxes, *self.told, *warning])


def form(compiled: Compiled, point_id: str, tag: str) -> Form:
    """The form of ``point_id`` in the language ``tag``."""
    return _Writer(compiled, compiled.policy.collection[point_id], Speaker(compiled.policy, language(tag))).form(
        point_id
    )


def of_change(speaker: Speaker, change: Announced) -> str:
    """The line by which whoever comes in is told that the policy changes."""
    day = speaker.date(change.effective_at.date())
    return speaker.finish(str(speaker.words.tree["forms"]["changes"]).format(day=day))


@dataclass(frozen=True)
class _Writer:
    compiled: Compiled
    point: CollectionPoint
    speaker: Speaker

    def form(self, point_id: str) -> Form:
        point, say = self.point, self.speaker.text
        asked = [(key, True) for key in point.required] + [(key, False) for key in point.optional]
        return Form(
            point=point_id,
            title=self.speaker.finish(say(point.label)),
            fields=tuple(self._field(key, required) for key, required in asked),
            choices=tuple(Choice(scope, self._choice(scope)) for scope in point.offers),
            told=tuple(self._told()),
            warning=say(point.warns) if point.warns else None,
            acknowledge=self._words("acknowledge"),
            version=self.compiled.version,
            language=self.speaker.words.tag,
        )

    def _words(self, key: str, **values: str) -> str:
        return self.speaker.finish(str(self.speaker.words.tree["forms"][key]).format(**values))

    def _field(self, key: str, required: bool) -> Field:
        kind, autocomplete = _KINDS.get(self.compiled.policy.data[key].category, ("text", "off"))
        mark = str(self.speaker.words.tree["forms"]["required" if required else "optional"])
        return Field(key, self.speaker.finish(self.speaker.label(key)), required, mark, kind, autocomplete)

    def _choice(self, scope: str) -> str:
        if scope in self.compiled.policy.purposes:
            return self._words("choice purpose", purpose=self.speaker.text(self.compiled.policy.purposes[scope].label))
        does = self.speaker.text(self.compiled.policy.recipients[scope].does)
        return self._words("choice recipient", recipient=self.speaker.recipient(scope), does=does)

    def _told(self) -> Iterator[str]:
        if self.point.for_:
            yield self._words("for", purposes=self.speaker.purposes(self.point.for_))
        yield self._words("marks")
        if self.point.told:
            yield self.speaker.sentence(self.speaker.text(self.point.told))
        for change in self.compiled.later:
            yield of_change(self.speaker, change)
