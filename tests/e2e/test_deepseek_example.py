"""The DeepSeek example as its users run it: output, checks, exit codes, weights from files."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "deepseek_v3"
SCRIPT = FOLDER / "deepseek_v3_example.py"

BEFORE = """\
============================================================
PTO-RT v9 DeepSeek-V3.2 MoE Example
============================================================
Configuration (DeepSeek-V3 style):
  Batch size: 1
  Sequence length: 256
  Hidden dimension: 4096
MLA Configuration:
  Num heads: 32
  Head dim: 128
  KV LoRA rank: 512
MoE Configuration:
  Total experts: 256
  Active experts (top-K): 8
  Shared experts: 2
  Expert FFN dim: 1536
Task estimation:
  RMSNorm: 16
  MLA: 40
  Router: 16
  Expert FFN (sparse): 2048
  Shared experts: 16
  Combine + residual: 32
JIT Kernels (@jit_kernel + tl.*):
  expert_ffn_jit (cube): tl.matmul, tl.neg, tl.exp, tl.div, tl.mul
  router_jit: tl.matmul
  mla_attention_jit: tl.matmul, tl.rsqrt, tl.rowmax, tl.exp, tl.rowsum, tl.div
Building workload...
  Workload kind: combine
Basic task graph schedule:
  Deps: hybrid
  Window: 16384
  Pools: by_exec_unit
  Trace: cycles
Advanced schedule (with R5 extensions):
  Dispatch threshold: [256, 1024, 4096]
  Batch deps: threshold=128
  Pipeline depth: 3
Compiling program...
  Program type: Program
Executing with CPU simulation...
""".splitlines()
AFTER = """\
Execution complete!
Example completed successfully!
============================================================
""".splitlines()
SUCCESS = "Example completed successfully!"


def run(*arguments: str | Path) -> SimpleNamespace:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)


def in_order(wanted: list[str], text: str) -> bool:
    lines = iter(text.splitlines())
    return all(line in lines for line in wanted)


@pytest.fixture(scope="session")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """One run of the whole example, shared by all processes of a test session."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    result, traces = folder / "deepseek.json", folder / "deepseek_traces"
    with (folder / "deepseek.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            result.write_text(json.dumps(vars(run(SCRIPT, "--trace-dir", traces))))
    return SimpleNamespace(**json.loads(result.read_text()), traces=traces)


def test_the_whole_example_succeeds_and_prints_its_lines_in_order(full_run):
    assert full_run.code == 0, full_run.out + full_run.err
    assert in_order(BEFORE + AFTER, full_run.out), full_run.out


def test_only_the_deprecated_methods_warn(full_run):
    warned = [line for line in full_run.err.splitlines() if "Warning" in line]
    assert len(warned) == 2, full_run.err
    assert "batch_deps() is deprecated (L10)" in warned[0]
    assert "pipeline_depth() is deprecated (L10)" in warned[1]


def test_every_kind_of_value_is_checked(full_run):
    checks = [line.split() for line in full_run.out.splitlines() if line.startswith("    ok ")]
    names = [words[1] for words in checks]
    assert "FAILED" not in full_run.out
    for name in ("h", "o", "x1", "h2", "logits", "chosen", "weights", "parts", "shared", "out"):
        layers = 3 * (2 if name == "chosen" else 1)  # full size, and twice reduced
        assert names.count(name) == layers, name


def test_both_schedules_report_and_leave_a_trace(full_run):
    assert full_run.out.count("makespan: ") == 2
    assert len(list(full_run.traces.glob("*.pftrace"))) == 2


def test_a_folder_that_cannot_be_made_is_told_before_the_run():
    done = run(SCRIPT, "--timing-only", "--trace-dir", "/dev/null/traces")
    assert done.code == 1
    assert done.err.startswith("error: ")
    assert "/dev/null/traces" in done.err
    assert done.out == ""


def test_timing_only_says_the_same_each_time(tmp_path):
    runs = [run(SCRIPT, "--timing-only", "--trace-dir", tmp_path / name) for name in "ab"]
    assert runs[0].code == 0, runs[0].err
    assert in_order(BEFORE + AFTER, runs[0].out)
    assert "    ok     h " not in runs[0].out
    assert runs[0].out.replace("/a/", "/b/") == runs[1].out
    traces = [{f.name: f.read_bytes() for f in (tmp_path / name).iterdir()} for name in "ab"]
    assert len(traces[0]) == 2
    assert traces[0] == traces[1]


# ---- Weights from files ----------------------------------------------------------------------

TINY = {
    "hidden_size": 64,
    "num_attention_heads": 2,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 8,
    "v_head_dim": 16,
    "kv_lora_rank": 24,
    "q_lora_rank": None,
    "n_routed_experts": 16,
    "n_group": 4,
    "topk_group": 2,
    "num_experts_per_tok": 3,
    "n_shared_experts": 2,
    "moe_intermediate_size": 32,
    "routed_scaling_factor": 2.5,
    "rope_theta": 10000.0,
    "rms_norm_eps": 1e-6,
    "rope_scaling": None,
    "norm_topk_prob": True,
}


def tiny_arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One layer in the names and the [out, in] shapes of transformers' deepseek_v3."""

    def matrix(out: int, into: int) -> np.ndarray:
        return (rng.normal(size=(out, into)) * into**-0.5).astype(np.float32)

    def norm(width: int) -> np.ndarray:
        return rng.uniform(0.5, 1.5, width).astype(np.float32)

    H, F = TINY["hidden_size"], TINY["moe_intermediate_size"]
    attention = {
        "self_attn.q_proj.weight": matrix(2 * 24, H),
        "self_attn.kv_a_proj_with_mqa.weight": matrix(24 + 8, H),
        "self_attn.kv_a_layernorm.weight": norm(24),
        "self_attn.kv_b_proj.weight": matrix(2 * 32, 24),
        "self_attn.o_proj.weight": matrix(H, 2 * 16),
        "input_layernorm.weight": norm(H),
        "post_attention_layernorm.weight": norm(H),
    }
    moe = {
        "mlp.gate.weight": matrix(16, H),
        "mlp.gate.e_score_correction_bias": rng.normal(size=16).astype(np.float32) * 0.1,
    }
    ffns = {"mlp.shared_experts": 2 * F} | {f"mlp.experts.{e}": F for e in range(16)}
    for name, width in ffns.items():
        moe[f"{name}.gate_proj.weight"] = matrix(width, H)
        moe[f"{name}.up_proj.weight"] = matrix(width, H)
        moe[f"{name}.down_proj.weight"] = matrix(H, width)
    return {f"model.layers.3.{name}": values for name, values in (attention | moe).items()}


@pytest.fixture
def tiny_layer(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """A folder with one layer, its tensors in two files."""
    folder = tmp_path / "weights"
    folder.mkdir()
    arrays = tiny_arrays(np.random.default_rng(5))
    names = sorted(arrays)
    for i in range(2):
        save_file({n: arrays[n] for n in names[i::2]}, folder / f"model-{i}.safetensors")
    (folder / "config.json").write_text(json.dumps(TINY))
    return folder, arrays


def hugging_face_layer(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The layer straight from the files' matrices, token by token where that is simplest."""

    def weight(name: str) -> np.ndarray:
        return w[f"model.layers.3.{name}"].astype(np.float64)

    def norm(v: np.ndarray, name: str) -> np.ndarray:
        return weight(name) * v / np.sqrt((v * v).mean(-1, keepdims=True) + 1e-6)

    def rotate(v: np.ndarray) -> np.ndarray:
        out = v.copy()
        for i in range(4):
            angle = np.arange(len(v)) * 10000.0 ** (-2 * i / 8)
            even, odd = v[:, 2 * i], v[:, 2 * i + 1]
            out[:, 2 * i] = even * np.cos(angle) - odd * np.sin(angle)
            out[:, 2 * i + 1] = even * np.sin(angle) + odd * np.cos(angle)
        return out

    def ffn(v: np.ndarray, name: str) -> np.ndarray:
        gate = v @ weight(f"{name}.gate_proj.weight").T
        up = v @ weight(f"{name}.up_proj.weight").T
        return (gate / (1 + np.exp(-gate)) * up) @ weight(f"{name}.down_proj.weight").T

    h = norm(x, "input_layernorm.weight")
    q = (h @ weight("self_attn.q_proj.weight").T).reshape(-1, 2, 24)
    kv = h @ weight("self_attn.kv_a_proj_with_mqa.weight").T
    k_pe = rotate(kv[:, 24:])
    latent = norm(kv[:, :24], "self_attn.kv_a_layernorm.weight")
    kv = (latent @ weight("self_attn.kv_b_proj.weight").T).reshape(-1, 2, 32)
    heads = []
    for head in range(2):
        keys = np.hstack([kv[:, head, :16], k_pe])
        queries = np.hstack([q[:, head, :16], rotate(q[:, head, 16:])])
        score = np.where(np.tri(len(x), dtype=bool), queries @ keys.T * 24**-0.5, -np.inf)
        p = np.exp(score - score.max(-1, keepdims=True))
        heads.append(p / p.sum(-1, keepdims=True) @ kv[:, head, 16:])
    x1 = x + np.hstack(heads) @ weight("self_attn.o_proj.weight").T
    h2 = norm(x1, "post_attention_layernorm.weight")

    s = 1 / (1 + np.exp(-h2 @ weight("mlp.gate.weight").T))
    biased = s + weight("mlp.gate.e_score_correction_bias")
    out = x1 + ffn(h2, "mlp.shared_experts")
    for token in range(len(x)):
        best_two = [sum(sorted(biased[token, g * 4 : g * 4 + 4])[-2:]) for g in range(4)]
        groups = sorted(range(4), key=lambda g: -best_two[g])[:2]
        allowed = [e for e in range(16) if e // 4 in groups]
        chosen = sorted(allowed, key=lambda e: -biased[token, e])[:3]
        total = s[token, chosen].sum()
        for e in chosen:
            out[token] += 2.5 * s[token, e] / total * ffn(h2[token], f"mlp.experts.{e}")
    return out


SAVE_OUTPUT = """
import sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
import numpy as np
import deepseek_v3_example as example
from weights import load
c, weights = load(Path(sys.argv[2]))
built = example.build(c, 0, weights)
program = example.basic_schedule(built.work).compile(target="cpu_sim", machine=example.MACHINE)
program.execute(); program.synchronize()
np.savez(sys.argv[3], x=built.t.x.numpy(), out=built.t.out.numpy())
"""


def test_loaded_weights_mean_what_transformers_means(tiny_layer, tmp_path):
    folder, arrays = tiny_layer
    done = run("-c", SAVE_OUTPUT, FOLDER, folder, tmp_path / "run.npz")
    assert done.code == 0, done.err
    saved = np.load(tmp_path / "run.npz")
    expected = hugging_face_layer(arrays, saved["x"][0].astype(np.float64))
    assert np.abs(saved["out"][0] - expected).max() <= 1e-4 * np.abs(expected).max()


def test_the_example_runs_and_checks_loaded_weights(tiny_layer, tmp_path):
    done = run(SCRIPT, "--weights", tiny_layer[0], "--trace-dir", tmp_path / "traces")
    assert done.code == 0, done.out + done.err
    assert "  Hidden dimension: 64" in done.out
    assert "    ok     out (256 tokens)" in done.out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q_lora_rank": 8}, "q_lora_rank: expected null"),
        ({"v_head_dim": 32}, "v_head_dim, qk_nope_head_dim: expected equal"),
        ({"hidden_size": 32}, "expected shape"),
    ],
)
def test_a_layer_that_cannot_be_run_is_refused(tiny_layer, change, message):
    (tiny_layer[0] / "config.json").write_text(json.dumps(TINY | change))
    done = run(SCRIPT, "--weights", tiny_layer[0])
    assert done.code == 1
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_folder_without_weights_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    done = run(SCRIPT, "--weights", tmp_path)
    assert done.code == 1
    assert "expected safetensors files" in done.err


# ---- A wrong value does not pass -------------------------------------------------------------

BROKEN = """
import sys; sys.path.insert(0, sys.argv[1])
import golden
{breakage}
import deepseek_v3_example as example
sys.exit(example.main(["--weights", sys.argv[2], "--trace-dir", sys.argv[3]]))
"""


@pytest.mark.parametrize(
    ("breakage", "failed"),
    [
        ("golden.rope = lambda x, theta: x", "k_pe"),
        ("golden.softmax = lambda score: score", "o"),
        ("ranked = golden.ranked; golden.ranked = lambda score, k: ranked(-score, k)", "chosen"),
        ("ffn = golden.ffn; golden.ffn = lambda *a: ffn(*a) * 1.01", "out"),
    ],
)
def test_a_failed_check_is_named_and_ends_the_example(tiny_layer, tmp_path, breakage, failed):
    done = run("-c", BROKEN.format(breakage=breakage), FOLDER, tiny_layer[0], tmp_path)
    assert done.code == 1, done.out + done.err
    assert f"    FAILED {failed} (" in done.out
    assert SUCCESS not in done.out


def test_grouped_experts_give_the_same_values_in_less_time() -> None:
    command = [sys.executable, str(SCRIPT.with_name("grouped_example.py")), "--hidden", "256"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    lines = [line.strip() for line in run.stdout.splitlines()]
    assert "ok     out (256 tokens): error" in run.stdout
    assert "FAILED" not in run.stdout
    per_token, grouped = (
        int(line.split(" tasks, ")[1].split()[0])
        for line in lines
        if line.startswith(("per token: ", "grouped: "))
    )
    assert grouped < per_token
    assert lines[-1].startswith("Lesson: grouping moves 0.")


def test_decoding_from_the_cache_of_a_prefill_is_the_whole_sequence() -> None:
    script = Path(__file__).with_name("prefill_then_decode.py")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=FOLDER, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" ok\n") == 24, done.stdout


def test_a_step_of_decoding_passes_its_checks() -> None:
    done = run(FOLDER / "decode_example.py", "--hidden", "256", "--room", "48")
    assert done.code == 0, done.out + done.err
    assert done.out.count("    ok ") == 15, done.out
    assert "What if" in done.out
