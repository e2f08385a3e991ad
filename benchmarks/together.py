"""What goes together, learned from everyone's interactions: time and memory of learning and of asking.

Interactions are synthetic, of clustered tastes: every user has a few tastes, every taste is a set of units whose
popularity falls off as 1 / rank, a fifth of the events is noise. ``--events N ...`` are the sizes, each measured in a
process of its own; users are N / 200, units ``--units``. Peak memory is of the whole process, with the interpreter and
SciPy; the events themselves are in it too.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys

import numpy as np

from benchmarks.report import keep, markdown

PER_USER = 200
TASTE_SIZE = 100
TASTES_OF_A_USER = 4
NOISE = 0.2

ONE_SIZE = """
import json, resource, sys, time
import numpy as np
from benchmarks.together import PER_USER, synthetic
from lookalike.tasks.recommend.together_fit import fit_together
from lookalike.tasks.recommend.together_validation import validate_together
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
events, units, validate = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True"
user, unit, weight, seconds = synthetic(events, units)
import scipy.sparse  # what it costs is no part of the model's memory
before, start = peak(), time.perf_counter()
model = fit_together(user, unit, weight, units=units)
fitted, after = time.perf_counter() - start, peak()
random = np.random.default_rng(1)
asked = []
for who in random.permutation(events // PER_USER)[:300]:
    own = user == who
    units_of, counts = np.unique(unit[own], return_counts=True)
    asked.append((units_of, counts.astype(np.float64)))
times = []
for profile in asked:
    start = time.perf_counter()
    model.affinity(*profile)
    times.append(1e3 * (time.perf_counter() - start))
row = {"events": events, "users": events // PER_USER, "units": units, "fit s": round(fitted, 2),
    "peak MB": round(after), "of it before MB": round(before), "entries": len(model.data),
    "longest row": int(np.diff(model.indptr).max()),
    "units of a profile": round(float(np.mean([len(p[0]) for p in asked])), 1),
    "profile ms p50": round(float(np.median(times)), 3), "profile ms p99": round(float(np.quantile(times, 0.99)), 3)}
if validate:
    start = time.perf_counter()
    chosen = validate_together(user, unit, weight, seconds, weight > 1, units=units)
    row |= {"validation s": round(time.perf_counter() - start, 1), "ridge": chosen.ridge, "half-life": chosen.half_life}
    row["peak MB with validation"] = round(peak())
print(json.dumps(row))
"""


def synthetic(
    events: int, units: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Events of clustered tastes.

    Returns:
        user int64 (e,), unit int64 (e,), weight float64 (e,) of 1, 3 or 5, and time float64 (e,), seconds, ascending.
    """
    random = np.random.default_rng(seed)
    users, tastes = events // PER_USER, max(TASTES_OF_A_USER, 2 * units // TASTE_SIZE)
    members = random.integers(0, units, (tastes, TASTE_SIZE))
    rank_share = 1 / np.arange(1, TASTE_SIZE + 1)
    taste_share = 1 / np.arange(1, tastes + 1) ** 0.5
    of_user = random.choice(tastes, (users, TASTES_OF_A_USER), p=taste_share / taste_share.sum())
    user = np.repeat(np.arange(users), PER_USER)[random.permutation(users * PER_USER)]
    taste = of_user[user, random.integers(0, TASTES_OF_A_USER, len(user))]
    unit = members[taste, random.choice(TASTE_SIZE, len(user), p=rank_share / rank_share.sum())]
    noise = random.random(len(user)) < NOISE
    popularity = 1 / np.arange(1, units + 1) ** 0.8
    unit[noise] = random.choice(units, int(noise.sum()), p=popularity / popularity.sum())
    weight = random.choice([1.0, 3.0, 5.0], len(user), p=[0.7, 0.2, 0.1])
    return user, unit, weight, np.sort(random.random(len(user))) * 100 * 86400


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[100_000, 500_000, 2_000_000], metavar="N")
    parser.add_argument("--units", type=int, nargs="+", default=[20_000], metavar="N")
    parser.add_argument("--validate", action="store_true", help="also choose ridge and half-life")
    options = parser.parse_args()
    rows = []
    for units in options.units:
        for events in options.events:
            command = [sys.executable, "-c", ONE_SIZE, str(events), str(units), str(options.validate)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print(rows[-1], flush=True)
    facts: dict[str, object] = {}
    small, large = rows[0], rows[-1]
    if len(options.units) == 1 and small["events"] < large["events"]:
        growth = math.log(large["fit s"] / small["fit s"]) / math.log(large["events"] / small["events"])
        facts["growth exponent of fit s"] = round(growth, 2)
        print(markdown([facts]))
    keep("together", rows, **facts)


if __name__ == "__main__":
    main()
