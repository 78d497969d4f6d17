"""Words: blanks left to be filled in, lists left open, terms never defined, things said twice, slips of the pen.

What no rule can notice, such as a sentence that says the reverse of what is meant, a reader of the published text quotes
under the entry's `wording`, and it is a finding here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from troth.policy.findings import Path
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy
from troth.policy.words import Entry, Section, Text

blank = rule("E-02", "A blank that was never filled in", "error", "An empty list: nothing is allowed.")
twice = rule("E-06", "The same thing said or asked for twice", "warning", "The two are read as one.")
garbled = rule("E-08", "A sentence that is garbled or says the reverse", "warning", "The reading of the entry holds.")
open_ended = rule("E-09", "A list left open", "warning", "Only what is listed counts.")
undefined = rule("E-10", "A term or reference that nothing defines", "warning", "It widens nothing.")
misplaced = rule("E-11", "Something stands where nobody looks for it", "info", "The notice puts it in its place.")
misspelt = rule("E-23", "A slip of spelling or grammar", "info", "No effect.")

_BRACKETS = re.compile(r"\[[^\[\]]{2,}\]")
_NOT_PUBLISHED = {"note", "cites", "wording"}
_OPEN = re.compile(
    r"\b(etc|such as|and so on|and other|or other|among others|including|various|a variety of|basic)\b|等"
)
_DANGLING = re.compile(
    r"\b(special circumstances|described (?:below|above)|your administrator|this agreement|reasonable time)\b", re.I
)
_SLIPS = re.compile(
    r"\b(teh|recieve\w*|seperate\w*|adress\w*|occured|necercery|advicsed|priviledge|(?P<word>the|to|of|and|is) (?P=word)"
    r"|the our|collects you|it's name)\b",
    re.I,
)
_ALIKE = 0.8


@blank
def placeholder(policy: Policy, context: Context) -> Iterator[Flaw]:
    for path, words in dict(_blanks(context.document.tree, ())).items():
        message = f"`{'.'.join(path)}` was never filled in: {words}."
        yield Flaw(path, message, "Fill it in, or decide; until then nothing is allowed.")


def _blanks(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _NOT_PUBLISHED:
                yield from _blanks(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from ((where[: len(path)], words) for where, words in _blanks(item, path))
    elif value is None and path:
        yield path, "it is empty"
    elif isinstance(value, str) and (found := _BRACKETS.search(value)):
        yield path, f"`{found[0]}`"


@twice
def asked_for_twice(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        asked = point.required + point.optional
        doubled = dict.fromkeys(name for name in asked if asked.count(name) > 1)
        if doubled:
            message = f"`{key}` asks twice for {', '.join(f'`{name}`' for name in doubled)}."
            yield Flaw(("collection", key), message, "Ask once; perhaps another field was meant.")


@twice
def promised_twice(policy: Policy, context: Context) -> Iterator[Flaw]:
    for section, first, second in [*_same_absolutes(policy), *_same_rights(policy), *_same_texts(policy)]:
        message = f"`{second}` says what `{first}` says."
        cites = getattr(policy, section)[first].cites
        yield Flaw((section, second), message, "Merge the two, so that they cannot come to differ.", cites=cites)


@twice
def two_of_one_name(policy: Policy, context: Context) -> Iterator[Flaw]:
    named = [(key, one.name.casefold().strip()) for key, one in policy.recipients.items() if one.name]
    yield from _twins("recipients", named)
    for section in ("people", "data", "purposes", "collection"):
        entries_of = getattr(policy, section).items()
        yield from _twins(
            section, [(key, one.label.say("en").casefold().strip()) for key, one in entries_of if one.label]
        )


def _twins(section: str, named: list[tuple[str, str]]) -> Iterator[Flaw]:
    seen: dict[str, str] = {}
    for key, name in named:
        first = seen.setdefault(name, key)
        if first != key:
            message = f"`{key}` has the name of `{first}`; people cannot tell the two apart."
            yield Flaw((section, key), message, "Merge them, or name the difference.")


def _same_absolutes(policy: Policy) -> Iterator[tuple[str, str, str]]:
    seen: dict[Any, str] = {}
    for key, entry in policy.absolutes.items():
        says = (entry.never, entry.only, frozenset(entry.what), frozenset(entry.to), frozenset(entry.for_))
        first = seen.setdefault(says, key)
        if first != key:
            yield "absolutes", first, key


def _same_rights(policy: Policy) -> Iterator[tuple[str, str, str]]:
    seen: dict[Any, str] = {}
    for key, entry in policy.rights.items():
        first = seen.setdefault((entry.right, frozenset(entry.by), frozenset(entry.against)), key)
        if first != key:
            yield "rights", first, key


def _same_texts(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Statements that share most of their three-word runs; each is compared only with those that share any."""
    owners: dict[str, list[str]] = defaultdict(list)
    for key, entry in policy.statements.items():
        runs = _runs(entry.text.say("en"))
        shared = Counter(other for run in runs for other in owners[run])
        twin = next((other for other, count in shared.most_common(1) if count >= _ALIKE * len(runs)), None)
        if twin:
            yield "statements", twin, key
        for run in runs:
            owners[run].append(key)


def _runs(text: str) -> set[str]:
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[start : start + 3]) for start in range(len(words) - 2)}


_QUOTED = {
    "garbled": (garbled, "the published words are garbled or say the reverse", "Write what is meant."),
    "misplaced": (misplaced, "it stands where nobody looks for it", "Move it; the notice orders itself."),
    "misspelt": (misspelt, "a slip of the pen", "Correct it."),
    "undefined": (undefined, "nothing defines it", "Define it under `policy.glossary`, or say it plainly."),
    "open ended": (open_ended, "the list is left open", "Close the list; only what is listed counts."),
    "doubled": (twice, "it is said twice", "Merge the two, so that they cannot come to differ."),
}


def _quoted(flaw: str) -> None:
    found_by, says, hint = _QUOTED[flaw]

    @found_by
    def quoted(policy: Policy, context: Context) -> Iterator[Flaw]:
        for path, entry in entries(policy):
            if words := entry.wording.get(flaw):  # type: ignore[call-overload]
                yield Flaw(path, f"{says}: “{words}”.", hint)


for _flaw in _QUOTED:
    _quoted(_flaw)


@open_ended
def list_left_open(policy: Policy, context: Context) -> Iterator[Flaw]:
    for path, entry in entries(policy):
        if words := getattr(entry, "open_ended", ""):
            yield Flaw(path, f"the list ends in “{words}”.", "Close the list; only what is listed counts.")
    for path, words in texts(policy):
        if path[0] not in ("statements", "absolutes", "legal") and (found := _OPEN.search(words)):
            yield Flaw(path, f"“{found[0]}” leaves a list open.", "Name everything, or leave the words out.")


@undefined
def term_without_a_meaning(policy: Policy, context: Context) -> Iterator[Flaw]:
    known = {term.lower() for term in policy.policy.glossary}
    for path, words in texts(policy):
        found = _DANGLING.search(words)
        if found and found[0].lower() not in known:
            yield Flaw(path, f"“{found[0]}” is not defined.", "Define it under `policy.glossary`, or say it plainly.")
    if policy.changes and policy.changes.told_by and not policy.changes.significant_means:
        message = "nothing says which changes are significant."
        yield Flaw(("changes",), message, "List the sections under `significant means`; until then every change is.")


@misspelt
def slip_of_the_pen(policy: Policy, context: Context) -> Iterator[Flaw]:
    for path, words in texts(policy):
        if found := _SLIPS.search(words):
            yield Flaw(path, f"“{found[0]}” is a slip of the pen.", "Correct it.")


def entries(policy: Policy) -> Iterator[tuple[Path, Entry]]:
    """Every entry of the policy with its path."""
    for name, info in Policy.model_fields.items():
        section, key = getattr(policy, name), info.alias or name
        if isinstance(section, Entry):
            yield (key,), section
        for entry_id, entry in section.items() if isinstance(section, Mapping) else ():
            yield (key, entry_id), entry


def texts(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Everything that people read, in every language it is written in, with the path of its entry."""
    for path, entry in entries(policy):
        yield from ((path, words) for text in _texts_of(entry) for words in text.root.values())


def _texts_of(entry: Section) -> Iterator[Text]:
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        if isinstance(value, Text):
            yield value
