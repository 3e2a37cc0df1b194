"""The size of a layer, and how many tasks follow from it."""

from dataclasses import dataclass

from pto_wsp import DType


@dataclass(frozen=True)
class Config:
    batch: int = 1
    seq: int = 256
    hidden: int = 4096
    heads: int = 32
    head_dim: int = 128
    rope_dim: int = 64
    kv_rank: int = 512
    experts: int = 256
    groups: int = 8
    kept_groups: int = 4
    top_k: int = 8
    shared: int = 2
    ffn: int = 1536
    routed_scale: float = 2.5
    theta: float = 10000.0
    eps: float = 1e-6
    tile: int = 32
    dtype: DType = DType.F16

    @property
    def tiles(self) -> int:
        """Tiles of the sequence, over the whole batch."""
        return self.batch * self.seq // self.tile

    @property
    def routed_elements(self) -> int:
        """Weights of all routed experts."""
        return self.experts * 3 * self.hidden * self.ffn


def task_estimate(c: Config) -> dict[str, int]:
    """How many tasks each part of the layer has, from the configuration alone."""
    return {
        "RMSNorm": 2 * c.tiles,  # before attention, before the experts
        "MLA": c.batch * c.heads + c.tiles,  # heads, KV compression
        "Router": 2 * c.tiles,  # logits, top-k
        "Expert FFN (sparse)": c.batch * c.seq * c.top_k,  # one per token and chosen expert
        "Shared experts": c.shared * c.tiles,
        "Combine + residual": 4 * c.tiles,  # combine, + shared, attention residual, MoE residual
    }


PARTS = {
    "RMSNorm": ["rmsnorm_jit"],
    "MLA": ["mla_attention_jit", "kv_compress_jit"],
    "Router": ["router_jit", "topk_jit"],
    "Expert FFN (sparse)": ["expert_ffn_jit"],
    "Shared experts": ["shared_expert_jit"],
    "Combine + residual": [
        "combine_jit",
        "add_shared_jit",
        "attention_residual_jit",
        "moe_residual_jit",
    ],
}
"""The kernels behind each line of the estimate."""
