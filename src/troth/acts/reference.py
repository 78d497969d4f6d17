"""``docs/acts.md``, made from the table of acts; a test keeps it current.

``make docs`` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from troth.acts.arguments import Argument
from troth.acts.model import SCOPES, Act
from troth.acts.table import ACTS

_INTRODUCTION = """# Acts

Made from the table of acts by `make docs`; a test keeps it current.

What happens in your business must reach Troth: an order is closed, a warranty ends, a recipient has deleted. Each act can be
carried out in three ways, with the same arguments, the same rules and the same entries on the ledger:

* **HTTP**: `POST /SITE/api/acts/NAME` with a JSON object of arguments and `Authorization: Bearer TOKEN`. Make a token with
  `troth token add SITE PROGRAM --may deal --may disclose`; it is shown once, and is
  [not the one for reading](operating.md#tokens-of-programs). `GET /SITE/api/acts` lists what it may do, and `/SITE/api/openapi`
  describes all of it.
* **Command line**: `troth act SITE NAME --argument value`. `troth act SITE` lists the acts.
* **Desk**: `/SITE/desk/acts` has a form for each act that the roles of a member of staff allow, with what can be chosen in
  lists. An act about somebody begins with finding them by what identifies them, and a reason; from their page, under
  `/SITE/desk/people`, the same forms are reached with the person filled in. See [staff](staff.md).

A personal value never stands in an address or on a command line: it is sent in the body, and `troth act ... --stdin` reads it
from standard input.

Send an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07) with what must be done once: the same key and the same
body get the first answer again, with `Idempotency-Replayed: true`; the same key and another body get 422. A key belongs to the
token that sent it, and is forgotten after a week. A key is kept only for what was done. At the desk each form is a key of its
own: pressed twice, it is carried out once.

Errors are problem details (RFC 9457): 401 without a token that is known here, 403 when the token or the policy does not allow
it, 422 when an argument does not fit (`problems` says which), 429 when a token is used more than 600 times in a minute.
Each process counts for itself, so that behind several the limit is so many times as high: it keeps a program that has run wild
from taking all, and is no bound on what a stolen token reads.
"""


def acts_reference() -> str:
    """``docs/acts.md``."""
    return "\n".join([_INTRODUCTION, *_groups()])


def _groups() -> Iterator[str]:
    for scope, does in SCOPES.items():
        yield f"## `{scope}`: {does}\n"
        for act in ACTS.values():
            if act.scope == scope:
                yield from _act(act)


def _act(act: Act) -> Iterator[str]:
    yield f"### `{act.name}`\n"
    yield f"{act.does}{' Of the staff, the privacy lead alone may do it.' if act.lead_only else ''}\n"
    yield "| argument | | what |\n|---|---|---|"
    yield from (f"| `{one.name}` | {_kind(one)} | {one.help} |" for one in act.arguments)
    yield ""
    if act.errors:
        yield f"Refused: {'; '.join(act.errors)}.\n"


def _kind(argument: Argument) -> str:
    kinds = {
        "person": "an id", "id": "an id", "reference": "a number of yours", "word": "a word", "words": "a list of words",
        "instant": "a day or an instant", "text": "text", "value": "a personal value", "record": "an object of texts",
    }  # fmt: skip
    return f"{kinds[argument.type]}{', required' if argument.required else ''}"
