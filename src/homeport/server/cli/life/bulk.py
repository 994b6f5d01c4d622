# SPDX-License-Identifier: Apache-2.0
"""`homeport bulk ACTION`: one thing done to many devices, named in a file or by a filter.

The report is what makes a run resumable: run again with it, what is done is skipped.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from homeport.server.cli.completing import tenant_completions
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, counted, err, print_json, say

if TYPE_CHECKING:
    from homeport.api.client.bulk import Report
    from homeport.api.client.platform import Platform

SOME_FAILED = 1


class Action(StrEnum):
    """What can be done to many."""

    RENEW = "renew"
    REKEY = "rekey"
    RESET = "reset"
    REVOKE = "revoke"
    READMIT = "readmit"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    OFFER = "offer"
    WITHDRAW = "withdraw"
    DECOMMISSION = "decommission"


_OF_TRANSFER = frozenset({Action.OFFER, Action.WITHDRAW, Action.DECOMMISSION})
_GRAVE = frozenset({Action.RESET, Action.REVOKE, Action.DECOMMISSION, Action.OFFER})
"""What cannot simply be taken back for many: asked about at a terminal."""


def bulk(
    action: Annotated[Action, typer.Argument(help="What is done to each.")],
    file: Annotated[
        Path | None, typer.Option(help="Serial numbers or device ids, one a line; - is stdin.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Filter: whose.", autocompletion=tenant_completions)
    ] = None,
    model: Annotated[str | None, typer.Option(help="Filter: of this model.")] = None,
    state: Annotated[str | None, typer.Option(help="Filter: in this state.")] = None,
    online: Annotated[
        bool | None, typer.Option("--online/--offline", help="Filter: connected or not.")
    ] = None,
    search: Annotated[str, typer.Option(help="Filter: how the serial number begins.")] = "",
    to: Annotated[str | None, typer.Option(help="offer: to this tenant.")] = None,
    reason: Annotated[str, typer.Option(help="revoke, quarantine: why.")] = "for many at once",
    keep_context: Annotated[bool, typer.Option("--keep-context/--forget-context")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="JSON lines of what came of it; run again to go on.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Do one thing to many devices; exit status 1 if some refused."""
    from homeport.api.client.bulk import Report, to_devices, to_filter

    wanted = _filter(tenant=tenant, model=model, state=state, online=online, search=search)
    if (file is None) == (not wanted):
        raise typer.BadParameter("say which devices: --file, or at least one filter, not both")
    if action in _GRAVE and not (yes or dry_run) and sys.stdin.isatty():
        typer.confirm(f"{action} all of them?", abort=True)
    said = _said(action, to=to, reason=reason, keep_context=keep_context, dry_run=dry_run)
    with ExitStack() as closing:
        kept = report or Path(closing.enter_context(TemporaryDirectory())) / "report.jsonl"
        progress = Report(kept)
        platform = closing.enter_context(the_platform(config, data))
        post = _poster(platform, action)
        results = (
            to_filter(post, said, wanted, progress)
            if file is None
            else to_devices(post, said, _named(platform, file, progress), progress)
        )
        came = _told(results, dry_run=dry_run, as_json=as_json)
    if came.get("refused", 0):
        raise typer.Exit(SOME_FAILED)


def _filter(**wanted: object) -> dict[str, object]:
    return {name: value for name, value in wanted.items() if value not in (None, "")}


def _said(
    action: Action, *, to: str | None, reason: str, keep_context: bool, dry_run: bool
) -> dict[str, Any]:
    said: dict[str, Any] = {"action": action.value, "dry_run": dry_run}
    if action in _OF_TRANSFER:
        return {**said, "tenant": to} if action is Action.OFFER else said
    return {**said, "reason": reason, "keeps_context": keep_context}


def _poster(platform: "Platform", action: Action) -> Any:
    from homeport.api.client.asking import document
    from homeport.api.wire.bulk import BulkOperation, BulkResults, BulkTransfer

    kind, door = (
        (BulkTransfer, "transfer") if action in _OF_TRANSFER else (BulkOperation, "operate")
    )

    def post(said: Mapping[str, Any]) -> Mapping[str, Any]:
        body = document(kind, **said)
        answer = platform.asking.post(BulkResults, "bulk", door, said=body)
        return answer.model_dump(mode="json")

    return post


def _named(platform: "Platform", file: Path, report: "Report") -> Iterator[str]:
    """Ids of the devices in the file; DEVICE_UNKNOWN names the first that is none."""
    for text in _lines(file):
        if text not in report.done:
            yield platform.devices.find(text).id


def _lines(file: Path) -> Iterable[str]:
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _told(results: Iterator[Mapping[str, Any]], *, dry_run: bool, as_json: bool) -> Counter[str]:
    came: Counter[str] = Counter()
    shown: list[Mapping[str, Any]] = []
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True,
        disable=as_json or not err.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("begins")
        for result in results:
            came[result["result"]] += 1
            bar.update(task, description=f"{counted(came.total(), 'device')} answered")
            if as_json:
                shown.append(result)
            elif result["result"] != "done":
                say(f"{result['device']}: {result['result']}: {result['code']} {result['detail']}")
    if as_json:
        print_json({"dry_run": dry_run, "came": dict(came), "items": shown})
    else:
        would = "would be " if dry_run else ""
        say(", ".join(f"{number} {would}{what}" for what, number in sorted(came.items())) or "None")
    return came
