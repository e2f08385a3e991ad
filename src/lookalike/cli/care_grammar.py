"""Grammar of the commands that describe a collection and care for it."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, add_encoder, command


def add(commands: Commands) -> None:
    """Add them."""
    _encoders(commands)
    _info(commands)
    _verify(commands)
    _compact(commands)
    _export(commands)
    _remove(commands)
    _migrate(commands)


def _encoders(commands: Commands) -> None:
    command(
        commands, "encoders", "care:encoders", "list encoders: layers, dimensions, input, licence, provenance"
    )


def _info(commands: Commands) -> None:
    add_collection(command(commands, "info", "care:info", "what a collection is"))


def _verify(commands: Commands) -> None:
    add_collection(
        command(
            commands, "verify", "care:verify", "check every checksum and the index; exit 1 names the damage"
        )
    )


def _compact(commands: Commands) -> None:
    add_collection(
        command(commands, "compact", "care:compact", "give back space and erase for good what was removed")
    )


def _export(commands: Commands) -> None:
    parser = command(commands, "export", "care:export", "write all items to a file")
    add_collection(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="items.parquet, or vectors.npy with a .csv beside it",
    )


def _remove(commands: Commands) -> None:
    parser = command(commands, "remove", "care:remove", "remove items by id or filter")
    add_collection(parser)
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--where", metavar="EXPR", help="remove what this filter selects")


def _migrate(commands: Commands) -> None:
    parser = command(
        commands, "migrate", "care:migrate", "re-embed with another encoder, then switch in one step"
    )
    add_collection(parser)
    add_encoder(parser)
    parser.add_argument(
        "--from-thumbnails", action="store_true", help="embed the thumbnail where the original is gone"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="decode threads (default: all cores)")
    parser.add_argument(
        "--on", metavar="RAY", help="embed on Ray, 'ray' or 'ray://HOST:PORT' (default: on this machine)"
    )
    parser.add_argument(
        "--gpus", type=float, default=0.0, metavar="N", help="of each block on Ray, such as 0.5 (default: 0)"
    )
