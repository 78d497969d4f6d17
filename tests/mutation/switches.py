"""What enforces each kind of promise, switched off whole: the function, what is written in it, and what stands there instead.

Text is as ``ast.unparse`` writes it; where it no longer stands in the function, the switch fails, so that none is forgotten
when code moves. ``BODY`` for the text means all of the function's body.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Mapping
from functools import reduce
from types import CodeType, FunctionType

from tests.mutation.targets import compiled, plain, tree_of

BODY = ""
Change = tuple[str, str, str]

_GATE_OPEN: tuple[Change, ...] = (
    ("troth.recipients.gate:disclose_in", "if decision.allowed", "if True"),
    ("troth.recipients.gate:_WayOut.payload", "if decision.allowed else None", ""),
    ("troth.recipients.gate:show", "not decision.allowed or ", ""),
)
_VAULT_OPEN: tuple[Change, ...] = (
    ("troth.people.vault:read", "not decision.allowed", "False"),
    ("troth.people.vault:_read_batch", " if decision.allowed]", "]"),
    ("troth.people.vault:_answers", " if decision.allowed]", "]"),
    ("troth.people.vault:_answers", " if decision.allowed else []", ""),
)
_NOBODY_TAKES_IN = "from troth.errors import Refused\nraise Refused('Nobody takes this in.')"
_ALWAYS = ("troth.decide:RuleSet.decide", BODY, "return Decision(True, (), '')")

OFF: Mapping[str, tuple[Change, ...]] = {
    "policy.version": (
        ("troth.store.versions:in_force", BODY, "return by_number(conn, 1)"),
        ("troth.web.editions:in_force", BODY, "return min(found, key=lambda one: one.effective_at)"),  # of the notice
    ),
    "operator.contact": (
        (
            "troth.policy.notice.compose:notice",
            "map(teller.promise, compiled.promises)",
            "map(teller.promise, [one for one in compiled.promises if one.kind != 'operator.contact'])",
        ),
    ),
    "people.age": (("troth.collection.rules:_under_age", BODY, "return False"),),
    "data.sealed": (("troth.people.sealing:seal", BODY, "return '\\x00'.join(values.values()).encode()"),),
    "data.never_stored": (("troth.people.storing:refuse_the_unfit", BODY, "return None"),),
    "collection.form": (
        ("troth.collection.rules:check", "dict(_problems(compiled, point, submission, values, now))", "{}"),
        ("troth.people.storing:refuse_the_unfit", BODY, "return None"),
    ),
    "collection.import": (
        ("troth.collection.rules:_origin", BODY, "return frozenset({source_fact(point.source)})"),
        ("troth.decide:RuleSet.decide", BODY, "return Decision(True, (), '')"),
    ),
    "purpose.use": _VAULT_OPEN,
    "purpose.closed": (_ALWAYS,),
    "consent.choice": (("troth.consent.actions:choose", "_CHOOSING.send(conn, *rows)", "rows"),),
    "consent.not_implied": (
        (
            "troth.collection.actions:_Intake._choices",
            "self.submission.choices",
            "dict.fromkeys(self.point.offers, True)",
        ),
    ),
    "recipient.share": _GATE_OPEN,
    "recipient.closed": _GATE_OPEN,
    "absolute.never": (("troth.policy.prohibitions:_OneAct.never", BODY, "yield from ()"),),
    "absolute.only": (("troth.policy.prohibitions:_OneAct.only", BODY, "yield from ()"),),
    "cookie.declared": (_ALWAYS, ("troth.policy.log_in:log_in_cookie", "one.essential and ", "")),
    "visit.records": (
        ("troth.visits.rules:record_of", BODY, "return dict(offered)"),
        ("troth.visits.rules:recorded", BODY, "return frozenset()"),
        ("troth.visits.actions:record_many", "at > expired", "True"),
    ),
    "visit.expiry": (
        ("troth.visits.sweep:sweep", BODY, "return 0"),
        ("troth.visits.sweep:sweep_quietly", BODY, "return 0"),
    ),
    "relationship.end": (("troth.retention.relationship:refresh", BODY, "return 0"),),
    "retention.clock": (
        ("troth.retention.sweep:_waiting", "return (compiled, ", "return (compiled, frozenset() and "),
    ),
    "erasure.path": (
        ("troth.retention.ending:destroy_due", BODY, "return 0"),
        ("troth.retention.ending:destroy_quietly", BODY, "return 0"),
    ),
    "backup.purge": (("troth.retention.destroy:destroy", "destroy_keys(site, people)", "people"),),
    "right.offered": (("troth.rights.intake:receive_in", BODY, _NOBODY_TAKES_IN),),
    "decision.automated": _VAULT_OPEN,
    "event.noted": (("troth.people.happenings:report", BODY, "return new_id(site.now())"),),
    "request.log": (("troth.rights.papers:sweep", BODY, "return 0"),),
    "message.class": (
        ("troth.messages.actions:_decided", "compiled.decide(wanted.ask)", "Decision(True, (), '')"),
        ("troth.messages.actions:queue_many", "compiled.decide(ask)", "Decision(True, (), '')"),
    ),
    "statistic.aggregate": (_ALWAYS, ("troth.figures.rules:figures_of", "len(who) >= smallest", "True")),
    "transfer.country": (("troth.recipients.rules:_at_home", BODY, "return True"),),
    "change.notice": (
        ("troth.messages.publish:_earliest", BODY, "return now"),
        ("troth.messages.posting:announced", BODY, "return None"),
        ("troth.messages.changing:tell", BODY, "return None"),
        ("troth.messages.changing:remind", BODY, "return 0"),
    ),
    "legal.ground": (
        ("troth.recipients.gate:Case.facts", BODY, "return frozenset({f'legal:{self.ground}'})"),
        ("troth.retention.holds:_refuse_the_groundless", BODY, "return None"),
        ("troth.retention.holds:_refuse_the_incomplete", BODY, "return None"),
        ("troth.accounts.actions:_refuse_the_reasonless", BODY, "return None"),
    ),
}
NOT_SWITCHED: Mapping[str, str] = {
    "security.measure": "each measure is enforced by another promise of this list, or somebody answers for it",
}


def switched_off(kind: str) -> list[tuple[FunctionType, CodeType]]:
    """The functions that enforce ``kind``, each with the code that lets everything through.

    Raises:
        LookupError: when the text to be replaced is not there any more.
    """
    return changed(OFF[kind])


def changed(changes: Iterable[Change]) -> list[tuple[FunctionType, CodeType]]:
    """The functions that ``changes`` name, each with its code as they make it.

    Raises:
        LookupError: when the text to be replaced is not there any more.
    """
    by_function: dict[str, list[tuple[str, str]]] = {}
    for name, old, new in changes:
        by_function.setdefault(name, []).append((old, new))
    return [_changed(name, its) for name, its in by_function.items()]


def _changed(name: str, changes: list[tuple[str, str]]) -> tuple[FunctionType, CodeType]:
    module, _, path = name.partition(":")
    function = plain(reduce(lambda held, part: vars(held)[part], path.split("."), importlib.import_module(module)))
    tree = tree_of(function) if function else None
    if function is None or tree is None:
        raise LookupError(f"{name} is no function whose code can be exchanged")
    for old, new in changes:
        tree = _replaced(name, tree, old, new)
    code = compiled(function, tree)
    if code is None:
        raise LookupError(f"{name} cannot be compiled alone")
    return function, code


def _replaced(name: str, tree: ast.FunctionDef, old: str, new: str) -> ast.FunctionDef:
    if old == BODY:
        made = ast.FunctionDef(tree.name, tree.args, ast.parse(new).body, [], tree.returns)
        return ast.fix_missing_locations(ast.copy_location(made, tree))
    text = ast.unparse(tree)
    if old not in text:
        raise LookupError(f"`{old}` does not stand in {name} any more; renew what tests/mutation says of it")
    found = ast.parse(text.replace(old, new)).body[0]
    assert isinstance(found, ast.FunctionDef)
    return found
