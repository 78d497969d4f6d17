"""What a program posts to a collection point: read strictly, and every misfit told by the name of its key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar.exceptions import ClientException

from troth.collection.rules import shown
from troth.errors import InvalidInput

_MISFITS = (
    (re.compile(r"missing required field `(.*?)`"), "This is required."),
    (re.compile(r"contains unknown field `(.*)`"), "There is no such key."),
    (re.compile(r"Expected `str.*at `\$\.(\w+)"), "This must be text."),
    (re.compile(r"Expected `bool.*at `\$\.(\w+)"), "This must be true or false."),
    (re.compile(r"Expected `object.*at `\$\.(\w+)"), "This must be an object."),
)


class Posted(msgspec.Struct, forbid_unknown_fields=True):
    """What a program sends to a collection point. ``values`` may hold anything here: each is checked with its field."""

    values: dict[str, Any]
    choices: dict[str, Any] = {}
    acknowledged: bool = False
    language: str = "en"
    key: str | None = None


def read_posted(body: bytes) -> Posted:
    """``body`` as a submission.

    Raises:
        ClientException: when it is no JSON in UTF-8.
        InvalidInput: when it is of another shape; ``problems`` says where, by names that a policy could know.
    """
    try:
        posted = msgspec.json.decode(body, type=Posted)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            "This is not what a submission looks like. Nothing was stored.", dict(_misfit(error))
        ) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise ClientException from None
    problems = {
        shown(scope): "This must be true or false."
        for scope, said in posted.choices.items()
        if not isinstance(said, bool)
    }
    if problems:
        raise InvalidInput("Some answers need your attention. Nothing was stored.", problems)
    return posted


def _misfit(error: msgspec.ValidationError) -> Iterator[tuple[str, str]]:
    found = next(((match[1], words) for known, words in _MISFITS if (match := known.search(str(error)))), None)
    yield (shown(found[0]), found[1]) if found else ("(the whole)", "This must be an object with `values`.")
