"""Grammar of tracking: ``track``, ``identities``, ``follow`` and the tasks of ``identity``."""

from __future__ import annotations

import argparse

from lookalike.cli.grammar import Commands, add_collection, command, group


def add(commands: Commands) -> None:
    """Add them."""
    _track(commands)
    _identities(commands)
    _follow(commands)
    tasks = group(commands, "identity", "correct identities, enrol by name, see searches, erase what is old")
    _corrections(tasks)
    _gallery(tasks)
    _care(tasks)


def _track(commands: Commands) -> None:
    parser = command(
        commands, "track", "tracking:track", "find who or what was seen where and when by cameras"
    )
    parser.add_argument("cameras", metavar="CAMERAS.json", help="the cameras and their recordings")
    parser.add_argument(
        "--to", required=True, metavar="COLLECTION", help="the collection; made when it does not exist"
    )
    parser.add_argument(
        "--detections", metavar="DIR", help="take boxes from CAMERA.txt (MOTChallenge) instead of detecting"
    )
    parser.add_argument(
        "--detector",
        default="motion",
        metavar="NAME",
        help="motion (built in, for cameras that do not move), or onnx:PATH (default: motion)",
    )
    parser.add_argument(
        "--encoder", metavar="onnx:PATH", help="a re-identification network instead of the collection's own"
    )
    parser.add_argument(
        "--mode",
        choices=("offline", "online"),
        default="offline",
        help="all at once, or bit by bit with bounded memory (default: offline)",
    )
    parser.add_argument(
        "--false-match-rate",
        type=float,
        metavar="F",
        help="share of comparisons of two different things that may be matched (default: as many as are missed)",
    )
    parser.add_argument(
        "--retain",
        action="append",
        default=[],
        metavar="[CAMERA=]AGE",
        help="keep what was seen for 72h, 30d or forever; of all cameras, or of one; may be repeated",
    )


def _identities(commands: Commands) -> None:
    parser = command(commands, "identities", "tracking:identities", "who or what was seen, where and when")
    add_collection(parser)
    _selection(parser)
    known = parser.add_mutually_exclusive_group()
    known.add_argument(
        "--named", action="store_true", help="only those who have a name or look like one enrolled"
    )
    known.add_argument("--unknown", action="store_true", help="only the others")
    parser.add_argument(
        "--min-sightings", type=int, default=1, metavar="N", help="leave out those with fewer"
    )
    parser.add_argument("--mot", metavar="DIR", help="write CAMERA.txt (MOTChallenge) of all identities")
    parser.add_argument("--csv", metavar="FILE", help="write every sighting: .csv or .json")
    parser.add_argument(
        "--html", metavar="FILE", help="write a report: timelines, ways from camera to camera"
    )
    parser.add_argument("--video", metavar="DIR", help="write CAMERA.mp4 with boxes and identities")


def _follow(commands: Commands) -> None:
    parser = command(commands, "follow", "tracking:follow", "every sighting of one person or thing, by time")
    add_collection(parser)
    parser.add_argument("what", metavar="IDENTITY|NAME|IMAGE", help="an id such as i3, a name, or a picture")
    _selection(parser)
    parser.add_argument("--crop", metavar="X,Y,W,H", help="look at this region of the picture")
    _false_match_rate(parser, "for a picture: ")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; goes to the log of searches")
    parser.add_argument("--who", default="", metavar="NAME", help="who asks (default: the account)")
    parser.add_argument("--html", metavar="FILE", help="write a report")
    parser.add_argument("--video", metavar="DIR", help="write CAMERA.mp4 of the times it was seen")
    parser.add_argument(
        "--hide",
        choices=("others", "rest"),
        help="in the video: make others unrecognisable, or all of the picture but the one asked for",
    )


def _selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--between",
        nargs=2,
        metavar=("FROM", "TO"),
        help="ISO 8601, UTC where no zone is given; - for an open end",
    )
    parser.add_argument("--camera", metavar="NAME", help="only what this camera saw")


def _false_match_rate(parser: argparse.ArgumentParser, when: str) -> None:
    parser.add_argument(
        "--false-match-rate",
        type=float,
        metavar="F",
        help=f"{when}share of comparisons with somebody else that may be taken for a match",
    )


def _corrections(tasks: Commands) -> None:
    parser = command(tasks, "merge", "identity:merge", "say that two identities are one; kept for later runs")
    add_collection(parser)
    parser.add_argument("first", metavar="IDENTITY", help="keeps its id")
    parser.add_argument("second", metavar="OTHER", help="becomes part of it")
    parser = command(
        tasks, "split", "identity:split", "say that some tracklets are somebody else; kept for later runs"
    )
    add_collection(parser)
    parser.add_argument("identity", metavar="IDENTITY")
    parser.add_argument("tracklets", nargs="+", metavar="TRACKLET", help="those that leave, such as t12")
    parser = command(tasks, "rename", "identity:rename", "give an identity a name, or take it away")
    add_collection(parser)
    parser.add_argument("identity", metavar="IDENTITY")
    parser.add_argument("name", nargs="?", metavar="NAME", help="none: take the name away")
    parser = command(
        tasks, "remove", "identity:remove", "leave an identity's tracklets out, in later runs too"
    )
    add_collection(parser)
    parser.add_argument("identity", metavar="IDENTITY")


def _gallery(tasks: Commands) -> None:
    parser = command(
        tasks, "enrol", "identity:enrol", "let a person or thing be recognised by name, from pictures"
    )
    add_collection(parser)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="upright crops of it, a few")
    _false_match_rate(parser, "")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; goes to the log of searches")
    parser.add_argument("--who", default="", metavar="NAME", help="who asks (default: the account)")
    parser = command(tasks, "unenrol", "identity:unenrol", "forget whom was enrolled under a name")
    add_collection(parser)
    parser.add_argument("name", metavar="NAME")
    add_collection(command(tasks, "gallery", "identity:gallery", "who is enrolled"))


def _care(tasks: Commands) -> None:
    add_collection(
        command(tasks, "cameras", "identity:cameras", "the cameras and how far they were looked at")
    )
    add_collection(command(tasks, "audit", "identity:audit", "every search for a person or thing"))
    parser = command(tasks, "erase", "identity:erase", "erase what is older than its camera retains")
    add_collection(parser)
    parser.add_argument("--now", metavar="T", help="as if it were that time, ISO 8601 (default: now)")
