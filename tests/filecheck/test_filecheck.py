"""Runs the lit tests of this folder; every `.mlir` file is one."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_ir_as_text(tmp_path: Path) -> None:
    for tool in ("lit", "filecheck"):
        assert importlib.util.find_spec(tool) is not None, f"{tool} is missing: pip install .[test]"
    run = [sys.executable, "-c", "from lit.main import main; main()", "-v", "-j2", str(HERE)]
    environment = {**os.environ, "PTO_LIT_OUTPUT": str(tmp_path)}
    result = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Passed" in result.stdout
