# `config` is injected by lit. Tests call the ptoc and filecheck of the Python that runs them.
import os
import sys

import lit.formats

config.name = "pto_wsp"
config.test_format = lit.formats.ShTest()
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.environment["PTO_LIT_OUTPUT"] = os.environ["PTO_LIT_OUTPUT"]

for name in ("PYTHONPATH", "VIRTUAL_ENV", "HOME"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

python = f'"{sys.executable}"'
config.substitutions = [
    # Both syntaxes and the locations survive; no pass runs.
    (
        "ROUNDTRIP",
        "ptoc %s -p '' | ptoc - -p '' --print-op-generic --print-debuginfo"
        " | ptoc - -p '' | filecheck %s",
    ),
    ("INVALID", "ptoc %s -p '' --verify-diagnostics --split-input-file"),
    # Not inside a path, and not what was put in before.
    (r"(?<![\w./-])ptoc(?![\w./-])", f"{python} -m pto_wsp.tools.ptoc"),
    (r"(?<![\w./-])filecheck(?![\w./-])", f"{python} -m filecheck"),
]
