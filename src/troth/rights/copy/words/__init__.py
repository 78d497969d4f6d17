"""The words of the copies in each language: data for translators, in the files beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

LANGUAGES = ("en", "zh-Hant")


@cache
def words(tag: str) -> Mapping[str, Any]:
    """All words in the language ``tag``, which must be one of ``LANGUAGES``."""
    text = files(__name__).joinpath(f"{tag}.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = YAML(typ="safe").load(text)
    return loaded


def say(tag: str, key: str, **terms: object) -> str:
    """The words under ``key``, as ``copy.title``, with ``terms`` put in."""
    found: Any = words(tag)
    for part in key.split("."):
        found = found[part]
    return str(found).format(**terms)


def one_of(tag: str, table: str, key: str, **terms: object) -> str:
    """The words for ``key`` in ``table``; those for ``other`` when the table does not know it."""
    known = words(tag)[table]
    return str(known[key] if key in known else known.get("other", "{words}")).format(words=key, **terms)
