import keras
import numpy as np
import pytest
from keras import ops

from test_tuning import small
from tuning.population.stateless_optimizer import stateless_optimizer

OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "Adam": lambda: keras.optimizers.Adam(0.1, amsgrad=True),
    "RMSprop": lambda: keras.optimizers.RMSprop(0.1, centered=True),
    "AdamW": lambda: keras.optimizers.AdamW(0.1),
    "Lion": lambda: keras.optimizers.Lion(0.1, weight_decay=0.1),
    "clipnorm": lambda: keras.optimizers.Adam(0.1, clipnorm=0.1),
    "clipvalue": lambda: keras.optimizers.SGD(0.1, clipvalue=0.05),
    "global_clipnorm": lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.1),
    "averaging": lambda: keras.optimizers.SGD(
        0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2
    ),
    "accumulation": lambda: keras.optimizers.Adam(
        0.1, gradient_accumulation_steps=2
    ),
    "averaging of accumulated": lambda: keras.optimizers.Adam(
        0.1, gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.5
    ),
    "loss scaling": lambda: keras.optimizers.SGD(0.1, loss_scale_factor=8.0),
    "schedule": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.8)
    ),
    "schedule of several rates": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.PiecewiseConstantDecay(
            [1, 3], [0.1, 0.2, 0.05]
        )
    ),
    "Nadam": lambda: keras.optimizers.Nadam(0.1),
    "Muon": lambda: keras.optimizers.Muon(0.1, adam_weight_decay=0.1),
    "scaled loss": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(0.1, 4), weight_decay=0.1
        ),
        initial_scale=8.0,
        dynamic_growth_steps=2,
    ),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_updates_as_keras(make):
    """Over five steps, and without changing anything outside."""
    rng = np.random.default_rng(0)
    start = [rng.normal(size=(3, 2)), rng.normal(size=2)]
    ones, others = (
        [
            keras.Variable(each.astype("float32"), name=f"weight_{i}")
            for i, each in enumerate(start)
        ]
        for _ in range(2)
    )
    ones[1].constraint = others[1].constraint = keras.constraints.NonNeg()
    theirs = make()
    theirs.build(others)
    copy, apply = stateless_optimizer(make(), ones)
    values = [each.value for each in ones]
    state = [each.value for each in copy.variables]
    if keras.config.backend() == "jax":
        # As it is in training: there Keras takes another way than outside.
        their_values = [each.value for each in others]
        their_state = [each.value for each in theirs.variables]
    for step in range(5):
        gradients = [
            ops.convert_to_tensor(rng.normal(size=each.shape), "float32")
            for each in start
        ]
        if step == 3 and hasattr(theirs, "inner_optimizer"):
            gradients[0] = gradients[0] * np.inf
        values, state = apply(state, gradients, values)
        if keras.config.backend() == "jax":
            their_values, their_state = theirs.stateless_apply(
                their_state, gradients, their_values
            )
        else:
            theirs.apply(gradients, others)
            their_values = others
        small.same_weights(
            [ops.convert_to_numpy(each) for each in values],
            [ops.convert_to_numpy(each) for each in their_values],
            rtol=1e-5,
            atol=1e-6,
        )
    small.same_weights(
        [ops.convert_to_numpy(each) for each in ones], start, rtol=1e-6
    )
