"""Kernels whose body is C++."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pto_wsp import (
    CompileError,
    Dense,
    DType,
    In,
    InOut,
    Out,
    P,
    Tensor,
    Tile,
    TraceError,
    jit_kernel,
    kernel,
    tl,
    workload,
)

Row = Tile[1, 8, DType.F16]
Count = Tile[1, 1, DType.I32]


@kernel(
    cpp_src="""
    for (int i = 0; i < 8; ++i) {
      if (x[i] < 0) { ++negative[0]; }
      y[i] = x[i] < 0 ? 0 : x[i] * 1.0001f;
    }
    if (y[0] > 1) return;  // what was written is stored all the same
    y[0] = 1;
    """,
    cost="2us",
)
def rectify(x: In[Row], y: Out[Row], negative: InOut[Count]):
    """The Python body is not called."""
    raise AssertionError


def test_a_body_of_cpp_computes_and_takes_its_cost() -> None:
    values = np.random.default_rng(0).standard_normal((16, 8)).astype(np.float16) * 4
    x, y = Tensor(data=values, name="x"), Tensor.empty((16, 8), DType.F16, name="y")
    z = Tensor.random((16, 8), DType.F16, name="z", seed=1)
    y2 = Tensor.empty((16, 8), DType.F16, name="y2")
    count = Tensor(data=np.zeros((1, 1), np.int32), name="count")

    @workload
    def rows():
        for row in P(Dense[16]("row")):
            rectify[row](x=x[row], y=y[row], negative=count)
            rectify[row](x=z[row], y=y2[row], negative=count)

    program = rows().task_graph().compile()
    program.execute()
    program.synchronize()
    for found, given in ((y.numpy(), values), (y2.numpy(), z.numpy())):
        wanted = np.maximum(given.astype(np.float32), 0) * np.float32(1.0001)
        wanted[:, 0] = np.where(wanted[:, 0] > 1, wanted[:, 0], 1)
        np.testing.assert_array_equal(found, wanted.astype(np.float16))
    assert count.numpy()[0, 0] == (values < 0).sum() + (z.numpy() < 0).sum()
    tasks = program.trace.tasks
    assert set(tasks["end"] - tasks["start"]) == {3600}, "2 us at 1.8 GHz"


def test_a_body_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "body.inc").write_text("y[0] = x[0] + 1;\n")
    source = tmp_path / "model.py"
    source.write_text(
        "from pto_wsp import DType, In, Out, Tile, jit_kernel\n"
        "One = Tile[1, 1, DType.F32]\n"
        "@jit_kernel(cpp_file='body.inc', cost=5)\n"
        "def plus(x: In[One], y: Out[One]): ...\n"
        "@jit_kernel(cpp_src='y[0] = no_such_name;', cost=5)\n"
        "def wrong(x: In[One], y: Out[One]): ...\n"
    )
    names: dict[str, Any] = {}
    exec(compile(source.read_text(), str(source), "exec"), names)
    x = Tensor(data=np.array([[41]], np.float32), name="x")
    y = Tensor.empty((1, 1), DType.F32, name="y")

    def program(one: Any) -> Any:
        @workload
        def once():
            one(x=x, y=y)

        return once().compile()

    plus = program(names["plus"])
    plus.execute()
    plus.synchronize()
    assert y.numpy()[0, 0] == 42
    with pytest.raises(CompileError, match=r"model.py:\d+.*no_such_name"):
        program(names["wrong"])


def test_what_a_body_of_cpp_refuses(tmp_path: Path) -> None:
    def copy(x: In[Row], y: Out[Row]) -> None: ...

    with pytest.raises(TraceError, match=r"a kernel whose body is C\+\+ needs cost"):
        jit_kernel(cpp_src="y[0] = x[0];")(copy)
    with pytest.raises(TraceError, match="give cpp_src or cpp_file, not both"):
        jit_kernel(cpp_src="", cpp_file="a", cost=1)(copy)
    with pytest.raises(TraceError, match=r"cpp_file .*absent\.inc cannot be read"):
        jit_kernel(cpp_file=tmp_path / "absent.inc", cost=1)(copy)
    written = jit_kernel(cpp_src="y[0] = x[0];", cost=1)(copy)
    with pytest.raises(TraceError, match=r"copy\.run: the body is C\+\+"):
        written.run(np.zeros((1, 8), np.float16))
    x, y = Tensor.random((1, 8), DType.F16, name="x"), Tensor.empty((1, 8), DType.F16, name="y")

    @workload
    def once():
        written(x=x, y=y)

    with pytest.raises(CompileError, match=r"target reference: the body of copy is C\+\+"):
        once().compile(target="reference")


def test_a_python_body_beside_it_is_what_it_was() -> None:
    @jit_kernel
    def twice(x: In[Row], y: Out[Row]):
        tl.store(y, x * 2.0)

    assert twice.cpp is None
    assert twice.ops == ("constant", "load", "mul", "store")


@kernel(
    cpp_src="for (int i = 0; i < 8; ++i) { y[i] = w[i] / 3; n[i] = (uint8_t)(n[i] + k[i]); }",
    cost=100,
)
def thirds(
    w: In[Tile[1, 8, DType.F64]],
    k: In[Tile[1, 8, DType.I64]],
    n: InOut[Tile[1, 8, DType.U8]],
    y: Out[Tile[1, 8, DType.F8E4M3]],
):
    """The Python body is not called."""
    raise AssertionError


def test_pointers_are_to_elements_of_every_dtype() -> None:
    w, k = np.linspace(-900, 900, 8)[None], np.full((1, 8), 200, np.int64)
    counted = np.arange(8, dtype=np.uint8)[None].copy() * 20
    n = Tensor(data=counted.copy(), name="n")
    y = Tensor.empty((1, 8), DType.F8E4M3, name="y")

    @workload
    def one():
        thirds(w=Tensor(data=w, name="w"), k=Tensor(data=k, name="k"), n=n, y=y)

    program = one().task_graph().compile()
    program.execute()
    program.synchronize()
    np.testing.assert_array_equal(n.numpy(), counted + np.uint8(200))
    expected = (w / 3).astype(np.float32).astype(DType.F8E4M3.numpy)
    np.testing.assert_array_equal(y.numpy().astype(float), expected.astype(float))
