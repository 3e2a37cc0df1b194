"""What programs mean, in NumPy: kernels op by op, workloads task by task, nothing in parallel."""

from pto_wsp.reference.program import ReferenceProgram

__all__ = ["ReferenceProgram"]
