"""What this process uses of the machine, as far as the system tells."""

import os
from typing import Optional


def memory_bytes() -> Optional[int]:
    """Resident memory now; None where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
