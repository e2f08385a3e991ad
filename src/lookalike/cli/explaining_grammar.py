"""Grammar of `lookalike explain` and `lookalike layers`."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add them."""
    _explain(commands)
    _layers(commands)


def _explain(commands: Commands) -> None:
    parser = command(commands, "explain", "explaining:explain", "where and why two images look alike")
    add_collection(parser)
    parser.add_argument("a", metavar="A", help="item id, image file or URL")
    parser.add_argument("b", metavar="B", help="item id, image file or URL")
    parser.add_argument(
        "--method",
        choices=("auto", "exact", "occlusion"),
        default="auto",
        help="exact shares of the similarity, or what covering a place costs (default: exact where it can be)",
    )
    parser.add_argument(
        "--pairs", type=int, default=5, metavar="N", help="matching regions at most (default: 5)"
    )
    parser.add_argument("--crop", metavar="X,Y,W,H", help="region of A to look at, pixels or fractions")
    parser.add_argument("--png", metavar="FILE", help="write a picture: heat-maps and matching regions")
    parser.add_argument("--html", metavar="FILE", help="write a report")


def _layers(commands: Commands) -> None:
    parser = command(
        commands, "layers", "explaining:layers", "what each stage of a network responds to in an image"
    )
    parser.add_argument("image", metavar="IMAGE", help="image file or URL")
    parser.add_argument("--encoder", metavar="NAME", help="see `lookalike encoders`")
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        metavar="NAME",
        help="a layer to look at; may be repeated (default: all that `lookalike encoders` lists)",
    )
    parser.add_argument("--resize", choices=("pad", "crop", "squash"))
    parser.add_argument(
        "--channels", type=int, default=6, metavar="N", help="strongest channels of each layer (default: 6)"
    )
    parser.add_argument(
        "--by",
        choices=("energy", "peak"),
        default="energy",
        help="the strongest vary most over the image, or have the largest single response",
    )
    parser.add_argument("--png", metavar="FILE", help="write a picture: a row of maps for each layer")
    parser.add_argument("--html", metavar="FILE", help="write a report")
