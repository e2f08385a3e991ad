"""The web page on replicas: in a real browser, while they are killed; see web/e2e/replicas.on-ray.ts.

It is here and not among the other tests of the page because it takes a Ray cluster, and most of a minute.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_on_ray import OnRay, scratch_folder, serving

import lookalike
from lookalike.service.replica_routing import ENCODERS, REPLICAS

WEB = Path(__file__).parents[2] / "web"
PLAYWRIGHT = WEB / "node_modules" / ".bin" / "playwright"
SECONDS = 240


@pytest.fixture(scope="module")
def service(shop_folder: Path) -> Iterator[OnRay]:
    with scratch_folder() as scratch:
        lookalike.copy(shop_folder, scratch / "shop.lance", progress=False)
        with lookalike.open(scratch / "shop.lance") as shop:
            shop.cluster(12, stability=False, progress=False)
            shop.map(progress=False)
        with serving(scratch, scratch / "shop.lance", "--replicas", "2") as running:
            yield running


@pytest.mark.skipif(not PLAYWRIGHT.exists(), reason="needs Playwright: cd web && npm ci")
@pytest.mark.skipif(
    shutil.which(os.environ.get("CHROMIUM", "chromium")) is None,
    reason="needs Chromium: apt install chromium",
)
def test_the_page_does_not_notice_that_replicas_are_killed(service: OnRay) -> None:
    replicas = service.pids(REPLICAS + ":")
    (encoder,) = service.pids(ENCODERS + ":")
    assert len(replicas) == 2
    environment = {
        **os.environ,
        "LOOKALIKE_URL": service.url,
        "LOOKALIKE_KEY": service.token,
        "LOOKALIKE_REPLICAS": ",".join(map(str, replicas)),
        "LOOKALIKE_ENCODER": str(encoder),
    }
    ended = subprocess.run(
        [str(PLAYWRIGHT), "test", "--config", "playwright.replicas.config.ts"],
        cwd=WEB,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0 and "1 passed" in ended.stdout, ended.stdout + ended.stderr
    assert not set(replicas) & set(service.pids(REPLICAS + ":"))
