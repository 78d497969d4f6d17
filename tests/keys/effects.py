"""What changes when one key of a policy changes: its rules, its clocks, its notice, what the linter finds, how it is exported.

Policies are the five sites, the shop of the tests and some that nobody wrote. A key is changed in each place where one of
them writes it, or could, to each other value that its type allows or that the policies use elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path as Path_
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from tests.generated import generated
from tests.keys.walk import KEYS, Path
from tests.notices import ROOT, SITES, checked
from troth.policy.check import Checked, check, check_texts
from troth.policy.clocks import clocks
from troth.policy.compile import compile_policy
from troth.policy.export import dpv
from troth.policy.lint.registry import Context, Search
from troth.policy.material import significance
from troth.policy.model import Policy
from troth.policy.notice import notice
from troth.policy.periods import Period
from troth.policy.rules import rules
from troth.policy.words import Text

PLACES = 4
"""of one policy in which one key is changed"""
TODAY = date(2026, 1, 8)
SEEDS = range(20)
ABSENT = object()
"""in place of a value: the key is not written"""


@dataclass(frozen=True)
class Changed:
    """A policy before and after one key was changed."""

    source: Checked
    before: Policy
    after: Policy


@cache
def sources() -> tuple[Checked, ...]:
    """The policies that keys are changed in."""
    drawn = [check_texts(made.policy, made.decisions) for made in map(generated, SEEDS)]
    shop = ROOT / "tests" / "shop"
    return tuple(one for one in [*map(checked, SITES), check(shop), _kept_here(shop), *drawn] if one.policy)


def _kept_here(shop: Path_) -> Checked:
    """The shop, and a word on where data is kept, which none of the others says about a recipient abroad."""
    kept = "absolutes:\n  kept_here: {only: store, what: everything, in: [GB], label: We keep your data here.}"
    policy = (shop / "policy.yaml").read_text("utf-8").replace("absolutes:", kept, 1)
    return check_texts(policy, (shop / "decisions.yaml").read_text("utf-8"))


def changes(key: Path) -> Iterator[Changed]:
    """Every change of ``key``: one place, one other value."""
    for source in sources():
        assert source.policy is not None
        tree = source.policy.model_dump(by_alias=True, exclude_defaults=True)
        for place in islice(_places(tree, key), PLACES):
            for value in values(key):
                if (made := _set(source.policy, tree, place, value)) is not None:
                    yield Changed(source, source.policy, made)


def _places(tree: Any, key: Path, so_far: Path = ()) -> Iterator[Path]:
    """Where ``key`` is, or could be, in a tree: in each entry that is there."""
    part, rest = key[0], key[1:]
    if not rest:
        yield (*so_far, part)
    elif part == "*":
        for one in tree if isinstance(tree, dict) else ():
            yield from _places(tree[one], rest, (*so_far, one))
    elif part in tree and tree[part] is not None:
        inner = tree[part]
        if isinstance(inner, (list, tuple)):
            for number, item in enumerate(inner):
                yield from _places(item, rest, (*so_far, part, str(number)))
        else:
            yield from _places(inner, rest, (*so_far, part))


def _set(policy: Policy, tree: dict[str, Any], place: Path, value: Any) -> Policy | None:
    def put(part: Any, path: Path) -> Any:
        if not path:
            return value
        if isinstance(part, (list, tuple)):
            return [put(item, path[1:]) if str(number) == path[0] else item for number, item in enumerate(part)]
        if path[1:] or value is not ABSENT:
            return {**part, path[0]: put(part.get(path[0], {}), path[1:])}
        return {key: item for key, item in part.items() if key != path[0]}

    try:
        made = Policy.model_validate(put(tree, place))
    except ValidationError:
        return None
    return made if made != policy else None


@cache
def values(key: Path) -> tuple[Any, ...]:
    """Values that ``key`` may have: all of a closed type, or some that its type and the policies suggest."""
    found = [ABSENT, *_by_type(KEYS[key])]
    for source in sources():
        assert source.policy is not None
        tree = source.policy.model_dump(by_alias=True)
        for place in _places(tree, key):
            found += [value for value in [_get(tree, place)] if value is not None]
    unlike = [value for number, value in enumerate(found) if value not in found[:number]]
    return tuple(unlike[:12])


def _get(tree: Any, place: Path) -> Any:
    for part in place:
        tree = tree[int(part)] if isinstance(tree, (list, tuple)) else tree.get(part)
        if tree is None:
            return None
    return tree


def _by_type(annotation: Any) -> Iterator[Any]:
    if annotation is bool:
        yield from (True, False)
    elif annotation is Text:
        yield from ("other words, etc.", "other words")
    elif annotation is int:
        yield from (3, 19)
    elif annotation is str:
        yield from ("", "another")
    elif annotation is date:
        yield from (date(2025, 1, 1), date(2031, 1, 1))
    elif annotation is Period:
        yield from ("40 days", "3 years")
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) is tuple:
        yield ()
    elif annotation is not type(None):
        for part in get_args(annotation):
            yield from _by_type(part)


Effect = Callable[[Checked, Policy], object]


def of_rules(_: Checked, policy: Policy) -> object:
    """What is allowed, whatever the reasons are called."""
    return {replace(rule, reason="") for rule in rules(policy)}


def of_clocks(_: Checked, policy: Policy) -> object:
    """What is destroyed, and when."""
    return clocks(policy)


def of_notice(_: Checked, policy: Policy) -> object:
    """What people read."""
    made = notice(compile_policy(policy), "en")
    return made.title, made.languages, made.sections, made.pictures


def of_export(_: Checked, policy: Policy) -> object:
    """What other programs read."""
    return dpv(policy, "https://made.example/")


def of_weight(_: Checked, policy: Policy) -> object:
    """Which changes of a section count as significant."""
    promised = policy.changes.significant_means if policy.changes else ()
    return [significance((info.alias or name,), promised) for name, info in Policy.model_fields.items()]


def of_lint(search: Search) -> Effect:
    """What one function of the linter finds."""

    def found(source: Checked, policy: Policy) -> object:
        context = Context(source.document, source.profiles, TODAY)
        return {(flaw.path, flaw.severity, flaw.message) for flaw in search(policy, context)}

    return found


def has(effect: Effect, key: Path) -> bool:
    """Whether some change of ``key`` changes ``effect``."""
    return any(effect(one.source, one.before) != effect(one.source, one.after) for one in changes(key))
