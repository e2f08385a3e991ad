"""Grammar of the commands that fill collections."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_encoder, add_sources, command


def add(commands: Commands) -> None:
    """Add them."""
    _demo(commands)
    _embed(commands)
    _index(commands)


def _demo(commands: Commands) -> None:
    parser = command(
        commands, "demo", "demo:demo", "the whole tour on the packaged sample, then where to look"
    )
    parser.add_argument(
        "--to", default="demo", metavar="FOLDER", help="where to put the results (default: demo/)"
    )


def _embed(commands: Commands) -> None:
    parser = command(
        commands, "embed", "filling:embed", "write vectors of images to a file, without a collection"
    )
    add_sources(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="vectors.npy (ids in a .csv beside it) or .parquet",
    )
    add_encoder(parser)


def _index(commands: Commands) -> None:
    parser = command(
        commands, "index", "filling:index", "bring a collection up to date with sources of images"
    )
    add_sources(parser)
    parser.add_argument(
        "--to", required=True, metavar="COLLECTION", help="the collection; made when it does not exist"
    )
    add_encoder(parser)
    parser.add_argument("--attributes", metavar="FILE", help="CSV, TSV or Parquet table of attributes")
    parser.add_argument("--key", metavar="COLUMN", help="its column that holds item ids (default: id)")
    parser.add_argument("--prefix", metavar="NAME", help="takes the place of the source's name in ids")
    parser.add_argument("--prune", action="store_true", help="remove items that vanished from these sources")
    parser.add_argument(
        "--on",
        metavar="RAY",
        help="ray, or ray://HOST:PORT: on the machines of a Ray cluster; --workers then says how many workers",
    )
    parser.add_argument(
        "--gpus", type=float, default=0.0, metavar="N", help="of each worker on Ray, such as 0.5 (default: 0)"
    )
