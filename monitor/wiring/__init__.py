"""How the processes are put together: settings and document in, stores, channels and jobs out.

The one place that knows all the others. It decides nothing that a job, a rule or a route decides.
"""
