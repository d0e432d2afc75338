"""`hookvitals up`: a directory made ready, then collector, worker and dashboard as child processes.

It serves no request and holds no store open while the children run.
"""
