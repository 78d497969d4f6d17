"""Where each promise and statement belongs: the topics people ask about, in the order they ask, or the operator's questions.

A policy may arrange its notice by questions of its own (``policy.answers``). A question holds topics, sections or entries of
the policy; the closest holder gets an item, the first one when two are equally close. What no question holds keeps its topic:
who the operator is before the questions, everything else after them. So nothing is said twice and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from troth.policy.findings import Path
from troth.policy.kinds import KINDS
from troth.policy.model import Policy
from troth.policy.notice.language import Speaker
from troth.policy.notice.parts import Group, Item, Section
from troth.policy.promises import Promise

TOPICS: dict[str, tuple[str, ...]] = {
    "who": ("here",),
    "what": ("forms", "imports", "visits", "cookies", "limits"),
    "why": ("purposes", "decisions", "messages", "statistics", "limits", "cases"),
    "with whom": ("recipients", "limits", "cases"),
    "where": ("here",),
    "how long": ("clocks", "deletion", "cases"),
    "choices": ("rights", "consents"),
    "security": ("here",),
    "changes": ("here",),
    "contact": ("here",),
}
"""Topics in order, each with its groups in order; ``statements`` come last in every topic."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An item and where it belongs when nobody arranged it otherwise."""

    item: Item
    path: Path
    topic: str
    group: str


def place(promise: Promise, entry: object) -> tuple[str, str]:
    """Topic and group of a promise."""
    return KINDS[promise.kind].placed(entry)


def arrange(policy: Policy, placed: Sequence[Placed], speaker: Speaker) -> tuple[Section, ...]:
    """The sections of the notice, without those that would be empty."""
    questions = policy.policy.answers
    held = [holder([answer.holds for answer in questions], item) for item in placed]
    rest = [item for item, number in zip(placed, held, strict=True) if number is None]
    asked = [
        _section(f"question-{number + 1}", speaker.text(answer.question), _of(placed, held, number), speaker)
        for number, answer in enumerate(questions)
    ]
    topics = {topic: _topic(topic, [item for item in rest if item.topic == topic], speaker) for topic in TOPICS}
    after = [section for topic, section in topics.items() if topic != "who"]
    return tuple(section for section in [topics["who"], *asked, *after] if section.groups)


def _of(placed: Sequence[Placed], held: Sequence[int | None], number: int) -> list[Placed]:
    return [item for item, holds in zip(placed, held, strict=True) if holds == number]


def holder(questions: Sequence[Iterable[str]], placed: Placed) -> int | None:
    """The number of the question that ``placed`` belongs to: the closest, and of equals the first."""
    close = [max((_closeness(word, placed) for word in holds), default=0) for holds in questions]
    best = max(close, default=0)
    return close.index(best) if best else None


def _closeness(word: str, placed: Placed) -> int:
    """1 for a topic, more the more of the path ``word`` names, 0 when it does not hold the item."""
    path = tuple(word.split("."))
    if placed.path[: len(path)] == path and (len(path) > 1 or word not in TOPICS):
        return len(path) + 1
    return int(word == placed.topic)


def _topic(topic: str, items: list[Placed], speaker: Speaker) -> Section:
    words = speaker.words.tree["topics"][topic]
    introduction = speaker.render(words.get("introduction", ""))
    return _section(topic.replace(" ", "-"), words["heading"], items, speaker, introduction)


def _section(key: str, heading: str, items: list[Placed], speaker: Speaker, introduction: str = "") -> Section:
    found = sorted(items, key=lambda item: _order(item.topic, item.group))
    names = dict.fromkeys(_name(item) for item in found)
    groups = []
    for name in names:
        members = [item for item in found if _name(item) == name]
        title = _heading(members[0].topic, members[0].group, speaker) if _titled(name, items) else ""
        groups.append(Group(f"{key}-{name.replace(' ', '-')}", title, tuple(item.item for item in members)))
    return Section(key, speaker.finish(heading), introduction, tuple(groups))


def _order(topic: str, group: str) -> tuple[bool, int, int]:
    """Topics in their order, groups in theirs; statements after everything else."""
    groups = TOPICS[topic]
    place = groups.index(group) if group in groups else len(groups)
    return group == "statements", list(TOPICS).index(topic), place


def _name(item: Placed) -> str:
    """What tells groups apart: groups of one name are one group, whatever topics they come from."""
    return item.topic if item.group == "here" else item.group


def _titled(name: str, items: list[Placed]) -> bool:
    """Whether a group needs a heading: not when it is alone, nor when it is what its section is about."""
    return len({_name(item) for item in items}) > 1 and not (
        name in TOPICS and len({item.topic for item in items}) == 1
    )


def _heading(topic: str, group: str, speaker: Speaker) -> str:
    tree = speaker.words.tree
    return str(tree["topics"][topic]["heading"] if group == "here" else tree["groups"][group])
