"""Witnesses outside unmask a ledger that was written anew, and one that hangs stops nobody."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

import io
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from sqlalchemy import insert, select, text

from tests.actions.test_ledger_tampering import without_triggers
from tests.fixtures import days
from tests.operators import mailing
from tests.served import client
from tests.stamping import Authority
from tests.witnessed import authority, of_stamps, sealed, wired  # noqa: F401  (fixtures)
from troth import ledger
from troth.clock import MovedClock, utc
from troth.commands.serve import _warn_of_stores
from troth.errors import InvalidInput, Refused, TrothError, Unverifiable
from troth.evidence.prove import prove
from troth.ledger import events, heads
from troth.ledger.actions import canonical
from troth.ledger.checkpoints import signed
from troth.ledger.keys import signing_key
from troth.ledger.notes import notes_in, verifier_key
from troth.ledger.tables import checkpoint, entry
from troth.ledger.tree import Frontier, leaf_hash
from troth.ledger.witnessed import FOLDER
from troth.messages.mailbox import Mailbox
from troth.restoring.by_hand import accept
from troth.settings import Wiring
from troth.store.site import Site
from troth.witnessing import actions, ask_all, ask_due, learn
from troth.witnessing.given import notes_of, stamps_of
from troth.work import silent, standing, turn

SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_ledger.py"


def of_file(site: Site, path: Path) -> Site:
    return wired(site, notary={"file": str(path)})


def written_anew(site: Site, first: int = 2) -> None:
    """Somebody with both stores and the signing key changes an entry, and makes leaves, checkpoints and heads of that."""
    with site.writing() as conn:
        without_triggers(conn)
        one = conn.execute(select(entry).where(entry.c.position == first)).one()
        leaf = leaf_hash(canonical(one.at, one.event, '{"n":77}'))
        conn.execute(entry.update().where(entry.c.id == one.id).values(body='{"n":77}', leaf=leaf))
        leaves = list(
            conn.scalars(select(entry.c.leaf).where(entry.c.position.is_not(None)).order_by(entry.c.position))
        )
        old = conn.execute(select(checkpoint).order_by(checkpoint.c.size)).all()
        conn.execute(checkpoint.delete())
        key = signing_key(site)
        for row in old:
            tree = Frontier().extended(leaves[: row.size])
            conn.execute(insert(checkpoint), asdict(signed(site.name, tree, row.at, key)))
        last = heads.last_checkpoint(conn)
    heads.reset(site, last)


def forgotten(site: Site) -> None:
    """What is kept here of witnesses goes, too."""
    shutil.rmtree(site.folder / "var" / FOLDER)


def in_mail(site: Site, mailbox: Mailbox, tmp_path: Path) -> Path:
    path = tmp_path / "saved.eml"
    path.write_bytes(mailbox.messages()[0].raw)
    return path


@pytest.mark.parametrize("kind", ["file", "mail", "time stamp"])
def test_a_ledger_that_was_written_anew_is_whole_in_itself_and_denied_by_a_witness(
    site: Site, kind: str, authority: Authority, mailbox: Mailbox, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.notes"
    if kind == "file":
        site = of_file(site, outside)
    elif kind == "mail":
        site = wired(mailing(site, mailbox), auditor={"mail": "auditor@elsewhere.example"})
    else:
        site = of_stamps(site, authority)
    sealed(site, 5)
    [one] = ask_all(site)
    assert (one.size, one.problem) == (6, "")  # with the sums, once
    if kind == "mail":
        assert mailbox.messages()[0].recipients == ("auditor@elsewhere.example",)
        outside = in_mail(site, mailbox, tmp_path)
    if kind == "time stamp":
        shutil.copy(site.folder / "var" / FOLDER / "clockmaker", outside)
    sealed(site, 5)
    notes = notes_of(site, [outside])
    report = ledger.verify(site, witnessed=notes)
    assert (report.verdict, report.agreed, report.furthest) == ("whole", 1, 6)
    assert "1 witnessed checkpoints agree, up to 6 entries" in report.line()
    assert [(one.size, one.at) for one in stamps_of(site, notes)] == ([(6, site.now())] if kind == "time stamp" else [])
    written_anew(site)
    forgotten(site)
    assert ledger.verify(site).verdict == "whole"
    denied = ledger.verify(site, witnessed=notes)
    assert (denied.verdict, denied.wrong and denied.wrong.kind) == ("broken", "another ledger")
    assert "saw another ledger" in denied.line()


def test_what_is_kept_of_a_witness_is_asked_wherever_the_heads_are(site: Site, tmp_path: Path) -> None:
    site = of_file(site, tmp_path / "outside.notes")
    sealed(site, 5)
    ask_all(site)
    sealed(site, 5)
    assert heads.look(site) is None
    written_anew(site)
    problem = heads.look(site)
    assert problem is not None
    assert (problem.kind, problem.lost and problem.lost.size, problem.kept) == ("witness", 6, 0)
    assert ledger.verify(site).verdict == "broken"
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.KEY_MADE, {})
    with pytest.raises(Unverifiable, match="A witness outside saw another ledger"):
        ledger.seal(site)
    with pytest.raises(Unverifiable, match="A witness outside"):
        ask_all(site)
    assert silent(site)
    assert ("ledger broken", "witness") in {one.key for one in standing(site)}
    with client(site) as web:
        assert web.get("/health").status_code == 503
    assert not prove(site).holds


def test_a_file_that_is_wired_teaches_what_was_forgotten_here(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = of_file(site, tmp_path / "outside.notes")
    sealed(site, 5)
    ask_all(site)
    written_anew(site)
    forgotten(site)
    assert heads.look(site) is None
    shutil.copytree(site.folder, tmp_path / "again")
    assert prove(site).stores is not None
    forgotten(site)
    _warn_of_stores(site)
    assert "A witness outside saw another ledger" in capsys.readouterr().err
    assert learn(site) == 0, "nothing is learnt twice"


def test_whoever_can_write_to_the_file_of_a_witness_cannot_stop_the_site(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside.notes"
    site = of_file(site, outside)
    sealed(site, 5)
    ask_all(site)
    told = outside.read_text("utf-8")
    forged = told.replace("troth/shop\n6\n", "troth/shop\n4\n")
    other = told.replace("troth/shop", "troth/mine")
    outside.write_text(f"{forged}\nnonsense\ntroth/shop\n\n{other}\n{told}", "utf-8")
    assert (learn(site), heads.look(site)) == (0, None)
    report = ledger.verify(site, witnessed=notes_of(site, [outside]))
    assert report.verdict == "broken", "who asks is told that this file holds what nobody signed"


def test_a_ledger_that_was_cut_below_what_a_witness_saw_is_denied(site: Site, tmp_path: Path) -> None:
    site = of_file(site, tmp_path / "outside.notes")
    sealed(site, 5)
    sealed(site, 5)
    ask_all(site)
    with site.writing() as conn:
        without_triggers(conn)
        conn.execute(text("DELETE FROM ledger_entry WHERE position >= 6 OR position IS NULL"))
        conn.execute(text("DELETE FROM ledger_checkpoint WHERE size > 6"))
        if conn.dialect.name == "sqlite":
            conn.execute(text("UPDATE sqlite_sequence SET seq = 6 WHERE name = 'ledger_entry'"))
        last = heads.last_checkpoint(conn)
    heads.reset(site, last)
    problem = heads.look(site)
    assert (problem and problem.kind) == "witness"
    assert ledger.verify(site, witnessed=notes_of(site, [tmp_path / "outside.notes"])).verdict == "broken"


def test_a_checkpoint_that_is_gone_between_others_is_no_denial(site: Site, tmp_path: Path) -> None:
    site = of_file(site, tmp_path / "outside.notes")
    sealed(site, 5)
    ask_all(site)
    sealed(site, 5)
    with site.writing() as conn:
        without_triggers(conn)
        conn.execute(checkpoint.delete().where(checkpoint.c.size == 6))
    assert heads.look(site) is None
    assert ledger.verify(site, witnessed=notes_of(site, [tmp_path / "outside.notes"])).verdict == "whole"


def test_what_was_recorded_explains_what_witnesses_saw(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside.notes"
    site = of_file(site, outside)
    for _ in range(3):
        sealed(site, 5)
        ask_all(site)
    written_anew(site)
    assert accept(site, "the entries were made anew after a fault", "privacy lead")[0].kind == "witness"
    assert heads.look(site) is None
    report = ledger.verify(site, witnessed=notes_of(site, [outside]))
    assert (report.verdict, report.lost, report.agreed) == ("whole", 3, 0)
    assert "3 witnessed checkpoints are of what was lost" in report.line()
    sealed(site, 3)
    ask_all(site)
    report = ledger.verify(site, witnessed=notes_of(site, [outside]))
    assert (report.verdict, report.lost, report.agreed) == ("whole", 3, 1)


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_file_that_hangs_stops_nobody(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that nobody reads opens as a share of a machine that is gone does: not at all."""
    for name in ("read", "written"):
        os.mkfifo(tmp_path / name)
    sealed(site, 1)
    monkeypatch.setattr(actions, "SECONDS", 0.2)
    begun = perf_counter()
    assert learn(of_file(site, tmp_path / "read")) == 0
    assert prove(of_file(site, tmp_path / "read")).stores is None
    monkeypatch.setattr(actions, "learn", lambda _: 0)
    site = of_file(site, tmp_path / "written")
    assert "cannot be written (TimeoutError)" in ask_all(site)[0].problem
    assert turn(site).done["witness"] == 0
    assert perf_counter() - begun < 20


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_mail_server_that_is_gone_is_a_problem_of_that_witness_alone(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    site = wired(site, auditor={"mail": "a@b.example"}, notary={"file": str(tmp_path / "outside.notes")})
    site = mailing(site, Mailbox(), at="127.0.0.1:9")
    sealed(site, 1)
    with pytest.raises(TrothError, match=r"`auditor` took nothing\. The mail server does not answer"):
        ask_due(site)
    assert len(notes_in((tmp_path / "outside.notes").read_bytes())) == 1
    clock.move(days(1) / 24)
    assert [one.subject for one in actions.silent(site)] == ["auditor"]


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_the_script_holds_an_export_against_witnesses(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside.notes"
    site = of_file(site, outside)
    sealed(site, 5)
    ask_all(site)
    sealed(site, 5)
    assert _script(site, tmp_path, outside) == (0, "1 checkpoints that witnesses saw are in it")
    written_anew(site)
    assert _script(site, tmp_path)[0] == 0
    assert _script(site, tmp_path, outside) == (1, "broken: a witness saw another tree of the first 6 entries")
    other = tmp_path / "none.notes"
    other.write_text("nothing", "utf-8")
    assert _script(site, tmp_path, other)[0] == 2
    forged = tmp_path / "forged.notes"
    forged.write_text(outside.read_text("utf-8").replace("\n6\n", "\n7\n"), "utf-8")
    assert _script(site, tmp_path, forged) == (
        1,
        "broken: a witness holds a checkpoint at size 7 that none of the keys signed",
    )


def _script(site: Site, tmp_path: Path, *witnesses: Path) -> tuple[int, str]:
    out = io.StringIO()
    ledger.export(site, out)
    (tmp_path / "ledger.jsonl").write_text(out.getvalue())
    (tmp_path / "ledger.pem").write_text(ledger.public_pem(site))
    more = [part for one in witnesses for part in ("--witness", str(one))]
    command = [
        sys.executable,
        str(SCRIPT),
        str(tmp_path / "ledger.jsonl"),
        "--key",
        str(tmp_path / "ledger.pem"),
        *more,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout.strip().splitlines() or [""])[-1]


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_who_asks_for_witnesses_that_there_are_not_is_told(site: Site, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No witness of the ledger is wired"):
        ask_all(site)
    (tmp_path / "none.notes").write_text("nothing", "utf-8")
    with pytest.raises(InvalidInput, match="holds no checkpoint of the ledger of shop"):
        notes_of(site, [tmp_path / "none.notes"])
    with pytest.raises(InvalidInput):
        notes_of(site, [tmp_path / "missing.notes"])


@pytest.mark.parametrize(
    ("witness", "why"),
    [
        ({}, "is one of"),
        ({"file": "a", "mail": "a@b.example"}, "is one of"),
        ({"time stamp": "https://stamps.example"}, "needs `certificate`"),
        ({"file": "a", "certificate": "b"}, "no other witness has one"),
        ({"file": "a", "every": "0 days"}, "all the time"),
        ({"mail": "a@b.example"}, "needs `mail`"),
    ],
)
def test_a_witness_that_cannot_be_asked_is_found_in_the_wiring(witness: dict[str, str], why: str) -> None:
    wires = {
        "name": "shop",
        "title": "Shop",
        "store": {"database": "sqlite:///a"},
        "ledger": {"witness": {"one": witness}},
    }
    with pytest.raises(ValidationError, match=why):
        Wiring.model_validate(wires)


def test_a_note_is_what_other_programs_for_signed_notes_take() -> None:
    """The key and signature as C2SP's `signed-note` writes them, put together here by hand."""
    from base64 import b64decode
    from hashlib import sha256

    from troth.ledger.notes import note_of

    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    one = signed("shop", Frontier().extended([leaf_hash(b"a"), leaf_hash(b"b")]), utc(2026), key)
    written = note_of("shop", one, key).written()
    body, _, signatures = written.partition("\n\n")
    assert body.splitlines()[:2] == ["troth/shop", "2"]
    assert b64decode(body.splitlines()[2]) == one.root
    dash, name, value = signatures.strip().split(" ")
    whose, mark, public = verifier_key("shop", key.public_key()).split("+", 2)
    assert (dash, name) == ("—", whose)
    raw, algorithm_and_key = b64decode(value), b64decode(public)
    assert algorithm_and_key == b"\x01" + key.public_key().public_bytes_raw()
    assert raw[:4].hex() == mark == sha256(name.encode() + b"\n" + algorithm_and_key).hexdigest()[:8]
    key.public_key().verify(raw[4:], f"{body}\n".encode())
