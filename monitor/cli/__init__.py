"""`hookvitals …`: every command parses, calls what does the work, and prints what it did.

No command decides anything, and none imports Dash. One file a noun.
"""
