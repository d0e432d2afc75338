"""What people and programs may do: each operation takes who acts, checks that they may, and audits the act in
the transaction that makes it.

They decide who may; how it is asked (a page, the API, a command) is the caller's.
"""

from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.operations.passwords import Passwords

__all__ = ["Actor", "Desk", "Passwords"]
