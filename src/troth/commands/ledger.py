"""``troth ledger``: verify the record, hand it out, and the key that signs it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.clock import iso
from troth.commands.asking import Folder, Json, Out
from troth.commands.saying import NO, as_json, aside, write, writing
from troth.errors import TrothError

if TYPE_CHECKING:
    from troth.store.site import Site

Because = Annotated[
    str, typer.Option("--because", metavar="WORDS", help="why, in a sentence about nobody in particular")
]
Kept = Annotated[
    Path | None, typer.Option("--ledger", metavar="FILE", help="an export of the ledger that has what was lost")
]
Witness = Annotated[
    list[Path] | None,
    typer.Option("--witness", metavar="FILE", help="what a witness kept: a text or a mail; may be given again"),
]
By = Annotated[str, typer.Option("--by", metavar="ROLE", help="the role on your staff that answers for it")]

app = typer.Typer(help="The append-only record of decisions and acts.", no_args_is_help=True)


@app.command()
def verify(site: Folder, witness: Witness = None, json_: Json = False) -> None:
    """Read the ledger from beginning to end and say whether it is what was sealed; if not, where.

    A ledger that somebody with the signing key wrote anew is whole in itself. With what a witness kept outside, it is not.

    \b
    Example: troth ledger verify my-shop --witness /mnt/notary/my-shop.notes
    Exit: 0 it is whole; 1 it is not; 2 a file of a witness holds no checkpoint.
    """
    from troth.commands.opening import opened
    from troth.ledger.verify import verify as verified
    from troth.witnessing.given import notes_of, stamps_of

    with opened(site) as site_:
        notes = notes_of(site_, witness or ())
        report = verified(site_, witnessed=notes)
        stamps = stamps_of(site_, notes)
    if json_:
        told = {key: value for key, value in asdict(report).items() if key not in {"seen", "restored"}}
        told["stamps"] = [{"witness": one.witness, "size": one.size, "at": iso(one.at)} for one in stamps]
        shown = [{"at": iso(one.at), "by": one.made_by, "because": one.because} for one in report.restored]
        as_json({"site": site_.name, **told, "restored": shown})
    else:
        typer.echo(f"{site_.name}: {report.line()}")
        for one in stamps:
            typer.echo(f"  {one.witness} saw {one.size:,} entries on {one.at:%Y-%m-%d %H:%M} UTC")
    if report.verdict == "broken":
        raise typer.Exit(NO)


@app.command()
def restored(site: Folder, because: Because, by: By, ledger: Kept = None, json_: Json = False) -> None:
    """Record why the stores are not what was sealed, and go on from what they hold.

    For a store that was cut, exchanged or put back from a copy of your own: until this is recorded, nothing is sealed and
    nothing leaves. With an export of the ledger, what was done in between (erasures, withdrawals, objections, restrictions,
    stops, whom you shut out) is done again and all sessions end; without, nobody knows it. The reason stands in the ledger's
    report for ever; mail and deliveries wait until `troth restore release SITE`.

    \b
    Example: troth ledger restored my-shop --because "disk of 3 May, copy of the night before" --by "privacy lead"
    Exit: 0 recorded; 2 there is nothing to record.
    """
    from troth.commands.opening import opened
    from troth.restoring.by_hand import accept

    with opened(site) as site_:
        found, replayed = accept(site_, because, by, ledger)
    if json_:
        done = {"replayed": dict(replayed.done), "lost": dict(replayed.lost)}
        as_json({"site": site_.name, "found": found.kind, "words": found.words, **done})
    else:
        typer.echo(f"{site_.name}: recorded. {found.words}")
        for what, count in replayed.done.items():
            typer.echo(f"  done again: {what}: {count:,}")
        aside("Mail and deliveries wait until `troth restore release`.")


@app.command()
def differences(
    site: Folder,
    because: Annotated[str, typer.Option("--because", metavar="WORDS", help="record all of it, and why")] = "",
    by: Annotated[str, typer.Option("--by", metavar="ROLE", help="the role on your staff that answers for it")] = "",
    json_: Json = False,
) -> None:
    """Say all that the stores hold otherwise than Troth wrote it: each row that somebody changed or removed with another tool,
    and how many were added.

    Put right what you can: the alarm ends with the next look. With --because and --by you answer for what is found; its alarm
    ends, and the reason stands in the reports of `ledger verify` and `prove` for ever. Promises that rest on it stay broken or
    not proven.

    \b
    Example: troth ledger differences my-shop --because "a support case of 3 May, mended by hand" --by "privacy lead"
    Exit: 0 nothing differs, or it is recorded; 1 something differs; 2 there is nothing to record.
    """
    from troth.commands.opening import opened
    from troth.reconcile.reconcile import every
    from troth.reconcile.watch import differing, noted, record

    recording = bool(because or by)
    with opened(site) as site_:
        if recording:
            found = record(site_, because, by)
        else:
            found = differing(site_)
            noted(site_, found)
        lines = (one.line() for one in every(site_, found))
        if json_:
            as_json({"site": site_.name, "found": list(lines), "recorded": recording})
        else:
            for line in lines:
                typer.echo(line)
    if not json_:
        number = sum(one.cases for one in found)
        named = "difference" if number == 1 else "differences"
        aside(f"{site_.name}: {number:,} {named}{', recorded' if recording else ''}.")
    if found and not recording:
        raise typer.Exit(NO)


@app.command()
def witness(site: Folder, json_: Json = False) -> None:
    """Seal, and hand the last checkpoint to every witness that site.yaml names, now.

    The worker does so by itself, as often as site.yaml says.

    \b
    Example: troth ledger witness my-shop
    Exit: 0 all took it; 1 one did not; 2 none is named, or the stores are not what was sealed.
    """
    from troth.commands.opening import opened
    from troth.ledger.seal import seal
    from troth.witnessing import ask_all

    with opened(site) as site_:
        if site_.wiring.ledger.witness:
            seal(site_)
        done = ask_all(site_)
    if json_:
        as_json({"site": site_.name, "witnesses": [asdict(one) for one in done]})
    else:
        for one in done:
            typer.echo(f"{one.witness}: {one.problem or f'took {one.size:,} entries'}")
    if any(one.problem for one in done):
        raise typer.Exit(NO)


@app.command()
def key(
    site: Folder,
    out: Out = None,
    note: Annotated[bool, typer.Option("--note", help="the form that programs for signed notes take")] = False,
) -> None:
    """Print the public key (PEM) that the ledger's checkpoints are signed with, for an auditor.

    \b
    Example: troth ledger key my-shop --out my-shop.pem
    """
    from troth.commands.opening import opened
    from troth.ledger.keys import public_keys, public_pem
    from troth.ledger.notes import verifier_key

    with opened(site) as site_:
        lines = [verifier_key(site_.name, one) for one in public_keys(site_).values()] if note else [public_pem(site_)]
    write("".join(f"{line.strip()}\n" for line in lines), out)


@app.command()
def export(site: Folder, out: Out = None) -> None:
    """Write the ledger as JSON lines in the format of docs/ledger-format.md, so that any program can verify it.

    What waits is sealed first, and the file ends with the last checkpoint: a restore takes only what one covers. What the site
    enters meanwhile is left out, and counted on stderr. If nothing can be sealed, stderr says why.

    \b
    Example: troth ledger export my-shop --out ledger.jsonl
    """
    from troth.commands.opening import opened
    from troth.ledger.export import export as exported

    with opened(site) as site_, writing(out) as file:
        _seal_or_warn(site_)
        done = exported(site_, file)
    aside(f"{site_.name}: {done.entries:,} entries.")
    if done.waiting:
        aside(f"{done.waiting:,} more wait to be sealed and are not in it.")


def _seal_or_warn(site: Site) -> None:
    from troth.ledger import seal

    try:
        seal(site)
    except TrothError as error:
        aside(f"The ledger could not be sealed: {error}")
