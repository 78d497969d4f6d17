"""What somebody wants is heard in their own words, in both languages; denials, doubts and two wishes are for people to read."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.messages.inbound.wanted import QUESTION, wanted
from troth.policy.model import Right

RIGHTS = set(Right.model_json_schema(by_alias=True)["properties"]["right"]["enum"])

LETTERS = [
    # English
    ("access", "My data", "Dear Sir or Madam,\nunder Article 15 GDPR I ask what personal data you hold about me."),
    ("access", "Subject access request", "Hello, I used to shop with you. Please answer within a month.\n\nAnn Other"),
    ("access", "", "Could you tell me which information you have about me, and where you got it from?"),
    ("access", "Request", "I would like access to my personal data and a copy of that data."),
    ("copy", "copy", "Hi! Please send me a copy of all my data. Thanks"),
    ("copy", "", "Please send me the information you hold. I do not want anything deleted."),
    ("portability", "moving", "I am moving to another shop. Please transfer my data to the new provider."),
    ("portability", "Data", "I want a copy of my data in a machine-readable format, as CSV or JSON."),
    ("correction", "wrong address", "My address is wrong in your system: it is 12 Lamp Street, not 21."),
    ("correction", "", "I got married. Please change my surname to Sparrow from now on."),
    ("correction", "Typo", "You misspelled my name, it's incorrect. Please correct the spelling of my name."),
    ("erasure", "GDPR", "I hereby request the erasure of all my personal data under Art. 17."),
    ("erasure", "Delete", "please delete my account and everything in it, thank you"),
    ("erasure", "", "I don't want you to keep my details any longer. Forget me."),
    ("erasure", "Re: your order", "I don't need an account, please have my data deleted."),
    ("erasure", "", "Don't forget to delete my data!"),
    ("erasure", "", "Remove me from your database, I never was a customer."),
    ("erasure", "", "Please close my account and delete all data you have."),
    ("restriction", "", "While we argue about my bill, please restrict the processing of my data."),
    ("objection", "", "I object to the processing of my data for profiling."),
    ("objection", "", "Please stop sharing my data with your partners."),
    ("objection", "CCPA", "Do not sell my personal information."),
    ("withdrawal", "", "I withdraw my consent."),
    ("withdrawal", "consent", "I am writing to revoke my permission to use my e-mail address."),
    ("complaint", "Complaint", "You have not answered my letter for three months, this is a formal complaint."),
    ("stop marketing", "unsubscribe", ""),
    ("stop marketing", "", "Do not delete my account, just stop the newsletter."),
    ("stop marketing", "newsletter", "Please take me off your mailing list."),
    ("stop marketing", "", "Stop sending me emails!!!"),
    ("stop marketing", "", "I no longer wish to receive your promotional e-mails. I remain your customer."),
    ("stop marketing", "", "I object to direct marketing."),
    ("stop marketing", "", "Please don't send me any more catalogues"),
    ("stop marketing", "", "remove my details from your mailing list please"),
    ("review", "", "I want a human to review the refusal of my credit."),
    ("review", "Refused", "Your automated system made a decision about me. Please have a person decide."),
    ("question", "", "When do you decide on my order?"),
    ("cancel account", "", "Please cancel my membership at the end of the month."),
    ("cancel account", "Closing", "I'd like to have my account closed. Keep the invoices."),
    (QUESTION, "Lamps", "Do you sell bulbs for the lamp I bought in May?"),
    (QUESTION, "", "How do I delete my account?"),
    (QUESTION, "", "My account was deleted by mistake, can you help?"),
    (QUESTION, "", "Please delete my data. And correct my address on the last invoice."),
    (QUESTION, "", "Delete my data and take me off the mailing list."),
    (QUESTION, "", "Please do not delete my data."),
    (QUESTION, "", "I do not want to unsubscribe, I only wonder why nothing came."),
    (QUESTION, "", "Thank you!\n\n> Please delete my account"),
    (QUESTION, "Re: Delete my data", "Yes, that is right."),
    (QUESTION, "", ""),
    # Traditional Chinese
    ("access", "查詢個資", "您好，依個人資料保護法第三條，我想查詢貴公司持有我的個人資料。"),
    ("access", "", "請問貴公司有我的哪些資料？從何處取得？"),
    ("copy", "", "請提供我個人資料的複製本，謝謝。"),
    ("portability", "", "請將我的資料轉移到另一家業者。"),
    ("correction", "地址", "我搬家了，請更新我的地址為台北市信義路一段1號。"),
    ("correction", "", "你們登記的電話有誤，應為 0912-000-000。"),
    ("erasure", "刪除", "請刪除我所有的個人資料。"),
    ("erasure", "", "麻煩將我的個資全部刪除，謝謝"),
    ("erasure", "", "請刪除我的帳號及所有資料。"),
    ("restriction", "", "在爭議解決之前，請暫停處理我的資料。"),
    ("objection", "", "我反對貴公司處理我的個人資料。"),
    ("withdrawal", "", "本人撤回先前之同意。"),
    ("complaint", "申訴", "已經三個月沒有回覆，我要提出申訴。"),
    ("stop marketing", "", "請不要刪除我的帳號，只要停止寄送電子報。"),
    ("stop marketing", "", "不要再寄廣告信給我了！"),
    ("stop marketing", "退訂", "謝謝"),
    ("stop marketing", "", "請停止利用我的資料做行銷。"),
    ("cancel account", "", "我想註銷會員。"),
    ("review", "", "請改由人工審查您們的結果。"),
    (QUESTION, "", "請問如何刪除帳號？"),
    (QUESTION, "", "請不要刪除我的資料。"),
    (QUESTION, "", "請刪除我的資料。另外請更正發票上的地址。"),
    (QUESTION, "燈泡", "請問五月買的燈有適用的燈泡嗎？"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "subject", "text"), LETTERS)
def test_a_letter_is_heard_as_it_was_meant(right: str, subject: str, text: str) -> None:
    assert wanted(subject, text) == right


def test_every_right_of_the_policy_language_is_heard_in_both_languages() -> None:
    def chinese(words: str) -> bool:
        return any("㐀" <= char <= "鿿" for char in words)

    for is_chinese in (False, True):
        heard = {right for right, subject, text in LETTERS if chinese(subject + text) == is_chinese}
        assert heard == (RIGHTS - {"complaint to us"}) | {QUESTION}  # a complaint that arrives is one to us


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_words_have_an_answer(subject: str, text: str) -> None:
    assert wanted(subject, text) in RIGHTS | {QUESTION}


@pytest.mark.parametrize(
    "piece", ["delete ", "delete my and ", "not ", "刪除", "請不要", ".", "delete my\n", "- ", "a" * 99]
)
def test_long_letters_are_heard_to_their_end(piece: str) -> None:
    assert wanted(piece * 2000, piece * 20_000) in RIGHTS | {QUESTION}


MONSTERS = [
    "please delete" + "'" * 6000,
    "please delete " + "'" * 60 + " x",
    "please delete " + "a'''" * 1500,
    "please delete " + "a'" * 3000 + " x",
    "please delete " + "a'b " * 1500,
    "please delete " + "’`'" * 2000 + "a",
    "send me" + ("'" * 80 + " send me") * 70,
    "a" * 3000 + " delete my data" * 200,
    "." * 5900 + "x",
    "刪除資料" * 1500,
]
HEAR_ALL = """
import sys
from troth.messages.inbound.wanted import wanted
for letter in sys.stdin.buffer.read().decode().split("\\0"):
    wanted("", letter)
"""


def test_no_row_of_signs_keeps_anybody_listening() -> None:
    """In a process that can be ended: a pattern that reads the same signs in two ways takes days."""
    letters = "\0".join(MONSTERS).encode()
    subprocess.run([sys.executable, "-c", HEAR_ALL], input=letters, check=True, timeout=20)


def test_a_word_with_an_apostrophe_is_one_word_and_quotation_marks_are_none() -> None:
    assert wanted("", "Please delete all of Ann's, Bob's and my children's data.") == QUESTION
    assert wanted("", "Please delete Ann's and 'my' customers' ''data''.") == QUESTION  # `and` begins something else
    assert wanted("", "Please delete Ann's old 'customer' customers' ''data''.") == "erasure"
