"""Marks of rows: a keyed hash in every row that a promise rests on, and sums of them, so that a change made past Troth is seen.

What could go wrong: somebody with a database tool changes, adds, moves or removes a row, and every proof that reads rows
believes it. So each protected row has a column ``row_mark``: 64 bits of HMAC-SHA256 over the name of its table and all that it
says, under a key that is derived from the site's secret and lies in no database. Triggers set it on connections that Troth
opened; whoever writes on another connection leaves a row whose mark does not fit. For each table the store keeps how many rows
there are and the sum of their marks, changed in the transaction of the act, so that a row that is gone, doubled or put back
from a copy shows as well. A row that was found wrong is not made right by a later change of it, and neither is a sum.

Whoever holds the site's secret can forge marks; witnesses of the ledger's checkpoints are for that.
"""
