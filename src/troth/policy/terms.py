"""The DPV terms for data that Troth knows: the family of each, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def terms() -> Mapping[str, Mapping[str, str]]:
    """Family and words of each term."""
    from ruamel.yaml import YAML  # slow to load, and a check needs it not

    text = files("troth.policy").joinpath("terms.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Mapping[str, str]] = YAML(typ="safe").load(text)
    return loaded
