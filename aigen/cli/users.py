"""Users: `aigen users`."""

import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from aigen.cli.program import (
    Content,
    Json,
    Program,
    app,
    help_without_command,
    load_settings,
    open_context,
    print_json,
    say,
    say_report,
)
from aigen.errors import UsageError

users_app = Program(
    cls=TyperGroup,
    invoke_without_command=True,
    rich_markup_mode=None,
    help="List and invite users, set a password, erase a user.",
)
app.add_typer(users_app, name="users")


@users_app.callback()
def users_main(context: typer.Context) -> None:
    help_without_command(context)


@users_app.command("list")
def list_users(as_json: Json = False, content: Content = None) -> None:
    """List users and how many orders each has."""
    with open_context(content) as context:
        users = context.store.users()
    if as_json:
        print_json([{**user, "made": bool(user["made"]), "has_password": bool(user["has_password"])} for user in users])
        return
    width = max((len(user["user_id"]) for user in users), default=0)
    for user in users:
        orders = f"{user['orders']} order{'' if user['orders'] == 1 else 's'}"
        password = "password set" if user["has_password"] else "no password"
        typer.echo(f"{user['user_id']:{width}}  {orders:10}  {password:12}  since {user['created_at'][:10]}")


@users_app.command("set-password")
def set_password(user_id: Annotated[str, typer.Argument(help="Whose password.")], content: Content = None) -> None:
    """Set the password for the web gallery; asked for, or read as one line from a pipe."""
    from aigen.store.hashing import hash_password

    with open_context(content) as context:
        if not context.store.has_user(user_id):
            raise UsageError(f"user {user_id!r} is not known: see aigen users list")
        if sys.stdin.isatty():
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        else:
            password = sys.stdin.readline().rstrip("\r\n")
        context.store.set_password(user_id, hash_password(password))
    say(f"the password of {user_id} is set")


@users_app.command("invite")
def invite(content: Content = None) -> None:
    """Print a link with which one person may register within a week (AIGEN_REGISTRATION=invite)."""
    import secrets
    from datetime import timedelta

    from aigen.notify.links import base_url
    from aigen.settings import REGISTRATION
    from aigen.store.hashing import hash_token

    token = secrets.token_urlsafe(24)
    with open_context(content) as context:
        now = context.clock()
        context.store.invite(hash_token(token), now, now + timedelta(days=7))
        typer.echo(f"{base_url(load_settings(), context.content)}/register?invitation={token}")
        if context.settings.choice("AIGEN_REGISTRATION", *REGISTRATION) != "invite":
            say("it is needed only with AIGEN_REGISTRATION=invite")


@users_app.command("delete")
def delete_user(
    user_id: Annotated[str, typer.Argument(help="Who shall be erased.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    content: Content = None,
) -> None:
    """Erase a user: every order, file and record."""
    from aigen.orders import deletion

    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"erasing {user_id!r} cannot be undone: say --yes")
        typer.confirm(f"Erase {user_id} with every picture, video and record?", abort=True, err=True)
    with open_context(content, say_report) as context:
        kept = deletion.erase_user(context, user_id)
        say(f"user {user_id} is erased")
        if kept:
            folder = context.content.user(user_id)
            say(f"not made by aigen and kept in {folder}: {', '.join(kept)}")
