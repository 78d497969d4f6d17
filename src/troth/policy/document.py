"""Reads YAML into a plain tree and remembers where everything stood.

A policy is read by people who did not write it and by programs that must not fall over it, so this reader is strict:
UTF-8 only, at most one megabyte, no anchors and aliases (they hide what a line says, and nested ones grow without end),
no duplicate keys, no tags, no more than 30 levels. Everything wrong is reported in one run where that is possible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml  # type: ignore[import-untyped]
from yaml.error import MarkedYAMLError, YAMLError  # type: ignore[import-untyped]
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event, ScalarEvent  # type: ignore[import-untyped]
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode  # type: ignore[import-untyped]

from troth.errors import PolicyError
from troth.policy.findings import Finding, Path, Place

LARGEST = 1_000_000
DEEPEST = 30
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,15}")
"""Plain words mean what YAML 1.2 says, so that the country `NO` and the word `on` stay words."""


@dataclass(frozen=True)
class Document:
    """A file as a plain tree of dicts, lists, strings, numbers, booleans and None, with the place of each part."""

    file: str
    tree: dict[str, Any]
    places: Mapping[Path, Place]
    findings: tuple[Finding, ...] = ()

    def place(self, path: Path) -> Place:
        """Where ``path`` stands, or the nearest part around it that does."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.file, 1, 1))


def read_document(path: FilePath) -> Document:
    """Read the file at ``path``.

    Raises:
        PolicyError: when the file is missing, too large, not UTF-8 or not YAML; the message has line and column.
    """
    if not path.is_file():
        raise PolicyError(f"{path.name} is missing in {path.parent.name or path.parent}.", "`troth init` makes one.")
    if path.stat().st_size > LARGEST:
        raise PolicyError(f"{path.name} is larger than 1 MB.", "A policy is text for people; move data elsewhere.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path.name} is not UTF-8 (byte {error.start}).", "Save it again as UTF-8.") from None
    return parse_document(text, path.name)


def parse_document(text: str, file: str) -> Document:
    """Parse ``text``; ``file`` names it in findings. Raises ``PolicyError`` as ``read_document`` does."""
    if len(text) > LARGEST:
        raise PolicyError(f"{file} is larger than 1 MB.", "A policy is text for people; move data elsewhere.")
    try:
        _refuse_what_hides(text, file)
        node = yaml.compose(text, Loader=_Loader)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        problem = error.problem or error.context or "not YAML"
        raise PolicyError(f"{where}: {problem}.", "Check indentation, quotes and colons there.") from None
    except (YAMLError, ValueError) as error:
        raise PolicyError(f"{file}: not readable as YAML ({type(error).__name__}).", "Save it as plain text.") from None
    return _Reader(file).document(node)


def _refuse_what_hides(text: str, file: str) -> None:
    """Go through the file event by event, so that what would grow or sink without end is stopped before it does."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            raise PolicyError(f"{_at(event, file)}: nested too deeply.", f"At most {DEEPEST} levels.")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            message = f"{_at(event, file)}: anchors and aliases (`&`, `*`) are not allowed."
            raise PolicyError(message, "Write the entry out, so that each line says what it promises.")
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag:
            raise PolicyError(f"{_at(event, file)}: tags (`!`) are not allowed.", "Leave the tag out.")


def _at(event: Event, file: str) -> str:
    return f"{file}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"


@dataclass
class _Reader:
    file: str
    places: dict[Path, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def document(self, node: Node | None) -> Document:
        if not isinstance(node, MappingNode):
            raise PolicyError(f"{self.file}: holds no sections.", "It starts with a section, such as `policy:`.")
        tree = self._mapping(node, ())
        return Document(self.file, tree, self.places, tuple(self.findings))

    def _value(self, node: Node, path: Path) -> Any:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return self._sequence(node, path)
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise PolicyError(f"{self._place(key_node)}: a key must be a word.", "Write one word before the colon.")
            key = str(key_node.value)
            here = (*path, key)
            if key in tree:
                self._duplicate(key_node, here)
                continue
            self.places[here] = self._place(key_node)
            tree[key] = self._value(value_node, here)
        return tree

    def _sequence(self, node: SequenceNode, path: Path) -> list[Any]:
        items = []
        for number, item in enumerate(node.value):
            here = (*path, str(number))
            self.places[here] = self._place(item)
            items.append(self._value(item, here))
        return items

    def _scalar(self, node: Node) -> Any:
        word = str(node.value)
        if node.style:
            return word
        if _NULL.fullmatch(word):
            return None
        if _BOOLEAN.fullmatch(word):
            return word.lower() == "true"
        return int(word) if _INTEGER.fullmatch(word) else word

    def _duplicate(self, node: Node, path: Path) -> None:
        first = self.places[path]
        message = f"`{path[-1]}` stands twice (first at line {first.line})."
        self.findings.append(Finding("P-02", "error", path, self._place(node), message, "Merge the two or rename one."))

    def _place(self, node: Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
