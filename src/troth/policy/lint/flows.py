"""Ways that data moves: a policy that lists them promises that there is no other."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.contradictions import absolutes
from troth.policy.lint.registry import Context, Flaw
from troth.policy.model import Policy


@absolutes
def undeclared_flows(policy: Policy, context: Context) -> Iterator[Flaw]:
    """Entries that move data in a way that ``policy.flows`` does not list; a policy without the list lists nothing."""
    if not policy.policy.flows:
        return
    against = [(way, name) for way, name in _ways(policy) if way not in policy.policy.flows]
    if against:
        shown = "; ".join(f"`{name}` moves data {way}" for way, name in against)
        hint = "Name the way in `policy.flows`, or take the entry away."
        yield Flaw(("policy", "flows"), f"an undeclared flow: {shown}.", hint, cites=policy.policy.cites)


def _ways(policy: Policy) -> Iterator[tuple[str, str]]:
    for key, point in policy.collection.items():
        yield "from partners" if point.kind == "import" else "from people", f"collection.{key}"
    for key, recipient in policy.recipients.items():
        if recipient.receives:
            yield "to partners", f"recipients.{key}"
