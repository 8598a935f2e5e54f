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
            integer to measure whenever that many batches are done. There is
            one measure more, before training.
        log_dir: Directory for curves that TensorBoard shows, none by default.
            Needs the package `tensorboard`, but not TensorFlow.

    The model is a functional one, as all of `kmul.models` are.

    Attributes:
        rows: List of dictionaries, `step` and a number for each layer.
        layers, steps, values: The same as a list of names and two arrays of
            shape `(steps,)` and `(steps, layers)`.

    Example:

    ```python
    images = np.random.rand(256, 20, 20, 1)
    labels = np.random.randint(10, size=256)
    model = kmul.models.LayerAttendedCNN((20, 20, 1), classes=10)
    model.compile("adam", "sparse_categorical_crossentropy")
    monitor = kmul.callbacks.AttentionMonitor(images[:64], frequency=2)
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
        self._watched = None
        self._reading = None

    def set_model(self, model):
        super().set_model(model)
        if model is self._watched:
            return
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
        attention = found[0]
        scores = _Scores(attention, self.quantity)(attention.input)
        self._reading = keras.Model(model.input, scores)
        self._watched = model

    def measure(self):
        _ = self.model  # brings the model's weights up to date, on JAX
        scores = self._reading.predict_on_batch(self.inputs).mean(0)
        return {f"layer_{i + 1}": score for i, score in enumerate(scores)}


class _Scores(keras.layers.Layer):
    """The scores that a `LayerAttention` gives, as part of a model."""

    def __init__(self, attention, quantity):
        super().__init__(dtype=attention.dtype_policy)
        self.attention = attention
        self.quantity = quantity
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if not isinstance(inputs, (list, tuple)):
            inputs, mask = [inputs], None if mask is None else [mask]
        if self.quantity == "attention":
            _, scores = self.attention(
                inputs, mask=mask, return_attention_scores=True
            )
        else:
            scores = self.attention.contributions(inputs, mask)
        return ops.cast(scores, "float32")

    def compute_mask(self, inputs, mask=None):
        return None
