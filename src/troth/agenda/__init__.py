"""Work that waits or retries: rows with a due time, taken with a lease (``docs/decisions/0002``)."""

from troth.agenda.actions import NewJob, put, put_many, settle
from troth.agenda.run import LEASE, Handler, Job, Ran, run_due
from troth.agenda.watch import Late, Waiting, overdue, waiting

__all__ = [
    "LEASE",
    "Handler",
    "Job",
    "Late",
    "NewJob",
    "Ran",
    "Waiting",
    "overdue",
    "put",
    "put_many",
    "run_due",
    "settle",
    "waiting",
]
