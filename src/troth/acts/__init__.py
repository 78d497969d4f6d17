"""What happens in the business and must reach Troth: one table of acts, from which all of its doors are made.

``table.ACTS`` names each act, its arguments, its errors and the function that carries it out; ``perform`` does one of them for
a caller. The HTTP interface, the command ``troth act``, the pages of the desk and ``docs/acts.md`` are made from the table, so
that an act cannot be without a door.
"""
