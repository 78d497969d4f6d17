"""``troth export``: the policy for other programs."""

from __future__ import annotations

import json

import typer

from troth.commands.asking import Folder, Out
from troth.commands.saying import write

app = typer.Typer(help="The policy in the formats of other programs.", no_args_is_help=True)


@app.callback()
def _export() -> None:
    """The policy in the formats of other programs."""


@app.command()
def dpv(site: Folder, out: Out = None) -> None:
    """Write the policy in effect as JSON-LD in the W3C Data Privacy Vocabulary (DPV 2.3).

    \b
    Example: troth export dpv my-shop --out my-shop.jsonld
    Exit: 0 written; 1 an error is unsettled; 2 a file cannot be read or written.
    """
    from troth.commands.opening import settled
    from troth.policy.export import dpv as exported
    from troth.store.wiring import read_wiring

    policy = settled(site, "exported").policy
    assert policy is not None
    base = read_wiring(site).base_url
    write(json.dumps(exported(policy, base), indent=2, ensure_ascii=False) + "\n", out)
