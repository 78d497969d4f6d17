"""Do the tests of a clause fail when what enforces the clause is changed? ``python -m tests.mutation`` asks by changing it.

A *mutant* is one function of an enforcer with one small change: a condition turned round, a refusal left out, a filter of a
query dropped. The function's code is exchanged in a forked process in which every test is loaded already, so that a mutant
costs the time of the tests that notice it. A mutant that no test of its clauses notices has *survived*: either a test is
missing, or the change means nothing, and then ``survivors.yaml`` says why.
"""
