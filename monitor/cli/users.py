"""`hookvitals user create|list|password|disable`."""

import secrets

import click

from monitor.cli.base import Commands, Here, pass_here, say, say_table
from monitor.cli.stores import opened_desk
from monitor.operations import users
from monitor.store.control.accounts import Role

ask_option = click.option("--ask", is_flag=True, help="Type the password instead of having one made.")


@click.group(cls=Commands)
def user() -> None:
    """People who may log in."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="viewer", show_default=True)
@ask_option
@pass_here
def create(here: Here, name: str, role: str, ask: bool) -> None:
    """Make an account."""
    password = _password(ask)
    with opened_desk(here) as (desk, actor):
        users.create(desk, actor, name, password, Role(role))
    say(f"made user {name} ({role})")
    _show(password, ask)


@user.command("list")
@pass_here
def list_(here: Here) -> None:
    """List the accounts."""
    with opened_desk(here) as (desk, actor):
        found = users.listing(desk, actor)
    say_table(
        ("NAME", "ROLE", "MADE", "PASSWORD SET", "DISABLED"),
        [
            (
                one.name,
                one.role.value,
                f"{one.created_at:%Y-%m-%d}",
                f"{one.password_at:%Y-%m-%d}",
                one.disabled_at and f"{one.disabled_at:%Y-%m-%d %H:%M}",
            )
            for one in found
        ],
        empty="no users yet; `hookvitals up` makes the first",
    )


@user.command()
@click.argument("name")
@ask_option
@pass_here
def password(here: Here, name: str, ask: bool) -> None:
    """Set a new password and end the user's sessions."""
    new = _password(ask)
    with opened_desk(here) as (desk, actor):
        users.set_password(desk, actor, name, new)
    say(f"{name} has a new password, and no session any more")
    _show(new, ask)


@user.command()
@click.argument("name")
@pass_here
def disable(here: Here, name: str) -> None:
    """Shut an account and end its sessions."""
    with opened_desk(here) as (desk, actor):
        users.disable(desk, actor, name)
    say(f"disabled user {name}")


def _password(ask: bool) -> str:
    if not ask:
        return secrets.token_urlsafe(15)
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _show(password: str, asked: bool) -> None:
    if not asked:
        say(f"password {password}   (shown this once)")
