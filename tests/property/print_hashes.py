"""Prints what must not depend on the interpreter's hash seed; run as a program of its own."""

import hashlib
import os
from pathlib import Path
from random import Random

import numpy as np
from listed_tasks import fingerprint
from model.engine import run_engine
from model.programs import Size, random_run

from pto_wsp import (
    Dense,
    DispatchPolicy,
    DType,
    In,
    Out,
    P,
    ReadyPolicy,
    Tensor,
    Tile,
    Zipf,
    jit_kernel,
    tl,
    workload,
)
from pto_wsp.runtime import Result

F32, I32 = DType.F32, DType.I32
RUNS = 100


@jit_kernel
def choose(scores: In[Tile[4, 8, F32]], chosen: Out[Tile[4, 2, I32]]):
    tl.store(chosen, tl.topk(scores, 2).indices)


@jit_kernel
def product(x: In[Tile[16, 16, F32]], w: In[Tile[16, 16, F32]], y: Out[Tile[16, 16, F32]]):
    tl.store(y, tl.exp(tl.matmul(x, w)) + x)


@jit_kernel
def scale(x: In[Tile[1, 16, F32]], y: Out[Tile[1, 16, F32]]):
    tl.store(y, x * 2.0)


scores = Tensor(data=np.random.default_rng(1).normal(size=(4, 8)).astype(np.float32), name="scores")
chosen = Tensor.empty((4, 2), I32, name="chosen", routing=Zipf(1.0, seed=3))
x = Tensor.random((16, 16), F32, name="x", seed=1)
w = Tensor.random((16, 16), F32, name="w", seed=2)
y = Tensor.empty((16, 16), F32, name="y")
z = Tensor.empty((4, 2, 16), F32, name="z")


@workload
def routed():
    choose(scores=scores, chosen=chosen)
    product(x=x, w=w, y=y)
    for i in P(Dense[4]("i")):
        for e in P.sel(chosen[i], name="row"):
            scale[i, e](x=y[e], y=z[i, e.position])


def main() -> None:
    schedule = routed().dispatch(DispatchPolicy.affinity(lambda task: task.get("row", 1)))
    ready = ReadyPolicy.priority(lambda task: task.where(task.kernel == product, 0, -task.id))
    program = schedule.task_graph(ready=ready).compile()
    program.execute(threads=2)
    program.synchronize()
    texts = [program.cpp, *(program.ir(dialect) for dialect in ("tile", "task", "schedule"))]
    texts += sorted(path.name for path in Path(os.environ["PTO_CACHE_DIR"]).iterdir())
    texts.append(fingerprint(Result(program.stats, program.trace)))
    texts.append(z.numpy().tobytes().hex())
    texts += [repr(run_engine(*random_run(Random(seed), Size(30)))) for seed in range(RUNS)]
    print(*(hashlib.sha256(text.encode()).hexdigest() for text in texts), sep="\n")


if __name__ == "__main__":
    main()
