"""Recipients are judged by the version of the day on which something left to them."""

from __future__ import annotations

from sqlalchemy import update

from tests.actions.lives import customer, give, publish
from tests.fixtures import days
from troth.clock import MovedClock, utc
from troth.evidence.prove import prove
from troth.proof import Proof
from troth.recipients.tables import disclosure
from troth.store.site import Site

FAIR, TO = "  fair: {name", "to: [courier, newsletter_house]"
HELPER = (
    "  helper: {name: Helper, does: helps us, country: GB, receives: [email], for: [marketing], ground: consent, "
    "consideration: none, why essential: nobody else helps, agreement: C-3}\n"
)
ALSO = TO.replace("courier", "courier, helper")


def shown(site: Site, promise_id: str) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == promise_id)


def reworded(site: Site, old: str, new: str) -> None:
    """Change the text that the next version is made from."""
    file = site.folder / "policy.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_who_was_given_data_after_the_policy_named_them_no_longer_is_a_stranger(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    reworded(site, TO, ALSO)
    publish(site, FAIR, HELPER + FAIR)
    clock.move(days(1))
    give(site, one, "helper")
    clock.move(days(1))
    reworded(site, ALSO, TO)
    publish(site, HELPER, "", version=3)
    assert "whom the policy does not name" not in shown(site, "recipients").measured
    clock.move(days(1))
    give(site, one, "helper")
    assert shown(site, "recipients").measured == "1 disclosure to somebody whom the policy does not name"


def test_what_waits_when_a_safeguard_runs_out_breaks_nothing_until_it_leaves(site: Site, clock: MovedClock) -> None:
    give(site, customer(site), "newsletter_house")
    with site.writing() as conn:
        conn.execute(update(disclosure).values(state="by hand"))
    clock.at = utc(2030, 1, 3)
    assert shown(site, "transfers").verdict != "broken"
    with site.writing() as conn:
        conn.execute(update(disclosure).values(state="delivered", delivered_at=site.now()))
    found = shown(site, "transfers")
    assert (found.verdict, found.measured) == ("broken", "1 disclosure without a safeguard")
