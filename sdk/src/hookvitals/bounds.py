"""How much of what waits for the collector a shipper keeps, unless it is told otherwise."""

MAX_WAITING = 10_000
"""Records in memory."""
MAX_WAITING_BYTES = 6 << 20
MAX_SPOOL_BYTES = 500_000_000
MAX_SPOOL_AGE_S = 7 * 86_400.0
