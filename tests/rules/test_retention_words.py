"""Each way of saying how long is published as it is written, in each language."""

from __future__ import annotations

import pytest

from troth.policy.check import check_texts
from troth.policy.compile import compile_policy
from troth.policy.notice import notice

POLICY = """policy: {{version: 1, effective: 2026-01-01, languages: [en, zh-Hant]}}
operator: {{name: Lamp Shop, country: GB, financial year ends: 31 March}}
people: {{customer: {{label: customers}}}}
data:
  email: {{category: pd:EmailAddress, identifies: true, label: {{en: mail, zh-Hant: 信箱}}}}
  born: {{category: pd:BirthDate}}
purposes: {{news: {{label: send you news, basis: consent, uses: [email]}}}}
events: {{settled: {{label: {{en: your claim is settled, zh-Hant: 理賠結案}}}}}}
collection: {{form: {{label: a form, people: customer, required: [email, born], offers: [news]}}}}
retention: {{one: {{what: email, {0}}}}}
"""
SAID = [
    (
        "keep: 6 years, after: order, counted from: end of financial year",
        "Your mail: we destroy this 6 years after the end of our financial year (31 March) in which you last ordered.",
        "您的信箱：最後一次訂購所屬會計年度（至 3月31日止）結束後 6 年銷毀。",
    ),
    (
        "keep: 2 years, counted from: end of calendar year",
        "Your mail: we destroy this 2 years after the end of the calendar year in which we got it.",
        "您的信箱：取得當年年底後 2 年銷毀。",
    ),
    (
        "keep: 3 years, after: [settled, relationship ends], whichever: later",
        "Your mail: we destroy this 3 years after your claim is settled or business with us ends, whichever is later.",
        "您的信箱：理賠結案或往來結束（以較晚者為準）後 3 年銷毀。",
    ),
    (
        "keep: 3 years, after: [settled, last contact], whichever: earlier, archive: true, because: law",
        "Your mail: we keep this apart for 3 years after your claim is settled or we were last in contact, whichever is "
        "earlier, and then destroy it.",
        "您的信箱：理賠結案或最後一次聯絡（以較早者為準）後另行保存 3 年，期滿銷毀。",
    ),
    (
        "until: account closed",
        "Your mail: we keep this until your account is closed. From then on nobody uses it, and we destroy it within 30 "
        "days.",
        "您的信箱：保存至帳號關閉為止；此後無人使用，並於 30 天內銷毀。",
    ),
    (
        "until: withdrawal of news",
        "Your mail: we keep this until you say no to this: send you news. From then on nobody uses it, and we destroy it "
        "within 30 days.",
        "您的信箱：保存至您拒絕「send you news」為止；此後無人使用，並於 30 天內銷毀。",
    ),
    (
        "until: 18 years old",
        "Your mail: we keep this until you are 18 years old. From then on nobody uses it, and we destroy it within 30 "
        "days.",
        "您的信箱：保存至您年滿 18 歲為止；此後無人使用，並於 30 天內銷毀。",
    ),
]


@pytest.mark.parametrize(("written", "english", "chinese"), SAID, ids=[written for written, _, _ in SAID])
def test_how_long_is_said_as_it_is_written(written: str, english: str, chinese: str) -> None:
    policy = check_texts(POLICY.format(written)).policy
    assert policy is not None
    for tag, sentence in (("en", english), ("zh-Hant", chinese)):
        told = {item.promise_id: item.sentence for item in notice(compile_policy(policy), tag).items}
        assert told["retention.one"].replace(" ", "") == sentence.replace(" ", ""), told["retention.one"]
