# SPDX-License-Identifier: Apache-2.0
"""`homeport account add|list|disable|enable|new-password`.

On the platform's own machine: whoever may read its data directory is its operator. It is the way
back in when every operator has forgotten the password.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from homeport.domain.account import Account, check_password, check_sign_in_name
from homeport.errors import Code, HomeportError
from homeport.keys.secret import read_secret
from homeport.provisioning.people.add_account import NewAccount, add_account
from homeport.provisioning.people.change_account import disable_account, enable_account
from homeport.provisioning.people.invite import offer_new_password
from homeport.provisioning.ports import Transaction
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    now,
    print_json,
    print_table,
    read,
    say,
    settings_of,
    transact,
)

app = typer.Typer(no_args_is_help=True)

AccountName = Annotated[str, typer.Argument(help="Sign-in name: an e-mail address or plain.")]

PAGE = 1000


@app.command()
def add(
    name: AccountName,
    operator: Annotated[bool, typer.Option("--operator", help="Operates the platform.")] = False,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password; else it is asked for.")
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make an account."""
    from homeport.api.server.people.set_up import SetUpCode
    from homeport.provisioning.people.passwords import Passwords  # argon2: only where it is needed

    password = check_password(_password(password_file), check_sign_in_name(name))
    hashed = asyncio.run(Passwords().hash(password))
    wanted = NewAccount(name=name, password_hash=hashed, is_operator=operator)
    settings = settings_of(config, data)
    account = transact(settings, lambda tx: add_account(tx, wanted, actor=actor(), now=now()))
    if operator:
        SetUpCode(settings.data).withdraw()
    _tell(account, f"Account {name} was made; it signs in at {settings.url}.", as_json=as_json)


@app.command("list")
def list_(config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """List the accounts."""
    accounts = read(settings_of(config, data), _all)
    if as_json:
        print_json([_document(account) for account in accounts])
        return
    rows = [
        (a.name, "operator" if a.is_operator else "", "disabled" if a.is_disabled else "")
        for a in accounts
    ]
    print_table(("account", "is", "state"), rows)


@app.command()
def disable(
    name: AccountName, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Keep an account out at once; its sessions end, and so does what it gave out."""

    async def verb(tx: Transaction) -> Account:
        return await disable_account(tx, await _named(tx, name), actor=actor(), now=now())

    account = transact(settings_of(config, data), verb)
    _tell(account, f"Account {name} may not sign in any more.", as_json=as_json)


@app.command()
def enable(
    name: AccountName, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Let a disabled account sign in again."""

    async def verb(tx: Transaction) -> Account:
        return await enable_account(tx, await _named(tx, name), actor=actor(), now=now())

    account = transact(settings_of(config, data), verb)
    _tell(account, f"Account {name} may sign in again.", as_json=as_json)


@app.command("new-password")
def new_password(
    name: AccountName, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Give a code with which the person chooses a new password, within an hour."""

    async def verb(tx: Transaction) -> str:
        account = await _named(tx, name)
        return (await offer_new_password(tx, account, actor=actor(), now=now()))[1]

    code = transact(settings_of(config, data), verb)
    if as_json:
        print_json({"name": name, "code": code})
    else:
        say(f"Give this code to {name}, by a way you trust; it works once, for an hour:\n{code}")


def _password(file: Path | None) -> str:
    if file is not None:
        return read_secret(file).reveal()
    if not sys.stdin.isatty():
        detail = "--password-file is needed where nobody can be asked for it"
        raise HomeportError(Code.PASSWORD_UNSUITABLE, detail)
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


async def _named(tx: Transaction, name: str) -> Account:
    account = await tx.accounts.named(name)
    if account is None:
        raise HomeportError(Code.NOT_FOUND, f"account {name}")
    return account


async def _all(tx: Transaction) -> list[Account]:
    found: list[Account] = []
    while True:
        page = await tx.accounts.page(after=found[-1].name if found else None, limit=PAGE)
        found += page
        if len(page) < PAGE:
            return found


def _tell(account: Account, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(account))
    else:
        say(sentence)


def _document(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "is_operator": account.is_operator,
        "is_disabled": account.is_disabled,
        "made_at": account.made_at,
    }
