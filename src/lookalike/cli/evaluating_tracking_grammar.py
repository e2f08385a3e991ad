"""Grammar of ``lookalike evaluate tracking`` and ``evaluate reid``."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, command


def add(tasks: Commands) -> None:
    """Add them to the tasks of ``evaluate``."""
    _tracking(tasks)
    _reid(tasks)


def _tracking(tasks: Commands) -> None:
    parser = command(
        tasks, "tracking", "evaluating_tracking:tracking", "IDF1, HOTA and MOTA of tracks over all cameras"
    )
    parser.add_argument(
        "truth", metavar="TRUTH", help="a folder with CAMERA.txt of each camera (MOTChallenge)"
    )
    parser.add_argument(
        "result", metavar="RESULT|COLLECTION", help="a folder with CAMERA.txt, or a collection"
    )
    parser.add_argument(
        "--cameras", nargs="+", metavar="NAME", help="evaluate these (default: all of the truth)"
    )
    parser.add_argument(
        "--iou", type=float, default=0.5, metavar="F", help="overlap that makes a match (default: 0.5)"
    )
    parser.add_argument(
        "--scope",
        choices=("all", "camera"),
        default="all",
        help="identities hold over all cameras, or within each alone, as in unrelated sequences (default: all)",
    )


def _reid(tasks: Commands) -> None:
    parser = command(
        tasks,
        "reid",
        "evaluating_tracking:reidentification",
        "CMC, mAP and mINP of finding people again in other cameras",
    )
    parser.add_argument(
        "folder",
        metavar="DIR",
        help="Market-1501, or crops PERSON_CAMERA_FRAME with query.txt and gallery.txt",
    )
    parser.add_argument("--encoder", metavar="NAME", help="see `lookalike encoders`, or onnx:PATH")
    parser.add_argument(
        "-k", type=int, action="append", metavar="N", help="CMC-k; may be repeated (default: 1, 5)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="decode threads (default: all cores)")
