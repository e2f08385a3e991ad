"""``lookalike identity``: corrections, the gallery, cameras, searches, retention."""

from __future__ import annotations

import argparse
import sys

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json, print_table
from lookalike.cli.tracking import rate_of
from lookalike.ingest.interactions import parse_time
from lookalike.reports.clock import lasting, moment


def merge(options: argparse.Namespace) -> int:
    """Say that two identities are one."""
    with lookalike.open(options.collection) as collection:
        identity = collection.merge(options.first, options.second)
    if options.json:
        print_json({"identity": identity, "merged": [options.first, options.second]})
    else:
        print(f"{options.first} and {options.second} are {identity} now")
    return DONE


def split(options: argparse.Namespace) -> int:
    """Say that some tracklets are somebody else."""
    with lookalike.open(options.collection) as collection:
        identity = collection.split(options.identity, options.tracklets)
    if options.json:
        print_json({"identity": identity, "from": options.identity, "tracklets": options.tracklets})
    else:
        print(f"{', '.join(options.tracklets)} of {options.identity} are {identity} now")
    return DONE


def rename(options: argparse.Namespace) -> int:
    """Give an identity a name, or take it away."""
    with lookalike.open(options.collection) as collection:
        collection.rename(options.identity, options.name)
    if options.json:
        print_json({"identity": options.identity, "name": options.name})
    else:
        print(
            f"{options.identity} "
            + ("has no name now" if options.name is None else f"is called {options.name}")
        )
    return DONE


def remove(options: argparse.Namespace) -> int:
    """Leave an identity's tracklets out."""
    with lookalike.open(options.collection) as collection:
        gone = collection.remove_identity(options.identity)
    if options.json:
        print_json({"identity": options.identity, "tracklets": gone})
    else:
        print(f"{options.identity} removed: {gone} tracklets belong to no identity now")
    return DONE


def enrol(options: argparse.Namespace) -> int:
    """Let somebody be recognised by name."""
    with lookalike.open(options.collection) as collection:
        done = collection.enrol(
            options.name, options.images, reason=options.reason, who=options.who, **rate_of(options)
        )
    if options.json:
        print_json({"name": done.name, "pictures": len(done.pictures), "identities": list(done.identities)})
    else:
        print(
            f"{done.name}: {len(done.pictures)} pictures; recognised as it: {', '.join(done.identities) or 'nobody'}"
        )
    return DONE


def unenrol(options: argparse.Namespace) -> int:
    """Forget whom was enrolled under a name."""
    with lookalike.open(options.collection) as collection:
        known = collection.unenrol(options.name)
    if options.json:
        print_json({"name": options.name, "unenrolled": known})
    elif not known:
        print(f"nobody is enrolled as {options.name}")
    else:
        print(f"{options.name} is forgotten")
        print(
            f"free space still holds its pictures until `lookalike compact {options.collection}`",
            file=sys.stderr,
        )
    return DONE


def gallery(options: argparse.Namespace) -> int:
    """Who is enrolled."""
    with lookalike.open(options.collection) as collection:
        enrolled = collection.gallery()
    if options.json:
        print_json(
            [
                {
                    "name": each.name,
                    "pictures": len(each.pictures),
                    "usable": each.usable,
                    "identities": list(each.identities),
                }
                for each in enrolled
            ]
        )
        return DONE
    rows = [(each.name, len(each.pictures), ", ".join(each.identities)) for each in enrolled]
    print_table("gallery", ["name", "pictures", "recognised"], rows, right=["pictures"])
    for each in enrolled:
        if not each.usable:
            print(f"{each.name} was described by another network: enrol it anew", file=sys.stderr)
    return DONE


def cameras(options: argparse.Namespace) -> int:
    """The cameras and how far they were looked at."""
    with lookalike.open(options.collection) as collection:
        known = collection.cameras()
    if options.json:
        print_json([each.to_dict() for each in known])
        return DONE
    rows = [
        (
            each.name,
            f"{each.kind} {each.source}",
            moment(each.start),
            "" if each.last is None else moment(each.last),
            f"{each.frames:,}",
            f"{each.tracklets:,}",
            "" if each.retain is None else lasting(each.retain),
        )
        for each in known
    ]
    columns = ["camera", "source", "from", "to", "frames", "tracklets", "retains"]
    print_table("cameras", columns, rows, right=["frames", "tracklets"])
    return DONE


def audit(options: argparse.Namespace) -> int:
    """Every search for a person or thing."""
    with lookalike.open(options.collection) as collection:
        searches = collection.audit_log()
    if options.json:
        print_json([each.to_dict() for each in searches])
        return DONE
    rows = [
        (moment(each.time), each.who, each.kind, each.query[:12], each.reason, each.answers)
        for each in searches
    ]
    columns = ["time", "who", "what", "SHA-256", "reason", "answers"]
    print_table(f"{len(rows):,} searches", columns, rows, right=["answers"])
    return DONE


def erase(options: argparse.Namespace) -> int:
    """Erase what is older than its camera retains."""
    now = None if options.now is None else parse_time(options.now)
    with lookalike.open(options.collection) as collection:
        gone = collection.erase_expired(now)
    if options.json:
        print_json(gone._asdict())
        return DONE
    for camera, tracklets in gone.tracklets.items():
        print(f"{camera}: {tracklets:,} tracklets erased")
    print(f"{gone.sightings:,} sightings and {gone.identities:,} identities are gone")
    if gone.sightings:
        print(f"free space still holds them until `lookalike compact {options.collection}`", file=sys.stderr)
    return DONE
