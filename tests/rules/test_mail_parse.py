"""Whatever bytes come in, they are a message with one sender or they are refused; what a person wrote is found in them."""

import base64
import io
import zipfile
from email.message import EmailMessage
from email.utils import formataddr
from time import process_time
from unicodedata import normalize

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from troth.clock import utc
from troth.messages.inbound.heads import mailboxes, split
from troth.messages.inbound.html import text_of
from troth.messages.inbound.parse import MOST_BYTES, Arrived, Unreadable, read
from troth.messages.inbound.reply import own_words

AT = utc(2026, 1, 5)
FROM = b"From: Ann Other <ann@shop.example>\r\n"


def letter(text: str = "Hello", **fields: str) -> bytes:
    message = EmailMessage()
    message["From"] = fields.pop("sender", "Ann Other <ann@shop.example>")
    message["To"] = "privacy@shop.example"
    message["Subject"] = fields.pop("subject", "My data")
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def body(raw: bytes, kind: str = "text/plain; charset=utf-8", how: str = "8bit") -> Arrived:
    head = FROM + f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {how}\r\n\r\n".encode()
    return read(head + raw, AT)


# --- What a person wrote -------------------------------------------------------------------------------------------------


def test_an_ordinary_letter_is_read() -> None:
    message = read(letter("Please delete my data.\n\n-- \nAnn Other\nLamp lover", Message_ID="<1@shop.example>"), AT)
    assert (message.sender_address, message.sender_name) == ("ann@shop.example", "Ann Other")
    assert (message.to, message.subject) == (("privacy@shop.example",), "My data")
    assert (message.text, message.language_hint) == ("Please delete my data.", "en")
    assert message.answerable and not message.bounced and message.attachments == 0 and message.at == AT
    assert len(message.key) == 64 and "ann" not in repr(message) and "delete" not in repr(message)


def test_a_letter_in_chinese_is_read_in_every_dress() -> None:
    text = "請刪除我的個人資料，謝謝。"
    in_big5 = text.encode("big5")
    assert body(in_big5, "text/plain; charset=big5").text == text
    assert body(base64.encodebytes(text.encode()), how="base64").text == text
    assert body(text.encode(), "text/plain; charset=nonsense").text == text
    assert body(text.encode("gb18030"), 'text/plain; charset="GB2312"').text == text
    message = read(letter(text, subject="關於我的個人資料：刪除的請求，以及帳號的事情，還有電子報"), AT)
    assert message.subject == "關於我的個人資料：刪除的請求，以及帳號的事情，還有電子報"
    assert (message.text, message.language_hint) == (text, "zh-Hant")
    # a character that stands in two encoded words
    halves = base64.b64encode("刪除".encode()[:4]), base64.b64encode("刪除".encode()[4:])
    split_up = b"Subject: =?utf-8?B?%b?=\r\n =?utf-8?B?%b?=\r\n" % halves
    assert read(FROM + split_up + b"\r\nx", AT).subject == "刪除"
    raw_subject = b"Subject: " + "刪除".encode("big5") + b"\r\nContent-Type: text/plain; charset=big5\r\n\r\n" + in_big5
    assert read(FROM + raw_subject, AT).subject == "刪除"


@pytest.mark.parametrize(
    "charset",
    ["utf-7", "idna", "punycode", "unicode_escape", "zlib", "hex", "rot13", "utf-16", "", "x" * 500, "../../etc"],
)
def test_every_charset_survives(charset: str) -> None:
    assert body(b"\xff\x00\xfe caf\xe9 " * 500, f"text/plain; charset={charset}").text


def test_a_letter_that_is_html_alone_is_read_as_text() -> None:
    html = (
        "<html><head><title>no</title><style>p {color: red}</style></head><body><!-- no <p>no</p> -->"
        "<p>Please <b>delete</b> my&nbsp;data &amp; answer.</p><script>alert('no')</script><div>Ann</div>"
        "<blockquote>You wrote <br>this</blockquote></body></html>"
    )
    assert body(html.encode(), "text/html; charset=utf-8").text == "Please delete my data & answer.\nAnn"
    assert text_of("a < b and <script>c</script> &lt;i&gt;") == "a < b and <i>"


def test_marks_stay_on_the_letters_they_stand_on() -> None:
    words = "Zoë, Nguyễn Thị, s\u030c\u0323, हिन्दी, שָׁלוֹם, ก็"
    assert body(words.encode()).text == normalize("NFC", words)
    assert len(body(b"a" + "\u0323".encode() * 500).text) == 30  # of which one is in the letter


REPLIES = [
    ("Yes.\n\nOn Mon, 5 Jan 2026 at 09:00, Lamp Shop <privacy@shop.example> wrote:\n> Delete?\n> Really?", "Yes."),
    ("Yes.\nOn Mon, 5 Jan 2026 at 09:00, Lamp Shop\n<privacy@shop.example> wrote:\nDelete?", "Yes."),
    ("> Delete?\nYes, all of it.\n> Really?\nReally.", "Yes, all of it.\nReally."),
    ("Yes.\n-----Original Message-----\nFrom: Lamp Shop\nDelete?", "Yes."),
    ("Yes.\n\nFrom: Lamp Shop\nSent: Monday\nTo: Ann\nSubject: Delete?\n\nDelete?", "Yes."),
    ("好的。\n\nLamp Shop <privacy@shop.example> 於 2026年1月5日 週一 上午9:00寫道：\n\n> 要刪除嗎？", "好的。"),
    ("好的。\n寄件者: Lamp Shop\n寄件日期: 2026年1月5日\n收件者: Ann\n主旨: 刪除\n\n要刪除嗎？", "好的。"),
    ("Yes.\n\nSent from my iPhone", "Yes."),
    ("請刪除。\n\n從我的 iPhone 傳送", "請刪除。"),
    ("From: now on I live here.\nPlease note it.", "From: now on I live here.\nPlease note it."),
    ("> only quoted", "> only quoted"),
]


@pytest.mark.parametrize(("text", "own"), REPLIES)
def test_what_is_quoted_and_signed_is_cut_off(text: str, own: str) -> None:
    assert own_words(text) == own


def test_attachments_are_counted_and_dropped() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\0" * 20_000_000)
    message = EmailMessage()
    message["From"], message["Subject"] = "ann@shop.example", "Proof"
    message.set_content("See what is attached.")
    message.add_alternative("<p>See what is attached.</p>", subtype="html")
    message.add_attachment(bomb.getvalue(), maintype="application", subtype="zip", filename="../../bomb.zip")
    message.add_attachment("delete my account", filename="letter.txt")
    message.add_attachment(EmailMessage())
    read_ = read(message.as_bytes(), AT)
    assert (read_.text, read_.attachments) == ("See what is attached.", 3)


# --- Who sent it -----------------------------------------------------------------------------------------------------------

NOT_ONE_SENDER = [
    b"",
    b"\r\n\r\n",
    b"Subject: no sender\r\n\r\nx",
    b"From: ann@shop.example, eve@shop.example\r\n\r\nx",
    b"From: ann@shop.example\r\nFrom: eve@shop.example\r\n\r\nx",
    b"From: ann@shop.example <eve@shop.example> <ann@shop.example>\r\n\r\nx",
    b"From: <ann@shop.example>eve@shop.example\r\n\r\nx",
    b"From: ann@shop.example)eve@shop.example\r\n\r\nx",
    b"From: =?utf-8?q?ann=40shop.example?=\r\n\r\nx",
    b"From: Ann <=?utf-8?q?ann=40shop.example?=>\r\n\r\nx",
    b'From: "ann@shop.example\r\n\r\nx',
    b"From: Friends: ann@shop.example;, eve@shop.example\r\n\r\nx",
    b"From: ann@shop.example@evil.example\r\n\r\nx",
    b"From: ann@shop\x00.example\r\n\r\nx",
    "From: ann@sh\u202eop.example\r\n\r\nx".encode(),
    b"From: Ann\r\n\r\nx",
    b"From: <>\r\n\r\nx",
]  # fmt: skip


@pytest.mark.parametrize("raw", NOT_ONE_SENDER)
def test_a_message_without_exactly_one_sender_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable) as error:
        read(raw, AT)
    assert error.value.hint and "example" not in str(error.value)


SENDERS = [
    (b"ann@shop.example", "ann@shop.example", ""),
    (b'"Other, Ann" <ann@SHOP.example>', "ann@shop.example", "Other, Ann"),
    (b"Ann (who is: <eve@evil.example>, really) <ann@shop.example>", "ann@shop.example", "Ann"),
    (b'"eve@evil.example" <ann@shop.example>', "ann@shop.example", "eve@evil.example"),
    (b"=?utf-8?q?eve=40evil=2Eexample=3E=2C?= <ann@shop.example>", "ann@shop.example", "eve@evil.example>,"),
    (b"=?utf-8?q?Ann=0D=0ABcc=3A_eve?= <ann@shop.example>", "ann@shop.example", "Ann Bcc: eve"),
    (b"=?utf-8?b?4oCuZXZp4oCLbA==?= <ann@shop.example>", "ann@shop.example", "evil"),
    ("王小明 <ann@燈.example>".encode(), "ann@燈.example", "王小明"),
]


@pytest.mark.parametrize(("written", "address", "name"), SENDERS)
def test_the_sender_is_the_address_as_it_stands_and_a_name_is_only_a_name(
    written: bytes, address: str, name: str
) -> None:
    message = read(b"From: " + written + b"\r\n\r\nx", AT)
    assert (message.sender_address, message.sender_name) == (address, name)


@given(st.text('ab "\\,<>()@.;:é王', max_size=30))
def test_whoever_is_written_down_properly_is_found(name: str) -> None:
    raw = f"From: {formataddr((name, 'ann@shop.example'))}\n\n".encode()
    assert [box.address for box in mailboxes(split(raw)[0], "from")] == ["ann@shop.example"]


# --- Who may be answered ---------------------------------------------------------------------------------------------------

PROGRAMS = [
    {"Auto_Submitted": "auto-replied"},
    {"Auto_Submitted": "auto-generated; owner-email=a@b.example"},
    {"Precedence": "bulk"},
    {"Precedence": "junk"},
    {"X_Autoreply": "yes"},
    {"Return_Path": "<>"},
]
PERHAPS = [
    {"List_Id": "<lamps.shop.example>"},
    {"List_Unsubscribe": "<https://shop.example/u>"},
    {"Feedback_ID": "1:2:helpdesk"},
    {"X_Auto_Response_Suppress": "All"},
    {"subject": "Automatic reply: My data"},
    {"subject": "自動回覆：我的資料"},
    {"sender": "no-reply@shop.example"},
    {"sender": "MAILER-DAEMON@mail.example"},
    {"sender": "lamps-request@lists.example"},
    {"sender": "owner-lamps@lists.example"},
]


@pytest.mark.parametrize("fields", PROGRAMS, ids=str)
def test_what_a_program_sent_is_never_answered(fields: dict[str, str]) -> None:
    message = read(letter(**fields), AT)
    assert message.automatic and message.by_program and not message.answerable


@pytest.mark.parametrize("fields", PERHAPS, ids=str)
def test_what_a_person_may_have_sent_through_a_program_is_read_and_not_answered(fields: dict[str, str]) -> None:
    message = read(letter(**fields), AT)
    assert message.automatic and not message.by_program and not message.answerable


def test_what_a_person_sent_may_be_answered() -> None:
    for fields in ({"Auto_Submitted": "no"}, {"Return_Path": "<ann@shop.example>"}, {"sender": "noreen@shop.example"}):
        assert read(letter(**fields), AT).answerable


def test_a_bounce_is_one() -> None:
    report = b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    bounce = read(b"From: postmaster@mail.example\r\n" + report + b"--b\r\n\r\nIt did not arrive.\r\n--b--\r\n", AT)
    assert bounce.bounced and bounce.automatic and bounce.text == "It did not arrive."
    receipt = report.replace(b"delivery-status", b"disposition-notification")
    was_read = read(FROM + receipt + b"--b\r\n\r\nIt was read.\r\n", AT)
    assert was_read.by_program and not was_read.bounced
    assert read(letter(sender="mailer-daemon@mail.example", Return_Path="<>"), AT).bounced
    assert not read(letter(Return_Path="<>"), AT).bounced


# --- The same message --------------------------------------------------------------------------------------------------------


def test_the_key_is_the_same_whatever_way_a_message_comes() -> None:
    sent = letter("Hello", Message_ID="<1@shop.example>", Date="Mon, 5 Jan 2026 09:00:00 +0000")
    ways = [
        sent,
        sent.replace(b"\n", b"\r\n"),
        b"Return-Path: <ann@shop.example>\r\nReceived: from here\r\n" + sent,
        sent.replace(b"My data", b"[SPAM?] My data"),
    ]
    assert len({read(raw, AT).key for raw in ways}) == 1


def test_messages_that_differ_have_different_keys_though_a_program_calls_them_the_same() -> None:
    one = letter("Hello", Message_ID="<1@localhost>", Date="Mon, 5 Jan 2026 09:00:00 +0000")
    others = [
        one.replace(b"ann@", b"eve@"),  # somebody else cannot keep a message from being taken
        one.replace(b"5 Jan", b"6 Jan"),
        one.replace(b"<1@localhost>", b"<2@localhost>"),
    ]
    assert len({read(raw, AT).key for raw in (one, *others)}) == 4
    without = letter("Hello")
    assert read(without, AT).key == read(b"Return-Path: <>\n" + without, AT).key != read(letter("Hello!"), AT).key


# --- Bytes of anybody's making ---------------------------------------------------------------------------------------------


def survives(raw: bytes) -> Arrived | None:
    try:
        message = read(raw, AT)
    except Unreadable:
        return None
    shown = f"{message.subject}{message.text}{message.sender_name}"
    assert len(message.text) <= 20_000 and len(message.subject) <= 300 and len(message.sender_name) <= 100
    assert "\0" not in shown  # PostgreSQL takes none
    shown.encode()  # and nothing takes half a character
    assert "\n" not in message.subject + message.sender_name + message.sender_address
    return message


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_do_harm(raw: bytes) -> None:
    survives(raw)
    survives(FROM + raw)
    survives(FROM + b"\r\n" + raw)


PIECES = [b"From: ", b"Subject: ", b"Content-Type: ", b"text/plain", b"text/html", b"multipart/mixed; boundary=", b"b", b'"',
          b"\r\n", b"\n", b"\r", b"--b", b"--", b"; charset=", b"big5", b"utf-7", b"=?utf-8?b?", b"=?", b"?=", b"<a@b.example>",
          b"a@b.example", b",", b"(", b")", b"\\", b"Content-Transfer-Encoding: ", b"base64", b"quoted-printable", b"=", b"=\n",
          b"<", b">", b"<!--", b"&#x", b"On x wrote:", b"> ", b"\xff", b"\0", b" ", "資".encode(), b";"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
@example(
    [b"From: ", b"a@b.example", b"\n", b"Content-Type: ", b"multipart/mixed; boundary=", b"b", b"\n\n", b"--b", b"\n"]
)
def test_no_arrangement_of_what_means_something_does_harm(pieces: list[bytes]) -> None:
    survives(b"".join(pieces))
    survives(FROM + b"".join(pieces))


MONSTERS = {
    "50 MB": FROM + b"\r\n" + b"x" * 50_000_000,
    "25 million lines": FROM + b"\r\n" * 25_000_000,
    "10,000 headers": b"".join(b"X-%d: v\r\n" % n for n in range(10_000)) + FROM + b"\r\nhi",
    "a header of 10 MB": FROM + b"Subject: " + b"=?utf-8?q?" * 1_000_000 + b"\r\n\r\nhi",
    "folded a million times": FROM + b"Subject: a\r\n" + b" b\r\n" * 1_000_000 + b"\r\nhi",
    "parts in parts": FROM
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(20_000)),
    "parts upon parts": FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nhi\r\n" * 900_000,
    "html unclosed": FROM + b"Content-Type: text/html\r\n\r\n" + b"<a b='" * 100_000,
    "html comments": FROM + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 100_000,
    "senders": b"From: " + b"a@b.example," * 100_000 + b"\r\n\r\nhi",
    "comments": b"From: " + b"(" * 1_000_000 + b"\r\n\r\nhi",
    "quotes unclosed": b"To: " + (b'"' + b'\\"' * 3_900 + b"\r\n ") * 20 + b"\r\n" + FROM + b"\r\nhi",
    "a character of 5000 digits": FROM + b"Content-Type: text/html\r\n\r\nhi &#" + b"9" * 5_000 + b";",
    "apostrophes": FROM + b"Subject: delete" + b"'" * 200 + b"\r\n\r\nplease delete" + b"'" * 6_000 + b" x",
    "marks on one letter": FROM
    + "Content-Type: text/plain\r\n\r\na{}{}".format("\u0301" * 50_000, "\u0316" * 50_000).encode(),
    "marks in the subject": FROM + b"Subject: a" + "\u0301\u0316".encode() * 2_000 + b"\r\n\r\nhi",
    "half attributions": FROM + b"\r\n" + (b"<@>" * 199 + b"\r\n") * 160,
    "attributions": FROM + b"\r\n" + b"On a <b@c> wrot\r\n" * 500_000,
}


@pytest.mark.parametrize("name", MONSTERS)
def test_a_monster_is_read_at_once(name: str) -> None:
    begun = process_time()
    survives(MONSTERS[name])
    assert process_time() - begun < 2


def test_a_message_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    message = EmailMessage()
    message["From"] = "ann@shop.example"
    message.set_content("Please delete my data.")
    message.add_attachment(b"x" * (MOST_BYTES + 1), maintype="image", subtype="png", filename="passport.png")
    read_ = read(message.as_bytes()[:MOST_BYTES], AT)
    assert (read_.text, read_.attachments) == ("Please delete my data.", 1)
