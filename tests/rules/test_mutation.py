"""The mutants of clauses: which changes there are, that they are put in place everywhere, and that they are taken back."""

import ast
import builtins
import dis
import subprocess
import sys
import textwrap
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Event
from types import CodeType, FunctionType, SimpleNamespace

import pytest

from tests.mutation import __main__ as program
from tests.mutation import plugin
from tests.mutation.operators import mutations
from tests.mutation.plugin import Outcome, Trial
from tests.mutation.switches import NOT_SWITCHED, OFF, switched_off
from tests.mutation.switches import changed as changed_code
from tests.mutation.targets import in_place, mutants_of, plain, reached
from tests.mutation.weakened import WEAK
from troth.evidence.catalogue import CATALOGUE
from troth.evidence.clauses import clauses, later

CODE = """
def may(one, two, *more):
    if one and not two:
        raise ValueError("no")
    told(one)
    return [item for item in more if item < 3], set(one) & set(two)
"""


def changed(code: str = CODE) -> list[str]:
    tree = ast.parse(textwrap.dedent(code)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return [one.words for one in mutations(tree)]


def test_every_small_change_is_made() -> None:
    assert (
        changed()
        == [
            "`if one and (not two)` is turned round",
            "`and` and `or` are exchanged in `one and (not two)`",
            "`one` is left out of `one and (not two)`",
            "`not two` is left out of `one and (not two)`",
            "`not` is left out of `not two`",
            "`raise ValueError('no')` is left out",
            "`told(one)` is left out",
            "`if item < 3` is left out of a comprehension",
            "`item < 3` becomes `item <= 3`",
            "the right side of `set(one) & set(two)` is left out",
            "the left side of `set(one) & set(two)` is left out",
        ]
        or "`[item for item in more" in changed()[7]
    )


def test_conditions_of_queries_are_left_out_one_by_one() -> None:
    words = changed("def f(q, a, b):\n    return q.where(a == 1, b > 2)\n")
    assert "the condition `a == 1` is left out of a query" in words
    assert "the condition `b > 2` is left out of a query" in words


def test_a_change_knows_the_lines_that_run_whenever_it_does() -> None:
    tree = ast.parse(CODE.strip()).body[0]
    assert isinstance(tree, ast.FunctionDef)
    lines = {one.words: [*one.lines] for one in mutations(tree)}
    assert lines["`not` is left out of `not two`"] == [2], "the head of the statement, not its body"
    assert lines["`raise ValueError('no')` is left out"] == [3]
    assert lines["the left side of `set(one) & set(two)` is left out"] == [5]


@cache
def remembered() -> bool:
    return allowed(True)


def allowed(asked: bool) -> bool:
    return not asked and _never()


def _never() -> bool:
    return True


def test_a_mutant_counts_wherever_the_function_was_imported_and_is_taken_back() -> None:
    function = plain(allowed)
    assert function is not None
    assert [one.__name__ for one in reached(function)] == ["allowed", "_never"]
    mutant = next(one for one in mutants_of(function) if one.words == "`not` is left out of `not asked`")
    assert not remembered()
    with in_place([(function, mutant.code)]):
        assert remembered(), "what was cached before is used no more"
    assert not remembered()


def test_every_clause_must_notice_where_that_is_asked_and_any_where_not() -> None:
    function = plain(allowed)
    assert function is not None
    for each, missed in ((False, frozenset()), (True, frozenset({"L2"}))):
        trial = Trial("one", ((function, function.__code__),), frozenset({"L1", "L2"}), each)
        assert Outcome(trial, noticed={"L1": "a test"}).missed == missed
        assert Outcome(trial).missed == {"L1", "L2"}


def test_a_test_that_runs_no_line_of_a_change_is_not_asked() -> None:
    function = plain(allowed)
    assert function is not None
    trials = {
        mutant.words: Trial("one", ((function, mutant.code),), frozenset(), lines=mutant.lines)
        for mutant in mutants_of(function)
    }
    line = function.__code__.co_firstlineno + 1
    name = f"{allowed.__module__}:allowed"
    trial = trials["`not` is left out of `not asked`"]
    assert trial.is_run_by(frozenset({(name, line)}))
    assert not trial.is_run_by(frozenset({(name, line - 1), (name, plugin.CALLED), ("another", line)}))
    whole = Trial("one", trial.changes, frozenset())
    assert whole.is_run_by(frozenset({(name, plugin.CALLED)}))
    assert not whole.is_run_by(frozenset({("another", plugin.CALLED)}))


ONE, OTHER = "switched off: people.age", "switched off: visit.expiry"


@pytest.mark.parametrize(
    ("explained", "noticed", "code", "says"),
    [
        ({}, "", 1, "survived: switched off: people.age (1 tests ran; L1, L2)"),
        ({}, "L1", 1, "survived: switched off: people.age (1 tests ran; L2)"),
        ({}, "L1 L2", 0, "1 mutants, 1 noticed or explained, 0 survived"),
        ({ONE: "Two locks."}, "", 0, "1 mutants, 1 noticed or explained, 0 survived"),
        ({ONE: "Two locks."}, "L1 L2", 1, f"noticed all the same: {ONE}\n"),
        ({ONE: {"L2": "Two locks."}}, "", 1, "survived: switched off: people.age (1 tests ran; L1)"),
        ({ONE: {"L2": "Two locks."}}, "L1", 0, "1 mutants, 1 noticed or explained, 0 survived"),
        ({ONE: {"L2": "Two locks."}}, "L1 L2", 1, f"noticed all the same: {ONE} (L2)"),
        ({ONE: {"L2": "Two locks."}}, "L2", 1, "survived: switched off: people.age (1 tests ran; L1)"),
        ({OTHER: "Two locks."}, "L1 L2", 0, "1 mutants, 1 noticed or explained, 0 survived"),
    ],
)
def test_a_trial_is_explained_whole_or_clause_by_clause_and_no_more_than_it_must(
    explained: program.Explained, noticed: str, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = Trial(ONE, (), frozenset({"L1", "L2"}), each=True)
    outcome = Outcome(trial, noticed=dict.fromkeys(noticed.split(), "a test"), tried=1)
    assert program._report([outcome], explained) == code
    assert says in capsys.readouterr().out


def test_what_is_explained_is_a_trial_and_clauses_of_it() -> None:
    clauses = {one.id: one.clauses for one in [*program.switches(), *program.weakened(), *program.trials()]}
    for id_, why in program.explanations().items():
        assert id_ in clauses, f"no trial is called {id_} any more"
        assert isinstance(why, str) or set(why) <= clauses[id_], id_


def test_there_are_mutants_of_what_refuses_most() -> None:
    named = {trial.id.rpartition(": ")[0].split(": ")[0] for trial in program.trials()}
    assert {"troth.recipients.gate:disclose_in", "troth.collection.rules:_under_age"} <= named


def test_every_kind_of_promise_can_be_switched_off_or_says_why_not() -> None:
    assert set(OFF) | set(NOT_SWITCHED) == set(CATALOGUE)
    assert not set(OFF) & set(NOT_SWITCHED)


@pytest.mark.parametrize("kind", sorted(OFF))
def test_every_switch_still_finds_what_it_switches_off(kind: str) -> None:
    for function, code in switched_off(kind):
        assert function.__code__ != code and unknown(function, code) == set(), function


def unknown(function: FunctionType, code: CodeType) -> set[str]:
    """What ``code`` asks for and its module does not have: it would fail at once, and any test would notice that."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    asked = {str(one.argval) for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return (asked - {*function.__globals__, *dir(builtins)}).union(*(unknown(function, one) for one in inner))


@pytest.mark.parametrize("name", sorted(WEAK))
def test_every_weakening_still_finds_what_it_weakens_and_names_clauses_that_have_to_be_true(name: str) -> None:
    weak = WEAK[name]
    for function, code in changed_code(weak.changes):
        assert function.__code__ != code and unknown(function, code) == set(), function
    assert {*weak.clauses.split()} <= {clause.id for clause in clauses()} - set(later())


class Item:
    """As much of a test as is run here."""

    nodeid = "a test"
    session = SimpleNamespace(_setupstate=SimpleNamespace(teardown_exact=lambda _next: None))


@pytest.mark.parametrize(("takes", "noticed"), [(0.0, False), (30.0, True)])
def test_a_test_that_hangs_has_noticed(takes: float, noticed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> list[object]:
        with suppress(Exception):
            Event().wait(takes)
        return []

    monkeypatch.setattr(plugin, "runtestprotocol", run)
    assert plugin._fails(Item(), 0.05) is noticed  # type: ignore[arg-type]


AIMED = """
def allowed():
    return False
"""
BLIND = """
import pytest
from aimed import allowed

@pytest.fixture(scope="module", autouse=True)
def told():
    yield allowed()

@pytest.mark.clause("{0}1")
def test_that_hears_nothing():
    allowed()

@pytest.mark.clause("{0}2")
def test_that_hears_nothing_either():
    pass
"""
SEEING = """
import os
import pytest
from aimed import allowed

@pytest.mark.clause("C1")
def test_that_ends_the_process():
    if allowed():
        os._exit(7)

@pytest.mark.clause("C2")
def test_that_notices():
    assert not allowed()
"""
SET_UP = """
import pytest
from aimed import allowed

@pytest.fixture(scope="module")
def once():
    return allowed()

@pytest.mark.clause("D1")
def test_that_is_the_first_to_set_up(once):
    pass

@pytest.mark.clause("D2")
def test_that_notices_what_was_set_up(once):
    assert not once
"""
IN_THREADS = """
from concurrent.futures import ThreadPoolExecutor
import pytest
from aimed import allowed

@pytest.fixture(scope="module")
def client():
    with ThreadPoolExecutor(1) as pool:
        yield lambda: pool.submit(allowed).result()

@pytest.mark.clause("F1")
def test_that_is_the_first_to_ask(client):
    client()

@pytest.mark.clause("F2")
def test_that_notices_what_a_thread_says_that_another_test_started(client):
    assert not client()
"""
ONCE = """
import pytest
from aimed import allowed
seen = []

@pytest.mark.clause("E1")
def test_that_passes_but_once():
    allowed()
    assert not seen
    seen.append(1)
"""
RUN = """
import sys
import pytest
import aimed
from tests.mutation.plugin import Mutating, Trial

changed = aimed.allowed.__code__.replace(co_consts=(None, True))
clauses = frozenset("A1 A2 B1 B2 C1 C2 D1 D2 E1 F1 F2".split())
plugin = Mutating([Trial("allowed", ((aimed.allowed, changed),), clauses, each=True)], lambda *_: None, int(sys.argv[1]))
pytest.main(["-q", "-p", "no:cacheprovider", "-o", "markers=clause", "."], plugins=[plugin])
print("failing", *plugin.failing)
print("missed", *sorted(plugin.outcomes[0].missed if plugin.outcomes else ()))
"""


def run(folder: Path, jobs: str, **files: str) -> list[str]:
    for name, text in (files | {"aimed": AIMED, "run": RUN}).items():
        (folder / f"{name}.py").write_text(text, "utf-8")
    path = f"{folder}:{Path(__file__).parents[2]}"
    done = subprocess.run(
        [sys.executable, "run.py", jobs],
        cwd=folder, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-2:]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_only_a_test_that_fails_because_of_the_change_has_noticed(tmp_path: Path, jobs: str) -> None:
    """Pytest fails a test whose predecessor in the process was not put away: each would seem to notice but the first."""
    files = {"test_a": BLIND.format("A"), "test_b": BLIND.format("B"), "test_c": SEEING, "test_d": SET_UP}
    assert run(tmp_path, jobs, **files, test_f=IN_THREADS) == ["failing", "missed A1 A2 B1 B2 D1 E1 F1"]


def test_a_test_that_fails_without_any_change_can_say_nothing(tmp_path: Path) -> None:
    told = run(tmp_path, "1", test_c=SEEING, test_e=ONCE)
    assert told == ["failing test_e.py::test_that_passes_but_once", "missed"]
