"""What people are told about themselves: all of it, the same in every copy, nothing of anybody else, and on the ledger."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import update

from tests.copies import (
    HOSTILE,
    asker,
    busy,
    by,
    csv_files,
    from_csv,
    from_json,
    kinds_of_tags,
    pdf_of,
    printed,
    squeezed,
    text_of_html,
    text_of_pdf,
)
from tests.fixtures import days
from tests.submissions import REGISTER, entries, sent
from troth.accounts.actions import opened
from troth.accounts.tables import account
from troth.clock import MovedClock, iso
from troth.collection import collect
from troth.errors import Refused
from troth.ledger import events
from troth.logins.passwords import hashed
from troth.people import vault
from troth.people.vault import By
from troth.policy.schema import as_text
from troth.retention.ending import begin_ending
from troth.rights.copy.as_csv import as_csv
from troth.rights.copy.as_json import as_json
from troth.rights.copy.as_pdf import as_pdf
from troth.rights.copy.masks import NONE, Masks, Span
from troth.rights.copy.overview import everything_told, overview
from troth.rights.copy.schema import copy_schema
from troth.store.schema import data_tables
from troth.store.site import Site
from troth.web.held import copy_of, readable
from troth.work import turn

SCHEMA = Path(__file__).parents[2] / "docs" / "your-data.schema.json"
LANGUAGES = ("en", "zh-Hant")


def json_of(site: Site, person_id: str, tag: str = "en", masks: Masks = NONE) -> bytes:
    return b"".join(as_json(everything_told(site, person_id, by(person_id), tag, masks)))


def csv_of(site: Site, person_id: str, tag: str = "en") -> bytes:
    return b"".join(as_csv(everything_told(site, person_id, by(person_id), tag)))


@pytest.mark.parametrize("tag", LANGUAGES)
def test_all_four_copies_say_the_same(site: Site, tag: str) -> None:
    person_id = busy(site)
    same = from_json(json_of(site, person_id, tag))
    assert from_csv(csv_of(site, person_id, tag), tag) == same
    told = overview(site, person_id, by(person_id), tag, most=None)
    html, counts = text_of_html(readable(told))
    for text in (squeezed(html), squeezed(text_of_pdf(as_pdf(told)))):
        assert [piece for piece in printed(same, tag) if squeezed(piece) not in text] == []
    assert counts["article.record"] == len(same.records) == told.count
    assert counts["ul.rows"] == sum(bool(rows) for key, rows in same.tables.items() if key != "rights")


def test_the_copy_for_programs_fits_its_schema_and_reading_it_gives_the_values_back(site: Site) -> None:
    assert SCHEMA.read_text(encoding="utf-8") == as_text(copy_schema()), "run: troth schema copy"
    checks = Draft202012Validator(copy_schema(), format_checker=FormatChecker())
    for person_id in (busy(site), asker(site)):
        tree = json.loads(json_of(site, person_id))
        assert [error.message for error in checks.iter_errors(tree)] == []
        held = list(vault.everything(site, person_id, by(person_id)))
        read = [(one["values"], one["at"], one["policy_version"]) for one in tree["records"]]
        assert read == [(dict(one.fields), iso(one.at), one.policy_version) for one in held]
        data = csv_files(csv_of(site, person_id))["data.csv"]
        again = sorted((row["field.id"], row["value"]) for row in data)
        assert again == sorted(pair for one in held for pair in one.fields.items())


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_readable_copy_has_words_for_everything_and_no_ids(site: Site, tag: str) -> None:
    person_id = busy(site)
    told = overview(site, person_id, by(person_id), tag)
    text, _ = text_of_html(readable(told))
    held = list(vault.everything(site, person_id, by(person_id)))
    policy = site.policy().policy
    keys = [key for key in (*policy.data, *policy.purposes, *policy.recipients) if "_" in key]
    ids = [person_id, *(one.id for one in held), *(one.told for one in held)]
    assert [one for one in (*keys, *ids) if one in text] == []
    assert "UTC" in text


def test_the_document_is_tagged_and_has_its_title_and_language(site: Site) -> None:
    person_id = busy(site)
    for tag, language in (("en", "en-GB"), ("zh-Hant", "zh-TW")):
        document = as_pdf(overview(site, person_id, by(person_id), tag))
        root = pdf_of(document).trailer["/Root"]
        assert root["/Lang"] == language and root["/MarkInfo"]["/Marked"]
        assert "Lamp Shop" in str(pdf_of(document).metadata.title)  # type: ignore[union-attr]
        assert root["/ViewerPreferences"]["/DisplayDocTitle"]
        assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/L"} <= kinds_of_tags(document)
        assert b"pdfuaid" in root["/Metadata"].get_object().get_data()


def test_no_value_is_markup_in_any_copy(site: Site) -> None:
    person_id = busy(site)
    opened(site, person_id)
    with site.writing() as conn:
        conn.execute(update(account).values(password=hashed("seven quiet lamps")))
    told = overview(site, person_id, by(person_id), "en")
    html, pdf = readable(told), text_of_pdf(as_pdf(told))
    assert "<b onclick" not in html and "&lt;b onclick" in html and "{{7*7}}" in html
    assert squeezed(HOSTILE) in squeezed(pdf)
    for document in (json_of(site, person_id).decode(), html, pdf, str(csv_files(csv_of(site, person_id)))):
        assert "argon2" not in document


def test_a_person_sees_the_name_of_a_purpose_its_ground_who_received_it_and_the_day(site: Site) -> None:
    person_id = busy(site)
    told = overview(site, person_id, by(person_id), "en")
    items = {field.id: item for item in told.items for field in item.kind.fields}
    address = items["delivery_address"]
    [use] = [one for one in address.kind.uses if one.purpose.id == "fulfil_order"]
    assert (use.purpose.label, use.state.label) == (
        "Deliver what you ordered",
        "In use only while there is an open order",
    )
    interest = items["interest"]
    assert interest.goes.by == interest.at + days(100) and interest.goes.because == "100 days after we got it"
    assert {use.purpose.id: use.state.id for use in interest.kind.uses}["improvement"] == "objected"
    older = [item for item in told.items if "delivery_address" in item.values and item.given]
    assert [one.words for item in older for one in item.given] == [
        "Fast Courier (United Kingdom): Postal address and Name; once, last on 7 January 2026, 09:00 UTC"
    ]
    assert [item.goes.how for item in told.items if "full_name" in item.values] == ["waits"] * 3
    [hold] = told.section("holds").rows
    assert hold[2] == "=HYPERLINK() is no formula" and hold[-1] == site.now() + days(500)


def test_the_day_is_known_once_business_has_an_end(site: Site, clock: MovedClock) -> None:
    from troth.people import dealings
    from troth.retention import relationship

    person_id = collect(site, REGISTER).person_id
    clock.move(days(1))
    with site.writing() as conn:
        dealings.open_dealing(site, conn, person_id, "notice", "N-1", site.now())
        relationship.refresh(site, conn, [person_id])
    told = overview(site, person_id, by(person_id), "en")
    goes = {item.goes.because: item.goes.by for item in told.items}
    assert goes["175 days after business with us ends"] == site.now() + days(175)


def test_what_is_in_quarantine_is_named_and_not_shown(site: Site) -> None:
    person_id = busy(site)
    with site.writing() as conn:
        until = site.now() + days(20)
        begin_ending(site, conn, person_id, "request:1", until, scope="fields", fields=["interest"])
    told = overview(site, person_id, by(person_id), "en")
    assert not any("interest" in item.values for item in told.items)
    ((began, records, _, destroyed_by),) = told.section("leaving").rows
    assert (began, records, destroyed_by) == (site.now(), 1, until)


def test_nobody_sees_anothers_data_and_the_refusal_is_on_the_ledger(site: Site) -> None:
    ann, leo = busy(site), asker(site)
    for asking in (by(leo), By("system"), By("staff", role="sales")):
        with pytest.raises(Refused):
            everything_told(site, ann, asking, "en")
        for kind in ("json", "csv", "html", "pdf"):
            with pytest.raises(Refused):
                copy_of(site, ann, asking, "en", kind)
    assert len(entries(site, events.READ_REFUSED)) == 15


def test_one_look_is_one_entry_on_the_ledger(site: Site) -> None:
    person_id = busy(site)
    before = len(entries(site, events.PERSON_READ))
    json_of(site, person_id)
    assert len(entries(site, events.PERSON_READ)) == before + 1


def test_whoever_is_in_quarantine_or_gone_is_told_nothing(site: Site, clock: MovedClock) -> None:
    person_id = asker(site)
    with site.writing() as conn:
        begin_ending(site, conn, person_id, "request:1", site.now() + days(20))
    for _ in range(2):
        with pytest.raises(Refused):
            everything_told(site, person_id, by(person_id), "en")
        clock.move(days(30))
        turn(site)


def test_whoever_asked_for_deletion_sees_what_a_hold_keeps_and_until_when(site: Site) -> None:
    person_id = busy(site)
    with site.writing() as conn:
        begin_ending(site, conn, person_id, "request:1", site.now() + days(20))
    told = overview(site, person_id, by(person_id), "en")
    assert {field for item in told.items for field in item.values} == {"order_total"}
    assert {item.goes.how for item in told.items} == {"held"}
    assert {item.goes.by for item in told.items} == {max(row[-1] for row in told.section("holds").rows)}  # type: ignore[type-var]
    assert {use.state.id for item in told.items for use in item.kind.uses} <= {"aside", "needed", "used"}
    assert any("set aside" in note for note in told.about.notes)


def test_what_would_reveal_another_person_is_left_out_and_nothing_else(site: Site) -> None:
    person_id = collect(site, REGISTER).person_id
    collect(site, sent(REGISTER, "again", interest="lamps like those of bob@shop.example, please"))
    held = {key: one for one in vault.everything(site, person_id, by(person_id)) for key in one.fields}
    text = held["interest"].fields["interest"]
    at = text.index("bob@")
    masks = Masks(
        frozenset({(held["phone"].id, "phone")}),
        frozenset({Span(held["interest"].id, "interest", at, at + len("bob@shop.example"))}),
    )
    tree = json.loads(json_of(site, person_id, masks=masks))
    shown = str(tree)
    assert "bob@" not in shown and "lamps like those of [about another person], please" in shown
    assert sum(len(one.get("masked", [])) for one in tree["records"]) == 2
    told = overview(site, person_id, by(person_id), "en", masks)
    for copy in (readable(told), text_of_pdf(as_pdf(told))):
        assert "bob@" not in copy and "we left out what would tell you about somebody else" in squeezed_lines(copy)


def squeezed_lines(text: str) -> str:
    return " ".join(text.split())


def test_a_record_of_an_earlier_version_keeps_the_names_it_had_then(site: Site) -> None:
    from troth.store import versions

    person_id = collect(site, REGISTER).person_id
    policy, decisions = ((site.folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    gone = policy.replace("version: 1,", "version: 2,").replace(
        ", optional: [phone, interest, birth_date]", ", optional: [phone, birth_date]"
    )
    gone = gone.replace(
        "  interest: {category: pd:Interest}\n", "  interest: {category: pd:Interest, label: lamps you like}\n"
    )
    with site.writing() as conn:
        versions.archive(conn, gone, decisions, effective_at=site.now(), at=site.now())
    labels = {
        field.label for item in overview(site, person_id, by(person_id), "en").items for field in item.kind.fields
    }
    assert "Lamps you like" in labels


def test_a_page_shows_the_newest_and_says_how_many_there_are(site: Site, clock: MovedClock) -> None:
    person_id = collect(site, REGISTER).person_id
    for number in range(5):
        clock.move(days(1))
        collect(site, sent(REGISTER, f"again-{number}", phone=f"020 7946 0{number}00"))
    told = overview(site, person_id, by(person_id), "en", most=3)
    assert (told.shown, told.count) == (3, len(list(vault.everything(site, person_id, by(person_id)))))
    assert max(item.at for item in told.items) == site.now()
    assert f"Only the newest 3 of {told.count} records" in readable(told)


def test_every_table_about_people_is_told_or_has_a_reason_not_to_be() -> None:
    told = {
        "holding",
        "quarantined",
        "choice",
        "disclosure",
        "hold",
        "ending",
        "dealing",
        "happening",
        "message",
        "account",
        "session",
    }
    why_not = {
        "identifier": "keyed hashes of fields that are shown",
        "departure": "whoever is in it is told nothing, since all of theirs is in quarantine",
        "instruction": "what recipients were told to delete of somebody who is gone",
        "once": "digests of links",
        "half_log_in": "digests of log-ins that are under way",
        "second_factor": "a secret that is shown once, when it is made",
        "recovery_code": "hashes of codes that are shown once, when they are made",
        "passkey": "public keys, listed on the page of the account's security",
        "moving": "an address that waits to be confirmed, shown where it was asked for",
        "public_profile": "names of fields, shown on the page where they are chosen",
        "request": "listed in the privacy centre, under what somebody has asked for",
    }
    about = {table.name for table in data_tables.sorted_tables if "person_id" in table.c}
    assert about == told | why_not.keys()


def test_people_of_whom_nothing_is_held_see_what_would_appear(site: Site) -> None:
    with site.writing() as conn:
        person_id = vault.admit(site, conn, "customer")
    told = overview(site, person_id, by(person_id), "en")
    text, _ = text_of_html(readable(told))
    assert told.count == 0 and "We hold no data that you or others gave about you." in text
    for key in ("choices", "disclosures", "holds", "dealings", "messages"):
        assert told.section(key).empty in text
    assert "a bar shows here until when" in text and "a line shows here what went where" in text
    assert as_pdf(told).startswith(b"%PDF")


def test_visits_are_said_to_belong_to_nobody_who_is_known(site: Site) -> None:
    told = overview(site, asker(site), by(asker(site)), "en")
    [row] = told.section("visits").rows
    assert [one.id for one in row[0]] == ["time", "ip_address", "url"] and row[1] == "30 days"  # type: ignore[union-attr]
    assert "we cannot tell which records are of your visits" in told.section("visits").about


def test_where_the_fonts_are_missing_the_document_says_so_in_place_of_boxes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typst

    from troth.rights.copy import as_pdf as module

    bare = typst.Fonts(include_system_fonts=False)
    for made in (module._families, module._has_chinese):
        made.cache_clear()
    monkeypatch.setattr(module, "fonts", lambda: bare)
    try:
        assert module.printable_language("zh-Hant") == "en"
        person_id = busy(site)
        document = as_pdf(overview(site, person_id, by(person_id), "en"), asked="zh-Hant")
        text = squeezed_lines(text_of_pdf(document))
        assert "[not printable]" in text and "中" not in text
        assert "this machine has no font for the language you asked for" in text
    finally:
        for made in (module._families, module._has_chinese):
            made.cache_clear()


def test_masking_changes_nothing_that_is_stored(site: Site) -> None:
    person_id = collect(site, replace(REGISTER, key="other")).person_id
    [*_, one] = vault.everything(site, person_id, by(person_id))
    field = next(iter(one.fields))
    json_of(site, person_id, masks=Masks(frozenset({(one.id, field)})))
    again = [held.fields for held in vault.everything(site, person_id, by(person_id)) if held.id == one.id]
    assert again == [one.fields]
