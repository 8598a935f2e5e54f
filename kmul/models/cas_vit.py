import keras
from keras import ops

from kmul._sums import add
from kmul._validation import check_choice
from kmul._validation import check_data_format
from kmul._validation import check_each_positive
from kmul._validation import check_positive_integer
from kmul._validation import check_rate
from kmul.layers.vision.additive_block_2d import AdditiveBlock2D
from kmul.models._downsampling import Downsampling
from kmul.models._torch_arrays import CONVOLUTION
from kmul.models._torch_arrays import DEPTHWISE
from kmul.models._torch_arrays import LINEAR
from kmul.models._torch_arrays import POINTWISE
from kmul.models._torch_arrays import assign
from kmul.models._torch_arrays import kernel_and_bias
from kmul.models._torch_arrays import normalization
from kmul.models._torch_arrays import state_dict_of

STAGES = 4
# The depths and widths of the four stages.
VARIANTS = {
    "xs": ((2, 2, 4, 2), (48, 56, 112, 220)),
    "s": ((3, 3, 6, 3), (48, 64, 128, 256)),
    "m": ((3, 3, 6, 3), (64, 96, 192, 384)),
    "t": ((3, 3, 6, 3), (96, 128, 256, 512)),
}
HEADS = ("classifier", "distillation", "stages")


@keras.saving.register_keras_serializable(package="kmul")
class CASViT(keras.Model):
    """An image network of convolutional additive attention.

    ```
    x = relu(BN(C₂ * relu(BN(C₁ * image))))     a quarter of the size
    x = AdditiveBlock2D(x)                      as often as `depths` says,
    x = BN(C * x)                               half the size, next stage
    logits = W mean(BN(x)) + b                  after four stages
    ```

    It takes images of any size, divided by 32 in the last stage. Its weights
    and outputs are those of the authors' PyTorch code, whose files
    `from_torch_state_dict` loads.

    Args:
        variant: `"xs"`, `"s"`, `"m"` or `"t"`, which names `depths` and
            `widths`.
        classes: Positive integer, the number of logits.
        head: `"classifier"` gives logits. `"distillation"` has a second linear
            layer, to be trained by a teacher: in training it gives the list
            `[logits, second logits]`, otherwise the mean of both, and so needs
            a `compute_loss` of your own. `"stages"` has no classifier: it gives
            the list of the outputs of all four stages, each through a batch
            normalization, for detection and segmentation.
        depths: List of four positive integers, the blocks of each stage, those
            of the variant by default.
        widths: List of four positive integers, the channels of each stage,
            those of the variant by default. The first one is even.
        expansion: Positive integer, of each block.
        drop_rate: Number in [0, 1), the rate of stochastic depth in the last
            block. It grows from 0 in the first block by equal steps.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        **kwargs: The arguments of every model, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor, images.
        training: Boolean, for normalization, stochastic depth and the head
            `"distillation"`.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first.

    Output shape:
        `(batch, classes)`. With the head `"stages"` a list of four shapes of
        images, sides divided by 4, 8, 16 and 32 and rounded up, of `widths`
        channels.

    Example:

    ```python
    model = kmul.models.CASViT("xs", classes=10, drop_rate=0.1)
    model.build((None, 64, 64, 3))
    print(model.count_params())  # 2,773,230
    ```

    Reference:
        - [CAS-ViT: Convolutional Additive Self-attention Vision Transformers
          for Efficient Mobile Applications (Zhang et al., 2024)](
          https://arxiv.org/abs/2408.03703)
    """

    def __init__(
        self,
        variant="xs",
        classes=1000,
        head="classifier",
        depths=None,
        widths=None,
        expansion=4,
        drop_rate=0.0,
        data_format=None,
        **kwargs,
    ):
        check_choice("variant", variant, tuple(VARIANTS))
        classes = check_positive_integer("classes", classes)
        check_choice("head", head, HEADS)
        named_depths, named_widths = VARIANTS[variant]
        depths = check_each_positive("depths", depths or named_depths, STAGES)
        widths = check_each_positive("widths", widths or named_widths, STAGES)
        if widths[0] % 2:
            raise ValueError(
                "Invalid value for argument `widths`. Expected an even first "
                f"width. Received: widths={widths}"
            )
        expansion = check_positive_integer("expansion", expansion)
        drop_rate = check_rate("drop_rate", drop_rate)
        data_format = check_data_format(data_format)
        super().__init__(**kwargs)
        self.variant = variant
        self.classes = classes
        self.head = head
        self.depths = tuple(depths)
        self.widths = tuple(widths)
        self.expansion = expansion
        self.drop_rate = drop_rate
        self.data_format = data_format
        self.stem = [
            self._downsampling("stem_1", widths[0] // 2, "relu"),
            self._downsampling("stem_2", widths[0], "relu"),
        ]
        self.transitions = [
            self._downsampling(f"transition_{stage + 1}", widths[stage])
            for stage in range(1, STAGES)
        ]
        last = max(1, sum(depths) - 1)
        self.blocks = [
            AdditiveBlock2D(
                expansion,
                drop_rate=drop_rate * number / last,
                data_format=data_format,
                dtype=self.dtype_policy,
                name=f"block_{number + 1}",
            )
            for number in range(sum(depths))
        ]
        count = STAGES if head == "stages" else 1
        self.normalizations = [
            keras.layers.BatchNormalization(
                axis=1 if data_format == "channels_first" else -1,
                momentum=0.9,
                epsilon=1e-5,
                dtype=self.dtype_policy,
                name=f"normalization_{number + 1}",
            )
            for number in range(count)
        ]
        if head != "stages":
            self.pooling = keras.layers.GlobalAveragePooling2D(
                data_format=data_format, dtype=self.dtype_policy, name="pooling"
            )
            self.classifier = self._linear("classifier")
        if head == "distillation":
            self.distilled = self._linear("distilled")

    def _downsampling(self, name, filters, activation=None):
        return Downsampling(
            filters,
            activation,
            data_format=self.data_format,
            dtype=self.dtype_policy,
            name=name,
        )

    def _linear(self, name):
        return keras.layers.Dense(
            self.classes, dtype=self.dtype_policy, name=name
        )

    def stages(self):
        """Returns the layers of each stage, in a list of four lists."""
        stages, start = [], 0
        for number, depth in enumerate(self.depths):
            first = [self.transitions[number - 1]] if number else self.stem
            stages.append([*first, *self.blocks[start : start + depth]])
            start += depth
        return stages

    def build(self, input_shape):
        shape = tuple(input_shape)
        self._check_shape(shape)
        shapes = []
        for stage in self.stages():
            for layer in stage:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
            shapes.append(shape)
        if self.head != "stages":
            self.pooling.build(shape)
            shapes = [shape]
            for linear in self._linear_layers():
                linear.build((None, self.widths[-1]))
        for layer, each in zip(self.normalizations, shapes, strict=True):
            layer.build(each)

    def call(self, inputs, training=False):
        self._check_shape(tuple(inputs.shape))
        x, outputs = inputs, []
        for stage in self.stages():
            for layer in stage:
                x = layer(x, training=training)
            outputs.append(x)
        if self.head != "stages":
            outputs = [x]
        outputs = [
            layer(each, training=training)
            for layer, each in zip(self.normalizations, outputs, strict=True)
        ]
        if self.head == "stages":
            return outputs
        pooled = self.pooling(outputs[0])
        logits = [linear(pooled) for linear in self._linear_layers()]
        if len(logits) == 1:
            return logits[0]
        return logits if training else ops.multiply(0.5, add(*logits))

    def _linear_layers(self):
        if self.head == "distillation":
            return [self.classifier, self.distilled]
        return [self.classifier]

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        self._check_shape(shape)
        if self.head != "stages":
            return (shape[0], self.classes)
        shapes = []
        for stage in self.stages():
            for layer in stage:
                shape = layer.compute_output_shape(shape)
            shapes.append(shape)
        return shapes

    def _check_shape(self, shape):
        channels = 3 if self.data_format == "channels_last" else 1
        if len(shape) != 4 or shape[channels] is None:
            raise ValueError(
                "`CASViT` should be called on images of rank 4 with a defined "
                f"channel axis, {self.data_format}. "
                f"Received: input_shape={shape}"
            )

    def get_config(self):
        return {
            **super().get_config(),
            "variant": self.variant,
            "classes": self.classes,
            "head": self.head,
            "depths": list(self.depths),
            "widths": list(self.widths),
            "expansion": self.expansion,
            "drop_rate": self.drop_rate,
            "data_format": self.data_format,
        }

    @classmethod
    def from_torch_state_dict(cls, arrays, variant="xs", head=None, **kwargs):
        """Returns a model with the weights of the authors' PyTorch code.

        Args:
            arrays: Dictionary from PyTorch's names to arrays, or to tensors of
                a CPU, or a checkpoint that has one under `"model_ema"` or
                `"model"`, of which the first is preferred.
            variant: As for the class.
            head: As for the class. By default `"distillation"` if there is a
                `dist_head`, else `"classifier"`. What another head than this
                one needs is left out; with `"stages"` the normalizations of the
                outputs start anew if they are not there.
            **kwargs: The other arguments of the class.

        Raises:
            ValueError: Names are missing or unknown, or shapes are others.
        """
        arrays = state_dict_of(arrays)
        if head is None:
            distilled = any(name.startswith("dist_head.") for name in arrays)
            head = "distillation" if distilled else "classifier"
        model = cls(variant, head=head, **kwargs)
        first = arrays.get("patch_embed.0.weight")
        channels = 3 if first is None or first.ndim != 4 else first.shape[1]
        shape = [None] * 4
        shape[1 if model.data_format == "channels_first" else 3] = channels
        model.build(shape)
        weights = list(_torch_weights(model))
        if head == "stages":
            unused = ("norm.", "head.", "dist_head.")
            own = ("norm0.", "norm2.", "norm4.", "norm6.")
            if not any(name.startswith(own) for name in arrays):
                weights = [each for each in weights if each[0][:4] != "norm"]
        else:
            unused = () if head == "distillation" else ("dist_head.",)
        assign(
            weights,
            {
                name: array
                for name, array in arrays.items()
                if not name.startswith(unused)
            },
        )
        return model


def _torch_weights(model):
    """Yields PyTorch's name, the variable and the transposition of each."""
    for number, layer in enumerate(model.stem):
        first = 3 * number
        yield from _downsampling(f"patch_embed.{first}", layer.convolution)
        yield from normalization(
            f"patch_embed.{first + 1}", layer.normalization
        )
    for number, layer in enumerate(model.transitions):
        name = f"network.{2 * number + 1}"
        yield from _downsampling(f"{name}.proj", layer.convolution)
        yield from normalization(f"{name}.norm", layer.normalization)
    for number, stage in enumerate(model.stages()):
        blocks = [each for each in stage if isinstance(each, AdditiveBlock2D)]
        for position, block in enumerate(blocks):
            yield from _block(f"network.{2 * number}.{position}", block)
    if model.head == "stages":
        for number, layer in enumerate(model.normalizations):
            yield from normalization(f"norm{2 * number}", layer)
        return
    yield from normalization("norm", model.normalizations[0])
    yield from _linear("head", model.classifier)
    if model.head == "distillation":
        yield from _linear("dist_head", model.distilled)


def _downsampling(name, layer):
    return kernel_and_bias(name, layer.kernel, layer.bias, CONVOLUTION)


def _linear(name, layer):
    return kernel_and_bias(name, layer.kernel, layer.bias, LINEAR)


def _block(name, block):
    local = f"{name}.local_perception.network"
    yield from kernel_and_bias(f"{local}.0", *block.local_in, POINTWISE)
    yield from normalization(f"{local}.1", block.local_normalization)
    yield from kernel_and_bias(f"{local}.2", *block.local_depthwise, DEPTHWISE)
    yield from kernel_and_bias(f"{local}.4", *block.local_out, POINTWISE)
    yield from normalization(f"{name}.norm1", block.normalization_1)
    yield from normalization(f"{name}.norm2", block.normalization_2)
    yield from kernel_and_bias(f"{name}.mlp.fc1", *block.mlp_in, POINTWISE)
    yield from kernel_and_bias(f"{name}.mlp.fc2", *block.mlp_out, POINTWISE)
    yield from _mixer(f"{name}.attn", block.mixer)


def _mixer(name, mixer):
    for part, kernel, bias, axes in (
        ("qkv", mixer.projection_kernel, None, POINTWISE),
        ("dwc", mixer.mixing_kernel, mixer.mixing_bias, DEPTHWISE),
        ("proj", mixer.output_kernel, mixer.output_bias, DEPTHWISE),
    ):
        yield from kernel_and_bias(f"{name}.{part}", kernel, bias, axes)
    for part, spatial, channel in (
        ("oper_q", mixer.query_spatial_gate, mixer.query_channel_gate),
        ("oper_k", mixer.key_spatial_gate, mixer.key_channel_gate),
    ):
        gate = f"{name}.{part}.0.block"
        yield from kernel_and_bias(
            f"{gate}.0",
            spatial.depthwise_kernel,
            spatial.depthwise_bias,
            DEPTHWISE,
        )
        yield from normalization(f"{gate}.1", spatial.normalization)
        yield f"{gate}.3.weight", spatial.gate_kernel, POINTWISE
        yield f"{name}.{part}.1.block.1.weight", channel.gate_kernel, POINTWISE
