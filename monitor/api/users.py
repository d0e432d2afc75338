"""Users: the people who may log in, and what each may do. Never shows a password or its hash."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, answer
from monitor.operations import users as operations
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
    found = operations.listing(services().desk, current_actor())
    return answer(UsersShape(users=[UserShape.model_validate(one) for one in found]))


class NewUserBody(Asked):
    name: Annotated[str, Field(max_length=128)]
    password: Annotated[str, Field(repr=False)]
    role: Role = Role.VIEWER


class PasswordBody(Asked):
    password: Annotated[str, Field(repr=False)]


class UserPath(Asked):
    name: Annotated[str, Field(max_length=128)]


@users.post("/users", responses={201: UserShape})
@needs(Need.ADMIN)
def create(body: NewUserBody) -> Response:
    """Make a user"""
    made = operations.create(services().desk, current_actor(), body.name, body.password, body.role)
    return answer(UserShape.model_validate(made), 201)


@users.put("/users/<name>/password", responses={204: None})
@needs(Need.ADMIN)
def set_password(path: UserPath, body: PasswordBody) -> Response:
    """Give a user a new password; their sessions end"""
    operations.set_password(services().desk, current_actor(), path.name, body.password)
    return Response(status=204)


@users.delete("/users/<name>", responses={204: None})
@needs(Need.ADMIN)
def disable(path: UserPath) -> Response:
    """Shut a user's account; their sessions end"""
    operations.disable(services().desk, current_actor(), path.name)
    return Response(status=204)
