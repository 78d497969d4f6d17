"""Every file in the site's folder is searched for addresses of people, or it is said that it was not."""

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection, create_engine, update

from tests.rules.test_spellings import encoded
from tests.rules.test_spellings import found as read_as_address
from tests.submissions import CONTACT, REGISTER
from troth import agenda
from troth.agenda.tables import job
from troth.collection import collect
from troth.evidence.prove import prove
from troth.reconcile import texts, watch
from troth.reconcile.reconcile import WRITTEN
from troth.reconcile.texts import LARGEST
from troth.reconcile.values import may_hold_address
from troth.restoring.backup import backup
from troth.store.site import Site

ANN = REGISTER.values["email"]


@pytest.fixture
def shop(site: Site) -> Site:
    collect(site, REGISTER)
    (site.folder / "var").mkdir(exist_ok=True)
    assert watch.differing(site) == ()
    return site


def lines(site: Site) -> list[str]:
    return sorted(one.line() for one in watch.differing(site))


@pytest.mark.parametrize("name", WRITTEN)
def test_only_the_sites_own_files_may_name_somebody(shop: Site, name: str) -> None:
    own, below = shop.folder / name, shop.folder / "var" / "old" / name
    own.write_text(f"{own.read_text('utf-8') if own.exists() else ''}\n# {ANN}\n", "utf-8")
    assert lines(shop) == []
    below.parent.mkdir()
    below.write_text(f"# {ANN}\n", "utf-8")
    assert lines(shop) == [f"file var/old/{name} holds an address of somebody who is known"]


def test_every_folder_of_the_site_is_searched(shop: Site) -> None:
    for folder in ("exports", "notes/2026/spring"):
        (shop.folder / folder).mkdir(parents=True)
        (shop.folder / folder / "people.csv").write_text(f"{ANN}\n", "utf-8")
    assert lines(shop) == [
        f"file {folder}/people.csv holds an address of somebody who is known"
        for folder in ("exports", "notes/2026/spring")
    ]


def test_a_backup_in_the_sites_folder_is_none_of_its_findings_and_what_lies_beside_it_is(shop: Site) -> None:
    backup(shop, shop.folder / "backups" / "monday", shop.folder / "backups" / "keys")
    assert lines(shop) == []
    (shop.folder / "backups" / "monday" / "people.csv").write_text(ANN, "utf-8")
    assert lines(shop) == ["file backups/monday/people.csv holds an address of somebody who is known"]


LOCAL, _, DOMAIN = ANN.partition("@")
IN_COLUMNS = (
    quote(ANN),
    f"{LOCAL}%252540{DOMAIN}",
    *(
        f"{LOCAL}{sign}{DOMAIN}"
        for sign in (r"\x40", r"\u0040", "=40", "&#064;", "&#x0040;", "&amp;#64;", "%26%2364%3B")
    ),
    f"{LOCAL}@{DOMAIN.replace('.', '%2E')}",
)


@pytest.mark.parametrize("spelled", IN_COLUMNS)
def test_an_address_in_a_column_is_found_however_it_is_written(shop: Site, spelled: str) -> None:
    with shop.writing() as conn:
        agenda.put(conn, "kind", "key", "ref", shop.now(), shop.now())
        conn.execute(update(job).where(job.c.key == "key").values(problem=f"GET /?to={spelled} failed"))
    assert any("job" in one and "address" in one for one in lines(shop))


@pytest.fixture
def connected(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url)
    with engine.connect() as conn:
        yield conn
    engine.dispose()


@given(encoded())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_read_as_an_address_is_asked_of_the_store(connected: Connection, text: str) -> None:
    if not read_as_address(text):
        return
    sql = may_hold_address(connected.dialect.name, "word", free=False)
    if connected.dialect.name == "postgresql":
        asked = connected.exec_driver_sql(
            f"SELECT {sql.replace('%', '%%')} FROM (SELECT %s::text AS word) AS t", (text,)
        )
    else:
        asked = connected.exec_driver_sql(f"SELECT {sql} FROM (SELECT ? AS word) AS t", (text,))
    assert asked.scalar()


def test_a_file_too_large_to_be_searched_is_said_and_leaves_its_promise_without_proof(shop: Site) -> None:
    sealed = {one.promise.id for one in prove(shop).proven if one.promise.kind == "data.sealed"}
    large = shop.folder / "var" / "web.log"
    large.write_text(ANN, "utf-8")
    os.truncate(large, LARGEST + 1)
    said = "file var/web.log was not searched for addresses of people: it is too large, or cannot be read"
    assert lines(shop) == [said]
    report = prove(shop)
    assert not report.holds
    assert {one.promise.id for one in report.proven if one.differences} == sealed != set()
    shown = {(one.proof.verdict, str(one.proof.measured)) for one in report.proven if one.promise.id in sealed}
    assert shown == {("not proven", "1 file not searched")}
    os.truncate(large, len(ANN))
    assert lines(shop) == ["file var/web.log holds an address of somebody who is known"]


def test_who_answered_for_one_file_did_not_answer_for_another(shop: Site) -> None:
    def large(name: str) -> None:
        path = shop.folder / "var" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.truncate(path, LARGEST + 1)

    large("a/film.mp4")
    watch.record(shop, "our own film", "privacy lead")
    assert watch.noted(shop, watch.differing(shop)) == 0
    large("b/film.mp4")
    assert watch.noted(shop, watch.differing(shop)) == 1


def test_a_file_that_cannot_be_read_is_said(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    log = shop.folder / "var" / "web.log"
    log.write_text("nothing", "utf-8")
    opened = Path.open

    def refused(path: Path, *args: object, **more: object) -> object:
        if path.name == log.name:
            raise PermissionError
        return opened(path, *args, **more)

    monkeypatch.setattr(Path, "open", refused)
    assert lines(shop) == [
        "file var/web.log was not searched for addresses of people: it is too large, or cannot be read"
    ]


# --- what is written otherwise, or packed ----------------------------------------------------------------------------------


def zipped(inside: bytes, name: str = "people.csv") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.txt", "nobody")
        archive.writestr(name, inside)
    return made.getvalue()


WORDS = f"name;address\nAnn;{ANN}\n"
HOLDING = {
    "utf-16 as Windows writes it": WORDS.encode("utf-16"),
    "utf-16, the other way round": b"\xfe\xff" + WORDS.encode("utf-16-be"),
    "utf-32": WORDS.encode("utf-32"),
    "gz": gzip.compress(WORDS.encode()),
    "bz2": bz2.compress(WORDS.encode()),
    "xz": lzma.compress(WORDS.encode()),
    "zip": zipped(WORDS.encode()),
    "the name of a file in a zip": zipped(b"nothing", f"{ANN}.txt"),
    "utf-16 in a zip": zipped(WORDS.encode("utf-16")),
    "a gz in a zip": zipped(gzip.compress(WORDS.encode())),
    "as part of an address of a page": f"GET /?to={quote(ANN)}&from=shop".encode(),
    "as HTML": f"<a>{ANN.replace('@', '&#64;')}</a>".encode(),
    "at the end of a long text": b"x " * 600_000 + WORDS.encode(),
    "at the end of a long text in utf-16": ("x " * 600_000 + WORDS).encode("utf-16"),
}
LOCKED = zipped(b"secret")
SOME = 1 << 20
"""bytes; the most that is unpacked, in these tests"""
UNSEARCHED = {
    "a zip in a zip in a zip in a zip": zipped(zipped(zipped(zipped(WORDS.encode())))),
    "a zip that is locked": LOCKED.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
    "a zip that is cut short": zipped(WORDS.encode())[:-30],
    "a gz that is cut short": gzip.compress(WORDS.encode())[:-9],
    "an archive of 7-Zip": b"7z\xbc\xaf\x27\x1c" + b"x" * 40,
    "a PDF": b"%PDF-1.7\n" + b"x" * 40,
    "a gz that unpacks to more than is searched": gzip.compress(b"0" * (SOME + 1)),
}


def _held(site: Site, content: bytes) -> list[str]:
    (site.folder / "var" / "export").write_bytes(content)
    return lines(site)


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("written", HOLDING)
def test_an_address_is_found_however_it_is_written_or_packed(shop: Site, written: str) -> None:
    assert _held(shop, HOLDING[written]) == ["file var/export holds an address of somebody who is known"]


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_what_is_packed_and_names_nobody_is_no_finding(shop: Site) -> None:
    for content in (zipped(b"nobody"), gzip.compress(b"nobody"), "nobody".encode("utf-16"), b"", b"\xff", b"PK"):
        assert _held(shop, content) == []


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("what", UNSEARCHED)
def test_what_cannot_be_looked_into_is_said(shop: Site, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LARGEST", SOME)
    [said] = _held(shop, UNSEARCHED[what])
    assert said.startswith("file var/export was not searched")


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_an_archive_of_too_many_files_is_not_searched_to_its_end(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MEMBERS", 1)
    assert _held(shop, zipped(b"nobody"))[0].startswith("file var/export was not searched")


def test_who_answered_for_a_file_did_not_answer_for_one_more_address_in_it(shop: Site) -> None:
    collect(shop, CONTACT)
    file = shop.folder / "var" / "web.log"
    file.write_text(f"{ANN} came\n", "utf-8")
    watch.record(shop, "the log of a day", "privacy lead")
    assert watch.noted(shop, watch.differing(shop)) == 0
    file.write_text(f"{ANN} came\nnobody@else.example came\n", "utf-8")
    assert watch.noted(shop, watch.differing(shop)) == 0
    file.write_text(f"{ANN} came\n{CONTACT.values['email']} came\n", "utf-8")
    assert watch.noted(shop, watch.differing(shop)) == 1
