"""Users: the people who may log in, and what each may do. Never shows a password or its hash."""

from datetime import datetime

from flask import Response

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Shape, answer
from monitor.store.control.accounts import Role

users = noun("users", "People who may log in.")


class UserShape(Shape):
    name: str
    role: Role
    created_at: datetime
    password_at: datetime
    disabled_at: datetime | None


class UsersShape(Shape):
    users: list[UserShape]


@users.get("/users", responses={200: UsersShape})
@needs(Need.ADMIN)
def listed() -> Response:
    """Every user by name, disabled ones included"""
    found = services().control.accounts.all()
    return answer(UsersShape(users=[UserShape.model_validate(one) for one in found]))
