"""`ptoc machine`: the profiles that there are, what is in one, whether a file is one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pto_wsp.errors import MachineError
from pto_wsp.tools.options import DIAGNOSTIC, OK


def run(argv: Sequence[str]) -> int:
    """Runs `ptoc machine ARGV` and returns the exit code; argparse ends the process on misuse."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.action(arguments)
    except MachineError as error:
        print(error, file=sys.stderr)
        return DIAGNOSTIC
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ptoc machine", description="Machine profiles.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = commands.add_parser("list", help="the profiles that come with the package")
    listed.set_defaults(action=_list)
    shown = commands.add_parser("show", help="every value of a profile with unit and source")
    shown.add_argument("machine", help="a profile's name or file")
    shown.add_argument("keys", nargs="*", metavar="KEY", help="only these, or groups such as costs")
    shown.set_defaults(action=_show)
    checked = commands.add_parser("check", help="whether a file is a whole profile")
    checked.add_argument("machine", nargs="+", help="profiles' names or files")
    checked.set_defaults(action=_check)
    return parser


def _list(_: argparse.Namespace) -> None:
    from pto_wsp.machine import Machine, profile_names

    for name in profile_names():
        print(f"{name:<12} {Machine(name).description}")


def _show(arguments: argparse.Namespace) -> None:
    from pto_wsp.machine import Machine

    machine = Machine(arguments.machine)
    wanted: list[str] = arguments.keys
    entries = [
        entry
        for entry in machine.entries()
        if not wanted or any(entry.key == key or entry.key.startswith(f"{key}.") for key in wanted)
    ]
    if not entries:
        raise MachineError(f"{machine.path}: no key or group {', '.join(wanted)}")
    print(f"{machine.name}: {machine.description} ({machine.path})")
    for entry in entries:
        value = " ".join(map(str, entry.value)) if isinstance(entry.value, list) else entry.value
        print(f"{entry.key:<26} {f'{value} {entry.unit}':<18} {entry.what}")
        print(f"{'':<26} {'':<18} [{entry.source}]")


def _check(arguments: argparse.Namespace) -> None:
    from pto_wsp.machine import Machine

    findings: list[str] = []
    for machine in arguments.machine:
        try:
            print(f"{Machine(machine).path}: a whole profile")
        except MachineError as error:
            findings.append(str(error))
    if findings:
        raise MachineError("\n".join(findings))
