import keras
from keras import ops

from kmul._validation import check_choice
from kmul.callbacks._layer_monitor import LayerMonitor
from kmul.callbacks._layer_monitor import check_functional
from kmul.layers.depth.layer_attention import LayerAttention


class AttentionMonitor(LayerMonitor):
    """Watches how much attention each layer gets over training.

    The attention is measured on the same inputs each time, and averaged over
    them. The layers are numbered as in the list that the `LayerAttention` of
    the model is called on: `layer_1`, `layer_2`, …

    Args:
        inputs: A batch of inputs of the model.
        layer: Name of a `LayerAttention` of the model, or `None` if it has
            only one.
        quantity: `"attention"` for the attention scores, or
            `"contribution"` for the share of the output that comes from each
            layer, which compares between mechanisms: see
            `kmul.layers.LayerAttention`.
        frequency: `"epoch"` to measure after every epoch, or a positive
            integer, to measure after that many batches. The first measure is
            taken before training.
        log_dir: Directory to write curves for TensorBoard to, which needs the
            package `tensorboard`, but not TensorFlow. Default: none.

    The model is a functional one, as all of `kmul.models` are.

    Attributes:
        rows: List of dictionaries, `step` and a number for each layer.
        layers, steps, values: The same as a list of names and two arrays of
            shape `(steps,)` and `(steps, layers)`.

    Example:

    ```python
    monitor = kmul.callbacks.AttentionMonitor(images[:256], frequency=50)
    model.fit(images, labels, callbacks=[monitor])
    monitor.to_csv("attention.csv")
    monitor.figure("attention.png")
    ```
    """

    def __init__(
        self,
        inputs,
        layer=None,
        quantity="attention",
        frequency="epoch",
        log_dir=None,
    ):
        check_choice("quantity", quantity, ("attention", "contribution"))
        super().__init__(frequency, log_dir)
        self.inputs = inputs
        self.layer = layer
        self.quantity = quantity
        self._reading = None

    def set_model(self, model):
        if model is self._model:
            return
        super().set_model(model)
        check_functional(self, model)
        found = [
            layer
            for layer in model.layers
            if isinstance(layer, LayerAttention)
            and self.layer in (None, layer.name)
        ]
        if len(found) != 1:
            raise ValueError(
                "Argument `layer` of `AttentionMonitor` should name one of the "
                "model's `LayerAttention` layers, or be None if it has only "
                f"one. Received: layer={self.layer!r}, and it has "
                f"{[each.name for each in found] or 'none such'}"
            )
        watched = found[0]
        scores = _Scores(watched, self.quantity)(watched.input)
        self._reading = keras.Model(model.input, scores)

    def measure(self):
        _ = self.model  # brings the model's weights up to date, on JAX
        scores = self._reading.predict_on_batch(self.inputs).mean(0)
        return {f"layer_{i + 1}": score for i, score in enumerate(scores)}


class _Scores(keras.layers.Layer):
    """What a `LayerAttention` does with its inputs, as part of a model."""

    def __init__(self, watched, quantity):
        super().__init__(dtype=watched.dtype_policy)
        self.watched = watched
        self.quantity = quantity

    def call(self, inputs):
        if not isinstance(inputs, (list, tuple)):
            inputs = [inputs]
        if self.quantity == "attention":
            _, scores = self.watched(inputs, return_attention_scores=True)
        else:
            scores = self.watched.contributions(inputs)
        return ops.cast(scores, "float32")
