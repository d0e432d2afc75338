"""How the C library keeps memory in the front's processes: close together, and given back.

Left alone it gives each thread a heap of its own and keeps there what a large batch needed once.
"""

import ctypes

_ARENAS = 2
_LARGE_BYTES = 1 << 20
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc


def keep_memory_together() -> None:
    """Tells the C library; does nothing where it is another than glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
