"""Proofs in the languages of the notice: English is what they are made in, the files beside this hold the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from troth.policy.model import Policy
from troth.policy.notice.language import Speaker, language
from troth.policy.periods import Period
from troth.proof import Named, Some, Value, Words, parts

ENGLISH = "en"


def in_language(said: str, policy: Policy, tag: str) -> str:
    """What a proof says, in the language ``tag``; labels are those of ``policy``."""
    if tag == ENGLISH or not isinstance(said, Words):
        return said
    speaker = Speaker(policy, language(tag))
    return speaker.finish(_said(said, speaker, table(tag)))


def part(key: str, tag: str) -> str:
    """What the key ``key`` of an entry says, in the language ``tag``: a part of a sentence that nothing measures."""
    return str(_parts()[key][tag])


@cache
def _parts() -> Mapping[str, Any]:
    text = files(__name__).joinpath("parts.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = YAML(typ="safe").load(text)
    return loaded


@cache
def table(tag: str) -> Mapping[str, Any]:
    """``sentences`` by their English template, ``things`` and ``units`` of a language."""
    text = files(__name__).joinpath(f"{tag}.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = YAML(typ="safe").load(text)
    return loaded


def _said(said: Words, speaker: Speaker, words: Mapping[str, Any]) -> str:
    values = {name: _value(value, speaker, words) for name, value in said.values.items()}
    return str(words["sentences"][said.template]).format(**values)


def _value(value: Value, speaker: Speaker, words: Mapping[str, Any]) -> str:
    match value:
        case Words():
            return _said(value, speaker, words)
        case Some(number, thing):
            return str(words["things"][thing]).format(n=f"{number:,}")
        case Named(how, keys):
            return str(getattr(speaker, how)(keys))
        case timedelta():
            return _span(value, words["units"])
        case Period() | date():
            return speaker.duration(value) if isinstance(value, Period) else speaker.date(value)
        case _:
            return f"{value:,}" if isinstance(value, int) else value


def _span(time: timedelta, units: Mapping[str, str]) -> str:
    said = [units[unit].format(n=f"{n:,}") for n, unit in zip(parts(time), ("day", "hour", "minute"), strict=True) if n]
    return " ".join(said[:2]) or units["minute"].format(n=0)
