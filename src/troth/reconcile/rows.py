"""Which rows of a table are gone: those that the ledger says were written and that nothing took away since.

Asked only of a table whose sum differs, so that stores which are as they were written cost nothing; then one query for the
table. Rows go rightly with their person. So a row counts as gone while its person is in use, and a person unless an ending
destroyed them. What was written between a backup and its restoration is lost, which is on record, and not looked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, text

from troth.ledger import events
from troth.ledger.restored import lost_between
from troth.reconcile.findings import Finding


@dataclass(frozen=True, slots=True)
class Written:
    """By which events the ledger says that a row was written, and where a body has its id, its entry of the policy, its person.

    ``many`` is where a body has several rows, each with its person. ``swept`` is the event that says which rows, as ``gone``,
    went with their clock.
    """

    events: tuple[str, ...]
    id: str
    entry: str = ""
    with_person: bool = True
    many: str = ""
    key: str = "id"
    swept: str = ""


_CHOSEN = (
    *(events.CONSENT_GIVEN, events.CONSENT_REFUSED, events.CONSENT_WITHDRAWN, events.CONSENT_EXPIRED),
    *(events.OBJECTION_MADE, events.OBJECTION_LIFTED),
)
WRITTEN: Mapping[str, Written] = {
    "choice": Written(_CHOSEN, "choice", "scope"),
    "dealing": Written((events.DEALING_OPENED,), "dealing", "kind"),
    "disclosure": Written((events.DISCLOSURE_QUEUED,), "disclosure", "ask.recipient"),
    "ending": Written((events.ENDING_QUARANTINED, events.ENDING_DESTROYED), "ending", "cause", with_person=False),
    "hold": Written((events.HOLD_MADE,), "hold", "ground", many="holds"),
    "message": Written((events.MESSAGE_QUEUED, events.MESSAGE_REFUSED), "message", "class"),
    "policy_version": Written((events.POLICY_PUBLISHED,), "version", with_person=False, key="version"),
    "request": Written((events.REQUEST_RECEIVED,), "request", "right", False, swept=events.REQUEST_SWEPT),
    "stop": Written((events.STOP_MADE, events.STOP_LIFTED), "stop", "scope", with_person=False),
}


def gone(conn: Connection, differs: Finding) -> Iterator[Finding]:
    """The rows that are gone of a table that ``differs``; none where the ledger cannot tell which."""
    sql = _Sql(conn.dialect.name, _lost(conn))
    if differs.table in WRITTEN:
        query = sql.of(differs.table, WRITTEN[differs.table])
    elif differs.table in _OTHERS:
        query = _OTHERS[differs.table](sql)
    else:
        return
    found = f"SELECT gone.*, count(*) OVER () FROM ({query}) gone ORDER BY 1"
    for id_, entry, number in conn.exec_driver_sql(found, execution_options={"yield_per": 1_000}):
        if differs.number and number > differs.number:
            return  # more than are missing: some went rightly, before the ledger named who goes
        yield Finding(differs.table, "gone", str(id_), str(entry or ""))


def as_written(conn: Connection, found: Sequence[Finding]) -> list[Finding]:
    """``found``, each changed row with the entry of the policy that the ledger says it was written for, where it is another."""
    named: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if one.what == "changed" and one.entry and one.table in WRITTEN and WRITTEN[one.table].entry:
            named[one.table].append(one.row)
    sql, was = _Sql(conn.dialect.name, ""), dict[tuple[str, str], str]()
    for table, ids in named.items():
        written = WRITTEN[table]
        query = text(
            f"SELECT {sql.value(written.id)}, {sql.value(written.entry)} {sql.entries(*written.events)}"
            f" AND {sql.value(written.id)} IN :ids"
        ).bindparams(bindparam("ids", expanding=True))
        was |= {(table, str(id_)): str(entry or "") for id_, entry in conn.execute(query, {"ids": ids})}
    return [
        replace(one, was=before) if (before := was.get((one.table, one.row), "")) not in {"", one.entry} else one
        for one in found
    ]


def _lost(conn: Connection) -> str:
    """The condition for entries of which the rows are not known to be lost by a restoration; ``e`` is the entry."""
    parts = [f"NOT (e.at > {since} AND e.at <= {until})" for since, until in lost_between(conn)]
    return " AND ".join(["1 = 1", *parts])


@dataclass(frozen=True, slots=True)
class _Sql:
    dialect: str
    known: str

    def value(self, path: str, of: str = "e") -> str:
        """What a body has at ``path``, as text."""
        if self.dialect == "sqlite":
            return f"json_extract({of}.body, '$.{path}')"
        *outer, last = path.split(".")
        inner = "".join(f"->'{part}'" for part in outer)
        return f"({of}.body::json{inner}->>'{last}')"

    def pairs(self, path: str, of: str = "e") -> str:
        """What a body has at ``path``, an object, as a table of keys and values."""
        if self.dialect == "sqlite":
            return f"json_each({of}.body, '$.{path}') one"
        return f"json_each_text({of}.body::json->'{path}') one"

    def items(self, path: str, of: str = "e") -> str:
        """What a body has at ``path``, a list, as a table of values."""
        if self.dialect == "sqlite":
            return f"json_each({of}.body, '$.{path}') one"
        return f"json_array_elements_text({of}.body::json->'{path}') one(value)"

    def entries(self, *names: str, also: str = "") -> str:
        """FROM and WHERE of the entries of these events."""
        events_ = ", ".join(f"'{name}'" for name in names)
        return f"FROM ledger_entry e{also} WHERE e.event IN ({events_})"

    def of(self, table: str, written: Written) -> str:
        """The rows of ``table`` that are gone, each with its entry of the policy."""
        entry = self.value(written.entry) if written.entry else "NULL"
        person = self.value("person") if written.with_person else "NULL"
        said = f"""SELECT {self.value(written.id)} AS id, {entry} AS entry, {person} AS person
            {self.entries(*written.events)} AND {self.known}"""
        if written.many:
            several = self.entries(*written.events, also=", " + self.pairs(written.many))
            said += f" UNION ALL SELECT one.key, {entry}, one.value {several} AND {self.known}"
        in_use = "AND EXISTS (SELECT 1 FROM person p WHERE p.id = said.person AND p.state = 'active')"
        return f"""SELECT said.id, min(said.entry) AS entry FROM ({said}) said WHERE said.id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM "{table}" t WHERE {self.text("t." + written.key)} = {self.text("said.id")})
            {in_use if written.with_person else ""} {self.still(written)} GROUP BY said.id"""

    def still(self, written: Written) -> str:
        """The condition that a row did not go with its clock."""
        if not written.swept:
            return ""
        return f"AND said.id NOT IN (SELECT one.value {self.entries(written.swept, also=', ' + self.items('gone'))})"

    def text(self, value: str) -> str:
        """A value as it compares with what a body has."""
        return value if self.dialect == "sqlite" else f"({value})::text"


def _people(sql: _Sql) -> str:
    """People who are gone though no ending destroyed them, or is about to say so."""
    person, kind, ended = sql.value("person"), sql.value("kind"), sql.value("ending")
    destroyed = sql.entries(events.ENDING_DESTROYED)
    named = f"SELECT one.value {sql.entries(events.ENDING_DESTROYED, also=', ' + sql.items('gone'))}"
    whole = f"SELECT {ended} {destroyed} AND CAST({sql.value('people')} AS integer) > 0"
    older = f"""SELECT {person} {sql.entries(events.ENDING_QUARANTINED)} AND {person} IS NOT NULL AND {ended} IN ({whole})"""
    admitted = f"SELECT {person} AS id, {kind} AS entry {sql.entries(events.PERSON_ADMITTED)} AND {sql.known}"
    return f"""SELECT said.id, said.entry FROM ({admitted}) said
        WHERE NOT EXISTS (SELECT 1 FROM person p WHERE p.id = said.id)
        AND said.id NOT IN ({named}) AND said.id NOT IN ({older}) AND said.id NOT IN (SELECT person_id FROM departure)"""


def _instructions(sql: _Sql) -> str:
    """Of which ending which recipient was told of more people than there are rows."""
    told = sql.entries(events.INSTRUCTION_SENT, also=", " + sql.pairs("to"))
    said = f"SELECT {sql.value('ending')} AS ending, one.key AS recipient, max(CAST(one.value AS integer)) AS number"
    return f"""SELECT said.ending || ' ' || said.recipient AS id, said.recipient AS entry
        FROM ({said} {told} AND {sql.known} GROUP BY 1, 2) said
        LEFT JOIN (SELECT ending_id, recipient, count(*) AS number FROM instruction GROUP BY 1, 2) there
        ON there.ending_id = said.ending AND there.recipient = said.recipient
        WHERE coalesce(there.number, 0) < said.number"""


_OTHERS: Mapping[str, Any] = {"person": _people, "instruction": _instructions}
