"""Units whose weights spell out an arithmetic expression of their inputs.

Each output is computed from a selection of the inputs: sums and differences
(`NAC`, `NAU`), products (`NMU`), products and quotients (`MNAC`, `NPU`,
`RealNPU`), or a gated mixture (`NALU`, `INALU`).
"""
