"""Adam's update of a population in one pass over its memory, on torch.

Operation by operation, an update reads and writes every weight some thirty
times; PyTorch's fused Adam does it once. It takes one learning rate a call, so
members are updated one after the other, in an operator of its own, as nothing
else can be mapped over members and traced.
"""

import torch
from torch.optim.adam import adam


def adam_step(weights, gradients, momentums, velocities, rate, step, config):
    """Returns updated weights, momentums and velocities.

    It is Keras's update, and may be mapped over members with
    `torch.func.vmap`:

    ```
    m ← m + (g − m)(1 − β₁),  v ← v + (g² − v)(1 − β₂)
    w ← w − rate √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)
    ```

    Args:
        weights, gradients, momentums, velocities: Lists of tensors.
        rate: Scalar tensor, the learning rate.
        step: Scalar tensor, `t`, 1 for the first step.
        config: Dictionary of `beta_1`, `beta_2` and `epsilon`.
    """
    updated = _adam(
        [*weights, *gradients, *momentums, *velocities],
        rate,
        step,
        config["beta_1"],
        config["beta_2"],
        config["epsilon"],
    )
    count = len(weights)
    return updated[:count], updated[count : 2 * count], updated[2 * count :]


@torch.library.custom_op("kmul::adam", mutates_args=())
def _adam(
    tensors: list[torch.Tensor],
    rate: torch.Tensor,
    step: torch.Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> list[torch.Tensor]:
    stacked = _adam_of_members(
        [each[None] for each in tensors],
        rate[None],
        step[None],
        beta_1,
        beta_2,
        epsilon,
    )
    return [each[0] for each in stacked]


@_adam.register_vmap
def _(info, in_dims, tensors, rate, step, beta_1, beta_2, epsilon):
    def stacked(tensor, dim):
        if dim is None:
            return tensor.expand(info.batch_size, *tensor.shape)
        return tensor.movedim(dim, 0)

    tensors = [
        stacked(each, dim)
        for each, dim in zip(tensors, in_dims[0], strict=True)
    ]
    updated = _adam_of_members(
        tensors,
        stacked(rate, in_dims[1]),
        stacked(step, in_dims[2]),
        beta_1,
        beta_2,
        epsilon,
    )
    return updated, [0] * len(updated)


@torch.library.custom_op("kmul::adam_of_members", mutates_args=())
def _adam_of_members(
    tensors: list[torch.Tensor],
    rate: torch.Tensor,
    step: torch.Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> list[torch.Tensor]:
    count = len(tensors) // 4
    # The fused update goes through memory as it lies: all in one order.
    gradients = [each.contiguous() for each in tensors[count : 2 * count]]
    updated = [
        each.clone(memory_format=torch.contiguous_format)
        for each in tensors[:count] + tensors[2 * count :]
    ]
    weights = updated[:count]
    momentums, velocities = updated[count : 2 * count], updated[2 * count :]
    if weights[0].device.type == "cpu":
        for i, (r, t) in enumerate(
            zip(rate.tolist(), step.tolist(), strict=True)
        ):
            adam(
                [each[i] for each in weights],
                [each[i] for each in gradients],
                [each[i] for each in momentums],
                [each[i] for each in velocities],
                [],
                # It counts the step before it takes it.
                [torch.tensor(float(t - 1)) for _ in weights],
                amsgrad=False,
                fused=True,
                beta1=beta_1,
                beta2=beta_2,
                lr=r,
                weight_decay=0.0,
                # PyTorch adds ε to √v after the correction of its bias.
                eps=epsilon / (1 - beta_2**t) ** 0.5,
                maximize=False,
            )
        return updated
    scale = rate * (1 - beta_2**step).sqrt() / (1 - beta_1**step)
    for w, g, m, v in zip(
        weights, gradients, momentums, velocities, strict=True
    ):
        m.lerp_(g, 1 - beta_1)
        v.mul_(beta_2).addcmul_(g, g, value=1 - beta_2)
        shape = (-1, *[1] * (w.ndim - 1))
        w.addcdiv_(m * scale.reshape(shape), v.sqrt().add_(epsilon), value=-1)
    return updated
