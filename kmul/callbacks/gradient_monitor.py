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
    regularizers and weights of several losses included. It is measured on a
    copy of the model, which changes nothing in training: neither weights nor
    random numbers.

    A length of exactly 0 is kept as that: no gradient reaches the layer, as all
    its units are off, for example. Such a layer is blank in the figure. Take it
    out before you divide lengths or take their logarithms: it is not a layer
    that learns slowly.

    Args:
        inputs: A batch of inputs of the model.
        targets: The targets of that batch.
        loss: A loss, the model's own by default, with its `loss_weights`.
        frequency: `"epoch"` to measure after every epoch, or a positive
            integer to measure whenever that many batches are done. There is
            one measure more, before training.
        log_dir: Directory for curves that TensorBoard shows, none by default.
            Needs the package `tensorboard`, but not TensorFlow.

    The model is a functional or sequential one, as `keras.models.clone_model`
    needs it, and all of `kmul.models` are.

    Attributes:
        rows: List of dictionaries, `step` and a number for each layer that has
            trainable weights.
        layers, steps, values: The same as a list of names and two arrays of
            shape `(steps,)` and `(steps, layers)`.

    Example:

    ```python
    images = np.random.rand(256, 20, 20, 1)
    labels = np.random.randint(10, size=256)
    model = kmul.models.CNN((20, 20, 1), classes=10)
    model.compile("adam", "sparse_categorical_crossentropy")
    monitor = kmul.callbacks.GradientMonitor(images[:64], labels[:64])
    model.fit(images, labels, epochs=2, callbacks=[monitor])
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
        self._watched = None
        self._copy = None
        self._recorder = None

    def set_model(self, model):
        super().set_model(model)
        check_functional(self, model)

    def on_train_begin(self, logs=None):
        model = self.model
        if model is not self._watched:
            # The copy is made of the ends, without the compiled state, which
            # may hold a loss that cannot be copied.
            ends = model.inputs[0], model.outputs[0]
            if not isinstance(model, keras.Sequential):
                ends = model.input, model.output
            self._copy = keras.models.clone_model(keras.Model(*ends))
            self._recorder = _GradientRecorder()
            self._copy.compile(
                self._recorder,
                auto_scale_loss=False,
                **self._losses(model),
            )
            self._watched = model
        super().on_train_begin(logs)

    def _losses(self, model):
        """Returns the arguments of `compile` about losses."""
        if self.loss is not None:
            return {"loss": self.loss}
        if model.loss is None:
            raise ValueError(
                "`GradientMonitor` needs a loss: compile the model with one, "
                "or set the argument `loss`."
            )
        weights = None
        if isinstance(model.loss, (list, tuple, dict)):
            weights = model.get_compile_config().get("loss_weights")
        return {"loss": model.loss, "loss_weights": weights}

    def measure(self):
        self._copy.set_weights(self.model.get_weights())
        self._copy.train_on_batch(self.inputs, self.targets)
        # By identity: two weights of a layer may have one name.
        squares = {
            id(variable): np.square(gradient, dtype="float64").sum()
            for variable, gradient in zip(
                self._copy.trainable_variables,
                self._recorder.recorded(),
                strict=True,
            )
        }
        return {
            layer.name: np.sqrt(
                sum(squares[id(each)] for each in layer.trainable_variables)
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
