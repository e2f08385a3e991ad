"""The README's session runs as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_first_session_runs_and_prints_what_the_readme_shows(tmp_path: Path) -> None:
    code, shown = re.findall(
        r"```python\n(.*?)```\n+```text\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL
    )[0]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown
    assert (tmp_path / "answer.html").exists()


def test_the_command_line_session_runs(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    (block,) = re.findall(r"```console\n(.*?)```", text, re.DOTALL)[:1]
    commands = [line[2:] for line in block.splitlines() if line.startswith("$ lookalike")]
    assert len(commands) >= 4
    for command in commands:
        line = command.replace("lookalike ", f"{sys.executable} -m lookalike ", 1)
        done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_links_into_the_repository_lead_somewhere() -> None:
    for page in [README, *README.parent.glob("docs/*.md"), README.parent / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
