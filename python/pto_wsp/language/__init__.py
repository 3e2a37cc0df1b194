"""What a user writes: tensors, kernels, workloads and schedules."""
