"""The command line: arguments only. What a command does is in the module that it imports when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from yardlight import __version__
from yardlight.errors import YardlightError

if TYPE_CHECKING:
    from yardlight.drills.commands import Where
    from yardlight.lookback import Source
    from yardlight.records.commands import Where as Archives

Command = Callable[[argparse.Namespace], int]


class UsageError(Exception):
    """The words of a command do not go together; argparse alone cannot tell."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0, 1 for something wrong with files or machine, 2 for usage."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    command: Command = arguments.command
    try:
        code = command(arguments)
        sys.stdout.flush()
    except UsageError as error:
        parser.error(str(error))
    except YardlightError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `yardlight metrics | head`: nobody reads on, and Python must not try to flush again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; the README's table of commands is made from it."""
    parser = argparse.ArgumentParser(
        prog="yardlight",
        description="Monitoring for the IT of companies that run trucks.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"yardlight {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _serve(commands)
    _check(commands)
    _init(commands)
    _schema(commands)
    _metrics(commands)
    _outages(commands)
    _report(commands)
    _usage(commands)
    _roster(commands)
    _show(commands)
    _quiet(commands)
    _contract(commands)
    _flows(commands)
    _drill(commands)
    _render(commands)
    _inventory(commands)
    _probe(commands)
    _records(commands)
    _demo(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str, run: Command
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.", allow_abbrev=False
    )
    parser.set_defaults(command=run)
    return parser


def _serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "serve", "measure, and serve /metrics and the pages for people", run_serve)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--inventory", type=Path, metavar="FILE", help="one fleet (default: fleet.yml)")
    source.add_argument("--inventory-dir", type=Path, metavar="DIR", help="many fleets, one per *.yml in this folder")
    side = parser.add_mutually_exclusive_group()
    side.add_argument("--centre", action="store_true", help="the centre only: thresholds, calendars, outside probes")
    side.add_argument("--terminal", metavar="NAME", help="one terminal only, measured from the box in its yard")
    help_ = "share the fleets' terminals and accounts with others: the first of three is 1/3"
    parser.add_argument("--shard", default="1/1", metavar="I/N", help=help_)
    parser.add_argument(
        "--web.listen-address",
        dest="listen",
        default=":10480",
        metavar="[HOST]:PORT",
        help="default: %(default)s",
    )
    parser.add_argument(
        "--web.config.file",
        dest="web_config",
        type=Path,
        metavar="FILE",
        help="TLS and basic auth, as exporter-toolkit",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("yardlight.db"),
        metavar="FILE",
        help="history; default: %(default)s",
    )
    parser.add_argument("--log.format", dest="log_format", choices=("logfmt", "json"), default="logfmt")
    parser.add_argument("--log.level", dest="log_level", choices=("debug", "info", "warning", "error"), default="info")


def run_serve(arguments: argparse.Namespace) -> int:
    from yardlight.serve import ServeOptions, run
    from yardlight.shard import WHOLE, parse_shard

    try:
        shard = parse_shard(arguments.shard)
    except ValueError as error:
        raise UsageError(f"serve: --shard {error}") from None
    if arguments.terminal and shard != WHOLE:
        raise UsageError("serve: --terminal is one box's work, of which nothing can be shared: leave out --shard")
    inventory = None if arguments.inventory_dir else arguments.inventory or Path("fleet.yml")
    return run(
        ServeOptions(
            inventory=inventory,
            inventory_dir=arguments.inventory_dir,
            centre=arguments.centre,
            terminal=arguments.terminal,
            shard=shard,
            listen=arguments.listen,
            web_config=arguments.web_config,
            state=arguments.state,
            log_format=arguments.log_format,
            log_level=arguments.log_level,
        )
    )


def _check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "check", "validate an inventory and print what probing will cost", run_check)
    parser.add_argument("inventory", nargs="?", type=Path, default=Path("fleet.yml"), help="default: %(default)s")
    parser.add_argument("--terminal", metavar="NAME", help="this machine is that terminal's box: judge it as such")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--explain", metavar="PATH", help="which file and line a field comes from")
    output.add_argument("--json", action="store_true", help="for machines")


def run_check(arguments: argparse.Namespace) -> int:
    from yardlight.inventory import check

    if arguments.explain is not None:
        return check.explain(arguments.inventory, arguments.explain)
    return check.check(arguments.inventory, arguments.terminal, arguments.json)


def _init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "init", "find this machine's uplinks and write the smallest inventory", run_init)
    parser.add_argument("inventory", nargs="?", type=Path, default=Path("fleet.yml"), help="default: %(default)s")
    parser.add_argument("--fleet", default="my-fleet", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--terminal", metavar="NAME", help="default: the name of this machine")


def run_init(arguments: argparse.Namespace) -> int:
    from yardlight.inventory import init

    return init.init(arguments.inventory, arguments.fleet, arguments.terminal)


def _schema(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    _command(commands, "schema", "print the JSON Schema of an inventory, for editors", run_schema)


def run_schema(_: argparse.Namespace) -> int:
    from yardlight.inventory.schema import schema_json

    print(schema_json())
    return 0


def _metrics(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "metrics", "print every metric as a table", run_metrics)
    parser.add_argument("--json", action="store_true", help="for machines")


def run_metrics(arguments: argparse.Namespace) -> int:
    from yardlight.docs import metrics_json, metrics_table

    print(metrics_json() if arguments.json else metrics_table().rstrip("\n"))
    return 0


def _of_inventory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--inventory", type=Path, default=Path("fleet.yml"), metavar="FILE", help="default: %(default)s"
    )


def _beside_state(parser: argparse.ArgumentParser, what: str) -> None:
    help_ = f"the state file of serve; {what} (default: %(default)s)"
    parser.add_argument("--state", type=Path, default=Path("yardlight.db"), metavar="FILE", help=help_)


def _look_back(parser: argparse.ArgumentParser) -> None:
    """Where the history is that a command looks at."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--inventory", type=Path, metavar="FILE", help="one fleet (default: fleet.yml)")
    source.add_argument("--inventory-dir", type=Path, metavar="DIR", help="many fleets, one per *.yml in this folder")
    parser.add_argument("--fleet", metavar="NAME", help="which fleet; needed where there are many")
    parser.add_argument(
        "--state",
        type=Path,
        action="append",
        metavar="FILE",
        help="history; once for each box that keeps one (default: yardlight.db)",
    )


def _source(arguments: argparse.Namespace) -> Source:
    from yardlight.lookback import Source

    return Source(arguments.inventory, arguments.inventory_dir, arguments.fleet, tuple(arguments.state or ()))


def _outages(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "outages", "list each gap, failover and silent circuit of a terminal", run_outages)
    parser.add_argument("--terminal", metavar="NAME", required=True)
    parser.add_argument("--uplink", metavar="NAME", help="this circuit only")
    parser.add_argument("--from", dest="start", metavar="DAY", help="local, 2026-10-01 or 2026-10-01T22:00")
    parser.add_argument("--to", dest="end", metavar="DAY", help="the same; a day is meant whole (default: now)")
    _look_back(parser)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--csv", action="store_true", help="for spreadsheets")
    output.add_argument("--json", action="store_true", help="for machines")


def run_outages(arguments: argparse.Namespace) -> int:
    from yardlight import outages

    wanted = outages.Wanted(arguments.terminal, arguments.uplink, arguments.start, arguments.end)
    form: Literal["csv", "json", "table"] = "csv" if arguments.csv else "json" if arguments.json else "table"
    return outages.show(_source(arguments), wanted, form)


def _report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "report", "write a month of a fleet as one page to print (HTML)", run_report)
    parser.add_argument("--month", metavar="MONTH", required=True, help="like 2026-10")
    parser.add_argument("--terminal", metavar="NAME", help="this terminal only")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: FLEET-MONTH.html; - is stdout")
    _look_back(parser)


def run_report(arguments: argparse.Namespace) -> int:
    from yardlight import report

    return report.write(_source(arguments), arguments.month, arguments.terminal, arguments.output)


def _usage(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("usage", help="what cellular plans are used for", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    help_ = "list each cellular plan: used, to come, what the next cycle needs, and SIMs without use"
    action = _command(actions, "report", help_, run_usage_report)
    action.add_argument("--idle-days", type=int, default=30, metavar="DAYS", help="default: %(default)s")
    _look_back(action)
    action.add_argument("--json", action="store_true", help="for machines")


def run_usage_report(arguments: argparse.Namespace) -> int:
    from yardlight.cellular import outlook

    if not 1 <= arguments.idle_days <= outlook.MOST_IDLE_DAYS:
        raise UsageError(f"usage report: --idle-days {arguments.idle_days}; write 1 to {outlook.MOST_IDLE_DAYS}")
    return outlook.show(_source(arguments), arguments.idle_days, arguments.json)


def _roster(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    help_ = "make the roster, and compare it with what vendors know"
    parser = commands.add_parser("roster", help=help_, allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = _command(actions, "draft", "make a first roster of what was collected: trucks.csv", run_roster_draft)
    action.add_argument("-o", "--output", type=Path, metavar="DIR", help="for all files; none is overwritten")
    action.epilog = (
        "Without -o only trucks.csv, to stdout. Exit code 0: everything found its truck; 3: something is left over "
        "(unmatched.csv says what and why), or a source was not read; 1: nothing was written."
    )
    _roster_source(action)
    action = _command(actions, "diff", "compare the roster with what vendors know now", run_roster_diff)
    action.add_argument("--numbers", action="store_true", help="with serial numbers and ICCIDs in full")
    action.add_argument("--json", action="store_true", help="for machines")
    action.epilog = (
        "Exit code 0: no difference; 3: there are some; 4: none as far as is known, but a source is old, cannot be "
        "read or was never collected; 1: it cannot be compared."
    )
    _roster_source(action)


def _roster_source(action: argparse.ArgumentParser) -> None:
    action.add_argument("--live", action="store_true", help="ask each account now (default: what was collected last)")
    _look_back(action)


def run_roster_draft(arguments: argparse.Namespace) -> int:
    from yardlight.roster.draft_command import draft

    return draft(_source(arguments), arguments.live, arguments.output)


def run_roster_diff(arguments: argparse.Namespace) -> int:
    from yardlight.roster.diff_command import diff

    return diff(_source(arguments), arguments.live, arguments.numbers, arguments.json)


def _show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("show", help="what is known of one thing", allow_abbrev=False)
    actions = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    help_ = "show a truck: tablet, SIM, ELD, last seen, usage, open alerts"
    action = _command(actions, "truck", help_, run_show_truck)
    action.add_argument("truck", metavar="TRUCK", help="its name, or that of its tablet or SIM")
    action.add_argument("--numbers", action="store_true", help="with serial number, ICCID, phone, and the MDM's page")
    action.add_argument("--json", action="store_true", help="for machines")
    _look_back(action)


def run_show_truck(arguments: argparse.Namespace) -> int:
    from yardlight.roster.show_command import show

    return show(_source(arguments), arguments.truck, arguments.numbers, arguments.json)


def _quiet(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "quiet", "expect trouble at a terminal for a while", run_quiet)
    parser.description = (
        "Expect trouble at a terminal for a while: its tickets become info, a dark terminal still pages. "
        "It ends by itself; a serving centre takes it up within seconds."
    )
    parser.add_argument("terminal", nargs="?", metavar="TERMINAL")
    parser.add_argument("duration", nargs="?", metavar="DURATION", help="like 30m or 2h, at most 7d")
    parser.add_argument("why", nargs="*", metavar="WHY", help="a few words for whoever sees it")
    parser.add_argument("--uplink", metavar="NAME", help="this circuit only (default: all of the terminal)")
    _of_inventory(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="show what is quiet, and what was lately")
    what.add_argument("--end", action="store_true", help="end it now")


def run_quiet(arguments: argparse.Namespace) -> int:
    from yardlight import quiet

    if arguments.list:
        return quiet.show(arguments.inventory, arguments.terminal)
    if arguments.terminal is None:
        raise UsageError("quiet: name a terminal, or --list")
    if arguments.end:
        return quiet.end(arguments.inventory, arguments.terminal, arguments.uplink)
    if arguments.duration is None or not arguments.why:
        raise UsageError("quiet: say for how long and why, like: yardlight quiet fontana 2h the ISP moves a cable")
    why = " ".join(arguments.why)
    return quiet.begin(arguments.inventory, arguments.terminal, arguments.uplink, arguments.duration, why)


def _drill(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("drill", help="run failover drills, and keep their evidence", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = _drill_action(actions, "run", "run a drill of a terminal, through its serve", run_drill)
    action.add_argument("playbook", metavar="PLAYBOOK", help="like quarterly-wan-failover")
    action.add_argument("--terminal", metavar="NAME", required=True)
    action.add_argument("--url", default="http://127.0.0.1:10480", help="the terminal's serve; default: %(default)s")
    action.add_argument("--link", metavar="LINK", help="a drill link of that serve, where it runs on another machine")
    action.add_argument("--access-file", type=Path, metavar="FILE", help="user:password for that serve")
    action.add_argument("--ca-file", metavar="FILE", help="a private CA of that serve")
    action.add_argument("--dry-run", action="store_true", help="say what would be done")
    action.add_argument("--yes", action="store_true", help="nobody is there: approve, and ask nothing")
    action.add_argument("--override", metavar="REASON", default="", help="run it although a precondition fails")
    action.add_argument("--approver", metavar="NAME", default="", help="who allowed it")
    action = _drill_action(actions, "link", "print a one-time link to a drill, for a phone", run_drill_link)
    action.add_argument("playbook", metavar="PLAYBOOK")
    action.add_argument("--terminal", metavar="NAME", required=True)
    action.add_argument("--base", metavar="URL", help="how the phone reaches serve (default: this box, port 10480)")
    action = _drill_action(actions, "list", "list drills by quarter, and what is due", run_drill_list)
    action.add_argument("--terminal", metavar="NAME", help="this terminal only")
    action.add_argument("--json", action="store_true", help="for machines")
    action = _drill_action(actions, "show", "show one drill", run_drill_show)
    action.add_argument("drill", metavar="DRILL", help="its id, or its folder")
    action = _drill_action(actions, "verify", "tell whether evidence was edited, and which file", run_drill_verify)
    action.add_argument("drill", metavar="DRILL", help="its id, or its folder")
    action = _drill_action(actions, "report", "write a drill as Markdown and as a page to print", run_drill_report)
    action.add_argument("drill", metavar="DRILL", help="its id, or its folder")
    action.add_argument("-o", "--output", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    action = _drill_action(actions, "sign", "sign a drill that somebody else ran", run_drill_sign)
    action.add_argument("drill", metavar="DRILL", help="its id, or its folder")
    action.add_argument("--reviewer", metavar="NAME", required=True)
    action.add_argument("--statement", metavar="TEXT", default="reviewed", help="default: %(default)s")
    action = _drill_action(actions, "attach", "make a recorded failover the record of a drill", run_drill_attach)
    action.add_argument("playbook", metavar="PLAYBOOK")
    action.add_argument("--terminal", metavar="NAME", required=True)
    action.add_argument("--at", metavar="TIME", required=True, help="local, like 2026-10-01T22:00; within an hour")
    action.add_argument("--by", metavar="NAME", default="", help="who did it, by hand and on paper")
    action.add_argument("--said", metavar="TEXT", default="", help="what a person saw work on the standby")
    action.add_argument("--unplanned", action="store_true", help="it was no drill but a real failover")
    action.add_argument("--reviewer", metavar="NAME", default="", help="who accepts it; needed for an unplanned one")


def _drill_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str, run: Command
) -> argparse.ArgumentParser:
    parser = _command(actions, name, help_, run)
    _of_inventory(parser)
    _beside_state(parser, "drills lie beside it")
    return parser


def _where(arguments: argparse.Namespace) -> Where:
    from yardlight.drills.commands import Where

    return Where(arguments.inventory, arguments.state)


def run_drill(arguments: argparse.Namespace) -> int:
    from yardlight.drills import commands

    wanted = commands.Wanted(
        arguments.terminal,
        arguments.playbook,
        arguments.url,
        arguments.link,
        arguments.access_file,
        arguments.ca_file,
        arguments.dry_run,
        arguments.yes,
        arguments.override,
        arguments.approver,
    )
    return commands.run(_where(arguments), wanted)


def run_drill_link(arguments: argparse.Namespace) -> int:
    from yardlight.drills import commands

    return commands.link(_where(arguments), arguments.terminal, arguments.playbook, arguments.base)


def run_drill_list(arguments: argparse.Namespace) -> int:
    from yardlight.drills import commands

    return commands.show_list(_where(arguments), arguments.terminal, arguments.json)


def run_drill_show(arguments: argparse.Namespace) -> int:
    from yardlight.drills import commands

    return commands.show(_where(arguments), arguments.drill)


def run_drill_verify(arguments: argparse.Namespace) -> int:
    from yardlight.drills import commands

    return commands.verify(_where(arguments), arguments.drill)


def run_drill_report(arguments: argparse.Namespace) -> int:
    from yardlight.drills import commands

    return commands.write_report(_where(arguments), arguments.drill, arguments.output)


def run_drill_sign(arguments: argparse.Namespace) -> int:
    from yardlight.drills import commands

    return commands.sign(_where(arguments), arguments.drill, arguments.reviewer, arguments.statement)


def run_drill_attach(arguments: argparse.Namespace) -> int:
    from yardlight.drills import commands
    from yardlight.drills.attach import Attached

    wanted = Attached(
        arguments.terminal,
        arguments.playbook,
        arguments.at,
        arguments.by,
        arguments.unplanned,
        arguments.reviewer,
        arguments.said,
    )
    return commands.attach_failover(_where(arguments), wanted)


def _contract(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("contract", help="pin what a feed's records look like", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = _contract_action(actions, "learn", "write a contract from a vendor's answers", run_contract_learn)
    action.add_argument("--replies", type=int, default=1, metavar="N", help="answers to learn from (default: 1)")
    action.add_argument("--every", default="1m", metavar="TIME", help="how far apart (default: %(default)s)")
    action.add_argument("--again", action="store_true", help="although there is a contract, which is lost")
    action.add_argument("--by", metavar="NAME", help="who learned it (default: you)")
    action = _contract_action(actions, "diff", "tell what an answer breaks of its contract", run_contract_diff)
    action.add_argument("--json", action="store_true", help="for machines")
    action = _contract_action(actions, "accept", "take what changed over into a contract", run_contract_accept)
    action.add_argument("fields", nargs="*", metavar="FIELD", help="these only (default: all that changed)")
    action.add_argument("--by", metavar="NAME", help="who accepts it (default: you)")


def _contract_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str, run: Command
) -> argparse.ArgumentParser:
    parser = _command(actions, name, help_, run)
    parser.add_argument("feed", metavar="FEED")
    _of_inventory(parser)
    return parser


def run_contract_learn(arguments: argparse.Namespace) -> int:
    from yardlight.feeds import review
    from yardlight.inventory.values import parse_duration

    if arguments.replies < 1:
        raise UsageError("--replies is 1 or more")
    try:
        every = parse_duration(arguments.every)
    except ValueError as error:
        raise UsageError(f"--every {error}") from None
    return review.learn_feed(
        arguments.inventory, arguments.feed, arguments.replies, every, arguments.again, arguments.by
    )


def run_contract_diff(arguments: argparse.Namespace) -> int:
    from yardlight.feeds import review

    return review.diff(arguments.inventory, arguments.feed, arguments.json)


def run_contract_accept(arguments: argparse.Namespace) -> int:
    from yardlight.feeds import review

    return review.accept(arguments.inventory, arguments.feed, arguments.fields, arguments.by)


def _flows(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("flows", help="what two systems should agree on, and do not", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = _command(actions, "show", "list the trucks that differ, as last seen", run_flows_show)
    action.add_argument("flows", nargs="*", metavar="FLOW", help="these only (default: all)")
    action.add_argument("--json", action="store_true", help="for machines")
    _look_back(action)
    action = _command(actions, "cases", "list where drivers' logs and GPS do not match", run_flows_cases)
    action.add_argument("--month", metavar="MONTH", help="all of a month, like 2026-10 (default: the open ones)")
    output = action.add_mutually_exclusive_group()
    output.add_argument("--csv", action="store_true", help="for spreadsheets")
    output.add_argument("--json", action="store_true", help="for machines")
    _look_back(action)
    action = _command(actions, "explain", "write down why such a case is right as it is", run_flows_explain)
    action.add_argument("case", metavar="CASE", help="as `flows cases` prints it")
    action.add_argument("--by", metavar="NAME", required=True, help="who says so")
    action.add_argument("--because", metavar="TEXT", required=True)
    _look_back(action)


def run_flows_cases(arguments: argparse.Namespace) -> int:
    from yardlight.feeds.case_command import show

    form: Literal["table", "csv", "json"] = "csv" if arguments.csv else "json" if arguments.json else "table"
    return show(_source(arguments), arguments.month, form)


def run_flows_explain(arguments: argparse.Namespace) -> int:
    from yardlight.feeds.case_command import explain

    return explain(_source(arguments), arguments.case, arguments.by, arguments.because)


def run_flows_show(arguments: argparse.Namespace) -> int:
    from yardlight.feeds.flow_command import show

    return show(_source(arguments), arguments.flows, arguments.json)


def _render(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("render", help="write files made from the inventory", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    help_ = "write whom to call and what to do into one page that opens and prints without any network"
    action = _command(actions, "binder", help_, run_render_binder)
    _of_inventory(action)
    action.add_argument("--terminal", metavar="NAME", help="the pages of this terminal only")
    action.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: FLEET-binder.html")
    action = _command(actions, "playbooks", "write each playbook for each terminal, to print", run_render)
    _of_inventory(action)
    action.add_argument("--terminal", metavar="NAME", help="this terminal only")
    place = Path("playbooks")
    action.add_argument("-o", "--output", type=Path, default=place, metavar="DIR", help="default: %(default)s")
    help_ = "write Alertmanager's configuration: each fleet's contacts behind the shipped routes"
    action = _command(actions, "alertmanager", help_, run_render_alertmanager)
    source = action.add_mutually_exclusive_group()
    source.add_argument("--inventory", type=Path, metavar="FILE", help="one fleet (default: fleet.yml)")
    source.add_argument("--inventory-dir", type=Path, metavar="DIR", help="many fleets, one per *.yml in this folder")
    action.add_argument("--home", metavar="FLEET", help="of many fleets, the one that is told of the center itself")
    help_ = "where Alertmanager finds the secret files (default: where they are here)"
    action.add_argument("--secrets", type=Path, metavar="DIR", help=help_)
    action.add_argument(
        "--url-files", action="store_true", help="for Alertmanager 0.26 or later: webhook_file may be used"
    )
    action.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: stdout")
    _render_prometheus(actions)
    help_ = "write the alert rules for a vmalert without toTime in its templates, 1.79 of Debian 12 for example"
    action = _command(actions, "vmalert", help_, run_render_vmalert)
    action.add_argument("--rules", type=Path, default=Path("alert_rules"), metavar="DIR", help="default: %(default)s")
    action.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for what is written")


def _render_prometheus(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    help_ = "write Prometheus' configuration: the center's, or what a yard's sender scrapes"
    action = _command(actions, "prometheus", help_, run_render_prometheus)
    source = action.add_mutually_exclusive_group()
    source.add_argument("--inventory", type=Path, metavar="FILE", help="one fleet (default: fleet.yml)")
    source.add_argument("--inventory-dir", type=Path, metavar="DIR", help="many fleets, one per *.yml in this folder")
    help_ = "where `serve --centre` is scraped; once for each shard"
    action.add_argument("--centre", action="append", metavar="HOST:PORT", help=help_)
    help_ = "whom Prometheus tells; once for each of them"
    action.add_argument("--alertmanager", action="append", metavar="HOST:PORT", help=help_)
    help_ = "where Prometheus finds the rules (default: %(default)s)"
    action.add_argument("--rules", default="/etc/prometheus/alert_rules/*.yml", metavar="GLOB", help=help_)
    help_ = "the boxes of the yards are scraped, by `scrape` in the inventory (default: they send)"
    action.add_argument("--scrape-yards", action="store_true", help=help_)
    action.add_argument("--terminal", metavar="NAME", help="of the sender of this terminal instead")
    help_ = "of its measurements: all, what alerts are made of, or the rest (default: %(default)s)"
    action.add_argument("--part", choices=("all", "vital", "rest"), default="all", help=help_)
    action.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: stdout")


def run_render_prometheus(arguments: argparse.Namespace) -> int:
    from yardlight import scraping

    inventory = arguments.inventory or Path("fleet.yml")
    if arguments.terminal:
        if arguments.inventory_dir or arguments.centre or arguments.alertmanager or arguments.scrape_yards:
            raise UsageError("render prometheus: --terminal goes with --inventory, --part and --output alone")
        return scraping.write_yard(inventory, arguments.terminal, arguments.part, arguments.output)
    if arguments.part != "all":
        raise UsageError(f"render prometheus: --part {arguments.part} is of a yard: add --terminal NAME")
    for option in ("centre", "alertmanager"):
        if not getattr(arguments, option):
            raise UsageError(f"render prometheus: --{option} HOST:PORT is missing; or write --terminal NAME for a yard")
    wanted = scraping.Centre(arguments.centre, arguments.alertmanager, arguments.rules, arguments.scrape_yards)
    return scraping.write_centre(inventory, arguments.inventory_dir, wanted, arguments.output)


def run_render(arguments: argparse.Namespace) -> int:
    from yardlight.drills import paper

    return paper.write(arguments.inventory, arguments.terminal, arguments.output)


def run_render_binder(arguments: argparse.Namespace) -> int:
    from yardlight.binder import book

    return book.write(arguments.inventory, arguments.terminal, arguments.output)


def run_render_alertmanager(arguments: argparse.Namespace) -> int:
    from yardlight import receivers

    wanted = receivers.Wanted(date.today().year, arguments.home, arguments.secrets, arguments.url_files)
    return receivers.write(arguments.inventory or Path("fleet.yml"), arguments.inventory_dir, wanted, arguments.output)


def run_render_vmalert(arguments: argparse.Namespace) -> int:
    from yardlight import vmalert

    return vmalert.write(arguments.rules, arguments.output)


def _inventory(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("inventory", help="make an inventory from a spreadsheet", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = _command(actions, "import", "make an inventory from a spreadsheet of circuits (CSV)", run_import)
    action.add_argument("table", type=Path, metavar="CSV", help="a row per circuit; see the columns below")
    action.add_argument("-o", "--output", type=Path, metavar="FILE", help="never overwritten (default: stdout)")
    action.add_argument("--fleet", default="my-fleet", metavar="NAME", help="default: %(default)s")
    action.epilog = (
        "Columns, in any order and spelling: terminal, timezone, uplink, role, medium, bind, next_hop, isp, circuit, "
        "support, targets (several in one cell, with spaces or commas between). Only terminal and targets are needed."
    )


def run_import(arguments: argparse.Namespace) -> int:
    from yardlight.inventory import spreadsheet

    return spreadsheet.convert(arguments.table, arguments.fleet, arguments.output)


def _probe(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("probe", help="ask something once and print the answer", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="WHAT", required=True)
    action = _command(actions, "router", "read a terminal's router once and print what it says", run_probe_router)
    action.add_argument("terminal", metavar="TERMINAL")
    _of_inventory(action)


def run_probe_router(arguments: argparse.Namespace) -> int:
    from yardlight.terminal.routers import probe

    return probe.probe(arguments.inventory, arguments.terminal)


def _records(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("records", help="could we produce the records today?", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = _records_action(actions, "check", "check archives now: what is missing, changed, unreadable", run_records)
    action.add_argument("archive", nargs="?", metavar="ARCHIVE", help="default: all of them")
    action.add_argument("--json", action="store_true", help="for machines")
    help_ = "pack the records of drivers or vehicles into a zip that says first what is missing"
    action = _records_action(actions, "retrieve", help_, run_records_retrieve)
    action.add_argument("--driver", action="append", default=[], metavar="CODE", help="once for each")
    action.add_argument("--vehicle", action="append", default=[], metavar="TRUCK", help="once for each")
    action.add_argument("--archive", action="append", default=[], metavar="NAME", help="once for each; default: all")
    action.add_argument("--from", dest="first", metavar="DAY", required=True, help="like 2026-02-03")
    action.add_argument("--to", dest="last", metavar="DAY", required=True, help="included")
    action.add_argument("--by", metavar="NAME", required=True, help="who asks")
    action.add_argument("--why", metavar="TEXT", required=True, help="an audit, a claim, test; kept with it")
    action.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: beside the state file")
    action.add_argument("--json", action="store_true", help="for machines")
    help_ = "before a vendor's account is closed: is everything here that has to be kept?"
    action = _records_action(actions, "exit-check", help_, run_records_exit)
    action.add_argument("account", metavar="ACCOUNT", help="the vendor, as archives name it")
    help_ = "take a file's present content, or that it is gone, for right"
    action = _records_action(actions, "accept", help_, run_records_accept)
    action.add_argument("archive", metavar="ARCHIVE")
    action.add_argument("path", metavar="PATH", help="as `records check` prints it")
    action.add_argument("--by", metavar="NAME", required=True, help="who says so")
    action.add_argument("--why", metavar="TEXT", required=True)

    help_ = "write days of a feed into its archive now, as `serve` does on schedule; the vendor is only read"
    action = _records_action(actions, "pull", help_, run_records_pull)
    action.add_argument("archive", nargs="?", metavar="ARCHIVE", help="default: all that have `pull`")
    action = _records_action(actions, "restored", "write down that a back-up was restored and opened", run_restored)
    action.add_argument("archive", metavar="ARCHIVE")
    action.add_argument("--by", metavar="NAME", required=True, help="who did it")
    action.add_argument("--why", metavar="TEXT", required=True, help="what was seen, like: 312 rows, newest of Friday")


def _records_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str, run: Command
) -> argparse.ArgumentParser:
    parser = _command(actions, name, help_, run)
    _of_inventory(parser)
    _beside_state(parser, "what is known of archives lies beside it")
    return parser


def _archives_of(arguments: argparse.Namespace) -> Archives:
    from yardlight.records.commands import Where

    return Where(arguments.inventory, arguments.state)


def run_records(arguments: argparse.Namespace) -> int:
    from yardlight.records import commands

    return commands.check(_archives_of(arguments), arguments.archive, arguments.json)


def run_records_pull(arguments: argparse.Namespace) -> int:
    from yardlight.feeds import pull

    return pull.command(arguments.inventory, arguments.archive)


def run_records_retrieve(arguments: argparse.Namespace) -> int:
    from yardlight.records import commands
    from yardlight.records.retrieval import Wanted

    wanted = Wanted(
        tuple(arguments.driver),
        tuple(arguments.vehicle),
        tuple(arguments.archive),
        commands.a_day(arguments.first),
        commands.a_day(arguments.last),
        arguments.by,
        arguments.why,
    )
    return commands.retrieve(_archives_of(arguments), wanted, arguments.output, arguments.json)


def run_records_exit(arguments: argparse.Namespace) -> int:
    from yardlight.records import commands

    return commands.exit_check(_archives_of(arguments), arguments.account)


def run_restored(arguments: argparse.Namespace) -> int:
    from yardlight.records import commands

    return commands.restored(_archives_of(arguments), arguments.archive, arguments.by, arguments.why)


def run_records_accept(arguments: argparse.Namespace) -> int:
    from yardlight.records import commands

    where = _archives_of(arguments)
    return commands.accept(where, arguments.archive, arguments.path, arguments.by, arguments.why)


def _demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "demo", "run a simulated fleet on this machine, or break the one that runs", run_demo)
    parser.add_argument(
        "--fault",
        metavar="FAULT",
        help="fontana.fiber=cut in the demo that is running; list names all faults",
    )
    parser.add_argument(
        "--until-notification",
        action="store_true",
        help="cut a circuit, print the first notification and end",
    )
    parser.add_argument("--fleet-only", action="store_true", help="leave Prometheus and Alertmanager to somebody else")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; default: %(default)s")
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="where to work; default: %(default)s")


def run_demo(arguments: argparse.Namespace) -> int:
    from yardlight.demo import DemoOptions, main

    return main(
        DemoOptions(
            fault=arguments.fault,
            until_notification=arguments.until_notification,
            fleet_only=arguments.fleet_only,
            host=arguments.host,
            folder=arguments.folder,
        )
    )
