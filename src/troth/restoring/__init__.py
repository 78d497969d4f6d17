"""Backups of a site's stores, putting them back, and what must not be said twice or come back by that."""
