"""Reads one layer of a Hugging Face `deepseek_v3` folder: config.json and safetensors.

Names are those of `transformers`; matrices come as [out, in] and leave as [in, out]. The first
layer with routed experts is taken. A full-size layer needs memory for all its experts.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  (NumPy learns bfloat16 from it)
import numpy as np
from config import Config
from safetensors import SafetensorError, safe_open

from pto_wsp import DType, Tensor

DTYPES = {"F32": DType.F32, "F16": DType.F16, "BF16": DType.BF16}


class WeightsError(Exception):
    """The folder holds no layer that this example can run; says which file and why."""


class Folder:
    """The tensors of a folder's safetensors files by name, read one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: dict[str, Any] = {}
        for file in sorted(path.glob("*.safetensors")):
            try:
                opened = safe_open(file, framework="np")
            except SafetensorError as error:
                raise WeightsError(f"{file}: not a safetensors file: {error}") from error
            self._files.update(dict.fromkeys(opened.keys(), opened))
        if not self._files:
            raise WeightsError(f"{path}: expected safetensors files, found no tensor in any")

    def names(self) -> Iterator[str]:
        return iter(self._files)

    def read(self, name: str, *shape: int) -> Any:
        """The tensor of exactly this shape."""
        self._require(name)
        values = self._files[name].get_tensor(name)
        if values.shape != shape:
            found = list(values.shape)
            raise WeightsError(f"{self.path}: {name}: expected shape {list(shape)}, found {found}")
        return values

    def dtype(self, name: str) -> DType:
        self._require(name)
        stored = self._files[name].get_slice(name).get_dtype()
        if stored not in DTYPES:
            known = ", ".join(DTYPES)
            raise WeightsError(f"{self.path}: {name}: expected one of {known}, found {stored}")
        return DTYPES[stored]

    def _require(self, name: str) -> None:
        if name not in self._files:
            raise WeightsError(f"{self.path}: no tensor {name} in any safetensors file")


def load(path: Path) -> tuple[Config, dict[str, Tensor]]:
    """The configuration and the weights, named as the layer wants them."""
    settings = read_settings(path / "config.json")
    folder = Folder(path)
    prefix = first_moe_layer(folder)
    dtype = folder.dtype(f"{prefix}.self_attn.kv_b_proj.weight")
    c = configuration(path / "config.json", settings, dtype)
    arrays = attention_arrays(c, folder, prefix) | moe_arrays(c, folder, prefix)
    tensors = {name: Tensor(data=cast(values, dtype), name=name) for name, values in arrays.items()}
    bias = folder.read(f"{prefix}.mlp.gate.e_score_correction_bias", c.experts)
    tensors["bias"] = Tensor(data=bias.reshape(1, -1).astype(np.float32), name="bias")
    return c, tensors


def cast(values: Any, dtype: DType) -> Any:
    stored = {DType.F32: "float32", DType.F16: "float16", DType.BF16: "bfloat16"}[dtype]
    return np.ascontiguousarray(values, dtype=np.dtype(stored))


def first_moe_layer(folder: Folder) -> str:
    marker = ".mlp.experts.0.gate_proj.weight"
    layers = [name.removesuffix(marker) for name in folder.names() if name.endswith(marker)]
    if not layers:
        raise WeightsError(f"{folder.path}: no model.layers.N{marker}: no layer has routed experts")
    return min(layers, key=lambda name: int(name.rsplit(".", 1)[1]))


# ---- config.json -----------------------------------------------------------------------------


def read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise WeightsError(f"{path}: expected the model's configuration: {error}") from error
    if not isinstance(settings, dict):
        raise WeightsError(f"{path}: expected a JSON object, found {type(settings).__name__}")
    return settings


REFUSED = {
    "q_lora_rank": "the query is projected in one step here",
    "rope_scaling": "RoPE is not scaled here",
}
"""Settings that must be absent or null."""


def configuration(path: Path, settings: dict[str, Any], dtype: DType) -> Config:
    for name, reason in REFUSED.items():
        if settings.get(name) is not None:
            raise WeightsError(f"{path}: {name}: expected null ({reason}), found {settings[name]}")
    if not settings.get("rope_interleave", True) or not settings.get("norm_topk_prob", True):
        raise WeightsError(f"{path}: rope_interleave, norm_topk_prob: expected true, found false")

    def get(name: str) -> Any:
        if name not in settings:
            raise WeightsError(f"{path}: {name} is missing")
        return settings[name]

    if get("v_head_dim") != get("qk_nope_head_dim"):
        found = f"{settings['v_head_dim']} and {settings['qk_nope_head_dim']}"
        raise WeightsError(f"{path}: v_head_dim, qk_nope_head_dim: expected equal, found {found}")
    return Config(
        hidden=get("hidden_size"),
        heads=get("num_attention_heads"),
        head_dim=get("qk_nope_head_dim"),
        rope_dim=get("qk_rope_head_dim"),
        kv_rank=get("kv_lora_rank"),
        experts=get("n_routed_experts"),
        groups=get("n_group"),
        kept_groups=get("topk_group"),
        top_k=get("num_experts_per_tok"),
        shared=get("n_shared_experts"),
        ffn=get("moe_intermediate_size"),
        routed_scale=get("routed_scaling_factor"),
        theta=get("rope_theta"),
        eps=get("rms_norm_eps"),
        dtype=dtype,
    )


# ---- Weights ---------------------------------------------------------------------------------


def attention_arrays(c: Config, folder: Folder, prefix: str) -> dict[str, Any]:
    H, D, R, L = c.hidden, c.head_dim, c.rope_dim, c.kv_rank
    attention = f"{prefix}.self_attn"
    q = folder.read(f"{attention}.q_proj.weight", c.heads * (D + R), H)
    kv_b = folder.read(f"{attention}.kv_b_proj.weight", c.heads * 2 * D, L)
    kv_b = kv_b.reshape(c.heads, 2 * D, L)
    return {
        "norm_attention": folder.read(f"{prefix}.input_layernorm.weight", H)[None],
        "w_q": q.reshape(c.heads, D + R, H).transpose(0, 2, 1),
        "w_kv": folder.read(f"{attention}.kv_a_proj_with_mqa.weight", L + R, H).T,
        "norm_kv": folder.read(f"{attention}.kv_a_layernorm.weight", L)[None],
        "w_uk": kv_b[:, :D],  # keys first, then values, head by head
        "w_uv": kv_b[:, D:].transpose(0, 2, 1),
        "w_o": folder.read(f"{attention}.o_proj.weight", H, c.heads * D).T,
        "norm_moe": folder.read(f"{prefix}.post_attention_layernorm.weight", H)[None],
    }


def moe_arrays(c: Config, folder: Folder, prefix: str) -> dict[str, Any]:
    H, F, mlp = c.hidden, c.ffn, f"{prefix}.mlp"
    arrays = {"w_router": folder.read(f"{mlp}.gate.weight", c.experts, H).T}
    for part, shape in (("gate", (F, H)), ("up", (F, H)), ("down", (H, F))):
        names = [f"{mlp}.experts.{expert}.{part}_proj.weight" for expert in range(c.experts)]
        # Filled expert by expert: the transposed copy is the only one in memory.
        arrays[part] = np.empty((c.experts, *reversed(shape)), folder.read(names[0], *shape).dtype)
        for expert, name in enumerate(names):
            arrays[part][expert] = folder.read(name, *shape).T
    for part in ("gate", "up"):
        wide = folder.read(f"{mlp}.shared_experts.{part}_proj.weight", c.shared * F, H)
        arrays[f"shared_{part}"] = wide.reshape(c.shared, F, H).transpose(0, 2, 1)
    wide = folder.read(f"{mlp}.shared_experts.down_proj.weight", H, c.shared * F)
    arrays["shared_down"] = wide.T.reshape(c.shared, F, H)
    return arrays
