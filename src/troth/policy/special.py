"""Data that the law protects more strictly: special categories (GDPR Art. 9) and criminal records (Art. 10). Pure.

A field is special when the policy says so, or when its DPV term is one, or a kind of one.
"""

from __future__ import annotations

from collections.abc import Iterable

from troth.policy import dpv
from troth.policy.model import Data, Policy, Purpose

CRIMINAL = "pd:Criminal"


def is_special(data: Data) -> bool:
    """Whether ``data`` may be used only under a condition of its own."""
    return data.special or dpv.is_special(data.category) or is_criminal(data)


def is_criminal(data: Data) -> bool:
    """Whether ``data`` tells of crimes, convictions or charges."""
    return CRIMINAL in dpv.above(data.category)


def special_in(policy: Policy, names: Iterable[str]) -> tuple[str, ...]:
    """Those of ``names`` that are special, in their order."""
    return tuple(name for name in names if name in policy.data and is_special(policy.data[name]))


def needs_a_yes(purpose: Purpose) -> bool:
    """Whether special data is used for ``purpose`` only after the person expressly agreed to it."""
    return purpose.special == "explicit consent"
