"""What runs by the clock: judging rules, sending what is due, probing, taking in dead letters, reporting.

Each job is a plain function of a clock and stores; `schedule.py` says when it runs, `leadership.py` whether
this process is the one that runs it. Fold and floor are the collector's, not here.
"""
