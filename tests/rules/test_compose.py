"""Messages are put together without a way for a name to become a header, or markup."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.errors import InvalidInput
from troth.messages.compose import Letter, compose

LETTER = Letter(
    id="m1",
    template="letter",
    language="en",
    terms={"subject_line": "Lamps", "paragraphs": ["New lamps."]},
    operator="Lamp Shop",
    sender="privacy@shop.example",
    to="ann@shop.example",
    at=utc(2026),
)
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Content-Language",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
]


@given(st.text(), st.text())
def test_no_name_becomes_a_header(operator: str, subject: str) -> None:
    injected = f"{operator}\r\nBcc: evil@evil.example\r\n\r\n{subject}"
    terms = {"subject_line": injected, "paragraphs": ["x"]}
    sent = compose(replace(LETTER, operator=injected, terms=terms)).as_bytes()
    read = message_from_bytes(sent, policy=default)
    assert sorted(read.keys()) == sorted(HEADERS)
    assert read["To"] == "ann@shop.example"


def test_the_link_that_stops_messages_stands_in_its_header_as_mail_programs_read_it() -> None:
    """They decode nothing there (RFC 2369), however long the link is; a subject that is long is folded as before."""
    link = f"https://privacy.a-lamp-shop.example/shop/unsubscribe/{'Ab-_' * 24}"
    terms = {"subject_line": "燈" * 60, "paragraphs": ["x"]}
    sent = compose(replace(LETTER, stop_link=link, terms=terms)).as_bytes()
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in sent
    read = message_from_bytes(sent, policy=default)
    assert read["Subject"] == "燈" * 60 and max(map(len, sent.partition(b"\r\nList-")[0].split(b"\r\n"))) <= 78


@pytest.mark.parametrize("to", ["ann@shop.example\r\nBcc: b@evil.example", "ann", "a@b@c", "<ann@shop.example>", ""])
def test_an_address_that_is_none_is_not_written_to(to: str) -> None:
    with pytest.raises(InvalidInput):
        compose(replace(LETTER, to=to))


def test_markup_in_a_term_stays_words() -> None:
    terms = {"subject_line": "Lamps", "paragraphs": ["<script>alert(1)</script> {{ stop_link }}"]}
    message = compose(replace(LETTER, terms=terms))
    html, plain = (message.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None and plain is not None
    assert "<script>" not in html.get_content() and "&lt;script&gt;" in html.get_content()
    assert "{{ stop_link }}" in plain.get_content()


def test_every_template_is_there_in_every_language() -> None:
    from importlib.resources import files

    folder = files("troth.messages").joinpath("templates")
    names = {tag: {file.name for file in folder.joinpath(tag).iterdir()} for tag in ("en", "zh-Hant")}
    assert names["en"] == names["zh-Hant"] and len(names["en"]) >= 6
