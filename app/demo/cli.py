"""``packproof demo``: the story of 240 packages, its site, and the crook's three frauds on it."""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.demo.cheat import cheat
from app.demo.stage import Stage
from app.demo.story import Story
from app.demo.world import COMPANIES, PHARMACY, World
from app.errors import AppError

if TYPE_CHECKING:
    from app.cli import Context

FOLDER = Path("var/demo")


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    demo = commands.add_parser(
        "demo",
        help="play the whole story on this machine: run, serve, cheat",
        epilog="examples:\n  packproof demo run\n  packproof demo serve\n  packproof demo cheat",
    )
    demo.set_defaults(parser=demo)
    actions = demo.add_subparsers(title="actions", metavar="ACTION")
    run = actions.add_parser("run", help="play the story, then serve the site")
    run.add_argument(
        "--dir", type=Path, default=FOLDER, metavar="FOLDER", help="where it plays (default: var/demo)"
    )
    run.add_argument("--no-serve", action="store_true", help="end after the story")
    run.add_argument(
        "--port", type=int, default=8000, help="where the site is served afterwards (default: 8000)"
    )
    run.set_defaults(run=_run)
    serve = actions.add_parser("serve", help="serve the site of a story that has played, as it was left")
    serve.add_argument(
        "--dir",
        type=Path,
        default=FOLDER,
        metavar="FOLDER",
        help="where the story played (default: var/demo)",
    )
    serve.add_argument("--port", type=int, default=8000, help="where the site is served (default: 8000)")
    serve.set_defaults(run=_again)
    crook = actions.add_parser(
        "cheat",
        help="you are the crook: edit a row, rewrite history, restore yesterday's database; on copies",
    )
    crook.add_argument(
        "--dir",
        type=Path,
        default=FOLDER,
        metavar="FOLDER",
        help="where the story played (default: var/demo)",
    )
    crook.set_defaults(run=_cheat)


def _run(arguments: argparse.Namespace, context: "Context") -> None:
    say = _say(context.as_json)
    stage = Stage(arguments.dir.resolve())
    stage.clear()
    story = Story(stage, World.at(datetime.now(UTC)), say)
    started = time.monotonic()
    try:
        chapters = story.chapters()
        for number, (title, chapter) in enumerate(chapters, 1):
            say(f"\n{number}/{len(chapters)}  {title}")
            chapter()
        took_s = time.monotonic() - started
        _table(say, story, arguments.dir)
        say(f"\nThe whole story took {took_s:.0f} s. Everything is in {arguments.dir}.")
    finally:
        stage.stop()
    if context.as_json:
        context.show(
            {"took_s": round(took_s, 1), "folder": str(arguments.dir), "labels": story.told.table}, ""
        )
    if not arguments.no_serve:
        _serve(stage, arguments, say)
        return
    say(f"To open its site: .venv/bin/packproof demo serve{_where(arguments.dir)}")


def _again(arguments: argparse.Namespace, context: "Context") -> None:
    """The site of a story that has played. Only passwords' hashes were kept, so the pharmacist gets a new one."""
    stage, say = _played(arguments.dir), _say(context.as_json)
    say(f"Opening the site of {arguments.dir} again; that takes some ten seconds.")
    told = stage.packproof("user", "password", "pharmacist", "--generate")
    stage.passwords["pharmacist"] = str(told["password"])
    _serve(stage, arguments, say)


def _played(folder: Path) -> Stage:
    stage = Stage(folder.resolve())
    if not (stage.root / "yesterday.db").exists():
        raise AppError(
            "demo.no_story", 404, f"No story has played in {folder}", "", "run: packproof demo run"
        )
    return stage


def _where(folder: Path) -> str:
    """The option that a further command needs where the story does not lie in the usual place."""
    return "" if folder == FOLDER else f" --dir {os.path.relpath(folder)}"


def _say(quiet: bool) -> Any:
    def say(line: str) -> None:
        # In JSON the answer alone goes to standard output.
        (sys.stderr if quiet else sys.stdout).write(line + "\n")
        sys.stdout.flush()

    return say


def _table(say: Any, story: Story, folder: Path) -> None:
    rows = [("picture", "the pharmacist is told", "next step"), *story.told.table]
    wide = [max(len(row[column]) for row in rows) for column in (0, 1)]
    say(f"\nThe labels, in {folder}/labels, as the pharmacy's scanner answered:\n")
    for row in rows:
        say(f"  {row[0]:{wide[0]}}  {row[1]:{wide[1]}}  {row[2]}")


def _serve(stage: Stage, arguments: argparse.Namespace, say: Any) -> None:
    """Serve the site; the scanners are told where the node has moved to."""
    try:
        stage.serve(arguments.port)
        for company in COMPANIES:
            if (left_out := stage.follow(company)) is not None:
                say(left_out)
        _invite(stage, arguments, say)
        assert stage.process is not None
        stage.process.wait()
    except KeyboardInterrupt:
        say("")
    finally:
        stage.stop()


def _invite(stage: Stage, arguments: argparse.Namespace, say: Any) -> None:
    folder = os.path.relpath(arguments.dir)
    say("\nThe site is open. Three things to try, in another terminal or a browser (Ctrl-C ends it):\n")
    say(
        f"  open {stage.url}/scan            # sign in as pharmacist, password {stage.passwords['pharmacist']}"
    )
    if others := [f"{name} ({word})" for name, word in stage.passwords.items() if name != "pharmacist"]:
        say(f"{'':35}# or as {', '.join(others)}")
    say(
        f"  .venv/bin/packproof-scan check {folder}/labels/*.png --home {os.path.relpath(stage.bench(PHARMACY))}"
    )
    say(f"  .venv/bin/packproof demo cheat{_where(arguments.dir)}")
    say(f"\nLater, to open it again as it was left: .venv/bin/packproof demo serve{_where(arguments.dir)}")


def _cheat(arguments: argparse.Namespace, context: "Context") -> None:
    stage = _played(arguments.dir)
    found = cheat(stage, _say(context.as_json))
    context.show(
        found, "\nThree frauds, none unnoticed. All of it on copies, in " + str(arguments.dir / "cheat") + "."
    )
