"""From a compiled policy to its notice: every promise once, every statement once and marked as what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from troth.policy.assurances import Statement
from troth.policy.check import Checked
from troth.policy.compile import Compiled
from troth.policy.findings import Path
from troth.policy.kind import Telling
from troth.policy.kinds import KINDS
from troth.policy.model import Policy
from troth.policy.notice.language import Speaker, language
from troth.policy.notice.parts import Item, Listed, Notice, Origin, Section
from troth.policy.notice.pictures import Picture, pictures
from troth.policy.notice.topics import Placed, arrange, place
from troth.policy.promises import Promise

_NO_EFFECT = ("consent by use", "waiver")


def notice(compiled: Compiled, tag: str, at: datetime | None = None, checked: Checked | None = None) -> Notice:
    """The notice in the language ``tag``. ``at`` tells whether the version already applies; ``checked`` lets it say on
    which day a decision was taken and where statements stand.

    Raises:
        PolicyError: when a language has no sentence for something.
    """
    policy, speaker = compiled.policy, Speaker(compiled.policy, language(tag))
    teller = _Composer(speaker, at.date() if at else None, checked)
    placed = [*map(teller.promise, compiled.promises), *map(teller.statement, policy.statements)]
    sections = arrange(policy, placed, speaker)
    return Notice(
        title=speaker.page("title", operator=speaker.operator),
        operator=speaker.operator,
        introduction=speaker.render(speaker.words.tree["introduction"]),
        language=tag,
        languages=policy.policy.languages,
        version=compiled.version,
        effective=policy.policy.effective,
        sections=sections,
        questions=bool(policy.policy.answers),
        words=speaker.words.tree["page"],
        pictures=_beside(sections, compiled, speaker),
    )


def _beside(sections: tuple[Section, ...], compiled: Compiled, speaker: Speaker) -> Mapping[str, tuple[Picture, ...]]:
    """Each picture in the section that holds most of the promises it shows."""
    found: dict[str, tuple[Picture, ...]] = {}
    for kind, picture in pictures(compiled, speaker).items():
        shown = {promise.id for promise in compiled.promises if promise.kind in kind}
        counts = {section.id: sum(item.promise_id in shown for item in section.items) for section in sections}
        key = max(counts, key=lambda section: counts[section])
        found[key] = (*found.get(key, ()), picture)
    return found


class _Composer:
    def __init__(self, speaker: Speaker, day: date | None, checked: Checked | None) -> None:
        self.speaker, self.day, self.checked = speaker, day, checked

    def promise(self, promise: Promise) -> Placed:
        policy = self.speaker.policy
        entry = entry_at(policy, promise.path)
        telling = Telling(promise, policy, self.speaker, entry, self.day)
        kind = KINDS[promise.kind]
        keys = tuple(kind.tell(telling))
        values = {"it": entry, "key": telling.key, **telling.values}
        lead = self.speaker.render(self.speaker.words.template(promise.kind, "lead", ""), **values)
        say, also = ([*self._said(promise.kind, keys, part, values | {"lead": lead})] for part in ("say", "also"))
        item = Item(
            id=f"promise-{promise.id}",
            promise_id=promise.id,
            kind="promise",
            sentence=str(self.speaker.words.tree["between sentences"]).join(say),
            lead=lead if say and say[0].startswith(lead) else "",
            details=tuple(line for words in also for line in words.splitlines() if line),
            listing=tuple(Listed(*line) for line in kind.listing(telling)) if kind.listing else (),
            origins=tuple(self._origins(promise)),
            cites=promise.cites,
            place=promise.place,
        )
        return Placed(item, promise.path, *place(promise, entry))

    def statement(self, key: str) -> Placed:
        entry: Statement = self.speaker.policy.statements[key]
        path = ("statements", key)
        item = Item(
            id=f"statement-{key}",
            promise_id=None,
            kind="statement",
            sentence=self.speaker.sentence(self.speaker.finish(self.speaker.text(entry.text))),
            details=(self.speaker.page("no effect"),) if entry.kind in _NO_EFFECT else (),
            cites=entry.cites,
            place=self.checked.document.place(path) if self.checked else None,
        )
        return Placed(item, path, entry.about, "statements")

    def _said(self, kind: str, keys: tuple[str, ...], part: str, values: dict[str, Any]) -> Iterator[str]:
        for key in keys:
            if key.startswith("+") == (part == "also"):
                template = self.speaker.words.template(kind, part, key.removeprefix("+"))
                yield self.speaker.render(template, **values)

    def _origins(self, promise: Promise) -> Iterator[Origin]:
        if KINDS[promise.kind].of_section:
            return
        found = self._recorded(promise.path) or [promise.origin]
        yield from self._decisions([o.removeprefix("decision ") for o in found if o.startswith("decision ")])
        yield from self._laws([o.removeprefix("law ") for o in found if o.startswith("law ")])

    def _decisions(self, keys: list[str]) -> Iterator[Origin]:
        """One sentence for each day of deciding, with the gaps that were settled on it."""
        days: dict[date | None, dict[str, None]] = {}
        for key in keys:
            days.setdefault(self._decided(key), {})[key.split(" ")[0]] = None
        for on, rules in days.items():
            yield Origin("decision", self._sentence("decision", on=on, rules=sorted(rules)))

    def _laws(self, sources: list[str]) -> Iterator[Origin]:
        for article in dict.fromkeys(source.partition(" ")[2] for source in sources):
            yield Origin("law", self._sentence("law", article=article))

    def _sentence(self, kind: str, **values: Any) -> str:
        return self.speaker.render(self.speaker.words.tree["origins"][kind], **values)

    def _recorded(self, path: Path) -> list[str]:
        origins = self.checked.origins if self.checked else {}
        return [text for key, text in origins.items() if key[: len(path)] == path or path[: len(key)] == key]

    def _decided(self, key: str) -> date | None:
        decisions = self.checked.decisions if self.checked else ()
        return next((decision.on for decision in decisions if key in decision.settles), None)


def entry_at(policy: Policy, path: Path) -> Any:
    """The entry at ``path``: of a section of entries the one that is named, of a plain section the section itself."""
    section = getattr(policy, path[0].replace(" ", "_"))
    return section[path[1]] if isinstance(section, dict) and len(path) > 1 else section
