"""Who acts: a name, a role and the way they came. Roles only grow: who may do more may do less."""

from dataclasses import dataclass

from monitor.errors import Forbidden
from monitor.store.control.accounts import Role

SCOPES = {"read": Role.VIEWER, "operate": Role.OPERATOR, "admin": Role.ADMIN}
"""What a key's scope allows, in terms of roles; `ingest` allows nothing here."""


@dataclass(frozen=True, slots=True)
class Actor:
    """via: ui, api or cli."""

    name: str
    role: Role
    via: str

    def may(self, needed: Role) -> bool:
        return self.role.rank >= needed.rank

    def must_be(self, needed: Role, to: str) -> None:
        """Raises Forbidden unless the actor has the role. to: what for, as in `to replay dead letters`."""
        if not self.may(needed):
            raise Forbidden(
                f"{self.name} may not {to}",
                f"the role {needed.value} is needed; an admin can give it",
            )
