"""Looking at registered endpoints from outside: do they answer, and how long is their certificate good.

A probe returns a result and stores nothing; what it may dial is decided by `alerts.egress`.
"""
