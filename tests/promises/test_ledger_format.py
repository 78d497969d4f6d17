"""What docs/ledger-format.md shows is what is written."""

import io
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.bare import bare_folder, prepared
from troth import ledger
from troth.clock import MovedClock, utc
from troth.ids import new_id
from troth.ledger import events
from troth.ledger.heads import last_checkpoint
from troth.ledger.notes import note_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "ledger-format.md"
PERSON = "01ke6xqg80" + "0123456789abcdef"


def shown() -> str:
    found = re.search(r"```jsonl\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    return found[1]


def written(tmp_path: Path) -> tuple[str, str]:
    """An export of a ledger of three entries, two of them sealed with the key 000102...1f."""
    clock = MovedClock(utc(2026, 1, 5, 9))
    site = prepared(bare_folder(tmp_path), "sqlite:///var/data.db", clock)
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    path = site.folder / "var" / "ledger.key"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with site.writing() as conn:
        ledger.append(conn, clock.now(), events.PERSON_ADMITTED, {"person": PERSON, "kind": "customer"})
        ledger.append(conn, clock.now(), events.CONSENT_GIVEN, {"person": PERSON, "scope": "marketing"})
    clock.move(timedelta(minutes=1))
    ledger.seal(site)
    with site.writing() as conn:
        ledger.append(conn, clock.now(), events.VISIT_SWEPT, {"count": 1204})
    out = io.StringIO()
    ledger.export(site, out)
    with site.reading() as conn:
        last = last_checkpoint(conn)
    site.close()
    assert last is not None
    return out.getvalue(), note_of("shop", last, key).written()


def test_the_example_has_an_id_as_they_are_made() -> None:
    assert len(PERSON) == len(new_id(utc(2026)))


def test_the_page_shows_what_an_export_is(tmp_path: Path) -> None:
    assert shown() == written(tmp_path)[0]


def test_the_page_shows_what_a_witness_keeps(tmp_path: Path) -> None:
    found = re.search(r"```text\n(troth/shop\n.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    assert found[1] == written(tmp_path)[1]
    (tmp_path / "shop.notes").write_text(found[1], "utf-8")
    (tmp_path / "example.jsonl").write_text(shown(), "utf-8")
    script = [sys.executable, str(ROOT / "scripts" / "verify_ledger.py"), str(tmp_path / "example.jsonl")]
    done = subprocess.run(
        [*script, "--witness", str(tmp_path / "shop.notes")], capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["1 checkpoints that witnesses saw are in it"])


def test_the_example_is_verified_by_the_script(tmp_path: Path) -> None:
    path = tmp_path / "example.jsonl"
    path.write_text(shown())
    script = [sys.executable, str(ROOT / "scripts" / "verify_ledger.py"), str(path)]
    assert subprocess.run(script, capture_output=True, check=False).returncode == 0
