import keras
import numpy as np
import pytest
from keras import ops

from kmul import layers
from kmul.regularizers import Discreteness


def test_regularizer_warms_up_over_training_steps():
    layer = layers.NAU(
        1,
        kernel_initializer=keras.initializers.Constant(0.25),
        kernel_regularizer=Discreteness(8.0),
        regularizer_warmup=(2, 6),
    )
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(0.0), loss=None)

    class Losses(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.found = [*getattr(self, "found", []), logs["loss"]]

    losses = Losses()
    x = np.ones((8, 4), "float32")
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(x, np.ones((8, 1)), epochs=1, batch_size=1, verbose=0)
    assert int(ops.convert_to_numpy(layer.step)) == 8
    layer.step.assign(0)
    for expected in (0.0, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.0):
        model.fit(x, np.ones((8, 1)), verbose=0, callbacks=[losses])
        np.testing.assert_allclose(losses.found[-1], expected, atol=1e-6)
    # Evaluation has the strength that was reached, and counts no steps.
    layer.step.assign(4)
    for _ in range(2):
        found = model.evaluate(x, np.ones((8, 1)), verbose=0)
        np.testing.assert_allclose(found, 1.0, atol=1e-6)


def test_a_shared_regularized_unit_counts_steps():
    """Its penalty and its step count once, however often it is called."""
    layer = layers.NAU(
        4,
        kernel_initializer=keras.initializers.Constant(0.25),
        kernel_regularizer=Discreteness(8.0),
        regularizer_warmup=(2, 6),
    )
    inputs = keras.Input((4,))
    model = keras.Model(inputs, 0 * layer(layer(inputs)))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.zeros((8, 4), "float32")
    model.fit(x, x, batch_size=2, verbose=0)
    assert int(ops.convert_to_numpy(layer.step)) == 4
    # Half of the full strength, 8 times the distance of 0.25.
    for _ in range(2):
        assert model.evaluate(x, x, verbose=0) == pytest.approx(1.0)
    assert int(ops.convert_to_numpy(layer.step)) == 4


class Cell(keras.layers.Layer):
    """A recurrent cell that calls a unit at each time step."""

    def __init__(self, unit):
        super().__init__()
        self.unit = unit
        self.state_size = unit.units

    def build(self, input_shape):
        self.unit.build(input_shape)

    def call(self, inputs, states, training=None):
        outputs = self.unit(inputs + states[0], training=training)
        return outputs, [outputs]


@pytest.mark.parametrize(
    "wrap",
    [
        keras.layers.TimeDistributed,
        lambda unit: keras.layers.RNN(Cell(unit), return_sequences=True),
    ],
)
def test_a_unit_called_at_each_time_step_counts_once(wrap):
    unit = layers.NAU(
        4,
        kernel_initializer=keras.initializers.Constant(0.25),
        kernel_regularizer=Discreteness(8.0),
        regularizer_warmup=(2, 6),
    )
    model = keras.Sequential([keras.Input((3, 4)), wrap(unit)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.zeros((8, 3, 4), "float32")
    model.fit(x, x, batch_size=2, verbose=0)
    assert int(ops.convert_to_numpy(unit.step)) == 4
    # Half of the full strength, 8 times the distance of 0.25.
    assert model.evaluate(x, x, verbose=0) == pytest.approx(1.0)
