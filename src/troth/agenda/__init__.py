"""Work that waits or retries: rows with a due time, taken with a lease (``docs/decisions/0002``)."""

from troth.agenda.actions import NewJob, put, put_many

__all__ = ["NewJob", "put", "put_many"]
