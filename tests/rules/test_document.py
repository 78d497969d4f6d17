"""Bad input: a policy file may be anything, and whatever it is, the answer is a sentence with a place, never a crash."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.errors import PolicyError
from troth.policy.check import check, check_texts
from troth.policy.document import LARGEST, parse_document, read_document
from troth.policy.parse import read_policy

GOOD = "policy: {version: 1, effective: 2026-01-01}\n"


def _refused(text: str) -> str:
    with pytest.raises(PolicyError) as refused:
        parse_document(text, "policy.yaml")
    assert refused.value.hint
    return refused.value.message


def _lines(text: str) -> list[str]:
    return [finding.line() for finding in read_policy(parse_document(text, "policy.yaml")).findings]


def test_malformed_yaml_names_line_and_column() -> None:
    assert _refused("policy: {version: 1\npeople:\n").startswith("policy.yaml:2:")
    assert _refused("policy:\n\tversion: 1\n").startswith("policy.yaml:2:1:")
    assert _refused('policy: "unclosed\n').startswith("policy.yaml:2:1:")


@pytest.mark.parametrize("text", ["", "# only a remark\n", "- a\n- list\n", "just words\n", "42\n", "null\n"])
def test_a_file_without_sections_is_refused(text: str) -> None:
    assert "holds no sections" in _refused(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1", "cp1252"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes((GOOD + "operator: {name: Müller}\n").encode(encoding))
    with pytest.raises(PolicyError, match="not UTF-8"):
        read_document(file)


def test_a_byte_order_mark_is_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(GOOD.encode("utf-8-sig"))
    assert read_document(file).tree["policy"]["version"] == 1


def test_ten_megabytes_are_refused_without_being_parsed(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"a: 1\n" * 2_000_000)
    began = time.perf_counter()
    with pytest.raises(PolicyError, match="larger than 1 MB"):
        read_document(file)
    assert time.perf_counter() - began < 0.5
    assert "larger than 1 MB" in _refused("a" * (LARGEST + 1))


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="troth init"):
        check(tmp_path)


def test_aliases_cannot_grow_without_end() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert "anchors and aliases" in _refused("a0: &a0 [x]\n" + levels)
    assert "anchors and aliases" in _refused("policy: &p {version: 1}\npeople: *p\n")


@pytest.mark.parametrize("levels", [31, 200, 5_000, 100_000])
def test_deep_nesting_is_refused(levels: int) -> None:
    assert "nested too deeply" in _refused("policy: " + "[" * levels + "]" * levels)
    assert "nested too deeply" in _refused("policy: " + "{a: " * levels + "1" + "}" * levels)


def test_a_key_that_stands_twice_is_found_with_both_places() -> None:
    assert _lines(GOOD + "people:\n  a: {label: x}\n  a: {label: y}\n") == [
        "policy.yaml:4:3: error: `a` stands twice (first at line 3). Merge the two or rename one. [P-02 people.a]"
    ]


@pytest.mark.parametrize(
    ("duration", "complaint"),
    [
        ("-30 days", "is not a duration"),
        ("30", "is not a duration"),
        ("30 fortnights", "is not a duration"),
        ("0 days", "not a sensible duration"),
        ("999999 years", "not a sensible duration"),
        ("1.5 days", "is not a duration"),
        ("P30D", "is not a duration"),
        ("٣٠ days", "is not a duration"),
    ],
)
def test_negative_and_absurd_durations_are_refused_at_their_place(duration: str, complaint: str) -> None:
    (line,) = _lines(GOOD + f'visits:\n  keep: "{duration}"\n')
    assert line.startswith("policy.yaml:3:3: error:")
    assert complaint in line


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-00-00", "yesterday", "20261301", "99999-01-01"])
def test_impossible_dates_are_refused_at_their_place(day: str) -> None:
    (line,) = _lines(f"policy:\n  version: 1\n  effective: {day}\n")
    assert line.startswith("policy.yaml:3:3: error: `effective`")


@pytest.mark.parametrize("name", ["شركة المثال", "דוגמה בע״מ", "🛒 Shop & Söhne", "範例股份有限公司", 'O\'Brien "Ltd"'])
def test_names_in_any_script_are_accepted(name: str) -> None:
    quoted = name.replace("'", "''")
    reading = read_policy(parse_document(GOOD + f"operator: {{name: '{quoted}'}}\n", "policy.yaml"))
    assert reading.policy is not None
    assert reading.policy.operator.name == name


def test_ids_stay_plain_words() -> None:
    (line,) = _lines(GOOD + "data:\n  adresse_é: {category: pd:EmailAddress}\n")
    assert line.startswith("policy.yaml:3:3: error:")


def test_everything_unknown_is_found_in_one_run_with_what_was_meant() -> None:
    text = (
        GOOD
        + "operater: {name: A}\npurposes:\n  news: {label: news, basis: konsent, use: [email]}\nvisits:\n  kep: 1 day\n"
    )
    assert _lines(text) == [
        "policy.yaml:2:1: error: unknown key `operater`. Did you mean `operator`? [P-01 operater]",
        "policy.yaml:4:23: error: `konsent` is not one of the words for `purposes.news.basis`. Did you mean `consent`?"
        " [P-01 purposes.news.basis]",
        "policy.yaml:4:39: error: unknown key `use`. Did you mean `uses`? [P-01 purposes.news.use]",
        "policy.yaml:6:3: error: unknown key `kep`. Did you mean `keep`? [P-01 visits.kep]",
    ]


def test_a_name_that_nothing_defines_is_found_with_what_was_meant() -> None:
    text = (
        GOOD
        + "purposes:\n  marketing: {label: m}\ndata:\n  email: {category: pd:EmailAddress}\nvisits: {for: [marketting]}\n"
    )
    (line,) = _lines(text)
    assert line.startswith("policy.yaml:6:16: error: unknown purpose `marketting`. Did you mean `marketing`?")
    assert "(defined at line 3)" in line


def test_wrong_kinds_of_values_are_findings_not_crashes() -> None:
    for section in ("people", "data", "purposes", "visits", "rights", "absolutes", "changes"):
        for value in ("[1, 2]", "text", "7", "{a: [b]}", "true"):
            text = GOOD + f"{section}: {value}\n"
            checked = check_texts(text)
            assert checked.findings, text


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    _answer(text)


_YAML = st.text(alphabet="policy:version 12{}[],-&*!|>'\"#%@\n\t?~ vistkep\x00\ufeff\u2028", max_size=120)


@settings(max_examples=400, deadline=None)
@given(_YAML)
def test_anything_that_looks_like_yaml_is_read_or_refused_in_words(text: str) -> None:
    _answer(text)
    _answer(GOOD + text)


_SECTIONS = st.sampled_from(["policy", "people", "data", "purposes", "visits", "retention", "absolutes", "recipients"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["email", "30 days", "[List]", "", "consent", "a b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["label", "keep", "what", "uses", "for", "a", "never", "never "]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_SECTIONS, _VALUES, max_size=4), st.dictionaries(st.text("a.bvisitskeep", max_size=12), _VALUES))
def test_any_tree_and_any_decision_is_checked_without_a_crash(tree: dict, values: dict) -> None:
    import json

    decision = {"settles": "E-05 visits", "because": "x", "by": "y", "on": "2026-01-01", "set": values}
    _answer(json.dumps(tree), json.dumps({"decisions": [decision]}))


def _answer(text: str, decisions: str = "") -> None:
    try:
        checked = check_texts(text, decisions)
    except PolicyError as refusal:
        assert refusal.message
    else:
        assert checked.policy is not None or checked.findings
