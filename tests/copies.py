"""People about whom much is held, and what each copy says of them in one and the same form, so that copies can be compared."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pypdf

from tests.fixtures import days
from tests.submissions import CONTACT, ORDER, REGISTER, sent
from troth.clock import MovedClock
from troth.collection import collect
from troth.consent.actions import record
from troth.people.vault import By
from troth.recipients.gate import disclose, hand_over
from troth.recipients.tables import BY_HAND, disclosure
from troth.retention.holds import make_hold
from troth.rights.copy.as_csv import unguarded
from troth.rights.copy.model import Overview, Section
from troth.rights.copy.voice import day, moment
from troth.rights.copy.words import say
from troth.store.site import Site

HOSTILE = '=1+1 #eval("x") *b* <b onclick=x>&amp;</b> $x$ ]]> \\ `c` @ref {{7*7}} "q", \'q\'\nnext line\t中文'


def by(person_id: str) -> By:
    return By("person", ref=person_id)


def busy(site: Site) -> str:
    """A customer with an account's form, orders, an objection, a courier that got something, and a hold."""
    registered = replace(REGISTER, choices={"newsletter_house": True, "marketing": True})
    person_id = collect(site, registered).person_id
    collect(site, sent(ORDER, phone="020 7946 0958"))
    assert isinstance(site.clock, MovedClock)
    site.clock.move(days(2))
    given = disclose(site, person_id, "courier", ["full_name", "delivery_address"], "fulfil_order")
    with site.writing() as conn:
        conn.execute(disclosure.update().where(disclosure.c.id == given).values(state=BY_HAND))
    hand_over(site, given)
    site.clock.move(days(3))
    collect(site, sent(ORDER, "order-2", order_total=HOSTILE))
    with site.writing() as conn:
        policy = site.policy(conn)
        record(site, conn, person_id, "improvement", "objected", "", "en", "letter", policy)
        make_hold(
            site, conn, person_id, ["order_total"], "legal duties", "=HYPERLINK() is no formula", "accounts",
            "privacy lead", site.now() + days(500),
        )  # fmt: skip
    return person_id


def asker(site: Site) -> str:
    """Somebody who only asked something."""
    return collect(site, CONTACT).person_id


# --- one form for all copies -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Same:
    """What a copy says, as printed: records with values and facts, and the rows of each table."""

    records: frozenset[tuple[Any, ...]]
    tables: Mapping[str, tuple[tuple[str, ...], ...]]


def from_json(document: bytes) -> Same:
    tree = json.loads(document)
    tag = tree["language"]
    kinds = {one["kind"]: one for one in tree["kinds"]}
    tables = {key: tree[key] for key in TABLES}
    return Same(
        frozenset(_record(one, kinds[one["kind"]], tag) for one in tree["records"]),
        {key: tuple(tuple(_said(cell, tag) for cell in row.values()) for row in rows) for key, rows in tables.items()},
    )


TABLES = ("choices", "disclosures", "holds", "leaving", "dealings", "messages", "account", "visits", "rights")


def _record(one: dict[str, Any], kind: dict[str, Any], tag: str) -> tuple[Any, ...]:
    given = tuple(
        (g["recipient"]["label"], g["country"] or "", tuple(f["label"] for f in g["fields"]), g["times"], g["last_at"])
        for g in one["given_to"]
    )
    uses = tuple((use["purpose"]["label"], use["basis"], use["state"]["label"]) for use in kind["uses"])
    values = tuple((field["label"], one["values"][field["id"]]) for field in kind["fields"])
    return (
        kind["through"]["label"], kind["source"]["label"], one["at"], one["policy_version"], values,
        tuple(sorted(one.get("masked", []))), uses, tuple(kind["apart"]), _given(given, tag),
        one["goes"]["by"] or "", one["goes"]["how"], one["goes"]["because"],
    )  # fmt: skip


def _given(given: tuple[Any, ...], tag: str) -> tuple[str, ...]:
    """As the sentence that the readable copies print."""
    from troth.policy.model import Operator, Policy
    from troth.policy.notice.language import Speaker, language

    speaker = Speaker(Policy.model_construct(operator=Operator()), language(tag))
    found = []
    for recipient, country, fields, times, last in given:
        often = say(tag, "copy.times_one") if times == 1 else say(tag, "copy.times_many", count=times)
        terms = {"recipient": recipient, "country": country, "fields": speaker.every(fields), "times": often}
        found.append(say(tag, "copy.given_in" if country else "copy.given", **terms, last=moment(_at(last), tag)))
    return tuple(found)


def _at(written: str) -> datetime:
    return datetime.fromisoformat(written)


INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def _said(cell: Any, tag: str) -> str:
    if cell is None or cell in ([], ""):
        return say(tag, "copy.none")
    if isinstance(cell, bool):
        return say(tag, "copy.yes" if cell else "copy.no")
    if isinstance(cell, dict):
        return str(cell["label"])
    if isinstance(cell, list):
        return "\n".join(one["label"] for one in cell)
    if isinstance(cell, str) and INSTANT.fullmatch(cell):
        return moment(_at(cell), tag)
    return str(cell)


def csv_files(archive: bytes) -> dict[str, list[dict[str, str]]]:
    """The tables of a ZIP, every cell as it was before it was guarded."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: _rows(opened.read(name)) for name in opened.namelist() if name.endswith(".csv")}


def _rows(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    return [
        {key: unguarded(cell) for key, cell in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def from_csv(archive: bytes, tag: str) -> Same:
    files = csv_files(archive)
    uses: dict[str, list[tuple[str, str, str]]] = {}
    apart: dict[str, list[str]] = {}
    for row in files["uses.csv"]:
        uses.setdefault(row["kind"], []).append((row["purpose"], row["basis"], row["state"]))
    for row in files["apart.csv"]:
        apart.setdefault(row["kind"], []).append(row["apart"])
    records: dict[str, list[dict[str, str]]] = {}
    for row in files["data.csv"]:
        records.setdefault(row["record"], []).append(row)
    made = []
    for rows in records.values():
        one = rows[0]
        values = tuple((row["field"], row["value"]) for row in rows)
        masked = tuple(sorted(row["field.id"] for row in rows if row["masked"] == "yes"))
        made.append((
            one["through"], one["source"], one["at"], int(one["policy_version"]), values, masked,
            tuple(uses.get(one["kind"], [])), tuple(apart.get(one["kind"], [])),
            tuple(filter(None, one["given_to"].split("\n"))),
            one["goes_by"], one["goes_how"], one["goes_because"],
        ))  # fmt: skip
    tables = {key: tuple(_table(files[f"{key}.csv"], tag)) for key in TABLES}
    return Same(frozenset(made), tables)


def _table(rows: list[dict[str, str]], tag: str) -> Iterator[tuple[str, ...]]:
    yesno = {"yes": say(tag, "copy.yes"), "no": say(tag, "copy.no")}
    for row in rows:
        cells = [cell for key, cell in row.items() if not key.endswith(".id")]
        yield tuple(_said(cell or None, tag) if cell not in yesno else yesno[cell] for cell in cells)


# --- what is printed -------------------------------------------------------------------------------------------------


def printed(same: Same, tag: str) -> list[str]:
    """All that the readable copies must say, a piece each."""
    found: list[str] = []
    for through, source, at, version, values, _, uses, apart, given, by_, how, because in sorted(same.records):
        found += [through, source, moment(_at(at), tag), str(version), because, *apart, *given]
        found += [piece for pair in values for piece in pair]
        found += [say(tag, "copy.use", purpose=p, basis=b, state=s) for p, b, s in uses]
        found += [say(tag, "goes.by", day=day(_at(by_), tag))] if by_ and how != "never" else []
    for rows in same.tables.values():
        found += [part for row in rows for cell in row for part in cell.split("\n")]
    return found


class _Text(HTMLParser):
    """The text of a page, without styles, and the classes of what it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.skipped = 0
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipped += tag in ("style", "title", "desc")
        for name in (dict(attrs).get("class") or "").split():
            self.counts[f"{tag}.{name}"] = self.counts.get(f"{tag}.{name}", 0) + 1

    def handle_endtag(self, tag: str) -> None:
        self.skipped -= tag in ("style", "title", "desc")

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.text.append(data)


def text_of_html(page: str) -> tuple[str, dict[str, int]]:
    reader = _Text()
    reader.feed(page)
    return "\n".join(reader.text), reader.counts


def pdf_of(document: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(document))


def text_of_pdf(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in pdf_of(document).pages)


def squeezed(text: str) -> str:
    """Without any space, since lines break anywhere in print."""
    return re.sub(r"[\s\u200b]+", "", text)


def kinds_of_tags(document: bytes) -> set[str]:
    """The kinds of structure elements of a tagged PDF."""
    found: set[str] = set()
    waiting = [pdf_of(document).trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        one = waiting.pop().get_object()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            found |= {str(one["/S"])} if "/S" in one else set()
            waiting += [one["/K"]] if "/K" in one and not isinstance(one["/K"], int) else []
    return found


def section(told: Overview, key: str) -> Section:
    return told.section(key)
