"""The words of the pages around the notice, in each language: data for translators, in the files beside this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from troth.errors import TrothError

LANGUAGES = ("en", "zh-Hant")


@cache
def words(tag: str) -> Mapping[str, Any]:
    """All words in the language ``tag``, which must be one of ``LANGUAGES``."""
    text = files("troth.web.words").joinpath(f"{tag}.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = YAML(typ="safe").load(text)
    return loaded


def say(tag: str, key: str, **terms: object) -> str:
    """The words under ``key``, as ``form.send``, with ``terms`` put in."""
    found: Any = words(tag)
    for part in key.split("."):
        found = found[part]
    return str(found).format(**terms)


def problem(tag: str, sentence: str) -> str:
    """What is wrong with an answer, in the language ``tag``; in English where nobody has translated it."""
    return str(words(tag).get("problems", {}).get(sentence, sentence))


def told(tag: str, wrong: TrothError | None) -> tuple[str, str] | None:
    """What was wrong and what to do about it, in the language ``tag``; None when nothing was."""
    return (problem(tag, wrong.message), problem(tag, wrong.hint)) if wrong else None


def chosen(asked: str | None, accepted: str | None, offered: Iterable[str]) -> str:
    """The language of a page: the one asked for, else the one the browser would rather have, else the first offered."""
    known = [tag for tag in offered if tag in LANGUAGES] or [LANGUAGES[0]]
    for wish in ([asked] if asked else []) + _wishes(accepted or ""):
        if found := next((tag for tag in known if _fits(wish.lower(), tag.lower())), None):
            return found
    return known[0]


def _fits(wish: str, tag: str) -> bool:
    """Whether ``wish`` names ``tag`` or a dialect of it; any Chinese is served in the Chinese there is."""
    return wish == tag or wish.partition("-")[0] == tag.partition("-")[0]


def _wishes(header: str) -> list[str]:
    """The languages of an Accept-Language header (RFC 9110, 12.5.4), most wanted first; those refused are left out."""
    found = [_weighed(part) for part in header[:500].split(",")]
    wanted = sorted((weight, place, tag) for place, (weight, tag) in enumerate(found) if weight < 0 and tag)
    return [tag for _, _, tag in wanted]


def _weighed(part: str) -> tuple[float, str]:
    tag, _, weight = part.strip().partition(";")
    try:
        return -float(weight.strip().removeprefix("q=") or 1), tag.strip()
    except ValueError:
        return -1.0, tag.strip()
