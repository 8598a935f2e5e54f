import keras
import numpy as np
from keras import ops

from kmul.callbacks._layer_monitor import LayerMonitor
from kmul.callbacks._layer_monitor import check_functional


class GradientMonitor(LayerMonitor):
    """Watches the length of the gradient of each layer over training.

    ```
    √(Σ (∂loss/∂w)²)  over the trainable weights w of a layer
    ```

    The loss is that of training on the same batch each time, penalties of
    regularizers included. It is measured on a copy of the model, which changes
    nothing in training: neither weights nor random numbers.

    Args:
        inputs: A batch of inputs of the model.
        targets: The targets of that batch.
        loss: A loss, the model's own by default.
        frequency: `"epoch"` to measure after every epoch, or a positive
            integer, to measure after that many batches. The first measure is
            taken before training.
        log_dir: Directory to write curves for TensorBoard to, which needs the
            package `tensorboard`, but not TensorFlow. Default: none.

    The model is a functional or sequential one, as `keras.models.clone_model`
    needs it, and all of `kmul.models` are.

    Attributes:
        rows: List of dictionaries, `step` and a number for each layer that has
            trainable weights.
        layers, steps, values: The same as a list of names and two arrays of
            shape `(steps,)` and `(steps, layers)`.

    Example:

    ```python
    monitor = kmul.callbacks.GradientMonitor(images[:256], labels[:256])
    model.fit(images, labels, epochs=10, callbacks=[monitor])
    monitor.figure("gradients.png")
    ```
    """

    quantity = "gradient norm"
    logarithmic = True

    def __init__(
        self, inputs, targets, loss=None, frequency="epoch", log_dir=None
    ):
        super().__init__(frequency, log_dir)
        self.inputs = inputs
        self.targets = targets
        self.loss = loss
        self._copy = None
        self._recorder = None

    def set_model(self, model):
        super().set_model(model)
        check_functional(self, model)

    def on_train_begin(self, logs=None):
        model = self.model
        if self._copy is None:
            # Without the compiled state, which would be copied, too, and may
            # hold a loss that cannot be.
            ends = model.inputs[0], model.outputs[0]
            if not isinstance(model, keras.Sequential):
                ends = model.input, model.output
            self._copy = keras.models.clone_model(keras.Model(*ends))
            self._recorder = _GradientRecorder()
            self._copy.compile(
                self._recorder,
                loss=self.loss or self.model.loss,
                auto_scale_loss=False,
            )
        super().on_train_begin(logs)

    def measure(self):
        self._copy.set_weights(self.model.get_weights())
        self._copy.train_on_batch(self.inputs, self.targets)
        squares = {
            variable.path: np.square(gradient, dtype="float64").sum()
            for variable, gradient in zip(
                self._copy.trainable_variables,
                self._recorder.recorded(),
                strict=True,
            )
        }
        return {
            layer.name: np.sqrt(
                sum(squares[each.path] for each in layer.trainable_variables)
            )
            for layer in self._copy.layers
            if layer.trainable_variables
        }


class _GradientRecorder(keras.optimizers.Optimizer):
    """Keeps the gradients and leaves the weights as they are."""

    def __init__(self):
        super().__init__(learning_rate=0.0, name="gradient_recorder")

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._kept = [
            self.add_variable_from_reference(variable, name="gradient")
            for variable in variables
        ]

    def apply(self, grads, trainable_variables=None):
        if trainable_variables is not None:
            self.build(trainable_variables)
        for kept, gradient in zip(self._kept, grads, strict=True):
            kept.assign(ops.zeros_like(kept) if gradient is None else gradient)

    def recorded(self):
        """Arrays, in the order of the variables."""
        return [ops.convert_to_numpy(each.value) for each in self._kept]
