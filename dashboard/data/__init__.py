"""What the screens ask, answered from monitor.queries: the only importer of those. It changes nothing.

One file a part of the monitor; `reads.py` puts them together as the pages' `Reads`.
"""
