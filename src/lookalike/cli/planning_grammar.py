"""The grammar of planning."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, command


def add(commands: Commands) -> None:
    """Add ``plan``."""
    parser = command(
        commands,
        "plan",
        "planning:plan",
        "work out machines, memory, storage, hours and money for a workload",
    )
    asked = parser.add_argument_group("what is asked")
    asked.add_argument("--images", type=float, metavar="N", help="pictures to embed and keep, such as 1e9")
    asked.add_argument("--qps", type=float, default=10.0, metavar="F", help="searches a second (default: 10)")
    asked.add_argument("--p99", default="100ms", metavar="TIME", help="such as 50ms or 0.2s (default: 100ms)")
    asked.add_argument(
        "--encoder",
        action="append",
        metavar="NAME",
        help="see `lookalike encoders`; repeat it with --calibrate",
    )
    asked.add_argument(
        "--dims", type=int, metavar="N", help="of the vectors searched in process (default: the encoder's)"
    )
    asked.add_argument("--precision", default="f16", choices=("f32", "f16", "i8"), help="default: f16")
    asked.add_argument(
        "--uploads",
        type=float,
        default=1.0,
        metavar="F",
        help="share of searches that bring a picture (default: 1)",
    )
    asked.add_argument(
        "--hours", type=float, default=24.0, metavar="F", help="for the first embedding (default: 24)"
    )
    asked.add_argument("--replicas", type=int, default=2, metavar="N", help="of what answers (default: 2)")
    rented = parser.add_argument_group("what is rented")
    rented.add_argument("--cores", type=int, default=16, metavar="N", help="of one machine (default: 16)")
    rented.add_argument(
        "--memory", type=float, default=64.0, metavar="GB", help="of one machine (default: 64)"
    )
    rented.add_argument(
        "--price", type=float, default=0.8, metavar="F", help="of a machine-hour (default: 0.80)"
    )
    rented.add_argument(
        "--storage-price", type=float, default=0.025, metavar="F", help="of a GB for a month (default: 0.025)"
    )
    rented.add_argument(
        "--core-speed",
        type=float,
        default=1.0,
        metavar="F",
        help="against a core that was measured (default: 1)",
    )
    costs = parser.add_argument_group("what it rests on")
    costs.add_argument(
        "--calibrate",
        nargs="?",
        const="",
        metavar="PICTURES",
        help="measure this machine first, with pictures of yours or the packaged sample; two to three minutes",
    )
    costs.add_argument("--save", metavar="FILE", help="keep what was measured")
    costs.add_argument("--measured", metavar="FILE", help="plan with what was kept")
    costs.add_argument("--seed", type=int, default=0, metavar="N", help="of the simulations")
