"""Reads YAML into a plain tree and remembers where everything stood.

A policy is read by people who did not write it and by programs that must not fall over it, so this reader is strict:
UTF-8 only, at most one megabyte, no anchors and aliases (they hide what a line says, and nested ones grow without end),
no duplicate keys, no tags, no more than 30 levels. Everything wrong is reported in one run where that is possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from troth.errors import PolicyError
from troth.policy.findings import Finding, Path, Place

LARGEST = 1_000_000
DEEPEST = 30


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
        _refuse_aliases(text, file)
        node = YAML(typ="rt").compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        problem = error.problem or error.context or "not YAML"
        raise PolicyError(f"{where}: {problem}.", "Check indentation, quotes and colons there.") from None
    except (YAMLError, ValueError) as error:
        raise PolicyError(f"{file}: not readable as YAML ({type(error).__name__}).", "Save it as plain text.") from None
    except RecursionError:
        raise PolicyError(f"{file}: nested too deeply.", f"At most {DEEPEST} levels.") from None
    return _Reader(file).document(node)


def _refuse_aliases(text: str, file: str) -> None:
    for event in YAML(typ="rt").parse(text):
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            mark = event.start_mark
            raise PolicyError(
                f"{file}:{mark.line + 1}:{mark.column + 1}: anchors and aliases (`&`, `*`) are not allowed.",
                "Write the entry out, so that each line says what it promises.",
            )


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
        if len(path) > DEEPEST:
            raise PolicyError(f"{self._place(node)}: nested too deeply.", f"At most {DEEPEST} levels.")
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return self._sequence(node, path)
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for key_node, value_node in node.value:
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
        kind = str(node.tag).rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() == "true"
        if kind == "int" and node.value.lstrip("+-").isdigit():
            return int(node.value)
        return str(node.value)

    def _duplicate(self, node: Node, path: Path) -> None:
        first = self.places[path]
        message = f"`{path[-1]}` stands twice (first at line {first.line})."
        self.findings.append(Finding("P-02", "error", path, self._place(node), message, "Merge the two or rename one."))

    def _place(self, node: Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
